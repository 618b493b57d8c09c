"""Decode attention: validate, then dispatch to Triton or to the reference."""

from torch import Tensor

from llmnet.kernels._checks import check_attention, check_int32, check_lengths
from llmnet.kernels._dispatch import choose_backend
from llmnet.kernels.attention_decode.plan import DecodePlan, splits_for
from llmnet.kernels.attention_decode.reference import attention_decode_reference
from llmnet.kernels.errors import ShapeError


def plan_decode(context_lens: Tensor, max_tokens: int) -> DecodePlan:
    """Decide the number of splits for one batch; pass it to every layer's :func:`attention_decode`.

    ``context_lens``: int32 ``[batch]``, best on the CPU; ``max_tokens``: ``max_pages * page_size`` of the
    page table.

    Raises: :class:`LengthError`, :class:`DtypeError`.
    """
    check_int32("context_lens", context_lens)
    contexts = context_lens.tolist()
    check_lengths([0] * len(contexts), contexts, max_tokens)
    return DecodePlan(splits_for(max(contexts, default=0)))


def attention_decode(
    q: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    page_table: Tensor,
    context_lens: Tensor,
    sm_scale: float,
    backend: str | None = None,
    *,
    plan: DecodePlan | None = None,
) -> Tensor:
    """Grouped-query attention of one token a sequence; its key and value are already in the cache.

    ``q``: ``[batch, num_heads, head_dim]``; caches: ``[num_pages, page_size, num_kv_heads, head_dim]``;
    ``page_table``: int32 ``[batch, max_pages]``; ``context_lens``: int32 ``[batch]``, tokens including this
    one. A context of 0 marks a padding row, whose output is zeros. ``backend``: None (CUDA fp16/bf16: Triton,
    otherwise reference), ``"triton"`` or ``"reference"``. Without a ``plan`` the Triton path launches splits
    for the whole width of ``page_table``; in both cases it reads no device value and can be captured in a
    graph.

    Returns ``[batch, num_heads, head_dim]`` in the dtype of ``q``; a row depends on no other row.
    Raises: :class:`ShapeError`, :class:`DtypeError`, :class:`LayoutError`, :class:`BackendError`, and on the
    reference path :class:`LengthError` (the Triton path has its lengths checked by :func:`plan_decode`).
    """
    geometry = check_attention(q, k_cache, v_cache, page_table, context_lens, sm_scale)
    if q.shape[0] != page_table.shape[0]:
        raise ShapeError(f"q has {q.shape[0]} rows, page_table has {page_table.shape[0]}")
    max_tokens = page_table.shape[1] * geometry.page_size
    if choose_backend(backend, q) == "reference":
        contexts = context_lens.tolist()
        check_lengths([0] * len(contexts), contexts, max_tokens)
        return attention_decode_reference(q, k_cache, v_cache, page_table, contexts, sm_scale)
    from llmnet.kernels.attention_decode.triton import (
        attention_decode_triton,
    )  # Triton is imported when it runs

    num_splits = splits_for(max_tokens) if plan is None else plan.num_splits
    return attention_decode_triton(
        q, k_cache, v_cache, page_table, context_lens, sm_scale, geometry, num_splits
    )
