"""Random calls of a runtime, made from the types in its metadata.

The values are plausible (known accounts, amounts of every size, hashes seen before), so that many calls get
far enough to change something and the others fail in many ways.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from llmnet.devnode.scale import compact

UNIT = 10**12
_AMOUNTS = (0, 1, 10**6, UNIT // 1000, UNIT, 100 * UNIT, 1000 * UNIT, 10**6 * UNIT, 10**10 * UNIT, 1 << 127)
_SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "u128": 16, "u256": 32, "bool": 1, "char": 4,
          "i8": 1, "i16": 2, "i32": 4, "i64": 8, "i128": 16, "i256": 32}  # fmt: skip
# What would end the experiment: other code, another sudo key, an issuance that pays no more fees.
_LEFT_OUT = {
    "Balances": {"force_adjust_total_issuance"},
    "System": {"set_code", "set_code_without_checks", "set_heap_pages", "authorize_upgrade",
               "authorize_upgrade_without_checks", "apply_authorized_upgrade"},
    "Sudo": {"set_key", "remove_key"},
}  # fmt: skip
_MOST_DEPTH = 3


class CallMaker:
    """Makes encoded calls of the runtime whose metadata substrate-interface has read."""

    def __init__(self, metadata: Any, accounts: Sequence[bytes], seed: int) -> None:
        self.random = random.Random(seed)
        self.accounts = list(accounts)
        self.hashes = [bytes(32), bytes([1]) * 32]
        types = metadata.portable_registry.value["types"]
        self._types = [item["type"] for item in types]
        self._pallets = {
            pallet.value["name"]: (pallet.value["index"], pallet.value["calls"]["ty"])
            for pallet in metadata.pallets
            if pallet.value["calls"]
        }
        self.names = sorted(
            (name, call["name"])
            for name, (_, kind) in self._pallets.items()
            for call in self._variants(kind)
            if call["name"] not in _LEFT_OUT.get(name, ())
        )

    def _variants(self, kind: int) -> list[Any]:
        return list(self._types[kind]["def"]["variant"]["variants"])

    def pick(self, pallets: Sequence[str] | None = None) -> tuple[str, str]:
        """The name of a call: a pallet first, so that small ones come as often as large ones."""
        pallet = self.random.choice(pallets or sorted(self._pallets))
        return self.random.choice([name for name in self.names if name[0] == pallet])

    def call(self, pallet: str, name: str, depth: int = 0) -> bytes:
        """An encoded call with random arguments."""
        index, kind = self._pallets[pallet]
        variant = next(item for item in self._variants(kind) if item["name"] == name)
        return bytes((index, variant["index"])) + self._fields(variant["fields"], depth)

    def _fields(self, fields: Sequence[Any], depth: int) -> bytes:
        return b"".join(self._value(item["type"], item["name"] or "", depth) for item in fields)

    def _value(self, kind: int, name: str, depth: int) -> bytes:
        path, shape = self._types[kind]["path"], self._types[kind]["def"]
        ((form, what),) = shape.items()
        if path and path[-1] == "RuntimeCall":
            return self._nested(depth)
        if path and path[-1] == "OriginCaller":
            return self._variant(path, [item for item in what["variants"] if item["name"] == "system"], depth)
        if path and path[-1] == "AccountId32":
            # Root calls leave the first account alone: it is the sudo key.
            spared = name in ("who", "source", "as_origin")
            return self.random.choice(self.accounts[1:] if spared else self.accounts)
        match form:
            case "composite":
                return self._fields(what["fields"], depth)
            case "tuple":
                return b"".join(self._value(item, name, depth) for item in what)
            case "variant":
                return self._variant(path, what["variants"], depth)
            case "sequence":
                return self._sequence(what["type"], name, depth)
            case "array":
                return self._array(what["type"], int(what["len"]), name, depth)
            case "compact" if self._types[what["type"]]["def"] == {"tuple": []}:
                return b""
            case "compact":
                return compact(self._number(self._width(what["type"]), name))
            case "primitive":
                return self._primitive(what, name)
        raise ValueError(f"no random value is known for a type of the form {form!r}: add it here")

    def _variant(self, path: Sequence[str], variants: Sequence[Any], depth: int) -> bytes:
        if path and path[-1] == "MultiAddress" and self.random.random() < 0.95:
            variants = [item for item in variants if item["name"] == "Id"]
        chosen = self.random.choice(variants) if variants else None
        if chosen is None:
            return b""
        return bytes((chosen["index"],)) + self._fields(chosen["fields"], depth)

    def _nested(self, depth: int) -> bytes:
        if depth >= _MOST_DEPTH:
            return self.call("System", "remark", depth)
        return self.call(*self.pick(), depth + 1)

    def _is_byte(self, kind: int) -> bool:
        return self._types[kind]["def"].get("primitive") == "u8"

    def _sequence(self, kind: int, name: str, depth: int) -> bytes:
        if self._is_byte(kind):
            least = 12 if name in ("prefix", "key") else 0
            return self._bytes(self.random.choice((least, least, 3, 8, 32, 60, 300)) or least)
        count = self.random.choice((0, 1, 1, 2, 3))
        return compact(count) + b"".join(self._value(kind, name, depth + 1) for _ in range(count))

    def _bytes(self, size: int) -> bytes:
        return compact(size) + self.random.randbytes(size)

    def _array(self, kind: int, length: int, name: str, depth: int) -> bytes:
        if not self._is_byte(kind):
            return b"".join(self._value(kind, name, depth) for _ in range(length))
        if length == 32 and self.random.random() < 0.8:
            return self.random.choice(self.hashes[-12:])
        return self.random.randbytes(length)

    def _width(self, kind: int) -> int:
        shape = self._types[kind]["def"]
        if "primitive" in shape:
            return _SIZES[shape["primitive"]]
        fields = shape.get("composite", {}).get("fields") or []
        return self._width(fields[0]["type"]) if fields else 1

    def _number(self, width: int, name: str) -> int:
        most = (1 << 8 * width) - 1
        if width == 16:
            return min(most, self.random.choice(_AMOUNTS))
        if name in ("ref_time", "proof_size"):
            return self.random.choice((0, 10**6, 10**10, most))
        if self.random.random() < 0.8:
            return min(most, self.random.choice((0, 1, 1, 2, 3, 5, 10, 100)))
        return self.random.randint(0, most)

    def _primitive(self, kind: str, name: str) -> bytes:
        if kind == "str":
            return self._bytes(0)
        if kind == "bool":
            return bytes((self.random.randint(0, 1),))
        size = _SIZES[kind]
        return self._number(size, name).to_bytes(size, "little")
