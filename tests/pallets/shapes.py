"""How our dataclasses, enums and functions stand against the types of a runtime's metadata."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from enum import IntEnum
from types import ModuleType
from typing import Any

from llmnet.chain import Call
from llmnet.chain.metadata import Metadata
from llmnet.chain.registry import Composite, Enum
from llmnet.pallets._convert import variant_name


def type_named(metadata: Metadata, path: str) -> int:
    """The id of the one type whose path is `path`."""
    found = [i for i in range(len(metadata.types)) if "::".join(metadata.types[i].path) == path]
    assert found, f"the runtime has no type {path}"
    return found[0]


def field_names(metadata: Metadata, path: str) -> list[str]:
    """The fields of a struct, in SCALE order."""
    definition = metadata.types[type_named(metadata, path)].definition
    assert isinstance(definition, Composite)
    return [str(field.name) for field in definition.fields]


def variants(metadata: Metadata, path: str) -> dict[str, int]:
    """Names and indices of an enum's variants."""
    definition = metadata.types[type_named(metadata, path)].definition
    assert isinstance(definition, Enum)
    return {variant.name: variant.index for variant in definition.variants}


def struct_drift(
    ours: type[Any], theirs: list[str], flattened: Mapping[str, tuple[str, ...]]
) -> tuple[set[str], set[str]]:
    """(fields that only we have, fields that only the chain has). `flattened`: a chain's field and what we made of it."""
    assert dataclasses.is_dataclass(ours) or hasattr(ours, "_fields")
    mine = (
        {field.name for field in dataclasses.fields(ours)}
        if dataclasses.is_dataclass(ours)
        else set(ours._fields)
    )
    expected = {name for field in theirs for name in flattened.get(field, (field,))}
    return mine - expected, expected - mine


def enum_drift(ours: type[IntEnum], theirs: Mapping[str, int]) -> set[tuple[str, int]]:
    """Variants with their index that only one side has."""
    return {(variant_name(member), member.value) for member in ours} ^ set(theirs.items())


def _public(module: ModuleType) -> list[tuple[str, Any]]:
    return [
        (name, function)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == module.__name__
    ]


def builders(module: ModuleType) -> dict[str, Any]:
    """The functions of a pallet's module that make a call."""
    return {
        name: function
        for name, function in _public(module)
        if inspect.signature(function, eval_str=True).return_annotation is Call
    }


def readers(module: ModuleType) -> dict[str, Any]:
    """The functions of a pallet's module that read a view."""
    return {
        name: function
        for name, function in _public(module)
        if next(iter(inspect.signature(function).parameters), None) == "view"
    }


def calls_of(metadata: Metadata, pallet: str) -> set[str]:
    """The names of a pallet's calls."""
    calls = metadata.pallet(pallet).calls
    return set() if calls is None else {variant.name for variant in metadata.types.enum(calls).variants}
