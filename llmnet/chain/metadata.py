"""Runtime metadata V14, V15 and V16, read into one shape. Source of the layouts: the frame-metadata crate."""

from __future__ import annotations

from dataclasses import dataclass

from llmnet.chain.errors import DecodeError, MetadataError, UnknownEntry
from llmnet.chain.registry import TupleOf, TypeRegistry, docs, read_registry
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
    """Parses `RuntimeMetadataPrefixed`. Raises MetadataError on another version, on damage or on left-over
    bytes."""
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
    """One method per structure; `self.version` decides which fields exist."""

    def __init__(self, reader: Reader, version: int) -> None:
        self.reader, self.version = reader, version

    def read(self) -> Metadata:
        reader = self.reader
        self.types = read_registry(reader)
        pallets = {pallet.name: pallet for pallet in reader.vec(self.pallet)}
        extrinsic = {14: self.extrinsic_v14, 15: self.extrinsic_v15, 16: self.extrinsic_v16}[self.version]()
        if self.version <= 15:
            reader.compact()  # the type of the runtime itself
        apis: dict[str, dict[str, Function]] = {}
        if self.version >= 15:
            apis = dict(reader.vec(self.api))
            for _ in range(3):
                reader.compact()  # outer enums: call, event, error
            reader.vec(lambda: (reader.text(), reader.compact(), reader.bytes()))  # custom values
        return Metadata(self.version, self.types, pallets, extrinsic, apis)

    def pallet(self) -> Pallet:
        reader, v16 = self.reader, self.version >= 16
        name = reader.text()
        storage = reader.option(lambda: self.storage(name)) or {}
        calls, events = reader.option(self.outer_enum), reader.option(self.outer_enum)
        constants = {constant.name: constant for constant in reader.vec(self.constant)}
        errors = reader.option(self.outer_enum)
        if v16:
            reader.vec(lambda: (reader.text(), reader.compact(), docs(reader)))  # associated types
        views = {view.name: view for view in reader.vec(self.view_function)} if v16 else {}
        index = reader.u8()
        text = docs(reader) if self.version >= 15 else ()
        self.deprecation()
        return Pallet(name, index, storage, calls, events, errors, constants, views, text)

    def storage(self, pallet: str) -> dict[str, StorageEntry]:
        prefix = self.reader.text()
        entries = self.reader.vec(lambda: self.storage_entry(pallet, prefix))
        return {entry.name: entry for entry in entries}

    def storage_entry(self, pallet: str, prefix: str) -> StorageEntry:
        reader = self.reader
        name = reader.text()
        optional = reader.tag("optional", "default") == "optional"
        is_map = reader.tag("plain", "map") == "map"
        keys = self.storage_keys() if is_map else ()
        value = reader.compact()
        default, text = reader.bytes(), docs(reader)
        self.deprecation()
        return StorageEntry(pallet, prefix, name, optional, keys, value, default, text)

    def storage_keys(self) -> tuple[tuple[str, int], ...]:
        """A map with several hashers has a tuple for its key type, one item each."""
        hashers = self.reader.vec(lambda: self.reader.tag(*_HASHERS))
        key = self.reader.compact()
        if len(hashers) == 1:
            return ((hashers[0], key),)
        parts = self.types[key].definition
        if not isinstance(parts, TupleOf) or len(parts.items) != len(hashers):
            raise MetadataError(f"{len(hashers)} hashers do not fit the key type {self.types.name(key)}")
        return tuple(zip(hashers, parts.items, strict=True))

    def outer_enum(self) -> int:
        type_id = self.reader.compact()
        if self.version >= 16:
            self.reader.vec(self.variant_deprecation)
        return type_id

    def constant(self) -> Constant:
        reader = self.reader
        constant = Constant(reader.text(), reader.compact(), reader.bytes(), docs(reader))
        self.deprecation()
        return constant

    def view_function(self) -> Function:
        view_id = self.reader.raw(32)
        return self.function(view_id)

    def function(self, view_id: bytes = b"") -> Function:
        reader = self.reader
        name = reader.text()
        inputs = tuple(reader.vec(lambda: (reader.text(), reader.compact())))
        function = Function(name, inputs, reader.compact(), docs(reader), view_id)
        self.deprecation()
        return function

    def api(self) -> tuple[str, dict[str, Function]]:
        name = self.reader.text()
        methods = {method.name: method for method in self.reader.vec(self.function)}
        docs(self.reader)
        if self.version >= 16:
            self.reader.compact()  # the API's version
        self.deprecation()
        return name, methods

    def deprecation(self) -> None:
        if self.version >= 16 and self.reader.tag("no", "without note", "with note") == "with note":
            self.deprecation_note()

    def variant_deprecation(self) -> None:
        self.reader.u8()  # which variant
        if self.reader.tag("", "without note", "with note") == "with note":
            self.deprecation_note()

    def deprecation_note(self) -> None:
        self.reader.text()
        self.reader.option(self.reader.text)

    def extrinsic_v14(self) -> Extrinsic:
        """V14 names the extrinsic's parts only as type parameters of `UncheckedExtrinsic`."""
        whole, version = self.types[self.reader.compact()], self.reader.u8()
        extensions = tuple(self.reader.vec(self.extension))
        parts = [whole.param(name) for name in ("Address", "Call", "Signature")]
        address, call, signature = (part if part is not None else _missing_parameter() for part in parts)
        return Extrinsic((version,), address, call, signature, extensions)

    def extrinsic_v15(self) -> Extrinsic:
        reader = self.reader
        version, address, call, signature = reader.u8(), reader.compact(), reader.compact(), reader.compact()
        reader.compact()  # the tuple of all extensions
        return Extrinsic((version,), address, call, signature, tuple(reader.vec(self.extension)))

    def extrinsic_v16(self) -> Extrinsic:
        reader = self.reader
        versions = tuple(reader.raw(reader.compact()))
        address, call, signature = reader.compact(), reader.compact(), reader.compact()
        by_version = dict(reader.vec(lambda: (reader.u8(), reader.vec(reader.compact))))
        known = reader.vec(self.extension)
        chosen = by_version.get(0, list(range(len(known))))  # V4 transactions use extension version 0
        if any(index >= len(known) for index in chosen):
            raise MetadataError("a transaction extension is named that does not exist")
        return Extrinsic(versions, address, call, signature, tuple(known[index] for index in chosen))

    def extension(self) -> Extension:
        return Extension(self.reader.text(), self.reader.compact(), self.reader.compact())


def _missing_parameter() -> int:
    raise MetadataError("the extrinsic type does not name its address, call and signature types")
