"""The three nodes behind one face: make an empty block, make a block of so many transfers, say how long it took.

What is timed is the making of a block from transactions that are ready: initialise, inherents, extrinsics,
finalise. Ours is timed from outside and includes storing the block in its file and telling the pool;
polkadot-sdk's node is believed what its own metric says, which leaves both out; of chopsticks it is the time
of the request `dev_newBlock`, which validates the transactions as well.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import httpx

from llmnet.devnode import ChainSpec, Node, NodeConfig, Runtime
from llmnet.devnode.executor import default_cache_dir
from tests.devnode.peer import Rpc, free_port, polkadot_node, wait_until, write_spec
from tests.devnode.raw_signer import RawSigner

from .process import resident_bytes, running

UNIT = 10**12
# A chain forked by chopsticks has no real genesis block; this is what it puts in its place.
_CHOPSTICKS_GENESIS = b"\x45" * 32
# The node counts how long each of its tasks runs; this one makes a block.
_METRIC = "substrate_tasks_polling_duration"
_TASK = 'task_name="basic-authorship-proposer"'


class Runner(Protocol):
    """A node under measurement."""

    name: str

    def block(self, transfers: int) -> float:
        """Makes one block with so many transfers of one account; returns the seconds it took."""
        ...

    def memory(self) -> int:
        """Bytes in RAM."""
        ...


class Transfers:
    """Signed transfers from Alice to Bob with consecutive nonces."""

    def __init__(self, signer: RawSigner) -> None:
        self._signer = signer
        self._nonce = 0

    def take(self, count: int) -> list[bytes]:
        """The next ones."""
        first, self._nonce = self._nonce, self._nonce + count
        return [self._signer.transfer("//Alice", "//Bob", UNIT, nonce) for nonce in range(first, self._nonce)]


class Ours:
    """The embedded node, in this process, with its state in a file."""

    def __init__(self, node: Node, name: str = "llmnet.devnode") -> None:
        self.name = name
        self.node = node
        self.transfers = Transfers(RawSigner(node))
        self.submit_seconds = 0.0

    def block(self, transfers: int) -> float:
        extrinsics = self.transfers.take(transfers)
        started = time.perf_counter()
        for extrinsic in extrinsics:
            self.node.submit(extrinsic)
        self.submit_seconds = time.perf_counter() - started
        produced = self.node.produce_block()
        _expect(len(produced.results), transfers)
        return produced.seconds

    def memory(self) -> int:
        return resident_bytes()


class Polkadot:
    """polkadot-sdk's omni-node, a block every `period` seconds."""

    name = "polkadot-sdk"
    period = 1.5

    def __init__(self, rpc: Rpc, metrics: str, pid: int, transfers: Transfers) -> None:
        self._rpc = rpc
        self._metrics = metrics
        self._pid = pid
        self._transfers = transfers

    def _constructed(self) -> tuple[float, int]:
        """Seconds spent on making blocks so far, and their number."""
        found = {
            line.split("{")[0]: float(line.rsplit(" ", 1)[1])
            for line in httpx.get(self._metrics).text.splitlines()
            if line.startswith(_METRIC) and _TASK in line
        }
        return found.get(_METRIC + "_sum", 0.0), int(found.get(_METRIC + "_count", 0))

    def block(self, transfers: int) -> float:
        extrinsics = self._transfers.take(transfers)
        head = self._rpc.head()
        self._rpc.wait_for(head + 1)  # a whole period lies ahead
        before = self._constructed()
        for extrinsic in extrinsics:
            self._rpc("author_submitExtrinsic", "0x" + extrinsic.hex())
        self._rpc.wait_for(head + 2)
        wait_until(lambda: self._constructed()[1] > before[1], 5, "metric of the block")
        after = self._constructed()
        _expect(after[1] - before[1], 1)
        _expect(len(self._rpc.block(head + 2).body) - 1, transfers)
        return after[0] - before[0]

    def memory(self) -> int:
        return resident_bytes(self._pid)


class Chopsticks:
    """chopsticks, a block on demand."""

    name = "chopsticks"

    def __init__(self, rpc: Rpc, pid: int, transfers: Transfers) -> None:
        self._rpc = rpc
        self._pid = pid
        self._transfers = transfers

    def block(self, transfers: int) -> float:
        data = ["0x" + extrinsic.hex() for extrinsic in self._transfers.take(transfers)]
        started = time.perf_counter()
        self._rpc("dev_newBlock", {"count": 1, **({"transactions": data} if data else {})})
        seconds = time.perf_counter() - started
        _expect(len(self._rpc("chain_getBlock")["block"]["extrinsics"]) - 1, transfers)
        return seconds

    def memory(self) -> int:
        return resident_bytes(self._pid)


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise AssertionError(f"the block holds {found} transfers, {wanted} were sent")


@contextmanager
def ours(spec: ChainSpec, folder: Path, *, self_check: bool = False, keep: int = 256) -> Iterator[Ours]:
    """The embedded node on a fresh file."""
    config = NodeConfig(base_path=folder, self_check=self_check, block_seconds=60.0, keep_states=keep)
    node = Node(spec, config)
    try:
        yield Ours(node, "llmnet.devnode, blocks executed twice" if self_check else "llmnet.devnode")
    finally:
        node.close()


@contextmanager
def polkadot(spec: ChainSpec, folder: Path) -> Iterator[Polkadot]:
    """polkadot-sdk's node; LLMNET_POLKADOT_NODE names it."""
    runtime = Runtime(spec.code, cache_dir=default_cache_dir())
    path = write_spec(spec, runtime, folder / "polkadot.json")
    port = free_port()
    options = ["--dev-block-time", str(int(1000 * Polkadot.period)), "--prometheus-port", str(port)]
    with polkadot_node(path, *options) as rpc, ours(spec, folder / "signer") as signer:
        transfers = Transfers(RawSigner(signer.node))
        rpc.wait_for(1)
        yield Polkadot(rpc, f"http://127.0.0.1:{port}/metrics", rpc.pid, transfers)


@contextmanager
def chopsticks(spec: ChainSpec, folder: Path, package: Path) -> Iterator[Chopsticks]:
    """chopsticks from an npm folder in which it is installed."""
    raw = write_spec(spec, Runtime(spec.code, cache_dir=default_cache_dir()), folder / "chopsticks.json")
    port = free_port()
    config = folder / "chopsticks.yml"
    config.write_text(f"genesis: {raw}\nport: {port}\nbuild-block-mode: Manual\n")
    script = package / "node_modules" / "@acala-network" / "chopsticks" / "chopsticks.cjs"
    command = ["node", str(script), "--config", str(config)]
    with running(command, folder / "chopsticks.log") as process, Rpc(f"http://127.0.0.1:{port}") as rpc:
        wait_until(lambda: _answers(rpc), 60, "answer of chopsticks")
        with ours(spec, folder / "signer-of-chopsticks") as signer:
            keys = RawSigner(signer.node, genesis=_CHOPSTICKS_GENESIS)
            yield Chopsticks(rpc, process.pid, Transfers(keys))


def _answers(rpc: Rpc) -> bool:
    try:
        rpc("system_chain")
    except httpx.TransportError:
        time.sleep(0.2)
        return False
    return True
