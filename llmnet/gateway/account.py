"""Where every token of an account is: free, in sessions, waiting for audits, at stake, in deposits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from llmnet.chain import View
from llmnet.pallets import sessions, spot_checks, staking
from llmnet.pallets.sessions import Session

from .amounts import tokens
from .second_looks import KINDS, open_reviews

Promised = Callable[[Session], int]


@dataclass(frozen=True, slots=True)
class Place:
    """Some of an account's money. `when` tells how it becomes free; `details` are plancks and numbers for machines."""

    kind: str
    amount: int
    what: str
    when: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statement:
    """The account at one block, in plancks. `places` sum to `total`; `owed` is other people's escrow that it may claim.

    `problems` is empty unless the chain's own records contradict each other.
    """

    account: bytes
    block: int
    total: int
    places: tuple[Place, ...]
    owed: tuple[Place, ...]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values; amounts in plancks as text, which every JSON reader keeps exactly."""

        def plain(place: Place) -> dict[str, Any]:
            return {**asdict(place), "amount": str(place.amount)}

        return {
            "account": "0x" + self.account.hex(),
            "block": self.block,
            "total": str(self.total),
            "places": [plain(place) for place in self.places],
            "owed": [plain(place) for place in self.owed],
            "problems": list(self.problems),
        }


async def statement(view: View, who: bytes, promised: Promised = lambda _: 0) -> Statement:
    """Read an account. `promised` gives the cumulative voucher of a session, if this machine signed one."""
    balance = (await view.query("System", "Account", who))["data"]
    held = await _holds(view, who)
    block = (await view.header()).number
    places = [Place("free", balance["free"], "can be spent")]
    if balance["frozen"]:
        places[0] = Place("free", balance["free"], f"of which {tokens(balance['frozen'])} are frozen")
    problems: list[str] = []
    for hold, explained in (
        (("Sessions", "Escrow"), await _escrows(view, who, promised)),
        (("Sessions", "Uncleared"), await _uncleared(view, who)),
        (("Staking", "Stake"), await _stake(view, who, block)),
        (("Registry", "SpecDeposit"), await _deposits(view, who)),
        (_REVIEW, await _bonds(view, who) if _REVIEW in held else []),
    ):
        amount, told = held.pop(hold, 0), sum(place.amount for place in explained)
        places += explained
        if amount != told:
            problems.append(f"{'.'.join(hold)}: {amount} plancks are on hold, {told} are explained")
            places.append(Place("unexplained", amount - told, f"on hold as {'.'.join(hold)}"))
    places += [Place("hold", amount, f"on hold as {'.'.join(hold)}") for hold, amount in sorted(held.items())]
    total = balance["free"] + balance["reserved"]
    rest = total - sum(place.amount for place in places)
    if rest:
        places.append(Place("reserved", rest, "reserved without a named hold"))
    return Statement(who, block, total, tuple(places), tuple(await _owed(view, who)), tuple(problems))


async def _holds(view: View, who: bytes) -> dict[tuple[str, str], int]:
    listed = await view.query("Balances", "Holds", who)
    return {(hold["id"].name, hold["id"].value.name): hold["amount"] for hold in listed}


async def _escrows(view: View, who: bytes, promised: Promised) -> list[Place]:
    places = []
    for number in await sessions.sessions_of(view, who):
        found = await sessions.session(view, number)
        if found is None:
            continue
        due = max(promised(found) - found.claimed, 0)
        closing = isinstance(found.status, sessions.StatusClosing)
        left = sessions.left(found)
        end = sessions.status_block(found) if closing else found.expires_at
        places.append(
            Place(
                "escrow",
                left,
                f"session {number} ({sessions.state(found)}): {tokens(found.claimed)} of {tokens(found.escrow)} claimed, "
                f"{tokens(due)} promised to the worker",
                f"what is not claimed comes back after block {end}" + ("" if closing else f", or {_CLOSE}"),
                {
                    "session": number,
                    "worker": "0x" + found.worker.hex(),
                    "escrow": str(found.escrow),
                    "claimed": str(found.claimed),
                    "promised": str(due),
                    "refundable": str(max(left - due, 0)),
                    "refund_block": end,
                },
            )
        )
    return places


_CLOSE = "sooner with `llmnet sessions close`"


async def _uncleared(view: View, who: bytes) -> list[Place]:
    places = []
    for epoch, amount in sorted((await sessions.uncleared(view, who)).items()):
        batch = await spot_checks.batch(view, who, epoch)
        when = "released when the audits of that epoch are decided"
        if batch is not None:
            when += f" ({batch.state.name.lower()}, {batch.pending} of {batch.drawn} audits open)"
        places.append(Place("uncleared", amount, f"earned in epoch {epoch}", when, {"epoch": epoch}))
    return places


async def _stake(view: View, who: bytes, block: int) -> list[Place]:
    bond = await staking.bond_of(view, who)
    if bond is None or (bond.removed and bond.stake == 0):
        return []
    role = bond.role.name.lower()
    if bond.unbonding_at is None:
        return [Place("stake", bond.stake, f"bonded as {role}", "`llmnet unbond` starts the way back")]
    state = "slashed and removed" if bond.removed else f"no longer {role}"
    ready = block >= bond.unbonding_at
    when = (
        "`llmnet withdraw` frees it now"
        if ready
        else f"`llmnet withdraw` frees it from block {bond.unbonding_at}"
    )
    return [Place("unbonding", bond.stake, state, when, {"block": bond.unbonding_at})]


async def _deposits(view: View, who: bytes) -> list[Place]:
    places = []
    async for spec_id, record in view.query_map("Registry", "Specs"):
        if record["depositor"] == who:
            name = record["spec"]["name"].decode(errors="replace")
            places.append(
                Place(
                    "deposit",
                    record["deposit"],
                    f"for the registered model {name}",
                    "comes back when the spec is removed; nobody may offer it then",
                    {"spec_id": "0x" + spec_id.hex(), "offers": record["offers"]},
                )
            )
    return places


_REVIEW = ("SpotChecks", "Review")


async def _bonds(view: View, who: bytes) -> list[Place]:
    when = "comes back if the review finds what it was asked for, else it is lost"
    return [
        Place("bond", review.bond, f"for review {number}, {KINDS[review.kind]} of audit {review.of}", when)
        for number, review in await open_reviews(view, who)
    ]


async def _owed(view: View, who: bytes) -> list[Place]:
    """Committed answers in sessions of others: what vouchers may claim at most."""
    places = []
    async for number, record in view.query_map("Sessions", "Sessions"):
        if record["worker"] != who or record["status"].name == "Closed":
            continue
        amount = min(record["committed"], record["escrow"]) - record["claimed"]
        if amount > 0:
            places.append(
                Place(
                    "owed",
                    amount,
                    f"committed answers of session {number}",
                    "claimed by the worker with the requester's voucher",
                    {"session": number},
                )
            )
    return sorted(places, key=lambda place: int(place.details["session"]))
