"""Encodings: equal to an independent SCALE codec, reversible, and nothing else decodes."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scalecodec.base import RuntimeConfigurationObject
from scalecodec.type_registry import load_type_registry_preset

from llmnet.proof import (
    Calibration,
    Candidate,
    DecodeError,
    FieldError,
    FinishReason,
    Leaf,
    Message,
    NumericsClass,
    PlacedSegment,
    Receipt,
    Request,
    Role,
    Segment,
    ServiceSpec,
    Voucher,
    decode_leaves,
    encode_leaves,
)
from llmnet.proof.encoded import Encoded
from llmnet.proof.scale import Reader, compact

from .strategies import LEAVES, MESSAGES, OBJECTS, REQUESTS

HASH = "[u8; 32]"
LAYOUT: dict[str, list[tuple[str, str]]] = {
    "ServiceSpec": [
        ("name", "Vec<u8>"),
        *((name, HASH) for name in ("weights_root", "tokenizer_hash", "template_hash", "graph_hash")),
        *((name, "u8") for name in ("sampler_version", "top_k")),
        ("numerics", "NumericsClass"),
        *((name, "u32") for name in ("vocab_size", "context_length")),
        *((name, "u8") for name in ("logit_shift", "hidden_shift")),
    ],
    "Calibration": [
        *((name, "u64") for name in ("logit_q95", "logit_q99", "hidden_q95", "hidden_q99")),
        *((name, "u32") for name in ("tau_sample", "positions", "expires_at")),
    ],
    "Message": [("role", "Role"), ("content", "Vec<u8>")],
    "Request": [
        ("session", "u64"),
        ("index", "u32"),
        ("messages", "Vec<Message>"),
        ("temperature", "u16"),
        ("max_tokens", "u32"),
        ("stop", "Vec<Vec<u8>>"),
    ],
    "Candidate": [("id", "u32"), ("logprob", "i16")],
    "Leaf": [
        ("position", "u32"),
        ("token", "u32"),
        ("candidates", "Vec<Candidate>"),
        ("logit_sketch", "[i16; 8]"),
        ("hidden_sketch", "[i16; 8]"),
    ],
    "Receipt": [
        ("session", "u64"),
        ("index", "u32"),
        ("request_hash", HASH),
        ("temperature", "u16"),
        ("output_hash", HASH),
        ("text_hash", HASH),
        ("n_prompt", "u32"),
        ("n_out", "u32"),
        ("finish", "FinishReason"),
        ("transcript_root", HASH),
    ],
    "Voucher": [("session", "u64"), ("amount", "u128"), ("answers", "u32")],
    "Segment": [
        ("session", "u64"),
        ("first", "u32"),
        ("last", "u32"),
        ("receipts_root", HASH),
        ("amount", "u128"),
    ],
    "PlacedSegment": [("start", "u32"), ("segment", "Segment")],
}
ENUMS: list[type[IntEnum]] = [NumericsClass, Role, FinishReason]


@pytest.fixture(scope="module")
def oracle() -> RuntimeConfigurationObject:
    registry: dict[str, Any] = {
        name: {"type": "struct", "type_mapping": [list(field) for field in fields]}
        for name, fields in LAYOUT.items()
    }
    registry |= {
        kind.__name__: {"type": "enum", "value_list": [item.name for item in kind]} for kind in ENUMS
    }
    configuration = RuntimeConfigurationObject()
    configuration.update_type_registry(load_type_registry_preset("legacy"))
    configuration.update_type_registry({"types": registry})
    return configuration


def as_oracle_wants(value: Any) -> Any:
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Candidate):
        return value._asdict()
    if isinstance(value, Encoded):
        return {name: as_oracle_wants(getattr(value, name)) for name, _ in LAYOUT[type(value).__name__]}
    if isinstance(value, tuple):
        return [as_oracle_wants(item) for item in value]
    return value


@given(item=st.one_of(OBJECTS, MESSAGES))
def test_encoding_equals_an_independent_codec(oracle: RuntimeConfigurationObject, item: Encoded) -> None:
    encoded = oracle.create_scale_object(type(item).__name__).encode(as_oracle_wants(item))
    assert item.encode() == bytes(encoded.data)


@given(st.lists(LEAVES, max_size=5))
def test_vectors_of_leaves_equal_an_independent_codec(
    oracle: RuntimeConfigurationObject, leaves: list[Leaf]
) -> None:
    encoded = oracle.create_scale_object("Vec<Leaf>").encode([as_oracle_wants(leaf) for leaf in leaves])
    assert encode_leaves(leaves) == bytes(encoded.data)
    assert decode_leaves(encode_leaves(leaves)) == tuple(leaves)


@given(OBJECTS)
def test_decode_reverses_encode(item: Encoded) -> None:
    assert type(item).decode(item.encode()) == item


@given(OBJECTS, st.data())
def test_every_truncation_is_refused(item: Encoded, data: st.DataObject) -> None:
    encoded = item.encode()
    size = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(DecodeError) as caught:
        type(item).decode(encoded[:size])
    assert caught.value.kind == "truncated"
    assert caught.value.offset <= size


@given(OBJECTS, st.binary(min_size=1, max_size=5))
def test_trailing_bytes_are_refused_where_they_start(item: Encoded, tail: bytes) -> None:
    encoded = item.encode()
    with pytest.raises(DecodeError) as caught:
        type(item).decode(encoded + tail)
    assert (caught.value.kind, caught.value.offset) == ("trailing", len(encoded))
    assert caught.value.reason in str(caught.value)


@given(
    st.sampled_from([ServiceSpec, Calibration, Request, Leaf, Receipt, Voucher, Segment, PlacedSegment]),
    st.data(),
)
def test_whatever_decodes_is_the_canonical_encoding(kind: type[Encoded], data: st.DataObject) -> None:
    """A good encoding with bytes changed decodes to an object with exactly those bytes, or is refused."""
    start = {
        ServiceSpec: ServiceSpec(b"n", *[bytes(32)] * 4, 1, 8, NumericsClass.BF16, 99, 9, 9, 9),
        Calibration: Calibration(*range(7)),
        Request: Request(1, 2, (Message.of(Role.USER, "hé"), Message.of(Role.SYSTEM, "")), 3, 4, (b"stop",)),
        Leaf: Leaf(1, 2, (Candidate(2, -3), Candidate(4, -5)), tuple(range(8)), tuple(range(-8, 0))),
        Receipt: Receipt(1, 2, bytes(32), 3, bytes(32), bytes(32), 4, 5, FinishReason.LENGTH, bytes(32)),
        Voucher: Voucher(1, 2, 3),
        Segment: Segment(1, 2, 3, bytes(32), 4),
        PlacedSegment: PlacedSegment(1, Segment(1, 2, 3, bytes(32), 4)),
    }[kind]
    encoded = bytearray(start.encode())
    for place in data.draw(st.lists(st.integers(0, len(encoded) - 1), min_size=1, max_size=4)):
        encoded[place] = data.draw(st.integers(0, 255))
    try:
        item = kind.decode(bytes(encoded))
    except DecodeError:
        return
    assert item.encode() == bytes(encoded)


@given(
    st.binary(max_size=300), st.sampled_from([ServiceSpec, Request, Leaf, Receipt, Voucher, PlacedSegment])
)
def test_arbitrary_bytes_raise_nothing_but_decode_errors(data: bytes, kind: type[Encoded]) -> None:
    try:
        item = kind.decode(data)
    except DecodeError as error:
        assert 0 <= error.offset <= len(data)
    else:
        assert item.encode() == data


@given(st.integers(0, (1 << 32) - 1))
def test_lengths_have_one_form(length: int) -> None:
    short = compact(length)
    assert len(short) == (1 if length < 64 else 2 if length < 16384 else 4 if length < 1 << 30 else 5)
    for longer in ((length << 2 | 1).to_bytes(5, "little")[:2], (length << 2 | 2).to_bytes(5, "little")[:4]):
        fits = int.from_bytes(longer, "little") >> 2 == length
        if fits and len(longer) > len(short):
            with pytest.raises(DecodeError) as caught:
                Reader(longer + bytes(8)).length("x", 1 << 40, item_size=0)
            assert (caught.value.kind, caught.value.offset) == ("compact", 0)


def test_an_announced_giant_is_refused_before_memory_is_taken() -> None:
    giant = b"\x03" + ((1 << 32) - 1).to_bytes(4, "little")
    with pytest.raises(DecodeError, match=r"left|at most"):
        decode_leaves(giant)
    with pytest.raises(DecodeError, match="at most 1024"):
        Request.decode(bytes(12) + giant)


@pytest.mark.parametrize(
    ("kind", "data", "error"),
    [
        (Message, b"\x03\x00", "enum"),
        (Message, b"\x01\x08\xc3\x28", "utf8"),
        (Message, b"\x01\x0c\xed\xa0\x80", "utf8"),
        (Segment, Segment(1, 2, 2, bytes(32), 1).encode()[:12] + bytes(4) + bytes(48), "range"),
    ],
)
def test_bad_values_are_named(kind: type[Encoded], data: bytes, error: str) -> None:
    with pytest.raises(DecodeError) as caught:
        kind.decode(data)
    assert caught.value.kind == error


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ServiceSpec(b"n" * 65, *[bytes(32)] * 4, 1, 8, NumericsClass.FP32, 9, 9, 9, 9), "64 bytes"),
        (lambda: ServiceSpec(b"", *[bytes(32)] * 4, 1, 0, NumericsClass.FP32, 9, 9, 9, 9), "top_k"),
        (lambda: ServiceSpec(b"", *[bytes(32)] * 4, 1, 33, NumericsClass.FP32, 9, 9, 9, 9), "top_k"),
        (lambda: ServiceSpec(b"", *[bytes(32)] * 4, 2, 8, NumericsClass.FP32, 9, 9, 9, 9), "sampler_version"),
        (
            lambda: ServiceSpec(b"", bytes(31), *[bytes(32)] * 3, 1, 8, NumericsClass.FP32, 9, 9, 9, 9),
            "32 bytes",
        ),
        (lambda: ServiceSpec(b"", *[bytes(32)] * 4, 1, 8, 7, 9, 9, 9, 9), "numerics"),
        (lambda: Voucher(1 << 64, 0, 0), "session"),
        (lambda: Voucher(0, -1, 0), "amount"),
        (lambda: Voucher(0, 1.5, 0), "amount"),
        (lambda: Voucher(0, True, 0), "amount"),
        (lambda: Message(Role.USER, "text"), "content must be bytes, got str"),
        (lambda: Message(Role.USER, b"\xff"), "UTF-8"),
        (lambda: Request(0, 0, ("hi",), 0, 0), "Message"),
        (lambda: Request(0, 0, (), 0, 0, (b"x",) * 17), "16 stop"),
        (lambda: Request(0, 0, (), 0, 0, (b"x" * 257,)), "256 bytes"),
        (lambda: Request(0, 0, (Message.of(Role.USER, ""),) * 1025, 0, 0), "1024 messages"),
        (lambda: Message(Role.USER, b"x" * ((1 << 20) + 1)), "bytes"),
        (lambda: Segment(0, 2, 1, bytes(32), 0), "first to last"),
        (lambda: PlacedSegment(0, b""), "Segment"),
        (
            lambda: Receipt(0, 0, bytes(32), 0, bytes(32), bytes(32), 1, 0, FinishReason.STOP, bytes(32)),
            "n_out",
        ),
        (lambda: Leaf(0, 0, (), (0,) * 7, (0,) * 8), "8 lanes"),
        (lambda: Leaf(0, 0, (), (0,) * 8, (32768,) * 8), "sketch lane"),
        (lambda: Leaf(0, 0, (Candidate(1, 1),) * 33, (0,) * 8, (0,) * 8), "32 candidates"),
        (lambda: Leaf(0, 0, ((1 << 32, 1),), (0,) * 8, (0,) * 8), "candidate id"),
    ],
)
def test_values_that_do_not_fit_are_refused_when_made(make: Any, message: str) -> None:
    with pytest.raises(FieldError, match=message):
        make()


def test_objects_are_frozen_and_slotted_and_plain() -> None:
    voucher = Voucher(np.uint64(3), 4, np.int32(5))
    assert type(voucher.session) is int
    assert type(voucher.answers) is int
    with pytest.raises(AttributeError):
        voucher.amount = 5
    assert not hasattr(voucher, "__dict__")
    leaf = Leaf(0, 0, [[1, -2]], np.arange(8, dtype=np.int16), [0] * 8)
    assert leaf.candidates == (Candidate(1, -2),)
    assert hash(leaf) == hash(Leaf.decode(leaf.encode()))


@given(REQUESTS, st.data())
def test_request_hash_changes_with_every_byte(request_: Request, data: st.DataObject) -> None:
    other = data.draw(REQUESTS)
    assert (request_.hash == other.hash) == (request_ == other)


def test_an_object_that_cannot_be_written_or_read_is_not_made() -> None:
    class Unreadable(Encoded):
        def encode(self) -> bytes:
            return b""

    with pytest.raises(TypeError, match="read"):
        Unreadable()  # type: ignore[abstract]
