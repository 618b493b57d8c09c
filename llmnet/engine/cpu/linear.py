"""x [M, K] times weight [N, K] transposed, on a CPU.

The dot product of a row of x with a row of the weight is one chain of fused multiply-adds over K in 16 lanes, and
one tree over the lanes at its end. That is all that decides its bits: not M, not the place in the batch, not the
tile it is computed in, not the thread. Tiles only decide how often a number is loaded.
"""

from __future__ import annotations

from typing import Any

from llmnet.engine.cpu.lanes import F32, I64, LANES, POINTER, STORED, Emitter, integer, nothing, same

PARAMETERS = {
    "x": POINTER,  # fp32 [M, K], rows `x_stride` apart
    "x_stride": I64,
    "weight": POINTER,  # [N, K], dense
    "bias": POINTER,  # fp32 [N], or null
    "y": POINTER,  # fp32 [M, N], rows `y_stride` apart
    "y_stride": I64,
    "M": I64,
    "N": I64,
    "K": I64,  # a multiple of 16
    "panel": I64,  # rows of the weight that stay in the second-level cache while all of x passes: the unit of work
}
_TILE = {name: PARAMETERS[name] for name in ("x", "x_stride", "weight", "bias", "y", "y_stride", "K")}
# Rows of x -> rows of the weight in one tile. 24 sums and 4 numbers to multiply fit 32 registers of 16 lanes.
WIDE_TILES = {1: 8, 2: 8, 3: 8, 4: 4, 5: 4, 6: 4}
# 16 registers of 8 lanes: two registers a vector.
NARROW_TILES = {1: 4, 2: 2}
_AHEAD = 16  # rows of the weight between what is used and what is fetched


def emit_linear(module: Any, name: str, stored: str, result: str, tiles: dict[int, int]) -> None:
    """Define kernel `name` for a weight stored as `stored`, rounding results to `result`."""
    made = {
        (rows, columns): _emit_tile(module, f"{name}_{rows}x{columns}", rows, columns, stored, result)
        for rows, most in tiles.items()
        for columns in sorted({most, 1})
    }
    e = Emitter.kernel(module, name, PARAMETERS)
    panels = e.b.sdiv(e.b.add(e["N"], e.b.sub(e["panel"], integer(1))), e["panel"])
    with e.loop(e["first"], panels, e["step"]) as panel:
        begin = e.b.mul(panel, e["panel"])
        end = e.smaller(e.b.add(begin, e["panel"]), e["N"])
        _pass_rows(e, tiles, made, stored, begin, end)
    e.b.ret_void()


def _pass_rows(
    e: Emitter, tiles: dict[int, int], made: dict[tuple[int, int], Any], stored: str, begin: Any, end: Any
) -> None:
    """All rows of x past one panel of the weight."""
    next_row = e.variable(integer(0))
    check, body, done = (e.function.append_basic_block(name) for name in ("rows", "tile", "panel_done"))
    e.b.branch(check)
    e.b.position_at_end(check)
    row = e.value(next_row, I64)
    e.b.cbranch(e.b.icmp_signed("<", row, e["M"]), body, done)
    e.b.position_at_end(body)
    height = _height(e, e.b.sub(e["M"], row), max(tiles))
    choice = e.b.switch(height, done)  # the default is never taken
    for rows in tiles:
        block = e.function.append_basic_block(f"height_{rows}")
        choice.add_case(integer(rows), block)
        e.b.position_at_end(block)
        _sweep(e, rows, tiles[rows], made, stored, row, begin, end)
        e.b.store(e.b.add(row, integer(rows)), next_row)
        e.b.branch(check)
    e.b.position_at_end(done)


def _height(e: Emitter, left: Any, most: int) -> Any:
    """Rows of the next tile: as many as there may be, but the last two tiles share what is left evenly."""
    half = e.b.sdiv(e.b.add(left, integer(1)), integer(2))
    few = e.b.icmp_signed("<=", left, integer(most))
    last_two = e.b.icmp_signed("<", left, integer(2 * most))
    return e.b.select(few, left, e.b.select(last_two, half, integer(most)))


def _sweep(
    e: Emitter,
    rows: int,
    columns: int,
    made: dict[tuple[int, int], Any],
    stored: str,
    row: Any,
    begin: Any,
    end: Any,
) -> None:
    whole = e.b.mul(e.b.sdiv(e.b.sub(end, begin), integer(columns)), integer(columns))
    middle = e.b.add(begin, whole)
    x, y = e.at(e["x"], e.times(row, e["x_stride"])), e.at(e["y"], e.times(row, e["y_stride"]))
    for first, last, step in ((begin, middle, columns), (middle, end, 1)):
        with e.loop(first, last, step) as n:
            weight = e.at(e["weight"], e.times(n, e["K"]), STORED[stored])
            bias, out = e.at(e["bias"], n), e.at(y, n)
            unless_null = e.b.select(e.b.icmp_unsigned("==", e["bias"], POINTER(None)), POINTER(None), bias)
            e.b.call(made[rows, step], [x, e["x_stride"], weight, unless_null, out, e["y_stride"], e["K"]])


def _emit_tile(module: Any, name: str, rows: int, columns: int, stored: str, result: str) -> Any:
    """`rows` rows of x with `columns` rows of the weight: that many sums at a time."""
    e = Emitter(module, name, _TILE)
    e.function.linkage = "internal"
    sums = [[e.variable(nothing()) for _ in range(columns)] for _ in range(rows)]
    xs = [e.at(e["x"], e.times(e["x_stride"], row)) for row in range(rows)]
    weights = [e.at(e["weight"], e.times(e["K"], column), STORED[stored]) for column in range(columns)]
    ahead = e.times(e["K"], _AHEAD)
    with e.loop(0, e["K"], LANES) as k:
        here = [e.at(weight, k, STORED[stored]) for weight in weights]
        for address in here:
            e.prefetch(e.at(address, ahead, STORED[stored]))
        columns_read = [e.read(address, stored) for address in here]
        for row in range(rows):
            x = e.read(e.at(xs[row], k))
            for column in range(columns):
                total = e.fma(x, columns_read[column], e.value(sums[row][column]))
                e.b.store(total, sums[row][column])
    bias = _read_bias(e, columns)
    for row in range(rows):
        totals = e.totals([e.value(slot) for slot in sums[row]])
        finished = e.rounded(e.b.fadd(totals, bias), result)
        e.write(finished, e.at(e["y"], e.times(e["y_stride"], row), F32))
    e.b.ret_void()
    return e.function


def _read_bias(e: Emitter, columns: int) -> Any:
    """The bias of the tile's columns; -0 where there is none, because adding that changes no bit."""
    none = same(F32, -0.0, columns)
    slot = e.variable(none)
    present = e.b.icmp_unsigned("!=", e["bias"], POINTER(None))
    with e.b.if_then(present):
        e.b.store(e.read(e["bias"], lanes=columns), slot)
    return e.value(slot, none.type)
