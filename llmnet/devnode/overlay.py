"""Writes on top of a state: layers for nested transactions, tombstones for removed keys.

An overlay lives as long as one block is built. Each runtime call and each storage transaction inside it is a
layer that is merged down or thrown away.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import NamedTuple

from llmnet.devnode.errors import CodecError, DevnodeError
from llmnet.devnode.scale import compact, read_compact
from llmnet.devnode.state import CHILD_STORAGE_PREFIX, Changes, StateBackend


class UnbalancedTransactionError(DevnodeError):
    """A storage transaction was ended that was not begun in the same runtime call, or not ended at all."""


class Removal(NamedTuple):
    """The outcome of removing many keys: where to go on (None: done) and how many keys were looked at."""

    cursor: bytes | None
    from_state: int
    from_overlay: int
    loops: int


class _Appended:
    """A growing vector: the first `size` bytes of a buffer that later appends may share."""

    __slots__ = ("buffer", "count", "size")

    def __init__(self, buffer: bytearray, count: int) -> None:
        self.buffer = buffer
        self.count = count
        self.size = len(buffer)

    def append(self, item: bytes) -> _Appended:
        """The vector with one more item; copies only if a rolled-back append grew the buffer before."""
        buffer = self.buffer if len(self.buffer) == self.size else bytearray(self.buffer[: self.size])
        buffer += item
        return _Appended(buffer, self.count + 1)

    def encode(self) -> bytes:
        return compact(self.count) + bytes(memoryview(self.buffer)[: self.size])


_Value = bytes | _Appended | None


class _Unset:
    """Marks a key that nothing was written to."""


_UNSET = _Unset()
_NO_WALK: tuple[bytes | None, Iterator[bytes]] = (None, iter(()))


class _Space:
    """What was written over one trie, and how to undo each layer."""

    def __init__(self, state: StateBackend, child: bytes | None, depth: int) -> None:
        self.state = state
        self.child = child
        self.values: dict[bytes, _Value] = {}
        # For each layer but the lowest, what its keys were when it was opened.
        self._journals: list[dict[bytes, _Value | _Unset]] = [{} for _ in range(depth - 1)]
        self._read: dict[bytes, bytes | None] = {}
        # All written keys and perhaps some more, sorted; made when ordered reading begins.
        self._sorted: list[bytes] | None = None
        # The key that `next_key` found last in the state, and the keys behind it.
        self._walk = _NO_WALK

    def _written(self, key: bytes) -> _Value | _Unset:
        return self.values.get(key, _UNSET)

    def get(self, key: bytes) -> bytes | None:
        value = self.values.get(key, _UNSET)
        if isinstance(value, _Appended):
            return value.encode()
        return self._before(key) if isinstance(value, _Unset) else value

    def _before(self, key: bytes) -> bytes | None:
        """The value in the state below, which blocks read again and again."""
        try:
            return self._read[key]
        except KeyError:
            value = self._read[key] = self.state.get(key, self.child)
            return value

    def put(self, key: bytes, value: _Value) -> None:
        values = self.values
        old = values.get(key, _UNSET)
        if old is _UNSET and self._sorted is not None:
            insort(self._sorted, key)
        if self._journals:
            self._journals[-1].setdefault(key, old)
        values[key] = value

    def begin(self) -> None:
        self._journals.append({})

    def commit(self) -> None:
        upper = self._journals.pop()
        if self._journals:
            lower = self._journals[-1]
            for key, old in upper.items():
                lower.setdefault(key, old)

    def rollback(self) -> None:
        for key, old in self._journals.pop().items():
            if isinstance(old, _Unset):
                del self.values[key]
                self._sorted = None
            else:
                self.values[key] = old

    def append(self, key: bytes, item: bytes) -> None:
        value = self._written(key)
        if isinstance(value, _Unset):
            value = self._before(key)
        vector = value if isinstance(value, _Appended) else _as_vector(value)
        self.put(key, vector.append(item))

    def _overlay_keys(self) -> list[bytes]:
        if self._sorted is None:
            self._sorted = sorted(self.values)
        return self._sorted

    def next_key(self, key: bytes) -> bytes | None:
        ours = self._overlay_keys()
        at = bisect_right(ours, key)
        # Runtimes walk through maps key by key: the walk through the state goes on where it was.
        theirs = self._walk[1] if self._walk[0] == key else self.state.keys(after=key, child=self.child)
        self._walk = _NO_WALK
        candidate = next(theirs, None)
        while candidate is not None and self._written(candidate) is None:
            candidate = next(theirs, None)
        while at < len(ours) and (candidate is None or ours[at] < candidate):
            if not isinstance(self._written(ours[at]), _Unset | None):
                return ours[at]
            at += 1
        self._walk = (candidate, theirs)
        return candidate

    def clear_prefix(self, prefix: bytes, limit: int | None, cursor: bytes | None) -> Removal:
        from_overlay = 0
        ours = self._overlay_keys()
        at = bisect_left(ours, prefix)
        while at < len(ours) and ours[at].startswith(prefix):
            if not isinstance(self._written(ours[at]), _Unset | None):
                from_overlay += 1
                self.put(ours[at], None)
            at += 1
        loops = from_state = 0
        stop: bytes | None = None
        for key in self._state_keys(prefix, limit, cursor):
            if loops == limit:
                stop = key
                break
            if self._written(key) is not None:
                self.put(key, None)
                from_state += 1
            loops += 1
        return Removal(stop, from_state, from_overlay, loops)

    def _state_keys(self, prefix: bytes, limit: int | None, cursor: bytes | None) -> list[bytes]:
        found: list[bytes] = []
        most = None if limit is None else limit + 1
        if (
            cursor is not None
            and cursor.startswith(prefix)
            and self.state.get(cursor, self.child) is not None
        ):
            found.append(cursor)
        for key in self.state.keys(prefix, cursor, self.child):
            if most is not None and len(found) >= most:
                break
            found.append(key)
        return found

    def changes(self) -> dict[bytes, bytes | None]:
        return {
            key: value.encode() if isinstance(value, _Appended) else value
            for key, value in self.values.items()
        }


def _as_vector(value: bytes | None) -> _Appended:
    """An encoded vector taken apart; anything else counts as an empty one, as the runtime's host must do."""
    if value is None:
        return _Appended(bytearray(), 0)
    try:
        count, at = read_compact(value)
    except CodecError:
        return _Appended(bytearray(), 0)
    return _Appended(bytearray(value[at:]), count) if count < 1 << 32 else _Appended(bytearray(), 0)


class Overlay:
    """All writes on top of one state."""

    def __init__(self, state: StateBackend) -> None:
        self.state = state
        self._top = _Space(state, None, 1)
        self._children: dict[bytes, _Space] = {}
        self._depth = 1
        self._sealed: tuple[int, StateBackend] | None = None

    @property
    def depth(self) -> int:
        """The number of open layers, the lowest included."""
        return self._depth

    def _space(self, child: bytes | None) -> _Space:
        if child is None:
            return self._top
        space = self._children.get(child)
        if space is None:
            space = self._children[child] = _Space(self.state, child, self._depth)
        return space

    def get(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The value of `key`, None if there is none."""
        return (self._top if child is None else self._space(child)).get(key)

    def put(self, key: bytes, value: bytes | None, child: bytes | None = None) -> None:
        """Writes or (None) removes; the keys that hold child roots cannot be written and are left alone."""
        if child is None and key.startswith(CHILD_STORAGE_PREFIX):
            return
        self._sealed = None
        self._space(child).put(key, value)

    def append(self, key: bytes, item: bytes) -> None:
        """Appends an item to the encoded vector at `key`; a missing or malformed one becomes `[item]`."""
        self._sealed = None
        self._top.append(key, item)

    def next_key(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The least key greater than `key`."""
        return self._space(child).next_key(key)

    def clear_prefix(
        self, prefix: bytes, limit: int | None = None, cursor: bytes | None = None, child: bytes | None = None
    ) -> Removal:
        """Removes keys that start with `prefix`: all that this overlay wrote, at most `limit` of the state's.

        A prefix that covers the roots of child tries removes nothing.
        """
        if child is None and (
            prefix.startswith(CHILD_STORAGE_PREFIX) or CHILD_STORAGE_PREFIX.startswith(prefix)
        ):
            return Removal(None, 0, 0, 0)
        self._sealed = None
        return self._space(child).clear_prefix(prefix, limit, cursor)

    def begin(self) -> None:
        """Opens a layer."""
        self._depth += 1
        self._top.begin()
        for space in self._children.values():
            space.begin()

    def commit(self) -> None:
        """Merges the uppermost layer into the one below."""
        self._check_open()
        self._top.commit()
        for space in self._children.values():
            space.commit()

    def rollback(self) -> None:
        """Throws the uppermost layer away."""
        self._check_open()
        self._sealed = None
        self._top.rollback()
        for space in self._children.values():
            space.rollback()

    def _check_open(self) -> None:
        if self._depth == 1:
            raise UnbalancedTransactionError("no storage transaction is open")
        self._depth -= 1

    def changes(self) -> Changes:
        """Everything written in all layers."""
        children = {key: changes for key, space in self._children.items() if (changes := space.changes())}
        return Changes(self._top.changes(), children)

    def sealed(self, version: int) -> StateBackend:
        """The state with all layers applied; remembered until the next write."""
        if self._sealed is None or self._sealed[0] != version:
            self._sealed = (version, self.state.apply(self.changes(), version))
        return self._sealed[1]
