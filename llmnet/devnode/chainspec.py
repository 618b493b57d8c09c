"""Chain specifications in polkadot-sdk's JSON format, plain and raw: its nodes start from the same file."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmnet.devnode.errors import GenesisError, RuntimeFault
from llmnet.devnode.executor import Runtime
from llmnet.devnode.genesis import Json, build_storage, genesis_config, get_preset, merge_patch
from llmnet.devnode.scale import vec
from llmnet.devnode.state import CODE_KEY, DEFAULT_CHILD_PREFIX, Changes

DEFAULT_PROPERTIES: Mapping[str, Any] = {"ss58Format": 42, "tokenDecimals": 12, "tokenSymbol": "UNIT"}
# Entries of the format that a specification of ours always writes, with what they are if nothing else is known.
_DEFAULT_ENTRIES: Mapping[str, Any] = {
    "bootNodes": [],
    "telemetryEndpoints": None,
    "protocolId": None,
    "codeSubstitutes": {},
}
_OWN_ENTRIES = frozenset({"name", "id", "chainType", "properties", "genesis"})


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _unhex(text: Any, what: str) -> bytes:
    try:
        if not isinstance(text, str) or not text.startswith("0x"):
            raise ValueError("0x-prefixed hex expected")
        return bytes.fromhex(text[2:])
    except ValueError as error:
        raise GenesisError(f"{what} of the chain specification: {error}") from None


@dataclass(frozen=True)
class ChainSpec:
    """A chain's identity and its genesis:

    `raw` storage, or `code` with a `patch` over the runtime's defaults.

    `full` marks a patch that is the whole configuration instead (the format's `config`). `others` holds the
    entries that mean nothing to this node (boot nodes, parachain id, ...), which are written as they were read.
    """

    name: str
    id: str
    code: bytes
    patch: Json = field(default_factory=dict)
    full: bool = False
    raw: Changes | None = None
    chain_type: str | Mapping[str, Any] = "Development"
    properties: Mapping[str, Any] = field(default_factory=lambda: dict(DEFAULT_PROPERTIES))
    others: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_preset(
        cls,
        code: bytes,
        runtime: Runtime,
        preset: str = "development",
        *,
        name: str = "Development",
        chain_id: str = "dev",
        patch: Json | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> ChainSpec:
        """A specification whose genesis is the runtime's preset, merged with `patch`."""
        merged = merge_patch(get_preset(runtime, preset), patch or {})
        return cls(name, chain_id, code, merged, properties=dict(properties or DEFAULT_PROPERTIES))

    @classmethod
    def read(cls, path: Path) -> ChainSpec:
        """Reads a specification file; raises GenesisError when it is none that can make a genesis."""
        try:
            data = json.loads(path.read_text())
        except (OSError, ValueError, RecursionError) as error:
            raise GenesisError(f"the chain specification {path} cannot be read: {error}") from None
        try:
            return cls.from_json(data)
        except GenesisError as error:
            raise GenesisError(f"{path}: {error}") from None

    @classmethod
    def from_json(cls, data: Any) -> ChainSpec:
        """A specification from its JSON. Raises GenesisError."""
        if not isinstance(data, dict) or not isinstance(data.get("genesis"), dict):
            raise GenesisError("this is no chain specification: it has no object `genesis`")
        genesis = data["genesis"]
        if not isinstance(data.get("name"), str) or not isinstance(data.get("id"), str):
            raise GenesisError("the chain specification has no name or no id")
        kind, properties = data.get("chainType", "Live"), data.get("properties")
        common = {
            "name": data["name"],
            "id": data["id"],
            "chain_type": kind if isinstance(kind, str | dict) else "Live",
            "properties": properties if isinstance(properties, dict) else {},
            "others": {key: value for key, value in data.items() if key not in _OWN_ENTRIES},
        }
        if "raw" in genesis:
            raw = _read_raw(genesis["raw"])
            return cls(code=raw.top[CODE_KEY] or b"", raw=raw, **common)
        if "runtimeGenesis" not in genesis:
            raise GenesisError(_without_storage(genesis))
        code, full, patch = _read_runtime_genesis(genesis["runtimeGenesis"])
        return cls(code=code, patch=patch, full=full, **common)

    def storage(self, runtime: Runtime) -> Changes:
        """The genesis storage, built by `runtime` (an executor of `code`) where it is not raw."""
        if self.raw is not None:
            return self.raw
        config = self.patch if self.full else genesis_config(runtime, None, self.patch)
        return build_storage(runtime, self.code, config)

    def genesis_mark(self) -> bytes:
        """32 bytes that differ for specifications whose genesis may differ, found without building it."""
        mark = hashlib.blake2b(digest_size=32)
        if self.raw is None:
            patch = json.dumps([self.full, self.patch], sort_keys=True)
            mark.update(b"patch" + vec(self.code) + patch.encode())
            return mark.digest()
        mark.update(b"raw")
        for name, values in ((b"", self.raw.top), *sorted(self.raw.children.items())):
            keys = sorted(values)
            written = [values[key] for key in keys]
            # Lengths first, in one piece, so that no two storages are the same bytes.
            lengths = [
                len(keys),
                *map(len, keys),
                *(-1 if value is None else len(value) for value in written),
            ]
            mark.update(vec(name) + array("q", lengths).tobytes())
            mark.update(b"".join(keys) + b"".join(filter(None, written)))
        return mark.digest()

    def as_json(self, runtime: Runtime, *, raw: bool) -> Json:
        """The specification as JSON, plain or raw. Raises GenesisError for a plain form of a raw one."""
        if raw:
            genesis: Json = {"raw": _raw_json(self.storage(runtime))}
        elif self.raw is not None:
            raise GenesisError("a raw specification has no plain form; export it with --raw")
        else:
            kind = "config" if self.full else "patch"
            genesis = {"runtimeGenesis": {"code": _hex(self.code), kind: self.patch}}
        return {
            "name": self.name,
            "id": self.id,
            "chainType": self.chain_type,
            **_DEFAULT_ENTRIES,
            **self.others,
            "properties": dict(self.properties),
            "genesis": genesis,
        }


def _raw_json(storage: Changes) -> Json:
    def pairs(values: Mapping[bytes, bytes | None]) -> dict[str, str]:
        return {_hex(key): _hex(value) for key, value in sorted(values.items()) if value is not None}

    children = {_hex(key): pairs(values) for key, values in sorted(storage.children.items())}
    return {"top": pairs(storage.top), "childrenDefault": children}


def _without_storage(genesis: Json) -> str:
    """Why a genesis of another form is not enough."""
    if "stateRootHash" in genesis:
        return "this specification is for light clients: it has the genesis state's root, but not the state"
    if "runtime" in genesis or "runtimeAndCode" in genesis or "runtimeGenesisConfig" in genesis:
        return (
            "this specification describes the genesis in words that only the chain's own node understands: "
            "let that node export it with --raw"
        )
    return "the specification has neither genesis.raw nor genesis.runtimeGenesis"


def _read_runtime_genesis(genesis: Any) -> tuple[bytes, bool, Json]:
    if not isinstance(genesis, dict):
        raise GenesisError("genesis.runtimeGenesis of the chain specification is no object")
    full = "config" in genesis
    patch = genesis.get("config" if full else "patch")
    if not isinstance(patch, dict):
        raise GenesisError("the chain specification has neither a genesis patch nor a genesis config")
    return _unhex(genesis.get("code"), "code"), full, patch


def _read_raw(raw: Any) -> Changes:
    """The storage of `genesis.raw`; chains of before 2020 write a list of the top trie and the child tries."""
    if isinstance(raw, list) and len(raw) == 2:
        raw = {"top": raw[0], "childrenDefault": raw[1]}
    if not isinstance(raw, dict):
        raise GenesisError("genesis.raw of the chain specification is no object")
    top = _read_pairs(raw.get("top"), "genesis.raw.top")
    if CODE_KEY not in top:
        raise GenesisError("genesis.raw.top of the chain specification has no :code")
    children = raw.get("childrenDefault") or {}
    if not isinstance(children, dict):
        raise GenesisError("genesis.raw.childrenDefault of the chain specification is no object")
    named = {
        _unhex(key, "a child trie").removeprefix(DEFAULT_CHILD_PREFIX): _read_pairs(values, "a child trie")
        for key, values in children.items()
    }
    # The roots of child tries follow from their contents.
    return Changes(
        {key: value for key, value in top.items() if not key.startswith(DEFAULT_CHILD_PREFIX)}, named
    )


def _read_pairs(values: Any, what: str) -> dict[bytes, bytes | None]:
    if not isinstance(values, dict):
        raise GenesisError(f"{what} of the chain specification is no object")
    return {_unhex(key, what): _unhex(value, what) for key, value in values.items()}


def read_code(path: Path) -> bytes:
    """Reads a runtime blob from a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise RuntimeFault(f"the runtime cannot be read: {error}") from None
