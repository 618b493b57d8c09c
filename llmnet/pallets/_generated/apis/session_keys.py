# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Session keys runtime api."""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, View

from .. import types as t

_GENERATE_SESSION_KEYS: ApiMethod[t.OpaqueGeneratedSessionKeys] = ApiMethod(
    Entry(
        "SessionKeys",
        "generate_session_keys",
        "b612a447972de4c9",
        "(owner: Vec<u8>, seed: Option<Vec<u8>>) -> OpaqueGeneratedSessionKeys",
        t.TYPES,
    )
)


async def generate_session_keys(view: View, owner: bytes, seed: bytes | None) -> t.OpaqueGeneratedSessionKeys:
    """Generate a set of session keys with optionally using the given seed. The keys should be stored
    within the keystore exposed via runtime externalities.

    The seed needs to be a valid `utf8` string.

    Returns the concatenated SCALE encoded public keys.
    """
    return await view.ask(_GENERATE_SESSION_KEYS, {"owner": owner, "seed": seed})


_DECODE_SESSION_KEYS: ApiMethod[tuple[tuple[bytes, t.KeyTypeId], ...] | None] = ApiMethod(
    Entry(
        "SessionKeys",
        "decode_session_keys",
        "9fb70feac228f5f4",
        "(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>>",
        t.TYPES,
    )
)


async def decode_session_keys(view: View, encoded: bytes) -> tuple[tuple[bytes, t.KeyTypeId], ...] | None:
    """Decode the given public session keys.

    Returns the list of public raw public keys + key type.
    """
    return await view.ask(_DECODE_SESSION_KEYS, {"encoded": encoded})
