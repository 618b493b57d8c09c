"""The console script: help, usage, exit statuses; keys never shown."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from llmnet.chain import Client
from llmnet.cli import worker as cli
from llmnet.cli.worker import build_parser, parse

ROOT = Path(__file__).parents[2]
SECRET = "0x" + "5c" * 32


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LLMNET_")}
    return subprocess.run(
        [sys.executable, "-m", "llmnet.cli.worker", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env={**kept, **environment},
        check=False,
    )


def test_start_up_imports_no_engine() -> None:
    """So that `--help` and a wrong option are answered at once."""
    code = "import sys, llmnet.cli.worker; print([m for m in ('torch', 'onnx', 'onnxruntime') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_help_names_every_option() -> None:
    shown = run("--help")
    assert shown.returncode == 0
    for option in [
        "--node",
        "--dev-key",
        "--key-file",
        "--bond",
        "--register-spec",
        "--price-in",
        "--price-out",
        "--endpoint",
        "--port",
        "--model",
        "--store",
    ]:
        assert option in shown.stdout
    assert "Exit status" in shown.stdout and cli.ENVIRONMENT in shown.stdout


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from llmnet.cli.worker import build_parser; build_parser();"
        "print([m for m in ('torch', 'fastapi', 'onnx', 'tokenizers', 'llmnet.chain') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--dev-key and --key-file"),
        (["--dev-key", "Worker1", "--key-file", "x"], "--dev-key and --key-file"),
        (["--dev-key", "Worker1", "--port", "70000"], "70000"),
        (["--dev-key", "Worker1", "--port", "http"], "http"),
        (["--dev-key", "Worker1", "--max-batch", "0"], "'0'"),
        (["--dev-key", "Worker1", "--node", "http://127.0.0.1:1"], "ws://"),
        (["--dev-key", "Worker1", "--bond", "-5"], "--bond"),
        (["--dev-key", "Worker1", "--price-in", "NaN"], "NaN"),
        (["--dev-key", "Worker1", "--price-in", "0.0000000000001"], "12 decimals"),
        (["--dev-key", "Worker1", "--log-level", "loud"], "loud"),
        (["--key-file", "/nowhere/key"], "/nowhere/key"),
    ],
)
def test_wrong_usage_ends_with_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_the_environment_sets_what_the_command_line_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMNET_WORKER_PORT", "8123")
    monkeypatch.setenv("LLMNET_WORKER_PRICE_IN", "0.5")
    args = cli.build_parser().parse_args([])
    assert (args.port, args.price_in, args.log_level) == (8123, cli.UNIT // 2, "info")
    assert cli.build_parser().parse_args(["--port", "1"]).port == 1
    monkeypatch.setenv("LLMNET_WORKER_LOG_LEVEL", "loud")
    with pytest.raises(SystemExit):
        cli.build_parser().parse_args([])


@pytest.mark.parametrize(
    ("text", "plancks"), [("1", 10**12), ("0.01", 10**10), ("0.000000000001", 1), ("1e3", 10**15)]
)
def test_amounts_are_exact(text: str, plancks: int) -> None:
    assert cli.tokens(text) == plancks


@pytest.mark.parametrize("text", ["", "x", "-1", "NaN", "Infinity", "sNaN", "1e-13", "1e999999"])
def test_amounts_that_are_none(text: str) -> None:
    import argparse

    with pytest.raises(argparse.ArgumentTypeError):
        cli.tokens(text)


def test_a_node_that_is_not_there_is_3(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        node = f"ws://127.0.0.1:{probe.getsockname()[1]}"
    key = tmp_path / "key"
    key.write_text(SECRET)
    key.chmod(0o600)
    connect = Client.connect
    monkeypatch.setattr(Client, "connect", lambda url: connect(url, request_timeout=0.3))
    caplog.set_level("DEBUG")
    assert cli.main(["--key-file", str(key), "--node", node, "--port", "0", "--log-level", "debug"]) == 3
    shown = capsys.readouterr()
    assert f"the node at {node} cannot be reached" in shown.err
    assert "5c5c5c" not in shown.err + shown.out + caplog.text, "the secret key was shown"


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--dev-key", "Worker1", "--port", str(port))
    assert ended.returncode == 1
    assert f"cannot listen at 127.0.0.1:{port}" in ended.stderr and "--port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(SECRET)
    key.chmod(0o644)
    ended = run("--key-file", str(key))
    assert ended.returncode == 2 and "run chmod 600" in ended.stderr
    assert "5c5c5c" not in ended.stderr


async def test_a_signal_ends_work_that_listens_and_work_that_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "STOP_SECONDS", 0.2)
    ended = []

    async def listens(stop: asyncio.Event) -> None:
        await stop.wait()
        ended.append("in order")

    async def does_not(stop: asyncio.Event) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    async def fails(stop: asyncio.Event) -> None:
        raise OSError("no")

    loop = asyncio.get_running_loop()
    for work in (listens, does_not):
        loop.call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
        await cli.until_signal(work)
    assert ended == ["in order", "cancelled"]
    with pytest.raises(OSError, match="no"):
        await cli.until_signal(fails)


def test_what_neither_option_nor_environment_sets_is_read_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "worker.toml"
    file.write_text('[worker]\nport = 8005\nprice-in = "0.5"\nappeal = "never"\njson = true\nmax_batch = 3\n')
    monkeypatch.setenv("LLMNET_WORKER_MAX_BATCH", "4")
    found = parse(build_parser(), ["--config", str(file), "--port", "8006"])
    assert (found.port, found.price_in, found.appeal) == (8006, 5 * 10**11, "never")
    assert (found.json, found.max_batch, found.threads) == (True, 4, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[worker]\nprot = 1\n", "unknown setting 'prot'"),
        ('[worker]\nport = "many"\n', "not a number"),
        ('[worker]\nappeal = "sometimes"\n', "neither auto nor never"),
        ('[worker]\nregister_spec = "yes"\n', "true or false"),
        ("[worker]\nport = true\n", "must be a value"),
        ("[worker\n", "is not TOML"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_file_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, words: str
) -> None:
    file = tmp_path / "worker.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SystemExit) as end:
        parse(build_parser(), ["--config", str(file)])
    assert end.value.code == 2 and words in capsys.readouterr().err
