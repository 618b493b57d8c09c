"""Anybody with the file and the model finds every forgery, and is told exactly what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmnet import proof
from llmnet.engine import Engine, LlamaModel, skip_layer
from llmnet.engine.tiny import write_tiny_model
from llmnet.engine.weights import ModelFiles
from llmnet.proof import Leaf, ServiceSpec
from llmnet.verifier import (
    BundleError,
    ChainFacts,
    Report,
    floor_calibration,
    load_bundle,
    parse_bundle,
    verify_bundle,
)
from llmnet.verifier.verify import judgement_checks

from .answers import WORKER, Answered, Asker, signed


@pytest.fixture(scope="module")
def honest(asker: Asker) -> Answered:
    return asker.ask("tell me of the sun and the sea", max_tokens=24, temperature=300)


def check(fields: dict[str, Any], files: ModelFiles, facts: ChainFacts | None = None) -> Report:
    return verify_bundle(parse_bundle(json.loads(json.dumps(fields))), files, facts)


def faults(report: Report) -> list[str]:
    return [item.name for item in report.faults]


def with_leaves(answered: Answered, leaves: tuple[Leaf, ...], *, sealed: bool = True) -> Answered:
    """Other leaves; if sealed, the worker has put its name to them."""
    if not sealed:
        return replace(answered, leaves=leaves)
    tokens = tuple(leaf.token for leaf in leaves)
    receipt = replace(answered.receipt, transcript_root=proof.transcript_root(leaves))
    assert tokens == answered.material.tokens
    signature = signed(WORKER, "receipt", receipt.encode())
    return replace(
        answered,
        leaves=leaves,
        material=replace(answered.material, receipt=receipt),
        receipt_signature=signature,
    )


def test_an_honest_answer_passes(honest: Answered, tiny: ModelFiles) -> None:
    report = check(honest.bundle(), tiny)
    assert (report.verdict, report.ok, report.faults) == ("pass", True, [])
    assert report.judgement is not None
    assert len(report.judgement.positions) == honest.receipt.n_out
    assert report.judgement.position_evidence < 0
    assert report.judgement.margin_evidence < 0
    table = report.table()
    assert "PASS" in table
    assert "largest squared distance" in table
    plain = json.loads(json.dumps(report.to_json()))
    assert plain["verdict"] == "pass"
    assert [row["position"] for row in plain["positions"]] == list(range(honest.receipt.n_out))


def moved(leaf: Leaf, steps: int) -> Leaf:
    return replace(leaf, logit_sketch=(leaf.logit_sketch[0] + steps, *leaf.logit_sketch[1:]))


def resampled(leaf: Leaf) -> Leaf:
    """Candidates that make another token the winner."""
    best = leaf.candidates[0]
    others = tuple(c for c in leaf.candidates if c.id != leaf.token and c is not best)
    first = leaf.candidates[0] if leaf.candidates[0].id != leaf.token else others[0]
    rest = sorted(c.id for c in leaf.candidates if c.id != first.id)
    return replace(
        leaf,
        candidates=(first._replace(logprob=0), *(first._replace(id=i, logprob=-9000) for i in rest)),
    )


Forge = Callable[[Answered], dict[str, Any]]
FORGERIES: dict[str, tuple[Forge, list[str]]] = {
    "a receipt signed by somebody else": (
        lambda a: a.bundle(worker="11" * 32),
        ["receipt_signature"],
    ),
    "a receipt whose price was raised": (
        lambda a: a.bundle(receipt=replace(a.receipt, n_prompt=a.receipt.n_prompt + 1).encode().hex()),
        ["receipt_signature", "n_prompt"],
    ),
    "a request the payer did not sign": (
        lambda a: a.bundle(requester="11" * 32),
        ["request_signature"],
    ),
    "another chain": (
        lambda a: a.bundle(genesis_hash="11" * 32),
        ["receipt_signature", "request_signature"],
    ),
    "the answer of another index": (lambda a: a.bundle(index=1), ["place", "self_consistency"]),
    "another text": (lambda a: a.bundle(text="Yes."), ["text_hash", "text"]),
    "another token": (
        lambda a: a.bundle(tokens=[9, *a.material.tokens[1:]]),
        ["output_hash", "text", "leaf_tokens", "reference"],
    ),
    "a leaf changed afterwards": (
        lambda a: with_leaves(a, (moved(a.leaves[0], 1), *a.leaves[1:]), sealed=False).bundle(),
        ["transcript_root"],
    ),
    "a leaf of another token": (
        lambda a: with_leaves(
            a, (a.leaves[0], replace(a.leaves[1], token=9), *a.leaves[2:]), sealed=False
        ).bundle(),
        ["transcript_root", "leaf_tokens", "self_consistency"],
    ),
    "a sealed leaf that gives another token": (
        lambda a: with_leaves(a, (*a.leaves[:4], resampled(a.leaves[4]), *a.leaves[5:])).bundle(),
        ["self_consistency"],
    ),
    "leaves of another model": (
        lambda a: with_leaves(a, tuple(moved(leaf, 300) for leaf in a.leaves)).bundle(),
        ["reference"],
    ),
    "a leaf too few": (
        lambda a: with_leaves(a, a.leaves[:-1], sealed=False).bundle(),
        ["positions", "transcript_root"],
    ),
    "a leaf twice": (
        lambda a: with_leaves(a, (a.leaves[0], *a.leaves[:-1]), sealed=False).bundle(),
        ["positions", "transcript_root"],
    ),
    "another session's seed": (lambda a: a.bundle(session_seed="22" * 32), ["self_consistency"]),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_named(name: str, honest: Answered, tiny: ModelFiles) -> None:
    forge, expected = FORGERIES[name]
    report = check(forge(honest), tiny)
    assert report.verdict == "fail"
    found = faults(report)
    assert [item for item in expected if item not in found] == []
    # Nothing else is accused, but for what follows from a wrong seed or wrong tokens.
    follow = {"reference", "margin", "leaf_tokens", "self_consistency"}
    assert set(found) - set(expected) <= follow
    assert "FAIL" in report.table()


def test_the_place_of_a_bad_leaf_is_told(honest: Answered, tiny: ModelFiles) -> None:
    forge, _ = FORGERIES["a sealed leaf that gives another token"]
    (fault,) = (item for item in check(forge(honest), tiny).faults if item.name == "self_consistency")
    assert fault.detail == "the token does not follow from the leaf at position 4"


def test_one_odd_position_is_shown_and_is_no_verdict(honest: Answered, tiny: ModelFiles) -> None:
    leaves = (*honest.leaves[:3], moved(honest.leaves[3], 40), *honest.leaves[4:])
    report = check(with_leaves(honest, leaves).bundle(), tiny)
    assert report.verdict == "pass"
    assert report.judgement is not None
    assert report.judgement.positions[3].d2_logit == pytest.approx(1600, abs=100)
    assert "+4.00" in report.table()


def test_cheap_decode_is_caught_by_the_margin(tiny: ModelFiles, spec: ServiceSpec, asker: Asker) -> None:
    """Tokens from a model with one layer less, leaves from the honest one: fingerprints see nothing of it."""
    cheap = Engine(tiny, spec, model=skip_layer(LlamaModel.from_files(tiny, spec.numerics), 1))
    liar = Asker.__new__(Asker)
    liar.spec, liar._engine = spec, cheap
    answered = liar.ask("tell me of the sun and the sea", max_tokens=60)
    honest_engine = Engine(tiny, spec)
    leaves = honest_engine.score(answered.prompt_ids, answered.material.tokens, answered.request_seed)
    report = check(with_leaves(answered, tuple(leaves)).bundle(), tiny)
    assert report.verdict == "fail"
    assert {"margin", "self_consistency"} <= set(faults(report))


@pytest.mark.parametrize(
    ("tokens", "evidence", "missed"),
    [(16, 2303, False), (16, 2304, True), (17, 2304, False), (17, 3071, False), (17, 3072, True)],
)
def test_of_a_short_answer_two_misses_are_too_many_as_on_the_chain(
    tokens: int, evidence: int, missed: bool, honest: Answered, tiny: ModelFiles
) -> None:
    judgement = check(honest.bundle(), tiny).judgement
    assert judgement is not None
    positions = (judgement.positions[0],) * tokens
    given = replace(judgement, positions=positions, margin_evidence=evidence)
    found = {one.name: one.ok for one in judgement_checks(given)}
    assert found["margin"] is not missed


def test_without_leaves_the_check_is_incomplete(honest: Answered, tiny: ModelFiles) -> None:
    report = check(honest.bundle(leaves=None), tiny)
    assert (report.verdict, report.ok, report.faults) == ("incomplete", False, [])
    assert "the file has no leaves" in report.table()
    assert check(honest.bundle(leaves=None, text="Yes."), tiny).verdict == "fail"


def test_with_another_model_the_check_is_incomplete(honest: Answered, tmp_path: Path) -> None:
    report = check(honest.bundle(), write_tiny_model(tmp_path / "m", seed=8))
    assert report.verdict == "incomplete"
    (model,) = (item for item in report.checks if item.name == "model")
    assert "weights_root differ" in model.detail


def test_without_thresholds_the_least_ones_are_used(honest: Answered, tiny: ModelFiles) -> None:
    report = check(honest.bundle(calibration=None), tiny)
    assert report.ok
    assert "least thresholds" in report.table()


def test_what_the_file_says_of_the_chain_is_compared_with_the_chain(
    honest: Answered, tiny: ModelFiles, spec: ServiceSpec
) -> None:
    bundle = parse_bundle(honest.bundle())
    right = ChainFacts(
        genesis_hash=bundle.genesis_hash,
        session_seed=bundle.session_seed,
        requester=bundle.requester,
        worker=bundle.worker,
        spec=spec,
        calibration=bundle.calibration,
        price=12345,
    )
    assert verify_bundle(bundle, tiny, right).ok
    wrong = {
        "genesis_hash": bytes(32),
        "session_seed": bytes(32),
        "requester": bytes(32),
        "worker": bytes(32),
        "spec": replace(spec, name=b"other"),
        "calibration": replace(floor_calibration(spec.numerics), logit_q99=999),
        "price": 12344,
    }
    for name, value in wrong.items():
        report = verify_bundle(bundle, tiny, replace(right, **{name: value}))  # type: ignore[arg-type]
        assert faults(report) == [f"chain: {name}"]


# Files


def test_a_file_is_read(honest: Answered, tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(honest.bundle()))
    assert load_bundle(path).material == honest.material
    with pytest.raises(BundleError, match="cannot be read"):
        load_bundle(tmp_path / "none.json")
    for content in ("", "{", "[" * 10**5):
        path.write_text(content)
        with pytest.raises(BundleError, match="is not JSON"):
            load_bundle(path)
    path.write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(BundleError, match="is not JSON"):
        load_bundle(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "version 2"),
        ({"version": None}, "version None"),
        ({"genesis_hash": "00"}, "genesis_hash must be 32 bytes"),
        ({"genesis_hash": 5}, "genesis_hash is malformed"),
        ({"session": -1}, "session must be a whole number"),
        ({"session": "1"}, "session must be a whole number"),
        ({"index": 1.5}, "index must be a whole number"),
        ({"worker": "zz"}, "worker is malformed"),
        ({"spec": "00"}, "spec is malformed"),
        ({"calibration": "00"}, "calibration is malformed"),
        ({"receipt": "00"}, "receipt is malformed"),
        ({"receipt_signature": "00"}, "receipt_signature must be 64 bytes"),
        ({"request": ""}, "request is malformed"),
        ({"tokens": {}}, "tokens is malformed"),
        ({"tokens": [-1]}, "tokens is malformed"),
        ({"text": None}, "text is malformed"),
        ({"leaves": "01"}, "leaves is malformed"),
        ({"price": 5}, "price is malformed"),
        ({"price": "-5"}, "price must be a whole number"),
    ],
)
def test_a_malformed_file_is_refused_with_the_field(
    honest: Answered, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(BundleError, match=words):
        parse_bundle(honest.bundle(**changes))


def test_a_missing_field_is_refused(honest: Answered) -> None:
    fields = honest.bundle()
    for name in fields.keys() - {"leaves", "calibration", "version"}:
        with pytest.raises(BundleError, match=f"has no {name}"):
            parse_bundle({key: value for key, value in fields.items() if key != name})
    for other in ([], None, 5, "x"):
        with pytest.raises(BundleError, match="one JSON object"):
            parse_bundle(other)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_of_the_evidence_passes_or_raises(
    data: st.DataObject, honest: Answered, tiny: ModelFiles
) -> None:
    """Flip one bit of any hex field: the file is refused, or the answer fails."""
    fields = honest.bundle()
    names = ["request", "request_signature", "receipt", "receipt_signature", "leaves", "worker", "requester"]
    name = data.draw(st.sampled_from([*names, "genesis_hash", "session_seed"]))
    raw = bytearray.fromhex(fields[name])
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        bundle = parse_bundle({**fields, name: raw.hex()})
    except BundleError:
        return
    assert verify_bundle(bundle, tiny).verdict == "fail"
