"""What the chain says about second looks: the reviews of an answer's audit, and what hangs over an account."""

from __future__ import annotations

from typing import Any

from llmnet.chain import View, variant_name
from llmnet.pallets import spot_checks, staking
from llmnet.pallets.spot_checks import Review, ReviewKind

Facts = dict[str, Any]

KINDS = {
    ReviewKind.CHALLENGE: "challenge",
    ReviewKind.APPEAL: "appeal",
    ReviewKind.PLANT: "plant",
}


async def review_facts(view: View, audit: int) -> list[Facts]:
    """The reviews of an audit, each followed by its own, as plain values."""
    found: list[Facts] = []
    for number in await spot_checks.reviews_of(view, audit):
        review = await spot_checks.review(view, number)
        if review is None:
            continue
        found.append(await _facts(view, number, review))
        found += await review_facts(view, number)
    return found


async def _facts(view: View, number: int, review: Review) -> Facts:
    audit = await spot_checks.audit(view, number)
    outcome = None if audit is None else audit.outcome
    return {
        "number": number,
        "of": review.of,
        "kind": KINDS[review.kind],
        "by": "0x" + review.by.hex(),
        "bond": str(review.bond),
        "positions": list(review.exceptions),
        "stage": "waits for its panel" if audit is None else audit.stage.name.lower(),
        "panel": [] if audit is None else ["0x" + member.validator.hex() for member in audit.panel],
        "verdict": None if outcome is None else variant_name(outcome.verdict),
        "reason": None if outcome is None else variant_name(outcome.reason),
        "block": None if outcome is None else outcome.block,
    }


async def open_reviews(view: View, who: bytes) -> list[tuple[int, Review]]:
    """The reviews that an account asked for and has a bond in."""
    found = [
        (number, review)
        async for number, review in view.items(spot_checks.storage.Reviews)
        if review is not None and review.by == who and review.bond
    ]
    return sorted(found, key=lambda item: item[0])


async def standing(view: View, who: bytes, block: int) -> list[str]:
    """What hangs over an account, a sentence each: evidence, strikes, plants, and whether the network is out of order."""
    said = []
    worker = await spot_checks.worker_state(view, who)
    if worker.passed or worker.failed or worker.removed:
        said.append(
            f"audited answers: {worker.passed} passed ({worker.clean} in a row), {worker.failed} failed, "
            f"{worker.abstained} without a verdict; evidence {worker.evidence.position} (positions) and "
            f"{worker.evidence.margin} (margin) of 5120"
        )
    if worker.probation:
        said.append(f"on probation: the next {worker.probation} answers are audited for certain")
    strikes = await staking.strikes_of(view, who)
    if strikes is not None:
        quarantine = f"in quarantine until block {strikes.until}" if block < strikes.until else "served"
        said.append(f"strikes: {strikes.count} of 3, {quarantine}")
    plants = await view.get(spot_checks.storage.PlantsOf, who)
    if plants:
        said.append(f"planted faults that are not revealed: {plants}")
    return said + await disorder(view)


async def disorder(view: View) -> list[str]:
    """What is out of order in the whole network."""
    said = []
    if await spot_checks.slashing_frozen(view):
        said.append("slashing for evidence is frozen: many workers drift together")
    if await spot_checks.outage(view):
        said.append("an outage: deadlines that pass are put off")
    return said
