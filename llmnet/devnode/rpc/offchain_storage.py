"""The local storage of offchain workers, in memory. No runtime runs any here: only clients read and write it."""

from __future__ import annotations

from llmnet.devnode.rpc.errors import INVALID_PARAMS, RpcError

_MAX_BYTES = 16 * 1024 * 1024


class OffchainStorage:
    """Keys and values, bounded by their bytes."""

    def __init__(self, most: int = _MAX_BYTES) -> None:
        self._most = most
        self._bytes = 0
        self._values: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`."""
        return self._values.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Sets `key`; raises RpcError if there is no room."""
        grown = self._bytes + len(value) - len(self._values.get(key, b""))
        grown += 0 if key in self._values else len(key)
        if grown > self._most:
            raise RpcError(INVALID_PARAMS, "Invalid params", f"the storage is full ({self._most} bytes)")
        self._values[key], self._bytes = value, grown

    def clear(self, key: bytes) -> None:
        """Removes `key` if it is there."""
        value = self._values.pop(key, None)
        if value is not None:
            self._bytes -= len(key) + len(value)
