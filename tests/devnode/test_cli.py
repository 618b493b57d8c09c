from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from llmnet.cli.node import build_parser, main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(wasm: Path, cache_dir: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LLMNET_")}
    return {
        **clean,
        "LLMNET_RUNTIME_WASM": str(wasm),
        "LLMNET_CACHE_DIR": str(cache_dir),
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def running(
    environment: dict[str, str], *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A node as its own process; yields it with the facts of its first line."""
    command = [sys.executable, "-m", "llmnet.cli.node", "--dev", "--json", "--port", "0", *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                assert process.stderr is not None
                pytest.fail(f"the node did not start: {process.stderr.read()}")
            yield process, json.loads(line)
        finally:
            process.kill()


def next_block(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    block: dict[str, Any] = json.loads(process.stdout.readline())
    assert block["event"] == "block"
    return block


def once(environment: dict[str, str], *arguments: str, **rest: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llmnet.cli.node", *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False, **rest
    )


def test_interrupt_and_terminate_end_cleanly(environment: dict[str, str], tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        with running(environment, "--block-time", "0.05", "--base-path", str(tmp_path)) as (process, started):
            assert started["url"].startswith("ws://127.0.0.1:")
            next_block(process)
            process.send_signal(number)
            _, errors = process.communicate(timeout=20)
            assert (process.returncode, errors) == (0, "")


def test_kill_at_any_moment_loses_no_block_that_was_shown(
    environment: dict[str, str], tmp_path: Path
) -> None:
    shown: dict[int, str] = {}
    for round_ in range(3):
        with running(environment, "--block-time", "0.01", "--base-path", str(tmp_path)) as (process, started):
            assert started["best"] >= max(shown, default=0)
            for _ in range(3 + round_):
                block = next_block(process)
                assert block["number"] not in shown  # no height is ever given twice
                shown[block["number"]] = block["hash"]
            process.kill()
    with running(environment, "--seal", "manual", "--base-path", str(tmp_path)) as (_, started):
        from substrateinterface import SubstrateInterface

        with SubstrateInterface(url=started["url"]) as chain:
            assert {number: chain.get_block_hash(number) for number in shown} == shown


def test_without_base_path_each_start_is_fresh(environment: dict[str, str]) -> None:
    with running(environment, "--block-time", "0.05") as (process, first):
        next_block(process)
    with running(environment, "--seal", "manual") as (_, second):
        assert (second["best"], second["genesis"]) == (0, first["genesis"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "--dev, or --chain"), (("--dev", "--port", "70000"), "port"), (("--dev", "--port", "x"), "port"),
     (("--dev", "--seal", "never"), "instant, interval, manual"), (("--dev", "--block-time", "0"), "positive"),
     (("--dev", "--block-time", "nan"), "positive"), (("--dev", "--finality-lag", "-1"), "negative"),
     (("--dev", "--chain", "x.json"), "leave --dev"), (("--dev", "--nonsense"), "--nonsense"), (("purge-chain",), "--base-path"),
     (("fly", "--dev"), "invalid choice")],
)  # fmt: skip
def test_wrong_usage_is_status_2_and_says_what(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_failures_are_status_1_and_one_line(environment: dict[str, str], tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_text("[]")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        cases = [
            (("--dev", "--wasm", str(tmp_path / "none")), "cannot be read"),
            (("--dev", "--wasm", str(junk)), "no WASM module"),
            (("--dev", "--genesis-patch", str(junk)), "no JSON object"),
            (("--dev", "--preset", "moon"), "no preset 'moon'"),
            (("--chain", str(junk)), "no chain specification"),
            (("--dev", "--port", port), "in use"),
            (("--dev", "--host", "203.0.113.1", "--port", "0"), "cannot serve"),
            (("--dev", "--base-path", str(junk)), "database"),
        ]
        for arguments, said in cases:
            done = once(environment, *arguments)
            assert (done.returncode, done.stdout) == (1, ""), (arguments, done.stderr)
            assert said in done.stderr
            assert done.stderr.count("\n") == 1


def test_environment_sets_options_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMNET_NODE_PORT", "1234")
    monkeypatch.setenv("LLMNET_NODE_BLOCK_TIME", "0.25")
    monkeypatch.setenv("LLMNET_NODE_DEV", "true")
    options = build_parser().parse_args(["--block-time", "3"])
    assert (options.port, options.block_time, options.dev) == (1234, 3.0, True)
    monkeypatch.setenv("LLMNET_NODE_PORT", "many")
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([])
    assert ended.value.code == 2


@pytest.mark.parametrize("raw", [(), ("--raw",)])
def test_exported_specification_starts_the_same_chain(
    environment: dict[str, str], tmp_path: Path, raw: tuple[str, ...]
) -> None:
    done = once(environment, "export-chain-spec", "--dev", *raw)
    assert (done.returncode, done.stderr) == (0, "")
    path = tmp_path / "spec.json"
    path.write_text(done.stdout)
    assert ("raw" in json.loads(done.stdout)["genesis"]) is bool(raw)
    with running(environment, "--seal", "manual") as (_, dev):
        pass
    without_dev = {**environment, "LLMNET_NODE_CHAIN": str(path), "LLMNET_NODE_SEAL": "manual"}
    command = [sys.executable, "-m", "llmnet.cli.node", "--json", "--port", "0"]
    with subprocess.Popen(command, env=without_dev, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        process.terminate()
    assert started["genesis"] == dev["genesis"]


def test_purge_asks_unless_told_not_to(environment: dict[str, str], tmp_path: Path) -> None:
    with running(environment, "--block-time", "0.05", "--base-path", str(tmp_path)) as (process, _):
        next_block(process)
    unasked = once(environment, "purge-chain", "--base-path", str(tmp_path), stdin=subprocess.DEVNULL)
    assert unasked.returncode == 1
    assert any(tmp_path.iterdir())
    done = once(environment, "purge-chain", "--base-path", str(tmp_path), "-y")
    assert done.returncode == 0
    assert not any(tmp_path.iterdir())
    assert "nothing to remove" in once(environment, "purge-chain", "--base-path", str(tmp_path), "-y").stdout


def test_text_lines_are_short_and_plain(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "llmnet.cli.node", "--dev", "--port", "0", "--block-time", "0.05"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.terminate()
    assert lines[0].startswith("LLM-Net Development at ws://127.0.0.1:")
    assert lines[2].startswith("#1 0x")
    assert lines[2].rstrip().endswith(" ms")


def test_help_needs_no_heavy_import() -> None:
    """Looking things up must not wait for wasmtime or uvicorn."""
    code = (
        "import sys; from llmnet.cli.node import build_parser; build_parser().format_help();"
        "print([m for m in ('wasmtime', 'uvicorn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
