"""Chain specifications in polkadot-sdk's JSON format, plain and raw: its nodes start from the same file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmnet.devnode.errors import GenesisError, RuntimeFault
from llmnet.devnode.executor import Runtime
from llmnet.devnode.genesis import Json, build_storage, genesis_config, get_preset, merge_patch
from llmnet.devnode.state import CODE_KEY, DEFAULT_CHILD_PREFIX, Changes

DEFAULT_PROPERTIES: Mapping[str, Any] = {"ss58Format": 42, "tokenDecimals": 12, "tokenSymbol": "UNIT"}


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

    `full` marks a patch that is the whole configuration instead (the format's `config`).
    """

    name: str
    id: str
    code: bytes
    patch: Json = field(default_factory=dict)
    full: bool = False
    raw: Changes | None = None
    chain_type: str = "Development"
    properties: Mapping[str, Any] = field(default_factory=lambda: dict(DEFAULT_PROPERTIES))

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
        """Reads a specification file; raises GenesisError when it is none."""
        try:
            data = json.loads(path.read_text())
            genesis = dict(data["genesis"])
            common = {
                "name": str(data["name"]),
                "id": str(data["id"]),
                "chain_type": data.get("chainType", "Development"),
                "properties": data.get("properties") or dict(DEFAULT_PROPERTIES),
            }
        except OSError as error:
            raise GenesisError(f"the chain specification cannot be read: {error}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GenesisError(f"{path} is no chain specification: {error!r}") from None
        if "raw" in genesis:
            raw = _read_raw(genesis["raw"])
            return cls(code=raw.top[CODE_KEY] or b"", raw=raw, **common)
        runtime_genesis = genesis.get("runtimeGenesis")
        if not isinstance(runtime_genesis, dict):
            raise GenesisError(f"{path} has neither genesis.raw nor genesis.runtimeGenesis")
        full = "config" in runtime_genesis
        patch = runtime_genesis.get("config" if full else "patch")
        if not isinstance(patch, dict):
            raise GenesisError(f"{path} has neither a genesis patch nor a genesis config")
        return cls(code=_unhex(runtime_genesis.get("code"), "code"), patch=patch, full=full, **common)

    def storage(self, runtime: Runtime) -> Changes:
        """The genesis storage, built by `runtime` (an executor of `code`) where it is not raw."""
        if self.raw is not None:
            return self.raw
        config = self.patch if self.full else genesis_config(runtime, None, self.patch)
        return build_storage(runtime, self.code, config)

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
            "bootNodes": [],
            "telemetryEndpoints": None,
            "protocolId": None,
            "properties": dict(self.properties),
            "codeSubstitutes": {},
            "genesis": genesis,
        }


def _raw_json(storage: Changes) -> Json:
    def pairs(values: Mapping[bytes, bytes | None]) -> dict[str, str]:
        return {_hex(key): _hex(value) for key, value in sorted(values.items()) if value is not None}

    children = {_hex(key): pairs(values) for key, values in sorted(storage.children.items())}
    return {"top": pairs(storage.top), "childrenDefault": children}


def _read_raw(raw: Any) -> Changes:
    def pairs(values: Any, what: str) -> dict[bytes, bytes | None]:
        if not isinstance(values, dict):
            raise GenesisError(f"{what} of the chain specification is no object")
        return {_unhex(key, what): _unhex(value, what) for key, value in values.items()}

    if not isinstance(raw, dict):
        raise GenesisError("genesis.raw of the chain specification is no object")
    top = pairs(raw.get("top"), "genesis.raw.top")
    if CODE_KEY not in top:
        raise GenesisError("genesis.raw.top of the chain specification has no :code")
    children = raw.get("childrenDefault") or {}
    if not isinstance(children, dict):
        raise GenesisError("genesis.raw.childrenDefault of the chain specification is no object")
    named = {_unhex(key, "a child trie"): pairs(values, "a child trie") for key, values in children.items()}
    return Changes(
        {key: value for key, value in top.items() if not key.startswith(DEFAULT_CHILD_PREFIX)}, named
    )


def read_code(path: Path) -> bytes:
    """Reads a runtime blob from a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise RuntimeFault(f"the runtime cannot be read: {error}") from None
