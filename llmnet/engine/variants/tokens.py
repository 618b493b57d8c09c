"""The promised model, but not its token: what is sold is chosen in another way, and the sequence goes on from there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from llmnet.engine.engine import Engine
from llmnet.engine.errors import NumericsError
from llmnet.engine.request import GenerationRequest
from llmnet.engine.scheduler import Chunk
from llmnet.proof import Leaf

Choose = Callable[[GenerationRequest, Leaf], int]
"""The token to sell after this honest leaf."""
Accept = Callable[[Leaf, Leaf], bool]
"""Given the draft's leaf and the honest one: is the draft's token good enough?"""


class ChoosingEngine(Engine):
    """Leaves are honest but for their token, which `choose` decides."""

    def __init__(self, *args: Any, choose: Choose, **options: Any) -> None:
        super().__init__(*args, **options)
        self._choose = choose

    def _run(self, chunks: list[Chunk]) -> dict[str, Leaf | NumericsError]:
        results = super()._run(chunks)
        return {name: self._chosen(name, result) for name, result in results.items()}

    def _chosen(self, name: str, result: Leaf | NumericsError) -> Leaf | NumericsError:
        if isinstance(result, NumericsError):
            return result
        return dataclasses.replace(result, token=self._choose(self._active[name].request, result))


class SpeculatingEngine(Engine):
    """Speculation that is not corrected: a draft's token is sold whenever `accept` likes it, else the model's own.

    `draft` must be an idle engine of the same sizes; both are stepped together, one token a step: what is judged
    here is the choice, not the speed.
    """

    def __init__(self, *args: Any, draft: Engine, accept: Accept, **options: Any) -> None:
        super().__init__(*args, **options)
        self._draft, self._accept = draft, accept

    def add(self, request: GenerationRequest) -> None:
        """Queue a request here and in the draft."""
        super().add(request)
        self._draft.add(request)

    def abort(self, request_id: str) -> bool:
        """Drop it in both."""
        self._draft.abort(request_id)
        return super().abort(request_id)

    def _run(self, chunks: list[Chunk]) -> dict[str, Leaf | NumericsError]:
        drafts = self._draft._run(self._draft._scheduler.schedule())
        results = {name: self._settled(drafts[name], result) for name, result in super()._run(chunks).items()}
        # The draft goes on from what was sold, not from what it proposed.
        self._draft._postprocess(results)
        return results

    def _settled(self, draft: Leaf | NumericsError, own: Leaf | NumericsError) -> Leaf | NumericsError:
        if isinstance(draft, NumericsError) or isinstance(own, NumericsError):
            return own
        return dataclasses.replace(own, token=draft.token) if self._accept(draft, own) else own
