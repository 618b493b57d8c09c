"""Honest answers of this machine against its own reference: a first calibration of a spec."""

from __future__ import annotations

from llmnet import proof
from llmnet.engine import Engine, GenerationRequest, ModelFiles
from llmnet.proof import Leaf, Message, Role, ServiceSpec
from llmnet.verifier.calibrate import Distances, Sample, measure
from llmnet.verifier.reference import Reference

from .cast import questions

TEMPERATURE = 256  # one


def honest_samples(
    files: ModelFiles, spec: ServiceSpec, answers: int, max_tokens: int, seed: int
) -> list[Sample]:
    """Answers of our own engine to the demo's questions, with their leaves."""
    engine = Engine(files, spec, max_batch=8)
    prompts = [
        tuple(engine.tokenizer.encode_chat([Message.of(Role.USER, text)]))
        for text in questions(seed, answers, "calibration")
    ]
    seeds = [proof.domain_hash("seed", f"calibration/{seed}/{number}".encode()) for number in range(answers)]
    for number, prompt in enumerate(prompts):
        engine.add(GenerationRequest(str(number), prompt, TEMPERATURE, max_tokens, seeds[number]))
    leaves: list[list[Leaf]] = [[] for _ in range(answers)]
    while len(engine):
        for output in engine.step():
            if output.leaf is not None:
                leaves[int(output.request_id)].append(output.leaf)
    return [Sample(prompts[number], tuple(leaves[number]), seeds[number]) for number in range(answers)]


def measure_honest(
    files: ModelFiles, spec: ServiceSpec, *, answers: int = 8, max_tokens: int = 32, seed: int = 1
) -> Distances:
    """Distances of all positions of `answers` honest answers from the reference."""
    return measure(Reference(files, spec), honest_samples(files, spec, answers, max_tokens, seed))
