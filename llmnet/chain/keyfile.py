"""Files that hold a secret: read only if nobody else can read them, written so that nobody else ever could."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from llmnet.chain.errors import KeyFormatError

MAX_SIZE = 16 << 10  # bytes


def read_private(path: Path) -> str:
    """The text of a key file that only its owner may read (mode 0600 or 0400). An encrypted key may be
    readable by others.

    Raises KeyFormatError, OSError."""
    # Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise KeyFormatError(f"{path} is not a regular file")
        raw = file.read(MAX_SIZE + 1)
    encrypted = raw.lstrip().startswith(b"{") and b'"xsalsa20-poly1305"' in raw
    if mode & 0o077 and not encrypted:
        raise KeyFormatError(f"{path} can be read by others: run chmod 600 {path}")
    if len(raw) > MAX_SIZE:
        raise KeyFormatError(f"{path} is too long for a key file")
    try:
        return raw.decode().strip()
    except UnicodeDecodeError:
        raise KeyFormatError(f"{path} is not text") from None


def write_private(path: Path, text: str) -> None:
    """A new file of mode 0600, on the disk when this returns. Raises FileExistsError rather than overwrite."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
