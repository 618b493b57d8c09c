"""`python -m llmnet.pallets.generate`: writes the typed package of a runtime, or tells whether it is up to date."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from llmnet.chain import ChainError, Metadata

from .errors import GenerateError
from .package import differences, render_package, write_package
from .source import from_file, from_url, from_wasm

OWN = Path(__file__).parents[1] / "_generated"
# Types that `llmnet.proof` has already; it is where they are made, hashed and signed.
PROOF = (
    "Calibration",
    "Candidate",
    "FinishReason",
    "Leaf",
    "NumericsClass",
    "PlacedSegment",
    "Receipt",
    "Segment",
    "ServiceSpec",
)
SUBSTITUTES = {f"llmnet_primitives::types::{name}": f"llmnet.proof:{name}" for name in PROOF}
REFUSALS = ("llmnet.proof:ProofError",)


def main(argv: Sequence[str] | None = None) -> int:
    """0: written, or up to date. 1: out of date, or refused."""
    parser = argparse.ArgumentParser(
        prog="python -m llmnet.pallets.generate",
        description="Writes typed Python for a runtime: types, calls, events, errors, storage, constants, view "
        "functions and runtime APIs. The newest metadata version that both sides know is used.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--wasm", type=Path, metavar="FILE", help="the runtime's blob, plain or compressed")
    source.add_argument("--url", metavar="URL", help="a node, ws:// or wss://")
    source.add_argument("--metadata", type=Path, metavar="FILE", help="metadata V14 to V16, bytes or 0x…")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", default=OWN, help="where to (llmnet/pallets/_generated)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; tell what would change")
    options = parser.parse_args(argv)
    try:
        files = render_package(_read(options), SUBSTITUTES, REFUSALS)
        if not options.check:
            write_package(files, options.out)
            print(f"wrote {len(files)} files to {options.out}")  # noqa: T201
            return 0
        told = differences(files, options.out)
    except (GenerateError, ChainError) as error:
        print(f"generate: {error}", file=sys.stderr)  # noqa: T201
        return 1
    for line in told:
        print(line)  # noqa: T201
    return 1 if told else 0


def _read(options: argparse.Namespace) -> Metadata:
    if options.metadata is not None:
        return from_file(options.metadata)
    return asyncio.run(from_url(options.url) if options.url is not None else from_wasm(options.wasm))


if __name__ == "__main__":
    sys.exit(main())
