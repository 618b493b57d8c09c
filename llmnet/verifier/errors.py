"""What can go wrong when checking.

VerifierError
├── ModelMismatch       the model at hand is not the registered one
├── ReferenceFailed     the reference run gave no usable numbers
├── FetchError          the worker's data could not be had, or is not what the receipt says
└── BundleError         a receipt file cannot be read
"""

from __future__ import annotations


class VerifierError(Exception):
    """Any error of this package."""


class ModelMismatch(VerifierError):
    """The model at hand is not the registered one; the message names the part that differs."""


class ReferenceFailed(VerifierError):
    """The reference run gave no usable numbers."""


class FetchError(VerifierError):
    """The worker's data could not be had. `final` tells whether asking again is useless."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class BundleError(VerifierError):
    """A receipt file cannot be read."""
