"""One row of numbers to what a leaf says about all of them: log-sum-exp and sketch, in one kernel."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]

from llmnet.engine.cpu.lanes import (
    F32,
    F32X16,
    I8,
    I32,
    I32X16,
    I64,
    LANES,
    POINTER,
    Emitter,
    integer,
    minus_infinity,
    nothing,
    same,
)

SKETCH_LANES = 8
RESULTS = 3 + SKETCH_LANES
"""Numbers a row gives: maximum, sum of e^(z - maximum), mean, and the eight lanes."""

PARAMETERS = {
    "rows": POINTER,  # fp32 [S, N], rows `stride` apart; `stride` is a multiple of 16 and at least N
    "stride": I64,
    "signs": POINTER,  # [S] addresses of octets [stride]: bit j of octet v is set where lane j's sign is -1
    "results": POINTER,  # fp32 [S, RESULTS]
    "S": I64,
    "N": I64,
    "centred": I64,  # 1: sketch of z - mean z (logits), 0: of z itself (hidden state)
}


def emit_sketch(module: Any, name: str) -> None:
    """Define the kernel. A unit of work is a row. Lane j is sum_v s(j, v) * z_v, unscaled."""
    e = Emitter.kernel(module, name, PARAMETERS)
    with e.loop(e["first"], e["S"], e["step"]) as index:
        row = e.at(e["rows"], e.times(index, e["stride"]))
        octets = e.b.inttoptr(e.b.load(e.at(e["signs"], index, I64), typ=I64), POINTER)
        out = e.at(e["results"], e.times(index, RESULTS))
        peak = _peak(e, row)
        weights, mean = _weights_and_mean(e, row, peak)
        shift = e.b.select(e.b.icmp_signed("==", e["centred"], integer(1)), mean, F32(0.0))
        numbers = [peak, weights, mean, *_lanes(e, row, octets, shift)]
        for place, number in enumerate(numbers):
            e.b.store(number, e.at(out, place), align=4)
    e.b.ret_void()


def _read(e: Emitter, row: Any, i: Any, otherwise: Any) -> Any:
    """Sixteen numbers; `otherwise` past the end of the row."""
    return e.b.select(e.below(e.b.sub(e["N"], i)), e.read(e.at(row, i)), otherwise)


def _peak(e: Emitter, row: Any) -> Any:
    most = e.variable(minus_infinity())
    with e.loop(0, e["N"], LANES) as i:
        e.b.store(e.larger(_read(e, row, i, minus_infinity()), e.value(most)), most)
    return e.greatest(e.value(most))


def _weights_and_mean(e: Emitter, row: Any, peak: Any) -> tuple[Any, Any]:
    weights, total, most = e.variable(nothing()), e.variable(nothing()), e.spread(peak)
    with e.loop(0, e["N"], LANES) as i:
        shifted = e.b.fsub(_read(e, row, i, minus_infinity()), most)
        e.b.store(e.b.fadd(e.value(weights), e.exp(shifted)), weights)
        e.b.store(e.b.fadd(e.value(total), _read(e, row, i, nothing())), total)
    return e.total(e.value(weights)), e.b.fdiv(e.total(e.value(total)), e.b.sitofp(e["N"], F32))


def _lanes(e: Emitter, row: Any, octets: Any, shift: Any) -> list[Any]:
    lanes = [e.variable(nothing()) for _ in range(SKETCH_LANES)]
    shifts = e.spread(shift)
    with e.loop(0, e["N"], LANES) as i:
        centred = e.b.fsub(e.read(e.at(row, i)), shifts)
        inside = e.b.select(e.below(e.b.sub(e["N"], i)), centred, nothing())
        bits = e.b.bitcast(inside, I32X16)
        octet = e.b.load(e.at(octets, i, I8), align=1, typ=ir.VectorType(I8, LANES))
        wide = e.b.zext(octet, I32X16)
        for j, lane in enumerate(lanes):  # the sign bit of octet j is moved to where a float has its own
            sign = e.b.and_(e.b.shl(wide, same(I32, 31 - j)), same(I32, 0x80000000))
            signed = e.b.bitcast(e.b.xor(bits, sign), F32X16)
            e.b.store(e.b.fadd(e.value(lane), signed), lane)
    return [e.total(e.value(lane)) for lane in lanes]
