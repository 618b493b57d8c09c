"""What a runtime says about itself: metadata V14, V15 and V16 in one shape.

Nothing that a version carries is dropped; what it does not carry is empty. `metadata_reader.py` reads the bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from llmnet.chain.errors import UnknownEntry
from llmnet.chain.registry import Enum, TypeRegistry

Outer = Literal["calls", "events", "errors"]


@dataclass(frozen=True, slots=True)
class Deprecation:
    """That something will go. `note` and `since` are None where the author gave none."""

    note: str | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True)
class StorageEntry:
    """`keys` pairs each key's hasher with its type; empty for a plain value. `key_type` is the type of all keys
    together (a tuple where there are several)."""

    pallet: str
    prefix: str
    name: str
    optional: bool  # absent reads as None; otherwise as `default`
    keys: tuple[tuple[str, int], ...]
    value: int
    default: bytes
    docs: tuple[str, ...]
    key_type: int | None = None
    deprecation: Deprecation | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    name: str
    type: int
    value: bytes
    docs: tuple[str, ...]
    deprecation: Deprecation | None = None


@dataclass(frozen=True, slots=True)
class AssociatedType:
    """A type of the pallet's `Config` that metadata names (V16)."""

    name: str
    type: int
    docs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A view function (id of 32 bytes) or a runtime API method (empty id)."""

    name: str
    inputs: tuple[tuple[str, int], ...]
    output: int
    docs: tuple[str, ...]
    id: bytes = b""
    deprecation: Deprecation | None = None


@dataclass(frozen=True, slots=True)
class Api:
    """A runtime API (V15 on). `version` since V16."""

    name: str
    methods: Mapping[str, Function]
    docs: tuple[str, ...] = ()
    version: int | None = None
    deprecation: Deprecation | None = None


@dataclass(frozen=True, slots=True)
class Pallet:
    """`deprecated` holds, per outer enum and variant index, the deprecated calls, events and errors (V16)."""

    name: str
    index: int
    storage: Mapping[str, StorageEntry]
    calls: int | None
    events: int | None
    errors: int | None
    constants: Mapping[str, Constant]
    view_functions: Mapping[str, Function]
    docs: tuple[str, ...] = ()
    storage_prefix: str | None = None  # None: the pallet has no storage
    associated_types: tuple[AssociatedType, ...] = ()
    deprecated: Mapping[Outer, Mapping[int, Deprecation]] = field(default_factory=dict)
    deprecation: Deprecation | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """A transaction extension: the type of what is sent, and of what is only signed."""

    name: str
    type: int
    implicit: int


@dataclass(frozen=True, slots=True)
class Extrinsic:
    """`extensions`: those of V4 transactions, in order. `known` and `by_version` (V16): all of them, and which
    belong to which extension version. `whole` (V14): the extrinsic's type; `extra` (V15): that of its extensions."""

    versions: tuple[int, ...]
    address: int
    call: int
    signature: int
    extensions: tuple[Extension, ...]
    known: tuple[Extension, ...] = ()
    by_version: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    whole: int | None = None
    extra: int | None = None


@dataclass(frozen=True, slots=True)
class OuterEnums:
    """The runtime's enums over all pallets (V15 on)."""

    call: int
    event: int
    error: int


@dataclass(frozen=True, slots=True)
class CustomValue:
    type: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Metadata:
    """`runtime_type`: the type of the runtime itself (until V15)."""

    version: int
    types: TypeRegistry
    pallets: Mapping[str, Pallet]
    extrinsic: Extrinsic
    apis: Mapping[str, Api]
    outer: OuterEnums | None = None
    custom: Mapping[str, CustomValue] = field(default_factory=dict)
    runtime_type: int | None = None

    def pallet(self, name: str) -> Pallet:
        """Raises UnknownEntry."""
        if name not in self.pallets:
            raise UnknownEntry(f"the runtime has no pallet {name!r}; it has {', '.join(self.pallets)}")
        return self.pallets[name]

    def api(self, name: str, method: str) -> Function:
        """Raises UnknownEntry."""
        if self.version < 15:
            raise UnknownEntry("this runtime's metadata (V14) does not describe runtime APIs")
        if name not in self.apis or method not in self.apis[name].methods:
            raise UnknownEntry(f"the runtime has no API {name}.{method}")
        return self.apis[name].methods[method]

    def variants(self, pallet: str, kind: Outer) -> Enum:
        """A pallet's calls, events or errors; an enum without variants if it has none. Raises UnknownEntry."""
        owner = self.pallet(pallet)
        type_id = {"calls": owner.calls, "events": owner.events, "errors": owner.errors}[kind]
        return Enum(()) if type_id is None else self.types.enum(type_id)
