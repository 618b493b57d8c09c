"""The strategies of `tests/proof` and `tests/chain`, joined: random values of the chain's types that hold valid proof objects."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from llmnet.chain.codec import TypeCodec
from llmnet.chain.registry import TypeRegistry

from .neighbours import neighbour

_proof, _chain = neighbour("proof", "strategies"), neighbour("chain", "strategies")
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
    codec = TypeCodec(types)

    class ValidValues(_chain.Values):  # type: ignore[name-defined, misc]
        def _build(self, type_id: int) -> st.SearchStrategy[Any]:
            path = types[type_id].path
            if path[:2] == ("llmnet_primitives", "types") and path[-1] in _VALID:
                valid: st.SearchStrategy[Any] = _VALID[path[-1]].map(
                    lambda value: codec.decode(type_id, value.encode())
                )
                return valid
            other: st.SearchStrategy[Any] = super()._build(type_id)
            return other

    return ValidValues(types)
