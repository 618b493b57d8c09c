"""Who may fetch what."""

from __future__ import annotations

import pytest

from llmnet import proof
from llmnet.pallets.spot_checks import Stage

from .shop import PAYER, STRANGER, VALIDATOR, Shop, make_request, refused, sign

AUDIT = (5).to_bytes(4, "little")


def answer_payload(session: int, index: int) -> bytes:
    return session.to_bytes(8, "little") + index.to_bytes(4, "little")


async def test_a_panel_member_gets_what_it_needs_to_check(shop: Shop) -> None:
    given = (await shop.ask()).json()
    shop.chain.add_audit(5, 1, 0)
    record = (await shop.fetch("/v1/audits/5", AUDIT, VALIDATOR)).json()
    request = proof.Request.decode(bytes.fromhex(record["request"]))
    assert request == make_request()
    assert proof.verify_signature(
        PAYER.public,
        bytes.fromhex(record["request_signature"]),
        "request",
        shop.chain.genesis_hash,
        request.encode(),
    )
    assert record["tokens"] == given["llmnet"]["tokens"] and record["receipt"] == given["llmnet"]["receipt"]
    assert record["text"] == given["choices"][0]["message"]["content"]
    assert "leaves" not in record, "a validator that sees the leaves could copy them"


async def test_who_is_not_on_the_panel_gets_nothing(shop: Shop) -> None:
    await shop.ask()
    shop.chain.add_audit(5, 1, 0)
    for keys in (STRANGER, PAYER):
        refused(await shop.fetch("/v1/audits/5", AUDIT, keys), 401, "not_on_panel", "5")


async def test_the_proxy_of_a_member_is_served_like_the_member(shop: Shop) -> None:
    await shop.ask()
    shop.chain.add_audit(5, 1, 0)
    shop.chain.proxies[PAYER.public] = (STRANGER.public,)  # of somebody who is not on the panel
    refused(await shop.fetch("/v1/audits/5", AUDIT, STRANGER), 401, "not_on_panel", "5")
    shop.chain.proxies[VALIDATOR.public] = (STRANGER.public,)
    assert (await shop.fetch("/v1/audits/5", AUDIT, STRANGER)).status_code == 200


async def test_a_signature_opens_one_audit_only(shop: Shop) -> None:
    await shop.ask()
    shop.chain.add_audit(5, 1, 0)
    shop.chain.add_audit(6, 1, 0)
    refused(await shop.fetch("/v1/audits/6", AUDIT, VALIDATOR), 401, "bad_signature")
    borrowed = {"x-llmnet-signature": sign(STRANGER, "fetch", AUDIT)}
    refused(await shop.fetch("/v1/audits/5", AUDIT, VALIDATOR, **borrowed), 401, "bad_signature")
    other_use = {"x-llmnet-signature": sign(VALIDATOR, "voucher", AUDIT)}
    refused(await shop.fetch("/v1/audits/5", AUDIT, VALIDATOR, **other_use), 401, "bad_signature")


@pytest.mark.parametrize("header", ["x-llmnet-account", "x-llmnet-signature"])
@pytest.mark.parametrize("value", ["", "zz", "00", "00" * 65])
async def test_credentials_that_are_none(shop: Shop, header: str, value: str) -> None:
    shop.chain.add_audit(5, 1, 0)
    refused(
        await shop.fetch("/v1/audits/5", AUDIT, VALIDATOR, **{header: value}),
        401,
        "missing_credentials",
        header,
    )


async def test_an_audit_is_shown_once_its_receipt_is_open(shop: Shop) -> None:
    await shop.ask()
    shop.chain.add_audit(5, 1, 0, stage=Stage.DRAWN)
    refused(await shop.fetch("/v1/audits/5", AUDIT, VALIDATOR), 409, "not_opened")
    for stage in (Stage.RECEIPT_OPENED, Stage.REFERENCED, Stage.LEAVES_OPENED, Stage.DECIDED):
        shop.chain.add_audit(5, 1, 0, stage=stage)
        assert (await shop.fetch("/v1/audits/5", AUDIT, VALIDATOR)).status_code == 200


async def test_audits_that_are_not_ours(shop: Shop) -> None:
    refused(await shop.fetch("/v1/audits/5", AUDIT, VALIDATOR), 404, "unknown_audit")
    shop.chain.add_audit(5, 1, 0, worker=STRANGER.public)
    refused(await shop.fetch("/v1/audits/5", AUDIT, VALIDATOR), 404, "unknown_audit")
    shop.chain.add_audit(5, 1, 0)
    refused(await shop.fetch("/v1/audits/5", AUDIT, VALIDATOR), 404, "unknown_answer")
    shop.chain.down = True
    refused(await shop.fetch("/v1/audits/5", AUDIT, VALIDATOR), 503, "chain_unreachable")


async def test_the_payer_gets_the_whole_record(shop: Shop) -> None:
    given = (await shop.ask()).json()
    record = (await shop.fetch("/v1/receipts/1/0", answer_payload(1, 0), PAYER)).json()
    leaves = proof.decode_leaves(bytes.fromhex(record["leaves"]))
    receipt = proof.Receipt.decode(bytes.fromhex(record["receipt"]))
    assert receipt.transcript_root == proof.transcript_root(leaves)
    assert record["receipt_signature"] == given["llmnet"]["signature"]
    assert record["price"] == given["llmnet"]["price"]


async def test_nobody_else_gets_it(shop: Shop) -> None:
    await shop.ask()
    shop.chain.add(2, requester=STRANGER.public)
    for keys in (STRANGER, VALIDATOR):
        refused(await shop.fetch("/v1/receipts/1/0", answer_payload(1, 0), keys), 401, "not_the_payer")
    refused(await shop.fetch("/v1/receipts/1/0", answer_payload(2, 0), STRANGER), 401, "bad_signature")
    refused(await shop.fetch("/v1/receipts/9/0", answer_payload(9, 0), PAYER), 404, "unknown_session")
    refused(await shop.fetch("/v1/receipts/1/7", answer_payload(1, 7), PAYER), 404, "unknown_answer")


async def test_a_record_outlives_its_leaves(shop: Shop) -> None:
    await shop.ask()
    shop.store.end(1, 10)
    assert shop.store.prune(10) == 0
    assert shop.store.prune(11) == 1
    record = (await shop.fetch("/v1/receipts/1/0", answer_payload(1, 0), PAYER)).json()
    assert record["leaves"] is None and record["tokens"]


async def test_leaves_are_shown_to_the_panel_once_they_cannot_be_copied_any_more(shop: Shop) -> None:
    given = (await shop.ask()).json()
    for stage in (Stage.RECEIPT_OPENED, Stage.REFERENCED, Stage.LEAVES_OPENED):
        shop.chain.add_audit(5, 1, 0, stage=stage)
        refused(await shop.fetch("/v1/audits/5/leaves", AUDIT, VALIDATOR), 409, "not_decided")
    shop.chain.add_audit(5, 1, 0, stage=Stage.DECIDED)
    refused(await shop.fetch("/v1/audits/5/leaves", AUDIT, STRANGER), 401, "not_on_panel")
    found = (await shop.fetch("/v1/audits/5/leaves", AUDIT, VALIDATOR)).json()
    leaves = proof.decode_leaves(bytes.fromhex(found["leaves"]))
    receipt = proof.Receipt.decode(bytes.fromhex(given["llmnet"]["receipt"]))
    assert proof.transcript_root(leaves) == receipt.transcript_root
    shop.store.end(1, 10)
    assert shop.store.prune(11) == 1
    refused(await shop.fetch("/v1/audits/5/leaves", AUDIT, VALIDATOR), 404, "leaves_dropped")
