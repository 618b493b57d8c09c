"""The JSON-RPC face of a node: WebSocket and HTTP POST on one port."""

from llmnet.devnode.rpc.server import Limits, Server, serve

__all__ = ["Limits", "Server", "serve"]
