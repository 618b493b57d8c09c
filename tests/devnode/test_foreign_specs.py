"""Specifications of others: public chains' raw ones, and those that polkadot-sdk's own tools make.

The public ones lie in the crate polkadot-service, which cargo fetches and checks. LLMNET_FOREIGN_SPECS=all takes
those too whose runtimes take long to compile.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from llmnet.devnode import ChainSpec, Node, NodeConfig, Runtime
from llmnet.devnode.companion import OWN_FUNCTIONS
from llmnet.devnode.genesis import genesis_block, runtime_version
from llmnet.devnode.host import HOST_FUNCTIONS
from llmnet.devnode.scale import Reader
from llmnet.devnode.state import State

from .peer import BINARY, available

CRATE = "polkadot-service", "31.0.0"
FETCH_SECONDS = 60
PATIENCE = {**os.environ, "CARGO_NET_RETRY": "1", "CARGO_HTTP_TIMEOUT": "10"}
FULL = os.environ.get("LLMNET_FOREIGN_SPECS") == "all"
# File, genesis hash as the chains' explorers show it, name and version of the first runtime, state version.
PUBLIC = [
    ("polkadot", "91b171bb158e2d3848fa23a9f1c25182fb8e20313b2c1eb49219da7a70ce90c3", ("polkadot", 0), 0),
    ("kusama", "b0a8d493285c2df73290dfb7e61f870f17b41801197a149ca93654499ea3dafe", ("kusama", 1020), 0),
    ("westend", "e143f23803ac50e8f6f8e62695d1ce9e4e1d68aa36c1cd2cfd15340213f3423e", ("westend", 1), 0),
    ("rococo", "6408de7737c59c238890533af25896a2c20608d8b380bb01029acb392781063e", ("rococo", 9190), 0),
    ("paseo", "77afd6190f1554ad45fd0d31aee62aacc33c6db0ea801129acb813f913e0764f", ("paseo", 1001002), 0),
]
SLOW = {"rococo", "paseo"}
needs_sdk = pytest.mark.skipif(not available(), reason="LLMNET_POLKADOT_NODE names no polkadot-sdk node")


@pytest.fixture(scope="module")
def public_specs() -> Path:
    """The folder of the public specifications; skips where cargo or its registry is not at hand."""
    if shutil.which("cargo") is None:
        pytest.skip("cargo, which fetches the public specifications, is not installed")
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    pattern = f"registry/src/*/{CRATE[0]}-{CRATE[1]}/chain-specs"
    if not any(home.glob(pattern)):
        command = ["cargo", "info", "--quiet", f"{CRATE[0]}@{CRATE[1]}"]
        try:
            subprocess.run(
                command, check=True, capture_output=True, timeout=FETCH_SECONDS, cwd=home.parent, env=PATIENCE
            )
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"the public specifications cannot be fetched: {error}")
    found = next(iter(home.glob(pattern)), None)
    assert found is not None, (
        f"cargo has fetched {CRATE[0]} {CRATE[1]}, but keeps it somewhere else than here"
    )
    return found


@pytest.mark.parametrize(
    ("name", "genesis", "runtime_name", "state_version"), PUBLIC, ids=[row[0] for row in PUBLIC]
)
def test_public_chain_begins_with_its_well_known_genesis(
    public_specs: Path,
    cache_dir: Path,
    name: str,
    genesis: str,
    runtime_name: tuple[str, int],
    state_version: int,
) -> None:
    if name in SLOW and not FULL:
        pytest.skip("its runtime takes seconds to compile; LLMNET_FOREIGN_SPECS=all does")
    path = public_specs / f"{name}.json"
    node = Node(ChainSpec.read(path), NodeConfig(cache_dir=cache_dir))
    assert node.genesis_hash.hex() == genesis
    version = node.version()
    assert ((version.spec_name, version.spec_version), version.state_version) == (runtime_name, state_version)
    assert Reader(node.call("Metadata_metadata")).vector()[:4] == b"meta"
    imported = {item.name for item in node._runtime(node.chain.state)[0]._module.imports}
    assert imported - {"memory"} <= HOST_FUNCTIONS.keys() | OWN_FUNCTIONS
    document = json.loads(path.read_text())
    written = node.spec.as_json(None, raw=True)  # type: ignore[arg-type]  # raw ones need no runtime
    assert {key: written[key] for key in document if key != "genesis"} == {
        key: value if key != "properties" else value or {}
        for key, value in document.items()
        if key != "genesis"
    }
    again = ChainSpec.from_json(written)
    assert again.raw == node.spec.raw
    node.close()


def test_public_chain_is_stored_and_opened_again(public_specs: Path, cache_dir: Path, tmp_path: Path) -> None:
    spec = ChainSpec.read(public_specs / "polkadot.json")
    for _ in range(2):
        node = Node(spec, NodeConfig(cache_dir=cache_dir, base_path=tmp_path))
        assert node.genesis_hash.hex() == PUBLIC[0][1]
        assert len(list(node.chain.state.items())) == len(spec.raw.top if spec.raw else ())
        node.close()


def test_a_wrong_state_version_would_give_another_genesis(public_specs: Path, cache_dir: Path) -> None:
    spec = ChainSpec.read(public_specs / "westend.json")
    runtime = Runtime(spec.code, cache_dir=cache_dir)
    assert runtime_version(runtime).state_version == 0
    other = genesis_block(State().apply(spec.storage(runtime), 1))
    assert other.hash.hex() != PUBLIC[2][1]


# -- polkadot-sdk's own tools


def builder(folder: Path, *arguments: str | Path) -> dict[str, object]:
    """What `chain-spec-builder` writes."""
    out = folder / "built.json"
    command = [BINARY, "chain-spec-builder", "--chain-spec-path", out, *arguments]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=120)
    document: dict[str, object] = json.loads(out.read_text())
    return document


@needs_sdk
def test_the_sdk_makes_the_same_raw_form_of_our_plain_one(
    spec: ChainSpec, cache_dir: Path, tmp_path: Path
) -> None:
    runtime = Runtime(spec.code, cache_dir=cache_dir)
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps(spec.as_json(runtime, raw=False)))
    theirs = builder(tmp_path, "convert-to-raw", plain)
    assert theirs == spec.as_json(runtime, raw=True)


@needs_sdk
@pytest.mark.parametrize("how", [["named-preset", "development"], ["default"]])
def test_plain_forms_that_the_sdk_makes_are_read(
    spec: ChainSpec, wasm: Path, cache_dir: Path, tmp_path: Path, how: list[str]
) -> None:
    if how == ["default"] and not FULL:
        pytest.skip("one form is enough for every day; LLMNET_FOREIGN_SPECS=all takes both")
    document = builder(tmp_path, "create", "-t", "development", "-r", wasm, *how)
    read = ChainSpec.from_json(document)
    runtime = Runtime(spec.code, cache_dir=cache_dir)
    storage = read.storage(runtime)
    if how[0] == "named-preset":
        assert storage == spec.storage(runtime)
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps(document))
    theirs = ChainSpec.from_json(builder(tmp_path, "convert-to-raw", plain))
    assert theirs.raw == storage
