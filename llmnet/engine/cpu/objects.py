"""What becomes of the kernels' source, kept on disk: it is made once a machine and not once a process.

A file's name is the digest of all that decides its content: the source of this package, the compiler's version, and
for machine code the processor and its instructions. What is loaded is run, so the folder must belong to this user and nobody else may
write into it; otherwise, or where nothing can be written, kernels are compiled as if there were no folder.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import tempfile
from functools import lru_cache
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm  # type: ignore[import-untyped, unused-ignore]

from llmnet.engine.default_model import cache_dir

log = logging.getLogger(__name__)
_DIGEST_BYTES = 32
_KEPT = 64
"""Files kept; the oldest go."""


class ObjectStore:
    """Machine code, mostly, by the digest of what it was made from (`source_key`)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.hits = self.misses = 0

    def get(self, key: bytes) -> bytes | None:
        """What was kept, or None if there is nothing that is whole and this user's own."""
        found = self._read(self._path(key))
        self.hits += found is not None
        self.misses += found is None
        return found

    def put(self, key: bytes, code: bytes) -> None:
        """Keep something. A folder that cannot be written is no error: it only costs time."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._trusted():
                return
            with tempfile.TemporaryDirectory(dir=self._directory, prefix=".") as scratch:
                made = Path(scratch) / "made"
                made.write_bytes(hashlib.sha256(code).digest() + code)
                made.replace(self._path(key))
            self._prune()
        except OSError as error:
            log.debug("compiled kernels are not kept in %s: %s", self._directory, error)

    def _path(self, key: bytes) -> Path:
        return self._directory / f"{key.hex()}.o"

    def _read(self, path: Path) -> bytes | None:
        try:
            data = path.read_bytes() if self._trusted() else b""
        except OSError:
            return None
        digest, code = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if not code or hashlib.sha256(code).digest() != digest:  # cut short: the disk was full, say
            return None
        return code

    def _trusted(self) -> bool:
        found = self._directory.stat()
        return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)

    def _prune(self) -> None:
        files = sorted(self._directory.glob("*.o"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[_KEPT:]:
            path.unlink(missing_ok=True)


def source_key(*what: object) -> bytes:
    """The key of `what` is made of this package's source by this compiler."""
    made_by = (llvmlite.__version__, *llvm.llvm_version_info, _source_digest())
    return hashlib.sha256(repr((*made_by, *what)).encode()).digest()


@lru_cache(maxsize=1)
def _source_digest() -> bytes:
    total = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.digest()


@lru_cache(maxsize=1)
def user_store() -> ObjectStore:
    """The store in the user's cache directory."""
    return ObjectStore(cache_dir() / "kernels")
