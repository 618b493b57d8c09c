"""What the worker asks the chain. A seam: tests put a fake in its place."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from llmnet.chain import Client, View, proxies_of
from llmnet.pallets import sessions, spot_checks, staking


async def stake_of(view: View, account: bytes) -> int:
    """The stake at risk in plancks, 0 for an account that is not bonded."""
    bond = await staking.bond_of(view, account)
    return 0 if bond is None else bond.stake


class ChainView(Protocol):
    """The few things admission and the audit door need to know."""

    genesis_hash: bytes

    async def session(self, number: int) -> sessions.Session | None:
        """A session at the best block."""
        ...

    async def audit(self, number: int) -> spot_checks.Audit | None:
        """An audit at the best block."""
        ...

    async def stake(self, account: bytes) -> int:
        """The stake of an account in plancks, at the best block."""
        ...

    async def acts_for(self, account: bytes, owners: Collection[bytes]) -> bool:
        """Whether one of the owners has named the account as its proxy, without delay."""
        ...


class ClientView:
    """The chain itself."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.genesis_hash = client.genesis_hash

    async def session(self, number: int) -> sessions.Session | None:
        """See `ChainView`."""
        return await sessions.session(self._client.at(), number)

    async def audit(self, number: int) -> spot_checks.Audit | None:
        """See `ChainView`."""
        return await spot_checks.audit(self._client.at(), number)

    async def stake(self, account: bytes) -> int:
        """See `ChainView`."""
        return await stake_of(self._client.at(), account)

    async def acts_for(self, account: bytes, owners: Collection[bytes]) -> bool:
        """See `ChainView`."""
        view = self._client.at()
        for owner in owners:
            named, _ = await proxies_of(view, owner)
            if any(proxy.delegate == account and proxy.delay == 0 for proxy in named):
                return True
        return False
