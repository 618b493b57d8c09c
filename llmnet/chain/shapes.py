"""Shape hashes: two runtimes that give an entry the same hash read and write it alike.

A type's hash covers its structure with all names, indices and types inside it, and the last part of its path; not
its documentation, its type parameters nor the id that one runtime happens to give it. The runtime's own call, event
and error enums are marked and not looked into: a call that carries another call does not change its shape because
some pallet got a new one. A nested call is checked on its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from llmnet.chain.metadata import Function, Metadata, Outer, StorageEntry
from llmnet.chain.registry import (
    TRANSPARENT,
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
    VariantDef,
)

SIZE = 8  # bytes of a hash: enough against accidents, and nobody gains by a collision
NEVER = 1 << 30


def outer_types(metadata: Metadata) -> dict[int, str]:
    """The ids of the runtime's enums over all pallets: "call", "event", "error"."""
    marked = {metadata.extrinsic.call: "call"}
    if metadata.outer is not None:
        return marked | {metadata.outer.event: "event", metadata.outer.error: "error"}
    system = metadata.pallets.get("System")
    if system is None or "Events" not in system.storage:
        return marked
    records = metadata.types[system.storage["Events"].value].definition
    item = records.item if isinstance(records, SequenceOf) else None
    event = None if item is None else metadata.types[item].param("E")
    return marked if event is None else marked | {event: "event"}


def is_transparent(kind: Type) -> bool:
    """Whether the type is only a container around its one field."""
    fields = kind.definition.fields if isinstance(kind.definition, Composite) else ()
    return (
        len(fields) == 1 and fields[0].name is None and kind.path[-1:] != () and kind.path[-1] in TRANSPARENT
    )


class Shapes:
    """The hashes of one runtime, as hexadecimal text; computed when asked for and kept."""

    def __init__(self, metadata: Metadata) -> None:
        self.metadata, self.outer = metadata, outer_types(metadata)
        self._known: dict[int, bytes] = {}

    def type(self, type_id: int) -> str:
        return self._hash(type_id).hex()

    def words(self, type_id: int) -> str:
        """The type for people: `Option<Bond>`."""
        types = self.metadata.types
        kind = types[type_id]
        match kind.definition:
            case Composite(fields) if is_transparent(kind):
                return self.words(fields[0].type)
            case Enum() if kind.path in (("Option",), ("Result",)):
                return f"{kind.path[0]}<{', '.join(self.words(part) for part in types.parts(type_id))}>"
            case SequenceOf(item):
                return f"Vec<{self.words(item)}>"
            case ArrayOf(length, item):
                return f"[{self.words(item)}; {length}]"
            case TupleOf(items):
                return f"({', '.join(self.words(item) for item in items)})"
            case CompactOf(inner):
                return f"Compact<{self.words(inner)}>"
            case _:
                return kind.path[-1] if kind.path else types.name(type_id)

    def storage(self, entry: StorageEntry) -> str:
        keys = [part for hasher, key in entry.keys for part in (hasher.encode(), self._hash(key))]
        default = b"optional" if entry.optional else b"default"
        return _digest(
            b"storage", entry.prefix.encode(), default, *keys, b"to", self._hash(entry.value)
        ).hex()

    def variant(self, kind: Outer, pallet: str, variant: VariantDef) -> str:
        """A call, an event or an error. Indices are left out: they are looked up by name."""
        parts = [part for field in variant.fields for part in self._field(field)]
        return _digest(kind.encode(), pallet.encode(), variant.name.encode(), *parts).hex()

    def constant(self, type_id: int) -> str:
        return _digest(b"constant", self._hash(type_id)).hex()

    def function(self, function: Function) -> str:
        """A view function or the method of an API: its inputs by name and order, and its output."""
        inputs = [part for name, type_id in function.inputs for part in (name.encode(), self._hash(type_id))]
        return _digest(b"function", *inputs, b"to", self._hash(function.output)).hex()

    def _hash(self, type_id: int) -> bytes:
        return self._visit(type_id, {})[0]

    def _visit(self, type_id: int, above: dict[int, int]) -> tuple[bytes, int]:
        """(hash, how far up the types under construction it refers). A recursive type is told by how many levels
        above it began; only what refers to nothing above it has a hash of its own that can be kept."""
        if type_id in self._known:
            return self._known[type_id], NEVER
        if type_id in above:
            return _digest(b"recursive", bytes([len(above) - above[type_id] & 255])), above[type_id]
        if type_id in self.outer:
            return _digest(b"outer", self.outer[type_id].encode()), NEVER
        depth = len(above)
        parts, lowest = self._parts(self.metadata.types[type_id], above | {type_id: depth})
        digest = parts[0] if len(parts) == 1 else _digest(*parts)
        if lowest >= depth:
            self._known[type_id], lowest = digest, NEVER
        return digest, lowest

    def _parts(self, kind: Type, above: dict[int, int]) -> tuple[list[bytes], int]:
        name = (kind.path[-1] if kind.path else "").encode()
        match kind.definition:
            case Primitive(text):
                return [b"primitive", text.encode()], NEVER
            case Composite(fields) if is_transparent(kind):
                return self._children([], [fields[0].type], above)
            case Composite(fields):
                return self._fields([b"struct", name], fields, above)
            case Enum(variants):
                parts, lowest = [b"enum", name], NEVER
                for variant in variants:
                    head = [b"variant", variant.name.encode(), bytes([variant.index])]
                    inner, low = self._fields(head, variant.fields, above)
                    parts, lowest = parts + inner, min(lowest, low)
                return parts, lowest
            case SequenceOf(item):
                return self._children([b"sequence"], [item], above)
            case ArrayOf(length, item):
                return self._children([b"array", str(length).encode()], [item], above)
            case TupleOf(items):
                return self._children([b"tuple", str(len(items)).encode()], items, above)
            case CompactOf(inner_id):
                return self._children([b"compact"], [inner_id], above)
            case BitSequence(store, order):
                return self._children([b"bits"], [store, order], above)

    def _fields(
        self, head: list[bytes], fields: Sequence[Field], above: dict[int, int]
    ) -> tuple[list[bytes], int]:
        parts, lowest = [*head, str(len(fields)).encode()], NEVER
        for field in fields:
            digest, low = self._visit(field.type, above)
            parts, lowest = [*parts, (field.name or "").encode(), digest], min(lowest, low)
        return parts, lowest

    def _children(
        self, head: list[bytes], items: Iterable[int], above: dict[int, int]
    ) -> tuple[list[bytes], int]:
        found = [self._visit(item, above) for item in items]
        return head + [digest for digest, _ in found], min((low for _, low in found), default=NEVER)

    def _field(self, field: Field) -> tuple[bytes, bytes]:
        return (field.name or "").encode(), self._hash(field.type)


def _digest(*parts: bytes) -> bytes:
    """Parts are told apart by their lengths."""
    state = hashlib.blake2b(digest_size=SIZE)
    for part in parts:
        state.update(len(part).to_bytes(4, "little") + part)
    return state.digest()
