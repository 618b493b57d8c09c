"""Every single lie about an answer is named by the check that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from llmnet import proof
from llmnet.proof import FinishReason, Message, Role
from llmnet.verifier.material import Material, Standard, check_material
from llmnet.verifier.reference import Reference

from .answers import REQUESTER, WORKER, Answered, Asker, signed
from .fakes import GENESIS

Change = Callable[[Material], Material]


@pytest.fixture
def standard(reference: Reference) -> Standard:
    return Standard(REQUESTER.public, GENESIS, reference.spec, reference.tokenizer)


def failed(material: Material, standard: Standard) -> list[str]:
    return [check.name for check in check_material(material, standard) if check.ok is False]


def receipt(**changes: object) -> Change:
    return lambda m: replace(m, receipt=replace(m.receipt, **changes))  # type: ignore[arg-type]


def retold(tokens: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Change:
    """Other tokens with all hashes that follow from them, text left as it is."""

    def change(m: Material) -> Material:
        new = tokens(m.tokens)
        changed = replace(m.receipt, output_hash=proof.output_hash(new), n_out=len(new))
        return replace(m, tokens=new, receipt=changed)

    return change


def asked(**changes: object) -> Change:
    """Another request, properly signed and named in the receipt."""

    def change(m: Material) -> Material:
        request = replace(m.request, **changes)  # type: ignore[arg-type]
        signature = signed(REQUESTER, "request", request.encode())
        return replace(
            m,
            request=request,
            request_signature=signature,
            receipt=replace(m.receipt, request_hash=request.hash),
        )

    return change


CASES: dict[str, tuple[Change, list[str]]] = {
    "nothing": (lambda m: m, []),
    "signature of nobody": (lambda m: replace(m, request_signature=bytes(64)), ["request_signature"]),
    "signature of the worker": (
        lambda m: replace(m, request_signature=signed(WORKER, "request", m.request.encode())),
        ["request_signature"],
    ),
    "signature of another chain": (
        lambda m: replace(m, request_signature=signed(REQUESTER, "request", m.request.encode(), bytes(32))),
        ["request_signature"],
    ),
    "another session": (receipt(session=8), ["session"]),
    "another index": (receipt(index=1), ["index"]),
    "another request": (receipt(request_hash=bytes(32)), ["request_hash"]),
    "hotter sampling": (receipt(temperature=900), ["temperature"]),
    "a token more counted": (receipt(n_out=21), ["n_out", "limits"]),
    "a longer prompt counted": (receipt(n_prompt=400), ["n_prompt"]),
    "a prompt beyond the context": (receipt(n_prompt=600), ["limits", "n_prompt"]),
    "another output": (receipt(output_hash=bytes(32)), ["output_hash"]),
    "another token": (lambda m: replace(m, tokens=(9, *m.tokens[1:])), ["output_hash", "text"]),
    "a token outside the vocabulary": (retold(lambda t: (5000, *t[1:])), ["limits"]),
    "no tokens": (lambda m: replace(m, tokens=()), ["n_out", "output_hash", "text", "finish"]),
    "another text": (lambda m: replace(m, text="lies"), ["text_hash", "text"]),
    "another text with its hash": (
        lambda m: replace(m, text="lies", receipt=replace(m.receipt, text_hash=proof.text_hash("lies"))),
        ["text"],
    ),
    "other messages": (
        asked(messages=(Message.of(Role.USER, "another and longer question"),)),
        ["n_prompt"],
    ),
    "no messages": (asked(messages=()), ["n_prompt"]),
    "fewer tokens allowed": (asked(max_tokens=5), ["limits", "finish"]),
    "cut short": (asked(max_tokens=200), ["finish"]),
    "an end that was none": (receipt(finish=FinishReason.STOP), ["finish"]),
    "a stop string that was none": (receipt(finish=FinishReason.STOP_STRING), ["finish"]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_lie_is_named(name: str, asker: Asker, standard: Standard) -> None:
    change, expected = CASES[name]
    honest = asker.ask("what is the sea", max_tokens=20).material
    assert honest.receipt.finish is FinishReason.LENGTH
    assert failed(change(honest), standard) == expected


def test_going_on_after_the_end_of_the_turn_is_seen(answered: Answered, standard: Standard) -> None:
    assert standard.tokenizer is not None
    (end,) = standard.tokenizer.eos_ids
    material = retold(lambda t: (t[0], end, *t[2:]))(answered.material)
    assert "finish" in failed(material, standard)


@pytest.mark.parametrize("stop", [("e",), ("zzzz", "a")])
def test_answers_that_end_by_a_stop_string_are_right(
    asker: Asker, standard: Standard, stop: tuple[str, ...]
) -> None:
    material = asker.ask("the sea and the sun", max_tokens=120, stop=stop).material
    assert material.receipt.finish is FinishReason.STOP_STRING
    assert failed(material, standard) == []


def test_answers_that_end_by_themselves_are_right(asker: Asker, standard: Standard) -> None:
    finished = [asker.ask(f"question {n}", index=n, temperature=1024, max_tokens=400) for n in range(6)]
    ended = [item for item in finished if item.receipt.finish is FinishReason.STOP]
    assert ended, "the tiny model should come to an end now and then: choose other questions"
    for item in finished:
        assert failed(item.material, standard) == []


def test_without_a_model_the_rest_is_still_checked(answered: Answered, standard: Standard) -> None:
    blind = replace(standard, tokenizer=None)
    checks = {check.name: check.ok for check in check_material(answered.material, blind)}
    assert [name for name, ok in checks.items() if ok is None] == ["n_prompt", "text", "finish"]
    assert failed(replace(answered.material, text="lies"), blind) == ["text_hash"]
