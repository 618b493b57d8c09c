"""One tiny random model for all tests of the engine, and short ways to run it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from llmnet.engine import Engine, GenerationRequest, ModelFiles, Output, service_spec, write_tiny_model
from llmnet.proof import ServiceSpec


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """The model most tests run; nobody may write into its directory."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny"), seed=7)


@pytest.fixture
def fresh(tmp_path: Path) -> ModelFiles:
    """A model directory of this test's own, to be broken."""
    return write_tiny_model(tmp_path / "model", seed=7)


@pytest.fixture(scope="session")
def spec(tiny: ModelFiles) -> ServiceSpec:
    return service_spec(tiny, bytes(32))


@pytest.fixture
def make_engine(tiny: ModelFiles, spec: ServiceSpec) -> Iterator[Callable[..., Engine]]:
    """Makes engines; checks the invariants of all of them when the test is over."""
    made: list[Engine] = []

    def make(**options: object) -> Engine:
        engine = Engine(options.pop("files", tiny), options.pop("spec", spec), **options)  # type: ignore[arg-type]
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.check_integrity()


@pytest.fixture(scope="session")
def make_request() -> Callable[..., GenerationRequest]:
    """A request whose seed follows from its number."""

    def make(
        number: int = 0, prompt: tuple[int, ...] = (1, 100, 101, 102), **changes: object
    ) -> GenerationRequest:
        values: dict[str, object] = {
            "temperature": 256,
            "max_tokens": 12,
            "request_seed": bytes([number]) * 32,
        }
        return GenerationRequest(request_id=f"r{number}", prompt_ids=prompt, **(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def drain() -> Callable[[Engine], dict[str, list[Output]]]:
    """Steps an engine until it is idle; outputs by request."""

    def run(engine: Engine) -> dict[str, list[Output]]:
        outputs: dict[str, list[Output]] = {}
        while len(engine):
            for output in engine.step():
                outputs.setdefault(output.request_id, []).append(output)
            engine.check_integrity()
        return outputs

    return run
