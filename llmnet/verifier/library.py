"""The models of this machine as the registered specs that they are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from llmnet.engine.weights import ModelFiles
from llmnet.proof import ServiceSpec

from .errors import ModelMismatch
from .reference import Reference, spec_of

log = logging.getLogger(__name__)


class Library:
    """References by spec id, each made when it is first asked for."""

    def __init__(
        self, models: Sequence[ModelFiles], *, provider: str = "CPUExecutionProvider", threads: int = 1
    ) -> None:
        self._models, self._provider, self._threads = tuple(models), provider, threads
        self._made: dict[bytes, Reference] = {}
        self._refused: dict[bytes, ModelMismatch] = {}
        self._lock = asyncio.Lock()

    async def warm(self) -> None:
        """Make ready what a worker with these models registers by default. Raises ReferenceFailed."""
        for files in self._models:
            spec = await asyncio.to_thread(spec_of, files)
            self._made[spec.id] = await asyncio.to_thread(self._make, spec)

    async def reference(
        self, spec_id: bytes, registered: Callable[[bytes], Awaitable[ServiceSpec | None]]
    ) -> Reference:
        """The reference of a spec. Raises ModelMismatch if no model here is the registered one, ReferenceFailed."""
        async with self._lock:
            if spec_id in self._refused:
                raise self._refused[spec_id]
            if spec_id not in self._made:
                spec = await registered(spec_id)
                if spec is None:
                    raise ModelMismatch(f"spec {spec_id.hex()} is not registered")
                try:
                    self._made[spec_id] = await asyncio.to_thread(self._make, spec)
                except ModelMismatch as error:
                    self._refused[spec_id] = error
                    raise
            return self._made[spec_id]

    def _make(self, spec: ServiceSpec) -> Reference:
        """The first model that fits."""
        found = ModelMismatch("this validator was given no model")
        for files in self._models:
            try:
                return Reference(files, spec, provider=self._provider, threads=self._threads)
            except ModelMismatch as error:
                found = error
        raise found
