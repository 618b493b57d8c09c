"""Generated classes hold what the chain holds: every type decodes into them and encodes to the same bytes again."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmnet.chain import Call, DecodeError, EncodeError, Err, Ok, Runtime, Tagged, Variant, variant_name
from llmnet.chain.encoder import attributes_of, constant_name
from llmnet.chain.registry import Composite, Enum
from llmnet.pallets._generated import types
from llmnet.pallets._generated.system.events import ExtrinsicSuccess
from llmnet.pallets.generate.__main__ import OWN, SUBSTITUTES
from llmnet.pallets.generate.package import roots
from llmnet.pallets.generate.plan import Plan
from llmnet.pallets.generate.words import clean, docstring, pascal, python_name, snake

from .neighbours import neighbour
from .shapes import type_named
from .strategies import chain_values

is_inhabited = neighbour("chain", "strategies").is_inhabited
FEW = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture(scope="module")
def plan(runtime: Runtime) -> Plan:
    return Plan(runtime.metadata, roots(runtime.metadata), SUBSTITUTES)


def test_every_type_decodes_into_its_class_and_back(runtime: Runtime, plan: Plan) -> None:
    plain = chain_values(runtime.metadata.types)
    tried = [
        planned.type_id
        for planned in plan
        if planned.kind != "never" and is_inhabited(runtime.metadata.types, planned.type_id)
    ]
    for type_id in tried:
        there_and_back(runtime, type_id, plain.of(type_id))
    assert len(tried) > 100


def there_and_back(runtime: Runtime, type_id: int, values: st.SearchStrategy[Any]) -> None:
    @FEW
    @given(values)
    def check(value: Any) -> None:
        data = runtime.codec.encode(type_id, value)
        found = runtime.bound.codec(types.TYPES).decode(type_id, data)
        assert not isinstance(found, Variant)
        assert runtime.codec.encode(type_id, found) == data

    check()


def test_classes_have_the_fields_of_their_types(runtime: Runtime, plan: Plan) -> None:
    for planned in plan:
        known = types.TYPES.classes.get(planned.shape)
        definition = runtime.metadata.types[planned.type_id].definition
        if isinstance(known, tuple):
            assert isinstance(definition, Enum)
            assert [kind.VARIANT for kind in known] == [variant.name for variant in definition.variants]
        elif known is not None and isinstance(definition, Composite):
            names = [name for _, name in attributes_of(known) or ()]
            assert names == [str(field.name) for field in definition.fields]


def test_bytes_that_no_value_has_are_a_decode_error(runtime: Runtime) -> None:
    typed = runtime.bound.codec(types.TYPES)
    status = type_named(runtime.metadata, "pallet_sessions::types::Status")
    role = type_named(runtime.metadata, "llmnet_primitives::traits::Role")
    receipt = type_named(runtime.metadata, "llmnet_primitives::types::Receipt")
    for type_id, data, message in (
        (status, b"\7", "no variant 7; known are Open, Closing, Closed"),
        (role, b"\7", "Role has no variant 7"),
        (status, b"\1\0", "cut off"),
        (receipt, bytes(171), "n_out must be at least 1"),
    ):
        with pytest.raises(DecodeError, match=message):
            typed.decode_at(type_id, data, 0)


def test_a_member_of_another_enum_is_not_taken_for_its_number(runtime: Runtime) -> None:
    role = type_named(runtime.metadata, "llmnet_primitives::traits::Role")
    assert runtime.codec.encode(role, types.Role.VALIDATOR) == b"\1"
    with pytest.raises(EncodeError, match="none of Worker, Validator"):
        runtime.codec.encode(role, types.Axis.QUALITY)
    status = type_named(runtime.metadata, "pallet_sessions::types::Status")
    with pytest.raises(EncodeError, match="no variant 'Reference'"):
        runtime.codec.encode(status, types.ReferenceCommitmentReference(bytes(32)))


def test_a_dataclass_of_other_fields_is_not_encoded(runtime: Runtime) -> None:
    money = type_named(runtime.metadata, "pallet_sessions::types::Money")
    assert runtime.codec.encode(money, types.Money(1, 2)) == runtime.codec.encode(
        money, {"escrow": 1, "uncleared": 2}
    )
    with pytest.raises(EncodeError, match="fields do not fit: missing escrow, uncleared; unknown margin"):
        runtime.codec.encode(money, types.Evidence(1, 2))
    with pytest.raises(EncodeError, match="wanted a mapping"):
        runtime.codec.encode(money, 7)


def test_results_and_nested_calls(runtime: Runtime) -> None:
    typed = runtime.bound.codec(types.TYPES)
    sudid = runtime.metadata.variants("Sudo", "events").find("Sudid")
    assert sudid is not None
    result = sudid.fields[0].type
    for value, data in ((Ok(()), b"\0"), (Err(types.DispatchErrorBadOrigin()), b"\1\2")):
        assert typed.decode(result, data) == value
        assert runtime.codec.encode(result, value) == data
    call = Call("Sessions", "close", {"session": 7})
    decoded = typed.decode(runtime.metadata.extrinsic.call, runtime.encode_call(call))
    assert decoded == call


def test_generated_values_are_frozen_and_equal_by_value() -> None:
    bond = types.Bond(types.Role.WORKER, 1, bytes(32), 2, None, False)
    assert bond == types.Bond(types.Role.WORKER, 1, bytes(32), 2, None, False)
    assert len({bond, dataclasses.replace(bond, stake=2)}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        bond.stake = 3  # type: ignore[misc]
    assert issubclass(types.StatusClosing, Tagged)
    assert ExtrinsicSuccess.ENTRY.name == "ExtrinsicSuccess"


def test_no_generated_file_says_any() -> None:
    files = list(OWN.rglob("*.py"))
    assert len(files) > 100
    names = {
        path.name: {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        for path in files
    }
    assert [name for name, used in names.items() if used & {"Any", "object", "cast"}] == []


# Words


@pytest.mark.parametrize(
    ("rust", "python"),
    [
        ("Bf16Fp32Residual", "BF16_FP32_RESIDUAL"),
        ("StopString", "STOP_STRING"),
        ("V1", "V1"),
        ("DOTRoot", "DOT_ROOT"),
        ("None", "NONE"),
    ],
)
def test_variants_are_named_as_constants(rust: str, python: str) -> None:
    assert constant_name(rust) == python


def test_a_member_in_the_runtimes_spelling() -> None:
    assert variant_name(types.Reason.SELF_CONSISTENCY) == "SelfConsistency"


@pytest.mark.parametrize(
    ("name", "found"),
    [("from", "from_"), ("3d", "n3d"), ("a-b", "a_b"), ("worker", "worker"), ("None", "None_")],
)
def test_names_become_identifiers(name: str, found: str) -> None:
    assert python_name(name) == found
    assert found.isidentifier()


def test_cases_of_names() -> None:
    assert [snake(name) for name in ("SpotChecks", "XcmPallet", "AccountNonceApi", "Import")] == [
        "spot_checks",
        "xcm_pallet",
        "account_nonce_api",
        "import_",
    ]
    assert pascal("sp_consensus_grandpa") == "SpConsensusGrandpa"


def test_documentation_reads_as_text() -> None:
    docs = [
        " Makes a [`Bond`](crate::Bond) of",
        " the [`caller`].",
        "",
        " # Errors",
        " - `A`: first",
        "   goes on",
        " - `B`",
        " ## Complexity",
        " O(1)",
        " ```rust",
        " code()",
        " ```",
    ]
    assert clean(docs) == "Makes a `Bond` of the `caller`.\n\nErrors:\n\n- `A`: first goes on\n- `B`"


@pytest.mark.parametrize("text", ['ends with "', 'has """ inside', "a \\ slash", "two\n\nparagraphs"])
def test_docstrings_are_python_whatever_they_say(text: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def f():\n{docstring(text)}\n", namespace)
    assert namespace["f"].__doc__.strip().startswith(text[:3])
