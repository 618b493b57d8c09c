"""Where attacks are run: which runtime, how often, with which recordings of honest workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llmnet.redteam.protocol.room import Room
from llmnet.sim import fresh_world
from llmnet.verifier.calibrate import Observed, load


def observed_in(folder: Path, kind: str) -> tuple[Observed, ...]:
    """The packed answers of a kind, "honest" or "again", class by class. Raises what `load` raises."""
    return tuple(load(path) for path in sorted(folder.glob(f"{kind}-*.jsonl.xz")))


@dataclass(frozen=True, slots=True)
class Setting:
    """`scale` multiplies how often each attack is tried: 1 is for tests. `honest`: what was seen of honest
    workers, class by class, for the family `noise`; `again`: what they answered when the same was asked again."""

    wasm: Path
    cache_dir: Path | None = None
    seed: int = 1
    scale: int = 1
    honest: tuple[Observed, ...] = ()
    again: tuple[Observed, ...] = ()

    @contextmanager
    def room(self, validators: int = 6) -> Iterator[Room]:
        """A fresh chain with a model, everything audited, and so many honest validators."""
        with fresh_world(self.wasm, self.cache_dir) as world:
            yield Room(world, validators, self.seed)
