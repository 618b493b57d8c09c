"""The codec against itself, against scalecodec (an independent implementation), and against hostile bytes."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from llmnet.chain import Call, DecodeError, EncodeError, Keypair, Runtime, Some, Variant
from llmnet.chain.codec import TypeCodec
from llmnet.chain.metadata_reader import parse_metadata
from llmnet.chain.registry import (
    ArrayOf,
    BitSequence,
    CompactOf,
    Composite,
    Enum,
    Field,
    Primitive,
    SequenceOf,
    TupleOf,
    Type,
    TypeRegistry,
    VariantDef,
)
from llmnet.chain.scale import encode_compact

from .conftest import load, load_foreign, load_ours
from .strategies import Values, contains, is_inhabited, same

# scalecodec gives these a shape of its own; their bytes are compared all the same.
OWN_SHAPE = frozenset(
    {
        "MultiAddress",
        "RuntimeEvent",
        "pallet_identity::types::Data",
    }
)
# These it cannot read alone: a call wants its own metadata object, an era and the byte of a vote must be ones that the
# chain would accept.
UNREADABLE = frozenset(
    {
        "RuntimeCall",
        "Call",
        "Era",
        "pallet_democracy::vote::Vote",
        "pallet_conviction_voting::vote::Vote",
    }
)
# All types of the large foreign runtime take minutes: LLMNET_ORACLE=full, otherwise each so many-th.
FULL = os.environ.get("LLMNET_ORACLE") == "full"
STRIDE = {"small": 1, "ours": 1, "foreign": 1 if FULL else 16}
EXAMPLES = {"small": 8, "ours": 8, "foreign": 8 if FULL else 3}
QUICK = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


class Subject:
    """A runtime's types with our codec, strategies for their values, and scalecodec as the oracle."""

    def __init__(self, metadata: bytes) -> None:
        self.types = parse_metadata(metadata).types
        self.codec, self.values = TypeCodec(self.types), Values(self.types)
        self.type_ids = [type_id for type_id in range(len(self.types)) if is_inhabited(self.types, type_id)]
        self._raw = metadata

    @cached_property
    def oracle(self) -> RuntimeConfigurationObject:
        config = RuntimeConfigurationObject(ss58_format=42)
        config.update_type_registry(load_type_registry_preset("core"))
        metadata = config.create_scale_object("MetadataVersioned", ScaleBytes(self._raw))
        metadata.decode()
        config.add_portable_registry(metadata)
        return config


SUBJECTS = {"small": Subject(load(14)), "ours": Subject(load_ours(14)), "foreign": Subject(load_foreign(14))}
CODEC, VALUES, TYPE_IDS = SUBJECTS["ours"].codec, SUBJECTS["ours"].values, SUBJECTS["ours"].type_ids


@pytest.mark.parametrize(
    ("name", "type_id"),
    [(name, i) for name, subject in SUBJECTS.items() for i in subject.type_ids[:: STRIDE[name]]],
)
def test_every_type_round_trips_and_agrees_with_scalecodec(name: str, type_id: int) -> None:
    subject = SUBJECTS[name]
    readable = not contains(subject.types, type_id, UNREADABLE)  # see test_extrinsic for calls and eras
    plain = not contains(subject.types, type_id, OWN_SHAPE)

    @settings(QUICK, max_examples=EXAMPLES[name], database=None)
    @given(subject.values.of(type_id))
    def check(value: Any) -> None:
        data = subject.codec.encode(type_id, value)
        assert subject.codec.decode(type_id, data) == value
        if not readable or value in ((), Variant("Index", ())):
            return  # it reads Compact<()> as a number; parity-scale-codec writes nothing
        theirs = subject.oracle.create_scale_object(f"scale_info::{type_id}", ScaleBytes(data))
        decoded = theirs.decode()
        assert theirs.data.get_remaining_length() == 0
        if plain:
            assert same(value, decoded), (value, decoded)

    check()


def test_the_comparison_with_the_oracle_can_fail() -> None:
    for ours, theirs in (
        (1, 2),
        (b"a", "0x62"),
        ({"a": 1}, {"a": 2}),
        (Variant("A", 1), {"B": 1}),
        ([1], [1, 2]),
    ):
        assert not same(ours, theirs)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TYPE_IDS), st.binary(max_size=200))
def test_random_bytes_decode_to_what_encodes_to_them_or_raise_decode_error(type_id: int, data: bytes) -> None:
    try:
        value, end = CODEC.decode_at(type_id, data, 0)
    except DecodeError:
        return
    assert CODEC.encode(type_id, value) == data[:end]


@QUICK
@given(st.data())
def test_every_truncation_is_a_decode_error(data: st.DataObject) -> None:
    type_id = data.draw(st.sampled_from(TYPE_IDS))
    raw = CODEC.encode(type_id, data.draw(VALUES.of(type_id)))
    for size in range(min(len(raw), 60)):
        with pytest.raises(DecodeError):
            CODEC.decode(type_id, raw[:size])
    with pytest.raises(DecodeError, match="too many"):
        CODEC.decode(type_id, raw + b"\0")


# Types that the fixture's runtime does not use, in a registry made by hand.

U8, U32, UNIT = 0, 1, 2


def registry(*more: Any) -> TypeCodec:
    first = [Primitive("u8"), Primitive("u32"), TupleOf(())]
    types = [kind if isinstance(kind, Type) else Type((), (), kind) for kind in (*first, *more)]
    return TypeCodec(TypeRegistry(types))


def option(inner: int) -> Type:
    some = VariantDef("Some", (Field(None, inner, None),), 1)
    return Type(("Option",), (), Enum((VariantDef("None", (), 0), some)))


@pytest.mark.parametrize(
    "name", ["u8", "u16", "u32", "u64", "u128", "u256", "i8", "i16", "i32", "i64", "i128", "i256"]
)
def test_integers_at_and_beyond_their_limits(name: str) -> None:
    codec = registry(Primitive(name))
    bits, signed = int(name[1:]), name[0] == "i"
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    for value in (low, high, 0, 1):
        data = codec.encode(3, value)
        assert len(data) == bits // 8
        assert codec.decode(3, data) == value
    for value in (low - 1, high + 1):
        with pytest.raises(EncodeError, match="does not fit"):
            codec.encode(3, value)


@pytest.mark.parametrize("value", [1.0, "1", True, None, b"\1"])
def test_only_integers_are_integers(value: Any) -> None:
    with pytest.raises(EncodeError, match="wanted an integer"):
        registry().encode(U32, value)
    with pytest.raises(EncodeError, match="wanted an integer"):
        registry(CompactOf(U32)).encode(3, value)


def test_nested_options_keep_their_levels() -> None:
    codec = registry(option(U8), option(3))
    for value, data in ((None, b"\0"), (Some(None), b"\1\0"), (Some(7), b"\1\1\7")):
        assert codec.encode(4, value) == data
        assert codec.decode(4, data) == value
    with pytest.raises(EncodeError, match="Some"):
        codec.encode(4, 7)
    with pytest.raises(DecodeError, match="option tag"):
        codec.decode(4, b"\2")


@pytest.mark.parametrize(("order", "byte"), [("Lsb0", 0b00001101), ("Msb0", 0b10110000)])
def test_bit_sequences(order: str, byte: int) -> None:
    codec = registry(Type(("bitvec", "order", order), (), Composite(())), BitSequence(U8, 3))
    bits = [True, False, True, True]
    assert codec.encode(4, bits) == bytes([4 << 2, byte])
    assert codec.decode(4, bytes([4 << 2, byte])) == bits
    with pytest.raises(DecodeError, match="cut off"):
        codec.decode(4, encode_compact(1 << 40))


@given(st.lists(st.booleans(), max_size=100), st.sampled_from(["Lsb0", "Msb0"]), st.sampled_from([U8, U32]))
def test_bit_sequences_round_trip(bits: list[bool], order: str, store: int) -> None:
    codec = registry(Type(("bitvec", "order", order), (), Composite(())), BitSequence(store, 3))
    assert codec.decode(4, codec.encode(4, bits)) == bits


def test_char_str_and_bool_refuse_what_is_not_one() -> None:
    codec = registry(Primitive("char"), Primitive("str"), Primitive("bool"))
    assert codec.decode(3, codec.encode(3, "é")) == "é"
    assert codec.decode(4, codec.encode(4, "é")) == "é"
    for type_id, data in (
        (3, b"\0\xd8\0\0"),
        (3, b"\0\0\x11\0"),
        (3, b"a\0\0"),
        (4, b"\x04\xff"),
        (5, b"\2"),
    ):
        with pytest.raises(DecodeError):
            codec.decode(type_id, data)
    for type_id, value in ((3, "ab"), (3, "\ud800"), (4, "\ud800"), (4, b"a"), (5, 1)):
        with pytest.raises(EncodeError):
            codec.encode(type_id, value)


def test_a_list_of_nothing_is_bounded() -> None:
    codec = registry(SequenceOf(UNIT), ArrayOf(3, UNIT))
    assert codec.decode(3, b"\x0c") == [(), (), ()]
    with pytest.raises(DecodeError, match="items announced"):
        codec.decode(3, encode_compact(1 << 32))
    assert codec.decode(4, b"") == [(), (), ()]


def test_a_recursive_type_is_followed_as_deep_as_python_goes_and_no_deeper() -> None:
    leaf, deeper = VariantDef("Leaf", (), 0), VariantDef("Deeper", (Field(None, 3, None),), 1)
    codec = registry(Type(("Tree",), (), Enum((leaf, deeper))))
    assert codec.decode(3, b"\1\1\0") == Variant("Deeper", Variant("Deeper", Variant("Leaf")))
    with pytest.raises(DecodeError, match="nested too deep"):
        codec.decode(3, b"\1" * 100_000 + b"\0")
    value = Variant("Leaf")
    for _ in range(100_000):
        value = Variant("Deeper", value)
    with pytest.raises(EncodeError, match="nested too deep"):
        codec.encode(3, value)
    while value.value is not None:  # taken apart by hand: the interpreter would recurse as deep to free it
        value = value.value


# What people write by hand.


def test_a_call_nests_and_reads_back(runtime: Runtime, bob: Keypair) -> None:
    inner = runtime.call("Balances", "force_set_balance", {"who": bob.public, "new_free": 5})
    outer = runtime.call("Sudo", "sudo", {"call": inner})
    data = runtime.encode_call(outer)
    decoded = runtime.decode_call(data)
    assert (decoded.pallet, decoded.function) == ("Sudo", "sudo")
    fields = {"who": Variant("Id", bob.public), "new_free": 5}
    assert decoded.args == {"call": Variant("Balances", Variant("force_set_balance", fields))}
    assert runtime.encode_call(decoded) == data


def test_a_call_without_arguments(runtime: Runtime) -> None:
    call = runtime.call("Sudo", "remove_key", {})
    assert runtime.decode_call(runtime.encode_call(call)) == Call("Sudo", "remove_key", {})


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"dest": bytes(32)}, "transfer_keep_alive: fields do not fit: missing value"),
        ({"dest": bytes(32), "value": 1, "memo": 2}, "fields do not fit: unknown memo"),
        ({"dest": bytes(32), "value": -1}, "transfer_keep_alive.value: -1 does not fit"),
        ({"dest": bytes(32), "value": 1 << 128}, "transfer_keep_alive.value: .* does not fit"),
        ({"dest": bytes(32), "value": 1e12}, "value: wanted an integer, got float"),
        ({"dest": bytes(31), "value": 1}, "dest: wanted a Variant, got bytes"),
        ({"dest": "5GrwvaEF", "value": 1}, "dest: no variant '5GrwvaEF'"),
        ({"dest": Variant("Id", bytes(33)), "value": 1}, "dest.Id: wanted 32 bytes, got 33"),
    ],
)
def test_wrong_arguments_say_where_and_why(runtime: Runtime, args: dict[str, Any], message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        runtime.call("Balances", "transfer_keep_alive", args)
