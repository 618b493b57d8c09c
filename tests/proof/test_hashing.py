"""Hashes against known BLAKE2b values and the written-out formulas; domains cannot be confused."""

from __future__ import annotations

import hashlib
import struct

import pytest

from llmnet.proof import (
    Candidate,
    FieldError,
    Leaf,
    ProofError,
    Request,
    blake2b_256,
    domain_hash,
    graph_hash,
    output_hash,
    reference_commitment,
    request_seed,
    session_seed,
    template_hash,
    text_hash,
    tokenizer_hash,
)


def plain(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def test_blake2b_256_known_values() -> None:
    # blake2b-256 of nothing and of "abc", as published by the `b2sum -l 256` tool.
    assert blake2b_256(b"").hex() == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
    assert blake2b_256(b"abc").hex() == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"


def test_domains_are_written_out() -> None:
    assert domain_hash("draw", b"xyz") == plain(b"llmnet/draw/1xyz")
    assert (
        len({domain_hash(name, b"same") for name in ("spec", "request", "receipt", "output", "text", "draw")})
        == 6
    )
    with pytest.raises(ProofError, match="unknown hash domain 'fetch'"):
        domain_hash("fetch", b"")


def test_formulas_of_section_two() -> None:
    tokens = [1, 2, 0xFFFFFFFF]
    assert output_hash(tokens) == plain(b"llmnet/output/1" + b"\x0c" + struct.pack("<3I", *tokens))
    assert output_hash([7] * 100) == plain(b"llmnet/output/1" + b"\x91\x01" + struct.pack("<I", 7) * 100)
    assert text_hash("né") == plain("llmnet/text/1né".encode())
    assert tokenizer_hash(b"{}") == plain(b"llmnet/tokenizer/1{}")
    assert template_hash("t") == plain(b"llmnet/template/1t")
    assert graph_hash(b"g") == plain(b"llmnet/graph/1g")
    beacon, of_request = b"b" * 32, b"r" * 32
    seed = session_seed(beacon, 258)
    assert seed == plain(b"llmnet/session-seed/1" + beacon + struct.pack("<Q", 258))
    assert request_seed(seed, 5, of_request) == plain(
        b"llmnet/seed/1" + seed + struct.pack("<I", 5) + of_request
    )
    leaf = Leaf(1, 2, (Candidate(2, -1),), (0,) * 8, (1,) * 8)
    account, salt = b"a" * 32, b"s" * 32
    expected = plain(
        b"llmnet/reference/1" + struct.pack("<I", 9) + account + b"\x08" + leaf.encode() * 2 + salt
    )
    assert reference_commitment(9, account, [leaf, leaf], salt) == expected


def test_request_hash_is_the_hash_of_its_encoding() -> None:
    request = Request(1, 2, (), 3, 4)
    assert request.hash == plain(b"llmnet/request/1" + request.encode())


@pytest.mark.parametrize("bad", [b"", b"x" * 31, b"x" * 33])
def test_seeds_of_another_length_are_refused(bad: bytes) -> None:
    with pytest.raises(FieldError):
        session_seed(bad, 0)
    with pytest.raises(FieldError):
        request_seed(bad, 0, bytes(32))
    with pytest.raises(FieldError):
        request_seed(bytes(32), 0, bad)
    with pytest.raises(FieldError):
        reference_commitment(0, bad, [], bytes(32))
