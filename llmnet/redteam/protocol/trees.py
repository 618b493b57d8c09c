"""Forged openings: leaves and receipts that do not stand where they are said to stand. None may get through, ever."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from llmnet import proof
from llmnet.chain import Call, Keypair
from llmnet.pallets import spot_checks
from llmnet.proof import Leaf
from llmnet.redteam.protocol.people import Batch, Sale, all_but, everything
from llmnet.redteam.protocol.purse import Purse, refusals
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import Room
from llmnet.redteam.protocol.setting import Setting

_FAMILY = "trees"
Opening = tuple[list[Leaf], list[bytes]]


@dataclass(frozen=True, slots=True)
class Target:
    """An answer whose drawn positions are to be opened, and another one of the same worker."""

    sale: Sale
    positions: list[int]
    other: Sale
    rng: random.Random

    @property
    def true(self) -> Opening:
        """What the chain wants to see."""
        return self.sale.opening(self.positions)


ForgeLeaves = Callable[[Target], list[Opening]]
"""Openings of a target, none of them true."""
ForgeReceipt = Callable[[int, Batch, int, random.Random], list[Call]]
"""Openings of an audit's receipt in a batch at an ordinal, none of them true."""


def _two_segments(room: Room, worker: Keypair, payer: Keypair) -> Batch:
    """A batch of two segments of three answers each."""
    parts = []
    for _ in range(2):
        deal = room.deal(worker, payer)
        sales = [room.sell(deal) for _ in range(3)]
        parts.append((room.segment(deal, sales), tuple(sales)))
    return room.commit_all(worker, parts)


def forged(setting: Setting, duty: str, forge: Callable[[Room, Batch, list[int]], list[Call]]) -> Found:
    """All forgeries for all audits of a batch in one block, then the true openings, which must pass; `scale` times over."""
    with setting.room() as room:
        worker, payer = room.worker("forger"), room.person("payer")
        purse, errors, sent = Purse(room, worker), list[str](), 0
        for _ in range(setting.scale):
            room.serves = all_but(duty)
            batch = _two_segments(room, worker, payer)
            audits = room.drawn(batch)
            while duty == "leaves" and not room.due.issuperset(audits):
                room.step()
            room.sent.clear()
            errors += room.attempt(forge(room, batch, audits), worker)
            sent += room.sent[worker.public]
            true = room.opening_of if duty == "receipt" else room.leaves_of
            refused = room.attempt([true(audit) for audit in audits], worker)
            room.serves = everything
            passed = [event.fields["verdict"].name for event in room.verdicts(audits)]
            if any(refused) or set(passed) != {"Passed"}:
                raise AssertionError(f"the true openings were refused as well: {refused}, {passed}")
        return replace(
            refusals(room, errors, purse, worker), on_chain=sent // len(errors), lost=_fee(room, worker)
        )


def _fee(room: Room, worker: Keypair) -> float:
    """What one refused call costs, in R."""
    purse = Purse(room, worker)
    room.attempt([spot_checks.open_leaves(1 << 20, [], [])], worker)
    return -purse.change()


def _leaf_forgery(name: str, does: str) -> Callable[[ForgeLeaves], ForgeLeaves]:
    def register(forge: ForgeLeaves) -> ForgeLeaves:
        def openings(room: Room, batch: Batch, audits: list[int]) -> list[Call]:
            calls = []
            for audit in audits:
                place, positions = room.opened[audit]
                other = next(s for sales in batch.sales for s in sales if s.place != place)
                forged = forge(Target(room.sales[place], positions, other, room.rng))
                calls += [spot_checks.open_leaves(audit, *opening) for opening in forged]
            return calls

        attack(name, _FAMILY, does, Effect.REFUSED)(lambda setting: forged(setting, "leaves", openings))
        return forge

    return register


def _receipt_forgery(name: str, does: str) -> Callable[[ForgeReceipt], ForgeReceipt]:
    def register(forge: ForgeReceipt) -> ForgeReceipt:
        def openings(room: Room, batch: Batch, audits: list[int]) -> list[Call]:
            return [call for at, audit in enumerate(audits) for call in forge(audit, batch, at, room.rng)]

        attack(name, _FAMILY, does, Effect.REFUSED)(lambda setting: forged(setting, "receipt", openings))
        return forge

    return register


@_leaf_forgery("wrong index", "opens a leaf as if it stood at another position")
def wrong_index(target: Target) -> list[Opening]:
    leaves, path = target.true
    forged = []
    for at, position in enumerate(target.positions):
        wrong = target.rng.choice([p for p in range(len(target.sale.leaves)) if p != position])
        leaf = target.sale.leaves[wrong]
        for each in (leaf, replace(leaf, position=position)):
            forged += [([*leaves[:at], each, *leaves[at + 1 :]], path)]
    elsewhere = sorted(target.rng.sample(range(len(target.sale.leaves)), len(target.positions)))
    if elsewhere != target.positions:
        moved = target.sale.opening(elsewhere)
        relabelled = [replace(leaf, position=to) for leaf, to in zip(moved[0], target.positions, strict=True)]
        forged += [moved, (relabelled, moved[1])]
    return forged


@_leaf_forgery("duplicated leaves", "opens one leaf several times instead of several leaves once")
def duplicated(target: Target) -> list[Opening]:
    leaves, path = target.true
    twice = target.rng.randrange(1, len(target.positions))
    one = target.sale.opening([target.positions[0]])
    return [
        ([*leaves[:twice], leaves[twice - 1], *leaves[twice + 1 :]], path),
        ([leaves[0]] * len(target.positions), path),
        ([leaves[0]] * len(target.positions), one[1]),
        ([*leaves, leaves[-1]][: len(target.positions)][::-1], path),
    ]


@_leaf_forgery("shuffled siblings", "gives the hashes of the proof in another order")
def shuffled(target: Target) -> list[Opening]:
    leaves, path = target.true
    orders = [path[::-1], path[1:] + path[:1]] + [target.rng.sample(path, len(path)) for _ in range(3)]
    return [(leaves, order) for order in orders if order != path]


@_leaf_forgery("proof too short or too long", "leaves hashes of the proof out, or adds some")
def wrong_length(target: Target) -> list[Opening]:
    leaves, path = target.true
    short = [path[:at] + path[at + 1 :] for at in range(len(path))]
    noise = [target.rng.choice([target.rng.randbytes(32), *path]) for _ in range(len(path) + 1)]
    long = [[*path[:at], more, *path[at:]] for at, more in enumerate(noise)]
    return [(leaves, wrong) for wrong in [*short, *long, []]]


@_leaf_forgery("leaf and node confused", "gives a leaf's bytes for a node and a node's for a leaf")
def confused(target: Target) -> list[Opening]:
    leaves, path = target.true
    raw = [proof.blake2b_256(leaf.encode()) for leaf in target.sale.leaves]
    bare = [proof.blake2b_256(a + b) for a, b in zip(raw[::2], raw[1::2], strict=False)]
    tagged = [proof.blake2b_256(b"llmnet/merkle/1\x01" + leaf.encode()) for leaf in target.sale.leaves]
    swaps = [raw, bare, tagged, [target.sale.receipt.transcript_root]]
    return [
        (leaves, [*path[:at], target.rng.choice(swap), *path[at + 1 :]])
        for swap in swaps
        for at in range(len(path))
    ]


@_leaf_forgery("too few or too many leaves", "opens fewer positions than were drawn, or none, or more")
def wrong_count(target: Target) -> list[Opening]:
    wrong = [
        target.positions[:-1],
        target.positions[1:],
        target.positions[: len(target.positions) // 2],
        [target.positions[0]],
    ]
    more = sorted(
        {*target.positions[1:], *(p for p in range(len(target.sale.leaves)) if p not in target.positions)}
    )[:16]
    return [
        ([], []),
        ([], target.sale.opening(target.positions)[1]),
        *(target.sale.opening(part) for part in [*wrong, more]),
    ]


@_leaf_forgery("another answer's leaves", "opens leaves of an answer that was computed honestly")
def foreign(target: Target) -> list[Opening]:
    leaves, path = target.true
    theirs = target.other.opening(target.positions)
    mixed = target.rng.randrange(len(target.positions))
    return [
        theirs,
        (theirs[0], path),
        (leaves, theirs[1]),
        ([*leaves[:mixed], theirs[0][mixed], *leaves[mixed + 1 :]], path),
        ([target.sale.reference[p] for p in target.positions], theirs[1]),
    ]


@_leaf_forgery(
    "leaves of constants",
    "opens zeros, saturated lanes, the reference's lanes or its own with one step changed",
)
def constants(target: Target) -> list[Opening]:
    leaves, path = target.true
    fills = [(0,) * 8, (32_767,) * 8, (-32_767,) * 8, tuple(target.rng.randint(-999, 999) for _ in range(8))]
    blank = [[replace(leaf, logit_sketch=fill, hidden_sketch=fill) for leaf in leaves] for fill in fills]
    at = target.rng.randrange(len(target.positions))
    lanes = leaves[at].logit_sketch
    nudged = replace(leaves[at], logit_sketch=(lanes[0] + 1, *lanes[1:]))
    other = next(pair.id for pair in leaves[at].candidates[::-1] if pair.id != leaves[at].token)
    token = replace(leaves[at], token=other)
    single = [[*leaves[:at], leaf, *leaves[at + 1 :]] for leaf in (nudged, token)]
    return [(wrong, path) for wrong in [*blank, *single]]


@_receipt_forgery(
    "another receipt for the drawn one", "opens an answer that was not drawn, or one with changed fields"
)
def other_receipt(audit: int, batch: Batch, ordinal: int, rng: random.Random) -> list[Call]:
    segment, place, sale = batch.at(ordinal)
    calls = []
    for wrong in (ordinal + 1, ordinal + 3):
        number, at, shown = batch.at(wrong % 6)
        own = batch.placed[number], batch.segment_proof(number)
        calls.append(spot_checks.open_receipt(audit, *own, shown.receipt, batch.receipt_proof(number, at)))
        drawn = batch.placed[segment], batch.segment_proof(segment)
        calls.append(spot_checks.open_receipt(audit, *drawn, shown.receipt, batch.receipt_proof(number, at)))
    for changes in (
        {"n_out": 1},
        {"n_prompt": 0},
        {"temperature": 0},
        {"transcript_root": rng.randbytes(32)},
    ):
        fake = replace(sale.receipt, **changes)
        where = batch.placed[segment], batch.segment_proof(segment)
        calls.append(spot_checks.open_receipt(audit, *where, fake, batch.receipt_proof(segment, place)))
    return calls


@_receipt_forgery("another segment or start", "moves the segment in the batch, or gives another one's proof")
def other_segment(audit: int, batch: Batch, ordinal: int, rng: random.Random) -> list[Call]:
    segment, place, sale = batch.at(ordinal)
    right, path = batch.placed[segment], batch.segment_proof(segment)
    receipt = sale.receipt, batch.receipt_proof(segment, place)
    inner = right.segment
    other = batch.placed[1 - segment]
    moved = [
        replace(right, start=right.start + 1),
        replace(right, start=1 << 31),
        replace(right, segment=replace(inner, last=inner.last + 1)),
        replace(right, segment=replace(inner, amount=0)),
        replace(right, segment=replace(inner, receipts_root=rng.randbytes(32))),
        replace(right, segment=replace(inner, session=other.segment.session)),
        other,
    ]
    calls = [spot_checks.open_receipt(audit, placed, path, *receipt) for placed in moved]
    paths = [[], path[:-1], [*path, *path], batch.segment_proof(1 - segment), [rng.randbytes(32)]]
    calls += [spot_checks.open_receipt(audit, right, wrong, *receipt) for wrong in paths if wrong != path]
    wrong_places = [batch.receipt_proof(segment, at) for at in range(3) if at != place]
    calls += [spot_checks.open_receipt(audit, right, path, receipt[0], wrong) for wrong in wrong_places]
    return calls
