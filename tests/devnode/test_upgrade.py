"""A running chain gets another runtime: the next block is the new one's, with calls that the old one lacks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmnet.devnode import ChainSpec, InvalidRuntime, Node, NodeConfig, Runtime, TransactionError, read_code
from llmnet.devnode.author import TIMESTAMP_KEY
from llmnet.devnode.runtime_api import RuntimeVersion
from llmnet.devnode.scale import Reader, u32, vec
from llmnet.devnode.state import CODE_KEY
from llmnet.devnode.wasm import plain_code
from llmnet.devnode.wasm_binary import custom_section, encode_leb128

from .conftest import NodeFactory
from .differential import EVENTS_KEY, Comparison
from .peer import available, polkadot_node, write_spec
from .raw_signer import RawSigner, account
from .support import UNIT, Signer

# This project's runtime before it had proxies and multisigs.
EARLIER = Path(__file__).parent / "data" / "earlier_runtime.compact.compressed.wasm"
SET_CODE, SET_CODE_WITHOUT_CHECKS = b"\0\2", b"\0\3"
SUDID = b"\6\0"
SUDO_UNCHECKED_WEIGHT, WEIGHT = b"\6\1", b"\2\x09\x3d\0\2\x09\x3d\0"
# Proxy.add_proxy(Bob, Any, no delay): the earlier runtime cannot even decode it.
ADD_PROXY = b"\x0e\1\0" + account("//Bob") + b"\0" + bytes(4)


def upgrade(code: bytes, *, checked: bool = False) -> bytes:
    """Sudo.sudo_unchecked_weight(System.set_code…(code))."""
    call = SET_CODE if checked else SET_CODE_WITHOUT_CHECKS
    return SUDO_UNCHECKED_WEIGHT + call + vec(code) + WEIGHT


@pytest.fixture(scope="module")
def earlier_spec(cache_dir: Path) -> ChainSpec:
    code = read_code(EARLIER)
    return ChainSpec.from_preset(code, Runtime(code, cache_dir=cache_dir))


@pytest.fixture
def open_earlier(earlier_spec: ChainSpec, cache_dir: Path, tmp_path: Path) -> Iterator[Callable[[], Node]]:
    made: list[Node] = []

    def make() -> Node:
        made.append(Node(earlier_spec, NodeConfig(cache_dir=cache_dir, self_check=True, base_path=tmp_path)))
        return made[-1]

    yield make
    for node in made:
        node.close()


def has_proxies(node: Node, at: bytes | None = None) -> bool:
    return b"\x14Proxy" in Reader(node.call("Metadata_metadata", b"", at)).vector()


def test_a_call_that_only_the_new_runtime_has(open_earlier: Callable[[], Node], wasm: Path) -> None:
    node = open_earlier()
    alice = RawSigner(node)
    with pytest.raises(TransactionError):
        node.submit(alice.sign("//Alice", ADD_PROXY, 0))
    node.submit(alice.sign("//Alice", upgrade(read_code(wasm), checked=True), 0))
    node.submit(alice.transfer("//Alice", "//Bob", UNIT, 1))
    produced = node.produce_block()
    assert [result.succeeded for result in produced.results] == [True, True]
    assert node.storage(CODE_KEY) == read_code(wasm)
    assert node.version().spec_version > node.version(node.genesis_hash).spec_version

    node.submit(RawSigner(node).sign("//Alice", ADD_PROXY, 2))
    assert [result.succeeded for result in node.produce_block().results] == [True]
    assert ("Proxy", "ProxyAdded") in Signer(node).events()


def test_each_block_answers_with_its_own_runtime_also_after_a_restart(
    open_earlier: Callable[[], Node], wasm: Path
) -> None:
    node = open_earlier()
    before = node.produce_block().block.hash
    node.produce_block([RawSigner(node).sign("//Alice", upgrade(read_code(wasm)), 0)])
    assert [has_proxies(node, before), has_proxies(node)] == [False, True]
    node.close()
    again = open_earlier()
    assert [has_proxies(again, before), has_proxies(again)] == [False, True]
    again.produce_block([RawSigner(again).sign("//Alice", ADD_PROXY, 1)])
    assert again.best.number == 3


def with_version(code: bytes, **changes: object) -> bytes:
    """A blob whose custom section says another version than the code in it."""
    plain = plain_code(code)
    section = custom_section(plain, "runtime_version")
    assert section is not None
    version = RuntimeVersion.decode(section)
    name = str(changes.get("spec_name", version.spec_name)).encode()
    number = int(str(changes.get("spec_version", version.spec_version)))
    reader = Reader(section)
    reader.text(), reader.text()
    head = vec(name) + vec(version.impl_name.encode()) + u32(version.authoring_version) + u32(number)
    other = head + section[reader.at + 8 :]
    renamed = plain.replace(b"\x0fruntime_version", b"\x0fruntime_v_rsion")
    body = b"\x0fruntime_version" + other
    return renamed + b"\0" + encode_leb128(len(body)) + body


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"spec_version": 99}, None),
        ({}, 1),  # SpecVersionNeedsToIncrease
        ({"spec_version": 99, "spec_name": "other"}, 0),  # InvalidSpecName
        (None, 2),  # FailedToExtractRuntimeVersion
    ],
)
def test_checked_upgrade_reads_the_version_in_the_blob(
    node: Node, wasm: Path, changes: dict[str, object] | None, error: int | None
) -> None:
    code = b"no runtime" if changes is None else with_version(read_code(wasm), **changes)
    before = node.storage(CODE_KEY)
    node.produce_block([RawSigner(node).sign("//Alice", upgrade(code, checked=True), 0)])
    assert node.storage(CODE_KEY) == (code if error is None else before)
    # Sudo.Sudid with Ok, or with Err(Module(System, error)).
    outcome = b"\0" if error is None else b"\1\3\0" + u32(error)
    assert SUDID + outcome in (node.storage(EVENTS_KEY) or b"")


def test_code_that_is_no_runtime_stops_the_chain_with_a_clear_error(node: Node, wasm: Path) -> None:
    """Root may do that; what was before stays readable."""
    good = node.best.hash
    node.produce_block([RawSigner(node).sign("//Alice", upgrade(b"no runtime"), 0)])
    for _ in range(2):
        with pytest.raises(InvalidRuntime, match="no WASM module"):
            node.produce_block()
    assert node.best.number == 1
    assert node.call("Core_version", b"", good)


def test_clock_can_be_moved_forward(make_node: NodeFactory) -> None:
    """Time travel: the clock is the caller's."""
    now = [1_900_000_000.0]
    node = make_node(wall_clock=lambda: now[0])
    node.produce_block()
    now[0] += 30 * 86400
    node.produce_block()
    assert int.from_bytes(node.storage(TIMESTAMP_KEY) or b"", "little") == 1_902_592_000_000


@pytest.mark.skipif(not available(), reason="LLMNET_POLKADOT_NODE names no polkadot-sdk node")
@pytest.mark.skipif("LLMNET_DIFFERENTIAL_CALLS" not in os.environ, reason="part of the long comparison")
def test_the_upgrade_is_the_same_on_polkadot_sdks_node(
    earlier_spec: ChainSpec, wasm: Path, cache_dir: Path, tmp_path: Path
) -> None:
    runtime = Runtime(earlier_spec.code, cache_dir=cache_dir)
    with polkadot_node(write_spec(earlier_spec, runtime, tmp_path / "spec.json"), "--instant-seal") as peer:
        comparison = Comparison(peer, earlier_spec, 1, cache_dir)
        try:
            comparison.reads_events = False
            alice = comparison.keys
            comparison.submit(alice.sign("//Alice", ADD_PROXY, 0))
            comparison.submit(alice.sign("//Alice", upgrade(read_code(wasm), checked=True), 0))
            comparison.submit(alice.transfer("//Alice", "//Bob", UNIT, 1))  # signed for the old version
            comparison.submit(RawSigner(comparison.importer).sign("//Alice", ADD_PROXY, 1))
            assert comparison.tally.blocks == 2
            assert comparison.tally.verdicts["1010 Transaction has a bad signature"] == 1
        finally:
            comparison.close()
