"""The benchmarks run, and the soak's verdict can be bad."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.devnode import compare, growth, profile, soak
from bench.devnode.runners import ours
from llmnet.devnode import ChainSpec, Runtime


def curve(*megabytes: float) -> list[dict[str, Any]]:
    return [{"memory_mb": value} for value in megabytes]


def test_soak_makes_blocks_and_explains_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    report = soak.run(blocks=6, transfers=2, keep=4)
    assert report["reopened_equal"]
    assert report["curve"][-1]["block"] == 6
    tables = {name.removesuffix(" (contents)"): size for name, size in report["file_bytes"].items()}
    assert tables["block"] > 0 and tables["node"] > 0
    assert sum(size for name, size in tables.items() if name != "file") <= 2 * tables["file"]


@pytest.mark.parametrize(
    ("megabytes", "flat"),
    [((100, 140, 141, 141, 141), True), ((100, 140, 150, 160, 170), False), ((10, 200, 200, 200, 100), True)],
)
def test_soak_calls_growing_memory_growing(megabytes: tuple[float, ...], flat: bool) -> None:
    assert (soak.growth(curve(*megabytes)) < soak.TOLERANCE_BYTES) is flat


def test_comparison_measures_our_node(
    spec: ChainSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "TRANSFERS", 3)
    with ours(spec, tmp_path) as runner:
        row = compare.measure(runner, empty=2, full=2)
    assert 0 < row["empty_ms"] < 10_000 and row["memory_mb"] > 1
    report = {"nodes": {"llmnet.devnode": row, "other": {**row, "full_ms": row["full_ms"] / 2}}}
    ratios = compare._ratios(report["nodes"])
    assert ratios["full block, ours / other"] == pytest.approx(2)
    assert ratios["empty block, ours / other"] == pytest.approx(1)


def test_growth_adds_accounts_to_the_genesis(spec: ChainSpec, wasm: Path, cache_dir: Path) -> None:
    runtime = Runtime(spec.code, cache_dir=cache_dir)
    large = growth.with_accounts(spec, runtime, 50)
    assert large.raw is not None
    assert len(large.raw.top) == len(spec.storage(runtime).top) + 50


def test_profile_names_what_a_transfer_spends_its_time_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "TRANSFERS", 2)
    report = profile.run()
    calls = {row["what"]: row["calls"] for row in report["rows"]}
    assert calls["ext_crypto_sr25519_verify_version_2"] == 1
    assert calls["ext_storage_get_version_1"] > 20
    assert sum(row["us"] for row in report["rows"]) == pytest.approx(report["transfer_us"])
