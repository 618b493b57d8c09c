"""Encoders compiled once per type id: `encode(value, out)` appends to a bytearray.

Strict on purpose, since transactions carry money: no silent truncation, no float or bool for an integer, no
missing or unknown field, no text for bytes. Three conveniences: a plain string names an enum's variant
without fields, 32 bytes stand for `MultiAddress::Id`, and a `Call` stands for the runtime's call enum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llmnet.chain.decoder import bit_layout, compact_limit, is_option, is_u8, option_inner
from llmnet.chain.errors import EncodeError
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
from llmnet.chain.scale import encode_compact
from llmnet.chain.values import Call, Some, Variant

Encoder = Callable[[Any, bytearray], None]


class EncoderCompiler:
    def __init__(self, types: TypeRegistry) -> None:
        self.types = types
        self._done: dict[int, Encoder] = {}

    def get(self, type_id: int) -> Encoder:
        if type_id in self._done:
            return self._done[type_id]
        self._done[type_id] = lambda value, out: self._done[type_id](value, out)
        self._done[type_id] = encoder = self._build(self.types[type_id])
        return encoder

    def _build(self, kind: Type) -> Encoder:
        match kind.definition:
            case Primitive(name):
                return _primitive(name)
            case CompactOf(inner):
                return _compact(compact_limit(self.types, inner))
            case Composite(fields):
                return self._fields(fields)
            case Enum() as definition:
                return self._option(definition) if kind.path == ("Option",) else self._enum(kind, definition)
            case SequenceOf(item):
                return _byte_sequence if is_u8(self.types, item) else self._sequence(item)
            case ArrayOf(length, item):
                return _byte_array(length) if is_u8(self.types, item) else self._array(length, item)
            case TupleOf(items):
                return _tuple([self.get(item) for item in items])
            case BitSequence(store, order):
                return _bits(*bit_layout(self.types, store, order))

    def _fields(self, fields: tuple[Field, ...]) -> Encoder:
        encoders = [self.get(field.type) for field in fields]
        if not fields or fields[0].name is None:
            return encoders[0] if len(fields) == 1 else _tuple(encoders)
        pairs = [(str(field.name), encoder) for field, encoder in zip(fields, encoders, strict=True)]
        names = {name for name, _ in pairs}

        def encode(value: Any, out: bytearray) -> None:
            if not isinstance(value, Mapping):
                raise EncodeError(
                    f"wanted a mapping with {', '.join(sorted(names))}, got {type(value).__name__}"
                )
            if value.keys() != names:
                raise EncodeError(_field_difference(names, value))
            for name, encoder in pairs:
                try:
                    encoder(value[name], out)
                except EncodeError as error:
                    raise error.inside(name) from None

        return encode

    def _enum(self, kind: Type, definition: Enum) -> Encoder:
        table: dict[str, tuple[int, Encoder | None]] = {
            variant.name: (variant.index, self._fields(variant.fields) if variant.fields else None)
            for variant in definition.variants
        }
        is_address = kind.path[-1:] == ("MultiAddress",)

        def encode(value: Any, out: bytearray) -> None:
            variant = _as_variant(value, is_address)
            if variant.name not in table:
                raise EncodeError(f"no variant {variant.name!r}; known are {', '.join(table)}")
            index, fields = table[variant.name]
            out.append(index)
            if fields is None:
                if variant.value is not None and variant.value != {}:
                    raise EncodeError(f"variant {variant.name} has no fields")
                return
            try:
                fields(variant.value, out)
            except EncodeError as error:
                raise error.inside(variant.name) from None

        return encode

    def _option(self, definition: Enum) -> Encoder:
        inner_id = option_inner(definition)
        inner, nested = self.get(inner_id), is_option(self.types, inner_id)

        def encode(value: Any, out: bytearray) -> None:
            if value is None:
                out.append(0)
                return
            if nested and not isinstance(value, Some):
                raise EncodeError("an Option of an Option needs Some(value)")
            out.append(1)
            inner(value.value if isinstance(value, Some) else value, out)

        return encode

    def _sequence(self, item: int) -> Encoder:
        encoder = self.get(item)

        def encode(value: Any, out: bytearray) -> None:
            items = list(value.items()) if isinstance(value, Mapping) else _items(value)
            out += encode_compact(len(items))
            _each(encoder, items, out)

        return encode

    def _array(self, length: int, item: int) -> Encoder:
        encoder = self.get(item)

        def encode(value: Any, out: bytearray) -> None:
            items = _items(value)
            if len(items) != length:
                raise EncodeError(f"wanted {length} items, got {len(items)}")
            _each(encoder, items, out)

        return encode


def _each(encoder: Encoder, items: Sequence[Any], out: bytearray) -> None:
    for index, item in enumerate(items):
        try:
            encoder(item, out)
        except EncodeError as error:
            raise error.inside(f"[{index}]") from None


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, (list, tuple)):
        return value
    raise EncodeError(f"wanted a list, got {type(value).__name__}")


def _as_variant(value: Any, is_address: bool) -> Variant:
    if isinstance(value, Variant):
        return value
    if isinstance(value, Call):
        return Variant(value.pallet, Variant(value.function, value.args))
    if isinstance(value, str):
        return Variant(value)
    if is_address and isinstance(value, bytes) and len(value) == 32:
        return Variant("Id", value)
    raise EncodeError(f"wanted a Variant, got {type(value).__name__}")


def _field_difference(names: set[str], value: Mapping[str, Any]) -> str:
    missing, extra = sorted(names - value.keys()), sorted(map(str, value.keys() - names))
    parts = [f"missing {', '.join(missing)}"] * bool(missing) + [f"unknown {', '.join(extra)}"] * bool(extra)
    return f"fields do not fit: {'; '.join(parts)}"


def _primitive(name: str) -> Encoder:
    if name == "bool":
        return _bool
    if name == "str":
        return _text
    if name == "char":
        return _char
    size, signed = int(name[1:]) // 8, name[0] == "i"
    return _integer(name, size, signed)


def _check_int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise EncodeError(f"wanted an integer, got {type(value).__name__}")
    return value


def _integer(name: str, size: int, signed: bool) -> Encoder:
    def encode(value: Any, out: bytearray) -> None:
        try:
            out += _check_int(value).to_bytes(size, "little", signed=signed)
        except OverflowError:
            raise EncodeError(f"{value} does not fit {name}") from None

    return encode


def _compact(limit: int | None) -> Encoder:
    def encode(value: Any, out: bytearray) -> None:
        if limit is None:
            return
        if not 0 <= _check_int(value) <= limit:
            raise EncodeError(f"{value} does not fit a compact integer up to {limit}")
        out += encode_compact(value)

    return encode


def _bool(value: Any, out: bytearray) -> None:
    if not isinstance(value, bool):
        raise EncodeError(f"wanted a bool, got {type(value).__name__}")
    out.append(value)


def _text(value: Any, out: bytearray) -> None:
    if not isinstance(value, str):
        raise EncodeError(f"wanted a str, got {type(value).__name__}")
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        raise EncodeError("text has lone surrogates") from None
    out += encode_compact(len(raw)) + raw


def _char(value: Any, out: bytearray) -> None:
    if not isinstance(value, str) or len(value) != 1 or 0xD800 <= ord(value) < 0xE000:
        raise EncodeError("wanted one character")
    out += ord(value).to_bytes(4, "little")


def _raw(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise EncodeError(f"wanted bytes, got {type(value).__name__}")
    return bytes(value)


def _byte_sequence(value: Any, out: bytearray) -> None:
    raw = _raw(value)
    out += encode_compact(len(raw)) + raw


def _byte_array(length: int) -> Encoder:
    def encode(value: Any, out: bytearray) -> None:
        raw = _raw(value)
        if len(raw) != length:
            raise EncodeError(f"wanted {length} bytes, got {len(raw)}")
        out += raw

    return encode


def _tuple(encoders: list[Encoder]) -> Encoder:
    def encode(value: Any, out: bytearray) -> None:
        items = () if value is None and not encoders else _items(value)
        if len(items) != len(encoders):
            raise EncodeError(f"wanted {len(encoders)} items, got {len(items)}")
        for index, (encoder, item) in enumerate(zip(encoders, items, strict=True)):
            try:
                encoder(item, out)
            except EncodeError as error:
                raise error.inside(str(index)) from None

    return encode


def _bits(width: int, msb_first: bool) -> Encoder:
    def encode(value: Any, out: bytearray) -> None:
        bits = _items(value)
        if not all(isinstance(bit, bool) for bit in bits):
            raise EncodeError("wanted a list of bool")
        out += encode_compact(len(bits))
        per_word = 8 * width
        for start in range(0, len(bits), per_word):
            word = 0
            for place, bit in enumerate(bits[start : start + per_word]):
                word |= bit << (per_word - 1 - place if msb_first else place)
            out += word.to_bytes(width, "little")

    return encode
