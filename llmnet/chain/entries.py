"""What generated code is made of: storage items, calls, events, errors, constants and functions of one pallet, each
with the shape it was generated from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, TypeVarTuple

from llmnet.chain.typed import TypeTable

if TYPE_CHECKING:
    from llmnet.chain.results import Event

K = TypeVar("K")
K1 = TypeVar("K1")
K2 = TypeVar("K2")
R = TypeVar("R")
V = TypeVar("V", covariant=True)
E = TypeVar("E", bound="PalletEvent")
Ks = TypeVarTuple("Ks")


@dataclass(frozen=True, slots=True)
class Entry:
    """Which entry of which pallet (or runtime API), and its shape: `hash` as `shapes.py` makes it, `text` for people,
    `types` the classes of the package it belongs to."""

    pallet: str
    name: str
    hash: str
    text: str = field(repr=False)
    types: TypeTable = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.pallet}.{self.name}"


class StorageNMap(Generic[*Ks, V]):
    """A storage item with any number of keys. V is what reading gives: `T | None` where absent reads as None."""

    __slots__ = ("entry",)

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def at(self, *keys: *Ks) -> StorageKey[V]:
        """One value, for `view.read`."""
        return StorageKey(self.entry, keys)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.entry}>"


class StorageValue(StorageNMap[V]):
    """A single value."""

    __slots__ = ()


class StorageMap(StorageNMap[K, V], Generic[K, V]):
    """Values by one key."""

    __slots__ = ()


class StorageDoubleMap(StorageNMap[K1, K2, V], Generic[K1, K2, V]):
    """Values by two keys; all of one first key can be iterated."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class StorageKey(Generic[V]):
    """One value of a storage item."""

    entry: Entry
    keys: Sequence[Any]


@dataclass(frozen=True, slots=True)
class ConstantEntry(Generic[V]):
    """A constant of a pallet."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class ViewFunction(Generic[R]):
    """A pallet's view function with result R."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class ApiMethod(Generic[R]):
    """A method of a runtime API with result R; `entry.pallet` is the API's name."""

    entry: Entry


class PalletEvent:
    """Base of event classes: frozen dataclasses with the event's fields."""

    __slots__ = ()
    ENTRY: ClassVar[Entry]

    @classmethod
    def read(cls, event: Event) -> Self | None:
        """The typed event, None if `event` is another one. Raises IncompatibleRuntime if it has another shape."""
        if (event.pallet, event.name) != (cls.ENTRY.pallet, cls.ENTRY.name):
            return None
        if event.source is None:
            raise ValueError(f"{event} was not read from a chain: it has no bytes to decode")
        made: Self = event.source.runtime.bound.event(cls, event.source.data)
        return made


class PalletError:
    """Base of error classes, which are only names with documentation: `dispatch_error.is_a(NotBonded)`."""

    __slots__ = ()
    ENTRY: ClassVar[Entry]


@dataclass(frozen=True, slots=True)
class Occurrence(Generic[E]):
    """A typed event, and where it happened; `extrinsic_index` is None outside extrinsics, `retracted` as in `Event`."""

    event: E
    block_number: int
    block_hash: bytes
    extrinsic_index: int | None
    retracted: bool = False
