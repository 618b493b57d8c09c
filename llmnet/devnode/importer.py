"""Checks a block that another node made and executes it on its parent's state."""

from __future__ import annotations

import sr25519

from llmnet.devnode.author import execute_block
from llmnet.devnode.block import Block, DigestItem, Header, decode_digest_item, without_seal
from llmnet.devnode.chain import Chain
from llmnet.devnode.errors import (
    AuthoringError,
    BlockRefused,
    CodecError,
    KnownBlock,
    NoSuchEntryPoint,
    UnknownBlock,
    UnknownParent,
)
from llmnet.devnode.executor import Runtime
from llmnet.devnode.overlay import Overlay
from llmnet.devnode.runtime_api import RuntimeVersion
from llmnet.devnode.scale import Reader
from llmnet.devnode.state import State

_AURA = b"aura"


def check_place(chain: Chain, block: Block) -> None:
    """Refuses a block that does not follow the best one: KnownBlock or UnknownParent."""
    best = chain.best
    if block.header.parent == best.hash and block.number == best.number + 1:
        return
    try:
        chain.block_by_hash(block.hash)
    except UnknownBlock:
        pass  # as it should be; the parent is what is wrong
    else:
        raise KnownBlock(f"block {block.number} (0x{block.hash.hex()}) is in the chain already")
    raise UnknownParent(
        f"block {block.number} follows 0x{block.header.parent.hex()}; here the best block is {best.number}, "
        f"0x{best.hash.hex()}, and only its children are taken"
    )


def _authorities(runtime: Runtime, state: State) -> list[bytes]:
    try:
        reader = Reader(runtime.call("AuraApi_authorities", b"", Overlay(state)))
        return [reader.take(32) for _ in range(reader.count(32))]
    except NoSuchEntryPoint:
        return []


def _slot(header: Header) -> int | None:
    for item in map(decode_digest_item, header.digest):
        if item.is_pre_runtime and item.engine == _AURA and len(item.data) == 8:
            return int.from_bytes(item.data, "little")
    return None


def check_seal(header: Header, seal: DigestItem, authorities: list[bytes]) -> None:
    """Checks an Aura seal: the authority whose turn the slot is has signed the unsealed `header`.

    Raises BlockRefused, also for seals of another kind: what cannot be checked is not believed.
    """
    slot = _slot(header)
    if seal.engine != _AURA or slot is None or not authorities:
        raise BlockRefused(f"block {header.number} has a seal that this node cannot check: {seal.engine!r}")
    author = authorities[slot % len(authorities)]
    try:
        genuine = len(seal.data) == 64 and sr25519.verify(seal.data, header.hash, author)
    except ValueError:
        genuine = False
    if not genuine:
        raise BlockRefused(
            f"the seal of block {header.number} is not by 0x{author.hex()}, whose turn slot {slot} is"
        )


def execute_import(runtime: Runtime, version: RuntimeVersion, block: Block, parent_state: State) -> State:
    """Checks seal and execution of a block on its parent's state; returns the state after it.

    A block without a seal is one of manual sealing: it is as good as its execution. Raises BlockRefused.
    """
    try:
        header, seal = without_seal(block.header)
        if seal is not None:
            check_seal(header, seal, _authorities(runtime, parent_state))
        return execute_block(runtime, version, Block(header, block.body), parent_state)
    except AuthoringError as error:
        raise BlockRefused(str(error)) from error
    except CodecError as error:
        raise BlockRefused(f"the digest of block {block.number} cannot be read: {error}") from None
