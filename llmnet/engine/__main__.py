"""`python -m llmnet.engine`: get a model directory ready. Without options the default model is fetched and checked;
`--gguf FILE DIR` converts a GGUF file, `--seal DIR` seals a directory as Hugging Face publishes it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from llmnet.engine.convert import convert_gguf
from llmnet.engine.default_model import ensure_default_model
from llmnet.engine.errors import EngineError, ModelError
from llmnet.engine.weights import ModelFiles, seal_model_dir


def main(argv: Sequence[str] | None = None) -> int:
    """Print the model's directory and weights root."""
    parser = argparse.ArgumentParser(prog="python -m llmnet.engine", description=__doc__)
    parser.add_argument("--verify", action="store_true", help="hash every byte of the default model again")
    parser.add_argument(
        "--gguf", nargs=2, type=Path, metavar=("FILE", "DIR"), help="convert FILE into the new DIR"
    )
    parser.add_argument("--sha256", metavar="HEX", help="what FILE must hash to")
    parser.add_argument(
        "--seal", type=Path, metavar="DIR", help="write the manifest of a directory you trust"
    )
    args = parser.parse_args(argv)
    try:
        files = _prepare(args)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{files.path} {files.weights_root.hex()}\n")
    return 0


def _prepare(args: argparse.Namespace) -> ModelFiles:
    if args.gguf:
        source, target = args.gguf
        if target.exists():
            raise ModelError(f"{target} exists already; name a directory that does not")
        target.mkdir(parents=True)
        convert_gguf(source, target, lambda line: print(line, file=sys.stderr), sha256=args.sha256)  # noqa: T201
        return seal_model_dir(target)
    if args.seal:
        return seal_model_dir(args.seal)
    return ensure_default_model(verify=args.verify)


if __name__ == "__main__":
    sys.exit(main())
