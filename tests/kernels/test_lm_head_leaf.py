"""The output layer: what it leaves of the logits is what the protocol makes of them."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from llmnet import proof
from llmnet.kernels import DtypeError, LeafParts, LengthError, ShapeError, lm_head_leaf, sign_octets
from llmnet.kernels._config import VOCAB_BLOCK, tables, trying
from llmnet.kernels.lm_head_leaf.reference import best_candidates

from .cases import same_bits

BACKENDS = ["triton", "reference"]
SEEDS = [bytes([i]) * 32 for i in range(1, 40)]


def numbers(seed: int, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def keys(rows: int) -> Tensor:
    found = [list(proof.philox.stream_key(seed)) for seed in SEEDS[:rows]]
    return torch.tensor(found, dtype=torch.int64).view(-1, 2)


def run(hidden: Tensor, weight: Tensor, backend: str, **options: bool) -> LeafParts:
    octets = (
        sign_octets(keys(len(hidden)), len(weight), "LOGI"),
        sign_octets(keys(len(hidden)), hidden.shape[1], "HIDN"),
    )
    return lm_head_leaf(hidden, weight, *octets, backend=backend, **options)


def pointed(logits: Tensor) -> tuple[Tensor, Tensor]:
    """A hidden state and a weight whose product is exactly ``logits [V]``."""
    weight = torch.zeros(len(logits), 16)
    weight[:, 3] = logits
    hidden = torch.zeros(1, 16)
    hidden[0, 3] = 1.0
    return hidden, weight


@pytest.mark.interpreter
@pytest.mark.parametrize(
    ("dtype", "arch"), [(torch.float32, "sm_90"), (torch.float16, "sm_90"), (torch.float32, "sm_80")]
)
def test_parts_equal_the_protocol_on_the_same_logits(dtype: torch.dtype, arch: str) -> None:
    hidden, weight = numbers(1, 3, 48), numbers(2, 2 * VOCAB_BLOCK + 77, 48, dtype=dtype)
    with trying(tables(arch)):
        found = run(hidden, weight, "triton", return_logits=True)
    assert found.logits is not None
    product = hidden.to(dtype).double() @ weight.double().T
    torch.testing.assert_close(found.logits.double(), product, atol=2e-5, rtol=0)
    logits = found.logits.numpy()
    np.testing.assert_allclose(
        found.logsumexp.numpy(), proof.build.log_normaliser(logits), atol=2e-6, rtol=1e-6
    )
    for row, seed in enumerate(SEEDS[:3]):
        signs = proof.sign_matrix(seed, "LOGI", len(weight)), proof.sign_matrix(seed, "HIDN", 48)
        logit_lanes = proof.sketch.sketch_logits(logits[row], signs[0])
        hidden_lanes = proof.sketch.sketch_hidden(hidden[row].numpy(), signs[1])
        np.testing.assert_allclose(found.logit_lanes[row].numpy(), logit_lanes, atol=2e-5, rtol=0)
        np.testing.assert_allclose(found.hidden_lanes[row].numpy(), hidden_lanes, atol=2e-6, rtol=0)
    ids, logprobs = best_candidates(found.logits, found.logsumexp, 32)
    assert found.exact.all()
    assert torch.equal(found.ids, ids)
    assert torch.equal(found.logprobs, logprobs)


@pytest.mark.interpreter
def test_logits_are_written_only_when_asked_for() -> None:
    hidden, weight = numbers(1, 2, 16), numbers(2, 300, 16)
    plain, kept = run(hidden, weight, "triton"), run(hidden, weight, "triton", return_logits=True)
    assert plain.logits is None
    for name in ("logsumexp", "ids", "logprobs", "logit_lanes", "hidden_lanes"):
        assert same_bits(getattr(plain, name), getattr(kept, name))


@pytest.mark.interpreter
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy warns of NaN where a GPU does not
def test_a_row_ignores_the_others_and_its_place() -> None:
    weight, needle = numbers(2, 300, 32), numbers(3, 1, 32)
    octets = sign_octets(keys(5), 300, "LOGI"), sign_octets(keys(5), 32, "HIDN")
    alone = lm_head_leaf(needle, weight, *octets, backend="triton", slots=torch.tensor([4]))
    for rows, place in ((2, 1), (16, 7)):
        hidden = numbers(rows, rows, 32)
        hidden[place] = needle[0]
        hidden[0] = float("nan")
        slots = torch.arange(rows) % 4
        slots[place] = 4
        found = lm_head_leaf(hidden, weight, *octets, backend="triton", slots=slots)
        for name in ("logsumexp", "ids", "logprobs", "logit_lanes", "hidden_lanes"):
            assert same_bits(getattr(found, name)[place : place + 1], getattr(alone, name)), name
        assert found.logsumexp[0].isnan()
        assert found.logit_lanes[0].isnan().any()


@pytest.mark.interpreter
@pytest.mark.parametrize("backend", BACKENDS)
def test_candidates_that_round_alike_are_ordered_by_id(backend: str) -> None:
    logits = torch.full((3 * VOCAB_BLOCK,), -20.0)
    near = torch.tensor([700, 3, 511, 256, 255, 40])
    logits[near] = torch.tensor([5.0, 5.0 - 2e-4, 5.0 - 1e-4, 5.0 - 3e-4, 5.0, 5.0 - 1e-4])
    found = run(*pointed(logits), backend)
    assert found.ids[0, :6].tolist() == sorted(near.tolist())
    assert len(set(found.logprobs[0, :6].tolist())) == 1
    # the other 26 places: all the rest ties, so the lowest ids win
    rest = [i for i in range(40) if i not in near.tolist()][:26]
    assert found.ids[0, 6:].tolist() == rest or not bool(found.exact[0])


@pytest.mark.interpreter
@given(
    places=st.lists(st.integers(0, 2 * VOCAB_BLOCK - 1), min_size=1, max_size=80, unique=True),
    steps=st.lists(st.integers(0, 6), min_size=80, max_size=80),
    width=st.sampled_from([1e-4, 2e-3, 0.1]),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_candidates_of_any_logits_are_those_of_the_protocol_or_doubted(
    places: list[int], steps: list[int], width: float
) -> None:
    logits = torch.full((2 * VOCAB_BLOCK,), -7.0)
    logits[places] = torch.tensor(steps[: len(places)]) * width
    found = run(*pointed(logits), "triton")
    ids, logprobs = best_candidates(logits[None], found.logsumexp, 32)
    if found.exact.item():
        assert found.ids.tolist() == ids.tolist()
    assert found.logprobs.tolist() == logprobs.tolist()  # which ids tie does not change what they tie at


@pytest.mark.interpreter
def test_ties_that_a_block_cut_off_are_told() -> None:
    """34 candidates of one block round alike, and the lowest id of them has the lowest float."""
    logits = torch.full((2 * VOCAB_BLOCK,), -30.0)
    logits[VOCAB_BLOCK : VOCAB_BLOCK + 34] = 1.0 + torch.arange(34) * 1e-6
    found = run(*pointed(logits), "triton")
    exact = run(*pointed(logits), "reference")
    assert exact.ids[0].tolist() == list(range(VOCAB_BLOCK, VOCAB_BLOCK + 32))
    assert not torch.equal(found.ids, exact.ids)
    assert found.exact.tolist() == [False]
    spread = torch.full((2 * VOCAB_BLOCK,), -30.0)
    spread[VOCAB_BLOCK : VOCAB_BLOCK + 34] = 1.0 + torch.arange(34) * 0.01
    assert run(*pointed(spread), "triton").exact.tolist() == [True]


@pytest.mark.interpreter
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_best_of_one_block_only(backend: str) -> None:
    logits = torch.full((5 * VOCAB_BLOCK + 9,), -9.0)
    logits[600:632] = torch.arange(32) * 0.25
    found = run(*pointed(logits), backend)
    assert found.ids[0].tolist() == list(range(631, 599, -1))
    assert bool(found.exact[0])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.interpreter
def test_fewer_candidates_are_the_first_of_them(backend: str) -> None:
    hidden, weight = numbers(1, 2, 16), numbers(2, 300, 16)
    octets = sign_octets(keys(2), 300, "LOGI"), sign_octets(keys(2), 16, "HIDN")
    whole = lm_head_leaf(hidden, weight, *octets, 32, backend)
    part = lm_head_leaf(hidden, weight, *octets, 5, backend)
    assert torch.equal(part.ids, whole.ids[:, :5])
    assert torch.equal(part.logprobs, whole.logprobs[:, :5])


@pytest.mark.interpreter
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_smallest_vocabulary_and_no_rows(backend: str) -> None:
    found = run(numbers(1, 1, 16), numbers(2, 32, 16), backend)
    assert sorted(found.ids[0].tolist()) == list(range(32))
    assert run(numbers(1, 0, 16), numbers(2, 32, 16), backend).ids.shape == (0, 32)


@pytest.mark.interpreter
def test_bf16_is_refused() -> None:
    with pytest.raises(DtypeError, match=r"interpreter computes torch.bfloat16 wrongly"):
        run(numbers(1, 2, 16), numbers(2, 40, 16).bfloat16(), "triton")
    with pytest.raises(DtypeError, match=r"interpreter computes torch.bfloat16 wrongly"):
        run(numbers(1, 2, 16).bfloat16(), numbers(2, 40, 16), "triton")


def test_the_reference_equals_the_protocol() -> None:
    hidden, weight = numbers(1, 4, 48), numbers(2, 1000, 48)
    found = run(hidden, weight, "reference", return_logits=True)
    assert found.logits is not None
    ids, logprobs = proof.build.top_candidates(found.logits.numpy(), 32)
    assert found.ids.tolist() == ids.tolist()
    assert found.logprobs.tolist() == logprobs.tolist()


def test_bad_arguments_are_named() -> None:
    hidden, weight = torch.zeros(2, 16), torch.zeros(40, 16)
    octets = torch.zeros(2, 40, dtype=torch.uint8), torch.zeros(2, 16, dtype=torch.uint8)
    lm_head_leaf(hidden, weight, *octets)
    with pytest.raises(ShapeError, match="need one D"):
        lm_head_leaf(hidden, torch.zeros(40, 8), *octets)
    with pytest.raises(ShapeError, match=r"32\.\.262144 tokens, got 31"):
        lm_head_leaf(hidden, weight[:31], octets[0][:, :31], octets[1])
    with pytest.raises(ShapeError, match="top_k must be"):
        lm_head_leaf(hidden, weight, *octets, 33)
    with pytest.raises(ShapeError, match=r"logit_octets must be \[requests, 40\]"):
        lm_head_leaf(hidden, weight, octets[1], octets[1])
    with pytest.raises(DtypeError, match="must be uint8"):
        lm_head_leaf(hidden, weight, octets[0].int(), octets[1])
    with pytest.raises(ShapeError, match="2 requests for 1 rows"):
        lm_head_leaf(hidden[:1], weight, *octets)
    with pytest.raises(LengthError, match=r"slots 0\.\.2 are outside of 2 requests"):
        lm_head_leaf(hidden, weight, *octets, slots=torch.tensor([0, 2]))
    with pytest.raises(DtypeError, match="slots must be int64"):
        lm_head_leaf(hidden, weight, *octets, slots=torch.tensor([0, 1]).int())
    with pytest.raises(DtypeError, match="hidden and weight must be of"):
        lm_head_leaf(hidden.double(), weight, *octets)
