# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""View functions of the pallet `Registry`."""

from __future__ import annotations

from llmnet.chain import Entry, View, ViewFunction

from .. import types as t

_SPEC: ViewFunction[t.ServiceSpec | None] = ViewFunction(
    Entry("Registry", "spec", "3967f490ed0f65c5", "(id: H256) -> Option<ServiceSpec>", t.TYPES)
)


async def spec(view: View, id: t.H256) -> t.ServiceSpec | None:
    """The spec with this id."""
    return await view.ask(_SPEC, {"id": id})


_CALIBRATION: ViewFunction[t.Calibration | None] = ViewFunction(
    Entry("Registry", "calibration", "26d1a88117034101", "(id: H256) -> Option<Calibration>", t.TYPES)
)


async def calibration(view: View, id: t.H256) -> t.Calibration | None:
    """The thresholds of a spec, unless expired."""
    return await view.ask(_CALIBRATION, {"id": id})


_OFFER: ViewFunction[t.Offer | None] = ViewFunction(
    Entry(
        "Registry",
        "offer",
        "6787b2cafea80755",
        "(spec_id: H256, worker: AccountId32) -> Option<Offer>",
        t.TYPES,
    )
)


async def offer(view: View, spec_id: t.H256, worker: t.AccountId32) -> t.Offer | None:
    """One offer, whether or not its worker is active."""
    return await view.ask(_OFFER, {"spec_id": spec_id, "worker": worker})


_FORMER_ENDPOINT: ViewFunction[bytes | None] = ViewFunction(
    Entry(
        "Registry", "former_endpoint", "77d1bd3b5e3aaced", "(worker: AccountId32) -> Option<Vec<u8>>", t.TYPES
    )
)


async def former_endpoint(view: View, worker: t.AccountId32) -> bytes | None:
    """Where a removed worker was reached before its offers were withdrawn."""
    return await view.ask(_FORMER_ENDPOINT, {"worker": worker})


_OFFERS: ViewFunction[tuple[tuple[t.AccountId32, t.Offer], ...]] = ViewFunction(
    Entry("Registry", "offers", "2fdadcfe2fc3ca47", "(spec_id: H256) -> Vec<(AccountId32, Offer)>", t.TYPES)
)


async def offers(view: View, spec_id: t.H256) -> tuple[tuple[t.AccountId32, t.Offer], ...]:
    """The offers of active workers for a spec; at most `MaxOffersPerSpec`."""
    return await view.ask(_OFFERS, {"spec_id": spec_id})


_OFFERS_IN_DOMAIN: ViewFunction[tuple[tuple[t.H256, t.AccountId32, t.Offer], ...]] = ViewFunction(
    Entry(
        "Registry",
        "offers_in_domain",
        "dd541976c9f6cac2",
        "(domain: u32) -> Vec<(H256, AccountId32, Offer)>",
        t.TYPES,
    )
)


async def offers_in_domain(view: View, domain: int) -> tuple[tuple[t.H256, t.AccountId32, t.Offer], ...]:
    """The offers of active workers that name this very domain, with their specs."""
    return await view.ask(_OFFERS_IN_DOMAIN, {"domain": domain})


_DOMAINS: ViewFunction[tuple[tuple[int, t.Domain], ...]] = ViewFunction(
    Entry("Registry", "domains", "c70e35cc8060dc0d", "() -> Vec<(u32, Domain)>", t.TYPES)
)


async def domains(view: View) -> tuple[tuple[int, t.Domain], ...]:
    """All domains by id."""
    return await view.ask(_DOMAINS, {})


_SPECS: ViewFunction[tuple[tuple[t.H256, t.ServiceSpec], ...]] = ViewFunction(
    Entry("Registry", "specs", "066d4713a2e282ea", "() -> Vec<(H256, ServiceSpec)>", t.TYPES)
)


async def specs(view: View) -> tuple[tuple[t.H256, t.ServiceSpec], ...]:
    """All specs with their ids."""
    return await view.ask(_SPECS, {})


_LAST_HEARTBEAT: ViewFunction[int | None] = ViewFunction(
    Entry("Registry", "last_heartbeat", "ee6371a8431972e2", "(worker: AccountId32) -> Option<u32>", t.TYPES)
)


async def last_heartbeat(view: View, worker: t.AccountId32) -> int | None:
    """The last block in which a worker said that it is alive."""
    return await view.ask(_LAST_HEARTBEAT, {"worker": worker})
