"""How many times faster than scalecodec: metadata, an account, the events of a block. Both in one run, taking turns.

python -m bench.client.ratios          a table
python -m bench.client.ratios --json   the same for machines
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from llmnet.chain import Runtime, RuntimeVersion, Variant, parse_metadata
from llmnet.pallets._generated import types

METADATA = Path(__file__).parents[2] / "runtime_spec" / "artifacts" / "metadata_v14.scale"
ROUNDS = 7
TRANSFERS = 50  # in the block whose events are decoded
INFO = {"weight": {"ref_time": 1, "proof_size": 1}, "class": Variant("Normal"), "pays_fee": Variant("Yes")}


@dataclass(frozen=True)
class Row:
    """Seconds a piece, the best of several rounds."""

    what: str
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours


def oracle(metadata: bytes) -> RuntimeConfigurationObject:
    """scalecodec, ready to decode the types of this metadata."""
    config = RuntimeConfigurationObject(ss58_format=42)
    config.update_type_registry(load_type_registry_preset("core"))
    parsed = config.create_scale_object("MetadataVersioned", ScaleBytes(metadata))
    parsed.decode()
    config.add_portable_registry(parsed)
    return config


def compare(what: str, ours: Callable[[], Any], theirs: Callable[[], Any], inner: int, rounds: int) -> Row:
    """`inner`: how often ours runs in a round for each time that theirs does."""
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for place, (work, times) in enumerate(((ours, inner), (theirs, max(inner // 10, 1)))):
            start = time.perf_counter()
            for _ in range(times):
                work()
            best[place] = min(best[place], (time.perf_counter() - start) / times)
    return Row(what, *best)


def measure(metadata: bytes, rounds: int = ROUNDS) -> list[Row]:
    """The rows for one runtime (metadata V14, which scalecodec reads)."""
    runtime = Runtime(parse_metadata(metadata), RuntimeVersion("bench", 1, 1, 1))
    theirs = oracle(metadata)

    def both(type_id: int, data: bytes) -> tuple[Callable[[], Any], Callable[[], Any]]:
        name = f"scale_info::{type_id}"
        return (
            lambda: runtime.codec.decode(type_id, data),
            lambda: theirs.create_scale_object(name, ScaleBytes(data)).decode(),
        )

    account, events = runtime.storage("System", "Account"), runtime.storage("System", "Events")
    records = runtime.codec.encode(events.value, block_events(runtime))
    data = account.default
    typed = runtime.bound.codec(types.TYPES)
    rows = [
        compare("metadata", lambda: parse_metadata(metadata), lambda: oracle(metadata), 1, min(rounds, 3)),
        compare("AccountInfo", *both(account.value, data), 2000, rounds),
        compare(f"events of {TRANSFERS} transfers", *both(events.value, records), 10, rounds),
    ]
    if runtime.bound.shapes.type(account.value) in types.TYPES.classes:
        _, plain = both(account.value, data)
        rows.append(
            compare(
                "AccountInfo as its class", lambda: typed.decode(account.value, data), plain, 2000, rounds
            )
        )
    return rows


def block_events(runtime: Runtime) -> list[dict[str, Any]]:
    """What a block of transfers leaves behind, as far as every runtime with balances has it."""
    records = []
    for index in range(1, TRANSFERS + 1):
        who = {"who": bytes(32), "amount": 10**9}
        moved = {"from": bytes(32), "to": b"\1" * 32, "amount": 10**12}
        for pallet, name, fields in (
            ("Balances", "Withdraw", who),
            ("Balances", "Transfer", moved),
            ("Balances", "Deposit", who),
            ("System", "ExtrinsicSuccess", {"dispatch_info": INFO}),
        ):
            event = Variant(pallet, Variant(name, fields))
            records.append({"phase": Variant("ApplyExtrinsic", index), "event": event, "topics": []})
    return records


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--metadata", type=Path, default=METADATA, help="metadata V14")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    rows = measure(options.metadata.read_bytes())
    if options.json:
        print(json.dumps([{**vars(row), "ratio": row.ratio} for row in rows], indent=2))
        return 0
    print(f"{'':24} {'ours':>12} {'scalecodec':>12} {'ratio':>8}")
    for row in rows:
        print(f"{row.what:24} {row.ours * 1e6:9.1f} us {row.theirs * 1e6:9.1f} us {row.ratio:7.1f}x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
