"""Decoding stays several times faster than scalecodec, on whatever machine this is: both are timed in one run."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from .conftest import load_ours


def ratios() -> ModuleType:
    """`bench/client/ratios.py`."""
    path = Path(__file__).parents[2] / "bench" / "client" / "ratios.py"
    spec = importlib.util.spec_from_file_location("bench_client_ratios", path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_metadata_accounts_and_events_are_decoded_five_times_faster_than_by_scalecodec() -> None:
    rows = ratios().measure(load_ours(14), rounds=2)
    assert len(rows) == 4
    for row in rows:
        assert row.ratio >= 5, row
