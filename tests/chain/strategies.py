"""Random values of any type of a registry, and the comparison with scalecodec's idea of the same bytes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from llmnet.chain import Some, Variant, ss58_decode
from llmnet.chain.decoder import compact_limit, is_option, is_u8
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
    TypeRegistry,
)

MAX_ITEMS = 3


class Values:
    """`of(type id)` is a strategy for the type's Python values."""

    def __init__(self, types: TypeRegistry) -> None:
        self.types = types
        self._known: dict[int, st.SearchStrategy[Any]] = {}

    def of(self, type_id: int) -> st.SearchStrategy[Any]:
        if type_id not in self._known:
            self._known[type_id] = st.deferred(lambda: self._build(type_id))
        return self._known[type_id]

    def _build(self, type_id: int) -> st.SearchStrategy[Any]:
        match self.types[type_id].definition:
            case Primitive(name):
                return primitive(name)
            case CompactOf(inner):
                limit = compact_limit(self.types, inner)
                return st.just(()) if limit is None else st.integers(0, limit)
            case Composite(fields):
                return self._fields(fields)
            case Enum() as definition:
                return self._enum(type_id, definition)
            case SequenceOf(item):
                return (
                    st.binary(max_size=40)
                    if is_u8(self.types, item)
                    else st.lists(self.of(item), max_size=MAX_ITEMS)
                )
            case ArrayOf(length, item):
                if is_u8(self.types, item):
                    return st.binary(min_size=length, max_size=length)
                return st.lists(self.of(item), min_size=length, max_size=length)
            case TupleOf(items):
                return st.tuples(*(self.of(item) for item in items))
            case BitSequence():
                return st.lists(st.booleans(), max_size=40)
        raise AssertionError

    def _fields(self, fields: tuple[Field, ...]) -> st.SearchStrategy[Any]:
        if fields and fields[0].name is not None:
            return st.fixed_dictionaries({str(field.name): self.of(field.type) for field in fields})
        if len(fields) == 1:
            return self.of(fields[0].type)
        return st.tuples(*(self.of(field.type) for field in fields))

    def _enum(self, type_id: int, definition: Enum) -> st.SearchStrategy[Any]:
        if self.types[type_id].path == ("Option",):
            inner = definition.variants[1].fields[0].type
            some = self.of(inner).map(Some) if is_option(self.types, inner) else self.of(inner)
            return st.none() | some
        variants = [
            st.builds(Variant, st.just(variant.name), self._fields(variant.fields))
            if variant.fields
            else st.just(Variant(variant.name))
            for variant in definition.variants
        ]
        return st.one_of(variants) if variants else st.nothing()


def primitive(name: str) -> st.SearchStrategy[Any]:
    if name == "bool":
        return st.booleans()
    if name == "str":
        return st.text(max_size=20)
    if name == "char":
        return st.characters(exclude_categories=["Cs"])
    bits = int(name[1:])
    edges = [0, 1, (1 << bits - 1) - 1] + ([-1, -(1 << bits - 1)] if name[0] == "i" else [(1 << bits) - 1])
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if name[0] == "i" else (0, (1 << bits) - 1)
    return st.sampled_from(edges) | st.integers(low, high)


def is_inhabited(types: TypeRegistry, type_id: int) -> bool:
    """Types such as `Void` (an enum without variants) have no values."""
    match types[type_id].definition:
        case Enum(()):
            return False
        case Composite(fields):
            return all(is_inhabited(types, field.type) for field in fields)
        case TupleOf(items):
            return all(is_inhabited(types, item) for item in items)
        case _:
            return True


def contains(
    types: TypeRegistry, type_id: int, names: frozenset[str], seen: frozenset[int] = frozenset()
) -> bool:
    """Whether a type is, or reaches, one whose whole path, or its last part, is one of the names."""
    if type_id in seen:
        return False
    kind, seen = types[type_id], seen | {type_id}
    if kind.path and not names.isdisjoint((kind.path[-1], "::".join(kind.path))):
        return True
    match kind.definition:
        case Composite(fields):
            parts = [field.type for field in fields]
        case Enum(variants):
            parts = [field.type for variant in variants for field in variant.fields]
        case SequenceOf(item) | ArrayOf(_, item) | CompactOf(item):
            parts = [item]
        case TupleOf(items):
            parts = list(items)
        case _:
            parts = []
    return any(contains(types, part, names, seen) for part in parts)


def same(ours: Any, theirs: Any) -> bool:
    """Whether scalecodec's stringly value is the same as ours."""
    match ours:
        case Some(value):
            return same(value, theirs)
        case Variant(name, None):
            return bool(theirs == name or theirs == {name: None})
        case Variant(name, value):
            return isinstance(theirs, dict) and list(theirs) == [name] and same(value, theirs[name])
        case dict():
            return (
                isinstance(theirs, dict)
                and ours.keys() == theirs.keys()
                and all(same(ours[k], theirs[k]) for k in ours)
            )
        case bytes():
            return _same_bytes(ours, theirs)
        case tuple() if not ours:
            return theirs in (None, (), [], {})
        case tuple() | list():
            if len(ours) == 1 and not isinstance(theirs, (list, tuple)):
                return same(ours[0], theirs)
            return (
                isinstance(theirs, (list, tuple))
                and len(ours) == len(theirs)
                and all(same(a, b) for a, b in zip(ours, theirs, strict=True))
            )
        case _:
            return bool(ours == theirs)


def _same_bytes(ours: bytes, theirs: Any) -> bool:
    if isinstance(theirs, (list, tuple)):
        return list(ours) == list(theirs)
    if not isinstance(theirs, str):
        return False
    if theirs == "0x" + ours.hex() or theirs.encode() == ours:
        return True
    return len(ours) == 32 and len(theirs) in (47, 48) and ss58_decode(theirs) == ours
