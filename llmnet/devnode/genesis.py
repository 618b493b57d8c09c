"""The genesis state, built by the runtime itself from one of its presets."""

from __future__ import annotations

import json
from typing import Any

from llmnet.devnode.block import ZERO_HASH, Block, Header
from llmnet.devnode.errors import CodecError, GenesisError, RuntimeFault
from llmnet.devnode.executor import Runtime
from llmnet.devnode.overlay import Overlay
from llmnet.devnode.runtime_api import RuntimeVersion
from llmnet.devnode.scale import Reader, option, vec
from llmnet.devnode.state import CODE_KEY, Changes, State
from llmnet.devnode.trie import EMPTY_ROOT

Json = dict[str, Any]


def merge_patch(target: Any, patch: Any) -> Any:
    """Applies a JSON merge patch (RFC 7396) and returns the result; neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _call(runtime: Runtime, function: str, argument: bytes, overlay: Overlay | None = None) -> Reader:
    try:
        return Reader(runtime.call(function, argument, Overlay(State()) if overlay is None else overlay))
    except RuntimeFault as error:
        raise GenesisError(f"the runtime cannot make a genesis: {error}") from error


def preset_names(runtime: Runtime) -> list[str]:
    """The presets that the runtime offers."""
    reader = _call(runtime, "GenesisBuilder_preset_names", b"")
    return [reader.text() for _ in range(reader.count(1))]


def get_preset(runtime: Runtime, name: str | None) -> Json:
    """A preset's JSON, by name, or (None) the default configuration.

    Raises GenesisError for unknown names.
    """
    encoded = option(None if name is None else name.encode())
    found = _call(runtime, "GenesisBuilder_get_preset", encoded).optional_bytes()
    if found is None:
        known = ", ".join(preset_names(runtime)) or "none"
        raise GenesisError(f"the runtime has no preset {name!r}; it offers: {known}")
    value: Any = json.loads(found)
    if not isinstance(value, dict):
        raise GenesisError(f"preset {name!r} is no JSON object")
    return value


def genesis_config(runtime: Runtime, preset: str | None, patch: Json | None = None) -> Json:
    """The whole configuration: the default one, the preset merged over it, then `patch`."""
    config = get_preset(runtime, None)
    if preset is not None:
        config = merge_patch(config, get_preset(runtime, preset))
    merged: Json = merge_patch(config, patch or {})
    return merged


def build_storage(runtime: Runtime, code: bytes, config: Json) -> Changes:
    """The genesis storage that the runtime builds from a whole configuration, with its code."""
    overlay = Overlay(State())
    reader = _call(runtime, "GenesisBuilder_build_state", vec(json.dumps(config).encode()), overlay)
    try:
        if reader.flag():
            raise GenesisError(f"the runtime refuses the genesis configuration: {reader.text()}")
    except CodecError as error:
        raise GenesisError(f"the runtime's answer to build_state cannot be read: {error}") from None
    changes = overlay.changes()
    top = {key: value for key, value in changes.top.items() if value is not None}
    return Changes({**top, CODE_KEY: code}, changes.children)


def runtime_version(runtime: Runtime) -> RuntimeVersion:
    """The version of a runtime, asked on an empty state."""
    return RuntimeVersion.decode(runtime.call("Core_version", b"", Overlay(State())))


def genesis_block(state: State) -> Block:
    """Block 0 over a genesis state."""
    return Block(Header(ZERO_HASH, 0, state.root(), EMPTY_ROOT), ())
