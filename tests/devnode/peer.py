"""polkadot-sdk's own node as a child process, and a plain JSON-RPC client for it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from llmnet.devnode import Block, ChainSpec, Header, Runtime
from llmnet.devnode.scale import compact

BINARY = os.environ.get("LLMNET_POLKADOT_NODE", "")
START_SECONDS = 60.0
# The binary wants to know these of every chain, even of one that has no relay chain.
_EXTRA = {"relay_chain": "rococo-local", "para_id": 1000}


class PeerError(Exception):
    """The node did not start, or answered with an error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{code}: {message} ({data})")
        self.code = code
        self.message = message
        self.data = data


def available() -> bool:
    """Whether LLMNET_POLKADOT_NODE names a binary."""
    return Path(BINARY).is_file()


def write_spec(spec: ChainSpec, runtime: Runtime, path: Path) -> Path:
    """The raw specification as that node takes it."""
    path.write_text(json.dumps({**spec.as_json(runtime, raw=True), **_EXTRA}))
    return path


def unhex(text: str) -> bytes:
    """The bytes of 0x-prefixed hex."""
    return bytes.fromhex(text.removeprefix("0x"))


def header_of(answer: dict[str, Any]) -> Header:
    """A header as JSON-RPC answers it."""
    digest = tuple(unhex(item) for item in answer["digest"]["logs"])
    roots = unhex(answer["stateRoot"]), unhex(answer["extrinsicsRoot"])
    return Header(unhex(answer["parentHash"]), int(answer["number"], 16), *roots, digest)


class Rpc:
    """JSON-RPC over HTTP, one request after another."""

    def __init__(self, url: str, pid: int = 0) -> None:
        self.pid = pid
        self._client = httpx.Client(base_url=url, timeout=60)

    def __enter__(self) -> Rpc:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None,
                 _trace: TracebackType | None) -> None:  # fmt: skip
        self._client.close()

    def __call__(self, method: str, *params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = self._client.post("/", json=request).json()
        if "error" in answer:
            error = answer["error"]
            raise PeerError(error.get("code", 0), error.get("message", str(error)), error.get("data"))
        return answer["result"]

    def head(self) -> int:
        """The number of the best block."""
        return int(self("chain_getHeader")["number"], 16)

    def block(self, number: int) -> Block:
        """A block with its extrinsics."""
        found = self("chain_getBlock", self("chain_getBlockHash", number))["block"]
        return Block(header_of(found["header"]), tuple(unhex(item) for item in found["extrinsics"]))

    def storage(self, key: bytes, at: bytes | None = None) -> bytes | None:
        """A value at a block (None: the best)."""
        value = self("state_getStorage", "0x" + key.hex(), None if at is None else "0x" + at.hex())
        return None if value is None else unhex(value)

    def whole_state(self, block: bytes | None = None, page: int = 1000) -> dict[bytes, bytes]:
        """All keys and values at a block (None: the best)."""
        at = self("chain_getBlockHash") if block is None else "0x" + block.hex()
        state: dict[bytes, bytes] = {}
        last: str | None = None
        while keys := self("state_getKeysPaged", "0x", page, last, at):
            (changes,) = self("state_queryStorageAt", keys, at)
            state.update({unhex(key): unhex(value) for key, value in changes["changes"]})
            last = keys[-1]
        return state

    def wait_for(self, number: int, seconds: float = 20.0) -> None:
        """Waits until the best block has at least this number."""
        wait_until(lambda: self.head() >= number, seconds, f"block {number}")


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Polls; PeerError when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise PeerError(0, f"no {what} within {seconds:g} s")
        time.sleep(0.002)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def polkadot_node(spec: Path, *options: str) -> Iterator[Rpc]:
    """Runs the node on a raw specification; `options` say how it makes blocks."""
    port = free_port()
    quiet = ["--tmp", "--no-telemetry", "--no-hardware-benchmarks"]
    if "--prometheus-port" not in options:
        quiet.append("--no-prometheus")
    ports = ["--rpc-port", str(port), "--port", "0"]
    log = spec.parent / f"peer-{port}.log"
    with log.open("wb") as sink:
        command = [BINARY, "--chain", str(spec), *ports, *quiet, *options]
        process = subprocess.Popen(command, stdout=sink, stderr=sink)
        try:
            with Rpc(f"http://127.0.0.1:{port}", process.pid) as rpc:
                wait_until(
                    lambda: _answers(rpc, process, log), START_SECONDS, "answer of polkadot-sdk's node"
                )
                yield rpc
        finally:
            process.terminate()
            process.wait(timeout=20)


def _answers(rpc: Rpc, process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise PeerError(0, f"polkadot-sdk's node ended at once: {log.read_text()[-2000:]}")
    try:
        rpc("system_version")
    except httpx.TransportError:
        time.sleep(0.1)
        return False
    return True


def with_length(extrinsic: bytes) -> bytes:
    """Bytes with the length prefix of an extrinsic."""
    return compact(len(extrinsic)) + extrinsic
