"""The bits of today are those of yesterday: whoever changes an order of summation changes these lines on purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from llmnet.engine import Engine, GenerationRequest, ModelFiles, Output, service_spec
from llmnet.proof import NumericsClass, encode_leaves

PINNED = {
    NumericsClass.FP32: "099055e5de0a1670",
    NumericsClass.FP16: "e354e29e31655c17",
    NumericsClass.BF16_FP32_RESIDUAL: "c566188b0d6a0464",
    NumericsClass.BF16: "0811962e0fb8abbc",
}


@pytest.mark.parametrize("numerics", PINNED)
def test_leaves_are_the_pinned_ones(
    tiny: ModelFiles, drain: Callable[[Engine], dict[str, list[Output]]], numerics: NumericsClass
) -> None:
    """Three answers decoded together, which alters nothing, and one prefill."""
    engine = Engine(tiny, service_spec(tiny, bytes(32), numerics))
    for number in range(3):
        prompt = tuple((7 * number + 3 * j) % 274 for j in range(5 + 17 * number))
        engine.add(GenerationRequest(str(number), prompt, 256, 6 + number, bytes([number]) * 32))
    outputs, total = drain(engine), hashlib.sha256()
    for name in sorted(outputs):
        total.update(encode_leaves([output.leaf for output in outputs[name] if output.leaf is not None]))
    total.update(encode_leaves(engine.score(tuple(range(3, 60)), tuple(range(100, 130)), bytes(32))))
    assert total.hexdigest()[:16] == PINNED[numerics]
