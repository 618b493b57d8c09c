"""The engine on the kernels themselves: what it asks of them, in the interpreter."""

import functools

import pytest
import torch
from torch import Tensor

from llmnet import proof
from llmnet.engine import output_layer
from llmnet.engine.output_layer import OutputLayer
from llmnet.kernels import best_candidates, lm_head_leaf, sign_octets

VOCAB, WIDTH, TOP_K = 600, 32, 20
SEEDS = [bytes([number]) * 32 for number in (7, 9, 7)]  # two rows of one request


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> OutputLayer:
    """An output layer that calls Triton; token 300 and those after it nearly tie for the first place."""
    for name, operator in (("lm_head_leaf", lm_head_leaf), ("sign_octets", sign_octets)):
        monkeypatch.setattr(output_layer, name, functools.partial(operator, backend="triton"))
    head = torch.randn(VOCAB, WIDTH, generator=torch.Generator().manual_seed(1)) / 8
    head[:, 0] = 0.0
    head[300:345, 0] = torch.linspace(6.0, 6.0001, 45)
    return OutputLayer(head, TOP_K)


def states(rows: int) -> Tensor:
    """Hidden states; in the last row only the nearly tied tokens count."""
    hidden = torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(2))
    hidden[:, 0] = 0.0
    hidden[-1] = 0.0
    hidden[-1, 0] = 2.0
    return hidden


@pytest.mark.interpreter
def test_the_engine_reads_the_output_layer_as_the_protocol_says(layer: OutputLayer) -> None:
    hidden = states(4)[:3]
    parts = layer.read(hidden, SEEDS)
    logits = hidden @ layer._head.T
    ids, steps = best_candidates(logits, torch.logsumexp(logits, 1), TOP_K)
    assert parts.finite == [True] * 3
    assert torch.equal(parts.ids, ids)
    assert torch.equal(parts.logprobs, steps.double() / 256)
    for row, seed in enumerate(SEEDS):
        signs = torch.tensor(proof.sign_matrix(seed, "HIDN", WIDTH), dtype=torch.float64)
        expected = signs @ hidden[row].double() * WIDTH**-0.5
        torch.testing.assert_close(parts.hidden_lanes[row].double(), expected, atol=1e-5, rtol=0)


@pytest.mark.interpreter
def test_a_tie_that_the_kernel_cannot_settle_is_settled(layer: OutputLayer) -> None:
    """More tokens of one block tie than it keeps, and those it keeps have the higher ids."""
    hidden = states(1)
    places = layer._signs.places(SEEDS[:1])
    unsettled = layer._parts(hidden, places)
    assert not bool(unsettled.exact[0])
    assert int(unsettled.ids.min()) > 300, "the kernel kept the right ones, and this test shows nothing"
    assert layer.read(hidden, SEEDS[:1]).ids.tolist() == [list(range(300, 300 + TOP_K))]


@pytest.mark.interpreter
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy warns of NaN where a GPU does not
def test_a_row_that_is_not_finite_leaves_the_others_alone(layer: OutputLayer) -> None:
    hidden = states(3)
    sound = layer.read(hidden, SEEDS)
    hidden[1, 5] = torch.nan
    parts = layer.read(hidden, SEEDS)
    assert parts.finite == [True, False, True]
    assert torch.equal(parts.ids, sound.ids[[0, 2]])
    assert torch.equal(parts.logit_lanes, sound.logit_lanes[[0, 2]])
