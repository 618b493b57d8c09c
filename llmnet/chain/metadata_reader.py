"""Reads `RuntimeMetadataPrefixed` V14, V15 and V16. Source of the layouts: the frame-metadata crate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from llmnet.chain.errors import DecodeError, MetadataError
from llmnet.chain.metadata import (
    Api,
    AssociatedType,
    Constant,
    CustomValue,
    Deprecation,
    Extension,
    Extrinsic,
    Function,
    Metadata,
    Outer,
    OuterEnums,
    Pallet,
    StorageEntry,
)
from llmnet.chain.registry import TupleOf, docs, read_registry
from llmnet.chain.scale import Reader

MAGIC = b"meta"
SUPPORTED = (16, 15, 14)  # best first
HASHERS = ("Blake2_128", "Blake2_256", "Blake2_128Concat", "Twox128", "Twox256", "Twox64Concat", "Identity")
MAX_BYTES = 1 << 26
K = TypeVar("K")
V = TypeVar("V")


def parse_metadata(data: bytes) -> Metadata:
    """Raises MetadataError on another version, on damage, on left-over bytes and on more than 64 MiB."""
    if data[:4] != MAGIC or len(data) < 5:
        raise MetadataError("this is not runtime metadata: the magic bytes are missing")
    if len(data) > MAX_BYTES:
        raise MetadataError(f"{len(data)} bytes of metadata are more than any runtime has")
    version = data[4]
    if version not in SUPPORTED:
        raise MetadataError(f"metadata V{version} is not supported, only V14 to V16")
    reader = Reader(data, 5)
    try:
        metadata = _MetadataReader(reader, version).read()
        reader.end()
    except DecodeError as error:
        raise MetadataError(f"metadata V{version} is damaged at byte {reader.pos}: {error}") from error
    return metadata


class _MetadataReader:
    """One method per structure; `self.version` decides which fields exist."""

    def __init__(self, reader: Reader, version: int) -> None:
        self.reader, self.version = reader, version

    def read(self) -> Metadata:
        reader = self.reader
        self.types = read_registry(reader)
        pallets = _table("pallet", ((pallet.name, pallet) for pallet in reader.vec(self.pallet)))
        extrinsic = {14: self.extrinsic_v14, 15: self.extrinsic_v15, 16: self.extrinsic_v16}[self.version]()
        runtime_type = reader.compact() if self.version <= 15 else None
        if self.version == 14:
            return Metadata(14, self.types, pallets, extrinsic, {}, runtime_type=runtime_type)
        apis = _table("runtime API", ((api.name, api) for api in reader.vec(self.api)))
        outer = OuterEnums(reader.compact(), reader.compact(), reader.compact())
        custom = _table("custom value", reader.vec(self.custom_value))
        return Metadata(self.version, self.types, pallets, extrinsic, apis, outer, custom, runtime_type)

    def custom_value(self) -> tuple[str, CustomValue]:
        reader = self.reader
        return reader.text(), CustomValue(reader.compact(), reader.bytes())

    def pallet(self) -> Pallet:
        reader, v16 = self.reader, self.version >= 16
        name = reader.text()
        prefix, storage = reader.option(lambda: self.storage(name)) or (None, {})
        deprecated: dict[Outer, dict[int, Deprecation]] = {}
        calls = reader.option(lambda: self.outer_enum("calls", deprecated))
        events = reader.option(lambda: self.outer_enum("events", deprecated))
        constants = _table("constant", ((constant.name, constant) for constant in reader.vec(self.constant)))
        errors = reader.option(lambda: self.outer_enum("errors", deprecated))
        associated = tuple(reader.vec(self.associated_type)) if v16 else ()
        views = _table("view function", ((v.name, v) for v in reader.vec(self.view_function))) if v16 else {}
        index = reader.u8()
        text = docs(reader) if self.version >= 15 else ()
        return Pallet(
            name,
            index,
            storage,
            calls,
            events,
            errors,
            constants,
            views,
            text,
            prefix,
            associated,
            deprecated,
            self.deprecation(),
        )

    def storage(self, pallet: str) -> tuple[str, dict[str, StorageEntry]]:
        prefix = self.reader.text()
        entries = self.reader.vec(lambda: self.storage_entry(pallet, prefix))
        return prefix, _table("storage item", ((entry.name, entry) for entry in entries))

    def storage_entry(self, pallet: str, prefix: str) -> StorageEntry:
        reader = self.reader
        name = reader.text()
        optional = reader.tag("optional", "default") == "optional"
        is_map = reader.tag("plain", "map") == "map"
        keys, key_type = self.storage_keys() if is_map else ((), None)
        value = reader.compact()
        default, text = reader.bytes(), docs(reader)
        return StorageEntry(
            pallet, prefix, name, optional, keys, value, default, text, key_type, self.deprecation()
        )

    def storage_keys(self) -> tuple[tuple[tuple[str, int], ...], int]:
        """A map with several hashers has a tuple for its key type, one item each."""
        hashers = self.reader.vec(lambda: self.reader.tag(*HASHERS))
        key = self.reader.compact()
        if len(hashers) == 1:
            return ((hashers[0], key),), key
        parts = self.types[key].definition
        if not isinstance(parts, TupleOf) or len(parts.items) != len(hashers):
            raise MetadataError(f"{len(hashers)} hashers do not fit the key type {self.types.name(key)}")
        return tuple(zip(hashers, parts.items, strict=True)), key

    def outer_enum(self, kind: Outer, deprecated: dict[Outer, dict[int, Deprecation]]) -> int:
        type_id = self.reader.compact()
        if self.version >= 16:
            found = _table("deprecated variant", self.reader.vec(self.variant_deprecation))
            if found:
                deprecated[kind] = found
        return type_id

    def constant(self) -> Constant:
        reader = self.reader
        return Constant(reader.text(), reader.compact(), reader.bytes(), docs(reader), self.deprecation())

    def associated_type(self) -> AssociatedType:
        return AssociatedType(self.reader.text(), self.reader.compact(), docs(self.reader))

    def view_function(self) -> Function:
        view_id = self.reader.raw(32)
        return self.function(view_id)

    def function(self, view_id: bytes = b"") -> Function:
        reader = self.reader
        name = reader.text()
        inputs = tuple(reader.vec(lambda: (reader.text(), reader.compact())))
        return Function(name, inputs, reader.compact(), docs(reader), view_id, self.deprecation())

    def api(self) -> Api:
        reader = self.reader
        name = reader.text()
        methods = _table("method", ((method.name, method) for method in reader.vec(self.function)))
        text = docs(reader)
        version = reader.compact() if self.version >= 16 else None
        return Api(name, methods, text, version, self.deprecation())

    def deprecation(self) -> Deprecation | None:
        """`ItemDeprecationInfo`; before V16 nothing is ever marked."""
        if self.version < 16:
            return None
        kind = self.reader.tag("no", "without note", "with note")
        return None if kind == "no" else self.deprecation_note(kind)

    def variant_deprecation(self) -> tuple[int, Deprecation]:
        """One entry of `EnumDeprecationInfo`, which lists deprecated variants only."""
        index = self.reader.u8()
        kind = self.reader.tag("", "without note", "with note")
        if not kind:
            raise DecodeError("a deprecated variant is marked as not deprecated")
        return index, self.deprecation_note(kind)

    def deprecation_note(self, kind: str) -> Deprecation:
        if kind == "without note":
            return Deprecation()
        return Deprecation(self.reader.text(), self.reader.option(self.reader.text))

    def extrinsic_v14(self) -> Extrinsic:
        """V14 names the extrinsic's parts only as type parameters of `UncheckedExtrinsic`."""
        whole, version = self.reader.compact(), self.reader.u8()
        extensions = tuple(self.reader.vec(self.extension))
        parts = [self.types[whole].param(name) for name in ("Address", "Call", "Signature")]
        address, call, signature = (part if part is not None else _missing_parameter() for part in parts)
        return Extrinsic((version,), address, call, signature, extensions, whole=whole)

    def extrinsic_v15(self) -> Extrinsic:
        reader = self.reader
        version, address, call, signature = reader.u8(), reader.compact(), reader.compact(), reader.compact()
        extra = reader.compact()
        return Extrinsic((version,), address, call, signature, tuple(reader.vec(self.extension)), extra=extra)

    def extrinsic_v16(self) -> Extrinsic:
        reader = self.reader
        versions = tuple(reader.bytes())
        address, call, signature = reader.compact(), reader.compact(), reader.compact()
        by_version = _table("extension version", reader.vec(self.extension_version))
        known = tuple(reader.vec(self.extension))
        chosen = by_version.get(0, tuple(range(len(known))))  # V4 transactions use extension version 0
        if any(index >= len(known) for indices in by_version.values() for index in indices):
            raise MetadataError("a transaction extension is named that does not exist")
        extensions = tuple(known[index] for index in chosen)
        return Extrinsic(versions, address, call, signature, extensions, known, by_version)

    def extension_version(self) -> tuple[int, tuple[int, ...]]:
        return self.reader.u8(), tuple(self.reader.vec(self.reader.compact))

    def extension(self) -> Extension:
        return Extension(self.reader.text(), self.reader.compact(), self.reader.compact())


def _table(kind: str, entries: Iterable[tuple[K, V]]) -> dict[K, V]:
    """Entries by name. Raises MetadataError if two share one."""
    table: dict[K, V] = {}
    for name, entry in entries:
        if name in table:
            raise MetadataError(f"metadata names the {kind} {name!r} twice")
        table[name] = entry
    return table


def _missing_parameter() -> int:
    raise MetadataError("the extrinsic type does not name its address, call and signature types")


__all__ = ["HASHERS", "MAX_BYTES", "SUPPORTED", "parse_metadata"]
