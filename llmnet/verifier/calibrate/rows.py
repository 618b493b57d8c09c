"""Rows that were measured and come with the package, by the spec that they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from importlib.resources import files
from typing import Any

from llmnet.proof import Calibration
from llmnet.verifier.calibrate.floor import FOREVER
from llmnet.verifier.calibrate.report import Report


@cache
def _rows() -> Mapping[bytes, Calibration]:
    folder = files(__package__) / "rows"
    found = [json.loads(entry.read_text()) for entry in folder.iterdir() if entry.name.endswith(".json")]
    return {bytes.fromhex(one["spec"].removeprefix("0x")): Calibration(**one["row"]) for one in found}


def measured_row(spec_id: bytes, *, expires_at: int = FOREVER) -> Calibration | None:
    """The row of a spec that was measured for it, if one is known."""
    row = _rows().get(spec_id)
    return None if row is None else replace(row, expires_at=expires_at)


def row_file(report: Report) -> dict[str, Any]:
    """What a file of `rows/` holds: the row, and of what it is."""
    observed = report.observed
    return {
        "spec": "0x" + observed.spec_id.hex(),
        "model": observed.model,
        "numerics": observed.numerics.name,
        "machine": observed.machine,
        "made_by": observed.made_by,
        "row": asdict(report.row),
    }
