"""Cheats that go before the verdict comes: stakes withdrawn while an audit is still open."""

from __future__ import annotations

from llmnet.pallets import sessions, staking
from llmnet.redteam.protocol import toy
from llmnet.redteam.protocol.people import Deal
from llmnet.redteam.protocol.purse import SAVED, Purse
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import STAKE, Room
from llmnet.redteam.protocol.setting import Setting
from llmnet.sim import UNIT

_FAMILY = "leaving"
_DEAR = STAKE // 20  # the most that a batch may be worth
_FRIENDS = 4  # so many owners make an outage
_WAVE = 2  # answers that each of them lets pass


@attack(
    "goes before the verdict", _FAMILY, "unbonds in the block after it committed a cheap answer", Effect.FINED
)
def unbonds(setting: Setting) -> Found:
    """Unbonding takes longer than an audit, and an unbonding stake can be fined."""
    tried, lost = 2 * setting.scale, 0.0
    with setting.room() as room:
        for number in range(tried):
            deal = room.deal(room.worker(f"leaver-{number}"), room.person("payer"))
            purse = Purse(room, deal.worker)
            batch = room.commit(deal, [room.sell(deal, toy.CHEAP)])
            room.must(staking.unbond(), deal.worker)
            room.verdicts(room.drawn(batch))
            lost -= purse.change()
        fined = room.count("WorkerFined")
        effect = Effect.FINED if fined == tried else Effect.SUCCEEDS
        return Found(effect, "Positions", tried, fined, answers=1, audits=1, lost=lost / tried, won=SAVED)


@attack(
    "makes an outage and goes",
    _FAMILY,
    "four friends of different owners miss deadlines, so that its own is put off until its stake is free",
    Effect.FINED,
)
def outage(setting: Setting) -> Found:
    """What an outage puts off must end before a stake can be withdrawn, or whoever can make an outage need not fear a fine."""
    with setting.room() as room:
        friends = [room.deal(room.worker(f"friend-{n}"), room.person("payer")) for n in range(_FRIENDS)]
        cheat = room.deal(room.worker("cheat", reward=_DEAR), room.person("rich"), reward=_DEAR)
        league = [cheat.worker, *(deal.worker for deal in friends)]
        silent: set[tuple[int, int]] = set()
        room.serves = lambda _duty, sale: sale.place not in silent
        purse = Purse(room, *league)
        _miss(room, friends, silent)
        sale = room.sell(cheat, toy.CHEAP)
        silent.add(sale.place)
        room.commit(cheat, [sale])
        _claim(room, cheat)
        room.must(staking.unbond(), cheat.worker)
        withdrawn = _hold_out(room, cheat, friends, silent)
        silent.intersection_update({sale.place})
        _work_off(room, cheat)
        room.pass_blocks(700)
        earned, answers = purse.change(_DEAR), 1
        taken = [e for e in room.log if e.name == "WorkerFined" and e.fields["worker"] == cheat.worker.public]
        amount = sum(int(event.fields["amount"]) for event in taken)
        caught = not withdrawn and amount > 0
        put_off, slashed = room.count("PutOffDeadline"), room.count("WorkerSlashed")
        note = (
            f"deadlines put off {put_off} times, the stake {'' if withdrawn else 'not '}withdrawn before the verdict; "
            f"fines of the cheat {amount / _DEAR:.1f} R, {slashed} friends slashed; the league has {earned:+.2f} R "
            f"by an answer of {_DEAR // UNIT} UNIT"
        )
        effect = Effect.FINED if caught else Effect.SUCCEEDS
        won = SAVED + max(0.0, earned - 0.98)
        lost = max(0.0, 0.98 - earned)
        return Found(effect, "PutOffDeadline", answers=answers, audits=1, won=won, lost=lost, note=note)


def _claim(room: Room, deal: Deal) -> None:
    voucher = room.voucher(deal, _DEAR, 1)
    room.attempt([sessions.claim(deal.session, _DEAR, 1, voucher)], deal.worker)


def _miss(room: Room, friends: list[Deal], silent: set[tuple[int, int]]) -> None:
    """Everybody commits honest answers whose receipts it will not open for now."""
    parts = [(deal, tuple(room.sell(deal, tokens=1) for _ in range(_WAVE))) for deal in friends]
    silent.update(sale.place for _, sales in parts for sale in sales)
    room.commit_together(parts)


def _hold_out(room: Room, cheat: Deal, friends: list[Deal], silent: set[tuple[int, int]]) -> bool:
    """Keep the outage going until the stake is free, or the verdict is there. Whether it could be withdrawn."""
    who = cheat.worker.public
    for wave in range(40):
        room.pass_blocks(15)
        if room.count("Decided", worker=who):
            return False
        if wave % 4 == 3:  # friends that were slashed have nothing to lose any more
            standing = [d for d in friends if not room.count("WorkerSlashed", worker=d.worker.public)]
            _miss(room, standing, silent)
        if wave > 25 and room.attempt([staking.withdraw()], cheat.worker) == [""]:
            return True
    return False


def _work_off(room: Room, cheat: Deal) -> None:
    """The friends open what they had let wait: nobody is fined for what an outage put off."""
    late = [
        audit
        for audit, worker in room.workers.items()
        if audit not in room.decided and audit not in room.opened
    ]
    for audit in late:
        if room.workers[audit] != cheat.worker.public:
            room.attempt([room.opening_of(audit)], room.keys_of(room.workers[audit]))
