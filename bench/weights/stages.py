"""Bytes and weight of each stage on chain, and transactions per 1,000 answers: the tables of docs/protocol.md, section 14.

    python -m bench.weights.stages

Bytes are those of whole transactions as they are sent; weights are those that the runtime charges for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.weights.__main__ import WASM
from bench.weights.cases_audits import verdicts
from bench.weights.declared import charged
from bench.weights.lab import Lab, Sent
from bench.weights.pieces import PIECES
from bench.weights.scene import Cast, Stage
from llmnet.devnode import Node, NodeConfig

ANSWERS = 1_000
BATCH = 20  # answers of a worker in an epoch
PANEL = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of transaction."""

    what: str
    who: str
    name: str
    value: int = 0


ROWS = (
    Row("`sessions.open`", "requester", "open"),
    Row("`spot_checks.commit_batch`, one segment", "worker", "commit_batch", 1),
    Row("`spot_checks.commit_batch`, 256 segments", "worker", "commit_batch", 256),
    Row("`sessions.claim`", "worker", "claim"),
    Row("`sessions.close`", "either", "close"),
    Row("`open_receipt`, deepest proofs", "worker", "open_receipt"),
    Row("`commit_reference`", "each validator", "commit_reference"),
    Row("`open_leaves`, 16 leaves of 32 candidates, 2^19 tokens", "worker", "open_leaves", 16),
    Row("`reveal_reference`, the same", "each validator", "reveal_reference", 16),
)


@dataclass(frozen=True, slots=True)
class Market:
    """How 1,000 answers are sold: so many sessions, so many of their answers audited."""

    name: str
    sessions: int
    audited: float

    def transactions(self) -> dict[str, float]:
        """How many of each kind. A session ends with one claim; sessions share their worker's batches."""
        audits = ANSWERS * self.audited
        return {
            "open": self.sessions,
            "close": self.sessions,
            "claim": self.sessions,
            "commit_batch": ANSWERS / BATCH,
            "open_receipt": audits,
            "commit_reference": PANEL * audits,
            "open_leaves": audits,
            "reveal_reference": PANEL * audits,
        }


MARKETS = tuple(
    Market(name, sessions, audited)
    for name, sessions in (("10 answers a session", 100), ("1,000 answers a session", 1))
    for audited in (0.05, 0.5)
)


def _sent(lab: Lab, name: str, value: int) -> Sent:
    call: Callable[[Lab, int], Sent] | None = next(
        piece.call for piece in PIECES if piece.name == name and piece.call
    )
    assert call is not None
    return call(lab, value)


def _size(sent: Sent) -> int:
    scene, call, keys = sent
    return len(scene.signed(call, keys))


def stages(lab: Lab) -> Iterator[tuple[str, str, int, float]]:
    """What, by whom, bytes, microseconds charged."""
    for row in ROWS:
        sent = _sent(lab, row.name, row.value)
        yield row.what, row.who, _size(sent), charged(sent).seconds * 1e6
    last = max(verdicts(lab), key=lambda sent: charged(sent).ref_time)
    yield (
        "the last `reveal_reference`, with the verdict",
        "one validator",
        _size(last),
        charged(last).seconds * 1e6,
    )


def totals(lab: Lab) -> Iterator[tuple[str, float, int, float, float]]:
    """Name, share audited, transactions, kilobytes and seconds of weight per 1,000 answers."""
    sent = {name: _sent(lab, name, _typical(name)) for name in MARKETS[0].transactions()}
    cost = {name: (_size(one), charged(one).seconds) for name, one in sent.items()}
    verdict = max(charged(one).seconds for one in verdicts(lab)) - cost["reveal_reference"][1]
    for market in MARKETS:
        counts = market.transactions()
        size = sum(count * cost[name][0] for name, count in counts.items())
        seconds = sum(count * cost[name][1] for name, count in counts.items())
        seconds += ANSWERS * market.audited * verdict
        yield market.name, market.audited, round(sum(counts.values())), size / 1_000, seconds


def _typical(name: str) -> int:
    return {"commit_batch": 2, "open_leaves": 16, "reveal_reference": 16}.get(name, 0)


def tables(lab: Lab) -> str:
    """Both tables in Markdown."""
    lines = ["| transaction | by | bytes | weight (us) |", "|---|---|---|---|"]
    lines += [f"| {what} | {who} | {size:,} | {weight:,.0f} |" for what, who, size, weight in stages(lab)]
    lines += ["", "| sessions | audited | transactions | kB | weight (s) |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {audited:.0%} | {count:,} | {size:,.0f} | {seconds:.2f} |"
        for name, audited, count, size, seconds in totals(lab)
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Prints the tables."""
    node = Node.from_preset(WASM, config=NodeConfig())
    try:
        sys.stdout.write(tables(Lab(Stage(node), Cast(), 1)))
    finally:
        node.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
