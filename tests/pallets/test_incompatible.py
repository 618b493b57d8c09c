"""Against another runtime version: what changed is refused by name, everything else works."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from llmnet.chain import (
    Call,
    Client,
    DispatchError,
    IncompatibleRuntime,
    Keypair,
    Metadata,
    Runtime,
    RuntimeVersion,
    parse_metadata,
)
from llmnet.chain.registry import VariantDef
from llmnet.pallets import beacon, reputation, sessions, spot_checks, staking
from llmnet.pallets._generated.staking import views as staking_views
from llmnet.pallets._generated.sudo import calls as sudo
from llmnet.pallets._generated.system import calls as system
from llmnet.pallets._generated.system import events as system_events
from llmnet.pallets._generated.system import storage as system_storage
from llmnet.pallets.staking import StakeRole

from .conftest import ARTIFACTS
from .neighbours import neighbour

writing = neighbour("chain", "writing")
FakeNode = neighbour("chain", "node").FakeNode

CALLS = "pallet_staking::pallet::Call"
ROLE = "llmnet_primitives::traits::Role"
WHO = bytes(32)


def rename_field(old: str, new: str) -> Callable[[VariantDef], VariantDef]:
    def change(variant: VariantDef) -> VariantDef:
        fields = [dataclasses.replace(f, name=new) if f.name == old else f for f in variant.fields]
        return dataclasses.replace(variant, fields=tuple(fields))

    return change


def other(metadata: Metadata) -> Runtime:
    """A second version, through bytes as a node would send them."""
    return Runtime(parse_metadata(writing.write_metadata(metadata)), RuntimeVersion("llmnet", 2, 1, 1))


def with_role(metadata: Metadata, name: str) -> Metadata:
    """The roles and one more."""

    def change(kind: Any) -> Any:
        more = VariantDef(name, (), 2)
        return dataclasses.replace(
            kind, definition=dataclasses.replace(kind.definition, variants=(*kind.definition.variants, more))
        )

    changed: Metadata = writing.change_type(metadata, ROLE, change)
    return changed


def test_the_same_runtime_is_compatible_in_everything(runtime: Runtime) -> None:
    again = other(runtime.metadata)
    for call in (staking.bond(StakeRole.WORKER, 5), sessions.close(3), sudo.sudo(staking.unbond())):
        assert again.encode_call(call) == runtime.encode_call(call)


def test_a_renamed_argument_is_told_with_both_shapes(runtime: Runtime) -> None:
    changed = other(writing.change_variant(runtime.metadata, CALLS, "bond", rename_field("amount", "stake")))
    with pytest.raises(IncompatibleRuntime) as caught:
        changed.encode_call(staking.bond(StakeRole.WORKER, 5))
    assert (caught.value.kind, caught.value.entry) == ("call", "Staking.bond")
    assert str(caught.value).startswith(
        "the call Staking.bond is not the one this program was made for: it was (role: Role, amount: Compact<u128>)"
        " and is (role: Role, stake: Compact<u128>) (runtime llmnet 2)"
    )
    assert changed.encode_call(staking.unbond()) == runtime.encode_call(staking.unbond())


def test_a_call_inside_a_call_is_checked_too(runtime: Runtime) -> None:
    changed = other(writing.change_variant(runtime.metadata, CALLS, "bond", rename_field("amount", "stake")))
    assert changed.encode_call(sudo.sudo(staking.unbond()))
    with pytest.raises(IncompatibleRuntime, match=r"call Staking\.bond "):
        changed.encode_call(sudo.sudo(staking.bond(StakeRole.WORKER, 5)))


def test_a_call_that_is_gone(runtime: Runtime) -> None:
    changed = other(writing.change_variant(runtime.metadata, CALLS, "bond_extra", lambda _: None))
    with pytest.raises(IncompatibleRuntime, match=r"call Staking\.bond_extra .*: the runtime has none"):
        changed.encode_call(staking.bond_extra(1))
    pallets = {name: pallet for name, pallet in runtime.metadata.pallets.items() if name != "Beacon"}
    without = other(dataclasses.replace(runtime.metadata, pallets=pallets))
    with pytest.raises(IncompatibleRuntime, match=r"constant Beacon\.CommitBlocks .*: the runtime has none"):
        without.bound.constant(beacon.constants.CommitBlocks)
    with pytest.raises(IncompatibleRuntime, match=r"storage item Beacon\."):
        without.bound.storage(beacon.storage.Shares.entry)


def test_older_metadata_reads_storage_and_says_what_it_cannot_do(runtime: Runtime) -> None:
    old = Runtime(parse_metadata((ARTIFACTS / "metadata_v14.scale").read_bytes()), runtime.version)
    call = staking.bond(StakeRole.WORKER, 5)
    assert old.encode_call(call) == runtime.encode_call(call)
    assert old.bound.storage(staking.storage.Bonds.entry)
    with pytest.raises(IncompatibleRuntime, match="the node tells metadata V14 only"):
        old.bound.view_function(staking_views._BOND_OF)


def test_a_new_variant_deep_inside_is_told_by_name(runtime: Runtime) -> None:
    changed = other(with_role(runtime.metadata, "Judge"))
    for attempt in (
        lambda: changed.encode_call(staking.bond(StakeRole.WORKER, 5)),
        lambda: changed.bound.storage(staking.storage.Bonds.entry),
        lambda: changed.bound.check_event(staking.events.Bonded),
    ):
        with pytest.raises(IncompatibleRuntime, match="Role has changed: new JUDGE"):
            attempt()
    assert changed.bound.storage(staking.storage.Validators.entry)
    changed.bound.check_event(staking.events.Unbonding)


def test_other_indices_and_other_documentation_change_nothing(runtime: Runtime) -> None:
    pallets = dict(runtime.metadata.pallets)
    call_id = runtime.metadata.extrinsic.call

    def moved(variant: VariantDef) -> VariantDef:
        return dataclasses.replace(variant, index=77)

    metadata = dataclasses.replace(runtime.metadata, pallets=pallets)
    path = "::".join(metadata.types[call_id].path)
    changed = other(writing.change_variant(writing.without_docs(metadata), path, "Staking", moved))
    encoded = changed.encode_call(staking.bond(StakeRole.WORKER, 5))
    assert encoded[0] == 77
    assert encoded[1:] == runtime.encode_call(staking.bond(StakeRole.WORKER, 5))[1:]


def test_a_call_that_was_made_by_hand_is_left_to_the_codec(runtime: Runtime) -> None:
    changed = other(writing.change_variant(runtime.metadata, CALLS, "bond", rename_field("amount", "stake")))
    made = Call("Staking", "bond", {"role": StakeRole.WORKER, "stake": 5})
    assert changed.encode_call(made) == runtime.encode_call(staking.bond(StakeRole.WORKER, 5))


def test_an_error_is_recognised_by_its_class(runtime: Runtime) -> None:
    error = DispatchError("Module", "Staking", "NotBonded")
    assert error.is_a(staking.errors.NotBonded)
    assert not error.is_a(staking.errors.AlreadyBonded)
    runtime.bound.check_error(staking.errors.NotBonded)
    gone = writing.change_variant(
        runtime.metadata, "pallet_staking::pallet::Error", "NotBonded", lambda _: None
    )
    with pytest.raises(IncompatibleRuntime, match=r"error Staking\.NotBonded"):
        other(gone).bound.check_error(staking.errors.NotBonded)


# A client that is running meanwhile


@pytest.fixture
def node(runtime: Runtime) -> Any:
    return FakeNode(runtime, {16: (ARTIFACTS / "metadata_v16.scale").read_bytes()})


async def test_an_upgrade_under_a_running_client_needs_no_restart(node: Any, runtime: Runtime) -> None:
    transport = node.transport()
    client = await Client.over(transport, poll=0.01)
    alice = Keypair.from_uri("//Alice")
    node.seal(2)
    before = client.at()
    await before.get(system_storage.Number)
    assert client.runtime.encode_call(staking.bond(StakeRole.WORKER, 5))

    changed = writing.change_variant(runtime.metadata, CALLS, "bond", rename_field("amount", "stake"))
    node.metadata = {16: writing.write_metadata(changed)}
    node.version = 2
    node.seal(2)
    node.runtime = other(changed)

    result = await client.submit(system.remark_with_event(b"hello"), alice)
    found = result.find(system_events.Remarked)
    assert found is not None
    assert found.sender == alice.public
    assert client.runtime_version.spec_version == 2
    with pytest.raises(IncompatibleRuntime, match=r"runtime llmnet 2"):
        await client.submit(staking.bond(StakeRole.WORKER, 5), alice)
    assert (await before.runtime()).version.spec_version == 1  # an old block keeps its own
    await client.submit(system.remark(b"after the refusal"), alice)
    assert len(node.submitted) == 2  # what was refused was never sent
    await transport.close()


async def test_views_read_typed_storage_in_one_batch_or_page_by_page(node: Any, runtime: Runtime) -> None:
    who = [bytes([n]) * 32 for n in range(5)]
    bonds = runtime.storage("Staking", "Bonds")
    bond = staking.Bond(StakeRole.VALIDATOR, 7, WHO, 1, None, False)
    for account in who[:3]:
        node.storage[runtime.storage_key(bonds, (account,))] = runtime.codec.encode(bonds.value, bond)
    transport = node.transport()
    client = await Client.over(transport, poll=0.01)
    node.seal(2)
    view = client.at()
    assert await view.get(staking.storage.Bonds, who[0]) == bond
    assert await view.get(staking.storage.Bonds, who[4]) is None
    assert await view.get(staking.storage.Validators) == ()
    both = await view.read(staking.storage.Bonds.at(who[1]), staking.storage.Validators.at())
    assert both == (bond, ())
    assert (
        await view.read_all([staking.storage.Bonds.at(account) for account in who]) == [bond] * 3 + [None] * 2
    )
    assert {key: value async for key, value in view.items(staking.storage.Bonds)} == dict.fromkeys(
        who[:3], bond
    )
    with pytest.raises(TypeError, match="takes 1 keys, got 0"):
        await view.read_all([staking.storage.Bonds.at()])  # type: ignore[call-arg]
    assert await view.constant(staking.constants.UnbondingPeriod) == runtime.constant(
        "Staking", "UnbondingPeriod"
    )
    await transport.close()


async def test_an_event_that_was_made_by_hand_has_no_typed_form(runtime: Runtime) -> None:
    from llmnet.chain import Event

    event = Event(1, WHO, None, "Staking", "Unbonding", {"who": WHO, "until": 9})
    assert spot_checks.events.AuditDrawn.read(event) is None
    with pytest.raises(ValueError, match="no bytes to decode"):
        staking.events.Unbonding.read(event)
    assert reputation.Axis.INTEGRITY == 0
