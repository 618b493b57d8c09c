"""A request's leaves on a GPU are the same however they were computed: its kernels do all of it, leaves included."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from llmnet.engine import Engine, GenerationRequest, LlamaModel, ModelFiles, service_spec
from llmnet.proof import Leaf, NumericsClass

DEVICE = "cuda"
WATCHED, OUTPUT = 9, 12
PROMPTS = [tuple((n * 29 + i * 11 + 3) % 274 for i in range(1 + n * 17)) for n in range(16)]

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.parametrize(
        "numerics", [NumericsClass.FP16, NumericsClass.BF16_FP32_RESIDUAL, NumericsClass.BF16]
    ),
]


def engine(files: ModelFiles, numerics: NumericsClass, **options: Any) -> Engine:
    model = LlamaModel.from_files(files, numerics, DEVICE)
    assert model.operators.reads_output
    return Engine(files, service_spec(files, bytes(32), numerics), model=model, **options)


def run(machine: Engine, numbers: list[int]) -> list[Leaf]:
    """Leaves of the watched request among `numbers`."""
    for number in numbers:
        request = GenerationRequest(f"r{number}", PROMPTS[number], 256, OUTPUT, bytes([number]) * 32)
        machine.add(request)
    leaves: list[Leaf] = []
    while len(machine):
        for output in machine.step():
            assert output.leaf is not None
            if output.request_id == f"r{WATCHED}":
                leaves.append(output.leaf)
        machine.check_integrity()
    assert len(leaves) == OUTPUT
    return leaves


def test_a_batch_gives_the_leaves_of_being_alone(tiny: ModelFiles, numerics: NumericsClass) -> None:
    alone = run(engine(tiny, numerics), [WATCHED])
    everybody = list(range(16))
    for options in ({}, {"graphs": False}, {"max_step_tokens": 29}, {"max_step_tokens": 2048}):
        assert run(engine(tiny, numerics, **options), everybody) == alone, options
    tight = engine(tiny, numerics, num_pages=9)
    assert run(tight, everybody) == alone
    assert tight.num_preemptions > 0


def test_a_warm_prefix_gives_the_leaves_of_a_cold_one(tiny: ModelFiles, numerics: NumericsClass) -> None:
    machine = engine(tiny, numerics)
    cold = run(machine, [WATCHED])
    assert machine.num_found == 0
    assert run(machine, [WATCHED]) == cold
    assert machine.num_found == 128


def test_one_prefill_gives_the_leaves_of_decoding(tiny: ModelFiles, numerics: NumericsClass) -> None:
    machine = engine(tiny, numerics)
    decoded = run(machine, [WATCHED])
    tokens = [leaf.token for leaf in decoded]
    for chunk in (5, 128):
        assert machine.score(PROMPTS[WATCHED], tokens, bytes([WATCHED]) * 32, chunk_tokens=chunk) == decoded


def test_a_wrong_number_in_a_page_would_be_seen(tiny: ModelFiles, numerics: NumericsClass) -> None:
    """The inverse: what is compared is fine enough."""
    machine = engine(tiny, numerics)
    cold = run(machine, [WATCHED])
    machine._cache.k[0, :, 3] *= 1.25
    assert run(machine, [WATCHED]) != cold
    assert machine.num_found == 128
