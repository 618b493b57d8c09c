"""Who takes part in a room, and what they have to do with each other."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from llmnet import proof
from llmnet.chain import Keypair
from llmnet.proof import Leaf, PlacedSegment, Receipt, Request
from llmnet.redteam.protocol import toy
from llmnet.verifier.material import Material, Standard, check_material

Look = Callable[["Juror", "Case"], "list[Leaf] | None"]
"""The reference that a juror commits to: leaves of all positions; None to report the data as withheld."""


Serves = Callable[[str, "Sale"], bool]
"""Whether a worker does a duty ("receipt" or "leaves") for a sale."""


def everything(_duty: str, _sale: Sale) -> bool:
    """Does all its duties."""
    return True


def nothing(_duty: str, _sale: Sale) -> bool:
    """Does none."""
    return False


def all_but(duty: str) -> Serves:
    """Does the other duties."""
    return lambda asked, _sale: asked != duty


@dataclass(frozen=True, slots=True)
class Sale:
    """An answer as it was asked, sold and is judged: `reference` is what an honest validator computes."""

    request: Request
    request_signature: bytes
    receipt: Receipt
    receipt_signature: bytes
    text: str
    leaves: tuple[Leaf, ...]
    reference: tuple[Leaf, ...]
    seed: bytes
    payer: bytes
    genesis: bytes

    @property
    def place(self) -> tuple[int, int]:
        """Session and index."""
        return self.receipt.session, self.receipt.index

    @property
    def size(self) -> int:
        """Bytes that pass between requester and worker: request, receipt, their signatures, tokens, text."""
        parts = len(self.request.encode()) + len(self.receipt.encode()) + 2 * 64
        return parts + 4 * len(self.leaves) + len(self.text.encode())

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(leaf.token for leaf in self.leaves)

    def opening(self, positions: list[int]) -> tuple[list[Leaf], list[bytes]]:
        """The leaves at some positions and the proof of them."""
        return proof.opening(self.leaves, positions)


@dataclass
class Deal:
    """A session. Prices in plancks per 1,000 output tokens."""

    session: int
    seed: bytes
    worker: Keypair
    payer: Keypair
    price_out: int
    next_index: int = 0
    paid: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker committed in one epoch."""

    worker: Keypair
    epoch: int
    placed: tuple[PlacedSegment, ...]
    sales: tuple[tuple[Sale, ...], ...]

    def at(self, ordinal: int) -> tuple[int, int, Sale]:
        """Segment, place in it, and the sale of a receipt of the batch."""
        for number, (placed, sales) in enumerate(zip(self.placed, self.sales, strict=True)):
            if ordinal < placed.start + len(sales):
                return number, ordinal - placed.start, sales[ordinal - placed.start]
        raise IndexError(ordinal)

    def segment_proof(self, segment: int) -> list[bytes]:
        """That a segment stands in the batch."""
        return proof.single_proof([placed.encode() for placed in self.placed], segment)

    def receipt_proof(self, segment: int, place: int) -> list[bytes]:
        """That a receipt stands in its segment."""
        return proof.single_proof([sale.receipt.encode() for sale in self.sales[segment]], place)


@dataclass(frozen=True, slots=True)
class Case:
    """An audit before its panel."""

    audit: int
    sale: Sale
    panel: tuple[bytes, ...]

    def most(self, friends: Collection[bytes]) -> bool:
        """Whether most of the panel are these."""
        return 2 * sum(member in friends for member in self.panel) > len(self.panel)


def where_most(friends: Collection[bytes], look: Look) -> Look:
    """Looks so where friends are most of the panel, which everybody knows once it is drawn, and honestly elsewhere."""

    def looks(juror: Juror, case: Case) -> list[Leaf] | None:
        return look(juror, case) if case.most(friends) else honest(juror, case)

    return looks


def honest(juror: Juror, case: Case) -> list[Leaf] | None:
    """Checks what the worker hands out as the daemon does, and runs the reference."""
    sale = case.sale
    material = Material(sale.request, sale.request_signature, sale.tokens, sale.text, sale.receipt)
    standard = Standard(sale.payer, sale.genesis, toy.SPEC, None)
    if any(check.ok is False for check in check_material(material, standard)):
        return None
    juror.runs += 1
    return list(sale.reference)


@dataclass(eq=False)
class Juror:
    """A validator that acts by itself. `acts`, `reveals`: whether it commits and reveals at all; `runs` counts references."""

    keys: Keypair
    rng: random.Random
    look: Look = honest
    acts: bool = True
    reveals: bool = True
    runs: int = 0
    sat: int = 0
    committed: dict[int, tuple[list[Leaf], bytes]] = field(default_factory=dict)
