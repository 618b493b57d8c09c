"""Which processes are alive: each holds a lock on a file of its own, which the system releases when it dies."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from pathlib import Path

_NAME = re.compile(r"[0-9a-f]{16}")


class Owner:
    """This process's mark in a folder. Two of them in one process are two owners."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self.name = secrets.token_hex(8)
        self._path = folder / f"{self.name}.lock"
        self._handle: int | None = os.open(
            self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
        )
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def dead(self, name: str) -> bool:
        """Whether the process behind a name is gone. What it worked on may be taken over."""
        if name == self.name:
            return False
        if not _NAME.fullmatch(name):
            return True
        path = self._folder / f"{name}.lock"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            path.unlink(missing_ok=True)
            return True
        finally:
            os.close(handle)

    def close(self) -> None:
        """Give up the mark."""
        if self._handle is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None
