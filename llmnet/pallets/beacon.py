"""Public randomness (`runtime_spec/pallets/beacon`)."""

from ._generated.beacon import constants, errors, events, storage
from ._generated.beacon.calls import commit, reveal
from ._generated.beacon.views import status, value_of
from ._generated.types import BeaconStatus

__all__ = [
    "BeaconStatus",
    "commit",
    "constants",
    "errors",
    "events",
    "reveal",
    "status",
    "storage",
    "value_of",
]
