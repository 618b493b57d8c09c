"""The demo's daemons as processes of their own, each with its log file, all ended with the demo."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

GRACE_SECONDS = 8.0
LOG_TAIL_LINES = 15


class DaemonDied(RuntimeError):
    """A daemon ended while it was needed; the message carries the end of its log."""


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Daemon:
    """One child process. It leads a process group of its own, so that ending it ends whatever it started."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    @classmethod
    async def start(
        cls, name: str, module: str, args: Sequence[str], log: Path, env: Mapping[str, str]
    ) -> Daemon:
        """Start `python -m module args`, output to `log`."""
        with log.open("ab") as sink:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                *args,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env={**os.environ, **env},
                start_new_session=True,
            )
        return cls(name, process, log)

    def check(self) -> None:
        """Raise DaemonDied if the process has ended."""
        if self.process.returncode is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
            raise DaemonDied(
                f"{self.name} ended with status {self.process.returncode}; the end of {self.log}:\n{tail}"
            )

    async def stop(self) -> None:
        """End it politely, then by force."""
        if self.process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), GRACE_SECONDS)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return  # it ended between the look and the signal


class Troupe:
    """All daemons of a run; leaving the context ends them in reverse order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: list[Daemon] = []
        self.guests: list[Daemon] = []  # ended with the others, but free to leave before

    async def __aenter__(self) -> Troupe:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.gather(*(daemon.stop() for daemon in [*self.guests, *reversed(self.daemons)]))

    async def start(self, name: str, module: str, *args: str, env: Mapping[str, str] | None = None) -> Daemon:
        """Start a daemon and remember it."""
        daemon = await Daemon.start(name, module, args, self.folder / f"{name}.log", env or {})
        self.daemons.append(daemon)
        return daemon

    def check(self) -> None:
        """Raise DaemonDied if any of them has ended."""
        for daemon in self.daemons:
            daemon.check()
