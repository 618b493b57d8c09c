"""What the validator asks of the chain and tells it. A seam: tests put a fake in its place."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from llmnet.chain import Block, Call, Client, Signer
from llmnet.pallets import beacon, registry, spot_checks
from llmnet.pallets.beacon import BeaconStatus
from llmnet.pallets.spot_checks import Audit, Duty
from llmnet.proof import ServiceSpec

SUBMIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that the duties depend on, at one block."""

    block: int
    beacon: BeaconStatus
    duties: tuple[Duty, ...]


class Ledger(Protocol):
    """The chain as one validator sees it. Methods raise `llmnet.chain.ChainError`."""

    genesis_hash: bytes
    account: bytes

    def blocks(self) -> AsyncGenerator[Block, None]:
        """Finalised blocks from now on."""
        ...

    async def outlook(self) -> Outlook:
        """What is to be done, at the best block."""
        ...

    async def audit(self, number: int) -> Audit | None:
        """An audit at the best block."""
        ...

    async def positions(self, number: int) -> Sequence[int]:
        """The positions that an audit looks at: drawn, or named by an accuser."""
        ...

    async def spec(self, spec_id: bytes) -> ServiceSpec | None:
        """A registered spec."""
        ...

    async def endpoint(self, spec_id: bytes, worker: bytes) -> str | None:
        """Where a worker says that it can be reached."""
        ...

    async def submit(self, call: Call) -> None:
        """Send a transaction as this validator and wait until it is final. Raises DispatchFailed if its call failed."""
        ...


class ClientLedger:
    """The chain itself."""

    def __init__(self, client: Client, signer: Signer) -> None:
        self._client, self._signer = client, signer
        self.genesis_hash, self.account = client.genesis_hash, signer.account

    def blocks(self) -> AsyncGenerator[Block, None]:
        """See `Ledger`."""
        return self._client.blocks()

    async def outlook(self) -> Outlook:
        """See `Ledger`."""
        view = self._client.at()
        header = await view.header()
        status = await beacon.status(view)
        return Outlook(header.number, status, tuple(await spot_checks.assignments(view, self.account)))

    async def audit(self, number: int) -> Audit | None:
        """See `Ledger`."""
        return await spot_checks.audit(self._client.at(), number)

    async def positions(self, number: int) -> Sequence[int]:
        """See `Ledger`."""
        return await spot_checks.positions(self._client.at(), number)

    async def spec(self, spec_id: bytes) -> ServiceSpec | None:
        """See `Ledger`."""
        return await registry.spec(self._client.at(), spec_id)

    async def endpoint(self, spec_id: bytes, worker: bytes) -> str | None:
        """See `Ledger`."""
        view = self._client.at()
        offer = await registry.offer(view, spec_id, worker)
        return await registry.former_endpoint(view, worker) if offer is None else offer.endpoint

    async def submit(self, call: Call) -> None:
        """See `Ledger`."""
        await self._client.submit(call, self._signer, timeout=SUBMIT_SECONDS)
