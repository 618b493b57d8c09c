"""Public randomness (`runtime_spec/pallets/beacon`)."""

from __future__ import annotations

from dataclasses import dataclass

from llmnet.chain import Call, View

from ._convert import record

PALLET = "Beacon"


@dataclass(frozen=True, slots=True)
class BeaconStatus:
    """Where the running round stands; `phase_ends_at` is the first block that no longer belongs to the phase."""

    round: int
    committing: bool
    phase_ends_at: int
    committed: tuple[bytes, ...]
    revealed: tuple[bytes, ...]


def commit(round: int, commitment: bytes) -> Call:  # noqa: A002 - the word of the protocol
    """Commit to a secret for `round`."""
    return Call(PALLET, "commit", {"round": round, "commitment": commitment})


def reveal(round: int, secret: bytes) -> Call:  # noqa: A002
    """Reveal the secret of `round`."""
    return Call(PALLET, "reveal", {"round": round, "secret": secret})


async def status(view: View) -> BeaconStatus:
    """The running round."""
    value = await view.view_function(PALLET, "status")
    return record(BeaconStatus, value, committed=tuple(value["committed"]), revealed=tuple(value["revealed"]))


async def value_of(view: View, round: int) -> bytes | None:  # noqa: A002
    """The value of a finished round, while it is kept."""
    value: bytes | None = await view.view_function(PALLET, "value_of", round=round)
    return value
