"""One runtime version: its metadata and what follows from it. Immutable; there is no global or current
runtime."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from llmnet.chain.bound import BoundEntries
from llmnet.chain.codec import TypeCodec
from llmnet.chain.errors import DecodeError, EncodeError, MetadataError, UnknownEntry
from llmnet.chain.hashing import STORAGE_HASHERS, twox_128
from llmnet.chain.metadata import Function, Metadata, StorageEntry
from llmnet.chain.registry import Composite, SequenceOf
from llmnet.chain.results import DispatchError, Event, EventSource, RuntimeVersion
from llmnet.chain.scale import decode_compact, encode_bytes
from llmnet.chain.values import Call, Variant

SPEC_VIEW_FUNCTION = "RuntimeViewFunction_execute_view_function"


class Runtime:
    def __init__(self, metadata: Metadata, version: RuntimeVersion) -> None:
        self.metadata, self.version = metadata, version
        self.codec = TypeCodec(metadata.types, check_call=lambda call: self.bound.check_call(call))

    @cached_property
    def bound(self) -> BoundEntries:
        """What generated code may use of this runtime."""
        return BoundEntries(self)

    # Storage

    def storage(self, pallet: str, item: str) -> StorageEntry:
        """Raises UnknownEntry."""
        entries = self.metadata.pallet(pallet).storage
        if item not in entries:
            raise UnknownEntry(
                f"{pallet} has no storage item {item!r}; it has {', '.join(entries) or 'none'}"
            )
        return entries[item]

    def storage_key(self, entry: StorageEntry, keys: Sequence[Any]) -> bytes:
        """The key of one value, or the prefix of a map when fewer keys are given. Raises EncodeError."""
        if len(keys) > len(entry.keys):
            raise EncodeError(f"{entry.pallet}.{entry.name} takes {len(entry.keys)} keys, got {len(keys)}")
        parts = [twox_128(entry.prefix.encode()), twox_128(entry.name.encode())]
        for (hasher, type_id), key in zip(entry.keys, keys, strict=False):
            digest, _, concat = STORAGE_HASHERS[hasher]
            encoded = self.codec.encode(type_id, key)
            parts.append(digest(encoded) + (encoded if concat else b""))
        return b"".join(parts)

    def storage_key_parts(
        self, entry: StorageEntry, key: bytes, codec: TypeCodec | None = None
    ) -> tuple[Any, ...]:
        """The map keys inside a full storage key; a key that was hashed without being kept is given as its
        hash."""
        codec = self.codec if codec is None else codec
        pos, parts = 32, []
        for hasher, type_id in entry.keys:
            _, size, concat = STORAGE_HASHERS[hasher]
            value, start = key[pos : pos + size], pos + size
            if concat:
                value, start = codec.decode_at(type_id, key, start)
            parts.append(value)
            pos = start
        if pos != len(key):
            raise DecodeError(
                f"a storage key of {entry.pallet}.{entry.name} has another length than its keys"
            )
        return tuple(parts)

    def storage_value(self, entry: StorageEntry, raw: bytes | None, codec: TypeCodec | None = None) -> Any:
        """`codec`: which form values take, by default the plain one."""
        codec = self.codec if codec is None else codec
        if raw is None:
            return None if entry.optional else codec.decode(entry.value, entry.default)
        return codec.decode(entry.value, raw)

    def constant(self, pallet: str, name: str) -> Any:
        constants = self.metadata.pallet(pallet).constants
        if name not in constants:
            raise UnknownEntry(f"{pallet} has no constant {name!r}; it has {', '.join(constants) or 'none'}")
        return self.codec.decode(constants[name].type, constants[name].value)

    # Calls and events

    def call(self, pallet: str, function: str, args: dict[str, Any]) -> Call:
        """A call that is known to encode in this runtime. Raises UnknownEntry, EncodeError."""
        known = [variant.name for variant in self.metadata.variants(pallet, "calls").variants]
        if function not in known:
            raise UnknownEntry(f"{pallet} has no call {function!r}; it has {', '.join(known) or 'none'}")
        call = Call(pallet, function, args)
        self.encode_call(call)
        return call

    def encode_call(self, call: Call) -> bytes:
        return self.codec.encode(self.metadata.extrinsic.call, call)

    def decode_call(self, data: bytes) -> Call:
        return as_call(self.codec.decode(self.metadata.extrinsic.call, data))

    def decode_events(self, raw: bytes | None, number: int, block_hash: bytes) -> tuple[Event, ...]:
        """`System.Events` of a block."""
        if raw is None:
            return ()
        parts, size = self._event_parts, len(raw)
        try:
            count, pos = decode_compact(raw, 0)
        except (IndexError, struct.error):
            raise DecodeError("System.Events is cut off") from None
        if count > size - pos:
            raise DecodeError(f"{count} events announced, {size - pos} bytes left")
        events = []
        for _ in range(count):
            record, start, end = {}, 0, 0
            for name, type_id in parts:
                before = pos
                record[name], pos = self.codec.decode_at(type_id, raw, pos)
                if name == "event":
                    start, end = before, pos
            source = EventSource(self, raw[start:end])
            events.append(_event(record, source, number, block_hash))
        if pos != size:
            raise DecodeError(f"System.Events: {size - pos} bytes too many")
        return tuple(events)

    @cached_property
    def _event_parts(self) -> list[tuple[str, int]]:
        """The fields of `EventRecord`. Raises MetadataError if this runtime keeps its events in another way."""
        records = self.metadata.types[self.storage("System", "Events").value].definition
        record = self.metadata.types[records.item].definition if isinstance(records, SequenceOf) else None
        fields = record.fields if isinstance(record, Composite) else ()
        parts = [(str(field.name), field.type) for field in fields]
        if not {"phase", "event"} <= dict(parts).keys():
            raise MetadataError("System.Events is not a list of records with a phase and an event")
        return parts

    def dispatch_error(self, value: Any) -> DispatchError:
        """Names a decoded `sp_runtime::DispatchError` with the pallet's own error and its docs."""
        if not isinstance(value, Variant):
            raise DecodeError("a DispatchError is an enum")
        if value.name != "Module":
            inner = value.value
            name = inner.name if isinstance(inner, Variant) else "" if inner is None else str(inner)
            return DispatchError(value.name, None, name)
        index, code = value.value["index"], value.value["error"][0]
        for pallet in self.metadata.pallets.values():
            if pallet.index == index and pallet.errors is not None:
                for variant in self.metadata.types.enum(pallet.errors).variants:
                    if variant.index == code:
                        return DispatchError(
                            "Module", pallet.name, variant.name, " ".join(variant.docs).strip()
                        )
        return DispatchError("Module", f"pallet {index}", f"error {code}")

    # Functions

    def api(self, api: str, method: str) -> Function:
        """Raises UnknownEntry."""
        return self.metadata.api(api, method)

    def view_function(self, pallet: str, name: str) -> Function:
        functions = self.metadata.pallet(pallet).view_functions
        if name not in functions:
            raise UnknownEntry(
                f"{pallet} has no view function {name!r}; it has {', '.join(functions) or 'none'}"
            )
        return functions[name]

    def encode_inputs(self, function: Function, args: dict[str, Any]) -> bytes:
        """The arguments one after the other. Raises EncodeError if their names do not fit."""
        names = [name for name, _ in function.inputs]
        if set(names) != args.keys():
            raise EncodeError(f"{function.name} takes ({', '.join(names)}), got ({', '.join(args)})")
        return b"".join(self.codec.encode(type_id, args[name]) for name, type_id in function.inputs)

    def encode_view_call(self, function: Function, args: dict[str, Any]) -> bytes:
        return function.id + encode_bytes(self.encode_inputs(function, args))

    def decode_view_result(self, function: Function, raw: bytes, codec: TypeCodec | None = None) -> Any:
        """Unwraps `Result<Vec<u8>, ViewFunctionDispatchError>`. Raises UnknownEntry, DecodeError."""
        result_type = self.api("RuntimeViewFunction", "execute_view_function").output
        result = self.codec.decode(result_type, raw)
        if result.name != "Ok":
            raise UnknownEntry(f"view function {function.name} failed: {result.value}")
        return (self.codec if codec is None else codec).decode(function.output, result.value)


def as_call(value: Any) -> Call:
    """A decoded call enum, outermost level only."""
    if not isinstance(value, Variant) or not isinstance(value.value, Variant):
        raise DecodeError("a call is an enum of enums")
    inner = value.value
    return Call(value.name, inner.name, _named(inner.value))


def _named(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    items = value if isinstance(value, tuple) else (value,)
    return {str(index): item for index, item in enumerate(items)}


def _event(record: dict[str, Any], source: EventSource, number: int, block_hash: bytes) -> Event:
    phase, outer = record["phase"], record["event"]
    index = phase.value if phase.name == "ApplyExtrinsic" else None
    return Event(number, block_hash, index, outer.name, outer.value.name, _named(outer.value.value), source)
