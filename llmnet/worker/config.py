"""What a worker is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

UNIT = 10**12


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """Prices are plancks per 1,000 tokens, amounts plancks, `keep_blocks` how long leaves outlive the settlement of their batch.

    `appeal`: whether verdicts that this worker's record contradicts are appealed; `appeal_tokens`: the longest answer, with its
    prompt, that is computed again before that; `appeal_bonds`: the most to have on hold for appeals.
    """

    store: Path
    endpoint: str
    price_in: int = UNIT // 100
    price_out: int = UNIT // 50
    bond: int | None = None
    register_spec: bool = False
    domains: tuple[int, ...] = (0,)
    capacity: int = 8
    max_queue: int = 64
    max_unpaid: int = 8
    max_body: int = 1 << 20
    max_stops: int = 4
    claim_at_least: int = 1
    keep_blocks: int = 600
    heartbeat_blocks: int = 100
    turn_seconds: float = 5.0
    appeal: bool = True
    appeal_tokens: int = 4096
    appeal_bonds: int = 10 * UNIT
