"""The documents name what is there: every module has its row, every command its subcommand and options."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECTION = re.compile(r"^### `llmnet/(\w+)/`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `([^`]+\.py)` \| [^|\s]", re.MULTILINE)
RUST_SECTION = re.compile(r"^### `(runtime_spec/[\w/]+)/`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
RUST_ROW = re.compile(r"^\| `([^`]+\.rs)` \| [^|\s]", re.MULTILINE)
PROGRAMS = {
    "llmnet": "main",
    "llmnet-node": "node",
    "llmnet-worker": "worker",
    "llmnet-validator": "validator",
}
END_OF_COMMAND = {"&", "&&", "|", ";", ">", ">>"}


# Modules


def listed_modules(text: str) -> set[str]:
    """PACKAGE/MODULE.py of every row of structures.md."""
    return {f"{package}/{name}" for package, rows in SECTION.findall(text) for name in ROW.findall(rows)}


def modules(folder: Path) -> set[str]:
    """Every module below `folder`, but for those beside the packages and those that are generated."""
    found = (path.relative_to(folder) for path in folder.rglob("*.py"))
    return {path.as_posix() for path in found if len(path.parts) > 1 and "_generated" not in path.parts}


def test_structures_name_every_module_and_none_that_is_gone() -> None:
    listed = listed_modules((ROOT / "docs/structures.md").read_text())
    assert sorted(modules(ROOT / "llmnet") - listed) == []
    assert sorted(listed - modules(ROOT / "llmnet")) == []


def test_structures_name_every_file_of_the_runtime() -> None:
    sections = RUST_SECTION.findall((ROOT / "docs/structures.md").read_text())
    assert len(sections) == 8
    for folder, rows in sections:
        there = {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob("*.rs")}
        assert sorted(there ^ set(RUST_ROW.findall(rows))) == [], folder


def test_a_module_without_a_row_of_its_package_is_noticed(tmp_path: Path) -> None:
    for name in ("worker/store.py", "verifier/store.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    text = "### `llmnet/worker/`\n| `store.py` | What is kept |\n\n### `llmnet/verifier/`\n| `store.py` | |\n"
    assert modules(tmp_path) - listed_modules(text) == {"verifier/store.py"}


# Commands


@cache
def help_of(program: str, *path: str) -> str:
    """What `PROGRAM PATH... --help` prints."""
    main = importlib.import_module(f"llmnet.cli.{PROGRAMS[program]}").main
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        assert main([*path, "--help"]) == 0
    return printed.getvalue()


def options_in(text: str) -> set[str]:
    """The options that a help text defines, not those it only speaks of."""
    lines = re.findall(r"^ +(-\S.*?)(?:  |$)", text, re.MULTILINE)
    return {option for line in lines for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", line)}


def subcommands_in(text: str) -> set[str]:
    """The subcommands of a help text: typer's list, or argparse's choices."""
    choices = re.search(r"^positional arguments:\n +\{([^}]+)\}", text, re.MULTILINE)
    if choices is not None:
        return set(choices[1].split(","))
    listed = re.search(r"^Commands:\n((?: .*\n)+)", text, re.MULTILINE)
    return set() if listed is None else set(re.findall(r"^  (\S+)", listed[1], re.MULTILINE))


def faults(words: list[str]) -> list[str]:
    """What is wrong with a command; nothing, if its program has such a subcommand with such options."""
    program, *rest = words
    if program not in PROGRAMS:
        return [f"no program {program}"]
    path: list[str] = []
    while rest and not rest[0].startswith("-") and (known := subcommands_in(help_of(program, *path))):
        if rest[0] not in known:
            return [f"{' '.join([program, *path])} has no {rest[0]}"]
        path.append(rest.pop(0))
        if program == "llmnet-node":  # argparse shows the same help for all its commands
            break
    known = options_in(help_of(program, *path))
    given = (word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word))
    return [f"{' '.join([program, *path])} has no {option}" for option in given if option not in known]


def commands_in(text: str) -> Iterator[list[str]]:
    """The words of every `llmnet…` command in the sh blocks, and in backquotes between them."""
    blocks = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    lines += [
        line for line in re.findall(r"`(llmnet[^`\n]*)`", blocks.sub("", text)) if line.split()[0] in PROGRAMS
    ]
    for line in lines:
        words = shlex.split(line, comments=True)
        if words and words[0].startswith("llmnet"):
            end = next((place for place, word in enumerate(words) if word in END_OF_COMMAND), len(words))
            yield words[:end]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the user's changes a help text."""
    for name in [name for name in os.environ if name.startswith("LLMNET_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.parametrize("name", ["README.md", "docs/client.md", "docs/operator.md"])
def test_every_command_can_be_given(name: str) -> None:
    commands = list(commands_in((ROOT / name).read_text()))
    assert len(commands) >= 5
    assert {" ".join(words): found for words in commands if (found := faults(words))} == {}


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("llmnet-nodes --dev", "no program llmnet-nodes"),
        ("llmnet-node rum --dev", "llmnet-node has no rum"),
        ("llmnet-node --developer", "llmnet-node has no --developer"),
        ("llmnet-worker --portt 1", "llmnet-worker has no --portt"),
        ("llmnet-validator --bonds 1 &", "llmnet-validator has no --bonds"),
        ("llmnet answer 0/0", "llmnet has no answer"),
        ("llmnet keys old FILE", "llmnet keys has no old"),
        ("llmnet sessions close 1 --stars 5", "llmnet sessions close has no --stars"),
        ("llmnet demo --hurry", "llmnet demo has no --hurry"),
        ('llmnet ask "--node" --key=x # --comment', "llmnet ask has no --key"),
    ],
)
def test_a_command_that_is_none_is_noticed(command: str, fault: str) -> None:
    (words,) = commands_in(f"```sh\n{command}\n```\n")
    assert faults(words) == [fault]


def test_what_is_right_is_not_called_wrong() -> None:
    text = "```sh\nmake demo\nllmnet ask 'a -- b' --new-session > out --lost\n```\n`llmnet/` `llmnet keys show`\n"
    assert [faults(words) for words in commands_in(text)] == [[], []]
