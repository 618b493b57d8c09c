"""Vouchers, receipts and models that are not what they should be: refused by name, and nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import httpx
import pytest

from llmnet import proof
from llmnet.chain import Call, DispatchFailed
from llmnet.engine import seal_model_dir
from llmnet.gateway import ReceiptRefused, Requester, SessionOver
from llmnet.pallets import registry, sessions
from llmnet.proof import Voucher

from .evil import EvilProxy
from .kept import Kept
from .network import WORKER, Network, account

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]


def _signed(network: Network, voucher: Voucher, name: str = "Requester1") -> bytes:
    data = proof.signing_bytes("voucher", network.client.genesis_hash, voucher.encode())
    return account(name).sign(data)


async def test_the_worker_refuses_wrong_vouchers(network: Network, requester: Requester) -> None:
    session = await network.session(requester)
    [answer] = await network.answers(requester, session, 1)
    right = Voucher(session, answer.price, 1)
    cases = [
        (Voucher(session, answer.price + 1, 1), "Requester1", 422, "voucher_amount"),
        (Voucher(session, answer.price - 1, 1), "Requester1", 422, "voucher_amount"),
        (Voucher(session, 2 * answer.price, 2), "Requester1", 422, "voucher_ahead"),
        (Voucher(10**6, answer.price, 1), "Requester1", 404, "unknown_session"),
        (right, "Requester2", 401, "bad_voucher_signature"),
    ]
    async with httpx.AsyncClient(base_url=await network.endpoint(), trust_env=False) as http:
        for voucher, name, status, code in cases:
            body = {"payload": voucher.encode().hex(), "signature": _signed(network, voucher, name).hex()}
            reply = await http.post("/v1/vouchers", json=body)
            assert (reply.status_code, reply.json()["error"]["code"]) == (status, code), reply.text
        body = {"payload": right.encode().hex(), "signature": _signed(network, right).hex()}
        assert (await http.post("/v1/vouchers", json=body)).status_code == 204
    with Kept(network.folder / WORKER) as kept:
        assert kept.voucher(session) == right
    assert await network.verdicts([answer]) == ["Passed"]


async def test_the_chain_refuses_wrong_vouchers(network: Network, requester: Requester) -> None:
    first, second = await asyncio.gather(network.session(requester), network.session(requester))
    [answer] = await network.answers(requester, first, 1)
    voucher = Voucher(first, answer.price, 1)
    mine, theirs = _signed(network, voucher), _signed(network, voucher, "Requester2")
    calls: list[tuple[Call, str]] = [
        (sessions.claim(first, answer.price + 1, 1, mine), "BadSignature"),
        (sessions.claim(second, answer.price, 1, mine), "BadSignature"),  # of another session
        (sessions.claim(first, answer.price, 1, theirs), "BadSignature"),
        (sessions.claim(10**6, answer.price, 1, mine), "UnknownSession"),
    ]
    for call, name in calls:
        with pytest.raises(DispatchFailed) as refused:
            await network.client.submit(call, account(WORKER))
        assert (refused.value.error.pallet, refused.value.error.name) == ("Sessions", name)
    other = await sessions.session(network.client.at(), second)
    assert other is not None and other.claimed == 0
    assert await network.verdicts([answer]) == ["Passed"]


async def test_a_forged_receipt_is_not_paid(network: Network, requester: Requester) -> None:
    """The offer leads through a proxy that turns one digit of the receipt."""
    endpoint = await network.endpoint()
    offer = await registry.offer(network.client.at(), network.spec.id, account(WORKER).public)
    assert offer is not None

    async def offer_at(address: str) -> None:
        call = registry.put_offer(
            network.spec.id,
            endpoint=address,
            price_in=offer.price_in,
            price_out=offer.price_out,
            domains=offer.domains,
            policy_digest=offer.policy_digest,
            capacity=offer.capacity,
        )
        await network.client.submit(call, account(WORKER))

    async with EvilProxy(int(endpoint.rsplit(":", 1)[1])) as proxy:
        await offer_at(proxy.url)
        try:
            session = await network.session(requester)
            with pytest.raises(ReceiptRefused) as refused:
                await network.answers(requester, session, 1)
        finally:
            await offer_at(endpoint)
        assert refused.value.field == "signature" and proxy.turned == 1
        with pytest.raises(SessionOver):
            await network.answers(requester, session, 1)
    found = await sessions.session(network.client.at(), session)
    assert found is not None and found.seed is not None and found.claimed == 0
    assert requester.store.voucher(found.seed) is None and requester.store.usage(found.seed).promised == 0


def _changed(network: Network, folder: Path) -> Path:
    """The model with one byte of its last tensor changed."""
    shutil.copytree(network.model, folder)
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    return folder


async def _validator(network: Network, model: Path, store: Path) -> tuple[int | None, str]:
    """Start a validator; its exit status and what it said."""
    command = ["-m", "llmnet.cli.validator", "--node", network.url, "--dev-key", "Validator4"]
    command += ["--model", str(model), "--store", str(store), "--bond", "1000"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, output.decode()


async def test_a_validator_refuses_weights_with_one_changed_byte(network: Network, tmp_path: Path) -> None:
    status, said = await _validator(network, _changed(network, tmp_path / "model"), tmp_path / "store")
    assert status == 1 and "Traceback" not in said
    assert "model.safetensors" in said and "sealed as" in said
    assert len(network.find("Staking", "Bonded", who=account("Validator4").public)) == 0


async def test_other_weights_are_not_the_registered_model(network: Network, tmp_path: Path) -> None:
    """Sealed anew the directory is sound in itself, but it is not what is registered."""
    from llmnet.verifier import ModelMismatch, Reference

    files = seal_model_dir(_changed(network, tmp_path / "tiny"))
    with pytest.raises(ModelMismatch, match="weights_root"):
        Reference(files, network.spec)
