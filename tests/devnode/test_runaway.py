"""Runtimes that loop, allocate, trap or lie: a clear error, the node lives, the state is as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmnet.devnode import (
    AuthoringError,
    ChainSpec,
    DevnodeError,
    InvalidRuntime,
    InvalidTransaction,
    Node,
    NodeConfig,
    RuntimeFault,
    RuntimeTimeout,
    RuntimeTrap,
    TransactionError,
)
from llmnet.devnode.scale import vec
from llmnet.devnode.state import CODE_KEY, Changes

from .conftest import NodeFactory
from .mini_runtime import DEEDS, applied, extrinsic, mini_runtime, mini_spec
from .raw_signer import RawSigner
from .support import UNIT, wat_code

BODY_KEY = b"b"
# In these ways a call ends in an error; the text names the cause.
REASONS = {
    "loop": "interrupted",
    "allocate": "unreachable",
    "grow": "unreachable",
    "trap": "unreachable",
    "missing import": "ext_nowhere_version_1",
    "deep recursion": "stack",
    "open transaction": "left open",
    "foreign transaction": "did not begin",
    "memory beyond": "passed memory",
}


@pytest.fixture
def make_mini(cache_dir: Path) -> Iterator[Callable[..., Node]]:
    made: list[Node] = []

    def make(spec: ChainSpec | None = None, **config: Any) -> Node:
        limits = {"call_seconds": 0.3, "memory_bytes": 8 * 1024 * 1024, "cache_dir": cache_dir}
        made.append(Node(spec or mini_spec(), NodeConfig(**{**limits, **config})))
        return made[-1]

    yield make
    for node in made:
        node.close()


@pytest.fixture
def mini(make_mini: Callable[..., Node]) -> Node:
    return make_mini()


def lives(node: Node, before: bytes) -> None:
    """The node's state is as before, and it still takes a good extrinsic into a block."""
    assert node.chain.state.root() == before
    good = extrinsic(rest=b"after")
    node.submit(good)
    node.produce_block()
    assert applied(node.storage(BODY_KEY))[-1] == good


def test_mini_runtime_makes_blocks(mini: Node) -> None:
    sent = [extrinsic(rest=bytes([number])) for number in range(3)]
    for item in sent:
        mini.submit(item)
        assert mini.produce_block().block.body == (item,)
    assert applied(mini.storage(BODY_KEY)) == sent


@pytest.mark.parametrize("deed", REASONS)
def test_what_misbehaves_when_applied_leaves_the_pool_and_no_trace(mini: Node, deed: str) -> None:
    before = mini.chain.state.root()
    bad = mini.submit(extrinsic(apply=DEEDS[deed]))
    produced = mini.produce_block()
    assert produced.block.body == () and bad not in mini.pool
    lives(mini, before)


@pytest.mark.parametrize("deed", REASONS)
def test_what_misbehaves_when_applied_on_demand_makes_no_block(mini: Node, deed: str) -> None:
    before = mini.chain.state.root()
    with pytest.raises(InvalidTransaction, match=REASONS[deed]):
        mini.produce_block([extrinsic(apply=DEEDS[deed])])
    assert mini.best.number == 0
    lives(mini, before)


@pytest.mark.parametrize("deed", REASONS)
def test_what_misbehaves_when_validated_is_not_taken(mini: Node, deed: str) -> None:
    before = mini.chain.state.root()
    with pytest.raises(TransactionError, match=REASONS[deed]):
        mini.submit(extrinsic(validate=DEEDS[deed]))
    assert len(mini.pool) == 0
    lives(mini, before)


def test_good_extrinsics_around_a_bad_one_are_kept(mini: Node) -> None:
    sent = [extrinsic(rest=b"1"), extrinsic(apply="T"), extrinsic(rest=b"2"), extrinsic(apply="O")]
    for item in sent:
        mini.submit(item)
    assert mini.produce_block().block.body == (sent[0], sent[2])


def test_malformed_result_of_an_extrinsic_is_an_error(mini: Node) -> None:
    before = mini.chain.state.root()
    with pytest.raises(DevnodeError):
        mini.produce_block([extrinsic(apply=DEEDS["malformed result"])])
    lives(mini, before)


def test_a_call_that_loops_says_how_long_it_ran(mini: Node) -> None:
    with pytest.raises(RuntimeTimeout, match=r"interrupted after 0\.\d s \(the limit is 0\.3 s\)"):
        mini.call("BlockBuilder_apply_extrinsic", extrinsic(apply="L"))
    with pytest.raises(RuntimeTrap, match="unreachable"):
        mini.call("BlockBuilder_apply_extrinsic", extrinsic(apply="T"))


@pytest.mark.parametrize("kept", ["Core_initialize_block", "BlockBuilder_finalize_block"])
def test_runtime_without_an_entry_point_makes_no_block(make_mini: Callable[..., Node], kept: str) -> None:
    code = mini_runtime().replace(kept.encode(), kept[:-1].encode() + b"_")
    node = make_mini(ChainSpec("Mini", "mini", code, raw=Changes({CODE_KEY: code})))
    with pytest.raises(AuthoringError, match=f"no entry point {kept}"):
        node.produce_block()
    assert node.best.number == 0


def test_runtime_that_hides_what_it_wrote_makes_no_block(make_mini: Callable[..., Node]) -> None:
    """The header's root must be that of the state; this one writes the root into another place."""
    code = mini_runtime().replace(b"\x41\xa1\x20", b"\x41\xc1\x20", 1)
    assert code != mini_runtime()
    node = make_mini(ChainSpec("Mini", "mini", code, raw=Changes({CODE_KEY: code})))
    with pytest.raises(AuthoringError, match="another state root"):
        node.produce_block()


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"\0asm\1\0\0\0",
        wat_code("")[:-5],
        wat_code('(func (export "Core_version") (param i32 i32) (result i64) unreachable)'),
        wat_code('(func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))'),
        wat_code('(func (export "Core_version") (param i32 i32) (result i64) (i64.const -1))'),
        wat_code("(func $f unreachable) (start $f)"),
    ],
)
def test_chain_with_a_useless_runtime_does_not_start(make_mini: Callable[..., Node], code: bytes) -> None:
    with pytest.raises((RuntimeFault, DevnodeError)):
        make_mini(ChainSpec("Mini", "mini", code, raw=Changes({CODE_KEY: code})))


def test_wrong_type_of_an_import_is_refused(make_mini: Callable[..., Node]) -> None:
    imports = '(import "env" "ext_storage_get_version_1" (func (param i64 i64) (result i64)))'
    code = wat_code("", imports)
    with pytest.raises(InvalidRuntime, match="2 parameters, 1 are known"):
        make_mini(ChainSpec("Mini", "mini", code, raw=Changes({CODE_KEY: code})))


# -- migrations


def test_while_a_migration_runs_only_inherents_are_taken(make_mini: Callable[..., Node]) -> None:
    node = make_mini(mini_spec(mode=b"\1"))
    waiting = node.submit(extrinsic())
    assert node.produce_block().block.body == ()
    assert waiting in node.pool
    with pytest.raises(AuthoringError, match="only inherents"):
        node.produce_block([extrinsic(rest=b"now")])
    assert node.best.number == 1


def test_when_the_migration_is_over_the_pool_is_emptied(make_mini: Callable[..., Node]) -> None:
    """The mode is the runtime's answer, block by block: other code, other mode."""
    node = make_mini(mini_spec(mode=b"\1"))
    node.submit(extrinsic())
    node.produce_block()
    done = make_mini(mini_spec(mode=b"\0"))
    done.submit(extrinsic())
    assert len(done.produce_block().block.body) == 1


def test_runtime_that_knows_no_mode_takes_everything(make_mini: Callable[..., Node]) -> None:
    node = make_mini(mini_spec(mode=b""))
    node.submit(extrinsic())
    assert len(node.produce_block().block.body) == 1


# -- any bytes as an extrinsic of the real runtime


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300), prefix=st.booleans())
def test_random_bytes_are_refused_and_change_nothing(node: Node, data: bytes, prefix: bool) -> None:
    root = node.chain.state.root()
    with pytest.raises(TransactionError):
        node.submit(vec(data) if prefix else data)
    assert node.chain.state.root() == root
    assert len(node.pool) == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 150), value=st.integers(1, 255), cut=st.integers(0, 60))
def test_damaged_transfers_are_refused(node: Node, at: int, value: int, cut: int) -> None:
    """One changed byte or a missing end: the runtime says what is wrong, in a pool that stays empty."""
    whole = RawSigner(node).transfer("//Alice", "//Bob", UNIT, 0)[2:]
    damaged = bytearray(whole[: len(whole) - cut])
    if not cut:
        at %= len(whole)
        damaged[at] ^= value
    with pytest.raises(TransactionError):
        node.submit(vec(bytes(damaged)))
    with pytest.raises((TransactionError, DevnodeError)):
        node.produce_block([vec(bytes(damaged))])
    assert node.best.number == 0
    assert len(node.pool) == 0


def test_node_outlives_a_storm_of_bad_extrinsics(make_node: NodeFactory) -> None:
    node = make_node(self_check=False)
    signer = RawSigner(node)
    for nonce in range(30):
        with pytest.raises(TransactionError):
            node.submit(vec(bytes([nonce]) * 150))
        node.submit(signer.transfer("//Alice", "//Bob", UNIT, nonce))
    assert len(node.produce_block().results) == 30
