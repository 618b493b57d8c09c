# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The pallet `Aura`."""

from . import constants, storage

__all__ = ["constants", "storage"]
