# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls and hooks; storage, events and errors are written in modules of their names."""

from . import calls, constants, errors, events, storage, views

__all__ = ["calls", "constants", "errors", "events", "storage", "views"]
