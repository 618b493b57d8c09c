"""What can go wrong when ways of checking are compared."""

from __future__ import annotations

from llmnet.redteam.errors import RedTeamError


class RivalError(RedTeamError):
    """Base of this package's errors."""


class BadCommitment(RivalError):
    """Bytes that are no commitment of the method that is to check them."""


class NothingToCompare(RivalError):
    """Too few answers, or none of a kind that is needed."""


class BadScores(RivalError):
    """A file of scores is damaged."""
