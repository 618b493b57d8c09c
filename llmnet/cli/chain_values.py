"""Values of any type of a runtime, between the command line and the codec.

Written: JSON or a plain word; numbers may have underscores; accounts are addresses, 0x hex or development names; bytes
are 0x hex, or text where the length is free; an enum is "Name" or {"Name": value}; a call is
{"Pallet": {"function": {arguments}}}. Shown: the same forms, numbers beyond 2**53 as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .config import ConfigError
from .values import parse_account

if TYPE_CHECKING:
    from llmnet.chain import Call, Runtime
    from llmnet.chain.registry import Enum, Field, Type

_INTEGER = re.compile(r"[+-]?(0x[0-9a-fA-F]+|[0-9][0-9_]*)")
SAFE = 1 << 53  # larger numbers lose digits in other readers of JSON
MAX_DEPTH = 64


class Values:
    """Reads and shows values by type id of one runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self.types, self.runtime = runtime.metadata.types, runtime
        self.prefix = _prefix(runtime)

    # From the command line

    def parse(self, type_id: int, text: str, where: str) -> Any:
        """The plain value that `text` says. Raises ConfigError that names the place."""
        value: Any = text
        if text[:1] == '"' or not self._wants_text(type_id):
            try:
                value = json.loads(text, parse_float=str, parse_int=str)
            except RecursionError:
                raise ConfigError(f"{where}: nested too deep") from None
            except ValueError:
                value = text  # a word
        return self.read(type_id, value, where)

    def read(self, type_id: int, value: Any, where: str, depth: int = 0) -> Any:
        """The plain value of what JSON says. Raises ConfigError."""
        from llmnet.chain.registry import (
            ArrayOf,
            BitSequence,
            CompactOf,
            Composite,
            Enum,
            Primitive,
            SequenceOf,
            TupleOf,
        )

        if depth > MAX_DEPTH:
            raise ConfigError(f"{where}: nested too deep")
        kind = self.types[type_id]
        match kind.definition:
            case Primitive(name):
                return _primitive(name, value, where)
            case CompactOf(inner):
                return self.read(inner, value, where, depth + 1)
            case Composite(fields):
                if kind.path[-1:] == ("AccountId32",):
                    return _account(value, where)
                return self._fields(fields, value, where, depth)
            case Enum() as definition:
                return self._choice(kind, definition, value, where, depth)
            case SequenceOf(item) | ArrayOf(_, item) if self._is_u8(item):
                return _bytes(value, where, fixed=kind.definition)
            case SequenceOf(item) | ArrayOf(_, item):
                return [
                    self.read(item, part, f"{where}[{n}]", depth + 1)
                    for n, part in enumerate(_list(value, where))
                ]
            case TupleOf(items):
                parts = _list(value, where)
                if len(parts) != len(items):
                    raise ConfigError(f"{where}: wanted a list of {len(items)}, got {len(parts)}")
                pairs = enumerate(zip(items, parts, strict=True))
                return tuple(self.read(item, part, f"{where}[{n}]", depth + 1) for n, (item, part) in pairs)
            case BitSequence():
                return [_primitive("bool", bit, where) for bit in _list(value, where)]

    def _fields(self, fields: Sequence[Field], value: Any, where: str, depth: int) -> Any:
        if len(fields) == 1 and fields[0].name is None:
            return self.read(fields[0].type, value, where, depth + 1)
        if fields and fields[0].name is not None:
            names = {str(field.name): field.type for field in fields}
            if not isinstance(value, dict):
                raise ConfigError(f"{where}: wanted an object with {', '.join(names)}, got {_said(value)}")
            if value.keys() != names.keys():
                raise ConfigError(
                    f"{where}: wanted the fields {', '.join(names)}, got {', '.join(value) or 'none'}"
                )
            return {n: self.read(t, value[n], f"{where}.{n}", depth + 1) for n, t in names.items()}
        parts = _list(value if fields else value or [], where)
        if len(parts) != len(fields):
            raise ConfigError(f"{where}: wanted a list of {len(fields)}, got {len(parts)}")
        return tuple(self.read(f.type, p, where, depth + 1) for f, p in zip(fields, parts, strict=True))

    def _choice(self, kind: Type, definition: Enum, value: Any, where: str, depth: int) -> Any:
        from llmnet.chain import Some, Variant
        from llmnet.chain.decoder import is_option, option_inner

        if kind.path == ("Option",):
            if value is None or value in ("null", "none", "None"):
                return None
            inner = option_inner(definition)
            found = self.read(inner, value, where, depth + 1)
            return Some(found) if is_option(self.types, inner) else found
        if kind.path[-1:] == ("MultiAddress",) and isinstance(value, str):
            return Variant("Id", _account(value, where))
        name, inner_value = value, None
        if isinstance(value, dict) and len(value) == 1:
            ((name, inner_value),) = value.items()
        variants = {variant.name.lower(): variant for variant in definition.variants}
        if not isinstance(name, str) or name.lower() not in variants:
            known = ", ".join(variant.name for variant in definition.variants)
            raise ConfigError(f"{where}: {_said(value)} is none of {known}")
        variant = variants[name.lower()]
        if not variant.fields:
            return Variant(variant.name)
        return Variant(
            variant.name, self._fields(variant.fields, inner_value, f"{where}.{variant.name}", depth + 1)
        )

    def _wants_text(self, type_id: int) -> bool:
        """Whether a bare number or word on the command line means text, not JSON: accounts, bytes."""
        from llmnet.chain.registry import ArrayOf, Composite, Primitive, SequenceOf

        match self.types[type_id].definition:
            case SequenceOf(item) | ArrayOf(_, item):
                return self._is_u8(item)
            case Composite(fields) if len(fields) == 1 and fields[0].name is None:
                return self._wants_text(fields[0].type)
            case Primitive(name):
                return name in ("str", "char")
            case _:
                return False

    def _is_u8(self, type_id: int) -> bool:
        from llmnet.chain.decoder import is_u8

        return is_u8(self.types, type_id)

    # To the screen

    def show(self, type_id: int, value: Any) -> Any:
        """What JSON can hold of a decoded value."""
        from llmnet.chain import Call, Some, Variant, ss58_encode
        from llmnet.chain.registry import Composite, Enum, SequenceOf, TupleOf

        if isinstance(value, Call):
            value = Variant(value.pallet, Variant(value.function, dict(value.args) or None))
        kind = self.types[type_id]
        match kind.definition:
            case Composite(fields):
                if kind.path[-1:] == ("AccountId32",):
                    return ss58_encode(value, self.prefix)
                return self._show_fields(fields, value)
            case Enum() if isinstance(value, Variant):
                variant = next(v for v in kind.definition.variants if v.name == value.name)
                if not variant.fields:
                    return value.name
                return {value.name: self._show_fields(variant.fields, value.value)}
            case Enum():
                if value is None:
                    return None
                inner = value.value if isinstance(value, Some) else value
                return self.show(self.types.parts(type_id)[0], inner)
            case SequenceOf() if isinstance(value, bytes):
                return plain(value)
            case TupleOf(items):
                return [self.show(item, part) for item, part in zip(items, value, strict=True)]
            case _:
                parts = self.types.parts(type_id)
                if isinstance(value, list) and len(parts) == 1:
                    return [self.show(parts[0], part) for part in value]
                return plain(value)

    def show_arguments(self, call: Call) -> Any:
        """The arguments of a call."""
        shown = self.show(self.runtime.metadata.extrinsic.call, call)[call.pallet]
        return shown[call.function] if isinstance(shown, dict) else {}

    def _show_fields(self, fields: Sequence[Field], value: Any) -> Any:
        if len(fields) == 1 and fields[0].name is None:
            return self.show(fields[0].type, value)
        if isinstance(value, dict):
            return {str(field.name): self.show(field.type, value[str(field.name)]) for field in fields}
        return [self.show(field.type, part) for field, part in zip(fields, value or (), strict=True)]


def plain(value: Any) -> Any:
    """What JSON can hold of a value whose type is not known: bytes as hex, large numbers as text."""
    from llmnet.chain import Call, Some, Variant

    match value:
        case bool() | None | str():
            return value
        case int():
            return value if abs(value) < SAFE else str(value)
        case bytes():
            return "0x" + value.hex()
        case Variant(name, None):
            return name
        case Variant(name, inner):
            return {name: plain(inner)}
        case Call(pallet, function, args):
            return {pallet: {function: plain(dict(args))}}
        case Some(inner):
            return plain(inner)
        case dict():
            return {str(key): plain(inner) for key, inner in value.items()}
        case _:
            return [plain(part) for part in value]


def brief(shown: Any) -> str:
    """A shown value on one line of a table."""
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)


def _prefix(runtime: Runtime) -> int:
    from llmnet.chain import UnknownEntry

    try:
        return int(runtime.constant("System", "SS58Prefix"))
    except UnknownEntry:
        return 42


def _account(value: Any, where: str) -> bytes:
    if not isinstance(value, str):
        raise ConfigError(f"{where}: wanted an account, got {_said(value)}")
    try:
        return parse_account(value)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _primitive(name: str, value: Any, where: str) -> Any:
    if name == "bool":
        if value in (True, "true"):
            return True
        if value in (False, "false"):
            return False
        raise ConfigError(f"{where}: wanted true or false, got {_said(value)}")
    if name in ("str", "char"):
        if not isinstance(value, str):
            raise ConfigError(f"{where}: wanted text, got {_said(value)}")
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value.replace("_", ""), 0 if "x" in value else 10)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ConfigError(f"{where}: wanted a whole number, got {_said(value)}")


def _bytes(value: Any, where: str, fixed: Any) -> bytes:
    from llmnet.chain.registry import ArrayOf

    if not isinstance(value, str):
        raise ConfigError(
            f"{where}: wanted 0x hex{'' if isinstance(fixed, ArrayOf) else ' or text'}, got {_said(value)}"
        )
    if not value.startswith("0x") and not isinstance(fixed, ArrayOf):
        return value.encode()
    try:
        data = bytes.fromhex(value.removeprefix("0x"))
    except ValueError:
        raise ConfigError(f"{where}: {value[:60]!r} is not hexadecimal") from None
    if isinstance(fixed, ArrayOf) and len(data) != fixed.length:
        raise ConfigError(f"{where}: wanted {fixed.length} bytes, got {len(data)}")
    return data


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigError(f"{where}: wanted a JSON list, got {_said(value)}")
    return value


def _said(value: Any) -> str:
    return repr(value)[:80]
