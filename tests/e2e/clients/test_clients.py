"""The ecosystem's clients against a node: connect, metadata, storage, transfer, event, blocks, restart of the node.

Each client is a program of its own, as its users write it; it checks what it sees and says so in JSON.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import HERE, NodeProcess, drive

BLOCKS = 50
SECONDS = 120
pytestmark = pytest.mark.e2e
js = [
    pytest.mark.node_js,
    pytest.mark.skipif(
        not (shutil.which("node") and shutil.which("npm")), reason="node or npm is not installed"
    ),
]


def check(told: dict[str, Any]) -> None:
    """What every client must have seen."""
    assert told["chain"] == "LLM-Net Development"
    assert told["spec"] == "llmnet"
    assert told["blocks"] == BLOCKS
    assert told["after"] > BLOCKS
    assert told["accounts"] >= 2


def test_substrate_interface(node: NodeProcess, tmp_path: Path) -> None:
    command = [sys.executable, str(HERE / "substrate_interface.py"), node.url, str(BLOCKS)]
    check(drive(command, node, tmp_path, SECONDS))


@pytest.mark.parametrize(
    "script",
    [pytest.param("polkadot_js.mjs", marks=js), pytest.param("papi.mjs", marks=js)],
)
def test_javascript(script: str, js_project: Path, node: NodeProcess) -> None:
    told = drive(["node", script, node.url, str(BLOCKS)], node, js_project, SECONDS)
    check(told)
    if "statuses" in told:
        assert told["statuses"][-1] == "Finalized"
        assert "InBlock" in told["statuses"]


def test_subxt(node: NodeProcess, tmp_path: Path) -> None:
    """Its program is built by `cargo build --locked` in subxt/ (some minutes), so it need not be there."""
    program = Path(os.environ.get("LLMNET_SUBXT", ""))
    if not program.is_file():
        pytest.skip("LLMNET_SUBXT names no built subxt client (tests/e2e/clients/subxt)")
    check(drive([str(program), node.url, str(BLOCKS)], node, tmp_path, SECONDS))
