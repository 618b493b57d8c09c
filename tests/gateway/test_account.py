"""The account statement, on a chain that can also contradict itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from llmnet.chain import Variant, ViewFunction
from llmnet.gateway.account import Statement, statement
from llmnet.gateway.amounts import tokens

from .typed import answer

ME, OTHER = bytes([1]) * 32, bytes([2]) * 32
SESSION = {
    "requester": ME,
    "worker": OTHER,
    "spec_id": bytes(32),
    "domain": 0,
    "price_in": 1,
    "price_out": 1,
    "escrow": 1000,
    "committed": 300,
    "claimed": 100,
    "answers": 1,
    "next_index": 3,
    "seed_round": 1,
    "seed": bytes(32),
    "status": Variant("Open"),
    "opened_at": 1,
    "expires_at": 500,
    "rated": False,
}


def hold(pallet: str, reason: str, amount: int) -> dict[str, Any]:
    return {"id": Variant(pallet, Variant(reason)), "amount": amount}


@dataclass
class FakeView:
    """One block of a chain."""

    free: int = 50
    frozen: int = 0
    extra_reserved: int = 0
    holds: list[dict[str, Any]] = field(default_factory=list)
    sessions: dict[int, dict[str, Any]] = field(default_factory=dict)
    uncleared: list[dict[str, int]] = field(default_factory=list)
    bond: dict[str, Any] | None = None
    specs: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    batch: dict[str, Any] | None = None

    async def header(self) -> Any:
        return SimpleNamespace(number=77)

    async def query(self, pallet: str, item: str, *keys: Any) -> Any:
        if (pallet, item) == ("Balances", "Holds"):
            return self.holds
        reserved = sum(entry["amount"] for entry in self.holds) + self.extra_reserved
        return {"data": {"free": self.free, "reserved": reserved, "frozen": self.frozen}}

    async def query_map(self, pallet: str, item: str, *keys: Any) -> AsyncGenerator[tuple[Any, Any], None]:
        for entry in (self.specs if item == "Specs" else self.sessions).items():
            yield entry

    async def ask(self, function: ViewFunction[Any], args: dict[str, Any]) -> Any:
        return answer(function, args, self._plain(function.entry.name, args))

    def _plain(self, name: str, args: dict[str, Any]) -> Any:
        match name:
            case "sessions_of":
                return [
                    number
                    for number, value in self.sessions.items()
                    if value["requester"] == args["requester"]
                ]
            case "session":
                return self.sessions.get(args["id"])
            case "uncleared":
                return self.uncleared
            case "bond_of":
                return self.bond
            case "batch":
                return self.batch
        raise AssertionError(name)


async def read(view: FakeView, promised: int = 0) -> Statement:
    found = await statement(view, ME, lambda _: promised)  # type: ignore[arg-type]
    assert sum(place.amount for place in found.places) == found.total
    return found


def bond(**changes: Any) -> dict[str, Any]:
    return {
        "role": Variant("Worker"),
        "stake": 200,
        "owner": ME,
        "since": 1,
        "unbonding_at": None,
        "removed": False,
        **changes,
    }


async def test_every_kind_of_money_has_its_place() -> None:
    view = FakeView(
        holds=[
            hold("Sessions", "Escrow", 900),
            hold("Sessions", "Uncleared", 30),
            hold("Staking", "Stake", 200),
            hold("Registry", "SpecDeposit", 10),
            hold("Council", "Deposit", 5),
        ],
        sessions={7: SESSION},
        uncleared=[{"epoch": 4, "amount": 30}],
        bond=bond(),
        specs={b"s": {"depositor": ME, "deposit": 10, "offers": 1, "spec": {"name": b"m"}}},
        extra_reserved=2,
    )
    found = await read(view, promised=250)
    assert found.total == 50 + 900 + 30 + 200 + 10 + 5 + 2 and found.problems == ()
    kinds = {place.kind: place for place in found.places}
    assert set(kinds) == {"free", "escrow", "uncleared", "stake", "deposit", "hold", "reserved"}
    assert kinds["escrow"].details["promised"] == "150" and kinds["escrow"].details["refundable"] == "750"
    assert "block 500" in kinds["escrow"].when
    assert found.to_json()["total"] == str(found.total)


async def test_a_contradiction_is_a_problem_and_still_adds_up() -> None:
    found = await read(FakeView(holds=[hold("Sessions", "Escrow", 899)], sessions={7: SESSION}))
    assert found.problems == ("Sessions.Escrow: 899 plancks are on hold, 900 are explained",)
    assert [place.amount for place in found.places if place.kind == "unexplained"] == [-1]


@pytest.mark.parametrize(
    ("changes", "kind", "word"),
    [
        ({"unbonding_at": 100}, "unbonding", "from block 100"),
        ({"unbonding_at": 77}, "unbonding", "frees it now"),
        ({"unbonding_at": 100, "removed": True}, "unbonding", "from block 100"),
    ],
)
async def test_a_stake_on_its_way_back(changes: dict[str, Any], kind: str, word: str) -> None:
    found = await read(FakeView(holds=[hold("Staking", "Stake", 200)], bond=bond(**changes)))
    place = next(place for place in found.places if place.kind == kind)
    assert word in place.when and found.problems == ()


async def test_a_slashed_account_with_nothing_left() -> None:
    found = await read(FakeView(bond=bond(stake=0, removed=True)))
    assert [place.kind for place in found.places] == ["free"]


async def test_a_closing_session_and_a_frozen_balance() -> None:
    closing = {**SESSION, "status": Variant("Closing", {"until": 90})}
    found = await read(FakeView(frozen=20, holds=[hold("Sessions", "Escrow", 900)], sessions={7: closing}))
    assert "frozen" in found.places[0].what and "block 90" in found.places[1].when


async def test_what_others_owe_is_not_part_of_the_total() -> None:
    theirs = {**SESSION, "requester": OTHER, "worker": ME}
    found = await read(FakeView(sessions={8: theirs, 9: {**theirs, "status": Variant("Closed", {"at": 5})}}))
    assert found.total == 50
    assert [(place.amount, place.details["session"]) for place in found.owed] == [(200, 8)]


def test_amounts_for_people() -> None:
    assert [tokens(value) for value in (0, 1, 10**12, 1_500_000_000_000, -(10**11), 1234 * 10**12)] == [
        "0",
        "0.000000000001",
        "1",
        "1.5",
        "-0.1",
        "1,234",
    ]
