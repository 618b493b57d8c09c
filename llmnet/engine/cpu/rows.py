"""What happens to one row at a time: normalising, rotating and storing heads, the gate of the feed-forward part."""

from __future__ import annotations

from typing import Any

from llmnet.engine.cpu.lanes import F32, I64, LANES, POINTER, Emitter, integer, nothing, same

NORM_PARAMETERS = {
    "x": POINTER,  # fp32 [T, D]; x + added is written back if `added` is not null
    "added": POINTER,  # fp32 [T, D], or null
    "weight": POINTER,  # fp32 [D]
    "out": POINTER,  # fp32 [T, D]; may be x where nothing is added
    "T": I64,
    "D": I64,  # a multiple of 16
    "epsilon": F32,
}
ROUND_PARAMETERS = {"x": POINTER, "out": POINTER, "count": I64}  # fp32 [count], a multiple of 16
ROTATE_PARAMETERS = {
    "q": POINTER,  # fp32 [T, H, head_dim], rotated in place
    "k": POINTER,  # fp32 [T, HK, head_dim], rotated and stored
    "v": POINTER,  # fp32 [T, HK, head_dim], stored
    "cosines": POINTER,  # fp32 [context, head_dim / 2]
    "sines": POINTER,
    "positions": POINTER,  # int64 [T]
    "slots": POINTER,  # int64 [T]: token of the cache
    "keys": POINTER,  # fp32 cache of one layer
    "values_": POINTER,
    "T": I64,
    "heads": I64,
    "kv_heads": I64,
}
SWIGLU_PARAMETERS = {
    "gate": POINTER,
    "up": POINTER,
    "count": I64,
}  # fp32 [count], a multiple of 16; into `gate`
ROW_OF_SWIGLU = 1024  # numbers a unit of work


def emit_norm(module: Any, name: str, residual: str, result: str) -> None:
    """Root mean square norm (Zhang and Sennrich 2019), after adding to the residual stream if there is something to
    add: x / sqrt(mean(x^2) + epsilon) * weight. The stream is kept in `residual`.
    """
    e = Emitter.kernel(module, name, NORM_PARAMETERS)
    adds = e.b.icmp_unsigned("!=", e["added"], POINTER(None))
    size = e.b.sitofp(e["D"], F32)
    with e.loop(e["first"], e["T"], e["step"]) as row:
        start = e.times(row, e["D"])
        x, out, added = e.at(e["x"], start), e.at(e["out"], start), e.at(e["added"], start)
        with e.b.if_then(adds), e.loop(0, e["D"], LANES) as i:
            total = e.b.fadd(e.read(e.at(x, i)), e.read(e.at(added, i)))
            e.write(e.rounded(total, residual), e.at(x, i))
        squares = e.variable(nothing())
        with e.loop(0, e["D"], LANES) as i:
            part = e.read(e.at(x, i))
            e.b.store(e.fma(part, part, e.value(squares)), squares)
        mean = e.b.fdiv(e.total(e.value(squares)), size)
        root = e.sqrt(e.b.fadd(mean, e["epsilon"]))
        scale = e.spread(e.b.fdiv(F32(1.0), root))
        with e.loop(0, e["D"], LANES) as i:
            normed = e.b.fmul(e.b.fmul(e.read(e.at(x, i)), scale), e.read(e.at(e["weight"], i)))
            e.write(e.rounded(normed, result), e.at(out, i))
    e.b.ret_void()


def emit_round(module: Any, name: str, result: str) -> None:
    """Numbers as `result` has them. A unit of work is a vector."""
    e = Emitter.kernel(module, name, ROUND_PARAMETERS)
    with e.loop(e.times(e["first"], LANES), e["count"], e.times(e["step"], LANES)) as i:
        e.write(e.rounded(e.read(e.at(e["x"], i)), result), e.at(e["out"], i))
    e.b.ret_void()


def emit_rotate(module: Any, name: str, head_dim: int, result: str) -> None:
    """Rotary embedding in halves (Su et al. 2021) of q and k, and both caches' new rows."""
    lanes = min(LANES, head_dim // 2)
    e = Emitter.kernel(module, name, ROTATE_PARAMETERS)
    with e.loop(e["first"], e["T"], e["step"]) as row:
        position, slot = (e.b.load(e.at(e[side], row, I64), typ=I64) for side in ("positions", "slots"))
        turn = e.times(position, head_dim // 2)
        turns = e.at(e["cosines"], turn), e.at(e["sines"], turn)
        with e.loop(0, e["heads"]) as head:
            q = e.at(e["q"], e.times(e.b.add(e.times(row, e["heads"]), head), head_dim))
            _rotate(e, q, q, turns, head_dim, lanes, result)
        with e.loop(0, e["kv_heads"]) as head:
            source = e.times(e.b.add(e.times(row, e["kv_heads"]), head), head_dim)
            target = e.times(e.b.add(e.times(slot, e["kv_heads"]), head), head_dim)
            _rotate(e, e.at(e["k"], source), e.at(e["keys"], target), turns, head_dim, lanes, result)
            for part in range(0, head_dim, LANES):
                v = e.read(e.at(e.at(e["v"], source), part))
                e.write(v, e.at(e.at(e["values_"], target), part))
    e.b.ret_void()


def _rotate(
    e: Emitter, x: Any, out: Any, turns: tuple[Any, Any], head_dim: int, lanes: int, result: str
) -> None:
    """One head: (a, b) -> (a cos - b sin, b cos + a sin), each product rounded on its own."""
    half = head_dim // 2
    for part in range(0, half, lanes):
        a, b = e.read(e.at(x, part), lanes=lanes), e.read(e.at(x, half + part), lanes=lanes)
        cosine, sine = (e.read(e.at(turn, part), lanes=lanes) for turn in turns)
        first = e.b.fsub(e.b.fmul(a, cosine), e.b.fmul(b, sine))
        second = e.b.fadd(e.b.fmul(b, cosine), e.b.fmul(a, sine))
        e.write(e.rounded(first, result), e.at(out, part))
        e.write(e.rounded(second, result), e.at(out, half + part))


def emit_swiglu(module: Any, name: str, result: str) -> None:
    """gate * sigmoid(gate) * up (Shazeer 2020), into `gate`."""
    e = Emitter.kernel(module, name, SWIGLU_PARAMETERS)
    stretch = integer(ROW_OF_SWIGLU)
    units = e.b.sdiv(e.b.add(e["count"], integer(ROW_OF_SWIGLU - 1)), stretch)
    with e.loop(e["first"], units, e["step"]) as unit:
        begin = e.b.mul(unit, stretch)
        with e.loop(begin, e.smaller(e.b.add(begin, stretch), e["count"]), LANES) as i:
            gate = e.read(e.at(e["gate"], i))
            below = e.b.fadd(e.exp(e.b.fneg(gate)), same(F32, 1.0))
            silu = e.rounded(e.b.fdiv(gate, below), result)
            product = e.b.fmul(silu, e.read(e.at(e["up"], i)))
            e.write(e.rounded(product, result), e.at(e["gate"], i))
    e.b.ret_void()
