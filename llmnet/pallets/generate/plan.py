"""Which Python type each type of a runtime becomes, and under which name."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Literal

from llmnet.chain import Metadata
from llmnet.chain.decoder import is_option, is_u8, option_inner
from llmnet.chain.encoder import attributes_of, constant_name
from llmnet.chain.registry import (
    ArrayOf,
    BitSequence,
    CompactOf,
    Composite,
    Enum,
    Primitive,
    SequenceOf,
    TupleOf,
    Type,
)
from llmnet.chain.shapes import Shapes, is_transparent

from .errors import SubstituteError
from .words import pascal, python_name

Kind = Literal["alias", "struct", "members", "union", "never", "foreign"]
# Written where they are used; their names say nothing that the Python type does not.
_INLINE = frozenset({"BTreeMap", "BTreeSet", "Cow", "Box", "Option", "Result"})


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """A named Python type. `source`: module and name of the class that stands for it, if one does."""

    name: str
    kind: Kind
    type_id: int
    shape: str
    source: tuple[str, str] | None = None


class Plan:
    """The named types that are reached from some entries, and annotations for all types.

    substitutes: classes that exist already, by the path of their type. Raises SubstituteError if one does not fit."""

    def __init__(self, metadata: Metadata, roots: Iterable[int], substitutes: Mapping[str, str]) -> None:
        self.metadata, self.types, self.shapes = metadata, metadata.types, Shapes(metadata)
        self.substitutes = substitutes
        reached = self._reached(roots)
        self.planned: dict[str, Planned] = {}  # by shape
        self._name(reached)

    def of(self, type_id: int) -> Planned | None:
        """The named type, if it has a name of its own."""
        return self.planned.get(self.shapes.type(type_id)) if self._kind(type_id) else None

    def __iter__(self) -> Iterator[Planned]:
        return iter(sorted(self.planned.values(), key=lambda planned: planned.name))

    def annotation(self, type_id: int, prefix: str = "t.", *, given: bool = False) -> str:
        """The annotation of values of the type; `given` for arguments, which may be any sequence or mapping."""
        if type_id in self.shapes.outer:
            return "Call" if self.shapes.outer[type_id] == "call" else "Variant"
        planned = self.of(type_id)
        if planned is not None:
            name = prefix + planned.name
            return f"{name} | bytes" if given and self._is_address(type_id) else name
        return self.structure(type_id, prefix, given=given)

    def structure(self, type_id: int, prefix: str = "", *, given: bool = False) -> str:
        """The annotation of what the type is made of."""

        def of(inner: int) -> str:
            return self.annotation(inner, prefix, given=given)

        kind = self.types[type_id]
        match kind.definition:
            case Primitive(name):
                return {"bool": "bool", "char": "str", "str": "str"}.get(name, "int")
            case CompactOf(inner):
                return "tuple[()]" if self.types.is_empty(inner) else "int"
            case SequenceOf(item) | ArrayOf(_, item):
                if is_u8(self.types, item):
                    return "bytes"
                return f"Sequence[{of(item)}]" if given else f"tuple[{of(item)}, ...]"
            case BitSequence():
                return "Sequence[bool]" if given else "list[bool]"
            case TupleOf(items):
                return f"tuple[{', '.join(of(item) for item in items) or '()'}]"
            case Composite(fields) if kind.path == ("BTreeMap",):
                return self._map(fields[0].type, prefix, given)
            case Composite(fields) if len(fields) == 1 and fields[0].name is None:
                return of(fields[0].type)
            case Composite(fields):
                return f"tuple[{', '.join(of(field.type) for field in fields) or '()'}]"
            case Enum() as definition:
                return self._choice(kind, definition, of)

    def _choice(self, kind: Type, definition: Enum, of: Callable[[int], str]) -> str:
        """An Option or a Result; all other enums have names."""
        if kind.path == ("Option",):
            inner = option_inner(definition)
            return f"Some[{of(inner)}] | None" if is_option(self.types, inner) else f"{of(inner)} | None"
        cases = [f"{variant.name}[{of(variant.fields[0].type)}]" for variant in definition.variants]
        return " | ".join(cases)

    def _map(self, pairs: int, prefix: str, given: bool) -> str:
        sequence = self.types[pairs].definition
        pair = self.types[sequence.item].definition if isinstance(sequence, SequenceOf) else None
        assert isinstance(pair, TupleOf)
        inner = ", ".join(self.annotation(item, prefix, given=given) for item in pair.items)
        return f"{'Mapping' if given else 'dict'}[{inner}]"

    def _is_address(self, type_id: int) -> bool:
        return self.types[type_id].path[-1:] == ("MultiAddress",)

    def _reached(self, roots: Iterable[int]) -> list[int]:
        """Type ids below the roots in the order in which they are met; not below the runtime's own enums."""
        order: dict[int, None] = {}
        waiting = list(roots)[::-1]
        while waiting:
            type_id = waiting.pop()
            if type_id not in order and type_id not in self.shapes.outer:
                order[type_id] = None
                waiting.extend(reversed(self.types.parts(type_id)))
        return list(order)

    def _kind(self, type_id: int) -> Kind | None:
        kind = self.types[type_id]
        if not kind.path or kind.path[-1] in _INLINE or is_transparent(kind) or type_id in self.shapes.outer:
            return None
        if "::".join(kind.path) in self.substitutes:
            return "foreign"
        match kind.definition:
            case Composite(fields) if fields and fields[0].name is not None:
                return "struct"
            case Composite(fields):
                return "alias" if len(fields) == 1 else None
            case Enum(()):
                return "never"
            case Enum(variants):
                return "union" if any(variant.fields for variant in variants) else "members"
            case _:
                return None

    def _name(self, reached: Iterable[int]) -> None:
        """Each shape gets one name. Where several have the same, all of them take the first longer form that tells
        them apart."""
        groups: dict[str, dict[str, int]] = {}
        for type_id in reached:
            if self._kind(type_id) is not None:
                group = groups.setdefault(self.types[type_id].path[-1], {})
                group.setdefault(self.shapes.type(type_id), type_id)
        taken: set[str] = set()
        for last in sorted(groups):
            names = self._distinct(groups[last])
            for shape, type_id in groups[last].items():
                name = names[shape]
                while name in taken:
                    name += "_"
                taken.add(name)
                self._add(name, type_id, shape)

    def _distinct(self, group: Mapping[str, int]) -> dict[str, str]:
        for form in (self._short, self._with_crate, self._with_parameters):
            names = {shape: python_name(form(self.types[type_id])) for shape, type_id in group.items()}
            if len(set(names.values())) == len(names):
                return names
        return {shape: f"{name}{place}" for place, (shape, name) in enumerate(sorted(names.items()), 1)}

    def _short(self, kind: Type) -> str:
        return kind.path[-1]

    def _with_crate(self, kind: Type) -> str:
        return pascal(kind.path[0]) + kind.path[-1]

    def _with_parameters(self, kind: Type) -> str:
        inner = [self.types.name(type_id) for _, type_id in kind.params if type_id is not None]
        return kind.path[-1] + "".join(pascal(name.rsplit("::", 1)[-1]) for name in inner)

    def _add(self, name: str, type_id: int, shape: str) -> None:
        kind = self._kind(type_id)
        assert kind is not None
        source = None
        if kind == "foreign":
            module, _, source_name = self.substitutes["::".join(self.types[type_id].path)].partition(":")
            check_substitute(self.types[type_id], module, source_name)
            source = (module, source_name)
        self.planned[shape] = Planned(name, kind, type_id, shape, source)


def check_substitute(kind: Type, module: str, name: str) -> None:
    """Raises SubstituteError unless the class has the type's fields in their order, or its variants with their
    indices."""
    path = "::".join(kind.path)
    known = getattr(importlib.import_module(module), name, None)
    if known is None:
        raise SubstituteError(f"{module} has no {name} to stand for {path}")
    match kind.definition:
        case Composite(fields):
            ours = [field for _, field in attributes_of(known) or ()]
            theirs = [str(field.name) for field in fields]
        case Enum(variants) if isinstance(known, type) and issubclass(known, IntEnum):
            ours = [f"{member.name} = {member.value}" for member in known]
            theirs = [f"{constant_name(variant.name)} = {variant.index}" for variant in variants]
        case _:
            raise SubstituteError(
                f"{module}.{name} cannot stand for {path}: only structs and plain enums can"
            )
    if ours != theirs:
        raise SubstituteError(
            f"{module}.{name} has ({', '.join(ours)}), the runtime's {path} ({', '.join(theirs)})"
        )
