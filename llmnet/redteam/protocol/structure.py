"""Trees and draws by themselves: every wrong claim about small trees, by exhaustion rather than by luck.

The chain's tree is another implementation of the same rules; both reproduce the same vectors, and `trees` asks the chain.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from llmnet import proof
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.setting import Setting

_FAMILY = "structure"
Claim = tuple[bytes, int, list[int], list[bytes], list[bytes]]
"""Root, number of leaves, indices, leaves, proof."""


def items_of(n: int) -> list[bytes]:
    """Different leaves."""
    return [proof.blake2b_256(at.to_bytes(4, "little")) for at in range(n)]


def wrong_positions(n: int) -> Iterator[Claim]:
    """Each leaf of a tree of n, said to stand at each other place, by both places' proofs."""
    items = items_of(n)
    root = proof.merkle_root(items)
    paths = [proof.single_proof(items, at) for at in range(n)]
    for at in range(n):
        for wrong in range(n + 2):
            if wrong != at:
                yield root, n, [wrong], [items[at]], paths[at]
                if wrong < n:
                    yield root, n, [wrong], [items[at]], paths[wrong]


def wrong_counts(n: int) -> Iterator[Claim]:
    """Right leaves and proofs, and another number of leaves; proofs of the tree with one leaf more or less."""
    items = items_of(n + 1)
    root = proof.merkle_root(items[:n])
    for at in range(n):
        path = proof.single_proof(items[:n], at)
        for wrong in {n - 1, n + 1, 2 * n, n // 2, 0, 1, 1 << 31} - {n}:
            yield root, wrong, [at], [items[at]], path
        yield root, n, [at], [items[at]], [*proof.single_proof(items, at), items[at]]
        yield proof.merkle_root(items), n, [at], [items[at]], path


def confusions(n: int) -> Iterator[Claim]:
    """Two leaves' hashes as one leaf's bytes, in the tree and in that of its next level; a leaf as the root of a tree of one."""
    items = items_of(n)
    root = proof.merkle_root(items)
    for at in range(0, n - 1, 2):
        path = proof.single_proof(items, at)
        both = proof.single_proof(items, at + 1)[0] + path[0]  # what the node above is the hash of
        for inner in (both, b"\x01" + both, items[at] + items[at + 1], path[0]):
            yield root, (n + 1) // 2, [at // 2], [inner], path[1:]
            yield root, n, [at], [inner], path
    yield root, 1, [0], [items[0]], []
    yield items[0], 1, [0], [items[0]], []


def disorders(n: int) -> Iterator[Claim]:
    """Several leaves at once: doubled, turned round, shuffled, missing, one too many; and proofs in another order."""
    items, rng = items_of(n), random.Random(n)
    root = proof.merkle_root(items)
    some = sorted(rng.sample(range(n), max(2, n // 2)))
    data, path = [items[at] for at in some], proof.multiproof(items, some)
    yield root, n, some[::-1], data[::-1], path
    yield root, n, [some[0], *some], [data[0], *data], path
    yield root, n, some, data[::-1], path
    yield root, n, some[:-1], data[:-1], path
    yield root, n, some, data[:-1], path
    yield root, n, [], [], path
    yield root, n, [-1, *some], [items[-1], *data], path
    for at in range(len(path)):
        yield root, n, some, data, path[:at] + path[at + 1 :]
        yield root, n, some, data, [*path[:at], path[at][::-1], *path[at + 1 :]]
        yield root, n, some, data, [*path, path[at]]
    if len(set(path)) > 1:
        yield root, n, some, data, path[1:] + path[:1]


Claims = Callable[[int], Iterator[Claim]]


def exhaust(claims: Claims, largest: int) -> Found:
    """All claims about trees of 2 to `largest` leaves. None may be true."""
    tried = caught = size = 0
    for n in range(2, largest + 1):
        for root, count, indices, data, path in claims(n):
            tried += 1
            caught += not proof.verify_multiproof(root, count, indices, data, path)
            size += 32 * (len(path) + len(data))
    effect = Effect.REFUSED if caught == tried else Effect.SUCCEEDS
    return Found(
        effect, "verify", tried, caught, on_chain=size // tried, note=f"trees of 2 to {largest} leaves"
    )


def _register(name: str, does: str, claims: Claims) -> None:
    attack(name, _FAMILY, does, Effect.REFUSED)(
        lambda setting: exhaust(claims, min(64, 8 + 8 * setting.scale))
    )


_register("all wrong positions", "says of each leaf that it stands at each other place", wrong_positions)
_register(
    "all wrong counts",
    "says of a tree of n leaves that it has n - 1, n + 1, half, twice as many",
    wrong_counts,
)
_register("leaves for nodes", "gives inner nodes as leaves and leaves as roots", confusions)
_register(
    "disordered proofs", "doubles, turns round, shuffles, shortens and lengthens leaves and proofs", disorders
)


@attack(
    "a draw that names what was not committed",
    _FAMILY,
    "looks for ordinals, positions or panels out of range",
    Effect.REFUSED,
)
def draws_in_range(setting: Setting) -> Found:
    """Whatever the beacon says: ordinals below N, each once; positions below n, ascending; members each once and eligible."""
    rng, caught = random.Random(setting.seed), 0
    tried = 300 * setting.scale
    for _ in range(tried):
        key, n = rng.randbytes(32), rng.randrange(1, 5_000)
        ordinals = proof.draw_receipts(key, n, rng.randrange(1_000_001))
        positions = proof.draw_positions(key, n)
        stakes = sorted((rng.randbytes(32), rng.randrange(1, 1 << 80)) for _ in range(rng.randrange(2, 9)))
        panel = proof.draw_panel(key, stakes)
        fair = len(set(ordinals)) == len(ordinals) <= 32 and all(at < n for at in ordinals)
        fair &= positions == sorted(set(positions)) and len(positions) == min(16, n) and positions[-1] < n
        caught += fair and len(set(panel)) == len(panel) and {who for who, _ in stakes}.issuperset(panel)
    effect = Effect.REFUSED if caught == tried else Effect.SUCCEEDS
    return Found(effect, "draw", tried, caught)
