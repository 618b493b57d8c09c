"""`llmnet-worker --self-test`, and the same test before a worker offers for the first time."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from llmnet.chain import Client
    from llmnet.cli.worker import BackendFactory
    from llmnet.engine import GenerationRequest, ModelFiles
    from llmnet.measure.selftest import Generate, SelfTest
    from llmnet.proof import Calibration, Leaf, ServiceSpec
    from llmnet.worker import Backend

CONNECT_SECONDS = 5.0
log = logging.getLogger(__name__)


async def registered_row(client: Client, spec: ServiceSpec) -> Calibration | None:
    """The thresholds that audits will use, or None before there are any."""
    from llmnet.pallets import registry

    return await registry.calibration(client.at(), spec.id)


def known_row(spec: ServiceSpec) -> Calibration | None:
    """Thresholds to go by where none are registered: measured ones, or the least of a class that needs no measuring."""
    from llmnet.proof import NumericsClass
    from llmnet.verifier.calibrate import floor_calibration, measured_row

    least = floor_calibration(spec.numerics) if spec.numerics is NumericsClass.FP32 else None
    return measured_row(spec.id) or least


async def before_offering(
    backend: Backend,
    files: ModelFiles,
    spec: ServiceSpec,
    row: Calibration | None,
    policy: bytes,
    passed: Path,
) -> None:
    """Test once for each model, row and policy; `passed` remembers it. Raises SelfTestFailed."""
    from llmnet.measure.selftest import Passed, required

    row = row or known_row(spec)
    if row is None:
        log.warning("no self-test: no thresholds are known for %s yet", spec.numerics.name.lower())
        return
    memory = Passed(passed, spec, row, policy)
    if memory:
        return
    outcome = await run_test(backend, files, spec, row)
    log.info("self-test %s", outcome)
    required(outcome)
    memory.remember()


async def run_test(backend: Backend, files: ModelFiles, spec: ServiceSpec, row: Calibration) -> SelfTest:
    """Answer public prompts with the backend. Raises EngineError, VerifierError."""
    from llmnet.measure.selftest import self_test
    from llmnet.verifier import Reference

    reference = await asyncio.to_thread(Reference, files, spec)
    return await self_test(_generate(backend), reference, row)


def _generate(backend: Backend) -> Generate:
    from llmnet.worker import Finished

    async def generate(request: GenerationRequest) -> tuple[Leaf, ...]:
        leaves: tuple[Leaf, ...] = ()
        async for output in backend.generate(request):
            if isinstance(output, Finished):
                leaves = output.leaves
        return leaves

    return generate


def run_alone(args: argparse.Namespace, make_backend: BackendFactory) -> int:
    """`--self-test`: PASS or FAIL on standard output; returns the exit status."""
    from llmnet.cli.values import spec_of_model
    from llmnet.engine import EngineError, ensure_default_model, load_model_dir
    from llmnet.measure import MeasureError
    from llmnet.verifier import VerifierError

    try:
        files = ensure_default_model() if args.model is None else load_model_dir(Path(args.model))
        spec = spec_of_model(files, args.numerics)
        row = asyncio.run(_row(args.node, spec))
        if row is None:
            raise MeasureError(
                f"no thresholds are known for {spec.numerics.name.lower()} of this model: `llmnet spec calibrate` sets them"
            )
        backend = make_backend(args, files, spec)
        try:
            outcome = asyncio.run(run_test(backend, files, spec, row))
        finally:
            backend.close()
    except (EngineError, MeasureError, VerifierError, OSError) as error:
        print(f"llmnet-worker: {error}", file=sys.stderr)
        return 1
    print(outcome)
    return 0 if outcome.passed else 1


async def _row(url: str, spec: ServiceSpec) -> Calibration | None:
    """The chain's row if the node answers soon, else the known one."""
    from llmnet.chain import Client, TransportError

    try:
        async with asyncio.timeout(CONNECT_SECONDS), Client.connect(url) as client:
            found = await registered_row(client, spec)
    except (TransportError, OSError, TimeoutError):
        print(f"no node at {url}: judged by the thresholds that come with the package", file=sys.stderr)
        found = None
    return found or known_row(spec)
