"""What the validator asks of the chain and tells it. A seam: tests put a fake in its place."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from llmnet.chain import Block, Call, Client, Signer
from llmnet.pallets import beacon, registry, spot_checks
from llmnet.pallets.beacon import BeaconStatus
from llmnet.pallets.spot_checks import Audit, Duty, Review
from llmnet.proof import Calibration, ServiceSpec

SUBMIT_SECONDS = 60.0
FINDERS_SHARE = 10  # a challenger gets this part of it
MOST_OF_A_REVIEW = 5  # panel rewards that the bond covers at least (section 12)


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that the duties depend on, at one block."""

    block: int
    beacon: BeaconStatus
    duties: tuple[Duty, ...]


@dataclass(frozen=True, slots=True)
class Stakes:
    """What a challenge is about, in plancks: the bond that is lost if the answer passes, what there is to gain, the fee."""

    bond: int
    gain: int
    fee: int


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

    async def calibration(self, spec_id: bytes) -> Calibration | None:
        """A spec's thresholds."""
        ...

    async def review(self, number: int) -> Review | None:
        """What an audit reviews; None for the first audit of an answer."""
        ...

    async def reviews_of(self, number: int) -> Sequence[int]:
        """The reviews of an audit, whoever asked for them."""
        ...

    async def own_review(self, number: int) -> int | None:
        """The review of an audit that this validator asked for, if it did."""
        ...

    async def used(self, number: int) -> bool:
        """Whether this validator's reference was used in a decided audit."""
        ...

    async def review_period(self) -> int:
        """For how many blocks after a verdict a review can be asked for."""
        ...

    async def stakes(self, call: Call, price: int) -> Stakes:
        """What a challenge of an answer of this price costs and brings."""
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

    async def calibration(self, spec_id: bytes) -> Calibration | None:
        """See `Ledger`."""
        return await registry.calibration(self._client.at(), spec_id)

    async def review(self, number: int) -> Review | None:
        """See `Ledger`."""
        return await spot_checks.review(self._client.at(), number)

    async def reviews_of(self, number: int) -> Sequence[int]:
        """See `Ledger`."""
        return await spot_checks.reviews_of(self._client.at(), number)

    async def own_review(self, number: int) -> int | None:
        """See `Ledger`."""
        return await self._client.at().get(spot_checks.storage.ReviewOf, number, self.account)

    async def used(self, number: int) -> bool:
        """See `Ledger`."""
        record = await self._client.at().get(spot_checks.storage.Records, number)
        return record is not None and self.account in record.accepted

    async def review_period(self) -> int:
        """See `Ledger`."""
        return await self._client.at().constant(spot_checks.constants.ReviewPeriod)

    async def stakes(self, call: Call, price: int) -> Stakes:
        """See `Ledger`."""
        view = self._client.at()
        reward = await view.constant(spot_checks.constants.PanelReward)
        fine = max(spot_checks.FINE_REWARDS * price, await view.constant(spot_checks.constants.MinimumFine))
        fee = await self._client.fee(call, self._signer)
        return Stakes(max(fine, MOST_OF_A_REVIEW * reward), fine // FINDERS_SHARE + reward, fee)

    async def endpoint(self, spec_id: bytes, worker: bytes) -> str | None:
        """See `Ledger`."""
        view = self._client.at()
        offer = await registry.offer(view, spec_id, worker)
        return await registry.former_endpoint(view, worker) if offer is None else offer.endpoint

    async def submit(self, call: Call) -> None:
        """See `Ledger`."""
        await self._client.submit(call, self._signer, timeout=SUBMIT_SECONDS)
