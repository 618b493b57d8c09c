"""The strategies of `tests/proof` and `tests/chain`, joined: random values of the chain's types that hold valid proof objects."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import strategies as st

from llmnet.chain.registry import TypeRegistry
from llmnet.pallets._convert import to_chain


def _neighbour(package: str) -> ModuleType:
    """`tests/PACKAGE/strategies.py`; the folders of `tests` are packages of their own, not parts of one."""
    path = Path(__file__).parents[1] / package / "strategies.py"
    spec = importlib.util.spec_from_file_location(f"strategies_of_{package}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_proof, _chain = _neighbour("proof"), _neighbour("chain")
SPECS, CALIBRATIONS, LEAVES = _proof.SPECS, _proof.CALIBRATIONS, _proof.LEAVES
RECEIPTS, SEGMENTS, PLACED = _proof.RECEIPTS, _proof.SEGMENTS, _proof.PLACED
_VALID = {
    "ServiceSpec": SPECS,
    "Calibration": CALIBRATIONS,
    "Leaf": LEAVES,
    "Receipt": RECEIPTS,
    "Segment": SEGMENTS,
    "PlacedSegment": PLACED,
}


def chain_values(types: TypeRegistry) -> Any:
    """`of(type id)` gives plain values of the type; specs, receipts and the like are such as the chain lets in."""

    class ValidValues(_chain.Values):  # type: ignore[name-defined, misc]
        def _build(self, type_id: int) -> st.SearchStrategy[Any]:
            path = types[type_id].path
            if path[:2] == ("llmnet_primitives", "types") and path[-1] in _VALID:
                valid: st.SearchStrategy[Any] = _VALID[path[-1]].map(to_chain)
                return valid
            other: st.SearchStrategy[Any] = super()._build(type_id)
            return other

    return ValidValues(types)
