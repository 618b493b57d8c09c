"""Generated entries against one runtime: the same shape, or IncompatibleRuntime."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

from llmnet.chain.codec import TypeCodec
from llmnet.chain.encoder import attributes_of, constant_name
from llmnet.chain.entries import ApiMethod, ConstantEntry, Entry, PalletError, PalletEvent, ViewFunction
from llmnet.chain.errors import DecodeError, IncompatibleRuntime
from llmnet.chain.metadata import Function, Outer, StorageEntry
from llmnet.chain.registry import Composite, Enum, VariantDef
from llmnet.chain.shapes import Shapes
from llmnet.chain.typed import Known, TypedDecoderCompiler, TypeTable
from llmnet.chain.values import Call

if TYPE_CHECKING:
    from llmnet.chain.runtime import Runtime

V = TypeVar("V")
R = TypeVar("R")
F = TypeVar("F")
E = TypeVar("E", bound=PalletEvent)


class BoundEntries:
    """What generated code may use of one runtime. Each entry is compared at its first use."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime, self.shapes = runtime, Shapes(runtime.metadata)
        self._codecs: dict[int, tuple[TypeTable, TypeCodec]] = {}
        self._checked: dict[tuple[str, Entry], Any] = {}

    def codec(self, table: TypeTable) -> TypeCodec:
        """Decodes into the classes of this table."""
        known = self._codecs.get(id(table))
        if known is None:
            types = self.runtime.metadata.types
            codec = TypeCodec(types, TypedDecoderCompiler(types, self.shapes, table))
            known = self._codecs[id(table)] = (table, codec)  # the table is kept, so its id stays its own
        return known[1]

    def storage(self, entry: Entry) -> StorageEntry:
        """Raises IncompatibleRuntime, as all below do."""
        return self._once("storage item", entry, self._storage)

    def constant(self, constant: ConstantEntry[V]) -> V:
        entry = constant.entry
        found = self._once("constant", entry, self._constant)
        value: V = self.codec(entry.types).decode(found.type, found.value)
        return value

    def view_function(self, view: ViewFunction[R]) -> Function:
        return self._once("view function", view.entry, self._view_function)

    def api(self, method: ApiMethod[R]) -> Function:
        return self._once("runtime API", method.entry, self._api)

    def event(self, kind: type[E], data: bytes) -> E:
        """The event from its bytes: pallet, variant, fields."""
        entry = kind.ENTRY
        variant = self._once("event", entry, lambda found: self._variant("events", "event", found))
        codec, pos, values = self.codec(entry.types), 2, []
        for field in variant.fields:
            value, pos = codec.decode_at(field.type, data, pos)
            values.append(value)
        if pos != len(data):
            raise DecodeError(f"{entry}: {len(data) - pos} bytes too many")
        return kind(*values)

    def check_event(self, kind: type[PalletEvent]) -> None:
        self._once("event", kind.ENTRY, lambda found: self._variant("events", "event", found))

    def check_error(self, kind: type[PalletError]) -> None:
        self._once("error", kind.ENTRY, lambda found: self._variant("errors", "error", found))

    def check_call(self, call: Call) -> None:
        """Whether the call is still what it was when its code was generated; one made by hand is left alone."""
        if call.entry is not None:
            self._once("call", call.entry, lambda found: self._variant("calls", "call", found))

    # One kind of entry each: the entry as the runtime has it, or IncompatibleRuntime

    def _once(self, kind: str, entry: Entry, find: Callable[[Entry], F]) -> F:
        key = (kind, entry)
        if key not in self._checked:
            self._checked[key] = find(entry)
        found: F = self._checked[key]
        return found

    def _storage(self, entry: Entry) -> StorageEntry:
        pallet = self.runtime.metadata.pallets.get(entry.pallet)
        found = None if pallet is None else pallet.storage.get(entry.name)
        if found is None:
            raise self._gone("storage item", entry)
        parts = [type_id for _, type_id in found.keys] + [found.value]
        self._compare("storage item", entry, self.shapes.storage(found), self.text_of_storage(found), parts)
        return found

    def _constant(self, entry: Entry) -> Any:
        pallet = self.runtime.metadata.pallets.get(entry.pallet)
        found = None if pallet is None else pallet.constants.get(entry.name)
        if found is None:
            raise self._gone("constant", entry)
        text = self.shapes.words(found.type)
        self._compare("constant", entry, self.shapes.constant(found.type), text, [found.type])
        return found

    def _view_function(self, entry: Entry) -> Function:
        pallet = self.runtime.metadata.pallets.get(entry.pallet)
        found = None if pallet is None else pallet.view_functions.get(entry.name)
        return self._function("view function", entry, found)

    def _api(self, entry: Entry) -> Function:
        api = self.runtime.metadata.apis.get(entry.pallet)
        return self._function("runtime API", entry, None if api is None else api.methods.get(entry.name))

    def _function(self, kind: str, entry: Entry, found: Function | None) -> Function:
        if found is None:
            raise self._gone(kind, entry)
        parts = [type_id for _, type_id in found.inputs] + [found.output]
        self._compare(kind, entry, self.shapes.function(found), self.text_of_function(found), parts)
        return found

    def _variant(self, outer: Outer, kind: str, entry: Entry) -> VariantDef:
        metadata = self.runtime.metadata
        found = (
            metadata.variants(entry.pallet, outer).find(entry.name)
            if entry.pallet in metadata.pallets
            else None
        )
        if found is None:
            raise self._gone(kind, entry)
        digest = self.shapes.variant(outer, entry.pallet, found)
        parts = [field.type for field in found.fields]
        self._compare(kind, entry, digest, self.text_of_variant(found), parts)
        return found

    # What is said about it

    def text_of_storage(self, entry: StorageEntry) -> str:
        name = self.shapes.words
        keys = ", ".join(f"{hasher} {name(key)}" for hasher, key in entry.keys)
        value = name(entry.value) + ("?" if entry.optional else "")
        return f"({keys}) -> {value}" if keys else value

    def text_of_variant(self, variant: VariantDef) -> str:
        name = self.shapes.words
        return ", ".join(f"{field.name or '_'}: {name(field.type)}" for field in variant.fields)

    def text_of_function(self, function: Function) -> str:
        name = self.shapes.words
        inputs = ", ".join(f"{field}: {name(type_id)}" for field, type_id in function.inputs)
        return f"({inputs}) -> {name(function.output)}"

    def _gone(self, kind: str, entry: Entry) -> IncompatibleRuntime:
        version, since = self.runtime.metadata.version, {"view function": 16, "runtime API": 15}.get(kind, 14)
        missing = "the runtime has none"
        if version < since:
            missing = f"the node tells metadata V{version} only, which describes no such thing"
        return IncompatibleRuntime(kind, str(entry), missing, self._where())

    def _compare(self, kind: str, entry: Entry, digest: str, text: str, parts: Sequence[int]) -> None:
        if digest == entry.hash:
            return
        if text != entry.text:
            change = f"it was ({entry.text}) and is ({text})"
        else:
            found = next(
                (change for part in parts for change in self._changes(part, entry.types, set())), None
            )
            change = found or "a type inside it has changed"
        raise IncompatibleRuntime(kind, str(entry), change, self._where())

    def _where(self) -> str:
        version = self.runtime.version
        return f"{version.spec_name} {version.spec_version}"

    def _changes(self, type_id: int, table: TypeTable, seen: set[int]) -> Iterator[str]:
        """What is new about the types inside, innermost first."""
        if type_id in seen or type_id in self.shapes.outer:
            return
        seen.add(type_id)
        kind = self.runtime.metadata.types[type_id]
        for part in self.runtime.metadata.types.parts(type_id):
            yield from self._changes(part, table, seen)
        named = isinstance(kind.definition, Composite) and any(f.name for f in kind.definition.fields)
        if (named or isinstance(kind.definition, Enum)) and kind.path and len(kind.path) > 1:
            known = None if self.shapes.type(type_id) in table.classes else table.named(kind.path[-1])
            if known is not None:
                yield difference(kind.path[-1], known, kind.definition)


def difference(name: str, known: Known, definition: Any) -> str:
    """Which fields or variants of a type are new or gone."""
    if isinstance(known, tuple):
        ours, theirs = [kind.VARIANT for kind in known], [v.name for v in definition.variants]
    elif issubclass(known, IntEnum):
        ours, theirs = [member.name for member in known], [constant_name(v.name) for v in definition.variants]
    else:
        ours = [field for _, field in attributes_of(known) or ()]
        theirs = [str(field.name) for field in getattr(definition, "fields", ())]
    new, gone = [n for n in theirs if n not in ours], [n for n in ours if n not in theirs]
    words = [f"new {', '.join(new)}"] * bool(new) + [f"gone {', '.join(gone)}"] * bool(gone)
    return f"{name} has changed: {'; '.join(words) or 'the same names in another order or of other types'}"


__all__ = ["BoundEntries", "difference"]
