from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from llmnet.devnode import (
    AuthoringError,
    ChainSpec,
    DatabaseError,
    InvalidTransaction,
    Node,
    NodeConfig,
    Runtime,
    RuntimeFault,
    StatePruned,
    TransactionError,
    UnknownBlock,
)
from llmnet.devnode.author import TIMESTAMP_KEY, execute_block, next_timestamp
from llmnet.devnode.block import Block
from llmnet.devnode.errors import MalformedTransaction
from llmnet.devnode.pool import PoolLimits
from llmnet.devnode.scale import u64, vec
from llmnet.devnode.state import CODE_KEY, Changes, State

from .conftest import NodeFactory
from .support import UNIT, Signer


def timestamp(node: Node) -> int:
    return int.from_bytes(node.storage(TIMESTAMP_KEY) or b"", "little")


def test_transfer_moves_money_and_leaves_events(node: Node, signer: Signer) -> None:
    before = signer.free("//Bob")
    tx_hash = node.submit(signer.transfer("//Alice", "//Bob", 5 * UNIT, 0))
    produced = node.produce_block()
    assert signer.free("//Bob") == before + 5 * UNIT
    assert [result.succeeded for result in produced.results] == [True]
    assert ("Balances", "Transfer") in signer.events()
    assert ("System", "ExtrinsicSuccess") in signer.events()
    assert tx_hash not in node.pool


def test_failed_call_is_in_the_block_and_says_so(node: Node, signer: Signer) -> None:
    produced = node.produce_block([signer.transfer("//Alice", "//Bob", 10**30, 0)])
    assert [result.succeeded for result in produced.results] == [False]
    assert ("System", "ExtrinsicFailed") in signer.events()


def test_invalid_extrinsic_makes_no_block_and_changes_nothing(node: Node, signer: Signer) -> None:
    root = node.chain.state.root()
    with pytest.raises(InvalidTransaction, match="future"):
        node.produce_block([signer.transfer("//Alice", "//Bob", 1, 7)])
    assert node.best.number == 0
    assert node.chain.state.root() == root
    assert node.produce_block().block.number == 1


def test_pool_orders_by_nonce_and_counts_in_the_next_nonce(node: Node, signer: Signer) -> None:
    alice = signer.account("//Alice")
    for nonce in (2, 0, 1):
        node.submit(signer.transfer("//Alice", "//Bob", UNIT, nonce))
    assert node.account_nonce(alice) == 3
    assert len(node.produce_block().results) == 3
    assert node.account_nonce(alice) == 3


def test_stale_and_bad_signature_are_told_apart(node: Node, signer: Signer) -> None:
    extrinsic = signer.transfer("//Alice", "//Bob", UNIT, 0)
    node.submit(extrinsic)
    node.produce_block()
    with pytest.raises(InvalidTransaction) as stale:
        node.submit(extrinsic)
    assert stale.value.kind == "stale"
    other = bytearray(signer.transfer("//Alice", "//Bob", UNIT, 1))
    other[45] ^= 1
    with pytest.raises(InvalidTransaction) as forged:
        node.submit(bytes(other))
    assert forged.value.kind == "bad_proof"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x04",
        b"\x08\x84",
        vec(b""),
        vec(b"\xff" * 30),
        vec(b"\x04"),
        b"\x03\xff\xff\xff\xff",
        vec(bytes(200)),
    ],
)
def test_malformed_extrinsics_are_refused(node: Node, data: bytes) -> None:
    with pytest.raises(TransactionError):
        node.submit(data)
    assert len(node.pool) == 0


def test_cut_off_extrinsics_are_refused(node: Node, signer: Signer) -> None:
    extrinsic = signer.transfer("//Alice", "//Bob", UNIT, 0)
    body = extrinsic[2:]
    for size in range(0, len(body), 7):
        with pytest.raises(TransactionError):
            node.submit(vec(body[:size]))
    with pytest.raises(MalformedTransaction, match="announces"):
        node.submit(extrinsic + b"\0")


def test_oversized_extrinsic_is_refused_before_the_runtime_sees_it(make_node: NodeFactory) -> None:
    node = make_node(block_bytes=1000)
    with pytest.raises(MalformedTransaction, match="more than 1000"):
        node.submit(vec(bytes(2000)))


def test_block_that_is_full_leaves_the_rest_in_the_pool(make_node: NodeFactory) -> None:
    node = make_node(block_bytes=700)
    signer = Signer(node)
    for nonce in range(6):
        node.submit(signer.transfer("//Alice", "//Bob", UNIT, nonce))
    counts = [len(node.produce_block().results) for _ in range(4)]
    assert sum(counts) == 6
    assert max(counts) < 6


def test_mortal_transaction_expires_in_the_pool(make_node: NodeFactory) -> None:
    node = make_node(pool=PoolLimits(revalidated_per_block=0))
    signer = Signer(node)
    node.produce_block()
    extrinsic = signer.transfer("//Alice", "//Bob", UNIT, 1, era={"period": 4})
    tx_hash = node.submit(extrinsic)
    for _ in range(6):
        assert node.produce_block().results == ()
    assert tx_hash not in node.pool
    with pytest.raises(TransactionError):
        node.submit(extrinsic)


def test_each_block_executes_again_to_the_same_state(node: Node, signer: Signer) -> None:
    parent_state = node.chain.state
    node.submit(signer.transfer("//Alice", "//Bob", UNIT, 0))
    block = node.produce_block().block
    runtime, version = node._runtime(parent_state)
    assert (
        execute_block(runtime, version, block, parent_state).root()
        == node.chain.state.root()
        == block.header.state_root
    )


@pytest.mark.parametrize("field", ["state_root", "extrinsics_root", "parent", "number"])
def test_forged_header_does_not_survive_re_execution(node: Node, signer: Signer, field: str) -> None:
    parent_state = node.chain.state
    node.submit(signer.transfer("//Alice", "//Bob", UNIT, 0))
    block = node.produce_block().block
    value = block.number + 1 if field == "number" else bytes(32)
    forged = dataclasses.replace(block.header, **{field: b"\1" * 32 if field == "parent" else value})
    runtime, version = node._runtime(parent_state)
    with pytest.raises(AuthoringError):
        execute_block(runtime, version, Block(forged, block.body), parent_state)


def test_changed_body_does_not_survive_re_execution(node: Node, signer: Signer) -> None:
    parent_state = node.chain.state
    block = node.produce_block([signer.transfer("//Alice", "//Bob", UNIT, 0)]).block
    runtime, version = node._runtime(parent_state)
    with pytest.raises(AuthoringError):
        execute_block(runtime, version, Block(block.header, block.body[:1]), parent_state)


def test_time_follows_the_clock_but_never_stays_within_a_slot(make_node: NodeFactory) -> None:
    now = [1_800_000_000.0]
    node = make_node(wall_clock=lambda: now[0])
    node.produce_block()
    assert timestamp(node) == 1_800_000_000_000
    slot = int.from_bytes(node.call("AuraApi_slot_duration"), "little")
    for count in (1, 2):  # the clock stands still, blocks do not
        node.produce_block()
        assert timestamp(node) == 1_800_000_000_000 + count * slot
    now[0] += 1_000_000
    node.produce_block()
    assert timestamp(node) == 1_801_000_000_000


def test_next_timestamp_without_aura_and_on_a_fresh_chain() -> None:
    state = State().apply(Changes({TIMESTAMP_KEY: u64(10_000)}), 1)
    assert next_timestamp(state, 0, 2_000) == 12_000
    assert next_timestamp(state, 0, None) == 16_000
    assert next_timestamp(State(), 5, 2_000) == 5


def test_old_blocks_stay_and_old_states_are_pruned_with_a_clear_error(make_node: NodeFactory) -> None:
    node = make_node(keep_states=3)
    for _ in range(5):
        node.produce_block()
    hashes = [node.chain.block(number).hash for number in range(6)]
    assert [node.chain.block_by_hash(block_hash).number for block_hash in hashes] == list(range(6))
    for block_hash in hashes[:3]:
        with pytest.raises(StatePruned, match="oldest state that is kept is that of block 3"):
            node.storage(TIMESTAMP_KEY, block_hash)
    stamps = [node.storage(TIMESTAMP_KEY, block_hash) for block_hash in hashes[3:]]
    assert len(set(stamps)) == 3
    assert node.call("Core_version", at=hashes[3]) == node.call("Core_version")


def test_unknown_blocks(node: Node) -> None:
    for find in (
        lambda: node.chain.block(1),
        lambda: node.chain.block(-1),
        lambda: node.chain.at(b"\1" * 32),
    ):
        with pytest.raises(UnknownBlock):
            find()


def test_finality_lags_as_told(make_node: NodeFactory) -> None:
    node = make_node(finality_lag=2)
    found = []
    for _ in range(4):
        node.produce_block()
        found.append(node.finalized.number)
    assert found == [0, 0, 1, 2]


def test_call_drops_its_writes_and_names_unknown_functions(node: Node, signer: Signer) -> None:
    root = node.chain.state.root()
    node.dry_run(signer.transfer("//Alice", "//Bob", UNIT, 0))
    assert node.chain.state.root() == root
    with pytest.raises(RuntimeFault, match="no entry point Core_nothing"):
        node.call("Core_nothing")
    with pytest.raises(RuntimeFault, match="trapped"):
        node.call("Core_execute_block", b"garbage")


def test_dry_run_says_what_would_become_of_it(node: Node, signer: Signer) -> None:
    assert node.dry_run(signer.transfer("//Alice", "//Bob", UNIT, 0)) == b"\0\0"
    assert node.dry_run(signer.transfer("//Alice", "//Bob", 10**30, 0))[:2] == b"\0\1"
    assert node.dry_run(signer.transfer("//Alice", "//Bob", UNIT, 9)) == b"\1\0\2"


def test_new_code_serves_from_the_next_block_on(node: Node, signer: Signer) -> None:
    """The block that sets new code is still built by the old one."""
    code = node.storage(CODE_KEY)
    assert code is not None
    section = b"\0" + bytes([7]) + b"\6padded"
    from llmnet.devnode.wasm import plain_code

    patched = plain_code(code) + section
    before = node._runtime(node.chain.state)[0]
    call = {"call": {"call_module": "System", "call_function": "set_code_without_checks", "call_args": {"code": "0x" + patched.hex()}},
            "weight": {"ref_time": 10**9, "proof_size": 10**5}}  # fmt: skip
    produced = node.produce_block([signer.sign("//Alice", "Sudo", "sudo_unchecked_weight", call, 0)])
    assert all(result.succeeded for result in produced.results)
    assert node.storage(CODE_KEY) == patched
    assert node._runtime(node.chain.state)[0] is not before
    assert node.produce_block().block.number == 2


# -- persistence


def test_restart_goes_on_where_it_was_without_a_fork(make_node: NodeFactory, tmp_path: Path) -> None:
    node = make_node(base_path=tmp_path)
    signer = Signer(node)
    for nonce in range(5):
        node.produce_block([signer.transfer("//Alice", "//Bob", UNIT, nonce)])
    hashes = [node.chain.block(number).hash for number in range(6)]
    stamps = [node.storage(TIMESTAMP_KEY, block_hash) for block_hash in hashes]
    balance = signer.free("//Bob")
    node.close()
    again = make_node(base_path=tmp_path)
    assert again.best.hash == hashes[-1]
    assert [again.chain.block(number).hash for number in range(6)] == hashes
    assert [again.storage(TIMESTAMP_KEY, block_hash) for block_hash in hashes] == stamps
    assert [again.chain.at(block_hash)[1].root() for block_hash in hashes] == [
        again.chain.block(number).header.state_root for number in range(6)
    ]
    assert Signer(again).free("//Bob") == balance
    block = again.produce_block([Signer(again).transfer("//Alice", "//Bob", UNIT, 5)]).block
    assert (block.number, block.header.parent) == (6, hashes[-1])


def test_restart_builds_no_genesis_unless_the_specification_changed(
    make_node: NodeFactory, spec: ChainSpec, tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[ChainSpec] = []
    build = ChainSpec.storage
    monkeypatch.setattr(
        ChainSpec, "storage", lambda self, runtime: built.append(self) or build(self, runtime)
    )
    make_node(base_path=tmp_path).close()
    assert len(built) == 1
    make_node(base_path=tmp_path).close()
    assert len(built) == 1
    # The same genesis in another form: built to be compared, then known.
    raw = dataclasses.replace(spec, raw=build(spec, Runtime(spec.code, cache_dir=cache_dir)))
    for _ in range(2):
        Node(raw, NodeConfig(base_path=tmp_path, cache_dir=cache_dir)).close()
    assert len(built) == 2


def test_every_change_of_a_genesis_changes_its_mark(spec: ChainSpec) -> None:
    raw = Changes({b"a": b"1", CODE_KEY: b"c"}, {b"child": {b"k": b"v"}})
    specs = [spec, dataclasses.replace(spec, full=True), dataclasses.replace(spec, code=b"x"),
             dataclasses.replace(spec, patch={**spec.patch, "x": 1}), dataclasses.replace(spec, raw=raw),
             dataclasses.replace(spec, raw=Changes({b"a": b"2", CODE_KEY: b"c"}, raw.children)),
             dataclasses.replace(spec, raw=Changes(raw.top)),
             dataclasses.replace(spec, raw=Changes(raw.top, {b"child": {b"k": b"w"}}))]  # fmt: skip
    assert len({item.genesis_mark() for item in specs}) == len(specs)
    assert dataclasses.replace(spec, name="other", id="other").genesis_mark() == spec.genesis_mark()


def test_reloaded_states_are_bounded_by_keep_states(make_node: NodeFactory, tmp_path: Path) -> None:
    node = make_node(base_path=tmp_path, keep_states=3)
    for _ in range(6):
        node.produce_block()
    node.close()
    again = make_node(base_path=tmp_path, keep_states=10)
    for number in (4, 5, 6):  # what was kept stays, though more may be kept now
        block = again.chain.block(number)
        assert again.chain.at(block.hash)[1].root() == block.header.state_root
    with pytest.raises(StatePruned):
        again.chain.at(again.chain.block(3).hash)


def test_database_in_use_and_database_of_another_chain_are_refused(
    make_node: NodeFactory, tmp_path: Path, wasm: Path, cache_dir: Path
) -> None:
    node = make_node(base_path=tmp_path)
    with pytest.raises(DatabaseError, match="another node"):
        make_node(base_path=tmp_path)
    balances = node.spec.patch["balances"]["balances"]
    patch = {"balances": {"balances": [[balances[0][0], 5 * UNIT], *balances[1:]]}}
    node.close()
    with pytest.raises(DatabaseError, match="purge-chain"):
        Node.from_preset(
            wasm, genesis_patch=patch, config=NodeConfig(base_path=tmp_path, cache_dir=cache_dir)
        )
    make_node(base_path=tmp_path)  # the refusal left the database as it was and closed it


def test_damaged_state_is_noticed(make_node: NodeFactory, tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    node = make_node(base_path=tmp_path)
    node.produce_block()
    node.close()
    (path,) = tmp_path.glob("*.sqlite")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE node SET data = zeroblob(40)")
    with pytest.raises(DatabaseError, match="damaged"):
        make_node(base_path=tmp_path)


def test_block_that_cannot_be_stored_is_not_shown(make_node: NodeFactory, tmp_path: Path) -> None:
    node = make_node(base_path=tmp_path)
    node.produce_block()
    node._database._db.execute("INSERT INTO block VALUES (2, x'00', x'00', x'00', 0)")
    with pytest.raises(DatabaseError, match="cannot be stored"):
        node.produce_block()
    assert node.best.number == 1
    node._database._db.execute("DELETE FROM block WHERE number = 2")
    assert node.produce_block().block.number == 2


def test_memory_does_not_grow_with_the_number_of_blocks(make_node: NodeFactory) -> None:
    node = make_node(keep_states=4, self_check=False)
    for _ in range(30):
        node.produce_block()
    assert len(node.chain._states) <= 16
    assert len(node._runtimes) == 1
    assert len(node.pool._rota) == 0
