# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `Utility`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class TooManyCalls(PalletError):
    """Too many calls batched."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Utility", "TooManyCalls", "cd7c6b4c7b9f0fab", "", t.TYPES)
