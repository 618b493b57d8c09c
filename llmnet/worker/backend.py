"""Where answers come from. The worker takes anything that yields text and, at the end, one leaf a token."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from llmnet.engine import AsyncEngine, GenerationRequest
from llmnet.proof import FinishReason, Leaf


@dataclass(frozen=True, slots=True)
class Piece:
    """Some tokens and the text that is certain by now. A backend that has their leaves already says them."""

    tokens: tuple[int, ...]
    text: str
    leaves: tuple[Leaf, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer: why, and a leaf for every token."""

    reason: FinishReason
    leaves: tuple[Leaf, ...]


class Backend(Protocol):
    """Computes answers. `generate` raises `llmnet.engine.EngineError` for a job it cannot do; leaving it early aborts the job."""

    def generate(self, job: GenerationRequest) -> AsyncGenerator[Piece | Finished, None]:
        """Pieces, then one Finished."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """A backend that can compute the leaves of an answer again."""

    async def score(
        self, prompt_ids: Sequence[int], tokens: Sequence[int], request_seed: bytes
    ) -> list[Leaf]:
        """One leaf a token, as an honest worker would have them. Raises `llmnet.engine.EngineError`."""
        ...


class EngineBackend:
    """Our own engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def generate(self, job: GenerationRequest) -> AsyncGenerator[Piece | Finished, None]:
        """See `Backend`."""
        leaves: list[Leaf] = []
        async for output in self._engine.generate(job):
            if output.leaf is not None:
                leaves.append(output.leaf)
            if output.new_tokens or output.text_delta:
                known = () if output.leaf is None else (output.leaf,)
                yield Piece(output.new_tokens, output.text_delta, known)
            if output.finish_reason is not None:
                yield Finished(output.finish_reason, tuple(leaves))

    async def score(
        self, prompt_ids: Sequence[int], tokens: Sequence[int], request_seed: bytes
    ) -> list[Leaf]:
        """See `Scorer`."""
        return await self._engine.score(prompt_ids, tokens, request_seed)

    def close(self) -> None:
        """Stop the engine's thread."""
        self._engine.close()
