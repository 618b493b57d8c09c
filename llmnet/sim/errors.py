"""Errors of the simulation.

SimError
├── CallFailed      a call that the strategy counted on was refused by the runtime
├── BadEvidence     a file of recorded evidence cannot be used
└── UnknownScenario no scenario has this name
"""

from __future__ import annotations

from llmnet.chain import Call, DispatchError


class SimError(Exception):
    """Everything that `llmnet.sim` raises on purpose."""


class CallFailed(SimError):
    """A call failed that was to succeed: the strategy does not know the rules it plays by."""

    def __init__(self, call: Call, error: DispatchError) -> None:
        super().__init__(f"{call.pallet}.{call.function} failed: {error}")
        self.call, self.error = call, error


class BadEvidence(SimError):
    """The file is not what `llmnet redteam record` writes."""


class UnknownScenario(SimError):
    """Scenarios are named after the kinds of the evidence: the file may lack one."""
