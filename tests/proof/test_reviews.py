"""Second looks: verdicts on chosen positions, panels of reviews, planted faults, sums taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.proof import (
    Candidate,
    Cusum,
    FieldError,
    Judgement,
    Leaf,
    Margin,
    Reference,
    Verdict,
    domain_hash,
    draw_panel,
    judge_exceptions,
    plant_commitment,
    review_seed,
)
from llmnet.proof.drawing import REVIEW_PANEL
from llmnet.proof.scoring import MARGIN_FAIL, MARGIN_HIT, MARGIN_MISS, exception_evidence, exception_misses

from .test_judge import ROW, SEED, SPEC, TRUTH, changed, lanes_by, references

CLEAN = (Verdict.PASS, 0, 0)
FIRST, OTHERS, ENOUGH = -208, 284, 5  # sixteen hits between 300 tokens


def cheap(misses: int) -> tuple[tuple[Leaf, ...], list[Reference]]:
    """Tokens that no reference would have sampled, delivered as such, at so many positions."""
    everywhere = verdict(*_nudged(tuple(range(16))))
    places = [at for at, row in enumerate(everywhere.positions) if row.margin is Margin.MISS]
    assert len(places) > ENOUGH
    return _nudged(tuple(places[:misses]))


def _nudged(places: tuple[int, ...]) -> tuple[tuple[Leaf, ...], list[Reference]]:
    def nudged(leaf: Leaf) -> Leaf:
        token = next(pair.id for pair in leaf.candidates[:2] if pair.id != leaf.token)
        rest = sorted(pair.id for pair in leaf.candidates if pair.id != token)
        pairs = (Candidate(token, 0), *(Candidate(i, -20_000) for i in rest))
        return replace(leaf, token=token, candidates=pairs)

    leaves = changed(nudged, places)
    delivered = tuple(replace(true, token=own.token) for true, own in zip(TRUTH, leaves, strict=True))
    return leaves, references(delivered, delivered, delivered)


def verdict(
    leaves: tuple[Leaf, ...], among: list[Reference], first: int = FIRST, others: int = OTHERS
) -> Judgement:
    return judge_exceptions(leaves, among, ROW, SPEC, SEED, 256, first, others)


def summary(result: Judgement) -> tuple[Verdict, int, int]:
    return result.verdict, result.position_evidence, result.margin_evidence


def test_neither_agreement_nor_distance_counts_at_chosen_positions() -> None:
    honest = references(TRUTH, TRUTH, TRUTH)
    assert summary(verdict(TRUTH, honest)) == CLEAN
    assert summary(verdict(changed(lanes_by(900)), honest)) == CLEAN


def test_a_few_misses_are_chance_and_more_are_not() -> None:
    assert summary(verdict(*cheap(ENOUGH - 1))) == CLEAN
    assert summary(verdict(*cheap(ENOUGH))) == (Verdict.FAIL, 0, 3072)


def test_a_miss_that_was_drawn_and_one_that_was_named_are_two() -> None:
    one = cheap(1)
    assert summary(verdict(*one, first=-208, others=8)) == CLEAN
    assert summary(verdict(*one, first=1_341, others=8)) == (Verdict.FAIL, 0, 1_536 - 7 * 13)


def test_chosen_misses_outweigh_all_other_tokens_of_the_answer() -> None:
    by_hand = {(-208, 8): 2, (-208, 15): 2, (-208, 16): 3, (1_341, 8): 1, (1_341, 15): 1, (1_341, 16): 2}
    by_hand |= {
        (1_902, 31): 1,
        (1_901, 31): 2,
        (1_939, 32): 1,
        (1_938, 32): 2,
        (1_952, 33): 1,
        (1_951, 33): 2,
    }
    by_hand |= {(-208, 105): 3, (-208, 106): 4, (1_341, 105): 2, (1_341, 106): 3, (-208, 284): 5}
    by_hand |= {
        (0, 0): 2,
        (2_304, 0): 1,
        (3_072, 0): 1,
        (3_072, 1_549): 13,
        (0, 1_551): 15,
        (0, 1_552): 16,
        (0, 4_096): 16,
    }
    assert {known: exception_misses(*known) for known in by_hand} == by_hand
    for first in (-256, -208, 0, 1_341):
        for others in range(1, 1_400):
            misses = exception_misses(first, others)
            given = [
                first + MARGIN_MISS * some + MARGIN_HIT * (others - some) for some in (misses - 1, misses)
            ]
            assert given[0] < min(3_072, MARGIN_FAIL + 24 * others) <= given[1], (first, others)


def test_chosen_misses_say_what_they_say_beside_the_tokens_that_were_not_drawn() -> None:
    said = {
        (1, 1): 1_536,
        (1, 8): 1_445,
        (2, 8): 2_994,
        (3, 8): 3_072,
        (3, 176): 2_359,
        (0, 0): 0,
        (16, 4_096): 0,
    }
    assert {given: exception_evidence(*given) for given in said} == said


def test_a_contradiction_counts_once_whatever_else_there_is() -> None:
    leaves, among = cheap(16)
    broken = (replace(leaves[0], candidates=()), *leaves[1:])
    assert summary(verdict(broken, among)) == (Verdict.FAIL, 3072, 0)
    other = [replace(one, leaves=(replace(one.leaves[0], token=999), *one.leaves[1:])) for one in among]
    assert summary(verdict(leaves, other)) == (Verdict.FAIL, 3072, 0)


def test_without_references_that_agree_there_is_no_verdict() -> None:
    leaves, among = cheap(16)
    assert verdict(leaves, among[:1]).verdict is Verdict.ABSTAIN
    assert verdict(leaves, []).verdict is Verdict.ABSTAIN


evidence = st.integers(-256, 3072)


@given(st.integers(0, 5119), st.integers(0, 5119), evidence, evidence)
def test_taking_an_answer_back_undoes_it_where_nothing_was_cut(
    position: int, margin: int, more: int, also: int
) -> None:
    before = Cusum(position, margin)
    undone = before.add(more, also).retract(more, also)
    assert undone.position == (position if more >= 0 else max(0, position + more))
    assert undone.margin == (margin if also >= 0 else max(0, margin + also))
    assert not before.add(more, also).held_back().slashable


def test_retracting_more_than_there_is_leaves_nothing() -> None:
    assert Cusum(100, 50).retract(3072, 3072) == Cusum(0, 0)
    for good in (0, -256):
        assert Cusum(100, 50).retract(good, good) == Cusum(100, 50)


def test_panels_of_reviews_follow_the_review_s_own_number() -> None:
    beacon = bytes([7]) * 32
    assert review_seed(beacon, 3) == domain_hash("draw", beacon + b"\x03\0\0\0" + b"review")
    stakes = [(bytes([n]) * 32, 100) for n in range(1, 9)]
    panels = [draw_panel(review_seed(beacon, audit), stakes, REVIEW_PANEL) for audit in range(4)]
    assert all(len(set(panel)) == 5 for panel in panels)
    assert len({tuple(panel) for panel in panels}) > 1


@pytest.mark.parametrize("part", range(5))
def test_a_plant_binds_each_of_its_parts(part: int) -> None:
    parts = [bytes([1]) * 32, 5, 6, bytes([2]) * 32, bytes([3]) * 32]
    other = [bytes([9]) * 32, 50, 60, bytes([9]) * 32, bytes([9]) * 32]
    changed_parts = [*parts[:part], other[part], *parts[part + 1 :]]
    assert plant_commitment(*parts) != plant_commitment(*changed_parts)  # type: ignore[arg-type]


def test_a_plant_needs_accounts_and_a_salt_of_32_bytes() -> None:
    good = bytes(32)
    for parts in [(b"", good, good), (good, b"", good), (good, good, b"\1" * 33)]:
        with pytest.raises(FieldError):
            plant_commitment(parts[0], 0, 0, parts[1], parts[2])
