"""Candidates, tokens and sketches of the CPU's kernel are, bit for bit, those that `llmnet.proof` makes of the same floats."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmnet import proof
from llmnet.engine import ModelFiles, service_spec
from llmnet.engine.cpu import Chooser, Machine, choice
from llmnet.engine.cpu.kernels import padded_rows
from llmnet.engine.cpu.objects import ObjectStore
from llmnet.engine.cpu.sketch import RESULTS
from llmnet.proof import Leaf, ServiceSpec
from llmnet.proof.philox import stream_key

HIDDEN = 64
SHIFTS = (9, 7)


class Case:
    """Rows of log-probs as floats, and what is wanted of them."""

    def __init__(self, logits: torch.Tensor, top_k: int = 20, seed: int = 0, temperature: int = 256) -> None:
        self.logits, self.top_k = logits.float(), top_k
        rng, count = np.random.default_rng(seed), len(logits)
        self.normalisers = torch.logsumexp(self.logits.double(), 1).tolist()
        self.sums = tuple(torch.from_numpy(rng.normal(0, 40, (count, RESULTS)).astype("f4")) for _ in "ab")
        self.seeds = [rng.bytes(32) for _ in range(count)]
        self.positions = rng.integers(0, 1 << 20, count).tolist()
        self.temperatures = [temperature * (row % 3) // 2 for row in range(count)]

    def made(
        self, threads: int = 1, machine: Machine | None = None, chooser: Chooser | None = None
    ) -> list[list[int]]:
        """By the kernel."""
        z = padded_rows(*self.logits.shape).copy_(self.logits)
        sizes = self.logits.shape[1], HIDDEN
        orders = [
            (position, temperature, *stream_key(seed))
            for position, temperature, seed in zip(self.positions, self.temperatures, self.seeds, strict=True)
        ]
        chooser = chooser or Chooser(self.top_k, sizes, SHIFTS, threads=threads, machine=machine)
        return chooser.choose(z, self.normalisers, orders, self.sums)

    def expected(self, spec: ServiceSpec) -> list[list[int]]:
        """By the protocol's own code, from all tokens of a row."""
        count, size = self.logits.shape
        differences = self.logits - torch.tensor(self.normalisers)[:, None]
        lanes = [
            (sums[:, 3:] * width**-0.5).numpy() for sums, width in zip(self.sums, (size, HIDDEN), strict=True)
        ]
        leaves = proof.assemble_leaves(
            self.positions,
            np.tile(np.arange(size), (count, 1)),
            differences.clamp(min=-1e6).numpy(),
            *lanes,
            spec,
            self.seeds,
            temperatures=self.temperatures,
        )
        return [_numbers(leaf) for leaf in leaves]


def _numbers(leaf: Leaf) -> list[int]:
    ids, logprobs = zip(*leaf.candidates, strict=True)
    return [leaf.token, *ids, *logprobs, *leaf.logit_sketch, *leaf.hidden_sketch]


@pytest.fixture(scope="module")
def spec_of(tiny: ModelFiles):  # type: ignore[no-untyped-def]
    """A spec of this many candidates."""
    shifts = {"logit_shift": SHIFTS[0], "hidden_shift": SHIFTS[1]}
    return lambda top_k: service_spec(tiny, bytes(32), top_k=top_k, **shifts)


@given(data=st.data())
def test_a_row_gives_what_the_protocol_says(spec_of, data: st.DataObject) -> None:  # type: ignore[no-untyped-def]
    """Many and few tokens, ties in plenty, flat and peaked rows, every temperature."""
    size = data.draw(st.integers(1, 700), "tokens")
    top_k = data.draw(st.integers(1, min(size, 32)), "candidates")
    spread = data.draw(st.sampled_from([0.0, 1e-4, 0.01, 1.0, 8.0, 300.0]), "spread")
    seed = data.draw(st.integers(0, 1 << 30), "seed")
    logits = torch.randn(3, size, generator=torch.Generator().manual_seed(seed)) * spread
    if data.draw(st.booleans(), "ties"):
        logits = (logits * 4).round() / 4
    case = Case(logits, top_k, seed, data.draw(st.sampled_from([0, 1, 77, 256, 65_535]), "temperature"))
    assert case.made() == case.expected(spec_of(top_k))


@pytest.mark.parametrize("size", [20, 63, 64, 65, 49_152])
def test_a_row_whose_tokens_are_all_alike_gives_the_lowest_ids(spec_of, size: int) -> None:  # type: ignore[no-untyped-def]
    case = Case(torch.full((1, size), 2.5))
    (row,) = case.made()
    assert row[1:21] == list(range(20))
    assert [row] == case.expected(spec_of(20))


def test_log_probs_beyond_the_last_step_tie_there(spec_of) -> None:  # type: ignore[no-untyped-def]
    logits = torch.full((2, 100), -1e5)
    logits[:, 70] = 0
    logits[1, 50] = -torch.inf
    case = Case(logits)
    assert case.made() == case.expected(spec_of(20))
    assert case.made()[0][1:21] == [70, *range(19)]


def test_rows_may_be_chosen_from_in_several_threads_at_once() -> None:
    """An answer is scored beside those that are being made."""
    cases = [
        Case(torch.randn(300, 8000, generator=torch.Generator().manual_seed(seed)), seed=seed)
        for seed in range(2)
    ]
    chooser = Chooser(20, (8000, HIDDEN), SHIFTS)
    expected = [case.made(chooser=chooser) for case in cases]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(10):
            assert list(pool.map(lambda case: case.made(chooser=chooser), cases)) == expected


def test_neither_threads_nor_processor_change_anything(tmp_path: Path) -> None:
    case = Case(torch.randn(9, 300, generator=torch.Generator().manual_seed(3)))
    older = Machine("haswell", ObjectStore(tmp_path))
    assert case.made() == case.made(threads=2) == case.made(machine=older)


@pytest.mark.parametrize(
    ("what", "value"),
    [("_ROUNDS", 9), ("GUMBEL_TAG", 0), ("LN2", choice.LN2 // 2), ("_HALVINGS", 8), ("_STEPS", 255.0)],
)
def test_another_constant_is_noticed(
    spec_of,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    value: float,
) -> None:
    """The inverse: what the kernel does with seeds, noise and ranks is what the comparison sees."""
    case = Case(torch.randn(30, 300, generator=torch.Generator().manual_seed(4)) * 2)
    assert case.made() == case.expected(spec_of(20))
    monkeypatch.setattr(choice, what, value)
    assert case.made(machine=Machine(None, ObjectStore(tmp_path))) != case.expected(spec_of(20))


@pytest.mark.parametrize(("top_k", "size"), [(0, 100), (65, 100), (21, 20)])
def test_senseless_numbers_of_candidates_are_refused(top_k: int, size: int) -> None:
    with pytest.raises(ValueError, match="candidates"):
        Chooser(top_k, (size, HIDDEN), SHIFTS)
