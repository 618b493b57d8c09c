from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from llmnet.gateway import Requester

from .network import Network


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    async with Network(tmp_path_factory.mktemp("network")) as network:
        yield network


@pytest_asyncio.fixture(loop_scope="package")
async def network(running: Network) -> AsyncIterator[Network]:
    """The network that all tests of this folder share. After each of them all daemons run, no log has a traceback, and the money
    adds up: total issuance, and every balance on hold against what the pallets say is on hold.
    """
    yield running
    running.troupe.check()
    assert await running.problems() == [], running.story()


@pytest_asyncio.fixture(loop_scope="package")
async def requester(network: Network) -> AsyncIterator[Requester]:
    async with network.requester("Requester1") as requester:
        yield requester
