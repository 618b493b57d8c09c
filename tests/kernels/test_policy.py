"""The numeric policy changes with everything that changes bits, and with nothing else; tables are checked."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from llmnet.kernels import BackendError, _config, aot
from llmnet.kernels import policy as policies
from llmnet.kernels._config import ARCHITECTURES, Tables, bucket, tables
from llmnet.kernels.policy import Policy, main, policy, policy_of


@pytest.mark.parametrize("arch", [*ARCHITECTURES, "cpu"])
def test_a_policy_is_the_same_every_time_and_prints(arch: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = policy_of(arch)
    assert found == policy_of(arch)
    assert found.to_json()["digest"] == found.digest().hex()
    assert main(["--arch", arch, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found.to_json()
    assert main(["--arch", arch]) == 0
    assert found.digest().hex() in capsys.readouterr().out


def test_architectures_have_different_policies() -> None:
    assert len({policy_of(arch).digest() for arch in (*ARCHITECTURES, "cpu")}) == 3
    assert policy() == policy_of("cpu")


@pytest.mark.parametrize(
    "change",
    [
        {"arch": "sm_89"},
        {"compiler": "triton 0"},
        {"options": {"enable_fp_fusion": True}},
        {"orders": {"kv_tile": 128}},
        {"table": "00"},
        {"kernels": {}},
    ],
)
def test_every_field_is_in_the_digest(change: dict[str, Any]) -> None:
    found = policy_of("sm_90")
    assert dataclasses.replace(found, **change).digest() != found.digest()


def test_one_other_binary_is_another_policy() -> None:
    found = policy_of("sm_90")
    name = next(iter(found.kernels))
    assert dataclasses.replace(found, kernels={**found.kernels, name: "00"}).digest() != found.digest()
    assert found.kernels.keys() == aot.read_record("sm_90")["kernels"].keys()


def test_a_change_of_the_reference_is_another_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    before: Policy = policy()
    monkeypatch.setattr(policies, "REFERENCE_VERSION", policies.REFERENCE_VERSION + 1)
    assert policy().digest() != before.digest()


def test_a_record_of_another_compiler_is_no_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "version", lambda _name: "3.0.0")
    with pytest.raises(BackendError, match=r"installed is 3\.0\.0"):
        policy_of("sm_90")
    assert main(["--arch", "sm_90"]) == 1


def test_a_device_that_is_not_there_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert main(["--device", "cuda"]) == 1
    assert capsys.readouterr().err


# The tables


def test_every_table_serves_any_number_of_rows() -> None:
    for arch in ARCHITECTURES:
        table = tables(arch)
        for configs in (table.matmul, table.lm_head):
            for rows in (1, 16, 17, 64, 65, 5000):
                widest = bucket(configs, rows).max_rows
                assert widest is None or rows <= widest


def broken(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_config.config_file("sm_90").read_text())
    return {**data, **changes}


def test_tables_in_which_bits_could_depend_on_the_batch_are_refused() -> None:
    data = broken()
    Tables.from_json(data)
    wide = {**data["attention_decode"]["64"], "num_warps": 8}
    with pytest.raises(ValueError, match="same rows a warp"):
        Tables.from_json(broken(attention_decode={**data["attention_decode"], "64": wide}))
    first, *others = data["lm_head_leaf"]
    with pytest.raises(ValueError, match="same number of them"):
        Tables.from_json(broken(lm_head_leaf=[{**first, "num_warps": 4}, *others]))


def test_malformed_tables_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = broken()
    with pytest.raises(ValueError, match="exactly the last"):
        Tables.from_json(broken(matmul=data["matmul"][:-1]))
    with pytest.raises(ValueError, match="must ascend"):
        Tables.from_json(broken(matmul=[data["matmul"][1], data["matmul"][0], data["matmul"][2]]))
    with pytest.raises(ValueError, match="needs the head dimensions"):
        Tables.from_json(broken(attention_prefill={}))
    texts = ("", "{", "[]", json.dumps(broken(arch="sm_80")), json.dumps({"arch": "sm_90"}))
    tables.cache_clear()
    monkeypatch.setattr(_config, "FOLDER", tmp_path)
    for text in texts:
        (tmp_path / "sm_90.json").write_text(text)
        with pytest.raises(BackendError, match=r"is no configuration table|is the table of"):
            tables("sm_90")
    with pytest.raises(BackendError, match="no pinned configurations for sm_75"):
        tables("sm_75")
    tables.cache_clear()


def test_the_worker_prints_its_policy_without_a_key_or_a_node(capsys: pytest.CaptureFixture[str]) -> None:
    from llmnet.cli import worker
    from llmnet.engine.cpu.policy import cpu_policy

    assert worker.main(["--print-policy"]) == 0
    expected = (
        policy("cuda") if torch.cuda.is_available() else cpu_policy()
    )  # on a CPU the engine has its own kernels
    assert json.loads(capsys.readouterr().out) == expected.to_json()


def test_a_worker_without_a_policy_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from llmnet.cli import worker

    def refuse() -> Policy:
        raise BackendError("the record of sm_90 was made with another triton")

    monkeypatch.setattr(worker, "numeric_policy", refuse)
    assert worker.main(["--print-policy"]) == 1
    assert "another triton" in capsys.readouterr().err
