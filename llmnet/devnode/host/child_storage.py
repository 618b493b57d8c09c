"""Host functions: default child tries, each named by its unprefixed key."""

from __future__ import annotations

from llmnet.devnode.host.registry import HostCall, host_function
from llmnet.devnode.host.storage import kill_result, multi_result, read_cursor, read_into, read_limit
from llmnet.devnode.host.trie import state_version
from llmnet.devnode.scale import option

_PREFIX = "ext_default_child_storage_"


@host_function(_PREFIX + "get_version_1")
def get(host: HostCall, child: int, key: int) -> int:
    read_span = host.instance.read_span
    return host.instance.allocate_span(option(host.overlay.get(read_span(key), read_span(child))))


@host_function(_PREFIX + "read_version_1")
def read(host: HostCall, child: int, key: int, out: int, offset: int) -> int:
    read_span = host.instance.read_span
    return read_into(host, host.overlay.get(read_span(key), read_span(child)), out, offset)


@host_function(_PREFIX + "set_version_1")
def set_(host: HostCall, child: int, key: int, value: int) -> None:
    read_span = host.instance.read_span
    host.overlay.put(read_span(key), read_span(value), read_span(child))


@host_function(_PREFIX + "clear_version_1")
def clear(host: HostCall, child: int, key: int) -> None:
    read_span = host.instance.read_span
    host.overlay.put(read_span(key), None, read_span(child))


@host_function(_PREFIX + "exists_version_1")
def exists(host: HostCall, child: int, key: int) -> int:
    read_span = host.instance.read_span
    return int(host.overlay.get(read_span(key), read_span(child)) is not None)


@host_function(_PREFIX + "next_key_version_1")
def next_key(host: HostCall, child: int, key: int) -> int:
    read_span = host.instance.read_span
    return host.instance.allocate_span(option(host.overlay.next_key(read_span(key), read_span(child))))


@host_function(_PREFIX + "storage_kill_version_1")
def storage_kill_1(host: HostCall, child: int) -> None:
    host.overlay.clear_prefix(b"", child=host.instance.read_span(child))


@host_function(_PREFIX + "storage_kill_version_2")
def storage_kill_2(host: HostCall, child: int, limit: int) -> int:
    removal = host.overlay.clear_prefix(b"", read_limit(host, limit), child=host.instance.read_span(child))
    return int(removal.cursor is None)


@host_function(_PREFIX + "storage_kill_version_3")
def storage_kill_3(host: HostCall, child: int, limit: int) -> int:
    key = host.instance.read_span(child)
    return kill_result(host, host.overlay.clear_prefix(b"", read_limit(host, limit), child=key))


@host_function(_PREFIX + "storage_kill_version_4")
def storage_kill_4(host: HostCall, child: int, limit: int, cursor: int) -> int:
    key = host.instance.read_span(child)
    removal = host.overlay.clear_prefix(b"", read_limit(host, limit), read_cursor(host, cursor), key)
    return multi_result(host, removal)


@host_function(_PREFIX + "clear_prefix_version_1")
def clear_prefix_1(host: HostCall, child: int, prefix: int) -> None:
    read_span = host.instance.read_span
    host.overlay.clear_prefix(read_span(prefix), child=read_span(child))


@host_function(_PREFIX + "clear_prefix_version_2")
def clear_prefix_2(host: HostCall, child: int, prefix: int, limit: int) -> int:
    read_span = host.instance.read_span
    return kill_result(
        host, host.overlay.clear_prefix(read_span(prefix), read_limit(host, limit), child=read_span(child))
    )


@host_function(_PREFIX + "clear_prefix_version_3")
def clear_prefix_3(host: HostCall, child: int, prefix: int, limit: int, cursor: int) -> int:
    read_span = host.instance.read_span
    removal = host.overlay.clear_prefix(
        read_span(prefix), read_limit(host, limit), read_cursor(host, cursor), read_span(child)
    )
    return multi_result(host, removal)


@host_function(_PREFIX + "root_version_1")
def root_1(host: HostCall, child: int) -> int:
    return host.instance.allocate_span(host.overlay.sealed(0).root(host.instance.read_span(child)))


@host_function(_PREFIX + "root_version_2")
def root_2(host: HostCall, child: int, version: int) -> int:
    return host.instance.allocate_span(
        host.overlay.sealed(state_version(version)).root(host.instance.read_span(child))
    )
