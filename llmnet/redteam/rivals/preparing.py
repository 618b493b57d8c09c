"""Computes the hidden states of recorded answers: resumable, since it takes a third of a second an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from llmnet.engine import Engine, LlamaModel
from llmnet.measure import Job, Recording, RecordingFile, answer
from llmnet.proof import quantise_lanes, sign_matrix, sketch_hidden
from llmnet.redteam.rivals.errors import RivalError
from llmnet.redteam.rivals.scores import WINDOW
from llmnet.redteam.rivals.states import ReferenceStates, worker_states
from llmnet.redteam.rivals.states_file import States, StatesFile
from llmnet.verifier.reference import Reference

Reads = Callable[[Recording], Sequence[int]]
"""The prompt that a worker really read."""


def promised(recording: Recording) -> Sequence[int]:
    """What was asked."""
    return recording.prompt_ids


def prepare(
    folder: Path,
    variant: str,
    model: LlamaModel,
    reference: ReferenceStates,
    limit: int,
    reads: Reads = promised,
    chosen: Callable[[str], bool] = lambda _: True,
) -> int:
    """States of the first `limit` answers of a variant that `chosen` likes, appended to its file; returns how many there are.

    `model` is the one whose run the worker shows. Answers shorter than WINDOW are left out. Raises RivalError if the recorded
    leaves are not that model's.
    """
    file = StatesFile(folder / f"{variant}.states.jsonl")
    done = {states.id for states in file}
    for recording in RecordingFile(folder / f"{variant}.jsonl"):
        if len(done) >= limit:
            break
        if recording.id in done or len(recording.leaves) < WINDOW or not chosen(recording.id):
            continue
        tokens = recording.tokens[:WINDOW]
        worker = worker_states(model, reads(recording), tokens)
        if not sketched(worker, recording, reference.spec.hidden_shift):
            raise RivalError(
                f"{variant}, answer {recording.id}: these states do not belong to the recorded leaves; "
                "give the model and the prompt that they were made with"
            )
        file.append(States(recording.id, worker, reference.states(recording.prompt_ids, tokens)))
        done.add(recording.id)
    return len(done)


def sketched(states: NDArray[np.float32], recording: Recording, shift: int) -> bool:
    """Whether the hidden sketches of the recorded leaves are those of the states, but for the last bit of a sum."""
    signs = sign_matrix(recording.request_seed, "HIDN", states.shape[1])
    pairs = zip(states, recording.leaves, strict=False)
    lanes = [(quantise_lanes(sketch_hidden(row, signs), shift), leaf.hidden_sketch) for row, leaf in pairs]
    return all(np.abs(found.astype(int) - np.array(leaf)).max() <= 1 for found, leaf in lanes)


def timing(engine: Engine, reference: Reference, jobs: Sequence[Job]) -> dict[str, float]:
    """Milliseconds an answer: decoding in one batch with leaves, and the verifier's run, which all methods share."""
    start = perf_counter()
    found = answer(engine, jobs)
    decoded = perf_counter()
    for job in jobs:
        tokens = [leaf.token for leaf in found[job.id]]
        reference.leaves(job.prompt_ids, tokens, range(len(tokens)), job.request_seed)
    ended = perf_counter()
    return {
        "answers": len(jobs),
        "decode_ms": round((decoded - start) / len(jobs) * 1000, 1),
        "verifier_ms": round((ended - decoded) / len(jobs) * 1000, 1),
    }
