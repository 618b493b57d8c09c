"""Real metadata of a FRAME runtime (V14 to V16, see fixtures/README.md), and chains in memory made of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import zstandard

from llmnet.chain import Client, Keypair, Runtime, RuntimeVersion, parse_metadata

from .node import FakeNode
from .server import NodeServer

FIXTURES = Path(__file__).parent / "fixtures"
ARTIFACTS = Path(__file__).parents[2] / "runtime_spec" / "artifacts"


def load(version: int) -> bytes:
    packed = (FIXTURES / f"metadata_v{version}.scale.zst").read_bytes()
    return zstandard.ZstdDecompressor().decompress(packed, max_output_size=1 << 22)


def load_foreign(version: int) -> bytes:
    """The metadata of a large runtime of others, without documentation (see fixtures/README.md)."""
    packed = (FIXTURES / f"foreign_v{version}.scale.zst").read_bytes()
    return zstandard.ZstdDecompressor().decompress(packed, max_output_size=1 << 22)


def load_ours(version: int) -> bytes:
    """The metadata of this project's own runtime."""
    return (ARTIFACTS / f"metadata_v{version}.scale").read_bytes()


@pytest.fixture(autouse=True)
def no_cache_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One for all tests, so that the runtime is compiled once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache-home"))


@pytest.fixture(scope="session")
def metadata_bytes() -> dict[int, bytes]:
    return {version: load(version) for version in (14, 15, 16)}


@pytest.fixture(scope="session")
def runtime(metadata_bytes: dict[int, bytes]) -> Runtime:
    return Runtime(parse_metadata(metadata_bytes[16]), RuntimeVersion("llmnet", 1, 1, 1))


@pytest.fixture
def node(runtime: Runtime, metadata_bytes: dict[int, bytes]) -> FakeNode:
    return FakeNode(runtime, {16: metadata_bytes[16]})


@pytest.fixture
async def client(node: FakeNode) -> AsyncIterator[Client]:
    transport = node.transport()
    yield await Client.over(transport, poll=0.01)
    await transport.close()


@pytest.fixture(scope="session")
def alice() -> Keypair:
    return Keypair.from_uri("//Alice")


@pytest.fixture(scope="session")
def bob() -> Keypair:
    return Keypair.from_uri("//Bob")


@pytest.fixture
async def server(node: FakeNode) -> AsyncIterator[NodeServer]:
    server = NodeServer(node)
    await server.start()
    yield server
    await server.stop()
