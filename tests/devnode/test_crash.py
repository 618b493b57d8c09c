"""A node that is killed at any moment loses no final block and no part of a kept state.

LLMNET_CRASH_KILLS is the number of kills (100 for the proof that `docs/devnode.md` reports).
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmnet.devnode import ChainSpec, Node, Runtime
from llmnet.devnode.database import Database
from llmnet.devnode.node import database_path
from llmnet.devnode.state import CHILD_STORAGE_PREFIX, Changes, State
from llmnet.devnode.trie import trie_root

from .support import Signer

KILLS = int(os.environ.get("LLMNET_CRASH_KILLS", "3"))
ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


@pytest.fixture(scope="module")
def files(
    spec: ChainSpec, cache_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Path]:
    """A raw specification, signed transfers enough for all kills, and the cache of compiled modules."""
    folder = tmp_path_factory.mktemp("crash")
    raw = spec.as_json(Runtime(spec.code, cache_dir=cache_dir), raw=True)
    (folder / "spec.json").write_text(json.dumps(raw))
    node = Node(spec)
    signer = Signer(node)
    transfers = [signer.transfer("//Alice", "//Bob", 10**9 + n, n).hex() for n in range(100 + 120 * KILLS)]
    node.close()
    (folder / "transfers").write_text("\n".join(transfers))
    return folder / "spec.json", folder / "transfers", cache_dir


def run_until_killed(
    base: Path, keep: str, files: tuple[Path, Path, Path], delay: float | None
) -> dict[int, str]:
    """Starts the child and kills it `delay` seconds after its first block (None: somewhere in its start).

    Returns the blocks that it called final.
    """
    spec, transfers, cache = files
    command = [sys.executable, "-m", "tests.devnode.crash_child", spec, base, keep, transfers, cache]
    child = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert child.stdout is not None
    try:
        if delay is None:
            time.sleep(random.uniform(0.2, 1.5))
        else:
            ready, _, _ = select.select([child.stdout], [], [], START_SECONDS)
            assert ready, "the child made no block"
            time.sleep(delay)
    finally:
        child.send_signal(signal.SIGKILL)
        said, complaint = child.communicate()
    assert child.returncode == -signal.SIGKILL, complaint.decode()
    lines = said.decode().split("\n")[:-1]  # what is behind the last line end was cut off
    return {int(line.split()[0]): line.split()[1] for line in lines}


def check(path: Path, keep: str, final: dict[int, str]) -> int:
    """Opens what the kill left; returns the number of the best block."""
    database = Database(path, None if keep == "archive" else int(keep))
    try:
        best = database.best()
        if best is None:
            assert not final
            return 0
        for number, block_hash in final.items():
            block = database.block(number)
            assert block is not None, f"final block {number} is lost"
            assert block.hash.hex() == block_hash
        assert root_from_scratch(database.state(best.number)) == best.header.state_root
        database.check_integrity()
        return best.number
    finally:
        database.close()


def root_from_scratch(state: State) -> bytes:
    """The root of a trie made of the entries alone, child tries included."""
    top = {key: value for key, value in state.items() if not key.startswith(CHILD_STORAGE_PREFIX)}
    children = {name: dict(state.items(child=name)) for name in state.child_keys()}
    made = State().apply(Changes(top, children), 1).root()
    if not children:
        assert made == trie_root(top.items(), 1)
    return made


@pytest.mark.parametrize("keep", ["4", "archive"])
def test_no_kill_loses_anything(
    spec: ChainSpec, files: tuple[Path, Path, Path], tmp_path: Path, keep: str
) -> None:
    final: dict[int, str] = {}
    best = 0
    kills = (KILLS + (keep == "4")) // 2
    for kill in range(kills):
        base, early = tmp_path, kill % 10 == 9
        if early:  # killed while the file is made
            base = tmp_path / f"new{kill}"
            check_new = run_until_killed(base, keep, files, None)
            if database_path(base, spec.id).exists():
                check(database_path(base, spec.id), keep, check_new)
            continue
        final |= run_until_killed(base, keep, files, random.uniform(0, 0.4))
        best = check(database_path(base, spec.id), keep, final)
    assert best > 0
    sys.stderr.write(f"\nkeep={keep}: {kills} kills, {len(final)} final blocks, best {best}, nothing lost\n")


def test_the_check_notices_a_lost_block_and_a_damaged_state(
    spec: ChainSpec, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    final = run_until_killed(tmp_path, "4", files, 0.1)
    path = database_path(tmp_path, spec.id)
    best = check(path, "4", final)
    with pytest.raises(AssertionError, match="is lost"):
        check(path, "4", {**final, best + 1: "00" * 32})
    database = Database(path, 4)
    database._db.execute(
        "UPDATE node SET data = zeroblob(length(data)) WHERE id = (SELECT max(id) FROM node)"
    )
    database.close()
    with pytest.raises(Exception, match="damaged"):
        check(path, "4", final)
