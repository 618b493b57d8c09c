"""Several calls in one transaction (the frame pallet `Utility`)."""

from ._generated.utility import constants, errors, events
from ._generated.utility.calls import (
    as_derivative,
    batch,
    batch_all,
    dispatch_as,
    dispatch_as_fallible,
    force_batch,
    if_else,
    with_weight,
)

__all__ = [
    "as_derivative",
    "batch",
    "batch_all",
    "constants",
    "dispatch_as",
    "dispatch_as_fallible",
    "errors",
    "events",
    "force_batch",
    "if_else",
    "with_weight",
]
