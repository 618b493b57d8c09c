"""Every method on the same runs of a tiny model: honest answers pass, cheats stand out, damaged bytes are refused."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from llmnet.proof import ServiceSpec, encode_leaves, quantise_lanes, sign_matrix, sketch_hidden
from llmnet.redteam.rivals.base import Rival, Run
from llmnet.redteam.rivals.errors import BadCommitment, RivalError
from llmnet.redteam.rivals.logprobs import TopLogprobs
from llmnet.redteam.rivals.ours import Evidence, MarginAlone, SketchDistance
from llmnet.redteam.rivals.replay import TokenReplay
from llmnet.redteam.rivals.scores import fitted, rivals
from llmnet.redteam.rivals.states import worker_states

from .conftest import Recorded

ALL = rivals()


@pytest.mark.parametrize("method", ALL, ids=lambda method: method.name)
def test_the_verifiers_own_view_is_never_suspicious(method: Rival, recorded: Recorded) -> None:
    """Its tokens may still be those of a worker: only what the leaves and states say is equal here."""
    own = recorded.answers("honest")[0].own
    found = method.check(method.commit(own), own)
    assert found.score <= 0.5
    assert not found.rejected


@pytest.mark.parametrize("method", ALL, ids=lambda method: method.name)
def test_cheats_stand_out(method: Rival, recorded: Recorded) -> None:
    """Int8 weights of a tiny model with random weights are a gross cheat: the mean must tell in every method."""
    honest = recorded.answers("honest")
    (fit,) = fitted([method], honest)
    scores = {
        variant: [
            fit.check(fit.commit(answer.worker), answer.own).score for answer in recorded.answers(variant)
        ]
        for variant in ("honest", "int8")
    }
    assert np.mean(scores["int8"]) > np.mean(scores["honest"])


@pytest.mark.parametrize("method", ALL, ids=lambda method: method.name)
def test_damaged_commitments_are_refused(method: Rival, recorded: Recorded) -> None:
    answer = recorded.answers("honest")[0]
    commitment = method.commit(answer.worker)
    for damaged in (commitment + b"\0", commitment[:-1] if commitment else b"x"):
        with pytest.raises(BadCommitment):
            method.check(damaged, answer.own)


def test_bytes_are_what_the_page_says(recorded: Recorded) -> None:
    worker = recorded.answers("honest")[0].worker
    sizes = {method.name: len(method.commit(worker)) for method in ALL}
    assert sizes["token replay"] == 0
    assert sizes["TOPLOC"] == 258
    assert sizes["log-probs, k = 5"] == 16 * 30
    assert sizes["sketches and margin (ours)"] == 1 + 16 * 161


def _with_token(run: Run, place: int, token: int) -> Run:
    leaf = replace(run.leaves[place], token=token)
    return replace(run, leaves=(*run.leaves[:place], leaf, *run.leaves[place + 1 :]))


def test_a_contradiction_is_infinitely_suspicious(recorded: Recorded) -> None:
    answer = recorded.answers("honest")[0]
    other = (answer.worker.leaves[3].token + 1) % answer.own.spec.vocab_size
    sold = _with_token(answer.worker, 3, other)
    found = Evidence().check(encode_leaves(sold.leaves), answer.own)
    assert found.score == inf
    assert found.rejected


def test_a_cheat_does_not_contradict_itself(recorded: Recorded) -> None:
    """It bends its list until the sold token wins: what is left against it is the verifier's own list."""
    answer = recorded.answers("honest")[0]
    worker, own = answer.worker, answer.own
    for place in range(16):
        sold = own.leaves[place].candidates[9].id
        worker, own = _with_token(worker, place, sold), _with_token(own, place, sold)
    found = Evidence().check(Evidence().commit(worker), own)
    assert 0 < found.score < inf
    assert found.score == MarginAlone().check(MarginAlone().commit(worker), own).score


def test_each_half_sees_only_its_own_kind(recorded: Recorded) -> None:
    """Honest leaves under a token that the verifier would not have sampled; honest tokens under foreign sketches."""
    answer = recorded.answers("honest")[0]
    own = answer.own
    unlikely = next(
        token for token in range(own.spec.vocab_size) if token not in dict(own.leaves[0].candidates)
    )
    delivered = own
    for place in range(6):
        delivered = _with_token(delivered, place, unlikely)
    assert TokenReplay().check(b"", delivered).score > TokenReplay().check(b"", own).score
    foreign = replace(
        own,
        leaves=tuple(
            replace(leaf, hidden_sketch=tuple(-lane for lane in leaf.hidden_sketch)) for leaf in own.leaves
        ),
    )
    commitment = SketchDistance().commit(foreign)
    assert SketchDistance().check(commitment, own).score > 1
    assert (
        MarginAlone().check(commitment, own).score
        == MarginAlone().check(MarginAlone().commit(own), own).score
    )


def test_log_probs_measure_in_nat(recorded: Recorded) -> None:
    own = recorded.answers("honest")[0].own
    lower = replace(
        own,
        leaves=tuple(
            replace(
                leaf,
                candidates=tuple(
                    pair._replace(logprob=max(-32767, pair.logprob - 128)) for pair in leaf.candidates
                ),
            )
            for leaf in own.leaves
        ),
    )
    for k in (1, 5, 20):
        assert TopLogprobs(k).check(TopLogprobs(k).commit(lower), own).score == pytest.approx(0.5)


def _sketch(states: np.ndarray, spec: ServiceSpec, seed: bytes) -> np.ndarray:
    signs = sign_matrix(seed, "HIDN", states.shape[1])
    return np.array([quantise_lanes(sketch_hidden(row, signs), spec.hidden_shift) for row in states])


def test_states_are_those_that_were_sketched(recorded: Recorded) -> None:
    """One prefill gives the states of the decoding, in both runs: their sketches are those in the leaves."""
    from llmnet.measure import RecordingFile

    recording = next(iter(RecordingFile(recorded.folder / "honest.jsonl")))
    worker = worker_states(recorded.model, recording.prompt_ids, recording.tokens)
    own = recorded.states.states(recording.prompt_ids, recording.tokens)
    for states, leaves in ((worker, recording.leaves), (own, recording.reference)):
        found = _sketch(states, recorded.spec, recording.request_seed)
        wanted = np.array([leaf.hidden_sketch for leaf in leaves])
        assert np.abs(found.astype(int) - wanted).max() <= 1  # the last bit of a sum in another order


def test_states_of_other_tokens_are_not(recorded: Recorded) -> None:
    from llmnet.measure import RecordingFile

    recording = next(iter(RecordingFile(recorded.folder / "honest.jsonl")))
    other = worker_states(recorded.model, recording.prompt_ids[1:], recording.tokens)
    found = _sketch(other, recorded.spec, recording.request_seed)
    assert np.abs(found.astype(int) - np.array([leaf.hidden_sketch for leaf in recording.leaves])).max() > 1


def test_a_graph_without_its_product_is_noticed() -> None:
    import onnx

    from llmnet.redteam.rivals.states import _sketched

    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    lanes = onnx.helper.make_node("Mul", ["y", "y"], ["hidden_lanes"])
    with pytest.raises(RivalError, match="product"):
        _sketched(onnx.helper.make_graph([node, lanes], "g", [], []))
