"""One honest life: asked, answered, committed, drawn, checked by three validators, paid."""

from __future__ import annotations

import pytest

from llmnet import proof
from llmnet.gateway import Requester
from llmnet.pallets import reputation, sessions, spot_checks
from llmnet.pallets.spot_checks import Stage

from .network import WORKER, Network, account

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]


async def test_an_honest_answer_is_checked_and_paid(network: Network, requester: Requester) -> None:
    worker = account(WORKER).public
    before = await reputation.score(network.client.at(), worker, 0, reputation.Axis.INTEGRITY)
    session = await network.session(requester)
    answers = await network.answers(requester, session)
    price = sum(answer.price for answer in answers)
    assert [answer.index for answer in answers] == [0, 1] and price > 0

    number, audit = await network.audit_of(
        answers[0], Stage.RECEIPT_OPENED, Stage.REFERENCED, Stage.LEAVES_OPENED
    )
    assert {member.validator for member in audit.panel} == {
        account(name).public for name in ("Validator1", "Validator2", "Validator3")
    }
    assert audit.answer is not None and audit.answer.receipt == answers[0].receipt
    assert await network.verdicts(answers) == ["Passed", "Passed"]
    assert len(network.find("SpotChecks", "ReferenceRevealed", audit=number)) == 3

    cleared = await network.seen("Sessions", "Cleared", worker=worker)
    assert cleared.fields["amount"] > 0
    view = network.client.at()
    found = await sessions.session(view, session)
    assert found is not None and found.committed == price
    claimed = await network.until(lambda: _claimed(network, session, price))
    fee = sum(event.fields["fee"] for event in network.find("Sessions", "Claimed", session=session))
    assert claimed == price and 0 < fee <= price // 40  # 2 %, rounded
    after = await reputation.score(network.client.at(), worker, 0, reputation.Axis.INTEGRITY)
    assert after > before
    state = await spot_checks.worker_state(network.client.at(), worker)
    assert (state.failed, state.abstained) == (0, 0) and state.passed >= 2
    assert network.faults() == []

    bundle = await requester.fetch_leaves(session, 0)
    assert (
        bundle.leaves is not None
        and proof.transcript_root(bundle.leaves) == answers[0].receipt.transcript_root
    )

    await requester.close_session(session)
    network.closing.append(session)
    closing = await sessions.session(network.client.at(), session)
    assert closing is not None and sessions.state(closing) == "closing"


async def _claimed(network: Network, session: int, price: int) -> int:
    found = await sessions.session(network.client.at(), session)
    return found.claimed if found is not None and found.claimed >= price else 0
