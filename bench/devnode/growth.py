"""How the embedded node's times and memory grow: transfers a block, keys in the state, blocks kept.

python -m bench.devnode.growth --json bench/results/devnode-growth.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmnet.devnode import ChainSpec, Node, NodeConfig, Runtime, read_code
from llmnet.devnode.executor import default_cache_dir
from llmnet.devnode.hashing import blake2_128, twox_128
from llmnet.devnode.scale import u32
from llmnet.devnode.state import Changes
from tests.devnode.support import artifact

from .process import machine, settled_resident_bytes, timed
from .runners import UNIT, Ours, ours

_ACCOUNTS = twox_128(b"System") + twox_128(b"Account")
TRANSFERS = (0, 1, 10, 50, 100, 200, 500)
KEYS = (1_000, 10_000, 100_000)
KEPT = (0, 1_000, 2_000, 5_000, 10_000)


def account_key(number: int) -> bytes:
    """Where the account of a made-up id lies."""
    account = hashlib.blake2b(u32(number), digest_size=32).digest()
    return _ACCOUNTS + blake2_128(account) + account


def with_accounts(spec: ChainSpec, runtime: Runtime, count: int) -> ChainSpec:
    """The chain with so many more accounts in its genesis."""
    storage = spec.storage(runtime)
    # Nonce, consumers, providers, sufficients, then free, reserved, frozen, flags.
    account = (
        u32(0) + u32(0) + u32(1) + u32(0) + UNIT.to_bytes(16, "little") + bytes(32) + bytes(15) + b"\x80"
    )
    more = {account_key(number): account for number in range(count)}
    return replace(spec, raw=Changes({**storage.top, **more}, storage.children))


def by_transfers(spec: ChainSpec, folder: Path) -> list[dict[str, Any]]:
    """The time of a block by the number of its transfers."""
    rows = []
    with ours(spec, folder / "transfers") as runner:
        runner.block(10)
        for count in TRANSFERS:
            seconds = min(runner.block(count) for _ in range(5))
            rows.append({"transfers": count, "block_ms": 1e3 * seconds})
    return rows


def by_keys(spec: ChainSpec, runtime: Runtime, folder: Path) -> list[dict[str, Any]]:
    """Block and root times, file size and opening time by the number of keys in the state."""
    rows = []
    for count in KEYS:
        large = with_accounts(spec, runtime, count)
        base = folder / f"keys-{count}"
        started = timed(lambda large=large, base=base: Node(large, NodeConfig(base_path=base)).close())
        with ours(large, base) as runner:
            runner.block(1)
            empty = min(runner.block(0) for _ in range(5))
            full = min(runner.block(100) for _ in range(3))
            state = runner.node.chain.state
            changes = {account_key(7 * number % count): bytes(79) + b"\x80" for number in range(100)}
            root = min(
                timed(lambda state=state, changes=changes: state.apply(Changes(changes), 1).root())
                for _ in range(5)
            )
        opened = timed(lambda large=large, base=base: Node(large, NodeConfig(base_path=base)).close())
        rows.append(
            {
                "keys": count,
                "genesis_s": started,
                "open_s": opened,
                "empty_ms": 1e3 * empty,
                "hundred_transfers_ms": 1e3 * full,
                "root_of_100_changes_ms": 1e3 * root,
                "file_mb": sum(path.stat().st_size for path in base.iterdir()) / 1e6,
            }
        )
    return rows


def by_blocks_kept(spec: ChainSpec, folder: Path) -> list[dict[str, Any]]:
    """Memory and file size with the states of so many blocks kept, one transfer in each."""
    rows = []
    base = folder / "kept"
    with ours(spec, base, keep=KEPT[-1]) as runner:
        for count in KEPT:
            _advance(runner, count)
            blocks = [runner.block(1) for _ in range(5)]
            rows.append(
                {
                    "blocks": count,
                    "memory_mb": settled_resident_bytes() / 1e6,
                    "file_mb": sum(path.stat().st_size for path in base.iterdir()) / 1e6,
                    "block_ms": 1e3 * min(blocks),
                }
            )
    return rows


def _advance(runner: Ours, number: int) -> None:
    while runner.node.best.number < number:
        runner.block(1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the report here as well")
    options = parser.parse_args()
    code = read_code(artifact())
    runtime = Runtime(code, cache_dir=default_cache_dir())
    spec = ChainSpec.from_preset(code, runtime)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report = {
            "machine": machine(),
            "by_blocks_kept": by_blocks_kept(spec, folder),
            "by_transfers": by_transfers(spec, folder),
            "by_keys": by_keys(spec, runtime, folder),
        }
    for title in ("by_transfers", "by_keys", "by_blocks_kept"):
        sys.stdout.write(title.replace("_", " ") + "\n")
        for row in report[title]:
            sys.stdout.write("  " + "  ".join(f"{key} {value:.4g}" for key, value in row.items()) + "\n")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
