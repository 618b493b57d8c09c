"""The story of one answer, told from the chain: session, batch, audit, evidence, verdict, money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmnet import proof
from llmnet.chain import ChainError, Client, Event, View, variant_name
from llmnet.pallets import registry, sessions, spot_checks
from llmnet.pallets.sessions import Session
from llmnet.pallets.spot_checks import Audit, Member
from llmnet.proof import Calibration, Receipt, ServiceSpec

from .bundle import Bundle
from .errors import UnknownSession
from .offers import spec_name
from .second_looks import disorder, review_facts
from .trail import MAX_BLOCKS, Trail, calls, opened_leaves, references_of, sort_out

_MONEY = {
    ("SpotChecks", "WorkerFined"),
    ("SpotChecks", "WorkerSlashed"),
    ("SpotChecks", "ReferenceRejected"),
    ("SpotChecks", "MissedDuty"),
    ("SpotChecks", "BatchSettled"),
    ("SpotChecks", "Overturned"),
    ("SpotChecks", "SlashTakenBack"),
    ("SpotChecks", "Jackpot"),
    ("SpotChecks", "LookedAway"),
    ("SpotChecks", "ReviewFiled"),
    ("Staking", "Restored"),
    ("Staking", "Reinstated"),
    ("Staking", "Fined"),
    ("Staking", "Slashed"),
    ("Sessions", "PaidFromPot"),
    ("Sessions", "Cleared"),
    ("Sessions", "Forfeited"),
    ("Sessions", "Claimed"),
    ("Sessions", "Closed"),
    ("Sessions", "Expired"),
}
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What the chain says now about an answer."""

    number: int
    index: int
    session: Session
    spec: ServiceSpec | None
    calibration: Calibration | None
    audit_number: int | None
    audit: Audit | None
    positions: tuple[int, ...]


async def explain(client: Client, session: int, index: int, bundle: Bundle | None = None) -> Facts:
    """Everything that is known of an answer as plain values; `narrate` makes sentences of it. Raises UnknownSession."""
    view = client.at()
    known = await _read(view, session, index, bundle)
    head = (await view.header()).number
    last = known.audit.outcome.block if known.audit and known.audit.outcome else head
    end = _closed_at(known.session)
    last = min(max(last, end or head), head)
    entries = await calls(client, known.session.opened_at, last)
    trail = sort_out(entries, known.session.worker, session, index, known.audit_number)
    reviews = [] if known.audit_number is None else await review_facts(view, known.audit_number)
    return {
        "session": _session_facts(known),
        "answer": _answer_facts(known, bundle),
        "batch": await _batch_facts(view, known, trail),
        "audit": _audit_facts(known),
        "evidence": _evidence(known, trail),
        "outcome": _outcome_facts(known),
        "reviews": reviews,
        "money": await _money(client, known, trail, reviews),
        "disorder": await disorder(view),
        "block": head,
        "searched_from": max(known.session.opened_at, last - MAX_BLOCKS + 1),
    }


async def _read(view: View, number: int, index: int, bundle: Bundle | None) -> Known:
    found = await sessions.session(view, number)
    if found is None:
        raise UnknownSession(f"session {number} does not exist on this chain, or is no longer kept")
    if bundle is not None and found.seed not in (None, bundle.session_seed):
        raise UnknownSession(
            f"the receipt is of another session {number}: this chain was reset, or is another one"
        )
    audit_number = await view.get(spot_checks.storage.AuditOf, (number, index))
    audit = None if audit_number is None else await spot_checks.audit(view, audit_number)
    positions = (
        () if audit_number is None or audit is None else await spot_checks.positions(view, audit_number)
    )
    spec = await registry.spec(view, found.spec_id)
    calibration = await registry.calibration(view, found.spec_id)
    return Known(number, index, found, spec, calibration, audit_number, audit, positions)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _session_facts(known: Known) -> Facts:
    found = known.session
    return {
        "number": known.number,
        "requester": _hex(found.requester),
        "worker": _hex(found.worker),
        "spec_id": _hex(found.spec_id),
        "model": None if known.spec is None else spec_name(known.spec),
        "price_in": str(found.price_in),
        "price_out": str(found.price_out),
        "escrow": str(found.escrow),
        "claimed": str(found.claimed),
        "status": found.status.VARIANT,
        "opened_at": found.opened_at,
        "expires_at": found.expires_at,
        "seed": None if found.seed is None else _hex(found.seed),
    }


def _answer_facts(known: Known, bundle: Bundle | None) -> Facts:
    shown = known.audit.answer if known.audit is not None else None
    receipt: Receipt | None = None
    price: int | None = None
    if shown is not None:
        receipt, price = shown.receipt, shown.price
    elif bundle is not None:
        receipt, price = bundle.receipt, bundle.price
    facts: Facts = {"index": known.index, "committed": known.index < known.session.next_index}
    if receipt is not None:
        facts |= {
            "receipt_hash": _hex(receipt.hash),
            "n_prompt": receipt.n_prompt,
            "n_out": receipt.n_out,
            "finish": receipt.finish.name.lower(),
            "price": str(price),
        }
    if bundle is not None:
        facts |= {
            "question": bundle.request.messages[-1].text if bundle.request.messages else "",
            "text": bundle.text,
            "same_receipt_on_chain": None if shown is None else shown.receipt == bundle.receipt,
        }
    return facts


async def _batch_facts(view: View, known: Known, trail: Trail) -> Facts | None:
    length = await view.constant(spot_checks.constants.EpochLength)
    for entry, segments in trail.batches:
        epoch = entry.block // length
        if known.audit is not None and epoch != known.audit.epoch:
            continue
        batch = await spot_checks.batch(view, known.session.worker, epoch)
        root = proof.batch_root(proof.place_segments(segments))
        if batch is not None and batch.root != root:
            continue  # a call that failed: another batch stands in that epoch
        return {
            "epoch": epoch,
            "block": entry.block,
            "root": _hex(root),
            "receipts": sum(segment.count for segment in segments),
            "amount": str(sum(segment.amount for segment in segments)),
            "state": None if batch is None else variant_name(batch.state),
            "drawn": None if batch is None else batch.drawn,
            "open_audits": None if batch is None else batch.pending,
        }
    return None


def _audit_facts(known: Known) -> Facts | None:
    audit = known.audit
    if audit is None:
        return None
    return {
        "number": known.audit_number,
        "epoch": audit.epoch,
        "ordinal": audit.ordinal,
        "stage": audit.stage.name.lower(),
        "deadline": audit.deadline,
        "positions": list(known.positions),
        "panel": [
            {
                "validator": _hex(member.validator),
                "commitment": _commitment_fact(member),
                "revealed": member.revealed,
            }
            for member in audit.panel
        ],
    }


def _commitment_fact(member: Member) -> str | None:
    """The hash that a validator committed to, "withheld", or None before it acted."""
    if member.commitment is None:
        return None
    commitment = spot_checks.committed_to(member)
    return member.commitment.VARIANT.lower() if commitment is None else _hex(commitment)


def _closed_at(session: Session) -> int | None:
    return sessions.status_block(session) if isinstance(session.status, sessions.StatusClosed) else None


def _outcome_facts(known: Known) -> Facts | None:
    outcome = None if known.audit is None else known.audit.outcome
    if outcome is None:
        return None
    return {
        "verdict": variant_name(outcome.verdict),
        "reason": variant_name(outcome.reason),
        "block": outcome.block,
        "position_evidence": outcome.evidence.position,
        "margin_evidence": outcome.evidence.margin,
        "position_total": outcome.total.position,
        "margin_total": outcome.total.margin,
    }


def _evidence(known: Known, trail: Trail) -> list[Facts] | None:
    """The evidence of each position, computed again from what worker and validators published. None if not published."""
    audit = known.audit
    if audit is None or audit.answer is None or known.spec is None or known.calibration is None:
        return None
    opened = opened_leaves(trail, audit.answer.receipt, known.positions)
    commitments = {
        member.validator: commitment
        for member in audit.panel
        if (commitment := spot_checks.committed_to(member)) is not None
    }
    references = references_of(trail, known.audit_number or 0, commitments)
    if opened is None or not references:
        return None
    answer = audit.answer
    try:
        judged = proof.judge(
            opened,
            references,
            known.calibration,
            known.spec,
            answer.request_seed,
            answer.receipt.temperature,
        )
    except proof.ProofError:
        return None
    return [
        {
            "position": score.position,
            "d2_logit": score.d2_logit,
            "d2_hidden": score.d2_hidden,
            "evidence": score.evidence,
            "margin": score.margin.name.lower(),
            "self_consistent": score.self_consistent,
            "token_matches": score.token_matches,
        }
        for score in judged.positions
    ]


async def _money(client: Client, known: Known, trail: Trail, reviews: list[Facts]) -> list[Facts] | None:
    """What the blocks of the verdict and of the claims say about money of those involved. None if a state is pruned."""
    blocks = {entry.block for entry in (*trail.claims, *trail.endings)}
    who = {known.session.worker, known.session.requester}
    if known.audit is not None:
        who |= {member.validator for member in known.audit.panel}
        if known.audit.outcome is not None:
            blocks.add(known.audit.outcome.block)
    blocks |= {review["block"] for review in reviews if review["block"] is not None}
    who |= {bytes.fromhex(account[2:]) for review in reviews for account in (review["by"], *review["panel"])}
    closed_at = _closed_at(known.session)
    if closed_at is not None:
        blocks.add(closed_at)
    found: list[Facts] = []
    try:
        for number in sorted(blocks):
            block_hash = await client.block_hash(number)
            if block_hash is None:
                continue  # still to come
            found += [
                moved(event)
                for event in await client.at(block_hash).events()
                if concerns(event, who, known.number)
            ]
    except ChainError:
        return None
    return found


def concerns(event: Event, who: set[bytes], session: int | None) -> bool:
    """Whether an event moves money in a session, or of one of these accounts."""
    if (event.pallet, event.name) not in _MONEY:
        return False
    if session is not None and "session" in event.fields:
        return bool(event.fields["session"] == session)
    return any(isinstance(value, bytes) and value in who for value in event.fields.values())


def moved(event: Event) -> Facts:
    """An event as plain values."""
    fields = {
        name: _hex(value)
        if isinstance(value, bytes)
        else str(value)
        if isinstance(value, int)
        else repr(value)
        for name, value in event.fields.items()
    }
    return {"block": event.block_number, "event": f"{event.pallet}.{event.name}", **fields}
