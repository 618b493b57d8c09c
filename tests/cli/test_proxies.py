"""`llmnet proxies` and `--proxy-for` on a chain: named, used, taken back; with an encrypted key, whose password is read once."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from llmnet.chain import Keypair
from llmnet.cli.main import app
from llmnet.devnode import Node, Seal, serve

WASM = Path(__file__).parents[2] / "runtime_spec/artifacts/llmnet_runtime.compact.compressed.wasm"
OWNER, HOT = Keypair.from_uri("//Worker1"), Keypair.from_uri("//Bob")


@pytest.fixture
def url() -> Iterator[str]:
    """A node in a thread of its own: commands run their own loop."""
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), []
    done = asyncio.Event()

    async def main() -> None:
        async with serve(Node.from_preset(WASM), seal=Seal("instant")) as server:
            found.append(server.url)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    assert ready.wait(60)
    yield found[0]
    loop.call_soon_threadsafe(done.set)
    thread.join(20)
    loop.close()


def test_a_hot_key_is_named_used_and_taken_back(
    url: str, cli: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmnet.chain.keystore.WRITTEN", (1 << 15, 1, 8))

    def run(*words: str, status: int = 0) -> Any:
        result = cli.invoke(app, [*words, "--node", url, "--json"])
        assert result.exit_code == status, result.output
        return json.loads(result.stdout or result.stderr)

    assert run("proxies", "list", "Worker1") == {"proxies": [], "deposit": "0"}
    hot = ("--dev-key", "Bob", "--proxy-for", OWNER.address)
    assert "Proxy.NotProxy" in run("bond", "1000", *hot, status=1)["error"]
    run("proxies", "add", HOT.address, "--kind", "NonTransfer", "--dev-key", "Worker1")
    listed = run("proxies", "list", "--dev-key", "Worker1")
    assert listed["proxies"] == [{"account": HOT.address, "kind": "NonTransfer", "delay": 0}]
    assert int(listed["deposit"]) > 0
    run("bond", "1000", *hot)
    bonded = run("account", OWNER.address)
    assert any(int(place["amount"]) == 1000 * 10**12 for place in bonded["places"]), bonded
    (tmp_path / "hot.json").write_text(HOT.to_json("a password"))
    reading, writing = os.pipe()
    os.write(writing, b"a password\n")
    os.close(writing)
    locked = ("--key-file", str(tmp_path / "hot.json"), "--password-fd", str(reading))
    assert run("bond", "5", *locked, "--proxy-for", "Worker1")["done"].startswith("added 5 tokens")
    os.close(reading)
    run("proxies", "remove", HOT.address, "--kind", "NonTransfer", "--dev-key", "Worker1")
    assert "Proxy.NotProxy" in run("bond", "1", *hot, status=1)["error"]
    assert (
        "Nothing"
        in run("proxies", "add", "Bob", "--kind", "Nothing", "--dev-key", "Worker1", status=1)["error"]
    )
