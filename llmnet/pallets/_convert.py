"""Between the objects of `llmnet.proof` and the plain values of `llmnet.chain`.

Both sides name the same SCALE types; a field or variant that one side lacks is an error here, not a wrong transaction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, TypeVar

from llmnet.chain import Variant

E = TypeVar("E", bound=IntEnum)
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
    """The member of `kind` that the chain calls `value.name`; raises ValueError for an unknown one."""
    for member in kind:
        if variant_name(member) == value.name:
            return member
    raise ValueError(f"{kind.__name__} has no variant {value.name!r}")


def record(kind: type[R], value: Mapping[str, Any], **replaced: Any) -> R:
    """A dataclass from a decoded struct with the same field names; `replaced` gives converted fields."""
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: replaced[name] if name in replaced else value[name] for name in names})
