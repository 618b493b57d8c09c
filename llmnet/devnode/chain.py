"""The chain so far: blocks by number and hash, the states of the last of them, and how far it is final.

There is one author, so there are no forks.
"""

from __future__ import annotations

from collections import OrderedDict

from llmnet.devnode.block import Block
from llmnet.devnode.database import Database
from llmnet.devnode.errors import DatabaseError, StatePruned, UnknownBlock
from llmnet.devnode.state import Changes, State

_RECENT_BLOCKS = 512


class Chain:
    """Blocks and states. Reading is safe from any thread; `append` is for one author."""

    def __init__(
        self, database: Database, genesis: Block, state: State, *, keep_states: int, finality_lag: int
    ) -> None:
        self._database = database
        self._keep_states = max(keep_states, 1)
        self._finality_lag = finality_lag
        self._states: OrderedDict[int, State] = OrderedDict({0: state})
        self._recent: OrderedDict[bytes, Block] = OrderedDict({genesis.hash: genesis})
        self.genesis = genesis
        self.best = genesis

    @classmethod
    def open(
        cls,
        database: Database,
        genesis: Block,
        storage: Changes,
        state: State,
        version: int,
        *,
        keep_states: int,
        finality_lag: int,
    ) -> Chain:
        """The chain in `database`, begun with this genesis if it is fresh.

        `storage` is the genesis storage and `state` the state that it makes with state version `version`.
        Raises DatabaseError if the database holds another chain or a damaged one.
        """
        chain = cls(database, genesis, state, keep_states=keep_states, finality_lag=finality_lag)
        stored = database.genesis_hash()
        if stored is None:
            database.append(genesis, storage, State(), version)
        elif stored != genesis.hash:
            raise DatabaseError(
                f"the database holds the chain with genesis 0x{stored.hex()}, not 0x{genesis.hash.hex()}: "
                "give another --base-path, or remove it with purge-chain"
            )
        else:
            chain._reload(version)
        return chain

    def _reload(self, version: int) -> None:
        best = self._database.best()
        assert best is not None
        state = self._database.head_state()
        if state.root() != best.header.state_root:
            raise DatabaseError(
                f"the stored state of block {best.number} has another root than its header: damaged file"
            )
        states = [(best.number, state)]
        while states[-1][0] > 0 and len(states) < self._keep_states:
            number, after = states[-1]
            undo = self._database.undo(number)
            if undo is None:
                break
            states.append((number - 1, after.apply(undo, version)))
        self._states = OrderedDict(reversed(states))
        self.best = best

    @property
    def state(self) -> State:
        """The state after the best block."""
        return self._states[self.best.number]

    @property
    def finalized(self) -> Block:
        """The last final block: `finality_lag` behind the best one."""
        return self.block(max(0, self.best.number - self._finality_lag))

    def append(self, block: Block, state: State, changes: Changes, version: int) -> None:
        """Adds the block that follows the best one; stored before it is shown."""
        if block.header.parent != self.best.hash:
            raise UnknownBlock(f"block {block.number} does not follow the best block {self.best.number}")
        self._database.append(block, changes, self.state, version)
        self._remember(block)
        self._states[block.number] = state
        self.best = block
        while len(self._states) > self._keep_states:
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
        best = self.best
        block = best if block_hash is None else self.block_by_hash(block_hash)
        state = self._states.get(block.number)
        if state is None:
            raise StatePruned(
                f"State already discarded for 0x{block.hash.hex()} (block {block.number}; "
                f"the states of the last {self._keep_states} blocks are kept)"
            )
        return block, state

    def close(self) -> None:
        """Closes the database."""
        self._database.close()
