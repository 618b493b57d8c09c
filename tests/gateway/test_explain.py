"""What the blocks say, and the sentences made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llmnet import proof
from llmnet.chain import Call
from llmnet.gateway.story import REASONS, narrate
from llmnet.gateway.trail import Entry, flat, opened_leaves, references_of, sort_out
from llmnet.pallets import spot_checks
from llmnet.proof import Leaf, Segment

from .conftest import REQUESTER, WORKER
from .test_receipts import answered
from .typed import from_block as call

VALIDATOR = bytes([5]) * 32
SALT = bytes([6]) * 32


def opening(leaves: list[Leaf], nodes: list[bytes], audit: int = 3) -> Entry:
    return Entry(20, WORKER.public, call(spot_checks.open_leaves(audit, leaves, nodes)))


def reveal(leaves: list[Leaf], signer: bytes = VALIDATOR, salt: bytes = SALT) -> Entry:
    return Entry(22, signer, call(spot_checks.reveal_reference(3, leaves, salt)))


def test_only_what_concerns_the_answer_is_kept() -> None:
    segment = Segment(7, 0, 4, bytes(32), 100)
    batch = call(spot_checks.commit_batch([segment]))
    entries = [
        Entry(10, WORKER.public, batch),
        Entry(11, REQUESTER.public, batch),
        Entry(12, WORKER.public, call(spot_checks.commit_batch([replace(segment, first=5, last=9)]))),
        Entry(13, VALIDATOR, call(spot_checks.report_withheld(3))),
        Entry(14, VALIDATOR, call(spot_checks.report_withheld(4))),
        Entry(15, WORKER.public, Call("Sessions", "claim", {"session": 7})),
        Entry(16, WORKER.public, Call("Sessions", "close_with_voucher", {"session": 7})),
        Entry(17, REQUESTER.public, Call("Sessions", "close", {"session": 7})),
        Entry(18, REQUESTER.public, Call("Sessions", "close", {"session": 8})),
    ]
    trail = sort_out(entries, WORKER.public, 7, 3, 3)
    assert [entry.block for entry, _ in trail.batches] == [10]
    assert [entry.block for entry in trail.audit] == [13]
    assert [entry.block for entry in trail.claims] == [15, 16]
    assert [entry.block for entry in trail.endings] == [17]


def test_calls_inside_batches_are_found() -> None:
    inner = Call("Sessions", "close", {"session": 1})
    nested = Call("Utility", "batch_all", {"calls": [Call("Utility", "batch", {"calls": [inner]}), inner]})
    assert list(flat(nested)) == [inner, inner]


def test_leaves_count_only_if_they_are_proven() -> None:
    _, kept = answered()
    positions = [0, 2]
    leaves = [kept.leaves[position] for position in positions]
    nodes = proof.multiproof([leaf.encode() for leaf in kept.leaves], positions)
    forged = [replace(leaves[0], token=1), leaves[1]]
    for entries, found in (
        ([opening(leaves, nodes)], tuple(leaves)),
        ([opening(forged, nodes), opening(leaves, nodes)], tuple(leaves)),
        ([opening(forged, nodes)], None),
        ([opening(leaves, [])], None),
        ([opening(leaves, nodes, audit=4)], None),
        ([], None),
    ):
        trail = sort_out(entries, WORKER.public, 7, 0, 3)
        assert opened_leaves(trail, kept.receipt, positions) == found
    assert (
        opened_leaves(sort_out([opening(leaves, nodes)], WORKER.public, 7, 0, 3), kept.receipt, [0, 1])
        is None
    )


def test_references_count_only_as_they_were_committed_to() -> None:
    leaves = answered()[1].leaves
    commitment = {VALIDATOR: proof.reference_commitment(3, VALIDATOR, leaves, SALT)}
    other = [replace(leaves[0], token=1), *leaves[1:]]
    for entry, count in (
        (reveal(leaves), 1),
        (reveal(other), 0),
        (reveal(leaves, salt=bytes(32)), 0),
        (reveal(leaves, signer=bytes([8]) * 32), 0),
    ):
        found = references_of(sort_out([entry], WORKER.public, 7, 0, 3), 3, commitment)
        assert len(found) == count


def facts(**changes: Any) -> dict[str, Any]:
    account = "0x" + "01" * 32
    told: dict[str, Any] = {
        "session": {
            "number": 7,
            "requester": account,
            "worker": account,
            "spec_id": account,
            "model": None,
            "price_in": "1",
            "price_out": "2",
            "escrow": "1000000000000",
            "claimed": "0",
            "status": "Open",
            "opened_at": 1,
            "expires_at": 9,
            "seed": None,
        },
        "answer": {"index": 3, "committed": False},
        "batch": None,
        "audit": None,
        "evidence": None,
        "outcome": None,
        "money": [],
        "block": 50,
        "searched_from": 1,
    }
    for name, value in changes.items():
        told[name] = {**told[name], **value} if isinstance(told[name], dict) else value
    return told


AUDIT = {
    "number": 3,
    "epoch": 1,
    "ordinal": 0,
    "stage": "referenced",
    "deadline": 40,
    "positions": [1, 4],
    "panel": [
        {"validator": "0x" + "02" * 32, "commitment": None, "revealed": False},
        {"validator": "0x" + "03" * 32, "commitment": "withheld", "revealed": False},
        {"validator": "0x" + "04" * 32, "commitment": "0xaa", "revealed": True},
    ],
}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Not committed yet"),
        ({"answer": {"committed": True}}, "Not drawn for an audit"),
        ({"answer": {"committed": True}}, "blocks since 1 do not show"),
        ({"answer": {"same_receipt_on_chain": False}}, "ANOTHER RECEIPT THAN IT GAVE YOU"),
        ({"audit": AUDIT}, "the worker has to open its leaves (until block 40)"),
        ({"audit": AUDIT}, "has committed nothing"),
        ({"audit": AUDIT}, "withheld the data"),
        ({"audit": AUDIT}, "and revealed it"),
        ({"money": None}, "does not remember"),
        (
            {"money": [{"block": 4, "event": "Staking.Fined", "who": "x", "amount": "1500000000000"}]},
            "amount 1.5)",
        ),
        (
            {
                "evidence": [
                    {
                        "position": 1,
                        "evidence": 1024,
                        "d2_logit": 9,
                        "d2_hidden": 8,
                        "margin": "miss",
                        "self_consistent": False,
                        "token_matches": False,
                    }
                ]
            },
            "1: +4.00, squared distances 9 (logits) and 8 (hidden), token miss, NOT SELF-CONSISTENT, ANOTHER TOKEN",
        ),
    ],
)
def test_the_story_says(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in "\n".join(narrate(facts(**changes)))


@pytest.mark.parametrize("reason", [*REASONS, "SomethingNew"])
def test_every_reason_has_its_words(reason: str) -> None:
    outcome = {
        "verdict": "Failed",
        "reason": reason,
        "block": 44,
        "position_evidence": 3072,
        "margin_evidence": -13,
        "position_total": 3072,
        "margin_total": 0,
    }
    story = "\n".join(narrate(facts(outcome=outcome)))
    assert f"Verdict in block 44: FAILED, {REASONS.get(reason, reason)}." in story
    assert "+12.00 (positions)" in story and "12.00 of 20" in story


def test_the_reasons_are_those_of_the_runtime() -> None:
    from pathlib import Path

    from llmnet.chain import parse_metadata

    artifacts = Path(__file__).parents[2] / "runtime_spec" / "artifacts"
    data = (artifacts / "metadata_v16.scale").read_bytes()
    assert parse_metadata(data).pallet("SpotChecks") is not None
    for name in REASONS:
        assert name.encode() in data, name


def review(**changes: Any) -> dict[str, Any]:
    told = {
        "number": 9,
        "of": 3,
        "kind": "challenge",
        "by": "0x" + "05" * 32,
        "bond": "0",
        "positions": [4, 7],
        "stage": "decided",
        "panel": [],
        "verdict": "Passed",
        "reason": "Clean",
        "block": 40,
    }
    return {**told, **changes}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {},
            "at positions 4, 7: PASSED in block 40 (nothing wrong was found); the answer stands, the challenger's",
        ),
        (
            {"verdict": "Failed", "reason": "Margin"},
            "the challenger has its bond back and a tenth of the fine",
        ),
        ({"kind": "appeal", "positions": []}, "appeal of audit 3 by"),
        ({"kind": "appeal"}, "the verdict was taken back"),
        ({"kind": "plant", "verdict": "Failed"}, "the first panel had looked away"),
        ({"kind": "plant", "verdict": "Abstained", "reason": "NoQuorum"}, "no verdict, the bond is back"),
        (
            {"verdict": None, "stage": "waits for its panel", "bond": "50000000000"},
            "bond 0.05: waits for its panel.",
        ),
        ({"verdict": None, "stage": "referenced"}, "the worker has to open its leaves"),
    ],
)
def test_a_review_is_told_with_what_it_means(changes: dict[str, Any], words: str) -> None:
    told = {**facts(), "reviews": [review(**changes)], "disorder": ["slashing for evidence is frozen"]}
    story = narrate(told)
    assert any("Review 9" in line and words in line for line in story), story
    assert story[-1] == "Note: slashing for evidence is frozen."
