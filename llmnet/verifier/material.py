"""What a worker hands out about an answer, and whether it is what the receipt names.

Pure functions; the audit daemon stops at the first fault, the offline check lists them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llmnet import proof
from llmnet.engine.errors import PromptError
from llmnet.engine.text import answer_text
from llmnet.engine.tokenizer import Tokenizer
from llmnet.proof import FinishReason, Receipt, Request, ServiceSpec


@dataclass(frozen=True, slots=True)
class Material:
    """An answer as it was asked and given."""

    request: Request
    request_signature: bytes
    tokens: tuple[int, ...]
    text: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `ok` is None where it could not be, and `detail` says why or what differs."""

    name: str
    ok: bool | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Standard:
    """What the material is measured against: who asked, on which chain, and the model that was to answer.

    Without the model's tokenizer, what needs it is not checked.
    """

    requester: bytes
    genesis_hash: bytes
    spec: ServiceSpec
    tokenizer: Tokenizer | None


def _equal(name: str, said: object, found: object) -> Check:
    """The receipt says `said`; the data give `found`."""
    shown = [item.hex() if isinstance(item, bytes) else item for item in (said, found)]
    return Check(
        name, said == found, "" if said == found else f"the receipt says {shown[0]}, the data give {shown[1]}"
    )


def check_material(material: Material, standard: Standard) -> Iterator[Check]:
    """Everything that follows from request, tokens, text and receipt, cheapest first."""
    request, receipt = material.request, material.receipt
    yield _signature(material, standard)
    yield _equal("session", receipt.session, request.session)
    yield _equal("index", receipt.index, request.index)
    yield _equal("request_hash", receipt.request_hash, request.hash)
    yield _equal("temperature", receipt.temperature, request.temperature)
    yield _equal("n_out", receipt.n_out, len(material.tokens))
    yield _limits(material, standard.spec)
    yield _equal("output_hash", receipt.output_hash, proof.output_hash(material.tokens))
    yield _equal("text_hash", receipt.text_hash, proof.text_hash(material.text))
    yield from _retokenised(material, standard)


def _signature(material: Material, standard: Standard) -> Check:
    payload = material.request.encode()
    good = proof.verify_signature(
        standard.requester, material.request_signature, "request", standard.genesis_hash, payload
    )
    return Check("request_signature", good, "" if good else f"not by the payer {standard.requester.hex()}")


def _limits(material: Material, spec: ServiceSpec) -> Check:
    """As many tokens as were allowed, all of them the model's, within its context."""
    receipt, allowed = material.receipt, material.request.max_tokens
    faults = []
    if receipt.n_out > allowed:
        faults.append(f"{receipt.n_out} tokens where at most {allowed} were asked for")
    if receipt.n_prompt + receipt.n_out > spec.context_length:
        faults.append(
            f"{receipt.n_prompt} + {receipt.n_out} tokens exceed the context of {spec.context_length}"
        )
    if not all(0 <= token < spec.vocab_size for token in material.tokens):
        faults.append(f"a token is outside the vocabulary of {spec.vocab_size}")
    return Check("limits", not faults, "; ".join(faults))


def _retokenised(material: Material, standard: Standard) -> Iterator[Check]:
    """What needs the tokenizer: prompt length, text, and the reason why the answer ended."""
    tokenizer, stops = standard.tokenizer, [item.decode() for item in material.request.stop]
    if tokenizer is None:
        yield from (Check(name, None, "the model is missing") for name in ("n_prompt", "text", "finish"))
        return
    try:
        yield _equal(
            "n_prompt", material.receipt.n_prompt, len(tokenizer.encode_chat(material.request.messages))
        )
    except PromptError as error:
        yield Check("n_prompt", False, str(error))
    if not all(0 <= token < standard.spec.vocab_size for token in material.tokens):
        for name in ("text", "finish"):
            yield Check(name, None, "there are tokens that have no text")
        return
    same = material.text == answer_text(tokenizer, material.tokens, stops)
    yield Check("text", same, "" if same else "the text is not what the tokens spell")
    yield _finish(material, tokenizer, stops)


def _finish(material: Material, tokenizer: Tokenizer, stops: list[str]) -> Check:
    """The first of these ends an answer: the end-of-turn token, a stop string, the limit."""
    tokens, reason = material.tokens, material.receipt.finish
    fault = ""
    if not tokenizer.eos_ids.isdisjoint(tokens[:-1]):
        fault = "the answer goes on after the end-of-turn token"
    elif (reason is FinishReason.STOP) != (bool(tokens) and tokens[-1] in tokenizer.eos_ids):
        fault = "the end-of-turn token and the reason given for the end do not agree"
    elif reason is FinishReason.LENGTH and len(tokens) != material.request.max_tokens:
        fault = f"{len(tokens)} tokens are not the limit of {material.request.max_tokens}"
    elif reason is FinishReason.STOP_STRING and not any(stop in tokenizer.decode(tokens) for stop in stops):
        fault = "no stop string of the request stands in the text"
    return Check("finish", not fault, fault)
