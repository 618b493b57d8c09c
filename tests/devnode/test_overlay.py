from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llmnet.devnode.overlay import Overlay, UnbalancedTransactionError
from llmnet.devnode.scale import compact
from llmnet.devnode.state import DEFAULT_CHILD_PREFIX, Changes, State

KEYS = st.sampled_from([b"", b"a", b"aa", b"ab", b"abc", b"b", b"ba", b"\xff"])
# Vectors of none, one and two items, and what is none: cut off, and empty.
VALUES = st.sampled_from([b"\0", b"\x04x", b"\x08xy", b"\x02", b"\x03", b""])
BASE = {b"a": b"1", b"ab": b"2", b"b": b"3", b"ba": b"4"}


class OverlayMachine(RuleBasedStateMachine):
    """An overlay against a stack of whole dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.overlay = Overlay(State().apply(Changes(BASE), 1))
        self.stack: list[dict[bytes, bytes]] = [dict(BASE)]

    @rule(key=KEYS, value=VALUES)
    def put(self, key: bytes, value: bytes) -> None:
        self.overlay.put(key, value)
        self.stack[-1][key] = value

    @rule(key=KEYS)
    def clear(self, key: bytes) -> None:
        self.overlay.put(key, None)
        self.stack[-1].pop(key, None)

    @rule(key=KEYS, item=VALUES)
    def append(self, key: bytes, item: bytes) -> None:
        self.overlay.append(key, item)
        self.stack[-1][key] = _append(self.stack[-1].get(key), item)

    @rule(prefix=KEYS.filter(bool))
    def clear_prefix(self, prefix: bytes) -> None:
        self.overlay.clear_prefix(prefix)
        for key in [key for key in self.stack[-1] if key.startswith(prefix)]:
            del self.stack[-1][key]

    @rule()
    def begin(self) -> None:
        self.overlay.begin()
        self.stack.append(dict(self.stack[-1]))

    @precondition(lambda self: len(self.stack) > 1)
    @rule()
    def commit(self) -> None:
        self.overlay.commit()
        top = self.stack.pop()
        self.stack[-1] = top

    @precondition(lambda self: len(self.stack) > 1)
    @rule()
    def rollback(self) -> None:
        self.overlay.rollback()
        self.stack.pop()

    @invariant()
    def reads_are_those_of_the_model(self) -> None:
        model = self.stack[-1]
        for key in (b"", b"a", b"aa", b"ab", b"abc", b"b", b"ba", b"\xff"):
            assert self.overlay.get(key) == model.get(key)
            assert self.overlay.next_key(key) == min((other for other in model if other > key), default=None)

    @invariant()
    def root_is_that_of_the_contents(self) -> None:
        assert self.overlay.sealed(1).root() == State().apply(Changes(self.stack[-1]), 1).root()


def _append(old: bytes | None, item: bytes) -> bytes:
    if old and old[0] & 3 == 0 and old[0] < 4 * 63:
        return compact((old[0] >> 2) + 1) + old[1:] + item
    return compact(1) + item


OverlayMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestOverlay = OverlayMachine.TestCase


def _overlay(base: dict[bytes, bytes]) -> Overlay:
    return Overlay(State().apply(Changes(base), 1))


def test_append_after_a_rolled_back_append_does_not_see_it() -> None:
    overlay = _overlay({})
    overlay.append(b"k", b"x")
    overlay.begin()
    overlay.append(b"k", b"y")
    assert overlay.get(b"k") == b"\x08xy"
    overlay.rollback()
    overlay.append(b"k", b"z")
    assert overlay.get(b"k") == b"\x08xz"


def test_append_grows_the_length_over_the_compact_boundary() -> None:
    overlay = _overlay({b"k": compact(63) + b"i" * 63})
    overlay.append(b"k", b"j")
    assert overlay.get(b"k") == compact(64) + b"i" * 63 + b"j"


def test_walk_through_the_state_survives_writes_repeats_and_keys_of_the_overlay() -> None:
    overlay = _overlay({b"k%d" % n: b"" for n in range(0, 9, 2)})  # k0 k2 k4 k6 k8
    assert overlay.next_key(b"k0") == b"k2"
    overlay.put(b"k3", b"")
    assert [overlay.next_key(b"k2") for _ in range(2)] == [b"k3", b"k3"]
    overlay.put(b"k3", None)
    assert overlay.next_key(b"k2") == b"k4"
    overlay.put(b"k6", None)
    assert [overlay.next_key(b"k4") for _ in range(2)] == [b"k8", b"k8"]
    assert overlay.next_key(b"k8") is None
    assert overlay.next_key(b"k0") == b"k2"


@given(st.data(), st.sets(KEYS), st.lists(st.tuples(KEYS, st.booleans()), max_size=6))
def test_walking_gives_every_key_once(
    data: st.DataObject, base: set[bytes], writes: list[tuple[bytes, bool]]
) -> None:
    """Also if keys are written and removed on the way, ahead of it and behind it."""
    overlay, model = _overlay(dict.fromkeys(base, b"")), set(base)
    key: bytes | None = b""
    while key is not None:
        if writes and data.draw(st.booleans()):
            written, keep = writes.pop()
            overlay.put(written, b"new" if keep else None)
            model = model | {written} if keep else model - {written}
        wanted = min((other for other in model if other > key), default=None)
        key = overlay.next_key(key)
        assert key == wanted


def test_limit_counts_keys_of_the_state_and_not_those_just_written() -> None:
    base = {b"p%d" % n: b"v" for n in range(5)}
    overlay = _overlay(base)
    overlay.put(b"p9", b"new")
    overlay.put(b"pa", b"new")
    removal = overlay.clear_prefix(b"p", 3)
    assert removal == (b"p3", 3, 2, 3)
    assert [key for key in (*base, b"p9", b"pa") if overlay.get(key) is not None] == [b"p3", b"p4"]


def test_key_written_and_removed_counts_as_looked_at_but_not_as_removed() -> None:
    overlay = _overlay({b"p1": b"v", b"p2": b"v"})
    overlay.put(b"p1", None)
    assert overlay.clear_prefix(b"p", 10) == (None, 1, 0, 2)


def test_second_call_with_the_same_limit_starts_again_at_the_prefix() -> None:
    overlay = _overlay({b"p%d" % n: b"v" for n in range(4)})
    assert overlay.clear_prefix(b"p", 2).cursor == b"p2"
    again = overlay.clear_prefix(b"p", 2)
    assert (again.from_state, again.loops, again.cursor) == (0, 2, b"p2")
    assert overlay.clear_prefix(b"p", 2, cursor=b"p2").cursor is None
    assert overlay.next_key(b"p") is None


def test_limit_zero_removes_nothing_of_the_state() -> None:
    overlay = _overlay({b"p1": b"v"})
    assert overlay.clear_prefix(b"p", 0) == (b"p1", 0, 0, 0)
    assert overlay.get(b"p1") == b"v"


def test_child_roots_can_be_neither_written_nor_cleared_directly() -> None:
    overlay = Overlay(State().apply(Changes({}, {b"c": {b"k": b"v"}}), 1))
    root = overlay.sealed(1).root()
    overlay.put(DEFAULT_CHILD_PREFIX + b"c", b"forged")
    assert overlay.clear_prefix(b":child").loops == 0
    assert overlay.clear_prefix(b"").loops == 0
    assert overlay.sealed(1).root() == root
    assert overlay.get(b"k", b"c") == b"v"


def test_child_written_inside_a_transaction_is_rolled_back_with_it() -> None:
    overlay = _overlay({})
    overlay.begin()
    overlay.begin()
    overlay.put(b"k", b"v", b"c")
    assert overlay.get(b"k", b"c") == b"v"
    overlay.commit()
    overlay.rollback()
    assert overlay.get(b"k", b"c") is None
    assert overlay.changes() == Changes({}, {})


def test_sealed_state_is_made_again_after_a_write_and_after_a_rollback() -> None:
    overlay = _overlay({})
    empty = overlay.sealed(1).root()
    overlay.begin()
    overlay.put(b"k", b"v")
    assert overlay.sealed(1).root() != empty
    overlay.rollback()
    assert overlay.sealed(1).root() == empty


def test_ending_a_transaction_that_is_not_open_is_an_error() -> None:
    overlay = _overlay({})
    for end in (overlay.commit, overlay.rollback):
        with pytest.raises(UnbalancedTransactionError):
            end()
