"""A validator's part in the beacon: which transaction, if any, the next block should have."""

from __future__ import annotations

from dataclasses import dataclass

from llmnet import proof
from llmnet.chain import Call
from llmnet.pallets import beacon
from llmnet.pallets.beacon import BeaconStatus

from .store import Store


@dataclass(frozen=True, slots=True)
class BeaconStep:
    """Commit to, or reveal, the secret of a round."""

    round: int
    reveal: bool

    def __str__(self) -> str:
        return f"{'reveal' if self.reveal else 'commit'} of beacon round {self.round}"


def next_step(status: BeaconStatus, now: int, account: bytes) -> BeaconStep | None:
    """What is missing from `account`, given the status as of block `now`.

    A transaction sent now lands in block `now + 1` at the earliest, so that block's phase counts, not this one's.
    """
    begins = now + 1 >= status.phase_ends_at
    if status.committing != begins:  # the next block takes commitments
        round_ = status.round if status.committing else status.round + 1
        committed = not begins and account in status.committed
        return None if committed else BeaconStep(round_, reveal=False)
    if account in status.committed and account not in status.revealed:
        return BeaconStep(status.round, reveal=True)
    return None


def beacon_call(step: BeaconStep, store: Store, account: bytes) -> Call | None:
    """The transaction of a step; None where the secret to be revealed is not in the store. A new secret is kept before this returns."""
    if step.reveal:
        secret = store.secret(step.round)
        return None if secret is None else beacon.reveal(step.round, secret)
    secret = store.make_secret(step.round)
    payload = step.round.to_bytes(4, "little") + account + secret
    return beacon.commit(step.round, proof.domain_hash("beacon-commit", payload))
