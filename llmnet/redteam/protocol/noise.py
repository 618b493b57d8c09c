"""Honest workers under strain: machines that drift, alone and together, and requesters who seek the prompts at which it shows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmnet import proof
from llmnet.chain import Event
from llmnet.measure.plan import AGAIN
from llmnet.proof import Calibration, Leaf
from llmnet.proof.scoring import MARGIN_HIT, MARGIN_MISS, Cusum
from llmnet.redteam.errors import MissingRecordings
from llmnet.redteam.protocol.people import Deal, Sale
from llmnet.redteam.protocol.purse import Purse
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import CALIBRATION, TOKENS, Room
from llmnet.redteam.protocol.setting import Setting
from llmnet.sim.evidence import lanes_at
from llmnet.verifier.calibrate import Observed, against, fit, measured_row, positions_of

_FAMILY = "noise"
_FEW = 5  # questions that a requester asks again and again
_RARE = 1e-4  # slashes an audit below which an honest worker outlives ten thousand of them
Seen = Sequence[tuple[int, int, bool]]
"""One answer: squared distances of both sketches, and whether the token missed, at each position."""


@dataclass(frozen=True, slots=True)
class Strain:
    """Honest answers of a class, and the row by which they are judged."""

    name: str
    row: Calibration
    answers: Sequence[Seen]

    def worst(self) -> Strain:
        """The hundredth of the answers with the most evidence against them."""
        ordered = sorted(self.answers, key=lambda seen: -sum(_evidence(seen, self.row, 1)))
        return replace(self, answers=ordered[: max(1, len(ordered) // 100)])

    def draw(self, rng: random.Random, count: int) -> list[Seen]:
        return [rng.choice(self.answers) for _ in range(count)]


# Class Fp32 as it was measured (docs/measured.md): no lane further than a step. Used where there are no recordings.
_FP32 = Strain(
    "Fp32, by hand", CALIBRATION, [[(int(at % 3 == 0), int(at % 5 == 0), False) for at in range(TOKENS)]]
)


def strains(observed: Sequence[Observed]) -> list[Strain]:
    """All classes that were recorded."""
    return [_FP32, *(_strain(one, _row(one)) for one in observed)]


def mined_strains(honest: Sequence[Observed], again: Sequence[Observed]) -> list[Strain]:
    """Those of `again`, by the rows of the honest answers of the same spec. Raises MissingRecordings if there are none of it."""
    rows = {one.spec_id: _row(one) for one in honest}
    if strange := [one for one in again if one.spec_id not in rows]:
        raise MissingRecordings(
            f"no honest answers of {strange[0].model} in {strange[0].numerics.name} are there, only what was asked again"
        )
    return [_FP32, *(mined(one, rows[one.spec_id]) for one in again)]


def _row(one: Observed) -> Calibration:
    return measured_row(one.spec_id) or fit(one.answers, one.numerics)


def _strain(one: Observed, row: Calibration) -> Strain:
    return Strain(one.numerics.name, row, [positions_of(answer, row) for answer in one.answers])


def mined(one: Observed, row: Calibration) -> Strain:
    """What a patient requester finds: of the questions that were asked again and again the few that had most evidence against
    the worker in the first half of the rounds, as they were answered in the second half.
    """
    rounds = {answer.id: int(answer.id.rpartition(AGAIN)[2]) for answer in one.answers}
    half = (max(rounds.values()) + 1) // 2
    sums: Counter[str] = Counter()
    for answer in one.answers:
        if rounds[answer.id] < half:
            sums[_question(answer.id)] += against(answer, row)
    few = {name for name, _ in sums.most_common(_FEW)}
    late = tuple(
        answer for answer in one.answers if rounds[answer.id] >= half and _question(answer.id) in few
    )
    return _strain(replace(one, answers=late), row)


def _question(answer_id: str) -> str:
    return answer_id.rpartition(AGAIN)[0]


def _evidence(seen: Seen, row: Calibration, power: int) -> tuple[int, int]:
    """Evidence of an answer at its first sixteen positions, 1/256 nat: of its distances with so much more noise, and of its
    tokens."""
    rows = seen[:16]
    total = sum(proof.position_evidence(logit * power, hidden * power, row) for logit, hidden, _ in rows)
    misses = sum(missed for _, _, missed in rows)
    return proof.clip(total), proof.clip(MARGIN_MISS * misses + MARGIN_HIT * (len(rows) - misses))


def slashes(strain: Strain, power: int, audits: int, rng: random.Random) -> float:
    """How often an audit slashes a worker whose answers are drawn from these, by resampling whole answers."""
    found = [_evidence(seen, strain.row, power) for seen in strain.answers]
    total, count = Cusum(), 0
    for _ in range(audits):
        total = total.add(*rng.choice(found))
        if total.slashable:
            total, count = Cusum(), count + 1
    return count / audits


def _moved(leaf: Leaf, logit: int, hidden: int) -> Leaf:
    """The leaf at these squared distances from what it was; every second lane the other way."""

    def shift(lanes: tuple[int, ...], squared: int) -> tuple[int, ...]:
        steps = lanes_at(squared)
        return tuple(
            lane + (step if at % 2 else -step)
            for at, (lane, step) in enumerate(zip(lanes, steps, strict=True))
        )

    return replace(
        leaf, logit_sketch=shift(leaf.logit_sketch, logit), hidden_sketch=shift(leaf.hidden_sketch, hidden)
    )


def _noisy(room: Room, deal: Deal, seen: Seen, power: int) -> Sale:
    """An honest answer by a machine that is so far off."""
    index = deal.next_index
    deal.next_index += 1
    calm = room.sell(deal, index=index)
    rows = [seen[at % len(seen)] for at in range(TOKENS)]
    leaves = [
        _moved(leaf, row[0] * power, row[1] * power) for leaf, row in zip(calm.leaves, rows, strict=True)
    ]
    return room.sell(deal, index=index, leaves=tuple(leaves))


def _on_chain(setting: Setting, strain: Strain, power: int) -> tuple[int, int, int]:
    """A dozen such answers at a time, everything audited: how many audits, fines and slashes."""
    with setting.room() as room:
        room.calibrate(strain.row)
        deal = room.deal(room.worker("honest"), room.person("payer"))
        audits: list[int] = []
        for _ in range(setting.scale):
            if not room.count("WorkerSlashed"):
                seen = strain.draw(room.rng, 12)
                audits += room.drawn(room.commit(deal, [_noisy(room, deal, each, power) for each in seen]))
                room.pass_blocks(60)
        return len(audits), room.count("WorkerFined"), room.count("WorkerSlashed")


def _strained(setting: Setting, power: int, strained: Sequence[Strain]) -> Found:
    """Each class: a few answers on the chain, and many audits resampled."""
    notes, worst, audits, fined = [], 0.0, 0, 0
    for strain in strained:
        rate = slashes(strain, power, 20_000 * setting.scale, random.Random(setting.seed))
        done, fines, slashed = _on_chain(setting, strain, power)
        audits, fined, worst = audits + done, fined + fines, max(worst, rate, slashed / done)
        notes.append(
            f"{strain.name}: {slashed} slashes at {done} audits on the chain, {rate:.2g} an audit resampled"
        )
    effect = Effect.SUCCEEDS if worst > _RARE else Effect.NOTHING
    lost = (
        0.0 if effect is Effect.NOTHING else 1.0
    )  # the price of the answers: the requester pays what it asks for
    return Found(effect, "", 1, 1, audits=audits, lost=lost, note=f"{'; '.join(notes)}; {fined} fined")


attack(
    "twice the noise",
    _FAMILY,
    "an honest worker whose squared distances are twice as large; it must not be slashed",
    Effect.NOTHING,
)(lambda setting: _strained(setting, 2, strains(setting.honest)))
attack(
    "a machine with four times the noise",
    _FAMILY,
    "an honest worker whose lanes are twice as far off, four times in the square",
    Effect.SUCCEEDS,
    uncovered="one machine alone whose rounding is twice that of the calibrated ones is slashed in the end in a 16-bit class: workers "
    "have to test themselves before they register, and rows need answers of several machines",
)(lambda setting: _strained(setting, 4, strains(setting.honest)))
attack(
    "unstable prompts",
    _FAMILY,
    "a requester finds out at which questions honest workers deviate most, and asks nothing but these, again and again",
    Effect.NOTHING,
)(lambda setting: _strained(setting, 1, mined_strains(setting.honest, setting.again)))

attack(
    "requests ground for the worst",
    _FAMILY,
    "a requester with a machine like the worker's tries a hundred wordings of each request, and sends the one at which an honest "
    "worker deviates most",
    Effect.SUCCEEDS,
    uncovered="the seed of a request, and with it signs and noise, is known to who writes it: a hundred tries an answer find the worst "
    "hundredth, and four or more of those that are audited slash an honest 16-bit worker; with a secret of the worker's in the seed, "
    "revealed with the receipt, nobody could try",
)(lambda setting: _strained(setting, 1, [strain.worst() for strain in strains(setting.honest)]))


@attack(
    "many machines drift together",
    _FAMILY,
    "five honest owners are far off after the same change of a library",
    Effect.FINED,
)
def together(setting: Setting) -> Found:
    """The drift alarm freezes slashing: all are fined while it lasts, none is slashed."""
    far: Seen = [(40, 40, False)] * TOKENS
    with setting.room() as room:
        deals = [room.deal(room.worker(f"owner-{number}"), room.person("payer")) for number in range(5)]
        purse = Purse(room, *(deal.worker for deal in deals))
        for _ in range(1 + setting.scale):
            room.new_epoch()
            for deal in deals:
                room.commit(deal, [_noisy(room, deal, far, 1)])
            room.pass_blocks(60)
        audits = [int(event.fields["audit"]) for event in room.log if _decided(event)]
        slashed, frozen = room.count("WorkerSlashed"), room.count("DriftAlarm")
        effect = Effect.FINED if frozen and not slashed else Effect.SLASHED
        note = (
            f"{frozen} alarms, {room.count('WorkerFined')} fines, {slashed} slashed at {len(audits)} audits"
        )
        answers = sum(deal.next_index for deal in deals)
        return Found(
            effect,
            "DriftAlarm",
            1,
            1,
            answers=answers,
            audits=len(audits),
            lost=-purse.change() / answers,
            note=note,
        )


def _decided(event: Event) -> bool:
    return event.pallet == "SpotChecks" and event.name == "Decided"
