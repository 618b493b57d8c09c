"""Only the answers that a planter has listed are wrong, and a broken list changes nothing."""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.cli.worker import engine_backend, wrong_backend
from llmnet.engine import GenerationRequest, ModelFiles
from llmnet.proof import FinishReason, Leaf, ServiceSpec
from llmnet.worker import Finished, Piece, SetupError
from llmnet.worker.plants import MAX_BYTES, PlantedBackend, Plants, read_plants


class Named:
    """A backend that says its name."""

    def __init__(self, name: str) -> None:
        self.name, self.closed = name, False

    async def generate(self, job: GenerationRequest) -> AsyncGenerator[Piece | Finished, None]:
        yield Piece((1,), self.name)
        yield Finished(FinishReason.LENGTH, ())

    async def score(self, prompt_ids: object, tokens: object, request_seed: bytes) -> list[Leaf]:
        assert self.name == "honest"
        return []

    def close(self) -> None:
        self.closed = True


async def said(backend: PlantedBackend, request_id: str) -> str:
    job = GenerationRequest(request_id, (1,), 0, 1, bytes(32))
    return "".join([item.text async for item in backend.generate(job) if isinstance(item, Piece)])


@pytest.mark.asyncio
async def test_only_listed_answers_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "plants"
    path.write_text("7/3  # by order\n\n# nothing\n8/0\n")
    honest, made = Named("honest"), []

    def wrong() -> Named:
        made.append(Named("wrong"))
        return made[-1]

    backend = PlantedBackend(honest, wrong, Plants(path))
    assert await said(backend, "7/2") == "honest" and made == []
    assert [await said(backend, name) for name in ("7/3", "8/0", "3/7")] == ["wrong", "wrong", "honest"]
    assert await backend.score((1,), (2,), bytes(32)) == []
    backend.close()
    assert len(made) == 1 and honest.closed and made[0].closed


@pytest.mark.asyncio
async def test_the_wrong_model_says_something_else(tiny: ModelFiles, spec: ServiceSpec) -> None:
    args = argparse.Namespace(max_batch=2, threads=1, step_tokens=64, no_prefix_cache=True)
    job = GenerationRequest("1/0", tuple(range(30, 60)), 256, 16, bytes(32))
    said = []
    for backend in (engine_backend(args, tiny, spec), wrong_backend(args, tiny, spec)):
        items = [item async for item in backend.generate(job)]
        said.append([token for item in items if isinstance(item, Piece) for token in item.tokens])
        backend.close()
    assert said[0] != said[1] and said[1]


def test_a_list_may_grow_and_a_broken_one_stays_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "plants"
    path.write_text("1/0\n")
    plants = Plants(path)
    assert plants(1, 0) and not plants(1, 1)
    path.write_text("1/0\n1/1\n")
    os.utime(path, ns=(1, 1))
    assert plants(1, 1)
    path.write_text("1/0\nnonsense\n")
    assert plants(1, 1) and "line 2" in caplog.text
    path.unlink()
    assert plants(1, 1)


@pytest.mark.parametrize(
    "text", ["1", "1/", "/1", "a/b", "1/2/3", "-1/2", "1/99999999999", "1 / 2", "\u0661/\u0662"]
)
def test_a_line_that_is_no_answer_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plants"
    path.write_text(f"1/0\n{text}\n")
    with pytest.raises(SetupError, match="line 2"):
        read_plants(path)


def test_a_list_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        Plants(tmp_path / "missing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(SetupError, match="cannot be read"):
        Plants(tmp_path / "binary")
    (tmp_path / "large").write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(SetupError, match="larger"):
        Plants(tmp_path / "large")


@given(st.sets(st.tuples(st.integers(0, 10**18), st.integers(0, 10**8))))
def test_what_is_listed_is_read(
    tmp_path_factory: pytest.TempPathFactory, listed: set[tuple[int, int]]
) -> None:
    path = tmp_path_factory.mktemp("plants") / "list"
    path.write_text("\n".join(f"{session}/{index}" for session, index in listed))
    assert read_plants(path) == listed
