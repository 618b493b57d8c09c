"""Vectors of Merkle roots and multiproofs, honest and not."""

from __future__ import annotations

from llmnet.proof.merkle import merkle_root, multiproof, verify_multiproof

from .form import Case, VectorFile, case
from .source import Source


def roots() -> VectorFile:
    """Roots over small items."""
    source = Source("merkle_root")
    cases = []
    for n in [*range(1, 18), 31, 32, 33]:
        items = [source.random.randbytes(source.random.randint(0, 6)) for _ in range(n)]
        cases.append(case({"items": items}, {"root": merkle_root(items)}))
    cases.append(case({"items": [b"a", b"a"]}, {"root": merkle_root([b"a", b"a"])}))
    return VectorFile("merkle_root", "root over the items' bytes", cases)


def _case(root: bytes, n: int, indices: list[int], items: list[bytes], proof: list[bytes]) -> Case:
    given = {"root": root, "n": n, "indices": indices, "items": items, "proof": proof}
    return case(given, {"valid": verify_multiproof(root, n, indices, items, proof)})


def _honest(source: Source) -> list[Case]:
    cases = []
    for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 33, 100):
        items = [source.random.randbytes(5) for _ in range(n)]
        subsets = [[0], [n - 1], sorted(source.random.sample(range(n), source.random.randint(1, min(n, 16))))]
        if n <= 9:
            subsets.append(list(range(n)))
        unique = [list(subset) for subset in dict.fromkeys(map(tuple, subsets))]
        cases += [
            _case(merkle_root(items), n, subset, [items[i] for i in subset], multiproof(items, subset))
            for subset in unique
        ]
    return cases


def _forged(source: Source) -> list[Case]:
    """Every way in which one honest proof can be bent; n = 11 has two odd levels."""
    n, indices = 11, [1, 4, 5, 10]
    items = [source.random.randbytes(5) for _ in range(n)]
    root, proof, chosen = (
        merkle_root(items),
        multiproof(items, [1, 4, 5, 10]),
        [items[i] for i in [1, 4, 5, 10]],
    )
    flipped = bytes([proof[0][0] ^ 1]) + proof[0][1:]
    bent: list[tuple[bytes, int, list[int], list[bytes], list[bytes]]] = [
        (root, 10, indices, chosen, proof),
        (root, 12, indices, chosen, proof),
        (root, 0, indices, chosen, proof),
        (root, 16, indices, chosen, proof),
        (root, (1 << 32) - 1, indices, chosen, proof),
        (root, n, [1, 4, 5, 11], chosen, proof),
        (root, n, [0, 4, 5, 10], chosen, proof),
        (root, n, [4, 1, 5, 10], [chosen[1], chosen[0], *chosen[2:]], proof),
        (root, n, [1, 4, 4, 5, 10], [chosen[0], chosen[1], chosen[1], *chosen[2:]], proof),
        (root, n, [1, 1], [items[1], items[1]], multiproof(items, [1])),
        (root, n, indices, [chosen[1], chosen[0], *chosen[2:]], proof),
        (root, n, indices, chosen[:3], proof),
        (root, n, [1, 4, 5], chosen, proof),
        (root, n, [], [], [root]),
        (root, n, [], [], []),
        (root, n, indices, chosen, proof[:-1]),
        (root, n, indices, chosen, [*proof, proof[-1]]),
        (root, n, indices, chosen, []),
        (root, n, indices, chosen, proof[::-1]),
        (root, n, indices, chosen, [flipped, *proof[1:]]),
        (bytes(32), n, indices, chosen, proof),
        (root, n, indices, [b"", *chosen[1:]], proof),
        (merkle_root(items[:10]), n, indices, chosen, proof),
    ]
    # A node passed off as an item of a smaller tree: the tags and the bound n forbid it.
    two = [b"left", b"right"]
    bent.append((merkle_root(two), 1, [0], [two[0] + two[1]], []))
    bent.append((merkle_root([b"a"]), 2, [0, 1], [b"a", b"a"], []))
    bent.append((merkle_root([b"a"] * 3), 4, [0, 1, 2, 3], [b"a"] * 4, []))
    return [_case(*parts) for parts in bent]


def files() -> list[VectorFile]:
    """All files of this module."""
    source = Source("merkle_multiproof")
    about = "whether `items` stand at `indices` in the tree of `n` items with this root"
    return [roots(), VectorFile("merkle_multiproof", about, _honest(source) + _forged(source))]
