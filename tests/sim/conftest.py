"""Evidence written by hand, far enough apart that what follows is not a matter of luck."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmnet.proof import Calibration
from llmnet.sim import UNIT, Plan, Position, Recorded, Terms

WASM = Path(__file__).parents[2] / "runtime_spec" / "artifacts" / "llmnet_runtime.compact.compressed.wasm"
TOKENS = 24
NEAR, FAR = Position(1, 1, False), Position(40, 40, False)
WRONG = Position(1, 1, True)


@pytest.fixture(scope="session")
def recorded() -> Recorded:
    return Recorded(
        Calibration(9, 18, 9, 18, 1311, 1_000, 1 << 30),
        {
            "honest": ((NEAR,) * TOKENS,),
            "other_model": ((FAR,) * TOKENS,),
            "cheap_decode": ((NEAR, NEAR, NEAR, WRONG) * (TOKENS // 4),),
        },
        {"honest": 0.0, "other_model": 0.9, "cheap_decode": 0.5},
    )


@pytest.fixture(scope="session")
def plan(recorded: Recorded) -> Plan:
    return Plan(WASM, Terms(recorded, UNIT // 100, TOKENS), answers=60, seeds=(1,))
