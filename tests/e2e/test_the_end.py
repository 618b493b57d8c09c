"""The end of a session: the rest of the escrow comes back, and its payer may say once what it was worth."""

from __future__ import annotations

import pytest

from llmnet.chain import DispatchFailed
from llmnet.gateway import Requester
from llmnet.pallets import reputation, sessions

from .network import ESCROW, WORKER, Network, account

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]


async def _closing(network: Network, requester: Requester) -> int:
    """A session that is being closed; if no test before has left one, a new one with a paid answer."""
    if network.closing:
        return network.closing[0]
    session = await network.session(requester)
    answers = await network.answers(requester, session, 1)
    await network.verdicts(answers)
    await network.seen("Sessions", "Claimed", session=session)
    await requester.close_session(session)
    return session


async def test_a_session_ends_with_refund_and_one_rating(network: Network, requester: Requester) -> None:
    session = await _closing(network, requester)
    ended = await network.seen("Sessions", "Closed", session=session)
    assert ended.fields["paid"] > 0 and ended.fields["paid"] + ended.fields["refunded"] == ESCROW
    found = await sessions.session(network.client.at(), session)
    assert found is not None and (sessions.state(found), sessions.left(found)) == ("closed", 0)

    worker = account(WORKER).public
    before = await reputation.score(network.client.at(), worker, 0, reputation.Axis.QUALITY)
    await requester.rate(session, 5)
    assert await reputation.score(network.client.at(), worker, 0, reputation.Axis.QUALITY) > before
    for stars, name in ((5, "AlreadyRated"), (0, "AlreadyRated"), (6, "BadStars")):
        with pytest.raises(DispatchFailed) as refused:
            await requester.rate(session, stars)
        assert refused.value.error.name == name
    with pytest.raises(DispatchFailed) as other:
        await network.client.submit(sessions.rate(session, 1), account("Requester2"))
    assert other.value.error.name == "NotRequester"
