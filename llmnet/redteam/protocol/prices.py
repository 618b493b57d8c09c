"""What the rules' numbers leave open: batches too large for their draws, answers dearer than a stake, records bought cheaply."""

from __future__ import annotations

import random
from dataclasses import replace

from llmnet.chain import Call
from llmnet.pallets import sessions, spot_checks
from llmnet.proof import Segment
from llmnet.redteam.protocol import toy
from llmnet.redteam.protocol.people import Deal
from llmnet.redteam.protocol.purse import SAVED, Purse, refusals
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import STAKE, Room
from llmnet.redteam.protocol.setting import Setting
from llmnet.sim import UNIT

_FAMILY = "prices"
_FINE, _SLASH, _LIMIT, _FAILED, _CLEAN = 20.0, 2_000.0, 5_120, 3_072, -1_024
_DRAWS = 32


def diluted_value(receipts: int, share: float, batches: int, rng: random.Random) -> float:
    """What cheating with a share of huge batches is worth, in R a batch: 32 draws each, whatever their size."""
    total = 0.0
    evidence = 0
    for _ in range(batches):
        total += SAVED * share * receipts
        for _ in range(_DRAWS):
            bad = rng.random() < share
            evidence = max(0, evidence + (_FAILED if bad else _CLEAN))
            total -= _FINE * bad
            if evidence >= _LIMIT:
                total -= _SLASH + receipts
                evidence = 0
                break
    return total / batches


_COUNT = 641  # of which 32 are less than the floor of 5 %


@attack(
    "a batch too large for its draws",
    _FAMILY,
    "commits more answers in one epoch than 32 draws can cover",
    Effect.REFUSED,
)
def dilution(setting: Setting) -> Found:
    """At most 32 answers of a batch are audited; with more than 640 in it the rate would fall below the floor of 5 %."""
    with setting.room() as room:
        room.world.sudo(spot_checks.set_audit_floor(0))
        deal = room.deal(room.worker("large"), room.person("payer"))
        room.new_epoch()
        purse = Purse(room, deal.worker)
        sizes = [_COUNT, 2 * _COUNT, 1 << 20, (1 << 32) - 1][: 3 + setting.scale]
        whole = [Segment(deal.session, 0, size - 1, bytes(32), 0) for size in sizes]
        halves = [
            Segment(deal.session, 0, 319, bytes(32), 0),
            Segment(deal.session, 320, _COUNT - 1, bytes(32), 0),
        ]
        calls = [spot_checks.commit_batch([segment]) for segment in whole] + [
            spot_checks.commit_batch(halves)
        ]
        found = refusals(room, room.attempt(calls, deal.worker), purse, deal.worker)
    rng, shares = random.Random(setting.seed), (0.0005, 0.001, 0.002, 0.004, 0.01)
    values = {
        count: max(diluted_value(count, share, 5_000, rng) / count for share in shares)
        for count in (640, 10_000)
    }
    best = f"{values[640]:+.4f} R an answer at 640 a batch, {values[10_000]:+.4f} at 10,000"
    note = f"cheating with a small share, computed: {best}"
    return replace(found, note=note)


@attack(
    "answers dearer than the stake",
    _FAMILY,
    "bonds the minimum and sells answers worth more than that, uncomputed",
    Effect.REFUSED,
)
def dear_answers(setting: Setting) -> Found:
    """Fines and slashes are limited by the stake, so what a batch may earn has to be, too."""
    tried, reward = setting.scale, 4 * STAKE
    errors: list[str] = []
    with setting.room() as room:
        room.world.sudo(spot_checks.set_audit_floor(0))
        lost = won = 0.0
        for number in range(tried):
            worker = room.worker(f"dear-{number}", stake=STAKE // 2, reward=reward)
            deal = room.deal(worker, room.person(f"rich-{number}"), reward=reward, escrow=5 * reward)
            purse = Purse(room, worker)
            sale = room.sell(deal, toy.CHEAP)
            room.new_epoch()
            errors += room.attempt([spot_checks.commit_batch([room.segment(deal, [sale])])], worker)
            room.attempt([_claim(room, deal, reward)], worker)
            room.pass_blocks(70)
            won += SAVED if not errors[-1] else 0.0
            lost -= min(0.0, purse.change(reward))
        found = refusals(room, errors, purse, worker)
        note = f"answers of {reward // UNIT} UNIT over a stake of {STAKE // 2 // UNIT} UNIT"
        return replace(found, answers=1, won=won / tried, lost=lost / tried, note=note)


def _claim(room: Room, deal: Deal, total: int) -> Call:
    """All that was sold so far."""
    return sessions.claim(deal.session, total, deal.next_index, room.voucher(deal, total, deal.next_index))


@attack(
    "a clean record from cheap answers",
    _FAMILY,
    "buys its own honest answers of one token until it is hardly audited",
    Effect.SUCCEEDS,
)
def cheap_record(setting: Setting) -> Found:
    """It is so: the record counts answers, not money. What it buys is the floor of 5 %, at which cheating still loses."""
    batches = 1 + setting.scale
    with setting.room() as room:
        room.world.sudo(spot_checks.set_audit_floor(0))
        worker, payer = room.worker("climber"), room.person("payer")
        deal = room.deal(worker, payer)
        purse = Purse(room, worker, payer)
        for _ in range(batches):
            sales = [room.sell(deal, tokens=1) for _ in range(64)]
            room.verdicts(room.drawn(room.commit(deal, sales)))
        probability = (
            int(room.world.view("SpotChecks", "audit_probability", worker=worker.public)) / 1_000_000
        )
        cost = -purse.change()
        note = f"{64 * batches} answers of one token: audited {probability:.0%}; the record cost {cost:.1f} R"
        effect = Effect.SUCCEEDS if probability < 0.5 else Effect.REFUSED
        floor = max(0.05, probability)
        return Found(
            effect, "audit_probability", 1, 1, answers=64 * batches, lost=floor * _FINE, won=SAVED, note=note
        )
