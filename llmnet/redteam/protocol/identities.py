"""Who is who: one purse as worker and validator, and slashed workers that come back."""

from __future__ import annotations

from llmnet.chain import Keypair
from llmnet.pallets import registry, sessions, spot_checks, staking
from llmnet.pallets.staking import StakeRole
from llmnet.redteam.protocol import toy
from llmnet.redteam.protocol.people import Deal, where_most
from llmnet.redteam.protocol.purse import SAVED, Purse, refusals
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import REWARD, STAKE, Room
from llmnet.redteam.protocol.setting import Setting
from llmnet.redteam.protocol.validators import workers_own

_FAMILY = "identities"


@attack("validates its own answers", _FAMILY, "worker and validator of one owner", Effect.REFUSED)
def own_validator(setting: Setting) -> Found:
    """The validator has most of the stake, and is never drawn; nor can one account have both roles, nor buy from itself."""
    tried = min(32, 20 * setting.scale)  # no batch has more audits
    with setting.room(4) as room:
        mine = room.validator("mine", workers_own, stake=45 * STAKE)
        worker, owner = room.worker("worker"), room.person("owner")
        room.link(worker, owner)
        room.link(mine.keys, owner)
        purse = Purse(room, worker, owner, mine.keys)
        errors = room.attempt([staking.bond(StakeRole.VALIDATOR, STAKE)], worker)
        errors.append(_own_session(room, worker, owner))
        deal = room.deal(worker, room.person("payer"))
        audits = room.drawn(room.commit(deal, [room.sell(deal) for _ in range(tried)]))
        room.verdicts(audits)
        drawn = sum(mine.keys.public in room.panels[audit] for audit in audits)
        found = refusals(room, errors, purse, worker)
        effect = Effect.REFUSED if found.effect is Effect.REFUSED and not drawn else Effect.SUCCEEDS
        return Found(effect, found.by + ", not on a panel", tried, tried - drawn, answers=tried, audits=tried)


def _own_session(room: Room, worker: Keypair, owner: Keypair) -> str:
    """What becomes of a session with a worker of one's own."""
    call = sessions.open(
        worker.public,
        toy.SPEC.id,
        escrow=REWARD * 100,
        max_price_in=0,
        max_price_out=10**15,
        expires_in=90_000,
    )
    return room.attempt([call], owner)[0]


def _sybils(setting: Setting, friends: int, validators: int = 10) -> Found:
    """Cheats whose friends, a share of the validators, commit the cheat's own leaves where they are most of the panel."""
    tried = 2 * setting.scale
    with setting.room(validators - friends) as room:
        mine = [room.validator(f"friend-{number}") for number in range(friends)]
        names = {juror.keys.public for juror in mine}
        for juror in mine:
            juror.look = where_most(names, workers_own)
        lost, answers, audits, helped = 0.0, 0, 0, 0
        for number in range(tried):
            deal = room.deal(room.worker(f"cheat-{number}"), room.person("payer"))
            purse = Purse(room, deal.worker, *(juror.keys for juror in mine))
            while not room.count("WorkerSlashed", worker=deal.worker.public) and deal.next_index < 60:
                drawn = room.drawn(room.commit(deal, [room.sell(deal, toy.CHEAP)]))
                room.verdicts(drawn)
                audits += len(drawn)
                helped += sum(2 * len(names & set(room.panels[a])) > len(room.panels[a]) for a in drawn)
            answers += deal.next_index
            lost -= purse.change()
        caught = room.count("WorkerSlashed")
        effect = Effect.SLASHED if caught == tried else Effect.SUCCEEDS
        note = (
            f"friends were most of {helped} of {audits} panels; {answers / tried:.1f} answers until the slash"
        )
        won = SAVED * answers / tried
        return Found(
            effect,
            "Positions",
            tried,
            caught,
            answers=answers // tried,
            audits=audits // tried,
            lost=lost / tried,
            won=won,
            note=note,
        )


attack(
    "unlinked friends, a fifth of the validators",
    _FAMILY,
    "an owner nobody knows of has 2 of 10 validators",
    Effect.SLASHED,
)(lambda setting: _sybils(setting, 2))
attack(
    "unlinked friends, half of the validators",
    _FAMILY,
    "an owner nobody knows of has 5 of 10 validators",
    Effect.SLASHED,
)(lambda setting: _sybils(setting, 5))


def _slashed(room: Room, worker: Keypair) -> Deal:
    """A worker that was caught at two receipts for one answer."""
    deal = room.deal(worker, room.person("payer"))
    first, second = room.sell(deal), room.sell(deal, toy.CHEAP, index=0)
    pair = (first.receipt, first.receipt_signature, second.receipt, second.receipt_signature)
    room.must(spot_checks.report_equivocation(deal.worker.public, *pair), deal.payer)
    return deal


@attack(
    "back at once, the same account",
    _FAMILY,
    "bonds again after a slash, before and after withdrawing",
    Effect.REFUSED,
)
def same_account(setting: Setting) -> Found:
    with setting.room(0) as room:
        deal = _slashed(room, room.worker("slashed"))
        purse = Purse(room, deal.worker)
        bond = staking.bond(StakeRole.WORKER, STAKE)
        offer = registry.put_offer(toy.SPEC.id, endpoint="http://127.0.0.1:1", price_in=0, price_out=1)
        errors = room.attempt([bond, staking.bond_extra(STAKE), offer], deal.worker)
        room.pass_blocks(int(room.world.constant("Staking", "UnbondingPeriod")) + 1)
        room.must(staking.withdraw(), deal.worker)
        errors += room.attempt([bond, offer, staking.bond(StakeRole.VALIDATOR, STAKE)], deal.worker)
        return refusals(room, errors, purse, deal.worker, "a day of quarantine, then probation")


@attack(
    "back at once, the same owner",
    _FAMILY,
    "the owner of a slashed worker takes up roles and accounts",
    Effect.REFUSED,
)
def same_owner(setting: Setting) -> Found:
    with setting.room(0) as room:
        owner, other = room.person("owner"), room.worker("other")
        worker = room.worker("slashed")
        room.link(worker, owner)
        _slashed(room, worker)
        purse = Purse(room, owner)
        room.must(staking.propose_owner(owner.public), other)
        errors = room.attempt(
            [staking.accept_owner(other.public), staking.bond(StakeRole.WORKER, STAKE)], owner
        )
        return refusals(room, errors, purse, owner)


@attack(
    "back at once, a fresh account",
    _FAMILY,
    "cheats with every answer until slashed, then with another account",
    Effect.FINED,
)
def fresh_account(setting: Setting) -> Found:
    """Nobody can tell who it is: it pays with a stake and with half of its answers audited. From the third account on the
    drift alarm sees many fail together and holds slashes back; fines go on, and are enough."""
    tried = 2 * setting.scale
    with setting.room() as room:
        room.world.sudo(spot_checks.set_audit_floor(0))
        lost, answers, caught = 0.0, 0, 0
        for number in range(tried):
            deal = room.deal(room.worker(f"fresh-{number}", stake=STAKE), room.person("payer"))
            purse = Purse(room, deal.worker)
            while not room.count("WorkerSlashed", worker=deal.worker.public) and deal.next_index < 80:
                room.commit(deal, [room.sell(deal, toy.CHEAP) for _ in range(4)])
                room.settle()
            answers += deal.next_index
            lost -= purse.change()
            caught += room.count("WorkerFined", worker=deal.worker.public) > 0
        audits = room.count("AuditDrawn")
        won = SAVED * answers / tried
        effect = Effect.FINED if caught and lost / tried > won else Effect.SUCCEEDS
        return Found(
            effect,
            "Positions",
            tried,
            caught,
            answers=answers // tried,
            audits=audits // tried,
            lost=lost / tried,
            won=won,
        )
