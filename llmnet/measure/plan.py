"""What honest workers are asked when a class is measured: temperatures mixed, most answers short, some not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from llmnet.engine import Engine, ModelFiles, Tokenizer
from llmnet.measure.prompts import Prompt, prompts
from llmnet.measure.recording import RecordingFile
from llmnet.measure.running import Job, Progress, jobs_for, record
from llmnet.proof import ServiceSpec, domain_hash
from llmnet.verifier.reference import Reference

MAX_TOKENS = 16
LONG_TOKENS = 128
DEEP_MESSAGES = 26
"""So many prompts make one of 500 and more tokens."""
MOST_ANSWERS = 2280
MOST_DEEP = MOST_ANSWERS // DEEP_MESSAGES
# Of 16 answers: at temperature one, greedy, at 0.7 and at 1.5.
_TEMPERATURES = (256,) * 10 + (0,) * 2 + (179,) * 2 + (384,) * 2
_SEED = 7


def honest_jobs(tokenizer: Tokenizer, answers: int, *, long: int = 24, deep: int = 24) -> list[Job]:
    """`answers` distinct prompts with short answers, then `long` of them with answers of 128 tokens, then `deep`
    conversations of 500 and more tokens: the same on every machine, a longer list of the first kind begins with a shorter.

    Raises ValueError for more answers than there are prompts.
    """
    chosen = prompts(answers, seed=_SEED)
    short = jobs_for(chosen, tokenizer, max_tokens=MAX_TOKENS)
    lengthy = jobs_for(_named("long", chosen[:long]), tokenizer, max_tokens=LONG_TOKENS)
    talks = jobs_for(_conversations(deep), tokenizer, max_tokens=MAX_TOKENS)
    return [replace(job, temperature=temperature_of(job.id)) for job in (*short, *lengthy, *talks)]


def record_honest(
    path: Path,
    files: ModelFiles,
    spec: ServiceSpec,
    answers: int,
    *,
    long: int = 24,
    deep: int = 24,
    device: str = "cpu",
    progress: Progress | None = None,
) -> RecordingFile:
    """Answers of this machine's honest engine beside its reference, resumable. Raises BadRecording, EngineError, VerifierError."""

    def asked(tokenizer: Tokenizer) -> list[Job]:
        return honest_jobs(tokenizer, answers, long=long, deep=deep)

    return _record(path, files, spec, asked, device, progress)


def _record(
    path: Path,
    files: ModelFiles,
    spec: ServiceSpec,
    asked: Callable[[Tokenizer], list[Job]],
    device: str,
    progress: Progress | None,
) -> RecordingFile:
    RecordingFile(path, spec)  # a file of another spec is refused before anything is loaded
    engine = Engine(files, spec, device=device)
    return record(path, engine, Reference(files, spec), asked(engine.tokenizer), progress)


AGAIN = "~"
"""Between the id of an answer and the round in which the same was asked again."""


def jobs_again(jobs: Iterable[Job], ids: Sequence[str], rounds: int) -> list[Job]:
    """What was asked under these ids asked again, round by round, each time with another request seed.

    Raises ValueError for an id that none of the jobs has.
    """
    known = {job.id: job for job in jobs}
    if missing := [one for one in ids if one not in known]:
        raise ValueError(f"no prompt is called {', '.join(missing[:3])}")
    return [_again(known[one], number) for number in range(rounds) for one in ids]


def _again(job: Job, number: int) -> Job:
    name = f"{job.id}{AGAIN}{number}"
    return replace(job, id=name, request_seed=domain_hash("seed", f"measure/{name}".encode()))


def record_again(
    path: Path,
    files: ModelFiles,
    spec: ServiceSpec,
    ids: Sequence[str],
    rounds: int,
    *,
    device: str = "cpu",
    progress: Progress | None = None,
) -> RecordingFile:
    """As `record_honest`, of what was asked under these ids there. Raises ValueError for another id."""

    def asked(tokenizer: Tokenizer) -> list[Job]:
        return jobs_again(honest_jobs(tokenizer, MOST_ANSWERS), ids, rounds)

    return _record(path, files, spec, asked, device, progress)


def temperature_of(prompt_id: str) -> int:
    """The temperature at which a prompt is asked, in 1/256."""
    return _TEMPERATURES[domain_hash("seed", f"temperature/{prompt_id}".encode())[0] % len(_TEMPERATURES)]


def _named(kind: str, chosen: Sequence[Prompt]) -> list[Prompt]:
    return [Prompt(f"{kind}/{prompt.id}", prompt.messages) for prompt in chosen]


def _conversations(count: int) -> list[Prompt]:
    """Each made of the messages of several prompts, in an order that no other list has."""
    talk = prompts(count * DEEP_MESSAGES, seed=_SEED + 1)
    groups = [talk[start : start + DEEP_MESSAGES] for start in range(0, len(talk), DEEP_MESSAGES)]
    return [
        Prompt(f"deep/{number}", tuple(message for prompt in group for message in prompt.messages))
        for number, group in enumerate(groups)
    ]
