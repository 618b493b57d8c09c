"""Everything that `llmnet.proof` can refuse.

ProofError (ValueError)
├── DecodeError      bytes that are not the canonical encoding of the object: .kind, .offset, .reason
├── FieldError       a value that its field cannot hold
├── ShapeError       arrays whose shapes or counts do not fit together
└── NonFiniteError   NaN or infinity where a number is to be committed
"""

from __future__ import annotations


class ProofError(ValueError):
    """Base of all errors of this package."""


class DecodeError(ProofError):
    """Bytes are not the one canonical encoding of the expected object.

    `kind` is one of `truncated trailing compact too_long enum utf8 range`; `offset` is the byte at which
    reading stopped.
    """

    def __init__(self, kind: str, offset: int, reason: str) -> None:
        super().__init__(f"cannot decode at byte {offset}: {reason}")
        self.kind = kind
        self.offset = offset
        self.reason = reason


class FieldError(ProofError):
    """A value that its field cannot hold (range, length, type)."""


class ShapeError(ProofError):
    """Arrays or lists whose shapes or lengths do not fit together."""


class NonFiniteError(ProofError):
    """NaN or infinity where a number is to be committed: an error, never a number (protocol section 3)."""
