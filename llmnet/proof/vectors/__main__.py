"""`python -m llmnet.proof.vectors --out runtime_spec/vectors [--check]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .registry import all_files


def stale(folder: Path) -> list[str]:
    """Names of files in `folder` that are missing, differ from what this package computes, or are not known
    to it.
    """
    wanted = {f"{name}.json": file.render() for name, file in all_files().items()}
    present = {path.name: path.read_text() for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def write(folder: Path) -> list[str]:
    """Write all files; returns their names."""
    folder.mkdir(parents=True, exist_ok=True)
    files = all_files()
    for name, file in files.items():
        (folder / f"{name}.json").write_text(file.render())
    return sorted(files)


def main(argv: list[str] | None = None) -> int:
    """Write or check; exit status 1 when a file is not current."""
    parser = argparse.ArgumentParser(
        prog="python -m llmnet.proof.vectors", description="Write or check the protocol's test vectors."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the vector files")
    parser.add_argument(
        "--check", action="store_true", help="compare only; exit 1 when a file is not current"
    )
    options = parser.parse_args(argv)
    if not options.check:
        sys.stdout.write(f"wrote {len(write(options.out))} vector files to {options.out}\n")
        return 0
    differing = stale(options.out)
    for name in differing:
        sys.stderr.write(
            f"{options.out / name} is not current: run python -m llmnet.proof.vectors --out {options.out}\n"
        )
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
