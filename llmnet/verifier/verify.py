"""Checks one answer offline, as a validator would, from nothing but its receipt file and the model.

What the file says of the chain (who the parties are, the session's seed, the spec, the thresholds) may be wrong as well:
give what you read from the chain yourself as `ChainFacts` and each difference is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from llmnet import proof
from llmnet.engine.errors import PromptError
from llmnet.engine.weights import ModelFiles
from llmnet.proof import Calibration, Judgement, Leaf, ServiceSpec
from llmnet.proof.drawing import MAX_POSITIONS
from llmnet.proof.scoring import EVIDENCE_MAX, MARGIN_FAIL

from .bundle import Bundle
from .calibrate.floor import floor_calibration
from .errors import ModelMismatch, ReferenceFailed
from .material import Check, Standard, check_material
from .reference import Reference
from .report import Report, verdict_word


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What somebody read from the chain; None where it was not read. `price` in plancks, as section 2 computes it."""

    genesis_hash: bytes | None = None
    session_seed: bytes | None = None
    requester: bytes | None = None
    worker: bytes | None = None
    spec: ServiceSpec | None = None
    calibration: Calibration | None = None
    price: int | None = None


def verify_bundle(bundle: Bundle, files: ModelFiles, facts: ChainFacts | None = None) -> Report:
    """Check everything that can be checked. Nothing is raised for a bad bundle: the report names what is wrong.

    Raises ReferenceFailed if this machine cannot run the reference.
    """
    reference, model = _reference(bundle, files)
    seed = proof.request_seed(bundle.session_seed, bundle.index, bundle.material.request.hash)
    checks = [*_chain_checks(bundle, facts or ChainFacts()), model, *_paper_checks(bundle, reference)]
    checks += _leaf_checks(bundle, seed)
    calibration, thresholds = _thresholds(bundle)
    judgement, run = _judge(bundle, reference, calibration, seed)
    checks += judgement_checks(judgement) if judgement is not None else [run]
    done = tuple(checks)
    return Report(bundle.session, bundle.index, verdict_word(done, judgement), done, judgement, thresholds)


def _reference(bundle: Bundle, files: ModelFiles) -> tuple[Reference | None, Check]:
    try:
        return Reference(files, bundle.spec), Check("model", True)
    except ModelMismatch as error:
        return None, Check("model", None, str(error))


def _chain_checks(bundle: Bundle, facts: ChainFacts) -> Iterator[Check]:
    for field in fields(facts):
        expected = getattr(facts, field.name)
        if expected is not None:
            same = expected == getattr(bundle, field.name)
            yield Check(
                f"chain: {field.name}", same, "" if same else "the file says otherwise than the chain"
            )


def _paper_checks(bundle: Bundle, reference: Reference | None) -> Iterator[Check]:
    """Signatures, hashes and counts."""
    receipt = bundle.material.receipt
    place = (receipt.session, receipt.index) == (bundle.session, bundle.index)
    yield Check("place", place, "" if place else "the receipt is of another answer than the file says")
    signed = proof.verify_signature(
        bundle.worker, bundle.receipt_signature, "receipt", bundle.genesis_hash, receipt.encode()
    )
    yield Check("receipt_signature", signed, "" if signed else f"not by the worker {bundle.worker.hex()}")
    tokenizer = None if reference is None else reference.tokenizer
    standard = Standard(bundle.requester, bundle.genesis_hash, bundle.spec, tokenizer)
    yield from check_material(bundle.material, standard)


def _leaf_checks(bundle: Bundle, seed: bytes) -> Iterator[Check]:
    """The leaves are those of the transcript, and each token follows from its leaf."""
    if bundle.leaves is None:
        yield Check("transcript_root", None, "the file has no leaves")
        return
    leaves, receipt, tokens = bundle.leaves, bundle.material.receipt, bundle.material.tokens
    whole = len(leaves) == receipt.n_out and _in_order(leaves)
    yield Check(
        "positions",
        whole,
        "" if whole else f"{len(leaves)} leaves are not one for each of {receipt.n_out} tokens",
    )
    same = whole and proof.transcript_root(leaves) == receipt.transcript_root
    yield Check(
        "transcript_root", same, "" if same else "the leaves are not those that the receipt commits to"
    )
    other = [leaf.position for leaf, token in zip(leaves, tokens, strict=False) if leaf.token != token]
    yield Check("leaf_tokens", not other, _places("the leaf names another token than was delivered", other))
    odd = [leaf.position for leaf in leaves if not _consistent(leaf, bundle, seed)]
    yield Check("self_consistency", not odd, _places("the token does not follow from the leaf", odd))


def _in_order(leaves: tuple[Leaf, ...]) -> bool:
    return all(leaf.position == index for index, leaf in enumerate(leaves))


def _consistent(leaf: Leaf, bundle: Bundle, seed: bytes) -> bool:
    return proof.self_consistent(leaf, bundle.spec, seed, bundle.material.receipt.temperature)


def _places(fault: str, positions: list[int]) -> str:
    if not positions:
        return ""
    shown = ", ".join(map(str, positions[:8])) + (", ..." if len(positions) > 8 else "")
    return f"{fault} at position {shown}"


def _thresholds(bundle: Bundle) -> tuple[Calibration, str]:
    if bundle.calibration is not None:
        return bundle.calibration, "thresholds of the file"
    return floor_calibration(bundle.spec.numerics), "least thresholds of the numerics class"


def _judge(
    bundle: Bundle, reference: Reference | None, calibration: Calibration, seed: bytes
) -> tuple[Judgement | None, Check]:
    """The chain's judgement with this machine's reference; without one, a check that says why."""
    material, leaves = bundle.material, bundle.leaves
    if reference is None:
        return None, Check("reference", None, "the model is missing")
    if not leaves or len(leaves) != len(material.tokens) or not _in_order(leaves):
        return None, Check("reference", None, "there is no leaf for every token")
    try:
        prompt = reference.tokenizer.encode_chat(material.request.messages)
        own = tuple(reference.leaves(prompt, material.tokens, range(len(material.tokens)), seed))
    except (PromptError, ReferenceFailed) as error:
        return None, Check("reference", None, str(error))
    # The chain asks for a quorum of two; two validators with this one reference would agree on it.
    panel = [proof.Reference(bytes([number]) * 32, own) for number in (1, 2)]
    judgement = proof.judge(leaves, panel, calibration, bundle.spec, seed, material.receipt.temperature)
    return judgement, Check("reference", True)


def judgement_checks(judgement: Judgement) -> Iterator[Check]:
    """What the chain would say of distances and tokens."""
    far = judgement.sprt is proof.Sprt.FAILED
    yield Check("reference", not far, "the leaves are too far from the reference" if far else "")
    # All of a short answer is drawn; of a longer one, what no draw was asked for has to outweigh all the rest.
    short = len(judgement.positions) <= MAX_POSITIONS
    missed = judgement.margin_evidence >= (MARGIN_FAIL if short else EVIDENCE_MAX)
    yield Check(
        "margin", not missed, "too many tokens are not what the reference would sample" if missed else ""
    )
