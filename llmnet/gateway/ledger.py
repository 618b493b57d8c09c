"""What the gateway asks the chain. A seam: tests put a fake in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from llmnet.chain import Call, Client, Signer, TxResult
from llmnet.pallets import beacon, registry, sessions, spot_checks
from llmnet.pallets.registry import Offer
from llmnet.pallets.sessions import Session
from llmnet.proof import Calibration, Receipt, ServiceSpec

from .equivocation import CommittedSegment, committed_segments
from .errors import GatewayError


@dataclass(frozen=True, slots=True)
class BeaconPlace:
    """Where the beacon stands: the running round, the block, and the block at which the round's phase ends."""

    round: int
    block: int
    committing: bool
    phase_ends_at: int


class Ledger(Protocol):
    """Reads at the best block, and the calls of a requester."""

    genesis_hash: bytes

    async def specs(self) -> dict[bytes, ServiceSpec]:
        """All registered specs by id."""
        ...

    async def calibration(self, spec_id: bytes) -> Calibration | None:
        """A spec's thresholds."""
        ...

    async def offers(self, spec_id: bytes) -> dict[bytes, Offer]:
        """The offers of active workers for a spec."""
        ...

    async def offer(self, spec_id: bytes, worker: bytes) -> Offer | None:
        """One worker's offer."""
        ...

    async def session(self, number: int) -> Session | None:
        """A session, closed ones included while they are kept; its seed as soon as the beacon has it."""
        ...

    async def sessions_of(self, requester: bytes) -> list[int]:
        """The open and closing sessions of a requester."""
        ...

    async def block(self) -> int:
        """The number of the best block."""
        ...

    async def beacon(self) -> BeaconPlace:
        """Where the beacon stands."""
        ...

    async def committed(self, worker: bytes, session: int, first: int, last: int) -> list[CommittedSegment]:
        """What the worker committed of a session in blocks `first..=last`."""
        ...

    async def opened(self, session: int, index: int) -> tuple[int, Receipt] | None:
        """The audit of an answer, and the receipt that was opened in it."""
        ...

    async def submit(self, call: Call, signer: Signer) -> TxResult:
        """Submit and wait until it is final. Raises the errors of `Client.submit`."""
        ...


class ClientLedger:
    """The chain itself."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.genesis_hash = client.genesis_hash

    async def specs(self) -> dict[bytes, ServiceSpec]:
        """See `Ledger`."""
        return await registry.specs(self._client.at())

    async def calibration(self, spec_id: bytes) -> Calibration | None:
        """See `Ledger`."""
        return await registry.calibration(self._client.at(), spec_id)

    async def offers(self, spec_id: bytes) -> dict[bytes, Offer]:
        """See `Ledger`."""
        return await registry.offers(self._client.at(), spec_id)

    async def offer(self, spec_id: bytes, worker: bytes) -> Offer | None:
        """See `Ledger`."""
        return await registry.offer(self._client.at(), spec_id, worker)

    async def session(self, number: int) -> Session | None:
        """See `Ledger`."""
        return await sessions.session(self._client.at(), number)

    async def sessions_of(self, requester: bytes) -> list[int]:
        """See `Ledger`."""
        return list(await sessions.sessions_of(self._client.at(), requester))

    async def block(self) -> int:
        """See `Ledger`."""
        return (await self._client.head()).number

    async def beacon(self) -> BeaconPlace:
        """See `Ledger`."""
        view = self._client.at()
        status = await beacon.status(view)
        return BeaconPlace(
            status.round, (await view.header()).number, status.committing, status.phase_ends_at
        )

    async def committed(self, worker: bytes, session: int, first: int, last: int) -> list[CommittedSegment]:
        """See `Ledger`."""
        return await committed_segments(self._client, worker, session, first, last)

    async def opened(self, session: int, index: int) -> tuple[int, Receipt] | None:
        """See `Ledger`."""
        view = self._client.at()
        number = await view.get(spot_checks.storage.AuditOf, (session, index))
        audit = None if number is None else await spot_checks.audit(view, number)
        if number is None or audit is None or audit.answer is None:
            return None
        return number, audit.answer.receipt

    async def submit(self, call: Call, signer: Signer) -> TxResult:
        """See `Ledger`."""
        return await self._client.submit(call, signer)


def opened_session(result: TxResult) -> int:
    """The number of the session that a transaction opened."""
    event = result.find("Sessions", "SessionOpened")
    if event is None:
        raise GatewayError(f"the transaction in block {result.block_number} opened no session")
    return int(event.fields["session"])
