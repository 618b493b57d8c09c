from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmnet.devnode import ChainSpec, Node, NodeConfig, Runtime, Server, read_code, serve

from .rpc_client import Client, client_of
from .support import Signer, artifact

NodeFactory = Callable[..., Node]


@pytest.fixture(scope="session")
def wasm() -> Path:
    """The runtime under test: LLMNET_RUNTIME_WASM, else the committed artifact."""
    return Path(os.environ.get("LLMNET_RUNTIME_WASM") or artifact())


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wasm-cache")


@pytest.fixture(scope="session")
def spec(wasm: Path, cache_dir: Path) -> ChainSpec:
    code = read_code(wasm)
    return ChainSpec.from_preset(code, Runtime(code, cache_dir=cache_dir))


@pytest.fixture
def make_node(spec: ChainSpec, cache_dir: Path) -> Iterator[NodeFactory]:
    """Makes nodes of the artifact's development chain that check each block by executing it again."""
    made: list[Node] = []

    def make(**settings: Any) -> Node:
        node = Node(spec, NodeConfig(**{"cache_dir": cache_dir, "self_check": True, **settings}))
        made.append(node)
        return node

    yield make
    for node in made:
        node.close()


@pytest.fixture
def node(make_node: NodeFactory) -> Node:
    return make_node()


@pytest.fixture
def signer(node: Node) -> Signer:
    return Signer(node)


@pytest.fixture
async def server(node: Node) -> AsyncIterator[Server]:
    async with serve(node) as running:
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with client_of(server) as connected:
        yield connected
