# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""Signs in Triton: one program a request and run of Philox blocks."""

from collections.abc import Iterator

import torch
import triton
import triton.language as tl
from torch import Tensor

from llmnet.kernels._config import COMPILE_OPTIONS, Tables, tables_of
from llmnet.kernels._dispatch import check_integer_backend
from llmnet.kernels._philox import SIGN_TAGS
from llmnet.kernels._variant import Variant
from llmnet.kernels.sign_octets.reference import PER_BLOCK

BLOCKS = 256
"""Philox blocks a program."""

SIGN_STAGES = 1


@triton.jit
def octets_kernel(
    p_keys,  # [requests, 2] i64
    p_words,  # [requests, blocks, 4] i32
    blocks,
    TAG: tl.constexpr,
    BB: tl.constexpr,
):
    i_row = tl.program_id(0).to(tl.int64)
    o_b = tl.program_id(1) * BB + tl.arange(0, BB)  # [BB]
    b_k0 = tl.load(p_keys + 2 * i_row).to(tl.uint32)
    b_k1 = tl.load(p_keys + 2 * i_row + 1).to(tl.uint32)
    b_c0 = o_b.to(tl.uint32)  # [BB]
    b_zero = b_c0 * 0  # [BB]
    b_w0, b_w1, b_w2, b_w3 = tl.philox_impl(b_c0, b_zero, b_zero, b_zero + TAG, b_k0, b_k1, 10)
    o_word = (i_row * blocks + o_b) * 4  # [BB]
    m_b = o_b < blocks  # [BB]
    tl.store(p_words + o_word, b_w0.to(tl.int32, bitcast=True), mask=m_b)
    tl.store(p_words + o_word + 1, b_w1.to(tl.int32, bitcast=True), mask=m_b)
    tl.store(p_words + o_word + 2, b_w2.to(tl.int32, bitcast=True), mask=m_b)
    tl.store(p_words + o_word + 3, b_w3.to(tl.int32, bitcast=True), mask=m_b)


def sign_octets_triton(keys: Tensor, n: int, lane_set: str) -> Tensor:
    """Launch over requests and runs of blocks; arguments are already checked by the api.

    Returns uint8 ``[requests, n rounded up to 16]``. Raises: :class:`BackendError`.
    """
    check_integer_backend(keys)
    blocks = triton.cdiv(n, PER_BLOCK)
    words = torch.empty((keys.shape[0], blocks, 4), dtype=torch.int32, device=keys.device)
    if keys.shape[0]:
        octets_kernel[(keys.shape[0], triton.cdiv(blocks, BLOCKS))](
            keys,
            words,
            blocks,
            **_constants(lane_set),
            num_warps=tables_of(keys.device).rows["sign_octets"].num_warps,
            num_stages=SIGN_STAGES,
            **COMPILE_OPTIONS,
        )
    return words.view(torch.uint8).flatten(1)  # little endian, as every GPU and every CPU of ours


def _constants(lane_set: str) -> dict[str, int]:
    return {"TAG": SIGN_TAGS[lane_set], "BB": BLOCKS}


def variants(pinned: Tables) -> Iterator[Variant]:
    """What the ahead-of-time gate compiles."""
    for lane_set in SIGN_TAGS:
        yield Variant(
            name=f"sign_octets/{lane_set}",
            kernel=octets_kernel,
            pointers={"p_keys": "i64", "p_words": "i32"},
            scalars={"blocks": "i32"},
            aligned=frozenset({"p_keys", "p_words", "blocks"}),
            constants=_constants(lane_set),
            num_warps=pinned.rows["sign_octets"].num_warps,
            num_stages=SIGN_STAGES,
        )
