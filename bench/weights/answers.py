"""The dearest answer that can be audited: the longest transcript, the longest leaves, five references that are all looked at."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from bench.weights.cases_market import TOP_K
from llmnet import proof
from llmnet.devnode.scale import u32
from llmnet.proof import Candidate, FinishReason, Leaf, Receipt

SEED = bytes(range(32))  # of the request
TEMPERATURE = 256
POSITIONS = 16
LIE = 40  # lane steps out of every band
_TREE = b"llmnet/merkle/1"  # docs/protocol.md, section 4
N_OUT = 1 << 19  # the longest transcript of whose sixteen leaves the proof fits


def leaf(position: int, offset: int = 0) -> Leaf:
    """A leaf that agrees with itself; `offset` moves its lanes."""
    rng = random.Random(position)
    ids = rng.sample(range(150_000), TOP_K)
    candidates = tuple(Candidate(token, -100 * (rank + 1)) for rank, token in enumerate(ids))
    won = proof.sample([c.logprob for c in candidates], ids, TEMPERATURE, SEED, position)
    lanes = tuple(rng.randint(-1_000, 1_000) + offset for _ in range(proof.LANES))
    return Leaf(position, ids[won], candidates, lanes, lanes)


def leaves(positions: Sequence[int], offset: int = 0) -> list[Leaf]:
    """The leaves at some positions."""
    return [leaf(position, offset) for position in positions]


def references(found: Sequence[Leaf], members: int, liars: int = 0) -> list[list[Leaf]]:
    """What the members of a panel find: lanes that differ by one step from those of their neighbours. The first lie."""
    return [
        [
            replace(
                one,
                logit_sketch=tuple(lane + (LIE if place < liars else place % 2) for lane in one.logit_sketch),
            )
            for one in found
        ]
        for place in range(members)
    ]


def opened(n: int, indices: Sequence[int], items: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """Root and proof of a tree of `n` items of which only some are known; the other hashes are made up."""
    rng = random.Random(n)
    level = {index: _leaf(item) for index, item in zip(indices, items, strict=True)}
    path: list[bytes] = []
    width = n
    while width > 1:
        above: dict[int, bytes] = {}
        for index in sorted(level):
            if index // 2 in above:
                continue
            mate = index ^ 1
            if mate >= width:
                above[index // 2] = level[index]
                continue
            if mate not in level:
                level[mate] = rng.randbytes(32)
                path.append(level[mate])
            above[index // 2] = _node(level[min(index, mate)], level[max(index, mate)])
        level, width = above, (width + 1) // 2
    return proof.blake2b_256(_TREE + b"\2" + u32(n) + level[0]), path


def _leaf(data: bytes) -> bytes:
    return proof.blake2b_256(_TREE + b"\0" + data)


def _node(left: bytes, right: bytes) -> bytes:
    return proof.blake2b_256(_TREE + b"\1" + left + right)


def receipt(session: int, index: int, root: bytes, n_out: int = N_OUT) -> Receipt:
    """A receipt of an answer with this transcript."""
    return Receipt(
        session=session,
        index=index,
        request_hash=b"\4" * 32,
        temperature=TEMPERATURE,
        output_hash=b"\5" * 32,
        text_hash=b"\6" * 32,
        n_prompt=1_000,
        n_out=n_out,
        finish=FinishReason.LENGTH,
        transcript_root=root,
    )
