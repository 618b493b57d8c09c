"""Runs an engine over many prompts, and the reference over what it answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmnet.engine import Engine, GenerationRequest, Tokenizer
from llmnet.measure.prompts import Prompt
from llmnet.measure.recording import Recording, RecordingFile
from llmnet.proof import Leaf, domain_hash
from llmnet.verifier.reference import Reference

AT_ONCE = 16
Progress = Callable[[int, int], None]
"""Called with how many are recorded and how many there will be."""
Answers = dict[str, tuple[Leaf, ...]]
Maker = Callable[[Sequence["Job"]], Answers]
"""Answers some jobs."""


@dataclass(frozen=True, slots=True)
class Job:
    """One answer to be made. `prompt_ids` is what was asked; temperature in 1/256."""

    id: str
    prompt_ids: tuple[int, ...]
    request_seed: bytes
    temperature: int
    max_tokens: int


def jobs_for(
    prompts: Iterable[Prompt], tokenizer: Tokenizer, *, temperature: int = 256, max_tokens: int = 16
) -> list[Job]:
    """A job a prompt, its seed derived from the prompt's id."""
    return [
        Job(
            prompt.id,
            tuple(tokenizer.encode_chat(list(prompt.messages))),
            domain_hash("seed", f"measure/{prompt.id}".encode()),
            temperature,
            max_tokens,
        )
        for prompt in prompts
    ]


def answer(engine: Engine, jobs: Sequence[Job]) -> Answers:
    """The leaves of all answers, by job. Raises NumericsError or RequestError of the first that fails."""
    found: dict[str, list[Leaf]] = {job.id: [] for job in jobs}
    for job in jobs:
        engine.add(
            GenerationRequest(job.id, job.prompt_ids, job.temperature, job.max_tokens, job.request_seed)
        )
    while len(engine):
        for output in engine.step():
            if output.error is not None:
                raise output.error
            if output.leaf is not None:
                found[output.request_id].append(output.leaf)
    return {job_id: tuple(leaves) for job_id, leaves in found.items()}


def record(
    path: Path, engine: Engine, reference: Reference, jobs: Sequence[Job], progress: Progress | None = None
) -> RecordingFile:
    """Answer with one engine what the file does not hold yet; see `fill`."""
    file = RecordingFile(path, reference.spec)
    fill(file, reference, jobs, lambda: lambda group: answer(engine, group), progress)
    return file


def fill(
    file: RecordingFile,
    reference: Reference,
    jobs: Sequence[Job],
    open_maker: Callable[[], Maker],
    progress: Progress | None = None,
) -> None:
    """Answer what the file does not hold yet, and append it with its reference: can be cut off and run again.

    `open_maker` loads what answers the jobs; it is called only if one is missing. Raises BadRecording for a file of
    another spec, or a damaged one.
    """
    done = file.ids()
    left = [job for job in jobs if job.id not in done]
    if not left:
        return
    make = open_maker()
    for start in range(0, len(left), AT_ONCE):
        group = left[start : start + AT_ONCE]
        answers = make(group)
        for number, job in enumerate(group, start=1):
            file.append(with_reference(reference, job, answers[job.id]))
            if progress is not None:
                progress(len(jobs) - len(left) + start + number, len(jobs))


def with_reference(reference: Reference, job: Job, leaves: tuple[Leaf, ...]) -> Recording:
    """The recording of an answer whose delivered tokens are those of its leaves. Raises ReferenceFailed."""
    tokens = [leaf.token for leaf in leaves]
    own = reference.leaves(job.prompt_ids, tokens, range(len(tokens)), job.request_seed)
    return Recording(job.id, job.prompt_ids, job.request_seed, job.temperature, leaves, tuple(own))
