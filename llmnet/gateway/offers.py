"""Which worker to ask."""

from __future__ import annotations

from dataclasses import dataclass

from llmnet.pallets.registry import Offer
from llmnet.proof import ServiceSpec

from .errors import NoOffer
from .ledger import Ledger

MIN_PREFIX = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """An offer of one worker for one spec."""

    spec_id: bytes
    spec: ServiceSpec
    worker: bytes
    offer: Offer

    @property
    def cost(self) -> int:
        """Plancks for a thousand tokens each way: what offers are compared by."""
        return self.offer.price_in + self.offer.price_out


def spec_name(spec: ServiceSpec) -> str:
    """The spec's name for people."""
    return spec.name.decode(errors="replace")


def matches(spec_id: bytes, spec: ServiceSpec, model: str | None) -> bool:
    """Whether `model` names the spec: by its name, or by its id or the beginning of it (8 hex digits or more)."""
    if model is None or model == spec_name(spec):
        return True
    digits = model.removeprefix("0x").lower()
    return len(digits) >= MIN_PREFIX and spec_id.hex().startswith(digits)


async def all_offers(ledger: Ledger, model: str | None = None) -> list[Choice]:
    """The offers of active workers, cheapest first; equal prices by account. Raises NoOffer for an unknown model."""
    specs = await ledger.specs()
    wanted = {spec_id: spec for spec_id, spec in specs.items() if matches(spec_id, spec, model)}
    if not wanted:
        known = ", ".join(sorted({spec_name(spec) for spec in specs.values()})) or "none"
        raise NoOffer(
            f"no model {model!r} is registered; registered: {known}"
            if model
            else "no model is registered yet: a worker registers one with llmnet-worker --register-spec"
        )
    found = [
        Choice(spec_id, spec, worker, offer)
        for spec_id, spec in wanted.items()
        for worker, offer in (await ledger.offers(spec_id)).items()
    ]
    return sorted(found, key=lambda choice: (choice.cost, choice.worker, choice.spec_id))


async def choose(
    ledger: Ledger, requester: bytes, *, model: str | None = None, worker: bytes | None = None
) -> Choice:
    """The cheapest offer that fits and is not the requester's own. Raises NoOffer."""
    found = [choice for choice in await all_offers(ledger, model) if choice.worker != requester]
    if worker is not None:
        found = [choice for choice in found if choice.worker == worker]
    if not found:
        whom = "that worker does not offer" if worker is not None else "no active worker offers"
        raise NoOffer(f"{whom} {model or 'any model'}: `llmnet offers` lists what there is")
    return found[0]
