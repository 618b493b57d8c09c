"""Honest answers of the tiny model, by the real engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmnet import proof
from llmnet.chain import Keypair
from llmnet.engine import Engine, GenerationRequest, answer_text
from llmnet.engine.weights import ModelFiles
from llmnet.proof import Leaf, Message, Receipt, Request, Role, ServiceSpec
from llmnet.verifier import Material, floor_calibration

from .fakes import GENESIS

REQUESTER, WORKER = Keypair.from_uri("//Requester1"), Keypair.from_uri("//Worker1")
BEACON = bytes([9]) * 32


@dataclass(frozen=True)
class Answered:
    """An answer with everything that its worker and its requester have of it."""

    material: Material
    prompt_ids: tuple[int, ...]
    leaves: tuple[Leaf, ...]
    session_seed: bytes
    request_seed: bytes
    receipt_signature: bytes
    spec: ServiceSpec
    genesis: bytes

    @property
    def receipt(self) -> Receipt:
        return self.material.receipt

    def door(self) -> dict[str, Any]:
        """What GET /v1/audits/{id} gives."""
        return {
            "request": self.material.request.encode().hex(),
            "request_signature": self.material.request_signature.hex(),
            "tokens": list(self.material.tokens),
            "text": self.material.text,
            "receipt": self.receipt.encode().hex(),
        }

    def bundle(self, **changes: Any) -> dict[str, Any]:
        """The receipt file."""
        calibration = floor_calibration(self.spec.numerics)
        return {
            **self.door(),
            "version": 1,
            "genesis_hash": self.genesis.hex(),
            "session": self.receipt.session,
            "index": self.receipt.index,
            "session_seed": self.session_seed.hex(),
            "requester": REQUESTER.public.hex(),
            "worker": WORKER.public.hex(),
            "spec": self.spec.encode().hex(),
            "calibration": calibration.encode().hex(),
            "receipt_signature": self.receipt_signature.hex(),
            "leaves": proof.encode_leaves(self.leaves).hex(),
            "price": "12345",
            **changes,
        }


def signed(keys: Keypair, name: str, payload: bytes, genesis: bytes = GENESIS) -> bytes:
    return keys.sign(proof.signing_bytes(name, genesis, payload))


class Asker:
    """Asks an honest worker."""

    def __init__(self, files: ModelFiles, spec: ServiceSpec) -> None:
        self.spec = spec
        self._engine = Engine(files, spec)

    def ask(
        self,
        text: str,
        *,
        session: int = 7,
        index: int = 0,
        temperature: int = 256,
        max_tokens: int = 16,
        stop: tuple[str, ...] = (),
        session_seed: bytes | None = None,
        genesis: bytes = GENESIS,
    ) -> Answered:
        message = Message.of(Role.USER, text)
        stops = tuple(item.encode() for item in stop)
        request = Request(session, index, (message,), temperature, max_tokens, stops)
        session_seed = session_seed or proof.session_seed(BEACON, session)
        seed = proof.request_seed(session_seed, index, request.hash)
        prompt = tuple(self._engine.tokenizer.encode_chat(request.messages))
        job = GenerationRequest(
            request_id="a",
            prompt_ids=prompt,
            temperature=temperature,
            max_tokens=max_tokens,
            request_seed=seed,
            stop=stop,
        )
        leaves, reason = self._generate(job)
        tokens = tuple(leaf.token for leaf in leaves)
        written = answer_text(self._engine.tokenizer, tokens, stop)
        receipt = Receipt(
            session=session,
            index=index,
            request_hash=request.hash,
            temperature=temperature,
            output_hash=proof.output_hash(tokens),
            text_hash=proof.text_hash(written),
            n_prompt=len(prompt),
            n_out=len(tokens),
            finish=reason,
            transcript_root=proof.transcript_root(leaves),
        )
        material = Material(
            request, signed(REQUESTER, "request", request.encode(), genesis), tokens, written, receipt
        )
        signature = signed(WORKER, "receipt", receipt.encode(), genesis)
        return Answered(material, prompt, leaves, session_seed, seed, signature, self.spec, genesis)

    def text(self, tokens: Sequence[int]) -> str:
        """What tokens spell."""
        return answer_text(self._engine.tokenizer, tokens, ())

    def _generate(self, job: GenerationRequest) -> tuple[tuple[Leaf, ...], Any]:
        self._engine.add(job)
        leaves: list[Leaf] = []
        while True:
            for output in self._engine.step():
                assert output.error is None
                if output.leaf is not None:
                    leaves.append(output.leaf)
                if output.finish_reason is not None:
                    return tuple(leaves), output.finish_reason
