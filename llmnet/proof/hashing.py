"""Domain-separated hashes (protocol section 1) and everything that is a plain hash of something."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from . import scale
from .errors import FieldError, ProofError

if TYPE_CHECKING:
    from .leaf import Leaf

HASH_NAMES = frozenset(
    [
        "spec",
        "weights",
        "tokenizer",
        "template",
        "graph",
        "request",
        "seed",
        "session-seed",
        "receipt",
        "output",
        "text",
        "merkle",
        "voucher",
        "segment",
        "batch",
        "reference",
        "plant",
        "beacon",
        "beacon-commit",
        "draw",
        "positions",
    ]
)


def blake2b_256(data: bytes) -> bytes:
    """BLAKE2b with a 32-byte digest and no key."""
    return hashlib.blake2b(data, digest_size=32).digest()


def domain(name: str) -> bytes:
    """The prefix that separates one use of a hash or signature from all others."""
    return b"llmnet/" + name.encode() + b"/1"


def domain_hash(name: str, data: bytes) -> bytes:
    """`H(name, data)` of the protocol; raises ProofError for a name that the protocol does not list."""
    if name not in HASH_NAMES:
        raise ProofError(f"unknown hash domain {name!r}; the protocol lists {sorted(HASH_NAMES)}")
    return blake2b_256(domain(name) + data)


def output_hash(tokens: Iterable[int]) -> bytes:
    """Hash of the output token ids as `Vec<u32>`."""
    ids = list(tokens)
    return domain_hash("output", scale.compact(len(ids)) + b"".join(scale.uint(token, 32) for token in ids))


def text_hash(text: str) -> bytes:
    """Hash of the answer's UTF-8 text, without a length."""
    return domain_hash("text", text.encode())


def tokenizer_hash(file: bytes) -> bytes:
    """Hash of the bytes of `tokenizer.json`."""
    return domain_hash("tokenizer", file)


def template_hash(source: str) -> bytes:
    """Hash of the chat template's source."""
    return domain_hash("template", source.encode())


def graph_hash(model: bytes) -> bytes:
    """Hash of the ONNX file without its external data."""
    return domain_hash("graph", model)


def session_seed(beacon_value: bytes, session: int) -> bytes:
    """Seed of a session from the beacon round after its opening."""
    return domain_hash(
        "session-seed", scale.check_bytes(beacon_value, 32, "beacon value") + scale.uint(session, 64)
    )


def request_seed(seed_of_session: bytes, index: int, request_hash: bytes) -> bytes:
    """Seed of one request: nobody can choose it, as the session's seed is drawn after the terms are fixed."""
    parts = (
        scale.check_bytes(seed_of_session, 32, "session seed"),
        scale.uint(index, 32),
        scale.check_bytes(request_hash, 32, "request hash"),
    )
    return domain_hash("seed", b"".join(parts))


def reference_commitment(audit: int, account: bytes, leaves: Sequence[Leaf], salt: bytes) -> bytes:
    """What a validator commits to before it may see the worker's leaves (protocol section 10)."""
    from .leaf import encode_leaves

    account, salt = scale.check_bytes(account, 32, "account"), scale.check_bytes(salt, 32, "salt")
    return domain_hash("reference", scale.uint(audit, 32) + account + encode_leaves(leaves) + salt)


def plant_commitment(planter: bytes, session: int, index: int, worker: bytes, salt: bytes) -> bytes:
    """What a planter commits to before an answer that is wrong on purpose is drawn (protocol section 12)."""
    planter, worker = scale.check_bytes(planter, 32, "planter"), scale.check_bytes(worker, 32, "worker")
    answer = scale.uint(session, 64) + scale.uint(index, 32)
    return domain_hash("plant", planter + answer + worker + scale.check_bytes(salt, 32, "salt"))


def check_seed(seed: bytes) -> bytes:
    """A 32-byte seed, or FieldError."""
    try:
        return scale.check_bytes(seed, 32, "seed")
    except FieldError as error:
        raise FieldError(f"{error}; pass request_seed(...) of the answer") from None
