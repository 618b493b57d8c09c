"""How far the leaves of honest workers are from the reference, and the thresholds that follow.

Observed     Observation (one answer, every position), Observed (all of one spec); save(observed, path), load(path)
Halves       by_prompt(answers), by_form(answers), by_length(answers) -> Halves(how, fitted, held_out)
Fitted       fit(answers, numerics, method=…) -> Calibration; floor_calibration(numerics): the least of a class
             measured_row(spec_id): a row that comes with the package
Judged       audit(answer, row, seed) -> Audited; against(answer, row); most_deviating(answers, row, count) -> ids
             in_sequence(audits); resample(audits) -> Histories; false_alarm(audits) -> Alarm
             by_tokens(sides) -> Length, Length, ...: what tokens say in answers longer than those recorded
             report(observed) -> Report: everything above, with intervals (`statistics.py`)
Shown        tables(reports), page(reports) Markdown; draw(reports, path) a picture

Quantiles of one machine say nothing about others: thresholds that are to hold for a network need answers from several,
which `merge` brings together.
"""

from __future__ import annotations

from llmnet.verifier.calibrate.alarm import Alarm, false_alarm
from llmnet.verifier.calibrate.fit import TARGET, Method, fit
from llmnet.verifier.calibrate.floor import FLOOR, FOREVER, TAU, floor_calibration, tau_of
from llmnet.verifier.calibrate.histories import Histories, in_sequence, resample
from llmnet.verifier.calibrate.judge import (
    Audited,
    against,
    audit,
    audit_at,
    every_audit,
    most_deviating,
    positions_of,
)
from llmnet.verifier.calibrate.lengths import Length, by_tokens
from llmnet.verifier.calibrate.observed import Observation, Observed, load, merge, save
from llmnet.verifier.calibrate.page import page, tables
from llmnet.verifier.calibrate.plot import draw
from llmnet.verifier.calibrate.report import Judgement, Report, judgement, report
from llmnet.verifier.calibrate.rows import measured_row, row_file
from llmnet.verifier.calibrate.split import Halves, by_form, by_length, by_prompt
from llmnet.verifier.calibrate.statistics import Rate, design_effect, quantile, quantile_above, wilson

__all__ = [
    "FLOOR",
    "FOREVER",
    "TARGET",
    "TAU",
    "Alarm",
    "Audited",
    "Halves",
    "Histories",
    "Judgement",
    "Length",
    "Method",
    "Observation",
    "Observed",
    "Rate",
    "Report",
    "against",
    "audit",
    "audit_at",
    "by_form",
    "by_length",
    "by_prompt",
    "by_tokens",
    "design_effect",
    "draw",
    "every_audit",
    "false_alarm",
    "fit",
    "floor_calibration",
    "in_sequence",
    "judgement",
    "load",
    "measured_row",
    "merge",
    "most_deviating",
    "page",
    "positions_of",
    "quantile",
    "quantile_above",
    "report",
    "resample",
    "row_file",
    "save",
    "tables",
    "tau_of",
    "wilson",
]
