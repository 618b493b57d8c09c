"""The store under several processes and kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llmnet.gateway.checks import Claimed
from llmnet.gateway.owners import Owner
from llmnet.gateway.store import State, Store, StoredRequest
from llmnet.proof import FinishReason, Message, Receipt, Request, Role, Voucher

SEED = bytes(32)
CHILD = """
import sys, time
from pathlib import Path
from llmnet.gateway.owners import Owner
from llmnet.gateway.store import Store
from llmnet.proof import Message, Request, Role
home, count, wait = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
owner = Owner(home / "owners")
store = Store(home / "s.sqlite", owner.name)
for _ in range(count):
    def sign(index):
        return Request(1, index, (Message.of(Role.USER, owner.name),), 0, 8), bytes(64)
    print(store.begin(bytes(32), sign).request.index, flush=True)
time.sleep(wait)
"""


def spawn(home: Path, count: int, wait: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home), str(count), str(wait)], stdout=subprocess.PIPE, text=True
    )


def draft(index: int) -> tuple[Request, bytes]:
    return Request(1, index, (Message.of(Role.USER, f"q{index}"),), 0, 8), bytes([index % 256]) * 64


def claimed(stored: StoredRequest, price: int) -> Claimed:
    request = stored.request
    receipt = Receipt(
        1, request.index, request.hash, 0, bytes(32), bytes(32), 1, 1, FinishReason.STOP, bytes(32)
    )
    return Claimed(receipt, bytes(64), (1,), price)


def test_processes_never_share_an_index(tmp_path: Path) -> None:
    children = [spawn(tmp_path, 20, 0) for _ in range(3)]
    indices = [int(line) for child in children for line in child.communicate(timeout=60)[0].split()]
    assert all(child.returncode == 0 for child in children)
    assert sorted(indices) == list(range(60))


def test_what_a_killed_process_began_is_taken_over_and_only_then(tmp_path: Path) -> None:
    child = spawn(tmp_path, 2, 60)
    assert child.stdout is not None
    assert [child.stdout.readline().strip() for _ in range(2)] == ["0", "1"]
    owner = Owner(tmp_path / "owners")
    store = Store(tmp_path / "s.sqlite", owner.name)
    try:
        assert store.take_over(SEED, owner.dead) == []
        os.kill(child.pid, signal.SIGKILL)
        child.wait(timeout=30)
        child.stdout.close()
        deadline = time.monotonic() + 10
        while not (taken := store.take_over(SEED, owner.dead)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [stored.request.index for stored in taken] == [0, 1]
        assert store.take_over(SEED, owner.dead) == []
        assert store.begin(SEED, draft).request.index == 2
    finally:
        store.close()
        owner.close()


def test_a_request_that_changed_hands_is_not_touched_by_the_old_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite", "me")
    old = store.begin(SEED, draft)
    request = replace(old.request, max_tokens=9)
    store.adopt(SEED, request, bytes(64))
    store.withdraw(old)
    store.accept(old, claimed(old, 5), "text")
    kept = store.request(SEED, 0)
    assert kept is not None and kept.request == request and kept.state is State.PENDING
    store.close()


class Accounts(RuleBasedStateMachine):
    """Vouchers never promise more than the accepted answers before the first gap, and never shrink."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / "s.sqlite", "me")
        self.pending: list[StoredRequest] = []
        self.prices: dict[int, int] = {}
        self.refused: set[int] = set()
        self.promised = Voucher(1, 0, 0)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule()
    def begin(self) -> None:
        taken = {stored.request.index for stored in self.pending} | set(self.prices) | self.refused
        stored = self.store.begin(SEED, draft)
        assert stored.request.index == next(index for index in range(len(taken) + 1) if index not in taken)
        self.pending.append(stored)

    @precondition(lambda self: self.pending)
    @rule(which=st.integers(0, 100), price=st.integers(0, 10**30))
    def accept(self, which: int, price: int) -> None:
        stored = self.pending.pop(which % len(self.pending))
        self.store.accept(stored, claimed(stored, price), "t")
        self.prices[stored.request.index] = price

    @precondition(lambda self: self.pending)
    @rule(which=st.integers(0, 100))
    def withdraw(self, which: int) -> None:
        self.store.withdraw(self.pending.pop(which % len(self.pending)))

    @precondition(lambda self: self.pending)
    @rule(which=st.integers(0, 100))
    def refuse(self, which: int) -> None:
        stored = self.pending.pop(which % len(self.pending))
        self.store.refuse(stored, "price: wrong", None, "t")
        self.refused.add(stored.request.index)

    @rule()
    def voucher(self) -> None:
        signed = self.store.next_voucher(SEED, 1, lambda voucher: bytes(64))
        count = next(index for index in range(len(self.prices) + 1) if index not in self.prices)
        if signed is None:
            assert count == 0
            return
        assert signed[0] == Voucher(1, sum(self.prices[index] for index in range(count)), count)
        assert signed[0].answers >= self.promised.answers
        self.promised = signed[0]

    @invariant()
    def usage_adds_up(self) -> None:
        usage = self.store.usage(SEED)
        assert (usage.answers, usage.spent, usage.pending) == (
            len(self.prices),
            sum(self.prices.values()),
            len(self.pending),
        )
        assert usage.promised == self.promised.amount
        assert (usage.broken is not None) == bool(self.refused)


Accounts.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestAccounts = Accounts.TestCase
