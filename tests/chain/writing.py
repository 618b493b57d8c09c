"""Metadata back to bytes, written from the frame-metadata crate's layouts: what the reader keeps is everything there was.

Also makes runtimes that never were, for tests of what changes between two of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from llmnet.chain.metadata import (
    Api,
    Deprecation,
    Extension,
    Extrinsic,
    Function,
    Metadata,
    Pallet,
    StorageEntry,
)
from llmnet.chain.metadata_reader import HASHERS
from llmnet.chain.registry import (
    _PRIMITIVES,
    ArrayOf,
    BitSequence,
    CompactOf,
    Composite,
    Enum,
    Field,
    Primitive,
    SequenceOf,
    TupleOf,
    Type,
    TypeDef,
    TypeRegistry,
    VariantDef,
)
from llmnet.chain.scale import encode_bytes, encode_compact

compact = encode_compact


def vec(items: Iterable[bytes]) -> bytes:
    parts = list(items)
    return compact(len(parts)) + b"".join(parts)


def text(value: str) -> bytes:
    return encode_bytes(value.encode())


def texts(values: Iterable[str]) -> bytes:
    return vec(text(value) for value in values)


def option(value: Any, write: Callable[[Any], bytes]) -> bytes:
    return b"\0" if value is None else b"\1" + write(value)


def write_type(kind: Type) -> bytes:
    params = vec(text(name) + option(type_id, compact) for name, type_id in kind.params)
    return texts(kind.path) + params + write_definition(kind.definition) + texts(kind.docs)


def write_definition(definition: TypeDef) -> bytes:
    match definition:
        case Composite(fields):
            return b"\0" + vec(map(write_field, fields))
        case Enum(variants):
            return b"\1" + vec(map(write_variant, variants))
        case SequenceOf(item):
            return b"\2" + compact(item)
        case ArrayOf(length, item):
            return b"\3" + length.to_bytes(4, "little") + compact(item)
        case TupleOf(items):
            return b"\4" + vec(map(compact, items))
        case Primitive(name):
            return b"\5" + bytes([_PRIMITIVES.index(name)])
        case CompactOf(inner):
            return b"\6" + compact(inner)
        case BitSequence(store, order):
            return b"\7" + compact(store) + compact(order)


def write_field(field: Field) -> bytes:
    return option(field.name, text) + compact(field.type) + option(field.type_name, text) + texts(field.docs)


def write_variant(variant: VariantDef) -> bytes:
    fields = vec(map(write_field, variant.fields))
    return text(variant.name) + fields + bytes([variant.index]) + texts(variant.docs)


class Writer:
    def __init__(self, metadata: Metadata) -> None:
        self.metadata, self.version = metadata, metadata.version

    def write(self) -> bytes:
        metadata = self.metadata
        types = [compact(i) + write_type(metadata.types[i]) for i in range(len(metadata.types))]
        out = b"meta" + bytes([self.version]) + vec(types)
        out += vec(map(self.pallet, metadata.pallets.values())) + self.extrinsic(metadata.extrinsic)
        if metadata.runtime_type is not None:
            out += compact(metadata.runtime_type)
        if metadata.outer is None:
            return out
        out += vec(map(self.api, metadata.apis.values()))
        out += b"".join(map(compact, dataclasses.astuple(metadata.outer)))
        custom = metadata.custom.items()
        return out + vec(text(name) + compact(v.type) + encode_bytes(v.value) for name, v in custom)

    def pallet(self, pallet: Pallet) -> bytes:
        v16 = self.version >= 16
        out = text(pallet.name) + option(
            pallet.storage_prefix,
            lambda prefix: text(prefix) + vec(map(self.storage, pallet.storage.values())),
        )
        out += option(pallet.calls, lambda i: self.outer(i, pallet.deprecated.get("calls", {})))
        out += option(pallet.events, lambda i: self.outer(i, pallet.deprecated.get("events", {})))
        out += vec(
            text(c.name) + compact(c.type) + encode_bytes(c.value) + texts(c.docs) + self.item(c.deprecation)
            for c in pallet.constants.values()
        )
        out += option(pallet.errors, lambda i: self.outer(i, pallet.deprecated.get("errors", {})))
        if v16:
            out += vec(text(a.name) + compact(a.type) + texts(a.docs) for a in pallet.associated_types)
            out += vec(view.id + self.function(view) for view in pallet.view_functions.values())
        out += bytes([pallet.index]) + (texts(pallet.docs) if self.version >= 15 else b"")
        return out + self.item(pallet.deprecation)

    def storage(self, entry: StorageEntry) -> bytes:
        out = text(entry.name) + (b"\0" if entry.optional else b"\1")
        if entry.key_type is None:
            out += b"\0"
        else:
            hashers = vec(bytes([HASHERS.index(hasher)]) for hasher, _ in entry.keys)
            out += b"\1" + hashers + compact(entry.key_type)
        out += compact(entry.value) + encode_bytes(entry.default) + texts(entry.docs)
        return out + self.item(entry.deprecation)

    def outer(self, type_id: int, deprecated: Mapping[int, Deprecation]) -> bytes:
        if self.version < 16:
            return compact(type_id)
        return compact(type_id) + vec(bytes([i]) + self.note(d) for i, d in deprecated.items())

    def function(self, function: Function) -> bytes:
        inputs = vec(text(name) + compact(type_id) for name, type_id in function.inputs)
        out = text(function.name) + inputs + compact(function.output) + texts(function.docs)
        return out + self.item(function.deprecation)

    def api(self, api: Api) -> bytes:
        out = text(api.name) + vec(map(self.function, api.methods.values())) + texts(api.docs)
        return out + (b"" if api.version is None else compact(api.version)) + self.item(api.deprecation)

    def item(self, deprecation: Deprecation | None) -> bytes:
        if self.version < 16:
            return b""
        return b"\0" if deprecation is None else self.note(deprecation)

    def note(self, deprecation: Deprecation) -> bytes:
        if deprecation.note is None:
            return b"\1"
        return b"\2" + text(deprecation.note) + option(deprecation.since, text)

    def extrinsic(self, extrinsic: Extrinsic) -> bytes:
        known = vec(map(self.extension, extrinsic.known or extrinsic.extensions))
        if extrinsic.whole is not None:
            return compact(extrinsic.whole) + bytes(extrinsic.versions) + known
        parts = compact(extrinsic.address) + compact(extrinsic.call) + compact(extrinsic.signature)
        if extrinsic.extra is not None:
            return bytes(extrinsic.versions) + parts + compact(extrinsic.extra) + known
        by_version = vec(bytes([v]) + vec(map(compact, used)) for v, used in extrinsic.by_version.items())
        return encode_bytes(bytes(extrinsic.versions)) + parts + by_version + known

    def extension(self, extension: Extension) -> bytes:
        return text(extension.name) + compact(extension.type) + compact(extension.implicit)


def write_metadata(metadata: Metadata) -> bytes:
    return Writer(metadata).write()


# Runtimes that never were


def change_type(metadata: Metadata, path: str, change: Callable[[Type], Type]) -> Metadata:
    """The same runtime with one type changed."""
    types = [metadata.types[type_id] for type_id in range(len(metadata.types))]
    found = [place for place, kind in enumerate(types) if "::".join(kind.path) == path]
    assert found, path
    for place in found:
        types[place] = change(types[place])
    return dataclasses.replace(metadata, types=TypeRegistry(types))


def change_variant(
    metadata: Metadata, path: str, name: str, change: Callable[[VariantDef], VariantDef | None]
) -> Metadata:
    """One variant of an enum changed, or removed when `change` gives None."""

    def changed(kind: Type) -> Type:
        assert isinstance(kind.definition, Enum)
        variants = [change(v) if v.name == name else v for v in kind.definition.variants]
        return dataclasses.replace(kind, definition=Enum(tuple(v for v in variants if v is not None)))

    return change_type(metadata, path, changed)


def without_docs(value: Any) -> Any:
    """The same without documentation, type names and notes: facts only."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes: dict[str, Any] = {}
        for field in dataclasses.fields(value):
            old = getattr(value, field.name)
            if field.name == "docs":
                changes[field.name] = ()
            elif field.name in ("type_name", "since"):
                changes[field.name] = None
            elif field.name == "note":
                changes[field.name] = None if old is None else "a note"
            else:
                changes[field.name] = without_docs(old)
        return dataclasses.replace(value, **changes)
    if isinstance(value, TypeRegistry):
        return TypeRegistry([without_docs(value[i]) for i in range(len(value))])
    if isinstance(value, dict):
        return {key: without_docs(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(without_docs(item) for item in value)
    return value
