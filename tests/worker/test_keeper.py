"""Duties on a real chain: batches whose fate is unknown, claims, sessions that end, an account that was removed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmnet import proof
from llmnet.chain import Block, Header
from llmnet.pallets import sessions, spot_checks
from llmnet.proof import ServiceSpec, Voucher
from llmnet.worker import SetupError, Store, WorkerConfig
from llmnet.worker.keeper import REST_BLOCKS, Keeper, fitting
from llmnet.worker.ledger import stake_of
from llmnet.worker.setup import prepare

from .network import Network, employed, network, until
from .shop import PAYER, STRANGER, UNIT, WORKER, sign
from .test_store import answer_of


@pytest.fixture
def config(tmp_path: Path) -> WorkerConfig:
    return WorkerConfig(tmp_path / "worker.sqlite", "http://w.test", bond=200 * UNIT, register_spec=True)


@pytest.fixture
async def net(config: WorkerConfig, spec: ServiceSpec) -> AsyncIterator[Network]:
    async with network() as net:
        await employed(net, config, spec)
        yield net


@pytest.fixture
def store(config: WorkerConfig, net: Network) -> Iterator[Store]:
    store = Store(config.store, genesis_hash=net.client.genesis_hash, account=WORKER.public)
    yield store
    store.close()


@pytest.fixture
async def keeper(config: WorkerConfig, net: Network, store: Store) -> AsyncIterator[Keeper]:
    keeper = Keeper(config, net.client, WORKER, store)
    yield keeper
    await keeper.close()


async def block_of(net: Network) -> Block:
    header: Header = await net.client.finalized_head()
    return Block(header, ())


async def chain_batch(net: Network, epoch: int) -> spot_checks.Batch | None:
    return await spot_checks.batch(net.client.at(), WORKER.public, epoch)


async def test_a_batch_is_committed_once_an_epoch_and_only_up_to_a_gap(
    net: Network, keeper: Keeper, store: Store, spec: ServiceSpec
) -> None:
    first, second = await net.open_session(spec), await net.open_session(spec)
    for index in (0, 1, 3):
        store.put_answer(answer_of(first, index, price=index + 1))
    store.put_answer(answer_of(second, 0, price=10))
    await keeper.commit(await block_of(net))
    (batch,) = store.unsettled()
    assert [(s.session, s.first, s.last, s.amount) for s in batch.segments] == [
        (first, 0, 1, 3),
        (second, 0, 0, 10),
    ]
    assert batch.epoch is not None
    on_chain = await chain_batch(net, batch.epoch)
    assert on_chain is not None and (on_chain.receipts, on_chain.amount) == (3, 13)
    assert on_chain.root == proof.batch_root(proof.place_segments(batch.segments))
    assert (await net.session(first)).next_index == 2
    store.put_answer(answer_of(first, 2, price=3))
    await until(lambda: _committed(net, keeper, store, 2))
    later = store.unsettled()[-1]
    assert [(s.session, s.first, s.last) for s in later.segments] == [(first, 2, 3)]
    assert later.epoch is not None and later.epoch > batch.epoch
    assert store.uncommitted() == {}


async def test_a_batch_is_worth_no_more_than_its_stake_can_answer_for(
    net: Network, keeper: Keeper, store: Store, spec: ServiceSpec
) -> None:
    session = await net.open_session(spec)
    covered = await stake_of(net.client.at(), WORKER.public) // 20
    for index, price in enumerate((1, covered - 2, 2)):
        store.put_answer(answer_of(session, index, price=price))
    await until(lambda: _committed(net, keeper, store, 1))
    assert [(s.first, s.last, s.amount) for s in store.unsettled()[0].segments] == [(0, 1, covered - 1)]
    await until(lambda: _committed(net, keeper, store, 2))
    assert [(s.first, s.last) for s in store.unsettled()[1].segments] == [(2, 2)]


@pytest.mark.parametrize(
    ("receipts", "worth", "taken"), [(5, 100, 4), (2, 100, 2), (5, 30, 2), (5, 29, 1), (5, 9, 0), (0, 9, 0)]
)
def test_what_does_not_fit_waits(receipts: int, worth: int, taken: int) -> None:
    run = [(answer_of(1, index).receipt, 10 + 10 * (index == 1)) for index in range(4)]
    assert fitting(run, receipts, worth) == run[:taken]


async def _committed(net: Network, keeper: Keeper, store: Store, count: int) -> bool:
    await keeper.commit(await block_of(net))
    return len([batch for batch in store.unsettled() if batch.epoch is not None]) == count


async def test_a_crash_before_the_batch_was_sent(
    net: Network, keeper: Keeper, store: Store, spec: ServiceSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await net.open_session(spec)
    store.put_answer(answer_of(session, 0))
    with monkeypatch.context() as patch:
        patch.setattr(net.client, "submit", _killed)
        with pytest.raises(Killed):
            await keeper.commit(await block_of(net))
    assert store.pending_batch() is not None and store.unsettled() == []
    store.put_answer(answer_of(session, 1))
    await until(lambda: _committed(net, keeper, store, 1))
    assert store.pending_batch() is None
    (batch,) = store.unsettled()
    assert (batch.segments[0].first, batch.segments[0].last) == (0, 0), (
        "the batch that was kept, not another one"
    )
    assert batch.epoch is not None and await chain_batch(net, batch.epoch) is not None


class Killed(BaseException):
    """The process ends here."""


async def _killed(*_: Any, **__: Any) -> None:
    raise Killed


@pytest.mark.parametrize("away", [0, 200])
async def test_a_crash_after_the_batch_was_sent(
    net: Network, keeper: Keeper, store: Store, spec: ServiceSpec, monkeypatch: pytest.MonkeyPatch, away: int
) -> None:
    """It stands on chain, and this store does not know: also after more blocks than a transaction lives."""
    session = await net.open_session(spec)
    store.put_answer(answer_of(session, 0))
    with monkeypatch.context() as patch:
        patch.setattr(store, "committed", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            await keeper.commit(await block_of(net))
    sent = (await net.session(session)).next_index
    assert sent == 1 and store.pending_batch() is not None
    if away:
        net.ticking.clear()
        await asyncio.to_thread(lambda: [net.node.produce_block() for _ in range(away)])
        net.ticking.set()
    await keeper.commit(await block_of(net))
    (batch,) = store.unsettled()
    assert batch.epoch is not None and await chain_batch(net, batch.epoch) is not None
    assert store.pending_batch() is None and (await net.session(session)).next_index == 1


async def test_a_pending_batch_that_the_chain_cannot_take_is_sorted_anew(
    net: Network, keeper: Keeper, store: Store, spec: ServiceSpec
) -> None:
    session = await net.open_session(spec)
    for index in range(2):
        store.put_answer(answer_of(session, index))
    run = [answer_of(session, 1).receipt]
    store.put_batch([proof.Segment(session, 1, 1, proof.receipts_root(run), 5)])
    await keeper.commit(await block_of(net))
    assert store.pending_batch() is None and store.unsettled() == []
    await until(lambda: _committed(net, keeper, store, 1))
    assert (await net.session(session)).next_index == 2


async def test_claims_follow_vouchers_and_commitments(
    net: Network, keeper: Keeper, store: Store, spec: ServiceSpec
) -> None:
    session = await net.open_session(spec)
    for index in range(2):
        store.put_answer(answer_of(session, index, price=UNIT // 100))
    voucher = Voucher(session, UNIT // 100, 1)
    signature = bytes.fromhex(sign(PAYER, "voucher", voucher.encode(), net.client.genesis_hash))
    store.put_voucher(voucher, signature)
    await keeper.claim(await block_of(net))
    assert (await net.session(session)).claimed == 0, "nothing is committed"
    await keeper.commit(await block_of(net))
    await keeper.claim(await block_of(net))
    assert (await net.session(session)).claimed == UNIT // 100
    before = await net.client.next_nonce(WORKER.public)
    await keeper.claim(await block_of(net))
    assert await net.client.next_nonce(WORKER.public) == before, "a claim of nothing would only cost a fee"


async def test_a_forged_voucher_costs_a_fee_now_and_then_but_no_crash(
    net: Network, keeper: Keeper, store: Store, spec: ServiceSpec, caplog: pytest.LogCaptureFixture
) -> None:
    session = await net.open_session(spec)
    store.put_answer(answer_of(session, 0, price=UNIT // 100))
    await keeper.commit(await block_of(net))
    forged = bytes.fromhex(
        sign(STRANGER, "voucher", Voucher(session, UNIT // 100, 1).encode(), net.client.genesis_hash)
    )
    store.put_voucher(Voucher(session, UNIT // 100, 1), forged)
    before = await net.client.next_nonce(WORKER.public)
    start = (await block_of(net)).number
    running = asyncio.create_task(keeper.run())
    await until(lambda: _logged(caplog, "claim was refused", 2))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    tries = await net.client.next_nonce(WORKER.public) - before
    blocks = (await block_of(net)).number - start
    assert 2 <= tries <= blocks / REST_BLOCKS + 1


async def _logged(caplog: pytest.LogCaptureFixture, words: str, times: int) -> bool:
    return caplog.text.count(words) >= times


async def test_a_closed_session_is_let_go(
    net: Network, keeper: Keeper, store: Store, spec: ServiceSpec
) -> None:
    session = await net.open_session(spec)
    store.put_answer(answer_of(session, 0))
    store.put_voucher(Voucher(session, 5, 1), bytes(64))
    await net.client.submit(sessions.close(session), WORKER)
    await keeper.commit(await block_of(net))
    assert store.unsettled() == [] and store.pending_batch() is None
    assert store.uncommitted() == {} and store.sessions_with_vouchers() == []


async def test_an_account_that_was_removed_sends_nothing(
    net: Network,
    keeper: Keeper,
    store: Store,
    spec: ServiceSpec,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    session = await net.open_session(spec)
    store.put_answer(answer_of(session, 0))
    state = await spot_checks.worker_state(net.client.at(), WORKER.public)

    async def removed(*_: object) -> spot_checks.WorkerState:
        return replace(state, removed=True)

    nonce = await net.client.next_nonce(WORKER.public)
    with monkeypatch.context() as patch:
        patch.setattr(spot_checks, "worker_state", removed)
        for _ in range(3):
            await keeper.step(await block_of(net))
            await asyncio.sleep(0.05)
    assert await net.client.next_nonce(WORKER.public) == nonce
    assert caplog.text.count("slashed and removed") == 1
    await keeper.step(await block_of(net))

    async def committed() -> bool:
        return store.unsettled() != []

    await until(committed)


async def test_a_settled_batch_loses_its_leaves_in_time(
    net: Network, keeper: Keeper, store: Store, spec: ServiceSpec
) -> None:
    """Without validators there is no audit, so the batch is settled when it is drawn."""
    session = await net.open_session(spec)
    store.put_answer(answer_of(session, 0))
    await keeper.commit(await block_of(net))

    async def settled() -> bool:
        await keeper.settle(await block_of(net))
        return store.unsettled() == []

    await until(settled)
    now = await block_of(net)
    assert store.prune(now.number - 600) == 0
    kept = store.answer(session, 0)
    assert kept is not None and kept.leaves is not None
    assert store.prune(now.number + 1) == 1


async def test_an_account_that_is_not_ready_is_told_what_to_do(
    net: Network, config: WorkerConfig, spec: ServiceSpec
) -> None:
    with pytest.raises(SetupError, match="--bond"):
        await prepare(replace(config, bond=None), net.client, STRANGER, spec, bytes(32))
    other = replace(spec, name=b"another")
    with pytest.raises(SetupError, match="--register-spec"):
        await prepare(replace(config, register_spec=False), net.client, WORKER, other, bytes(32))
    nonce = await net.client.next_nonce(WORKER.public)
    await prepare(replace(config, bond=None, register_spec=False), net.client, WORKER, spec, bytes(32))
    assert await net.client.next_nonce(WORKER.public) == nonce, "nothing to do, nothing sent"
    await prepare(replace(config, price_in=7), net.client, WORKER, spec, bytes(32))
    assert await net.client.next_nonce(WORKER.public) == nonce + 1


async def test_work_that_was_stopped_before_it_began_leaves_nothing(net: Network, keeper: Keeper) -> None:
    """What was never awaited is told as a warning when it is collected, and a warning is an error here."""
    before = await net.client.next_nonce(WORKER.public)
    await keeper.step(await block_of(net))
    await keeper.close()
    gc.collect()
    assert await net.client.next_nonce(WORKER.public) == before
