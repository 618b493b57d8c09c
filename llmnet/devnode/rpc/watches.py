"""What becomes of transactions, told to whoever watches them until they have come to an end."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from llmnet.devnode.block import Block

ENDS = ("usurped", "dropped", "invalid", "finalized")
# Called with a status and the hash that belongs to it: a block's, or the replacing transaction's.
Watcher = Callable[[str, bytes | None], None]


class Watches:
    """Watchers by transaction hash. Statuses are the pool's (`Node.on_status`), and `finalized`."""

    def __init__(self) -> None:
        self._watchers: dict[bytes, dict[object, Watcher]] = {}
        self._in_next_block: list[bytes] = []
        self._unfinal: OrderedDict[int, list[bytes]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._watchers)

    def add(self, tx_hash: bytes, watcher: Watcher) -> Callable[[], None]:
        """Watches a transaction; returns what ends it. After a status of `ENDS` it ends by itself."""
        token = object()
        self._watchers.setdefault(tx_hash, {})[token] = watcher

        def forget() -> None:
            watchers = self._watchers.get(tx_hash)
            if watchers is not None:
                watchers.pop(token, None)
                if not watchers:
                    del self._watchers[tx_hash]

        return forget

    def on_status(self, tx_hash: bytes, status: str, value: bytes | None) -> None:
        """Takes news of the pool."""
        if tx_hash not in self._watchers:
            return
        if status == "inBlock":
            self._in_next_block.append(tx_hash)
        self._tell(tx_hash, status, value)

    def _tell(self, tx_hash: bytes, status: str, value: bytes | None) -> None:
        watchers = self._watchers.get(tx_hash, {})
        if status in ENDS:
            self._watchers.pop(tx_hash, None)
        for watcher in tuple(watchers.values()):
            watcher(status, value)

    def on_block(self, block: Block) -> None:
        """Takes a new best block, after the statuses that came of it."""
        if self._in_next_block:
            self._unfinal[block.number] = self._in_next_block
            self._in_next_block = []

    def on_final(self, block: Block) -> None:
        """Takes a block that has become final."""
        for tx_hash in self._unfinal.pop(block.number, ()):
            self._tell(tx_hash, "finalized", block.hash)
