# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""API to interact with `RuntimeGenesisConfig` for the runtime"""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, Err, Ok, View

from .. import types as t

_BUILD_STATE: ApiMethod[Ok[tuple[()]] | Err[str]] = ApiMethod(
    Entry("GenesisBuilder", "build_state", "337094270b7e762b", "(json: Vec<u8>) -> Result<(), str>", t.TYPES)
)


async def build_state(view: View, json: bytes) -> Ok[tuple[()]] | Err[str]:
    """Build `RuntimeGenesisConfig` from a JSON blob not using any defaults and store it in the storage.

    In the case of a FRAME-based runtime, this function deserializes the full `RuntimeGenesisConfig`
    from the given JSON blob and puts it into the storage. If the provided JSON blob is incorrect or
    incomplete or the deserialization fails, an error is returned.

    Please note that provided JSON blob must contain all `RuntimeGenesisConfig` fields, no defaults will
    be used.
    """
    return await view.ask(_BUILD_STATE, {"json": json})


_GET_PRESET: ApiMethod[bytes | None] = ApiMethod(
    Entry("GenesisBuilder", "get_preset", "9a7c5651b9b342bf", "(id: Option<str>) -> Option<Vec<u8>>", t.TYPES)
)


async def get_preset(view: View, id: str | None) -> bytes | None:
    """Returns a JSON blob representation of the built-in `RuntimeGenesisConfig` identified by `id`.

    If `id` is `None` the function should return JSON blob representation of the default
    `RuntimeGenesisConfig` struct of the runtime. Implementation must provide default
    `RuntimeGenesisConfig`.

    Otherwise function returns a JSON representation of the built-in, named `RuntimeGenesisConfig`
    preset identified by `id`, or `None` if such preset does not exist. Returned `Vec<u8>` contains
    bytes of JSON blob (patch) which comprises a list of (potentially nested) key-value pairs that are
    intended for customizing the default runtime genesis config. The patch shall be merged (rfc7386)
    with the JSON representation of the default `RuntimeGenesisConfig` to create a comprehensive genesis
    config that can be used in `build_state` method.
    """
    return await view.ask(_GET_PRESET, {"id": id})


_PRESET_NAMES: ApiMethod[tuple[str, ...]] = ApiMethod(
    Entry("GenesisBuilder", "preset_names", "fcd3f686e1f6b1eb", "() -> Vec<str>", t.TYPES)
)


async def preset_names(view: View) -> tuple[str, ...]:
    """Returns a list of identifiers for available builtin `RuntimeGenesisConfig` presets.

    The presets from the list can be queried with `GenesisBuilder::get_preset` method. If no named
    presets are provided by the runtime the list is empty.
    """
    return await view.ask(_PRESET_NAMES, {})
