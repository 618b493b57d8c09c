"""A tiny model and its reference; recordings of it."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

from llmnet.engine import Engine, ModelFiles
from llmnet.engine.tiny import write_tiny_model
from llmnet.proof import ServiceSpec
from llmnet.verifier.reference import Reference, spec_of


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """Nobody may write into its directory."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny"), seed=7)


@pytest.fixture(scope="session")
def spec(tiny: ModelFiles) -> ServiceSpec:
    return spec_of(tiny)


@pytest.fixture(scope="session")
def reference(tiny: ModelFiles, spec: ServiceSpec) -> Reference:
    return Reference(tiny, spec)


@pytest.fixture(scope="session")
def engine(tiny: ModelFiles, spec: ServiceSpec) -> Engine:
    return Engine(tiny, spec)
