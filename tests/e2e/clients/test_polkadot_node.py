"""The same chain specification on polkadot-sdk's own node: same genesis, and our client trades on it.

The node's binary is named by LLMNET_POLKADOT_NODE; it is no part of this project.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import pytest

from llmnet.chain import ChainError, Client, Keypair
from llmnet.pallets import staking

from .conftest import needs_polkadot_node

pytestmark = [pytest.mark.e2e, needs_polkadot_node]
START_SECONDS = 60
UNIT = 10**12


async def connected(url: str) -> None:
    """Waits until the node makes blocks. TimeoutError if it does not."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            with suppress(ChainError, OSError):
                async with Client.connect(url) as client:
                    if (await client.head()).number >= 1:
                        return
            await asyncio.sleep(0.5)


async def test_the_genesis_hash_is_the_same(polkadot_spec: Path, polkadot_url: str) -> None:
    from llmnet.devnode import ChainSpec, Node, NodeConfig

    await connected(polkadot_url)
    plain = json.loads(polkadot_spec.read_text())
    own = polkadot_spec.parent / "own.json"
    own.write_text(json.dumps({key: plain[key] for key in plain if key not in ("relay_chain", "para_id")}))
    node = Node(ChainSpec.read(own), NodeConfig())
    try:
        async with Client.connect(polkadot_url) as client:
            assert client.genesis_hash == node.genesis_hash
    finally:
        node.close()


async def test_our_client_bonds_there(polkadot_url: str) -> None:
    await connected(polkadot_url)
    worker = Keypair.from_uri("//Worker1")
    async with Client.connect(polkadot_url) as client:
        result = await client.submit(staking.bond(staking.StakeRole.WORKER, 1000 * UNIT), worker)
        bond = await staking.bond_of(client.at(result.block_hash), worker.public)
    assert result.find("Staking", "Bonded") is not None
    assert bond is not None and bond.stake == 1000 * UNIT
