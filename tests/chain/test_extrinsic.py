"""Signed extrinsics: era vectors, the bytes against substrate-interface's, decoding, unknown extensions."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from llmnet.chain import (
    DecodeError,
    Era,
    Keypair,
    Runtime,
    RuntimeVersion,
    UnsupportedExtension,
    UnsupportedSignature,
    decode_extrinsic,
    parse_metadata,
    verify,
)
from llmnet.chain.curves import SCHEMES
from llmnet.chain.extrinsic import Signing, sign_extrinsic
from llmnet.chain.hashing import blake2_256
from llmnet.chain.metadata import Extension
from llmnet.chain.registry import Enum, TypeRegistry
from llmnet.chain.scale import Reader, encode_bytes

from .conftest import load

GENESIS, BIRTH = bytes([1] * 32), bytes([2] * 32)


@pytest.fixture(scope="module")
def oracle() -> tuple[RuntimeConfigurationObject, Any]:
    config = RuntimeConfigurationObject(ss58_format=42)
    config.update_type_registry(load_type_registry_preset("core"))
    metadata = config.create_scale_object("MetadataVersioned", ScaleBytes(load(14)))
    metadata.decode()
    config.add_portable_registry(metadata)
    return config, metadata


# (period, current block) -> bytes; the first two are from sp_runtime's own tests, the others follow its
# formula by hand: low nibble trailing_zeros(period) - 1, the rest phase / max(period >> 12, 1).
@pytest.mark.parametrize(
    ("period", "current", "data"),
    [
        (64, 42, bytes([5 + 42 % 16 * 16, 42 // 16])),
        (32768, 20000, bytes([14 + 2500 % 16 * 16, 2500 // 16])),
        (4, 0, b"\x01\x00"),
        (4, 7, b"\x31\x00"),
        (64, 0, b"\x05\x00"),
        (64, 64, b"\x05\x00"),
        (64, 1_000_063, b"\xf5\x03"[:0] + ((5) | (1_000_063 % 64) << 4).to_bytes(2, "little")),
        (65536, 65535, b"\xff\xff"),
    ],
)
def test_era_vectors(period: int, current: int, data: bytes) -> None:
    era = Era.mortal(current, period)
    assert era.encode() == data
    assert Era.decode(data, current) == era


@given(st.integers(2, 16).map(lambda bits: 1 << bits), st.integers(0, 1 << 40))
def test_an_era_reads_back_in_every_block_of_its_window(period: int, current: int) -> None:
    era = Era.mortal(current, period)
    step = max(period >> 12, 1)
    assert current - step < era.birth <= current
    for block in {era.birth, era.birth + 1, current, era.last_block}:
        assert Era.decode(era.encode(), block) == era
    assert Era.decode(era.encode(), era.last_block + 1) != era


@settings(deadline=None)
@given(st.integers(2, 12).map(lambda bits: 1 << bits), st.integers(0, 1 << 30))
def test_eras_are_those_of_scalecodec(period: int, current: int) -> None:
    config = RuntimeConfigurationObject()
    config.update_type_registry(load_type_registry_preset("core"))
    theirs = config.create_scale_object("Era")
    theirs.encode({"period": period, "current": current})
    era = Era.mortal(current, period)
    assert era.encode() == bytes(theirs.data.data)
    assert era.birth == theirs.birth(current)


@pytest.mark.parametrize("period", [0, 1, 2, 3, 63, 65, 1 << 17])
def test_a_period_that_is_no_power_of_two_is_refused(period: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        Era.mortal(100, period)


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x05\x04", b"\x00\x10", b"\x05\x00\x00"])
def test_malformed_eras_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Era.decode(data, 100)


def test_the_immortal_era_is_none() -> None:
    assert Era.decode(b"\0", 100) is None


@pytest.mark.parametrize("version", [14, 15, 16])
@pytest.mark.parametrize("tip", [0, 5])
def test_a_signed_transfer_is_what_scalecodec_reads_and_its_signature_is_right(
    oracle: tuple[RuntimeConfigurationObject, Any], alice: Keypair, bob: Keypair, version: int, tip: int
) -> None:
    runtime = Runtime(parse_metadata(load(version)), RuntimeVersion("llmnet", 7, 1, 3))
    call = runtime.call("Balances", "transfer_keep_alive", {"dest": bob.public, "value": 10**12})
    signing = Signing(GENESIS, BIRTH, Era.mortal(100), nonce=9, tip=tip)
    signed = sign_extrinsic(runtime, call, alice, signing)
    config, metadata = oracle
    theirs = config.create_scale_object("Extrinsic", ScaleBytes(signed.data), metadata=metadata)
    value = theirs.decode()
    assert value["address"] == "0x" + alice.public.hex() or value["address"] == alice.address
    assert (value["nonce"], value["tip"]) == (9, tip)
    assert value["call"]["call_module"] == "Balances"
    assert value["call"]["call_function"] == "transfer_keep_alive"
    assert [arg["value"] for arg in value["call"]["call_args"]] == [bob.address, 10**12]
    era, mode, none = Era.mortal(100).encode(), b"\0", b"\0"
    extra = era + bytes([9 << 2]) + bytes([tip << 2]) + mode
    payload = (
        runtime.encode_call(call)
        + extra
        + (7).to_bytes(4, "little")
        + (3).to_bytes(4, "little")
        + GENESIS
        + BIRTH
        + none
    )
    assert verify(alice.public, payload, bytes.fromhex(value["signature"]["Sr25519"][2:]))
    assert signed.hash == blake2_256(signed.data)
    assert (signed.first_block, signed.last_block) == (101, 163)


def test_a_long_payload_is_signed_by_its_hash(runtime: Runtime, alice: Keypair) -> None:
    call = runtime.call("System", "remark", {"remark": bytes(300)})
    signed = sign_extrinsic(runtime, call, alice, Signing(GENESIS, GENESIS, None, 0))
    body = signed.data[2:]
    signature = body[35:99]
    version = (1).to_bytes(4, "little") * 2
    payload = runtime.encode_call(call) + b"\0" * 4 + version + GENESIS + GENESIS + b"\0"
    assert verify(alice.public, blake2_256(payload), signature)
    assert not verify(alice.public, payload, signature)
    assert signed.last_block is None


def test_signed_extrinsics_and_inherents_decode(runtime: Runtime, alice: Keypair) -> None:
    call = runtime.call("System", "remark", {"remark": b"hello"})
    signed = sign_extrinsic(runtime, call, alice, Signing(GENESIS, BIRTH, Era.mortal(64), 3, 4))
    decoded = decode_extrinsic(runtime, signed.data)
    assert (decoded.call, decoded.signer, decoded.hash) == (call, alice.public, signed.hash)
    assert decoded.extensions is not None
    assert (decoded.extensions["CheckNonce"], decoded.extensions["ChargeTransactionPayment"]) == (3, 4)
    for kind in (b"\x04", b"\x05"):
        inherent = kind + runtime.encode_call(runtime.call("Timestamp", "set", {"now": 6000}))
        bare = decode_extrinsic(runtime, bytes([len(inherent) << 2]) + inherent)
        assert (bare.call.args, bare.signer) == ({"now": 6000}, None)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_signs_in_its_own_variant(
    runtime: Runtime, oracle: tuple[RuntimeConfigurationObject, Any], scheme: str
) -> None:
    pair = Keypair.from_uri("//Alice", scheme)
    call = runtime.call("System", "remark", {"remark": b"hello"})
    signed = sign_extrinsic(runtime, call, pair, Signing(GENESIS, BIRTH, Era.mortal(64), 3, 4))
    config, metadata = oracle
    value = config.create_scale_object("Extrinsic", ScaleBytes(signed.data), metadata=metadata).decode()
    (variant,) = value["signature"]
    assert (variant, len(value["signature"][variant])) == (
        pair.scheme.variant,
        2 + 2 * pair.scheme.signature_size,
    )
    assert value["address"] == pair.address and signed.signer == pair.account
    assert decode_extrinsic(runtime, signed.data).signer == pair.account


def with_signature(runtime: Runtime, definition: Any) -> Runtime:
    """The runtime with another type of signature."""
    metadata = runtime.metadata
    kept = metadata.types[metadata.extrinsic.signature]
    types = [metadata.types[type_id] for type_id in range(len(metadata.types))]
    types[metadata.extrinsic.signature] = dataclasses.replace(kept, definition=definition)
    return Runtime(dataclasses.replace(metadata, types=TypeRegistry(types)), runtime.version)


def test_a_key_that_the_chain_does_not_take_is_refused(runtime: Runtime, alice: Keypair) -> None:
    metadata = runtime.metadata
    definition = metadata.types.enum(metadata.extrinsic.signature)
    fewer = Enum(tuple(variant for variant in definition.variants if variant.name != "Sr25519"))
    call = runtime.call("System", "remark", {"remark": b""})
    signing = Signing(GENESIS, GENESIS, None, 0)
    with pytest.raises(UnsupportedSignature, match="Ed25519, Ecdsa"):
        sign_extrinsic(with_signature(runtime, fewer), call, alice, signing)
    sign_extrinsic(with_signature(runtime, fewer), call, Keypair.from_uri("//Alice", "ed25519"), signing)


def test_general_transactions_of_version_5_are_read(runtime: Runtime) -> None:
    call = runtime.call("System", "remark", {"remark": b"hello"})
    signed = sign_extrinsic(
        runtime, call, Keypair.from_uri("//Alice"), Signing(GENESIS, BIRTH, Era.mortal(64), 3, 4)
    )
    extra = Reader(signed.data).bytes()[99 : -len(runtime.encode_call(call))]
    for version, known in ((0, True), (1, False)):
        data = encode_bytes(bytes((0x45, version)) + extra + runtime.encode_call(call))
        if not known:
            with pytest.raises(DecodeError, match="version 1"):
                decode_extrinsic(runtime, data)
            continue
        decoded = decode_extrinsic(runtime, data)
        assert (decoded.call, decoded.signer) == (call, None)
        assert decoded.extensions is not None and decoded.extensions["CheckNonce"] == 3


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"\x04\x99", b"\x08\x04", b"\x04\x84", b"\x08\x04\x00\x00", b"\x04\x45", b"\x08\x45\x00"],
)
def test_malformed_extrinsics_are_refused(runtime: Runtime, data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_extrinsic(runtime, data)


def with_extension(runtime: Runtime, extension: Extension) -> Runtime:
    layout = runtime.metadata.extrinsic
    extrinsic = dataclasses.replace(layout, extensions=(*layout.extensions, extension))
    return Runtime(dataclasses.replace(runtime.metadata, extrinsic=extrinsic), runtime.version)


def test_an_unknown_extension_with_content_is_an_error_and_an_empty_one_is_not(
    runtime: Runtime, alice: Keypair
) -> None:
    u32 = runtime.metadata.api("AccountNonceApi", "account_nonce").output
    empty = next(e.type for e in runtime.metadata.extrinsic.extensions if e.name == "WeightReclaim")
    call = runtime.call("System", "remark", {"remark": b""})
    signing = Signing(GENESIS, GENESIS, None, 0)
    plain = sign_extrinsic(runtime, call, alice, signing)
    harmless = sign_extrinsic(with_extension(runtime, Extension("New", empty, empty)), call, alice, signing)
    assert len(harmless.data) == len(plain.data)
    optional = next(
        e.implicit for e in runtime.metadata.extrinsic.extensions if e.name == "CheckMetadataHash"
    )
    left_out = with_extension(runtime, Extension("New", optional, optional))
    assert len(sign_extrinsic(left_out, call, alice, signing).data) == len(plain.data) + 1
    for extension in (Extension("New", u32, empty), Extension("New", empty, u32)):
        with pytest.raises(UnsupportedExtension, match="u32 for the transaction extension New"):
            sign_extrinsic(with_extension(runtime, extension), call, alice, signing)
