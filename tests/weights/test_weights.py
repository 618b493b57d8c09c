"""No piece of work reads, writes or proves more than its weight says, and what is not decided is not charged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bench.weights.__main__ import WASM
from bench.weights.cases_audits import slashes, verdicts
from bench.weights.cases_work import drawable
from bench.weights.court import CALM, Court
from bench.weights.declared import Weight, charged, of_call, of_idle, uncovered
from bench.weights.lab import Lab, Piece, Sent
from bench.weights.measure import FailedToRun
from bench.weights.pieces import PIECES
from bench.weights.scene import Cast, Scene, Stage
from bench.weights.stages import tables
from llmnet.devnode import Node, NodeConfig
from llmnet.pallets import registry

CALLS = [piece for piece in PIECES if piece.call is not None]
WORK = [(piece, scene) for piece in PIECES for scene in piece.scenes]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    node = Node.from_preset(WASM, config=NodeConfig())
    yield Lab(Stage(node), Cast(), times=1)
    node.close()


def _limit(lab: Lab) -> float:
    """Seconds of a block's weight that transactions may fill."""
    limits = lab.stage.constant("System", "BlockWeights")["per_class"]["normal"]
    return float(limits["max_total"]["ref_time"]) / 10**12


@pytest.mark.parametrize("piece", CALLS, ids=lambda piece: f"{piece.pallet}.{piece.name}")
def test_a_call_is_declared_with_all_that_it_does(lab: Lab, piece: Piece) -> None:
    assert piece.call is not None
    for value in {piece.values[0], piece.values[-1]}:
        _, call, _ = piece.call(lab, value)
        assert uncovered(lab.stage, of_call(lab.stage, call), piece.measure(lab, value)) == []


@pytest.mark.parametrize(
    ("piece", "scene"), WORK, ids=lambda one: getattr(one, "name", getattr(one, "__name__", ""))
)
def test_a_block_books_all_that_it_does_by_itself(
    lab: Lab, piece: Piece, scene: Callable[[Lab, int], Scene]
) -> None:
    assert piece.without is not None
    value = piece.values[-1]
    found = lab.idle(scene(lab, value), piece.without(lab))
    booked = of_idle(scene(lab, value)) - of_idle(piece.without(lab))
    assert uncovered(lab.stage, booked, found) == []


@pytest.mark.parametrize("kind", [verdicts, slashes])
def test_who_brings_about_a_verdict_is_charged_for_all_of_it(
    lab: Lab, kind: Callable[[Lab], list[Sent]]
) -> None:
    for sent in kind(lab):
        assert uncovered(lab.stage, charged(sent), lab.call(sent)) == []


def test_a_reveal_that_decides_nothing_is_not_charged_for_a_verdict(lab: Lab) -> None:
    piece = next(piece for piece in CALLS if piece.name == "reveal_reference")
    assert piece.call is not None
    sent = piece.call(lab, 16)
    declared, paid = of_call(lab.stage, sent[1]), charged(sent)
    decided = [charged(one) for one in verdicts(lab)]
    assert paid.ref_time * 2 < min(one.ref_time for one in decided)
    assert max(one.ref_time for one in decided) < declared.ref_time


def test_a_weight_that_is_too_small_is_seen(lab: Lab) -> None:
    call = registry.heartbeat()
    piece = next(piece for piece in CALLS if piece.name == "heartbeat")
    declared, found = of_call(lab.stage, call), piece.measure(lab, 0)
    access = lab.stage.constant("System", "DbWeight")
    room = (declared.ref_time - found.reads * access["read"]) // access["write"]
    assert uncovered(lab.stage, declared, found) == []
    assert len(uncovered(lab.stage, declared, replace(found, writes=room + 1))) == 1
    assert len(uncovered(lab.stage, declared, replace(found, proof=declared.proof_size + 1))) == 1
    assert len(uncovered(lab.stage, Weight(0, 0), found)) == 2


def test_a_call_that_is_refused_is_not_measured(lab: Lab) -> None:
    scene, _, keys = next(piece for piece in CALLS if piece.name == "heartbeat").call(lab, 0)  # type: ignore[misc]
    with pytest.raises(FailedToRun, match="NoOffer"):
        lab.call((scene, registry.withdraw_offer(bytes(32)), keys))
    with pytest.raises(FailedToRun, match="nothing was written"):
        lab.call((Court(lab, CALM), registry.add_domain("", None), lab.cast.root))


def test_the_worst_batch_fits_its_blocks_with_room(lab: Lab) -> None:
    """32 audits of one batch at once, stage by stage, each with 16 leaves of 32 candidates; a panel of five."""
    limit = _limit(lab)
    by_name = {piece.name: piece for piece in CALLS}

    def seconds(name: str, value: int = 0) -> float:
        call = by_name[name].call
        assert call is not None
        return charged(call(lab, value)).seconds

    drawn = (of_idle(drawable(lab, 32)) - of_idle(Court(lab, CALM))).seconds
    assert drawn < limit / 4
    for name, value, each in (("open_receipt", 0, 1), ("commit_reference", 0, 5), ("open_leaves", 16, 1)):
        assert 32 * each * seconds(name, value) < limit / 2, name
    verdict = max(charged(sent).seconds for sent in verdicts(lab))
    assert 32 * (4 * seconds("reveal_reference", 16) + verdict) < limit
    # What is declared has to fit too, until it is given back: one verdict with a slash at a time.
    _, call, _ = slashes(lab)[0]
    assert of_call(lab.stage, call).seconds < limit / 10


def test_the_tables_of_the_protocol_are_those_of_the_blob(lab: Lab) -> None:
    told = (WASM.parents[2] / "docs/protocol.md").read_text().split("## 14. ")[1]
    rows = [line for line in tables(lab).splitlines() if line.startswith("|")]
    assert len(rows) > 15
    assert [row for row in rows if row not in told] == []
