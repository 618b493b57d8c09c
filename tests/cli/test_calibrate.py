"""`llmnet calibrate` and `llmnet-worker --self-test` from recording to row, and their errors."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

os.environ.setdefault("OMP_NUM_THREADS", "1")

from llmnet.cli import worker
from llmnet.cli.config import ConfigError
from llmnet.cli.main import app
from llmnet.cli.specs import read_row
from llmnet.engine import ModelFiles
from llmnet.engine.tiny import write_tiny_model
from llmnet.measure import RecordingFile
from llmnet.proof import NumericsClass
from llmnet.verifier.calibrate import (
    Observation,
    Observed,
    floor_calibration,
    load,
    measured_row,
    save,
)
from llmnet.verifier.reference import spec_of

NOWHERE = "ws://127.0.0.1:9"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    return write_tiny_model(tmp_path_factory.mktemp("tiny"), seed=7)


def observed(count: int, spec: int = 1, distance: int = 4) -> Observed:
    answers = (
        Observation(f"{n % 5}/{n}", 256, 40, (distance,) * 16, (1,) * 16, (0,) * 16) for n in range(count)
    )
    return Observed(bytes([spec]) * 32, "m", NumericsClass.BF16, "CPU, emulated", "a command", tuple(answers))


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    path = tmp_path / "packed.jsonl.xz"
    save(observed(100), path)
    return path


def test_from_recording_to_a_row(cli: CliRunner, tmp_path: Path, tiny: ModelFiles) -> None:
    recordings, packed, row = (tmp_path / name for name in ("a.jsonl", "a.jsonl.xz", "row.json"))
    record = ["calibrate", "record", str(recordings), "--model", str(tiny.path), "--long", "1", "--deep", "0"]
    done = cli.invoke(app, [*record, "--answers", "20"])
    assert done.exit_code == 0 and "21 of 21" in done.stderr, done.output
    written = recordings.read_bytes()
    again = cli.invoke(app, [*record, "--answers", "24", "--json"])
    assert json.loads(again.stdout)["answers"] == 25
    assert recordings.read_bytes().startswith(written)  # what was there is not made again
    done = cli.invoke(app, ["calibrate", "pack", str(recordings), str(packed), "--model", str(tiny.path)])
    assert done.exit_code == 0 and len(load(packed).answers) == 25, done.output
    done = cli.invoke(app, ["calibrate", "fit", str(packed), "--out", str(row)])
    assert done.exit_code == 0, done.output
    spec = spec_of(tiny)
    found = read_row(row, spec.id)
    assert replace(found, positions=1) == floor_calibration(NumericsClass.FP32)
    with pytest.raises(ConfigError, match="is the row of spec"):
        read_row(row, bytes(32))
    other = cli.invoke(app, [*record, "--answers", "24", "--numerics", "bf16"])
    assert other.exit_code == 1 and "another model or class" in other.stderr


def test_few_answers_ask_for_no_more_long_ones(cli: CliRunner, tmp_path: Path, tiny: ModelFiles) -> None:
    record = ["calibrate", "record", str(tmp_path / "a.jsonl"), "--model", str(tiny.path), "--deep", "0"]
    done = cli.invoke(app, [*record, "--answers", "2"])
    assert done.exit_code == 0 and "4 of 4" in done.stderr, done.output


def test_what_deviated_most_is_asked_again_with_other_seeds(
    cli: CliRunner, tmp_path: Path, tiny: ModelFiles
) -> None:
    first, second, packed, repacked = (tmp_path / name for name in ("a", "b", "a.xz", "b.xz"))
    model = ["--model", str(tiny.path)]
    record = ["calibrate", "record", str(first), *model, "--answers", "20", "--long", "0", "--deep", "0"]
    for arguments in (record, ["calibrate", "pack", str(first), str(packed), *model]):
        assert cli.invoke(app, arguments).exit_code == 0
    again = ["calibrate", "again", str(packed), str(second), *model, "--json"]
    assert json.loads(cli.invoke(app, [*again, "--rounds", "2"]).stdout)["answers"] == 2
    told = json.loads(cli.invoke(app, [*again, "--rounds", "3"]).stdout)
    assert (told["prompts"], told["answers"]) == (1, 3)
    old, new = list(RecordingFile(first)), list(RecordingFile(second))
    asked = next(one for one in old if one.id == new[0].id.partition("~")[0])
    assert [one.id for one in new] == [f"{asked.id}~{number}" for number in range(3)]
    assert {(one.prompt_ids, one.temperature) for one in new} == {(asked.prompt_ids, asked.temperature)}
    assert len({one.request_seed for one in (asked, *new)}) == 4
    assert cli.invoke(app, ["calibrate", "pack", str(second), str(repacked), *model]).exit_code == 0
    assert load(repacked).made_by == "llmnet calibrate again --numerics fp32"
    assert load(packed).made_by == "llmnet calibrate record --numerics fp32"


def test_answers_of_another_model_or_to_other_questions_are_not_asked_again(
    cli: CliRunner, tmp_path: Path, tiny: ModelFiles, packed: Path
) -> None:
    def refused() -> str:
        done = cli.invoke(
            app, ["calibrate", "again", str(packed), str(tmp_path / "b"), "--model", str(tiny.path)]
        )
        assert done.exit_code == 2 and done.stderr.count("\n") == 1
        return done.stderr

    assert "is of spec 0101" in refused()
    elsewhere = tuple(replace(one, id=f"elsewhere/{one.id}") for one in observed(100).answers)
    save(replace(observed(100), spec_id=spec_of(tiny).id, answers=elsewhere), packed)
    assert "other questions than `llmnet calibrate record` asks: no prompt is called" in refused()


def test_a_report_is_a_table_json_and_a_page(cli: CliRunner, tmp_path: Path, packed: Path) -> None:
    page = tmp_path / "calibration.md"
    shown = cli.invoke(app, ["calibrate", "report", str(packed), "--page", str(page)])
    assert shown.exit_code == 0 and "bf16" in shown.stdout, shown.output
    assert "| bf16 |" in page.read_text() and page.with_suffix(".svg").read_text().startswith("<?xml")
    (told,) = json.loads(cli.invoke(app, ["calibrate", "report", str(packed), "--json"]).stdout)
    assert told["answers"] == 100 and told["row"]["logit_q99"] == 9
    assert {one["how"] for one in told["judgements"]} >= {"by prompt", "by form of the prompt"}


def test_files_of_one_spec_are_taken_together(cli: CliRunner, tmp_path: Path, packed: Path) -> None:
    more, other = tmp_path / "more.jsonl.xz", tmp_path / "other.jsonl.xz"
    save(observed(60), more)
    save(observed(40, spec=2), other)
    told = json.loads(
        cli.invoke(app, ["calibrate", "report", *map(str, (packed, more, other)), "--json"]).stdout
    )
    assert [one["answers"] for one in told] == [160, 40]
    mixed = cli.invoke(
        app, ["calibrate", "fit", str(packed), str(other), "--out", str(tmp_path / "row.json")]
    )
    assert mixed.exit_code == 1 and "different models or classes" in mixed.stderr
    assert not (tmp_path / "row.json").exists()


def test_honest_workers_that_would_be_slashed_are_a_failure(cli: CliRunner, tmp_path: Path) -> None:
    """The thresholds of one half do not hold for the other when all far answers happen to be there."""
    from llmnet.verifier.calibrate import by_prompt

    near = observed(200)
    far = {answer.id for answer in by_prompt(near.answers).held_out}
    answers = tuple(replace(one, logit=(10**6,) * 16) if one.id in far else one for one in near.answers)
    path = tmp_path / "a.jsonl.xz"
    save(replace(near, answers=answers), path)
    shown = cli.invoke(app, ["calibrate", "report", str(path)])
    assert shown.exit_code == 1 and "SLASHED" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["record", "x.jsonl", "--answers", "0"], 2, "--answers is 0: it has to be 1 to 2280"),
        (["record", "x.jsonl", "--answers", "5", "--long", "6"], 2, "--long is 6: it has to be 0 to 5"),
        (["record", "x.jsonl", "--answers", "5", "--deep", "88"], 2, "--deep is 88: it has to be 0 to 87"),
        (["record", "x.jsonl", "--numerics", "fp8"], 2, "fp8"),
        (["pack", "absent.jsonl", "x.xz"], 1, "nothing is recorded"),
        (["report", "absent.xz"], 1, "absent.xz"),
        (["fit", "absent.xz"], 1, "absent.xz"),
    ],
)
def test_errors_are_one_line(
    cli: CliRunner, tmp_path: Path, tiny: ModelFiles, monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], status: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    model = [] if arguments[0] in ("report", "fit") else ["--model", str(tiny.path)]
    done = cli.invoke(app, ["calibrate", *arguments, *model])
    assert done.exit_code == status, done.output
    assert said in done.stderr and done.stderr.count("\n") == 1 and "Traceback" not in done.output


def test_few_damaged_or_other_files_are_refused(cli: CliRunner, tmp_path: Path, packed: Path) -> None:
    few, cut, text = (tmp_path / name for name in ("few.xz", "cut.xz", "text.xz"))
    save(observed(3), few)
    cut.write_bytes(packed.read_bytes()[:-20])
    text.write_text("not packed")
    for path, said in ((few, "3 answers"), (cut, "cut short"), (text, "calibrate pack")):
        done = cli.invoke(app, ["calibrate", "report", str(path)])
        assert done.exit_code == 1 and said in done.stderr, done.output


def test_rows_that_come_with_the_package_are_known_by_their_spec() -> None:
    folder = Path(__file__).parents[2] / "llmnet" / "verifier" / "calibrate" / "rows"
    files = sorted(folder.glob("*.json"))
    assert files
    for path in files:
        stored = json.loads(path.read_text())
        spec_id = bytes.fromhex(stored["spec"][2:])
        found = measured_row(spec_id)
        assert found is not None and asdict(found) == stored["row"] == asdict(read_row(path, spec_id))
        assert measured_row(spec_id, expires_at=5) == replace(found, expires_at=5)
    assert measured_row(bytes(32)) is None


@pytest.mark.parametrize(
    "arguments", [["row.json", "--measure"], ["--spec", "00" * 32], ["--valid-days", "0"]]
)
def test_wrong_ways_to_calibrate(cli: CliRunner, arguments: list[str]) -> None:
    done = cli.invoke(app, ["spec", "calibrate", *arguments, "--dev-key", "Alice", "--node", NOWHERE])
    assert done.exit_code == 2, done.output


# The self-test


def test_a_worker_can_be_tested_without_a_node(tiny: ModelFiles, capsys: pytest.CaptureFixture[str]) -> None:
    assert worker.main(["--self-test", "--model", str(tiny.path), "--node", NOWHERE]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("PASS: 12 answers") and "no node" in told.err


def test_a_class_without_thresholds_cannot_be_tested(
    tiny: ModelFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--self-test", "--model", str(tiny.path), "--node", NOWHERE, "--numerics", "bf16"]
    assert worker.main(arguments) == 1
    assert "llmnet spec calibrate" in capsys.readouterr().err
