# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The pallet `TransactionPayment`."""

from . import constants, events, storage

__all__ = ["constants", "events", "storage"]
