"""Runtime metadata V14, V15 and V16, read into one shape. Source of the layouts: the frame-metadata crate."""

from __future__ import annotations

from dataclasses import dataclass

from llmnet.chain.errors import DecodeError, MetadataError, UnknownEntry
from llmnet.chain.registry import TypeRegistry, docs, read_registry
from llmnet.chain.scale import Reader

MAGIC = b"meta"
SUPPORTED = (16, 15, 14)  # best first
_HASHERS = ("Blake2_128", "Blake2_256", "Blake2_128Concat", "Twox128", "Twox256", "Twox64Concat", "Identity")


@dataclass(frozen=True, slots=True)
class StorageEntry:
    """`keys` pairs each key's type with its hasher; empty for a plain value."""

    pallet: str
    prefix: str
    name: str
    optional: bool  # absent reads as None; otherwise as `default`
    keys: tuple[tuple[str, int], ...]
    value: int
    default: bytes
    docs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    name: str
    type: int
    value: bytes
    docs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A view function (id of 32 bytes) or a runtime API method (empty id)."""

    name: str
    inputs: tuple[tuple[str, int], ...]
    output: int
    docs: tuple[str, ...]
    id: bytes = b""


@dataclass(frozen=True, slots=True)
class Pallet:
    name: str
    index: int
    storage: dict[str, StorageEntry]
    calls: int | None
    events: int | None
    errors: int | None
    constants: dict[str, Constant]
    view_functions: dict[str, Function]
    docs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extension:
    """A transaction extension: the type of what is sent, and of what is only signed."""

    name: str
    type: int
    implicit: int


@dataclass(frozen=True, slots=True)
class Extrinsic:
    versions: tuple[int, ...]
    address: int
    call: int
    signature: int
    extensions: tuple[Extension, ...]  # those of V4 transactions, in order


@dataclass(frozen=True, slots=True)
class Metadata:
    version: int
    types: TypeRegistry
    pallets: dict[str, Pallet]
    extrinsic: Extrinsic
    apis: dict[str, dict[str, Function]]

    def pallet(self, name: str) -> Pallet:
        """Raises UnknownEntry."""
        if name not in self.pallets:
            raise UnknownEntry(f"the runtime has no pallet {name!r}; it has {', '.join(self.pallets)}")
        return self.pallets[name]


def parse_metadata(data: bytes) -> Metadata:
    """Parses `RuntimeMetadataPrefixed`. Raises MetadataError on another version, on damage or on left-over bytes."""
    if data[:4] != MAGIC or len(data) < 5:
        raise MetadataError("this is not runtime metadata: the magic bytes are missing")
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
    def __init__(self, reader: Reader, version: int) -> None:
        self.reader, self.version = reader, version

    def read(self) -> Metadata:
        reader = self.reader
        types = read_registry(reader)
        pallets = {pallet.name: pallet for pallet in reader.vec(self.pallet)}
        if self.version == 14:
            extrinsic = self.extrinsic_v14(types)
            reader.compact()  # the type of the runtime itself
            return Metadata(14, types, pallets, extrinsic, {})
        extrinsic = self.extrinsic_v15() if self.version == 15 else self.extrinsic_v16()
        if self.version == 15:
            reader.compact()
        apis = dict(reader.vec(self.api))
        reader.raw(0)
        [reader.compact() for _ in range(3)]  # outer enums: call, event, error
        reader.vec(lambda: (reader.str(), reader.compact(), reader.bytes()))  # custom values
        return Metadata(self.version, types, pallets, extrinsic, apis)

    def pallet(self) -> Pallet:
        reader, v16 = self.reader, self.version >= 16
        name = reader.str()
        storage = reader.option(lambda: self.storage(name)) or {}
        calls, events = reader.option(self.outer_enum), reader.option(self.outer_enum)
        constants = {constant.name: constant for constant in reader.vec(self.constant)}
        errors = reader.option(self.outer_enum)
        if v16:
            reader.vec(lambda: (reader.str(), reader.compact(), docs(reader)))  # associated types
        views = {view.name: view for view in reader.vec(self.view_function)} if v16 else {}
        index = reader.u8()
        text = docs(reader) if self.version >= 15 else ()
        self.deprecation()
        return Pallet(name, index, storage, calls, events, errors, constants, views, text)

    def storage(self, pallet: str) -> dict[str, StorageEntry]:
        prefix = self.reader.str()
        entries = self.reader.vec(lambda: self.storage_entry(pallet, prefix))
        return {entry.name: entry for entry in entries}

    def storage_entry(self, pallet: str, prefix: str) -> StorageEntry:
        reader = self.reader
        name = reader.str()
        optional = reader.tag("optional", "default") == "optional"
        keys: tuple[tuple[str, int], ...] = ()
        if reader.tag("plain", "map") == "map":
            hashers = reader.vec(lambda: reader.tag(*_HASHERS))
            self.pending_keys.append((hashers, reader.compact()))
            keys = tuple((hasher, -1) for hasher in hashers)
        value = reader.compact()
        default, text = reader.bytes(), docs(reader)
        self.deprecation()
        return StorageEntry(pallet, prefix, name, optional, keys, value, default, text)
