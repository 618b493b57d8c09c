"""Counters of the RPC server and gauges of the node, in the text format that Prometheus reads.

Names are those of polkadot-sdk's nodes where they have the same meaning, so their dashboards work.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmnet.devnode.block import Block
    from llmnet.devnode.service import NodeService

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_Sample = tuple[dict[str, str], float]


class Metrics:
    """What has been counted since the start."""

    def __init__(self) -> None:
        self.started = time.time()
        self.calls: Counter[tuple[str, bool]] = Counter()
        self.call_seconds: dict[str, float] = {}
        self.opened = self.closed = self.cut_off = 0
        self.blocks = self.extrinsics = 0

    def on_call(self, method: str, seconds: float, *, failed: bool) -> None:
        """Counts an answered call; unknown methods should be counted under one name."""
        self.calls[method, failed] += 1
        self.call_seconds[method] = self.call_seconds.get(method, 0.0) + seconds

    def on_block(self, block: Block) -> None:
        """Counts a new best block."""
        self.blocks += 1
        self.extrinsics += len(block.body)

    def render(self, service: NodeService, backlog_bytes: int) -> str:
        """All metrics as text."""
        node = service.node
        heights: list[_Sample] = [
            ({"status": "best"}, node.best.number),
            ({"status": "finalized"}, node.finalized.number),
        ]
        calls: list[_Sample] = [
            ({"method": method, "is_error": str(failed).lower()}, count)
            for (method, failed), count in sorted(self.calls.items())
        ]
        seconds: list[_Sample] = [
            ({"method": name}, spent) for name, spent in sorted(self.call_seconds.items())
        ]
        pool = node.pool
        parts = [
            _family("substrate_block_height", "gauge", "Height of the best and the finalized block", heights),
            _single("substrate_ready_transactions_number", "gauge", "Transactions ready for a block", pool.ready_count),
            _single("llmnet_future_transactions_number", "gauge", "Transactions that wait for others", len(pool) - pool.ready_count),
            _single("llmnet_blocks_produced_total", "counter", "Blocks made since the start", self.blocks),
            _single("llmnet_extrinsics_included_total", "counter", "Extrinsics in those blocks, inherents included", self.extrinsics),
            _family("substrate_rpc_calls_finished", "counter", "Answered RPC calls", calls),
            _family("llmnet_rpc_call_seconds_total", "counter", "Time spent on them", seconds),
            _single("substrate_rpc_sessions_opened", "counter", "WebSocket connections opened", self.opened),
            _single("substrate_rpc_sessions_closed", "counter", "WebSocket connections closed", self.closed),
            _single("llmnet_rpc_sessions_cut_off_total", "counter", "Clients let go because they did not read", self.cut_off),
            _single("llmnet_rpc_backlog_bytes", "gauge", "Bytes that wait for clients to read them", backlog_bytes),
            _single("substrate_process_start_time_seconds", "gauge", "When the node was started", self.started),
        ]  # fmt: skip
        return "".join(line + "\n" for part in parts for line in part)


def _single(name: str, kind: str, text: str, value: float) -> Iterator[str]:
    return _family(name, kind, text, [({}, value)])


def _family(name: str, kind: str, text: str, samples: Iterable[_Sample]) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        shown = ",".join(f'{key}="{_escape(label)}"' for key, label in labels.items())
        yield f"{name}{{{shown}}} {value:.17g}" if shown else f"{name} {value:.17g}"


def _escape(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
