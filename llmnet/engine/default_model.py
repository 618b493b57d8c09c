"""The default model: SmolLM2-135M-Instruct, fetched once, converted once, pinned by its weights root.

`python -m llmnet.engine [--verify]` does it from a shell. Safe to call from several processes at once and to
interrupt: the finished directory appears in one rename.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmnet.engine.convert import Progress, convert_gguf
from llmnet.engine.download import fetch_gguf
from llmnet.engine.errors import TamperedModelError
from llmnet.engine.weights import MANIFEST, ModelFiles, load_model_dir, seal_model_dir

NAME = "smollm2-135m-instruct"
# The fp32 numbers that every node must hold. Conversion is exact, so this does not depend on machine or
# library version.
WEIGHTS_ROOT = bytes.fromhex("3a01d1df07eee0e0814eac99a3ba3bdfe3f22616989e8e23c4941dd69d28caa5")


def cache_dir() -> Path:
    """`$LLMNET_CACHE`, or the user's cache directory."""
    from platformdirs import user_cache_dir

    return Path(os.environ.get("LLMNET_CACHE") or user_cache_dir("llmnet"))


def ensure_default_model(*, verify: bool = False, progress: Progress | None = None) -> ModelFiles:
    """Return the default model, fetching and converting it if this machine does not have it yet (about 20 s).

    Progress goes to stderr unless `progress` is given. Raises `DownloadError` or `TamperedModelError`.
    """
    report = progress or _to_stderr
    models = cache_dir() / "models"
    target = models / NAME
    if not (target / MANIFEST).is_file():
        models.mkdir(parents=True, exist_ok=True)
        with _locked(models / f".{NAME}.lock"):
            if not (target / MANIFEST).is_file():
                _build(models, target, report)
    files = load_model_dir(target, verify=verify)
    if files.weights_root != WEIGHTS_ROOT:
        raise TamperedModelError(
            f"{target}: weights root {files.weights_root.hex()}, pinned {WEIGHTS_ROOT.hex()}; "
            "delete the directory and run again"
        )
    return files


def _build(models: Path, target: Path, report: Progress) -> None:
    downloads = models / "downloads"
    report(f"{NAME}: fetching (93 MB)")
    source = fetch_gguf(downloads)
    report(f"{NAME}: converting to fp32 (538 MB)")
    with tempfile.TemporaryDirectory(dir=models, prefix=f".{NAME}-") as scratch:
        made = Path(scratch) / NAME
        made.mkdir()
        convert_gguf(source, made, lambda text: report(f"{NAME}: {text}"))
        seal_model_dir(made)
        if target.exists():  # left over from a broken attempt: it has no manifest
            shutil.rmtree(target)
        made.rename(target)
    shutil.rmtree(downloads)
    report(f"{NAME}: ready in {target}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _to_stderr(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
