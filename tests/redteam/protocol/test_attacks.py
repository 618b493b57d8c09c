"""Every attack comes to what it should; a few of each family by default, all with LLMNET_REDTEAM=full."""

from __future__ import annotations

import os

import pytest

from llmnet.redteam.protocol import Setting, attacks

ALL = os.environ.get("LLMNET_REDTEAM") == "full"
FAST = {
    "wrong index",
    "leaf and node confused",
    "another answer's leaves",
    "another segment or start",
    "all wrong positions",
    "all wrong counts",
    "leaves for nodes",
    "disordered proofs",
    "a draw that names what was not committed",
    "two receipts for one answer",
    "another segment than the answers",
    "false reports of equivocation",
    "one token more than leaves",
    "a tree without tags",
    "a cached answer sold twice",
    "leaves one block late",
    "a voucher over-claimed",
    "an answer left out of the batch",
    "commits and vanishes",
    "copies a commitment",
    "one validator frames a worker",
    "spam of challenges",
    "plants that are none",
    "back at once, the same owner",
    "forged shares of the beacon",
    "the author of a round's last block tries again",
    "the honest member outvoted",
    "three challenges of one answer",
    "answers dearer than the stake",
    "calls in calls in calls",
    "answers to the panel that are no answers",
    "edited text over right tokens",
    "forged receipts",
    "an answer to another request",
    "many machines drift together",
    "goes before the verdict",
}


def test_the_fast_ones_exist() -> None:
    assert set(attacks()) >= FAST
    assert {attacks()[name].family for name in FAST} == {attack.family for attack in attacks().values()}


@pytest.mark.parametrize("name", sorted(attacks()) if ALL else sorted(FAST))
def test_an_attack_comes_to_what_it_should(name: str, setting: Setting) -> None:
    outcome = attacks()[name].play(setting)
    assert outcome.as_expected, outcome.as_json()


def test_what_is_not_covered_says_why() -> None:
    for attack in attacks().values():
        assert attack.covered == (not attack.why), attack.name
        assert attack.does, attack.name
