# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The pallet `Reputation`."""

from . import events, storage, views

__all__ = ["events", "storage", "views"]
