"""A campaign: attacks of one class recorded, judged, and written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmnet.measure import Recording
from llmnet.measure.running import Progress
from llmnet.proof import Calibration, NumericsClass
from llmnet.redteam.attack import Attack
from llmnet.redteam.careers import AUDITS, Pool, careers
from llmnet.redteam.cells import Bench, Cell, judge_attack
from llmnet.redteam.errors import BadCells, MissingRecordings
from llmnet.redteam.registry import ATTACKS
from llmnet.redteam.shop import Shop
from llmnet.redteam.transcripts import record
from llmnet.verifier.calibrate import Observed, Rate, every_audit, fit, load, measured_row

Tell = Callable[[str], None]
COMMAND = "llmnet redteam run all --numerics {name} --write"
FIELDS = ("attack", "family", "class", "expected", "seen", "as_expected", "fail", "value", "covered")


def slug(numerics: NumericsClass) -> str:
    """A class in file names."""
    return numerics.name.lower()


def results_file(folder: Path, numerics: NumericsClass) -> Path:
    """Where the cells of a class are."""
    return folder / f"redteam-{slug(numerics)}.json"


def honest_file(folder: Path, numerics: NumericsClass) -> Path:
    """Where the honest answers of a class are."""
    return folder / f"honest-{slug(numerics)}.jsonl.xz"


def bench(shop: Shop, observed: Observed) -> Bench:
    """Thresholds and honest audits of a class: the row that comes with the package, else one fitted on these answers."""
    if observed.spec_id != shop.spec.id:
        raise MissingRecordings(
            f"the honest answers are of {observed.model} in {observed.numerics.name}, not of what is attacked"
        )
    row = measured_row(shop.spec.id) or fit(observed.answers, shop.numerics)
    return Bench(shop.spec, row, every_audit(observed.answers, row), shop.tokenizer.decode)


def honest_answers(shop: Shop, folder: Path) -> Observed:
    """Raises MissingRecordings if nobody has measured honest workers of this class."""
    path = honest_file(folder, shop.numerics)
    if not path.exists():
        raise MissingRecordings(
            f"{path} is not there: attacks are judged beside honest answers, `llmnet calibrate record` makes them"
        )
    return load(path)


def record_all(shop: Shop, attacks: Sequence[Attack], tell: Tell, progress: Progress | None = None) -> None:
    """Record what is missing of all transcripts that these attacks need."""
    for name in needed(attacks):
        tell(f"{shop.numerics.name}: {name}")
        record(shop, name, progress)


def needed(attacks: Sequence[Attack]) -> list[str]:
    """Transcripts, each once."""
    return list(dict.fromkeys(name for attack in attacks for name in attack.transcripts))


def judge_all(shop: Shop, attacks: Sequence[Attack], judged_with: Bench, tell: Tell) -> list[Cell]:
    """The cells of attacks whose transcripts are recorded. Raises MissingRecordings."""
    recordings: dict[str, list[Recording]] = {name: shop.recorded(name) for name in needed(attacks)}
    cells = []
    for attack in attacks:
        if shop.numerics not in attack.classes:
            continue
        cells.append(judge_attack(attack, judged_with, recordings))
        tell(f"{shop.numerics.name}: {attack.name}: {cells[-1].seen.value}")
    return cells


def summary(shop: Shop, judged_with: Bench, observed: Observed, cells: Sequence[Cell]) -> dict[str, Any]:
    """What the file of a class holds."""
    honest = Pool.of(judged_with.honest)
    workers = judged_with.effort.workers
    slashed = round(careers(honest, honest, 0.0, workers=workers).within(AUDITS) * workers)
    return {
        "class": shop.numerics.name,
        "model": shop.spec.name.decode(errors="replace"),
        "spec": "0x" + shop.spec.id.hex(),
        "command": COMMAND.format(name=shop.numerics.name.lower()),
        "machine": observed.machine,
        "calibration": asdict(judged_with.row),
        "calibrated_on": {"answers": len(observed.answers), "positions": observed.positions},
        "honest": {
            "fail": rate_json(judged_with.honest_fails),
            f"slash_{AUDITS}_audits": rate_json(Rate(slashed, workers)),
        },
        "cells": [cell.as_json() for cell in cells],
    }


def rate_json(rate: Rate) -> dict[str, float]:
    """As in cells."""
    return {"k": rate.hits, "n": rate.trials, "low": round(rate.low, 5), "high": round(rate.high, 5)}


def write(path: Path, value: Mapping[str, Any]) -> None:
    """A line a cell: differences stay readable."""
    head = {key: found for key, found in value.items() if key != "cells"}
    lines = ",\n".join("  " + json.dumps(cell) for cell in value["cells"])
    text = json.dumps(head, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{text[:-2]},\n "cells": [\n{lines}\n ]\n}}\n')


def read(path: Path) -> dict[str, Any]:
    """Raises BadCells, OSError."""
    try:
        value: dict[str, Any] = json.loads(path.read_text())
        Calibration(**value["calibration"])
        NumericsClass[value["class"]]
        for cell in value["cells"]:
            missing = [name for name in FIELDS if name not in cell]
            if missing:
                raise BadCells(f"{path}: a cell has no {', '.join(missing)}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadCells(f"{path} holds no cells: {error!r}; make it anew with `llmnet redteam run`") from error
    return value


def merged(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """The new file, with the old cells of attacks that were not run again, in the registry's order."""
    if old is None or old["spec"] != new["spec"] or old["calibration"] != new["calibration"]:
        return dict(new)
    cells = {cell["attack"]: cell for cell in (*old["cells"], *new["cells"])}
    return {**new, "cells": [cells[name] for name in ATTACKS if name in cells]}
