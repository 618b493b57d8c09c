"""Every call has a builder and every view function a reader, and both fit the runtime's types."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from enum import IntEnum
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet import proof
from llmnet.chain import Call, EncodeError, Runtime, Variant, ViewFunction
from llmnet.pallets import beacon, registry, reputation, sessions, spot_checks, staking
from llmnet.pallets.registry import Domain, Offer
from llmnet.pallets.spot_checks import Stage
from llmnet.pallets.staking import StakeRole

from .shapes import PALLETS, builders, names, readers
from .strategies import CALIBRATIONS, LEAVES, PLACED, RECEIPTS, SEGMENTS, SPECS, chain_values

# A call or view function that has no word of its own, with the reason. Nothing is missing today.
NOT_WRAPPED: dict[tuple[str, str], str] = {}

FEW = settings(max_examples=20)
HASH = st.binary(min_size=32, max_size=32)
SIGNATURE = st.binary(min_size=64, max_size=64)
U32, U64, U128 = (st.integers(0, 2**bits - 1) for bits in (32, 64, 128))
PROOF = st.lists(HASH, max_size=3)
TEXT = st.text(max_size=30)

# How each builder is called: one strategy per parameter.
CALLS: dict[Callable[..., Call], dict[str, st.SearchStrategy[Any]]] = {
    staking.bond: {"role": st.sampled_from(StakeRole), "amount": U128},
    staking.bond_extra: {"amount": U128},
    staking.unbond: {},
    staking.withdraw: {},
    staking.propose_owner: {"owner": HASH},
    staking.accept_owner: {"hot": HASH},
    registry.register_spec: {"spec": SPECS},
    registry.remove_spec: {"spec_id": HASH},
    registry.set_calibration: {"spec_id": HASH, "calibration": CALIBRATIONS},
    registry.add_domain: {"name": TEXT, "parent": st.none() | U32},
    registry.put_offer: {
        "spec_id": HASH,
        "endpoint": TEXT,
        "price_in": U128,
        "price_out": U128,
        "domains": st.lists(U32, max_size=8),
        "policy_digest": HASH,
        "capacity": U32,
    },
    registry.withdraw_offer: {"spec_id": HASH},
    registry.heartbeat: {},
    registry.prune_offer: {"spec_id": HASH, "worker": HASH},
    sessions.open: {
        "worker": HASH,
        "spec_id": HASH,
        "escrow": U128,
        "max_price_in": U128,
        "max_price_out": U128,
        "expires_in": U32,
        "domain": U32,
    },
    sessions.top_up: {"session": U64, "amount": U128},
    sessions.claim: {"session": U64, "amount": U128, "answers": U32, "signature": SIGNATURE},
    sessions.close: {"session": U64},
    sessions.close_with_voucher: {"session": U64, "amount": U128, "answers": U32, "signature": SIGNATURE},
    sessions.rate: {"session": U64, "stars": st.integers(0, 255)},
    spot_checks.commit_batch: {"segments": st.lists(SEGMENTS, max_size=3)},
    spot_checks.open_receipt: {
        "audit": U32,
        "placed": PLACED,
        "segment_proof": PROOF,
        "receipt": RECEIPTS,
        "receipt_proof": PROOF,
    },
    spot_checks.commit_reference: {"audit": U32, "commitment": HASH},
    spot_checks.report_withheld: {"audit": U32},
    spot_checks.open_leaves: {"audit": U32, "leaves": st.lists(LEAVES, max_size=2), "proof": PROOF},
    spot_checks.reveal_reference: {"audit": U32, "leaves": st.lists(LEAVES, max_size=2), "salt": HASH},
    spot_checks.report_equivocation: {
        "worker": HASH,
        "first": RECEIPTS,
        "first_signature": SIGNATURE,
        "second": RECEIPTS,
        "second_signature": SIGNATURE,
    },
    spot_checks.set_audit_floor: {"parts_per_million": U32},
    spot_checks.report_committed: {
        "worker": HASH,
        "epoch": U32,
        "place": U32,
        "placed": PLACED,
        "segment_proof": PROOF,
        "committed": RECEIPTS,
        "receipt_proof": PROOF,
        "signed": RECEIPTS,
        "signature": SIGNATURE,
    },
    spot_checks.report_segment: {
        "worker": HASH,
        "epoch": U32,
        "place": U32,
        "placed": PLACED,
        "segment_proof": PROOF,
        "signed": st.lists(st.tuples(RECEIPTS, SIGNATURE), max_size=2),
    },
    spot_checks.report_opened: {"audit": U32, "signed": RECEIPTS, "signature": SIGNATURE},
    spot_checks.challenge: {"audit": U32, "exceptions": st.lists(U32, max_size=3)},
    spot_checks.appeal: {"audit": U32},
    spot_checks.set_planters: {"planters": st.lists(HASH, max_size=3)},
    spot_checks.plant: {"commitment": HASH},
    spot_checks.reveal_plant: {"audit": U32, "salt": HASH},
    spot_checks.thaw: {},
    beacon.commit: {"round": U32, "commitment": HASH},
    beacon.reveal: {"round": U32, "secret": HASH},
}


class TypedView:
    """Answers a view function with a value of its type, after the arguments were encoded as its inputs."""

    def __init__(self, runtime: Runtime, value: Any = None) -> None:
        self.runtime, self.value = runtime, value
        self.asked: list[tuple[str, str]] = []

    async def ask(self, view: ViewFunction[Any], args: dict[str, Any]) -> Any:
        function = self.runtime.bound.view_function(view)
        self.runtime.encode_inputs(function, args)
        self.asked.append((view.entry.pallet, view.entry.name))
        raw = self.runtime.codec.encode(function.output, self.value)
        return self.runtime.bound.codec(view.entry.types).decode(function.output, raw)


# Coverage: what the runtime has has a word here


def test_every_call_of_our_pallets_has_a_word(runtime: Runtime) -> None:
    theirs = {(pallet, call) for pallet in PALLETS for call in names(runtime.metadata, pallet, "calls")}
    # `report_withheld` is the other variant of `commit_reference`.
    others = {"report_withheld": "commit_reference"}
    ours = {(pallet, others.get(name, name)) for pallet, m in PALLETS.items() for name in builders(m)}
    assert theirs - ours - NOT_WRAPPED.keys() == set()
    assert ours - theirs == set()
    assert NOT_WRAPPED.keys() <= theirs


def test_every_view_function_has_a_word(runtime: Runtime) -> None:
    theirs = {
        (pallet, view) for pallet in PALLETS for view in names(runtime.metadata, pallet, "view_functions")
    }
    ours = {(pallet, name) for pallet, module in PALLETS.items() for name in readers(module)}
    assert theirs - ours - NOT_WRAPPED.keys() == set()
    assert ours - theirs == set()


@pytest.mark.parametrize("kind", ["events", "errors", "storage", "constants"])
def test_every_event_error_storage_item_and_constant_is_reached_through_its_module(
    runtime: Runtime, kind: str
) -> None:
    for pallet, module in PALLETS.items():
        theirs = names(runtime.metadata, pallet, kind)
        offered = vars(getattr(module, kind)) if theirs else {}
        assert theirs <= offered.keys(), pallet


def test_a_call_without_a_word_would_be_seen() -> None:
    without = ModuleType("without")
    without.__dict__.update({name: value for name, value in vars(staking).items() if name != "unbond"})
    without.__dict__["__all__"] = [name for name in staking.__all__ if name != "unbond"]
    assert builders(staking).keys() - builders(without).keys() == {"unbond"}


def test_every_builder_is_tried_below() -> None:
    assert CALLS.keys() == {function for module in PALLETS.values() for function in builders(module).values()}
    for function, arguments in CALLS.items():
        assert arguments.keys() == inspect.signature(function).parameters.keys(), function.__name__


@FEW
@given(data=st.data())
@pytest.mark.parametrize("function", CALLS, ids=lambda f: f"{f.__module__.rpartition('.')[2]}.{f.__name__}")
def test_calls_encode_with_the_runtimes_names_and_types(
    runtime: Runtime, function: Callable[..., Call], data: st.DataObject
) -> None:
    values = {name: data.draw(strategy, name) for name, strategy in CALLS[function].items()}
    call = function(**values)
    decoded = runtime.decode_call(runtime.encode_call(call))
    assert (decoded.pallet, decoded.function) == (call.pallet, call.function)
    assert decoded.args.keys() == call.args.keys()
    assert runtime.encode_call(decoded) == runtime.encode_call(call)  # plain values and typed ones alike


def test_a_builder_with_another_argument_name_would_be_seen(runtime: Runtime) -> None:
    with pytest.raises(EncodeError, match="missing session; unknown number"):
        runtime.encode_call(Call("Sessions", "close", {"number": 1}))


READERS = [(pallet, name) for pallet, module in PALLETS.items() for name in readers(module)]
ARGUMENTS: dict[str, Any] = {
    **dict.fromkeys(("bytes", "t.AccountId32", "t.H256"), bytes(32)),
    "int": 7,
    "Axis": reputation.Axis.QUALITY,
}


@FEW
@given(data=st.data())
@pytest.mark.parametrize(("pallet", "name"), READERS)
async def test_readers_take_any_value_of_the_chains_type(
    runtime: Runtime, pallet: str, name: str, data: st.DataObject
) -> None:
    function = readers(PALLETS[pallet])[name]
    output = runtime.view_function(pallet, name).output
    value = data.draw(chain_values(runtime.metadata.types).of(output), "the chain's answer")
    view = TypedView(runtime, value)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    found = await function(view, *(ARGUMENTS[str(parameter.annotation)] for parameter in parameters))
    assert view.asked == [(pallet, name)]
    assert (found is None) == (value is None)
    if isinstance(value, dict):
        _same_fields(found, value)


def _same_fields(found: Any, value: dict[str, Any]) -> None:
    """Numbers, flags, hashes and accounts came over as they are."""
    for field in dataclasses.fields(found):
        ours, theirs = getattr(found, field.name), value.get(field.name)
        if isinstance(ours, (int, bytes)) and not isinstance(ours, IntEnum) and theirs is not None:
            assert ours == theirs, field.name


async def test_an_offer_is_read_field_by_field(runtime: Runtime) -> None:
    offer = {
        "endpoint": b"http://127.0.0.1:1",
        "price_in": 5,
        "price_out": 6,
        "domains": [0, 2],
        "policy_digest": b"p" * 32,
        "capacity": 3,
        "version": 9,
        "updated_at": 11,
    }
    read = Offer("http://127.0.0.1:1", 5, 6, (0, 2), b"p" * 32, 3, 9, 11)
    spec_id, worker = b"s" * 32, b"w" * 32
    one, listed = TypedView(runtime, offer), TypedView(runtime, [(spec_id, worker, offer)])
    assert await registry.offer(one, spec_id, worker) == read  # type: ignore[arg-type]
    assert await registry.offers_in_domain(listed, 2) == {(spec_id, worker): read}  # type: ignore[arg-type]
    broken = TypedView(runtime, offer | {"endpoint": b"\xff"})
    found = await registry.offer(broken, spec_id, worker)  # type: ignore[arg-type]
    assert found is not None
    assert found.endpoint == "�"


async def test_domains_scores_and_duties(runtime: Runtime) -> None:
    domains = TypedView(
        runtime, [(0, {"name": b"general", "parent": None}), (1, {"name": b"law", "parent": 0})]
    )
    assert await registry.domains(domains) == {0: Domain("general", None), 1: Domain("law", 0)}  # type: ignore[arg-type]
    scores = TypedView(runtime, [(1, Variant("Integrity"), 3 << 15, 1 << 16, 555_000)])
    integrity = reputation.Score(1.5, 1.0, 0.555)
    assert await reputation.scores(scores, bytes(32)) == {(1, reputation.Axis.INTEGRITY): integrity}  # type: ignore[arg-type]
    duties = TypedView(runtime, [(4, Variant("LeavesOpened"), 99, True)])
    expected = [spot_checks.Duty(4, Stage.LEAVES_OPENED, 99, True)]
    assert await spot_checks.assignments(duties, bytes(32)) == expected  # type: ignore[arg-type]
    assert await spot_checks.audit_probability(TypedView(runtime, 250_000), bytes(32)) == 0.25  # type: ignore[arg-type]


@given(receipt=RECEIPTS, spec=SPECS)
async def test_what_the_chain_holds_of_a_receipt_or_spec_is_the_object_again(
    runtime: Runtime, receipt: proof.Receipt, spec: proof.ServiceSpec
) -> None:
    view = TypedView(runtime, spec)
    assert await registry.spec(view, bytes(32)) == spec  # type: ignore[arg-type]
    answer = {"requester": bytes(32), "spec": bytes(32), "domain": 0, "price": 1, "request_seed": bytes(32)}
    audit = dict.fromkeys(("epoch", "ordinal", "segment", "session", "index", "mean_price", "deadline"), 0)
    full = audit | {
        "worker": bytes(32),
        "seed": bytes(32),
        "stage": Variant("Referenced"),
        "panel": [{"validator": bytes(32), "commitment": Variant("Withheld"), "revealed": False}],
        "answer": answer | {"receipt": receipt},
        "outcome": None,
    }
    found = await spot_checks.audit(TypedView(runtime, full), 1)  # type: ignore[arg-type]
    assert found is not None
    assert found.answer is not None
    assert found.answer.receipt == receipt
    assert found.stage is Stage.REFERENCED
    assert found.panel == (spot_checks.Member(bytes(32), spot_checks.ReferenceCommitmentWithheld(), False),)


@pytest.mark.parametrize(
    ("status", "name", "block", "left"),
    [
        (Variant("Open"), "open", None, 70),
        (Variant("Closing", {"until": 12}), "closing", 12, 70),
        (Variant("Closed", {"at": 13}), "closed", 13, 0),
    ],
)
async def test_a_sessions_status_carries_its_block(
    runtime: Runtime, status: Variant, name: str, block: int | None, left: int
) -> None:
    numbers = (
        "domain",
        "price_in",
        "price_out",
        "committed",
        "answers",
        "next_index",
        "seed_round",
        "opened_at",
    )
    value = dict.fromkeys(numbers, 1) | {
        "requester": bytes(32),
        "worker": bytes(32),
        "spec_id": bytes(32),
        "escrow": 100,
        "claimed": 30,
        "expires_at": 50,
        "seed": None,
        "status": status,
        "rated": False,
    }
    found = await sessions.session(TypedView(runtime, value), 3)  # type: ignore[arg-type]
    assert found is not None
    assert (sessions.state(found), sessions.status_block(found), sessions.left(found)) == (name, block, left)
