"""What an offline check found, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmnet.proof import Judgement, Margin, PositionScore, Verdict

from .material import Check

_MARKS = {True: "ok", False: "FAILED", None: "not checked"}


@dataclass(frozen=True, slots=True)
class Report:
    """`verdict` is "pass", "fail" or "incomplete": what the chain would say if this one reference were the panel's.

    "incomplete" means that nothing is wrong with what could be looked at. Distances are squared lane steps, evidence 1/256 nat.
    """

    session: int
    index: int
    verdict: str
    checks: tuple[Check, ...]
    judgement: Judgement | None
    thresholds: str

    @property
    def ok(self) -> bool:
        """Whether everything was looked at and is right."""
        return self.verdict == "pass"

    @property
    def faults(self) -> list[Check]:
        """What is wrong."""
        return [check for check in self.checks if check.ok is False]

    def to_json(self) -> dict[str, Any]:
        """The whole report as plain values."""
        judgement = self.judgement
        return {
            "session": self.session,
            "index": self.index,
            "verdict": self.verdict,
            "thresholds": self.thresholds,
            "checks": [{"name": item.name, "ok": item.ok, "detail": item.detail} for item in self.checks],
            "position_evidence": None if judgement is None else judgement.position_evidence,
            "margin_evidence": None if judgement is None else judgement.margin_evidence,
            "sprt": None if judgement is None else judgement.sprt.value,
            "positions": [] if judgement is None else [_row(row) for row in judgement.positions],
        }

    def table(self) -> str:
        """The report for a terminal."""
        width = max(len(check.name) for check in self.checks)
        lines = [f"Answer {self.index} of session {self.session}: {self.verdict.upper()}", ""]
        lines += [
            f"  {check.name:<{width}}  {_MARKS[check.ok]:<11}  {check.detail}".rstrip()
            for check in self.checks
        ]
        if self.judgement is not None:
            lines += ["", *_evidence(self.judgement, self.thresholds)]
        return "\n".join(lines)


def _row(row: PositionScore) -> dict[str, Any]:
    return {
        "position": row.position,
        "d2_logit": row.d2_logit,
        "d2_hidden": row.d2_hidden,
        "evidence": row.evidence,
        "margin": row.margin.name.lower(),
        "self_consistent": row.self_consistent,
        "token_matches": row.token_matches,
    }


def _evidence(judgement: Judgement, thresholds: str) -> list[str]:
    rows = judgement.positions
    misses = sum(row.margin is Margin.MISS for row in rows)
    odd = [row for row in rows if row.evidence > 0 or row.margin is Margin.MISS or not row.self_consistent]
    lines = [
        f"  {len(rows)} positions against the reference ({thresholds})",
        f"  largest squared distance: logits {max(row.d2_logit for row in rows)}, hidden {max(row.d2_hidden for row in rows)}",
        f"  position evidence {judgement.position_evidence / 256:+.2f} nat, margin evidence "
        f"{judgement.margin_evidence / 256:+.2f} nat ({misses} misses), sequential test {judgement.sprt.value}",
    ]
    if odd:
        lines += ["", "  position  d2 logits  d2 hidden  evidence  margin       token from leaf"]
        lines += [
            f"  {row.position:>8}  {row.d2_logit:>9}  {row.d2_hidden:>9}  {row.evidence / 256:>+8.2f}  "
            f"{row.margin.name.lower():<11}  {'yes' if row.self_consistent else 'NO'}"
            for row in odd[:16]
        ]
        if len(odd) > 16:
            lines.append(f"  and {len(odd) - 16} more")
    return lines


def verdict_word(checks: tuple[Check, ...], judgement: Judgement | None) -> str:
    """The word for all of it: one fault fails, a missing part leaves it incomplete."""
    failed = any(check.ok is False for check in checks)
    if failed or (judgement is not None and judgement.verdict is Verdict.FAIL):
        return "fail"
    return "incomplete" if judgement is None or any(check.ok is None for check in checks) else "pass"
