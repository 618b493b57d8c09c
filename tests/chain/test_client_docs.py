"""The examples of docs/client.md, run in their order against one development node."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import types
from pathlib import Path
from typing import Any

import pytest

from llmnet.devnode import Node, Seal, serve

from .conftest import ARTIFACTS

PAGE = Path(__file__).parents[2] / "docs" / "client.md"
RUNTIME = ARTIFACTS / "llmnet_runtime.compact.compressed.wasm"
LONGEST = 13  # lines of one example


def examples(text: str) -> list[tuple[int, str]]:
    """(line, code) of every python block."""
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start(1)) + 1, match[1]) for match in found]


async def run(code: str, name: str, scope: dict[str, Any]) -> None:
    """With `await` in this loop, without it in a thread, as a script would be."""
    compiled = compile(code, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    function = types.FunctionType(compiled, scope)
    if compiled.co_flags & inspect.CO_COROUTINE:
        await function()
    else:
        await asyncio.to_thread(function)


async def test_every_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    found = examples(PAGE.read_text())
    assert len(found) >= 10
    scope: dict[str, Any] = {"__name__": "example"}
    async with serve(Node.from_preset(RUNTIME), seal=Seal("instant")) as server:
        for line, code in found:
            code = code.replace('"ws://127.0.0.1:9945"', '"ws://127.0.0.1:1"')
            code = code.replace("ws://127.0.0.1:9944", f"ws://127.0.0.1:{server.port}")
            async with asyncio.timeout(60):
                await run("\n" * (line - 1) + code, str(PAGE), scope)
    told = capsys.readouterr().out
    for words in ("about ", "finalized", "None ", "ecdsa 33 5"):
        assert words in told


def test_examples_are_short() -> None:
    long = {
        line: size for line, code in examples(PAGE.read_text()) if (size := len(code.splitlines())) > LONGEST
    }
    assert long == {}


async def test_an_example_that_fails_is_noticed() -> None:
    ((line, code),) = examples("text\n```python\nawait nothing()\n```\n")
    assert line == 3
    with pytest.raises(NameError, match="nothing"):
        await run(code, "x", {})
