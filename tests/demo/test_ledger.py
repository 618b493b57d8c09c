"""The demo's accounts of the money, on chains where it adds up and where it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from llmnet.chain import Variant
from llmnet.demo.ledger import discrepancies, held_by_reason, issuance
from llmnet.pallets import sessions
from llmnet.pallets.sessions import Money

ALICE, BOB = b"\1" * 32, b"\2" * 32


def _hold(pallet: str, reason: str, amount: int) -> dict[str, Any]:
    return {"id": Variant(pallet, Variant(reason)), "amount": amount}


class FakeView:
    """A chain's state: two accounts; Alice has bonded 30 and has 20 in escrow, Bob has 5 uncleared."""

    def __init__(self) -> None:
        self.total = 1000
        self.accounts = {ALICE: (550, 50), BOB: (395, 5)}
        self.bonds = {ALICE: 30}
        self.money = {ALICE: Money(20, 0), BOB: Money(0, 5)}
        self.holds = {
            ALICE: [_hold("Staking", "Stake", 30), _hold("Sessions", "Escrow", 20)],
            BOB: [_hold("Sessions", "Uncleared", 5)],
        }

    async def query(self, pallet: str, item: str) -> int:
        assert (pallet, item) == ("Balances", "TotalIssuance")
        return self.total

    async def query_map(self, pallet: str, item: str) -> AsyncIterator[tuple[bytes, Any]]:
        maps: dict[tuple[str, str], dict[bytes, Any]] = {
            ("System", "Account"): {
                who: {"data": {"free": free, "reserved": held}} for who, (free, held) in self.accounts.items()
            },
            ("Balances", "Holds"): self.holds,
            ("Staking", "Bonds"): {who: {"stake": stake} for who, stake in self.bonds.items()},
        }
        for row in maps[pallet, item].items():
            yield row


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> FakeView:
    async def money(view: FakeView, who: bytes) -> Money:
        return view.money[who]

    monkeypatch.setattr(sessions, "money", money)
    return FakeView()


async def test_a_sound_chain_has_no_discrepancies(view: Any) -> None:
    assert await discrepancies(view) == []
    assert await issuance(view) == 1000
    assert (await held_by_reason(view))["Staking", "Stake"] == 30


async def test_money_from_nowhere_is_seen(view: Any) -> None:
    view.accounts[BOB] = (396, 5)
    assert await discrepancies(view) == ["total issuance is 1000, the accounts hold 1001"]


async def test_minted_money_is_seen(view: Any) -> None:
    view.total += 1
    assert await discrepancies(view) == ["total issuance is 1001, the accounts hold 1000"]


async def test_a_bond_that_is_not_held_is_seen(view: Any) -> None:
    view.bonds[BOB] = 1
    assert await discrepancies(view) == ["bonds say 31 at stake, 30 is on hold"]


async def test_an_escrow_that_is_not_held_is_seen(view: Any) -> None:
    view.money[ALICE] = Money(21, 0)
    assert await discrepancies(view) == ["sessions say 21 in escrow, 20 is on hold"]


async def test_uncleared_money_that_stays_held_is_seen(view: Any) -> None:
    view.money[BOB] = Money(0, 0)
    assert await discrepancies(view) == ["sessions say 0 uncleared, 5 is on hold"]
