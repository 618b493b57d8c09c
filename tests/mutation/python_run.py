"""Runs mutants of `llmnet/proof` with mutmut, a slice of time per call, and says which of them no test notices.

    python -m tests.mutation.python_run --work DIR [--seconds 500] [--only judge,scoring]

`DIR` keeps copies of the package and its tests and what is known of each mutant; so a run can be stopped at any time and
goes on where it was. A function that has changed since is asked about again. Exit status 1 if a mutant survives that
`python_equivalent.json` does not explain; one that changes nothing but the words of a message is counted and forgiven.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXPLAINED = Path(__file__).with_name("python_equivalent.json")
ORDER = [
    "judge",
    "scoring",
    "consensus",
    "sampler",
    "merkle",
    "drawing",
    "philox",
    "gumbel",
    "signs",
    "sketch",
    "build",
    "receipt",
    "leaf",
    "scale",
    "service",
    "request",
    "encoded",
    "hashing",
    "signing",
    "pricing",
    "errors",
]  # what decides about money first
COPIED = ("llmnet/proof", "tests/proof", "runtime_spec/vectors")
# The vectors are what tests compare with; the rest runs once, when it is imported. A mutant that never ends gets
# 2 * timeout_multiplier * (what its tests usually take + timeout_constant) seconds of a core.
CONFIGURATION = """[tool.mutmut]
source_paths = ["llmnet"]
do_not_mutate = ["llmnet/__init__.py", "llmnet/proof/__init__.py", "llmnet/proof/vectors/*"]
also_copy = ["runtime_spec"]
pytest_add_cli_args = [
  "-p", "no:cacheprovider", "-p", "no:benchmark", "-p", "no:xdist", "-p", "no:asyncio", "--import-mode=importlib",
  "--deselect", "tests/proof/test_package.py::test_importing_it_loads_numpy_and_the_curve_only",
]
pytest_add_cli_args_test_selection = ["tests/proof"]
use_git_change_detection = false
timeout_constant = 5.0
timeout_multiplier = 2.0
[tool.pytest.ini_options]
filterwarnings = ["error"]
"""
PROFILE = """from hypothesis import Phase, settings

settings.register_profile(
    "mutation",
    max_examples={examples},
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),  # that it fails is enough, nobody reads the smallest example
)
settings.load_profile("mutation")
"""
_TEXT = re.compile(r"""[rbf]?("[^"]*"|'[^']*')""")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function; `outcome` is mutmut's word for what the tests said, or None before they were asked."""

    name: str
    place: str
    before: str
    after: str
    only_words: bool  # nothing but a text is another, or missing
    outcome: str | None

    @property
    def key(self) -> str:
        """What names it as long as the line stays, wherever the line moves to."""
        return f"{self.place}: {self.before} -> {self.after}"

    @property
    def file(self) -> str:
        """The file it is in."""
        return self.place.split("::")[0]

    @property
    def survives(self) -> bool:
        """Whether the tests were asked about it and noticed nothing."""
        return self.outcome in ("survived", "no tests")


def only_words(before: str, after: str) -> bool:
    """Whether the two differ in a text, or in that one is missing, and in nothing else."""
    old, new = (_TEXT.sub("_", code).replace("None", "_") for code in (before, after))
    return old == new


def changed_lines(diff: str) -> tuple[str, str]:
    """What a diff takes away, and what it puts there."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    removed, added = ([line[1:].strip() for line in lines if line.startswith(sign)] for sign in "-+")
    return " ".join(removed), " ".join(added)


def changed_part(before: str, after: str) -> tuple[str, str]:
    """Both cut down to the words that differ, with one around them."""
    old, new = before.split(), after.split()
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    places = [block for block in blocks if block[0] != "equal"]
    if not places:
        return before, after
    first, last = places[0], places[-1]
    return (
        " ".join(old[max(0, first[1] - 1) : last[2] + 1]),
        " ".join(new[max(0, first[3] - 1) : last[4] + 1]),
    )


def prepare(work: Path, examples: int) -> None:
    """Copy what is needed; results that are there stay. Files that are as they were keep their time."""
    for folder in COPIED:
        target = work / folder
        kept = {path.relative_to(target): path for path in target.rglob("*.py")} if target.exists() else {}
        for source in sorted((ROOT / folder).rglob("*")):
            name = source.relative_to(ROOT / folder)
            if source.is_file() and "__pycache__" not in source.parts:
                _copy(source.read_bytes(), target / name)
                kept.pop(name, None)
        for gone in kept.values():
            gone.unlink()
    _copy((ROOT / "llmnet" / "__init__.py").read_bytes(), work / "llmnet" / "__init__.py")
    _copy(CONFIGURATION.encode(), work / "pyproject.toml")
    _copy(PROFILE.format(examples=examples).encode(), work / "tests" / "proof" / "conftest.py")


def _copy(content: bytes, target: Path) -> None:
    if not target.exists() or target.read_bytes() != content:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def mutants(work: Path) -> Iterator[Mutant]:
    """All that mutmut has written into `work`, with what is known of them."""
    os.chdir(work)  # mutmut reads its configuration when it is imported, from where one is
    differences: Any = importlib.import_module("mutmut.mutation.diff_apply")
    data: Any = importlib.import_module("mutmut.mutation.data")
    states: Any = importlib.import_module("mutmut.stats").status_by_exit_code
    for file in sorted(Path("mutants/llmnet/proof").glob("*.py.meta")):
        path = Path(*file.with_suffix("").parts[1:])
        known = data.SourceFileMutationData(path=path)
        known.load()
        for name, code in known.exit_code_by_key.items():
            before, after = changed_lines(differences.get_diff_for_mutant(name, path=path))
            function = (
                name.rsplit(".", 1)[1].split("__mutmut")[0].removeprefix("x").lstrip("ǁ").replace("ǁ", ".")
            )
            place = f"{path.name}::{function if '.' in function else function.removeprefix('_')}"
            outcome = None if code is None else states[code]
            words = only_words(before, after)
            yield Mutant(name, place, *changed_part(before, after), words, outcome)


def ask(work: Path, names: Iterable[str], deadline: float) -> None:
    """Let the tests judge these mutants until then (`time.monotonic`)."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
    with subprocess.Popen(
        command, cwd=work, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    ) as running:
        try:
            status = running.wait(max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            # What is known is on disk. The mutant that is being judged is a process of its own, which may never end by itself.
            os.killpg(running.pid, signal.SIGKILL)
            return
    if status:
        raise SystemExit(f"mutmut ended with status {status}; run it in {work} to see why")


def report(found: Iterable[Mutant], explained: Mapping[str, str]) -> int:
    """Print what is known; the number of mutants that survive without a reason."""
    counts: dict[str, Counter[str]] = {}
    alive = []
    for mutant in found:
        state = mutant.outcome or "not asked"
        if mutant.survives and mutant.only_words:
            state = "message"
        elif mutant.survives and mutant.key in explained:
            state = "equivalent"
        elif mutant.survives:
            alive.append(mutant.key)
        counts.setdefault(mutant.file, Counter())[state] += 1
    for file, row in sorted(counts.items()):
        sys.stdout.write(
            f"{file:14} " + ", ".join(f"{number} {state}" for state, number in sorted(row.items())) + "\n"
        )
    total = sum(counts.values(), Counter())
    sys.stdout.write(
        "all            " + ", ".join(f"{number} {state}" for state, number in sorted(total.items())) + "\n"
    )
    sys.stdout.writelines(f"survives: {key}\n" for key in alive)
    return len(alive)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="where copies and results are kept")
    parser.add_argument(
        "--seconds", type=float, default=1e9, help="stop after this time; a further call goes on"
    )
    parser.add_argument("--only", default="", help="modules, in the order in which they are tried")
    parser.add_argument("--examples", type=int, default=8, help="of each property (%(default)s)")
    parser.add_argument(
        "--again", action="store_true", help="ask about unexplained survivors once more, first"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what is known")
    parser.add_argument("--report", action="store_true", help="ask nothing, print what is known")
    options = parser.parse_args()
    work = options.work.resolve()
    if options.fresh:
        shutil.rmtree(work, ignore_errors=True)
    if not options.report:
        deadline = time.monotonic() + options.seconds
        prepare(work, options.examples)
        ask(work, ["llmnet.proof.errors*"], deadline)  # writes all mutants, asks about the fewest
        chosen = options.only.split(",") if options.only else ORDER
        found, explained = list(mutants(work)), json.loads(EXPLAINED.read_text())
        places = {f"{module}.py": place for place, module in enumerate(chosen)}
        waiting = [m for m in found if m.outcome is None and m.file in places]
        names = [m.name for m in sorted(waiting, key=lambda m: (m.only_words, places[m.file]))]
        if options.again:
            alive = [m for m in found if m.survives and not m.only_words and m.key not in explained]
            names = [m.name for m in alive] + names
        if names:
            ask(work, names, deadline)
    return 1 if report(mutants(work), json.loads(EXPLAINED.read_text())) else 0


if __name__ == "__main__":
    sys.exit(main())
