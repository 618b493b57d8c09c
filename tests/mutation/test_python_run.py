"""What a run says of its mutants: which are asked about, how they are named, and what makes it fail."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.mutation.python_run import (
    EXPLAINED,
    ORDER,
    ROOT,
    Mutant,
    ask,
    changed_lines,
    changed_part,
    only_words,
    prepare,
    report,
)

DIFF = """--- judge.py
+++ judge.py
@@ -1,3 +1,3 @@
 def clip(evidence):
-    return max(LOW, min(HIGH, evidence))
+    return max(LOW, min(HIGH, None))
"""


def mutant(before: str, after: str, outcome: str | None = "survived", *, words: bool = False) -> Mutant:
    return Mutant("llmnet.proof.judge.x_clip__mutmut_1", "judge.py::clip", before, after, words, outcome)


def test_a_mutant_is_named_by_what_changes_and_the_word_before() -> None:
    assert changed_part(*changed_lines(DIFF)) == ("min(HIGH, evidence))", "min(HIGH, None))")
    assert mutant("a < b", "a <= b").key == "judge.py::clip: a < b -> a <= b"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('check(x, "salt")', 'check(x, "SALT")', True),
        ('check(x, "salt")', "check(x, None)", True),
        ('raise E(f"{n} is odd")', "raise E(None)", True),
        ("check(x, 32)", "check(x, 33)", False),
        ("check(x, None)", "check(x, 0)", False),
        ('tag("LOGI", 1)', 'tag("LOGI", 2)', False),
    ],
)
def test_changes_of_words_are_told_apart(before: str, after: str, words: bool) -> None:
    assert only_words(before, after) is words


def test_a_survivor_fails_the_run_unless_it_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        mutant("a < b", "a <= b"),
        mutant("a > b", "a >= b", "no tests"),
        mutant("1", "2", "killed"),
        mutant("x", "y", None),
        mutant('"a"', '"b"', words=True),
        mutant('"a"', '"c"', "killed", words=True),
    ]
    assert report(found, {}) == 2
    assert "2 killed, 1 message, 1 no tests, 1 not asked, 1 survived" in capsys.readouterr().out
    assert report(found, {found[0].key: "why"}) == 1
    assert capsys.readouterr().out.count("survives: ") == 1


def test_copies_are_made_anew_where_something_has_changed(tmp_path: Path) -> None:
    prepare(tmp_path, 5)
    copy = tmp_path / "llmnet" / "proof" / "judge.py"
    assert copy.read_bytes() == (ROOT / "llmnet" / "proof" / "judge.py").read_bytes()
    assert "max_examples=5" in (tmp_path / "tests" / "proof" / "conftest.py").read_text()
    stranger, untouched = copy.with_name("stranger.py"), copy.with_name("leaf.py").stat().st_mtime_ns
    stranger.write_text("")
    copy.write_text("")
    prepare(tmp_path, 5)
    assert copy.stat().st_size > 1000
    assert not stranger.exists()
    assert copy.with_name("leaf.py").stat().st_mtime_ns == untouched


def test_every_module_has_its_turn_and_explanations_name_code_that_is_there() -> None:
    modules = {path.stem for path in (ROOT / "llmnet" / "proof").glob("*.py")} - {"__init__"}
    assert set(ORDER) == modules
    for key, why in json.loads(EXPLAINED.read_text()).items():
        place, _, change = key.partition(": ")
        code = " ".join((ROOT / "llmnet" / "proof" / place.split("::")[0]).read_text().split())
        assert change.split(" -> ")[0].split(" #")[0] in code, key
        assert len(why) > 10


def test_a_mutant_that_never_ends_does_not_outlive_its_slice(tmp_path: Path) -> None:
    """mutmut leaves each mutant to a child of its own, which goes on when only the parent is stopped."""
    (tmp_path / "mutmut.py").write_text(
        "import os, pathlib, time\n"
        "child = os.fork()\n"
        "if child: pathlib.Path('child').write_text(str(child))\n"
        "time.sleep(600)\n"
    )
    ask(tmp_path, [], time.monotonic() + 2)
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 10
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
