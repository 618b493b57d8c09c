"""`llmnet chain` against the committed runtime in a node of this process, and against what people mistype."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from llmnet.chain import Keypair, Runtime, RuntimeVersion, Variant, parse_metadata
from llmnet.cli.chain_lookup import arguments, pick
from llmnet.cli.chain_values import Values, plain
from llmnet.cli.config import ConfigError
from llmnet.cli.main import app
from llmnet.devnode import Node, NodeConfig, Seal, serve

ARTIFACTS = Path(__file__).parents[2] / "runtime_spec" / "artifacts"
WASM = ARTIFACTS / "llmnet_runtime.compact.compressed.wasm"
ALICE, BOB = Keypair.from_uri("//Alice"), Keypair.from_uri("//Bob")


@dataclass
class Chain:
    """A node in a thread of its own, and the command line that talks to it."""

    url: str
    cli: CliRunner

    def __call__(self, *words: str, given: str | None = None) -> Result:
        return self.cli.invoke(app, ["chain", *words, "--node", self.url], input=given)

    def json(self, *words: str) -> Any:
        result = self(*words, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    loop, ready, box = asyncio.new_event_loop(), threading.Event(), {}
    done = asyncio.Event()

    async def main() -> None:
        node = Node.from_preset(WASM, config=NodeConfig(cache_dir=tmp_path_factory.mktemp("wasm")))
        async with serve(node, seal=Seal("instant")) as server:
            await server.service.produce()
            box["url"] = server.url
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    assert ready.wait(60)
    yield box["url"]
    loop.call_soon_threadsafe(done.set)
    thread.join(20)
    loop.close()


@pytest.fixture
def chain(url: str, cli: CliRunner) -> Chain:
    return Chain(url, cli)


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    metadata = parse_metadata((ARTIFACTS / "metadata_v16.scale").read_bytes())
    return Runtime(metadata, RuntimeVersion("llmnet", 1, 1, 1))


def test_what_the_runtime_has_is_listed(chain: Chain) -> None:
    rows = {row["pallet"]: row for row in chain.json("pallets")}
    assert rows["Staking"]["calls"] >= 6 and rows["Staking"]["views"] >= 2
    described = {(row["kind"], row["name"]): row for row in chain.json("pallets", "staking")}
    assert described["call", "bond"]["shape"] == "role: Role, amount: Compact<u128>"
    assert described["storage", "Bonds"]["shape"] == "(Blake2_128Concat AccountId32) -> Bond?"
    assert "│ Staking" in chain("pallets").stdout


def test_storage_is_read_by_key_or_listed(chain: Chain) -> None:
    alice = chain.json("query", "system", "account", "Alice")
    assert int(alice["data"]["free"]) > 10**12
    assert chain.json("query", "Staking", "Bonds", BOB.address) is None
    entries = chain("query", "System", "Account", "--limit", "2", "--json")
    assert len(json.loads(entries.stdout)) == 2 and "--limit shows more" in entries.stderr
    accounts = {row["key"] for row in chain.json("query", "System", "Account", "--limit", "1000")}
    assert ALICE.address in accounts
    assert chain.json("query", "System", "Number", "--at", "1") == 1


def test_constants_errors_views_and_apis(chain: Chain) -> None:
    constants = {row["constant"]: row["value"] for row in chain.json("constants", "beacon")}
    assert constants["CommitBlocks"] == 3
    errors = {row["error"]: row["docs"] for row in chain.json("errors", "staking")}
    assert errors["NotBonded"] == "The account is not bonded."
    assert "bond_of" in chain("view", "staking").stdout
    assert chain.json("view", "spot-checks", "audit_probability", "Worker1") == 500_000
    assert chain.json("view", "registry", "domains") == [[0, {"name": "0x67656e6572616c", "parent": None}]]
    assert chain.json("apis", "core", "version")["spec_name"] == "llmnet"
    assert "query_info" in chain("apis", "TransactionPaymentApi").stdout
    assert any(row["api"] == "Core" for row in chain.json("apis"))


def test_a_call_is_shown_with_its_fee_asked_about_and_sent(chain: Chain) -> None:
    words = ("call", "balances", "transfer-keep-alive", "Bob", "1_000_000", "--from", "Alice")
    dry = chain.json(*words, "--dry-run")
    assert dry["ok"] and not dry["sent"] and int(dry["fee"]) > 0
    assert dry["args"] == {"dest": {"Id": BOB.address}, "value": 1_000_000}
    before = int(chain.json("query", "System", "Account", "Bob")["data"]["free"])
    refused = chain(*words, given="n\n")
    assert refused.exit_code == 1 and "nothing was sent" in refused.stdout and "fee" in refused.stdout
    assert int(chain.json("query", "System", "Account", "Bob")["data"]["free"]) == before
    sent = chain(*words, given="y\n")
    assert sent.exit_code == 0 and "Balances.Transfer" in sent.stdout
    assert int(chain.json("query", "System", "Account", "Bob")["data"]["free"]) == before + 1_000_000


def test_a_call_by_names_as_root_and_one_that_fails(chain: Chain) -> None:
    done = chain.json(
        "call", "Registry", "add_domain", "name=law", "parent=0", "--sudo", "--from", "Alice", "--yes"
    )
    assert done["error"] is None
    assert [1, {"name": "0x6c6177", "parent": 0}] in chain.json("view", "registry", "domains")
    words = ("call", "staking", "bond", "Worker", "1", "--from", "Alice", "--yes")
    failed = chain(*words, "--json")
    told = json.loads(failed.stdout)
    assert failed.exit_code == 1 and told["sent"] is False and "BelowMinimum" in told["reason"]
    batch = '[{"System": {"remark_with_event": {"remark": "hello"}}}, {"Staking": "unbond"}]'
    dry = chain.json("call", "utility", "batch", batch, "--from", "Alice", "--dry-run")
    assert dry["args"]["calls"][0] == {"System": {"remark_with_event": {"remark": "0x68656c6c6f"}}}


def test_events_and_blocks(chain: Chain) -> None:
    sent = chain.json("call", "system", "remark_with_event", "hi", "--from", "Alice", "--yes")
    block = chain.json("block", str(sent["block"]))
    assert block["number"] == sent["block"]
    assert block["extrinsics"][1]["signer"] == ALICE.address
    assert block["extrinsics"][1]["args"] == {"remark": "0x6869"}
    events = chain.json("events", "--block", block["hash"], "--pallet", "system")
    assert "System.Remarked" in [event["event"] for event in events]
    followed = chain(
        "events", "--from-block", str(sent["block"]), "--pallet", "Balances", "--limit", "2", "--json"
    )
    lines = [json.loads(line) for line in followed.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["Balances.Withdraw", "Balances.Deposit"]
    assert lines[0]["fields"]["who"] == ALICE.address
    assert "Timestamp.set" in chain("block").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["query", "balanses", "Account"], "there is no pallet 'balanses'; did you mean Balances?"),
        (["query", "System", "Acount", "Alice"], "did you mean Account"),
        (["query", "System", "Account", "Alice", "Bob"], "it takes 1 keys, not 2"),
        (["query", "System", "Account", "5Grw"], "key 1: "),
        (["query", "System", "Number", "--at", "999999"], "the chain has no block 999999 yet"),
        (["query", "System", "Number", "--at", "best"], "neither a block's number nor its hash"),
        (["call", "balances", "transfer_all", "Bob", "--from", "Alice", "-y"], "keep_alive is missing"),
        (["call", "balances", "burn", "1", "true", "2", "--from", "Alice", "-y"], "'2' is too much"),
        (["call", "balances", "burn", "value=1", "value=2", "--from", "Alice", "-y"], "value is given twice"),
        (["call", "staking", "bond", "Judge", "1", "--from", "Alice", "-y"], "none of Worker, Validator"),
        (
            ["call", "staking", "bond", "Worker", "1.5", "--from", "Alice", "-y"],
            "amount: wanted a whole number",
        ),
        (["call", "staking", "unbond", "--from", "Alice", "--json"], "pass --yes, or --dry-run"),
        (["view", "staking", "bond_of", "0x00"], "who: "),
    ],
)
def test_what_is_mistyped_is_told_and_costs_nothing(chain: Chain, words: list[str], message: str) -> None:
    result = chain(*words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_numbers_beyond_their_type_are_refused_before_anything_is_sent(chain: Chain) -> None:
    result = chain("call", "balances", "burn", str(1 << 128), "true", "--from", "Alice", "-y")
    assert result.exit_code == 1 and "does not fit" in result.stderr


# Values


def inputs_of(runtime: Runtime, pallet: str, call: str) -> list[tuple[str, int]]:
    found = runtime.metadata.variants(pallet, "calls").find(call)
    assert found is not None
    return [(str(field.name), field.type) for field in found.fields]


def test_structs_lists_options_and_bytes_are_written_as_json(runtime: Runtime) -> None:
    segment = {
        "session": 1,
        "first": "0",
        "last": "0x2",
        "receipts_root": "0x" + "11" * 32,
        "amount": "5_000",
    }
    given = arguments(
        runtime, inputs_of(runtime, "SpotChecks", "commit_batch"), [json.dumps([segment])], "commit"
    )
    plain_segment = {"session": 1, "first": 0, "last": 2, "receipts_root": b"\x11" * 32, "amount": 5000}
    assert given == {"segments": [plain_segment]}
    runtime.call("SpotChecks", "commit_batch", given)
    domain = inputs_of(runtime, "Registry", "add_domain")
    assert arguments(runtime, domain, ["123", "null"], "add") == {"name": b"123", "parent": None}
    assert arguments(runtime, domain, ['"0x61"', "7"], "add") == {"name": b"a", "parent": 7}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "segments: wanted a JSON list"),
        ("[7]", r"segments\[0\]: wanted an object with session"),
        ('[{"session": 1}]', r"segments\[0\]: wanted the fields session, first"),
        ("[" * 100_000, "nested too deep|wanted"),
        ("nonsense", "segments: wanted a JSON list, got 'nonsense'"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(runtime: Runtime, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        arguments(runtime, inputs_of(runtime, "SpotChecks", "commit_batch"), [text], "commit")


def test_what_is_shown_can_be_typed_again(runtime: Runtime) -> None:
    values = Values(runtime)
    for type_id, value in (
        (runtime.metadata.extrinsic.address, Variant("Id", ALICE.public)),
        (inputs_of(runtime, "Staking", "bond")[0][1], Variant("Worker")),
        (inputs_of(runtime, "Staking", "bond")[1][1], 1 << 100),
    ):
        shown = json.dumps(values.show(type_id, value))
        assert values.parse(type_id, shown, "x") == value


def test_large_numbers_keep_their_digits() -> None:
    assert plain({"a": 1 << 53, "b": (1 << 53) - 1, "c": [b"\1", None, True]}) == {
        "a": str(1 << 53),
        "b": (1 << 53) - 1,
        "c": ["0x01", None, True],
    }


def test_the_nearest_names_are_offered() -> None:
    assert pick("pallet", "spot-checks", ["SpotChecks", "Sessions"]) == "SpotChecks"
    with pytest.raises(ConfigError, match="did you mean Sessions"):
        pick("pallet", "Session", ["SpotChecks", "Sessions"])
    with pytest.raises(ConfigError, match="there are A, B"):
        pick("pallet", "zzz", ["A", "B"])
