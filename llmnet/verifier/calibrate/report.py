"""What thresholds are worth: fitted on one part of the answers, judged on the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmnet.proof import Calibration, tolerance
from llmnet.proof.scoring import MARGIN_FAIL
from llmnet.verifier.calibrate.alarm import Alarm, false_alarm
from llmnet.verifier.calibrate.fit import LEAST_ANSWERS, Method, fit, noisier
from llmnet.verifier.calibrate.histories import Histories, in_sequence, resample
from llmnet.verifier.calibrate.judge import Audited, drawn, every_audit, margin_evidence, seed_of
from llmnet.verifier.calibrate.lengths import Length, by_tokens
from llmnet.verifier.calibrate.observed import Observation, Observed
from llmnet.verifier.calibrate.split import Halves, by_form, by_length, by_prompt, kind_of
from llmnet.verifier.calibrate.statistics import Rate, design_effect
from llmnet.verifier.errors import CalibrationError

TAUS = (0.005, 0.01, 0.02, 0.05, 0.10, 0.15, 0.25, 0.50)
POSITION_BANDS = ((0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128))
PROMPT_BANDS = ((0, 32), (32, 64), (64, 256), (256, 2048))
_ONE = 65536  # of Q16.16


@dataclass(frozen=True, slots=True)
class Exceedance:
    """Held-out positions at or above a threshold, by the worse of logits and hidden state, and how they cluster.

    `clustering`: variance of an answer's count over that of independent positions.
    """

    level: str
    rate: Rate
    clustering: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """One row, and what it does to answers that it has not seen.

    `slashed`, `highest`: all held-out answers in order as those of one worker, and its highest sum (1/256 nat).
    """

    how: str
    method: Method
    row: Calibration
    fitted: int
    held_out: int
    exceedances: tuple[Exceedance, ...]
    failed: Rate
    misses: Rate
    slashed: bool
    highest: int
    alarm: Alarm
    histories: Histories


@dataclass(frozen=True, slots=True)
class Crossed:
    """All answers, each judged by the row that was fitted on the other half.

    `strained`: the same with squared distances as of a noisier machine that nobody measured.
    `highest`: as those of one worker, in order (1/256 nat). `hardest`: the kind of prompt with the most false slashes an
    audit, if a worker were asked nothing else, and that rate.
    """

    failed: Rate
    slashed: bool
    highest: int
    alarm: Alarm
    strained: Alarm
    hardest: str
    hardest_rate: float


@dataclass(frozen=True, slots=True)
class Band:
    """Positions `start` to `end` (exclusive), of an answer or by the length of the prompt: distances and exceedance of q99."""

    start: int
    end: int
    logit_median: int
    logit_q99: int
    above: Rate


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Tokens whose deficit is above a tolerance (nat), and answers that would be fined for them in an audit."""

    tau: float
    misses: Rate
    fined: Rate


@dataclass(frozen=True, slots=True)
class Report:
    """All about the calibration of one class."""

    observed: Observed
    chosen: Judgement
    others: tuple[Judgement, ...]
    crossed: Crossed
    by_position: tuple[Band, ...]
    by_prompt: tuple[Band, ...]
    tolerances: tuple[Tolerance, ...]
    largest_deficit: float
    by_tokens: tuple[Length, ...]
    strained_by_tokens: tuple[Length, ...]

    @property
    def row(self) -> Calibration:
        """What is to be registered."""
        return self.chosen.row

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        observed = self.observed
        return {
            "spec": "0x" + observed.spec_id.hex(),
            "model": observed.model,
            "numerics": observed.numerics.name,
            "machine": observed.machine,
            "made_by": observed.made_by,
            "answers": len(observed.answers),
            "positions": observed.positions,
            "row": asdict(self.row),
            "judgements": [_judgement_json(one) for one in (self.chosen, *self.others)],
            "crossed": _crossed_json(self.crossed),
            "by_position": [_with_rates(band) for band in self.by_position],
            "by_prompt": [_with_rates(band) for band in self.by_prompt],
            "tolerances": [_with_rates(one) for one in self.tolerances],
            "largest_deficit": self.largest_deficit,
            "by_tokens": [asdict(one) for one in self.by_tokens],
            "strained_by_tokens": [asdict(one) for one in self.strained_by_tokens],
        }


def report(observed: Observed, *, workers: int = 10_000, pools: int = 100) -> Report:
    """Fit, judge and measure. Raises CalibrationError for too few answers."""
    answers = observed.answers
    halves = by_prompt(answers)
    exchanged = Halves("by prompt, halves exchanged", halves.held_out, halves.fitted)

    def judged(sides: Halves, method: Method = Method.SAFE, fewer: int = 5) -> Judgement:
        return judgement(observed, sides, method, workers=-(-workers // fewer), pools=-(-pools // fewer))

    chosen = judged(halves, fewer=1)
    others = [judged(exchanged), judged(halves, Method.NOMINAL), judged(halves, Method.UPPER)]
    others += [judged(sides) for sides in _harder(answers)]
    deficits = [found for answer in answers for found in answer.deficit if found is not None]
    sides = [(halves.held_out, chosen.row), (halves.fitted, others[0].row)]
    return Report(
        observed,
        chosen,
        tuple(others),
        _crossed(halves, chosen.row, others[0].row),
        _bands(answers, chosen.row, POSITION_BANDS, lambda answer: range(len(answer))),
        _bands(answers, chosen.row, PROMPT_BANDS, lambda answer: [answer.prompt_tokens] * len(answer)),
        tuple(_tolerance(answers, tau) for tau in TAUS),
        max(deficits, default=0) / _ONE,
        by_tokens(sides),
        by_tokens([(noisier(side), row) for side, row in sides]),
    )


def _harder(answers: Sequence[Observation]) -> list[Halves]:
    """The harder splits, as far as there are answers of both sides."""
    found = []
    for split in (by_form, by_length):
        try:
            found.append(split(answers))
        except CalibrationError:
            continue
    return [sides for sides in found if len(sides.fitted) >= LEAST_ANSWERS]


def judgement(
    observed: Observed,
    halves: Halves,
    method: Method = Method.SAFE,
    *,
    workers: int = 10_000,
    pools: int = 100,
) -> Judgement:
    """Fit on one side, judge on the other."""
    row = fit(halves.fitted, observed.numerics, method=method)
    audits = every_audit(halves.held_out, row)
    slashed, *highest = in_sequence([found for one in audits for found in one])
    return Judgement(
        halves.how,
        method,
        row,
        len(halves.fitted),
        len(halves.held_out),
        exceedances(halves.held_out, row),
        Rate(sum(one[0].failed for one in audits), len(audits)),
        _missed(halves.held_out, row.tau_sample),
        slashed,
        max(highest),
        false_alarm(audits),
        resample(audits, workers=workers, pools=pools),
    )


def _crossed(halves: Halves, row: Calibration, other: Calibration) -> Crossed:
    audits = [*every_audit(halves.held_out, row), *every_audit(halves.fitted, other)]
    strained = [*every_audit(noisier(halves.held_out), row), *every_audit(noisier(halves.fitted), other)]
    answers = [*halves.held_out, *halves.fitted]
    kinds: dict[str, list[list[Audited]]] = {}
    for answer, found in zip(answers, audits, strict=True):
        kinds.setdefault(kind_of(answer), []).append(found)
    rates = {kind: false_alarm(found, draws=0).rate for kind, found in sorted(kinds.items())}
    hardest = max(rates, key=lambda kind: rates[kind])
    slashed, *highest = in_sequence([found for one in audits for found in one])
    failed = Rate(sum(one[0].failed for one in audits), len(audits))
    alarms = false_alarm(audits), false_alarm(strained)
    return Crossed(failed, slashed, max(highest), *alarms, hardest, rates[hardest])


def exceedances(answers: Sequence[Observation], row: Calibration) -> tuple[Exceedance, ...]:
    """At q95, q99, 1.25 q99 (what the fine looks at) and 2 q99."""
    levels = (
        ("q95", row.logit_q95, row.hidden_q95),
        ("q99", row.logit_q99, row.hidden_q99),
        ("1.25 q99", row.logit_q99 * 5 // 4 + 1, row.hidden_q99 * 5 // 4 + 1),
        ("2 q99", 2 * row.logit_q99, 2 * row.hidden_q99),
    )
    sizes = [len(answer) for answer in answers]
    found = []
    for level, logit, hidden in levels:
        counts = [int(_over(answer, logit, hidden).sum()) for answer in answers]
        found.append(Exceedance(level, Rate(sum(counts), sum(sizes)), design_effect(counts, sizes)))
    return tuple(found)


def _over(answer: Observation, logit: int, hidden: int) -> NDArray[np.bool_]:
    over: NDArray[np.bool_] = (np.asarray(answer.logit) >= logit) | (np.asarray(answer.hidden) >= hidden)
    return over


def _bands(
    answers: Sequence[Observation],
    row: Calibration,
    bands: Sequence[tuple[int, int]],
    places: Callable[[Observation], Sequence[int]],
) -> tuple[Band, ...]:
    place = np.concatenate([np.asarray(places(answer)) for answer in answers])
    logit = np.concatenate([np.asarray(answer.logit, np.int64) for answer in answers])
    over = np.concatenate([_over(answer, row.logit_q99, row.hidden_q99) for answer in answers])
    found = []
    for start, end in bands:
        inside = (place >= start) & (place < end)
        if inside.any():
            median, high = np.quantile(logit[inside], [0.5, 0.99], method="inverted_cdf")
            rate = Rate(int(over[inside].sum()), int(inside.sum()))
            found.append(Band(start, end, int(median), int(high), rate))
    return tuple(found)


def _missed(answers: Sequence[Observation], tau: int) -> Rate:
    """Tokens above the tolerance (Q16.16), of those that are looked at."""
    missed = [
        found > tolerance(tau, answer.temperature)
        for answer in answers
        for found in answer.deficit
        if found is not None
    ]
    return Rate(sum(missed), len(missed))


def _tolerance(answers: Sequence[Observation], tau: float) -> Tolerance:
    limit = round(tau * _ONE)
    evidence = [margin_evidence(answer, limit, drawn(answer, seed_of(answer, 0)))[0] for answer in answers]
    fined = sum(found >= MARGIN_FAIL for found in evidence)
    return Tolerance(tau, _missed(answers, limit), Rate(fined, len(answers)))


def _crossed_json(one: Crossed) -> dict[str, Any]:
    return {**_with_rates(one), "alarm": asdict(one.alarm), "strained": asdict(one.strained)}


def _judgement_json(one: Judgement) -> dict[str, Any]:
    return {
        "how": one.how,
        "method": one.method.value,
        "row": asdict(one.row),
        "fitted": one.fitted,
        "held_out": one.held_out,
        "exceedances": [_with_rates(found) for found in one.exceedances],
        "failed": one.failed.as_json(),
        "misses": one.misses.as_json(),
        "slashed": one.slashed,
        "highest": one.highest,
        "alarm": asdict(one.alarm),
        "histories": {
            "audits": one.histories.lengths,
            "slashed": [rate.as_json() for rate in one.histories.slashed],
            "worst": one.histories.worst,
        },
    }


def _with_rates(value: Exceedance | Band | Tolerance | Crossed) -> dict[str, Any]:
    fields = {name: getattr(value, name) for name in type(value).__dataclass_fields__}
    return {name: found.as_json() if isinstance(found, Rate) else found for name, found in fields.items()}
