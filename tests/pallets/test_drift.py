"""Our types name the same fields and variants as the runtime; a change on either side is seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import pytest

from llmnet import proof
from llmnet.chain import DecodeError, Runtime, Variant
from llmnet.pallets import beacon, registry, reputation, sessions, spot_checks, staking
from llmnet.pallets._convert import enum_from_chain, named, record

from .shapes import enum_drift, field_names, struct_drift, type_named, variants

PRIMITIVES = "llmnet_primitives::types::"
AUDITS = "pallet_spot_checks::types::"
NOTHING: Mapping[str, tuple[str, ...]] = {}
EVIDENCE = {"evidence": ("position_evidence", "margin_evidence"), "total": ("position_total", "margin_total")}

# What is flattened: a session's status carries its block; evidence is a pair.
STRUCTS: list[tuple[type[Any], str, Mapping[str, tuple[str, ...]]]] = [
    (staking.Bond, "pallet_staking::types::Bond", NOTHING),
    (registry.Offer, "pallet_registry::types::Offer", NOTHING),
    (registry.Domain, "pallet_registry::types::Domain", NOTHING),
    (sessions.Session, "pallet_sessions::types::Session", {"status": ("status", "status_block")}),
    (sessions.Money, "pallet_sessions::types::Money", NOTHING),
    (spot_checks.Member, AUDITS + "Member", NOTHING),
    (spot_checks.Answer, AUDITS + "Answer", NOTHING),
    (spot_checks.Outcome, AUDITS + "Outcome", EVIDENCE),
    (spot_checks.Audit, AUDITS + "Audit", NOTHING),
    (spot_checks.WorkerState, AUDITS + "WorkerState", {"evidence": ("position", "margin")}),
    (spot_checks.Batch, AUDITS + "Batch", NOTHING),
    (beacon.BeaconStatus, "pallet_beacon::types::BeaconStatus", NOTHING),
    *[
        (kind, PRIMITIVES + kind.__name__, NOTHING)
        for kind in (
            proof.ServiceSpec,
            proof.Calibration,
            proof.Candidate,
            proof.Leaf,
            proof.Receipt,
            proof.Segment,
            proof.PlacedSegment,
        )
    ],
]
ENUMS: list[tuple[type[IntEnum], str]] = [
    (staking.StakeRole, "llmnet_primitives::traits::Role"),
    (reputation.Axis, "pallet_reputation::types::Axis"),
    (spot_checks.Stage, AUDITS + "Stage"),
    (proof.NumericsClass, PRIMITIVES + "NumericsClass"),
    (proof.FinishReason, PRIMITIVES + "FinishReason"),
]
NAMES = [
    (sessions.STATUSES, "pallet_sessions::types::Status"),
    (spot_checks.BATCH_STATES, AUDITS + "BatchState"),
    (spot_checks.VERDICTS, "llmnet_primitives::traits::Verdict"),
    (spot_checks.REASONS, "llmnet_primitives::scoring::Reason"),
    (("Reference", "Withheld"), AUDITS + "ReferenceCommitment"),
]
OURS = ("Staking", "Registry", "Sessions", "SpotChecks", "Reputation", "Beacon")


@pytest.mark.parametrize(
    ("ours", "path", "flattened"), STRUCTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_fields_are_the_chains(
    runtime: Runtime, ours: type[Any], path: str, flattened: Mapping[str, tuple[str, ...]]
) -> None:
    assert struct_drift(ours, field_names(runtime.metadata, path), flattened) == (set(), set())


@pytest.mark.parametrize(("ours", "path"), ENUMS, ids=lambda value: getattr(value, "__name__", ""))
def test_variants_are_the_chains(runtime: Runtime, ours: type[IntEnum], path: str) -> None:
    assert enum_drift(ours, variants(runtime.metadata, path)) == set()


@pytest.mark.parametrize(
    ("names", "path"), NAMES, ids=lambda value: value.rpartition("::")[2] if isinstance(value, str) else ""
)
def test_names_are_the_chains_in_order(runtime: Runtime, names: tuple[str, ...], path: str) -> None:
    assert list(variants(runtime.metadata, path)) == list(names)


@pytest.mark.parametrize("left_out", ["price_in", "endpoint"])
def test_a_field_that_the_chain_dropped_or_added_is_seen(runtime: Runtime, left_out: str) -> None:
    theirs = field_names(runtime.metadata, "pallet_registry::types::Offer")
    fewer = [name for name in theirs if name != left_out]
    assert struct_drift(registry.Offer, fewer, NOTHING) == ({left_out}, set())
    assert struct_drift(registry.Offer, [*theirs, "colour"], NOTHING) == (set(), {"colour"})


def test_a_variant_that_moved_or_appeared_is_seen(runtime: Runtime) -> None:
    theirs = variants(runtime.metadata, AUDITS + "Stage")
    assert enum_drift(spot_checks.Stage, theirs | {"Appealed": 5}) == {("Appealed", 5)}
    assert enum_drift(spot_checks.Stage, theirs | {"Decided": 9}) == {("Decided", 4), ("Decided", 9)}


def test_every_struct_and_enum_that_a_view_gives_out_is_compared(runtime: Runtime) -> None:
    """A new type in a view's result has to be entered above."""
    compared = {path for _, path, _ in STRUCTS} | {path for _, path in (*ENUMS, *NAMES)}
    by_hand = {"pallet_sessions::types::PendingEpoch", "llmnet_primitives::scoring::Evidence"}
    reached: set[str] = set()
    for pallet in OURS:
        for function in runtime.metadata.pallet(pallet).view_functions.values():
            for type_id in (function.output, *(type_id for _, type_id in function.inputs)):
                _reach(runtime, type_id, reached)
    ours = {path for path in reached if path.startswith(("llmnet_primitives", "pallet_"))}
    assert ours - compared - by_hand == set()
    assert by_hand <= ours


def test_what_is_read_by_hand_has_the_fields_that_the_reader_takes(runtime: Runtime) -> None:
    assert field_names(runtime.metadata, "pallet_sessions::types::PendingEpoch") == ["epoch", "amount"]
    assert field_names(runtime.metadata, "llmnet_primitives::scoring::Evidence") == ["position", "margin"]


def _reach(runtime: Runtime, type_id: int, reached: set[str]) -> None:
    kind = runtime.metadata.types[type_id]
    path = "::".join(kind.path)
    if path and path not in ("Option", "bounded_collections::bounded_vec::BoundedVec"):
        if path in reached:
            return
        reached.add(path)
    definition = kind.definition
    parts = [field.type for field in getattr(definition, "fields", ())]
    parts += [field.type for variant in getattr(definition, "variants", ()) for field in variant.fields]
    parts += [*getattr(definition, "items", ())]
    parts += [part for name in ("item", "inner") if (part := getattr(definition, name, None)) is not None]
    for part in parts:
        _reach(runtime, part, reached)


def test_a_runtime_that_is_newer_is_an_error_with_a_name() -> None:
    with pytest.raises(DecodeError, match="no variant 'Appealed'"):
        enum_from_chain(spot_checks.Stage, Variant("Appealed"))
    with pytest.raises(DecodeError, match="'Lost' is none of Passed, Failed, Abstained"):
        named(spot_checks.VERDICTS, Variant("Lost"))
    with pytest.raises(DecodeError, match="Money has no uncleared"):
        record(sessions.Money, {"escrow": 1})


def test_a_field_that_we_do_not_know_yet_is_left_out() -> None:
    found = record(sessions.Money, {"escrow": 1, "uncleared": 2, "bonus": 3})
    assert dataclasses.asdict(found) == {"escrow": 1, "uncleared": 2}


def test_types_are_looked_up_by_their_whole_path(runtime: Runtime) -> None:
    with pytest.raises(AssertionError, match="no type Offer"):
        type_named(runtime.metadata, "Offer")
