"""What can go wrong when answers are recorded."""

from __future__ import annotations


class MeasureError(Exception):
    """Base of this package's errors."""


class BadRecording(MeasureError):
    """A file of recordings, or a line of it, is not what it should be."""


class SelfTestFailed(MeasureError):
    """A worker's answers are not those of the class that it promises; the message says what an audit would find."""
