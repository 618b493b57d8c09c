"""Where a daemon was in the chain, in a file: what was processed is not processed again after a restart."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from llmnet.chain.errors import CursorMismatch
from llmnet.chain.results import Cursor


@dataclass(frozen=True, slots=True)
class CursorFile:
    """Pass it as `after=` of `client.blocks` or `client.events`: reading begins behind it, and it moves on when the next
    block is asked for, that is, when a block has been processed.

    A crash in the middle of a block means that this block comes again: at least once, never less. Finalised blocks only."""

    path: Path

    def load(self, genesis_hash: bytes) -> Cursor | None:
        """None if there is none yet. Raises CursorMismatch for a file of another chain or a damaged one, OSError."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            found = json.loads(text)
            genesis, number, block = (
                bytes.fromhex(found["genesis"]),
                found["number"],
                bytes.fromhex(found["hash"]),
            )
            well_formed = isinstance(number, int) and number >= 0 and len(block) == 32
        except (ValueError, KeyError, TypeError, RecursionError):
            well_formed = False
        if not well_formed:
            raise CursorMismatch(f"{self.path} is damaged: remove it to begin anew")
        if genesis != genesis_hash:
            raise CursorMismatch(f"{self.path} belongs to the chain with genesis 0x{genesis.hex()}")
        return Cursor(number, block)

    def save(self, genesis_hash: bytes, cursor: Cursor) -> None:
        """Whole or not at all, and on the disk when this returns. Raises OSError."""
        text = json.dumps({"genesis": genesis_hash.hex(), "number": cursor.number, "hash": cursor.hash.hex()})
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)
