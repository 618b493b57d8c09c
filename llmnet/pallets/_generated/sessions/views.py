# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""View functions of the pallet `Sessions`."""

from __future__ import annotations

from llmnet.chain import Entry, View, ViewFunction

from .. import types as t

_SESSION: ViewFunction[t.Session | None] = ViewFunction(
    Entry("Sessions", "session", "5e10697e312d3c42", "(id: u64) -> Option<Session>", t.TYPES)
)


async def session(view: View, id: int) -> t.Session | None:
    """A session, closed ones included while they are kept."""
    return await view.ask(_SESSION, {"id": id})


_SESSIONS_OF: ViewFunction[tuple[int, ...]] = ViewFunction(
    Entry("Sessions", "sessions_of", "a8ed519c45085820", "(requester: AccountId32) -> Vec<u64>", t.TYPES)
)


async def sessions_of(view: View, requester: t.AccountId32) -> tuple[int, ...]:
    """The sessions that `requester` has open or closing."""
    return await view.ask(_SESSIONS_OF, {"requester": requester})


_MONEY: ViewFunction[t.Money] = ViewFunction(
    Entry("Sessions", "money", "12ca8d04dc975bbc", "(who: AccountId32) -> Money", t.TYPES)
)


async def money(view: View, who: t.AccountId32) -> t.Money:
    """What this pallet holds of `who`."""
    return await view.ask(_MONEY, {"who": who})


_UNCLEARED: ViewFunction[tuple[t.PendingEpoch, ...]] = ViewFunction(
    Entry("Sessions", "uncleared", "9ee3465e1d90a806", "(worker: AccountId32) -> Vec<PendingEpoch>", t.TYPES)
)


async def uncleared(view: View, worker: t.AccountId32) -> tuple[t.PendingEpoch, ...]:
    """The earnings of `worker` that wait for audits, by epoch."""
    return await view.ask(_UNCLEARED, {"worker": worker})


_POT: ViewFunction[int] = ViewFunction(Entry("Sessions", "pot", "75bf2d3a83408b65", "() -> u128", t.TYPES))


async def pot(view: View) -> int:
    """What is in the audit pot."""
    return await view.ask(_POT, {})


_SEED: ViewFunction[t.H256 | None] = ViewFunction(
    Entry("Sessions", "seed", "286921ab79c8c325", "(session: u64) -> Option<H256>", t.TYPES)
)


async def seed(view: View, session: int) -> t.H256 | None:
    """A session's seed, once the beacon gave it."""
    return await view.ask(_SEED, {"session": session})
