# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `Utility`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, Err, Ok, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class BatchInterrupted(PalletEvent):
    """Batch of dispatches did not complete fully. Index of first failing dispatch given, as well as the
    error.
    """

    ENTRY: ClassVar[Entry] = Entry(
        "Utility", "BatchInterrupted", "e1d56f3278397f89", "index: u32, error: DispatchError", t.TYPES
    )
    index: int
    error: t.DispatchError


@dataclass(frozen=True, slots=True)
class BatchCompleted(PalletEvent):
    """Batch of dispatches completed fully with no error."""

    ENTRY: ClassVar[Entry] = Entry("Utility", "BatchCompleted", "41e60d0f4282ae6f", "", t.TYPES)


@dataclass(frozen=True, slots=True)
class BatchCompletedWithErrors(PalletEvent):
    """Batch of dispatches completed but has errors."""

    ENTRY: ClassVar[Entry] = Entry("Utility", "BatchCompletedWithErrors", "c3ed5f4c0def1f51", "", t.TYPES)


@dataclass(frozen=True, slots=True)
class ItemCompleted(PalletEvent):
    """A single item within a Batch of dispatches has completed with no error."""

    ENTRY: ClassVar[Entry] = Entry("Utility", "ItemCompleted", "48e6deafc0506d5f", "", t.TYPES)


@dataclass(frozen=True, slots=True)
class ItemFailed(PalletEvent):
    """A single item within a Batch of dispatches has completed with error."""

    ENTRY: ClassVar[Entry] = Entry(
        "Utility", "ItemFailed", "c1b9ba599b543c9c", "error: DispatchError", t.TYPES
    )
    error: t.DispatchError


@dataclass(frozen=True, slots=True)
class DispatchedAs(PalletEvent):
    """A call was dispatched."""

    ENTRY: ClassVar[Entry] = Entry(
        "Utility", "DispatchedAs", "1e64e8a365934477", "result: Result<(), DispatchError>", t.TYPES
    )
    result: Ok[tuple[()]] | Err[t.DispatchError]


@dataclass(frozen=True, slots=True)
class IfElseMainSuccess(PalletEvent):
    """Main call was dispatched."""

    ENTRY: ClassVar[Entry] = Entry("Utility", "IfElseMainSuccess", "13d117a1b0e117d4", "", t.TYPES)


@dataclass(frozen=True, slots=True)
class IfElseFallbackCalled(PalletEvent):
    """The fallback call was dispatched."""

    ENTRY: ClassVar[Entry] = Entry(
        "Utility", "IfElseFallbackCalled", "b19bf3610dbb8fb0", "main_error: DispatchError", t.TYPES
    )
    main_error: t.DispatchError
