from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from llmnet.demo import processes
from llmnet.demo.processes import DaemonDied, Troupe, free_port

DIES = "import sys; print('the reason', file=sys.stderr); sys.exit(7)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); time.sleep(60)"


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with modules `dies`, `stubborn` and `parent`."""
    for name, source in (("dies", DIES), ("stubborn", STUBBORN), ("parent", PARENT)):
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


async def _line(log: Path) -> str:
    async with asyncio.timeout(10):
        while not log.exists() or not log.read_text().strip():
            await asyncio.sleep(0.02)
    return log.read_text().strip()


async def test_a_daemon_that_dies_is_reported_with_its_log(play: Path) -> None:
    async with Troupe(play / "logs") as troupe:
        daemon = await troupe.start("validator", "dies")
        await daemon.process.wait()
        with pytest.raises(
            DaemonDied, match=r"(?s)validator ended with status 7.*validator\.log.*the reason"
        ):
            troupe.check()


async def test_only_the_end_of_a_long_log_is_shown(play: Path) -> None:
    (play / "dies.py").write_text("for n in range(100): print(f'line {n}.')\nraise SystemExit(1)")
    async with Troupe(play / "logs") as troupe:
        daemon = await troupe.start("node", "dies")
        await daemon.process.wait()
        with pytest.raises(DaemonDied) as died:
            daemon.check()
    assert "line 99." in str(died.value) and "line 50." not in str(died.value)


async def test_a_guest_may_leave(play: Path) -> None:
    async with Troupe(play / "logs") as troupe:
        guest = await troupe.start("requester", "dies")
        troupe.guests.append(troupe.daemons.pop())
        await guest.process.wait()
        troupe.check()


async def test_who_ignores_the_end_is_ended_by_force(play: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.2)
    async with Troupe(play / "logs") as troupe:
        daemon = await troupe.start("stubborn", "stubborn")
        assert await _line(daemon.log) == "up"
        troupe.check()
    assert daemon.process.returncode == -signal.SIGKILL


async def test_what_a_daemon_started_ends_with_it(play: Path) -> None:
    async with Troupe(play / "logs") as troupe:
        daemon = await troupe.start("parent", "parent")
        child = int(await _line(daemon.log))
        os.kill(child, 0)
    async with asyncio.timeout(5):
        while _runs(child):
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


async def test_everybody_ends_when_the_play_fails(play: Path) -> None:
    with pytest.raises(RuntimeError, match="curtain"):
        async with Troupe(play / "logs") as troupe:
            daemon = await troupe.start("parent", "parent")
            raise RuntimeError("curtain")
    assert daemon.process.returncode == -signal.SIGTERM


def test_a_free_port_can_be_used() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass
