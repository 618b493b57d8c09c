"""Decoders compiled once per type id: `decode(data, pos) -> (value, new pos)`. Value shapes: see `values.py`.

Decoders may raise IndexError, struct.error and UnicodeDecodeError on cut-off input; `TypeCodec` turns all of
them into DecodeError. No decoder allocates more than the input is long (times a constant)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from llmnet.chain.errors import DecodeError
from llmnet.chain.registry import (
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
    TypeRegistry,
)
from llmnet.chain.scale import decode_compact
from llmnet.chain.values import Some, Variant

Decoder = Callable[[bytes, int], tuple[Any, int]]
MAX_EMPTY_ITEMS = 1 << 16  # items that take no bytes: their announced number is not bounded by the input
_STRUCTS = {
    "u8": "B",
    "u16": "<H",
    "u32": "<I",
    "u64": "<Q",
    "i8": "b",
    "i16": "<h",
    "i32": "<i",
    "i64": "<q",
}
WIDE = {"u128": (16, False), "u256": (32, False), "i128": (16, True), "i256": (32, True)}


class DecoderCompiler:
    def __init__(self, types: TypeRegistry) -> None:
        self.types = types
        self._done: dict[int, Decoder] = {}

    def get(self, type_id: int) -> Decoder:
        """The decoder of a type; a type under construction (recursion) is reached through its id at run
        time."""
        if type_id in self._done:
            return self._done[type_id]
        self._done[type_id] = lambda data, pos: self._done[type_id](data, pos)
        try:
            self._done[type_id] = self._build(type_id, self.types[type_id])
        except Exception:
            del self._done[type_id]  # what cannot be built says so every time
            raise
        return self._done[type_id]

    def _build(self, type_id: int, kind: Type) -> Decoder:
        match kind.definition:
            case Primitive(name):
                return _primitive(name)
            case CompactOf(inner):
                return self._compact(inner)
            case Composite(fields):
                return self._struct(type_id, fields)
            case Enum() as definition:
                return (
                    self._option(definition) if kind.path == ("Option",) else self._enum(type_id, definition)
                )
            case SequenceOf(item):
                return _byte_sequence if is_u8(self.types, item) else self._sequence(item)
            case ArrayOf(length, item):
                return _byte_array(length) if is_u8(self.types, item) else self._array(length, item)
            case TupleOf(items):
                return _tuple([self.get(item) for item in items])
            case BitSequence(store, order):
                return _bits(*bit_layout(self.types, store, order))

    def _struct(self, type_id: int, fields: tuple[Field, ...]) -> Decoder:  # noqa: ARG002 - for a subclass
        return self._fields(fields)

    def _fields(self, fields: tuple[Field, ...]) -> Decoder:
        decoders = [self.get(field.type) for field in fields]
        if not fields or fields[0].name is None:
            return decoders[0] if len(fields) == 1 else _tuple(decoders)
        pairs = [(str(field.name), decoder) for field, decoder in zip(fields, decoders, strict=True)]

        def decode(data: bytes, pos: int) -> tuple[Any, int]:
            value = {}
            for name, decoder in pairs:
                value[name], pos = decoder(data, pos)
            return value, pos

        return decode

    def _enum(self, type_id: int, definition: Enum) -> Decoder:  # noqa: ARG002 - for a subclass
        table: dict[int, tuple[str, Decoder | None]] = {
            variant.index: (variant.name, self._fields(variant.fields) if variant.fields else None)
            for variant in definition.variants
        }
        units = {index: Variant(name) for index, (name, fields) in table.items() if fields is None}

        def decode(data: bytes, pos: int) -> tuple[Any, int]:
            index = data[pos]
            if index in units:
                return units[index], pos + 1
            if index not in table:
                raise DecodeError(
                    f"no variant {index}; known are {', '.join(name for name, _ in table.values())}"
                )
            name, fields = table[index]
            assert fields is not None
            value, pos = fields(data, pos + 1)
            return Variant(name, value), pos

        return decode

    def _option(self, definition: Enum) -> Decoder:
        inner_id = option_inner(definition)
        inner, nested = self.get(inner_id), is_option(self.types, inner_id)

        def decode(data: bytes, pos: int) -> tuple[Any, int]:
            tag = data[pos]
            if tag == 0:
                return None, pos + 1
            if tag != 1:
                raise DecodeError(f"option tag {tag}")
            value, pos = inner(data, pos + 1)
            return (Some(value) if nested else value), pos

        return decode

    def _sequence(self, item: int) -> Decoder:
        decoder, empty = self.get(item), self.types.is_empty(item)

        def decode(data: bytes, pos: int) -> tuple[Any, int]:
            count, pos = decode_compact(data, pos)
            if count > (MAX_EMPTY_ITEMS if empty else len(data) - pos):
                raise DecodeError(f"{count} items announced, {len(data) - pos} bytes left")
            items = []
            for _ in range(count):
                value, pos = decoder(data, pos)
                items.append(value)
            return items, pos

        return decode

    def _array(self, length: int, item: int) -> Decoder:
        decoder = self.get(item)

        def decode(data: bytes, pos: int) -> tuple[Any, int]:
            items = []
            for _ in range(length):
                value, pos = decoder(data, pos)
                items.append(value)
            return items, pos

        return decode

    def _compact(self, inner: int) -> Decoder:
        limit = compact_limit(self.types, inner)
        if limit is None:  # Compact<()>
            return _tuple([])

        def decode(data: bytes, pos: int) -> tuple[Any, int]:
            value, pos = decode_compact(data, pos)
            if value > limit:
                raise DecodeError(f"compact {value} is larger than its type")
            return value, pos

        return decode


def is_u8(types: TypeRegistry, type_id: int) -> bool:
    return types[type_id].definition == Primitive("u8")


def is_option(types: TypeRegistry, type_id: int) -> bool:
    """Whether None is one of the type's values; looks through newtypes, which are transparent."""
    kind = types[type_id]
    if isinstance(kind.definition, Composite):
        fields = kind.definition.fields
        return len(fields) == 1 and fields[0].name is None and is_option(types, fields[0].type)
    return kind.path == ("Option",)


def option_inner(definition: Enum) -> int:
    some = definition.find("Some")
    if some is None or len(some.fields) != 1:
        raise DecodeError("the registry's Option has no Some(value)")
    return some.fields[0].type


def compact_limit(types: TypeRegistry, inner: int) -> int | None:
    """The largest value of `Compact<inner>`; None for the compact of nothing. Newtypes are looked through."""
    match types[inner].definition:
        case Primitive(name) if name.startswith("u"):
            return (1 << int(name[1:])) - 1
        case Composite(fields) if len(fields) == 1:
            return compact_limit(types, fields[0].type)
        case Composite(()) | TupleOf(()):
            return None
        case _:
            raise DecodeError(f"Compact<{types.name(inner)}> is not an integer")


def bit_layout(types: TypeRegistry, store: int, order: int) -> tuple[int, bool]:
    """(bytes per store item, most significant bit first)."""
    width = types[store].definition
    if not isinstance(width, Primitive) or not width.name.startswith("u"):
        raise DecodeError("a bit sequence stores its bits in something else than unsigned integers")
    return int(width.name[1:]) // 8, types[order].path[-1:] == ("Msb0",)


def _primitive(name: str) -> Decoder:
    if name == "bool":
        return _bool
    if name == "str":
        return _text
    if name == "char":
        return _char
    if name in WIDE:
        return _wide(*WIDE[name])
    return _fixed(struct.Struct(_STRUCTS[name]))


def _fixed(layout: struct.Struct) -> Decoder:
    unpack, size = layout.unpack_from, layout.size

    def decode(data: bytes, pos: int) -> tuple[Any, int]:
        return unpack(data, pos)[0], pos + size

    return decode


def _wide(size: int, signed: bool) -> Decoder:
    def decode(data: bytes, pos: int) -> tuple[Any, int]:
        end = pos + size
        if end > len(data):
            raise DecodeError("integer is cut off")
        return int.from_bytes(data[pos:end], "little", signed=signed), end

    return decode


def _bool(data: bytes, pos: int) -> tuple[Any, int]:
    if data[pos] > 1:
        raise DecodeError(f"bool {data[pos]}")
    return data[pos] == 1, pos + 1


def _byte_sequence(data: bytes, pos: int) -> tuple[bytes, int]:
    size, pos = decode_compact(data, pos)
    end = pos + size
    if end > len(data):
        raise DecodeError(f"{size} bytes announced, {len(data) - pos} left")
    return data[pos:end], end


def _text(data: bytes, pos: int) -> tuple[Any, int]:
    raw, pos = _byte_sequence(data, pos)
    return raw.decode(), pos


def _char(data: bytes, pos: int) -> tuple[Any, int]:
    code = int.from_bytes(data[pos : pos + 4], "little")
    if pos + 4 > len(data) or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise DecodeError("char is cut off or not a Unicode scalar")
    return chr(code), pos + 4


def _byte_array(length: int) -> Decoder:
    def decode(data: bytes, pos: int) -> tuple[Any, int]:
        end = pos + length
        if end > len(data):
            raise DecodeError(f"wanted {length} bytes, {len(data) - pos} left")
        return data[pos:end], end

    return decode


def _tuple(decoders: list[Decoder]) -> Decoder:
    def decode(data: bytes, pos: int) -> tuple[Any, int]:
        items = []
        for decoder in decoders:
            value, pos = decoder(data, pos)
            items.append(value)
        return tuple(items), pos

    return decode


def _bits(width: int, msb_first: bool) -> Decoder:
    def decode(data: bytes, pos: int) -> tuple[Any, int]:
        count, pos = decode_compact(data, pos)
        words = -(-count // (8 * width))
        if pos + words * width > len(data):
            raise DecodeError("bit sequence is cut off")
        bits: list[bool] = []
        for _ in range(words):
            word = int.from_bytes(data[pos : pos + width], "little")
            pos += width
            places = range(8 * width)
            bits.extend(bool(word >> place & 1) for place in (reversed(places) if msb_first else places))
        return bits[:count], pos

    return decode
