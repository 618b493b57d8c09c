"""Compact integers and the fixed-layout reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scalecodec.base import RuntimeConfiguration, ScaleBytes
from scalecodec.types import Compact

from llmnet.chain import DecodeError, EncodeError
from llmnet.chain.scale import COMPACT_MAX, Reader, decode_compact, encode_bytes, encode_compact

EDGES = [
    0,
    1,
    63,
    64,
    16383,
    16384,
    (1 << 30) - 1,
    1 << 30,
    (1 << 32) - 1,
    1 << 32,
    (1 << 128) - 1,
    COMPACT_MAX,
]


@given(st.one_of(st.sampled_from(EDGES), st.integers(0, COMPACT_MAX)))
def test_compact_round_trips(value: int) -> None:
    data = encode_compact(value)
    assert decode_compact(b"\xff" + data + b"\xff", 1) == (value, 1 + len(data))


@given(st.integers(0, (1 << 536) - 1))
def test_compact_is_what_scalecodec_reads(value: int) -> None:
    RuntimeConfiguration()
    assert Compact(ScaleBytes(encode_compact(value))).decode() == value


@pytest.mark.parametrize(
    "data", [b"\x01\x00", b"\x02\x00\x00\x00", b"\x03\x01\x00\x00\x00", b"\x07\x01\x00\x00\x00\x00"]
)
def test_compact_in_a_longer_form_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError, match="shortest"):
        decode_compact(data, 0)


@pytest.mark.parametrize("value", [-1, COMPACT_MAX + 1])
def test_compact_out_of_range_is_refused(value: int) -> None:
    with pytest.raises(EncodeError, match="range"):
        encode_compact(value)


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x02\x00", b"\x03\x00\x00", b"\xff" * 10])
def test_reader_reports_cut_off_compacts(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Reader(data).compact()


def test_reader_refuses_a_list_longer_than_its_input() -> None:
    reader = Reader(encode_compact(1 << 40) + b"abc")
    with pytest.raises(DecodeError, match="items announced"):
        reader.vec(reader.u8)


def test_reader_refuses_bad_text_option_tag_and_leftovers() -> None:
    with pytest.raises(DecodeError, match="UTF-8"):
        Reader(encode_bytes(b"\xff")).text()
    reader = Reader(b"\x02")
    with pytest.raises(DecodeError, match="option"):
        reader.option(reader.u8)
    with pytest.raises(DecodeError, match="tag"):
        Reader(b"\x02").tag("a", "b")
    with pytest.raises(DecodeError, match="too many"):
        Reader(b"\x00").end()
