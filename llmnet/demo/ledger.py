"""Does the money add up? Total issuance, and every balance on hold against what the pallets say is on hold."""

from __future__ import annotations

from collections import Counter

from llmnet.chain import View
from llmnet.pallets import sessions


async def issuance(view: View) -> int:
    """Total issuance in plancks."""
    amount: int = await view.query("Balances", "TotalIssuance")
    return amount


async def accounts_total(view: View) -> int:
    """The sum of all accounts' balances, held ones included."""
    total = 0
    async for _, account in view.query_map("System", "Account"):
        total += account["data"]["free"] + account["data"]["reserved"]
    return total


async def held_by_reason(view: View) -> Counter[tuple[str, str]]:
    """Plancks on hold by (pallet, reason)."""
    held: Counter[tuple[str, str]] = Counter()
    async for _, holds in view.query_map("Balances", "Holds"):
        for hold in holds:
            held[hold["id"].name, hold["id"].value.name] += hold["amount"]
    return held


async def discrepancies(view: View) -> list[str]:
    """What does not add up, in words; empty when all is well."""
    found = []
    held = await held_by_reason(view)
    total, accounts = await issuance(view), await accounts_total(view)
    if total != accounts:
        found.append(f"total issuance is {total}, the accounts hold {accounts}")
    stakes = 0
    async for _, bond in view.query_map("Staking", "Bonds"):
        stakes += bond["stake"]
    if stakes != held["Staking", "Stake"]:
        found.append(f"bonds say {stakes} at stake, {held['Staking', 'Stake']} is on hold")
    escrow = uncleared = 0
    async for who, _ in view.query_map("System", "Account"):
        money = await sessions.money(view, who)
        escrow += money.escrow
        uncleared += money.uncleared
    if escrow != held["Sessions", "Escrow"]:
        found.append(f"sessions say {escrow} in escrow, {held['Sessions', 'Escrow']} is on hold")
    if uncleared != held["Sessions", "Uncleared"]:
        found.append(f"sessions say {uncleared} uncleared, {held['Sessions', 'Uncleared']} is on hold")
    return found
