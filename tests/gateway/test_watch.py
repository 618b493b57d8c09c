"""What a worker commits or opens beside the receipts it gave is noticed and reported once; honest workers are left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmnet import proof
from llmnet.chain import ChainError, Keypair
from llmnet.gateway import ReportError, Requester, SessionOver, equivocation
from llmnet.gateway.equivocation import CommittedSegment
from llmnet.gateway.store import Store
from llmnet.proof import Receipt, Segment

from .conftest import WORKER
from .fakes import FakeLedger, FakeWorker

Make = Callable[..., Requester]


def committed(receipts: list[Receipt], epoch: int = 20, first: int | None = None) -> CommittedSegment:
    """As the chain holds these receipts, beside a segment of somebody else's session."""
    mine = Segment(
        receipts[0].session,
        receipts[0].index if first is None else first,
        receipts[-1].index,
        proof.receipts_root(receipts),
        10,
    )
    other = Segment(99, 0, 3, bytes(32), 10)
    placed = proof.place_segments([other, mine])
    nodes = proof.single_proof([item.encode() for item in placed], 1)
    return CommittedSegment(WORKER.public, epoch, 1, placed[1], tuple(nodes))


def forged(receipt: Receipt) -> Receipt:
    return replace(receipt, n_prompt=receipt.n_prompt + 1)


async def asked(requester: Requester, ledger: FakeLedger, count: int = 3) -> tuple[int, list[Receipt]]:
    session = await requester.open_session()
    receipts = [(await requester.ask(session, f"question {number}")).receipt for number in range(count)]
    ledger.height = 50
    return session, receipts


def reports(ledger: FakeLedger) -> list[str]:
    return [call.function for call in ledger.submitted if call.function.startswith("report")]


async def test_an_honest_worker_is_not_reported(requester: Requester, ledger: FakeLedger) -> None:
    session, receipts = await asked(requester, ledger)
    ledger.batches = [committed(receipts[:2]), committed(receipts[2:], 30)]
    ledger.opened_in[session, 1] = (4, receipts[1])
    assert not await requester.watch(session)
    assert reports(ledger) == []
    seed = requester.store.seeds(session)[0]
    assert (requester.store.watched(seed), requester.store.compared(seed)) == (50, {1})


async def test_another_receipt_in_a_batch_is_reported_once(requester: Requester, ledger: FakeLedger) -> None:
    session, receipts = await asked(requester, ledger)
    found = committed([receipts[0], forged(receipts[1]), receipts[2]])
    ledger.batches = [found]
    assert await requester.watch(session)
    [call] = [call for call in ledger.submitted if call.function == "report_segment"]
    assert [receipt for receipt, _ in call.args["signed"]] == receipts
    assert (call.args["epoch"], call.args["place"]) == (20, 1)
    for receipt, signature in call.args["signed"]:
        assert proof.verify_signature(
            WORKER.public, signature, "receipt", ledger.genesis_hash, receipt.encode()
        )
    with pytest.raises(SessionOver, match="equivocated"):
        await requester.ask(session, "and again?")


async def test_another_receipt_in_an_audit_is_reported(requester: Requester, ledger: FakeLedger) -> None:
    session, receipts = await asked(requester, ledger, 2)
    ledger.opened_in[session, 1] = (7, forged(receipts[1]))
    assert await requester.watch(session)
    [call] = [call for call in ledger.submitted if call.function == "report_opened"]
    assert (call.args["audit"], call.args["signed"]) == (7, receipts[1])


async def test_it_is_noticed_beside_the_next_question(requester: Requester, ledger: FakeLedger) -> None:
    session, receipts = await asked(requester, ledger, 2)
    ledger.batches = [committed([receipts[0], forged(receipts[1])])]
    await requester.ask(session, "anything else?")
    await requester.close()
    assert reports(ledger) == ["report_segment"]


async def test_who_does_not_want_to_report_does_not(
    make_requester: Make, ledger: FakeLedger, worker: FakeWorker
) -> None:
    requester = make_requester()
    requester.reports = False
    session, receipts = await asked(requester, ledger, 2)
    ledger.batches = [committed([receipts[0], forged(receipts[1])])]
    await requester.ask(session, "anything else?")
    await requester.close()
    assert reports(ledger) == []


async def test_a_segment_with_a_receipt_still_to_come_is_compared_later(
    requester: Requester, ledger: FakeLedger
) -> None:
    session, receipts = await asked(requester, ledger, 2)
    third = replace(receipts[1], index=2)
    ledger.batches = [committed([*receipts, third])]
    assert not await requester.watch(session)
    assert requester.store.watched(requester.store.seeds(session)[0]) is None
    ledger.batches = [committed([receipts[0], forged(receipts[1])])]
    assert await requester.watch(session)


async def test_a_signature_that_is_none_is_no_evidence(
    requester: Requester, ledger: FakeLedger, worker: FakeWorker
) -> None:
    """A report with a forged signature would only cost a fee."""
    session, receipts = await asked(requester, ledger, 1)
    seed = requester.store.seeds(session)[0]
    requester.store._db.execute("UPDATE requests SET receipt_signature = ?", (bytes(64),))
    ledger.batches = [committed([forged(receipts[0])])]
    ledger.opened_in[session, 0] = (4, forged(receipts[0]))
    assert not await requester.watch(session)
    assert reports(ledger) == [] and requester.store.broken(seed) is None


async def test_a_refused_report_is_logged(
    requester: Requester, ledger: FakeLedger, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, receipts = await asked(requester, ledger, 1)
    ledger.opened_in[session, 0] = (4, forged(receipts[0]))

    async def refuse(*_: Any) -> Any:
        raise ChainError("WorkerRemoved: somebody was faster")

    monkeypatch.setattr(ledger, "submit", refuse)
    assert not await requester.watch(session)
    assert "somebody was faster" in caplog.text


async def test_a_store_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    store = Store(tmp_path / "requester.sqlite", "me")
    store._db.executescript("DROP TABLE watched; DROP TABLE compared; PRAGMA user_version = 1;")
    store.close()
    again = Store(tmp_path / "requester.sqlite", "me")
    again.watch(bytes(32), 7)
    again.compare(bytes(32), 3)
    assert (again.watched(bytes(32)), again.compared(bytes(32))) == (7, {3})
    again.close()


# The calls themselves


def receipts_of(count: int) -> list[Receipt]:
    hashes = [bytes([number]) * 32 for number in range(4)]
    return [
        Receipt(7, index, hashes[0], 256, hashes[1], hashes[2], 5, 3, proof.FinishReason.STOP, hashes[3])
        for index in range(count)
    ]


def signed(receipt: Receipt) -> tuple[Receipt, bytes]:
    return receipt, Keypair.from_uri("//Worker1").sign(receipt.encode())


def test_reports_that_the_chain_would_refuse_are_not_made() -> None:
    receipts = receipts_of(33)
    one, two = receipts[:2]
    for make, words in (
        (lambda: equivocation.equivocation(WORKER.public, signed(one), signed(one)), "the same"),
        (lambda: equivocation.equivocation(WORKER.public, signed(one), signed(two)), "different answers"),
        (lambda: equivocation.opened(1, one, signed(one)), "the one that was opened"),
        (
            lambda: equivocation.segment(committed(receipts), dict(enumerate(map(signed, receipts)))),
            "at most 32",
        ),
        (lambda: equivocation.segment(committed(receipts[:2]), {0: signed(one)}), r"\[1\] are needed"),
        (
            lambda: equivocation.segment(committed(receipts[:2]), {0: signed(one), 1: signed(two)}),
            "those that were committed",
        ),
        (lambda: equivocation.committed(committed(receipts[:2]), [one], signed(one)), "are needed"),
        (
            lambda: equivocation.committed(committed(receipts[:2]), [one, forged(two)], signed(one)),
            "not the receipts",
        ),
        (
            lambda: equivocation.committed(committed([one, two]), [one, two], signed(two)),
            "that was committed",
        ),
        (lambda: equivocation.committed(committed([one]), [one], signed(two)), "not in the segment"),
    ):
        with pytest.raises(ReportError, match=words):
            make()


def test_a_committed_receipt_is_reported_with_proofs_that_hold() -> None:
    receipts = receipts_of(3)
    found = committed([receipts[0], forged(receipts[1]), receipts[2]])
    call = equivocation.committed(found, [receipts[0], forged(receipts[1]), receipts[2]], signed(receipts[1]))
    args = call.args
    assert (args["committed"], args["signed"]) == (forged(receipts[1]), receipts[1])
    root, data = args["placed"].segment.receipts_root, args["committed"].encode()
    assert proof.verify_single(root, 3, 1, data, args["receipt_proof"])


async def test_what_was_compared_is_noted_piece_by_piece(
    requester: Requester, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that ends in the middle does not begin at the beginning next time."""
    session, _ = await asked(requester, ledger, 1)
    asked_for: list[tuple[int, int]] = []
    ledger.height = 1000

    async def slow(worker: bytes, number: int, first: int, last: int) -> list[CommittedSegment]:
        asked_for.append((first, last))
        if len(asked_for) == 2:
            raise ChainError("the process ends here")
        return []

    monkeypatch.setattr(ledger, "committed", slow)
    with pytest.raises(ChainError):
        await requester.watch(session)
    assert not await requester.watch(session)
    ends = [last for _, last in asked_for]
    assert asked_for[2] == asked_for[1] and ends[-1] == 1000
    assert [first for first, _ in asked_for[3:]] == [last + 1 for last in ends[2:-1]]
