"""The JSON-RPC face of a node: WebSocket and HTTP POST on one port."""

from llmnet.devnode.rpc.app import Limits
from llmnet.devnode.rpc.server import Server, serve

__all__ = ["Limits", "Server", "serve"]
