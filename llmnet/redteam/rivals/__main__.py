"""`python -m llmnet.redteam.rivals states|scores`: the comparison from recordings, in two steps that can each be cut off.

states --recordings DIR --numerics CLASS    hidden states of honest and cheating answers, beside the recordings
scores --recordings DIR --out DIR           comparison-scores.json.xz and comparison.json, of all classes found
table  --out DIR                            comparison.json again, from the scores alone
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from llmnet.engine import Engine, ensure_default_model
from llmnet.measure import Job, Recording, jobs_for, prompts
from llmnet.proof import NumericsClass, ServiceSpec
from llmnet.redteam.rivals.comparing import compare
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
from llmnet.redteam.transcripts import Transcript, find
from llmnet.verifier.reference import spec_of

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
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m llmnet.redteam.rivals", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    states = steps.add_parser("states")
    states.add_argument("--recordings", type=Path, required=True)
    states.add_argument("--numerics", choices=[numerics.name for numerics in NumericsClass], required=True)
    states.add_argument("--honest", type=int, default=600, help="how many honest answers")
    states.add_argument("--cheats", type=int, default=32, help="how many answers of each attack")
    scores = steps.add_parser("scores")
    scores.add_argument("--recordings", type=Path, required=True)
    scores.add_argument("--out", type=Path, required=True)
    scores.add_argument("--numerics", choices=[numerics.name for numerics in NumericsClass])
    scores.add_argument("--honest", type=int, default=450, help="how many honest answers without states")
    table = steps.add_parser("table")
    table.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.step == "states":
        _states(given.recordings / given.numerics, NumericsClass[given.numerics], given.honest, given.cheats)
    elif given.step == "scores":
        chosen = [NumericsClass[given.numerics]] if given.numerics else list(NumericsClass)
        _scores(given.recordings, given.out, chosen, given.honest)
    else:
        _table(given.out, read_scores(given.out / SCORES))
    return 0


def _states(folder: Path, numerics: NumericsClass, honest: int, cheats: int) -> None:
    shop = Shop(ensure_default_model(), numerics, folder)
    reference = ReferenceStates(shop.files, shop.spec)
    if not (folder / TIMING).exists():
        engine = Engine(shop.files, shop.spec, model=shop.honest, max_batch=16)
        measured = timing(engine, shop.reference, jobs_for(prompts(32), shop.tokenizer))
        (folder / TIMING).write_text(json.dumps(measured))
    count = prepare(folder, HONEST, shop.honest, reference, honest)
    _say(f"{numerics.name}: {count} honest answers")
    for name in COMPARED:
        if (folder / f"{name}.jsonl").exists():
            transcript = find(name)
            reads = partial(_read, transcript=transcript)
            count = prepare(folder, name, shop.model(transcript.model), reference, cheats, reads)
            _say(f"{numerics.name}: {count} answers of {name}")


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


def _scores(recordings: Path, out: Path, chosen: Sequence[NumericsClass], honest: int) -> None:
    files = ensure_default_model()
    classes = read_scores(out / SCORES) if (out / SCORES).exists() else {}
    for numerics in chosen:
        folder = recordings / numerics.name
        found = _found(folder, spec_of(files, numerics=numerics), honest)
        if HONEST not in found:
            continue
        entry = class_scores(found)
        if (folder / TIMING).exists():
            entry["timing"] = json.loads((folder / TIMING).read_text())
        classes[numerics.name] = entry
        _say(f"{numerics.name}: {entry['held_out']} honest answers, {len(found) - 1} attacks")
    out.mkdir(parents=True, exist_ok=True)
    write_scores(out / SCORES, classes)
    _table(out, classes)


def _found(folder: Path, spec: ServiceSpec, honest: int) -> dict[str, list[Answer]]:
    """What is recorded: with hidden states, or without if there are none of any attack."""
    names = [name for name in (HONEST, *COMPARED) if (folder / f"{name}.jsonl").exists()]
    ready = [name for name in names if (folder / f"{name}.states.jsonl").exists()]
    if HONEST in ready and len(ready) > 1:
        return {name: answers(folder, name, spec) for name in ready}
    return {name: stateless(folder, name, spec, honest) for name in names}


def _table(out: Path, classes: dict[str, Any]) -> None:
    (out / TABLE).write_text(json.dumps(compare(classes), indent=1) + "\n")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
