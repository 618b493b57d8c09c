"""Causal grouped-query attention over a paged cache, on a CPU: prefill and decode are one kernel.

For one query row and one head with context c: all scores s_j = (q . k_j) * scale, then their maximum m, then
p_j = e^(s_j - m), then l = sum p_j and o = sum p_j v_j in ascending order of j, and o / l. A row is computed from
its own keys alone, so it does not matter in which chunk, batch, page or thread that happens.
"""

from __future__ import annotations

from typing import Any

from llmnet.engine.cpu.lanes import (
    F32,
    I32,
    I64,
    LANES,
    POINTER,
    Emitter,
    integer,
    minus_infinity,
    nothing,
)

PAGE_SIZE = LANES  # one vector of scores a page

PARAMETERS = {
    "q": POINTER,  # fp32 [T, H, head_dim]
    "keys": POINTER,  # fp32 [pages, PAGE_SIZE, HK, head_dim]
    "values_": POINTER,  # the same
    "out": POINTER,  # fp32 [T, H, head_dim]
    "table": POINTER,  # int32 [B, table_width]
    "table_width": I64,
    "owners": POINTER,  # int64 [T]: row of the table
    "positions": POINTER,  # int64 [T]
    "T": I64,
    "kv_heads": I64,
    "scores": POINTER,  # fp32 scratch, `scores_stride` numbers a thread
    "scores_stride": I64,
    "scale": F32,
}


def emit_attention(module: Any, name: str, head_dim: int, group: int, result: str) -> None:
    """Define kernel `name` for heads of `head_dim` (a multiple of 16), `group` query heads a KV head.

    A unit of work is one row and one KV head.
    """
    e = Emitter.kernel(module, name, PARAMETERS)
    token = e.times(e["kv_heads"], head_dim)  # numbers between a token's keys and the next one's
    mine = e.at(e["scores"], e.times(e["first"], e["scores_stride"]))
    at_once = max(1, min(group, 16 * LANES // head_dim))  # heads whose sums fit the registers together
    with e.loop(e["first"], e.times(e["T"], e["kv_heads"]), e["step"]) as unit:
        row, kv_head = e.b.sdiv(unit, e["kv_heads"]), e.b.srem(unit, e["kv_heads"])
        position = e.b.load(e.at(e["positions"], row, I64), typ=I64)
        owner = e.b.load(e.at(e["owners"], row, I64), typ=I64)
        pages = e.at(e["table"], e.times(owner, e["table_width"]), I32)
        start = e.times(kv_head, head_dim)
        keys, values = e.at(e["keys"], start), e.at(e["values_"], start)
        head = e.b.mul(e.b.add(e.times(row, e["kv_heads"]), kv_head), integer(group * head_dim))
        for first in range(0, group, at_once):
            heads = min(at_once, group - first)
            q, out = (e.at(e[side], e.b.add(head, integer(first * head_dim))) for side in ("q", "out"))
            shape = _Shape(e, head_dim, heads, token, pages, e.b.add(position, integer(1)), mine, result)
            shape.attend(q, keys, values, out)
    e.b.ret_void()


class _Shape:
    """What all steps of one row's heads need to know."""

    def __init__(
        self,
        e: Emitter,
        head_dim: int,
        heads: int,
        token: Any,
        pages: Any,
        context: Any,
        scores: Any,
        result: str,
    ) -> None:
        self.e, self.heads, self.token, self.pages, self.context = e, heads, token, pages, context
        self.result = result
        self.parts = range(head_dim // LANES)
        self.head_dim = head_dim
        # One stretch of scratch a head, whole vectors long.
        self.length = e.b.and_(e.b.add(context, integer(LANES - 1)), integer(-LANES))
        self.scores = [e.at(scores, e.times(self.length, head)) for head in range(heads)]

    def attend(self, q: Any, keys: Any, values: Any, out: Any) -> None:
        """Three passes: scores, weights, weighted sum."""
        maxima = self._score(q, keys)
        sums = [self._weigh(scores, peak) for scores, peak in zip(self.scores, maxima, strict=True)]
        self._gather(values, sums, out)

    def _score(self, q: Any, keys: Any) -> list[Any]:
        """Fill the scratch with scores, -inf past the context; returns the maxima."""
        e = self.e
        queries = [
            [e.read(e.at(q, head * self.head_dim + part * LANES)) for part in self.parts]
            for head in range(self.heads)
        ]
        peaks = [e.variable(minus_infinity()) for _ in range(self.heads)]
        scale = e.spread(e["scale"])
        with e.loop(0, self.context, LANES) as begin:
            page = self._page(keys, begin)
            seen = e.below(e.b.sub(self.context, begin))
            for head in range(self.heads):
                dots = [
                    self._dot(queries[head], e.at(page, e.times(self.token, key))) for key in range(LANES)
                ]
                scaled = e.b.fmul(e.totals(dots), scale)
                scores = e.b.select(seen, scaled, minus_infinity())
                e.write(scores, e.at(self.scores[head], begin))
                e.b.store(e.larger(scores, e.value(peaks[head])), peaks[head])
        return [e.greatest(e.value(peak)) for peak in peaks]

    def _dot(self, query: list[Any], key: Any) -> Any:
        total = nothing()
        for part in self.parts:
            total = self.e.fma(query[part], self.e.read(self.e.at(key, part * LANES)), total)
        return total

    def _weigh(self, scores: Any, peak: Any) -> Any:
        """Turn scores into weights; returns their sum."""
        e = self.e
        total, most = e.variable(nothing()), e.spread(peak)
        with e.loop(0, self.context, LANES) as begin:
            here = e.at(scores, begin)
            weights = e.exp(e.b.fsub(e.read(here), most))
            e.write(weights, here)
            e.b.store(e.b.fadd(e.value(total), weights), total)
        return e.total(e.value(total))

    def _gather(self, values: Any, sums: list[Any], out: Any) -> None:
        e = self.e
        totals = [[e.variable(nothing()) for _ in self.parts] for _ in range(self.heads)]
        with e.loop(0, self.context, LANES) as begin:
            page = self._page(values, begin)
            # A page is only read as far as it was written: what lies behind may be anything, even NaN.
            with e.loop(0, e.smaller(e.b.sub(self.context, begin), integer(LANES))) as key:
                row = e.at(page, e.times(self.token, key))
                parts = [e.read(e.at(row, part * LANES)) for part in self.parts]
                for head in range(self.heads):
                    weight = e.b.load(e.at(self.scores[head], e.b.add(begin, key)), typ=F32)
                    self._add(totals[head], e.spread(weight), parts)
        for head in range(self.heads):
            for part in self.parts:
                result = e.b.fdiv(e.value(totals[head][part]), e.spread(sums[head]))
                e.write(e.rounded(result, self.result), e.at(out, head * self.head_dim + part * LANES))

    def _add(self, totals: list[Any], weight: Any, parts: list[Any]) -> None:
        for total, part in zip(totals, parts, strict=True):
            self.e.b.store(self.e.fma(weight, part, self.e.value(total)), total)

    def _page(self, cache: Any, position: Any) -> Any:
        """Address of the page that holds `position` (a multiple of PAGE_SIZE)."""
        e = self.e
        index = e.b.load(e.at(self.pages, e.b.sdiv(position, integer(PAGE_SIZE)), I32), typ=I32)
        return e.at(cache, e.times(e.b.sext(index, I64), e.times(self.token, PAGE_SIZE)))
