"""From scores to the table: how well each method tells each cheat at a false-positive rate that all share."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from llmnet.redteam.rivals.scores import HONEST, WINDOW, rivals
from llmnet.redteam.rivals.statistics import Judged

LEVELS = (0.01, 0.001)
"""False-positive rates at which the methods are compared."""


def compare(classes: Mapping[str, Any]) -> dict[str, Any]:
    """The content of comparison.json. Deterministic: the bootstrap's seeds are the names."""
    return {
        "window": WINDOW,
        "levels": list(LEVELS),
        "classes": {name: _class(name, entry) for name, entry in sorted(classes.items())},
    }


def _class(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    methods, rows = [], []
    order = {rival.name: place for place, rival in enumerate(rivals())}
    for method, found in sorted(entry["methods"].items(), key=lambda one: order.get(one[0], len(order))):
        scores = {variant: _read(values) for variant, values in found["scores"].items()}
        judged = Judged(scores.pop(HONEST), f"{name}/{method}")
        methods.append(_method(method, found, judged))
        rows += [_row(method, variant, values, found, judged) for variant, values in sorted(scores.items())]
    return {
        "fitted_on": entry["fitted_on"],
        "held_out": entry["held_out"],
        **({"timing": entry["timing"]} if "timing" in entry else {}),
        "methods": methods,
        "rows": rows,
    }


def _method(name: str, found: Mapping[str, Any], judged: Judged) -> dict[str, Any]:
    return {
        "name": name,
        "source": found["source"],
        "bytes_a_position": found["bytes_a_position"],
        "check_ms": found["check_ms"],
        "false_rate": {
            str(level): round(judged.false_rate(level), 5) for level in LEVELS if judged.supports(level)
        },
        "published_false": found["published"].get(HONEST),
    }


def _row(
    method: str, variant: str, scores: list[float], found: Mapping[str, Any], judged: Judged
) -> dict[str, Any]:
    detection = {}
    for level in LEVELS:
        caught = judged.detection(scores, level)
        detection[str(level)] = None if caught is None else caught.as_json()
    return {
        "method": method,
        "attack": variant,
        "answers": len(scores),
        "area": judged.area(scores).as_json(),
        "detection": detection,
        "published": found["published"].get(variant),
    }


def _read(values: list[float | None]) -> list[float]:
    return [inf if value is None else value for value in values]
