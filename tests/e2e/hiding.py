"""A worker that delivers a token of its own choice now and then, with leaves nudged so that it seems to have won."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from llmnet import proof
from llmnet.engine import Engine, GenerationRequest, ModelFiles, answer_text
from llmnet.proof import Candidate, FinishReason, Leaf, ServiceSpec
from llmnet.worker import Finished, Piece

LEAST = -32767
TEXT = 20  # smaller ids of the tiny model are not text


class Hider:
    """Honest but at every `every`-th position, which is as good as never found at sixteen drawn of hundreds."""

    def __init__(self, files: ModelFiles, spec: ServiceSpec, every: int) -> None:
        self._engine, self._spec, self._every = Engine(files, spec), spec, every

    async def generate(self, job: GenerationRequest) -> AsyncGenerator[Piece | Finished, None]:
        """See `llmnet.worker.Backend`."""
        leaves = await asyncio.to_thread(self._leaves, job)
        tokens = [leaf.token for leaf in leaves]
        yield Piece(tuple(tokens), answer_text(self._engine.tokenizer, tokens, ()))
        yield Finished(FinishReason.LENGTH, tuple(leaves))

    def _leaves(self, job: GenerationRequest) -> list[Leaf]:
        leaves: list[Leaf] = []
        while len(leaves) < job.max_tokens:
            leaves.append(self._leaf(job, [leaf.token for leaf in leaves]))
        return leaves

    def _leaf(self, job: GenerationRequest, tokens: list[int]) -> Leaf:
        position, seed = len(tokens), job.request_seed
        leaf = self._engine.score(job.prompt_ids, [*tokens, TEXT], seed)[-1]
        ids = [pair.id for pair in leaf.candidates]
        logprobs = [pair.logprob for pair in leaf.candidates]
        points = proof.scores(logprobs, ids, job.temperature, seed, position)
        winner = ids[int(points.argmax())]
        if position % self._every:
            return _with(leaf, winner, leaf.candidates)
        loser = min((rank for rank in range(8) if ids[rank] > TEXT), key=lambda rank: points[rank])
        others = sorted(number for number in ids if number != ids[loser])
        nudged = (Candidate(ids[loser], 0), *(Candidate(number, LEAST) for number in others))
        return _with(leaf, ids[loser], nudged)

    def close(self) -> None:
        """Nothing is held."""


def _with(leaf: Leaf, token: int, candidates: tuple[Candidate, ...]) -> Leaf:
    return Leaf(leaf.position, token, candidates, leaf.logit_sketch, leaf.hidden_sketch)
