"""Consensus and verdicts: what honest parties get, and what each deviation costs."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.proof import (
    Calibration,
    Candidate,
    Cusum,
    Judgement,
    Leaf,
    Margin,
    NumericsClass,
    Reference,
    ServiceSpec,
    ShapeError,
    Sprt,
    Verdict,
    agree,
    judge,
    sample,
)
from llmnet.proof.judge import _conclude

SEED = b"j" * 32
SPEC = ServiceSpec(b"t", *[bytes(32)] * 4, 1, 8, NumericsClass.FP32, 1000, 2048, 9, 9)
ROW = Calibration(40, 80, 40, 80, 1311, 2000, 0)
A, B, C, D = (bytes([i]) * 32 for i in (1, 2, 3, 4))
POSITIONS = tuple(range(0, 64, 4))
BEST = -256  # of one answer, however many positions speak for it
Change = Callable[[Leaf], Leaf]


def true_leaf(position: int, temperature: int = 256) -> Leaf:
    ids, logprobs = [100 + (7 * position + i) % 50 for i in range(8)], [-60 - 70 * i for i in range(8)]
    token = ids[sample(logprobs, ids, temperature, SEED, position)]
    lanes = tuple(1000 * (i - 4) + position for i in range(8))
    return Leaf(position, token, tuple(map(Candidate, ids, logprobs)), lanes, lanes[::-1])


TRUTH = tuple(true_leaf(position) for position in POSITIONS)


def _moved(lanes: tuple[int, ...], step: int, count: int) -> tuple[int, ...]:
    return tuple(lane + step * (i < count) for i, lane in enumerate(lanes))


def lanes_by(step: int, count: int = 8) -> Change:
    return lambda leaf: replace(leaf, logit_sketch=_moved(leaf.logit_sketch, step, count))


def changed(change: Change, at: tuple[int, ...] = tuple(range(16))) -> tuple[Leaf, ...]:
    return tuple(change(leaf) if i in at else leaf for i, leaf in enumerate(TRUTH))


def references(*leaves: tuple[Leaf, ...]) -> list[Reference]:
    return [Reference(account, rows) for account, rows in zip((A, B, C, D), leaves, strict=False)]


HONEST = references(TRUTH, TRUTH, TRUTH)


def verdict(leaves: tuple[Leaf, ...], among: list[Reference] = HONEST) -> Judgement:
    return judge(leaves, among, ROW, SPEC, SEED, 256)


def test_an_honest_answer_passes_with_the_best_evidence() -> None:
    result = verdict(TRUTH)
    assert result.verdict is Verdict.PASS
    assert result.position_evidence == BEST
    # Position 0's token stands in the skipped ranks or not: each hit is worth -13, nothing else counts.
    hits = sum(row.margin is Margin.HIT for row in result.positions)
    assert hits > 8
    assert result.margin_evidence == -13 * hits
    assert (result.sprt, result.accepted, result.rejected) == (Sprt.UNDECIDED, (A, B, C), ())


def test_a_far_sketch_fails_and_two_such_answers_slash() -> None:
    result = verdict(changed(lanes_by(60)))
    assert (result.verdict, result.sprt, result.position_evidence) == (Verdict.FAIL, Sprt.FAILED, 3072)
    once = Cusum().add(result.position_evidence, result.margin_evidence)
    assert not once.slashable
    assert once.add(result.position_evidence, result.margin_evidence).slashable


def test_five_far_positions_of_sixteen_are_not_enough_six_in_a_row_are() -> None:
    assert verdict(changed(lanes_by(60), tuple(range(5)))).verdict is Verdict.PASS
    assert verdict(changed(lanes_by(60), tuple(range(6)))).verdict is Verdict.FAIL


def test_position_evidence_below_the_sprt_accumulates_without_a_fine() -> None:
    result = verdict(changed(lanes_by(3)))  # d2 = 72: above q95, below q99
    assert (result.verdict, result.position_evidence) == (Verdict.PASS, 3072)


@pytest.mark.parametrize("at", range(0, 16, 5))
def test_one_leaf_that_contradicts_itself_fails_the_answer(at: int) -> None:
    def wrong(leaf: Leaf) -> Leaf:
        return replace(leaf, candidates=tuple(Candidate(p.id, p.logprob - 1) for p in leaf.candidates[::-1]))

    result = verdict(changed(wrong, (at,)))
    assert (result.verdict, result.self_consistent, result.tokens_match) == (Verdict.FAIL, False, True)
    assert result.position_evidence == 3072


@pytest.mark.parametrize("candidates", [(), ((100, 0),), tuple((i, 0) for i in range(32))])
def test_leaves_of_another_size_are_judged_not_refused(candidates: tuple[tuple[int, int], ...]) -> None:
    result = verdict(changed(lambda leaf: replace(leaf, candidates=candidates), (0,)))
    assert (result.verdict, result.self_consistent) == (Verdict.FAIL, False)


def test_opening_another_token_than_delivered_fails() -> None:
    def consistent_other(leaf: Leaf) -> Leaf:
        pairs = tuple(Candidate(500 + i, p.logprob) for i, p in enumerate(leaf.candidates))
        ids = [p.id for p in pairs]
        return replace(
            leaf,
            candidates=pairs,
            token=ids[sample([p.logprob for p in pairs], ids, 256, SEED, leaf.position)],
        )

    result = verdict(changed(consistent_other, (7,)))
    assert (result.verdict, result.self_consistent, result.tokens_match) == (Verdict.FAIL, True, False)
    assert result.position_evidence == 3072


def cheap(leaf: Leaf) -> Leaf:
    """Own candidates under which a token wins that the reference would not have sampled."""
    pairs = sorted((-p.logprob, p.id) for p in leaf.candidates)
    loser = next(p.id for p in leaf.candidates if p.id != leaf.token)
    moved = sorted((3000 if i != loser else 0, i) for _, i in pairs)
    return replace(leaf, token=loser, candidates=tuple(Candidate(i, -cost) for cost, i in moved))


@pytest.mark.parametrize(
    ("misses", "expected"), [(0, Verdict.PASS), (1, Verdict.PASS), (2, Verdict.FAIL), (3, Verdict.FAIL)]
)
def test_two_misses_fail_an_answer_and_one_does_not(misses: int, expected: Verdict) -> None:
    missed = [
        row.position
        for row in verdict(
            tuple(cheap(leaf) for leaf in TRUTH),
            references(*[tuple(replace(leaf, token=cheap(leaf).token) for leaf in TRUTH)] * 3),
        ).positions
        if row.margin is Margin.MISS
    ][:misses]
    leaves = tuple(cheap(leaf) if leaf.position in missed else leaf for leaf in TRUTH)
    delivered = tuple(replace(leaf, token=other.token) for leaf, other in zip(TRUTH, leaves, strict=True))
    result = verdict(leaves, references(delivered, delivered, delivered))
    hits = sum(row.margin is Margin.HIT for row in result.positions)
    assert result.margin_evidence == min(3072, 1536 * misses - 13 * hits)
    assert result.verdict is expected


def test_cheap_decode_with_honest_sketches_fails_by_margin_alone() -> None:
    """Honest sketches; the reference knows better."""
    leaves = tuple(cheap(leaf) for leaf in TRUTH)
    delivered = tuple(replace(leaf, token=other.token) for leaf, other in zip(TRUTH, leaves, strict=True))
    result = verdict(leaves, references(delivered, delivered, delivered))
    assert result.self_consistent
    assert result.tokens_match
    assert result.position_evidence == BEST
    assert (result.verdict, result.margin_evidence) == (Verdict.FAIL, 3072)


@pytest.mark.parametrize(
    "bend",
    [
        lanes_by(-3, count=1),
        lambda leaf: replace(leaf, hidden_sketch=(9000, *leaf.hidden_sketch[1:])),
        lambda leaf: replace(leaf, token=leaf.token + 500),
        lambda leaf: replace(leaf, candidates=tuple(Candidate(p.id, p.logprob - 3) for p in leaf.candidates)),
        lambda leaf: replace(leaf, candidates=(Candidate(999, 0), *leaf.candidates[:-1])),
    ],
)
@pytest.mark.parametrize("who", range(3))
def test_one_of_three_out_of_band_is_rejected_and_changes_nothing(bend: Change, who: int) -> None:
    rows = [TRUTH] * 3
    rows[who] = changed(bend, (11,))
    result = verdict(TRUTH, references(*rows))
    assert result.rejected == ((A, B, C)[who],)
    assert (result.verdict, result.position_evidence) == (Verdict.PASS, BEST)


@pytest.mark.parametrize(
    "bend",
    [
        lanes_by(3, count=1),
        lanes_by(-3),
        lambda leaf: replace(leaf, token=leaf.token + 500),
        # One of two invents a best candidate: nobody contradicts it, but nobody confirms it either.
        lambda leaf: replace(leaf, candidates=(Candidate(999, 0), *leaf.candidates[:-1])),
    ],
)
def test_two_that_disagree_abstain_and_neither_is_rejected(bend: Change) -> None:
    for pair in ((TRUTH, changed(bend, (11,))), (changed(bend, (11,)), TRUTH)):
        result = verdict(TRUTH, references(*pair))
        assert (result.verdict, result.accepted, result.rejected) == (Verdict.ABSTAIN, (), ())
    assert verdict(TRUTH, references(TRUTH, TRUTH)).verdict is Verdict.PASS


@pytest.mark.parametrize("step", [-2, 2])
def test_two_steps_are_within_the_band(step: int) -> None:
    assert agree(references(TRUTH, TRUTH, changed(lanes_by(step))), SPEC).rejected == ()
    moved = changed(
        lambda leaf: replace(
            leaf, candidates=tuple(Candidate(p.id, p.logprob + step) for p in leaf.candidates)
        )
    )
    assert agree(references(TRUTH, TRUTH, moved), SPEC).rejected == ()


def test_the_last_four_ranks_of_a_reference_are_not_compared() -> None:
    other = changed(
        lambda leaf: replace(
            leaf, candidates=(*leaf.candidates[:4], *(Candidate(900 + i, -600) for i in range(4)))
        )
    )
    assert agree(references(TRUTH, TRUTH, other), SPEC).rejected == ()


def test_abstaining_punishes_nobody_for_the_answer() -> None:
    far = changed(lanes_by(60))
    for among in ([], references(TRUTH), references(TRUTH, far)):
        result = verdict(far, among)
        assert (result.verdict, result.position_evidence, result.margin_evidence) == (Verdict.ABSTAIN, 0, 0)
        assert (result.sprt, result.self_consistent, result.tokens_match) == (Sprt.UNDECIDED, True, True)
        assert (result.rejected, result.nearest, result.positions) == ((), None, ())


def test_three_that_all_disagree_are_all_but_the_median_rejected_and_abstain() -> None:
    result = verdict(TRUTH, references(TRUTH, changed(lanes_by(50)), changed(lanes_by(-50))))
    assert (result.verdict, result.rejected, result.accepted) == (Verdict.ABSTAIN, (B, C), (A,))


def test_the_nearest_reference_wins_and_ties_go_to_the_lower_account() -> None:
    one, two = changed(lanes_by(1)), changed(lanes_by(2))
    consensus = agree(references(TRUTH, one, two), SPEC)
    assert consensus.nearest is not None
    assert consensus.nearest.account == B
    tied = agree([Reference(C, TRUTH), Reference(A, TRUTH), Reference(B, TRUTH)], SPEC)
    assert tied.nearest is not None
    assert tied.nearest.account == A


@given(st.lists(st.integers(-2, 2), min_size=2, max_size=7))
@settings(deadline=None)
def test_medians_are_the_low_medians_of_the_lanes(steps: list[int]) -> None:
    rows = [Reference(bytes([i]) * 32, changed(lanes_by(step))) for i, step in enumerate(steps)]
    consensus = agree(rows, SPEC)
    middle = statistics.median_low(steps)
    expected = [tuple(x + middle for x in leaf.logit_sketch) for leaf in TRUTH]
    assert [median.logit_sketch for median in consensus.medians] == expected
    assert set(consensus.accepted + consensus.rejected) <= {row.account for row in rows}


@given(st.permutations(range(3)), st.integers(-3, 3))
@settings(deadline=None, max_examples=30)
def test_the_verdict_does_not_depend_on_the_order_of_references(order: list[int], step: int) -> None:
    rows = references(TRUTH, changed(lanes_by(step)), changed(lanes_by(1)))
    straight, mixed = verdict(TRUTH, rows), verdict(TRUTH, [rows[i] for i in order])
    assert replace(straight, accepted=(), rejected=()) == replace(mixed, accepted=(), rejected=())
    assert set(straight.accepted) == set(mixed.accepted)


UNFIT: list[Change] = [
    lambda leaf: replace(leaf, candidates=leaf.candidates[::-1]),
    lambda leaf: replace(leaf, candidates=leaf.candidates[:-1]),
    lambda leaf: replace(leaf, candidates=(leaf.candidates[0],) * 8),
    lambda leaf: replace(leaf, candidates=(Candidate(1000, 0), *leaf.candidates[1:])),
    lambda leaf: replace(leaf, position=leaf.position + 1),
]


@pytest.mark.parametrize("unfit", UNFIT)
def test_a_reference_that_cannot_be_compared_is_rejected_without_a_part_in_the_medians(unfit: Change) -> None:
    far = changed(lambda leaf: unfit(lanes_by(-900)(leaf)))
    result = verdict(TRUTH, references(far, TRUTH, TRUTH))
    assert (result.verdict, result.rejected, result.nearest) == (Verdict.PASS, (A,), B)
    assert result.position_evidence == BEST
    alone = verdict(TRUTH, references(far, TRUTH))
    assert (alone.verdict, alone.accepted, alone.rejected) == (Verdict.ABSTAIN, (B,), (A,))


def test_beside_an_unfit_reference_two_that_disagree_still_abstain_unblamed() -> None:
    result = verdict(TRUTH, references((), TRUTH, changed(lanes_by(50))))
    assert (result.verdict, result.accepted, result.rejected) == (Verdict.ABSTAIN, (), (A,))


@pytest.mark.parametrize("rows", [(), TRUTH[:-1], TRUTH[::-1], (*TRUTH, TRUTH[-1])])
def test_references_with_other_positions_than_the_worker_are_rejected(rows: tuple[Leaf, ...]) -> None:
    result = verdict(TRUTH, references(rows, rows, rows))
    assert (result.verdict, result.rejected) == (Verdict.ABSTAIN, (A, B, C))
    assert verdict(rows).verdict is Verdict.ABSTAIN


def test_an_account_has_one_reference() -> None:
    with pytest.raises(ShapeError, match="one reference"):
        verdict(TRUTH, [HONEST[0], HONEST[0]])


@pytest.mark.parametrize(("hits", "expected"), [(768, Verdict.FAIL), (769, Verdict.PASS)])
def test_an_answer_fails_at_the_limit_of_its_margins(hits: int, expected: Verdict) -> None:
    """8 * 1536 - 768 * 13 is 2304; no answer of sixteen positions sums up to just that."""
    row = verdict(TRUTH).positions[0]
    scored = (replace(row, margin=Margin.MISS),) * 8 + (replace(row, margin=Margin.HIT),) * hits
    result = _conclude(scored, agree(HONEST, SPEC), Sprt.UNDECIDED)
    assert (result.verdict, result.margin_evidence) == (expected, 2304 - 13 * (hits - 768))


def test_medians_stand_at_the_positions_of_their_leaves() -> None:
    assert tuple(median.position for median in agree(HONEST, SPEC).medians) == POSITIONS


def test_both_sketches_count_in_how_near_a_reference_is() -> None:
    """Equally far off in both is farther than not at all."""
    both = changed(lambda leaf: replace(lanes_by(1)(leaf), hidden_sketch=_moved(leaf.hidden_sketch, 1, 8)))
    consensus = agree(references(both, TRUTH, TRUTH), SPEC)
    assert consensus.accepted == (A, B, C)
    assert consensus.nearest is not None
    assert consensus.nearest.account == B
