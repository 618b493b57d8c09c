"""substrate-interface connects, reads an account, transfers and sees its event."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e
AMOUNT = 3 * 10**12


def test_substrate_interface_transfers_and_sees_its_event(node_url: str) -> None:
    from substrateinterface import Keypair, SubstrateInterface

    alice, bob = Keypair.create_from_uri("//Alice"), Keypair.create_from_uri("//Bob")
    with SubstrateInterface(url=node_url) as chain:
        before = chain.query("System", "Account", [bob.ss58_address]).value["data"]["free"]
        call = chain.compose_call(
            "Balances", "transfer_keep_alive", {"dest": bob.ss58_address, "value": AMOUNT}
        )
        assert chain.get_payment_info(call, alice)["partialFee"] > 0
        extrinsic = chain.create_signed_extrinsic(call, alice, era={"period": 64})
        receipt = chain.submit_extrinsic(extrinsic, wait_for_finalization=True)
        assert receipt.is_success, receipt.error_message
        events = [(event.value["module_id"], event.value["event_id"]) for event in receipt.triggered_events]
        assert ("Balances", "Transfer") in events
        after = chain.query("System", "Account", [bob.ss58_address]).value["data"]["free"]
        assert after - before == AMOUNT
        numbers: list[int] = []

        def collect(head: dict[str, dict[str, int]], _count: int, _subscription: str) -> bool | None:
            numbers.append(head["header"]["number"])
            return True if len(numbers) == 3 else None

        chain.subscribe_block_headers(collect)
        assert numbers == list(range(numbers[0], numbers[0] + 3))
