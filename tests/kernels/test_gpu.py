"""The Triton kernels on a GPU: values in bf16 and fp16, and the claims about bits at serving sizes."""

import hashlib
import json

import pytest
import torch
from torch import Tensor

from llmnet.kernels import DtypeError, attention_decode, attention_prefill, kv_write, plan_decode
from llmnet.kernels._config import KV_SPLIT

from . import claims
from .cases import Batch, Seq, Shape, make_batch, same_bits
from .test_aot import GOLDEN

pytestmark = pytest.mark.gpu

CUDA = "cuda"
LLAMA = Shape(heads=32, kv_heads=8, dim=128)
SMOL = Shape(heads=9, kv_heads=3, dim=64)
TOLERANCE = {torch.bfloat16: 1.6e-2, torch.float16: 2e-3}
DTYPES = list(TOLERANCE)


@pytest.fixture(autouse=True)
def line_info_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_DISABLE_LINE_INFO", "1")


def prefill(batch: Batch) -> Tensor:
    return attention_prefill(*batch.prefill_args())


def decode(batch: Batch) -> Tensor:
    return attention_decode(*batch.decode_args())


@pytest.mark.parametrize("shape", [LLAMA, SMOL, Shape(8, 8, 64), Shape(14, 2, 64), Shape(4, 1, 128)])
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
    claims.bits_ignore_the_batch(decode, Seq(99, 1, 1300), LLAMA, dtype, CUDA, (2, 7, 64))


@pytest.mark.parametrize("dtype", DTYPES)
def test_prefill_bits_ignore_the_batch(dtype: torch.dtype) -> None:
    claims.bits_ignore_the_batch(prefill, Seq(99, 200, 700), LLAMA, dtype, CUDA, (2, 7, 32))


@pytest.mark.parametrize("dtype", DTYPES)
def test_prefill_bits_ignore_chunks(dtype: torch.dtype) -> None:
    claims.bits_ignore_chunks(prefill, 1300, (1, 16, 64, 127, 512, 777, 1299), LLAMA, dtype, CUDA)


def test_a_thousand_repeats_give_the_same_bits() -> None:
    for shape in (LLAMA, SMOL):
        claims.bits_repeat(
            prefill, make_batch([Seq(1, 700, 1500), Seq(2, 90, 90)], shape, torch.bfloat16, CUDA), 1000
        )
        singles = make_batch([Seq(i, 1, 400 * i + 1) for i in range(6)], shape, torch.bfloat16, CUDA)
        claims.bits_repeat(decode, singles, 1000)


def test_a_captured_graph_gives_the_bits_of_an_eager_launch() -> None:
    batch = make_batch([Seq(1, 1, 700), Seq(2, 1, 33)], LLAMA, torch.bfloat16, CUDA)
    plan = plan_decode(batch.context_lens.cpu(), max_tokens=16 * batch.page_table.shape[1])
    eager = attention_decode(*batch.decode_args(), plan=plan)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = attention_decode(*batch.decode_args(), plan=plan)
    captured.fill_(float("nan"))
    graph.replay()
    assert same_bits(captured, eager)


def test_kv_write_equals_the_reference() -> None:
    k, v = torch.randn(2, 300, 8, 128, device=CUDA).bfloat16().unbind(0)
    slots = torch.randperm(40 * 16, device=CUDA)[:300]
    slots[::7] = -1
    written = []
    for backend in ("triton", "reference"):
        caches = [torch.zeros(40, 16, 8, 128, dtype=torch.bfloat16, device=CUDA) for _ in range(2)]
        kv_write(k, v, *caches, slots, backend=backend)
        written.append(torch.stack(caches))
    assert same_bits(*written)


def test_fp32_goes_to_the_reference_unless_triton_is_asked_for() -> None:
    batch = make_batch([Seq(1, 1, 50)], SMOL, torch.float32, CUDA)
    assert same_bits(decode(batch), attention_decode(*batch.decode_args(), backend="reference"))
    with pytest.raises(DtypeError, match="no pinned Triton configuration"):
        attention_decode(*batch.decode_args(), backend="triton")


def test_the_kernel_that_runs_is_the_one_the_gate_compiled() -> None:
    if torch.cuda.get_device_capability() != (9, 0):
        pytest.skip("the gate compiles for sm_90")
    from llmnet.kernels.attention_prefill.triton import prefill_kernel

    prefill(make_batch([Seq(1, 40, 40)], LLAMA, torch.bfloat16, CUDA))
    cache = prefill_kernel.device_caches[torch.cuda.current_device()][0]
    digests = {hashlib.sha256(kernel.asm["cubin"]).hexdigest() for kernel in cache.values()}
    golden = json.loads(GOLDEN.read_text())["kernels"]["attention_prefill/llama-8b/bf16"]
    assert golden["cubin_sha256"] in digests
