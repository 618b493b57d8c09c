"""Every argument that does not fit is refused, with an error that names it."""

from dataclasses import replace
from itertools import accumulate
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmnet.kernels import (
    BackendError,
    DtypeError,
    KernelError,
    LayoutError,
    LengthError,
    ShapeError,
    attention_decode,
    attention_prefill,
    kv_write,
    plan_decode,
    plan_prefill,
)
from llmnet.kernels._config import HEAD_DIMS

from .cases import Batch, Seq, Shape, make_batch

SHAPE = Shape(heads=6, kv_heads=2, dim=32)


def int32(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.int32)


def batch() -> Batch:
    return make_batch([Seq(1, 3, 20), Seq(2, 2, 2)], SHAPE)


def with_page(page: int) -> dict[str, Any]:
    table = batch().page_table.clone()
    table[0, 1] = page
    return {"page_table": table}


FAULTS: list[tuple[str, type[KernelError], dict[str, Any], str]] = [
    ("q of another head_dim", ShapeError, {"q": torch.zeros(5, 6, 16)}, "q must be"),
    ("q without heads", ShapeError, {"q": torch.zeros(5, 192)}, "q must be"),
    ("heads no multiple", ShapeError, {"q": torch.zeros(5, 5, 32)}, "no multiple"),
    ("caches differ", ShapeError, {"v_cache": torch.zeros(3, 16, 2, 32)}, "caches must both"),
    ("caches of two dtypes", DtypeError, {"v_cache": batch().v_cache.half()}, "share one"),
    ("q of another dtype", DtypeError, {"q": torch.zeros(5, 6, 32).half()}, "the cache is"),
    ("int64 table", DtypeError, {"page_table": batch().page_table.long()}, "page_table must be int32"),
    ("int64 lengths", DtypeError, {"context_lens": torch.tensor([20, 2])}, "context_lens must be int32"),
    ("int64 ends", DtypeError, {"cu_seqlens_q": torch.tensor([0, 3, 5])}, "cu_seqlens_q must be int32"),
    ("lengths of another batch", ShapeError, {"context_lens": int32(20)}, "page_table must be"),
    ("ends of another batch", ShapeError, {"cu_seqlens_q": int32(0, 5)}, "batch"),
    ("ends not from zero", LengthError, {"cu_seqlens_q": int32(1, 3, 5)}, "run from 0"),
    ("ends short of the rows", LengthError, {"cu_seqlens_q": int32(0, 3, 4)}, "run from 0"),
    ("ends decrease", LengthError, {"cu_seqlens_q": int32(0, 6, 5)}, "decreases"),
    ("context shorter than chunk", LengthError, {"context_lens": int32(20, 1)}, "shorter than its 2"),
    ("context past the table", LengthError, {"context_lens": int32(2000, 2)}, "page table holds 64"),
    ("negative page", LengthError, with_page(-1), "names a page outside"),
    ("page past the cache", LengthError, with_page(1 << 20), "names a page outside"),
    ("strided heads", LayoutError, {"q": torch.zeros(5, 32, 6).transpose(1, 2)}, "dense"),
    ("strided cache", LayoutError, {"k_cache": torch.zeros(6, 2, 16, 32).transpose(1, 2)}, "contiguous"),
    ("another device", LayoutError, {"page_table": batch().page_table.to("meta")}, "one device"),
]


@pytest.mark.parametrize(
    ("error", "change", "words"), [fault[1:] for fault in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_prefill_refuses(error: type[KernelError], change: dict[str, Any], words: str) -> None:
    with pytest.raises(error, match=words):
        attention_prefill(*replace(batch(), **change).prefill_args())


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_scale_must_be_positive_and_finite(scale: float) -> None:
    with pytest.raises(ShapeError, match="sm_scale"):
        attention_prefill(*batch().prefill_args()[:-1], scale)


def test_unsupported_head_dim_and_page_size_are_named() -> None:
    for size, words in (((3, 16, 2, 80), "head_dim 80"), ((3, 12, 2, 32), "page_size")):
        cache = torch.zeros(size)
        q = torch.zeros(1, 2, size[3])
        with pytest.raises(ShapeError, match=words):
            attention_decode(q, cache, cache.clone(), int32(0)[None], int32(1), 1.0)


def test_decode_refuses_other_batches_and_long_contexts() -> None:
    good = make_batch([Seq(1, 1, 20), Seq(2, 1, 2)], SHAPE)
    with pytest.raises(ShapeError, match="q has 3 rows"):
        attention_decode(torch.zeros(3, 6, 32), *good.decode_args()[1:])
    with pytest.raises(LengthError, match="page table holds"):
        attention_decode(*replace(good, context_lens=int32(20, 65)).decode_args())
    with pytest.raises(LengthError, match="shorter than its 0"):
        attention_decode(*replace(good, context_lens=int32(20, -1)).decode_args())


def test_kv_write_refuses_and_then_has_written_nothing() -> None:
    caches = [torch.zeros(2, 16, 2, 32) for _ in range(2)]
    rows = torch.ones(3, 2, 32)
    slots = torch.tensor([0, 1, 2])
    faults: list[tuple[type[KernelError], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]] = [
        (ShapeError, (rows[:, :1], rows[:, :1], slots)),
        (ShapeError, (rows, rows[:2], slots)),
        (ShapeError, (rows, rows, slots[:2])),
        (DtypeError, (rows, rows, slots.int())),
        (DtypeError, (rows.half(), rows.half(), slots)),
        (LengthError, (rows, rows, torch.tensor([0, 1, 32]))),
    ]
    for error, (k, v, slot_mapping) in faults:
        with pytest.raises(error):
            kv_write(k, v, *caches, slot_mapping)
    assert not any(cache.any() for cache in caches)


def test_plans_check_lengths_before_a_kernel_does() -> None:
    plan = plan_prefill(int32(0, 129, 130), int32(129, 500), max_tokens=512, head_dim=64, device="cpu")
    assert plan.work.tolist() == [[1, 0], [0, 1], [0, 0]]  # longest walk over keys first
    assert plan_decode(int32(1, 513), max_tokens=1024).num_splits == 2
    assert plan_decode(int32(0), max_tokens=1024).num_splits == 1
    with pytest.raises(LengthError):
        plan_prefill(int32(0, 129), int32(128), max_tokens=512, head_dim=64, device="cpu")
    with pytest.raises(ShapeError):
        plan_prefill(int32(0, 1), int32(1), max_tokens=512, head_dim=80, device="cpu")
    with pytest.raises(LengthError):
        plan_decode(int32(1025), max_tokens=1024)


def test_backends_that_cannot_run_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    args = batch().prefill_args()
    with pytest.raises(BackendError, match="unknown backend 'cuda'"):
        attention_prefill(*args, backend="cuda")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(BackendError, match="TRITON_INTERPRET"):
        attention_prefill(*args, backend="triton")


@given(
    lengths=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=8),
    dim=st.sampled_from(HEAD_DIMS),
)
def test_a_plan_lists_every_query_row_once(lengths: list[tuple[int, int]], dim: int) -> None:
    ends = torch.tensor([0, *accumulate(q_len for q_len, _ in lengths)], dtype=torch.int32)
    contexts = int32(*(q_len + before for q_len, before in lengths))
    plan = plan_prefill(ends, contexts, max_tokens=800, head_dim=dim, device="cpu")
    block = plan.config.block_m
    rows = [
        (i_b, row)
        for i_b, i_m in plan.work.tolist()
        for row in range(i_m * block, min((i_m + 1) * block, lengths[i_b][0]))
    ]
    assert sorted(rows) == [(i_b, row) for i_b, (q_len, _) in enumerate(lengths) for row in range(q_len)]
