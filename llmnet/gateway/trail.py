"""What the blocks say about one answer: the calls that concern it, found by walking the chain.

Blocks keep their transactions for good, while state is pruned and pallets forget; so this is the long memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmnet import proof
from llmnet.chain import Call, Client, CodecError, decode_extrinsic
from llmnet.proof import Candidate, Leaf, Receipt, Segment

CHUNK = 16
MAX_BLOCKS = 5000
_NESTING = ("batch", "batch_all", "force_batch")


@dataclass(frozen=True, slots=True)
class Entry:
    """A call in a block. That it is there does not say that it succeeded."""

    block: int
    signer: bytes | None
    call: Call


@dataclass(slots=True)
class Trail:
    """The calls around one answer. `segments` are those of the batch that holds it, by block."""

    opened: Entry | None = None
    batches: list[tuple[Entry, tuple[Segment, ...]]] = field(default_factory=list)
    claims: list[Entry] = field(default_factory=list)
    endings: list[Entry] = field(default_factory=list)
    audit: list[Entry] = field(default_factory=list)

    def of_audit(self, function: str) -> list[Entry]:
        """The calls of one stage."""
        return [entry for entry in self.audit if entry.call.function == function]


def flat(call: Call) -> Iterator[Call]:
    """A call, or the calls in a batch."""
    if call.pallet == "Utility" and call.function in _NESTING:
        for inner in call.args["calls"]:
            yield from flat(inner)
    else:
        yield call


async def calls(client: Client, first: int, last: int) -> list[Entry]:
    """All calls in blocks `first..=last`, at most the latest `MAX_BLOCKS` blocks."""
    first = max(first, last - MAX_BLOCKS + 1, 1)
    found: list[Entry] = []
    for start in range(first, last + 1, CHUNK):
        numbers = range(start, min(start + CHUNK, last + 1))
        for entries in await asyncio.gather(*(_block(client, number) for number in numbers)):
            found += entries
    return found


async def _block(client: Client, number: int) -> list[Entry]:
    block_hash = await client.block_hash(number)
    if block_hash is None:
        return []
    entries = []
    for data in await client.at(block_hash).extrinsics():
        try:
            # A block of an older runtime may not fit today's types: what it says cannot be told then.
            extrinsic = decode_extrinsic(client.runtime, data)
        except CodecError:
            continue
        signer = extrinsic.signer if isinstance(extrinsic.signer, bytes) else None
        entries += [Entry(number, signer, call) for call in flat(extrinsic.call)]
    return entries


def sort_out(
    entries: list[Entry], worker: bytes, session: int, index: int | None, audit: int | None
) -> Trail:
    """The entries that concern an answer, or without an index any answer of the session."""
    trail = Trail()
    for entry in entries:
        call = entry.call
        if call.pallet == "SpotChecks":
            if call.function == "commit_batch" and entry.signer == worker:
                segments = tuple(_segment(item) for item in call.args["segments"])
                if any(item.session == session and _covers(item, index) for item in segments):
                    trail.batches.append((entry, segments))
            elif audit is not None and call.args.get("audit") == audit:
                trail.audit.append(entry)
        elif call.pallet == "Sessions" and call.args.get("session") == session:
            (
                trail.claims if "claim" in call.function or "voucher" in call.function else trail.endings
            ).append(entry)
    return trail


def _covers(segment: Segment, index: int | None) -> bool:
    return index is None or segment.first <= index <= segment.last


def _segment(value: dict[str, Any]) -> Segment:
    return Segment(value["session"], value["first"], value["last"], value["receipts_root"], value["amount"])


def leaves_of(entry: Entry) -> tuple[Leaf, ...]:
    """The leaves in a call that opens or reveals them. Raises ProofError for some that cannot be."""
    return tuple(
        Leaf(
            value["position"],
            value["token"],
            tuple(Candidate(item["id"], item["logprob"]) for item in value["candidates"]),
            tuple(value["logit_sketch"]),
            tuple(value["hidden_sketch"]),
        )
        for value in entry.call.args["leaves"]
    )


def opened_leaves(trail: Trail, receipt: Receipt, positions: Sequence[int]) -> tuple[Leaf, ...] | None:
    """The leaves that the worker opened and proved, if it did."""
    for entry in trail.of_audit("open_leaves"):
        try:
            leaves = leaves_of(entry)
            encoded = [leaf.encode() for leaf in leaves]
            root, nodes = receipt.transcript_root, entry.call.args["proof"]
            proven = proof.verify_multiproof(root, receipt.n_out, positions, encoded, nodes)
        except proof.ProofError:
            continue
        if proven and [leaf.position for leaf in leaves] == list(positions):
            return leaves
    return None


def references_of(trail: Trail, audit: int, commitments: dict[bytes, bytes]) -> list[proof.Reference]:
    """The references that were revealed as committed to."""
    found: dict[bytes, proof.Reference] = {}
    for entry in trail.of_audit("reveal_reference"):
        committed = None if entry.signer is None else commitments.get(entry.signer)
        if entry.signer is None or committed is None:
            continue
        try:
            leaves = leaves_of(entry)
        except proof.ProofError:
            continue
        if proof.reference_commitment(audit, entry.signer, leaves, entry.call.args["salt"]) == committed:
            found[entry.signer] = proof.Reference(entry.signer, leaves)
    return list(found.values())
