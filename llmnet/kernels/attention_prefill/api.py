"""Prefill attention: validate, then dispatch to Triton or to the reference."""

import itertools

import torch
from torch import Tensor

from llmnet.kernels._checks import check_attention, check_int32, check_lengths, check_one_device
from llmnet.kernels._dispatch import choose_backend
from llmnet.kernels.attention_prefill.plan import PrefillPlan, make_plan
from llmnet.kernels.attention_prefill.reference import attention_prefill_reference
from llmnet.kernels.errors import LengthError, ShapeError


def plan_prefill(
    cu_seqlens_q: Tensor, context_lens: Tensor, max_tokens: int, head_dim: int, device: torch.device | str
) -> PrefillPlan:
    """Make the work list of one batch; pass it to every layer's :func:`attention_prefill`.

    ``cu_seqlens_q``: int32 ``[batch + 1]`` and ``context_lens``: int32 ``[batch]``, best on the CPU (a device
    tensor costs a synchronisation); ``max_tokens``: ``max_pages * page_size`` of the page table.

    Raises: :class:`LengthError`, :class:`ShapeError`, :class:`DtypeError`.
    """
    q_lens, contexts = _host_lengths(cu_seqlens_q, context_lens, None, max_tokens)
    return make_plan(q_lens, contexts, head_dim, torch.device(device))


def attention_prefill(
    q: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    page_table: Tensor,
    cu_seqlens_q: Tensor,
    context_lens: Tensor,
    sm_scale: float,
    backend: str | None = None,
    *,
    plan: PrefillPlan | None = None,
) -> Tensor:
    """Causal grouped-query attention of a batch of chunks; keys and values are already in the cache.

    ``q``: ``[tokens, num_heads, head_dim]``, sequences one after the other; caches: ``[num_pages, page_size,
    num_kv_heads, head_dim]``; ``page_table``: int32 ``[batch, max_pages]``; ``cu_seqlens_q``: int32 ``[batch
    + 1]``, from 0 to ``tokens``; ``context_lens``: int32 ``[batch]``, tokens of the sequence including this
    chunk. The queries of sequence i are its *last* positions, so a chunk in the middle of a prompt and a
    whole prompt are the same call. ``backend``: None (CUDA fp16/bf16: Triton, otherwise reference),
    ``"triton"`` or ``"reference"``. ``plan``: from :func:`plan_prefill` for these lengths; with it the Triton
    path reads no device value.

    Returns ``[tokens, num_heads, head_dim]`` in the dtype of ``q``; a row depends on no other sequence.
    Raises: :class:`ShapeError`, :class:`DtypeError`, :class:`LayoutError`, :class:`LengthError`,
    :class:`BackendError`.
    """
    geometry = check_attention(q, k_cache, v_cache, page_table, context_lens, sm_scale)
    check_one_device(q, cu_seqlens_q)
    max_tokens = page_table.shape[1] * geometry.page_size
    if choose_backend(backend, q) == "reference":
        q_lens, contexts = _host_lengths(cu_seqlens_q, context_lens, q.shape[0], max_tokens)
        return attention_prefill_reference(q, k_cache, v_cache, page_table, q_lens, contexts, sm_scale)
    from llmnet.kernels.attention_prefill.triton import (
        attention_prefill_triton,
    )  # Triton is imported when it runs

    if plan is None:
        q_lens, contexts = _host_lengths(cu_seqlens_q, context_lens, q.shape[0], max_tokens)
        plan = make_plan(q_lens, contexts, geometry.head_dim, q.device)
    return attention_prefill_triton(
        q, k_cache, v_cache, page_table, cu_seqlens_q, context_lens, sm_scale, geometry, plan
    )


def _host_lengths(
    cu_seqlens_q: Tensor, context_lens: Tensor, rows: int | None, max_tokens: int
) -> tuple[list[int], list[int]]:
    """Read and check the lengths: (queries a sequence, context a sequence)."""
    check_int32("cu_seqlens_q", cu_seqlens_q)
    if cu_seqlens_q.dim() != 1 or cu_seqlens_q.shape[0] != context_lens.shape[0] + 1:
        raise ShapeError(f"cu_seqlens_q must be [batch + 1], got {tuple(cu_seqlens_q.shape)}")
    ends = cu_seqlens_q.tolist()
    contexts = context_lens.tolist()
    if ends[0] != 0 or (rows is not None and ends[-1] != rows):
        raise LengthError(
            f"cu_seqlens_q must run from 0 to the rows of q, got {ends[0]}..{ends[-1]}, rows {rows}"
        )
    q_lens = [after - before for before, after in itertools.pairwise(ends)]
    check_lengths(q_lens, contexts, max_tokens)
    return q_lens, contexts
