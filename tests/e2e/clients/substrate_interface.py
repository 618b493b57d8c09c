"""substrate-interface: connects, reads, transfers, follows blocks, connects again after a restart of the node.

Usage: python substrate_interface.py ws://… BLOCKS. Says {"step": "restart"} when the node is to be started anew;
prints one JSON object at the end. It has no reconnection of its own: a broken connection is made anew.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from substrateinterface import Keypair, SubstrateInterface

AMOUNT = 3 * 10**12
RECONNECT_SECONDS = 20


def say(**told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def free(chain: SubstrateInterface, account: Keypair) -> int:
    return int(chain.query("System", "Account", [account.ss58_address]).value["data"]["free"])


def transfer(chain: SubstrateInterface, source: Keypair, target: Keypair) -> str:
    """Sends a transfer, waits until it is final, and checks its event; returns the block's hash."""
    before = free(chain, target)
    call = chain.compose_call(
        "Balances", "transfer_keep_alive", {"dest": target.ss58_address, "value": AMOUNT}
    )
    assert chain.get_payment_info(call, source)["partialFee"] > 0
    extrinsic = chain.create_signed_extrinsic(call, source, era={"period": 64})
    receipt = chain.submit_extrinsic(extrinsic, wait_for_finalization=True)
    assert receipt.is_success, receipt.error_message
    events = [(event.value["module_id"], event.value["event_id"]) for event in receipt.triggered_events]
    assert ("Balances", "Transfer") in events, events
    assert free(chain, target) - before == AMOUNT
    return str(receipt.block_hash)


def heads(chain: SubstrateInterface, count: int) -> list[int]:
    """The numbers of new heads, checked to be without a gap."""
    numbers: list[int] = []

    def collect(head: dict[str, dict[str, int]], _count: int, _subscription: str) -> bool | None:
        numbers.append(head["header"]["number"])
        return True if len(numbers) == count else None

    chain.subscribe_block_headers(collect)
    assert numbers == list(range(numbers[0], numbers[0] + count)), numbers
    return numbers


def connect_again(url: str) -> SubstrateInterface:
    end = time.monotonic() + RECONNECT_SECONDS
    while True:
        try:
            return SubstrateInterface(url=url)
        except OSError:
            assert time.monotonic() < end, "the node does not come back"
            time.sleep(0.2)


def main(url: str, count: int) -> None:
    alice, bob = Keypair.create_from_uri("//Alice"), Keypair.create_from_uri("//Bob")
    with SubstrateInterface(url=url) as chain:
        name, spec = str(chain.chain), chain.get_constant("System", "Version").value["spec_name"]
        block = transfer(chain, alice, bob)
        accounts = len(list(chain.query_map("System", "Account")))
        numbers = heads(chain, count)
        say(step="restart")
        try:
            heads(chain, 100_000)  # until the connection breaks
        except Exception as error:  # noqa: BLE001 - whatever the library makes of a broken connection
            sys.stderr.write(f"the connection broke: {type(error).__name__}\n")
    with connect_again(url) as chain:
        after = heads(chain, 5)[-1]
        assert after > numbers[-1]
        transfer(chain, alice, bob)
    say(step="done", chain=name, spec=spec, block=block, accounts=accounts, blocks=len(numbers), after=after)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
