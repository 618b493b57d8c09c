"""TOPLOC accepts what is equal, counts what differs as its paper says, and survives any bytes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from llmnet.proof import NumericsClass, ServiceSpec
from llmnet.redteam.rivals.base import Honest, Run
from llmnet.redteam.rivals.errors import BadCommitment, NothingToCompare
from llmnet.redteam.rivals.states_file import bfloat16
from llmnet.redteam.rivals.toploc import PUBLISHED, Limits, Toploc

HASH = bytes(32)
SPEC = ServiceSpec(b"m", HASH, HASH, HASH, HASH, 1, 20, NumericsClass.BF16, 300, 512, 9, 9)


def states(tokens: int = 32, width: int = 64, seed: int = 0) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(tokens, width)).astype(np.float32)
    return bfloat16(drawn)


def run(values: NDArray[np.float32]) -> Run:
    return Run((), SPEC, HASH, 256, values)


def largest(values: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    return np.argsort(-np.abs(values).reshape(-1), kind="stable")[:count]


@pytest.mark.parametrize(("tokens", "size"), [(16, 258), (32, 258), (33, 2 * (1 + 64) + 258), (64, 516)])
def test_a_proof_has_258_bytes_for_32_tokens(tokens: int, size: int) -> None:
    own = run(states(tokens))
    commitment = Toploc().commit(own)
    assert len(commitment) == size
    assert Toploc().check(commitment, own).score == 0


def test_an_exponent_that_differs_is_counted_and_no_mantissa() -> None:
    own = states()
    theirs = own.copy().reshape(-1)
    theirs[largest(own, 5)] *= 2
    (found,) = Toploc().differences(Toploc().commit(run(theirs.reshape(own.shape))), run(own))
    assert found == Limits(5, 0, 0)


def test_mantissas_are_counted_in_steps_where_exponents_agree() -> None:
    own = np.full((16, 64), 0.001, dtype=np.float32)
    flat = own.reshape(-1)
    flat[:128] = 1.5  # the mantissa is 64 of 128
    own, theirs = bfloat16(own), bfloat16(own)
    theirs.reshape(-1)[:128] = bfloat16(np.full((1, 1), 1.5 + 4 / 128, np.float32))[0, 0]
    (found,) = Toploc().differences(Toploc().commit(run(theirs)), run(own))
    assert found == Limits(0, 4, 4)
    assert Toploc().check(Toploc().commit(run(theirs)), run(own)).rejected is False


def test_another_models_states_are_rejected() -> None:
    found = Toploc().check(Toploc().commit(run(states(seed=1))), run(states(seed=2)))
    assert found.rejected
    assert found.score > 1


def test_the_sign_alone_is_not_seen() -> None:
    """As in the paper: exponents and mantissas are compared. It says what the method does not cover."""
    own = states()
    assert Toploc().check(Toploc().commit(run(-own)), run(own)).score == 0


def test_published_limits_are_the_authors() -> None:
    assert Limits(38, 10, 8) == PUBLISHED
    assert PUBLISHED.worst(Limits(38, 0, 0)) == 1
    assert PUBLISHED.worst(Limits(0, 5, 8)) == 1


def test_fitted_limits_hold_most_honest_answers() -> None:
    rng = np.random.default_rng(5)
    honest = []
    for seed in range(40):
        own = states(seed=seed)
        noisy = bfloat16((own + rng.normal(size=own.shape) * 0.01).astype(np.float32))
        honest.append(Honest(f"0/{seed}", Toploc().commit(run(noisy)), run(own)))
    fitted = Toploc().fitted(honest)
    scores = [fitted.check(answer.commitment, answer.own).score for answer in honest]
    assert max(scores) == pytest.approx(1)
    assert fitted.limits.mean < PUBLISHED.mean


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=258, max_size=258))
def test_any_proof_of_the_right_size_is_judged_or_refused(commitment: bytes) -> None:
    try:
        found = Toploc().check(commitment, run(states()))
    except BadCommitment:
        return
    assert found.score > 1  # bytes that were not made from these states do not pass


@pytest.mark.parametrize("damage", [lambda proof: proof[:-1], lambda proof: proof + b"\0", lambda _: b""])
def test_a_proof_of_another_size_is_refused(damage: object) -> None:
    own = run(states())
    with pytest.raises(BadCommitment, match="258 bytes"):
        Toploc().check(damage(Toploc().commit(own)), own)  # type: ignore[operator]


def test_a_proof_with_an_impossible_modulus_is_refused() -> None:
    own = run(states())
    for modulus in (b"\0\0", b"\xff\xff"):
        with pytest.raises(BadCommitment, match="modulus"):
            Toploc().check(modulus + Toploc().commit(own)[2:], own)


def test_without_states_there_is_nothing_to_compare() -> None:
    with pytest.raises(NothingToCompare, match="hidden states"):
        Toploc().commit(replace(run(states()), states=None))
    with pytest.raises(NothingToCompare):
        Toploc().fitted([])
