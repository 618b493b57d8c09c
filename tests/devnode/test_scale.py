from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.devnode.block import Header, decode_body, encode_body, pre_runtime
from llmnet.devnode.errors import CodecError
from llmnet.devnode.scale import Reader, compact, option, read_compact, vec
from llmnet.devnode.ss58 import decode_account

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
HASH = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (63, "fc"), (64, "0101"), (16383, "fdff"), (16384, "02000100"), (2**30 - 1, "feffffff"),
     (2**30, "0300000040"), (2**64 - 1, "13ffffffffffffffff")],
)  # fmt: skip
def test_compact_known_values(value: int, encoded: str) -> None:
    assert compact(value).hex() == encoded
    assert read_compact(bytes.fromhex(encoded)) == (value, len(encoded) // 2)


@given(st.integers(0, 2**536 - 1), st.binary(max_size=8))
def test_compact_is_read_back(value: int, rest: bytes) -> None:
    encoded = compact(value)
    assert read_compact(encoded + rest) == (value, len(encoded))


@pytest.mark.parametrize(
    "encoded", ["", "01", "0200", "03", "0300", "13ffffffffffffff", "fd", "0100", "02000000", "0301000000"]
)
def test_cut_off_and_overlong_compact_is_refused(encoded: str) -> None:
    with pytest.raises(CodecError):
        read_compact(bytes.fromhex(encoded))


@pytest.mark.parametrize("value", [-1, 2**536])
def test_compact_out_of_range_is_refused(value: int) -> None:
    with pytest.raises(CodecError):
        compact(value)


def test_reader_refuses_short_input_bad_flags_and_leftovers() -> None:
    for read in (lambda r: r.take(3), lambda r: r.vector(), lambda r: r.uint(4)):
        with pytest.raises(CodecError):
            read(Reader(b"\x0c\x01"))
    with pytest.raises(CodecError, match="0 or 1"):
        Reader(b"\2").flag()
    with pytest.raises(CodecError, match="too many"):
        Reader(b"\0").end()
    with pytest.raises(CodecError, match="announced"):
        Reader(compact(1 << 40)).count(1)
    with pytest.raises(CodecError, match="not a string"):
        Reader(vec(b"\xff")).text()


@given(st.none() | st.binary(max_size=300))
def test_option_is_read_back(value: bytes | None) -> None:
    reader = Reader(option(value))
    assert reader.optional_bytes() == value
    reader.end()


@given(HASH, st.integers(0, 2**32 - 1), HASH, HASH, st.lists(st.binary(max_size=40), max_size=3))
def test_header_is_read_back(
    parent: bytes, number: int, state: bytes, extrinsics: bytes, items: list[bytes]
) -> None:
    header = Header(parent, number, state, extrinsics, tuple(pre_runtime(b"aura", item) for item in items))
    assert Header.decode(header.encode()) == header
    with pytest.raises(CodecError):
        Header.decode(header.encode() + b"\0")
    with pytest.raises(CodecError):
        Header.decode(header.encode()[:-1])


@given(st.lists(st.binary(max_size=100)))
def test_body_is_read_back(extrinsics: list[bytes]) -> None:
    body = tuple(vec(extrinsic) for extrinsic in extrinsics)
    assert decode_body(encode_body(body)) == body


def test_address_is_decoded_and_mistyped_ones_are_refused() -> None:
    assert decode_account(ALICE).hex() == "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
    for wrong in (ALICE[:-1] + "Z", ALICE[:-2], "", "0OIl", "5" * 200, ALICE[:10] + "2" + ALICE[11:]):
        with pytest.raises(CodecError):
            decode_account(wrong)
