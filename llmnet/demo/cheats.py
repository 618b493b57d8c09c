"""Workers that sell something else than what they promise. They exist so that the network can show that it notices.

Each is a backend in the place of the honest engine; signing, batches and openings stay the real daemon's.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator

import torch

from llmnet.cli.worker import BackendFactory, engine_backend
from llmnet.engine import (
    AsyncEngine,
    Engine,
    GenerationRequest,
    LlamaModel,
    ModelFiles,
    quantise_int8,
    skip_layer,
)
from llmnet.proof import ServiceSpec
from llmnet.worker import Backend, EngineBackend, Finished, Piece

from .cast import HONEST

SKIPPED_LAYER = 12


def _model(files: ModelFiles, spec: ServiceSpec, behaviour: str) -> LlamaModel:
    honest = LlamaModel.from_files(files, spec.numerics, "cpu")
    skipped = min(SKIPPED_LAYER, len(honest.layers) - 1)
    return skip_layer(honest, skipped) if behaviour == "skip_layer" else quantise_int8(honest)


def _other_model(behaviour: str) -> BackendFactory:
    def make(args: argparse.Namespace, files: ModelFiles, spec: ServiceSpec) -> Backend:
        torch.set_num_threads(args.threads)
        model = _model(files, spec, behaviour)
        return EngineBackend(AsyncEngine(Engine(files, spec, max_batch=args.max_batch, model=model)))

    return make


class CheapDecode:
    """Decodes with int8 weights, then lets the honest model compute the leaves of those tokens in one prefill.

    The fingerprints are honest, so distances show nothing; the tokens are not what the honest leaves would have sampled.
    """

    def __init__(self, cheap: AsyncEngine, honest: AsyncEngine) -> None:
        self._cheap, self._honest = cheap, honest

    async def generate(self, job: GenerationRequest) -> AsyncGenerator[Piece | Finished, None]:
        """See `llmnet.worker.Backend`."""
        tokens: list[int] = []
        async for output in self._cheap.generate(job):
            tokens += output.new_tokens
            if output.new_tokens or output.text_delta:
                yield Piece(output.new_tokens, output.text_delta)
            if output.finish_reason is not None:
                leaves = await self._honest.score(job.prompt_ids, tokens, job.request_seed)
                yield Finished(output.finish_reason, tuple(leaves))

    def close(self) -> None:
        """Stop both engines."""
        self._cheap.close()
        self._honest.close()


def _cheap_decode(args: argparse.Namespace, files: ModelFiles, spec: ServiceSpec) -> Backend:
    torch.set_num_threads(args.threads)
    honest = LlamaModel.from_files(files, spec.numerics, "cpu")
    cheap = Engine(files, spec, max_batch=args.max_batch, model=quantise_int8(honest))
    return CheapDecode(AsyncEngine(cheap), AsyncEngine(Engine(files, spec, max_batch=1, model=honest)))


def backend_for(behaviour: str) -> BackendFactory:
    """The backend of a behaviour. Raises ValueError for an unknown one."""
    if behaviour == HONEST:
        return engine_backend
    if behaviour == "cheap_decode":
        return _cheap_decode
    if behaviour in ("int8", "skip_layer"):
        return _other_model(behaviour)
    raise ValueError(f"unknown behaviour {behaviour!r}")
