# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The `Metadata` api trait that returns metadata for the runtime."""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, View

from .. import types as t

_METADATA: ApiMethod[t.OpaqueMetadata] = ApiMethod(
    Entry("Metadata", "metadata", "e8d83c58733c6e9f", "() -> OpaqueMetadata", t.TYPES)
)


async def metadata(view: View) -> t.OpaqueMetadata:
    """Returns the metadata of a runtime."""
    return await view.ask(_METADATA, {})


_METADATA_AT_VERSION: ApiMethod[t.OpaqueMetadata | None] = ApiMethod(
    Entry(
        "Metadata",
        "metadata_at_version",
        "097c548a25fd32cf",
        "(version: u32) -> Option<OpaqueMetadata>",
        t.TYPES,
    )
)


async def metadata_at_version(view: View, version: int) -> t.OpaqueMetadata | None:
    """Returns the metadata at a given version.

    If the given `version` isn't supported, this will return `None`. Use `Self::metadata_versions` to
    find out about supported metadata version of the runtime.
    """
    return await view.ask(_METADATA_AT_VERSION, {"version": version})


_METADATA_VERSIONS: ApiMethod[tuple[int, ...]] = ApiMethod(
    Entry("Metadata", "metadata_versions", "2638e4e7dc4682e9", "() -> Vec<u32>", t.TYPES)
)


async def metadata_versions(view: View) -> tuple[int, ...]:
    """Returns the supported metadata versions.

    This can be used to call `metadata_at_version`.
    """
    return await view.ask(_METADATA_VERSIONS, {})
