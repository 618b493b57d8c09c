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
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Variant:
    """A value of an enum. `value` is None without fields, the field itself if there is one unnamed field,
    a tuple of several unnamed fields, a dict of named ones."""

    name: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Some:
    """The inhabited case of an Option whose inner value may itself be None."""

    value: Any


@dataclass(frozen=True, slots=True)
class Call:
    """A dispatchable call, independent of any runtime version; nests as an argument of other calls."""

    pallet: str
    function: str
    args: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.pallet}.{self.function}"
