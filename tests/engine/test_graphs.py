"""A recorded step gives the bits of the step itself, for whoever's turn it is."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from collections.abc import Callable

import pytest
import torch

from llmnet.engine import Engine, GenerationRequest, LlamaModel, ModelFiles, service_spec
from llmnet.engine.cache import make_batch
from llmnet.engine.cpu import tape
from llmnet.engine.cpu.kernels import host
from llmnet.engine.graphs import MAX_ROWS_CPU, DecodeGraphs, _bucket
from llmnet.proof import Leaf, NumericsClass

Run = Callable[[Engine], list[list[Leaf]]]


@pytest.fixture
def run(make_request: Callable[..., GenerationRequest]) -> Run:
    """Five requests of different lengths that come and go; their leaves."""

    def work(engine: Engine) -> list[list[Leaf]]:
        for number in range(5):
            engine.add(make_request(number, tuple(range(3, 20 + 9 * number)), max_tokens=4 + 5 * number))
        leaves: list[list[Leaf]] = [[] for _ in range(5)]
        while len(engine):
            for output in engine.step():
                assert output.leaf is not None
                leaves[int(output.request_id[1:])].append(output.leaf)
        return leaves

    return work


@pytest.mark.parametrize("numerics", [NumericsClass.FP32, NumericsClass.BF16_FP32_RESIDUAL])
def test_replayed_steps_give_the_same_leaves(tiny: ModelFiles, run: Run, numerics: NumericsClass) -> None:
    spec = service_spec(tiny, bytes(32), numerics)
    recorded = Engine(tiny, spec)
    first, again = run(recorded), run(recorded)
    assert first == again == run(Engine(tiny, spec, graphs=False))
    assert recorded._graphs is not None
    assert set(recorded._graphs._recordings) == {1, 2, 3, 4, 5}


def test_a_team_of_threads_replays_the_same_bits(tiny: ModelFiles, run: Run) -> None:
    """The team is started once a step and meets between calls; products of one x do not wait for one another."""
    spec = service_spec(tiny, bytes(32))
    expected = run(Engine(tiny, spec))
    torch.set_num_threads(2)
    try:
        engine = Engine(tiny, spec)
        assert run(engine) == expected
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("broken", ["_waits", "_completed"])
def test_what_a_tape_adds_to_its_calls_is_needed_or_harmless(
    tiny: ModelFiles, run: Run, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """A team whose threads never wait computes something else; what is fetched ahead changes nothing."""
    spec = service_spec(tiny, bytes(32))
    expected = run(Engine(tiny, spec))
    if broken == "_waits":
        monkeypatch.setattr(tape.Tape, "_waits", lambda self: [False] * len(self._calls))
        torch.set_num_threads(2)
    else:
        senseless = 0x1000, 1 << 40
        monkeypatch.setattr(
            tape.Tape,
            "_completed",
            lambda self: [(c, c.values if c.reads is None else (*c.values, *senseless)) for c in self._calls],
        )
    try:
        found = run(Engine(tiny, spec))
    finally:
        torch.set_num_threads(1)
    assert (found == expected) == (broken == "_completed")


def test_a_recording_is_used_and_can_be_wrong(tiny: ModelFiles, run: Run) -> None:
    """The inverse: if a recording forgets its last layer, leaves change."""
    engine = Engine(tiny, service_spec(tiny, bytes(32)))
    expected = run(engine)
    assert engine._graphs is not None
    shorter = LlamaModel.from_files(tiny).replace_layers(lambda layers: layers[:1])
    other = Engine(tiny, service_spec(tiny, bytes(32)), model=shorter)
    run(other)
    engine._graphs._recordings = {
        bucket: type(theirs)(mine.model, mine.cache, theirs.batch, theirs.plan, theirs.x, theirs.again)
        for (bucket, mine), theirs in zip(
            engine._graphs._recordings.items(),
            other._graphs._recordings.values(),
            strict=True,  # type: ignore[union-attr]
        )
    }
    assert run(engine) != expected


def test_another_model_or_cache_is_recorded_anew(tiny: ModelFiles, run: Run) -> None:
    engine = Engine(tiny, service_spec(tiny, bytes(32)))
    expected = run(engine)
    engine._cache = engine.model.new_cache(engine._blocks.num_pages)
    engine._blocks._pages.clear()
    engine._blocks._keys.clear()
    engine._blocks._blank += engine._blocks._kept
    engine._blocks._kept.clear()
    assert run(engine) == expected


def test_large_steps_and_prompts_are_not_recorded(tiny: ModelFiles) -> None:
    assert _bucket(MAX_ROWS_CPU, on_gpu=False) == MAX_ROWS_CPU
    assert _bucket(MAX_ROWS_CPU + 1, on_gpu=False) is None
    assert [_bucket(count, on_gpu=True) for count in (1, 5, 17, 256, 257)] == [1, 6, 24, 256, None]
    engine = Engine(tiny, service_spec(tiny, bytes(32)))
    engine.add(GenerationRequest("a", (5, 6, 7), 0, 1, bytes(32)))
    engine.step()
    assert isinstance(engine._graphs, DecodeGraphs)
    assert engine._graphs._recordings == {}


def test_a_step_in_which_somebody_wants_no_token_is_not_replayed(tiny: ModelFiles) -> None:
    """A sequence that is computed again one token at a time wants none before it has caught up."""
    engine = Engine(tiny, service_spec(tiny, bytes(32)))
    for name in "ab":
        engine.add(GenerationRequest(name, (5, 6, 7), 0, 3, bytes(32)))
    engine.step()
    batch = make_batch(engine._scheduler.schedule(), engine._blocks, torch.device("cpu"))
    graphs = engine._graphs
    assert graphs is not None
    assert graphs.takes(batch)
    assert not graphs.takes(dataclasses.replace(batch, sample_rows=batch.sample_rows[:1]))


@pytest.mark.parametrize("numerics", list(NumericsClass))
def test_a_replayed_step_ends_with_the_logits_of_the_step_itself(
    tiny: ModelFiles, numerics: NumericsClass
) -> None:
    engine = Engine(tiny, service_spec(tiny, bytes(32), numerics))
    for name in "abc":
        engine.add(GenerationRequest(name, tuple(range(3, 9)), 0, 3, bytes(32)))
    engine.step()
    batch = make_batch(engine._scheduler.schedule(), engine._blocks, torch.device("cpu"))
    hidden, logits = engine.model.outputs(batch, engine._cache)
    for _ in range(2):  # recorded, then replayed
        again = engine.model.outputs(batch, engine._cache, engine._graphs)
        assert again[1] is not None and logits is not None
        assert torch.equal(again[0], hidden)
        assert torch.equal(again[1], logits)


@pytest.mark.gpu
@pytest.mark.parametrize(
    "numerics", [NumericsClass.FP16, NumericsClass.BF16_FP32_RESIDUAL, NumericsClass.BF16]
)
def test_cuda_graphs_give_the_bits_of_eager_steps(
    tiny: ModelFiles, run: Run, numerics: NumericsClass
) -> None:
    """With padding: five sequences run in a recording for six."""
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    spec = service_spec(tiny, bytes(32), numerics)
    recorded = Engine(tiny, spec, device="cuda")
    assert run(recorded) == run(Engine(tiny, spec, device="cuda", graphs=False))
    assert recorded._graphs is not None
    assert 6 in recorded._graphs._recordings


def test_a_recording_owns_the_code_it_runs(tiny: ModelFiles, run: Run) -> None:
    """Two engines may record at the same time: whichever player the cache forgets must stay where it is."""
    engine = Engine(tiny, service_spec(tiny, bytes(32)))
    expected = run(engine)
    player = weakref.ref(tape._player(host()))
    tape._player.cache_clear()
    gc.collect()
    assert player() is not None
    assert run(engine) == expected
