"""An honest worker passes its self-test; each kind of cheat fails it, and is told why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llmnet.engine import (
    AsyncEngine,
    Engine,
    GenerationRequest,
    LlamaModel,
    ModelFiles,
    quantise_int8,
    skip_layer,
)
from llmnet.measure.errors import SelfTestFailed
from llmnet.measure.selftest import ANSWERS, Generate, Passed, SelfTest, required, self_test
from llmnet.proof import Leaf, NumericsClass, ServiceSpec
from llmnet.verifier.calibrate import floor_calibration
from llmnet.verifier.reference import Reference

ROW = floor_calibration(NumericsClass.FP32)
Forge = Callable[[tuple[Leaf, ...]], tuple[Leaf, ...]]


def outcome(engine: Engine, reference: Reference, forge: Forge = lambda leaves: leaves) -> SelfTest:
    """The self-test of a worker with this engine."""
    running = AsyncEngine(engine)

    async def generate(request: GenerationRequest) -> tuple[Leaf, ...]:
        return forge(
            tuple([found.leaf async for found in running.generate(request) if found.leaf is not None])
        )

    try:
        return asyncio.run(self_test(generate, reference, ROW))
    finally:
        running.close()


def test_an_honest_worker_passes(tiny: ModelFiles, spec: ServiceSpec, reference: Reference) -> None:
    found = outcome(Engine(tiny, spec), reference)
    assert found.passed and not found.faults and str(found).startswith("PASS")
    assert (found.answers, found.exceeding, found.evidence) == (ANSWERS, 0, 0)
    assert found.as_json()["passed"] is True
    required(found)


@pytest.mark.parametrize("cheat", [quantise_int8, lambda model: skip_layer(model, 0)])
def test_another_model_fails(
    tiny: ModelFiles, spec: ServiceSpec, reference: Reference, cheat: Callable[[LlamaModel], LlamaModel]
) -> None:
    model = cheat(LlamaModel.from_files(tiny, spec.numerics, "cpu"))
    found = outcome(Engine(tiny, spec, model=model), reference)
    assert not found.passed and str(found).startswith("FAIL")
    assert any("slashed" in fault for fault in found.faults)
    with pytest.raises(SelfTestFailed, match="--skip-self-test"):
        required(found)


def test_leaves_that_contradict_themselves_fail(
    tiny: ModelFiles, spec: ServiceSpec, reference: Reference
) -> None:
    def second_best(leaves: tuple[Leaf, ...]) -> tuple[Leaf, ...]:
        others = (next(c.id for c in leaf.candidates if c.id != leaf.token) for leaf in leaves)
        return tuple(replace(leaf, token=token) for leaf, token in zip(leaves, others, strict=True))

    found = outcome(Engine(tiny, spec), reference, second_best)
    assert not found.passed and "contradict" in found.faults[0]


def test_a_pass_is_remembered_until_something_changes(tmp_path: Path, spec: ServiceSpec) -> None:
    path = tmp_path / "store" / "selftest.json"
    memory = Passed(path, spec, ROW, b"policy")
    assert not memory
    memory.remember()
    assert memory and Passed(path, spec, ROW, b"policy")
    assert not Passed(path, spec, ROW, b"other policy")
    assert not Passed(path, spec, replace(ROW, logit_q99=10), b"policy")
    assert not Passed(path, replace(spec, numerics=NumericsClass.BF16), ROW, b"policy")
    for damaged in ("", "{", "[]", '{"passed": 1}'):
        path.write_text(damaged)
        assert not memory


def test_an_engine_that_fails_is_no_pass(reference: Reference) -> None:
    async def fails(request: GenerationRequest) -> tuple[Leaf, ...]:
        raise OSError("out of memory")

    generate: Generate = fails
    with pytest.raises(OSError, match="out of memory"):
        asyncio.run(self_test(generate, reference, ROW))
