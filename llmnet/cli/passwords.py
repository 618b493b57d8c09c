"""Passwords of encrypted keys: asked without echo, or read from a file descriptor. Never arguments, never the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from .config import ConfigError

MAX_SIZE = 4096  # bytes


def asker(descriptor: int | None, path: Path) -> Callable[[], str]:
    """Asks for the password of a key file when it is called. Raises ConfigError then."""

    def ask() -> str:
        if descriptor is not None:
            return from_descriptor(descriptor)
        return secret_line(
            f"Password of {path}: ", f"{path} is encrypted: pass its password with --password-fd N"
        )

    return ask


def new_password(descriptor: int | None) -> str:
    """A password for a key that is going to be written; people type it twice. Raises ConfigError."""
    if descriptor is not None:
        password = from_descriptor(descriptor)
    else:
        hint = "pass the new password with --new-password-fd N"
        password = secret_line("New password: ", hint)
        if password != secret_line("The same again: ", hint):
            raise ConfigError("the two passwords differ: nothing was written")
    if not password:
        raise ConfigError("the password is empty: nothing was written")
    return password


def secret_line(prompt: str, otherwise: str) -> str:
    """One line that is not shown. Raises ConfigError where there is no terminal to ask at."""
    import getpass

    if not sys.stdin.isatty():
        raise ConfigError(otherwise)
    return getpass.getpass(prompt)


def from_descriptor(descriptor: int) -> str:
    """The first line of what an open descriptor gives, without its end. Raises ConfigError."""
    raw = b""
    try:
        while b"\n" not in raw and len(raw) <= MAX_SIZE and (part := os.read(descriptor, MAX_SIZE)):
            raw += part
        line = raw.split(b"\n", 1)[0].removesuffix(b"\r")
        if len(line) > MAX_SIZE:
            raise ConfigError(f"the password of descriptor {descriptor} is longer than {MAX_SIZE} bytes")
        return line.decode()
    except OSError as error:
        raise ConfigError(f"no password can be read from descriptor {descriptor}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the password of descriptor {descriptor} is not text in UTF-8") from None
