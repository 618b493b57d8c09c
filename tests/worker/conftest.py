from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

from llmnet.engine import ModelFiles, service_spec, write_tiny_model
from llmnet.proof import ServiceSpec

from .shop import FakeChain, Shop


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    return write_tiny_model(tmp_path_factory.mktemp("tiny"), seed=7)


@pytest.fixture(scope="session")
def spec(tiny: ModelFiles) -> ServiceSpec:
    return service_spec(tiny, bytes(32), name="tiny")


@pytest.fixture
def chain(spec: ServiceSpec) -> FakeChain:
    chain = FakeChain(spec)
    chain.add(1)
    return chain


@pytest.fixture
async def shop(tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec, chain: FakeChain) -> AsyncIterator[Shop]:
    """A worker with session 1 open."""
    shop = Shop(tmp_path / "worker.sqlite", tiny, spec, chain).open()
    yield shop
    await shop.close()
