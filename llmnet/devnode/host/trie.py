"""Host functions: roots of tries, and proofs of their entries."""

from __future__ import annotations

from llmnet.devnode.compact_proof import verify_compact_proof
from llmnet.devnode.errors import CodecError
from llmnet.devnode.hashing import blake2_256, keccak_256
from llmnet.devnode.host.registry import HostCall, HostFunction, HostRefusedError, host_function
from llmnet.devnode.instance import MASK32
from llmnet.devnode.scale import Reader
from llmnet.devnode.trie import ordered_root, trie_root
from llmnet.devnode.trie_node import Hasher


def state_version(raw: int) -> int:
    """The state version that the runtime names; there are 0 and 1."""
    version = raw & 0xFF
    if version > 1:
        raise HostRefusedError(f"there is no state version {version}")
    return version


def _values(data: bytes) -> list[bytes]:
    try:
        reader = Reader(data)
        return [reader.vector() for _ in range(reader.count(1))]
    except CodecError as error:
        raise HostRefusedError(f"the trie's input cannot be decoded: {error}") from None


def _pairs(data: bytes) -> list[tuple[bytes, bytes]]:
    try:
        reader = Reader(data)
        return [(reader.vector(), reader.vector()) for _ in range(reader.count(2))]
    except CodecError as error:
        raise HostRefusedError(f"the trie's input cannot be decoded: {error}") from None


def _register_roots(hash_name: str, hasher: Hasher) -> None:
    def first(ordered: bool) -> HostFunction:
        return lambda host, data: _root(host, data, 0, ordered, hasher)

    def second(ordered: bool) -> HostFunction:
        return lambda host, data, version: _root(host, data, version, ordered, hasher)

    for ordered in (False, True):
        name = f"ext_trie_{hash_name}_{'ordered_' if ordered else ''}root"
        host_function(f"{name}_version_1")(first(ordered))
        host_function(f"{name}_version_2")(second(ordered))


def _root(host: HostCall, data: int, version: int, ordered: bool, hasher: Hasher) -> int:
    encoded, layout = host.instance.read_span(data), state_version(version)
    if ordered:
        return host.instance.allocate(ordered_root(_values(encoded), layout, hasher))
    return host.instance.allocate(trie_root(_pairs(encoded), layout, hasher))


def _register_proofs(hash_name: str, hasher: Hasher) -> None:
    def verify_1(host: HostCall, root: int, proof: int, key: int, value: int) -> int:
        return _verify(host, root, proof, key, value, 0, hasher)

    def verify_2(host: HostCall, root: int, proof: int, key: int, value: int, version: int) -> int:
        return _verify(host, root, proof, key, value, version, hasher)

    host_function(f"ext_trie_{hash_name}_verify_proof_version_1")(verify_1)
    host_function(f"ext_trie_{hash_name}_verify_proof_version_2")(verify_2)


def _verify(host: HostCall, root: int, proof: int, key: int, value: int, version: int, hasher: Hasher) -> int:
    read_span = host.instance.read_span
    nodes = _values(read_span(proof))
    wanted = host.instance.read(root & MASK32, 32)
    layout = state_version(version)
    return int(verify_compact_proof(wanted, nodes, read_span(key), read_span(value), layout, hasher))


for _name, _hasher in (("blake2_256", blake2_256), ("keccak_256", keccak_256)):
    _register_roots(_name, _hasher)
    _register_proofs(_name, _hasher)
