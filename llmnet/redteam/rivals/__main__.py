"""`python -m llmnet.redteam.rivals states|scores|table`: the comparison of methods, in steps that can each be cut off.

states              answers, honest and cheating, with both sides' hidden states: records what is missing
scores --out DIR    what each method says of them: comparison-scores.json.xz and comparison.json
table  --out DIR    comparison.json again, from the scores alone
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from llmnet.engine import Engine, EngineError, cache_dir, ensure_default_model, load_model_dir
from llmnet.measure import Job, MeasureError, Recording, jobs_for, prompts, record_honest
from llmnet.measure.plan import MOST_ANSWERS
from llmnet.proof import NumericsClass, ServiceSpec
from llmnet.redteam.errors import RedTeamError
from llmnet.redteam.rivals.comparing import compare
from llmnet.redteam.rivals.errors import NothingToCompare
from llmnet.redteam.rivals.preparing import prepare, timing
from llmnet.redteam.rivals.scores import (
    HONEST,
    Answer,
    answers,
    class_scores,
    read_scores,
    stateless,
    write_scores,
)
from llmnet.redteam.rivals.states import ReferenceStates
from llmnet.redteam.shop import Shop
from llmnet.redteam.transcripts import Transcript, find, record
from llmnet.verifier.errors import VerifierError

COMPARED = (
    "int8",
    "int4",
    "fp8",
    "fp8_kv",
    "skip_1",
    "small",
    "tuned_1pc",
    "one_edited",
    "cheap_int8",
    "cheap_int4",
    "seed_1",
    "hotter",
)
"""Attacks whose answers the methods are asked about, where they are recorded."""
SCORES, TABLE, TIMING = "comparison-scores.json.xz", "comparison.json", "timing.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: 1 if there is nothing to compare, or a file is absent or damaged."""
    given = _parser().parse_args(arguments)
    try:
        if given.step == "table":
            _table(given.out, read_scores(given.out / SCORES))
            return 0
        files = load_model_dir(given.model) if given.model else ensure_default_model()
        for name in given.numerics or [numerics.name for numerics in NumericsClass]:
            shop = Shop(files, NumericsClass[name], given.recordings / name)
            if given.step == "states":
                _states(shop, given.honest, given.cheats)
            else:
                _scores(shop, given.out, given.honest)
    except (RedTeamError, MeasureError, EngineError, VerifierError, OSError) as error:
        _say(f"rivals: {error}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m llmnet.redteam.rivals",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(dest="step", required=True)
    states = steps.add_parser("states", help="answers with hidden states")
    states.add_argument("--cheats", type=int, default=32, help="how many answers of each attack (32)")
    scores = steps.add_parser("scores", help="what each method says of them")
    for step in (states, scores):
        step.add_argument("--honest", type=int, default=450, help="how many honest answers (450)")
        step.add_argument(
            "--numerics",
            action="append",
            choices=[numerics.name for numerics in NumericsClass],
            help="several times for several (all)",
        )
        where = "what is recorded, one folder a class (recordings in the cache)"
        step.add_argument("--recordings", type=Path, default=cache_dir() / "recordings", help=where)
        step.add_argument("--model", type=Path, help="a model directory (the default model)")
    for step in (scores, steps.add_parser("table", help="the table, from scores alone")):
        step.add_argument("--out", type=Path, required=True, help="the folder of the results")
    return parser


def _states(shop: Shop, honest: int, cheats: int) -> None:
    """Records what is missing of a class, and computes the hidden states."""
    shop.answers = cheats
    folder, reference = shop.folder, ReferenceStates(shop.files, shop.spec)
    if not (folder / TIMING).exists():
        engine = Engine(shop.files, shop.spec, model=shop.honest, max_batch=16)
        measured = timing(engine, shop.reference, jobs_for(prompts(32), shop.tokenizer))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / TIMING).write_text(json.dumps(measured))
    asked = min(MOST_ANSWERS, honest + honest // 4 + 1)  # some are shorter than what is looked at
    path = folder / f"{HONEST}.jsonl"
    record_honest(path, shop.files, shop.spec, asked, long=0, deep=0, progress=partial(_progress, path))
    count = prepare(folder, HONEST, shop.honest, reference, honest)
    _say(f"{shop.numerics.name}: {count} honest answers")
    for name in COMPARED:
        transcript = find(name)
        record(shop, name)
        reads = partial(_read, transcript=transcript)
        count = prepare(folder, name, shop.model(transcript.model), reference, cheats, reads)
        _say(f"{shop.numerics.name}: {count} answers of {name}")


def _read(recording: Recording, transcript: Transcript) -> Sequence[int]:
    """The prompt that the worker read."""
    job = Job(
        recording.id,
        recording.prompt_ids,
        recording.request_seed,
        recording.temperature,
        len(recording.leaves),
    )
    return transcript.reads(job).prompt_ids


def _scores(shop: Shop, out: Path, honest: int) -> None:
    """Scores of one class, beside those of other classes that are there. Raises NothingToCompare, BadScores."""
    classes = read_scores(out / SCORES) if (out / SCORES).exists() else {}
    found = _found(shop.folder, shop.spec, honest)
    if HONEST not in found:
        raise NothingToCompare(
            f"{shop.folder} has no honest answers: `python -m llmnet.redteam.rivals states` records them, --numerics chooses classes"
        )
    entry = class_scores(found)
    if (shop.folder / TIMING).exists():
        entry["timing"] = json.loads((shop.folder / TIMING).read_text())
    classes[shop.numerics.name] = entry
    _say(f"{shop.numerics.name}: {entry['held_out']} honest answers, {len(found) - 1} attacks")
    out.mkdir(parents=True, exist_ok=True)
    write_scores(out / SCORES, classes)
    _table(out, read_scores(out / SCORES))


def _found(folder: Path, spec: ServiceSpec, honest: int) -> dict[str, list[Answer]]:
    """What is recorded: with hidden states, or without if there are none of any attack."""
    names = [name for name in (HONEST, *COMPARED) if (folder / f"{name}.jsonl").exists()]
    ready = [name for name in names if (folder / f"{name}.states.jsonl").exists()]
    if HONEST in ready and len(ready) > 1:
        return {name: answers(folder, name, spec) for name in ready}
    return {name: stateless(folder, name, spec, honest) for name in names}


def _table(out: Path, classes: dict[str, Any]) -> None:
    (out / TABLE).write_text(json.dumps(compare(classes), indent=1) + "\n")


def _progress(path: Path, done: int, wanted: int) -> None:
    if done % 16 == 0 or done == wanted:
        _say(f"{path}: {done} of {wanted}")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
