# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `Sudo`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class RequireSudo(PalletError):
    """Sender must be the Sudo account."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sudo", "RequireSudo", "99e3dab49d7a642b", "", t.TYPES)
