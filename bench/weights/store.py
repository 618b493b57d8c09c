"""What one access of the node's own store costs: the constants that a weight counts for each key read or written."""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from llmnet.devnode import Node, NodeConfig
from llmnet.devnode.state import Changes

KEYS = 100_000
_BATCH = 500  # keys of a block
_VALUE = 80  # bytes


@dataclass(frozen=True, slots=True)
class StoreCost:
    """Nanoseconds for a key that is read from the file, and for a key that a block changes."""

    read: float
    write: float


def store_cost(wasm: Path, folder: Path, rounds: int = 10) -> StoreCost:
    """Medians over blocks of a chain with `KEYS` keys: reads after a restart, writes with root, nodes and commit."""
    rng = random.Random(1)
    keys = [rng.randbytes(32) for _ in range(KEYS)]
    node = Node.from_preset(wasm, config=NodeConfig(base_path=folder, keep_states=8))
    spec = node.spec
    node.set_storage(Changes({key: rng.randbytes(_VALUE) for key in keys}))
    writes = [_timed(node, rng.sample(keys, _BATCH), rng) for _ in range(rounds)]
    empty = [_timed(node, [], rng) for _ in range(rounds)]
    node.close()
    reads = []
    for _ in range(rounds):
        again = Node(spec, NodeConfig(base_path=folder, keep_states=8))
        state, wanted = again.chain.state, rng.sample(keys, _BATCH)
        started = time.thread_time_ns()
        for key in wanted:
            state.get(key)
        reads.append((time.thread_time_ns() - started) / _BATCH)
        again.close()
    write = (statistics.median(writes) - statistics.median(empty)) / _BATCH
    return StoreCost(statistics.median(reads), max(0.0, write))


def _timed(node: Node, keys: list[bytes], rng: random.Random) -> float:
    changes = Changes({key: rng.randbytes(_VALUE) for key in keys})
    started = time.thread_time_ns()
    node.set_storage(changes)
    return time.thread_time_ns() - started
