import triton
import triton.language as tl
from llmnet.kernels._softmax import attend_tile, empty_partial, merge_partial, normalise

@triton.jit(do_not_specialize=["s_table"])
def prefill_kernel(  # type: ignore[no-untyped-def]
    p_q, p_k, p_v, p_out, p_table, p_cu, p_ctx, p_work, s_q, s_out, s_table, qk_scale,
    H: tl.constexpr, HK: tl.constexpr, D: tl.constexpr, PAGE: tl.constexpr,
    BM: tl.constexpr, BN: tl.constexpr, SPLIT: tl.constexpr,
):
    i_h = tl.program_id(0) % H
    i_w = tl.program_id(0) // H
    i_b = tl.load(p_work + 2 * i_w)
    i_m = tl.load(p_work + 2 * i_w + 1)
    i_q = tl.load(p_cu + i_b)
    i_len = tl.load(p_cu + i_b + 1) - i_q
    i_ctx = tl.load(p_ctx + i_b)
    o_m = i_m * BM + tl.arange(0, BM)
    o_d = tl.arange(0, D)
    m_m = (o_m < i_len)[:, None]
    o_row = (i_q + o_m).to(tl.int64)[:, None]
    b_q = tl.load(p_q + o_row * s_q + i_h * D + o_d[None, :], mask=m_m, other=0.0)
    i_first = i_ctx - i_len + i_m * BM
    b_pos = i_first + tl.arange(0, BM)
    i_end = tl.minimum(i_ctx, i_first + BM)
    i_full = (i_first + 1) // BN * BN
    i_hk = i_h // (H // HK)
    p_pages = p_table + i_b.to(tl.int64) * s_table
    p_kh = p_k + i_hk * D
    p_vh = p_v + i_hk * D
    b_mt, b_lt, b_acct = empty_partial(BM, D)
    for i_s in tl.range(0, i_end, SPLIT):
        b_m, b_l, b_acc = empty_partial(BM, D)
        i_hi = tl.minimum(i_s + SPLIT, i_end)
        i_mid = tl.minimum(i_hi, tl.maximum(i_s, i_full))
        for i_n in tl.range(i_s, i_mid, BN):
            b_m, b_l, b_acc = attend_tile(b_q, b_m, b_l, b_acc, p_kh, p_vh, p_pages, i_n, i_end, b_pos, qk_scale, HK * D, D, PAGE, BN, False)
        for i_n in tl.range(i_mid, i_hi, BN):
            b_m, b_l, b_acc = attend_tile(b_q, b_m, b_l, b_acc, p_kh, p_vh, p_pages, i_n, i_end, b_pos, qk_scale, HK * D, D, PAGE, BN, True)
        b_mt, b_lt, b_acct = merge_partial(b_mt, b_lt, b_acct, b_m, b_l, b_acc)
    b_out = normalise(b_lt, b_acct)
    tl.store(p_out + o_row * s_out + i_h * D + o_d[None, :], b_out.to(p_out.dtype.element_ty), mask=m_m)
