"""What is kept of one output token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple, Self

from .encoded import Encoded, made
from .errors import FieldError
from .scale import Reader, check_int, check_uint, compact
from .service import MAX_TOP_K

LANES = 8
MIN_LOGPROB = -32767
MAX_LEAVES = 1 << 20
_CANDIDATE_SIZE = 6
_LANES = Struct(f"<{LANES}h")


class Candidate(NamedTuple):
    """A token id and its log-prob in 1/256 nat."""

    id: int
    logprob: int


@dataclass(frozen=True, slots=True)
class Leaf(Encoded):
    """One output token: what was chosen, from which candidates, and two sketches of the state it was chosen
    in.

    Making a Leaf checks what its fields can hold, not whether it is honest: a malformed leaf of somebody else
    has to be representable to be judged (`sampler.well_formed`).
    """

    position: int
    token: int
    candidates: tuple[Candidate, ...]
    logit_sketch: tuple[int, ...]
    hidden_sketch: tuple[int, ...]

    def __post_init__(self) -> None:
        self._uints(position=32, token=32)
        pairs = tuple(
            Candidate(check_uint(i, 32, "candidate id"), check_int(p, 16, "logprob"))
            for i, p in self.candidates
        )
        if len(pairs) > MAX_TOP_K:
            raise FieldError(f"a leaf may have {MAX_TOP_K} candidates, got {len(pairs)}")
        self._set(
            candidates=pairs, logit_sketch=_lanes(self.logit_sketch), hidden_sketch=_lanes(self.hidden_sketch)
        )

    def encode(self) -> bytes:
        """SCALE bytes."""
        count = len(self.candidates)
        head = self.position.to_bytes(4, "little") + self.token.to_bytes(4, "little") + compact(count)
        flat = [value for candidate in self.candidates for value in candidate]
        return (
            head
            + Struct("<" + "Ih" * count).pack(*flat)
            + _LANES.pack(*self.logit_sketch)
            + _LANES.pack(*self.hidden_sketch)
        )

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read one leaf; raises DecodeError."""
        start = reader.offset
        position, token = reader.uint(32, "position"), reader.uint(32, "token")
        count = reader.length("candidates", MAX_TOP_K, _CANDIDATE_SIZE)
        pairs = Struct("<Ih").iter_unpack(reader.take(count * _CANDIDATE_SIZE, "candidates"))
        candidates = tuple(Candidate(*pair) for pair in pairs)
        sketches = [
            _LANES.unpack(reader.take(_LANES.size, what)) for what in ("logit_sketch", "hidden_sketch")
        ]
        return made(cls, start, position, token, candidates, *sketches)


def _lanes(values: Sequence[int]) -> tuple[int, ...]:
    if len(values) != LANES:
        raise FieldError(f"a sketch has {LANES} lanes, got {len(values)}")
    return tuple(check_int(value, 16, "sketch lane") for value in values)


def encode_leaves(leaves: Sequence[Leaf]) -> bytes:
    """`Vec<Leaf>`."""
    return compact(len(leaves)) + b"".join(leaf.encode() for leaf in leaves)


def decode_leaves(data: bytes, limit: int = MAX_LEAVES) -> tuple[Leaf, ...]:
    """The leaves of a `Vec<Leaf>` with at most `limit` items; raises DecodeError."""
    reader = Reader(data)
    leaves = tuple(
        Leaf.read(reader) for _ in range(reader.length("leaves", limit, item_size=9 + 2 * _LANES.size))
    )
    reader.finish()
    return leaves
