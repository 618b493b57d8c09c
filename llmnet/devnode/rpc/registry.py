"""Methods by name, their parameters, and what a method sees of its surroundings."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmnet.devnode.rpc.errors import INVALID_PARAMS, METHOD_NOT_FOUND, RpcError

if TYPE_CHECKING:
    from llmnet.devnode.rpc.connection import Connection
    from llmnet.devnode.rpc.hub import Hub
    from llmnet.devnode.rpc.metrics import Metrics
    from llmnet.devnode.service import NodeService


@dataclass(frozen=True)
class Context:
    """What a method works with; `connection` is None for HTTP, where there are no subscriptions.

    `unsafe` tells whether methods may be called that only the node's operator should call.
    """

    service: NodeService
    hub: Hub
    connection: Connection | None
    metrics: Metrics
    unsafe: bool = True

    def subscriber(self) -> Connection:
        """The connection that a subscription needs; raises RpcError over HTTP."""
        if self.connection is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found", "subscriptions need a WebSocket")
        return self.connection


Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Method:
    """A handler with its signature; the first parameter is the Context.

    Positional parameters beyond those are left aside, as by polkadot-sdk's nodes.
    """

    handler: Handler
    signature: inspect.Signature
    unsafe: bool = False

    async def __call__(self, context: Context, params: Any) -> Any:
        """Runs the method with positional or named JSON parameters."""
        if self.unsafe and not context.unsafe:
            raise RpcError(METHOD_NOT_FOUND, "RPC call is unsafe to be called externally")
        try:
            if params is None:
                bound = self.signature.bind(context)
            elif isinstance(params, list):
                bound = self.signature.bind(context, *params[: len(self.signature.parameters) - 1])
            elif isinstance(params, Mapping):
                bound = self.signature.bind(context, **params)
            else:
                raise TypeError("params must be an array or an object")
        except TypeError as error:
            raise RpcError(INVALID_PARAMS, "Invalid params", str(error)) from None
        return await self.handler(*bound.args, **bound.kwargs)


METHODS: dict[str, Method] = {}


def method(*names: str, unsafe: bool = False) -> Callable[[Handler], Handler]:
    """Registers an async handler under its name and aliases; `unsafe` ones are for the node's operator."""

    def register(handler: Handler) -> Handler:
        entry = Method(handler, inspect.signature(handler), unsafe)
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
    """Reads hex with or without 0x and with any number of digits, as the old methods of Substrate do."""
    if isinstance(value, str):
        digits = value[2:] if value.startswith("0x") else value
        if digits.isalnum() or not digits:  # `fromhex` would skip blanks
            try:
                return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)
            except ValueError:
                pass
    raise RpcError(INVALID_PARAMS, "Invalid params", f"{what}: a hex string expected")


def parse_hex(value: Any, what: str) -> bytes:
    """Reads 0x-prefixed hex of whole bytes, as the new methods demand, or an empty string."""
    if isinstance(value, str) and value and not (value.startswith("0x") and len(value) % 2 == 0):
        raise RpcError(INVALID_PARAMS, f"Invalid parameter: {value[:100]}")
    return parse_bytes(value, what)


def parse_hash(value: Any, what: str = "block hash") -> bytes | None:
    """Reads an optional 32-byte hash."""
    if value is None:
        return None
    data = parse_bytes(value, what)
    if len(data) != 32:
        raise RpcError(INVALID_PARAMS, "Invalid params", f"{what}: 32 bytes expected, found {len(data)}")
    return data


def parse_number(value: Any, what: str, most: int = 2**32 - 1) -> int:
    """Reads a non-negative integer, as a number or in hex (prefixed or not)."""
    try:
        number = int(value, 16) if isinstance(value, str) and len(value) <= 66 else value
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


def parse_text(value: Any, what: str) -> str:
    """Reads a string."""
    if not isinstance(value, str):
        raise RpcError(INVALID_PARAMS, "Invalid params", f"{what}: a string expected")
    return value


def parse_flag(value: Any, what: str) -> bool:
    """Reads true or false."""
    if not isinstance(value, bool):
        raise RpcError(INVALID_PARAMS, "Invalid params", f"{what}: true or false expected")
    return value


def need_hash(value: Any, what: str = "block hash") -> bytes:
    """Reads a 32-byte hash that may not be left out."""
    found = parse_hash(value, what)
    if found is None:
        raise RpcError(INVALID_PARAMS, "Invalid params", f"{what}: a hash expected")
    return found
