"""The store of states: whatever blocks do, each kept state reads as it was and no row is left over."""

from __future__ import annotations

import random
import sqlite3
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from llmnet.devnode.block import ZERO_HASH, Block, Header
from llmnet.devnode.chain import Chain
from llmnet.devnode.database import Database
from llmnet.devnode.errors import DatabaseError, StatePruned
from llmnet.devnode.state import Changes, State
from llmnet.devnode.trie import EMPTY_ROOT

from .conftest import NodeFactory

KEYS = st.sampled_from([b"", b"a", b"ab", b"abc", b"abd", b"b", b"bc", b"c" * 20, b"c" * 19 + b"d"])
VALUES = st.sampled_from([b"", b"1", b"22", b"v" * 32, b"w" * 33, b"x" * 100])
WRITES = st.dictionaries(KEYS, st.none() | VALUES, max_size=5)
Model = dict[bytes | None, dict[bytes, bytes]]


def block_over(state: State, number: int, parent: bytes = ZERO_HASH) -> Block:
    return Block(Header(parent, number, state.root(), EMPTY_ROOT), ())


def contents(state: State) -> Model:
    """The entries of the top trie without the roots of children, and of each child trie."""
    names: list[bytes | None] = [None, *state.child_keys()]
    return {
        name: {k: v for k, v in state.items(child=name) if not k.startswith(b":child_storage:")}
        for name in names
    }


def applied(model: Model, changes: Changes) -> Model:
    new = {name: dict(entries) for name, entries in model.items()}
    for name, values in ((None, changes.top), *changes.children.items()):
        entries = new.setdefault(name, {})
        entries.update({k: v for k, v in values.items() if v is not None})
        for key in [k for k, v in values.items() if v is None]:
            entries.pop(key, None)
        if name is not None and not entries:
            del new[name]
    return new


class StoreMachine(RuleBasedStateMachine):
    """Blocks of random changes, reopening with other bounds, failures half way: against whole dictionaries."""

    @initialize(keep=st.none() | st.integers(1, 4))
    def open(self, keep: int | None) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "db.sqlite"
        self.keep = keep
        self.database = Database(self.path, keep)
        self.state = State()
        self.models: list[Model] = [{None: {}}]
        self.gone = 0
        self.database.append(block_over(self.state, 0), State(), self.state)

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()

    @rule(top=WRITES, child=WRITES, other=WRITES, version=st.sampled_from([0, 1]))
    def block(self, top: dict, child: dict, other: dict, version: int) -> None:  # type: ignore[type-arg]
        changes = Changes(top, {name: values for name, values in ((b"c", child), (b"d", other)) if values})
        new, number = self.state.apply(changes, version), len(self.models)
        self.database.append(block_over(new, number), self.state, new)
        self.state = new
        self.models.append(applied(self.models[-1], changes))
        self.gone = max(self.gone, self.oldest)

    @property
    def oldest(self) -> int:
        """The oldest state that is to be readable; what a smaller bound hides is gone with the next block."""
        return self.gone if self.keep is None else max(self.gone, len(self.models) - self.keep)

    @rule(top=WRITES)
    def failing_block(self, top: dict) -> None:  # type: ignore[type-arg]
        """A block that the database refuses after its nodes were written leaves nothing behind."""
        new = self.state.apply(Changes(top, {b"c": {b"new": b"z" * 50}}), 1)
        with pytest.raises(DatabaseError, match="cannot be stored"):
            self.database.append(block_over(new, len(self.models) - 1), self.state, new)

    @rule(keep=st.none() | st.integers(1, 4))
    def reopen(self, keep: int | None) -> None:
        best = len(self.models) - 1
        self.database.close()
        self.database = Database(self.path, keep)
        self.keep = keep
        self.state = self.database.state(best)

    @invariant()
    def kept_states_read_as_they_were(self) -> None:
        if not hasattr(self, "database"):
            return
        best = len(self.models) - 1
        assert self.database.oldest_state(best) == self.oldest
        for number in range(self.oldest, best + 1):
            assert contents(self.database.state(number)) == self.models[number]
        self.database.check_integrity()


StoreMachine.TestCase.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
TestStore = StoreMachine.TestCase


def filled(path: Path | None, keep: int | None, blocks: int) -> tuple[Database, list[State]]:
    database, states = (
        Database(path, keep),
        [State().apply(Changes({b"k%d" % n: b"v" * 40 for n in range(50)}), 1)],
    )
    database.append(block_over(states[0], 0), State(), states[0])
    for number in range(1, blocks):
        states.append(states[-1].apply(Changes({b"k%d" % (number % 50): b"%03d" % number * 20}), 1))
        database.append(block_over(states[-1], number), states[-2], states[-1])
    return database, states


def rows(database: Database, table: str) -> int:
    (found,) = database._db.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(found)


def test_rows_stay_bounded_with_pruning_and_grow_in_an_archive() -> None:
    few, _ = filled(None, 4, 40)
    more, _ = filled(None, 4, 120)
    archive, states = filled(None, None, 120)
    assert rows(more, "node") <= rows(few, "node") + 8
    assert rows(more, "dead") == rows(few, "dead") == 3
    assert rows(archive, "node") > rows(more, "node") + 200
    assert archive.state(1).root() == states[1].root()
    assert archive.state(1).get(b"k1") == b"001" * 20
    for database in (few, more, archive):
        database.check_integrity()
        database.close()


def test_an_archive_that_becomes_pruned_is_emptied_step_by_step(tmp_path: Path) -> None:
    archive, states = filled(tmp_path / "db", None, 60)
    archive.close()
    pruned = Database(tmp_path / "db", 5)
    assert pruned.oldest_state(59) == 55
    for number in range(60, 64):
        new = states[-1].apply(Changes({b"k0": b"%d" % number}), 1)
        pruned.append(block_over(new, number), pruned.state(number - 1), new)
        states.append(new)
    assert rows(pruned, "dead") == 4
    pruned.check_integrity()
    pruned.close()


def test_child_tries_that_are_asked_for_or_removed_leave_no_rows() -> None:
    database = Database(None, 2)
    state = State().apply(Changes({b"k": b"v"}, {b"c": {b"a": b"1"}, b"d": {b"a": b"1"}}), 1)
    database.append(block_over(state, 0), State(), state)
    for number in range(1, 8):
        assert state.get(b"k", b"missing%d" % number) is None
        changes = {b"c": {b"a": None}} if number == 2 else {}
        new = state.apply(Changes({b"k": b"%d" % number}, changes), 1)
        database.append(block_over(new, number), state, new)
        state = new if number % 2 else database.state(number)
    assert state.child_keys() == [b"d"]
    assert rows(database, "child") == 1
    assert len(state.touched_children()) <= 1
    database.check_integrity()
    database.close()


@pytest.mark.parametrize("step", ["_insert", "_prune"])
def test_an_interrupt_in_the_middle_of_a_block_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    database, states = filled(None, 2, 3)
    new = states[-1].apply(Changes({b"k1": b"other" * 20}, {b"c": {b"a": b"1"}}), 1)
    whole = getattr(database, step)

    def interrupted(*arguments: object) -> None:
        whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(database, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            database.append(block_over(new, 3), states[-1], new)
    assert database.block(3) is None
    database.check_integrity()
    database.append(block_over(new, 3), states[-1], new)
    assert contents(database.state(3)) == contents(new)
    database.check_integrity()
    database.close()


def test_state_that_is_pruned_while_it_is_read() -> None:
    database, _ = filled(None, 2, 3)
    old = database.state(1)
    newest = database.state(2)
    for number in range(3, 6):
        new = newest.apply(Changes({b"k%d" % n: b"%d" % number * 40 for n in range(50)}), 1)
        database.append(block_over(new, number), newest, new)
        newest = new
    with pytest.raises(StatePruned, match="while it was read"):
        list(old.items())
    database.close()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("UPDATE node SET data = zeroblob(50) WHERE id = {id}", "damaged"),
        ("UPDATE node SET data = CAST(data || x'00' AS BLOB) WHERE id = {id}", "damaged"),
        ("DELETE FROM node WHERE id = {id}", "no longer stored"),
    ],
)
def test_damaged_rows_are_noticed_when_they_are_read(tmp_path: Path, fault: str, message: str) -> None:
    database, states = filled(tmp_path / "db", None, 3)
    root = states[-1].trie().node
    assert root is not None
    target = next(child.id for child in root.open().children or () if child is not None and child.id)
    database.close()
    with closing(sqlite3.connect(tmp_path / "db")) as raw, raw:
        raw.text_factory = bytes
        raw.execute(fault.format(id=target))
    database = Database(tmp_path / "db", None)
    with pytest.raises((DatabaseError, StatePruned), match=message):
        list(database.state(2).items())
    with pytest.raises((DatabaseError, StatePruned)):
        database.check_integrity()
    database.close()


def test_integrity_check_finds_rows_that_nothing_needs() -> None:
    database, _ = filled(None, None, 3)
    database._db.execute("INSERT INTO node VALUES (999999, x'00')")
    with pytest.raises(DatabaseError, match="1 rows that nothing needs"):
        database.check_integrity()
    database.close()


def test_file_of_another_format_is_refused(tmp_path: Path) -> None:
    database, _ = filled(tmp_path / "db", None, 1)
    database._db.execute("UPDATE meta SET value = x'31' WHERE name = 'format'")
    database.close()
    with pytest.raises(DatabaseError, match="another version"):
        Database(tmp_path / "db", None)


def test_memory_is_given_back_after_many_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmnet.devnode.chain._LOADED_NODES", 300)
    database = Database(None, None)
    state = State().apply(Changes({b"k%d" % n: b"v" * 40 for n in range(50)}), 1)
    chain = Chain.open(database, block_over(state, 0), state, finality_lag=0)
    resets = 0
    for number in range(1, 60):
        new = chain.state.apply(Changes({b"k%d" % (number % 50): b"%d" % number * 20}), 1)
        before = database.nodes.loaded
        chain.append(block_over(new, number, chain.best.hash), new)
        resets += database.nodes.loaded < before
        assert database.nodes.loaded <= 300 + 60
        assert chain.state.root() == new.root()
    assert resets
    assert chain.at(chain.block(5).hash)[1].get(b"k5") == b"5" * 20
    database.check_integrity()
    database.close()


def test_node_keeps_as_many_states_as_it_is_told_with_and_without_a_file(
    make_node: NodeFactory, tmp_path: Path
) -> None:
    for settings_ in ({"keep_states": 3}, {"keep_states": 3, "base_path": tmp_path}, {"keep_states": None}):
        node = make_node(**settings_)
        for _ in range(5):
            node.produce_block()
        oldest = 0 if settings_["keep_states"] is None else 3
        for number in range(6):
            block = node.chain.block(number)
            if number < oldest:
                with pytest.raises(StatePruned):
                    node.chain.at(block.hash)
            else:
                assert node.chain.at(block.hash)[1].root() == block.header.state_root
                assert node.call("Core_version", at=block.hash)
        node._database.check_integrity()


def test_readers_in_threads_see_whole_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """While blocks are made, pruned and let go from memory, a read gives the state's value or StatePruned."""
    monkeypatch.setattr("llmnet.devnode.chain._LOADED_NODES", 1000)
    database = Database(None, 4)
    state = State().apply(
        Changes({b"key%d" % n: b"v" * 40 for n in range(200)}, {b"c": {b"n": b"0" * 40}}), 1
    )
    chain = Chain.open(database, block_over(state, 0), state, finality_lag=0)
    stop, seen, faults = threading.Event(), [0], []

    def read(seed: int) -> None:
        rng = random.Random(seed)
        while not stop.is_set():
            block = chain.block(max(0, chain.best.number - rng.randrange(6)))
            try:
                found = chain.at(block.hash)[1]
                assert found.get(b"n", b"c") == b"%d" % block.number * 40
                assert found.get(b"key%d" % rng.randrange(200)) is not None
                seen[0] += 1
            except StatePruned:
                continue
            except BaseException as error:  # noqa: BLE001 - told by the main thread
                faults.append(error)
                return

    readers = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
    for reader in readers:
        reader.start()
    rng = random.Random(9)
    for number in range(1, 120):
        changes = {b"key%d" % key: b"%03d" % number * 20 for key in rng.sample(range(200), 20)}
        new = chain.state.apply(Changes(changes, {b"c": {b"n": b"%d" % number * 40}}), 1)
        chain.append(block_over(new, number, chain.best.hash), new)
    stop.set()
    for reader in readers:
        reader.join()
    assert not faults
    assert seen[0] > 50
    database.check_integrity()
    database.close()
