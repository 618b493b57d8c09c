"""The command line without a network: usage, keys, exit statuses, start-up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmnet.cli.main import app, main
from llmnet.cli.output import clean

NOWHERE = "ws://127.0.0.1:9"


def test_help_lists_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "llmnet.cli.main", "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    for command in ("ask", "account", "sessions", "explain", "verify", "model", "keys", "bond", "demo"):
        assert f"\n  {command} " in done.stdout


def test_start_up_imports_nothing_heavy() -> None:
    code = "import sys, llmnet.cli.main; print([m for m in ('torch','onnx','numpy','httpx','llmnet.chain') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["ask"],
        ["ask", "x", "--max-tokens", "0"],
        ["ask", "x", "--temperature", "-1"],
        ["ask", "", "--dev-key", "Alice"],
        ["ask", "x", "--dev-key", "Alice", "--escrow", "much"],
        ["ask", "x", "--dev-key", "Alice", "--session", "1", "--new-session"],
        ["ask", "x", "--dev-key", "Alice", "--worker", "nobody"],
        ["ask", "x", "--dev-key", "Alice", "--key-file", "k"],
        ["ask", "x", "--dev-key", "Alice", "--node", "http://x"],
        ["ask", "x", "--dev-key", "Alice", "--node", ""],
        ["ask", "x"],
        ["ask", "x", "--key-file", "absent"],
        ["account", "nobody"],
        ["sessions", "rate", "1", "6"],
        ["explain", "neither"],
        ["bond", "lots"],
        ["bond", "1", "--role", "boss"],
        ["spec", "calibrate", "absent", "--spec", "00"],
        ["keys", "show"],
        ["keys", "show", "0x00"],
        ["offers", "--config", "absent.toml"],
    ],
)
def test_wrong_usage_is_status_2_in_one_line(cli: CliRunner, arguments: list[str]) -> None:
    result = cli.invoke(app, arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask", "x"],
        ["account"],
        ["account", "Bob"],
        ["offers"],
        ["sessions", "list"],
        ["bond", "1"],
        ["explain", "1/2"],
    ],
)
def test_an_unreachable_node_is_status_3(cli: CliRunner, arguments: list[str]) -> None:
    result = cli.invoke(
        app, [*arguments, "--dev-key", "Alice", "--node", NOWHERE], env={"LLMNET_TIMEOUT": "0.3"}
    )
    assert result.exit_code == 3, result.output
    assert "llmnet-node --dev" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_errors_are_json_for_machines(cli: CliRunner) -> None:
    result = cli.invoke(app, ["offers", "--json", "--node", NOWHERE], env={"LLMNET_TIMEOUT": "0.3"})
    error = json.loads(result.stderr)
    assert error["status"] == result.exit_code == 3 and "no node answers" in error["error"]
    assert result.stdout == ""


def test_a_damaged_receipt_is_status_1(cli: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("{}")
    result = cli.invoke(app, ["verify", str(path)])
    assert result.exit_code == 1 and "version" in result.stderr and "Traceback" not in result.output


def test_new_keys_are_private_and_never_overwritten(cli: CliRunner, tmp_path: Path) -> None:
    made = cli.invoke(app, ["keys", "new", "--json"])
    assert made.exit_code == 0, made.output
    value = json.loads(made.stdout)
    path = Path(value["file"])
    assert path == tmp_path / "home" / "key" and path.stat().st_mode & 0o777 == 0o600
    secret = path.read_text().strip()
    assert secret.removeprefix("0x") not in made.output
    again = cli.invoke(app, ["keys", "new"])
    assert again.exit_code == 2 and "not overwritten" in again.stderr and path.read_text().strip() == secret
    shown = json.loads(cli.invoke(app, ["keys", "show", "--json"]).stdout)
    assert shown["address"] == value["address"]
    assert json.loads(cli.invoke(app, ["keys", "show", shown["account"], "--json"]).stdout) == shown


def test_a_key_file_on_the_command_line_beats_a_development_key_in_the_environment(
    cli: CliRunner, tmp_path: Path
) -> None:
    file = tmp_path / "k"
    made = json.loads(cli.invoke(app, ["keys", "new", str(file), "--json"]).stdout)
    shown = cli.invoke(
        app, ["keys", "show", "--key-file", str(file), "--json"], env={"LLMNET_DEV_KEY": "Alice"}
    )
    assert json.loads(shown.stdout)["account"] == made["account"]


def test_a_secret_is_not_taken_as_an_argument(cli: CliRunner) -> None:
    for arguments in (["keys", "show", "--seed", "0x00"], ["ask", "x", "--key", "//Alice"]):
        assert cli.invoke(app, arguments).exit_code == 2


def test_a_broken_calibration_file_names_what_is_missing(cli: CliRunner, tmp_path: Path) -> None:
    row = tmp_path / "row.json"
    spec = "00" * 32
    for content in ("{", "[]", '{"logit_q95": 1}', "[" * 100_000):
        row.write_text(content)
        result = cli.invoke(app, ["spec", "calibrate", str(row), "--spec", spec, "--dev-key", "Alice"])
        assert result.exit_code == 2, content
    assert "calibration" in result.stderr


def test_the_model_path_fetches_nothing(cli: CliRunner, tmp_path: Path) -> None:
    result = cli.invoke(app, ["model", "path"], env={"LLMNET_CACHE": str(tmp_path / "empty")})
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert not (tmp_path / "empty").exists()


def test_the_demo_gets_its_own_options(monkeypatch: pytest.MonkeyPatch) -> None:
    import llmnet.cli.demo

    got: list[list[str]] = []

    def play(arguments: list[str]) -> int:
        got.append(list(arguments))
        return 7

    monkeypatch.setattr(llmnet.cli.demo, "main", play)
    assert main(["demo", "--rounds", "2", "--seed", "5", "--json", "x.json"]) == 7
    assert main(["demo", "--help"]) == 7
    assert got == [["--rounds", "2", "--seed", "5", "--json", "x.json"], ["--help"]]


def test_terminal_control_characters_are_taken_out() -> None:
    assert clean("a\x1b[2Jb\x07\x9b\r\n\tc") == "a[2Jb\n\tc"


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    shell = f"{sys.executable} -m llmnet.cli.main --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", shell], capture_output=True, text=True, timeout=60, env={**os.environ}
    )
    assert "Traceback" not in done.stderr
