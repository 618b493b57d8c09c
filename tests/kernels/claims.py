"""What is claimed of an attention implementation, as functions: the interpreter and a GPU must pass the same
ones.

Each takes ``run``, an implementation of the operator over a :class:`Batch`, and raises AssertionError when
the claim does not hold of it.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from llmnet.kernels._config import KV_SPLIT, KV_TILE

from .cases import Batch, Seq, Shape, make_batch, oracle, same_bits

Run = Callable[[Batch], Tensor]


def equals_oracle(
    run: Run, sequences: Sequence[Seq], shape: Shape, dtype: torch.dtype, device: str, tolerance: float
) -> None:
    """Close to fp64 attention over the same (rounded) tokens, element by element."""
    batch = make_batch(sequences, shape, dtype, device)
    out = run(batch)
    assert out.dtype == dtype
    torch.testing.assert_close(out.cpu().double(), oracle(batch), atol=tolerance, rtol=tolerance)


def bits_ignore_the_batch(
    run: Run, needle: Seq, shape: Shape, dtype: torch.dtype, device: str, sizes: Sequence[int]
) -> None:
    """A sequence gets the same bits alone and anywhere in a batch of any size, on whatever pages it lies."""
    alone = run(make_batch([needle], shape, dtype, device))
    for size in sizes:
        others = [_other(needle, i, size) for i in range(size - 1)]
        for place in {0, (size - 1) // 2, size - 1}:
            batch = make_batch([*others[:place], needle, *others[place:]], shape, dtype, device, size + place)
            start = int(batch.cu_seqlens_q[place])
            found = run(batch)[start : start + needle.q_len]
            assert same_bits(found, alone), f"bits differ at place {place} of a batch of {size}"


def _other(needle: Seq, i: int, size: int) -> Seq:
    """A neighbour of another length: decode batches (one query) stay decode batches."""
    context = 1 + (37 * i + 11 * size) % (needle.context + 40)
    q_len = 1 if needle.q_len == 1 else 1 + (7 * i) % context
    return Seq(1000 + i, q_len, context)


def bits_ignore_chunks(
    run: Run, context: int, cuts: Sequence[int], shape: Shape, dtype: torch.dtype, device: str
) -> None:
    """A prompt gets the same bits whole and as two chunks cut anywhere."""
    whole = run(make_batch([Seq(7, context, context)], shape, dtype, device))
    for cut in cuts:
        last = run(make_batch([Seq(7, context - cut, context)], shape, dtype, device))
        assert same_bits(last, whole[cut:]), f"bits of the second chunk differ when cut at {cut}"
        first = run(first_tokens(make_batch([Seq(7, context, context)], shape, dtype, device), cut))
        assert same_bits(first, whole[:cut]), f"bits of the first chunk differ when cut at {cut}"


def first_tokens(batch: Batch, cut: int) -> Batch:
    """The batch of one whole prompt, as it was when only its first ``cut`` tokens were known."""
    lengths = torch.tensor([0, cut], dtype=torch.int32, device=batch.q.device)
    q, k, v = batch.plain[0]
    return Batch(
        batch.shape,
        batch.q[:cut],
        batch.k_cache,
        batch.v_cache,
        batch.page_table,
        lengths,
        lengths[1:].contiguous(),
        [(q[:cut], k[:cut], v[:cut])],
    )


def bits_repeat(run: Run, batch: Batch, times: int) -> None:
    """The same launch gives the same bits every time."""
    expected = run(batch)
    for time in range(times):
        assert same_bits(run(batch), expected), f"bits differ at repeat {time}"


Add = Callable[[Tensor, Tensor], Tensor]
"""A sum of two fp32 tensors, rounded in some way."""


def to_nearest(left: Tensor, right: Tensor) -> Tensor:
    """As a processor rounds, and the interpreter."""
    return left + right


def toward_zero(left: Tensor, right: Tensor) -> Tensor:
    """As the accumulators of tensor cores are said to round: the exact sum, cut off."""
    exact = left.double() + right.double()
    near = exact.float()
    inward = torch.nextafter(near, torch.zeros(()))
    return torch.where(near.double().abs() > exact.abs(), inward, near)


def sums_in_order(
    run: Callable[[Tensor, Tensor], Tensor],
    rows: int,
    steps: int,
    step: int,
    digits: int = 12,
    add: Add = to_nearest,
) -> None:
    """A product adds its steps of ``step`` one after the other in fp32, from the first to the last.

    Each step holds a single non-zero product, an integer, so within a step there is no order; across them the
    values are of such sizes that fp32 loses other bits in every other order.
    """
    values = ordered_values(64, steps, digits)
    x, weight = torch.zeros(rows, steps * step), torch.zeros(64, steps * step)
    expected = torch.zeros(64)
    for i in range(steps):
        x[:, i * step + 7 * i % step] = 1.0
        weight[:, i * step + 7 * i % step] = values[:, i]
        expected = add(expected, values[:, i])
    wrong = (run(x, weight) != expected).any(0).nonzero().flatten().tolist()
    assert not wrong, f"order of summation: other sums in columns {wrong}"


def ordered_values(rows: int, count: int, digits: int) -> Tensor:
    """``[rows, count]`` whole numbers of many sizes, with so many binary digits: the fp32 sum of a row tells
    in which order it was taken."""
    generator = torch.Generator().manual_seed(1)
    sizes = torch.randint(0, 34 - digits, (rows, count), generator=generator)
    signed = torch.randint(-(1 << digits), 1 << digits, (rows, count), generator=generator)
    return signed.float() * 2.0**sizes


def attention_sums_in_order(
    run: Run,
    q_len: int,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    digits: int = 12,
    add: Add = to_nearest,
) -> None:
    """Values are added tile by tile inside a split, and splits one after the other, both ascending.

    All scores are equal, so every weight is 1; each tile holds one non-zero value in each column, a whole
    number, and the number of keys is a power of two, so nothing but the order of the sums can round. ``add``
    is how a matrix product rounds; splits are merged by ordinary arithmetic.
    """
    dim, splits = 16, 4
    tiles = splits * KV_SPLIT // KV_TILE
    shape, context = Shape(1, 1, dim), tiles * KV_TILE
    values = ordered_values(dim, tiles, digits)  # [dim, tiles]
    batch = make_batch([Seq(1, q_len, context)], shape, dtype, device)
    batch.q.zero_()
    for i_key in range(context):
        i_tile, i_place = divmod(i_key, KV_TILE)
        row = values[:, i_tile] if i_place == 5 * i_tile % KV_TILE else torch.zeros(dim)
        page, slot = divmod(i_key, shape.page)
        batch.v_cache[batch.page_table[0, page], slot, 0] = row.to(batch.v_cache)
    expected = torch.zeros(dim)
    for part in values.split(tiles // splits, 1):
        total = torch.zeros(dim)
        for column in part.unbind(1):
            total = add(total, column)
        expected = expected + total
    found = run(batch)[-1, 0].cpu()
    wrong = (found != (expected / context).to(dtype)).nonzero().flatten().tolist()
    assert not wrong, f"order of summation: other sums in columns {wrong}"
