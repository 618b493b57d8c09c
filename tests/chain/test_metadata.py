"""Metadata V14, V15 and V16 of one runtime tell the same story; damage is noticed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from llmnet.chain import Metadata, MetadataError, Runtime, UnknownEntry, parse_metadata
from llmnet.chain.codec import TypeCodec
from llmnet.chain.hashing import twox_128
from llmnet.chain.metadata import CustomValue
from llmnet.chain.metadata_reader import MAX_BYTES
from llmnet.chain.registry import ArrayOf, SequenceOf, TupleOf, Type, TypeRegistry

from .conftest import load, load_foreign, load_ours
from .writing import write_metadata


@pytest.fixture(scope="module")
def parsed(metadata_bytes: dict[int, bytes]) -> dict[int, Metadata]:
    return {version: parse_metadata(data) for version, data in metadata_bytes.items()}


def outline(metadata: Metadata) -> object:
    """Everything that does not depend on type ids."""
    name = metadata.types.name
    return [
        (
            pallet.name,
            pallet.index,
            [
                (e.name, e.prefix, e.optional, [(h, name(t)) for h, t in e.keys], e.default)
                for e in pallet.storage.values()
            ],
            [(c.name, c.value, name(c.type)) for c in pallet.constants.values()],
        )
        for pallet in metadata.pallets.values()
    ]


def test_versions_agree(parsed: dict[int, Metadata]) -> None:
    assert outline(parsed[14]) == outline(parsed[15]) == outline(parsed[16])
    extensions = [[e.name for e in parsed[version].extrinsic.extensions] for version in (14, 15, 16)]
    assert extensions[0] == extensions[1] == extensions[2]
    assert {method: f.inputs and len(f.inputs) for method, f in parsed[15].apis["Core"].methods.items()} == {
        method: f.inputs and len(f.inputs) for method, f in parsed[16].apis["Core"].methods.items()
    }


def test_v14_is_read_as_scalecodec_reads_it(
    metadata_bytes: dict[int, bytes], parsed: dict[int, Metadata]
) -> None:
    config = RuntimeConfigurationObject()
    config.update_type_registry(load_type_registry_preset("core"))
    oracle = config.create_scale_object("MetadataVersioned", ScaleBytes(metadata_bytes[14]))
    oracle.decode()
    theirs = {
        # It adds the well-known key `:__STORAGE_VERSION__:` to every pallet's list.
        pallet.value["name"]: [e.value["name"] for e in (pallet.storage or []) if e.value["name"][0] != ":"]
        for pallet in oracle.pallets
    }
    assert theirs == {pallet.name: list(pallet.storage) for pallet in parsed[14].pallets.values()}


def test_view_function_ids_start_with_their_pallet(parsed: dict[int, Metadata]) -> None:
    functions = parsed[16].pallet("StakingProbe").view_functions
    assert set(functions) == {"member", "member_count"}
    assert all(f.id[:16] == twox_128(b"StakingProbe") and len(f.id) == 32 for f in functions.values())
    assert not any(pallet.view_functions for pallet in parsed[15].pallets.values())


@pytest.mark.parametrize("version", [14, 15, 16])
def test_every_constant_and_default_decodes(parsed: dict[int, Metadata], version: int) -> None:
    metadata, codec = parsed[version], TypeCodec(parsed[version].types)
    count = 0
    for pallet in metadata.pallets.values():
        for constant in pallet.constants.values():
            assert codec.encode(constant.type, codec.decode(constant.type, constant.value)) == constant.value
            count += 1
        for entry in pallet.storage.values():
            if not entry.optional:
                assert codec.encode(entry.value, codec.decode(entry.value, entry.default)) == entry.default
                count += 1
    assert count > 30


@pytest.mark.parametrize("version", [14, 15, 16])
def test_truncated_or_extended_metadata_is_refused(metadata_bytes: dict[int, bytes], version: int) -> None:
    data = metadata_bytes[version]
    for cut in [5, 6, 100, len(data) // 3, len(data) // 2, len(data) - 1]:
        with pytest.raises(MetadataError):
            parse_metadata(data[:cut])
    with pytest.raises(MetadataError):
        parse_metadata(data + b"\0")


@pytest.mark.parametrize(
    ("source", "version"),
    [(source, version) for source in (load, load_ours) for version in (14, 15, 16)]
    + [(load_foreign, version) for version in (14, 16)],
)
def test_nothing_is_lost_on_the_way(source: Callable[[int], bytes], version: int) -> None:
    """What was read gives the same bytes when it is written by hand."""
    data = source(version)
    assert write_metadata(parse_metadata(data)) == data


def test_deprecations_and_extension_versions_are_read() -> None:
    metadata = parse_metadata(load_foreign(16))
    treasury = metadata.pallet("Treasury")
    names = {v.index: v.name for v in metadata.variants("Treasury", "calls").variants}
    assert {names[i] for i in treasury.deprecated["calls"]} == {"spend_local", "remove_approval"}
    assert metadata.extrinsic.versions == (4, 5)
    assert metadata.extrinsic.by_version[0] == tuple(range(len(metadata.extrinsic.known)))
    assert metadata.outer is not None
    assert "System" in {v.name for v in metadata.types.enum(metadata.outer.event).variants}
    assert metadata.apis["Core"].version == 5
    assert any(pallet.associated_types for pallet in metadata.pallets.values())


def small(metadata: Metadata, **changes: Any) -> bytes:
    return write_metadata(dataclasses.replace(metadata, **changes))


def test_what_contradicts_itself_is_refused(parsed: dict[int, Metadata]) -> None:
    good = parsed[16]
    system = good.pallet("System")
    doubled = {"System": system, "Again": system}
    beyond = dataclasses.replace(good.extrinsic, by_version={0: (99,)})
    custom = CustomValue(0, b"")
    for data, message in (
        (small(good, pallets=doubled), "names the pallet 'System' twice"),
        (small(good, extrinsic=beyond), "extension is named that does not exist"),
        (small(good, custom={"a": custom})[:-1], "damaged"),
    ):
        with pytest.raises(MetadataError, match=message):
            parse_metadata(data)
    kept = parse_metadata(small(good, custom={"a": custom}, version=16))
    assert kept.custom == {"a": custom}


def test_a_type_without_end_is_refused(parsed: dict[int, Metadata]) -> None:
    types = [parsed[16].types[i] for i in range(len(parsed[16].types))]
    size = len(types)
    for endless in (SequenceOf(size), TupleOf((0, size + 1))):
        more = [Type(("Option",), (), endless), Type((), (), ArrayOf(2, size))]
        with pytest.raises(MetadataError, match="contains itself without end"):
            parse_metadata(small(parsed[16], types=TypeRegistry(types + more)))


def test_more_than_any_runtime_has_is_refused_unread() -> None:
    with pytest.raises(MetadataError, match="more than any runtime has"):
        parse_metadata(b"meta\x10" + bytes(MAX_BYTES))


@given(position=st.integers(0, 1 << 16), value=st.integers(0, 255))
def test_damaged_metadata_never_raises_anything_else(
    metadata_bytes: dict[int, bytes], position: int, value: int
) -> None:
    data = bytearray(metadata_bytes[16])
    data[position % len(data)] = value
    try:
        parse_metadata(bytes(data))
    except MetadataError:
        return  # noticed; otherwise the byte was free text or unchanged


@pytest.mark.parametrize("data", [b"", b"meta", b"atem\x0e", b"meta\x0d", b"meta\x11"])
def test_other_versions_and_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(MetadataError, match=r"magic|not supported"):
        parse_metadata(data)


def test_unknown_names_say_what_there_is(runtime: Runtime) -> None:
    with pytest.raises(UnknownEntry, match=r"no pallet 'Balance'; it has System, Timestamp"):
        runtime.storage("Balance", "Account")
    with pytest.raises(UnknownEntry, match="TotalIssuance"):
        runtime.storage("Balances", "Acount")
    with pytest.raises(UnknownEntry, match="ExistentialDeposit"):
        runtime.constant("Balances", "Deposit")
    with pytest.raises(UnknownEntry, match="transfer_keep_alive"):
        runtime.call("Balances", "transfer", {})
    with pytest.raises(UnknownEntry, match="member_count"):
        runtime.view_function("StakingProbe", "members")
