"""Validators that lie about honest workers: alone, in league, and what an appeal gives back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from llmnet.chain import Event
from llmnet.pallets import spot_checks
from llmnet.proof import Leaf
from llmnet.redteam.protocol.errors import Stuck
from llmnet.redteam.protocol.people import Case, Deal, Juror, Look, honest, where_most
from llmnet.redteam.protocol.purse import Purse
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import STAKE, TOKENS, Room
from llmnet.redteam.protocol.setting import Setting
from llmnet.sim.workers import is_appealed

_FAMILY = "framing"
_LIE = 40  # lane steps


def lie(_juror: Juror, case: Case) -> list[Leaf]:
    """The reference with every lane moved."""
    return [
        replace(
            leaf,
            logit_sketch=tuple(lane + _LIE for lane in leaf.logit_sketch),
            hidden_sketch=tuple(lane + _LIE for lane in leaf.hidden_sketch),
        )
        for leaf in case.sale.reference
    ]


def shade(_juror: Juror, case: Case) -> list[Leaf]:
    """The reference moved so little that the answer passes, with as much evidence against it as an answer can have."""
    return shaded(case.sale.reference)


def shaded(leaves: Iterable[Leaf]) -> list[Leaf]:
    """Leaves moved to just beyond q99, where no single answer fails."""
    return [
        replace(leaf, logit_sketch=(*(lane + 2 for lane in leaf.logit_sketch[:5]), *leaf.logit_sketch[5:]))
        for leaf in leaves
    ]


def hint(_juror: Juror, case: Case) -> list[Leaf]:
    """The reference moved at six positions, beyond q95: less than what can be appealed of an answer that passes."""
    moved = [
        replace(leaf, logit_sketch=(*(lane + 2 for lane in leaf.logit_sketch[:3]), *leaf.logit_sketch[3:]))
        for leaf in case.sale.reference[:6]
    ]
    return [*moved, *case.sale.reference[6:]]


def _appeals(room: Room, deal: Deal) -> None:
    """The worker appeals as the daemon does."""

    def appeal(event: Event) -> None:
        if event.fields["worker"] == deal.worker.public and is_appealed(event.fields):
            call = spot_checks.appeal(int(event.fields["audit"]))
            room.world.post(call, deal.worker, room.refused.append)

    room.on_verdict = appeal


@attack(
    "one validator frames a worker",
    _FAMILY,
    "lies about an honest worker beside two honest validators",
    Effect.FINED,
)
def alone(setting: Setting) -> Found:
    tried = 4 * setting.scale
    with setting.room(2) as room:
        liar = room.validator("liar", lie)
        twin = next(juror for juror in room.jurors.values() if juror is not liar)
        deal = room.deal(room.worker("victim"), room.person("payer"))
        mine, theirs = Purse(room, liar.keys), Purse(room, twin.keys)
        verdicts = room.verdicts(room.drawn(room.commit(deal, [room.sell(deal) for _ in range(tried)])))
        caught = room.count("ReferenceRejected", validator=liar.keys.public)
        passed = all(event.fields["verdict"].name == "Passed" for event in verdicts)
        effect = Effect.FINED if caught == tried and passed else Effect.SUCCEEDS
        lost = (theirs.change() - mine.change()) / tried
        return Found(
            effect,
            "ReferenceRejected",
            tried,
            caught,
            audits=tried,
            lost=lost,
            note="the worker passes every time",
        )


def _pair(room: Room, count: int = 2, tell: Look = lie) -> tuple[list[Juror], set[bytes]]:
    """Some in league that have most of the stake, so that they sit on nearly every panel of three, and not on the larger one."""
    pair = [room.validator(f"liar-{number}", stake=45 * STAKE) for number in range(count)]
    friends = {juror.keys.public for juror in pair}
    for juror in pair:
        juror.look = where_most(friends, tell)
    return pair, friends


def _theirs(room: Room, deal: Deal, friends: set[bytes], answers: int) -> list[int]:
    """Audits of a batch all of whose panels the two have; batches with another one are passed over."""
    for _ in range(20):
        look = {juror: juror.look for juror in room.jurors.values() if juror.keys.public in friends}
        audits = room.drawn(room.commit(deal, [room.sell(deal) for _ in range(answers)]))
        if all(friends <= set(room.panels[audit]) for audit in audits):
            return audits
        for juror in look:
            juror.look = honest
        room.verdicts(audits)
        for juror, lies in look.items():
            juror.look = lies
    raise Stuck("the two were never on all panels")


def _majority(setting: Setting, *, appeals: bool, tell: Look = lie, answers: int = 2) -> Found:
    """Some answers of an honest worker before two liars and an honest validator: it is slashed. What an appeal gives back."""
    with setting.room(6) as room:
        pair, friends = _pair(room, tell=tell)
        deal = room.deal(room.worker("victim"), room.person("payer"))
        if appeals:
            _appeals(room, deal)
        audits = _theirs(room, deal, friends, answers)
        liars, victim = Purse(room, *(juror.keys for juror in pair)), Purse(room, deal.worker)
        verdicts = room.verdicts(audits)
        room.pass_blocks(90)
        slashed, back = room.count("WorkerSlashed"), room.count("SlashTakenBack")
        paid = sum(event.fields["verdict"].name != "Abstained" for event in verdicts)
        gain = round(liars.change() - len(pair) * paid, 6)
        note = (
            f"{slashed} slashed, {back} taken back, {room.count('Overturned')} overturned; "
            f"the victim has {victim.change():+.1f} R, the two {gain:+.1f} R more than their pay"
        )
        fined = any(room.count("ReferenceRejected", validator=who) for who in friends)
        effect = Effect.SUCCEEDS if gain > 0 else Effect.FINED if fined else Effect.UNPAID
        return Found(
            effect,
            "panel majority",
            1,
            1,
            answers=answers,
            audits=len(audits),
            lost=max(0.0, -gain),
            won=max(0.0, gain),
            note=note,
        )


_NO_APPEAL = (
    "a panel's majority is believed: two of three in league slash an honest worker that does not appeal, and share a "
    "tenth of the slash; the worker's daemon appeals by itself, who runs another one has to"
)
attack(
    "two of three frame, no appeal",
    _FAMILY,
    "most of a panel lies about an honest worker",
    Effect.SUCCEEDS,
    uncovered=_NO_APPEAL,
)(lambda setting: _majority(setting, appeals=False))
attack(
    "two of three frame, the worker appeals",
    _FAMILY,
    "most of a panel lies, and five others look again",
    Effect.FINED,
)(lambda setting: _majority(setting, appeals=True))
attack(
    "two of three shade their references",
    _FAMILY,
    "most of a panel moves its references just beyond q99, so that honest answers pass with the most evidence against them",
    Effect.FINED,
)(lambda setting: _majority(setting, appeals=True, tell=shade))
attack(
    "two of three shade, no appeal",
    _FAMILY,
    "most of a panel moves its references just beyond q99, and the worker does not appeal",
    Effect.SUCCEEDS,
    uncovered=_NO_APPEAL,
)(lambda setting: _majority(setting, appeals=False, tell=shade))
attack(
    "two of three hint",
    _FAMILY,
    "most of a panel moves its references so little that nobody is blamed for it, until it adds up to a slash",
    Effect.UNPAID,
)(lambda setting: _majority(setting, appeals=True, tell=hint, answers=24))


@attack(
    "the honest member outvoted",
    _FAMILY,
    "two in league have the third member of the panel fined",
    Effect.FINED,
)
def outvoted(setting: Setting) -> Found:
    with setting.room(6) as room:
        pair, friends = _pair(room)
        deal = room.deal(room.worker("victim"), room.person("payer"))
        _appeals(room, deal)
        before = {who: Purse(room, juror.keys) for who, juror in room.jurors.items()}
        (audit,) = _theirs(room, deal, friends, 1)
        third = next(who for who in room.panels[audit] if who not in friends)
        room.verdicts([audit])
        room.pass_blocks(90)
        change, liars = before[third].change(), sum(before[juror.keys.public].change() for juror in pair)
        effect = Effect.SUCCEEDS if change < -1 else Effect.FINED
        note = f"{room.count('Overturned')} overturned; the honest third has {change:+.1f} R, the two {liars:+.1f} R"
        return Found(
            effect,
            "ReferenceRejected",
            1,
            1,
            answers=1,
            audits=1,
            lost=max(0.0, -liars),
            won=max(0.0, liars),
            note=note,
        )


def _wrong_tokens(friends: Collection[bytes], reviews: set[int]) -> Look:
    """Honest at first; where it was challenged and friends are most of the panel, says that other tokens were delivered."""

    def look(juror: Juror, case: Case) -> list[Leaf] | None:
        leaves = honest(juror, case)
        if leaves is None or case.audit not in reviews or not case.most(friends):
            return leaves
        return [replace(leaf, token=leaf.token ^ 1) for leaf in leaves]

    return look


@attack(
    "framed by a challenge",
    _FAMILY,
    "two of three pass an honest answer, challenge it, and lie then",
    Effect.FINED,
)
def by_challenge(setting: Setting) -> Found:
    with setting.room(6) as room:
        pair, friends = _pair(room)
        deal = room.deal(room.worker("victim"), room.person("payer"))
        reviews: set[int] = set()
        for juror in pair:
            juror.look = _wrong_tokens(friends, reviews)
        (audit,) = _theirs(room, deal, friends, 1)
        room.verdicts([audit])
        _appeals(room, deal)
        liars, victim = Purse(room, *(juror.keys for juror in pair)), Purse(room, deal.worker)
        spare = [position for position in range(TOKENS) if position not in room.opened[audit][1]]
        reviews.add(int(room.world.query("SpotChecks", "NextAudit")))
        room.must(spot_checks.challenge(audit, spare), pair[0].keys)
        room.pass_blocks(120)
        gain = liars.change()
        note = f"{room.count('Overturned')} overturned; the victim has {victim.change():+.1f} R, the two {gain:+.1f} R"
        effect = Effect.SUCCEEDS if gain > 0 or room.count("WorkerSlashed") else Effect.FINED
        return Found(
            effect,
            "Token, overturned",
            1,
            1,
            answers=1,
            audits=2,
            lost=max(0.0, -gain),
            won=max(0.0, gain),
            note=note,
        )


@attack(
    "three challenges of one answer",
    _FAMILY,
    "all three of a panel challenge it, so that it counts threefold",
    Effect.REFUSED,
)
def three_challenges(setting: Setting) -> Found:
    """Three convictions for one answer would be a slash from one answer; the second and the third count nothing."""
    with setting.room(6) as room:
        league, friends = _pair(room, 3)
        deal = room.deal(room.worker("victim"), room.person("payer"))
        reviews: set[int] = set()
        for juror in league:
            juror.look = _wrong_tokens(friends, reviews)
        (audit,) = _theirs(room, deal, friends, 1)
        room.verdicts([audit])
        purse = Purse(room, *(juror.keys for juror in league))
        spare = [position for position in range(TOKENS) if position not in room.opened[audit][1]]
        following = int(room.world.query("SpotChecks", "NextAudit"))
        reviews.update(range(following, following + 3))
        for juror in league:
            room.must(spot_checks.challenge(audit, spare), juror.keys)
        room.pass_blocks(60)
        slashed, fines = room.count("WorkerSlashed"), room.count("WorkerFined")
        caught = 3 - fines
        effect = Effect.REFUSED if not slashed and fines == 1 else Effect.SUCCEEDS
        note = f"{fines} of 3 challenges counted, {slashed} slashed; the three have {purse.change():+.1f} R, which an appeal takes back"
        return Found(
            effect, "counted once", 2, caught, answers=1, audits=4, lost=max(0.0, -purse.change()), note=note
        )


def _population(setting: Setting, liars: int) -> Found:
    """So many of ten validators lie where they are most of a panel; an honest worker appeals each time."""
    answers, total = 20 * setting.scale, 10
    with setting.room(total - liars) as room:
        mine = [room.validator(f"liar-{number}") for number in range(liars)]
        friends = {juror.keys.public for juror in mine}
        for juror in mine:
            juror.look = where_most(friends, lie)
        twins = [juror for juror in room.jurors.values() if juror.keys.public not in friends]
        lost, framed, audits, slashed = 0.0, 0, 0, 0
        for number in range(20 * setting.scale):
            if number >= 2 * setting.scale and framed:
                break  # it goes on until a panel was theirs
            deal = room.deal(room.worker(f"victim-{number}"), room.person("payer"))
            _appeals(room, deal)
            league, others = Purse(room, *(j.keys for j in mine)), Purse(room, *(j.keys for j in twins))
            drawn = room.drawn(
                room.commit(deal, [room.sell(deal) for _ in range(answers // (2 * setting.scale))])
            )
            room.pass_blocks(150)
            audits += len(drawn)
            framed += sum(2 * len(friends & set(room.panels[audit])) > 3 for audit in drawn)
            lost += others.change() / len(twins) - league.change() / liars
            slashed += room.count("WorkerSlashed", worker=deal.worker.public)
        back, value = room.count("SlashTakenBack"), -lost / audits
        note = (
            f"{framed} of {audits} panels theirs, {slashed} slashed, {back} of them taken back; "
            f"{value:+.2f} R an audit for each of the league against an honest validator"
        )
        rejected = sum(room.count("ReferenceRejected", validator=who) for who in friends)
        effect = Effect.FINED if rejected or value < 0 else Effect.SUCCEEDS
        return Found(
            effect, "appeals", 1, 1, audits=audits, lost=max(0.0, -value), won=max(0.0, value), note=note
        )


attack(
    "a fifth of the validators frame",
    _FAMILY,
    "2 of 10 lie where they are most of a panel; the worker appeals",
    Effect.FINED,
)(lambda setting: _population(setting, 2))
attack(
    "half of the validators frame",
    _FAMILY,
    "5 of 10 lie where they are most of a panel; the worker appeals",
    Effect.FINED,
    uncovered="who has half of the stake has most of every second panel and of two in seven appeals: now its fines are more "
    "than what it gets and now less (-2 to +4 R an audit in six runs), and some honest workers stay convicted; "
    "validators' stake has to be spread",
)(lambda setting: _population(setting, 5))
