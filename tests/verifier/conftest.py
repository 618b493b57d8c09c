"""A tiny model, honest answers made by the real engine, and a chain that does what a test says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

from llmnet.engine.tiny import write_tiny_model
from llmnet.engine.weights import ModelFiles
from llmnet.proof import ServiceSpec
from llmnet.verifier import Reference, spec_of
from llmnet.verifier.store import Store

from .answers import Answered, Asker
from .fakes import GENESIS, VALIDATOR


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """The model most tests check; nobody may write into its directory."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny"), seed=7)


@pytest.fixture(scope="session")
def spec(tiny: ModelFiles) -> ServiceSpec:
    return spec_of(tiny)


@pytest.fixture(scope="session")
def reference(tiny: ModelFiles, spec: ServiceSpec) -> Reference:
    return Reference(tiny, spec)


@pytest.fixture(scope="session")
def asker(tiny: ModelFiles, spec: ServiceSpec) -> Asker:
    """Makes answers of an honest worker."""
    return Asker(tiny, spec)


@pytest.fixture(scope="session")
def answered(asker: Asker) -> Answered:
    """One honest answer."""
    return asker.ask("what is the sea", temperature=256, max_tokens=20)


@pytest.fixture
def open_store(tmp_path: Path) -> Callable[[], Store]:
    """Opens the same store again and again, as a restarted process does."""
    return lambda: Store(tmp_path / "validator.sqlite", genesis_hash=GENESIS, account=VALIDATOR.public)
