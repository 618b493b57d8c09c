"""Recorded answers of a tiny model, honest and with int8 weights, with both sides' hidden states."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

from llmnet.engine import Engine, LlamaModel, ModelFiles
from llmnet.engine.tiny import write_tiny_model
from llmnet.engine.variants import quantise_int8
from llmnet.measure import jobs_for, prompts, record
from llmnet.proof import NumericsClass, ServiceSpec
from llmnet.redteam.rivals.preparing import prepare
from llmnet.redteam.rivals.scores import Answer, answers
from llmnet.redteam.rivals.states import ReferenceStates
from llmnet.verifier.reference import Reference, spec_of

HONEST_ANSWERS, CHEATS = 24, 6


@dataclass(frozen=True)
class Recorded:
    """Where the recordings are, and what made them."""

    files: ModelFiles
    spec: ServiceSpec
    folder: Path
    model: LlamaModel
    states: ReferenceStates

    def answers(self, variant: str) -> list[Answer]:
        return answers(self.folder, variant, self.spec)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    files = write_tiny_model(tmp_path_factory.mktemp("tiny"), seed=7)
    spec = spec_of(files, numerics=NumericsClass.BF16_FP32_RESIDUAL)
    model = LlamaModel.from_files(files, spec.numerics)
    folder, reference = tmp_path_factory.mktemp("recordings"), Reference(files, spec)
    states = ReferenceStates(files, spec)
    for variant, made, count in (("honest", model, HONEST_ANSWERS), ("int8", quantise_int8(model), CHEATS)):
        engine = Engine(files, spec, model=made)
        jobs = jobs_for(prompts(count), engine.tokenizer)
        record(folder / f"{variant}.jsonl", engine, reference, jobs)
        prepare(folder, variant, made, states, count)
    return Recorded(files, spec, folder, model, states)
