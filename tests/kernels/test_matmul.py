"""The matrix product: values, order of summation, and bits that ignore the other rows."""

import pytest
import torch
from torch import Tensor

from llmnet.kernels import BackendError, DtypeError, LayoutError, ShapeError, matmul
from llmnet.kernels._config import ARCHITECTURES, BLOCK_K, tables, trying

from . import claims
from .cases import same_bits

TOLERANCE = {torch.float32: 2e-6, torch.float16: 3e-3, torch.bfloat16: 8e-3}


def numbers(seed: int, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def triton(x: Tensor, weight: Tensor) -> Tensor:
    return matmul(x, weight, backend="triton")


@pytest.mark.interpreter
@pytest.mark.parametrize("rows", [1, 3, 16, 17, 65, 129])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_product_equals_fp64_in_every_bucket(rows: int, dtype: torch.dtype, arch: str) -> None:
    x, weight = numbers(1, rows, 200, dtype=dtype), numbers(2, 136, 200, dtype=dtype)
    expected = x.double() @ weight.double().T
    scale = 200**0.5
    with trying(tables(arch)):
        found = matmul(x, weight, backend="triton")
    assert found.dtype == dtype
    torch.testing.assert_close(found.double() / scale, expected / scale, atol=TOLERANCE[dtype], rtol=0)


@pytest.mark.interpreter
@pytest.mark.parametrize("rows", [2, 40, 70])
def test_bias_and_fp32_results(rows: int) -> None:
    x, weight, bias = (
        numbers(i, *shape, dtype=torch.float16) for i, shape in enumerate(((rows, 64), (48, 64), (48,)))
    )
    found = matmul(x, weight, bias, backend="triton", out_dtype=torch.float32)
    assert found.dtype == torch.float32
    expected = x.double() @ weight.double().T + bias.double()
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.interpreter
def test_a_sum_runs_over_ascending_steps_whatever_the_rows() -> None:
    for arch in ARCHITECTURES:
        with trying(tables(arch)):
            for rows in (1, 16, 17, 64, 65, 130):
                claims.sums_in_order(triton, rows, steps=5, step=BLOCK_K)


@pytest.mark.parametrize("order", [[4, 3, 2, 1, 0], [0, 2, 1, 3, 4], [0, 1, 2, 4, 3]])
def test_the_order_claim_catches_another_order(order: list[int]) -> None:
    """The mechanism off: the same steps, added in another order."""

    def shuffled(x: Tensor, weight: Tensor) -> Tensor:
        total = torch.zeros(x.shape[0], weight.shape[0])
        for i in order:
            part = slice(i * BLOCK_K, (i + 1) * BLOCK_K)
            total += x[:, part] @ weight[:, part].T
        return total

    with pytest.raises(AssertionError, match="order of summation"):
        claims.sums_in_order(shuffled, 4, steps=5, step=BLOCK_K)


def test_the_order_claim_catches_a_split_of_the_sum() -> None:
    """The mechanism off: two halves summed by themselves, as a split-K product does it."""

    def split(x: Tensor, weight: Tensor) -> Tensor:
        parts = [torch.zeros(x.shape[0], weight.shape[0]) for _ in range(2)]
        for i in range(x.shape[1] // BLOCK_K):
            part = slice(i * BLOCK_K, (i + 1) * BLOCK_K)
            parts[2 * i * BLOCK_K >= x.shape[1]] += x[:, part] @ weight[:, part].T
        return parts[0] + parts[1]

    with pytest.raises(AssertionError, match="order of summation"):
        claims.sums_in_order(split, 4, steps=5, step=BLOCK_K)


@pytest.mark.interpreter
def test_rows_of_one_bucket_ignore_each_other() -> None:
    weight = numbers(3, 70, 192)
    needle = numbers(4, 1, 192)
    alone = triton(needle, weight)
    for rows in (2, 7, 16):
        for place in {0, rows // 2, rows - 1}:
            x = numbers(rows, rows, 192)
            x[place] = needle[0]
            assert same_bits(triton(x, weight)[place : place + 1], alone)


@pytest.mark.interpreter
def test_strided_rows_and_neighbours_of_nan() -> None:
    fused = torch.full((5, 96), float("nan"))
    fused[:, :64] = numbers(5, 5, 64)
    weight = numbers(6, 40, 64)
    assert same_bits(triton(fused[:, :64], weight), triton(fused[:, :64].contiguous(), weight))
    fused[3] = float("nan")
    found = triton(fused[:, :64], weight)
    assert found[3].isnan().all()
    assert not found[[0, 1, 2, 4]].isnan().any()


@pytest.mark.interpreter
def test_no_rows_is_no_product() -> None:
    assert triton(torch.zeros(0, 64), torch.zeros(8, 64)).shape == (0, 8)


@pytest.mark.interpreter
def test_bf16_is_refused() -> None:
    x = torch.zeros(2, 64, dtype=torch.bfloat16)
    with pytest.raises(DtypeError, match=r"interpreter computes torch.bfloat16 wrongly"):
        triton(x, x)


@pytest.mark.interpreter
def test_rows_that_need_no_bulk_copies_may_start_anywhere() -> None:
    x, weight = numbers(1, 4, 69, dtype=torch.float16), numbers(2, 5, 69, dtype=torch.float16)
    with trying(tables("sm_80")):
        found = triton(x, weight)
    torch.testing.assert_close(found.double(), x.double() @ weight.double().T, atol=2e-2, rtol=3e-3)


@pytest.mark.interpreter
def test_rows_that_bulk_copies_cannot_address_are_refused() -> None:
    x = torch.zeros(4, 69, dtype=torch.float16)
    with pytest.raises(LayoutError, match="x must have dense rows that start on 16 bytes"):
        triton(x, x)


@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_the_reference_sums_in_fp32(dtype: torch.dtype) -> None:
    x, weight = numbers(1, 9, 300, dtype=dtype), numbers(2, 31, 300, dtype=dtype)
    found = matmul(x, weight)
    assert found.dtype == dtype
    scale = 300**0.5
    expected = x.double() @ weight.double().T
    torch.testing.assert_close(found.double() / scale, expected / scale, atol=TOLERANCE[dtype], rtol=0)
    assert matmul(x, weight, out_dtype=torch.float32).dtype == torch.float32


def test_bad_arguments_are_named() -> None:
    x, weight = torch.zeros(3, 8), torch.zeros(5, 8)
    with pytest.raises(ShapeError, match="two dimensions"):
        matmul(x[0], weight)
    with pytest.raises(ShapeError, match="needs one 'in'"):
        matmul(x, torch.zeros(5, 9))
    with pytest.raises(ShapeError, match=r"bias must be dense \[5\]"):
        matmul(x, weight, torch.zeros(3))
    with pytest.raises(LayoutError, match="dense in its last dimension"):
        matmul(torch.zeros(8, 3).T, weight)
    with pytest.raises(LayoutError, match="rows that overlap"):
        matmul(torch.zeros(8).expand(3, 8), weight)
    with pytest.raises(DtypeError, match="must share one of"):
        matmul(x, weight.half())
    with pytest.raises(DtypeError, match="must share one of"):
        matmul(x.double(), weight.double())
    with pytest.raises(BackendError, match="unknown backend"):
        matmul(x, weight, backend="cublas")
