"""What a host function gets and how it is registered."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from llmnet.devnode.instance import Instance
from llmnet.devnode.keystore import Keystore
from llmnet.devnode.overlay import Overlay

KEPT_LOG_LINES = 32
_log = logging.getLogger("llmnet.devnode.runtime")
# The runtime's levels: 0 off, 1 error, 2 warn, 3 info, 4 debug, 5 trace.
_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG, 5: 5}


class HostRefusedError(Exception):
    """A host function cannot do what the runtime asks; the call traps with this text."""


class HostCall:
    """One runtime call as its host functions see it.

    `keystore` is there for calls from outside of blocks only; `batch` is the state of a batch of signatures.
    """

    __slots__ = ("base_depth", "batch", "instance", "keystore", "logs", "overlay")

    def __init__(self, instance: Instance, overlay: Overlay, keystore: Keystore | None = None) -> None:
        self.instance = instance
        self.overlay = overlay
        self.keystore = keystore
        self.batch: bool | None = None
        self.base_depth = overlay.depth  # of the storage transactions that the runtime did not begin
        self.logs: deque[tuple[int, str, str]] = deque(maxlen=KEPT_LOG_LINES)

    def log(self, level: int, target: str, message: str) -> None:
        """Takes a log line of the runtime."""
        self.logs.append((level, target, message))
        # A panic is the caller's to report: the chain's own calls may well trap on hostile input.
        shown = logging.DEBUG if level <= 1 else _LEVELS.get(level, 5)
        _log.log(shown, "%s: %s", target, message)

    def panic_text(self) -> str | None:
        """The last error line, which is where the runtime's panic handler writes."""
        return next((text for level, _, text in reversed(self.logs) if level <= 1), None)


HostFunction = Callable[..., int | None]
HOST_FUNCTIONS: dict[str, HostFunction] = {}


def host_function(name: str) -> Callable[[HostFunction], HostFunction]:
    """Registers a function under its import name.

    It takes the HostCall and the raw WASM arguments (i32 and i64 sign-extended) and returns the raw result,
    if any.
    """

    def register(function: HostFunction) -> HostFunction:
        HOST_FUNCTIONS[name] = function
        return function

    return register


def log_level() -> int:
    """The most detailed level that the runtime should log at; at least errors, which carry panic texts."""
    wanted = _log.getEffectiveLevel()
    return max((level for level, python in _LEVELS.items() if python >= wanted), default=1)


def arity(function: HostFunction) -> int:
    """How many WASM arguments a registered function takes."""
    code: Any = function.__code__
    return int(code.co_argcount) - 1
