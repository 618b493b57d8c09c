"""Host functions: the top storage of the chain and its transactions."""

from __future__ import annotations

from llmnet.devnode.errors import CodecError
from llmnet.devnode.host.registry import HostCall, HostRefusedError, host_function
from llmnet.devnode.host.trie import state_version
from llmnet.devnode.instance import MASK32
from llmnet.devnode.overlay import Removal, UnbalancedTransactionError
from llmnet.devnode.scale import Reader, option, u32


def read_into(host: HostCall, value: bytes | None, out: int, offset: int) -> int:
    """Copies what fits of `value[offset:]` to the span `out`; returns the encoded option of its size."""
    instance = host.instance
    if value is None:
        return instance.allocate_span(b"\0")
    rest = value[offset & MASK32 :]
    instance.write(out & MASK32, rest[: out >> 32 & MASK32])
    return instance.allocate_span(b"\1" + u32(len(rest)))


def read_limit(host: HostCall, span: int) -> int | None:
    """Decodes an optional 32-bit limit."""
    try:
        reader = Reader(host.instance.read_span(span))
        return reader.uint(4) if reader.flag() else None
    except CodecError as error:
        raise HostRefusedError(f"a limit cannot be decoded: {error}") from None


def read_cursor(host: HostCall, span: int) -> bytes | None:
    """Decodes an optional cursor."""
    try:
        return Reader(host.instance.read_span(span)).optional_bytes()
    except CodecError as error:
        raise HostRefusedError(f"a cursor cannot be decoded: {error}") from None


def kill_result(host: HostCall, removal: Removal) -> int:
    """Encodes `KillStorageResult`: whether all were removed and how many keys of the state were looked at."""
    return host.instance.allocate_span(bytes((removal.cursor is not None,)) + u32(removal.loops))


def multi_result(host: HostCall, removal: Removal) -> int:
    """Encodes `MultiRemovalResults`: cursor, removed from the state, removed in all, looked at."""
    unique = removal.from_overlay + removal.from_state
    return host.instance.allocate_span(
        option(removal.cursor) + u32(removal.from_state) + u32(unique) + u32(removal.loops)
    )


@host_function("ext_storage_get_version_1")
def get(host: HostCall, key: int) -> int:
    instance = host.instance
    return instance.allocate_span(option(host.overlay.get(instance.read_span(key))))


@host_function("ext_storage_read_version_1")
def read(host: HostCall, key: int, out: int, offset: int) -> int:
    return read_into(host, host.overlay.get(host.instance.read_span(key)), out, offset)


@host_function("ext_storage_set_version_1")
def set_(host: HostCall, key: int, value: int) -> None:
    read_span = host.instance.read_span
    host.overlay.put(read_span(key), read_span(value))


@host_function("ext_storage_clear_version_1")
def clear(host: HostCall, key: int) -> None:
    host.overlay.put(host.instance.read_span(key), None)


@host_function("ext_storage_exists_version_1")
def exists(host: HostCall, key: int) -> int:
    return int(host.overlay.get(host.instance.read_span(key)) is not None)


@host_function("ext_storage_append_version_1")
def append(host: HostCall, key: int, value: int) -> None:
    read_span = host.instance.read_span
    host.overlay.append(read_span(key), read_span(value))


@host_function("ext_storage_next_key_version_1")
def next_key(host: HostCall, key: int) -> int:
    instance = host.instance
    return instance.allocate_span(option(host.overlay.next_key(instance.read_span(key))))


@host_function("ext_storage_clear_prefix_version_1")
def clear_prefix_1(host: HostCall, prefix: int) -> None:
    host.overlay.clear_prefix(host.instance.read_span(prefix))


@host_function("ext_storage_clear_prefix_version_2")
def clear_prefix_2(host: HostCall, prefix: int, limit: int) -> int:
    return kill_result(
        host, host.overlay.clear_prefix(host.instance.read_span(prefix), read_limit(host, limit))
    )


@host_function("ext_storage_clear_prefix_version_3")
def clear_prefix_3(host: HostCall, prefix: int, limit: int, cursor: int) -> int:
    key = host.instance.read_span(prefix)
    return multi_result(
        host, host.overlay.clear_prefix(key, read_limit(host, limit), read_cursor(host, cursor))
    )


@host_function("ext_storage_root_version_1")
def root_1(host: HostCall) -> int:
    return host.instance.allocate_span(host.overlay.sealed(0).root())


@host_function("ext_storage_root_version_2")
def root_2(host: HostCall, version: int) -> int:
    return host.instance.allocate_span(host.overlay.sealed(state_version(version)).root())


@host_function("ext_storage_changes_root_version_1")
def changes_root(host: HostCall, _parent: int) -> int:
    return host.instance.allocate_span(b"\0")


@host_function("ext_storage_start_transaction_version_1")
def start_transaction(host: HostCall) -> None:
    host.overlay.begin()


@host_function("ext_storage_commit_transaction_version_1")
def commit_transaction(host: HostCall) -> None:
    _check_open(host)
    host.overlay.commit()


@host_function("ext_storage_rollback_transaction_version_1")
def rollback_transaction(host: HostCall) -> None:
    _check_open(host)
    host.overlay.rollback()


def _check_open(host: HostCall) -> None:
    if host.overlay.depth <= host.base_depth:
        raise UnbalancedTransactionError("the runtime ends a storage transaction that it did not begin")
