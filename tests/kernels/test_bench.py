"""The benches' own code: what a result file is called, what a table shows, and that answers are checked."""

import datetime
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bench import gpu, report
from bench.adapters import OWN, PEERS, Flex, UnavailableError, adapters_for, optional
from bench.problem import Attention, Gate, Head, Norm, Problem, Product, Sampling
from bench.test_kernels import ON_CPU, ON_GPU
from bench.workloads import Workload

ATTENTION = [
    Attention("prefill", work=Workload("a", batch=2, rows=64, context=64, heads=6, kv_heads=2, dim=16)),
    Attention("decode", work=Workload("d", batch=2, rows=1, context=128, heads=6, kv_heads=2, dim=16)),
]
ROW: dict[str, Any] = {
    "implementation": "llmnet reference",
    "workload": "product",
    "milliseconds": 2.0,
    "tflops": 0.5,
    "gbps": 10.0,
    "ceiling_tflops": 1.0,
    "ceiling_gbps": 20.0,
    "tflops_percent": 50.0,
    "gbps_percent": 50.0,
    "dtype": "float32",
    "measured_on": "CPU",
}


def test_the_table_is_sorted_and_names_its_ceiling() -> None:
    slow = {**ROW, "implementation": "slow", "milliseconds": 9.0}
    lines = list(report.table([slow, ROW]))
    assert "1.000 TFLOP/s" in lines[1]
    assert "20.0 GB/s" in lines[1]
    assert [line.split()[1] for line in lines[3:]] == ["llmnet", "slow"]


def test_a_saved_run_prints_again_and_another_file_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, plugin, wrong = tmp_path / "ours.json", tmp_path / "plugin.json", tmp_path / "wrong.json"
    ours.write_text(json.dumps({"rows": [ROW]}))
    plugin.write_text(json.dumps({"benchmarks": [{"extra_info": ROW}, {"extra_info": {}}]}))
    assert report.main([str(ours), str(plugin)]) == 0
    assert capsys.readouterr().out.count("llmnet reference") == 2
    for text in ("{}", "", '{"rows": [{"tflops": 1}]}'):
        wrong.write_text(text)
        assert report.main([str(wrong)]) == 1
    assert report.main([]) == report.main(["--help"]) == 2


def test_results_are_named_after_device_and_day_and_never_overwritten(tmp_path: Path) -> None:
    day = datetime.date(2026, 1, 2)
    first = gpu.result_file(tmp_path, "NVIDIA H100 80GB HBM3", day)
    assert first.name == "nvidia-h100-80gb-hbm3-2026-01-02.json"
    first.touch()
    assert gpu.result_file(tmp_path, "NVIDIA H100 80GB HBM3", day).name.endswith("-2.json")
    assert (
        gpu.machine()["torch"] == torch.__version__.split("+")[0]
        or gpu.machine()["torch"] == torch.__version__
    )


@pytest.mark.parametrize("problem", ON_CPU, ids=lambda problem: problem.name)
def test_every_problem_has_our_operator_and_counts_its_work(problem: Problem) -> None:
    names = [adapter.name for adapter in adapters_for(problem)]
    assert names[:2] == ["llmnet triton", "llmnet reference"]
    assert problem.bytes > 0
    assert (problem.flops > 0) != isinstance(problem, Sampling)


def test_the_gpu_runs_every_kind_of_problem_that_the_cpu_does() -> None:
    assert {type(problem) for problem in ON_GPU} == {type(problem) for problem in ON_CPU}
    assert all(problem.device == "cuda" and problem.dtype == torch.bfloat16 for problem in ON_GPU)


@pytest.mark.parametrize(
    "problem",
    [
        *ATTENTION,
        Product("p", rows=3, out=5, depth=7),
        Norm("n", rows=3, width=9),
        Gate("g", rows=2, width=5),
        Head("h", rows=2, vocab=40, width=8),
        Sampling("s", rows=3),
    ],
    ids=lambda problem: problem.name,
)
def test_implementations_agree_and_say_where_they_cannot_run(problem: Problem) -> None:
    agreed = 0
    for adapter in adapters_for(problem):
        try:
            found: Tensor = adapter.prepare(problem)()
        except UnavailableError as error:
            assert re.search("CUDA|not installed|No viable backend", str(error))
            continue
        torch.testing.assert_close(found, problem.expected(), atol=1e-4, rtol=1e-4, check_dtype=False)
        agreed += 1
    assert agreed >= {Sampling: 1, Attention: 3}.get(type(problem), 2)  # ours, math, flash


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("LLMNET_FULL_GATE") != "1", reason="imports torch's compiler: ten seconds")
@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile:UserWarning")
@pytest.mark.parametrize("problem", ATTENTION, ids=lambda problem: problem.name)
def test_flex_attention_computes_the_same(problem: Attention) -> None:
    torch.testing.assert_close(
        Flex(compiled=False).prepare(problem)(), problem.expected(), atol=1e-5, rtol=1e-5
    )


def test_a_peer_that_is_not_installed_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="no_such_package is not installed"):
        optional("no_such_package.part")
    assert len({adapter.name for adapter in PEERS}) == len(PEERS)
    assert len(OWN) == 12
