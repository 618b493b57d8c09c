"""Each check taken away: the attack that it stops must succeed then, or its test could not fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from llmnet import proof
from llmnet.chain import Call
from llmnet.pallets import spot_checks
from llmnet.proof import merkle
from llmnet.redteam.protocol import Effect, Setting, attacks, toy, trees
from llmnet.redteam.protocol import daemons as daemon_attacks
from llmnet.redteam.protocol.people import Batch, nothing
from llmnet.redteam.protocol.room import Room


@pytest.mark.parametrize(
    ("name", "part", "without"),
    [
        ("leaves for nodes", "_leaf", lambda data: proof.blake2b_256(b"\1" + data)),
        ("all wrong counts", "_bind", lambda n, top: top),
        ("all wrong positions", "_node", lambda a, b: proof.blake2b_256(min(a, b) + max(a, b))),
    ],
)
def test_a_tree_without_its_guard(
    name: str, part: str, without: Callable[..., bytes], setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tags keep leaves from being nodes, the bound count keeps trees apart, and left is not right."""
    monkeypatch.setattr(merkle, part, without)
    if part == "_leaf":
        monkeypatch.setattr(merkle, "_node", lambda a, b: proof.blake2b_256(b"\1" + a + b))
    if part != "_bind":
        monkeypatch.setattr(merkle, "_bind", lambda n, top: top)
    found = attacks()[name].run(setting)
    assert found.effect is Effect.SUCCEEDS
    assert found.caught < found.tried


def test_a_requester_that_does_not_compare_texts(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "text_hash", lambda text: bytes(32))
    assert attacks()["edited text over right tokens"].run(setting).effect is Effect.SUCCEEDS


def test_a_panel_that_does_not_look_at_what_it_is_given(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon_attacks, "check_material", lambda material, standard: iter(()))
    assert attacks()["an answer to another request"].run(setting).effect is Effect.SUCCEEDS


def test_a_requester_that_believes_every_signature(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "verify_signature", lambda *_: True)
    found = attacks()["forged receipts"].run(setting)
    assert found.effect is Effect.SUCCEEDS
    assert found.tried - found.caught == 3 * 5, "two foreign signatures and an empty one, of five answers"


def test_a_forgery_that_is_none_is_noticed(setting: Setting) -> None:
    """The true openings among the forged ones: what goes through must not be called refused."""

    def true(room: Room, batch: Batch, audits: list[int]) -> list[Call]:
        return [room.leaves_of(audit) for audit in audits]

    with pytest.raises(AssertionError, match="true openings"):
        trees.forged(setting, "leaves", true)


def test_without_validators_nobody_is_caught(setting: Setting) -> None:
    """It is the audits that fine a cheat: with nobody on the panel its batch is settled and its money free."""
    with setting.room(0) as room:
        deal = room.deal(room.worker("cheat"), room.person("payer"))
        room.commit(deal, [room.sell(deal, toy.CHEAP)])
        room.until("AuditSkipped", worker=deal.worker.public)
        assert room.count("BatchSettled", worker=deal.worker.public) == 1
        assert not room.count("WorkerFined")


def test_an_honest_answer_passes_and_a_silent_worker_does_not(setting: Setting) -> None:
    with setting.room() as room:
        deal = room.deal(room.worker("worker"), room.person("payer"))
        (passed,) = room.verdicts(room.drawn(room.commit(deal, [room.sell(deal)])))
        room.serves = nothing
        (failed,) = room.verdicts(room.drawn(room.commit(deal, [room.sell(deal)])))
        assert [event.fields["verdict"].name for event in (passed, failed)] == ["Passed", "Failed"]
        assert not room.refused


def test_the_right_report_of_equivocation_convicts(setting: Setting) -> None:
    """One field apart from the false ones: the worker's own signature under the second receipt."""
    with setting.room(0) as room:
        deal = room.deal(room.worker("worker"), room.person("payer"))
        sale = room.sell(deal)
        changed = replace(sale.receipt, n_prompt=sale.receipt.n_prompt + 1)
        signature = room.sign("receipt", changed.encode(), deal.worker)
        call = spot_checks.report_equivocation(
            deal.worker.public, sale.receipt, sale.receipt_signature, changed, signature
        )
        assert room.attempt([call], deal.payer) == [""]
        assert room.count("Equivocated", worker=deal.worker.public) == 1
