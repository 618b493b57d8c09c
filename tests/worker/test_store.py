"""The store: what goes in comes out, also after a crash; what is not ours is refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet import proof
from llmnet.proof import Candidate, FinishReason, Leaf, Message, Receipt, Request, Role, Segment, Voucher
from llmnet.worker import Answer, Store, StoreError
from llmnet.worker.keeper import contiguous

from .shop import GENESIS, WORKER, leaves_of, make_request

U32, U64, U128 = (st.integers(0, (1 << bits) - 1) for bits in (32, 64, 128))
HASH = st.binary(min_size=32, max_size=32)
SESSION = st.integers(0, (1 << 63) - 1)
LANES = st.tuples(*[st.integers(-32767, 32767)] * 8)
LEAF = st.builds(
    Leaf,
    U32,
    U32,
    st.lists(st.builds(Candidate, U32, st.integers(-32767, 0)), min_size=1, max_size=3).map(tuple),
    LANES,
    LANES,
)
RECEIPT = st.builds(
    Receipt,
    session=SESSION,
    index=U32,
    request_hash=HASH,
    temperature=st.integers(0, 65535),
    output_hash=HASH,
    text_hash=HASH,
    n_prompt=U32,
    n_out=st.integers(1, (1 << 32) - 1),
    finish=st.sampled_from(FinishReason),
    transcript_root=HASH,
)
ANSWER = st.builds(
    Answer, RECEIPT, st.binary(min_size=64, max_size=64), st.lists(U32, max_size=5).map(tuple), st.text(), U128,
    st.lists(LEAF, min_size=1, max_size=3).map(tuple),
)  # fmt: skip
REQUEST = st.builds(
    Request,
    SESSION,
    U32,
    st.lists(st.builds(Message.of, st.sampled_from(Role), st.text()), min_size=1, max_size=3).map(tuple),
    st.integers(0, 65535),
    U32,
    st.lists(st.text(max_size=9).map(str.encode), max_size=4).map(tuple),
)


def open_store(path: Path | str = ":memory:") -> Store:
    return Store(path, genesis_hash=GENESIS, account=WORKER.public)


def answer_of(session: int, index: int, price: int = 5) -> Answer:
    leaves = leaves_of([1, 2])
    root = proof.transcript_root(leaves)
    receipt = Receipt(session, index, bytes(32), 0, bytes(32), bytes(32), 3, 2, FinishReason.STOP, root)
    return Answer(receipt, bytes(64), (1, 2), "text", price, leaves)


@pytest.fixture
def store() -> Iterator[Store]:
    store = open_store()
    yield store
    store.close()


@settings(max_examples=60, deadline=None)
@given(ANSWER)
def test_an_answer_comes_back_as_it_was(answer: Answer) -> None:
    store = open_store()
    store.put_answer(answer)
    assert store.answer(answer.receipt.session, answer.receipt.index) == answer
    assert store.spent(answer.receipt.session) == answer.price
    with pytest.raises(sqlite3.IntegrityError):
        store.put_answer(answer)
    store.close()


@settings(max_examples=60, deadline=None)
@given(REQUEST, st.binary(max_size=70))
def test_a_request_comes_back_as_it_was(request: Request, signature: bytes) -> None:
    store = open_store()
    store.accept(request, signature)
    assert store.request(request.session, request.index) == (request, signature)
    assert store.unanswered() == [(request, signature)]
    assert store.next_index(request.session) == request.index + 1
    with pytest.raises(sqlite3.IntegrityError):
        store.accept(request, signature)
    store.close()


@settings(max_examples=40, deadline=None)
@given(
    st.builds(Voucher, SESSION, U128, U32),
    st.lists(st.builds(Segment, U64, st.just(3), st.just(9), HASH, U128), min_size=1, max_size=4),
)
def test_vouchers_and_batches_come_back(voucher: Voucher, segments: list[Segment]) -> None:
    store = open_store()
    store.put_voucher(voucher, b"s")
    assert store.voucher(voucher.session) == (voucher, b"s")
    signed = [
        Segment(min(s.session, (1 << 63) - 1), s.first, s.last, s.receipts_root, s.amount) for s in segments
    ]
    batch = store.put_batch(signed)
    assert store.pending_batch() == batch and batch.segments == tuple(signed)
    store.committed(batch.number, 4)
    assert store.pending_batch() is None
    kept = store.batch_of_epoch(4)
    assert kept is not None and (kept.segments, kept.epoch) == (tuple(signed), 4)
    store.close()


@given(st.sets(st.integers(0, 20)), st.integers(0, 20))
def test_contiguous_is_the_longest_run_from_the_next_index(indices: set[int], first: int) -> None:
    answers = [(answer_of(1, index).receipt, index) for index in sorted(indices)]
    run = [receipt.index for receipt, _ in contiguous(answers, first)]
    assert run == list(range(first, first + len(run)))
    assert set(run) <= indices and first + len(run) not in indices
    assert [price for _, price in contiguous(answers, first)] == run


def test_prices_end_at_a_gap_and_spending_does_not(store: Store) -> None:
    for index in (0, 1, 3):
        store.put_answer(answer_of(1, index, price=index + 1))
    assert store.prices(1) == [1, 2] and store.spent(1) == 7
    store.put_answer(answer_of(1, 2, price=3))
    assert store.prices(1) == [1, 2, 3, 4]


def test_a_batch_marks_its_answers_and_gives_them_back_when_dropped(store: Store) -> None:
    for index in range(3):
        store.put_answer(answer_of(1, index))
    batch = store.put_batch([Segment(1, 0, 1, bytes(32), 10)])
    assert [receipt.index for receipt, _ in store.uncommitted()[1]] == [2]
    store.drop_batch(batch.number)
    assert len(store.uncommitted()[1]) == 3 and store.pending_batch() is None
    batch = store.put_batch([Segment(1, 0, 1, bytes(32), 10)])
    store.committed(batch.number, 3)
    store.drop_batch(batch.number)
    assert store.batch_of_epoch(3) is not None
    assert [receipt.index for receipt, _ in store.uncommitted()[1]] == [2]


def test_leaves_go_when_their_batch_was_settled_long_ago(store: Store) -> None:
    for index in range(2):
        store.put_answer(answer_of(1, index))
    batch = store.put_batch([Segment(1, 0, 0, bytes(32), 5)])
    store.committed(batch.number, 1)
    assert store.prune(10_000) == 0
    store.settle(batch.number, 100)
    assert store.unsettled() == [] and store.prune(100) == 0
    assert store.prune(101) == 1 and store.prune(101) == 0
    first, second = store.answer(1, 0), store.answer(1, 1)
    assert first is not None and first.leaves is None
    assert second is not None and second.leaves is not None


def test_a_session_that_is_over_is_not_looked_at_any_more(store: Store) -> None:
    for session in (1, 2):
        store.put_answer(answer_of(session, 0))
        store.put_voucher(Voucher(session, 5, 1), b"s")
    store.end(1, 50)
    store.end(1, 60)
    assert list(store.uncommitted()) == [2] and store.sessions_with_vouchers() == [2]
    assert store.prune(50) == 0 and store.prune(51) == 1


def test_failed_requests_are_neither_owed_nor_forgotten(store: Store) -> None:
    store.accept(make_request(0), b"s")
    store.accept(make_request(1), b"s")
    store.fail(1, 0, "NaN")
    assert store.failure(1) == "NaN" and store.failure(2) is None
    assert [request.index for request, _ in store.unanswered()] == [1]
    assert store.next_index(1) == 2


@pytest.mark.parametrize(
    ("genesis", "account", "word"), [(bytes(32), WORKER.public, "genesis"), (GENESIS, bytes(32), "account")]
)
def test_a_store_of_another_chain_or_account_is_refused(
    tmp_path: Path, genesis: bytes, account: bytes, word: str
) -> None:
    path = tmp_path / "deep" / "worker.sqlite"
    open_store(path).close()
    with pytest.raises(StoreError, match=f"another {word}.*pass another --store"):
        Store(path, genesis_hash=genesis, account=account)
    open_store(path).close()


def test_a_store_of_another_version_or_none_at_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "worker.sqlite"
    open_store(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="version 99"):
        open_store(path)
    path.write_bytes(b"not a database, but longer than its header would be" * 30)
    with pytest.raises(StoreError, match="not a database"):
        open_store(path)


def test_two_workers_cannot_share_a_store(tmp_path: Path) -> None:
    path = tmp_path / "worker.sqlite"
    first = open_store(path)
    with pytest.raises(StoreError, match="in use"):
        open_store(path)
    first.close()
    open_store(path).close()


def test_a_store_of_another_life_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "worker.sqlite"
    store = open_store(path)
    assert store.enter(b"\1" * 32) is None
    store.put_answer(answer_of(1, 0))
    assert store.enter(b"\1" * 32) is None and store.answer(1, 0) is not None
    aside = store.enter(b"\2" * 32)
    assert aside is not None and store.answer(1, 0) is None
    store.put_answer(answer_of(1, 0, price=7))
    store.close()
    old = open_store(aside)
    kept = old.answer(1, 0)
    assert kept is not None and kept.price == 5
    old.close()
    again = open_store(path)
    assert again.enter(b"\2" * 32) is None and again.spent(1) == 7
    again.close()


def test_who_returns_to_a_life_finds_what_was_kept_of_it(tmp_path: Path) -> None:
    """A wrong --chain for a minute must not cost the answers that are still to be opened."""
    path = tmp_path / "worker.sqlite"
    store = open_store(path)
    store.enter(b"\1" * 32)
    store.put_answer(answer_of(1, 0))
    store.enter(b"\2" * 32)
    store.put_answer(answer_of(1, 0, price=7))
    assert store.enter(b"\1" * 32) == tmp_path / "worker.sqlite.020202020202"
    first = store.answer(1, 0)
    assert first is not None and first.price == 5
    assert store.enter(b"\2" * 32) == tmp_path / "worker.sqlite.010101010101"
    assert store.spent(1) == 7
    store.close()


def test_no_store_is_set_aside_over_another(tmp_path: Path) -> None:
    path = tmp_path / "worker.sqlite"
    names = [tmp_path / f"worker.sqlite.010101010101{end}" for end in ("", ".2", ".3")]
    for name in names[:2]:
        name.write_text("somebody's")
    store = open_store(path)
    store.enter(b"\1" * 32)
    assert store.enter(b"\2" * 32) == names[2]
    store.close()
    assert [name.read_text() for name in names[:2]] == ["somebody's"] * 2


CHILD = """
import os, sys
from tests.worker.test_store import answer_of, make_request, open_store
store = open_store(sys.argv[1])
for index in range(1000):
    store.accept(make_request(index), b"s")
    store.put_answer(answer_of(1, index))
    print(index, flush=True)
"""


def test_what_was_stored_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "worker.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as child:
        assert child.stdout is not None
        last = -1
        for line in child.stdout:
            last = int(line)
            if last == 5:
                child.kill()
                break
    store = open_store(path)
    assert len(store.prices(1)) >= last + 1 == 6
    assert store.next_index(1) - len(store.prices(1)) in (0, 1)
    store.close()
