"""What can go wrong in the red team's own work. An attack that is caught is a result, not an error."""

from __future__ import annotations


class RedTeamError(Exception):
    """Base of this package's errors."""


class UnknownAttack(RedTeamError):
    """There is no attack of that name."""


class MissingRecordings(RedTeamError):
    """An attack cannot be judged before its answers, or honest ones, are recorded."""


class BadCells(RedTeamError):
    """A file of results is not what it should be."""
