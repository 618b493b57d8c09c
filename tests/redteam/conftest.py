"""A tiny model that is attacked: its recordings are made once, in under a few seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from llmnet.engine import write_tiny_model
from llmnet.measure.observing import observe_all
from llmnet.proof import NumericsClass
from llmnet.redteam.campaign import bench, needed
from llmnet.redteam.cells import Bench
from llmnet.redteam.registry import chosen
from llmnet.redteam.shop import Shop
from llmnet.redteam.transcripts import record
from llmnet.redteam.trials import Effort
from llmnet.verifier.calibrate import Observed

ATTACKED = (
    *("honest", "int8", "int8_10pc", "skip_1", "cached", "cheap_int4", "cheap_int4_raw", "wrong_seed"),
    *("early_stop", "early_stop_laundered", "canned_laundered"),
    *(
        "zero",
        "constant",
        "random",
        "saturated",
        "other_position",
        "foreign_sketches",
        "foreign_leaves",
        "shuffled",
    ),
)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Eight answers of 12 tokens of the tiny model."""
    folder: Path = tmp_path_factory.mktemp("redteam")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    made = Shop(write_tiny_model(folder / "model"), NumericsClass.FP32, folder / "FP32", answers=8, tokens=12)
    for name in needed(chosen(ATTACKED)):
        record(made, name)
    yield made
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def observed(shop: Shop) -> Observed:
    """Its honest answers."""
    return observe_all(shop.file("baseline"), shop.spec, machine="a test", made_by="a test")


@pytest.fixture(scope="session")
def judged_with(shop: Shop, observed: Observed) -> Bench:
    """The thresholds that these give."""
    return replace(bench(shop, observed), effort=Effort(draws=2, workers=300, earners=40, answers=300))
