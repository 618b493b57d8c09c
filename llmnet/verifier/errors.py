"""What can go wrong when checking.

VerifierError
├── ModelMismatch       the model at hand is not the registered one
├── ReferenceFailed     the reference run gave no usable numbers
├── FetchError          the worker's data could not be had now; asking again may help
│   └── Withheld        it will not be had: the worker refused until it was too late, or gave other data than its receipt names
├── BundleError         a receipt file cannot be read
├── CalibrationError    answers that no thresholds can be fitted on, or a file of them that is damaged
└── StoreError          the store is of another version, chain or account
"""

from __future__ import annotations


class VerifierError(Exception):
    """Any error of this package."""


class ModelMismatch(VerifierError):
    """The model at hand is not the registered one; the message names the part that differs."""


class ReferenceFailed(VerifierError):
    """The reference run gave no usable numbers."""


class FetchError(VerifierError):
    """The worker's data could not be had now; asking again may help."""


class Withheld(FetchError):
    """The data will not be had, or is not what the receipt names: what a validator reports on chain."""


class BundleError(VerifierError):
    """A receipt file cannot be read."""


class CalibrationError(VerifierError):
    """No thresholds can be fitted on these answers, or a file of them is damaged; the message says which."""


class StoreError(VerifierError):
    """The store cannot be used; the message says why."""
