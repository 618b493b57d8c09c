"""From a row's logits to what its leaf says of single tokens: candidates, and the token that is sampled among them.

All of it is integers after one rounding, and equal to what `llmnet.proof` makes of the same numbers (docs/protocol.md,
sections 2, 3 and 5). A row is read twice: once to round it and to find a bound that at least k tokens reach, once to
keep those that reach it. The best k of these few are what a sort of the whole row would have given.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]

from llmnet.engine.cpu.lanes import (
    F32,
    I16,
    I32,
    I64,
    LANES,
    POINTER,
    Emitter,
    integer,
    minus_infinity,
    same,
)
from llmnet.engine.cpu.sketch import RESULTS, SKETCH_LANES
from llmnet.proof.gumbel import GUMBEL_TAG, LN, LN2, RC

ORDER = 4
"""Words that say what a row's leaf is to be: position, temperature, and the key of the request."""
PARAMETERS = {
    "rows": POINTER,  # fp32 [S, N], rows `stride` apart; `stride` is a multiple of 16 and at least N
    "stride": I64,
    "normalisers": POINTER,  # fp32 [S]: log-sum-exp of each row
    "orders": POINTER,  # int64 [S, ORDER]
    "logit_sums": POINTER,  # fp32 [S, RESULTS], as `sketch.py` makes them of the logits
    "hidden_sums": POINTER,  # and of the hidden states
    "logit_scale": F32,  # what a lane is multiplied with before its steps are counted
    "hidden_scale": F32,
    "logit_steps": F32,  # steps a unit: a power of two
    "hidden_steps": F32,
    "results": POINTER,  # int32 [S, numbers(k)]: the token, k ids, k log-probs, both sketches
    "S": I64,
    "N": I64,
    "k": I64,
    "steps": POINTER,  # fp32 scratch, `scratch` numbers a thread
    "ids": POINTER,  # int32 scratch, alike
    "scratch": I64,
}
_STEPS, _LEAST, _MOST = 256.0, -32767, 32767.0
_GROUPS = 4  # vectors of largest numbers
MOST = _GROUPS * LANES
"""As many tokens reach the smallest of so many largest numbers: k may be no greater."""
_HALVINGS = 15  # of the 32,768 log-probs that there are
_MULTIPLIERS, _WEYL = (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)  # Philox4x32
_ROUNDS = 10
_WORD = 0xFFFFFFFF


def numbers(top_k: int) -> int:
    """How many a row gives."""
    return 1 + 2 * top_k + 2 * SKETCH_LANES


def emit_choice(module: Any, name: str) -> None:
    """Define the kernel. A unit of work is a row."""
    e = Emitter.kernel(module, name, PARAMETERS)
    tables = [_constant(module, f"{name}_{part}", values) for part, values in (("ln", LN), ("rc", RC))]
    mine = e.times(e["first"], e["scratch"])
    few = _Few(e, e.at(e["steps"], mine), e.at(e["ids"], mine, I32))
    width = e.b.add(e.times(e["k"], 2), integer(1 + 2 * SKETCH_LANES))
    with e.loop(e["first"], e["S"], e["step"]) as row:
        token = e.at(e["results"], e.times(row, width), I32)
        ids = e.at(token, 1, I32)
        logprobs = e.at(ids, e["k"], I32)
        bound = _round(e, row, few.steps)
        few.gather(bound)
        few.select()
        few.sort(ids, logprobs)
        order = e.at(e["orders"], e.times(row, ORDER), I64)
        e.b.store(_Sampler(e, tables, order).best(ids, logprobs), token)
        for place, side in enumerate(("logit", "hidden")):
            lanes = e.at(e[f"{side}_sums"], e.b.add(e.times(row, RESULTS), integer(RESULTS - SKETCH_LANES)))
            counted = _counted(e, lanes, e[f"{side}_scale"], e[f"{side}_steps"])
            e.b.store(counted, e.at(e.at(logprobs, e["k"], I32), place * SKETCH_LANES, I32), align=4)
    e.b.ret_void()


def _constant(module: Any, name: str, values: tuple[int, ...]) -> Any:
    kind = ir.ArrayType(I64, len(values))
    table = ir.GlobalVariable(module, kind, name)
    table.linkage, table.global_constant = "internal", True
    table.initializer = ir.Constant(kind, list(values))
    return table


def _round(e: Emitter, row: Any, steps: Any) -> Any:
    """Log-probs of a row in steps, as whole numbers in fp32, into `steps`; returns a bound that k of them reach."""
    logits = e.at(e["rows"], e.times(row, e["stride"]))
    shift = e.spread(e.b.load(e.at(e["normalisers"], row), typ=F32))
    peaks = [e.variable(same(F32, float(_LEAST))) for _ in range(_GROUPS)]

    def take(i: Any, peak: Any) -> None:
        counted = e.b.fmul(e.b.fsub(e.read(e.at(logits, i)), shift), same(F32, _STEPS))
        whole = e.larger(e.rint(counted), same(F32, float(_LEAST)))
        whole = e.b.select(e.b.fcmp_ordered("<", whole, same(F32, 0.0)), whole, same(F32, 0.0))
        inside = e.b.select(e.below(e.b.sub(e["N"], i)), whole, minus_infinity())
        e.write(inside, e.at(steps, i))
        e.b.store(e.larger(inside, e.value(peak)), peak)

    groups = e.b.and_(e["N"], integer(-MOST))
    with e.loop(0, groups, MOST) as begin:
        for place, peak in enumerate(peaks):
            take(e.b.add(begin, integer(place * LANES)), peak)
    with e.loop(groups, e["N"], LANES) as i:
        take(i, peaks[0])
    lowest = [e.b.fneg(e.value(peak)) for peak in peaks]
    return e.b.fneg(e.greatest(e.larger(e.larger(*lowest[:2]), e.larger(*lowest[2:]))))


class _Few:
    """The few tokens of a row that may be among its best, at the front of the scratch, ids ascending."""

    def __init__(self, e: Emitter, steps: Any, ids: Any) -> None:
        self.e, self.steps, self.ids = e, steps, ids
        self._count = e.variable(integer(0))

    def gather(self, bound: Any) -> None:
        """Those of the whole row that reach `bound`. What is written lies before what is still to be read."""
        e = self.e
        e.b.store(integer(0), self._count)
        with e.loop(0, e["N"], LANES) as begin:
            reach = e.b.fcmp_ordered(">=", e.read(e.at(self.steps, begin)), e.spread(bound))
            some = e.b.icmp_unsigned("!=", e.b.bitcast(reach, I16), I16(0))
            with e.b.if_then(some), e.loop(begin, e.b.add(begin, integer(LANES))) as i:
                step = self._step(i)
                with e.b.if_then(e.b.fcmp_ordered(">=", step, bound)):
                    self._append(step, e.b.trunc(i, I32))

    def select(self) -> None:
        """The best k of them: all above the k-th, and of those that equal it the lowest ids."""
        e = self.e
        kth = self._kth()
        left = e.variable(e.b.sub(e["k"], self._reach(e.b.fadd(kth, F32(1.0)))))
        count = e.value(self._count, I64)
        e.b.store(integer(0), self._count)
        with e.loop(0, count) as i:
            step = self._step(i)
            ties = e.b.icmp_signed(">", e.value(left, I64), integer(0))
            tied = e.b.and_(e.b.fcmp_ordered("==", step, kth), ties)
            with e.b.if_then(tied):
                e.b.store(e.b.sub(e.value(left, I64), integer(1)), left)
            with e.b.if_then(e.b.or_(tied, e.b.fcmp_ordered(">", step, kth))):
                self._append(step, self._id(i))

    def sort(self, ids: Any, logprobs: Any) -> None:
        """The k of them into int32 `ids` and `logprobs`, best first. A place is the number of those that go before."""
        e = self.e
        with e.loop(0, e["k"]) as i:
            step, place = self._step(i), e.variable(integer(0))
            with e.loop(0, e["k"]) as j:
                other = self._step(j)
                tied = e.b.and_(e.b.fcmp_ordered("==", other, step), e.b.icmp_signed("<", j, i))
                before = e.b.or_(e.b.fcmp_ordered(">", other, step), tied)
                e.b.store(e.b.add(e.value(place, I64), e.b.zext(before, I64)), place)
            e.b.store(self._id(i), e.at(ids, e.value(place, I64), I32))
            e.b.store(e.b.fptosi(step, I32), e.at(logprobs, e.value(place, I64), I32))

    def _kth(self) -> Any:
        """The greatest number that k of them reach, by halving."""
        e = self.e
        low, high = e.variable(integer(_LEAST)), e.variable(integer(1))
        with e.loop(0, _HALVINGS):
            middle = e.b.ashr(e.b.add(e.value(low, I64), e.value(high, I64)), integer(1))
            reached = e.b.icmp_signed(">=", self._reach(e.b.sitofp(middle, F32)), e["k"])
            e.b.store(e.b.select(reached, middle, e.value(low, I64)), low)
            e.b.store(e.b.select(reached, e.value(high, I64), middle), high)
        return e.b.sitofp(e.value(low, I64), F32)

    def _reach(self, bound: Any) -> Any:
        e = self.e
        total = e.variable(integer(0))
        with e.loop(0, e.value(self._count, I64)) as i:
            reaches = e.b.zext(e.b.fcmp_ordered(">=", self._step(i), bound), I64)
            e.b.store(e.b.add(e.value(total, I64), reaches), total)
        return e.value(total, I64)

    def _append(self, step: Any, token: Any) -> None:
        e, place = self.e, self.e.value(self._count, I64)
        e.b.store(step, e.at(self.steps, place))
        e.b.store(token, e.at(self.ids, place, I32))
        e.b.store(e.b.add(place, integer(1)), self._count)

    def _step(self, i: Any) -> Any:
        return self.e.b.load(self.e.at(self.steps, i), typ=F32)

    def _id(self, i: Any) -> Any:
        return self.e.b.load(self.e.at(self.ids, i, I32), typ=I32)


class _Sampler:
    """The integer sampler for one row: protocol section 5."""

    def __init__(self, e: Emitter, tables: list[Any], order: Any) -> None:
        self.e, self.tables = e, tables
        self.position, self.temperature, *self.key = (
            e.b.load(e.at(order, word, I64), typ=I64) for word in range(ORDER)
        )

    def best(self, ids: Any, logprobs: Any) -> Any:
        """The id with the highest score, of equal ones the lowest. At temperature 0 that is the first candidate."""
        e = self.e
        chosen = e.variable(e.b.zext(e.b.load(ids, typ=I32), I64))
        with e.b.if_then(e.b.icmp_signed(">", self.temperature, integer(0))):
            most = e.variable(integer(-(1 << 63)))
            with e.loop(0, e["k"]) as i:
                token = e.b.zext(e.b.load(e.at(ids, i, I32), typ=I32), I64)
                logprob = e.b.sext(e.b.load(e.at(logprobs, i, I32), typ=I32), I64)
                score = self._score(logprob, token)
                tied = e.b.icmp_signed("==", score, e.value(most, I64))
                lower = e.b.and_(tied, e.b.icmp_signed("<", token, e.value(chosen, I64)))
                better = e.b.or_(e.b.icmp_signed(">", score, e.value(most, I64)), lower)
                e.b.store(e.b.select(better, token, e.value(chosen, I64)), chosen)
                e.b.store(e.b.select(better, score, e.value(most, I64)), most)
        return e.b.trunc(e.value(chosen, I64), I32)

    def _score(self, logprob: Any, token: Any) -> Any:
        e = self.e
        scaled = e.b.udiv(e.b.shl(e.b.neg(logprob), integer(16)), self.temperature)
        return e.b.sub(self._noise(token), scaled)

    def _noise(self, token: Any) -> Any:
        """`gumbel_q16` of the first word that Philox gives for (position, token)."""
        e = self.e
        odd = e.b.or_(e.b.shl(self._word(token), integer(1)), integer(1))
        inner = e.b.sub(integer(33 * LN2), self._logarithm(odd))
        inner = e.b.select(e.b.icmp_signed(">", inner, integer(1)), inner, integer(1))
        outer = e.b.sub(integer(48 * LN2 + (1 << 31)), self._logarithm(inner))
        return e.b.ashr(outer, integer(32))

    def _word(self, token: Any) -> Any:
        """First word of ten rounds of Philox4x32; 32-bit words in 64."""
        e, word = self.e, integer(_WORD)
        c, key = [self.position, token, integer(0), integer(GUMBEL_TAG)], list(self.key)
        for _ in range(_ROUNDS):
            p, q = (e.b.mul(c[2 * i], integer(_MULTIPLIERS[i])) for i in range(2))
            c = [
                e.b.xor(e.b.xor(e.b.lshr(q, integer(32)), c[1]), key[0]),
                e.b.and_(q, word),
                e.b.xor(e.b.xor(e.b.lshr(p, integer(32)), c[3]), key[1]),
                e.b.and_(p, word),
            ]
            key = [e.b.and_(e.b.add(part, integer(_WEYL[i])), word) for i, part in enumerate(key)]
        return c[0]

    def _logarithm(self, x: Any) -> Any:
        """`ln_q48` of x >= 1."""
        e = self.e
        zeros = e.call("llvm.ctlz.i64", I64, [x, ir.Constant(ir.IntType(1), 0)])
        m = e.b.shl(x, zeros)
        i = e.b.and_(e.b.lshr(m, integer(56)), integer(0x7F))
        i = e.b.lshr(e.b.add(i, integer(1)), integer(1))
        d = e.b.sub(m, e.b.shl(e.b.add(i, integer(64)), integer(57)))
        ln, rc = (e.b.load(e.at(table, i, I64), typ=I64) for table in self.tables)
        t = e.b.ashr(e.b.mul(e.b.ashr(d, integer(25)), rc), integer(21))
        s = e.b.ashr(t, integer(16))
        square = e.b.mul(s, s)
        third = e.b.sdiv(e.b.mul(e.b.ashr(square, integer(16)), s), integer(3))
        whole = e.b.add(e.b.mul(e.b.sub(integer(63), zeros), integer(LN2)), ln)
        rest = e.b.sub(e.b.ashr(third, integer(32)), e.b.ashr(square, integer(17)))
        return e.b.add(e.b.add(whole, t), rest)


def _counted(e: Emitter, lanes: Any, scale: Any, steps: Any) -> Any:
    """Eight lanes in whole steps, int32, held to 16 bits."""
    scaled = e.b.fmul(e.read(lanes, lanes=SKETCH_LANES), e.spread(scale, SKETCH_LANES))
    whole = e.rint(e.b.fmul(scaled, e.spread(steps, SKETCH_LANES)))
    most, least = same(F32, _MOST, SKETCH_LANES), same(F32, -_MOST, SKETCH_LANES)
    whole = e.larger(whole, least)
    held = e.b.select(e.b.fcmp_ordered("<", whole, most), whole, most)
    return e.b.fptosi(held, ir.VectorType(I32, SKETCH_LANES))
