"""x [M, K] times weight [N, K] transposed, on a CPU.

The dot product of a row of x with a row of the weight is one chain of fused multiply-adds over K in 16 lanes, and
one tree over the lanes at its end. That is all that decides its bits: not M, not the place in the batch, not the
tile it is computed in, not the thread. Tiles only decide how often a number is loaded.

A tile's rows of the weight do not lie beside one another: a panel is cut into as many stretches as a tile has
columns, and all are read at the same time, each from its beginning to its end. Memory answers to eight long streams
better than to eight that end after a row and begin elsewhere. Every stream is fetched some rows ahead, past its end
where the next product's begins.
"""

from __future__ import annotations

from typing import Any

from llmnet.engine.cpu.lanes import F32, I8, I32, I64, LANES, POINTER, STORED, Emitter, integer, nothing, same

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
    "panel": I64,  # rows of the weight that all of x passes before the next ones: the unit of work
    "then": POINTER,  # the weight that is read after this one, if that is known; fetched towards the end of this one
    "then_panel": I64,  # bytes of a panel of it
}
# Rows of x -> rows of the weight in one tile. 24 sums and 4 numbers to multiply fit 32 registers of 16 lanes.
WIDE_TILES = {1: 8, 2: 8, 3: 8, 4: 4, 5: 4, 6: 4}
# 16 registers of 8 lanes: two registers a vector.
NARROW_TILES = {1: 4, 2: 2}
_AHEAD = 4096  # bytes between what is used and what is fetched, at least; whole rows
_STORED_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}


_TILE = {
    **{name: PARAMETERS[name] for name in ("x", "x_stride", "K", "y_stride")},
    "weight": POINTER,
    "apart": I64,  # numbers between the tile's rows of the weight
    "fetched": POINTER,
    "fetched_apart": I64,
    "bias": POINTER,
    "y": POINTER,
    "y_apart": I64,
}


def emit_linear(module: Any, name: str, stored: str, result: str, tiles: dict[int, int]) -> None:
    """Define kernel `name` for a weight stored as `stored`, rounding results to `result`."""
    made = {
        (rows, columns): _emit_tile(module, f"{name}_{rows}x{columns}", rows, columns, stored, result)
        for rows, most in tiles.items()
        for columns in sorted({most, 1})
    }
    e = Emitter.kernel(module, name, PARAMETERS)
    panels = e.b.sdiv(e.b.add(e["N"], e.b.sub(e["panel"], integer(1))), e["panel"])
    with e.loop(e["first"], panels, e["step"]) as number:
        _pass_rows(e, tiles, made, _Panel(e, stored, number, panels))
    e.b.ret_void()


class _Panel:
    """Some rows of the weight, and where its thread goes on reading after them."""

    def __init__(self, e: Emitter, stored: str, number: Any, panels: Any) -> None:
        self.kind, size = STORED[stored], _STORED_BYTES[stored]
        row_bytes, again = e.times(e["K"], size), e.b.add(number, e["step"])
        self.begin, self.rows = self._extent(e, number)
        self.weight = e.at(e["weight"], e.times(self.begin, e["K"]), self.kind)
        ahead = e.b.sdiv(e.b.add(row_bytes, integer(_AHEAD - 1)), row_bytes)
        self.ahead = ahead
        start, rows = self._extent(e, again)
        mine = e.b.icmp_signed("<", again, panels)
        unknown = e.b.icmp_unsigned("==", e["then"], POINTER(None))
        next_weight = e.at(e["weight"], e.times(start, e["K"]), self.kind)
        then = e.at(e["then"], e.times(e["first"], e["then_panel"]), I8)
        # Where nothing is known, x is fetched, which is there already.
        self.next = e.b.select(mine, next_weight, e.b.select(unknown, e["x"], then))
        then_bytes = e.b.select(unknown, integer(0), e["then_panel"])
        next_bytes = e.b.select(mine, e.times(rows, row_bytes), then_bytes)
        self.next_size = e.b.sdiv(next_bytes, integer(size))

    @staticmethod
    def _extent(e: Emitter, number: Any) -> tuple[Any, Any]:
        begin = e.times(number, e["panel"])
        return begin, e.smaller(e["panel"], e.b.sub(e["N"], begin))


def _pass_rows(e: Emitter, tiles: dict[int, int], made: dict[tuple[int, int], Any], panel: _Panel) -> None:
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
        _sweep(e, tiles[rows], {columns: made[rows, columns] for columns in {tiles[rows], 1}}, row, panel)
        e.b.store(e.b.add(row, integer(rows)), next_row)
        e.b.branch(check)
    e.b.position_at_end(done)


def _height(e: Emitter, left: Any, most: int) -> Any:
    """Rows of the next tile: as many as there may be, but the last two tiles share what is left evenly."""
    half = e.b.sdiv(e.b.add(left, integer(1)), integer(2))
    few = e.b.icmp_signed("<=", left, integer(most))
    last_two = e.b.icmp_signed("<", left, integer(2 * most))
    return e.b.select(few, left, e.b.select(last_two, half, integer(most)))


def _sweep(e: Emitter, columns: int, made: dict[int, Any], row: Any, panel: _Panel) -> None:
    """The tile over a panel: `columns` stretches of it at a time, then the rows that are left over, one by one."""
    x, y = e.at(e["x"], e.times(row, e["x_stride"])), e.at(e["y"], e.times(row, e["y_stride"]))
    length = e.b.sdiv(panel.rows, integer(columns))  # rows a stretch
    apart = e.times(length, e["K"])
    next_apart = e.b.sdiv(panel.next_size, integer(columns))
    no_bias = e.b.icmp_unsigned("==", e["bias"], POINTER(None))

    def call(width: int, n: Any, apart: Any, fetched: Any, fetched_apart: Any) -> None:
        at = e.b.add(panel.begin, n)
        bias = e.b.select(no_bias, POINTER(None), e.at(e["bias"], at))
        weight = e.at(panel.weight, e.times(n, e["K"]), panel.kind)
        places = [weight, apart, fetched, fetched_apart, bias, e.at(y, at), length]
        e.b.call(made[width], [x, e["x_stride"], e["K"], e["y_stride"], *places])

    with e.loop(0, length) as n:
        wanted = e.b.add(n, panel.ahead)
        beyond = e.b.sub(wanted, length)
        inside = e.b.icmp_signed("<", beyond, integer(0))
        here = e.at(panel.weight, e.times(wanted, e["K"]), panel.kind)
        there = e.at(panel.next, e.times(beyond, e["K"]), panel.kind)
        call(columns, n, apart, e.b.select(inside, here, there), e.b.select(inside, apart, next_apart))
    with e.loop(e.times(length, columns), panel.rows) as n:
        call(1, n, integer(0), e["x"], integer(0))


def _emit_tile(module: Any, name: str, rows: int, columns: int, stored: str, result: str) -> Any:
    """`rows` rows of x with `columns` rows of the weight: that many sums at a time."""
    e, kind = Emitter(module, name, _TILE), STORED[stored]
    e.function.linkage = "internal"
    sums = [[e.variable(nothing()) for _ in range(columns)] for _ in range(rows)]
    xs = [e.at(e["x"], e.times(e["x_stride"], row)) for row in range(rows)]
    weights = [e.at(e["weight"], e.times(e["apart"], column), kind) for column in range(columns)]
    fetched = [e.at(e["fetched"], e.times(e["fetched_apart"], column), kind) for column in range(columns)]
    with e.loop(0, e["K"], LANES) as k:
        for address in fetched:
            e.prefetch(e.at(address, k, kind))
        read = [e.read(e.at(weight, k, kind), stored) for weight in weights]
        for row in range(rows):
            x = e.read(e.at(xs[row], k))
            for column in range(columns):
                total = e.fma(x, read[column], e.value(sums[row][column]))
                e.b.store(total, sums[row][column])
    bias = _read_bias(e, columns)
    for row in range(rows):
        totals = e.totals([e.value(slot) for slot in sums[row]])
        finished = e.rounded(e.b.fadd(totals, bias), result)
        y = e.at(e["y"], e.times(e["y_stride"], row))
        for column in range(columns):
            number = e.b.extract_element(finished, I32(column))
            e.b.store(number, e.at(y, e.times(e["y_apart"], column)), align=4)
    e.b.ret_void()
    return e.function


def _read_bias(e: Emitter, columns: int) -> Any:
    """The bias of the tile's columns; -0 where there is none, because adding that changes no bit."""
    none = same(F32, -0.0, columns)
    slot = e.variable(none)
    present = e.b.icmp_unsigned("!=", e["bias"], POINTER(None))
    with e.b.if_then(present):
        found = none
        for column in range(columns):
            number = e.b.load(e.at(e["bias"], e.times(e["y_apart"], column)), typ=F32)
            found = e.b.insert_element(found, number, I32(column))
        e.b.store(found, slot)
    return e.value(slot, none.type)
