"""The chain and the worker as seams: they do what a test says, and remember what they were told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from llmnet.chain import Block, Call, DispatchError, DispatchFailed, Keypair, TxResult
from llmnet.pallets.beacon import BeaconStatus
from llmnet.pallets.spot_checks import Answer, Audit, Duty, Member, Review, Stage
from llmnet.proof import Calibration, Leaf, Receipt, ServiceSpec, draw_positions
from llmnet.verifier import FetchError, Material, floor_calibration
from llmnet.verifier.ledger import Outlook, Stakes

GENESIS = bytes([3]) * 32
VALIDATOR = Keypair.from_uri("//Validator1")
SEED = bytes([5]) * 32
# Far from the end of a phase, so that the beacon keeps out of tests that are not about it.
QUIET = BeaconStatus(round=1, committing=False, phase_ends_at=10**6, committed=(), revealed=())


def refusal(name: str) -> DispatchFailed:
    result = TxResult(bytes(32), 5, bytes(32), 0, None, ())
    return DispatchFailed(result, DispatchError("Module", "SpotChecks", name))


def audit_of(
    receipt: Receipt, spec: ServiceSpec, request_seed: bytes, requester: bytes, worker: bytes
) -> Audit:
    """An audit whose receipt is open."""
    answer = Answer(receipt, requester, spec.id, 0, 1000, request_seed)
    return Audit(
        worker=worker,
        epoch=1,
        ordinal=0,
        segment=0,
        session=receipt.session,
        index=receipt.index,
        mean_price=1000,
        seed=SEED,
        stage=Stage.RECEIPT_OPENED,
        deadline=100,
        panel=(Member(VALIDATOR.public, None, False),),
        answer=answer,
        outcome=None,
    )


class FakeLedger:
    """A chain whose state is plain attributes. `on_submit` may raise, or change the state as the real one would."""

    def __init__(self, specs: list[ServiceSpec] | None = None) -> None:
        self.genesis_hash, self.account = GENESIS, VALIDATOR.public
        self.block = 10
        self.beacon = QUIET
        self.duties: list[Duty] = []
        self.audits: dict[int, Audit] = {}
        self.specs = {spec.id: spec for spec in specs or []}
        self.where: str | None = "http://worker.example"
        self.named: dict[int, list[int]] = {}
        self.reviews: dict[int, Review] = {}
        self.own_reviews: dict[int, int] = {}
        self.is_used = True
        self.worth = Stakes(bond=50, gain=12, fee=1)
        self.sent: list[Call] = []
        self.on_submit: Callable[[Call], None] = lambda call: None
        self.arriving: asyncio.Queue[Block | Exception] = asyncio.Queue()

    async def blocks(self) -> AsyncGenerator[Block, None]:
        while True:
            item = await self.arriving.get()
            if isinstance(item, Exception):
                raise item
            yield item

    async def outlook(self) -> Outlook:
        return Outlook(self.block, self.beacon, tuple(self.duties))

    async def audit(self, number: int) -> Audit | None:
        return self.audits.get(number)

    async def positions(self, number: int) -> Sequence[int]:
        audit = self.audits[number]
        assert audit.answer is not None
        return self.named.get(number) or draw_positions(audit.seed, audit.answer.receipt.n_out)

    async def spec(self, spec_id: bytes) -> ServiceSpec | None:
        return self.specs.get(spec_id)

    async def calibration(self, spec_id: bytes) -> Calibration | None:
        return floor_calibration(self.specs[spec_id].numerics)

    async def review(self, number: int) -> Review | None:
        return self.reviews.get(number)

    async def reviews_of(self, number: int) -> Sequence[int]:
        return [review for review, found in self.reviews.items() if found.of == number]

    async def own_review(self, number: int) -> int | None:
        return self.own_reviews.get(number)

    async def used(self, number: int) -> bool:
        return self.is_used

    async def review_period(self) -> int:
        return 300

    async def stakes(self, call: Call, price: int) -> Stakes:
        return self.worth

    async def endpoint(self, spec_id: bytes, worker: bytes) -> str | None:
        return self.where

    async def submit(self, call: Call) -> None:
        self.sent.append(call)
        self.on_submit(call)

    def names(self) -> list[str]:
        """The calls that were sent."""
        return [call.function for call in self.sent]


class FakeSource:
    """A worker that answers from a list; its last entry stands for ever."""

    def __init__(self, *answers: Material | FetchError) -> None:
        self.answers = list(answers)
        self.open_leaves: tuple[Leaf, ...] | FetchError = FetchError("not decided yet")
        self.asked: list[tuple[str, int]] = []

    async def fetch(self, endpoint: str, audit: int) -> Material:
        self.asked.append((endpoint, audit))
        answer: Any = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, FetchError):
            raise answer
        return answer

    async def leaves(self, endpoint: str, audit: int) -> tuple[Leaf, ...]:
        if isinstance(self.open_leaves, FetchError):
            raise self.open_leaves
        return self.open_leaves
