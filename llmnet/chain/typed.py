"""Decoding into generated classes: which class a type of some runtime is, found by its shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from typing import Any

from llmnet.chain.decoder import Decoder, DecoderCompiler
from llmnet.chain.errors import DecodeError
from llmnet.chain.registry import Composite, Enum, Field, Type, TypeRegistry
from llmnet.chain.shapes import Shapes
from llmnet.chain.values import Call, Err, Ok, Tagged, Variant

Struct = Callable[..., Any]
Known = type[Any] | tuple[type[Tagged], ...]


class TypeTable:
    """The classes of one generated package by the shape of their type: a class for a struct, an IntEnum for an enum
    whose variants have no fields, a class per variant for any other.

    refusals: what constructors raise for values that the chain would hold and the class does not."""

    def __init__(self, classes: Mapping[str, Known], refusals: Iterable[type[Exception]] = ()) -> None:
        self.classes = dict(classes)
        self.refusals: tuple[type[Exception], ...] = (ValueError, *refusals)

    def named(self, name: str) -> Known | None:
        """The class of that name, to tell what has changed about it."""
        for known in self.classes.values():
            if not isinstance(known, tuple) and known.__name__ == name:
                return known
            if isinstance(known, tuple) and all(kind.__name__ == name + kind.VARIANT for kind in known):
                return known
        return None


class TypedDecoderCompiler(DecoderCompiler):
    """Structs and variants become instances of the table's classes, sequences tuples, maps dicts."""

    def __init__(self, types: TypeRegistry, shapes: Shapes, table: TypeTable) -> None:
        super().__init__(types)
        self.shapes, self.table = shapes, table

    def _struct(self, type_id: int, fields: tuple[Field, ...]) -> Decoder:
        if len(fields) == 1 and fields[0].name is None:
            inner = self.get(fields[0].type)
            return _mapping(inner) if self.types[type_id].path == ("BTreeMap",) else inner
        if not fields or fields[0].name is None:
            return self._fields(fields)
        return self._made(self._class(type_id), fields)

    def _enum(self, type_id: int, definition: Enum) -> Decoder:
        if self.shapes.outer.get(type_id) == "call":
            return self._call(definition)
        if type_id in self.shapes.outer:
            return DecoderCompiler(self.types).get(type_id)
        if self.types[type_id].path == ("Result",):
            return self._variants(
                {variant.name: (Ok, Err)[variant.name == "Err"] for variant in definition.variants},
                definition,
            )
        known = self._class(type_id)
        if isinstance(known, tuple):
            return self._variants({kind.VARIANT: kind for kind in known}, definition)
        assert issubclass(known, IntEnum)
        return _member(known)

    def _call(self, definition: Enum) -> Decoder:
        """A nested call keeps plain arguments: it may be one that this program does not know."""
        plain = DecoderCompiler(self.types)
        pallets = {
            variant.index: (variant.name, plain.get(variant.fields[0].type))
            for variant in definition.variants
        }

        def decode(data: bytes, pos: int) -> tuple[Any, int]:
            if data[pos] not in pallets:
                raise DecodeError(f"no pallet {data[pos]} in a call")
            name, decoder = pallets[data[pos]]
            inner, pos = decoder(data, pos + 1)
            assert isinstance(inner, Variant)
            return Call(name, inner.name, inner.value if isinstance(inner.value, dict) else {}), pos

        return decode

    def _variants(self, classes: Mapping[str, Struct], definition: Enum) -> Decoder:
        table = {
            variant.index: self._made(classes[variant.name], variant.fields)
            for variant in definition.variants
        }

        def decode(data: bytes, pos: int) -> tuple[Any, int]:
            decoder = table.get(data[pos])
            if decoder is None:
                raise DecodeError(f"no variant {data[pos]}; known are {', '.join(classes)}")
            return decoder(data, pos + 1)

        return decode

    def _made(self, kind: Struct, fields: tuple[Field, ...]) -> Decoder:
        decoders = [self.get(field.type) for field in fields]
        refusals = self.table.refusals

        def decode(data: bytes, pos: int) -> tuple[Any, int]:
            values = []
            for decoder in decoders:
                value, pos = decoder(data, pos)
                values.append(value)
            try:
                return kind(*values), pos
            except refusals as error:
                if isinstance(error, DecodeError):
                    raise
                raise DecodeError(f"{getattr(kind, '__name__', kind)}: {error}") from error

        return decode

    def _sequence(self, item: int) -> Decoder:
        return _as_tuple(super()._sequence(item))

    def _array(self, length: int, item: int) -> Decoder:
        return _as_tuple(super()._array(length, item))

    def _class(self, type_id: int) -> Any:
        known = self.table.classes.get(self.shapes.type(type_id))
        if known is None:
            raise DecodeError(f"no class is generated for {self.types.name(type_id)}")
        return known


def is_map(kind: Type) -> bool:
    return kind.path == ("BTreeMap",) and isinstance(kind.definition, Composite)


def _as_tuple(inner: Decoder) -> Decoder:
    def decode(data: bytes, pos: int) -> tuple[Any, int]:
        items, pos = inner(data, pos)
        return tuple(items), pos

    return decode


def _mapping(inner: Decoder) -> Decoder:
    def decode(data: bytes, pos: int) -> tuple[Any, int]:
        pairs, pos = inner(data, pos)
        return dict(pairs), pos

    return decode


def _member(kind: type[IntEnum]) -> Decoder:
    members = {int(member): member for member in kind}

    def decode(data: bytes, pos: int) -> tuple[Any, int]:
        member = members.get(data[pos])
        if member is None:
            raise DecodeError(f"{kind.__name__} has no variant {data[pos]}")
        return member, pos + 1

    return decode


__all__ = ["TypeTable", "TypedDecoderCompiler", "is_map"]
