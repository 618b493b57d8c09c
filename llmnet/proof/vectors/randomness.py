"""Vectors of Philox, signs, the logarithm and the noise."""

from __future__ import annotations

from collections.abc import Sequence

from llmnet.proof.gumbel import LN, RC, gumbel_q16, ln_q48
from llmnet.proof.philox import philox4x32
from llmnet.proof.signs import LaneSet, sign_matrix

from .form import Case, VectorFile, case
from .source import Source

FULL = (1 << 32) - 1
KNOWN_ANSWERS = (
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((FULL,) * 4, (FULL,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)


def philox() -> VectorFile:
    """Philox4x32-10; the first three are the published known answers."""
    source = Source("philox")
    cases = [
        case({"counter": counter, "key": key}, {"words": words}) for counter, key, words in KNOWN_ANSWERS
    ]
    for _ in range(40):
        counter, key = [source.uint(32) for _ in range(4)], [source.uint(32) for _ in range(2)]
        cases.append(case({"counter": counter, "key": key}, {"words": philox4x32(counter, key).tolist()}))
    return VectorFile(
        "philox", "Philox4x32-10: the first three cases are the published known answers of Random123", cases
    )


def signs() -> VectorFile:
    """Sign bytes and the eight rows of signs."""
    source = Source("signs")
    lane_sets: tuple[LaneSet, LaneSet] = ("LOGI", "HIDN")
    cases = []
    for seed in (bytes(32), b"\xff" * 32, bytes(range(32)), source.hash()):
        for lane_set in lane_sets:
            for n in (1, 15, 16, 17, 100):
                matrix = sign_matrix(seed, lane_set, n)
                octets = bytes(sum(1 << lane for lane in range(8) if matrix[lane, v] < 0) for v in range(n))
                rows = ["".join("+" if sign > 0 else "-" for sign in row) for row in matrix]
                cases.append(
                    case(
                        {"request_seed": seed, "lane_set": lane_set, "n": n}, {"octets": octets, "rows": rows}
                    )
                )
    return VectorFile(
        "signs",
        "sign byte of each element (bit j set: lane j has -1) and the same as eight rows of + and -",
        cases,
    )


def ln_gumbel() -> VectorFile:
    """The tables, the logarithm and the noise."""
    source = Source("ln_gumbel")
    cases = [case({"i": i}, {"ln": LN[i], "rc": RC[i]}) for i in range(65)]
    edges = [
        1,
        2,
        3,
        63,
        64,
        65,
        127,
        128,
        129,
        FULL,
        1 << 32,
        (1 << 33) - 1,
        1 << 63,
        (1 << 63) + 1,
        (1 << 64) - 1,
        (1 << 64) - 2,
    ]
    # Both sides of where the table index changes, where the rounding of d and t matters most.
    edges += [((129 + 2 * i) << 56) + step for i in range(0, 64, 9) for step in (-1, 0, 1)]
    cases += [case({"x": x}, {"ln_q48": ln_q48(x)}) for x in dict.fromkeys(edges + _drawn(source, 64, 40))]
    uniform = [0, 1, 2, 3, FULL, FULL - 1, FULL - 2, 1 << 31, (1 << 31) - 1, 1 << 30]
    uniform += _drawn(source, 32, 50) + [FULL - u for u in _drawn(source, 20, 20)]
    cases += [case({"u": u}, {"gumbel_q16": gumbel_q16(u)}) for u in dict.fromkeys(uniform)]
    about = "table entry i -> LN[i], RC[i]; or x -> ln_q48(x); or u -> Gumbel noise G in Q16.16 (i32)"
    return VectorFile("ln_gumbel", about, cases)


def _drawn(source: Source, bits: int, count: int) -> list[int]:
    return [max(1, source.uint(bits)) for _ in range(count)]


def files() -> Sequence[VectorFile]:
    """All files of this module."""
    return [philox(), signs(), ln_gumbel()]


__all__ = ["Case", "files"]
