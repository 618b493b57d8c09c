# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `Registry`."""

from __future__ import annotations

from collections.abc import Sequence

from llmnet.chain import Call, Entry

from .. import types as t

_REGISTER_SPEC = Entry("Registry", "register_spec", "879402df1feee280", "spec: ServiceSpec", t.TYPES)


def register_spec(spec: t.ServiceSpec) -> Call:
    """Registers a spec and holds `SpecDeposit` of the caller."""
    return Call("Registry", "register_spec", {"spec": spec}, _REGISTER_SPEC)


_REMOVE_SPEC = Entry("Registry", "remove_spec", "a687667c6c9b6586", "spec_id: H256", t.TYPES)


def remove_spec(spec_id: t.H256) -> Call:
    """Removes a spec that nobody has offered for `SpecRetention` blocks; its depositor gets the deposit
    back.

    Sessions outlive the offers they were opened by, and their answers are judged by the spec.
    """
    return Call("Registry", "remove_spec", {"spec_id": spec_id}, _REMOVE_SPEC)


_SET_CALIBRATION = Entry(
    "Registry", "set_calibration", "c2cbf40919eb3b9c", "spec_id: H256, calibration: Calibration", t.TYPES
)


def set_calibration(spec_id: t.H256, calibration: t.Calibration) -> Call:
    """Sets the measured thresholds of a spec. Root only."""
    return Call(
        "Registry", "set_calibration", {"spec_id": spec_id, "calibration": calibration}, _SET_CALIBRATION
    )


_ADD_DOMAIN = Entry(
    "Registry", "add_domain", "bb1d99fa55fd0636", "name: Vec<u8>, parent: Option<u32>", t.TYPES
)


def add_domain(name: bytes, parent: int | None) -> Call:
    """Adds a domain, at the top or below `parent`. Root only."""
    return Call("Registry", "add_domain", {"name": name, "parent": parent}, _ADD_DOMAIN)


_PUT_OFFER = Entry(
    "Registry",
    "put_offer",
    "9fdcf68bdc05a059",
    "spec_id: H256, endpoint: Vec<u8>, price_in: u128, price_out: u128, domains: Vec<u32>, policy_digest: H256, capacity: u32",
    t.TYPES,
)


def put_offer(
    spec_id: t.H256,
    endpoint: bytes,
    price_in: int,
    price_out: int,
    domains: Sequence[int],
    policy_digest: t.H256,
    capacity: int,
) -> Call:
    """Offers a spec, or changes the caller's offer of it. Active bonded workers only. Counts as a
    heartbeat.

    Prices are plancks per 1,000 tokens. Open sessions keep the prices that they were opened with.
    """
    return Call(
        "Registry",
        "put_offer",
        {
            "spec_id": spec_id,
            "endpoint": endpoint,
            "price_in": price_in,
            "price_out": price_out,
            "domains": domains,
            "policy_digest": policy_digest,
            "capacity": capacity,
        },
        _PUT_OFFER,
    )


_WITHDRAW_OFFER = Entry("Registry", "withdraw_offer", "222a8d5d996338eb", "spec_id: H256", t.TYPES)


def withdraw_offer(spec_id: t.H256) -> Call:
    """Withdraws the caller's offer of a spec. Open sessions go on."""
    return Call("Registry", "withdraw_offer", {"spec_id": spec_id}, _WITHDRAW_OFFER)


_HEARTBEAT = Entry("Registry", "heartbeat", "c5c937023b12aebe", "", t.TYPES)


def heartbeat() -> Call:
    """Says that the caller, a worker with an offer, is alive."""
    return Call("Registry", "heartbeat", {}, _HEARTBEAT)


_PRUNE_OFFER = Entry(
    "Registry", "prune_offer", "2d0977aaeed1f4ab", "spec_id: H256, worker: AccountId32", t.TYPES
)


def prune_offer(spec_id: t.H256, worker: t.AccountId32) -> Call:
    """Sweeps away the offer of a worker that is not active. Anyone may."""
    return Call("Registry", "prune_offer", {"spec_id": spec_id, "worker": worker}, _PRUNE_OFFER)
