"""Every argument's range ends where the protocol says, and an error names what was wrong and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet import proof
from llmnet.proof import (
    Calibration,
    Candidate,
    Cusum,
    DecodeError,
    FieldError,
    FinishReason,
    KeyPair,
    Leaf,
    Message,
    NumericsClass,
    PlacedSegment,
    Receipt,
    Request,
    Role,
    Segment,
    ServiceSpec,
    ShapeError,
    Voucher,
    WeightEntry,
    gumbel,
    philox,
)
from llmnet.proof.encoded import Encoded
from llmnet.proof.errors import ProofError
from llmnet.proof.hashing import plant_commitment, reference_commitment, request_seed, session_seed
from llmnet.proof.scale import Reader, compact

from .strategies import CALIBRATIONS, LEAVES, PLACED, RECEIPTS, REQUESTS, SEGMENTS, SPECS, VOUCHERS

KEY = bytes(32)
CALLS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (session_seed, {"beacon_value": KEY, "session": 2**64 - 1}),
    (request_seed, {"seed_of_session": KEY, "index": 2**32 - 1, "request_hash": KEY}),
    (reference_commitment, {"audit": 2**32 - 1, "account": KEY, "leaves": (), "salt": KEY}),
    (
        plant_commitment,
        {"planter": KEY, "session": 2**64 - 1, "index": 2**32 - 1, "worker": KEY, "salt": KEY},
    ),
    (proof.draw_key, {"beacon_value": KEY, "worker": KEY, "epoch": 2**32 - 1}),
    (proof.draw_count, {"key": KEY, "n": 2**32 - 1, "ppm": 1_000_000}),
    (proof.audit_seed, {"key": KEY, "ordinal": 2**32 - 1}),
    (proof.review_seed, {"beacon_value": KEY, "audit": 2**32 - 1}),
    (proof.draw_positions, {"seed": KEY, "n_out": 2**32 - 1}),
    (proof.price, {"n_prompt": 2**32 - 1, "n_out": 2**32 - 1, "price_in": 2**95, "price_out": 2**95}),
    (KeyPair.from_seed, {"seed": KEY}),
    (proof.output_hash, {"tokens": [0, 2**32 - 1]}),
    (
        Calibration,
        dict.fromkeys(("logit_q95", "logit_q99", "hidden_q95", "hidden_q99"), 2**64 - 1)
        | dict.fromkeys(("tau_sample", "positions", "expires_at"), 2**32 - 1),
    ),
    (Voucher, {"session": 2**64 - 1, "amount": 2**128 - 1, "answers": 2**32 - 1}),
    (
        Segment,
        {"session": 2**64 - 1, "first": 0, "last": 2**32 - 1, "receipts_root": KEY, "amount": 2**128 - 1},
    ),
]
WORDS = {
    "beacon_value": "beacon value",
    "seed_of_session": "session seed",
    "request_hash": "request hash",
    "key": "draw key",
    "n": "number of receipts",
    "ppm": "parts per million",
    "tokens": "u32",
    "epoch": "u32",
    "audit": "u32",
    "ordinal": "u32",
    "index": "u32",
}  # how an error names an argument that it does not name as the caller does
SPECIAL = {(session_seed, "session"): "u64", (plant_commitment, "session"): "u64"} | {
    (proof.draw_positions, "seed"): "audit seed",
    (KeyPair.from_seed, "seed"): "key seed",
}
ARGUMENTS = [
    pytest.param(call, good, name, id=f"{call.__qualname__}-{name}")
    for call, good in CALLS
    for name in good
    if name not in ("leaves", "first")
]


def too_far(value: Any) -> list[Any]:
    """Values one beyond the end of the range that `value` is the end of, on both sides."""
    if isinstance(value, bytes):
        return [value[:-1], value + b"x", "x" * 32]
    if isinstance(value, list):
        return [[value[-1] + 1], [-1]]
    return [2**32 if value in (2**95,) else value + 1, -1] if value != 2**95 else [2**128, -1]


@pytest.mark.parametrize(("call", "good", "name"), ARGUMENTS)
def test_an_argument_out_of_range_is_refused_by_name(
    call: Callable[..., Any], good: dict[str, Any], name: str
) -> None:
    call(**good)
    said = SPECIAL.get((call, name), WORDS.get(name, name))
    for value in too_far(good[name]):
        with pytest.raises(FieldError) as caught:
            call(**{**good, name: value})
        assert said in str(caught.value)


def test_a_price_too_large_before_it_is_divided_says_so() -> None:
    with pytest.raises(FieldError, match=r"^price before division must be in 0"):
        proof.price(2, 0, 2**127, 0)


FIXED: dict[type[Encoded], tuple[Encoded, list[tuple[str, int]]]] = {
    Calibration: (
        Calibration(*range(7)),
        [
            *((name, 8) for name in ("logit_q95", "logit_q99", "hidden_q95", "hidden_q99")),
            *((name, 4) for name in ("tau_sample", "positions", "expires_at")),
        ],
    ),
    ServiceSpec: (
        ServiceSpec(b"n", KEY, KEY, KEY, KEY, 1, 8, NumericsClass.BF16, 99, 9, 9, 9),
        [
            ("length of name", 1),
            ("name", 1),
            *((name, 32) for name in ("weights_root", "tokenizer_hash", "template_hash", "graph_hash")),
            *((name, 1) for name in ("sampler_version", "top_k", "numerics")),
            *((name, 4) for name in ("vocab_size", "context_length")),
            *((name, 1) for name in ("logit_shift", "hidden_shift")),
        ],
    ),
    Receipt: (
        Receipt(1, 2, KEY, 3, KEY, KEY, 4, 5, FinishReason.LENGTH, KEY),
        [
            ("session", 8),
            ("index", 4),
            ("request_hash", 32),
            ("temperature", 2),
            ("output_hash", 32),
            ("text_hash", 32),
            ("n_prompt", 4),
            ("n_out", 4),
            ("finish", 1),
            ("transcript_root", 32),
        ],
    ),
    Voucher: (Voucher(1, 2, 3), [("session", 8), ("amount", 16), ("answers", 4)]),
    Segment: (
        Segment(1, 2, 2**32 - 1, KEY, 4),
        [("session", 8), ("first", 4), ("last", 4), ("receipts_root", 32), ("amount", 16)],
    ),
    PlacedSegment: (
        PlacedSegment(1, Segment(1, 2, 3, KEY, 4)),
        [("start", 4), ("session", 8), ("first", 4), ("last", 4), ("receipts_root", 32), ("amount", 16)],
    ),
    Request: (
        Request(1, 2, (Message(Role.USER, b"x"),), 3, 4, (b"s",)),
        [
            ("session", 8),
            ("index", 4),
            ("messages", 1),
            ("messages", 1),  # role and length of the text: two bytes that the list has announced already
            ("messages", 1),
            ("content", 1),
            ("temperature", 2),
            ("max_tokens", 4),
            ("stop", 1),
            ("stop", 1),
            ("stop", 1),
        ],
    ),
    Leaf: (
        Leaf(1, 2, (Candidate(3, -4),), (5,) * 8, (6,) * 8),
        [
            ("position", 4),
            ("token", 4),
            ("candidates", 1),
            ("candidates", 6),
            ("logit_sketch", 16),
            ("hidden_sketch", 16),
        ],
    ),
}


@pytest.mark.parametrize("kind", FIXED, ids=lambda kind: kind.__name__)
def test_where_an_encoding_breaks_off_is_named(kind: type[Encoded]) -> None:
    """Cut at the first and inside of the last byte of every field."""
    item, fields = FIXED[kind]
    encoded, start = item.encode(), 0
    assert sum(size for _, size in fields) == len(encoded)
    for name, size in fields:
        for length in {start, start + size - 1}:
            with pytest.raises(DecodeError) as caught:
                kind.decode(encoded[:length])
            assert caught.value.kind == "truncated"
            words = str(caught.value).replace("length of ", "")
            assert f" {name.removeprefix('length of ')} " in f" {words} ".replace(":", " "), (name, length)
        start += size


PLAIN = [
    pytest.param(kind, field.name, dict(sizes)[field.name], id=f"{kind.__name__}-{field.name}")
    for kind, (item, sizes) in FIXED.items()
    for field in fields(item)
    if type(getattr(item, field.name)) in (int, bytes) and field.name != "name"
]
LARGEST = {"sampler_version": 1, "top_k": 32}  # less than its byte could hold


@pytest.mark.parametrize(("kind", "name", "size"), PLAIN)
def test_a_field_ends_where_its_bytes_end(kind: type[Encoded], name: str, size: int) -> None:
    item: Any = FIXED[kind][0]
    if isinstance(getattr(item, name), bytes):
        refused: dict[Any, str] = {
            KEY[1:]: "have 32 bytes, got 31",
            KEY + b"x": "have 32 bytes, got 33",
            "x" * 32: "be bytes, got str",
        }
    else:
        largest = replace(item, **{name: LARGEST.get(name, 256**size - 1)})
        assert kind.decode(largest.encode()) == largest
        refused = {
            256**size: f"be in 0..2^{8 * size}, got {256**size}",
            -1: f"be in 0..2^{8 * size}, got -1",
            True: "be an integer, got bool",
            1.5: "be an integer, got float",
        }
    for value, said in refused.items():
        with pytest.raises(FieldError) as caught:
            replace(item, **{name: value})
        assert str(caught.value) == f"{name} must {said}"


@pytest.mark.parametrize("name", ["logprob", "logit_sketch", "hidden_sketch"])
def test_signed_numbers_of_a_leaf_have_sixteen_bits(name: str) -> None:
    def leaf(value: Any) -> Leaf:
        lanes = dict.fromkeys(("logit_sketch", "hidden_sketch"), (0,) * 8)
        if name in lanes:
            return Leaf(1, 2, (), **lanes | {name: (0,) * 7 + (value,)})
        return Leaf(1, 2, (Candidate(3, value),), **lanes)

    said = "logprob" if name == "logprob" else "sketch lane"
    for end in (-(2**15), 2**15 - 1):
        assert Leaf.decode(leaf(end).encode()) == leaf(end)
    for value in (-(2**15) - 1, 2**15, -(2**16), 2**16 - 1):
        with pytest.raises(FieldError, match=f"^{said} must be a signed 16-bit integer, got {value}$"):
            leaf(value)
    for odd in (True, 1.5):
        with pytest.raises(FieldError, match=f"^{said} must be an integer"):
            leaf(odd)


def test_lists_and_texts_may_be_as_long_as_is_promised() -> None:
    spec: Any = FIXED[ServiceSpec][0]
    assert len(ServiceSpec.decode(replace(spec, name=b"n" * 64).encode()).name) == 64
    assert len(Message(Role.USER, b"x" * 2**20).content) == 2**20
    request = Request(1, 2, (Message(Role.USER, b""),) * 1024, 3, 4, (b"s" * 256,) * 16)
    assert Request.decode(request.encode()) == request
    leaf = Leaf(1, 2, (Candidate(3, -4),) * 32, (5,) * 8, (6,) * 8)
    assert Leaf.decode(leaf.encode()) == leaf


def test_what_is_given_as_a_list_or_a_number_is_kept_as_what_it_means() -> None:
    message = Message(1, b"x")
    assert message.role is Role.USER
    for role in (3, -1):
        with pytest.raises(FieldError, match=r"^role must be one of"):
            Message(role, b"x")
    request = Request(1, 2, [message], 3, 4, [b"s"])
    assert (request.messages, request.stop) == ((message,), (b"s",))
    assert hash(request) == hash(Request.decode(request.encode()))


KINDS = {
    "spec": SPECS,
    "calibration": CALIBRATIONS,
    "request": REQUESTS,
    "leaf": LEAVES,
    "receipt": RECEIPTS,
    "voucher": VOUCHERS,
    "segment": SEGMENTS,
    "placed segment": PLACED,
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(data=st.data())
def test_every_kind_is_read_as_it_was_written(kind: str, data: st.DataObject) -> None:
    item = data.draw(KINDS[kind])
    assert type(item).decode(item.encode()) == item


@pytest.mark.parametrize(
    ("kind", "data", "offset"),
    [
        (Receipt, Receipt(0, 0, KEY, 0, KEY, KEY, 1, 1, FinishReason.STOP, KEY).encode(), 0),
        (PlacedSegment, PlacedSegment(7, Segment(1, 2, 2, KEY, 1)).encode(), 4),
    ],
)
def test_values_that_no_object_may_have_are_refused_at_its_first_byte(
    kind: type[Encoded], data: bytes, offset: int
) -> None:
    broken = {Receipt: data[:-37] + bytes(4) + data[-33:], PlacedSegment: data[:12] + b"\x09" + data[13:]}[
        kind
    ]
    assert kind.decode(data)
    with pytest.raises(DecodeError) as caught:
        kind.decode(broken)
    assert (caught.value.kind, caught.value.offset) == ("range", offset)


def test_a_spec_that_may_not_be_is_refused_at_its_first_byte_with_the_reason() -> None:
    data = bytearray(FIXED[ServiceSpec][0].encode())
    data[2 + 4 * 32] = 2
    with pytest.raises(DecodeError) as caught:
        ServiceSpec.decode(bytes(data))
    assert (caught.value.kind, caught.value.offset) == ("range", 0)
    assert caught.value.reason == "sampler_version must be 1, got 2"


@pytest.mark.parametrize(
    ("kind", "offset", "name"),
    [(Receipt, 118, "finish"), (ServiceSpec, 132, "numerics"), (Message, 0, "role")],
)
def test_an_unknown_variant_is_refused_where_it_stands(kind: type[Encoded], offset: int, name: str) -> None:
    item = Message(Role.USER, b"x") if kind is Message else FIXED[kind][0]
    data = bytearray(item.encode())
    data[offset] = 9
    with pytest.raises(DecodeError, match=f"{name} has . variants, got index 9$") as caught:
        kind.decode(bytes(data))
    assert (caught.value.kind, caught.value.offset) == ("enum", offset)


def test_text_that_is_not_utf8_is_refused_where_it_starts() -> None:
    with pytest.raises(DecodeError, match="content is not UTF-8") as caught:
        Message.decode(b"\x01\x08\xc3\x28")
    assert (caught.value.kind, caught.value.offset) == ("utf8", 2)


def test_a_giant_is_refused_by_the_least_that_its_items_need() -> None:
    """41 bytes a leaf and 2 a message, so that nobody makes room for what cannot be there."""
    with pytest.raises(DecodeError, match="leaves announces 3 items"):
        proof.decode_leaves(compact(3) + bytes(3 * 41 - 1))
    assert len(proof.decode_leaves(compact(3) + bytes(3 * 41))) == 3
    with pytest.raises(DecodeError, match="candidates announces 2 items"):
        Leaf.decode(bytes(8) + compact(2) + bytes(11))
    request = Request(1, 2, (Message(Role.SYSTEM, b""),) * 10, 0, 0).encode()
    with pytest.raises(DecodeError, match="messages announces 10 items"):
        Request.decode(request[: 13 + 19])
    assert Request.decode(request).messages[9].content == b""


def test_lengths_end_at_thirty_two_bits() -> None:
    assert Reader(b"\x03\xff\xff\xff\xff").length("x", 2**32, item_size=0) == 2**32 - 1
    with pytest.raises(DecodeError, match="length of x is wider than 32 bits") as caught:
        Reader(b"\x07\xff\xff\xff\xff\x01").length("x", 2**40, item_size=0)
    assert (caught.value.kind, caught.value.offset) == ("compact", 0)


LENGTHS = {
    0: "00",
    63: "fc",
    64: "0101",
    0x1234: "d148",
    2**14 - 1: "fdff",
    2**14: "02000100",
    0x02345678: "e259d108",
    2**30 - 1: "feffffff",
    2**30: "0300000040",
    0xC1234567: "03674523c1",
    2**32 - 1: "03ffffffff",
}


@pytest.mark.parametrize("value", LENGTHS)
def test_a_length_is_written_in_one_way_and_every_cut_of_it_is_named(value: int) -> None:
    data = bytes.fromhex(LENGTHS[value])
    assert compact(value) == data
    reader = Reader(data)
    assert reader.length("things", 2**32, item_size=0) == value
    assert reader.remaining == 0
    for cut in range(len(data)):
        with pytest.raises(DecodeError, match=r": (length of )?things needs \d bytes?") as caught:
            Reader(data[:cut]).length("things", 2**32, item_size=0)
        assert (caught.value.kind, caught.value.offset) == ("truncated", min(cut, 1))


@pytest.mark.parametrize("data", ["fd00", "0100", "feff0000", "02000000", "03ffffff3f", "0300000000"])
def test_a_length_in_more_bytes_than_it_needs_is_refused(data: str) -> None:
    with pytest.raises(DecodeError, match="things is not in its shortest form") as caught:
        Reader(bytes.fromhex(data)).length("things", 2**32, item_size=0)
    assert (caught.value.kind, caught.value.offset) == ("compact", 0)


def test_no_length_has_more_than_thirty_two_bits() -> None:
    for value in (2**32, 2**33, -1):
        with pytest.raises(FieldError, match=r"^length must be in"):
            compact(value)


# Numbers of the protocol that are computed when a module is loaded


def test_the_table_of_logarithms_is_that_of_the_protocol() -> None:
    with localcontext() as context:
        context.prec = 40
        for index, value in enumerate(gumbel._table()):
            exact = (Decimal(64 + index) / 64).ln() * 2**48
            assert abs(value - exact) <= Decimal("0.5")
    assert gumbel._table() == gumbel.LN
    assert len(gumbel.LN) == 65


def test_tags_are_four_letters_read_as_a_little_endian_word() -> None:
    assert philox.tag_word("GUMB") == 0x424D5547
    with pytest.raises(UnicodeEncodeError):
        philox.tag_word("GÜMB")


def test_a_key_pair_is_that_of_the_curve() -> None:
    # Alice of Substrate's development chains: the mini secret and the account that every explorer shows.
    seed = bytes.fromhex("e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a")
    pair = KeyPair.from_seed(seed)
    assert pair.public.hex() == "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
    assert len(pair.secret) == 64
    signature = proof.sign(pair, "voucher", KEY, b"payload")
    assert proof.verify_signature(pair.public, signature, "voucher", KEY, b"payload")
    assert not proof.verify_signature(pair.public, signature[:-1], "voucher", KEY, b"payload")
    assert not proof.verify_signature(pair.public[:-1], signature, "voucher", KEY, b"payload")


# Evidence that is held back, and trees of one receipt


def test_evidence_held_back_stops_one_short_of_a_slash_on_both_sides() -> None:
    assert Cusum(9000, 9000).held_back() == Cusum(5119, 5119)
    assert not Cusum(9000, 9000).held_back().slashable
    assert Cusum(5118, 17).held_back() == Cusum(5118, 17)
    assert Cusum(17, 5119).held_back() == Cusum(17, 5119)


def receipt(session: int, index: int) -> Receipt:
    return Receipt(session, index, KEY, 0, KEY, KEY, 1, 1, FinishReason.STOP, KEY)


def test_a_segment_belongs_to_the_session_of_its_first_receipt() -> None:
    proof.receipts_root([receipt(4, 9)])
    proof.receipts_root([receipt(4, 9), receipt(4, 10)])
    for wrong in (
        [receipt(5, 9), receipt(4, 10)],
        [receipt(4, 9), receipt(5, 10)],
        [receipt(4, 9), receipt(4, 11)],
    ):
        with pytest.raises(ShapeError, match="consecutive"):
            proof.receipts_root(wrong)


def test_a_tree_has_fewer_than_two_to_the_thirty_two_leaves() -> None:
    """The path of the first leaf of a tree of that size is refused, like every other wrong proof, without an error."""
    for n in (2**32, 2**32 + 1, 2**40):
        assert not proof.verify_single(KEY, n, 0, b"leaf", [KEY] * (n - 1).bit_length())


def test_no_tree_is_built_of_two_to_the_thirty_two_items() -> None:
    with pytest.raises(ProofError, match=f"1..2\\^32 items, got {2**32}$"):
        proof.merkle_root(range(2**32))


def test_sizes_of_a_tensor_are_those_of_sixty_four_bits() -> None:
    assert WeightEntry("w", "F32", (2**64 - 1,), KEY).encode().count(b"\xff") == 8
    with pytest.raises(FieldError, match="u64"):
        WeightEntry("w", "F32", (2**64,), KEY).encode()
    with pytest.raises(FieldError, match="raw_hash"):
        WeightEntry("w", "F32", (1,), KEY[1:]).encode()
