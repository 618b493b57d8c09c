"""The console script: settings, exit statuses, a stop that is graceful, and no torch."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llmnet.chain import Client, Keypair
from llmnet.cli.config import ConfigError
from llmnet.cli.logs import JsonLines
from llmnet.cli.validator import (
    ValidatorSettings,
    build_parser,
    main,
    plancks,
    read_settings,
    store_file,
    until_stopped,
)
from llmnet.devnode import Node, Seal, Server, serve
from llmnet.engine.weights import ModelFiles
from llmnet.pallets import staking

ARTIFACT = Path(__file__).parents[2] / "runtime_spec/artifacts/llmnet_runtime.compact.compressed.wasm"
MODULE = [sys.executable, "-m", "llmnet.cli.validator"]


def settings(*argv: str) -> object:
    return read_settings(build_parser().parse_args(argv))


def test_flag_before_environment_before_file_before_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        '[validator]\nnode = "ws://file"\nthreads = 3\ndev_key = "Validator2"\nmodel = ["a", "b"]\n'
    )
    monkeypatch.setenv("LLMNET_VALIDATOR_NODE", "ws://environment")
    monkeypatch.setenv("LLMNET_VALIDATOR_BOND", "7")
    found = settings("--config", str(file), "--bond", "8", "--model", "x", "--model", "y")
    assert (found.node, found.bond, found.threads) == ("ws://environment", "8", 3)  # type: ignore[attr-defined]
    assert found.dev_key == "Validator2"  # type: ignore[attr-defined]
    assert found.model == (Path("x"), Path("y"))  # type: ignore[attr-defined]
    assert found.log_level == "info"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "one of --dev-key and --key-file"),
        (["--dev-key", "A", "--key-file", "b"], "one of --dev-key and --key-file"),
        (["--dev-key", "A", "--threads", "0"], "--threads must be at least 1"),
        (["--dev-key", "A", "--looks", "-1"], "--looks must not be negative"),
        (["--dev-key", "A", "--threads", "many"], "whole number"),
        (["--dev-key", "A", "--provider", "abacus"], "cpu or cuda"),
        (["--dev-key", "A", "--log-level", "loud"], "log level"),
        (["--dev-key", "A", "--bond", "much"], "an amount of tokens"),
        (["--dev-key", "A", "--bond", "-1"], "an amount of tokens"),
        (["--dev-key", "A", "--bond", "0.0000000000001"], "an amount of tokens"),
        (["--dev-key", "A", "--bond", "nan"], "an amount of tokens"),
        (["--dev-key", "A", "--config", "/nowhere.toml"], "cannot be read"),
        (["--key-file", "/nowhere"], "there is no key"),
    ],
)
def test_wrong_usage_is_status_2_with_words(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    assert words in capsys.readouterr().err


def test_the_store_is_in_the_home_of_all_commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    account, tail = b"\xab" * 32, Path("validator") / "abababababababab" / "validator.sqlite"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("LLMNET_HOME", raising=False)
    assert store_file(ValidatorSettings(), account) == tmp_path / "data" / "llmnet" / tail
    monkeypatch.setenv("LLMNET_HOME", str(tmp_path / "home"))
    assert store_file(ValidatorSettings(), account) == tmp_path / "home" / tail
    assert store_file(ValidatorSettings(store=tmp_path), account) == tmp_path / "validator.sqlite"


def test_amounts_are_exact() -> None:
    assert plancks("1000") == 1000 * 10**12
    assert plancks("0.000000000001") == 1
    with pytest.raises(ConfigError):
        plancks("1e30x")


def test_log_lines_are_json() -> None:
    record = logging.LogRecord("a", logging.INFO, "p", 1, "said %s", ("so",), None)
    assert json.loads(JsonLines().format(record)) | {"time": 0} == {
        "time": 0,
        "level": "info",
        "logger": "a",
        "message": "said so",
    }


def test_nothing_imports_torch() -> None:
    code = "import sys, llmnet.verifier, llmnet.cli.validator; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_stop_ends_what_does_not_end_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmnet.cli.validator.GRACE_SECONDS", 0.01)
    stop, ended = asyncio.Event(), []

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("tidied up")

    asyncio.get_running_loop().call_later(0.01, stop.set)
    await asyncio.wait_for(until_stopped(stubborn(), stop), 2)
    assert ended == ["tidied up"]


async def test_a_fault_before_any_stop_is_shown() -> None:
    async def faulty() -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await until_stopped(faulty(), asyncio.Event())


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve(Node.from_preset(ARTIFACT), seal=Seal("interval", 0.25)) as server:
        yield server


async def run(*argv: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(*MODULE, *argv, stderr=asyncio.subprocess.PIPE)
    _, error = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, error.decode()


@pytest.mark.slow
async def test_the_daemon_bonds_validates_and_stops_on_a_signal(
    server: Server, tiny: ModelFiles, tmp_path: Path
) -> None:
    url = f"ws://127.0.0.1:{server.port}"
    argv = ["--node", url, "--dev-key", "Validator4", "--model", str(tiny.path), "--store", str(tmp_path)]
    status, error = await run(*argv)
    assert (status, "pass --bond" in error) == (1, True)
    process = await asyncio.create_subprocess_exec(
        *MODULE, *argv, "--bond", "1000", "--json", stderr=asyncio.subprocess.PIPE
    )
    account = Keypair.from_uri("//Validator4").public
    try:
        async with Client.connect(url) as client, asyncio.timeout(60):
            async for event in client.events([("Beacon", "Revealed")], from_block=1):
                if event.fields["who"] == account:
                    break
            bond = await staking.bond_of(client.at(), account)
        process.send_signal(signal.SIGTERM)
        _, error_bytes = await asyncio.wait_for(process.communicate(), 20)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert bond is not None
    assert (bond.role, bond.stake) == (staking.StakeRole.VALIDATOR, 1000 * 10**12)
    lines = [json.loads(line) for line in error_bytes.decode().splitlines()]
    assert process.returncode == 0, lines
    assert any(line["message"].startswith("validating as") for line in lines)
    assert {line["level"] for line in lines} <= {"info"}


@pytest.mark.slow
async def test_a_model_with_a_changed_byte_is_status_1(
    server: Server, tiny: ModelFiles, tmp_path: Path
) -> None:
    import shutil

    broken = tmp_path / "model"
    shutil.copytree(tiny.path, broken)
    data = bytearray((broken / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (broken / "model.safetensors").write_bytes(bytes(data))
    status, error = await run(
        "--node", f"ws://127.0.0.1:{server.port}", "--dev-key", "Validator4", "--model", str(broken)
    )
    assert status == 1
    assert "sha256" in error
