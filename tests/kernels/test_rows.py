"""Kernels that work row by row: norm, gate, and the cache write with RoPE."""

import pytest
import torch
from torch import Tensor

from llmnet.kernels import (
    DtypeError,
    LayoutError,
    LengthError,
    ShapeError,
    add_rms_norm,
    kv_write,
    rms_norm,
    rope_kv_write,
    swiglu,
)

from .cases import same_bits

EPS = 1e-5
FLOATS = [torch.float32, torch.float16]


def numbers(seed: int, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def norm_oracle(x: Tensor, weight: Tensor) -> Tensor:
    wide = x.double()
    return wide / (wide.square().mean(1, keepdim=True) + EPS).sqrt() * weight.double()


@pytest.mark.interpreter
@pytest.mark.parametrize("width", [1, 65, 576, 1000])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("backend", ["triton", "reference"])
def test_norm_equals_fp64(width: int, dtype: torch.dtype, backend: str) -> None:
    x, weight = numbers(1, 5, width, dtype=dtype), numbers(2, width)
    found = rms_norm(x, weight, EPS, backend)
    assert found.dtype == dtype
    tolerance = 1e-6 if dtype == torch.float32 else 2e-3
    torch.testing.assert_close(found.double(), norm_oracle(x, weight), atol=tolerance, rtol=tolerance)


@pytest.mark.interpreter
@pytest.mark.parametrize("backend", ["triton", "reference"])
def test_add_norm_keeps_the_residual_in_fp32(backend: str) -> None:
    x, residual, weight = numbers(1, 4, 96, dtype=torch.float16), numbers(2, 4, 96), numbers(3, 96)
    kept = residual.clone()
    normed, total = add_rms_norm(x, residual, weight, EPS, backend)
    assert same_bits(total, residual + x.float())
    assert same_bits(residual, kept)
    assert normed.dtype == torch.float16
    torch.testing.assert_close(normed.double(), norm_oracle(total, weight), atol=2e-3, rtol=2e-3)
    plain = rms_norm(total, weight, EPS, backend, out_dtype=torch.float16)
    assert same_bits(normed, plain)


@pytest.mark.interpreter
@pytest.mark.parametrize("backend", ["triton", "reference"])
def test_a_row_of_the_norm_ignores_the_others(backend: str) -> None:
    weight, needle = numbers(1, 200), numbers(2, 1, 200)
    alone = rms_norm(needle, weight, EPS, backend)
    for rows in (2, 7, 33):
        x = numbers(rows, rows, 200)
        x[rows // 2] = needle[0]
        x[0] = float("nan")
        assert same_bits(rms_norm(x, weight, EPS, backend)[rows // 2 : rows // 2 + 1], alone)


@pytest.mark.interpreter
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("width", [1, 1000, 1025])
@pytest.mark.parametrize("backend", ["triton", "reference"])
def test_gate_equals_fp64_on_slices_of_a_fused_projection(
    dtype: torch.dtype, width: int, backend: str
) -> None:
    fused = numbers(1, 3, 2 * width, dtype=dtype) * 4
    gate, up = fused[:, :width], fused[:, width:]
    found = swiglu(gate, up, backend)
    expected = gate.double() / (1 + (-gate.double()).exp()) * up.double()
    tolerance = 2e-6 if dtype == torch.float32 else 2e-3
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, atol=tolerance, rtol=tolerance)


@pytest.mark.interpreter
@pytest.mark.parametrize("backend", ["triton", "reference"])
def test_gate_of_large_values_is_no_nan(backend: str) -> None:
    gate = torch.tensor([[-200.0, 200.0, 0.0]])
    found = swiglu(gate, torch.ones(1, 3), backend)
    assert found.tolist() == [[0.0, 200.0, 0.0]]


# The cache write with RoPE


def tables(positions: int, dim: int) -> tuple[Tensor, Tensor]:
    angles = torch.outer(
        torch.arange(positions).double(), 10000.0 ** -(torch.arange(0, dim, 2).double() / dim)
    )
    return angles.cos().float(), angles.sin().float()


@pytest.mark.interpreter
@pytest.mark.parametrize(("heads", "kv_heads", "dim"), [(9, 3, 64), (2, 2, 16), (7, 1, 32), (8, 2, 128)])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
def test_rope_write_equals_the_reference_bit_for_bit(
    heads: int, kv_heads: int, dim: int, kind: torch.dtype
) -> None:
    fused = numbers(1, 6, heads + 2 * kv_heads, dim)
    q, k, v = fused.split([heads, kv_heads, kv_heads], 1)
    positions = torch.tensor([0, 5, 39, 7, 7, 2])
    slots = torch.tensor([31, 0, -1, 47, 5, -7])
    found = []
    for backend in ("triton", "reference"):
        caches = [torch.full((3, 16, kv_heads, dim), float("nan"), dtype=kind) for _ in range(2)]
        rotated = rope_kv_write(q, k, v, *tables(40, dim), positions, *caches, slots, backend=backend)
        found.append((rotated, *caches))
    for left, right in zip(*found, strict=True):
        assert left.dtype == kind
        assert same_bits(left, right)
    assert int(found[0][1].isnan().logical_not().sum()) == 4 * kv_heads * dim


def test_rope_turns_pairs_by_their_angle() -> None:
    q = numbers(1, 3, 2, 16)
    caches = [torch.zeros(1, 16, 2, 16) for _ in range(2)]
    cos, sin = tables(40, 16)
    positions = torch.tensor([0, 11, 39])
    found = rope_kv_write(q, q, q, cos, sin, positions, *caches, torch.arange(3))
    pairs = torch.complex(q[..., :8].double(), q[..., 8:].double())
    turned = pairs * torch.complex(cos[positions, None].double(), sin[positions, None].double())
    expected = torch.cat((turned.real, turned.imag), -1)
    torch.testing.assert_close(found.double(), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(caches[0][0, :3].double(), expected, atol=1e-6, rtol=0)
    assert same_bits(caches[1][0, :3], q)


def test_rope_at_position_zero_is_the_plain_write() -> None:
    k, v = numbers(1, 4, 2, 16), numbers(2, 4, 2, 16)
    turned, plain = ([torch.zeros(1, 16, 2, 16) for _ in range(2)] for _ in range(2))
    zeros = torch.zeros(4, dtype=torch.int64)
    rope_kv_write(k, k, v, *tables(1, 16), zeros, *turned, torch.arange(4))
    kv_write(k, v, *plain, torch.arange(4))
    assert all(torch.equal(*pair) for pair in zip(turned, plain, strict=True))


# What is refused


@pytest.mark.interpreter
def test_bf16_is_refused_in_the_interpreter() -> None:
    x = torch.zeros(2, 16, dtype=torch.bfloat16)
    caches = [torch.zeros(1, 16, 1, 16, dtype=torch.bfloat16) for _ in range(2)]
    row = torch.zeros(2, 1, 16)
    wrong = pytest.raises(DtypeError, match=r"interpreter computes torch.bfloat16 wrongly")
    with wrong:
        rms_norm(x, torch.ones(16), EPS, "triton")
    with wrong:
        rms_norm(x.float(), torch.ones(16), EPS, "triton", out_dtype=torch.bfloat16)
    with wrong:
        swiglu(x, x, "triton")
    with wrong:
        rope_kv_write(
            row,
            row,
            row,
            *tables(1, 16),
            torch.zeros(2, dtype=torch.int64),
            *caches,
            torch.arange(2),
            "triton",
        )


def test_bad_arguments_of_norm_and_gate_are_named() -> None:
    x, weight = torch.zeros(3, 8), torch.ones(8)
    with pytest.raises(ShapeError, match="weight dense"):
        rms_norm(x, torch.ones(9), EPS)
    with pytest.raises(ShapeError, match="eps must be positive"):
        rms_norm(x, weight, 0.0)
    with pytest.raises(DtypeError, match="must be of"):
        rms_norm(x.double(), weight, EPS)
    with pytest.raises(DtypeError, match="residual stream is float32"):
        add_rms_norm(x, x.half(), weight, EPS)
    with pytest.raises(ShapeError, match="residual must be"):
        add_rms_norm(x, x[:2], weight, EPS)
    with pytest.raises(ShapeError, match="must be alike"):
        swiglu(x, x[:2])
    with pytest.raises(DtypeError, match="must share one of"):
        swiglu(x, x.half())
    with pytest.raises(LayoutError, match="dense in its last"):
        swiglu(x.T.contiguous().T, x)


def test_bad_arguments_of_the_rope_write_are_named() -> None:
    row, slots, at = torch.zeros(2, 1, 16), torch.arange(2), torch.zeros(2, dtype=torch.int64)
    caches = [torch.zeros(1, 16, 1, 16) for _ in range(2)]
    angles = tables(4, 16)
    with pytest.raises(ShapeError, match="q must be"):
        rope_kv_write(row[:1], row, row, *angles, at, *caches, slots)
    with pytest.raises(ShapeError, match="cos and sin must be"):
        rope_kv_write(row, row, row, angles[0][:, :7], angles[1], at, *caches, slots)
    with pytest.raises(ShapeError, match="positions must be"):
        rope_kv_write(row, row, row, *angles, at[:1], *caches, slots)
    with pytest.raises(DtypeError, match="positions int64"):
        rope_kv_write(row, row, row, *angles, at.int(), *caches, slots)
    with pytest.raises(LengthError, match=r"positions 0\.\.4 are outside the tables of 4"):
        rope_kv_write(row, row, row, *angles, torch.tensor([0, 4]), *caches, slots)
    with pytest.raises(LengthError, match="slot 16 is outside"):
        rope_kv_write(row, row, row, *angles, at, *caches, torch.tensor([0, 16]))
