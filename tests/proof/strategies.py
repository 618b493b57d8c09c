"""Hypothesis strategies of the protocol's objects."""

from __future__ import annotations

from hypothesis import strategies as st

from llmnet.proof import (
    Calibration,
    Candidate,
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
)

HASH = st.binary(min_size=32, max_size=32)
U8, U16, U32, U64, U128 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32, 64, 128))
I16 = st.integers(-32768, 32767)
LANES = st.tuples(*[I16] * 8)
UTF8 = st.text(max_size=40).map(str.encode)

SPECS = st.builds(
    ServiceSpec,
    st.binary(max_size=64),
    *[HASH] * 4,
    st.just(1),
    st.integers(1, 32),
    st.sampled_from(NumericsClass),
    *[U32] * 2,
    *[U8] * 2,
)
CALIBRATIONS = st.builds(Calibration, *[U64] * 4, *[U32] * 3)
MESSAGES = st.builds(Message, st.sampled_from(Role), UTF8)
REQUESTS = st.builds(
    Request,
    U64,
    U32,
    st.lists(MESSAGES, max_size=70).map(tuple),
    U16,
    U32,
    st.lists(UTF8, max_size=16).map(tuple),
)
CANDIDATES = st.builds(Candidate, U32, I16)
LEAVES = st.builds(Leaf, U32, U32, st.lists(CANDIDATES, max_size=32).map(tuple), LANES, LANES)
RECEIPTS = st.builds(
    Receipt,
    U64,
    U32,
    HASH,
    U16,
    HASH,
    HASH,
    U32,
    st.integers(1, (1 << 32) - 1),
    st.sampled_from(FinishReason),
    HASH,
)
VOUCHERS = st.builds(Voucher, U64, U128, U32)
SEGMENTS = st.tuples(U64, U32, U32, HASH, U128).map(
    lambda parts: Segment(parts[0], min(parts[1:3]), max(parts[1:3]), *parts[3:])
)
PLACED = st.builds(PlacedSegment, U32, SEGMENTS)
OBJECTS = st.one_of(SPECS, CALIBRATIONS, REQUESTS, LEAVES, RECEIPTS, VOUCHERS, SEGMENTS, PLACED)
