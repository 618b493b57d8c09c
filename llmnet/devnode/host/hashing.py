"""Host functions: hashes of bytes and roots of tries."""

from __future__ import annotations

from collections.abc import Callable

from llmnet.devnode import hashing
from llmnet.devnode.errors import CodecError
from llmnet.devnode.host.registry import HostCall, HostFunction, HostRefusedError, host_function
from llmnet.devnode.scale import Reader
from llmnet.devnode.trie import ordered_root, trie_root

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


def _values(data: bytes) -> list[bytes]:
    reader = Reader(data)
    values = [reader.vector() for _ in range(reader.count(1))]
    reader.end()
    return values


def _pairs(data: bytes) -> list[tuple[bytes, bytes]]:
    reader = Reader(data)
    pairs = [(reader.vector(), reader.vector()) for _ in range(reader.count(2))]
    reader.end()
    return pairs


def _root(host: HostCall, data: int, version: int, ordered: bool, hasher: _Hash) -> int:
    encoded = host.instance.read_span(data)
    try:
        root = (
            ordered_root(_values(encoded), version, hasher)
            if ordered
            else trie_root(_pairs(encoded), version, hasher)
        )
    except CodecError as error:
        raise HostRefusedError(f"the trie's input cannot be decoded: {error}") from None
    return host.instance.allocate(root)


def _register_roots(hash_name: str, hasher: _Hash) -> None:
    def first(ordered: bool) -> HostFunction:
        return lambda host, data: _root(host, data, 0, ordered, hasher)

    def second(ordered: bool) -> HostFunction:
        return lambda host, data, version: _root(host, data, version & 0xFF, ordered, hasher)

    for ordered in (False, True):
        name = f"ext_trie_{hash_name}_{'ordered_' if ordered else ''}root"
        host_function(f"{name}_version_1")(first(ordered))
        host_function(f"{name}_version_2")(second(ordered))


_register_roots("blake2_256", hashing.blake2_256)
_register_roots("keccak_256", hashing.keccak_256)
