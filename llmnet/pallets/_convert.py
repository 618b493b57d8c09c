"""Between the objects of `llmnet.proof` and the plain values of `llmnet.chain`.

Both sides name the same SCALE types. What is written must have exactly the chain's fields, or the chain's encoder refuses it.
What is read may have fields that we do not know yet; one that is missing, or an unknown variant, is a DecodeError.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, TypeVar

from llmnet.chain import DecodeError, Variant

E = TypeVar("E", bound=IntEnum)
L = TypeVar("L", bound=str)
R = TypeVar("R")


def variant_name(member: IntEnum) -> str:
    """`Bf16Fp32Residual` for `BF16_FP32_RESIDUAL`."""
    return "".join(part.capitalize() for part in member.name.split("_"))


def to_chain(value: Any) -> Any:
    """The plain value of a proof object: dataclasses and named tuples become dicts, enums variants, tuples lists."""
    if isinstance(value, IntEnum):
        return Variant(variant_name(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, Variant)):
        return {field.name: to_chain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: to_chain(item) for name, item in zip(value._fields, value, strict=True)}
    if isinstance(value, (tuple, list)):
        return [to_chain(item) for item in value]
    return value


def enum_from_chain(kind: type[E], value: Variant) -> E:
    """The member of `kind` that the chain calls `value.name`; raises DecodeError for an unknown one."""
    for member in kind:
        if variant_name(member) == value.name:
            return member
    raise DecodeError(
        f"{kind.__name__} has no variant {value.name!r}: the runtime is newer than this program"
    )


def named(names: tuple[L, ...], value: Variant) -> L:
    """The name of a variant, one of `names`; raises DecodeError for an unknown one."""
    for name in names:
        if name == value.name:
            return name
    raise DecodeError(f"{value.name!r} is none of {', '.join(names)}: the runtime is newer than this program")


def record(kind: type[R], value: Mapping[str, Any], **replaced: Any) -> R:
    """A dataclass from a decoded struct with the same field names; `replaced` gives converted fields.

    Raises DecodeError if the struct lacks a field.
    """
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    missing = [name for name in names if name not in replaced and name not in value]
    if missing:
        raise DecodeError(
            f"the chain's {kind.__name__} has no {', '.join(missing)}: the runtime is not the one this program knows"
        )
    return kind(**{name: replaced[name] if name in replaced else value[name] for name in names})
