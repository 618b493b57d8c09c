"""The Python shapes of SCALE values that have no builtin of their own.

| SCALE                                   | Python                                                |
|-----------------------------------------|-------------------------------------------------------|
| integers, `Compact<T>`                  | int                                                   |
| bool, str                               | bool, str                                             |
| `[u8; N]`, `Vec<u8>`, H256, AccountId32 | bytes                                                 |
| `Vec<T>`, `[T; N]`, BTreeMap/BTreeSet   | list (a map is a list of pairs; encoding takes a dict)|
| tuple                                   | tuple                                                 |
| struct with named fields                | dict                                                  |
| newtype                                 | what it wraps                                         |
| enum                                    | `Variant(name, value)`                                |
| `Option<T>`                             | None or the value (`Some(value)` if T is an Option)   |
| bit sequence                            | list of bool                                          |

Generated classes stand beside them: a frozen dataclass for a struct, an IntEnum for an enum whose variants have no
fields, a `Tagged` dataclass per variant for any other, `Ok` and `Err` for `Result`, tuples for sequences, dicts for
maps. The encoders take either form; `typed.py` decodes into classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from llmnet.chain.entries import Entry

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Variant:
    """A value of an enum. `value` is None without fields, the field itself if there is one unnamed field,
    a tuple of several unnamed fields, a dict of named ones."""

    name: str
    value: Any = None


class Tagged:
    """A variant with fields, as a class of its own. One unnamed field is called `value`, several `value_0`, …"""

    __slots__ = ()
    VARIANT: ClassVar[str]


def variant_name(member: IntEnum) -> str:
    """`RuleOfThree` for `RULE_OF_THREE`: a generated member in the runtime's spelling."""
    return "".join(part.capitalize() for part in member.name.split("_"))


@dataclass(frozen=True, slots=True)
class Some(Generic[T_co]):
    """The inhabited case of an Option whose inner value may itself be None."""

    value: T_co


@dataclass(frozen=True, slots=True)
class Ok(Generic[T_co]):
    """The good case of a `Result`."""

    value: T_co


@dataclass(frozen=True, slots=True)
class Err(Generic[T_co]):
    """The bad case of a `Result`."""

    value: T_co


@dataclass(frozen=True, slots=True)
class Call:
    """A dispatchable call, independent of any runtime version; nests as an argument of other calls.

    `entry`: the shape it was written for, where that is known; another shape is refused before anything is signed."""

    pallet: str
    function: str
    args: Mapping[str, Any]
    entry: Entry | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.pallet}.{self.function}"
