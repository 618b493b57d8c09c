"""The chain's metadata and `llmnet.proof` encode the same object to the same bytes, and read them back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet import proof
from llmnet.chain import EncodeError, Runtime
from llmnet.pallets import registry, spot_checks
from llmnet.pallets._generated.types import TYPES

from .shapes import type_named
from .strategies import CALIBRATIONS, LEAVES, PLACED, RECEIPTS, SEGMENTS, SPECS

ON_CHAIN = st.one_of(SPECS, CALIBRATIONS, LEAVES, RECEIPTS, SEGMENTS, PLACED)


def chain_bytes(runtime: Runtime, value: Any) -> bytes:
    path = f"llmnet_primitives::types::{type(value).__name__}"
    return runtime.codec.encode(type_named(runtime.metadata, path), value)


@given(value=ON_CHAIN)
def test_both_sides_write_the_same_bytes(runtime: Runtime, value: Any) -> None:
    assert chain_bytes(runtime, value) == value.encode()


@given(value=ON_CHAIN)
def test_what_proof_encodes_the_chain_reads_as_the_same_object(runtime: Runtime, value: Any) -> None:
    path = f"llmnet_primitives::types::{type(value).__name__}"
    decoded = runtime.bound.codec(TYPES).decode(type_named(runtime.metadata, path), value.encode())
    assert decoded == value
    assert type(decoded) is type(value)


@given(
    leaves=st.lists(LEAVES, max_size=4),
    salt=st.binary(min_size=32, max_size=32),
    audit=st.integers(0, 2**32 - 1),
)
def test_leaves_in_a_call_are_the_bytes_that_proof_commits_to(
    runtime: Runtime, leaves: list[proof.Leaf], salt: bytes, audit: int
) -> None:
    encoded = runtime.encode_call(spot_checks.reveal_reference(audit, leaves, salt))
    assert encoded[2:] == audit.to_bytes(4, "little") + proof.encode_leaves(leaves) + salt


@given(spec=SPECS)
def test_a_spec_in_a_call_is_the_preimage_of_its_id(runtime: Runtime, spec: proof.ServiceSpec) -> None:
    assert runtime.encode_call(registry.register_spec(spec))[2:] == spec.encode()


@given(spec=SPECS, byte=st.integers(0, 40))
def test_bytes_that_differ_are_told_apart(runtime: Runtime, spec: proof.ServiceSpec, byte: int) -> None:
    """The comparison is able to fail."""
    path = "llmnet_primitives::types::ServiceSpec"
    plain = runtime.codec.decode(type_named(runtime.metadata, path), spec.encode())
    plain["vocab_size"] = (spec.vocab_size + 1 + byte) % 2**32
    assert runtime.codec.encode(type_named(runtime.metadata, path), plain) != spec.encode()


@pytest.mark.parametrize("change", [{"colour": 1}, {"last": None}], ids=["unknown field", "missing field"])
def test_a_field_too_many_or_too_few_does_not_become_a_transaction(
    runtime: Runtime, change: dict[str, int | None]
) -> None:
    segment = {"session": 1, "first": 0, "last": 0, "receipts_root": bytes(32), "amount": 5} | change
    plain = {name: value for name, value in segment.items() if value is not None}
    with pytest.raises(EncodeError, match="fields do not fit"):
        runtime.codec.encode(type_named(runtime.metadata, "llmnet_primitives::types::Segment"), plain)
