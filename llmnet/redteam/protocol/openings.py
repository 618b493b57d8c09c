"""Workers that commit to nonsense, or do not show what they committed to: the answer fails, and costs twenty of its kind."""

from __future__ import annotations

from collections.abc import Callable

from llmnet import proof
from llmnet.pallets import spot_checks
from llmnet.redteam.protocol import toy
from llmnet.redteam.protocol.people import Deal, Sale, Serves, all_but, everything
from llmnet.redteam.protocol.purse import SAVED, Purse, refusals
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import TOKENS, Room
from llmnet.redteam.protocol.setting import Setting

_FAMILY = "openings"
Commit = Callable[[Room, Deal], Sale]


def _failed(setting: Setting, commit: Commit, opens: Serves = everything) -> Found:
    """Workers that each sell one such answer; what the audits make of it. The honest twin sells an honest answer."""
    tried = 2 * setting.scale
    with setting.room() as room:
        room.serves = opens
        reasons, lost, sent, told = set(), 0.0, 0, 0
        for number in range(tried):
            deal = room.deal(room.worker(f"worker-{number}"), room.person("payer"))
            purse = Purse(room, deal.worker)
            sale = commit(room, deal)
            verdicts = room.verdicts(room.drawn(room.commit(deal, [sale])))
            reasons |= {event.fields["reason"].name for event in verdicts}
            sent, told = sent + room.bytes_of(deal.worker), told + sale.size
            lost -= purse.change()
        fined = room.count("WorkerFined")
        effect = Effect.FINED if fined == tried else Effect.SUCCEEDS
        by = ", ".join(sorted({*reasons, *room.refused}))
        return Found(
            effect,
            by,
            tried,
            fined,
            answers=1,
            audits=1,
            on_chain=sent // tried,
            off_chain=told // tried,
            lost=lost / tried,
            won=SAVED,
        )


def _claimed(extra: int) -> Commit:
    """A receipt that names so many tokens more than the tree holds."""
    return lambda room, deal: room.sell(deal, toy.CHEAP, n_out=TOKENS + extra)


attack("one token fewer than leaves", _FAMILY, "the receipt says n - 1 of a tree of n leaves", Effect.FINED)(
    lambda setting: _failed(setting, _claimed(-1))
)
attack(
    "one token more than leaves",
    _FAMILY,
    "the receipt says n + 1 of a tree of n leaves, and costs more",
    Effect.FINED,
)(lambda setting: _failed(setting, _claimed(1)))


@attack("a root of no tree", _FAMILY, "commits random bytes instead of leaves", Effect.FINED)
def no_tree(setting: Setting) -> Found:
    return _failed(
        setting, lambda room, deal: room.sell(deal, toy.CHEAP, transcript_root=room.rng.randbytes(32))
    )


@attack("a tree without tags", _FAMILY, "commits a tree in which a leaf can pass for a node", Effect.FINED)
def untagged(setting: Setting) -> Found:
    def commit(room: Room, deal: Deal) -> Sale:
        sale = room.sell(deal, toy.CHEAP)
        level = [proof.blake2b_256(leaf.encode()) for leaf in sale.leaves]
        while len(level) > 1:
            pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
            level = [proof.blake2b_256(b"".join(pair)) if len(pair) == 2 else pair[0] for pair in pairs]
        return room.sell(deal, toy.CHEAP, index=sale.receipt.index, transcript_root=level[0])

    return _failed(setting, commit)


@attack("one leaf for all positions", _FAMILY, "commits a tree of copies of one honest leaf", Effect.FINED)
def copies(setting: Setting) -> Found:
    def commit(room: Room, deal: Deal) -> Sale:
        honest = room.sell(deal)
        return room.sell(deal, index=honest.receipt.index, leaves=(honest.leaves[0],) * TOKENS)

    return _failed(setting, commit)


@attack(
    "leaves of another seed",
    _FAMILY,
    "commits honest leaves of the same question in another session",
    Effect.FINED,
)
def other_seed(setting: Setting) -> Found:
    def commit(room: Room, deal: Deal) -> Sale:
        place = deal.next_index
        question = f"question {place} of {deal.session}".encode()
        return room.sell(deal, leaves=toy.generate(toy.HONEST, question, bytes(32), 256, TOKENS))

    return _failed(setting, commit)


@attack(
    "a cached answer sold twice",
    _FAMILY,
    "sells one computed answer for two like questions, greedily",
    Effect.FINED,
)
def cached(setting: Setting) -> Found:
    """At temperature zero even the tokens are right: the sketches are not, their signs belong to another request."""

    def commit(room: Room, deal: Deal) -> Sale:
        first = room.sell(deal, temperature=0, text="the same question", index=7)
        return room.sell(deal, temperature=0, text="the same question", leaves=first.leaves)

    return _failed(setting, commit)


@attack("a receipt that is not opened", _FAMILY, "keeps silent when its receipt is drawn", Effect.FINED)
def receipt_kept(setting: Setting) -> Found:
    return _failed(setting, lambda room, deal: room.sell(deal, toy.CHEAP), all_but("receipt"))


@attack(
    "leaves that are not opened",
    _FAMILY,
    "opens the receipt, sees the positions, and keeps silent",
    Effect.FINED,
)
def leaves_kept(setting: Setting) -> Found:
    return _failed(setting, lambda room, deal: room.sell(deal, toy.CHEAP), all_but("leaves"))


@attack(
    "opens only what is honest",
    _FAMILY,
    "half of its answers are cheap, and it shows none of those",
    Effect.SLASHED,
)
def selective(setting: Setting) -> Found:
    tried = 2 * setting.scale
    with setting.room() as room:
        cheap: set[tuple[int, int]] = set()
        room.serves = lambda duty, sale: duty != "leaves" or sale.place not in cheap
        workers = [room.worker(f"hider-{number}") for number in range(tried)]
        lost, answers, audits, caught = 0.0, 0, 0, 0
        for worker in workers:
            deal = room.deal(worker, room.person("payer"))
            purse = Purse(room, deal.worker)
            while not room.count("WorkerSlashed", worker=deal.worker.public) and deal.next_index < 40:
                sales = [room.sell(deal, toy.CHEAP if at % 2 else toy.HONEST) for at in range(8)]
                cheap |= {sale.place for sale in sales[1::2]}
                drawn = room.drawn(room.commit(deal, sales))
                room.settle()
                audits += len(drawn)
            answers += deal.next_index
            caught += room.count("WorkerSlashed", worker=deal.worker.public)
            lost -= purse.change()
        effect = Effect.SLASHED if caught == tried else Effect.SUCCEEDS
        won = SAVED * answers / 2 / tried
        sent = room.bytes_of(*workers) // tried
        return Found(
            effect,
            "LeavesMissed",
            tried,
            caught,
            answers=answers // tried,
            audits=audits // tried,
            on_chain=sent,
            lost=lost / tried,
            won=won,
        )


@attack(
    "leaves one block late", _FAMILY, "opens its leaves in the first block after the deadline", Effect.FINED
)
def late(setting: Setting) -> Found:
    tried = 2 * setting.scale
    with setting.room() as room:
        room.serves = all_but("leaves")
        lost, errors = 0.0, list[str]()
        for number in range(tried):
            deal = room.deal(room.worker(f"worker-{number}"), room.person("payer"))
            purse = Purse(room, deal.worker)
            (audit,) = room.drawn(room.commit(deal, [room.sell(deal)]))
            due = room.until("LeavesDue", audit=audit)
            while room.world.block < int(due.fields["deadline"]):
                room.step()
            errors += room.attempt([room.leaves_of(audit)], deal.worker)
            room.verdicts([audit])
            lost -= purse.change()
        fined, sent = room.count("WorkerFined"), room.bytes_of(deal.worker)
        effect = Effect.FINED if fined == tried and all(errors) else Effect.SUCCEEDS
        by = ", ".join(sorted({*errors, "LeavesMissed"}))
        return Found(effect, by, tried, fined, answers=1, audits=1, on_chain=sent, lost=lost / tried)


@attack(
    "replayed openings", _FAMILY, "sends openings again, or those of one audit for another", Effect.REFUSED
)
def replayed(setting: Setting) -> Found:
    with setting.room() as room:
        deal = room.deal(room.worker("worker"), room.person("payer"))
        batch = room.commit(deal, [room.sell(deal) for _ in range(4)])
        audits = room.drawn(batch)
        room.until("ReceiptOpened")
        purse = Purse(room, deal.worker)
        room.sent.clear()
        errors = room.attempt([room.opening_of(audit) for audit in audits], deal.worker)
        room.until("LeavesOpened")
        errors += room.attempt([room.leaves_of(audit) for audit in audits], deal.worker)
        room.verdicts(audits)
        errors += room.attempt([room.leaves_of(audit) for audit in audits], deal.worker)
        second = room.drawn(room.commit(deal, [room.sell(deal) for _ in range(4)]))
        for audit in second:
            place, positions = room.opened[audits[0]]
            opening = room.sales[place].opening(positions)
            errors += room.attempt([spot_checks.open_leaves(audit, *opening)], deal.worker)
        return refusals(room, errors, purse, deal.worker)
