"""The real runtime in a node of this process, driven block by block without a network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmnet.chain import Call, Era, Event, Keypair, Runtime, RuntimeVersion, parse_metadata
from llmnet.chain.extrinsic import Signing, sign_extrinsic
from llmnet.chain.hashing import blake2_256
from llmnet.chain.runtime import SPEC_VIEW_FUNCTION
from llmnet.chain.scale import Reader
from llmnet.devnode import Node, NodeConfig
from llmnet.sim.errors import CallFailed

UNIT = 10**12  # plancks
ALICE = Keypair.from_uri("//Alice")
_ERA = 64  # blocks
_SLOT_SECONDS = 1.0
_START = 1_800_000_000.0  # the clock of a simulation is not the machine's
_V16 = (16).to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class Sent:
    """A call for the next block. `on_error` takes the name of a dispatch error; without it one is a fault."""

    call: Call
    keys: Keypair
    on_error: Callable[[str], None] | None = None


class World:
    """One chain. `post` queues calls, `step` makes the block that carries them and returns its events.

    Nothing here knows a rule of the protocol: what happens is what the runtime does.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._queue: list[Sent] = []
        self._waiting: dict[bytes, Sent] = {}
        self._nonces: dict[bytes, int] = defaultdict(int)
        version = node.version()
        self.runtime = Runtime(
            parse_metadata(_metadata(node)),
            RuntimeVersion(
                version.spec_name, version.spec_version, version.impl_version, version.transaction_version
            ),
        )
        self._events_key = self.runtime.storage_key(self.runtime.storage("System", "Events"), ())

    @property
    def node(self) -> Node:
        """The node that runs the chain, for those who author blocks themselves or send it bytes."""
        return self._node

    @property
    def block(self) -> int:
        """The number of the best block."""
        return self._node.best.number

    @property
    def genesis_hash(self) -> bytes:
        return self._node.genesis_hash

    def post(self, call: Call, keys: Keypair, on_error: Callable[[str], None] | None = None) -> None:
        """Put a signed call into the next block."""
        self._queue.append(Sent(call, keys, on_error))

    def sudo(self, call: Call) -> None:
        """Put a call of root into the next block."""
        self.post(self.runtime.call("Sudo", "sudo", {"call": call}), ALICE)

    def step(self) -> tuple[Event, ...]:
        """Make one block of what was posted; what has no room waits for the next.

        Raises CallFailed for a call that failed and had no `on_error`.
        """
        posted, self._queue = self._queue, []
        best = self._node.best
        for item in posted:
            self._waiting[self._node.submit(self._sign(item, best.number, best.hash))] = item
        block = self._node.produce_block().block
        events = self.runtime.decode_events(self._node.storage(self._events_key), block.number, block.hash)
        self._report(block.body, events)
        return events

    def _sign(self, sent: Sent, number: int, block_hash: bytes) -> bytes:
        nonce = self._nonces[sent.keys.public]
        self._nonces[sent.keys.public] += 1
        signing = Signing(self.genesis_hash, block_hash, Era.mortal(number, _ERA), nonce)
        return sign_extrinsic(self.runtime, sent.call, sent.keys, signing).data

    def _report(self, body: Sequence[bytes], events: tuple[Event, ...]) -> None:
        sent = [self._waiting.pop(blake2_256(extrinsic), None) for extrinsic in body]
        for event in events:
            index = event.extrinsic_index
            if (event.pallet, event.name) != ("System", "ExtrinsicFailed") or index is None:
                continue
            failed = sent[index]
            assert failed is not None  # inherents do not fail: the block would not stand
            error = self.runtime.dispatch_error(event.fields["dispatch_error"])
            if failed.on_error is None:
                raise CallFailed(failed.call, error)
            failed.on_error(error.name)

    def view(self, pallet: str, name: str, **args: Any) -> Any:
        """A view function on the best block, as plain values."""
        function = self.runtime.view_function(pallet, name)
        raw = self._node.call(SPEC_VIEW_FUNCTION, self.runtime.encode_view_call(function, args))
        return self.runtime.decode_view_result(function, raw)

    def query(self, pallet: str, item: str, *keys: Any) -> Any:
        """A storage value of the best block, or the runtime's default."""
        entry = self.runtime.storage(pallet, item)
        return self.runtime.storage_value(entry, self._node.storage(self.runtime.storage_key(entry, keys)))

    def constant(self, pallet: str, name: str) -> Any:
        return self.runtime.constant(pallet, name)

    def wealth(self, account: bytes) -> int:
        """All that an account owns, in plancks, holds of every pallet included."""
        data = self.query("System", "Account", account)["data"]
        return int(data["free"] + data["reserved"])

    def issuance(self) -> int:
        """Plancks in existence."""
        return int(self.query("Balances", "TotalIssuance"))


def _metadata(node: Node) -> bytes:
    """Metadata V16: an option of a length-prefixed blob."""
    raw = node.call("Metadata_metadata_at_version", _V16)
    if raw[:1] != b"\1":
        raise ValueError("the runtime has no metadata of version 16")
    return Reader(raw[1:]).bytes()


class _Clock:
    """A slot later whenever it is read, however fast the blocks are made."""

    def __init__(self) -> None:
        self._now = _START

    def __call__(self) -> float:
        self._now += _SLOT_SECONDS
        return self._now


@contextmanager
def fresh_world(wasm: Path, cache_dir: Path | None = None) -> Iterator[World]:
    """A chain at its genesis; nothing of it is kept."""
    config = NodeConfig(wall_clock=_Clock(), keep_states=8, block_seconds=600.0)
    if cache_dir is not None:
        config = NodeConfig(wall_clock=_Clock(), keep_states=8, block_seconds=600.0, cache_dir=cache_dir)
    node = Node.from_preset(wasm, config=config)
    try:
        yield World(node)
    finally:
        node.close()
