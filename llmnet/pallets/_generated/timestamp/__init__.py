# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The pallet `Timestamp`."""

from . import calls, constants, storage

__all__ = ["calls", "constants", "storage"]
