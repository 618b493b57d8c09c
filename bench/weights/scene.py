"""A state to measure in: genesis, whatever a case writes into it, and a block that has begun."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from llmnet.chain import Call, Keypair, Runtime, RuntimeVersion, Variant, parse_metadata
from llmnet.chain.extrinsic import Signing, sign_extrinsic
from llmnet.chain.scale import Reader
from llmnet.devnode import Node
from llmnet.devnode.author import next_timestamp
from llmnet.devnode.block import ZERO_HASH, Header, pre_runtime, read_extrinsic
from llmnet.devnode.executor import Runtime as Executor
from llmnet.devnode.overlay import Overlay
from llmnet.devnode.scale import Reader as BlockReader
from llmnet.devnode.scale import compact, u64, vec
from llmnet.devnode.state import Changes, State

UNIT = 10**12  # plancks
FUNDS = 1_000_000 * UNIT
NUMBER = 20_000  # of the block that is built: in the first phase of a round, behind most periods
CROWD = 1_000  # entries in every map beside a case's own
_WALKED = {("System", "BlockHash"), ("Registry", "Domains")}  # maps of which the runtime knows every entry
_NEW_LOGIC = 1 << 127  # balances' flag of accounts


class Stage:
    """The runtime and a crowded state that every scene begins with. `node` is at its genesis."""

    def __init__(self, node: Node) -> None:
        self.genesis_hash = node.genesis_hash
        state = node.chain.state
        self.executor: Executor = node._runtime(state)[0]
        version = node.version()
        self.state_version = version.state_version
        raw = node.call("Metadata_metadata_at_version", (16).to_bytes(4, "little"))
        self.runtime = Runtime(
            parse_metadata(Reader(raw[1:]).bytes()),
            RuntimeVersion(
                version.spec_name, version.spec_version, version.impl_version, version.transaction_version
            ),
        )
        self.slot = int.from_bytes(node.call("AuraApi_slot_duration"), "little")
        self.state = state.apply(Changes(dict(self._crowd())), self.state_version)

    def _crowd(self) -> Iterator[tuple[bytes, bytes]]:
        """Other entries of every map, so that tries are as deep as on a chain in use. No case walks over them."""
        rng = random.Random(0)
        for pallet in self.runtime.metadata.pallets:
            for name, entry in self.runtime.metadata.pallet(pallet).storage.items():
                if entry.keys and (pallet, name) not in _WALKED:
                    prefix = self.runtime.storage_key(entry, ())
                    for _ in range(CROWD):
                        yield prefix + rng.randbytes(40), rng.randbytes(64)

    def constant(self, pallet: str, name: str) -> Any:
        """A constant of the runtime."""
        return self.runtime.constant(pallet, name)


class Scene:
    """What a case adds to the crowded state. Amounts in plancks."""

    def __init__(self, stage: Stage, number: int = NUMBER) -> None:
        self.stage, self.number = stage, number
        self._changes: dict[bytes, bytes | None] = {}
        self.put("System", "Number", (), number - 1)
        self.put("System", "BlockHash", (0,), stage.genesis_hash)  # which the first block writes
        self.put("Sessions", "AgendaAt", (), number + 1)
        self.put("SpotChecks", "AgendaCursor", (), number + 1)
        self.put("Sessions", "SeedRound", (), self.round)
        self.put("SpotChecks", "DrawRound", (), self.round)

    @property
    def round(self) -> int:
        """The beacon round of the block."""
        blocks = self.stage.constant("Beacon", "CommitBlocks") + self.stage.constant("Beacon", "RevealBlocks")
        return self.number // int(blocks)

    @property
    def epoch(self) -> int:
        """The epoch of the block."""
        return int(self.number // self.stage.constant("SpotChecks", "EpochLength"))

    def put(self, pallet: str, item: str, keys: tuple[Any, ...], value: Any) -> None:
        """Write a storage value."""
        runtime = self.stage.runtime
        entry = runtime.storage(pallet, item)
        self._changes[runtime.storage_key(entry, keys)] = runtime.codec.encode(entry.value, value)

    def read(self, key: bytes) -> bytes | None:
        """What was written to a key."""
        return self._changes[key]

    def account(self, who: bytes, holds: Mapping[tuple[str, str], int] | None = None) -> None:
        """An account with `FUNDS` beside what is on hold, by pallet and reason."""
        holds = holds or {}
        held = sum(holds.values())
        data = {"free": FUNDS, "reserved": held, "frozen": 0, "flags": _NEW_LOGIC}
        counts = {"nonce": 0, "consumers": 1 if held else 0, "providers": 1, "sufficients": 0}
        self.put("System", "Account", (who,), {**counts, "data": data})
        if held:
            ids = [
                {"id": Variant(pallet, Variant(reason)), "amount": amount}
                for (pallet, reason), amount in holds.items()
            ]
            self.put("Balances", "Holds", (who,), ids)

    def begun(self) -> State:
        """The state when the block has begun and its inherents are applied."""
        stage = self.stage
        state = stage.state.apply(Changes(self._changes), stage.state_version)
        timestamp = next_timestamp(state, 1_800_000_000_000, stage.slot)
        digest = (pre_runtime(b"aura", u64(timestamp // stage.slot)),)
        overlay = Overlay(state)
        header = Header(stage.genesis_hash, self.number, ZERO_HASH, ZERO_HASH, digest)
        stage.executor.call("Core_initialize_block", header.encode(), overlay)
        data = [(b"timstap0", u64(timestamp)), (b"auraslot", u64(timestamp // stage.slot))]
        encoded = compact(len(data)) + b"".join(name + vec(value) for name, value in data)
        reader = BlockReader(stage.executor.call("BlockBuilder_inherent_extrinsics", encoded, Overlay(state)))
        for _ in range(reader.count(1)):
            stage.executor.call("BlockBuilder_apply_extrinsic", read_extrinsic(reader), overlay)
        sealed = overlay.sealed(stage.state_version)
        assert isinstance(sealed, State)
        return sealed

    def unbegun(self) -> tuple[State, bytes]:
        """The state before the block and the argument that begins it."""
        stage = self.stage
        state = stage.state.apply(Changes(self._changes), stage.state_version)
        timestamp = next_timestamp(state, 1_800_000_000_000, stage.slot)
        digest = (pre_runtime(b"aura", u64(timestamp // stage.slot)),)
        return state, Header(stage.genesis_hash, self.number, ZERO_HASH, ZERO_HASH, digest).encode()

    def signed(self, call: Call, keys: Keypair, nonce: int = 0) -> bytes:
        """A transaction for the block."""
        genesis = self.stage.genesis_hash
        signing = Signing(genesis, genesis, None, nonce)
        return sign_extrinsic(self.stage.runtime, call, keys, signing).data


class Cast:
    """Key pairs by name, made once."""

    def __init__(self) -> None:
        self._made: dict[str, Keypair] = {}

    def __call__(self, name: str) -> Keypair:
        if name not in self._made:
            self._made[name] = Keypair.from_uri(f"//Weighed//{name}")
        return self._made[name]

    @cached_property
    def root(self) -> Keypair:
        """Who may do everything in the development chain."""
        return Keypair.from_uri("//Alice")

    @cached_property
    def validators(self) -> list[Keypair]:
        """Sixty-four, by account."""
        return sorted((self(f"validator-{n}") for n in range(64)), key=lambda keys: keys.public)
