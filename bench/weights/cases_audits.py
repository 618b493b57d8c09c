"""Spot checks: the calls."""

from __future__ import annotations

from collections.abc import Sequence

from bench.weights import answers
from bench.weights.cases_market import SESSION, session
from bench.weights.court import (
    AUDIT,
    CALM,
    GUILTY,
    REVIEW,
    SALT,
    SEED,
    SEGMENTS,
    Court,
    commitments,
    plain_leaf,
    sealed_answer,
)
from bench.weights.lab import Lab, Piece, Sent, calls, dearest
from bench.weights.measure import Measured
from bench.weights.scene import UNIT
from llmnet import proof
from llmnet.chain import Keypair
from llmnet.pallets import spot_checks
from llmnet.proof import Leaf, Receipt, Segment

FAR = 20_000  # lane steps: no honest leaf
SPREAD = [place * (answers.N_OUT // answers.POSITIONS) for place in range(answers.POSITIONS)]


def _commit_batch(lab: Lab, segments: int) -> Sent:
    """Of a worker that comes back; each segment of a session of its own."""
    court = Court(lab, CALM, removed=True)
    court.put("SpotChecks", "StrikesServed", (court.worker.public,), 0)
    court.put("SpotChecks", "Slashes", (court.worker.public,), {"to_treasury": UNIT, "forfeited": UNIT})
    court.put("Sessions", "Barred", (court.worker.public,), ())
    waiting = [{"epoch": court.epoch - 2 - 2 * number, "amount": UNIT} for number in range(31)][::-1]
    court.put("Sessions", "Uncleared", (court.worker.public,), waiting)
    turns = [{"epoch": waiting[0]["epoch"] - 1 + place, "amount": 1} for place in range(63)]
    found = []
    for number in range(SESSION, SESSION + segments):
        session(court, court.worker.public, court.requester.public, number, committed=UNIT)
        court.put("Sessions", "Unclaimed", (number,), turns)
        found.append(Segment(number, 0, 1, proof.blake2b_256(bytes([number % 256])), UNIT // 1_000))
    return court, spot_checks.commit_batch(found), court.worker


def _open_receipt(lab: Lab, _: int) -> Sent:
    court = Court(lab, CALM)
    found = answers.receipt(SESSION, 0, b"\1" * 32)
    root, placed, segment_path, receipt_path = sealed_answer(found)
    court.batch(root)
    court.audit("Drawn", court.validators[:3])
    return court, spot_checks.open_receipt(AUDIT, placed, segment_path, found, receipt_path), court.worker


def _commit_reference(lab: Lab, _: int) -> Sent:
    court = Court(lab, CALM)
    court.audit("ReceiptOpened", court.validators[:5], receipt=answers.receipt(SESSION, 0, b"\1" * 32))
    return court, spot_checks.commit_reference(AUDIT, b"\2" * 32), court.validators[0]


def _open_leaves(lab: Lab, count: int) -> Sent:
    """Of a challenge, which can name any number of positions."""
    court = Court(lab, CALM)
    found = answers.leaves(SPREAD[:count])
    root, path = answers.opened(answers.N_OUT, SPREAD[:count], [one.encode() for one in found])
    panel = court.validators[:3]
    court.review("Challenge", panel[0], SPREAD[:count])
    committed = commitments(REVIEW, panel, answers.references(found, 3))
    receipt = answers.receipt(SESSION, 0, root)
    court.audit("Referenced", panel, number=REVIEW, receipt=receipt, committed=committed)
    return court, spot_checks.open_leaves(REVIEW, found, path), court.worker


def _reveal_reference(lab: Lab, count: int) -> Sent:
    """Not the last of five."""
    court = Court(lab, CALM)
    found, panel = answers.leaves(SPREAD[:count]), court.validators[:5]
    court.review("Appeal", court.worker, SPREAD[:count])
    references = answers.references(found, 5)
    committed = commitments(REVIEW, panel, references)
    receipt = answers.receipt(SESSION, 0, b"\1" * 32)
    court.audit("LeavesOpened", panel, number=REVIEW, receipt=receipt, committed=committed)
    return court, spot_checks.reveal_reference(REVIEW, references[0], SALT), panel[0]


def judged(
    court: Court, number: int, panel: Sequence[Keypair], *, offset: int, revealed: int, liars: int = 0
) -> list[Leaf]:
    """An audit whose leaves are open, `revealed` of the panel's references too. Returns the last member's reference."""
    positions = proof.draw_positions(SEED, answers.N_OUT)
    references = answers.references(answers.leaves(positions), len(panel), liars)
    committed = commitments(number, panel, references)
    receipt = answers.receipt(SESSION, 0, b"\1" * 32)
    court.audit("LeavesOpened", panel, number=number, receipt=receipt, committed=committed, revealed=revealed)
    court.references(number, panel, references[:revealed])
    opened = [plain_leaf(one) for one in answers.leaves(positions, offset)]
    court.put("SpotChecks", "OpenedLeaves", (number,), opened)
    court.put("SpotChecks", "PutOff", (number,), 1)
    return references[-1]


def _last_reveal(lab: Lab, evidence: dict[str, int], *, offset: int, liars: int = 0) -> Sent:
    """The last reference of a first audit, whose batch is settled or forfeited with it."""
    court = Court(lab, evidence)
    court.batch()
    panel = court.validators[:3]
    last = judged(court, AUDIT, panel, offset=offset, revealed=2, liars=liars)
    return court, spot_checks.reveal_reference(AUDIT, last, SALT), panel[2]


def _last_of_review(lab: Lab, kind: str, *, offset: int, removed: bool = False, liars: int = 0) -> Sent:
    """The last reference of a review; with `removed`, of a worker whose slash may be taken back."""
    court = Court(lab, CALM if removed else GUILTY, removed=removed)
    court.batch()
    first, panel = court.validators[5:8], court.validators[:5]
    verdict = ("Failed", "Positions") if kind == "Appeal" else ("Passed", "Clean")
    receipt = answers.receipt(SESSION, 0, b"\1" * 32)
    court.audit("Decided", first, receipt=receipt, outcome=court.outcome(*verdict))
    court.record(first)
    if removed:
        court.replaced_scores()
    if kind == "Challenge":
        panel = first
    court.review(kind, {"Appeal": court.worker, "Plant": court.requester, "Challenge": first[0]}[kind])
    last = judged(court, REVIEW, panel, offset=offset, revealed=len(panel) - 1, liars=liars)
    return court, spot_checks.reveal_reference(REVIEW, last, SALT), panel[-1]


def verdicts(lab: Lab) -> list[Sent]:
    """Calls that bring about a verdict and no slash."""
    return [
        _last_reveal(lab, CALM, offset=0),
        _last_reveal(lab, CALM, offset=FAR),
        _last_of_review(lab, "Appeal", offset=FAR),
        _last_of_review(lab, "Plant", offset=FAR),
        _last_of_review(lab, "Plant", offset=0),
        _last_reveal(lab, CALM, offset=FAR, liars=1),
        _last_of_review(lab, "Plant", offset=FAR, liars=2),
    ]


def slashes(lab: Lab) -> list[Sent]:
    """Calls that bring about a slash or take one back."""
    return [
        _last_reveal(lab, GUILTY, offset=FAR),
        _last_of_review(lab, "Challenge", offset=FAR),
        _last_of_review(lab, "Appeal", offset=0, removed=True),
        _last_of_review(lab, "Appeal", offset=0, removed=True, liars=2),
    ]


def _dearest_of(lab: Lab, sent: list[Sent]) -> Measured:
    return dearest([lab.call(one) for one in sent])


def _decision(lab: Lab, _: int) -> Measured:
    return _dearest_of(lab, verdicts(lab)).minus(lab.call(_reveal_reference(lab, answers.POSITIONS)))


def _slash(lab: Lab, _: int) -> Measured:
    return _dearest_of(lab, slashes(lab)).minus(_dearest_of(lab, verdicts(lab)))


def _signed(lab: Lab, court: Court, found: Receipt) -> bytes:
    return court.worker.sign(proof.signing_bytes("receipt", lab.stage.genesis_hash, found.encode()))


def _report_equivocation(lab: Lab, _: int) -> Sent:
    court = Court(lab, GUILTY)
    both = [answers.receipt(SESSION, 0, bytes([part]) * 32) for part in (1, 2)]
    first, second = ((found, _signed(lab, court, found)) for found in both)
    call = spot_checks.report_equivocation(court.worker.public, *first, *second)
    return court, call, court.requester


def _report_committed(lab: Lab, _: int) -> Sent:
    court = Court(lab, GUILTY)
    committed, signed = (answers.receipt(SESSION, 0, bytes([part]) * 32) for part in (1, 2))
    root, placed, segment_path, receipt_path = sealed_answer(committed)
    court.batch(root)
    call = spot_checks.report_committed(
        court.worker.public,
        court.epoch - 1,
        0,
        placed,
        segment_path,
        committed,
        receipt_path,
        signed,
        _signed(lab, court, signed),
    )
    return court, call, court.requester


def _report_segment(lab: Lab, count: int) -> Sent:
    court = Court(lab, GUILTY)
    found = [answers.receipt(SESSION, number, bytes([number + 1]) * 32) for number in range(count)]
    segment = Segment(SESSION, 0, count - 1, b"\1" * 32, UNIT)
    placed = proof.PlacedSegment(0, segment)
    root, path = answers.opened(SEGMENTS, [0], [placed.encode()])
    court.batch(root)
    signed = [(one, _signed(lab, court, one)) for one in found]
    call = spot_checks.report_segment(court.worker.public, court.epoch - 1, 0, placed, path, signed)
    return court, call, court.requester


def _report_opened(lab: Lab, _: int) -> Sent:
    court = Court(lab, GUILTY)
    opened, signed = (answers.receipt(SESSION, 0, bytes([part]) * 32) for part in (1, 2))
    court.audit("ReceiptOpened", court.validators[:3], receipt=opened)
    return court, spot_checks.report_opened(AUDIT, signed, _signed(lab, court, signed)), court.requester


def _decided(court: Court, verdict: str, reason: str) -> list[Keypair]:
    panel = court.validators[:3]
    receipt = answers.receipt(SESSION, 0, b"\1" * 32)
    court.batch(state="Settled", pending=0)
    court.audit("Decided", panel, receipt=receipt, outcome=court.outcome(verdict, reason))
    court.record(panel)
    return list(panel)


def _challenge(lab: Lab, _: int) -> Sent:
    court = Court(lab, CALM)
    panel = _decided(court, "Passed", "Clean")
    drawn = proof.draw_positions(SEED, answers.N_OUT)
    free = [place for place in range(1, 40) if place not in drawn][: answers.POSITIONS]
    return court, spot_checks.challenge(AUDIT, free), panel[0]


def _appeal(lab: Lab, _: int) -> Sent:
    court = Court(lab, CALM)
    _decided(court, "Failed", "Positions")
    return court, spot_checks.appeal(AUDIT), court.worker


def _set_planters(lab: Lab, _: int) -> Sent:
    court = Court(lab, CALM)
    return court, spot_checks.set_planters([keys.public for keys in court.validators[:16]]), lab.cast.root


def _set_audit_floor(lab: Lab, _: int) -> Sent:
    return Court(lab, CALM), spot_checks.set_audit_floor(1_000), lab.cast.root


def _plant(lab: Lab, _: int) -> Sent:
    court = Court(lab, CALM)
    court.put("SpotChecks", "PlantsOf", (court.requester.public,), 31)
    return court, spot_checks.plant(b"\3" * 32), court.requester


def _reveal_plant(lab: Lab, verdict: str, reason: str) -> Sent:
    """Of a removed worker whose slash is taken back, or of an answer that passed."""
    court = Court(lab, CALM, removed=verdict == "Failed")
    _decided(court, verdict, reason)
    if verdict == "Failed":
        court.replaced_scores()
    commitment = proof.plant_commitment(court.requester.public, SESSION, 0, court.worker.public, SALT)
    court.put("SpotChecks", "Plants", (commitment,), {"planter": court.requester.public, "round": 1})
    court.put("SpotChecks", "PlantsOf", (court.requester.public,), 31)
    return court, spot_checks.reveal_plant(AUDIT, SALT), court.requester


def _reveal_caught(lab: Lab, _: int) -> Sent:
    return _reveal_plant(lab, "Failed", "Positions")


def _reveal_missed(lab: Lab, _: int) -> Sent:
    return _reveal_plant(lab, "Passed", "Clean")


PIECES: tuple[Piece, ...] = (
    calls("spot_checks", "commit_batch", "`commit_batch` with `n` segments.", _commit_batch, n=(1, 64, 256)),
    calls("spot_checks", "open_receipt", "`open_receipt`.", _open_receipt),
    calls("spot_checks", "commit_reference", "`commit_reference` that decides nothing.", _commit_reference),
    calls("spot_checks", "open_leaves", "`open_leaves` with `n` leaves.", _open_leaves, n=(1, 4, 16)),
    calls(
        "spot_checks",
        "reveal_reference",
        "`reveal_reference` of `n` leaves that decides nothing.",
        _reveal_reference,
        n=(1, 4, 16),
    ),
    Piece("spot_checks", "decision", "A verdict and what follows, but for a slash.", _decision),
    Piece("spot_checks", "slash", "A slash for evidence, or one that is taken back.", _slash),
    calls("spot_checks", "report_equivocation", "`report_equivocation`.", _report_equivocation),
    calls("spot_checks", "set_audit_floor", "`set_audit_floor`.", _set_audit_floor),
    calls("spot_checks", "report_committed", "`report_committed`.", _report_committed),
    calls(
        "spot_checks", "report_segment", "`report_segment` with `n` receipts.", _report_segment, n=(1, 8, 32)
    ),
    calls("spot_checks", "report_opened", "`report_opened`.", _report_opened),
    calls("spot_checks", "challenge", "`challenge`, the review's beginning included.", _challenge),
    calls("spot_checks", "appeal", "`appeal`.", _appeal),
    calls("spot_checks", "set_planters", "`set_planters`.", _set_planters),
    calls("spot_checks", "plant", "`plant`.", _plant),
    calls(
        "spot_checks",
        "reveal_plant",
        "`reveal_plant`, with all that is taken back and paid.",
        _reveal_caught,
        _reveal_missed,
    ),
)
