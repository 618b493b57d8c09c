"""polkadot-js connects, reads an account, transfers and sees its event (`transfer.mjs`)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.node_js,
    pytest.mark.skipif(
        not (shutil.which("node") and shutil.which("npm")), reason="node or npm is not installed"
    ),
]


@pytest.fixture(scope="module")
def project() -> Path:
    """The locked packages, installed once outside of the checkout."""
    key = hashlib.blake2b(b"".join((HERE / name).read_bytes() for name in FILES), digest_size=8).hexdigest()
    cache = (
        os.environ.get("LLMNET_CACHE_DIR")
        or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmnet"
    )
    folder = Path(cache) / "js-clients" / key
    done = folder / "installed"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copy(HERE / name, folder)
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True, timeout=240
        )
        done.touch()
    shutil.copy(HERE / "transfer.mjs", folder)
    return folder


def test_polkadot_js_transfers_and_sees_its_event(project: Path, node_url: str) -> None:
    done = subprocess.run(
        ["node", "transfer.mjs", node_url],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["statuses"][-1] == "Finalized"
    assert "InBlock" in told["statuses"]
    assert told["heads"] >= 1
