"""Binary Merkle trees whose root is bound to the number of leaves (protocol section 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .errors import ProofError, ShapeError
from .hashing import blake2b_256, domain
from .leaf import Leaf
from .receipt import PlacedSegment, Receipt, Segment
from .scale import check_bytes, compact, uint, vec_bytes

_PREFIX = domain("merkle")
_MAX_LEAVES = 1 << 32


def _leaf(data: bytes) -> bytes:
    return blake2b_256(_PREFIX + b"\x00" + data)


def _node(left: bytes, right: bytes) -> bytes:
    return blake2b_256(_PREFIX + b"\x01" + left + right)


def _bind(n: int, top: bytes) -> bytes:
    return blake2b_256(_PREFIX + b"\x02" + uint(n, 32) + top)


def _above(level: Sequence[bytes]) -> list[bytes]:
    """The next level up; an odd last node moves up unchanged."""
    pairs = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs


def _levels(items: Sequence[bytes]) -> list[list[bytes]]:
    if not 0 < len(items) < _MAX_LEAVES:
        raise ProofError(f"a Merkle tree has 1..2^32 items, got {len(items)}")
    levels = [[_leaf(item) for item in items]]
    while len(levels[-1]) > 1:
        levels.append(_above(levels[-1]))
    return levels


def merkle_root(items: Sequence[bytes]) -> bytes:
    """Root over the items' bytes; raises ProofError for none."""
    return _bind(len(items), _levels(items)[-1][0])


def multiproof(items: Sequence[bytes], indices: Sequence[int]) -> list[bytes]:
    """Hashes that `verify_multiproof` needs besides the items at `indices` (strictly increasing, at least
    one).
    """
    known = list(indices)
    if not known or known[0] < 0 or known[-1] >= len(items) or any(a >= b for a, b in pairwise(known)):
        raise ShapeError(f"indices must be strictly increasing and below {len(items)}, at least one of them")
    proof: list[bytes] = []
    for level in _levels(items)[:-1]:
        have = set(known)
        siblings = (index ^ 1 for index in known)
        proof += [level[sibling] for sibling in siblings if sibling < len(level) and sibling not in have]
        known = sorted({index >> 1 for index in known})
    return proof


def verify_multiproof(
    root: bytes, n: int, indices: Sequence[int], items: Sequence[bytes], proof: Sequence[bytes]
) -> bool:
    """Whether the tree of `n` items with this root holds `items` at `indices`; false for anything out of
    order, missing or left over.
    """
    if not 0 < n < _MAX_LEAVES or not indices or len(indices) != len(items):
        return False
    if indices[0] < 0 or indices[-1] >= n or any(a >= b for a, b in pairwise(indices)):
        return False
    if any(len(item) != 32 for item in proof):
        return False
    rest = iter(proof)
    known = [(index, _leaf(item)) for index, item in zip(indices, items, strict=True)]
    width = n
    while width > 1:
        step = _climb(known, width, rest)
        if step is None:
            return False
        known, width = step, (width + 1) // 2
    return next(rest, None) is None and _bind(n, known[0][1]) == root


def _climb(
    known: list[tuple[int, bytes]], width: int, rest: Iterable[bytes]
) -> list[tuple[int, bytes]] | None:
    """One level up from the known nodes of a level of `width` nodes; None when the proof is too short."""
    above: list[tuple[int, bytes]] = []
    waiting = list(reversed(known))
    supply = iter(rest)
    while waiting:
        index, digest = waiting.pop()
        if index == width - 1 and index % 2 == 0:
            above.append((index >> 1, digest))
            continue
        if index % 2 == 0 and waiting and waiting[-1][0] == index + 1:
            sibling: bytes | None = waiting.pop()[1]
        else:
            sibling = next(supply, None)
        if sibling is None:
            return None
        above.append((index >> 1, _node(digest, sibling) if index % 2 == 0 else _node(sibling, digest)))
    return above


def single_proof(items: Sequence[bytes], index: int) -> list[bytes]:
    """The path of one item."""
    return multiproof(items, [index])


def verify_single(root: bytes, n: int, index: int, item: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `n` items with this root holds `item` at `index`."""
    return verify_multiproof(root, n, [index], [item], proof)


def opening(leaves: Sequence[Leaf], positions: Sequence[int]) -> tuple[list[Leaf], list[bytes]]:
    """The leaves at strictly increasing positions and the proof of them. Raises as `multiproof`."""
    nodes = multiproof([leaf.encode() for leaf in leaves], positions)
    return [leaves[position] for position in positions], nodes


def transcript_root(leaves: Sequence[Leaf]) -> bytes:
    """Root of an answer's leaves in the order of their positions; raises ShapeError when a position is not
    its index.
    """
    if any(leaf.position != index for index, leaf in enumerate(leaves)):
        raise ShapeError("the leaves of a transcript must have the positions 0, 1, 2, ...")
    return merkle_root([leaf.encode() for leaf in leaves])


def receipts_root(receipts: Sequence[Receipt]) -> bytes:
    """Root of consecutive receipts of one session; raises ShapeError when they are not."""
    if any(
        (receipt.session, receipt.index) != (receipts[0].session, receipts[0].index + i)
        for i, receipt in enumerate(receipts)
    ):
        raise ShapeError("the receipts of a segment must belong to one session and have consecutive indices")
    return merkle_root([receipt.encode() for receipt in receipts])


def place_segments(segments: Iterable[Segment]) -> list[PlacedSegment]:
    """Give each segment the ordinal of its first receipt in the batch."""
    placed: list[PlacedSegment] = []
    start = 0
    for segment in segments:
        placed.append(PlacedSegment(start, segment))
        start += segment.count
    return placed


def batch_root(placed: Sequence[PlacedSegment]) -> bytes:
    """Root of a batch; raises ShapeError when the starts leave gaps or overlap."""
    if list(placed) != place_segments(item.segment for item in placed):
        raise ShapeError("each segment must start where the one before it ends; use place_segments")
    return merkle_root([item.encode() for item in placed])


@dataclass(frozen=True, slots=True)
class WeightEntry:
    """One tensor of a model: name and dtype as safetensors writes them, `raw_hash` = blake2b-256 of its
    little-endian bytes.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    raw_hash: bytes

    def encode(self) -> bytes:
        """SCALE bytes of the leaf."""
        shape = compact(len(self.shape)) + b"".join(uint(size, 64) for size in self.shape)
        raw_hash = check_bytes(self.raw_hash, 32, "raw_hash")
        return vec_bytes(self.name.encode()) + vec_bytes(self.dtype.encode()) + shape + raw_hash


def weights_root(entries: Iterable[WeightEntry]) -> bytes:
    """Root over a model's tensors, sorted by the bytes of their names; raises ProofError for none or a name
    that comes twice.
    """
    ordered = sorted(entries, key=lambda entry: entry.name.encode())
    twice = [a.name for a, b in pairwise(ordered) if a.name == b.name]
    if twice:
        raise ProofError(f"tensor names must be unique, {twice[0]!r} comes twice")
    return merkle_root([entry.encode() for entry in ordered])
