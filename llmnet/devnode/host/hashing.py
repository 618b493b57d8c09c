"""Host functions: hashes of bytes."""

from __future__ import annotations

from collections.abc import Callable

from llmnet.devnode import hashing
from llmnet.devnode.host.registry import HostCall, host_function

_Hash = Callable[[bytes], bytes]


def _register(name: str, function: _Hash) -> None:
    def call(host: HostCall, data: int) -> int:
        instance = host.instance
        return instance.allocate(function(instance.read_span(data)))

    host_function(f"ext_hashing_{name}_version_1")(call)


for _name in (
    "blake2_128",
    "blake2_256",
    "twox_64",
    "twox_128",
    "twox_256",
    "sha2_256",
    "keccak_256",
    "keccak_512",
):
    _register(_name, getattr(hashing, _name))
