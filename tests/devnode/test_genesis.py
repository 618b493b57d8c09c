from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmnet.devnode import ChainSpec, GenesisError, Node, NodeConfig, Runtime
from llmnet.devnode.genesis import merge_patch, preset_names
from llmnet.devnode.state import CODE_KEY, Changes, State

from .support import UNIT, Signer, wat_code


@pytest.mark.parametrize(
    ("target", "patch", "wanted"),
    [  # the examples of RFC 7396
        ({"a": "b"}, {"a": "c"}, {"a": "c"}), ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}), ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}), ({"a": ["b"]}, {"a": "c"}, {"a": "c"}), ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}), ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]), ({"a": "b"}, ["c"], ["c"]), ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}), ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)  # fmt: skip
def test_merge_patch_as_in_the_rfc(target: Any, patch: Any, wanted: Any) -> None:
    before = json.dumps(target)
    assert merge_patch(target, patch) == wanted
    assert json.dumps(target) == before


def test_patch_changes_the_genesis(wasm: Path, cache_dir: Path) -> None:
    plain = Node.from_preset(wasm, config=NodeConfig(cache_dir=cache_dir))
    preset = plain.spec.patch["balances"]["balances"]
    patch = {"balances": {"balances": [[preset[0][0], 777 * UNIT], *preset[1:]]}}
    patched = Node.from_preset(wasm, genesis_patch=patch, config=NodeConfig(cache_dir=cache_dir))
    assert patched.genesis_hash != plain.genesis_hash
    found = Signer(patched).chain.query("System", "Account", [preset[0][0]]).value["data"]["free"]
    assert found == 777 * UNIT
    plain.close()
    patched.close()


def test_unknown_preset_names_the_known_ones(wasm: Path, cache_dir: Path) -> None:
    with pytest.raises(GenesisError, match=r"no preset 'moon'; it offers: .*development"):
        Node.from_preset(wasm, "moon", config=NodeConfig(cache_dir=cache_dir))


def test_configuration_that_the_runtime_refuses(wasm: Path, cache_dir: Path) -> None:
    with pytest.raises(GenesisError, match="refuses the genesis"):
        Node.from_preset(wasm, genesis_patch={"noSuchPallet": {}}, config=NodeConfig(cache_dir=cache_dir))


def test_runtime_without_genesis_builder_is_no_genesis(cache_dir: Path) -> None:
    with pytest.raises(GenesisError, match="GenesisBuilder"):
        Node.from_preset(wat_code(""), config=NodeConfig(cache_dir=None))


@pytest.mark.parametrize("raw", [False, True])
def test_written_specification_gives_the_same_genesis(
    spec: ChainSpec, cache_dir: Path, tmp_path: Path, raw: bool
) -> None:
    node = Node(spec, NodeConfig(cache_dir=cache_dir))
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec.as_json(Runtime(spec.code, cache_dir=cache_dir), raw=raw)))
    again = Node(ChainSpec.read(path), NodeConfig(cache_dir=cache_dir))
    assert again.genesis_hash == node.genesis_hash
    assert again.spec.name == spec.name
    node.close()
    again.close()


def test_full_configuration_is_taken_as_it_is(spec: ChainSpec, cache_dir: Path, tmp_path: Path) -> None:
    from llmnet.devnode.genesis import genesis_config

    runtime = Runtime(spec.code, cache_dir=cache_dir)
    document = spec.as_json(runtime, raw=False)
    genesis = document["genesis"]["runtimeGenesis"]
    genesis["config"] = genesis_config(runtime, None, genesis.pop("patch"))
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(document))
    read = ChainSpec.read(path)
    assert read.full
    assert read.storage(runtime) == spec.storage(runtime)


def test_raw_specification_keeps_child_tries(tmp_path: Path) -> None:
    storage = Changes({CODE_KEY: b"code", b"k": b"v"}, {b"child": {b"a": b"b"}})
    spec = ChainSpec("n", "i", b"code", raw=storage)
    document = spec.as_json(None, raw=True)  # type: ignore[arg-type]  # raw ones need no runtime
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(document))
    assert ChainSpec.read(path).raw == storage
    assert State().apply(storage, 1).get(b"a", b"child") == b"b"
    with pytest.raises(GenesisError, match="--raw"):
        spec.as_json(None, raw=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"name": "n", "id": "i"}', '{"name": "n", "id": "i", "genesis": {}}', '{"name": "n", "id": "i", "genesis": 5}',
     '{"name": "n", "id": "i", "genesis": {"raw": {"top": {}}}}',
     '{"name": "n", "id": "i", "genesis": {"raw": {"top": {"0x3a636f6465": "zz"}}}}',
     '{"name": "n", "id": "i", "genesis": {"runtimeGenesis": {"code": "0x00"}}}',
     '{"name": "n", "id": "i", "genesis": {"runtimeGenesis": {"code": "00", "patch": {}}}}'],
)  # fmt: skip
def test_what_is_no_specification_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(text)
    with pytest.raises(GenesisError):
        ChainSpec.read(path)


def test_presets_are_listed(spec: ChainSpec, cache_dir: Path) -> None:
    assert "development" in preset_names(Runtime(spec.code, cache_dir=cache_dir))


RAW_TOP = {"0x3a636f6465": "0x00", "0x01": "0x02"}


def test_entries_without_meaning_here_are_written_as_they_were_read() -> None:
    document = {
        "name": "n", "id": "i", "chainType": {"Custom": "odd"}, "bootNodes": ["/dns/x"], "properties": {"ss58Format": 7},
        "relay_chain": "rococo-local", "para_id": 1000, "forkBlocks": None, "codeSubstitutes": {"1": "0x00"},
        "telemetryEndpoints": [["wss://x", 0]], "protocolId": "odd", "genesis": {"raw": {"top": RAW_TOP, "childrenDefault": {}}},
    }  # fmt: skip
    written = ChainSpec.from_json(document).as_json(None, raw=True)  # type: ignore[arg-type]
    assert written == document


def test_old_raw_form_and_prefixed_names_of_child_tries() -> None:
    """Specifications of 2019 hold a list, and name child tries by their whole key."""
    name = "0x" + b":child_storage:default:c".hex()
    top = {**RAW_TOP, name: "0x" + "11" * 32}  # the root, which follows from the contents
    old = ChainSpec.from_json({"name": "n", "id": "i", "genesis": {"raw": [top, {name: {"0x61": "0x62"}}]}})
    assert old.raw == Changes({CODE_KEY: b"\0", b"\1": b"\2"}, {b"c": {b"a": b"b"}})


@pytest.mark.parametrize(
    ("genesis", "message"),
    [
        ({"stateRootHash": "0x" + "00" * 32}, "light clients"),
        ({"runtime": {"system": {}}}, "let that node export it with --raw"),
        ({"raw": [{}]}, "no object"),
        ({"raw": {"top": RAW_TOP, "childrenDefault": {"0x61": 5}}}, "no object"),
        ({"raw": {"top": {**RAW_TOP, "61": "0x00"}}}, "0x-prefixed"),
        ({}, "neither genesis.raw nor"),
    ],
)
def test_genesis_of_another_form_is_explained(genesis: Any, message: str) -> None:
    with pytest.raises(GenesisError, match=message):
        ChainSpec.from_json({"name": "n", "id": "i", "genesis": genesis})
