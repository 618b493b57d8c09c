"""The implementations beside each other. Each adapter prepares a problem and returns what is to be timed."""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import linear, rms_norm, scaled_dot_product_attention, silu

from llmnet.kernels import (
    add_rms_norm,
    attention_decode,
    attention_prefill,
    lm_head_leaf,
    matmul,
    plan_decode,
    plan_prefill,
    sample,
    swiglu,
)

from .problem import EPS, Attention, Gate, Head, Norm, Problem, Product, Sampling
from .workloads import PAGE

Timed = Callable[[], Tensor]
"""Gives an answer that can be compared with the problem's expected one."""


class UnavailableError(Exception):
    """This implementation cannot run this problem on this machine."""


class Adapter(ABC):
    """One implementation: ``name``, the problems it takes, and how it prepares one outside of the timing."""

    name: str
    takes: type[Problem]

    @abstractmethod
    def prepare(self, problem: Any) -> Timed:
        """What is to be timed. Raises: :class:`UnavailableError`."""


def optional(name: str) -> Any:
    """A module that need not be installed. Raises: :class:`UnavailableError`."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UnavailableError(f"{name.split('.')[0]} is not installed") from error


def needs_cuda(problem: Problem) -> None:
    """Refuse a problem on a CPU. Raises: :class:`UnavailableError`."""
    if problem.device != "cuda":
        raise UnavailableError("needs CUDA")


class Ours(Adapter):
    """Our operator on one of its backends, with plans made outside the timing, as an engine does it."""

    def __init__(self, backend: str, takes: type[Problem]) -> None:
        self.name, self.takes, self._backend = f"llmnet {backend}", takes, backend

    def prepare(self, problem: Any) -> Timed:
        backend = self._backend
        if backend == "triton":
            needs_cuda(problem)
        match problem:
            case Attention():
                return self._attention(problem)
            case Product():
                return lambda: matmul(problem.x, problem.weight, backend=backend)
            case Norm():
                return lambda: add_rms_norm(*problem.arguments, EPS, backend)[0]
            case Gate():
                return lambda: swiglu(*problem.arguments, backend)
            case Head():
                return lambda: lm_head_leaf(*problem.arguments, backend=backend).logsumexp
            case Sampling():
                return lambda: sample(*problem.arguments, backend)[1]
        raise UnavailableError(f"no operator for {type(problem).__name__}")

    def _attention(self, problem: Attention) -> Timed:
        work, tensors, backend = problem.sizes, problem.tensors, self._backend
        q = tensors.q.flatten(0, 1)
        ends, contexts = tensors.lengths
        if work.rows == 1:
            decode = plan_decode(contexts.cpu(), problem.max_tokens)
            return lambda: attention_decode(q, *tensors.pages, contexts, work.scale, backend, plan=decode)
        prefill = plan_prefill(ends.cpu(), contexts.cpu(), problem.max_tokens, work.dim, tensors.q.device)
        return lambda: attention_prefill(q, *tensors.pages, ends, contexts, work.scale, backend, plan=prefill)


class Sdpa(Adapter):
    """One backend of torch's attention on contiguous keys and values, which it need not look up in pages."""

    takes = Attention

    def __init__(self, name: str, kind: SDPBackend) -> None:
        self.name, self._kind = f"torch sdpa {name}", kind

    def prepare(self, problem: Any) -> Timed:
        work, tensors = problem.sizes, problem.tensors
        q, k, v = (part.transpose(1, 2).contiguous() for part in (tensors.q, tensors.k, tensors.v))
        options: dict[str, Any] = {"is_causal": work.rows > 1, "scale": work.scale}
        if self._kind == SDPBackend.EFFICIENT_ATTENTION:
            k, v = (part.repeat_interleave(work.heads // work.kv_heads, 1) for part in (k, v))
        else:
            options["enable_gqa"] = True

        def run() -> Tensor:
            with sdpa_kernel([self._kind]):
                return scaled_dot_product_attention(q, k, v, **options).transpose(1, 2).flatten(0, 1)

        try:
            run()
        except RuntimeError as error:
            raise UnavailableError(str(error).split("\n")[0]) from error
        return run


class Flex(Adapter):
    """FlexAttention, compiled; on CUDA only. Uncompiled it runs anywhere, slowly: that is for its own test."""

    name, takes = "torch flex", Attention

    def __init__(self, *, compiled: bool = True) -> None:
        self._compiled = compiled

    def prepare(self, problem: Any) -> Timed:
        if self._compiled:
            needs_cuda(problem)
        from torch.nn.attention.flex_attention import create_block_mask, flex_attention

        work, tensors = problem.sizes, problem.tensors
        q, k, v = (part.transpose(1, 2).contiguous() for part in (tensors.q, tensors.k, tensors.v))
        mask = None
        if work.rows > 1:
            mask = create_block_mask(
                lambda _b, _h, row, key: row >= key,
                None,
                None,
                work.rows,
                work.context,
                device=problem.device,
            )
        attend: Any = torch.compile(flex_attention, dynamic=False) if self._compiled else flex_attention
        options = {"block_mask": mask, "scale": work.scale, "enable_gqa": True}
        return lambda: attend(q, k, v, **options).transpose(1, 2).flatten(0, 1)


class FlashInfer(Adapter):
    """FlashInfer's paged wrappers, planned outside the timing; where it is installed."""

    name, takes = "flashinfer", Attention

    def prepare(self, problem: Any) -> Timed:
        needs_cuda(problem)
        flashinfer = optional("flashinfer")
        work, tensors = problem.sizes, problem.tensors
        k_cache, v_cache, table = tensors.pages
        pages = work.context // PAGE
        starts = torch.arange(work.batch + 1, dtype=torch.int32, device="cuda") * pages
        full = torch.full((work.batch,), PAGE, dtype=torch.int32, device="cuda")
        room = torch.empty(256 << 20, dtype=torch.uint8, device="cuda")
        heads = (work.heads, work.kv_heads, work.dim, PAGE)
        indices, q = table.flatten(), tensors.q.flatten(0, 1)
        kinds = {"q_data_type": problem.dtype, "sm_scale": work.scale}
        if work.rows == 1:
            wrapper = flashinfer.BatchDecodeWithPagedKVCacheWrapper(room, "NHD", use_tensor_cores=True)
            wrapper.plan(starts, indices, full, *heads, **kinds)
        else:
            wrapper = flashinfer.BatchPrefillWithPagedKVCacheWrapper(room, "NHD")
            wrapper.plan(tensors.lengths[0], starts, indices, full, *heads, causal=True, **kinds)
        return lambda: wrapper.run(q, (k_cache, v_cache))


class TorchProduct(Adapter):
    """torch's product: cuBLAS on a GPU, MKL or oneDNN on a CPU. Its bits depend on the number of rows."""

    name, takes = "torch linear", Product

    def prepare(self, problem: Any) -> Timed:
        return lambda: linear(problem.x, problem.weight)


class TorchNorm(Adapter):
    """The norm in eager torch, two launches."""

    name, takes = "torch rms_norm", Norm

    def prepare(self, problem: Any) -> Timed:
        x, residual, weight = problem.arguments
        return lambda: rms_norm(residual + x, weight.shape, weight, EPS).to(x.dtype)


class TorchGate(Adapter):
    """The gate in eager torch, two launches."""

    name, takes = "torch silu", Gate

    def prepare(self, problem: Any) -> Timed:
        gate, up = problem.arguments
        return lambda: silu(gate) * up


class LigerNorm(Adapter):
    """Liger's fused norm; where it is installed."""

    name, takes = "liger rms_norm", Norm

    def prepare(self, problem: Any) -> Timed:
        needs_cuda(problem)
        function = optional("liger_kernel.ops.rms_norm").LigerRMSNormFunction
        x, residual, weight = problem.arguments
        return lambda: function.apply(residual + x, weight, EPS).to(x.dtype)


class LigerGate(Adapter):
    """Liger's fused gate; where it is installed."""

    name, takes = "liger swiglu", Gate

    def prepare(self, problem: Any) -> Timed:
        needs_cuda(problem)
        function = optional("liger_kernel.ops.swiglu").LigerSiLUMulFunction
        return lambda: function.apply(*problem.arguments)


class TorchHead(Adapter):
    """Logits, log-sum-exp and 32 best in eager torch: what an engine without sketches does."""

    name, takes = "torch logits, topk", Head

    def prepare(self, problem: Any) -> Timed:
        hidden, weight = problem.arguments[:2]

        def run() -> Tensor:
            logits = linear(hidden.to(weight.dtype), weight).float()
            torch.topk(logits, 32, dim=1)
            return torch.logsumexp(logits, dim=1)

        return run


OWN = [
    Ours(backend, kind)
    for kind in (Attention, Product, Norm, Gate, Head, Sampling)
    for backend in ("triton", "reference")
]
PEERS: list[Adapter] = [
    Sdpa("math", SDPBackend.MATH),
    Sdpa("flash", SDPBackend.FLASH_ATTENTION),
    Sdpa("efficient", SDPBackend.EFFICIENT_ATTENTION),
    Sdpa("cudnn", SDPBackend.CUDNN_ATTENTION),
    Flex(),
    FlashInfer(),
    TorchProduct(),
    TorchNorm(),
    LigerNorm(),
    TorchGate(),
    LigerGate(),
    TorchHead(),
]


def adapters_for(problem: Problem) -> list[Adapter]:
    """Everything that takes this kind of problem, ours first."""
    return [adapter for adapter in (*OWN, *PEERS) if isinstance(problem, adapter.takes)]
