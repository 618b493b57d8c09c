"""A worker that runs another model than it sells: slashed after two answers, and out."""

from __future__ import annotations

import pytest

from llmnet.gateway import NoOffer, Requester
from llmnet.pallets import sessions, spot_checks, staking

from .network import MAX_TOKENS, Network, account

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]
CHEAT = "Worker2"
UNIT = 10**12
ENOUGH = MAX_TOKENS  # an answer that ends sooner, by chance, may say too little


async def test_a_cheat_is_slashed_after_two_answers(network: Network, requester: Requester) -> None:
    who = account(CHEAT).public
    await network.start_worker(CHEAT, "skip_layer")
    session = await network.session(requester, CHEAT)
    answers = await network.answers(requester, session, 2)
    while sum(answer.receipt.n_out >= ENOUGH for answer in answers) < 2:
        answers += await network.answers(requester, session, 1)
    slashed = await network.seen("SpotChecks", "WorkerSlashed", worker=who)

    decided = network.find("SpotChecks", "Decided", worker=who)
    verdicts = [event.fields["verdict"].name for event in decided]
    assert verdicts.count("Failed") == 2
    short = [answer.price for answer in answers if answer.receipt.n_out < ENOUGH]
    assert len(verdicts) - 2 == verdicts.count("Passed") <= len(short)
    assert (
        len(network.find("SpotChecks", "WorkerFined", worker=who)) == 2
    )  # and only the second failure is a slash as well
    view = network.client.at()
    bond = await staking.bond_of(view, who)
    taken = slashed.fields["amount"]
    assert bond is not None and bond.removed
    assert taken == -(-(bond.stake + taken) // 10)  # a tenth of what was left after the fines, rounded up
    assert bond.stake + taken < 1000 * UNIT
    assert not await network.offered(CHEAT)
    assert (await spot_checks.worker_state(view, who)).removed

    money = await sessions.money(view, who)
    assert money.uncleared == 0
    assert slashed.fields["forfeited"] > 0
    assert sum(event.fields["amount"] for event in network.find("Sessions", "Cleared", worker=who)) <= sum(
        short
    )
    refused = sum(answer.price for answer in answers)
    assert 0 < slashed.fields["forfeited"] <= refused

    with pytest.raises(NoOffer):
        await requester.open_session(who, network.spec.id, escrow=UNIT)
    await network.told(CHEAT, "was slashed and removed", 1)
    await requester.close_session(session)
    closed = await network.seen("Sessions", "Closed", session=session)  # at once: the worker is barred
    assert closed.fields["refunded"] == UNIT - closed.fields["paid"]
    assert all(CHEAT in fault for fault in network.faults())
