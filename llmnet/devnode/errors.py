"""Everything that can go wrong in a development node, as one tree.

DevnodeError
├── CodecError                 bytes are not the SCALE value they should be
├── InvalidProof               trie nodes do not prove what they should
├── RuntimeFault               the WASM runtime could not do what it was asked
│   ├── InvalidRuntime         the code is no runtime that this host can run
│   ├── RuntimeTrap            a call ended in a trap (its changes are discarded)
│   │   ├── MissingHostFunction   the runtime called an import that this host lacks
│   │   └── RuntimeTimeout        a call ran longer than allowed
│   └── NoSuchEntryPoint       the runtime exports no such function
├── UnknownBlock               no block has this hash or number
│   └── StatePruned            the block is known, its state is no longer kept
├── TransactionError           a transaction is not taken into the pool
│   ├── MalformedTransaction, InvalidTransaction, UndecidableTransaction
│   └── AlreadyInPool, TemporarilyBanned, PriorityTooLow, PoolFull
├── AuthoringError             a block could not be built, or its re-execution differs
├── BlockRefused               a block made elsewhere is not taken
│   ├── KnownBlock             it is in the chain already
│   └── UnknownParent          it follows no block of this chain, or one that has a child
├── GenesisError               preset, patch or chain specification cannot make a genesis
├── DatabaseError              the database under --base-path does not fit or cannot be used
└── ServerError                the address cannot be served
"""

from __future__ import annotations


class DevnodeError(Exception):
    """Base of all errors of this package."""


class CodecError(DevnodeError):
    """Bytes are not the SCALE value they should be."""


class InvalidProof(DevnodeError):
    """Trie nodes do not prove what they should: one is missing, malformed or too many."""


class RuntimeFault(DevnodeError):
    """The WASM runtime could not do what it was asked."""


class InvalidRuntime(RuntimeFault):
    """The code is no runtime that this host can run."""


class NoSuchEntryPoint(RuntimeFault):
    """The runtime exports no function of this name."""


class RuntimeTrap(RuntimeFault):
    """A runtime call trapped; `reason` holds the panic text where the runtime logged one."""

    def __init__(self, function: str, reason: str) -> None:
        super().__init__(f"{function} trapped: {reason}")
        self.function = function
        self.reason = reason


class MissingHostFunction(RuntimeTrap):
    """The runtime called an import that this host does not provide."""


class RuntimeTimeout(RuntimeTrap):
    """A runtime call ran longer than its limit and was interrupted."""


class UnknownBlock(DevnodeError):
    """No block has this hash or number."""


class StatePruned(UnknownBlock):
    """The block is known, but its state is older than the states that are kept."""


class TransactionError(DevnodeError):
    """A transaction is not taken into the pool."""


class MalformedTransaction(TransactionError):
    """The bytes are not an extrinsic that the runtime can decode."""


class InvalidTransaction(TransactionError):
    """The runtime calls the transaction invalid; `future` and `stale` tell nonce faults apart."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text


class UndecidableTransaction(TransactionError):
    """The runtime cannot tell whether the transaction is valid."""


class AlreadyInPool(TransactionError):
    """The same transaction is in the pool."""


class TemporarilyBanned(TransactionError):
    """The transaction was found invalid a short while ago."""


class PriorityTooLow(TransactionError):
    """Another transaction with the same nonce and at least this priority is in the pool."""

    def __init__(self, old: int, new: int) -> None:
        super().__init__(f"({old} vs {new})")
        self.old = old
        self.new = new


class PoolFull(TransactionError):
    """The pool is at its limit and the transaction has the lowest priority."""


class AuthoringError(DevnodeError):
    """A block could not be built, or executing it again gave something else."""


class BlockRefused(DevnodeError):
    """A block that was made elsewhere is not taken; the chain is as it was."""


class KnownBlock(BlockRefused):
    """The block is in the chain already."""


class UnknownParent(BlockRefused):
    """The block follows no block of this chain, or one that has a child already (there are no forks)."""


class GenesisError(DevnodeError):
    """Preset, patch or chain specification cannot make a genesis block."""


class DatabaseError(DevnodeError):
    """The database under the base path cannot be used or belongs to another chain."""


class ServerError(DevnodeError):
    """The address cannot be served (in use, not permitted, not of this machine)."""
