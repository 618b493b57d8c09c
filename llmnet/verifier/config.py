"""What a validator is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ValidatorConfig:
    """`bond` in plancks.

    `max_fetches`: how many of one worker's answers are asked for at a time. `report_before`: how many blocks before the
    deadline a worker that cannot be reached is given up and reported; the report has to reach the chain.
    `keep_blocks`: how long findings outlive their deadline. `looks`: at how many positions beside the drawn ones it looks for
    something to challenge; 0 for none.
    """

    store: Path
    bond: int | None = None
    beacon: bool = True
    max_fetches: int = 4
    report_before: int = 6
    keep_blocks: int = 600
    looks: int = 256
    provider: str = "CPUExecutionProvider"
    threads: int = 1
