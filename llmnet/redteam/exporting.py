"""Recorded evidence for the simulation: what an audit would see of honest answers and of a few kinds of cheating."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmnet.measure import Recording, observe
from llmnet.proof import Calibration
from llmnet.redteam.attack import Source
from llmnet.redteam.campaign import needed, slug
from llmnet.redteam.cells import Bench
from llmnet.redteam.registry import chosen
from llmnet.redteam.shop import Shop
from llmnet.verifier.calibrate import Observation, Observed, positions_of

KINDS = (
    *("int8", "int4", "fp8", "fp8_kv", "skip_1", "small_model", "every_tenth", "one_edited"),
    *("cheap_int8", "cheap_small", "wrong_seed", "canned", "early_stop", "speculated"),
)
HONEST = 300
"""So many honest answers: one in a hundred is to be seen."""
Answer = list[list[int]]


def document(shop: Shop, judged_with: Bench, observed: Observed) -> dict[str, Any]:
    """As `llmnet.sim.load` reads it. Kinds whose transcripts are not recorded are left out."""
    kinds: dict[str, Any] = {
        "honest": {
            "saves": 0.0,
            "answers": [_replayed(observed.answers[place], judged_with.row) for place in _some(observed)],
        }
    }
    for attack in chosen(KINDS):
        recordings: Mapping[str, Sequence[Recording]] = {
            name: shop.recorded(name) for name in needed([attack])
        }
        if not all(recordings.values()):
            continue
        sold = attack.answers(Source(shop.spec, recordings))
        kinds[attack.name] = {
            "saves": round(attack.saves.of(shop.numerics), 4),
            "answers": [_replayed(observe(recording, shop.spec), judged_with.row) for recording in sold],
        }
    row = judged_with.row
    return {"calibration": {name: getattr(row, name) for name in row.__slots__}, "kinds": kinds}


def evidence_file(folder: Path, shop: Shop) -> Path:
    """Where it is kept."""
    return folder / f"evidence-{slug(shop.numerics)}.json"


def write_evidence(path: Path, value: Mapping[str, Any]) -> None:
    """A line an answer's kind would be long; a line a kind is enough."""
    kinds = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(kind, separators=(',', ':'))}"
        for name, kind in value["kinds"].items()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'{{\n "calibration": {json.dumps(value["calibration"])},\n "kinds": {{\n{kinds}\n }}\n}}\n'
    )


def _some(observed: Observed) -> range:
    """Evenly over all of them."""
    return range(0, len(observed.answers), max(1, -(-len(observed.answers) // HONEST)))


def _replayed(answer: Observation, row: Calibration) -> Answer:
    return [[logit, hidden, int(missed)] for logit, hidden, missed in positions_of(answer, row)]
