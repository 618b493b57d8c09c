"""The portable type registry (scale-info) that every metadata version from V14 on carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmnet.chain.errors import MetadataError
from llmnet.chain.scale import Reader

# In the order of scale-info's TypeDefPrimitive.
_UNSIGNED = ("u8", "u16", "u32", "u64", "u128", "u256")
_SIGNED = ("i8", "i16", "i32", "i64", "i128", "i256")
_PRIMITIVES = ("bool", "char", "str", *_UNSIGNED, *_SIGNED)

# Containers with a bound: encoded as, and as good as, what they wrap.
TRANSPARENT = frozenset(
    {"BoundedVec", "WeakBoundedVec", "BoundedBTreeMap", "BoundedBTreeSet", "BoundedSlice", "Box", "Cow"}
)


@dataclass(frozen=True, slots=True)
class Field:
    name: str | None
    type: int
    type_name: str | None
    docs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VariantDef:
    name: str
    fields: tuple[Field, ...]
    index: int
    docs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Composite:
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Enum:
    variants: tuple[VariantDef, ...]

    def find(self, name: str) -> VariantDef | None:
        return next((v for v in self.variants if v.name == name), None)


@dataclass(frozen=True, slots=True)
class SequenceOf:
    item: int


@dataclass(frozen=True, slots=True)
class ArrayOf:
    length: int
    item: int


@dataclass(frozen=True, slots=True)
class TupleOf:
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Primitive:
    name: str


@dataclass(frozen=True, slots=True)
class CompactOf:
    inner: int


@dataclass(frozen=True, slots=True)
class BitSequence:
    store: int
    order: int


TypeDef = Composite | Enum | SequenceOf | ArrayOf | TupleOf | Primitive | CompactOf | BitSequence


@dataclass(frozen=True, slots=True)
class Type:
    path: tuple[str, ...]
    params: tuple[tuple[str, int | None], ...]
    definition: TypeDef
    docs: tuple[str, ...] = ()

    def param(self, name: str) -> int | None:
        return next((type_id for key, type_id in self.params if key == name), None)


class TypeRegistry:
    """Types by id. Ids are dense, as scale-info writes them."""

    def __init__(self, types: Sequence[Type]) -> None:
        self._types = tuple(types)

    def __len__(self) -> int:
        return len(self._types)

    def __getitem__(self, type_id: int) -> Type:
        if not 0 <= type_id < len(self._types):
            raise MetadataError(f"type {type_id} is not in the registry of {len(self._types)} types")
        return self._types[type_id]

    def enum(self, type_id: int) -> Enum:
        definition = self[type_id].definition
        if not isinstance(definition, Enum):
            raise MetadataError(f"type {type_id} is not an enum")
        return definition

    def parts(self, type_id: int) -> tuple[int, ...]:
        """The types directly inside."""
        match self[type_id].definition:
            case Composite(fields):
                return tuple(field.type for field in fields)
            case Enum(variants):
                return tuple(field.type for variant in variants for field in variant.fields)
            case SequenceOf(item) | ArrayOf(_, item) | CompactOf(item):
                return (item,)
            case TupleOf(items):
                return items
            case BitSequence(store, order):
                return store, order
            case Primitive():
                return ()

    def is_empty(self, type_id: int) -> bool:
        """Whether values of the type take no bytes. (Recursive types pass through an enum or a sequence.)"""
        match self[type_id].definition:
            case Composite(fields):
                return all(self.is_empty(field.type) for field in fields)
            case TupleOf(items):
                return all(self.is_empty(item) for item in items)
            case ArrayOf(length, item):
                return length == 0 or self.is_empty(item)
            case CompactOf(inner):
                return self.is_empty(inner)
            case _:
                return False

    def name(self, type_id: int) -> str:
        """A short readable name, for error messages."""
        kind = self[type_id]
        match kind.definition:
            case Primitive(name):
                return name
            case SequenceOf(item):
                return f"Vec<{self.name(item)}>"
            case ArrayOf(length, item):
                return f"[{self.name(item)}; {length}]"
            case TupleOf(items):
                return f"({', '.join(self.name(item) for item in items)})"
            case CompactOf(inner):
                return f"Compact<{self.name(inner)}>"
            case _:
                return "::".join(kind.path) or f"type {type_id}"


def read_registry(reader: Reader) -> TypeRegistry:
    """Reads `PortableRegistry` at the cursor. Raises DecodeError, MetadataError."""

    entries = reader.vec(lambda: (reader.compact(), _read_type(reader)))
    if any(type_id != place for place, (type_id, _) in enumerate(entries)):
        raise MetadataError("type ids of the registry are not dense")
    types = TypeRegistry([entry for _, entry in entries])
    _refuse_endless(types)
    return types


def _refuse_endless(types: TypeRegistry) -> None:
    """A type without a name that is inside itself by way of others without names cannot even be written down."""
    finished: set[int] = set()
    for start in range(len(types)):
        path: list[tuple[int, list[int]]] = [(start, _unnamed(types, start))]
        above = {start}
        while path:
            type_id, rest = path[-1]
            if not rest:
                path.pop()
                above.discard(type_id)
                finished.add(type_id)
                continue
            inner = rest.pop()
            if inner in above:
                raise MetadataError(f"type {inner} of the registry contains itself without end")
            if inner not in finished:
                above.add(inner)
                path.append((inner, _unnamed(types, inner)))


def _unnamed(types: TypeRegistry, type_id: int) -> list[int]:
    """The types directly inside, if the type has no name of its own (those of Rust's prelude have a path of one part)."""
    path = types[type_id].path
    return [] if len(path) > 1 and path[-1] not in TRANSPARENT else list(types.parts(type_id))


def docs(reader: Reader) -> tuple[str, ...]:
    return tuple(reader.vec(reader.text))


def _read_type(reader: Reader) -> Type:
    path = tuple(reader.vec(reader.text))
    params = tuple(reader.vec(lambda: (reader.text(), reader.option(reader.compact))))
    return Type(path, params, _read_definition(reader), docs(reader))


def _read_definition(reader: Reader) -> TypeDef:
    kind = reader.tag("composite", "variant", "sequence", "array", "tuple", "primitive", "compact", "bits")
    match kind:
        case "composite":
            return Composite(_read_fields(reader))
        case "variant":
            return Enum(tuple(reader.vec(lambda: _read_variant(reader))))
        case "sequence":
            return SequenceOf(reader.compact())
        case "array":
            return ArrayOf(reader.u32(), reader.compact())
        case "tuple":
            return TupleOf(tuple(reader.vec(reader.compact)))
        case "primitive":
            return Primitive(reader.tag(*_PRIMITIVES))
        case "compact":
            return CompactOf(reader.compact())
        case _:
            return BitSequence(reader.compact(), reader.compact())


def _read_fields(reader: Reader) -> tuple[Field, ...]:
    return tuple(
        reader.vec(
            lambda: Field(
                reader.option(reader.text), reader.compact(), reader.option(reader.text), docs(reader)
            )
        )
    )


def _read_variant(reader: Reader) -> VariantDef:
    return VariantDef(reader.text(), _read_fields(reader), reader.u8(), docs(reader))
