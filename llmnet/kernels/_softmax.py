# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""Online softmax over paged key/value tiles: the Triton pieces that prefill and decode share.

Both attention kernels walk the keys in tiles of ``BN`` tokens aligned to absolute position 0, restart the
online softmax at every multiple of ``SPLIT`` tokens, and merge the per-split partials ``(m, l, acc)`` in
ascending order. Keeping that order in one file is what makes the order of summation the same whoever calls
it.

Scores are in base 2: ``qk_scale = sm_scale * log2(e)``, so ``m`` is a maximum of ``qk * qk_scale`` and
probabilities are ``exp2(qk * qk_scale - m)`` (Milakov and Gimelshein 2018; Dao 2023 for the tiling). Every
multiply-add that may be contracted is written as ``tl.fma`` and kernels are compiled with
``enable_fp_fusion=False``, so that the compiler has no freedom left in rounding.
"""

import triton
import triton.language as tl


@triton.jit
def empty_partial(ROWS: tl.constexpr, D: tl.constexpr):
    """A partial over no keys: the neutral element of :func:`merge_partial`."""
    b_m = tl.full([ROWS], float("-inf"), tl.float32)  # [ROWS]
    b_l = tl.zeros([ROWS], tl.float32)  # [ROWS]
    b_acc = tl.zeros([ROWS, D], tl.float32)  # [ROWS, D]
    return b_m, b_l, b_acc


@triton.jit
def finite_or_zero(b_m):
    """Replace -inf by 0: a row that has seen no key yet would otherwise compute ``-inf - -inf``."""
    return tl.where(b_m == float("-inf"), 0.0, b_m)


@triton.jit
def attend_tile(
    b_q,
    b_m,
    b_l,
    b_acc,
    p_k,
    p_v,
    p_pages,
    i_hk,
    i_start,
    i_end,
    b_pos,
    qk_scale,
    HK: tl.constexpr,
    D: tl.constexpr,
    PAGE: tl.constexpr,
    BN: tl.constexpr,
    MASKED: tl.constexpr,
    TMA: tl.constexpr,
):
    """Fold keys ``i_start .. i_start + BN`` into the partial of each query row.

    ``p_k`` and ``p_v``: the caches, as pointers or, with ``TMA``, as descriptors of ``[slots, HK * D]`` with
    tiles ``[BN, D]``, for which a page must hold whole tiles. With ``MASKED`` a row sees only keys at
    positions ``<= b_pos`` and no value at or after ``i_end`` counts, whatever lies there; a tile in which a
    row sees no key leaves the bits of that row as they were.
    """
    o_n = i_start + tl.arange(0, BN)  # [BN]
    m_n = o_n < i_end  # [BN]
    if TMA:
        i_slot = tl.load(p_pages + i_start // PAGE) * PAGE + i_start % PAGE
        b_k = p_k.load([i_slot, i_hk * D])  # [BN, D]
        b_v = p_v.load([i_slot, i_hk * D])  # [BN, D]
        if MASKED:
            b_v = tl.where(m_n[:, None], b_v, 0.0)  # a slot that holds no token may hold NaN
    else:
        o_d = i_hk * D + tl.arange(0, D)  # [D]
        if MASKED:
            b_page = tl.load(p_pages + o_n // PAGE, mask=m_n, other=0)  # [BN]
            o_kv = (b_page.to(tl.int64) * PAGE + o_n % PAGE)[:, None] * (HK * D) + o_d[None, :]  # [BN, D]
            b_k = tl.load(p_k + o_kv, mask=m_n[:, None], other=0.0)  # [BN, D]
            b_v = tl.load(p_v + o_kv, mask=m_n[:, None], other=0.0)  # [BN, D]
        else:
            b_page = tl.load(p_pages + o_n // PAGE)  # [BN]
            o_kv = (b_page.to(tl.int64) * PAGE + o_n % PAGE)[:, None] * (HK * D) + o_d[None, :]  # [BN, D]
            b_k = tl.load(p_k + o_kv)  # [BN, D]
            b_v = tl.load(p_v + o_kv)  # [BN, D]
    b_s = tl.dot(b_q, tl.trans(b_k), input_precision="ieee")  # [ROWS, BN]
    if MASKED:
        b_s = tl.where(o_n[None, :] <= b_pos[:, None], b_s, float("-inf"))  # [ROWS, BN]
    b_new = tl.maximum(b_m, tl.max(b_s, 1) * qk_scale)  # [ROWS]
    b_ref = finite_or_zero(b_new) if MASKED else b_new  # [ROWS]
    b_p = tl.math.exp2(tl.fma(b_s, qk_scale, -b_ref[:, None]))  # [ROWS, BN]
    b_decay = tl.math.exp2(b_m - b_ref)  # [ROWS]
    b_l = tl.fma(b_l, b_decay, tl.sum(b_p, 1))  # [ROWS]
    b_acc = tl.dot(b_p.to(b_v.dtype), b_v, b_acc * b_decay[:, None], input_precision="ieee")  # [ROWS, D]
    return b_new, b_l, b_acc


@triton.jit
def merge_partial(b_mt, b_lt, b_acct, b_m, b_l, b_acc):
    """Fold the partial of the next split into the running total; called in ascending order of splits only.

    The maximum is always finite: every row sees key 0, so the first split has one and the total keeps it.
    """
    b_new = tl.maximum(b_mt, b_m)  # [ROWS]
    b_old = tl.math.exp2(b_mt - b_new)  # [ROWS]
    b_add = tl.math.exp2(b_m - b_new)  # [ROWS]
    b_lt = tl.fma(b_lt, b_old, b_l * b_add)  # [ROWS]
    b_acct = tl.fma(b_acct, b_old[:, None], b_acc * b_add[:, None])  # [ROWS, D]
    return b_new, b_lt, b_acct


@triton.jit
def normalise(b_l, b_acc):
    """``acc / l``; a row that saw no key at all (padding) becomes zeros instead of NaN."""
    return b_acc / tl.where(b_l == 0.0, 1.0, b_l)[:, None]  # [ROWS, D]
