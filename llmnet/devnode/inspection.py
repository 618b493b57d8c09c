"""What a person wants to see of blocks, states, tries and the database file, as plain data.

database = Database(path, None)
block = database.best()
inspect_state(database.state(block.number), names_in(metadata))
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from heapq import nlargest

from llmnet.devnode.block import Block, decode_digest_item
from llmnet.devnode.database import Database
from llmnet.devnode.hashing import blake2_256, twox_128
from llmnet.devnode.scale import read_compact
from llmnet.devnode.state import State
from llmnet.devnode.trie import Trie
from llmnet.devnode.trie_node import HashedValue, Node, encode_node, is_hash

EVENTS_KEY = twox_128(b"System") + twox_128(b"Events")
_PREFIX_BYTES = 16
_IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z0-9_]+")
_DIGEST_KINDS = {0: "other", 4: "consensus", 5: "seal", 6: "pre-runtime", 8: "runtime environment updated"}
Names = Mapping[bytes, str]


@dataclass(frozen=True)
class ExtrinsicFacts:
    """One extrinsic: its hash, its size in bytes with the length prefix, its format version, who it is from."""

    index: int
    hash: bytes
    size: int
    version: int
    signed: bool
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class BlockFacts:
    """A block with its events as the runtime stored them (None: its state is not kept).

    `digest` is (kind, engine, data) of each item; `size` counts header and body in bytes.
    """

    number: int
    hash: bytes
    parent: bytes
    state_root: bytes
    extrinsics_root: bytes
    digest: tuple[tuple[str, bytes, bytes], ...]
    size: int
    extrinsics: tuple[ExtrinsicFacts, ...]
    events: bytes | None
    event_count: int | None


def inspect_block(block: Block, state: State | None) -> BlockFacts:
    """The facts of a block; `state` is the state after it."""
    events = None if state is None else state.get(EVENTS_KEY)
    header = block.header
    return BlockFacts(
        block.number,
        block.hash,
        header.parent,
        header.state_root,
        header.extrinsics_root,
        tuple(_digest(item) for item in header.digest),
        len(block.encode()),
        tuple(_extrinsic(index, data) for index, data in enumerate(block.body)),
        events,
        None if state is None else read_compact(events)[0] if events else 0,
    )


def _digest(encoded: bytes) -> tuple[str, bytes, bytes]:
    item = decode_digest_item(encoded)
    return _DIGEST_KINDS[item.kind], item.engine, item.data


def _extrinsic(index: int, data: bytes) -> ExtrinsicFacts:
    _, start = read_compact(data)
    first = data[start] if start < len(data) else 0
    return ExtrinsicFacts(index, blake2_256(data), len(data), first & 0x3F, first >> 6 == 2, data)


@dataclass(frozen=True)
class PrefixFacts:
    """The keys that begin with one prefix; sizes in bytes. `name` is its meaning or the prefix in hex."""

    name: str
    prefix: bytes
    keys: int
    key_bytes: int
    value_bytes: int


@dataclass(frozen=True)
class StateFacts:
    """A state by pallet and by storage item, largest first, with its largest values and its child tries."""

    root: bytes
    keys: int
    key_bytes: int
    value_bytes: int
    pallets: tuple[PrefixFacts, ...]
    items: tuple[PrefixFacts, ...]
    largest: tuple[tuple[bytes, str, int], ...]
    children: tuple[tuple[bytes, int, int], ...]


def names_in(metadata: bytes) -> Names:
    """What prefixes of storage keys mean, by the words of a runtime's metadata of whatever version."""
    words = set()
    for at, byte in enumerate(metadata):  # a string of less than 64 bytes stands behind four times its length
        if byte & 3 == 0 and byte > 4:
            word = metadata[at + 1 : at + 1 + (byte >> 2)]
            if _IDENTIFIER.fullmatch(word):
                words.add(word)
    return {twox_128(word): word.decode() for word in words}


def name_of(key: bytes, names: Names) -> str:
    """A storage key in words as far as they are known: `Pallet.Item`, or the key itself."""
    if key.startswith(b":"):
        return key.split(b"\0")[0].decode(errors="backslashreplace")
    pallet, item = names.get(key[:_PREFIX_BYTES]), names.get(key[_PREFIX_BYTES : 2 * _PREFIX_BYTES])
    if pallet is None:
        return "0x" + key[:_PREFIX_BYTES].hex()
    if len(key) <= _PREFIX_BYTES:
        return pallet
    return f"{pallet}.{item or key[_PREFIX_BYTES : 2 * _PREFIX_BYTES].hex()}"


def inspect_state(state: State, names: Names, largest: int = 10) -> StateFacts:
    """The facts of a state; reads all of it."""
    pallets: dict[bytes, list[int]] = defaultdict(lambda: [0, 0, 0])
    items: dict[bytes, list[int]] = defaultdict(lambda: [0, 0, 0])
    sizes: list[tuple[int, bytes]] = []
    for key, value in state.items():
        short, long = (key, key) if key.startswith(b":") else (key[:_PREFIX_BYTES], key[: 2 * _PREFIX_BYTES])
        for counted in (pallets[short], items[long]):
            counted[0] += 1
            counted[1] += len(key)
            counted[2] += len(value)
        sizes.append((len(value), key))
    children = []
    for child in state.child_keys():
        entries = [len(value) for _, value in state.items(child=child)]
        children.append((child, len(entries), sum(entries)))
    return StateFacts(
        state.root(),
        len(sizes),
        sum(len(key) for _, key in sizes),
        sum(size for size, _ in sizes),
        _by_size(pallets, names),
        _by_size(items, names),
        tuple((key, name_of(key, names), size) for size, key in nlargest(largest, sizes)),
        tuple(children),
    )


def _by_size(counted: Mapping[bytes, list[int]], names: Names) -> tuple[PrefixFacts, ...]:
    facts = [PrefixFacts(name_of(prefix, names), prefix, *counts) for prefix, counts in counted.items()]
    return tuple(sorted(facts, key=lambda one: (-one.key_bytes - one.value_bytes, one.prefix)))


@dataclass(frozen=True)
class TrieFacts:
    """A trie by its nodes. Bytes are those of encodings; values that are kept by hash are counted apart.

    `kinds` counts nodes by kind, `bytes_by_kind` their encodings; nodes inside their parents are a kind of
    their own and add no bytes. `depths` counts values by the number of nodes above theirs.
    """

    root: bytes
    kinds: Mapping[str, int]
    bytes_by_kind: Mapping[str, int]
    hashed_values: int
    hashed_value_bytes: int
    depths: Mapping[int, int]
    children_of_branches: float

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return sum(self.kinds.values())

    @property
    def bytes(self) -> int:
        """The bytes of all encodings and of the values that are kept by hash."""
        return sum(self.bytes_by_kind.values()) + self.hashed_value_bytes


def inspect_trie(trie: Trie) -> TrieFacts:
    """The facts of a trie; reads all of it."""
    root = trie.root()
    kinds, sizes, depths = Counter[str](), Counter[str](), Counter[int]()
    hashed, branches, links = [], 0, 0
    for node, depth in _nodes(trie):
        inside = depth > 0 and node.reference is not None and not is_hash(node.reference)
        kind = "inside its parent" if inside else _kind(node)
        kinds[kind] += 1
        if not inside:
            sizes[kind] += len(encode_node(node))
        if node.value is not None:
            depths[depth] += 1
        if isinstance(node.value, HashedValue):
            hashed.append(len(node.value.data()))
        if node.children is not None:
            branches += 1
            links += sum(child is not None for child in node.children)
    mean = links / branches if branches else 0.0
    return TrieFacts(
        root, dict(kinds), dict(sizes), len(hashed), sum(hashed), dict(sorted(depths.items())), mean
    )


def _nodes(trie: Trie) -> Iterator[tuple[Node, int]]:
    stack = [] if trie.node is None else [(trie.node, 0)]
    while stack:
        node, depth = stack.pop()
        yield node.open(), depth
        stack += [(child, depth + 1) for child in node.children or () if child is not None]


def _kind(node: Node) -> str:
    if node.children is None:
        return "leaf"
    return "branch" if node.value is None else "branch with value"


@dataclass(frozen=True)
class FileFacts:
    """A database file: bytes in all and in free pages, rows and bytes of each table, and which states it has.

    Tables' bytes are those of their contents; the rest of the file is the pages' own structure and room in
    them. `oldest_state` is the first block whose state can be read.
    """

    bytes: int
    free_bytes: int
    tables: tuple[tuple[str, int, int], ...]
    blocks: int
    oldest_state: int


def inspect_file(database: Database) -> FileFacts:
    """The facts of a database that holds at least a genesis block."""
    best = database.best()
    number = 0 if best is None else best.number
    size, free, tables = database.sizes()
    return FileFacts(size, free, tables, number + 1, database.oldest_state(number))
