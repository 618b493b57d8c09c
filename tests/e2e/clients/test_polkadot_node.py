"""The same chain specification on polkadot-sdk's own node: same genesis, and our client trades on it.

The node's binary is named by LLMNET_POLKADOT_NODE; it is no part of this project.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmnet.chain import ChainError, Client, Keypair
from llmnet.pallets import staking

BINARY = os.environ.get("LLMNET_POLKADOT_NODE", "")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not Path(BINARY).is_file(), reason="LLMNET_POLKADOT_NODE names no polkadot-sdk node"),
]
START_SECONDS = 60
UNIT = 10**12


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our raw specification, with the two entries that this node wants even for a solo chain."""
    command = [sys.executable, "-m", "llmnet.cli.node", "export-chain-spec", "--dev", "--raw"]
    exported = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    path = tmp_path_factory.mktemp("spec") / "spec.json"
    path.write_text(json.dumps({**exported, "relay_chain": "rococo-local", "para_id": 1000}))
    return path


@pytest.fixture(scope="module")
def url(spec: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--dev-block-time", "500", "--tmp", "--rpc-port", str(port)]
    quiet = ["--no-telemetry", "--no-prometheus", "--no-hardware-benchmarks"]
    log = spec.parent / "node.log"
    with log.open("wb") as sink:
        node = subprocess.Popen([BINARY, "--chain", str(spec), *options, *quiet], stdout=sink, stderr=sink)
        try:
            yield f"ws://127.0.0.1:{port}"
        finally:
            node.terminate()
            node.wait(timeout=20)


async def connected(url: str) -> None:
    for _ in range(START_SECONDS * 2):
        try:
            async with Client.connect(url) as client:
                if (await client.head()).number >= 1:
                    return
        except (ChainError, OSError):
            await asyncio.sleep(0.5)
        else:
            await asyncio.sleep(0.5)
    raise AssertionError(f"{url} made no block in {START_SECONDS} s")


async def test_the_genesis_hash_is_the_same(spec: Path, url: str) -> None:
    from llmnet.devnode import ChainSpec, Node, NodeConfig

    await connected(url)
    plain = json.loads(spec.read_text())
    own = spec.parent / "own.json"
    own.write_text(json.dumps({key: plain[key] for key in plain if key not in ("relay_chain", "para_id")}))
    node = Node(ChainSpec.read(own), NodeConfig())
    try:
        async with Client.connect(url) as client:
            assert client.genesis_hash == node.genesis_hash
    finally:
        node.close()


async def test_our_client_bonds_there(url: str) -> None:
    await connected(url)
    worker = Keypair.from_uri("//Worker1")
    async with Client.connect(url) as client:
        result = await client.submit(staking.bond(staking.StakeRole.WORKER, 1000 * UNIT), worker)
        bond = await staking.bond_of(client.at(result.block_hash), worker.public)
    assert result.find("Staking", "Bonded") is not None
    assert bond is not None and bond.stake == 1000 * UNIT
