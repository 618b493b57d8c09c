"""The runtime that is attacked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmnet.devnode import runtime_artifact
from llmnet.redteam.protocol import Setting
from llmnet.redteam.protocol.setting import observed_in

HONEST = Path(__file__).parents[3] / "docs" / "verification-data"


@pytest.fixture(scope="session")
def setting() -> Setting:
    """Each attack as seldom as makes sense."""
    full = os.environ.get("LLMNET_REDTEAM") == "full"
    honest, again = (observed_in(HONEST, kind) if full else () for kind in ("honest", "again"))
    return Setting(runtime_artifact(), honest=honest, again=again)
