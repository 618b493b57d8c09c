"""The implementations beside each other. Each adapter prepares a workload and returns what is to be timed."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from llmnet.kernels import attention_decode, attention_prefill, plan_decode, plan_prefill

from .workloads import PAGE, Tensors

Timed = Callable[[], Tensor]
"""Returns ``[batch * rows, heads, dim]``."""


class UnavailableError(Exception):
    """This implementation cannot run this workload on this machine."""


def ours(backend: str) -> Callable[[Tensors], Timed]:
    """Our operator, with the plan made outside the timing, as an engine does it once for all layers."""

    def prepare(tensors: Tensors) -> Timed:
        work, device = tensors.work, tensors.q.device
        if backend == "triton" and not tensors.q.is_cuda:
            raise UnavailableError("needs CUDA")
        q = tensors.q.flatten(0, 1)
        ends, contexts = tensors.lengths
        tokens = tensors.pages[2].shape[1] * PAGE
        if work.rows == 1:
            decode = plan_decode(contexts.cpu(), tokens)
            return lambda: attention_decode(q, *tensors.pages, contexts, work.scale, backend, plan=decode)
        prefill = plan_prefill(ends.cpu(), contexts.cpu(), tokens, work.dim, device)
        return lambda: attention_prefill(q, *tensors.pages, ends, contexts, work.scale, backend, plan=prefill)

    return prepare


def sdpa(kind: SDPBackend) -> Callable[[Tensors], Timed]:
    """One backend of torch's attention on contiguous keys and values, which it need not look up in pages."""

    def prepare(tensors: Tensors) -> Timed:
        work = tensors.work
        q, k, v = (part.transpose(1, 2).contiguous() for part in (tensors.q, tensors.k, tensors.v))
        options: dict[str, Any] = {"is_causal": work.rows > 1, "scale": work.scale}
        if kind in (SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION, SDPBackend.MATH):
            options["enable_gqa"] = True
        else:
            k, v = (part.repeat_interleave(work.heads // work.kv_heads, 1) for part in (k, v))

        def run() -> Tensor:
            with sdpa_kernel([kind]):
                return scaled_dot_product_attention(q, k, v, **options).transpose(1, 2).flatten(0, 1)

        try:
            run()
        except RuntimeError as error:
            raise UnavailableError(str(error).split("\n")[0]) from error
        return run

    return prepare


def flex(tensors: Tensors) -> Timed:
    """FlexAttention, compiled; on CUDA only."""
    if not tensors.q.is_cuda:
        raise UnavailableError("needs CUDA")
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    work = tensors.work
    q, k, v = (part.transpose(1, 2).contiguous() for part in (tensors.q, tensors.k, tensors.v))
    mask = None
    if work.rows > 1:
        mask = create_block_mask(
            lambda _b, _h, row, key: row >= key, None, None, work.rows, work.context, device="cuda"
        )
    compiled = torch.compile(flex_attention, dynamic=False)
    return lambda: (
        compiled(q, k, v, block_mask=mask, scale=work.scale, enable_gqa=True).transpose(1, 2).flatten(0, 1)
    )


ADAPTERS: dict[str, Callable[[Tensors], Timed]] = {
    "llmnet triton": ours("triton"),
    "llmnet reference": ours("reference"),
    "torch sdpa math": sdpa(SDPBackend.MATH),
    "torch sdpa flash": sdpa(SDPBackend.FLASH_ATTENTION),
    "torch sdpa efficient": sdpa(SDPBackend.EFFICIENT_ATTENTION),
    "torch sdpa cudnn": sdpa(SDPBackend.CUDNN_ATTENTION),
    "torch flex": flex,
}
