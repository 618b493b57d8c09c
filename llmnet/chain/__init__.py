"""Talk to any Substrate node: transport, metadata, codec, extrinsics, nonces, events, keys.

async with Client.connect("ws://127.0.0.1:9944") as client:
    alice = Keypair.from_uri("//Alice")
    call = client.call("Balances", "transfer_keep_alive", dest=bob.public, value=10**12)
    result = await client.submit(call, alice)
"""

from llmnet.chain.client import Client
from llmnet.chain.errors import (
    BegunAnew,
    BlockNotFound,
    ChainError,
    CodecError,
    ConnectionLost,
    CursorMismatch,
    DecodeError,
    DispatchFailed,
    EncodeError,
    KeyFormatError,
    MetadataError,
    MethodNotFound,
    ProtocolViolation,
    QueueOverflow,
    RequestTimeout,
    RpcError,
    SubscriptionLost,
    TransactionDropped,
    TransactionError,
    TransactionExpired,
    TransactionInvalid,
    TransactionRejected,
    TransactionUnresolved,
    TransactionUsurped,
    TransportClosed,
    TransportError,
    UnknownEntry,
    UnsupportedExtension,
    WrongChain,
)
from llmnet.chain.extrinsic import DecodedExtrinsic, Era, Signer, decode_extrinsic
from llmnet.chain.fake import FakeTransport
from llmnet.chain.keys import Keypair, verify
from llmnet.chain.life import enter_life, watch_life
from llmnet.chain.metadata import Metadata, parse_metadata
from llmnet.chain.results import (
    Block,
    Cursor,
    DispatchError,
    DryRun,
    Event,
    Header,
    RuntimeVersion,
    SignedExtrinsic,
    TxResult,
)
from llmnet.chain.runtime import Runtime
from llmnet.chain.ss58 import ss58_decode, ss58_encode
from llmnet.chain.sync import SyncClient
from llmnet.chain.transport import Subscription, Transport
from llmnet.chain.values import Call, Some, Variant
from llmnet.chain.view import View
from llmnet.chain.websocket import WebSocketTransport

__all__ = [
    "BegunAnew",
    "Block",
    "BlockNotFound",
    "Call",
    "ChainError",
    "Client",
    "CodecError",
    "ConnectionLost",
    "Cursor",
    "CursorMismatch",
    "DecodeError",
    "DecodedExtrinsic",
    "DispatchError",
    "DispatchFailed",
    "DryRun",
    "EncodeError",
    "Era",
    "Event",
    "FakeTransport",
    "Header",
    "KeyFormatError",
    "Keypair",
    "Metadata",
    "MetadataError",
    "MethodNotFound",
    "ProtocolViolation",
    "QueueOverflow",
    "RequestTimeout",
    "RpcError",
    "Runtime",
    "RuntimeVersion",
    "SignedExtrinsic",
    "Signer",
    "Some",
    "Subscription",
    "SubscriptionLost",
    "SyncClient",
    "TransactionDropped",
    "TransactionError",
    "TransactionExpired",
    "TransactionInvalid",
    "TransactionRejected",
    "TransactionUnresolved",
    "TransactionUsurped",
    "Transport",
    "TransportClosed",
    "TransportError",
    "TxResult",
    "UnknownEntry",
    "UnsupportedExtension",
    "Variant",
    "View",
    "WebSocketTransport",
    "WrongChain",
    "decode_extrinsic",
    "enter_life",
    "parse_metadata",
    "ss58_decode",
    "ss58_encode",
    "verify",
    "watch_life",
]
