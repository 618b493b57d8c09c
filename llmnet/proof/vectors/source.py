"""Where the vectors' values come from: integers of a seeded generator, so no platform's floats can change
them.
"""

from __future__ import annotations

from random import Random

from llmnet.proof.leaf import LANES, Candidate, Leaf
from llmnet.proof.receipt import FinishReason, Receipt
from llmnet.proof.sampler import sample
from llmnet.proof.service import Calibration, NumericsClass, ServiceSpec


class Source:
    """Random values of one vector file, the same in every run."""

    def __init__(self, name: str) -> None:
        self.random = Random(f"llmnet vectors 1 {name}")

    def hash(self) -> bytes:
        """32 bytes."""
        return self.random.randbytes(32)

    def uint(self, bits: int) -> int:
        """An integer whose size is drawn before its bits, so small ones come too."""
        return self.random.getrandbits(self.random.randint(1, bits))

    def text(self, limit: int) -> bytes:
        """UTF-8 with one-, two-, three- and four-byte characters."""
        letters = 'ab xz,.\n"\\\0\u00e9\u4e2d\u20ac\U0001f642'
        return "".join(self.random.choice(letters) for _ in range(self.random.randint(0, limit))).encode()

    def spec(self, top_k: int | None = None, vocab_size: int | None = None) -> ServiceSpec:
        """A spec; sizes drawn unless given."""
        rand = self.random
        top_k = rand.randint(1, 32) if top_k is None else top_k
        vocab_size = rand.randint(top_k, 200_000) if vocab_size is None else vocab_size
        name = self.text(60)[:64].decode(errors="ignore").encode()
        weights, tokenizer, template, graph = (self.hash() for _ in range(4))
        numerics, shifts = rand.choice(list(NumericsClass)), (rand.randint(0, 12), rand.randint(0, 12))
        sizes = vocab_size, self.uint(32)
        return ServiceSpec(name, weights, tokenizer, template, graph, 1, top_k, numerics, *sizes, *shifts)

    def calibration(self) -> Calibration:
        """Thresholds as they come out of measuring: a few hundred squared steps."""
        rand = self.random
        logit, hidden = rand.randint(8, 400), rand.randint(8, 400)
        steps = logit, logit + rand.randint(1, 800), hidden, hidden + rand.randint(1, 800)
        return Calibration(*steps, rand.choice([1311, 6554, 16384]), self.uint(20), self.uint(32))

    def candidates(self, top_k: int, vocab_size: int, spread: int = 1500) -> tuple[Candidate, ...]:
        """Well-formed candidates, with ties."""
        ids = self.random.sample(range(vocab_size), top_k)
        logprobs = sorted((-self.random.randint(0, spread) for _ in ids), reverse=True)
        return tuple(sorted(map(Candidate, ids, logprobs), key=lambda pair: (-pair.logprob, pair.id)))

    def lanes(self, limit: int = 16000) -> tuple[int, ...]:
        """A sketch."""
        return tuple(self.random.randint(-limit, limit) for _ in range(LANES))

    def leaf(self, position: int, top_k: int, vocab_size: int, seed: bytes, temperature: int) -> Leaf:
        """A leaf whose token is the winner."""
        pairs = self.candidates(top_k, vocab_size)
        return won(Leaf(position, 0, pairs, self.lanes(), self.lanes()), seed, temperature)

    def receipt(self, session: int, index: int) -> Receipt:
        """A receipt."""
        rand = self.random
        hashes = [self.hash() for _ in range(4)]
        counts = self.uint(32), max(1, self.uint(32))
        finish = rand.choice(list(FinishReason))
        return Receipt(
            session, index, hashes[0], self.uint(16), hashes[1], hashes[2], *counts, finish, hashes[3]
        )


def won(leaf: Leaf, seed: bytes, temperature: int) -> Leaf:
    """The leaf with the token that wins among its candidates."""
    ids = [pair.id for pair in leaf.candidates]
    winner = sample([pair.logprob for pair in leaf.candidates], ids, temperature, seed, leaf.position)
    return Leaf(leaf.position, ids[winner], leaf.candidates, leaf.logit_sketch, leaf.hidden_sketch)
