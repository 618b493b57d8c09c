"""What the worker asks the chain. A seam: tests put a fake in its place."""

from __future__ import annotations

from typing import Protocol

from llmnet.chain import Client
from llmnet.pallets import sessions, spot_checks


class ChainView(Protocol):
    """The few things admission and the audit door need to know."""

    genesis_hash: bytes

    async def session(self, number: int) -> sessions.Session | None:
        """A session at the best block."""
        ...

    async def audit(self, number: int) -> spot_checks.Audit | None:
        """An audit at the best block."""
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
