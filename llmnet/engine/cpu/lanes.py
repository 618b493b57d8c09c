"""Building blocks of the CPU kernels: loops, vectors of 16 fp32 lanes, and the few functions on them.

Everything that decides a rounding is written here in LLVM's intermediate language, with its order of operations
spelled out and no fast-math flag: the compiler may choose registers and instructions, never bits. So a processor
with narrower vectors computes the same numbers, only more slowly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]

LANES = 16
F32, I64, I32, I16, I8 = ir.FloatType(), ir.IntType(64), ir.IntType(32), ir.IntType(16), ir.IntType(8)
POINTER = ir.PointerType()
F32X16, I32X16 = ir.VectorType(F32, LANES), ir.VectorType(I32, LANES)
STORED = {"fp32": F32, "bf16": I16, "fp16": ir.HalfType()}
"""How one number of each kind lies in memory."""

_MINUS_INFINITY = float("-inf")
_LOG2_E = 1 / math.log(2)
# ln 2 in two parts: n * HIGH is exact for every n that can occur (Cody and Waite).
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440054690583e-4
# exp on [-ln2/2, ln2/2]: Taylor's coefficients of x^7 .. x^2; the error stays below half a unit in the last place.
_EXP_COEFFICIENTS = [1 / math.factorial(n) for n in range(7, 1, -1)]
_EXP_MIN, _EXP_MAX = -87.0, 88.0


class Emitter:
    """One function under construction. Arguments are named; `b` is LLVM's own builder."""

    def __init__(self, module: Any, name: str, arguments: Mapping[str, Any]) -> None:
        kind = ir.FunctionType(ir.VoidType(), list(arguments.values()))
        self.function = ir.Function(module, kind, name)
        self.arguments = dict(zip(arguments, self.function.args, strict=True))
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))

    @classmethod
    def kernel(cls, module: Any, name: str, parameters: Mapping[str, Any]) -> Emitter:
        """A function that Python calls: `name(values, first, step)`.

        `values` is an array of 64-bit words, one a parameter (a float is passed as the bits of a double). The
        kernel does units of work `first, first + step, ...`; what a unit is and how many there are it knows itself.
        """
        made = cls(module, name, {"values": POINTER, "first": I64, "step": I64})
        for index, (parameter, kind) in enumerate(parameters.items()):
            word = made.b.load(made.at(made["values"], index, I64), typ=I64)
            made.arguments[parameter] = made._from_word(word, kind)
        return made

    def _from_word(self, word: Any, kind: Any) -> Any:
        if kind is POINTER:
            return self.b.inttoptr(word, POINTER)
        if kind is F32:
            return self.b.fptrunc(self.b.bitcast(word, ir.DoubleType()), F32)
        return word

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def variable(self, start: Any) -> Any:
        """A register that changes; LLVM turns these stack slots into registers."""
        with self.b.goto_entry_block():
            slot = self.b.alloca(start.type)
        self.b.store(start, slot)
        return slot

    def value(self, slot: Any, kind: Any = F32X16) -> Any:
        """What a variable holds now."""
        return self.b.load(slot, typ=kind)

    @contextmanager
    def loop(self, first: Any, end: Any, step: Any = 1) -> Iterator[Any]:
        """`for i in range(first, end, step)`."""
        counter = self.variable(integer(first))
        check, body, done = (self.function.append_basic_block(name) for name in ("check", "body", "done"))
        self.b.branch(check)
        self.b.position_at_end(check)
        index = self.value(counter, I64)
        self.b.cbranch(self.b.icmp_signed("<", index, integer(end)), body, done)
        self.b.position_at_end(body)
        yield index
        self.b.store(self.b.add(index, integer(step)), counter)
        self.b.branch(check)
        self.b.position_at_end(done)

    def at(self, base: Any, index: Any, kind: Any = F32) -> Any:
        """Address of element `index` of an array."""
        return self.b.gep(base, [integer(index)], source_etype=kind)

    def times(self, x: Any, y: Any) -> Any:
        """Product of two sizes."""
        return self.b.mul(integer(x), integer(y))

    def smaller(self, x: Any, y: Any) -> Any:
        """Minimum of two sizes."""
        return self.b.select(self.b.icmp_signed("<", x, y), x, y)

    def read(self, address: Any, kind: str = "fp32", lanes: int = LANES) -> Any:
        """`lanes` stored numbers as fp32."""
        stored = STORED[kind]
        raw = self.b.load(address, align=4 if kind == "fp32" else 2, typ=ir.VectorType(stored, lanes))
        if kind == "fp32":
            return raw
        if kind == "fp16":
            return self.b.fpext(raw, ir.VectorType(F32, lanes))
        wide = self.b.zext(raw, ir.VectorType(I32, lanes))
        return self.b.bitcast(self.b.shl(wide, same(I32, 16, lanes)), ir.VectorType(F32, lanes))

    def write(self, vector: Any, address: Any) -> None:
        """Store fp32 numbers."""
        self.b.store(vector, address, align=4)

    def call(self, name: str, kind: Any, values: Sequence[Any]) -> Any:
        """One of LLVM's intrinsics of type `kind`."""
        module = self.b.module
        known = module.globals.get(name)
        found = known or ir.Function(module, ir.FunctionType(kind, [value.type for value in values]), name)
        return self.b.call(found, values)

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        """`x * y + z`, rounded once."""
        return self.call(f"llvm.fma.{_suffix(x.type)}", x.type, [x, y, z])

    def sqrt(self, x: Any) -> Any:
        """Square root, correctly rounded."""
        return self.call(f"llvm.sqrt.{_suffix(x.type)}", x.type, [x])

    def rint(self, x: Any) -> Any:
        """The nearest whole number, ties to even."""
        return self.call(f"llvm.rint.{_suffix(x.type)}", x.type, [x])

    def prefetch(self, address: Any) -> None:
        """Ask for a cache line, into the second level: the first is full of what is being used."""
        hints = [ir.Constant(I32, number) for number in (0, 2, 1)]  # read, level 2, data
        self.call("llvm.prefetch.p0", ir.VoidType(), [address, *hints])

    def larger(self, x: Any, y: Any) -> Any:
        """Maximum by lane; a NaN in `x` is kept."""
        return self.b.select(self.b.fcmp_ordered("<", x, y), y, x)

    def rounded(self, x: Any, kind: str) -> Any:
        """fp32 rounded to the nearest number of `kind`, ties to even, as fp32 again."""
        if kind == "fp32":
            return x
        lanes = x.type.count
        if kind == "fp16":
            return self.b.fpext(self.b.fptrunc(x, ir.VectorType(ir.HalfType(), lanes)), x.type)
        bits = self.b.bitcast(x, ir.VectorType(I32, lanes))
        odd = self.b.and_(self.b.lshr(bits, same(I32, 16, lanes)), same(I32, 1, lanes))
        up = self.b.add(bits, self.b.add(odd, same(I32, 0x7FFF, lanes)))
        cut = self.b.and_(up, same(I32, 0xFFFF0000, lanes))
        number = self.b.fcmp_ordered("==", x, x)  # adding to a NaN's bits could make an infinity of it
        return self.b.select(number, self.b.bitcast(cut, x.type), x)

    def exp(self, x: Any) -> Any:
        """e^x, within one unit in the last place; 0 below -87, the value at 88 above 88, NaN for NaN."""
        lanes = x.type.count
        high = self.b.select(
            self.b.fcmp_ordered(">", x, same(F32, _EXP_MAX, lanes)), same(F32, _EXP_MAX, lanes), x
        )
        tiny = self.b.fcmp_ordered("<", x, same(F32, _EXP_MIN, lanes))
        bounded = self.b.select(tiny, same(F32, 0.0, lanes), high)
        scaled = self.b.fmul(bounded, same(F32, _LOG2_E, lanes))
        whole = self.rint(scaled)
        rest = self.fma(whole, same(F32, -_LN2_HIGH, lanes), bounded)
        rest = self.fma(whole, same(F32, -_LN2_LOW, lanes), rest)
        total = same(F32, _EXP_COEFFICIENTS[0], lanes)
        for coefficient in [*_EXP_COEFFICIENTS[1:], 1.0, 1.0]:
            total = self.fma(total, rest, same(F32, coefficient, lanes))
        return self.b.select(tiny, same(F32, 0.0, lanes), self._times_power(total, whole, lanes))

    def _times_power(self, x: Any, whole: Any, lanes: int) -> Any:
        """x * 2^whole. A NaN in `whole` only occurs with one in `x`, and any power of two keeps that."""
        integers = ir.VectorType(I32, lanes)
        number = self.b.fcmp_ordered("==", whole, whole)
        power = self.b.fptosi(self.b.select(number, whole, same(F32, 0.0, lanes)), integers)
        bits = self.b.shl(self.b.add(power, same(I32, 127, lanes)), same(I32, 23, lanes))
        return self.b.fmul(x, self.b.bitcast(bits, x.type))

    def totals(self, vectors: Sequence[Any]) -> Any:
        """Sums over the lanes of n vectors (n a power of two, at most 16), as one vector of n.

        Lane i is added to lane i + 8, then i + 4, i + 2, i + 1, however many vectors are summed together: a sum
        does not depend on its company.
        """
        parts, width = list(vectors), LANES
        while width > 1:
            pairs = list(zip(parts[::2], parts[1::2], strict=True)) if len(parts) > 1 else [(parts[0], None)]
            parts = [self._halved(x, y, width) for x, y in pairs]
            width //= 2
        return parts[0]

    def total(self, vector: Any) -> Any:
        """Sum over the lanes of one vector, a scalar."""
        return self.b.extract_element(self.totals([vector]), ir.Constant(I32, 0))

    def greatest(self, vector: Any) -> Any:
        """Maximum over the lanes, a scalar."""
        while vector.type.count > 1:
            half = vector.type.count // 2
            low = self._shuffled(vector, None, range(half))
            vector = self.larger(low, self._shuffled(vector, None, range(half, 2 * half)))
        return self.b.extract_element(vector, ir.Constant(I32, 0))

    def spread(self, scalar: Any, lanes: int = LANES) -> Any:
        """A vector whose lanes are all the same scalar."""
        kind = ir.VectorType(scalar.type, lanes)
        single = self.b.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(I32, 0))
        return self._shuffled(single, None, [0] * lanes)

    def below(self, count: Any) -> Any:
        """Mask of the lanes whose index is below `count` (int64, may be negative)."""
        low = self.b.select(self.b.icmp_signed("<", count, integer(LANES)), count, integer(LANES))
        indices = ir.Constant(I32X16, list(range(LANES)))
        return self.b.icmp_signed("<", indices, self.spread(self.b.trunc(low, I32)))

    def _halved(self, x: Any, y: Any, width: int) -> Any:
        """Each group of `width` lanes becomes one of `width / 2`: lower half plus upper half."""
        count = x.type.count * (1 if y is None else 2)
        groups = range(0, count, width)
        low = [start + lane for start in groups for lane in range(width // 2)]
        high = [start + lane for start in groups for lane in range(width // 2, width)]
        return self.b.fadd(self._shuffled(x, y, low), self._shuffled(x, y, high))

    def _shuffled(self, x: Any, y: Any, lanes: Sequence[int]) -> Any:
        mask = ir.Constant(ir.VectorType(I32, len(lanes)), list(lanes))
        return self.b.shuffle_vector(x, x if y is None else y, mask)


def integer(value: Any) -> Any:
    """A constant size, unless it is a value already."""
    return ir.Constant(I64, value) if isinstance(value, int) else value


def same(kind: Any, value: float, lanes: int = LANES) -> Any:
    """A constant vector."""
    return ir.Constant(ir.VectorType(kind, lanes), [value] * lanes)


def nothing() -> Any:
    """Sixteen zeros."""
    return same(F32, 0.0)


def minus_infinity() -> Any:
    """Sixteen times -inf."""
    return same(F32, _MINUS_INFINITY)


def _suffix(kind: Any) -> str:
    return f"v{kind.count}f32" if isinstance(kind, ir.VectorType) else "f32"
