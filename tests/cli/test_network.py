"""The commands against a real chain and a real worker: asked, paid, audited, explained, verified, accounted for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from llmnet.chain import Keypair
from llmnet.cli.main import app
from llmnet.pallets import registry, spot_checks
from llmnet.proof import ServiceSpec, clip

from .network import UNIT, Network, running

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
KEY = "Requester1"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with running(tmp_path_factory.mktemp("network")) as network:
        yield network


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


class Llmnet:
    """The command, with this network's node and one home for all tests of the module."""

    def __init__(self, network: Network, home: Path) -> None:
        self._cli, self._common = CliRunner(), ["--node", network.url, "--home", str(home)]

    def __call__(self, *arguments: str, key: str = KEY, status: int = 0) -> Result:
        result = self._cli.invoke(app, [*arguments, *self._common, "--dev-key", key])
        assert result.exit_code == status, result.output
        return result

    def json(self, *arguments: str, key: str = KEY) -> Any:
        return json.loads(self(*arguments, "--json", key=key).stdout)


@pytest.fixture
def llmnet(network: Network, home: Path) -> Llmnet:
    return Llmnet(network, home)


def total(llmnet: Llmnet, who: str = KEY) -> dict[str, Any]:
    found: dict[str, Any] = llmnet.json("account", key=who)
    assert sum(int(place["amount"]) for place in found["places"]) == int(found["total"])
    assert found["problems"] == []
    return found


def test_asked_audited_explained_and_verified(llmnet: Llmnet, network: Network) -> None:
    assert llmnet.json("offers")[0]["worker"] == "0x" + network.worker.public.hex()
    first = llmnet("ask", "Why is the sky blue?", "--max-tokens", "12", "--temperature", "1")
    assert "opened session 0" in first.stderr and "beacon round" in first.stderr
    second = llmnet.json(
        "ask", "And the sea?", "--max-tokens", "12", "--system", "Be brief.", "--stop", "\n\n"
    )
    assert (second["session"], second["index"]) == (0, 1)

    # Both answers may stand in one batch, which settles when both are decided.
    network.do(network.audit(0, 0))
    verdict = network.do(network.audit(0, 1))
    facts = llmnet.json("explain", "0/1")
    assert facts["outcome"]["verdict"] == "Passed" and facts["audit"]["number"] == verdict
    assert facts["batch"]["receipts"] >= 1 and facts["answer"]["same_receipt_on_chain"] is True
    assert len(facts["evidence"]) == len(facts["audit"]["positions"])
    assert clip(sum(row["evidence"] for row in facts["evidence"])) == facts["outcome"]["position_evidence"]
    assert {"SpotChecks.BatchSettled", "Sessions.Cleared"} <= {row["event"] for row in facts["money"]}
    story = llmnet("explain", second["path"]).stdout
    assert "PASSED, nothing wrong was found" in story and "Evidence by position" in story

    report = llmnet.json("verify", "0/1", "--model", str(network.files.path), "--chain")
    assert report["verdict"] == "pass", report
    assert json.loads(Path(second["path"]).read_text())["leaves"] is not None
    edited = json.loads(Path(second["path"]).read_text())
    edited["text"] += "!"
    Path(second["path"] + ".edited").write_text(json.dumps(edited))
    llmnet("verify", second["path"] + ".edited", "--model", str(network.files.path), status=1)
    assert {row["state"] for row in llmnet.json("receipts")} == {"accepted"}
    assert "And the sea?" in llmnet("receipts").stdout


def test_the_account_adds_up_at_every_stage(llmnet: Llmnet, network: Network) -> None:
    before = total(llmnet)
    number = llmnet.json("ask", "Hello", "--new-session", "--escrow", "2.5", "--max-tokens", "4")["session"]
    found = total(llmnet)
    escrow = next(
        place
        for place in found["places"]
        if place["kind"] == "escrow" and place["details"]["session"] == number
    )
    assert int(escrow["details"]["escrow"]) == 25 * UNIT // 10 and int(escrow["details"]["promised"]) > 0
    fees = int(before["total"]) - int(found["total"])
    assert 0 < fees < UNIT
    llmnet("sessions", "top-up", str(number), "0.5")
    row = next(row for row in llmnet.json("sessions", "list") if row["session"] == number)
    assert int(row["escrow"]) == 3 * UNIT and row["answers"] == 1
    assert "is back after block" in llmnet("sessions", "close", str(number)).stdout
    assert {"Closing"} == {
        row["status"] for row in llmnet.json("sessions", "list") if row["session"] == number
    }
    assert "closing: open another one" in llmnet("ask", "x", "--session", str(number), status=1).stderr
    worker = total(llmnet, "Worker1")
    kinds = {place["kind"] for place in worker["places"]}
    assert {"free", "stake", "deposit"} <= kinds
    assert "total" in llmnet("account", "Worker1").stdout


def test_stakes_go_in_and_come_out_again(llmnet: Llmnet) -> None:
    llmnet("bond", "150", key="Worker5")
    llmnet("bond", "50", key="Worker5")
    stake = next(place for place in total(llmnet, "Worker5")["places"] if place["kind"] == "stake")
    assert int(stake["amount"]) == 200 * UNIT
    assert "llmnet withdraw" in llmnet("unbond", key="Worker5").stdout
    unbonding = next(place for place in total(llmnet, "Worker5")["places"] if place["kind"] == "unbonding")
    assert "from block" in unbonding["when"]
    early = llmnet("withdraw", key="Worker5", status=1)
    assert "TooEarly" in early.stderr and "Traceback" not in early.output


def test_the_chains_refusals_are_one_line(llmnet: Llmnet) -> None:
    for arguments, word in (
        (("bond", "1"), "BelowMinimum"),
        (("sessions", "rate", "0", "5"), "NotSettled"),
        (("sessions", "close", "999"), "does not exist"),
        (("ask", "x", "--model", "huge"), "no model 'huge' is registered"),
        (("ask", "x", "--session", "999"), "does not exist"),
        (("ask", "x", "--new-session", "--escrow", "0.001"), "EscrowTooLow"),
        (("explain", "999/0"), "does not exist"),
    ):
        result = llmnet(*arguments, status=1)
        assert word in result.stderr and len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_a_prompt_beyond_the_context_is_refused_and_nothing_lost(llmnet: Llmnet) -> None:
    refused = llmnet("ask", "long " * 400, "--max-tokens", "4", status=1)
    assert "context_length" in refused.stderr or "context" in refused.stderr
    assert llmnet.json("ask", "short", "--max-tokens", "4")["text"] is not None


def test_specs_are_listed_and_calibrated_by_root_only(
    llmnet: Llmnet, network: Network, tmp_path: Path
) -> None:
    listed = llmnet.json("spec", "list")
    assert listed[0]["id"] == "0x" + network.spec.id.hex() and listed[0]["calibrated"] is True
    assert "already" in llmnet("spec", "register", "--model", str(network.files.path)).stdout
    row = tmp_path / "row.json"
    names = ("logit_q95", "logit_q99", "hidden_q95", "hidden_q99", "tau_sample", "positions")
    row.write_text(json.dumps({**dict.fromkeys(names, 100), "expires_at": 999_999}))
    llmnet("spec", "calibrate", str(row), "--spec", network.spec.id.hex(), status=1)
    llmnet("spec", "calibrate", str(row), "--spec", network.spec.id.hex(), key="Alice")


def test_an_offer_is_withdrawn_by_whom_it_is(llmnet: Llmnet, network: Network) -> None:
    """The last test here: it registers a second spec."""
    keys, other = Keypair.from_uri("//Worker6"), replace(network.spec, name=b"other")
    llmnet("bond", "200", key="Worker6")
    nothing = llmnet("withdraw-offer", key="Worker6", status=2)
    assert "offers nothing" in nothing.stderr

    def put(spec: ServiceSpec) -> None:
        call = registry.put_offer(spec.id, endpoint="http://w.example", price_in=UNIT, price_out=UNIT)
        network.do(network.client.submit(call, keys))

    def offered() -> set[str]:
        return {row["spec_id"] for row in llmnet.json("offers") if row["worker"] == "0x" + keys.public.hex()}

    ids = [spec.id.hex() for spec in (network.spec, other)]
    network.do(network.client.submit(registry.register_spec(other), keys))
    put(network.spec)
    put(other)
    assert offered() == {"0x" + spec_id for spec_id in ids}
    which = llmnet("withdraw-offer", key="Worker6", status=2)
    assert "say which" in which.stderr and all(spec_id in which.stderr for spec_id in ids)
    llmnet("withdraw-offer", "abc", key="Worker6", status=2)
    assert ids[1] in llmnet("withdraw-offer", ids[1], key="Worker6").stdout
    assert "NoOffer" in llmnet("withdraw-offer", "0x" + ids[1], key="Worker6", status=1).stderr
    assert offered() == {"0x" + ids[0]}
    assert ids[0] in llmnet.json("withdraw-offer", key="Worker6")["done"]
    assert offered() == set()
    assert any(row["worker"] == "0x" + network.worker.public.hex() for row in llmnet.json("offers"))


def test_a_worker_that_signed_one_receipt_cannot_be_reported(llmnet: Llmnet, home: Path) -> None:
    """Each way of reporting says why there is nothing to report, before a fee is paid."""
    folder = next((home / "requester").glob("*/receipts"))
    first, second = str(folder / "0-0.json"), str(folder / "0-1.json")
    for arguments, words in (
        (("equivocation", first, first), "the two receipts are the same"),
        (("equivocation", first, second), "different answers"),
        (("opened", first), "the one that was opened"),
        (("segment", first, second), "those that were committed"),
        (("committed", first, "--segment", first, "--segment", second), "the one that was committed"),
    ):
        refused = llmnet("report", *arguments, status=1)
        # Both answers may stand in segments of their own.
        assert words in refused.stderr or "are needed" in refused.stderr, refused.stderr
    assert llmnet.json("report", "check")["reported"] == []
    forged = json.loads(Path(first).read_text())
    forged["receipt_signature"] = "00" * 64
    other = home / "forged.json"
    other.write_text(json.dumps(forged))
    assert "proves nothing" in llmnet("report", "equivocation", first, str(other), status=1).stderr


def test_planting_needs_a_planter_and_an_answer_to_come(llmnet: Llmnet, network: Network, home: Path) -> None:
    assert "no planter" in llmnet("plant", "commit", "0/5", status=1).stderr
    assert "in a batch already" in llmnet("plant", "commit", "0/0", status=1).stderr
    assert "does not exist" in llmnet("plant", "commit", "99/0", status=1).stderr
    planter = Keypair.from_uri(f"//{KEY}").public
    call = network.client.call("Sudo", "sudo", call=spot_checks.set_planters([planter]))
    network.do(network.client.submit(call, Keypair.from_uri("//Alice")))
    for _ in range(2):  # the second time nothing is left to do
        assert llmnet.json("plant", "commit", "0/5")["state"] == "planted"
    [listed] = llmnet.json("plant", "list")
    assert (listed["session"], listed["index"], listed["audit"]) == (0, 5, None)
    assert "no plant has a verdict" in llmnet("plant", "reveal", status=1).stderr
    assert "has no verdict" in llmnet("plant", "reveal", "0/5", status=1).stderr
    assert "not planted by this account" in llmnet("plant", "reveal", "0/6", status=1).stderr
    assert "planted faults that are not revealed: 1" in llmnet.json("account")["standing"]
    book = next((home / "requester").glob("*/plants.sqlite"))
    assert book.stat().st_mode & 0o777 == 0o600
