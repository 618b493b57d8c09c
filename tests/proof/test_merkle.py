"""Merkle trees against a naive recursive one, and every way to bend a proof."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.proof import (
    Leaf,
    ProofError,
    Receipt,
    Segment,
    ShapeError,
    WeightEntry,
    batch_root,
    merkle_root,
    multiproof,
    opening,
    place_segments,
    receipts_root,
    single_proof,
    transcript_root,
    verify_multiproof,
    verify_single,
    weights_root,
)
from llmnet.proof.receipt import FinishReason, PlacedSegment

ITEMS = st.lists(st.binary(max_size=8), min_size=1, max_size=40)


def tagged(tag: int, data: bytes) -> bytes:
    return hashlib.blake2b(b"llmnet/merkle/1" + bytes([tag]) + data, digest_size=32).digest()


def naive_top(items: list[bytes]) -> bytes:
    """Top by halves: the left one is the largest power of two below n (the same tree as by levels)."""
    if len(items) == 1:
        return tagged(0, items[0])
    half = 1 << (len(items) - 1).bit_length() - 1
    return tagged(1, naive_top(items[:half]) + naive_top(items[half:]))


def naive_root(items: list[bytes]) -> bytes:
    return tagged(2, len(items).to_bytes(4, "little") + naive_top(items))


@st.composite
def proven(draw: st.DrawFn) -> tuple[bytes, int, list[int], list[bytes], list[bytes]]:
    items = draw(ITEMS)
    indices = sorted(draw(st.sets(st.integers(0, len(items) - 1), min_size=1)))
    return merkle_root(items), len(items), indices, [items[i] for i in indices], multiproof(items, indices)


@given(ITEMS)
def test_root_equals_a_naive_recursion(items: list[bytes]) -> None:
    assert merkle_root(items) == naive_root(items)


@given(proven())
def test_every_multiproof_verifies(case: tuple[bytes, int, list[int], list[bytes], list[bytes]]) -> None:
    assert verify_multiproof(*case)


@given(ITEMS, st.data())
def test_single_paths_verify_and_are_short(items: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(items) - 1))
    proof = single_proof(items, index)
    assert verify_single(merkle_root(items), len(items), index, items[index], proof)
    assert len(proof) <= (len(items) - 1).bit_length()
    assert not verify_single(merkle_root(items), len(items), index, items[index] + b"!", proof)


def test_an_opening_is_the_leaves_and_what_proves_them() -> None:
    leaves = [Leaf(index, 5, (), (index,) * 8, (0,) * 8) for index in range(11)]
    positions = [0, 3, 4, 10]
    opened, nodes = opening(leaves, positions)
    assert opened == [leaves[position] for position in positions]
    shown = [leaf.encode() for leaf in opened]
    assert verify_multiproof(transcript_root(leaves), len(leaves), positions, shown, nodes)
    with pytest.raises(ShapeError):
        opening(leaves, [3, 3])


@given(proven(), st.integers(0, 1 << 32))
def test_another_n_is_refused(case: tuple[bytes, int, list[int], list[bytes], list[bytes]], n: int) -> None:
    root, right, indices, items, proof = case
    assert verify_multiproof(root, n, indices, items, proof) == (n == right)


@given(proven(), st.data())
def test_every_bent_proof_is_refused(
    case: tuple[bytes, int, list[int], list[bytes], list[bytes]], data: st.DataObject
) -> None:
    root, n, indices, items, proof = case
    at = data.draw(st.integers(0, len(items) - 1))
    assert not verify_multiproof(root, n, indices, [*items[:at], items[at] + b"x", *items[at + 1 :]], proof)
    assert not verify_multiproof(root, n, indices, items, [*proof, bytes(32)])
    assert not verify_multiproof(root, n, [*indices, n], [*items, b""], proof)
    assert not verify_multiproof(root, n, indices[:-1], items, proof)
    assert not verify_multiproof(root, n, [*indices, indices[-1]], [*items, items[-1]], proof)
    assert not verify_multiproof(root, n, [-1, *indices], [items[0], *items], proof)
    if len(indices) > 1:
        assert not verify_multiproof(root, n, indices[::-1], items[::-1], proof)
        assert not verify_multiproof(root, n, indices[1:], items[1:], proof)
    if len(set(items)) > 1:
        turned = items[1:] + items[:1]
        assert not verify_multiproof(root, n, indices, turned, proof)
    if proof:
        i = data.draw(st.integers(0, len(proof) - 1))
        flipped = bytes([proof[i][0] ^ 1]) + proof[i][1:]
        assert not verify_multiproof(root, n, indices, items, proof[:-1])
        assert not verify_multiproof(root, n, indices, items, [*proof[:i], flipped, *proof[i + 1 :]])
        assert not verify_multiproof(root, n, indices, items, [*proof[:i], proof[i][:31], *proof[i + 1 :]])
        assert len(set(proof)) < 2 or not verify_multiproof(root, n, indices, items, proof[1:] + proof[:1])


@given(ITEMS, ITEMS)
def test_different_lists_have_different_roots(a: list[bytes], b: list[bytes]) -> None:
    assert (merkle_root(a) == merkle_root(b)) == (a == b)


def test_a_node_cannot_pass_as_an_item() -> None:
    """Without tags, the two children of a node would be a leaf of a smaller tree."""
    items = [b"a", b"b", b"c", b"d"]
    left, right = tagged(0, b"a") + tagged(0, b"b"), tagged(0, b"c") + tagged(0, b"d")
    assert not verify_multiproof(merkle_root(items), 2, [0, 1], [left, right], [])
    assert not verify_multiproof(merkle_root(items), 4, [0, 1], [left, right], [])


def test_nothing_proves_nothing() -> None:
    root = merkle_root([b"a"])
    assert not verify_multiproof(root, 1, [], [], [])
    assert not verify_multiproof(root, 0, [0], [b"a"], [])
    with pytest.raises(ProofError):
        merkle_root([])


@pytest.mark.parametrize("indices", [[], [2], [-1], [1, 0], [0, 0]])
def test_multiproof_refuses_bad_indices(indices: list[int]) -> None:
    with pytest.raises(ShapeError):
        multiproof([b"a", b"b"], indices)


def test_a_verifier_with_a_giant_n_stays_small() -> None:
    assert not verify_multiproof(bytes(32), (1 << 32) - 1, [5], [b""], [bytes(32)] * 32)


def receipt(session: int, index: int) -> Receipt:
    return Receipt(session, index, bytes(32), 0, bytes(32), bytes(32), 1, 1, FinishReason.STOP, bytes(32))


def test_roots_of_objects_bind_their_order() -> None:
    leaves = [Leaf(i, 0, (), (0,) * 8, (0,) * 8) for i in range(3)]
    assert transcript_root(leaves) == naive_root([leaf.encode() for leaf in leaves])
    with pytest.raises(ShapeError, match="positions 0, 1, 2"):
        transcript_root(leaves[::-1])
    receipts = [receipt(1, 7), receipt(1, 8)]
    assert receipts_root(receipts) == naive_root([item.encode() for item in receipts])
    for bad in ([receipt(1, 7), receipt(1, 9)], [receipt(1, 7), receipt(2, 8)], [receipt(1, 7)] * 2):
        with pytest.raises(ShapeError, match="consecutive"):
            receipts_root(bad)


def test_segments_are_placed_one_after_the_other() -> None:
    segments = [
        Segment(1, 5, 5, bytes(32), 1),
        Segment(2, 0, 9, bytes(32), 1),
        Segment(3, 1, 2, bytes(32), 1),
    ]
    placed = place_segments(segments)
    assert [item.start for item in placed] == [0, 1, 11]
    assert batch_root(placed) == naive_root([item.encode() for item in placed])
    with pytest.raises(ShapeError, match="place_segments"):
        batch_root([placed[0], PlacedSegment(2, segments[1])])


def test_weights_root_is_sorted_by_name_and_bound_to_every_field() -> None:
    entries = [WeightEntry("b", "F32", (2, 3), b"h" * 32), WeightEntry("a", "BF16", (), b"i" * 32)]
    first = b"\x04a" + b"\x10BF16" + b"\x00" + b"i" * 32
    second = (
        b"\x04b" + b"\x0cF32" + b"\x08" + (2).to_bytes(8, "little") + (3).to_bytes(8, "little") + b"h" * 32
    )
    assert weights_root(entries) == weights_root(entries[::-1]) == naive_root([first, second])
    with pytest.raises(ProofError, match="twice"):
        weights_root([entries[0], entries[0]])
