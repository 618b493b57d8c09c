"""Receipts, texts and answers that the daemons themselves must not believe: the requester's checks and the validator's, as they are."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from llmnet import proof
from llmnet.chain import Keypair
from llmnet.engine.text import answer_text
from llmnet.engine.tiny import write_tiny_model
from llmnet.engine.tokenizer import Tokenizer
from llmnet.gateway.checks import Claimed, Terms, check_answer
from llmnet.gateway.errors import ReceiptRefused
from llmnet.proof import FinishReason, Message, Receipt, Request, Role
from llmnet.redteam.protocol import toy
from llmnet.redteam.protocol.registry import Effect, Found, attack
from llmnet.redteam.protocol.setting import Setting
from llmnet.verifier.material import Material, Standard, check_material

_FAMILY = "daemons"
_GENESIS = bytes(range(32))
_WORKER, _PAYER, _STRANGER = (Keypair.from_uri(f"//Red//{name}") for name in ("worker", "payer", "stranger"))
_PRICE = 500_000


@dataclass(frozen=True, slots=True)
class _Scene:
    """An honest answer to one request, with the tokenizer that spells it."""

    request: Request
    tokens: tuple[int, ...]
    text: str
    receipt: Receipt
    tokenizer: Tokenizer

    @property
    def spec(self) -> proof.ServiceSpec:
        return replace(toy.SPEC, vocab_size=274)

    def claimed(self, receipt: Receipt, signer: Keypair = _WORKER, genesis: bytes = _GENESIS) -> Claimed:
        """What the worker sends, signed."""
        signature = signer.sign(proof.signing_bytes("receipt", genesis, receipt.encode()))
        return Claimed(
            receipt, signature, self.tokens, proof.price(receipt.n_prompt, receipt.n_out, 0, _PRICE)
        )

    def paid(self, text: str, claimed: Claimed) -> str:
        """What the requester's check says; "" where it would pay."""
        try:
            check_answer(Terms(_GENESIS, _WORKER.public, self.spec, 0, _PRICE), self.request, text, claimed)
        except ReceiptRefused as refused:
            return refused.field
        return ""

    def audited(self, tokens: tuple[int, ...], text: str, receipt: Receipt, signer: Keypair = _PAYER) -> str:
        """What the validator's check finds first; "" where it would run the reference."""
        signature = signer.sign(proof.signing_bytes("request", _GENESIS, self.request.encode()))
        material = Material(self.request, signature, tokens, text, receipt)
        standard = Standard(_PAYER.public, _GENESIS, self.spec, self.tokenizer)
        return next((check.name for check in check_material(material, standard) if check.ok is False), "")


def _scenes(setting: Setting) -> Iterator[_Scene]:
    """Different answers of the tiny model's tokenizer."""
    rng = random.Random(setting.seed)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = Tokenizer(write_tiny_model(Path(folder)))
        for number in range(5 * setting.scale):
            message = Message.of(Role.USER, f"question {number}")
            tokens = tuple(tokenizer.encode(" ".join(rng.choices(["the", "house", "sus", "er"], k=12))))
            request = Request(7, number, (message,), 256, len(tokens))
            text = answer_text(tokenizer, tokens)
            receipt = Receipt(
                session=7,
                index=number,
                request_hash=request.hash,
                temperature=256,
                output_hash=proof.output_hash(tokens),
                text_hash=proof.text_hash(text),
                n_prompt=len(tokenizer.encode_chat(request.messages)),
                n_out=len(tokens),
                finish=FinishReason.LENGTH,
                transcript_root=rng.randbytes(32),
            )
            yield _Scene(request, tokens, text, receipt, tokenizer)


def _judged(answers: list[str], by: str, note: str = "") -> Found:
    caught = sum(bool(answer) for answer in answers)
    effect = Effect.REFUSED if caught == len(answers) else Effect.SUCCEEDS
    named = f"{by}: {', '.join(sorted(set(answers)))}"
    return Found(effect, named, len(answers), caught, off_chain=200, note=note)


@attack(
    "edited text over right tokens",
    _FAMILY,
    "sells other words than its tokens spell, and says so in the receipt",
    Effect.REFUSED,
)
def edited_text(setting: Setting) -> Found:
    """With the old text hash the requester sees it at once. With a new one only who has the tokenizer does: each audit."""
    answers, unseen = [], 0
    for scene in _scenes(setting):
        assert scene.audited(scene.tokens, scene.text, scene.receipt) == "", "the honest answer passes"
        for text in (scene.text + ".", scene.text[1:], scene.text.swapcase() + "!", ""):
            edited = replace(scene.receipt, text_hash=proof.text_hash(text))
            answers += [
                scene.paid(text, scene.claimed(scene.receipt)),
                scene.audited(scene.tokens, text, edited),
            ]
            unseen += scene.paid(text, scene.claimed(edited)) == ""
    note = f"with a new hash the requester, who has no tokenizer, pays {unseen} times: then the audit fails it as withheld"
    return _judged(answers, "requester, validator", note)


@attack("forged receipts", _FAMILY, "changes one field of a receipt, or has another sign it", Effect.REFUSED)
def forged_receipts(setting: Setting) -> Found:
    answers = []
    for scene in _scenes(setting):
        good = scene.receipt
        assert scene.paid(scene.text, scene.claimed(good)) == "", "the honest receipt is paid"
        changed = [
            replace(good, session=8),
            replace(good, index=good.index + 1),
            replace(good, request_hash=bytes(32)),
            replace(good, temperature=0),
            replace(good, output_hash=bytes(32)),
            replace(good, text_hash=bytes(32)),
            replace(good, n_out=good.n_out + 1),
            replace(good, n_out=good.n_out - 1),
            replace(good, n_prompt=0),
            replace(good, n_prompt=5_000),
            replace(good, finish=FinishReason.STOP_STRING),
        ]
        answers += [scene.paid(scene.text, scene.claimed(receipt)) for receipt in changed]
        signed = scene.claimed(good)
        answers += [
            scene.paid(scene.text, scene.claimed(good, _STRANGER)),
            scene.paid(scene.text, scene.claimed(good, _WORKER, bytes(32))),
            scene.paid(scene.text, replace(signed, signature=bytes(64))),
            scene.paid(scene.text, replace(signed, price=signed.price + 1)),
            scene.paid(scene.text, replace(signed, tokens=signed.tokens[:-1])),
            scene.paid(scene.text, replace(signed, tokens=signed.tokens[::-1])),
        ]
    return _judged(answers, "requester")


@attack(
    "an answer to another request",
    _FAMILY,
    "hands the panel other tokens, another request, another receipt than was opened",
    Effect.REFUSED,
)
def other_material(setting: Setting) -> Found:
    answers = []
    scenes = list(_scenes(setting))
    for scene, other in zip(scenes, scenes[1:] + scenes[:1], strict=True):
        answers += [
            scene.audited(other.tokens, other.text, scene.receipt),
            scene.audited(scene.tokens, scene.text, other.receipt),
            scene.audited(scene.tokens, scene.text, scene.receipt, _STRANGER),
            scene.audited(scene.tokens[:-1], scene.text, scene.receipt),
            scene.audited(
                scene.tokens, scene.text, replace(scene.receipt, n_prompt=scene.receipt.n_prompt + 1)
            ),
            scene.audited(scene.tokens, scene.text, replace(scene.receipt, finish=FinishReason.STOP)),
        ]
    return _judged(answers, "validator")
