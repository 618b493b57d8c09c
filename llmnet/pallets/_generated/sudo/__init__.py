# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The pallet `Sudo`."""

from . import calls, errors, events, storage

__all__ = ["calls", "errors", "events", "storage"]
