"""Claims for what was not promised, not committed, or not sold; receipts that leave answers out."""

from __future__ import annotations

from dataclasses import replace

from llmnet.chain import Call
from llmnet.pallets import sessions, spot_checks
from llmnet.redteam.protocol import toy
from llmnet.redteam.protocol.people import Deal, Sale, nothing
from llmnet.redteam.protocol.purse import Purse, refusals
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import REWARD, Room
from llmnet.redteam.protocol.setting import Setting

_FAMILY = "money"


def _claim(room: Room, deal: Deal, amount: int, answers: int, signature: bytes | None = None) -> Call:
    signed = room.voucher(deal, amount, answers) if signature is None else signature
    return sessions.claim(deal.session, amount, answers, signed)


def _sold(room: Room, name: str, count: int) -> tuple[Deal, list[Sale]]:
    deal = room.deal(room.worker(name), room.person("payer"))
    return deal, [room.sell(deal) for _ in range(count)]


@attack(
    "a voucher over-claimed",
    _FAMILY,
    "asks for more than the payer signed, or under another signature",
    Effect.REFUSED,
)
def over_claimed(setting: Setting) -> Found:
    with setting.room() as room:
        deal, sales = _sold(room, "greedy", 2)
        other = room.deal(deal.worker, deal.payer)
        room.commit(deal, sales)
        signed = room.voucher(deal, REWARD, 1)
        forged = [
            _claim(room, deal, 2 * REWARD, 1, signed),
            _claim(room, deal, REWARD, 2, signed),
            _claim(room, deal, REWARD, 1, room.voucher(deal, REWARD, 1, deal.worker)),
            _claim(room, deal, REWARD, 1, room.voucher(other, REWARD, 1)),
            _claim(room, other, REWARD, 1, signed),
            _claim(room, deal, REWARD, 1, bytes(64)),
        ]
        forged += [
            _claim(room, deal, room.rng.randrange(1, 1 << 60), 1, signed) for _ in range(10 * setting.scale)
        ]
        purse = Purse(room, deal.worker)
        errors = room.attempt(forged, deal.worker)
        return refusals(room, errors, purse, deal.worker)


@attack("a voucher replayed", _FAMILY, "claims the same voucher again, or an older one", Effect.REFUSED)
def voucher_replayed(setting: Setting) -> Found:
    with setting.room() as room:
        deal, sales = _sold(room, "greedy", 3)
        room.verdicts(room.drawn(room.commit(deal, sales)))
        old, new = _claim(room, deal, REWARD, 1), _claim(room, deal, 2 * REWARD, 2)
        room.must(new, deal.worker)
        purse = Purse(room, deal.worker)
        errors = room.attempt([new, old, *[new] * (4 * setting.scale)], deal.worker)
        return refusals(room, errors, purse, deal.worker)


@attack(
    "an answer left out of the batch",
    _FAMILY,
    "sells three answers, commits the two that are honest",
    Effect.REFUSED,
)
def omitted(setting: Setting) -> Found:
    """The answers of a session are committed without a gap: after the one that was left out nothing can be."""
    tried = setting.scale
    errors = []
    with setting.room() as room:
        deal, sales = _sold(room, "omitter", 1)
        purse = Purse(room, deal.worker)
        for _ in range(tried):
            bad, good = room.sell(deal, toy.CHEAP), room.sell(deal)
            room.new_epoch()
            errors += room.attempt([spot_checks.commit_batch([room.segment(deal, [good])])], deal.worker)
            deal.next_index = bad.receipt.index
        covering = room.segment(deal, [sales[0], bad])
        reverse = replace(covering, first=covering.first, last=covering.first)
        pairs = [
            [covering, covering],
            [replace(covering, first=1), reverse],
            [replace(covering, session=deal.session + 1)],
            [replace(covering, first=5, last=7)],
        ]
        errors += room.attempt([spot_checks.commit_batch(segments) for segments in pairs], deal.worker)
        return refusals(room, errors, purse, deal.worker)


@attack(
    "the last answer left out",
    _FAMILY,
    "keeps a cheap last answer out of its batch and claims it",
    Effect.UNPAID,
)
def last_omitted(setting: Setting) -> Found:
    tried, unpaid, won = setting.scale, 0, 0.0
    with setting.room() as room:
        for number in range(tried):
            deal, sales = _sold(room, f"omitter-{number}", 2)
            room.sell(deal, toy.CHEAP)
            room.commit(deal, sales)
            purse = Purse(room, deal.payer)
            room.attempt([_claim(room, deal, 3 * REWARD, 3)], deal.worker)
            paid = -purse.change()
            unpaid += paid <= 2.0001
            won += paid - 2
        effect = Effect.UNPAID if unpaid == tried else Effect.SUCCEEDS
        return Found(
            effect,
            "committed amount",
            tried,
            unpaid,
            answers=3,
            lost=0.5,
            won=won / tried,
            note="the cheap answer's cost is lost",
        )


@attack(
    "a segment worth more than its answers",
    _FAMILY,
    "commits an amount above the price of its answers",
    Effect.UNPAID,
)
def dear_segment(setting: Setting) -> Found:
    tried, unpaid, won = setting.scale, 0, 0.0
    with setting.room() as room:
        for number in range(tried):
            deal, sales = _sold(room, f"dear-{number}", 2)
            room.commit(deal, sales, amount=500 * REWARD)
            purse = Purse(room, deal.payer)
            room.attempt([_claim(room, deal, 2 * REWARD, 2)], deal.worker)
            room.attempt([_claim(room, deal, 2 * REWARD, 2)], deal.worker)
            paid = -purse.change()
            unpaid += paid <= 2.0001
            won += paid - 2
        effect = Effect.UNPAID if unpaid == tried else Effect.SUCCEEDS
        return Found(effect, "voucher", tried, unpaid, answers=2, won=won / tried)


@attack(
    "a segment worth nothing",
    _FAMILY,
    "commits cheap answers at no amount, so that fines have no measure",
    Effect.FINED,
)
def free_segment(setting: Setting) -> Found:
    """Before its receipt is open a fine goes by the segment's amount: then the least fine is taken, and nothing can be claimed."""
    tried = setting.scale
    with setting.room() as room:
        room.serves = nothing
        lost = 0.0
        for number in range(tried):
            deal, _ = _sold(room, f"free-{number}", 0)
            purse = Purse(room, deal.worker)
            batch = room.commit(deal, [room.sell(deal, toy.CHEAP)], amount=0)
            room.verdicts(room.drawn(batch))
            assert room.attempt([_claim(room, deal, REWARD, 1)], deal.worker) == ["NothingToClaim"]
            lost -= purse.change()
        fined = room.count("WorkerFined")
        effect = Effect.FINED if fined == tried else Effect.SUCCEEDS
        return Found(
            effect,
            "ReceiptMissed",
            tried,
            fined,
            answers=1,
            audits=1,
            lost=lost / tried,
            note="nothing is earned either",
        )


@attack("money after a slash", _FAMILY, "claims and opens sessions as if nothing had been", Effect.REFUSED)
def after_slash(setting: Setting) -> Found:
    with setting.room() as room:
        deal, sales = _sold(room, "slashed", 2)
        first = room.sell(deal, toy.CHEAP, index=0)
        room.commit(deal, sales)
        pair = (sales[0].receipt, sales[0].receipt_signature, first.receipt, first.receipt_signature)
        room.must(spot_checks.report_equivocation(deal.worker.public, *pair), deal.payer)
        purse = Purse(room, deal.worker)
        errors = room.attempt([_claim(room, deal, REWARD, 1), _claim(room, deal, 2 * REWARD, 2)], deal.worker)
        room.new_epoch()
        errors += room.attempt(
            [spot_checks.commit_batch([room.segment(deal, [room.sell(deal)])])], deal.worker
        )
        return refusals(room, errors, purse, deal.worker)
