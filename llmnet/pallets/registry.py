"""Specs, calibration, domains and offers (`runtime_spec/pallets/registry`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmnet.chain import Call, View
from llmnet.proof import ServiceSpec

from ._generated import types
from ._generated.registry import calls, constants, errors, events, storage, views
from ._generated.registry.calls import (
    heartbeat,
    prune_offer,
    register_spec,
    remove_spec,
    set_calibration,
    withdraw_offer,
)
from ._generated.registry.views import calibration, last_heartbeat, spec

GENERAL_DOMAIN = 0


@dataclass(frozen=True, slots=True)
class Domain:
    """A node of the domain tree; `parent` is None for a root."""

    name: str
    parent: int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A worker's terms for one spec. Prices are plancks per 1,000 tokens; `version` counts changes."""

    endpoint: str
    price_in: int
    price_out: int
    domains: tuple[int, ...]
    policy_digest: bytes
    capacity: int
    version: int
    updated_at: int


def add_domain(name: str, parent: int | None = None) -> Call:
    """Add a domain to the tree (root)."""
    return calls.add_domain(name.encode(), parent)


def put_offer(
    spec_id: bytes,
    *,
    endpoint: str,
    price_in: int,
    price_out: int,
    domains: Sequence[int] = (GENERAL_DOMAIN,),
    policy_digest: bytes = bytes(32),
    capacity: int = 8,
) -> Call:
    """Offer a spec, or change the offer. Prices in plancks per 1,000 tokens."""
    return calls.put_offer(spec_id, endpoint.encode(), price_in, price_out, domains, policy_digest, capacity)


def _offer(found: types.Offer) -> Offer:
    return Offer(
        found.endpoint.decode(errors="replace"),
        found.price_in,
        found.price_out,
        found.domains,
        found.policy_digest,
        found.capacity,
        found.version,
        found.updated_at,
    )


async def specs(view: View) -> dict[bytes, ServiceSpec]:
    """All registered specs by id."""
    return dict(await views.specs(view))


async def offer(view: View, spec_id: bytes, worker: bytes) -> Offer | None:
    """A worker's offer for a spec, whether or not the worker is active."""
    found = await views.offer(view, spec_id, worker)
    return None if found is None else _offer(found)


async def former_endpoint(view: View, worker: bytes) -> str | None:
    """Where a removed worker was reached before its offers were withdrawn: its appeals are audited there."""
    found = await views.former_endpoint(view, worker)
    return None if found is None else found.decode(errors="replace")


async def offers(view: View, spec_id: bytes) -> dict[bytes, Offer]:
    """The offers of active workers for a spec, by worker."""
    return {worker: _offer(found) for worker, found in await views.offers(view, spec_id)}


async def offers_in_domain(view: View, domain: int) -> dict[tuple[bytes, bytes], Offer]:
    """The offers of active workers that name this very domain, by spec and worker."""
    listed = await views.offers_in_domain(view, domain)
    return {(spec_id, worker): _offer(found) for spec_id, worker, found in listed}


async def domains(view: View) -> dict[int, Domain]:
    """The domains by number."""
    listed = await views.domains(view)
    return {number: Domain(found.name.decode(errors="replace"), found.parent) for number, found in listed}


__all__ = [
    "GENERAL_DOMAIN",
    "Domain",
    "Offer",
    "add_domain",
    "calibration",
    "constants",
    "domains",
    "errors",
    "events",
    "former_endpoint",
    "heartbeat",
    "last_heartbeat",
    "offer",
    "offers",
    "offers_in_domain",
    "prune_offer",
    "put_offer",
    "register_spec",
    "remove_spec",
    "set_calibration",
    "spec",
    "specs",
    "storage",
    "withdraw_offer",
]
