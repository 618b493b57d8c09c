"""A worker that says two things: each way of doing so has a call by which its payer has it slashed."""

from __future__ import annotations

from dataclasses import replace

from llmnet import proof
from llmnet.chain import Call
from llmnet.pallets import spot_checks
from llmnet.proof import Receipt
from llmnet.redteam.protocol import toy
from llmnet.redteam.protocol.people import Batch, Deal, Sale
from llmnet.redteam.protocol.purse import SAVED, Purse, refusals
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.room import REWARD, Room
from llmnet.redteam.protocol.setting import Setting

_FAMILY = "equivocation"


def _scene(room: Room, name: str, sales: int = 1) -> tuple[Deal, list[Sale]]:
    """A worker and what it gave its payer."""
    deal = room.deal(room.worker(name), room.person(name + "/payer"))
    return deal, [room.sell(deal, toy.CHEAP) for _ in range(sales)]


def _other(room: Room, deal: Deal, sale: Sale) -> Sale:
    """The honest answer to the same question, which the worker commits instead of the one it sold."""
    return room.sell(deal, toy.HONEST, index=sale.receipt.index)


def _convicted(room: Room, purse: Purse, scenes: list[tuple[Deal, list[Sale]]]) -> Found:
    tried, answers, caught = len(scenes), len(scenes[0][1]), room.count("Equivocated")
    effect = Effect.SLASHED if caught == tried else Effect.SUCCEEDS
    lost = -purse.change() / tried
    sent = room.bytes_of(*(deal.worker for deal, _ in scenes), *(deal.payer for deal, _ in scenes)) // tried
    told = sum(sale.size for _, sales in scenes for sale in sales) // tried
    return Found(
        effect,
        "Equivocated",
        tried,
        caught,
        answers=answers,
        on_chain=sent,
        off_chain=told,
        lost=lost,
        won=SAVED * answers,
    )


@attack(
    "two receipts for one answer", _FAMILY, "signs a second receipt for an answer it sold", Effect.SLASHED
)
def two_receipts(setting: Setting) -> Found:
    tried = 2 * setting.scale
    with setting.room() as room:
        scenes = [_scene(room, f"liar-{number}") for number in range(tried)]
        purse = Purse(room, *(deal.worker for deal, _ in scenes))
        for deal, (sold,) in scenes:
            other = _other(room, deal, sold)
            call = spot_checks.report_equivocation(
                deal.worker.public,
                sold.receipt,
                sold.receipt_signature,
                other.receipt,
                other.receipt_signature,
            )
            room.must(call, deal.payer)
        return _convicted(room, purse, scenes)


def _committed(room: Room, deal: Deal, sold: list[Sale], at: int) -> Batch:
    """The worker commits honest answers where it sold cheap ones, the others as they are."""
    shown = [_other(room, deal, sale) if number == at else sale for number, sale in enumerate(sold)]
    return room.commit(deal, shown)


@attack(
    "another receipt in the batch", _FAMILY, "sells a cheap answer and commits an honest one", Effect.SLASHED
)
def another_committed(setting: Setting) -> Found:
    tried = 2 * setting.scale
    with setting.room(0) as room:  # nobody audits: the payer alone finds it
        scenes = [_scene(room, f"liar-{number}", 3) for number in range(tried)]
        purse = Purse(room, *(deal.worker for deal, _ in scenes))
        for deal, sold in scenes:
            batch = _committed(room, deal, sold, 1)
            _, place, shown = batch.at(1)
            call = spot_checks.report_committed(
                deal.worker.public,
                batch.epoch,
                0,
                batch.placed[0],
                batch.segment_proof(0),
                shown.receipt,
                batch.receipt_proof(0, place),
                sold[1].receipt,
                sold[1].receipt_signature,
            )
            room.must(call, deal.payer)
        return _convicted(room, purse, scenes)


@attack(
    "another receipt in an audit",
    _FAMILY,
    "opens a receipt that is not the one its payer holds",
    Effect.SLASHED,
)
def another_opened(setting: Setting) -> Found:
    tried = 2 * setting.scale
    with setting.room() as room:
        scenes = [_scene(room, f"liar-{number}") for number in range(tried)]
        purse = Purse(room, *(deal.worker for deal, _ in scenes))
        for deal, sold in scenes:
            batch = _committed(room, deal, sold, 0)
            (audit,) = room.drawn(batch)
            room.until("ReceiptOpened", audit=audit)
            call = spot_checks.report_opened(audit, sold[0].receipt, sold[0].receipt_signature)
            room.must(call, deal.payer)
        return _convicted(room, purse, scenes)


@attack(
    "another segment than the answers",
    _FAMILY,
    "commits other receipts and gives the payer no proof",
    Effect.SLASHED,
)
def another_segment(setting: Setting) -> Found:
    tried = 2 * setting.scale
    with setting.room(0) as room:
        scenes = [_scene(room, f"liar-{number}", 4) for number in range(tried)]
        purse = Purse(room, *(deal.worker for deal, _ in scenes))
        for deal, sold in scenes:
            batch = _committed(room, deal, sold, 2)
            signed = [(sale.receipt, sale.receipt_signature) for sale in sold]
            call = spot_checks.report_segment(
                deal.worker.public, batch.epoch, 0, batch.placed[0], batch.segment_proof(0), signed
            )
            room.must(call, deal.payer)
        return _convicted(room, purse, scenes)


@attack(
    "false reports of equivocation",
    _FAMILY,
    "a payer accuses an honest worker with what it has",
    Effect.REFUSED,
)
def false_reports(setting: Setting) -> Found:
    with setting.room() as room:
        deal, other = _honest_pair(room)
        sale, next_sale = (room.sell(deal) for _ in range(2))
        batch = room.commit(deal, [sale, next_sale])
        room.verdicts(room.drawn(batch))
        foreign = room.sell(other)
        purse = Purse(room, deal.payer)
        room.sent.clear()
        errors = room.attempt(_accusations(room, deal, batch, sale, next_sale, foreign), deal.payer)
        found = refusals(room, errors, purse, deal.payer)
        return (
            found if room.stake(deal.worker) == 200 * 100 * REWARD else replace(found, effect=Effect.SUCCEEDS)
        )


def _honest_pair(room: Room) -> tuple[Deal, Deal]:
    payer = room.person("accuser")
    return room.deal(room.worker("honest"), payer), room.deal(room.worker("neighbour"), payer)


def _accusations(
    room: Room, deal: Deal, batch: Batch, sale: Sale, following: Sale, foreign: Sale
) -> list[Call]:
    """The same receipt, another answer's, one that the payer signed itself, another worker's, another chain's, another name's."""
    worker, mine = deal.worker.public, (sale.receipt, sale.receipt_signature)
    changed: Receipt = replace(sale.receipt, n_prompt=sale.receipt.n_prompt + 1)
    self_signed = room.sign("receipt", changed.encode(), deal.payer)
    other_chain = deal.worker.sign(proof.signing_bytes("receipt", bytes(32), changed.encode()))
    other_name = room.sign("request", changed.encode(), deal.worker)
    pairs = [
        (sale.receipt, sale.receipt_signature),
        (following.receipt, following.receipt_signature),
        (changed, self_signed),
        (changed, sale.receipt_signature),
        (changed, other_chain),
        (changed, other_name),
        (foreign.receipt, foreign.receipt_signature),
    ]
    calls = [spot_checks.report_equivocation(worker, *mine, *pair) for pair in pairs]
    signed = [(s.receipt, s.receipt_signature) for s in (sale, following)]
    place = (worker, batch.epoch, 0, batch.placed[0], batch.segment_proof(0))
    calls += [spot_checks.report_segment(*place, part) for part in (signed, signed[:1], signed[::-1])]
    proven = (sale.receipt, batch.receipt_proof(0, 0))
    calls += [spot_checks.report_committed(*place, *proven, *pair) for pair in pairs]
    return calls
