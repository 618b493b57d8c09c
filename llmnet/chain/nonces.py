"""Nonces for several tasks of one account.

Signing and handing to the pool is serialised per account, so that nonces reach the node in order and a
refused transaction leaves no hole. Waiting for inclusion is not: any number of transactions may be under
way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class _Account:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next: int | None = None  # None: ask the node
    in_flight: set[int] = field(default_factory=set)
    users: int = 0  # tasks that hold or wait for the lock


@dataclass
class Lease:
    """A nonce that is ours while the lease is held. `consume()` once the node has, or may have, the
    transaction."""

    nonce: int
    consumed: bool = False

    def consume(self) -> None:
        self.consumed = True


class NonceManager:
    """fetch: account -> the next nonce the node expects, its pool included."""

    def __init__(self, fetch: Callable[[bytes], Awaitable[int]]) -> None:
        self._fetch = fetch
        self._accounts: dict[bytes, _Account] = {}

    @asynccontextmanager
    async def reserve(self, account: bytes) -> AsyncIterator[Lease]:
        """The account's next free nonce. Given back, and asked for anew, unless the lease was consumed."""
        state = self._accounts.setdefault(account, _Account())
        state.users += 1
        try:
            async with self._lease(account, state) as lease:
                yield lease
        finally:
            state.users -= 1
            self._forget_idle(account)

    @asynccontextmanager
    async def _lease(self, account: bytes, state: _Account) -> AsyncIterator[Lease]:
        async with state.lock:
            # With nothing under way the node is asked: it may have been reset, or somebody else used the account.
            known = state.next if state.in_flight else None
            nonce = known if known is not None else await self._fetch(account)
            while nonce in state.in_flight:
                nonce += 1
            lease = Lease(nonce)
            state.next = None
            try:
                yield lease
            finally:
                if lease.consumed:
                    state.in_flight.add(nonce)
                    state.next = nonce + 1

    def settle(self, account: bytes, nonce: int, landed: bool) -> None:
        """The transaction's fate is known (or nobody waits for it any more): forget it; ask the node again
        unless it landed."""
        state = self._accounts.get(account)
        if state is not None:
            state.in_flight.discard(nonce)
            if not landed:
                state.next = None
            self._forget_idle(account)

    def _forget_idle(self, account: bytes) -> None:
        """An account with nothing under way is asked about anew anyway: nothing of it need be kept."""
        state = self._accounts[account]
        if not state.users and not state.in_flight:
            del self._accounts[account]

    def in_flight(self, account: bytes) -> frozenset[int]:
        state = self._accounts.get(account)
        return frozenset(state.in_flight) if state else frozenset()
