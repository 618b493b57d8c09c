"""The tuner: what it tries, what it keeps, what it writes."""

import json
import re
from pathlib import Path

import pytest
import torch

from llmnet.kernels import tune
from llmnet.kernels._compile import Resources
from llmnet.kernels._config import ARCHITECTURES, Tables, config_file, tables, tables_of, trying
from llmnet.kernels._workloads import WORKLOADS
from llmnet.kernels.aot import read_record
from llmnet.kernels.tune import Candidate, Slot

from .test_aot import run

FREE = Resources(32, 0, 0, 0, 0, 4, 0, 0, 0, 0, "")


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_table_survives_being_written(arch: str) -> None:
    assert tune.to_json(tables(arch)) == json.loads(config_file(arch).read_text())
    assert Tables.from_json(tune.to_json(tables(arch))) == tables(arch)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_no_candidate_makes_bits_depend_on_the_batch(arch: str) -> None:
    table = tables(arch)
    for slot in tune.slots(table):
        tried = list(tune.candidates(slot, table))
        assert tried[0] == slot.pinned(table)
        assert len(set(tried)) == len(tried) > 1
        for candidate in tried:
            assert slot.pinned(slot.put(table, candidate)) == candidate  # the table accepts it
            assert candidate.num_warps == tried[0].num_warps


def test_every_slot_has_a_kernel_of_the_gate_and_a_workload() -> None:
    for arch in ARCHITECTURES:
        found = list(tune.slots(tables(arch)))
        assert {slot.section for slot in found} == WORKLOADS.keys()
        names = read_record(arch)["kernels"]
        for slot in found:
            assert sum(bool(re.search(slot.variant, name)) for name in names) == 1, slot


def fake_sound(slot: Slot, table: Tables) -> list[tuple[Candidate, Resources]]:
    return [(candidate, FREE) for candidate in tune.candidates(slot, table)]


def test_the_fastest_is_kept_and_noise_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tune, "sound", fake_sound)
    table = tables("sm_90")
    pinned = table.decode[64].num_stages

    def seconds(gain: float) -> Tables:
        def timed(slot: Slot, tried: Tables) -> float:
            return 1.0 - gain if slot.pinned(tried).num_stages == 1 else 1.0

        return tune.tuned(table, "decode/64", timed)

    assert pinned != 1
    assert seconds(0.5).decode[64].num_stages == 1
    assert seconds(0.5).decode[128] == table.decode[128]
    assert seconds(0.01) == table


def test_a_launch_can_try_another_table() -> None:
    cpu, other = torch.device("cpu"), tables("sm_80")
    with trying(other):
        assert tables_of(cpu) is other
    assert tables_of(cpu) is tables("sm_90")


def test_without_a_gpu_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert tune.main([]) == 1
    assert "no GPU to measure on" in capsys.readouterr().err


@pytest.mark.aot
def test_a_dry_run_lists_candidates_and_what_they_cost(tmp_path: Path) -> None:
    printed = run(tmp_path, "-m", "llmnet.kernels.tune", "--dry-run", "--only", "decode/64")
    assert "decode/64: " in printed
    assert printed.count("regs") == 4
