"""Specs, calibration, domains and offers (`runtime_spec/pallets/registry`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmnet.chain import Call, View
from llmnet.proof import Calibration, NumericsClass, ServiceSpec

from ._convert import enum_from_chain, record, to_chain

PALLET = "Registry"
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


def register_spec(spec: ServiceSpec) -> Call:
    """Register what workers may offer; a deposit is held."""
    return Call(PALLET, "register_spec", {"spec": to_chain(spec)})


def remove_spec(spec_id: bytes) -> Call:
    """Take back a spec and its deposit: without offers, and some time after the last one."""
    return Call(PALLET, "remove_spec", {"spec_id": spec_id})


def set_calibration(spec_id: bytes, calibration: Calibration) -> Call:
    """Set the thresholds of a spec (root)."""
    return Call(PALLET, "set_calibration", {"spec_id": spec_id, "calibration": to_chain(calibration)})


def add_domain(name: str, parent: int | None = None) -> Call:
    """Add a domain to the tree (root)."""
    return Call(PALLET, "add_domain", {"name": name.encode(), "parent": parent})


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
    return Call(
        PALLET,
        "put_offer",
        {
            "spec_id": spec_id,
            "endpoint": endpoint.encode(),
            "price_in": price_in,
            "price_out": price_out,
            "domains": list(domains),
            "policy_digest": policy_digest,
            "capacity": capacity,
        },
    )


def withdraw_offer(spec_id: bytes) -> Call:
    """Stop offering a spec."""
    return Call(PALLET, "withdraw_offer", {"spec_id": spec_id})


def heartbeat() -> Call:
    """Show that the worker is alive."""
    return Call(PALLET, "heartbeat", {})


def prune_offer(spec_id: bytes, worker: bytes) -> Call:
    """Remove the offer of a worker that is no longer bonded."""
    return Call(PALLET, "prune_offer", {"spec_id": spec_id, "worker": worker})


def _offer(value: dict[str, Any]) -> Offer:
    return record(
        Offer, value, endpoint=value["endpoint"].decode(errors="replace"), domains=tuple(value["domains"])
    )


def _spec(value: dict[str, Any]) -> ServiceSpec:
    return record(ServiceSpec, value, numerics=enum_from_chain(NumericsClass, value["numerics"]))


async def spec(view: View, spec_id: bytes) -> ServiceSpec | None:
    """The registered spec."""
    value = await view.view_function(PALLET, "spec", id=spec_id)
    return None if value is None else _spec(value)


async def specs(view: View) -> dict[bytes, ServiceSpec]:
    """All registered specs by id."""
    return {spec_id: _spec(value) for spec_id, value in await view.view_function(PALLET, "specs")}


async def calibration(view: View, spec_id: bytes) -> Calibration | None:
    """The thresholds of a spec, unless there are none or they have expired."""
    value = await view.view_function(PALLET, "calibration", id=spec_id)
    return None if value is None else record(Calibration, value)


async def offer(view: View, spec_id: bytes, worker: bytes) -> Offer | None:
    """A worker's offer for a spec, whether or not the worker is active."""
    value = await view.view_function(PALLET, "offer", spec_id=spec_id, worker=worker)
    return None if value is None else _offer(value)


async def offers(view: View, spec_id: bytes) -> dict[bytes, Offer]:
    """The offers of active workers for a spec, by worker."""
    return {
        worker: _offer(value) for worker, value in await view.view_function(PALLET, "offers", spec_id=spec_id)
    }


async def offers_in_domain(view: View, domain: int) -> dict[tuple[bytes, bytes], Offer]:
    """The offers of active workers that name this very domain, by spec and worker."""
    listed = await view.view_function(PALLET, "offers_in_domain", domain=domain)
    return {(spec_id, worker): _offer(value) for spec_id, worker, value in listed}


async def domains(view: View) -> dict[int, Domain]:
    """The domains by number."""
    listed = await view.view_function(PALLET, "domains")
    return {
        number: record(Domain, value, name=value["name"].decode(errors="replace")) for number, value in listed
    }


async def last_heartbeat(view: View, worker: bytes) -> int | None:
    """The block of the worker's last sign of life."""
    block: int | None = await view.view_function(PALLET, "last_heartbeat", worker=worker)
    return block
