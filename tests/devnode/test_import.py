"""Blocks that another node made: taken if they are right, refused with a reason if not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import sr25519

from llmnet.devnode import Block, BlockRefused, Header, KnownBlock, Node, UnknownParent
from llmnet.devnode.block import DigestItem, decode_digest_item, pre_runtime, without_seal
from llmnet.devnode.errors import CodecError
from llmnet.devnode.scale import u64, vec

from .conftest import NodeFactory
from .raw_signer import RawSigner, keypair
from .support import UNIT

SEAL = b"\5"


@pytest.fixture
def author(make_node: NodeFactory) -> Node:
    return make_node()


def made(author: Node, transfers: int = 1) -> Block:
    signer = RawSigner(author)
    first = author.best.number * transfers
    for nonce in range(first, first + transfers):
        author.submit(signer.transfer("//Alice", "//Bob", UNIT, nonce))
    return author.produce_block().block


def sealed(block: Block, uri: str, engine: bytes = b"aura") -> Block:
    keys = keypair(uri)
    signature = sr25519.sign((keys.public_key, keys.private_key), block.hash)
    return with_digest(block, (*block.header.digest, SEAL + engine + vec(signature)))


def with_digest(block: Block, digest: tuple[bytes, ...]) -> Block:
    return Block(dataclasses.replace(block.header, digest=digest), block.body)


def refuse(node: Node, block: Block, kind: type[BlockRefused], match: str) -> None:
    """The block is refused, and afterwards everything is as before."""
    before = node.best.hash, node.chain.state.root()
    with pytest.raises(kind, match=match):
        node.import_block(block)
    assert (node.best.hash, node.chain.state.root()) == before


def test_imported_chain_is_the_same_chain(node: Node, author: Node) -> None:
    seen: list[Block] = []
    node.on_block(seen.append)
    for _ in range(3):
        node.import_block(made(author, 2))
    assert node.best.hash == author.best.hash
    assert node.chain.state.root() == author.chain.state.root()
    assert [block.number for block in seen] == [1, 2, 3]
    assert node.produce_block().block.header.parent == author.best.hash


def test_imported_transactions_leave_the_pool(node: Node, author: Node) -> None:
    extrinsic = RawSigner(author).transfer("//Alice", "//Bob", UNIT, 0)
    tx_hash = node.submit(extrinsic)
    statuses: list[tuple[str, bytes | None]] = []
    node.on_status(lambda found, status, value: statuses.append((status, value)))
    other = node.submit(RawSigner(author).transfer("//Bob", "//Alice", UNIT, 0))
    block = author.produce_block([extrinsic]).block
    node.import_block(block)
    assert tx_hash not in node.pool
    assert other in node.pool
    assert statuses == [("ready", None), ("inBlock", block.hash)]


def test_known_block_and_unknown_parent(node: Node, author: Node) -> None:
    blocks = [made(author) for _ in range(3)]
    refuse(node, blocks[1], UnknownParent, "only its children are taken")
    node.import_block(blocks[0])
    refuse(node, blocks[0], KnownBlock, "in the chain already")
    node.import_block(blocks[1])
    refuse(node, blocks[0], KnownBlock, "in the chain already")
    node.import_block(blocks[2])


def test_fork_is_refused(node: Node, author: Node, make_node: NodeFactory) -> None:
    other = make_node(wall_clock=lambda: 2_000_000_000.0)
    node.import_block(made(author))
    refuse(node, other.produce_block().block, UnknownParent, "only its children are taken")


@pytest.mark.parametrize("field", ["state_root", "extrinsics_root", "number"])
def test_header_with_a_wrong_field_is_refused(node: Node, author: Node, field: str) -> None:
    block = made(author)
    value = 5 if field == "number" else b"\1" * 32
    forged = Block(dataclasses.replace(block.header, **{field: value}), block.body)
    refuse(node, forged, BlockRefused, "follows|re-execution|another state")
    node.import_block(block)


CHANGES: list[Callable[[tuple[bytes, ...]], tuple[bytes, ...]]] = [
    lambda body: body[:-1],
    lambda body: (*body, body[-1]),
    lambda body: body[1:],
    lambda body: body[::-1],
    lambda body: (*body[:-1], body[-1][:-1] + b"\0"),
    lambda body: (*body[:-1], vec(b"\xff" * 50)),
    lambda body: (*body[:-1], vec(bytes(100_000))),
    lambda body: (),
]


@pytest.mark.parametrize("change", CHANGES)
def test_changed_body_is_refused(
    node: Node, author: Node, change: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
) -> None:
    block = made(author, 2)
    refuse(node, Block(block.header, change(block.body)), BlockRefused, "does not survive")
    node.import_block(block)


def authority(node: Node, header: Header) -> str:
    """The development account whose turn the header's slot is."""
    item = decode_digest_item(header.digest[0])
    keys = node.call("AuraApi_authorities")[1:]
    index = int.from_bytes(item.data, "little") % (len(keys) // 32)
    wanted = keys[32 * index : 32 * index + 32]
    return next(uri for uri in ("//Alice", "//Bob", "//Charlie") if bytes(keypair(uri).public_key) == wanted)


def test_sealed_block_is_taken_with_its_seal(node: Node, author: Node) -> None:
    """The runtime executes the header without the seal; the block's hash has it in."""
    block = made(author)
    whole = sealed(block, authority(author, block.header))
    node.import_block(whole)
    assert node.best.hash == whole.hash != block.hash
    assert node.best.header.digest == whole.header.digest
    assert node.produce_block().block.header.parent == whole.hash


def test_seal_of_another_is_refused(node: Node, author: Node) -> None:
    block = made(author)
    refuse(node, sealed(block, "//Mallory"), BlockRefused, "is not by 0x")


@pytest.mark.parametrize("signature", [b"", bytes(64), bytes(63), b"\xff" * 64, bytes(1000)])
def test_misshapen_seal_is_refused(node: Node, author: Node, signature: bytes) -> None:
    block = made(author)
    digest = (*block.header.digest, SEAL + b"aura" + vec(signature))
    refuse(node, with_digest(block, digest), BlockRefused, "is not by 0x")


def test_seal_that_cannot_be_checked_is_refused(node: Node, author: Node) -> None:
    block = made(author)
    refuse(node, sealed(block, "//Alice", engine=b"BABE"), BlockRefused, "cannot check")
    whole = sealed(block, authority(author, block.header))
    without_slot = with_digest(whole, whole.header.digest[-1:])
    refuse(node, without_slot, BlockRefused, "cannot check")


def test_two_seals_or_another_slot_are_refused(node: Node, author: Node) -> None:
    block = made(author)
    twice = sealed(sealed(block, authority(author, block.header)), authority(author, block.header))
    refuse(node, twice, BlockRefused, "does not survive")
    moved = with_digest(block, (pre_runtime(b"aura", u64(1)),))
    refuse(node, moved, BlockRefused, "does not survive")


@pytest.mark.parametrize("item", [b"", b"\5", b"\5aur", b"\7aura\0", b"\5aura\xff"])
def test_digest_that_cannot_be_read_is_refused(node: Node, author: Node, item: bytes) -> None:
    block = made(author)
    refuse(node, with_digest(block, (*block.header.digest, item)), BlockRefused, "cannot be read")


def test_digest_items_are_read() -> None:
    assert decode_digest_item(pre_runtime(b"aura", b"xy")) == DigestItem(6, b"aura", b"xy")
    assert decode_digest_item(b"\0" + vec(b"note")) == DigestItem(0, b"", b"note")
    assert decode_digest_item(b"\x08") == DigestItem(8, b"", b"")
    with pytest.raises(CodecError):
        decode_digest_item(b"\6au")


def test_header_without_a_seal_is_itself() -> None:
    header = Header(bytes(32), 1, bytes(32), bytes(32), (pre_runtime(b"aura", b""),))
    assert without_seal(header) == (header, None)
    assert without_seal(dataclasses.replace(header, digest=())) == (
        dataclasses.replace(header, digest=()),
        None,
    )
