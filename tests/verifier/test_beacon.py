"""The right share in the right block, each block of a round and each state of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet import proof
from llmnet.pallets.beacon import BeaconStatus
from llmnet.verifier.beacon import BeaconStep, beacon_call, next_step
from llmnet.verifier.store import Store

from .fakes import VALIDATOR

ME, OTHER = VALIDATOR.public, bytes(32)
COMMIT_BLOCKS = REVEAL_BLOCKS = 3
LENGTH = COMMIT_BLOCKS + REVEAL_BLOCKS


def status_at(
    block: int, committed: tuple[bytes, ...] = (), revealed: tuple[bytes, ...] = ()
) -> BeaconStatus:
    """What the chain says as of a block, as runtime_spec/pallets/beacon computes it."""
    round_, offset = divmod(block, LENGTH)
    committing = offset < COMMIT_BLOCKS
    end = round_ * LENGTH + (COMMIT_BLOCKS if committing else LENGTH)
    return BeaconStatus(round_, committing, end, committed, revealed)


def accepts(block: int, step: BeaconStep) -> bool:
    """Whether a transaction in that block is in time."""
    round_, offset = divmod(block, LENGTH)
    return (round_, offset >= COMMIT_BLOCKS) == (step.round, step.reveal)


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_what_is_sent_now_is_in_time_in_the_next_block(block: int, committed: bool, revealed: bool) -> None:
    mine = (ME,) if committed else ()
    step = next_step(status_at(block, mine, mine if revealed else ()), block, ME)
    if step is not None:
        assert accepts(block + 1, step)


def test_each_round_gets_one_commitment_and_one_secret() -> None:
    committed: set[int] = set()
    revealed: set[int] = set()
    for block in range(5 * LENGTH):
        round_ = block // LENGTH
        mine = ((ME,) if round_ in committed else (), (ME,) if round_ in revealed else ())
        step = next_step(status_at(block, *mine), block, ME)
        if step is not None:
            done = revealed if step.reveal else committed
            assert step.round not in done or step.round > round_
            done.add(step.round)
    assert committed == set(range(6))
    assert revealed == set(range(5))


@pytest.mark.parametrize(
    ("block", "committed", "revealed", "expected"),
    [
        (6, (), (), BeaconStep(1, reveal=False)),
        (6, (OTHER,), (), BeaconStep(1, reveal=False)),
        (6, (ME,), (), None),
        (8, (ME,), (), BeaconStep(1, reveal=True)),
        (8, (OTHER,), (), None),
        (9, (), (), None),
        (10, (ME, OTHER), (OTHER,), BeaconStep(1, reveal=True)),
        (10, (ME,), (ME,), None),
        (11, (ME,), (), BeaconStep(2, reveal=False)),
    ],
)
def test_the_step_of_a_block(
    block: int, committed: tuple[bytes, ...], revealed: tuple[bytes, ...], expected: BeaconStep | None
) -> None:
    assert next_step(status_at(block, committed, revealed), block, ME) == expected


def test_the_secret_is_kept_before_its_commitment_leaves(open_store: Callable[[], Store]) -> None:
    store = open_store()
    committed = beacon_call(BeaconStep(4, reveal=False), store, ME)
    store.close()
    store = open_store()
    revealed = beacon_call(BeaconStep(4, reveal=True), store, ME)
    assert committed is not None
    assert revealed is not None
    secret = revealed.args["secret"]
    payload = (4).to_bytes(4, "little") + ME + secret
    assert committed.args == {"round": 4, "commitment": proof.domain_hash("beacon-commit", payload)}
    assert beacon_call(BeaconStep(5, reveal=True), store, ME) is None
    store.close()
