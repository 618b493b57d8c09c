"""Signed extrinsics, format version 4, and reading extrinsics of blocks (version 5 too).

Version 5 moves the signature into an extension that a runtime may or may not have; every runtime takes version 4, so
that is what is signed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llmnet.chain.curves import Scheme
from llmnet.chain.errors import DecodeError, UnsupportedExtension, UnsupportedSignature
from llmnet.chain.hashing import blake2_256
from llmnet.chain.metadata import Extension
from llmnet.chain.registry import Enum
from llmnet.chain.results import SignedExtrinsic
from llmnet.chain.runtime import Runtime, as_call
from llmnet.chain.scale import Reader, encode_bytes
from llmnet.chain.values import Call, Variant

SIGNED_V4, BARE_V4, BARE_V5, GENERAL_V5 = 0x84, 0x04, 0x05, 0x45
ERA_PERIOD = 64  # blocks
MAX_PERIOD = 1 << 12  # blocks; runtimes remember the hashes of no more (BlockHashCount)
_HASHED_ABOVE = 256  # bytes; a longer payload is signed by its hash


class Signer(Protocol):
    """What signing needs: `Keypair` is one, a hardware key or a remote signer may be another."""

    @property
    def public(self) -> bytes:
        """The raw public key."""

    @property
    def account(self) -> bytes:
        """The 32-byte account that acts."""

    @property
    def scheme(self) -> Scheme: ...

    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Era:
    """When a transaction is valid: `period` blocks (a power of two from 4 to 65536) from block `birth` on.

    Source: sp_runtime::generic::Era. The transaction can be in blocks birth + 1 to birth + period - 1."""

    period: int
    birth: int

    @classmethod
    def mortal(cls, anchor: int, period: int = ERA_PERIOD) -> Era:
        """Valid from a block at or shortly before `anchor`; long periods are quantised to period / 4096
        blocks."""
        if not 4 <= period <= 1 << 16 or period & (period - 1):
            raise ValueError(f"an era's period is a power of two from 4 to 65536, not {period}")
        step = max(period >> 12, 1)
        return cls(period, anchor // step * step)

    @property
    def last_block(self) -> int:
        return self.birth + self.period - 1

    def encode(self) -> bytes:
        step = max(self.period >> 12, 1)
        phase = self.birth % self.period // step
        return ((self.period.bit_length() - 2) | phase << 4).to_bytes(2, "little")

    @classmethod
    def decode(cls, data: bytes, current: int) -> Era | None:
        """The era as block `current` sees it; None if immortal. Raises DecodeError."""
        if data == b"\0":
            return None
        if len(data) != 2:
            raise DecodeError("an era has one byte (immortal) or two")
        code = int.from_bytes(data, "little")
        period = 2 << (code & 15)
        phase = (code >> 4) * max(period >> 12, 1)
        if period < 4 or phase >= period:
            raise DecodeError(f"era 0x{data.hex()} is malformed")
        return cls(period, (max(current, phase) - phase) // period * period + phase)


@dataclass(frozen=True, slots=True)
class Signing:
    """What the extensions put into a transaction. `birth_hash`: of the era's first block, or genesis if
    immortal."""

    genesis_hash: bytes
    birth_hash: bytes
    era: Era | None
    nonce: int
    tip: int = 0


def sign_extrinsic(runtime: Runtime, call: Call, signer: Signer, signing: Signing) -> SignedExtrinsic:
    """Raises EncodeError if call, nonce or tip do not fit, UnsupportedExtension for extensions unknown
    here, UnsupportedSignature for a key the chain does not take."""
    call_bytes = runtime.encode_call(call)
    explicit, implicit = _extensions(runtime, signing)
    payload = call_bytes + explicit + implicit
    signature = signer.sign(blake2_256(payload) if len(payload) > _HASHED_ABOVE else payload)
    layout = runtime.metadata.extrinsic
    body = b"".join(
        (
            bytes((SIGNED_V4,)),
            runtime.codec.encode(layout.address, _address(runtime, signer.account)),
            runtime.codec.encode(layout.signature, _signature(runtime, signer.scheme, signature)),
            explicit,
            call_bytes,
        )
    )
    data = encode_bytes(body)
    era = signing.era
    return SignedExtrinsic(
        data=data,
        hash=blake2_256(data),
        signer=signer.account,
        nonce=signing.nonce,
        first_block=era.birth + 1 if era else 0,
        last_block=era.last_block if era else None,
        tip=signing.tip,
        call=str(call),
    )


def _address(runtime: Runtime, account: bytes) -> Any:
    path = runtime.metadata.types[runtime.metadata.extrinsic.address].path
    if path[-1:] == ("AccountId20",):
        raise UnsupportedSignature(
            "the chain has Ethereum's 20-byte accounts, which this client does not sign for"
        )
    return Variant("Id", account) if path[-1:] == ("MultiAddress",) else account


def _signature(runtime: Runtime, scheme: Scheme, signature: bytes) -> Any:
    """In a `MultiSignature`; a chain of one scheme only has the bare bytes."""
    type_id = runtime.metadata.extrinsic.signature
    definition = runtime.metadata.types[type_id].definition
    if not isinstance(definition, Enum):
        return signature
    if definition.find(scheme.variant) is None:
        known = ", ".join(variant.name for variant in definition.variants)
        raise UnsupportedSignature(
            f"the chain takes signatures of the kinds {known}: an {scheme.name} key cannot sign"
        )
    return Variant(scheme.variant, signature)


def _extensions(runtime: Runtime, signing: Signing) -> tuple[bytes, bytes]:
    """(what is sent, what is only signed) of all extensions, in the runtime's order. What is unknown here and optional
    is left out."""
    explicit: list[bytes] = []
    implicit: list[bytes] = []
    encode = runtime.codec.encode
    empty = runtime.metadata.types.is_empty
    values, signed = _known_values(runtime, signing)
    for extension in runtime.metadata.extrinsic.extensions:
        for type_id, known, out in (
            (extension.type, values, explicit),
            (extension.implicit, signed, implicit),
        ):
            if empty(type_id):
                continue
            value = known.get(extension.name)
            if value is None and runtime.metadata.types[type_id].path == ("Option",):
                value = b"\0"
            if value is None:
                raise UnsupportedExtension(
                    f"the runtime wants {runtime.metadata.types.name(type_id)} for the transaction extension"
                    f" {extension.name}, which this client does not know: update llmnet"
                )
            out.append(value if isinstance(value, bytes) else value(encode, type_id))
    return b"".join(explicit), b"".join(implicit)


_Known = dict[str, bytes | Callable[[Callable[[int, Any], bytes], int], bytes]]


def _known_values(runtime: Runtime, signing: Signing) -> tuple[_Known, _Known]:
    """Ready bytes, or a function of (encode, type id)."""
    era = signing.era.encode() if signing.era else b"\0"
    tip = signing.tip
    version = runtime.version
    values: _Known = {
        "CheckMortality": era,
        "CheckEra": era,
        "CheckNonce": lambda encode, type_id: encode(type_id, signing.nonce),
        "ChargeTransactionPayment": lambda encode, type_id: encode(type_id, tip),
        "ChargeAssetTxPayment": lambda encode, type_id: encode(type_id, {"tip": tip, "asset_id": None}),
        "CheckMetadataHash": lambda encode, type_id: encode(type_id, {"mode": "Disabled"}),
    }
    signed: _Known = {
        "CheckSpecVersion": lambda encode, type_id: encode(type_id, version.spec_version),
        "CheckTxVersion": lambda encode, type_id: encode(type_id, version.transaction_version),
        "CheckGenesis": signing.genesis_hash,
        "CheckMortality": signing.birth_hash,
        "CheckEra": signing.birth_hash,
        "CheckMetadataHash": lambda encode, type_id: encode(type_id, None),
    }
    return values, signed


@dataclass(frozen=True, slots=True)
class DecodedExtrinsic:
    """`signer` is None for inherents and general transactions (version 5), `extensions` for inherents. The signer is
    an account, or the runtime's Variant."""

    call: Call
    hash: bytes
    signer: Any = None
    extensions: dict[str, Any] | None = None


def decode_extrinsic(runtime: Runtime, data: bytes) -> DecodedExtrinsic:
    """Reads a bare extrinsic (V4, V5), a signed one (V4) or a general transaction (V5). Raises DecodeError."""
    reader = Reader(data)
    body = reader.bytes()
    reader.end()
    layout, codec = runtime.metadata.extrinsic, runtime.codec
    kind = body[0] if body else -1
    if kind in (BARE_V4, BARE_V5):
        return DecodedExtrinsic(as_call(codec.decode(layout.call, body[1:])), blake2_256(data))
    if kind == GENERAL_V5:
        return _decode_general(runtime, data, body)
    if kind != SIGNED_V4:
        raise DecodeError(f"extrinsic format 0x{kind & 0xFF:02x} is not known here")
    address, pos = codec.decode_at(layout.address, body, 1)
    _, pos = codec.decode_at(layout.signature, body, pos)
    extensions, pos = _decode_extensions(runtime, layout.extensions, body, pos)
    call = as_call(codec.decode(layout.call, body[pos:]))
    signer = address.value if isinstance(address, Variant) and address.name == "Id" else address
    return DecodedExtrinsic(call, blake2_256(data), signer, extensions)


def _decode_general(runtime: Runtime, data: bytes, body: bytes) -> DecodedExtrinsic:
    """Format byte, version of the extensions, extensions, call."""
    layout = runtime.metadata.extrinsic
    version = body[1] if len(body) > 1 else -1
    order = layout.by_version.get(version)
    if order is None and (version or layout.by_version):
        raise DecodeError(f"transaction extensions of version {version} are not known to the runtime")
    listed = layout.extensions if order is None else tuple(layout.known[place] for place in order)
    extensions, pos = _decode_extensions(runtime, listed, body, 2)
    call = as_call(runtime.codec.decode(layout.call, body[pos:]))
    return DecodedExtrinsic(call, blake2_256(data), None, extensions)


def _decode_extensions(
    runtime: Runtime, listed: Sequence[Extension], body: bytes, pos: int
) -> tuple[dict[str, Any], int]:
    extensions: dict[str, Any] = {}
    for extension in listed:
        extensions[extension.name], pos = runtime.codec.decode_at(extension.type, body, pos)
    return extensions, pos


def encode_with_length(data: bytes) -> bytes:
    """What runtime APIs such as `TransactionPaymentApi_query_info` take: the extrinsic, then its length."""
    return data + len(data).to_bytes(4, "little")
