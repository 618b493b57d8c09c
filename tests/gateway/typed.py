"""The committed runtime's types: plain values as the typed ones that generated code reads, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmnet.chain import Call, Runtime, RuntimeVersion, ViewFunction, parse_metadata

METADATA = Path(__file__).parents[2] / "runtime_spec" / "artifacts" / "metadata_v16.scale"
RUNTIME = Runtime(parse_metadata(METADATA.read_bytes()), RuntimeVersion("llmnet", 1, 1, 1))


def answer(function: ViewFunction[Any], args: Mapping[str, Any], plain: Any) -> Any:
    """What the view function gives when the chain's answer is `plain`; arguments that do not fit are an error."""
    found = RUNTIME.bound.view_function(function)
    RUNTIME.encode_inputs(found, dict(args))
    return RUNTIME.bound.codec(function.entry.types).decode(
        found.output, RUNTIME.codec.encode(found.output, plain)
    )


def from_block(call: Call) -> Call:
    """A call as it comes back from a block: plain values."""
    return RUNTIME.decode_call(RUNTIME.encode_call(call))
