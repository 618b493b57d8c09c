"""The Triton kernels on a GPU: values in bf16 and fp16, and the claims about bits at serving sizes."""

import hashlib
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from llmnet import proof
from llmnet.kernels import (
    DtypeError,
    add_rms_norm,
    attention_decode,
    attention_prefill,
    kv_write,
    lm_head_leaf,
    matmul,
    plan_decode,
    rms_norm,
    rope_kv_write,
    sample,
    sign_octets,
    swiglu,
)
from llmnet.kernels._config import BLOCK_K, KV_SPLIT, arch_of, bucket, tables_of
from llmnet.kernels.aot import read_record
from llmnet.kernels.lm_head_leaf.reference import best_candidates

from . import claims
from .cases import Batch, Seq, Shape, make_batch, same_bits

pytestmark = pytest.mark.gpu

CUDA = "cuda"
LLAMA = Shape(heads=32, kv_heads=8, dim=128)
LLAMA_64 = Shape(heads=32, kv_heads=8, dim=128, page=64)
SMOL = Shape(heads=9, kv_heads=3, dim=64)
SMOL_64 = Shape(heads=9, kv_heads=3, dim=64, page=64)
TOLERANCE = {torch.bfloat16: 1.6e-2, torch.float16: 2e-3}
DTYPES = list(TOLERANCE)
ROWS = (2, 7, 8, 16, 17, 31, 32, 64, 65, 256, 2048)
"""Sizes of a batch: every bucket of rows, and both sides of each of their borders."""


@pytest.fixture(autouse=True)
def line_info_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_DISABLE_LINE_INFO", "1")


def numbers(seed: int, *shape: int, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    generator = torch.Generator(CUDA).manual_seed(seed)
    return torch.randn(*shape, generator=generator, device=CUDA).to(dtype)


def prefill(batch: Batch) -> Tensor:
    return attention_prefill(*batch.prefill_args())


def decode(batch: Batch) -> Tensor:
    return attention_decode(*batch.decode_args())


def tensor_core_rounding() -> claims.Add:
    """How this machine's matrix products round a sum, seen on one that lies just below a number of fp32."""
    x, weight = torch.zeros(1, 128, device=CUDA), torch.zeros(8, 128, device=CUDA)
    x[0, 0] = x[0, 64] = 1.0
    weight[0, 0], weight[0, 64] = float(1 << 24), -0.25
    found = matmul(x.bfloat16(), weight.bfloat16(), out_dtype=torch.float32)[0, 0]
    return claims.to_nearest if float(found) == float(1 << 24) else claims.toward_zero


# Attention


@pytest.mark.parametrize(
    "shape", [LLAMA, LLAMA_64, SMOL, SMOL_64, Shape(8, 8, 64), Shape(14, 2, 64), Shape(4, 1, 128)]
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_both_kernels_equal_sdpa(shape: Shape, dtype: torch.dtype) -> None:
    ragged = [Seq(1, 1, 1), Seq(2, 333, 333), Seq(3, 5, 1500), Seq(4, 129, KV_SPLIT + 1)]
    claims.equals_oracle(prefill, ragged, shape, dtype, CUDA, TOLERANCE[dtype])
    singles = [Seq(i, 1, n) for i, n in enumerate((1, 63, 64, KV_SPLIT, KV_SPLIT + 1, 3000))]
    claims.equals_oracle(decode, singles, shape, dtype, CUDA, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_decode_bits_ignore_the_batch(dtype: torch.dtype) -> None:
    sizes = (2, 7, 8, 31, 32, 64, 256)
    claims.bits_ignore_the_batch(decode, Seq(99, 1, 1300), SMOL, dtype, CUDA, sizes)
    claims.bits_ignore_the_batch(decode, Seq(99, 1, 1300), LLAMA_64, dtype, CUDA, (2, 7, 64))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [LLAMA, LLAMA_64])
def test_prefill_bits_ignore_the_batch(dtype: torch.dtype, shape: Shape) -> None:
    claims.bits_ignore_the_batch(prefill, Seq(99, 200, 700), shape, dtype, CUDA, (2, 7, 32))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [LLAMA, LLAMA_64])
def test_prefill_bits_ignore_chunks_and_warm_prefixes(dtype: torch.dtype, shape: Shape) -> None:
    """A chunk over pages that are there already is what a warm prefix cache asks for."""
    claims.bits_ignore_chunks(prefill, 1300, (1, 16, 64, 127, 512, 777, 1299), shape, dtype, CUDA)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [LLAMA, LLAMA_64, SMOL, SMOL_64])
def test_prefill_and_decode_give_a_token_the_same_bits(dtype: torch.dtype, shape: Shape) -> None:
    for context in (1, 63, 64, 65, KV_SPLIT, 1300):
        whole = prefill(make_batch([Seq(5, context, context)], shape, dtype, CUDA))
        last = decode(make_batch([Seq(5, 1, context)], shape, dtype, CUDA))
        assert same_bits(last, whole[-1:]), f"bits differ at a context of {context}"


@pytest.mark.parametrize("dtype", DTYPES)
def test_pages_of_every_size_give_the_same_bits(dtype: torch.dtype) -> None:
    for run, q_len in ((prefill, 300), (decode, 1)):
        found = [
            run(make_batch([Seq(3, q_len, 900)], Shape(32, 8, 128, page), dtype, CUDA))
            for page in (16, 64, 256)
        ]
        assert same_bits(found[0], found[1])
        assert same_bits(found[0], found[2])


def test_values_are_summed_in_ascending_tiles_and_splits() -> None:
    add = tensor_core_rounding()
    claims.attention_sums_in_order(prefill, 3, CUDA, torch.bfloat16, 8, add)
    claims.attention_sums_in_order(decode, 1, CUDA, torch.bfloat16, 8, add)


# Products and rows


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("out", "depth"), [(576, 576), (1536, 576), (576, 1536), (4096, 4096)])
def test_product_equals_fp64(dtype: torch.dtype, out: int, depth: int) -> None:
    for rows in (1, 16, 17, 64, 65, 300):
        x, weight = numbers(1, rows, depth, dtype=dtype), numbers(2, out, depth, dtype=dtype)
        expected = x.double() @ weight.double().T / depth**0.5
        found = matmul(x, weight).double() / depth**0.5
        torch.testing.assert_close(found, expected, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("out", "depth"), [(576, 576), (4096, 4096), (1000, 1536)])
def test_product_bits_of_a_row_ignore_the_number_of_rows(dtype: torch.dtype, out: int, depth: int) -> None:
    weight, needle = numbers(2, out, depth, dtype=dtype), numbers(3, 1, depth, dtype=dtype)
    alone = matmul(needle, weight, out_dtype=torch.float32)
    for rows in ROWS:
        for place in {0, rows // 2, rows - 1}:
            x = numbers(rows, rows, depth, dtype=dtype)
            x[place] = needle[0]
            found = matmul(x, weight, out_dtype=torch.float32)[place : place + 1]
            assert same_bits(found, alone), f"bits differ at row {place} of {rows}"


def test_product_sums_run_over_ascending_steps() -> None:
    """bf16 has the exponents of fp32, so the whole numbers of the claim need only be cut to eight bits."""

    def run(x: Tensor, weight: Tensor) -> Tensor:
        return matmul(x.bfloat16().cuda(), weight.bfloat16().cuda(), out_dtype=torch.float32).cpu()

    add = tensor_core_rounding()
    for rows in (1, 17, 65):
        claims.sums_in_order(run, rows, steps=5, step=BLOCK_K, digits=8, add=add)


def test_the_row_claim_catches_a_library_that_chooses_by_size() -> None:
    """The mechanism off: a vendor's product, which takes other kernels for other numbers of rows."""
    weight, needle = numbers(2, 4096, 4096), numbers(3, 1, 4096)
    alone = torch.mm(needle, weight.T)
    differ = []
    for rows in ROWS:
        x = numbers(rows, rows, 4096)
        x[0] = needle[0]
        differ.append(not same_bits(torch.mm(x, weight.T)[:1], alone))
    assert any(differ)


@pytest.mark.parametrize("width", [576, 4096])
def test_norm_and_gate_bits_ignore_the_other_rows(width: int) -> None:
    weight, needle = numbers(1, width, dtype=torch.float32), numbers(2, 1, width)
    stream = numbers(3, 1, width, dtype=torch.float32)
    normed, total = add_rms_norm(needle, stream, weight, 1e-5)
    gated = swiglu(needle, needle)
    torch.testing.assert_close(
        normed.float(), rms_norm(total, weight, 1e-5, "reference"), atol=2e-2, rtol=2e-2
    )
    for rows in ROWS:
        x, residual = numbers(rows, rows, width), numbers(rows + 1, rows, width, dtype=torch.float32)
        x[rows // 2], residual[rows // 2] = needle[0], stream[0]
        found = add_rms_norm(x, residual, weight, 1e-5)
        assert same_bits(found[0][rows // 2], normed[0])
        assert same_bits(found[1][rows // 2], total[0])
        assert same_bits(swiglu(x, x)[rows // 2], gated[0])


def test_cache_writes_equal_the_reference() -> None:
    k, v = numbers(1, 2, 300, 8, 128).unbind(0)
    q = numbers(2, 300, 32, 128)
    slots = torch.randperm(40 * 16, device=CUDA)[:300]
    slots[::7] = -1
    positions = torch.arange(300, device=CUDA)
    angles = torch.outer(torch.arange(300.0, device=CUDA), torch.rand(64, device=CUDA))
    found = []
    for backend in ("triton", "reference"):
        caches = [torch.zeros(40, 16, 8, 128, dtype=torch.bfloat16, device=CUDA) for _ in range(4)]
        kv_write(k, v, *caches[:2], slots, backend=backend)
        turned = rope_kv_write(
            q, k, v, angles.cos(), angles.sin(), positions, *caches[2:], slots, backend=backend
        )
        found.append([*caches, turned])
    for left, right in zip(*found, strict=True):
        assert same_bits(left, right)


# The output layer and the sampler


def leaf_arguments(
    rows: int, vocab: int, width: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    keys = torch.randint(0, 1 << 32, (rows, 2), generator=torch.Generator().manual_seed(5)).cuda()
    octets = sign_octets(keys, vocab, "LOGI"), sign_octets(keys, width, "HIDN")
    return numbers(1, rows, width, dtype=torch.float32), numbers(2, vocab, width, dtype=dtype), *octets


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("vocab", [49_152, 128_256, 1000])
def test_leaf_parts_equal_the_reference(dtype: torch.dtype, vocab: int) -> None:
    for rows in (1, 16, 40):
        arguments = leaf_arguments(rows, vocab, 576, dtype)
        found = lm_head_leaf(*arguments, return_logits=True)
        expected = lm_head_leaf(*arguments, backend="reference", return_logits=True)
        assert found.logits is not None
        assert expected.logits is not None
        torch.testing.assert_close(found.logits, expected.logits, atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(found.logsumexp, expected.logsumexp, atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(found.logit_lanes, expected.logit_lanes, atol=2e-3, rtol=0)
        torch.testing.assert_close(found.hidden_lanes, expected.hidden_lanes, atol=1e-4, rtol=0)
        ids, logprobs = best_candidates(found.logits, found.logsumexp, 32)
        assert torch.equal(found.ids[found.exact], ids[found.exact])
        assert torch.equal(found.logprobs[found.exact], logprobs[found.exact])
        assert found.exact.float().mean() > 0.9


@pytest.mark.parametrize("dtype", DTYPES)
def test_leaf_bits_ignore_the_batch(dtype: torch.dtype) -> None:
    hidden, weight, logit_octets, hidden_octets = leaf_arguments(256, 49_152, 576, dtype)
    alone = lm_head_leaf(hidden[3:4], weight, logit_octets[3:4], hidden_octets[3:4])
    for rows in (4, 7, 16, 17, 64, 256):
        found = lm_head_leaf(hidden[:rows], weight, logit_octets[:rows], hidden_octets[:rows])
        for name in ("logsumexp", "ids", "logprobs", "logit_lanes", "hidden_lanes"):
            assert same_bits(getattr(found, name)[3:4], getattr(alone, name)), (
                f"{name} differs in {rows} rows"
            )


def test_signs_and_sampler_equal_the_protocol() -> None:
    seeds = [bytes([i]) * 32 for i in range(1, 65)]
    keys = torch.tensor([list(proof.philox.stream_key(seed)) for seed in seeds])
    octets = sign_octets(keys.cuda(), 1000, "LOGI").cpu()
    assert torch.equal(octets, sign_octets(keys, 1000, "LOGI", "reference"))
    generator = torch.Generator().manual_seed(1)
    logprobs = -torch.randint(0, 3000, (64, 32), generator=generator).short()
    ids = torch.stack([torch.randperm(1 << 18, generator=generator)[:32] for _ in range(64)])
    temperatures, positions = torch.arange(64) * 17, torch.arange(64) * 1001
    found = sample(*(part.cuda() for part in (logprobs, ids, temperatures, keys, positions)))
    expected = proof.sampler.sample_batch(
        logprobs.numpy(), ids.numpy(), temperatures.numpy(), seeds, positions.numpy()
    )
    assert found[0].tolist() == expected.tolist()


# All of them: repeats, graphs, binaries


def launches() -> Iterator[tuple[str, Callable[[], tuple[Tensor, ...]]]]:
    """Every operator at a serving-like size, as a launch that can be repeated and captured."""
    long = make_batch([Seq(1, 700, 1500), Seq(2, 90, 90)], LLAMA_64, torch.bfloat16, CUDA)
    small = make_batch([Seq(1, 700, 1500), Seq(2, 90, 90)], SMOL, torch.bfloat16, CUDA)
    singles = make_batch([Seq(i, 1, 400 * i + 1) for i in range(6)], LLAMA_64, torch.bfloat16, CUDA)
    plan = plan_decode(singles.context_lens.cpu(), max_tokens=64 * singles.page_table.shape[1])
    few, many, weight = numbers(1, 9, 4096), numbers(2, 500, 4096), numbers(3, 4096, 4096)
    scale, stream = numbers(4, 4096, dtype=torch.float32), numbers(5, 500, 4096, dtype=torch.float32)
    leaf = leaf_arguments(20, 49_152, 576, torch.bfloat16)

    def leaf_parts() -> tuple[Tensor, ...]:
        parts = lm_head_leaf(*leaf)
        return parts.logsumexp, parts.ids, parts.logprobs, parts.logit_lanes, parts.hidden_lanes

    yield "prefill llama", lambda: (prefill(long),)
    yield "prefill smollm2", lambda: (prefill(small),)
    yield "decode", lambda: (attention_decode(*singles.decode_args(), plan=plan),)
    yield "product, few rows", lambda: (matmul(few, weight),)
    yield "product, many rows", lambda: (matmul(many, weight),)
    yield "norm", lambda: add_rms_norm(many, stream, scale, 1e-5)
    yield "gate", lambda: (swiglu(many, many),)
    yield "output layer", leaf_parts


def test_a_thousand_repeats_give_the_same_bits() -> None:
    for name, launch in launches():
        expected = launch()
        for time in range(1000):
            for left, right in zip(launch(), expected, strict=True):
                assert same_bits(left, right), f"{name}: bits differ at repeat {time}"


def test_a_captured_graph_gives_the_bits_of_an_eager_launch() -> None:
    for name, launch in launches():
        if name.startswith("prefill"):  # its plan is made on the host, outside of graphs
            continue
        eager = [part.clone() for part in launch()]
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            captured = launch()
        for part in captured:
            part.zero_()
        graph.replay()
        for left, right in zip(captured, eager, strict=True):
            assert same_bits(left, right), name


def test_fp32_goes_to_the_reference_unless_triton_is_asked_for() -> None:
    batch = make_batch([Seq(1, 1, 50)], SMOL, torch.float32, CUDA)
    assert same_bits(decode(batch), attention_decode(*batch.decode_args(), backend="reference"))
    with pytest.raises(DtypeError, match="no pinned Triton configuration"):
        attention_decode(*batch.decode_args(), backend="triton")


def test_the_kernels_that_run_are_those_on_record() -> None:
    """What the policy publishes is what this machine launches."""
    from llmnet.kernels.attention_prefill.triton import prefill_kernel
    from llmnet.kernels.matmul.triton import matmul_kernel

    device = torch.device(CUDA)
    if torch.cuda.get_device_capability() not in ((9, 0), (8, 0)):
        pytest.skip("the record holds binaries of sm_90 and sm_80")
    record = read_record(arch_of(device))["kernels"]
    prefill(make_batch([Seq(1, 40, 40)], LLAMA, torch.bfloat16, CUDA))
    matmul(numbers(1, 9, 4096), numbers(2, 4096, 4096))
    few = bucket(tables_of(device).matmul, 9).max_rows or "any"
    for kernel, name in (
        (prefill_kernel, "attention_prefill/llama-8b/page16/bf16"),
        (matmul_kernel, f"matmul/rows{few}/bf16-bf16"),
    ):
        cache = kernel.device_caches[torch.cuda.current_device()][0]
        digests = {hashlib.sha256(compiled.asm["cubin"]).hexdigest() for compiled in cache.values()}
        assert record[name]["cubin_sha256"] in digests, name
