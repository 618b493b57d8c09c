# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The pallet `Registry`."""

from . import calls, constants, errors, events, storage, views

__all__ = ["calls", "constants", "errors", "events", "storage", "views"]
