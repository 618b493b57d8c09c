"""What generating can refuse.

GenerateError              the message says what to do
├── SourceError            the runtime or its metadata could not be read
└── SubstituteError        a class that should stand for a type of the runtime does not fit it
"""

from __future__ import annotations


class GenerateError(Exception):
    """Root of the tree above."""


class SourceError(GenerateError):
    """The runtime or its metadata could not be read."""


class SubstituteError(GenerateError):
    """A class that should stand for a type of the runtime does not fit it."""
