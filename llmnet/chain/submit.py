"""The life of a transaction: signed, handed to the pool once, watched, and looked for when watching fails.

    signed ──▶ handed over ──▶ broadcast ──▶ in block ──▶ finalised
                  │    │                        └─▶ retracted ─▶ (back in the pool)
                  │    └─▶ invalid | dropped | usurped          raised as TransactionError
                  └─▶ refused                                   TransactionRejected: it never was in a block
    connection lost, or silence, at any point ─▶ search: pool, then blocks of the mortal window, until found or expired

Nothing is sent twice blindly. While searching, the *same signed bytes* are handed over again only after pool
and blocks were both read without finding them; their nonce and their era make a second inclusion
impossible."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from llmnet.chain.errors import (
    BlockNotFound,
    RpcError,
    SubscriptionLost,
    TransactionDropped,
    TransactionError,
    TransactionInvalid,
    TransactionRejected,
    TransactionUnresolved,
    TransactionUsurped,
    TransportError,
)
from llmnet.chain.extrinsic import ERA_PERIOD, MAX_PERIOD, Era, Signer, Signing, sign_extrinsic
from llmnet.chain.nonces import Lease, NonceManager
from llmnet.chain.results import Header, SignedExtrinsic, TxStatus
from llmnet.chain.rpc import Rpc, from_hex, to_hex
from llmnet.chain.runtimes import Runtimes
from llmnet.chain.search import Place, Search, index_in, is_absent, nonce_taken, refusal_is_void
from llmnet.chain.transport import Subscription
from llmnet.chain.values import Call

log = logging.getLogger(__name__)
Wait = Literal["in_block", "finalized"]
OnStatus = Callable[[TxStatus], None]
ATTEMPTS = 4  # signings of one call when its nonce was taken by somebody else in the meantime
_KINDS = {"inBlock": "in_block", "finalityTimeout": "finality_timeout"}  # as in TxStatus
_ENDS: dict[str, type[TransactionError]] = {
    "invalid": TransactionInvalid,
    "dropped": TransactionDropped,
    "usurped": TransactionUsurped,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How a transaction is to be sent and waited for. period, in blocks; timeout, in seconds after it was sent."""

    wait: Wait = "finalized"
    tip: int = 0
    period: int = ERA_PERIOD
    timeout: float | None = None
    on_status: OnStatus | None = None

    def __post_init__(self) -> None:
        if self.wait not in ("in_block", "finalized"):
            raise ValueError(f"wait is 'in_block' or 'finalized', not {self.wait!r}")


class Submitter:
    """poll: seconds between looks at the chain while searching. quiet: seconds of a watched transaction's silence after
    which the chain is looked at."""

    def __init__(
        self,
        rpc: Rpc,
        runtimes: Runtimes,
        nonces: NonceManager,
        genesis: bytes,
        poll: float = 0.5,
        quiet: float = 15.0,
    ) -> None:
        self._rpc, self._runtimes, self._nonces, self._genesis = rpc, runtimes, nonces, genesis
        self._poll, self._quiet = poll, quiet

    async def sign(
        self,
        call: Call,
        signer: Signer,
        nonce: int,
        tip: int = 0,
        period: int | None = ERA_PERIOD,
        anchor: Header | None = None,
    ) -> SignedExtrinsic:
        """Signs for the runtime of the best block. Mortal from `anchor` on (default: the finalised head);
        immortal if period is None."""
        best = await self._rpc.block_hash()
        assert best is not None
        runtime, (era, birth_hash) = await asyncio.gather(
            self._runtimes.at(best), self._validity(best, period, anchor)
        )
        return sign_extrinsic(runtime, call, signer, Signing(self._genesis, birth_hash, era, nonce, tip))

    async def _validity(
        self, best: bytes, period: int | None, anchor: Header | None
    ) -> tuple[Era | None, bytes]:
        """The era, and the hash of the block that it begins with."""
        if period is None:
            return None, self._genesis
        if anchor is not None:
            start = anchor
        else:
            head, start = await asyncio.gather(self._rpc.header(best), self._finalized())
            period = long_enough(period, head.number - start.number)
        era = Era.mortal(start.number, period)
        if era.birth == start.number:
            return era, start.hash
        return era, await self._rpc.block_hash(era.birth) or start.hash

    async def _finalized(self) -> Header:
        return await self._rpc.header(await self._rpc.finalized_hash())

    async def submit(self, call: Call, signer: Signer, plan: Plan) -> tuple[SignedExtrinsic, Place]:
        """Where the transaction landed. Raises TransactionError (see errors.py), and before it was handed
        over also what signing raises."""
        extrinsic, subscription = await self._hand_over(call, signer, plan)
        landed = False
        try:
            place = await self._follow_up(extrinsic, subscription, plan)
            landed = True
        finally:
            self._nonces.settle(extrinsic.signer, extrinsic.nonce, landed)
        return extrinsic, place

    async def submit_signed(self, extrinsic: SignedExtrinsic, plan: Plan) -> Place:
        """The same for an extrinsic that was signed elsewhere."""
        try:
            subscription = await self._open(extrinsic, Lease(extrinsic.nonce))
        except RpcError as error:
            if not await refusal_is_void(self._rpc, extrinsic, error):
                raise _failure(
                    TransactionRejected, f"{extrinsic.call} was refused: {error}", extrinsic
                ) from error
            subscription = None
        return await self._follow_up(extrinsic, subscription, plan)

    async def _hand_over(
        self, call: Call, signer: Signer, plan: Plan
    ) -> tuple[SignedExtrinsic, Subscription | None]:
        """Gives the transaction to the pool; without a subscription it is not known whether it got there."""
        for attempt in range(ATTEMPTS):
            async with self._nonces.reserve(signer.account) as lease:
                extrinsic = await self.sign(call, signer, lease.nonce, plan.tip, plan.period)
                try:
                    return extrinsic, await self._open(extrinsic, lease)
                except RpcError as error:
                    if await refusal_is_void(self._rpc, extrinsic, error):
                        lease.consume()
                        return extrinsic, None
                    if not nonce_taken(error) or attempt == ATTEMPTS - 1:
                        raise _failure(
                            TransactionRejected, f"{call} was refused: {error}", extrinsic
                        ) from error
                    log.info("nonce %d of %s was taken, asking again", lease.nonce, signer.account.hex())
        raise AssertionError("unreachable")

    async def _open(self, extrinsic: SignedExtrinsic, lease: Lease) -> Subscription | None:
        method, params = "author_submitAndWatchExtrinsic", [to_hex(extrinsic.data)]
        try:
            async with asyncio.timeout(self._quiet):  # others of this account wait for it
                subscription = await self._rpc.transport.subscribe(method, params, "author_unwatchExtrinsic")
        except (TransportError, TimeoutError) as error:
            log.warning("%s was sent but not answered (%r): looking for it", extrinsic.call, error)
            subscription = None
        lease.consume()
        return subscription

    async def _follow_up(
        self, extrinsic: SignedExtrinsic, subscription: Subscription | None, plan: Plan
    ) -> Place:
        watch = _Watch(self._rpc, extrinsic, plan, self._quiet)
        try:
            async with asyncio.timeout(plan.timeout):
                place = None if subscription is None else await watch.until_placed(subscription)
                while place is None:
                    if (place := await watch.look()) is None:
                        await asyncio.sleep(self._poll)
                return place
        except TimeoutError:
            raise _failure(
                TransactionUnresolved, f"{extrinsic.call} was not seen in {plan.timeout} s", extrinsic
            ) from None
        except TransportError as error:
            raise _failure(
                TransactionUnresolved, f"the node cannot be asked about {extrinsic.call}: {error}", extrinsic
            ) from error


class _Watch:
    """One transaction that was handed over."""

    def __init__(self, rpc: Rpc, extrinsic: SignedExtrinsic, plan: Plan, quiet: float) -> None:
        self._rpc, self._extrinsic, self._plan, self._quiet = rpc, extrinsic, plan, quiet
        self._search = Search(rpc, extrinsic)
        self._searching = False

    async def until_placed(self, subscription: Subscription) -> Place | None:
        """Follows the node's reports; None if they ended without a verdict, or with one that the blocks
        contradict."""
        async with subscription:
            try:
                return await self._watch(subscription)
            except SubscriptionLost as error:
                log.warning("lost sight of %s (%s): looking for it", self._extrinsic.call, error)
                return None

    async def look(self) -> Place | None:
        if not self._searching:
            self._searching = True
            self._tell("searching", None)
        place = await self._search.look(finalized=self._plan.wait == "finalized")
        if place is not None:
            self._tell(self._plan.wait, place.block_hash)
        return place

    async def _watch(self, subscription: Subscription) -> Place | None:
        while True:
            try:
                async with asyncio.timeout(self._quiet):
                    status = await anext(subscription, None)
            except TimeoutError:  # a report may have been lost
                if (place := await self._search.look(finalized=self._plan.wait == "finalized")) is not None:
                    return place
                continue
            if status is None:
                return None
            kind, value = _parse_status(status)
            if kind in ("finalized", self._plan.wait):
                place = await self._confirm(value)
                self._tell(kind if place else "searching", place.block_hash if place else None)
                return place
            if kind in _ENDS:
                await self._ended(kind)
                return None
            if kind == "finality_timeout":
                return None
            self._tell(kind, value)

    async def _ended(self, kind: str) -> None:
        """Raises the verdict unless the blocks contradict it."""
        if await is_absent(self._rpc, self._extrinsic):
            self._tell(kind, None)
            raise _failure(_ENDS[kind], f"{self._extrinsic.call} is {kind}", self._extrinsic)

    async def _confirm(self, value: Any) -> Place | None:
        block_hash = from_hex(value)
        try:
            index = await index_in(self._rpc, block_hash, self._extrinsic.hash)
            number = (await self._rpc.header(block_hash)).number
        except BlockNotFound as error:
            log.info("%s was reported in a block that is gone: %s", self._extrinsic.call, error)
            return None
        return None if index is None else Place(block_hash, number, index)

    def _tell(self, kind: str, value: Any) -> None:
        log.debug("%s: %s", self._extrinsic.call, kind)
        if self._plan.on_status is not None:
            block_hash = value if isinstance(value, bytes) else None
            if kind in ("in_block", "retracted") and isinstance(value, str):
                block_hash = from_hex(value)
            self._plan.on_status(TxStatus(kind, self._extrinsic.hash, block_hash))


def long_enough(period: int, lag: int) -> int:
    """The period, doubled until half of it is left where finality is `lag` blocks behind the best block."""
    wanted = period
    while lag > wanted - period // 2 and wanted < MAX_PERIOD:
        wanted *= 2
    return wanted


def _parse_status(status: Any) -> tuple[str, Any]:
    """A status is a word or an object with one entry."""
    kind, value = "unknown", status
    if isinstance(status, dict) and len(status) == 1:
        kind, value = next(iter(status.items()))
    elif isinstance(status, str):
        kind, value = status, None
    return _KINDS.get(kind, kind), value


def _failure(kind: type[TransactionError], message: str, extrinsic: SignedExtrinsic) -> TransactionError:
    return kind(message, extrinsic.hash, extrinsic.last_block)
