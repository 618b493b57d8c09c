"""Encoders compiled once per type id: `encode(value, out)` appends to a bytearray.

Strict on purpose, since transactions carry money: no silent truncation, no float or bool for an integer, no
missing or unknown field, no text for bytes. A value is plain or of a generated class (see `values.py`). Three
conveniences: a plain string names an enum's variant without fields, 32 bytes stand for `MultiAddress::Id`, and a
`Call` stands for the runtime's call enum."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

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
    VariantDef,
)
from llmnet.chain.scale import encode_compact
from llmnet.chain.values import Call, Err, Ok, Some, Tagged, Variant

Encoder = Callable[[Any, bytearray], None]
_ATTRIBUTES: WeakKeyDictionary[type[Any], tuple[tuple[str, str], ...] | None] = WeakKeyDictionary()


class EncoderCompiler:
    """`check_call` is asked before a `Call` is encoded; it raises for one that was written for another runtime."""

    def __init__(self, types: TypeRegistry, check_call: Callable[[Call], None] | None = None) -> None:
        self.types, self.check_call = types, check_call
        self._done: dict[int, Encoder] = {}

    def get(self, type_id: int) -> Encoder:
        if type_id in self._done:
            return self._done[type_id]
        self._done[type_id] = lambda value, out: self._done[type_id](value, out)
        try:
            self._done[type_id] = self._build(self.types[type_id])
        except Exception:
            del self._done[type_id]  # what cannot be built says so every time
            raise
        return self._done[type_id]

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
                value = _attributes(value, names)
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
        members = {variant.index: variant for variant in definition.variants}

        def encode(value: Any, out: bytearray) -> None:
            if isinstance(value, Call) and self.check_call is not None:
                self.check_call(value)
            if isinstance(value, IntEnum):
                variant = _of_member(value, members)
            elif isinstance(value, Tagged):
                variant = _of_tagged(value, definition)
            else:
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
    if isinstance(value, (Ok, Err)):
        return Variant(type(value).__name__, value.value)
    if isinstance(value, str):
        return Variant(value)
    if is_address and isinstance(value, bytes) and len(value) == 32:
        return Variant("Id", value)
    raise EncodeError(f"wanted a Variant, got {type(value).__name__}")


@lru_cache(maxsize=4096)
def constant_name(name: str) -> str:
    """`BF16_FP32_RESIDUAL` for `Bf16Fp32Residual`: what a variant is called as the member of an IntEnum."""
    parts: list[str] = []
    for place, letter in enumerate(name):
        before = name[place - 1 : place]
        after = name[place + 1 : place + 2]
        if letter.isupper() and (
            before.islower() or before.isdigit() or (before.isupper() and after.islower())
        ):
            parts.append("_")
        parts.append(letter.upper())
    return "".join(parts)


def _of_member(value: IntEnum, members: Mapping[int, VariantDef]) -> Variant:
    known = members.get(value.value)
    if known is None or constant_name(known.name) != value.name.rstrip("_"):
        raise EncodeError(f"{value!r} is none of {', '.join(v.name for v in members.values())}")
    return Variant(known.name)


def _of_tagged(value: Tagged, definition: Enum) -> Variant:
    """What the plain form of a generated variant would be."""
    known = definition.find(value.VARIANT)
    if known is None or not known.fields or known.fields[0].name is not None:
        return Variant(value.VARIANT, None if known is not None and not known.fields else value)
    items = tuple(getattr(value, name) for name, _ in attributes_of(type(value)) or ())
    return Variant(value.VARIANT, items[0] if len(known.fields) == len(items) == 1 else items)


def attributes_of(kind: type[Any]) -> tuple[tuple[str, str], ...] | None:
    """(attribute, field) of a dataclass or named tuple, in order; None for any other class. An attribute has a
    trailing underscore where the field's name is a word of Python."""
    if kind not in _ATTRIBUTES:
        _ATTRIBUTES[kind] = _read_attributes(kind)
    return _ATTRIBUTES[kind]


def _read_attributes(kind: type[Any]) -> tuple[tuple[str, str], ...] | None:
    if dataclasses.is_dataclass(kind) and not issubclass(kind, (Variant, Call, Some, Ok, Err)):
        names = tuple(field.name for field in dataclasses.fields(kind))
    elif issubclass(kind, tuple) and hasattr(kind, "_fields"):
        names = tuple(kind._fields)
    else:
        return None
    return tuple((name, name.removesuffix("_")) for name in names)


def _attributes(value: Any, names: set[str]) -> Mapping[str, Any]:
    known = attributes_of(type(value))
    if known is None:
        raise EncodeError(f"wanted a mapping with {', '.join(sorted(names))}, got {type(value).__name__}")
    return {name: getattr(value, attribute) for attribute, name in known}


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
