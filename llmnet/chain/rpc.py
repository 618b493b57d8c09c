"""The node's RPC methods as typed functions: bytes instead of hex, checked shapes. Holds no state but the
transport."""

from __future__ import annotations

from typing import Any

from llmnet.chain.errors import BlockNotFound, ProtocolViolation
from llmnet.chain.results import Header, RuntimeVersion
from llmnet.chain.transport import Transport


def to_hex(data: bytes) -> str:
    return "0x" + data.hex()


def from_hex(value: Any) -> bytes:
    """Raises ProtocolViolation for anything but 0x and hex digits."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ProtocolViolation(f"wanted hex, the node sent {str(value)[:80]!r}")
    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        raise ProtocolViolation(f"wanted hex, the node sent {value[:80]!r}") from None


def block_number(header: Any) -> int:
    """The number in a JSON header (hex in Substrate's form)."""
    try:
        return int(header["number"], 16)
    except (TypeError, KeyError, ValueError):
        raise ProtocolViolation("the node sent a malformed header") from None


class Rpc:
    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def block_hash(self, number: int | None = None) -> bytes | None:
        """Of the best chain; the best block without a number, None beyond it."""
        result = await self.transport.request("chain_getBlockHash", [] if number is None else [number])
        return None if result is None else from_hex(result)

    async def finalized_hash(self) -> bytes:
        return from_hex(await self.transport.request("chain_getFinalizedHead"))

    async def header(self, block_hash: bytes) -> Header:
        """Raises BlockNotFound."""
        raw = await self.transport.request("chain_getHeader", [to_hex(block_hash)])
        if raw is None:
            raise BlockNotFound(f"the node has no block 0x{block_hash.hex()}")
        number = block_number(raw)
        try:
            parent, state, body = (
                from_hex(raw[name]) for name in ("parentHash", "stateRoot", "extrinsicsRoot")
            )
            logs = tuple(from_hex(log) for log in raw["digest"]["logs"])
        except (KeyError, TypeError):
            raise ProtocolViolation("the node sent a malformed header") from None
        return Header(block_hash, number, parent, state, body, logs)

    async def body(self, block_hash: bytes) -> list[bytes]:
        """The extrinsics of a block. Raises BlockNotFound."""
        raw = await self.transport.request("chain_getBlock", [to_hex(block_hash)])
        if raw is None:
            raise BlockNotFound(f"the node has no block 0x{block_hash.hex()}")
        try:
            return [from_hex(extrinsic) for extrinsic in raw["block"]["extrinsics"]]
        except (KeyError, TypeError):
            raise ProtocolViolation("the node sent a malformed block") from None

    async def storage(self, key: bytes, at: bytes) -> bytes | None:
        result = await self.transport.request("state_getStorage", [to_hex(key), to_hex(at)])
        return None if result is None else from_hex(result)

    async def storage_hash(self, key: bytes, at: bytes) -> bytes | None:
        result = await self.transport.request("state_getStorageHash", [to_hex(key), to_hex(at)])
        return None if result is None else from_hex(result)

    async def keys_page(self, prefix: bytes, count: int, start: bytes | None, at: bytes) -> list[bytes]:
        start_hex = None if start is None else to_hex(start)
        params = [to_hex(prefix), count, start_hex, to_hex(at)]
        result = await self.transport.request("state_getKeysPaged", params)
        if not isinstance(result, list):
            raise ProtocolViolation("the node sent something else than a list of keys")
        return [from_hex(key) for key in result]

    async def storage_many(self, keys: list[bytes], at: bytes) -> dict[bytes, bytes | None]:
        result = await self.transport.request(
            "state_queryStorageAt", [[to_hex(key) for key in keys], to_hex(at)]
        )
        try:
            changes = [pair for part in result for pair in part["changes"]]
            return {from_hex(key): None if value is None else from_hex(value) for key, value in changes}
        except (KeyError, TypeError, ValueError):
            raise ProtocolViolation("the node sent a malformed set of storage values") from None

    async def call(self, method: str, data: bytes, at: bytes) -> bytes:
        return from_hex(await self.transport.request("state_call", [method, to_hex(data), to_hex(at)]))

    async def metadata(self, at: bytes) -> bytes:
        return from_hex(await self.transport.request("state_getMetadata", [to_hex(at)]))

    async def runtime_version(self, at: bytes) -> RuntimeVersion:
        raw = await self.transport.request("state_getRuntimeVersion", [to_hex(at)])
        try:
            fields = (raw["specName"], raw["specVersion"], raw["implVersion"], raw["transactionVersion"])
        except (KeyError, TypeError):
            raise ProtocolViolation("the node sent a malformed runtime version") from None
        return RuntimeVersion(str(fields[0]), int(fields[1]), int(fields[2]), int(fields[3]))

    async def next_index(self, address: str) -> int:
        """The next nonce of an account, transactions waiting in the pool included."""
        result = await self.transport.request("system_accountNextIndex", [address])
        if not isinstance(result, int):
            raise ProtocolViolation("the node sent a nonce that is not a number")
        return result

    async def pending(self) -> list[bytes]:
        """The extrinsics in the node's pool."""
        return [from_hex(raw) for raw in await self.transport.request("author_pendingExtrinsics")]
