"""kill -9 of each process at the worst moment: everything goes on, nobody is punished for it."""

from __future__ import annotations

import asyncio
import signal

import pytest

from llmnet.gateway import Requester
from llmnet.pallets.spot_checks import Stage

from .kept import Kept
from .network import WORKER, Network, account

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]


async def test_the_chain_dies_in_the_middle_of_audits(network: Network, requester: Requester) -> None:
    session = await network.session(requester)
    answers = await network.answers(requester, session, 3)
    await network.audit_of(answers[0], Stage.RECEIPT_OPENED, Stage.REFERENCED)
    async with network.clock.slowed():
        everybody = network.connections()
        final = await network.client.finalized_head()
        await network.kill("node")
        await network.again("node")
        async with network.clock.stopped():
            await _until_connected(network, everybody)
            assert await network.client.block_hash(final.number) == final.hash
            assert (await network.client.finalized_head()).number >= final.number
        assert await network.verdicts(answers) == ["Passed"] * 3
    assert network.faults() == []
    assert [number for number, _ in network.blocks] == list(range(1, len(network.blocks) + 1))
    for number, block_hash in network.blocks[-60:]:
        assert await network.client.block_hash(number) == block_hash


async def _until_connected(network: Network, connections: int, seconds: float = 40) -> None:
    """Time stands still until all daemons have found the node again."""
    async with asyncio.timeout(seconds):
        while network.connections() < connections:
            network.troupe.check()
            await asyncio.sleep(0.1)


async def test_the_worker_dies_between_commit_and_opening(network: Network, requester: Requester) -> None:
    session = await network.session(requester)
    answers = await network.answers(requester, session)
    first = await requester.fetch_leaves(session, 0)
    await network.committed(answers[-1])
    async with network.clock.stopped():
        assert network.find("SpotChecks", "ReceiptOpened", session=session) == []
        await network.kill(WORKER)
        await network.again(WORKER)
        await network.serving()
    assert await network.verdicts(answers) == ["Passed"] * 2
    assert network.faults() == []
    with Kept(network.folder / WORKER) as kept:
        assert kept.receipts(session) == [answer.receipt for answer in answers]
        assert tuple(kept.leaves(session, 0)) == first.leaves
    again = await network.answers(requester, session, 1)
    assert again[0].index == 2 and await network.verdicts(again) == ["Passed"]


async def test_the_worker_dies_while_it_answers(network: Network, requester: Requester) -> None:
    session = await network.session(requester)
    asked = asyncio.create_task(network.answers(requester, session, 3))
    async with network.clock.stopped():
        while True:  # until the worker has taken the first request
            with Kept(network.folder / WORKER) as kept:
                if kept.requests(session):
                    break
            await asyncio.sleep(0.005)
        await network.kill(WORKER)
        await network.again(WORKER)
        await network.serving()
    answers = await asked
    assert [answer.index for answer in answers] == [0, 1, 2]
    assert await network.verdicts(answers) == ["Passed"] * 3
    assert network.faults() == []


async def test_a_validator_dies_between_commit_and_reveal(network: Network, requester: Requester) -> None:
    name, who = "Validator1", account("Validator1").public
    session = await network.session(requester)
    answers = await network.answers(requester, session)
    number, _ = await network.audit_of(answers[0], Stage.DRAWN, Stage.RECEIPT_OPENED)
    started = network.log(name).count("validating as")
    await network.seen("SpotChecks", "ReferenceCommitted", audit=number, validator=who)
    async with network.clock.stopped():
        assert network.find("SpotChecks", "ReferenceRevealed", audit=number, validator=who) == []
        await network.kill(name)
        await network.again(name)
        await network.told(name, "validating as", started + 1)
    assert await network.verdicts(answers) == ["Passed"] * 2
    assert network.find("SpotChecks", "ReferenceRevealed", audit=number, validator=who)
    assert network.faults() == []


async def test_daemons_end_politely_and_come_back(network: Network, requester: Requester) -> None:
    session = await network.session(requester)
    async with network.clock.stopped():
        for name in (WORKER, "Validator2"):
            assert await network.stop(name, signal.SIGTERM) == 0
            await network.again(name)
        await network.serving()
        await network.told("Validator2", "validating as", 2)
    answers = await network.answers(requester, session, 1)
    assert await network.verdicts(answers) == ["Passed"]
    assert network.faults() == []
