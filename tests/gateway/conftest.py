from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from llmnet.chain import Keypair
from llmnet.gateway import Patience, Requester

from .fakes import FakeLedger, FakeWorker

QUICK = Patience(seconds=3.0, first=0.005, most=0.02)
REQUESTER = Keypair.from_uri("//Requester1")
WORKER = Keypair.from_uri("//Worker1")


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger(WORKER.public)


@pytest.fixture
def worker(ledger: FakeLedger) -> FakeWorker:
    return FakeWorker(WORKER, ledger)


Factory = Callable[[], Requester]


@pytest.fixture
async def make_requester(
    ledger: FakeLedger, worker: FakeWorker, tmp_path: Path
) -> AsyncIterator[Callable[..., Requester]]:
    made: list[Requester] = []

    def make(home: Path = tmp_path, patience: Patience = QUICK) -> Requester:
        made.append(Requester(ledger, REQUESTER, home, http=worker.client(), patience=patience))
        return made[-1]

    yield make
    for requester in made:
        await requester.close()


@pytest.fixture
async def requester(make_requester: Factory) -> Requester:
    return make_requester()
