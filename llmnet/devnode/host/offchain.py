"""Host functions of offchain workers, which this node does not run: each stops the call and says so.

Only the index is different: blocks may write to it, and nodes that keep none ignore that.
"""

from __future__ import annotations

from llmnet.devnode.host.registry import HostCall, HostFunction, HostRefusedError, host_function


@host_function("ext_offchain_index_set_version_1")
def index_set(_host: HostCall, _key: int, _value: int) -> None:
    """There are no offchain workers and so no offchain index to keep; nodes may switch it off."""


@host_function("ext_offchain_index_clear_version_1")
def index_clear(_host: HostCall, _key: int) -> None:
    """As `index_set`."""


def _refuse(name: str) -> None:
    raise HostRefusedError(
        f"{name} can be called only in the offchain worker context, and this node runs no offchain workers"
    )


def _stub(name: str, parameters: int) -> HostFunction:
    stubs: dict[int, HostFunction] = {
        0: lambda _host: _refuse(name),
        1: lambda _host, _a: _refuse(name),
        2: lambda _host, _a, _b: _refuse(name),
        3: lambda _host, _a, _b, _c: _refuse(name),
        4: lambda _host, _a, _b, _c, _d: _refuse(name),
    }
    return stubs[parameters]


_STUBS = {
    "is_validator": 0,
    "submit_transaction": 1,
    "network_state": 0,
    "timestamp": 0,
    "sleep_until": 1,
    "random_seed": 0,
    "local_storage_set": 3,
    "local_storage_clear": 2,
    "local_storage_compare_and_set": 4,
    "local_storage_get": 2,
    "http_request_start": 3,
    "http_request_add_header": 3,
    "http_request_write_body": 3,
    "http_response_wait": 2,
    "http_response_headers": 1,
    "http_response_read_body": 3,
    "set_authorized_nodes": 2,
}
for _name, _parameters in _STUBS.items():
    host_function(f"ext_offchain_{_name}_version_1")(_stub(_name, _parameters))
