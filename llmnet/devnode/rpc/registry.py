"""Methods by name, their parameters, and what a method sees of its surroundings."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmnet.devnode.rpc.errors import INVALID_PARAMS, RpcError

if TYPE_CHECKING:
    from llmnet.devnode.rpc.connection import Connection
    from llmnet.devnode.rpc.hub import Hub
    from llmnet.devnode.service import NodeService


@dataclass(frozen=True)
class Context:
    """What a method works with; `connection` is None for HTTP, where there are no subscriptions."""

    service: NodeService
    hub: Hub
    connection: Connection | None


Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Method:
    """A handler with its signature; the first parameter is the Context."""

    handler: Handler
    signature: inspect.Signature

    async def __call__(self, context: Context, params: Any) -> Any:
        """Runs the method with positional or named JSON parameters."""
        try:
            if params is None:
                bound = self.signature.bind(context)
            elif isinstance(params, list):
                bound = self.signature.bind(context, *params)
            elif isinstance(params, Mapping):
                bound = self.signature.bind(context, **params)
            else:
                raise TypeError("params must be an array or an object")
        except TypeError as error:
            raise RpcError(INVALID_PARAMS, "Invalid params", str(error)) from None
        return await self.handler(*bound.args, **bound.kwargs)


METHODS: dict[str, Method] = {}


def method(*names: str) -> Callable[[Handler], Handler]:
    """Registers an async handler under its name and aliases."""

    def register(handler: Handler) -> Handler:
        entry = Method(handler, inspect.signature(handler))
        METHODS.update(dict.fromkeys(names, entry))
        return handler

    return register


def hex_of(data: bytes) -> str:
    """Bytes as JSON-RPC shows them."""
    return "0x" + data.hex()


def optional_hex(data: bytes | None) -> str | None:
    """As `hex_of`, null for None."""
    return None if data is None else "0x" + data.hex()


def parse_bytes(value: Any, what: str = "bytes") -> bytes:
    """Reads 0x-prefixed hex."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            pass
    raise RpcError(INVALID_PARAMS, "Invalid params", f"{what}: 0x-prefixed hex expected")


def parse_hash(value: Any, what: str = "block hash") -> bytes | None:
    """Reads an optional 32-byte hash."""
    if value is None:
        return None
    data = parse_bytes(value, what)
    if len(data) != 32:
        raise RpcError(INVALID_PARAMS, "Invalid params", f"{what}: 32 bytes expected, found {len(data)}")
    return data


def parse_number(value: Any, what: str, most: int = 2**32 - 1) -> int:
    """Reads a non-negative integer, as a number or as 0x-prefixed hex."""
    try:
        number = int(value, 16) if isinstance(value, str) and value.startswith("0x") else value
    except ValueError:
        number = None
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= most:
        return number
    raise RpcError(INVALID_PARAMS, "Invalid params", f"{what}: an integer of 0 to {most} expected")


def parse_list(value: Any, what: str, most: int) -> list[Any]:
    """Reads an array of at most `most` items."""
    if not isinstance(value, list) or len(value) > most:
        raise RpcError(INVALID_PARAMS, "Invalid params", f"{what}: an array of at most {most} items expected")
    return value
