"""`python -m llmnet.engine [--verify]`: fetch, convert and check the default model."""

from __future__ import annotations

import argparse
import sys

from llmnet.engine import ensure_default_model


def main() -> None:
    """Print the model's directory and weights root."""
    parser = argparse.ArgumentParser(
        prog="python -m llmnet.engine", description="Fetch, convert and check the default model."
    )
    parser.add_argument("--verify", action="store_true", help="hash every byte again")
    files = ensure_default_model(verify=parser.parse_args().verify)
    sys.stdout.write(f"{files.path} {files.weights_root.hex()}\n")


if __name__ == "__main__":
    main()
