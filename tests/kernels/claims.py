"""What is claimed of an attention implementation, as functions: the interpreter and a GPU must pass the same
ones.

Each takes ``run``, an implementation of the operator over a :class:`Batch`, and raises AssertionError when
the claim does not hold of it.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

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
