"""A worker that opens something else than what was drawn is told so by name; the audit stays open, and the truth still passes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from llmnet import proof
from llmnet.chain import Call, DispatchFailed, decode_extrinsic
from llmnet.gateway import AnswerRecord, Requester
from llmnet.pallets import spot_checks
from llmnet.pallets.spot_checks import Audit, Stage
from llmnet.proof import Leaf

from .kept import Kept
from .network import WORKER, Network, account

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]


@asynccontextmanager
async def _asleep(network: Network, name: str) -> AsyncIterator[None]:
    """The daemon does nothing meanwhile."""
    network.send_signal(name, signal.SIGSTOP)
    try:
        yield
    finally:
        network.send_signal(name, signal.SIGCONT)


async def _refusals(network: Network, calls: dict[str, Call]) -> None:
    """Each call fails with the error that it is listed under. All of them go into one block: deadlines are near."""
    submitted = [
        asyncio.create_task(network.client.submit(call, account(WORKER), check=False))
        for call in calls.values()
    ]
    results = await asyncio.gather(*submitted)
    found = [
        result.error and (result.error.pallet, result.error.name, bool(result.error.docs))
        for result in results
    ]
    assert found == [("SpotChecks", name, True) for name in calls]


async def test_another_receipt_is_refused(network: Network, requester: Requester) -> None:
    session = await network.session(requester)
    # Without a block the worker commits nothing: all three answers come into one batch.
    async with network.clock.stopped():
        answers = await network.answers(requester, session, 3)
    await network.committed(answers[-1])
    async with _asleep(network, WORKER):
        number, audit = await network.audit_of(answers[1], Stage.DRAWN)
        await _refusals(network, _bad_receipts(network, number, audit))
        _, after = await network.audit_of(answers[1], Stage.DRAWN)
        assert after == audit  # nothing moved
    assert await network.verdicts(answers) == ["Passed"] * 3
    assert network.faults() == []


def _bad_receipts(network: Network, number: int, audit: Audit) -> dict[str, Call]:
    with Kept(network.folder / WORKER) as kept:
        placed, receipts = kept.last_batch(), kept.receipts(audit.session)
    chosen = placed[audit.segment]
    segment_proof = proof.single_proof([item.encode() for item in placed], audit.segment)
    items = [receipt.encode() for receipt in receipts]
    drawn, other = audit.ordinal - chosen.start, audit.ordinal - chosen.start - 1
    assert receipts[drawn].index == audit.index and other >= 0
    path, drawn_receipt = proof.single_proof(items, drawn), receipts[drawn]
    longer = replace(chosen, segment=replace(chosen.segment, last=chosen.segment.last + 1))
    return {
        "ReceiptMismatch": spot_checks.open_receipt(
            number, chosen, segment_proof, receipts[other], proof.single_proof(items, other)
        ),
        "ReceiptProofInvalid": spot_checks.open_receipt(  # of a tree with one receipt less
            number, chosen, segment_proof, drawn_receipt, proof.single_proof(items[:-1], drawn)
        ),
        "SegmentProofInvalid": spot_checks.open_receipt(  # of a segment with one receipt more
            number, longer, segment_proof, drawn_receipt, path
        ),
        "SegmentMismatch": spot_checks.open_receipt(
            number, replace(chosen, start=chosen.start + 5), segment_proof, drawn_receipt, path
        ),
        "WrongStage": spot_checks.open_leaves(number, [], []),
        "UnknownAudit": spot_checks.open_receipt(number + 999, chosen, segment_proof, drawn_receipt, path),
    }


async def test_other_leaves_are_refused(network: Network, requester: Requester) -> None:
    session = await network.session(requester)
    [answer] = await network.answers(requester, session, 1)
    await network.committed(answer)
    async with network.clock.stopped():
        while await _stage(network, answer) != Stage.RECEIPT_OPENED:
            await network.clock.tick()
            await asyncio.sleep(0.3)
        # All references wait in the pool before the worker falls asleep: it has handed out the data.
        await _until_pending(network, "commit_reference", 3)
        async with _asleep(network, WORKER):
            await network.clock.tick()
            number, audit = await network.audit_of(answer, Stage.REFERENCED)
            calls = await _bad_leaves(network, number, audit)
            refusing = asyncio.create_task(_refusals(network, calls))
            await _until_pending(network, "open_leaves", len(calls))
            await network.clock.tick()
            await refusing
            _, after = await network.audit_of(answer, Stage.REFERENCED)
            assert (after.stage, after.deadline) == (audit.stage, audit.deadline)
    assert await network.verdicts([answer]) == ["Passed"]
    assert network.faults() == []


async def _stage(network: Network, answer: AnswerRecord) -> Stage | None:
    view = network.client.at()
    number = await view.query("SpotChecks", "AuditOf", (answer.session, answer.index))
    audit = None if number is None else await spot_checks.audit(view, number)
    return None if audit is None else audit.stage


async def _until_pending(network: Network, function: str, count: int) -> None:
    """Wait until so many calls of this name are in the pool."""
    found: list[str] = []
    async with asyncio.timeout(15):
        while found.count(function) < count:
            await asyncio.sleep(0.05)
            pending = await network.client.request("author_pendingExtrinsics")
            raw = [bytes.fromhex(item.removeprefix("0x")) for item in pending]
            found = [decode_extrinsic(network.client.runtime, item).call.function for item in raw]


async def _bad_leaves(network: Network, number: int, audit: Audit) -> dict[str, Call]:
    with Kept(network.folder / WORKER) as kept:
        leaves = kept.leaves(audit.session, audit.index)
    positions = await spot_checks.positions(network.client.at(), number)
    items, chosen = [leaf.encode() for leaf in leaves], [leaves[position] for position in positions]
    nodes = proof.multiproof(items, positions)
    touched: list[Leaf] = [replace(chosen[0], logit_sketch=chosen[0].logit_sketch[::-1]), *chosen[1:]]
    moved = [replace(leaf, position=leaf.position + 1) for leaf in chosen]
    return {
        "LeavesMismatch": spot_checks.open_leaves(number, moved, nodes),
        "LeafProofInvalid": spot_checks.open_leaves(number, touched, nodes),
    }


async def test_two_receipts_for_one_request_are_punished_only_with_signatures(
    network: Network, requester: Requester
) -> None:
    session = await network.session(requester)
    [answer] = await network.answers(requester, session, 1)
    with Kept(network.folder / WORKER) as kept:
        signature = kept.signature(session, 0)
    other = replace(answer.receipt, text_hash=bytes(32))
    who = account(WORKER).public
    for second, name in ((answer.receipt, "SameReceipt"), (other, "SignatureInvalid")):
        call = spot_checks.report_equivocation(who, answer.receipt, signature, second, signature)
        with pytest.raises(DispatchFailed) as refused:
            await network.client.submit(call, account("Requester2"))
        assert refused.value.error.name == name
    assert await network.verdicts([answer]) == ["Passed"]
    assert network.faults() == []
