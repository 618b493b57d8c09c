"""What cheating workers sold, recorded once for each class: every attack is made of one or a few of these.

A transcript says how leaves come about; recording adds the reference and appends to a file, so that it can be cut off
and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from llmnet.engine import Engine
from llmnet.engine.variants import ChoosingEngine, SpeculatingEngine
from llmnet.engine.variants.tokens import Accept, Choose
from llmnet.measure import Job, answer
from llmnet.measure.running import Maker, Progress, fill
from llmnet.proof import Leaf
from llmnet.redteam import tokens
from llmnet.redteam.corrected import by_descent, by_regression
from llmnet.redteam.errors import UnknownAttack
from llmnet.redteam.lengths import LONGER
from llmnet.redteam.shop import Shop

CANNED = (
    "I am sorry, but as an AI language model I cannot help with that request. Please ask me another question."
)


def _as_asked(job: Job) -> Job:
    return job


@dataclass(frozen=True)
class Transcript:
    """`open(shop)` loads what is needed and gives the function that answers jobs. `needs` are recorded before.

    `model` and `reads`: whose run the leaves show, and what it was asked. Answers are `longer` times as long as others.
    """

    name: str
    open: Callable[[Shop], Maker]
    temperature: int = 256
    needs: tuple[str, ...] = ()
    model: str = "honest"
    reads: Callable[[Job], Job] = _as_asked
    longer: int = 1


def record(shop: Shop, name: str, progress: Progress | None = None) -> None:
    """Answer what the transcript's file does not hold yet. Raises UnknownAttack, ReferenceFailed, NumericsError."""
    transcript = find(name)
    for other in transcript.needs:
        record(shop, other, progress)
    jobs, file = shop.jobs(transcript.temperature, longer=transcript.longer), shop.file(name)
    fill(file, shop.reference, jobs, lambda: transcript.open(shop), progress)


def find(name: str) -> Transcript:
    """Raises UnknownAttack."""
    if name not in TRANSCRIPTS:
        raise UnknownAttack(f"there is no transcript {name!r}, only {', '.join(TRANSCRIPTS)}")
    return TRANSCRIPTS[name]


def _model(name: str, *, temperature: int = 256, called: str = "", longer: int = 1) -> Transcript:
    """Another model's tokens and leaves."""

    def open_(shop: Shop) -> Maker:
        engine = shop.engine(name)
        return lambda jobs: answer(engine, jobs)

    return Transcript(called or name, open_, temperature, model=name, longer=longer)


def _asked(name: str, change: Callable[[Job], Job]) -> Transcript:
    """The promised model that reads something else than what it was asked."""

    def open_(shop: Shop) -> Maker:
        engine = shop.engine()
        return lambda jobs: answer(engine, [change(job) for job in jobs])

    return Transcript(name, open_, reads=change)


def _chosen(
    name: str, choose: Callable[[Shop], Choose], *, temperature: int = 256, longer: int = 1
) -> Transcript:
    """The promised model's leaves under other tokens than it would have drawn."""

    def open_(shop: Shop) -> Maker:
        engine = ChoosingEngine(shop.files, shop.spec, model=shop.honest, choose=choose(shop), **shop.sizes)
        return lambda jobs: answer(engine, jobs)

    return Transcript(name, open_, temperature, longer=longer)


def _speculated(name: str, draft: str, accept: Accept) -> Transcript:
    def open_(shop: Shop) -> Maker:
        engine = SpeculatingEngine(
            shop.files, shop.spec, model=shop.honest, draft=shop.engine(draft), accept=accept, **shop.sizes
        )
        return lambda jobs: answer(engine, jobs)

    return Transcript(name, open_)


def _rescored(name: str, source: str, *, temperature: int = 256, longer: int = 1) -> Transcript:
    """The tokens of another transcript under the leaves that the promised model gives them in one prefill."""

    def open_(shop: Shop) -> Maker:
        engine = shop.engine()
        sold = {recording.id: recording.tokens for recording in shop.file(source)}
        return lambda jobs: {job.id: _scored(engine, job, sold[job.id]) for job in jobs}

    return Transcript(name, open_, temperature, needs=(source,), longer=longer)


def _scored(engine: Engine, job: Job, sold: Sequence[int]) -> tuple[Leaf, ...]:
    return tuple(engine.score(job.prompt_ids, sold, job.request_seed))


def _second_half(job: Job) -> Job:
    """A window that the beginning of the prompt has left."""
    return replace(job, prompt_ids=job.prompt_ids[len(job.prompt_ids) // 2 :])


def _without_system(job: Job) -> Job:
    """From the second turn on: the first token begins every turn."""
    turns = [place for place, token in enumerate(job.prompt_ids) if token == job.prompt_ids[0]]
    return replace(job, prompt_ids=job.prompt_ids[turns[1] if len(turns) > 1 else 0 :])


def _one_edited(job: Job) -> Job:
    """One token in the last third, where the question is, is its neighbour's copy."""
    place = len(job.prompt_ids) * 2 // 3
    edited = (*job.prompt_ids[:place], job.prompt_ids[place - 1], *job.prompt_ids[place + 1 :])
    return replace(job, prompt_ids=edited)


def _old_seed(job: Job) -> Job:
    """The same question in an earlier session."""
    return replace(job, request_seed=tokens.another_seed(job.request_seed))


def _end(shop: Shop) -> int:
    return min(shop.tokenizer.eos_ids)


def _early(shop: Shop) -> Choose:
    return tokens.stop_at(shop.tokens // 2, _end(shop))


def _canned(shop: Shop) -> Choose:
    return tokens.recite(tuple(shop.tokenizer.encode(CANNED)))


def _endless(shop: Shop) -> Choose:
    return tokens.never_stop(shop.tokenizer.eos_ids)


def _always(choose: Choose) -> Callable[[Shop], Choose]:
    return lambda _: choose


_OWN = [
    _model("honest", called="baseline"),
    *(_model(name) for name in ("int8", "int4", "fp8", "w8a8", "fp8_kv", "small", "every_tenth")),
    *(_model(name) for name in ("skip_1", "skip_3", "skip_8", "early_exit", "tuned_1pc", "tuned_10pc")),
    _model("honest", temperature=0, called="baseline_greedy"),
    _model("int8", temperature=0, called="int8_greedy"),
    _model("honest", called="baseline_long", longer=LONGER),
    _model("fp8", called="fp8_long", longer=LONGER),
]
_READ = [
    _asked("truncated", _second_half),
    _asked("no_system", _without_system),
    _asked("one_edited", _one_edited),
    _asked("cached", _old_seed),
]
_CHOSEN = [
    *(_chosen(f"seed_{number}", _always(tokens.other_seed(number))) for number in (1, 2, 3)),
    _chosen("hotter", _always(tokens.other_temperature(26))),
    _chosen("colder", _always(tokens.other_temperature(-26))),
    *(_chosen(f"greedy_{share}", _always(tokens.greedy_sometimes(share))) for share in (10, 50, 100)),
    _chosen("second_best", _always(tokens.second_best)),
    _chosen("early_stop", _early),
    _chosen("padded", _endless),
    _chosen("padded_long", _endless, longer=LONGER),
    _chosen("canned", _canned),
    _speculated("speculated", "int4", tokens.decent),
]
_SCORED = [
    *(_rescored(f"cheap_{name}", name) for name in ("int8", "fp8", "int4", "small")),
    _rescored("cheap_int8_greedy", "int8_greedy", temperature=0),
    _rescored("cheap_fp8_long", "fp8_long", longer=LONGER),
    Transcript("by_regression", by_regression("int8"), needs=("int8",)),
    Transcript("by_descent", by_descent("int8", "fp8"), needs=("int8",)),
]
TRANSCRIPTS: Mapping[str, Transcript] = {
    transcript.name: transcript for transcript in (*_OWN, *_READ, *_CHOSEN, *_SCORED)
}
