"""A Substrate node in one Python process: runs any FRAME runtime, makes blocks, serves JSON-RPC.

    node = Node.from_preset(Path("runtime.wasm"))
    node.produce_block()
    async with serve(node, port=9944, seal=Seal("interval", 1.0)) as server:
        ...

It stands alone: nothing else of this project is imported.
"""

from llmnet.devnode.artifact import runtime_artifact
from llmnet.devnode.block import Block, Header
from llmnet.devnode.chainspec import ChainSpec, read_code
from llmnet.devnode.errors import (
    AuthoringError,
    BlockRefused,
    DatabaseError,
    DevnodeError,
    GenesisError,
    InvalidRuntime,
    InvalidTransaction,
    KnownBlock,
    RuntimeFault,
    RuntimeTimeout,
    RuntimeTrap,
    ServerError,
    StatePruned,
    TransactionError,
    UnknownBlock,
    UnknownParent,
)
from llmnet.devnode.executor import Runtime
from llmnet.devnode.node import Node, NodeConfig, Produced, database_path
from llmnet.devnode.overlay import Overlay
from llmnet.devnode.rpc import Limits, Server, serve
from llmnet.devnode.service import NodeService, Seal
from llmnet.devnode.state import State

__all__ = [
    "AuthoringError",
    "Block",
    "BlockRefused",
    "ChainSpec",
    "DatabaseError",
    "DevnodeError",
    "GenesisError",
    "Header",
    "InvalidRuntime",
    "InvalidTransaction",
    "KnownBlock",
    "Limits",
    "Node",
    "NodeConfig",
    "NodeService",
    "Overlay",
    "Produced",
    "Runtime",
    "RuntimeFault",
    "RuntimeTimeout",
    "RuntimeTrap",
    "Seal",
    "Server",
    "ServerError",
    "State",
    "StatePruned",
    "TransactionError",
    "UnknownBlock",
    "UnknownParent",
    "database_path",
    "read_code",
    "runtime_artifact",
    "serve",
]
