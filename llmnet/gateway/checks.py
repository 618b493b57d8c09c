"""Is this receipt what was asked for? Pure functions; nothing is paid for an answer that fails here.

What only the model can tell (that the tokens are this model's, that `n_prompt` is the length of this prompt) is checked by
validators, and by `llmnet verify`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmnet import proof
from llmnet.proof import DecodeError, FinishReason, Receipt, Request, ServiceSpec

from .errors import ReceiptRefused

MAX_RECEIPT_HEX = 1024


@dataclass(frozen=True, slots=True)
class Terms:
    """By what an answer is judged. Prices are plancks per 1,000 tokens, fixed when the session was opened."""

    genesis_hash: bytes
    worker: bytes
    spec: ServiceSpec
    price_in: int
    price_out: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the worker sent beside the text, decoded but not believed. `price` in plancks."""

    receipt: Receipt
    signature: bytes
    tokens: tuple[int, ...]
    price: int


def read_claim(extension: Any) -> Claimed:
    """The worker's `llmnet` object. Raises ReceiptRefused that names the field."""
    if not isinstance(extension, dict):
        raise ReceiptRefused("receipt", "the answer carries none")
    tokens, price = extension.get("tokens"), extension.get("price")
    if not isinstance(tokens, list) or not all(type(item) is int and 0 <= item < 1 << 32 for item in tokens):
        raise ReceiptRefused("tokens", "not a list of token ids")
    if not isinstance(price, str) or not (price.isascii() and price.isdigit() and len(price) <= 39):
        raise ReceiptRefused("price", f"not an amount of plancks: {str(price)[:50]!r}")
    try:
        receipt = Receipt.decode(_hex(extension, "receipt"))
    except DecodeError as error:
        raise ReceiptRefused("receipt", str(error)) from None
    return Claimed(receipt, _hex(extension, "signature"), tuple(tokens), int(price))


def _hex(extension: dict[str, Any], name: str) -> bytes:
    value = extension.get(name)
    try:
        if not isinstance(value, str) or len(value) > MAX_RECEIPT_HEX:
            raise ValueError
        return bytes.fromhex(value.removeprefix("0x"))
    except ValueError:
        raise ReceiptRefused(name, "not hex") from None


def check_answer(terms: Terms, request: Request, text: str, claimed: Claimed) -> int:
    """The price to be paid. Raises ReceiptRefused with the first thing that is wrong."""
    receipt, tokens = claimed.receipt, claimed.tokens
    if not proof.verify_signature(
        terms.worker, claimed.signature, "receipt", terms.genesis_hash, receipt.encode()
    ):
        raise ReceiptRefused("signature", "the receipt is not signed by this session's worker for this chain")
    for name, said, wanted in (
        ("session", receipt.session, request.session),
        ("index", receipt.index, request.index),
        ("request_hash", receipt.request_hash, request.hash),
        ("temperature", receipt.temperature, request.temperature),
        ("output_hash", receipt.output_hash, proof.output_hash(tokens)),
        ("text_hash", receipt.text_hash, proof.text_hash(text)),
        ("n_out", receipt.n_out, len(tokens)),
    ):
        if said != wanted:
            raise ReceiptRefused(name, f"the receipt says {_shown(said)}, it should be {_shown(wanted)}")
    _check_counts(terms.spec, request, receipt, tokens)
    price = proof.price(receipt.n_prompt, receipt.n_out, terms.price_in, terms.price_out)
    if claimed.price != price:
        raise ReceiptRefused(
            "price", f"the worker asks for {claimed.price} plancks, the session's prices give {price}"
        )
    return price


def _check_counts(spec: ServiceSpec, request: Request, receipt: Receipt, tokens: tuple[int, ...]) -> None:
    total = receipt.n_prompt + receipt.n_out
    if receipt.n_out > request.max_tokens:
        raise ReceiptRefused("n_out", f"{receipt.n_out} tokens, at most {request.max_tokens} were asked for")
    if receipt.n_prompt < 1 or total > spec.context_length:
        raise ReceiptRefused(
            "n_prompt", f"{receipt.n_prompt} + {receipt.n_out} tokens in a context of {spec.context_length}"
        )
    if max(tokens) >= spec.vocab_size:
        raise ReceiptRefused("tokens", f"token {max(tokens)} is not in a vocabulary of {spec.vocab_size}")
    cut = receipt.n_out == request.max_tokens or total == spec.context_length
    if receipt.finish == FinishReason.LENGTH and not cut:
        raise ReceiptRefused(
            "finish", f"ended by length after {receipt.n_out} of {request.max_tokens} tokens"
        )
    if receipt.finish == FinishReason.STOP_STRING and not request.stop:
        raise ReceiptRefused("finish", "ended by a stop string, none was given")


def _shown(value: int | bytes) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
