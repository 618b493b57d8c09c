"""What the modules of the pallets' face offer, and what the runtime's metadata has."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from llmnet.chain.metadata import Metadata
from llmnet.pallets import beacon, registry, reputation, sessions, spot_checks, staking

PALLETS: dict[str, ModuleType] = {
    "Staking": staking,
    "Registry": registry,
    "Sessions": sessions,
    "SpotChecks": spot_checks,
    "Reputation": reputation,
    "Beacon": beacon,
}


def type_named(metadata: Metadata, path: str) -> int:
    """The id of the one type whose path is `path`."""
    found = [i for i in range(len(metadata.types)) if "::".join(metadata.types[i].path) == path]
    assert found, f"the runtime has no type {path}"
    return found[0]


def _exported(module: ModuleType) -> dict[str, Any]:
    exported = {name: getattr(module, name) for name in module.__all__}
    return {name: value for name, value in exported.items() if inspect.isfunction(value)}


def builders(module: ModuleType) -> dict[str, Any]:
    """The functions of a pallet's module that make a call."""
    return {
        name: function
        for name, function in _exported(module).items()
        if inspect.signature(function).return_annotation == "Call"
    }


def readers(module: ModuleType) -> dict[str, Any]:
    """The functions of a pallet's module that read a view."""
    return {
        name: function
        for name, function in _exported(module).items()
        if next(iter(inspect.signature(function).parameters), None) == "view"
    }


def names(metadata: Metadata, pallet: str, kind: str) -> set[str]:
    """The names of a pallet's "calls", "events", "errors", "storage", "constants" or "view_functions"."""
    if kind in ("calls", "events", "errors"):
        return {variant.name for variant in metadata.variants(pallet, kind).variants}  # type: ignore[arg-type]
    return set(getattr(metadata.pallet(pallet), kind))
