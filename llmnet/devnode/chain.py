"""The chain so far: blocks by number and hash, the states of the last of them, and how far it is final.

There is one author, so there are no forks.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from llmnet.devnode.block import Block
from llmnet.devnode.database import Database
from llmnet.devnode.errors import DatabaseError, StatePruned, UnknownBlock
from llmnet.devnode.state import CODE_KEY, State

_RECENT_BLOCKS = 512
# States that stay in memory with their nodes; older ones are read from the database.
_RECENT_STATES = 16
# How many trie nodes may come into memory before all states in memory are let go and loaded anew.
_LOADED_NODES = 400_000


class Chain:
    """Blocks and states. Reading is safe from any thread; `append` is for one author."""

    def __init__(
        self, database: Database, genesis: Block, best: Block, state: State, finality_lag: int
    ) -> None:
        self._database = database
        self._finality_lag = finality_lag
        self._head = (best, state)
        self._states: OrderedDict[int, State] = OrderedDict({best.number: state})
        self._states_lock = threading.Lock()
        self._recent: OrderedDict[bytes, Block] = OrderedDict({genesis.hash: genesis})
        self.genesis = genesis

    @classmethod
    def open(cls, database: Database, genesis: Block, state: State, *, finality_lag: int) -> Chain:
        """The chain in `database`, begun with this genesis and the state after it if it is fresh.

        Raises DatabaseError if the database holds another chain or a damaged one.
        """
        stored = database.genesis_hash()
        if stored is None:
            database.append(genesis, State(), state)
            return cls(database, genesis, genesis, state, finality_lag)
        if stored != genesis.hash:
            raise DatabaseError(
                f"the database holds the chain with genesis 0x{stored.hex()}, not 0x{genesis.hash.hex()}: "
                "give another --base-path, or remove it with purge-chain"
            )
        best = database.best()
        assert best is not None
        head = database.state(best.number)
        head.get(CODE_KEY)  # loads the root, which must have the hash that stands in the header
        return cls(database, genesis, best, head, finality_lag)

    @property
    def best(self) -> Block:
        """The best block."""
        return self._head[0]

    @property
    def state(self) -> State:
        """The state after the best block."""
        return self._head[1]

    @property
    def finalized(self) -> Block:
        """The last final block: `finality_lag` behind the best one."""
        return self.block(max(0, self.best.number - self._finality_lag))

    def append(self, block: Block, state: State) -> None:
        """Adds the block that follows the best one; stored before it is shown."""
        if block.header.parent != self.best.hash:
            raise UnknownBlock(f"block {block.number} does not follow the best block {self.best.number}")
        self._database.append(block, self.state, state)
        self._remember(block)
        nodes = self._database.nodes
        with self._states_lock:
            if nodes.loaded > _LOADED_NODES:
                nodes.loaded = 0
                self._states.clear()
                state = self._database.state(block.number)
            self._keep_state(block.number, state)
        self._head = (block, state)

    def _keep_state(self, number: int, state: State) -> None:
        self._states[number] = state
        while len(self._states) > _RECENT_STATES:
            self._states.popitem(last=False)

    def _remember(self, block: Block) -> None:
        self._recent[block.hash] = block
        while len(self._recent) > _RECENT_BLOCKS:
            self._recent.popitem(last=False)

    def block(self, number: int) -> Block:
        """The block at a height. Raises UnknownBlock."""
        if number == self.best.number:
            return self.best
        found = self._database.block(number) if 0 <= number < self.best.number else None
        if found is None:
            raise UnknownBlock(f"there is no block {number}; the best block is {self.best.number}")
        return found

    def block_by_hash(self, block_hash: bytes) -> Block:
        """The block of a hash. Raises UnknownBlock."""
        found = self._recent.get(block_hash) or self._database.block_by_hash(block_hash)
        if found is None:
            raise UnknownBlock(f"there is no block 0x{block_hash.hex()}")
        return found

    def at(self, block_hash: bytes | None) -> tuple[Block, State]:
        """A block (None: the best) with the state after it. Raises UnknownBlock or StatePruned."""
        best, head = self._head
        if block_hash is None or block_hash == best.hash:
            return best, head
        block = self.block_by_hash(block_hash)
        oldest = self._database.oldest_state(best.number)
        if block.number < oldest:
            raise StatePruned(
                f"State already discarded for 0x{block.hash.hex()} (block {block.number}; "
                f"the oldest state that is kept is that of block {oldest})"
            )
        with self._states_lock:
            state = self._states.get(block.number)
            if state is None:
                state = self._database.state(block.number)
                self._keep_state(block.number, state)
        return block, state

    def close(self) -> None:
        """Closes the database."""
        self._database.close()
