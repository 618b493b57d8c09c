"""Second looks misused: challenges and appeals without ground, plants that are none, panels that look away."""

from __future__ import annotations

from llmnet import proof
from llmnet.chain import Call
from llmnet.pallets import spot_checks
from llmnet.redteam.protocol import toy
from llmnet.redteam.protocol.framing import shaded
from llmnet.redteam.protocol.people import Deal
from llmnet.redteam.protocol.purse import RUN, Purse, refusals
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import STAKE, TOKENS, Room
from llmnet.redteam.protocol.setting import Setting
from llmnet.redteam.protocol.validators import workers_own

_FAMILY = "reviews"


def _spare(room: Room, audit: int) -> list[int]:
    """The positions of an answer that were not drawn."""
    return [position for position in range(TOKENS) if position not in room.opened[audit][1]]


@attack(
    "spam of challenges",
    _FAMILY,
    "a validator challenges every passed answer of an honest worker",
    Effect.FINED,
)
def challenge_spam(setting: Setting) -> Found:
    tried = 4 * setting.scale
    with setting.room(3) as room:
        spammer, twin = list(room.jurors.values())[:2]
        deal = room.deal(room.worker("honest"), room.person("payer"))
        audits = room.drawn(room.commit(deal, [room.sell(deal) for _ in range(tried)]))
        room.verdicts(audits)
        mine, theirs, worker = Purse(room, spammer.keys), Purse(room, twin.keys), Purse(room, deal.worker)
        room.sent.clear()
        calls = [spot_checks.challenge(audit, _spare(room, audit)) for audit in audits]
        assert room.attempt(calls, spammer.keys) == [""] * tried
        room.pass_blocks(60)
        caught = room.count("ReviewEnded", forfeited=True)
        effect = Effect.FINED if caught == tried else Effect.SUCCEEDS
        note = f"the worker has {worker.change():+.2f} R by it, and no evidence either way"
        lost = (theirs.change() - mine.change()) / tried
        sent = room.sent[spammer.keys.public] // tried
        return Found(
            effect, "ReviewEnded: bond lost", tried, caught, audits=tried, on_chain=sent, lost=lost, note=note
        )


def _appeal(room: Room, deal: Deal, audit: int) -> float:
    """The worker's appeal, to its end. What it has cost, in R."""
    purse = Purse(room, deal.worker)
    room.must(spot_checks.appeal(audit), deal.worker)
    room.until("ReviewEnded", 120)
    return -purse.change()


@attack("spam of appeals", _FAMILY, "a cheat appeals every verdict against it", Effect.FINED)
def appeal_spam(setting: Setting) -> Found:
    tried = setting.scale
    with setting.room(9) as room:
        lost = 0.0
        for number in range(tried):
            deal = room.deal(room.worker(f"cheat-{number}"), room.person("payer"))
            (audit,) = room.drawn(room.commit(deal, [room.sell(deal, toy.CHEAP)]))
            room.verdicts([audit])
            lost += _appeal(room, deal, audit)
        caught = room.count("ReviewEnded", forfeited=True)
        effect = Effect.FINED if caught == tried else Effect.SUCCEEDS
        return Found(
            effect,
            "ReviewEnded: bond lost",
            tried,
            caught,
            answers=1,
            audits=2,
            on_chain=40,
            lost=lost / tried,
        )


@attack(
    "an appeal against the truth",
    _FAMILY,
    "a worker whose answers pass with much against them appeals that, so that their panels are fined",
    Effect.FINED,
)
def against_the_truth(setting: Setting) -> Found:
    tried = setting.scale
    with setting.room(9) as room:
        lost = 0.0
        for number in range(tried):
            deal = room.deal(room.worker(f"far-{number}"), room.person("payer"))
            honest = room.sell(deal)
            sale = room.sell(deal, index=honest.place[1], leaves=tuple(shaded(honest.leaves)))
            (audit,) = room.drawn(room.commit(deal, [sale]))
            (verdict,) = room.verdicts([audit])
            assert verdict.fields["verdict"].name == "Passed"
            lost += _appeal(room, deal, audit)
        blamed, caught = room.count("ReferenceRejected"), room.count("ReviewEnded", forfeited=True)
        effect = Effect.FINED if caught == tried and not blamed else Effect.SUCCEEDS
        note = f"{blamed} validators fined"
        by = "ReviewEnded: bond lost"
        return Found(
            effect, by, tried, caught, answers=1, audits=2, on_chain=40, lost=lost / tried, note=note
        )


@attack(
    "reviews without a right to them",
    _FAMILY,
    "asks for looks that are nobody's, too late, twice, or at drawn positions",
    Effect.REFUSED,
)
def no_right(setting: Setting) -> Found:
    with setting.room(4) as room:
        deal = room.deal(room.worker("honest"), room.person("payer"))
        first, second = room.drawn(room.commit(deal, [room.sell(deal) for _ in range(2)]))
        room.verdicts([first, second])
        member = room.jurors[room.panels[first][0]]
        outsider = next(j for who, j in room.jurors.items() if who not in room.panels[first])
        spare, drawn = _spare(room, first), room.opened[first][1]
        purse = Purse(room, member.keys, outsider.keys, deal.worker)
        wrong = [
            [],
            drawn[:1],
            [TOKENS],
            spare[::-1],
            [spare[0]] * 2,
            [spare[0], 1 << 31],
            sorted([*spare, drawn[0]]),
        ]
        errors = room.attempt([spot_checks.challenge(first, positions) for positions in wrong], member.keys)
        errors += room.attempt([spot_checks.challenge(first, spare)], outsider.keys)
        errors += room.attempt([spot_checks.challenge(first, spare), spot_checks.appeal(first)], deal.worker)
        errors += room.attempt(
            [spot_checks.appeal(second), spot_checks.challenge(1 << 20, spare)], deal.worker
        )
        room.must(spot_checks.challenge(first, spare), member.keys)
        errors += room.attempt([spot_checks.challenge(first, spare)], member.keys)
        room.pass_blocks(310)
        errors += room.attempt([spot_checks.challenge(second, _spare(room, second))], member.keys)
        found = refusals(room, errors, purse, member.keys)
        return Found(
            found.effect, found.by, found.tried, found.caught, on_chain=found.on_chain, lost=found.lost
        )


def _plant_of(room: Room, planter: bytes, session: int, index: int, worker: bytes) -> tuple[Call, bytes]:
    salt = room.rng.randbytes(32)
    return spot_checks.plant(proof.plant_commitment(planter, session, index, worker, salt)), salt


@attack(
    "plants that are none",
    _FAMILY,
    "plants without being a planter, after the draw, or for another's answer",
    Effect.REFUSED,
)
def no_plants(setting: Setting) -> Found:
    with setting.room() as room:
        planter, cheat = room.person("planter"), room.worker("cheat")
        room.world.sudo(spot_checks.set_planters([planter.public]))
        deal = room.deal(cheat, planter)
        insured, _ = _plant_of(room, cheat.public, deal.session, 0, cheat.public)
        purse = Purse(room, planter, cheat)
        errors = room.attempt([insured], cheat)
        in_time, salt = _plant_of(room, planter.public, deal.session, 0, cheat.public)
        room.must(in_time, planter)
        (audit,) = room.drawn(room.commit(deal, [room.sell(deal, toy.CHEAP)]))
        late, late_salt = _plant_of(room, planter.public, deal.session, 0, cheat.public)
        room.must(late, planter)
        errors += room.attempt([spot_checks.reveal_plant(audit, salt)], planter)
        room.verdicts([audit])
        # One audit is too few for a plant: at most one verdict in fifty may turn out to be one.
        tries = [salt, late_salt, bytes(32)]
        errors += room.attempt([spot_checks.reveal_plant(audit, each) for each in tries], planter)
        errors += room.attempt([in_time, spot_checks.reveal_plant(audit, salt)], cheat)
        return refusals(room, errors, purse, planter)


def _rich_panel(room: Room) -> list[bytes]:
    """Three validators with nearly all of the stake, who are drawn for nearly every first panel and copy the worker's leaves."""
    lazy = [room.validator(f"lazy-{number}", workers_own, stake=45 * STAKE) for number in range(3)]
    return [juror.keys.public for juror in lazy]


def _lazy_panel(setting: Setting, plants: bool) -> Found:
    """Fifty-two answers, then a planted one (as often as may be), before a panel that asks the worker instead of looking."""
    with setting.room(6) as room:
        lazy = _rich_panel(room)
        planter, worker = room.person("planter"), room.worker("worker")
        room.world.sudo(spot_checks.set_planters([planter.public]))
        deal = room.deal(worker, planter)
        purse = Purse(room, *(room.jurors[account].keys for account in lazy))
        for _ in range(2):
            room.verdicts(room.drawn(room.commit(deal, [room.sell(deal) for _ in range(26)])))
        if plants:
            _plant_one(room, deal)
        seats = sum(room.jurors[account].sat for account in lazy)
        # An honest panel of three that was drawn for the plant would have found it at once: then nobody looked away.
        caught = room.count("LookedAway") > 0 or room.count("PlantRevealed", caught=True) > 0
        lost = (seats - purse.change()) / seats  # an honest twin earns R a seat
        note = f"{room.count('LookedAway')} fines of 2 UNIT over {seats} seats"
        effect, by = (Effect.FINED, "LookedAway") if caught else (Effect.SUCCEEDS, "")
        return Found(effect, by, 1, 1, audits=seats, lost=lost, won=RUN, note=note)


def _plant_one(room: Room, deal: Deal) -> None:
    """The planter buys a wrong answer on purpose and reveals it after the verdict."""
    index, worker = deal.next_index, deal.worker.public
    planted, salt = _plant_of(room, deal.payer.public, deal.session, index, worker)
    room.must(planted, deal.payer)
    (audit,) = room.drawn(room.commit(deal, [room.sell(deal, toy.CHEAP)]))
    room.verdicts([audit])
    room.must(spot_checks.reveal_plant(audit, salt), deal.payer)
    room.pass_blocks(100)


attack(
    "a panel that looks away, plants",
    _FAMILY,
    "most of a panel commits the worker's own leaves; one answer in fifty is planted",
    Effect.FINED,
)(lambda setting: _lazy_panel(setting, plants=True))
attack(
    "a panel that looks away, no plants",
    _FAMILY,
    "most of a panel commits the worker's own leaves, and nobody plants",
    Effect.SUCCEEDS,
    uncovered="without planted faults a panel that copies the worker is never found out: planters have to be at work",
)(lambda setting: _lazy_panel(setting, plants=False))
