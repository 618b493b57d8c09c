"""Published cells recomputed with a few lines of numpy, from distances alone: no code of the judge, of the red team or of
calibration is used here, so a mistake in one of them shows.

With `LLMNET_RECORDINGS=DIR` the distances themselves are computed again from the raw recordings, unpacked byte by byte.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

DATA = Path(__file__).parents[2] / "docs/verification-data"
ATTACKS = ("int8", "skip_1", "cheap_int8")
AUDITED, WORKERS, LONGEST = 16, 2000, 100
NAT = 256
Answer = NDArray[np.int64]  # [n, 3]: squared distance of the logit lanes, of the hidden lanes, miss


def results() -> dict[str, Any]:
    """The published cells of each class that has its evidence beside it."""
    found = {}
    for path in sorted(DATA.glob("redteam-*.json")):
        if (DATA / path.name.replace("redteam", "evidence")).exists():
            found[path.stem.removeprefix("redteam-")] = json.loads(path.read_text())
    return found


def answers(name: str, attack: str) -> list[Answer]:
    kinds = json.loads((DATA / f"evidence-{name}.json").read_text())["kinds"]
    return [np.array(answer, dtype=np.int64) for answer in kinds[attack]["answers"]]


def audit(seen: Answer, row: dict[str, int], rng: np.random.Generator) -> tuple[int, int, bool]:
    """One audit of 16 random positions: evidence of distances and of tokens in 1/256 nat, and whether the answer fails:
    by the sequential test, by two tokens that the verifier would not have sampled, or by what a challenge of the others adds."""
    places = np.sort(rng.choice(len(seen), min(AUDITED, len(seen)), replace=False))
    logit, hidden, miss = seen[places].T
    worst = np.maximum(steps(logit, row, "logit"), steps(hidden, row, "hidden"))
    evidence = np.array([-64, 205, 640, 1024])[worst].sum()
    far = (4 * logit > 5 * row["logit_q99"]) | (4 * hidden > 5 * row["hidden_q99"])
    walk = np.cumsum(np.where(far, 693, -86))
    fails, clears = np.argmax(walk >= 3536), np.argmax(walk <= -1768)
    failed = walk[fails] >= 3536 and not (walk[clears] <= -1768 and clears < fails)
    tokens = int(np.clip(np.where(miss == 1, 1536, -13).sum(), -256, 3072))
    failed = failed or tokens >= 2304
    others = np.delete(seen[:, 2], places)
    named = np.where(others == 1, 1536, -13).sum()
    if not failed and others.any() and tokens + named >= min(3072, 2304 + 24 * len(others)):
        failed, tokens = True, tokens + min(int(named), 3072 - max(0, tokens))
    return int(np.clip(evidence, -256, 3072)), int(tokens), bool(failed)


def steps(distances: NDArray[np.int64], row: dict[str, int], lanes: str) -> NDArray[np.int64]:
    q95, q99 = row[f"{lanes}_q95"], row[f"{lanes}_q99"]
    return (distances >= q95).astype(int) + (distances >= q99) + (distances >= 2 * q99)


def until_slashed(sums: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """After how many audits each of many workers reaches 20 nat in either sum; LONGEST + 1 for never."""
    totals, when = np.zeros((WORKERS, 2), dtype=np.int64), np.full(WORKERS, LONGEST + 1)
    for number in range(1, LONGEST + 1):
        totals = np.maximum(0, totals + sums[rng.integers(len(sums), size=WORKERS)])
        now = (totals >= 20 * NAT).any(axis=1) & (when > LONGEST)
        when[now] = number
    return when


@pytest.mark.parametrize("attack", ATTACKS)
def test_published_cells_follow_from_the_distances(attack: str) -> None:
    checked = 0
    for name, published in results().items():
        cells = {cell["attack"]: cell for cell in published["cells"]}
        kinds = json.loads((DATA / f"evidence-{name}.json").read_text())["kinds"]
        if attack not in cells or attack not in kinds:
            continue
        cell, rng = cells[attack], np.random.default_rng(checked)
        found = answers(name, attack)
        assert len(found) == cell["answers"]
        assert sum(map(len, found)) == cell["positions"]
        audits = [audit(seen, published["calibration"], rng) for seen in found for _ in range(20)]
        assert (
            cell["fail"]["low"] - 0.02 <= np.mean([one[2] for one in audits]) <= cell["fail"]["high"] + 0.02
        )
        when = until_slashed(np.array([one[:2] for one in audits]), rng)
        for limit, share in cell["slash_within"].items():
            assert np.mean(when <= int(limit)) == pytest.approx(share, abs=0.12), (name, attack, limit)
        if cell["audits_to_slash"]["mean"] is not None:
            assert np.mean(when) == pytest.approx(cell["audits_to_slash"]["mean"], rel=0.15)
        checked += 1
    if not checked:
        pytest.skip(f"no cells of {attack} are published beside their evidence")


def test_a_cell_that_was_made_up_is_noticed() -> None:
    """The inverse: honest answers under the published numbers of a cheat do not pass for it."""
    for name, published in results().items():
        cells = {cell["attack"]: cell for cell in published["cells"]}
        if "int8" not in cells or cells["int8"]["fail"]["low"] < 0.2:
            continue
        rng = np.random.default_rng(1)
        audits = [audit(seen, published["calibration"], rng) for seen in answers(name, "honest")]
        assert np.mean([one[2] for one in audits]) < cells["int8"]["fail"]["low"] - 0.02
        return
    pytest.skip("no gross cheat is published beside its evidence")


# From the raw recordings


def unpack(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Logit and hidden lanes [n, 8] of packed leaves: a compact count, then per leaf two u32, a compact count of candidates
    of six bytes, and sixteen i16."""
    data = zlib.decompress(b64decode(text))
    mode, place = data[0] & 3, 0
    count, place = (data[0] >> 2, 1) if mode == 0 else (int.from_bytes(data[:2], "little") >> 2, 2)
    lanes = []
    for _ in range(count):
        place += 8
        place += 1 + 6 * (data[place] >> 2)
        lanes.append(struct.unpack_from("<16h", data, place))
        place += 32
    assert place == len(data)
    rows = np.array(lanes, dtype=np.int64)
    return rows[:, :8], rows[:, 8:]


@pytest.mark.parametrize("attack", ["int8", "skip_1"])
def test_published_distances_are_those_of_the_recordings(attack: str) -> None:
    recordings = os.environ.get("LLMNET_RECORDINGS")
    if not recordings:
        pytest.skip("LLMNET_RECORDINGS names no recordings")
    checked = 0
    for name in results():
        path = Path(recordings) / name.upper().replace("-", "_") / f"{attack}.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        raw = [line for line in lines if "leaves" in line]
        for line, seen in zip(raw, answers(name, attack), strict=False):
            (logit, hidden), (own_logit, own_hidden) = unpack(line["leaves"]), unpack(line["reference"])
            assert ((logit - own_logit) ** 2).sum(axis=1).tolist() == seen[:, 0].tolist()
            assert ((hidden - own_hidden) ** 2).sum(axis=1).tolist() == seen[:, 1].tolist()
            checked += 1
    assert checked
