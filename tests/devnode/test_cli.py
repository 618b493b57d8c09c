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

from llmnet.cli.config import ConfigError
from llmnet.cli.node import main
from llmnet.cli.node_options import NodeSettings, build_parser, read_settings

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
     (("--dev", "--prometheus-port", "-1"), "prometheus-port"),
     (("--dev", "--seal", "never"), "instant, interval, manual"), (("--dev", "--block-time", "0"), "positive"),
     (("--dev", "--block-time", "nan"), "number"), (("--dev", "--finality-lag", "-1"), "negative"),
     (("--dev", "--keep", "0"), "positive number or archive"), (("--dev", "--keep", "all"), "archive"),
     (("--dev", "--rpc-methods", "some"), "auto, safe, unsafe"), (("--dev", "--pool-limit", "0"), "pool-limit"),
     (("--dev", "--rpc-max-connections", "0"), "rpc-max-connections"), (("--dev", "--log-level", "loud"), "debug, info"),
     (("--dev", "--tmp", "--base-path", "x"), "--tmp"), (("run", "block", "--dev"), "takes no 'block'"),
     (("--dev", "--config", "/none.toml"), "/none.toml"), (("inspect", "block"), "--base-path"), (("inspect", "pool"), "invalid choice"),
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


def settings_of(environ: dict[str, str], *arguments: str) -> NodeSettings:
    return read_settings(build_parser().parse_args(arguments), environ)


def test_option_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(
        'dev = true\nport = 1\nblock-time = 2\nkeep = "archive"\nrpc_cors = ["https://a.example"]\n'
    )
    environ = {"LLMNET_NODE_PORT": "2", "LLMNET_NODE_BLOCK_TIME": "3", "LLMNET_NODE_CONFIG": str(file)}
    found = settings_of(environ, "--block-time", "4")
    assert (found.port, found.block_time, found.keep_states, found.dev) == (2, 4.0, None, True)
    assert (found.rpc_cors, found.finality_lag) == (("https://a.example",), 0)
    assert settings_of({}, "--config", str(file)).port == 1
    assert settings_of(environ, "--no-dev", "--chain", "x.json").dev is False


@pytest.mark.parametrize(
    ("text", "said"),
    [("dev = true\nprot = 1", "unknown setting 'prot'"), ("dev = 7", "dev must be yes or no"), ("= 1", "not TOML"),
     ("dev = true\nport = 1.5", "whole number")],
)  # fmt: skip
def test_a_wrong_file_is_wrong_usage(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "node.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        settings_of({}, "--config", str(file))


def test_other_names_and_short_cuts() -> None:
    dev = {"LLMNET_NODE_DEV": "true", "LLMNET_NODE_BASE_PATH": "/somewhere"}
    assert settings_of(dev, "--rpc-port", "7").port == 7
    assert settings_of(dev, "--rpc-external").host == "0.0.0.0"
    assert settings_of(dev, "--keep-states", "9").keep_states == 9
    assert settings_of(dev, "--tmp").base_path is None
    assert settings_of(dev).base_path == Path("/somewhere")
    assert settings_of(dev, "--rpc-cors", "https://a,https://b").rpc_cors == ("https://a", "https://b")


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


def test_what_a_stopped_chain_holds_can_be_looked_at(
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def inspect(*arguments: str, base: Path = tmp_path) -> tuple[int, str, str]:
        status = main(["inspect", *arguments, "--base-path", str(base)])
        said = capsys.readouterr()
        return status, said.out, said.err

    monkeypatch.setenv("LLMNET_CACHE_DIR", environment["LLMNET_CACHE_DIR"])
    base = ("--base-path", str(tmp_path))
    with running(environment, "--block-time", "0.05", "--keep", "archive", *base) as (process, started):
        assert started["keep"] == "archive"
        first = next_block(process)
        next_block(process)
        process.terminate()
        process.wait(timeout=20)
    block = json.loads(inspect("block", "--at", "1", "--json")[1])
    assert (block["number"], block["hash"]) == (1, first["hash"])
    assert block["events"] >= 1
    assert block["extrinsics"][0]["signed"] is False
    status, text, _ = inspect("--at", first["hash"])
    assert (status, first["hash"] in text, "extrinsics" in text) == (0, True, True)
    state = json.loads(inspect("state", "--json")[1])
    assert state["keys"] == sum(pallet["keys"] for pallet in state["pallets"])
    assert "System" in [pallet["name"] for pallet in state["pallets"]]
    trie = json.loads(inspect("trie", "--json")[1])
    assert trie["root"] == state["root"]
    assert trie["nodes"] == sum(kind["nodes"] for kind in trie["kinds"].values())
    file = json.loads(inspect("file", "--json")[1])
    assert (file["blocks"] >= 3, file["oldest_state"]) == (True, 0)
    for subject in ("state", "trie", "file"):
        status, text, errors = inspect(subject)
        assert (status, errors) == (0, "")
        assert len(text.splitlines()) > 5
    for at, said in (
        ("99999", "no block 99999"),
        ("0xzz", "neither a number nor a hash"),
        ("0x12", "no block 0x12"),
    ):
        status, text, errors = inspect("block", "--at", at)
        assert (status, text) == (1, "")
        assert said in errors
    status, _, errors = inspect("block", base=tmp_path / "other")
    assert (status, "there is no database" in errors) == (1, True)


def test_a_chain_that_runs_cannot_be_looked_at(environment: dict[str, str], tmp_path: Path) -> None:
    with running(environment, "--seal", "manual", "--base-path", str(tmp_path)) as (_, _started):
        done = once(environment, "inspect", "state", "--base-path", str(tmp_path))
        assert (done.returncode, "another node running" in done.stderr) == (1, True)


def test_metrics_and_faults_of_a_node_as_machines_read_them(environment: dict[str, str]) -> None:
    import urllib.request

    with running(environment, "--seal", "manual", "--prometheus-port", "0", "--log-level", "info") as (
        process,
        started,
    ):
        with urllib.request.urlopen(started["metrics"], timeout=10) as answer:
            assert b'substrate_block_height{status="best"} 0' in answer.read()
        process.terminate()
        _, errors = process.communicate(timeout=20)
        lines = [json.loads(line) for line in errors.splitlines()]
        assert lines and all({"time", "level", "logger", "message"} <= set(line) for line in lines), errors
