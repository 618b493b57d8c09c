from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
START_SECONDS = 30
POLKADOT_NODE = os.environ.get("LLMNET_POLKADOT_NODE", "")
needs_polkadot_node = pytest.mark.skipif(
    not Path(POLKADOT_NODE).is_file(), reason="LLMNET_POLKADOT_NODE names no polkadot-sdk node"
)
_LOCKED = ("package.json", "package-lock.json")


def cache_folder() -> Path:
    """What may be kept between checkouts: packages of other ecosystems, by the hash of their lock file."""
    base = os.environ.get("LLMNET_CACHE_DIR")
    return Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmnet"


class NodeProcess:
    """A development node in its own process, on one port over all its lives, with its chain in a file."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "llmnet.cli.node", "--dev", "--json", *options]
        self._command += ["--port", str(self.port), "--base-path", str(folder)]
        self._said, self._errors = folder / "said", folder / "errors"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it serves."""
        with self._said.open("wb") as said, self._errors.open("ab") as errors:
            self._process = subprocess.Popen(
                self._command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=said, stderr=errors
            )
        end = time.monotonic() + START_SECONDS
        while b"\n" not in self._said.read_bytes():
            assert self._process.poll() is None, self.complaints()
            assert time.monotonic() < end, "the node does not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends it in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    def restart(self) -> None:
        """Ends it and starts it again."""
        self.stop()
        self.start()

    def complaints(self) -> str:
        """What it wrote to standard error."""
        return self._errors.read_text()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeProcess]:
    """A node that checks each block by executing it again, twenty blocks a second, final one block later."""
    process = NodeProcess(tmp_path, "--self-check", "--block-time", "0.05", "--finality-lag", "1")
    process.start()
    try:
        yield process
    finally:
        process.stop()
    assert process.complaints() == ""


@pytest.fixture(scope="session")
def js_project() -> Path:
    """The locked packages, installed once outside of the checkout, with the scripts beside them."""
    key = hashlib.blake2b(b"".join((HERE / name).read_bytes() for name in _LOCKED), digest_size=8).hexdigest()
    folder = cache_folder() / "js-clients" / key
    done = folder / "installed"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in _LOCKED:
            shutil.copy(HERE / name, folder)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=folder, check=True, timeout=240)
        done.touch()
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder


def drive(command: Sequence[str], node: NodeProcess, folder: Path, seconds: float) -> dict[str, Any]:
    """Runs a client that says when the node is to be restarted; returns its last line. Its faults fail the test."""
    told: dict[str, Any] = {}
    with (folder / "client-errors").open("w+") as errors:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True)
        with process:
            limit = threading.Timer(seconds, process.kill)
            limit.start()
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    told = json.loads(line)
                    if told["step"] == "restart":
                        node.restart()
                process.wait()
            finally:
                limit.cancel()
                process.kill()
        errors.seek(0)
        assert (process.returncode, told.get("step")) == (0, "done"), errors.read()
    return told


@pytest.fixture(scope="session")
def polkadot_spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our raw specification, with the two entries that this node wants even for a solo chain."""
    command = [sys.executable, "-m", "llmnet.cli.node", "export-chain-spec", "--dev", "--raw"]
    exported = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    path = tmp_path_factory.mktemp("spec") / "spec.json"
    path.write_text(json.dumps({**exported, "relay_chain": "rococo-local", "para_id": 1000}))
    return path


@pytest.fixture(scope="session")
def polkadot_url(polkadot_spec: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--dev-block-time", "500", "--tmp", "--rpc-port", str(port), "--port", "0"]
    quiet = ["--no-telemetry", "--no-prometheus", "--no-hardware-benchmarks"]
    log = polkadot_spec.parent / "node.log"
    with log.open("wb") as sink:
        node = subprocess.Popen(
            [POLKADOT_NODE, "--chain", str(polkadot_spec), *options, *quiet], stdout=sink, stderr=sink
        )
        try:
            yield f"ws://127.0.0.1:{port}"
        finally:
            node.terminate()
            node.wait(timeout=20)
