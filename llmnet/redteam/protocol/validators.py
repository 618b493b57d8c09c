"""Validators that would rather not compute: copies, replays, inventions, silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from llmnet import proof
from llmnet.pallets import spot_checks
from llmnet.proof import Leaf
from llmnet.redteam.protocol.people import Case, Juror, Look, honest
from llmnet.redteam.protocol.purse import RUN, Purse
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import Room
from llmnet.redteam.protocol.setting import Setting

_FAMILY = "validators"
Commits = Callable[["_Copier", int], bytes]
Reveals = Callable[["_Copier", int], tuple[list[Leaf], bytes]]


def made_up(juror: Juror, case: Case) -> list[Leaf]:
    """Lanes around zero, without a run."""
    lanes = tuple(juror.rng.randint(-3, 3) for _ in range(proof.LANES))
    return [replace(leaf, logit_sketch=lanes, hidden_sketch=lanes) for leaf in case.sale.reference]


def workers_own(_juror: Juror, case: Case) -> list[Leaf]:
    """What the worker sends it: the leaves of the answer, whatever it is."""
    return list(case.sale.leaves)


def withheld(juror: Juror, case: Case) -> None:
    """Says that it got nothing."""


def _beside_honest(setting: Setting, look: Look, *, acts: bool = True, reveals: bool = True) -> Found:
    """One such validator on every panel, beside two honest ones, over the audits of an honest worker."""
    tried = 4 * setting.scale
    with setting.room(2) as room:
        lazy = room.validator("lazy", look)
        lazy.acts, lazy.reveals = acts, reveals
        twin = next(juror for juror in room.jurors.values() if juror is not lazy)
        deal = room.deal(room.worker("honest"), room.person("payer"))
        mine, theirs = Purse(room, lazy.keys), Purse(room, twin.keys)
        audits = room.drawn(room.commit(deal, [room.sell(deal) for _ in range(tried)]))
        verdicts = {event.fields["verdict"].name for event in room.verdicts(audits)}
        room.pass_blocks(2)
        who = {"validator": lazy.keys.public}
        caught = room.count("ReferenceRejected", **who) + room.count("MissedDuty", **who)
        sent = _bytes_of(lazy, audits)
        effect = Effect.FINED if caught == tried else Effect.SUCCEEDS
        by = ", ".join(
            sorted({e.name for e in room.log if e.fields.get("validator") == lazy.keys.public} - _PLAIN)
        )
        note = "" if verdicts == {"Passed"} else f"verdicts {sorted(verdicts)}"
        saved = (tried - lazy.runs) * RUN / tried
        lost = (theirs.change() - mine.change()) / tried
        return Found(effect, by, tried, caught, audits=tried, on_chain=sent, lost=lost, won=saved, note=note)


_PLAIN = {"ReferenceCommitted", "ReferenceRevealed"}


def _bytes_of(juror: Juror, audits: list[int]) -> int:
    """A commitment's and a reveal's arguments."""
    revealed = [len(proof.encode_leaves(juror.committed[a][0])) + 36 for a in audits if a in juror.committed]
    return 37 + sum(revealed) // max(1, len(audits))


attack("invents references", _FAMILY, "commits lanes around zero", Effect.FINED)(
    lambda setting: _beside_honest(setting, made_up)
)
attack("never answers", _FAMILY, "sits on panels and says nothing", Effect.FINED)(
    lambda setting: _beside_honest(setting, honest, acts=False)
)
attack("commits and vanishes", _FAMILY, "commits a reference and does not reveal it", Effect.FINED)(
    lambda setting: _beside_honest(setting, made_up, reveals=False)
)
attack("cries withheld", _FAMILY, "reports that an honest worker refused the data", Effect.FINED)(
    lambda setting: _beside_honest(setting, withheld)
)


class _Copier:
    """A validator that acts by hand after the others of its panel have."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.me = room.validator("copier")
        self.me.acts = False
        self.other = next(juror for juror in room.jurors.values() if juror is not self.me)
        self.first: int | None = None

    def honest_commitment(self, audit: int, salt: bytes = bytes(32)) -> bytes:
        """Of its own, with a reference it has computed."""
        place, positions = self.room.opened[audit]
        leaves = [self.room.sales[place].reference[at] for at in positions]
        return proof.reference_commitment(audit, self.me.keys.public, leaves, salt)

    def seen(self, audit: int) -> bytes:
        """The other's commitment, as it stands on the chain."""
        return proof.reference_commitment(audit, self.other.keys.public, *self.other.committed[audit])


def _copied(setting: Setting, commits: Commits, reveals: Reveals) -> Found:
    """Audits in which one validator takes what others have published; what it reveals is refused and it is fined."""
    tried = 3 * setting.scale
    with setting.room(2) as room:
        copier = _Copier(room)
        deal = room.deal(room.worker("honest"), room.person("payer"))
        mine, theirs, errors = Purse(room, copier.me.keys), Purse(room, copier.other.keys), list[str]()
        for _ in range(tried):
            (audit,) = room.drawn(room.commit(deal, [room.sell(deal)]))
            room.until("ReferenceCommitted", audit=audit)
            call = spot_checks.commit_reference(audit, commits(copier, audit))
            room.must(call, copier.me.keys)
            room.until("ReferenceRevealed", audit=audit)
            errors += room.attempt(
                [spot_checks.reveal_reference(audit, *reveals(copier, audit))], copier.me.keys
            )
            room.verdicts([audit])
            copier.first = audit if copier.first is None else copier.first
        caught = room.count("MissedDuty", validator=copier.me.keys.public)
        effect = Effect.FINED if caught == tried and all(errors) else Effect.SUCCEEDS
        lost = (theirs.change() - mine.change()) / tried
        by = ", ".join(sorted({*errors, "MissedDuty"}))
        return Found(
            effect,
            by,
            tried,
            caught,
            audits=tried,
            on_chain=room.sent[copier.me.keys.public] // tried,
            lost=lost,
            won=RUN,
        )


attack(
    "copies a commitment",
    _FAMILY,
    "commits the hash of another member of the panel and reveals its leaves",
    Effect.FINED,
)(lambda setting: _copied(setting, _Copier.seen, lambda copier, audit: copier.other.committed[audit]))
attack(
    "votes what others revealed",
    _FAMILY,
    "commits to anything and reveals the leaves that others have revealed",
    Effect.FINED,
)(
    lambda setting: _copied(
        setting,
        lambda copier, audit: proof.reference_commitment(audit, copier.me.keys.public, [], bytes(32)),
        lambda copier, audit: (copier.other.committed[audit][0], bytes(32)),
    )
)
attack(
    "replays its own commitment",
    _FAMILY,
    "commits the hash of an earlier audit and reveals what belonged to it",
    Effect.FINED,
)(
    lambda setting: _copied(
        setting,
        lambda copier, audit: copier.honest_commitment(
            copier.first if copier.first is not None else audit, bytes([1]) * 32
        ),
        lambda copier, audit: (
            copier.other.committed[copier.first if copier.first is not None else audit][0],
            bytes(32),
        ),
    )
)
