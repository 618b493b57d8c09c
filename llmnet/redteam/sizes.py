"""What an audit puts on the chain, and what passes beside it, in bytes of real encodings."""

from __future__ import annotations

import dataclasses
import json

from llmnet.measure import Recording
from llmnet.proof import (
    FinishReason,
    Leaf,
    PlacedSegment,
    Receipt,
    Segment,
    draw_positions,
    encode_leaves,
    multiproof,
    output_hash,
    place_segments,
    receipts_root,
    single_proof,
    text_hash,
    transcript_root,
)
from llmnet.redteam.trials import PANEL

ENVELOPE = 139
"""An extrinsic's signature, account, era, nonce and what stands between them."""
BATCH = 20
_AUDIT, _HASH, _SALT = 4, 32, 32


def on_chain(recording: Recording) -> int:
    """All calls of one audit: receipt, commitments, leaves, references."""
    receipt = _receipt(recording)
    placed = _placed(receipt)
    positions = draw_positions(bytes(32), len(recording.leaves))
    opened = _opened(recording.leaves, positions)
    revealed = _opened(recording.reference, positions)
    path = multiproof([leaf.encode() for leaf in recording.leaves], positions)
    among = single_proof([receipt.encode()] * BATCH, 0)
    calls = [
        _AUDIT + len(placed.encode()) + len(receipt.encode()) + _HASH * len(among),
        *([_AUDIT + 1 + _HASH] * len(PANEL)),
        _AUDIT + opened + _HASH * len(path),
        *([_AUDIT + revealed + _SALT] * len(PANEL)),
    ]
    return sum(calls) + ENVELOPE * len(calls)


def off_chain(recording: Recording, text: str) -> int:
    """What the validators of a panel fetch from the worker: request, tokens, text and receipt, as JSON each."""
    body = {
        "request": "0" * (2 * (len(recording.prompt_ids) * 4 + 80)),
        "request_signature": "0" * 128,
        "tokens": list(recording.tokens),
        "text": text,
        "receipt": _receipt(recording).encode().hex(),
    }
    return len(json.dumps(body).encode()) * len(PANEL)


def _opened(leaves: tuple[Leaf, ...], positions: list[int]) -> int:
    return len(encode_leaves([leaves[place] for place in positions]))


def _receipt(recording: Recording) -> Receipt:
    return Receipt(
        session=1,
        index=1,
        request_hash=bytes(32),
        temperature=recording.temperature,
        output_hash=output_hash(recording.tokens),
        text_hash=text_hash(""),
        n_prompt=len(recording.prompt_ids),
        n_out=len(recording.leaves),
        finish=FinishReason.LENGTH,
        transcript_root=transcript_root(recording.leaves),
    )


def _placed(receipt: Receipt) -> PlacedSegment:
    receipts = [dataclasses.replace(receipt, index=receipt.index + number) for number in range(BATCH)]
    segment = Segment(1, receipts[0].index, receipts[-1].index, receipts_root(receipts), 1)
    return place_segments([segment])[0]
