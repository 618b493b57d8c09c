# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""View functions of the pallet `SpotChecks`."""

from __future__ import annotations

from llmnet.chain import Entry, View, ViewFunction

from .. import types as t

_AUDIT: ViewFunction[t.Audit | None] = ViewFunction(
    Entry("SpotChecks", "audit", "d69c3a098febeadb", "(id: u32) -> Option<Audit>", t.TYPES)
)


async def audit(view: View, id: int) -> t.Audit | None:
    """The audit of this number, while it is kept."""
    return await view.ask(_AUDIT, {"id": id})


_DUE_OF_WORKER: ViewFunction[tuple[tuple[int, t.Stage, int], ...]] = ViewFunction(
    Entry(
        "SpotChecks",
        "due_of_worker",
        "8e25aeee8c9876ff",
        "(worker: AccountId32) -> Vec<(u32, Stage, u32)>",
        t.TYPES,
    )
)


async def due_of_worker(view: View, worker: t.AccountId32) -> tuple[tuple[int, t.Stage, int], ...]:
    """The audits that wait for this worker, with stage and last block, by number."""
    return await view.ask(_DUE_OF_WORKER, {"worker": worker})


_ASSIGNMENTS: ViewFunction[tuple[tuple[int, t.Stage, int, bool], ...]] = ViewFunction(
    Entry(
        "SpotChecks",
        "assignments",
        "2dd3c4eea52c5e61",
        "(validator: AccountId32) -> Vec<(u32, Stage, u32, bool)>",
        t.TYPES,
    )
)


async def assignments(view: View, validator: t.AccountId32) -> tuple[tuple[int, t.Stage, int, bool], ...]:
    """The open audits with this validator on the panel, by number, with stage, last block, and whether the
    stage asks nothing more of it: it has acted, it has nothing to reveal, or it is the worker's turn.
    """
    return await view.ask(_ASSIGNMENTS, {"validator": validator})


_WORKER_STATE: ViewFunction[t.WorkerState] = ViewFunction(
    Entry("SpotChecks", "worker_state", "4d46dd97cffe3c76", "(worker: AccountId32) -> WorkerState", t.TYPES)
)


async def worker_state(view: View, worker: t.AccountId32) -> t.WorkerState:
    """What audits have found about a worker."""
    return await view.ask(_WORKER_STATE, {"worker": worker})


_AUDIT_PROBABILITY: ViewFunction[int] = ViewFunction(
    Entry("SpotChecks", "audit_probability", "313b27ca3546dc5b", "(worker: AccountId32) -> u32", t.TYPES)
)


async def audit_probability(view: View, worker: t.AccountId32) -> int:
    """With which probability an answer of this worker is audited now, in parts per million."""
    return await view.ask(_AUDIT_PROBABILITY, {"worker": worker})


_BATCH: ViewFunction[t.Batch | None] = ViewFunction(
    Entry(
        "SpotChecks",
        "batch",
        "d27278c3f1e22061",
        "(worker: AccountId32, epoch: u32) -> Option<Batch>",
        t.TYPES,
    )
)


async def batch(view: View, worker: t.AccountId32, epoch: int) -> t.Batch | None:
    """What a worker committed in an epoch, while it is kept."""
    return await view.ask(_BATCH, {"worker": worker, "epoch": epoch})


_VERDICT_OF: ViewFunction[t.Outcome | None] = ViewFunction(
    Entry(
        "SpotChecks",
        "verdict_of",
        "af6d39ff92f5963a",
        "(session: u64, index: u32) -> Option<Outcome>",
        t.TYPES,
    )
)


async def verdict_of(view: View, session: int, index: int) -> t.Outcome | None:
    """How the audit of an answer ended, while it is kept."""
    return await view.ask(_VERDICT_OF, {"session": session, "index": index})


_POSITIONS: ViewFunction[tuple[int, ...]] = ViewFunction(
    Entry("SpotChecks", "positions", "719f273e4d6031fc", "(audit: u32) -> Vec<u32>", t.TYPES)
)


async def positions(view: View, audit: int) -> tuple[int, ...]:
    """The positions an audit looks at: none before its receipt is open."""
    return await view.ask(_POSITIONS, {"audit": audit})


_REVIEW: ViewFunction[t.Review | None] = ViewFunction(
    Entry("SpotChecks", "review", "7ececcf8fd2dda92", "(audit: u32) -> Option<Review>", t.TYPES)
)


async def review(view: View, audit: int) -> t.Review | None:
    """What an audit reviews and who asked for that; nothing for the first audit of an answer."""
    return await view.ask(_REVIEW, {"audit": audit})


_REVIEWS_OF: ViewFunction[tuple[int, ...]] = ViewFunction(
    Entry("SpotChecks", "reviews_of", "719f273e4d6031fc", "(audit: u32) -> Vec<u32>", t.TYPES)
)


async def reviews_of(view: View, audit: int) -> tuple[int, ...]:
    """The reviews of an audit, by number."""
    return await view.ask(_REVIEWS_OF, {"audit": audit})


_SLASHING_FROZEN: ViewFunction[bool] = ViewFunction(
    Entry("SpotChecks", "slashing_frozen", "6365029a416f0937", "() -> bool", t.TYPES)
)


async def slashing_frozen(view: View) -> bool:
    """Whether slashing for evidence is frozen because many workers drift together."""
    return await view.ask(_SLASHING_FROZEN, {})


_OUTAGE: ViewFunction[bool] = ViewFunction(
    Entry("SpotChecks", "outage", "6365029a416f0937", "() -> bool", t.TYPES)
)


async def outage(view: View) -> bool:
    """Whether deadlines are put off because many are missed."""
    return await view.ask(_OUTAGE, {})


_PLANTERS: ViewFunction[tuple[t.AccountId32, ...]] = ViewFunction(
    Entry("SpotChecks", "planters", "b6db1b65e11aef35", "() -> Vec<AccountId32>", t.TYPES)
)


async def planters(view: View) -> tuple[t.AccountId32, ...]:
    """Who may plant faults."""
    return await view.ask(_PLANTERS, {})


_CURRENT_EPOCH: ViewFunction[int] = ViewFunction(
    Entry("SpotChecks", "current_epoch", "b35906487badb494", "() -> u32", t.TYPES)
)


async def current_epoch(view: View) -> int:
    """The epoch of this block."""
    return await view.ask(_CURRENT_EPOCH, {})
