"""The daemon that checks answers, and the same check offline for anyone. Runs without torch.

    Validator(config, client, signer, [files]).serve(stop)      the daemon (`daemon.py`)
    verify_bundle(load_bundle(path), files) -> Report           one receipt file (`verify.py`)
    Reference(files, spec).leaves(...) -> [Leaf]                what an honest worker's leaves would have been
    spec_of(files) -> ServiceSpec                               what a model directory is registered as
    report(observed), fit(answers, numerics) -> Calibration     thresholds (`calibrate/`)

One audit: `duties` (what is due) -> `auditor` (find: `fetch`, `material`, `reference`) -> `store` (keep) -> `duties` (commit, reveal);
`challenges` takes up what was seen at positions that were not drawn (`exceptions`). `beacon` gives a validator's shares of the
public randomness. Errors: `errors.py`.

What is not an error is imported when it is first used: a worker wants little of this package, and not its daemon.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import (
    BundleError,
    CalibrationError,
    FetchError,
    ModelMismatch,
    ReferenceFailed,
    StoreError,
    VerifierError,
    Withheld,
)

if TYPE_CHECKING:
    from .bundle import Bundle, load_bundle, parse_bundle
    from .calibrate.floor import floor_calibration
    from .config import ValidatorConfig
    from .daemon import Validator
    from .graph import build_graph, graph_hash
    from .material import Check, Material
    from .reference import Reference, check_spec, spec_of
    from .report import Report
    from .verify import ChainFacts, verify_bundle

_FOUND_IN = {
    "Bundle": "bundle",
    "ChainFacts": "verify",
    "Check": "material",
    "Material": "material",
    "Reference": "reference",
    "Report": "report",
    "Validator": "daemon",
    "ValidatorConfig": "config",
    "build_graph": "graph",
    "check_spec": "reference",
    "floor_calibration": "calibrate.floor",
    "graph_hash": "graph",
    "load_bundle": "bundle",
    "parse_bundle": "bundle",
    "spec_of": "reference",
    "verify_bundle": "verify",
}

__all__ = [
    "Bundle",
    "BundleError",
    "CalibrationError",
    "ChainFacts",
    "Check",
    "FetchError",
    "Material",
    "ModelMismatch",
    "Reference",
    "ReferenceFailed",
    "Report",
    "StoreError",
    "Validator",
    "ValidatorConfig",
    "VerifierError",
    "Withheld",
    "build_graph",
    "check_spec",
    "floor_calibration",
    "graph_hash",
    "load_bundle",
    "parse_bundle",
    "spec_of",
    "verify_bundle",
]


def __getattr__(name: str) -> Any:
    if name in _FOUND_IN:
        return getattr(import_module(f"{__name__}.{_FOUND_IN[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
