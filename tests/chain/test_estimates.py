"""Answers of runtime APIs read by hand (metadata V14) are what the described types give (V16)."""

from __future__ import annotations

import pytest

from llmnet.chain import DecodeError, DryRun, Runtime, RuntimeVersion, parse_metadata
from llmnet.chain.estimates import applied, partial_fee

from .conftest import load

OLD, NEW = (Runtime(parse_metadata(load(version)), RuntimeVersion("llmnet", 1, 1, 1)) for version in (14, 16))


@pytest.mark.parametrize(
    "raw",
    [
        "0000",
        "000102",  # BadOrigin
        "00010302 02000000".replace(" ", ""),  # a pallet's own error
        "0001 0700".replace(" ", ""),  # Token
        *(f"0100{code:02x}" for code in (0, 1, 2, 3, 4, 5, 6, 8, 9, 10)),
        "01000711",  # Invalid: Custom
        "010100",
    ],
)
def test_what_applying_answers(raw: str) -> None:
    data = bytes.fromhex(raw)
    assert isinstance(applied(OLD, data), DryRun)
    if raw != "01000711":  # whose number only the description knows how to show
        assert applied(OLD, data) == applied(NEW, data)


def test_the_fee_is_the_last_field() -> None:
    info = NEW.api("TransactionPaymentApi", "query_info").output
    value = {"weight": {"ref_time": 10**9, "proof_size": 3}, "class": "Normal", "partial_fee": 12345678901}
    raw = NEW.codec.encode(info, value)
    assert partial_fee(OLD, raw) == partial_fee(NEW, raw) == 12345678901


@pytest.mark.parametrize("raw", [b"", b"\0", b"\2\0", b"\0\2"])
def test_what_is_no_answer_is_refused(raw: bytes) -> None:
    for runtime in (OLD, NEW):
        with pytest.raises(DecodeError):
            applied(runtime, raw)
    with pytest.raises(DecodeError):
        partial_fee(OLD, raw)
