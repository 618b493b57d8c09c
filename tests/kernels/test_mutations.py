"""The tests notice sabotage: each mutation of a kernel fails the check that it should fail, and nothing else is
wrong with the harness, because the same checks pass on the genuine kernels.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from llmnet.kernels import (
    attention_decode,
    attention_prefill,
    kv_write,
    lm_head_leaf,
    matmul,
    rms_norm,
    rope_kv_write,
    sample,
    sign_octets,
    swiglu,
)
from llmnet.kernels._config import BLOCK_K, KV_SPLIT
from llmnet.kernels.sample.logarithm import LN2, POINTS, device_tables, ln_q48

from . import cases, claims
from .cases import Batch, Seq, Shape, same_bits
from .mutants import Mutation, sabotaged

pytestmark = [
    pytest.mark.interpreter,
    # What a mutant computes may be anything.
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


@pytest.fixture(autouse=True)
def wrong_pages_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter reads real memory: a mutant that follows an unused table entry shall find a page, though
    not its own."""
    monkeypatch.setattr(cases, "NO_PAGE", 0)


FP32 = torch.float32
SMALL = Shape(heads=2, kv_heads=1, dim=16)


def prefill(batch: Batch) -> Tensor:
    return attention_prefill(*batch.prefill_args(), backend="triton")


def decode(batch: Batch) -> Tensor:
    return attention_decode(*batch.decode_args(), backend="triton")


def check_prefill() -> None:
    claims.equals_oracle(prefill, [Seq(1, 70, 131), Seq(2, 5, 5)], SMALL, FP32, "cpu", 2e-6)
    claims.equals_oracle(prefill, [Seq(1, 70, 131)], Shape(2, 1, 16, 64), FP32, "cpu", 2e-6)


def check_decode() -> None:
    claims.equals_oracle(decode, [Seq(1, 1, 131), Seq(2, 1, 17)], SMALL, FP32, "cpu", 2e-6)
    claims.equals_oracle(decode, [Seq(1, 1, 131)], Shape(2, 1, 16, 64), FP32, "cpu", 2e-6)


def check_splits() -> None:
    claims.equals_oracle(decode, [Seq(1, 1, KV_SPLIT + 70)], SMALL, FP32, "cpu", 2e-6)


def check_prefill_order() -> None:
    claims.attention_sums_in_order(prefill, 3)


def check_decode_order() -> None:
    claims.attention_sums_in_order(decode, 1)


def check_product() -> None:
    for rows in (3, 70):
        x, weight = torch.randn(rows, 200), torch.randn(600, 200)
        found = matmul(x, weight, backend="triton")
        torch.testing.assert_close(found, x @ weight.T, atol=1e-4, rtol=1e-4)


def check_product_order() -> None:
    def run(x: Tensor, weight: Tensor) -> Tensor:
        return matmul(x, weight, backend="triton")

    claims.sums_in_order(run, 3, steps=5, step=BLOCK_K)
    claims.sums_in_order(run, 70, steps=5, step=BLOCK_K)


def check_write() -> None:
    rows = torch.randn(3, 6, 2, 16)
    angle = torch.outer(torch.arange(9.0), torch.rand(8))
    slots, positions = torch.tensor([31, 0, -1, 17, 5, 9]), torch.tensor([0, 8, 3, 2, 1, 7])
    found = []
    for backend in ("triton", "reference"):
        room = torch.full((4, 4, 16, 2, 16), float("nan"))
        caches = list(room[:, 1:3])  # with a page before and behind, where a mutant may write
        kv_write(rows[1], rows[2], *caches[:2], slots, backend=backend)
        q = rope_kv_write(*rows, angle.cos(), angle.sin(), positions, *caches[2:], slots, backend=backend)
        found.append(torch.cat([room.flatten(), q.flatten()]))
    assert same_bits(*found)


def check_norm() -> None:
    x, weight = torch.randn(3, 40), torch.randn(40)
    found = [rms_norm(x, weight, 1e-2, backend) for backend in ("triton", "reference")]
    torch.testing.assert_close(*found, atol=1e-6, rtol=1e-6)


def check_gate() -> None:
    gate, up = torch.randn(2, 3, 40).unbind(0)
    torch.testing.assert_close(
        swiglu(gate, up, "triton"), swiglu(gate, up, "reference"), atol=1e-6, rtol=1e-6
    )


KEYS = torch.tensor([[1, 2], [3, 4], [5, 6], [7, 8]])


def check_sample() -> None:
    logprobs = torch.full((4, 32), -900, dtype=torch.int16) - torch.arange(4)[:, None].short()
    ids = torch.arange(32).flip(0).repeat(4, 1) * 7
    for temperature in (0, 256):
        arguments = (logprobs, ids, torch.full((4,), temperature), KEYS, torch.arange(4))
        for found, expected in zip(
            sample(*arguments, "triton"), sample(*arguments, "reference"), strict=True
        ):
            assert found.tolist() == expected.tolist()


def check_leaf() -> None:
    torch.manual_seed(3)
    weight = torch.zeros(600, 16)
    weight[:, 3] = torch.randn(600) * 2
    weight[[7, 300, 580, 20], 3] = torch.tensor([8.0, 8.0001, 8.0002, 8.0])
    hidden = torch.zeros(1, 16)
    hidden[0, 3], hidden[0, 5] = 1.0, 0.5
    octets = sign_octets(KEYS[:1], 600, "LOGI", "triton"), sign_octets(KEYS[:1], 16, "HIDN", "triton")
    found, expected = (
        lm_head_leaf(hidden, weight, *octets, backend=backend) for backend in ("triton", "reference")
    )
    torch.testing.assert_close(found.logsumexp, expected.logsumexp, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.logit_lanes, expected.logit_lanes, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.hidden_lanes, expected.hidden_lanes, atol=1e-5, rtol=0)
    assert found.ids.tolist() == expected.ids.tolist()
    assert found.logprobs.tolist() == expected.logprobs.tolist()


def check_signs() -> None:
    for lane_set in ("LOGI", "HIDN"):
        found, expected = (sign_octets(KEYS, 50, lane_set, backend) for backend in ("triton", "reference"))
        assert found.tolist() == expected.tolist()


def check_groups(run: Callable[[Batch], Tensor], q_len: int) -> None:
    claims.equals_oracle(run, [Seq(1, q_len, 20)], Shape(6, 2, 16), FP32, "cpu", 2e-6)


def check_logarithm() -> None:
    """The logarithm inside the sampler, bit for bit; in a winner its last term would hardly show."""
    from llmnet.kernels.sample import triton as sampler

    from . import log_kernel

    log_kernel.ln_q48 = sampler.ln_q48
    x = torch.randint(1, 1 << 53, (256,), generator=torch.Generator().manual_seed(1))
    found = torch.empty_like(x)
    log_kernel.log_kernel[(1,)](x, found, device_tables(x.device), 256, POINTS, LN2)
    assert found.tolist() == ln_q48(x).tolist()


CHECKS: list[Callable[[], None]] = [
    check_prefill,
    check_decode,
    check_splits,
    check_prefill_order,
    check_decode_order,
    check_product,
    check_product_order,
    check_write,
    check_norm,
    check_gate,
    check_sample,
    check_leaf,
    check_signs,
    check_logarithm,
]

VISIBLE = "o_n[None, :] <= b_pos[:, None]"
DEPTH = "for i_k in tl.range(0, depth, BK):"
PREFILL, DECODE, HEAD = "attention_prefill.triton", "attention_decode.triton", "lm_head_leaf.triton"
MUTATIONS: list[tuple[Mutation, Callable[[], None]]] = [
    (Mutation("the causal mask is dropped", "_softmax", VISIBLE, "o_n[None, :] < i_end"), check_prefill),
    (Mutation("the mask is off by one", "_softmax", VISIBLE, "o_n[None, :] < b_pos[:, None]"), check_prefill),
    (
        Mutation("tiles on the diagonal go unmasked", PREFILL, "(i_first + 1) // BN", "(i_first + BM) // BN"),
        check_prefill,
    ),
    (
        Mutation("values past the end are not masked", "_softmax", "tl.where(m_n[:, None], b_v, 0.0)", "b_v"),
        check_decode,
    ),
    (
        Mutation("a page too far", "_softmax", "p_pages + o_n // PAGE", "p_pages + o_n // PAGE + o_n // 64"),
        check_decode,
    ),
    (
        Mutation("a bulk copy of the wrong page", "_softmax", "p_pages + i_start // PAGE", "p_pages"),
        check_decode,
    ),
    (Mutation("a slot too far", "_softmax", "PAGE + o_n % PAGE", "PAGE + (o_n + 1) % PAGE"), check_decode),
    (
        Mutation("the wrong KV head", PREFILL, "i_h // (H // HK)", "i_h % HK"),
        lambda: check_groups(prefill, 5),
    ),
    (
        Mutation("a wrong KV head in decode", DECODE, "o_h = i_hk * GROUP + o_r", "o_h = i_hk + o_r"),
        lambda: check_groups(decode, 1),
    ),
    (
        Mutation(
            "the merge forgets to rescale",
            "_softmax",
            "b_acc * b_add[:, None])",
            "b_acc)",
        ),
        check_splits,
    ),
    (
        Mutation("the merge forgets a sum", "_softmax", "tl.fma(b_lt, b_old, b_l * b_add)", "b_lt * b_old"),
        check_splits,
    ),
    (
        Mutation("the last split is not merged", DECODE, "tl.range(0, i_used)", "tl.range(0, i_used - 1)"),
        check_splits,
    ),
    (
        Mutation(
            "splits are merged from the end",
            DECODE,
            "p_acc + (o_part + i_split)[",
            "p_acc + (o_part + i_used - 1 - i_split)[",
        ),
        check_decode_order,
    ),
    (
        Mutation("prefill has no splits", PREFILL, "i_n % SPLIT == 0", "i_n % (8 * SPLIT) == 0"),
        check_prefill_order,
    ),
    (
        Mutation(
            "the sum of weights is not rescaled", "_softmax", "tl.fma(b_l, b_decay,", "tl.fma(b_l, 1.0,"
        ),
        check_decode,
    ),
    (
        Mutation(
            "one side of a product stays at its first step",
            "matmul.triton",
            "p_x, i_m, i_k, rows",
            "p_x, i_m, 0, rows",
        ),
        check_product,
    ),
    (
        Mutation(
            "the sum of a product runs backwards",
            "matmul.triton",
            DEPTH,
            f"{DEPTH}\n        i_k = depth - BK - i_k",
        ),
        check_product_order,
    ),
    (
        Mutation(
            "a product stops a step early",
            "matmul.triton",
            "tl.range(0, depth, BK)",
            "tl.range(0, depth - BK, BK)",
        ),
        check_product,
    ),
    (
        Mutation(
            "a tile of the result is skipped",
            "matmul.triton",
            "tl.num_programs(0))",
            "tl.num_programs(0) + 1)",
        ),
        check_product,
    ),
    (
        Mutation("padding rows are stored", "kv_write.triton", "if i_slot < 0:", "if i_slot < -9:"),
        check_write,
    ),
    (
        Mutation(
            "the rotation runs the other way",
            "kv_write.triton",
            "b_first * b_cos[None, :] - ",
            "b_first * b_cos[None, :] + ",
        ),
        check_write,
    ),
    (
        Mutation(
            "every token is at position zero", "kv_write.triton", "p_cos + i_position * (D // 2)", "p_cos"
        ),
        check_write,
    ),
    (Mutation("the norm forgets eps", "rms_norm.triton", "/ W + eps)", "/ W)"), check_norm),
    (Mutation("the norm divides by its block", "rms_norm.triton", "/ W + eps)", "/ BW + eps)"), check_norm),
    (
        Mutation(
            "the gate is on the wrong side",
            "swiglu.triton",
            "b_gate * b_share * b_up",
            "b_up * b_share * b_up",
        ),
        check_gate,
    ),
    (
        Mutation("the sampler ignores the seed", "sample.triton", "p_keys + 2 * i_row)", "p_keys)"),
        check_sample,
    ),
    (
        Mutation("the sampler ignores the position", "sample.triton", "p_positions + i_row", "p_positions"),
        check_sample,
    ),
    (
        Mutation(
            "ties go to the higher id",
            "sample.triton",
            "tl.min(tl.where(m_best, b_id, HIGHEST), 0)",
            "tl.max(tl.where(m_best, b_id, 0), 0)",
        ),
        check_sample,
    ),
    (
        Mutation("the cube of the logarithm is left out", "sample.triton", "+ (b_third >> 32)", ""),
        check_logarithm,
    ),
    (
        Mutation(
            "candidates are ordered by float alone",
            HEAD,
            "+ 12582912.0) - 12582912.0).to(tl.int64)",
            "* 4096.0).to(tl.int64))",
        ),
        check_leaf,
    ),
    (
        Mutation(
            "ties of candidates go to the higher id",
            HEAD,
            "| (0xFFFFFFFF - b_id.to(tl.int64))",
            "| b_id.to(tl.int64)",
        ),
        check_leaf,
    ),
    (
        Mutation(
            "the best is taken again and again",
            HEAD,
            "tl.where(b_key == b_top[:, None], NOTHING, b_key)",
            "b_key",
        ),
        check_leaf,
    ),
    (Mutation("the mean stays in the logits", HEAD, "- i_mean * i_signs", "- 0.0 * i_signs"), check_leaf),
    (
        Mutation(
            "a lane uses its neighbour's signs",
            HEAD,
            "(b_octets >> i_lane) & 1",
            "(b_octets >> (i_lane + 1) % 8) & 1",
        ),
        check_leaf,
    ),
    (
        Mutation(
            "the normaliser forgets a block",
            HEAD,
            "p_stats + blocks + o_b, mask=m_b",
            "p_stats + blocks + o_b, mask=o_b < blocks - 1",
        ),
        check_leaf,
    ),
    (
        Mutation("both lane sets have the same signs", "sign_octets.triton", "b_zero + TAG", "b_zero + 1"),
        check_signs,
    ),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_genuine_kernels_pass(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize(("mutation", "check"), MUTATIONS, ids=[mutation.name for mutation, _ in MUTATIONS])
def test_sabotage_is_noticed(mutation: Mutation, check: Callable[[], None], tmp_path: Path) -> None:
    with sabotaged(mutation, tmp_path), pytest.raises(AssertionError):
        check()


def test_the_harness_itself_changes_nothing(tmp_path: Path) -> None:
    """A mutation without effect passes, and the genuine modules are back afterwards."""
    from llmnet.kernels.sample import triton as genuine

    with sabotaged(Mutation("none", "sample.triton", "SAMPLE_STAGES = 1", "SAMPLE_STAGES = 2"), tmp_path):
        from llmnet.kernels.sample import triton as copy

        assert copy is not genuine
        check_sample()
    from llmnet.kernels.sample import triton as again

    assert again is genuine
    with (
        pytest.raises(ValueError, match="no longer has"),
        sabotaged(Mutation("x", "_softmax", "?!", ""), tmp_path),
    ):
        pass


DOCUMENT = Path(__file__).parents[2] / "docs" / "kernels.md"


def test_the_document_lists_every_sabotage_and_tests_that_exist() -> None:
    text = DOCUMENT.read_text().split("## Sabotage")[1].split("## Tables")[0]
    assert sorted(set(re.findall(r"M\[([^]]+)]", text)) - {"..."}) == sorted(
        mutation.name for mutation, _ in MUTATIONS
    )
    here = {
        name
        for file in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    named = set(re.findall(r"::(test_\w+)", text))
    assert len(named) > 10
    assert named <= here
