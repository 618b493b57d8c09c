"""Every error this package raises.

ChainError
├── TransportError              talking to the node failed
│   ├── TransportClosed         the transport was closed by its owner
│   ├── RequestTimeout          no answer in time (an idempotent request was replayed until then)
│   ├── ProtocolViolation       malformed or oversized frame
│   ├── WrongChain              the endpoint serves another genesis
│   └── SubscriptionLost        a subscription ended; the consumer re-opens it and fills the gap
│       ├── ConnectionLost      the connection died; a request that may not be replayed raises it too
│       └── QueueOverflow       the consumer was slower than its bounded queue
├── RpcError                    the node answered with an error (code, message, data)
│   └── MethodNotFound          the node does not know the method
├── CodecError
│   ├── EncodeError             a Python value does not fit its SCALE type
│   └── DecodeError             bytes do not fit their SCALE type
├── MetadataError               metadata of an unknown version or shape
│   ├── UnknownEntry            no such pallet, call, storage item, constant, event, runtime API
│   ├── UnsupportedExtension    a transaction extension this client cannot fill in
│   └── UnsupportedSignature    the chain does not take signatures of this kind of key
├── KeyFormatError              a key, address, mnemonic or key file is not usable
│   └── WrongPassword           an encrypted key file was not opened
├── CursorMismatch              the chain does not continue from the cursor (another or a reset chain)
├── BegunAnew                   a development chain of the same genesis was started over
├── BlockNotFound               the node does not know that block
└── TransactionError            carries extrinsic_hash and the last block it could be included in
    ├── TransactionRejected     the pool refused it: it was never in a block
    ├── TransactionInvalid      it became invalid in the pool
    ├── TransactionDropped      the pool dropped it; it may still be included until `valid_until`
    ├── TransactionUsurped      another transaction took its nonce
    ├── TransactionExpired      its mortal window passed: never included, safe to send anew
    ├── TransactionUnresolved   not known yet (time-out of the caller): look it up before sending anew
    └── DispatchFailed          included, but the call failed; carries the TxResult
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmnet.chain.results import DispatchError, TxResult


class ChainError(Exception):
    """Root of the tree above."""


class TransportError(ChainError):
    """Talking to the node failed."""


class TransportClosed(TransportError):
    """The transport was closed by its owner."""


class RequestTimeout(TransportError):
    """No answer in time."""


class ProtocolViolation(TransportError):
    """The node sent a malformed or oversized frame."""


class WrongChain(TransportError):
    """The endpoint serves another genesis than the one this client was connected to."""


class SubscriptionLost(TransportError):
    """A subscription ended without being asked to."""


class ConnectionLost(SubscriptionLost):
    """The connection died. Whether an unanswered request was carried out is not known."""


class QueueOverflow(SubscriptionLost):
    """The consumer of a subscription was slower than its bounded queue."""


class RpcError(ChainError):
    """The node answered with a JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None, method: str = "") -> None:
        self.code, self.message, self.data, self.method = code, message, data, method
        detail = f": {data}" if data is not None else ""
        super().__init__(f"{method or 'request'} failed with {code} {message}{detail}")


class MethodNotFound(RpcError):
    """The node does not know this RPC method."""


class CodecError(ChainError):
    """A value and its SCALE type do not fit."""


class EncodeError(CodecError):
    """A Python value does not fit its SCALE type; `path` says where."""

    def __init__(self, message: str, path: tuple[str, ...] = ()) -> None:
        self.message, self.path = message, path
        super().__init__(f"{'.'.join(path)}: {message}" if path else message)

    def inside(self, name: str) -> EncodeError:
        """The same error seen from one level further out."""
        return EncodeError(self.message, (name, *self.path))


class DecodeError(CodecError):
    """Bytes do not fit their SCALE type."""


class MetadataError(ChainError):
    """Metadata of an unknown version or shape."""


class UnknownEntry(MetadataError):
    """The runtime has no such pallet, call, storage item, constant, event or runtime API."""


class UnsupportedExtension(MetadataError):
    """The runtime wants a transaction extension that this client cannot fill in."""


class UnsupportedSignature(MetadataError):
    """The chain does not take signatures of this kind of key."""


class IncompatibleRuntime(MetadataError):
    """The runtime has changed an entry since the code that uses it was generated. All other entries work.

    `kind` and `entry` name it, `change` says what is different."""

    def __init__(self, kind: str, entry: str, change: str, runtime: str) -> None:
        self.kind, self.entry, self.change, self.runtime = kind, entry, change, runtime
        super().__init__(
            f"the {kind} {entry} is not the one this program was made for: {change} (runtime {runtime});"
            " update the program, or generate its types anew"
        )


class KeyFormatError(ChainError):
    """A key, address, mnemonic or key file is not usable. Never carries the secret."""


class WrongPassword(KeyFormatError):
    """An encrypted key file was not opened: no password, or the wrong one (or damaged content)."""


class CursorMismatch(ChainError):
    """The chain does not continue from the given cursor: it is another chain, or one that was reset."""


class BegunAnew(ChainError):
    """A development chain of the same genesis was started over: nothing that was kept is about it."""


class BlockNotFound(ChainError):
    """The node does not know that block."""


class TransactionError(ChainError):
    """A transaction did not do what was asked. `valid_until` is the last block that could include it."""

    def __init__(self, message: str, extrinsic_hash: bytes = b"", valid_until: int | None = None) -> None:
        self.extrinsic_hash, self.valid_until = extrinsic_hash, valid_until
        tail = f" (extrinsic 0x{extrinsic_hash.hex()})" if extrinsic_hash else ""
        super().__init__(message + tail)


class TransactionRejected(TransactionError):
    """The pool refused it: it was never in a block."""


class TransactionInvalid(TransactionError):
    """It became invalid while it waited in the pool."""


class TransactionDropped(TransactionError):
    """The pool dropped it. Another node may still hold it until `valid_until`."""


class TransactionUsurped(TransactionError):
    """Another transaction of the same account took its nonce."""


class TransactionExpired(TransactionError):
    """Its mortal window has passed on the finalised chain without it: safe to send anew."""


class TransactionUnresolved(TransactionError):
    """Its fate is not known yet: look it up (`client.locate`) before sending anything anew."""


class DispatchFailed(TransactionError):
    """The transaction was included and paid for, but its call failed."""

    def __init__(self, result: TxResult, error: DispatchError) -> None:
        self.result, self.error = result, error
        super().__init__(f"{error} in block {result.block_number}", result.extrinsic_hash)
