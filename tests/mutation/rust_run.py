"""Runs the mutants of a crate of `runtime_spec`, a slice of time per call, and says which of them no test notices.

    python -m tests.mutation.rust_run primitives --work DIR [--seconds 500] [--only scoring.rs,merkle.rs] [--again]

`DIR` keeps a copy of the workspace with all mutants in it, its build and what is known of each mutant; so a run can be
stopped at any time and goes on where it was. Exit status 1 if a mutant survives that `rust_equivalent.json` does not explain.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.mutation.rust_mutants import ACTIVE, ALLOWED, SWITCH, TRACE, Instrumented, Mutant

SPEC = Path(__file__).resolve().parents[2] / "runtime_spec"
EXPLAINED = Path(__file__).with_name("rust_equivalent.json")
_LEAST_TIMEOUT = 20.0  # seconds
_ROUNDS = 30  # builds until all that does not compile is left out
_UNFIT = "does not compile"
_ALIVE = {"survived": "equivalent", "not reached": "unreachable"}  # and what each is called when explained
_NUMBER = re.compile(rb"crate::mutants::on\((\d+)\)")


@dataclass(frozen=True, slots=True)
class Crate:
    """A crate, where it is, and which of its files are no code of its own rules."""

    package: str
    folder: str
    left_out: tuple[str, ...]
    slow: str = "-"  # tests that are only asked when all others notice nothing
    first: Mapping[str, str] = field(default_factory=dict)  # by file: the tests that are asked first


CRATES = {
    "primitives": Crate(
        "llmnet-primitives", "primitives", ("testing.rs", "scoring_tests.rs", "traits.rs", "lib.rs")
    ),
    "spot_checks": Crate(
        "pallet-spot-checks",
        "pallets/spot_checks",
        ("mock.rs", "checks.rs", "errors.rs", "events.rs", "storage.rs", "weights.rs"),
        "walks",
        {
            "agenda.rs": "tests::agenda",
            "batches.rs": "tests::batches",
            "drift.rs": "tests::drift",
            "equivocation.rs": "tests::equivocation",
            "judging.rs": "tests::verdicts",
            "lib.rs": "tests::stages",
            "outage.rs": "tests::outage",
            "plants.rs": "tests::plants",
            "reviews.rs": "tests::reviews tests::challenges",
            "stages.rs": "tests::stages",
            "types.rs": "tests::verdicts",
        },
    ),
}


class Workshop:
    """A copy of the workspace with one crate's mutants in it. `work` is the directory that keeps everything."""

    def __init__(self, crate: Crate, work: Path, source: Path = SPEC) -> None:
        self._crate, self._source, self._spec = crate, source, work / "spec"
        self._environment = {
            **os.environ,
            "CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", str(work / "target")),
            # The tests run once for each mutant.
            "CARGO_PROFILE_DEV_OPT_LEVEL": os.environ.get("CARGO_PROFILE_DEV_OPT_LEVEL", "1"),
            "PROPTEST_CASES": os.environ.get("PROPTEST_CASES", "16"),
            "RUST_BACKTRACE": "0",
        }
        self._state_file = work / f"{crate.package}.json"
        self.results: dict[str, str] = {}
        self.mutants: list[Mutant] = []
        self._binaries: list[Path] = []
        if self._state_file.exists():
            self.results = json.loads(self._state_file.read_text())

    def forget_survivors(self, explained: Container[str]) -> None:
        """Survivors that are not explained are asked about anew: there may be tests for them now."""
        for name, result in list(self.results.items()):
            if result in _ALIVE and name not in explained:
                del self.results[name]
        self.save()

    def save(self) -> None:
        """Keeps what is known."""
        self._state_file.write_text(json.dumps(self.results, indent=0, sort_keys=True))

    def build(self) -> None:
        """Writes and builds the mutants; those that do not compile are set aside. RuntimeError if that never ends."""
        self._copy()
        self._write(frozenset())
        excluded = {m.id for m in self.mutants if self.results.get(self.name(m)) == _UNFIT}
        for _ in range(_ROUNDS):
            self._write(frozenset(excluded))
            messages = list(self._cargo())
            found = {number for message in messages for number in self._culprits(message)} - excluded
            if not found:
                break
            excluded |= found
        self._binaries = [Path(m["executable"]) for m in messages if m.get("executable")]
        if not self._binaries:
            errors = [m["message"]["rendered"] for m in messages if _is_error(m)]
            raise RuntimeError("the mutants do not build:\n" + "\n".join(errors[:3]))
        for mutant in self.mutants:
            if mutant.id in excluded:
                self.results[self.name(mutant)] = _UNFIT

    def _copy(self) -> None:
        """The workspace as it is, but for the files that get mutants. What has not changed keeps its age."""
        mutated = {self._source / self._crate.folder / "src" / path.name for path in self._mutated()}
        for path in sorted(self._source.rglob("*")):
            parts = path.relative_to(self._source).parts
            if path.is_file() and parts[0] not in ("target", "artifacts") and path not in mutated:
                _put(self._spec.joinpath(*parts), path.read_bytes())

    def _mutated(self) -> list[Path]:
        """The sources that get mutants, and the crate's root, which gets the switch."""
        source = self._source / self._crate.folder / "src"
        left_out = set(self._crate.left_out) - {"lib.rs"}
        return [path for path in sorted(source.glob("*.rs")) if path.name not in left_out]

    def _write(self, excluded: frozenset[int]) -> None:
        source = self._source / self._crate.folder / "src"
        whole = Instrumented(excluded)
        for path in sorted(source.glob("*.rs")):
            if path.name not in self._crate.left_out:
                whole.add(path.name, path.read_text())
        target = self._spec / self._crate.folder / "src"
        root = whole.sources.get("lib.rs") or (source / "lib.rs").read_text()
        for name, text in {**whole.sources, "lib.rs": _with_switch(root)}.items():
            _put(target / name, text.encode())
        self.mutants = whole.mutants
        self._names = dict(_numbered(whole.mutants))

    def name(self, mutant: Mutant) -> str:
        """The key of a mutant, with a number where several have the same."""
        return self._names[mutant.id]

    def _cargo(self) -> Iterator[dict[str, Any]]:
        command = [
            "cargo",
            "test",
            "--locked",
            "--no-run",
            "--message-format=json",
            "-p",
            self._crate.package,
        ]
        done = subprocess.run(
            command, cwd=self._spec, env=self._environment, capture_output=True, text=True, check=False
        )
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                yield json.loads(line)

    def _culprits(self, message: dict[str, Any]) -> Iterator[int]:
        """The mutants in which a compiler's error lies: the last one that begins before it."""
        if not _is_error(message):
            return
        for span in message["message"]["spans"]:
            path = self._spec / span["file_name"]
            if span["is_primary"] and path.exists():
                text = path.read_bytes()
                around = [m for m in _NUMBER.finditer(text) if m.start() < span["byte_end"]]
                if around:
                    yield int(around[-1][1])

    def reached(self) -> set[int]:
        """The mutants whose place the tests come to. RuntimeError if a test fails without any mutant."""
        trace = self._spec / "trace"
        trace.unlink(missing_ok=True)
        if self._run({TRACE: str(trace)}, 600.0, []) != "survived":
            raise RuntimeError("the tests fail without a mutant")
        return {int(line) for line in trace.read_text().split()}

    def try_one(self, mutant: Mutant, timeout: float) -> str:
        """What the tests say: `caught`, `timeout` (which counts as caught) or `survived`."""
        active, slow = {ACTIVE: str(mutant.id)}, self._crate.slow
        first = self._crate.first.get(mutant.path)
        rounds = [first.split()] if first else []
        rounds.append(["--skip", slow])
        if slow != "-":
            rounds.append([slow])
        found = "survived"
        for arguments in rounds:
            found = self._run(active, timeout, arguments)
            if found != "survived":
                break
        return found

    def _run(self, extra: dict[str, str], timeout: float, arguments: list[str]) -> str:
        for binary in self._binaries:
            try:
                done = subprocess.run(
                    [binary, "-q", "--test-threads=1", *arguments],
                    cwd=self._spec / self._crate.folder,
                    env={**self._environment, **extra},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=timeout,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return "timeout"
            if done.returncode != 0:
                return "caught"
        return "survived"


def _put(path: Path, data: bytes) -> None:
    """Writes a file that has other contents or is not there."""
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _is_error(message: dict[str, Any]) -> bool:
    return message.get("reason") == "compiler-message" and message["message"]["level"] == "error"


def _with_switch(text: str) -> str:
    """The crate's root with the switch of its mutants. Inner documentation and attributes stay in front."""
    lines = text.splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if not line.startswith("//!"))
    return "".join((*lines[:first], ALLOWED, *lines[first:], SWITCH))


def _numbered(mutants: Sequence[Mutant]) -> Iterator[tuple[int, str]]:
    seen: Counter[str] = Counter()
    for mutant in mutants:
        seen[mutant.key] += 1
        count = seen[mutant.key]
        yield mutant.id, mutant.key if count == 1 else f"{mutant.key} #{count}"


def run(crate: Crate, work: Path, seconds: float, only: Iterable[str], source: Path = SPEC) -> Workshop:
    """Tries mutants that nothing is known of, file by file in the order of `only` (empty: all), until the time is over."""
    end = time.monotonic() + seconds
    shop = Workshop(crate, work, source)
    shop.build()
    started = time.monotonic()
    reached = shop.reached()
    timeout = max(_LEAST_TIMEOUT, 4 * (time.monotonic() - started))
    order = list(only) or sorted({mutant.path for mutant in shop.mutants})
    for mutant in sorted(
        (mutant for mutant in shop.mutants if mutant.path in order), key=lambda m: (order.index(m.path), m.id)
    ):
        if shop.name(mutant) in shop.results:
            continue
        if time.monotonic() > end:
            break
        result = "not reached" if mutant.id not in reached else shop.try_one(mutant, timeout)
        shop.results[shop.name(mutant)] = result
        shop.save()
    shop.save()
    return shop


def report(shop: Workshop, explained: dict[str, str]) -> list[str]:
    """Prints a line a file and each survivor that is not explained; returns those."""
    survivors = []
    counts: dict[str, Counter[str]] = {}
    for mutant in shop.mutants:
        name = shop.name(mutant)
        result = shop.results.get(name, "not tried")
        if result in _ALIVE:
            if name in explained:
                result = _ALIVE[result]
            else:
                survivors.append(f"{mutant.path}:{mutant.line}: {result}: {name}")
        counts.setdefault(mutant.path, Counter())[result] += 1
    lines = [
        f"{path}: {sum(count.values())} mutants: "
        + ", ".join(f"{n} {what}" for what, n in count.most_common())
        for path, count in counts.items()
    ]
    sys.stdout.write("\n".join([*lines, *survivors]) + "\n")
    return survivors


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("crate", choices=CRATES)
    parser.add_argument("--work", type=Path, required=True, help="where copy, build and results are kept")
    parser.add_argument(
        "--seconds", type=float, default=1e9, help="stop after this time; a further call goes on"
    )
    parser.add_argument("--only", default="", help="files, in the order in which they are tried")
    parser.add_argument(
        "--source", type=Path, default=SPEC, help="the workspace, by default this repository's"
    )
    parser.add_argument("--again", action="store_true", help="ask about unexplained survivors once more")
    args = parser.parse_args()
    only = [name for name in args.only.split(",") if name]
    explained = json.loads(EXPLAINED.read_text())
    args.work.mkdir(parents=True, exist_ok=True)
    if args.again:
        Workshop(CRATES[args.crate], args.work, args.source).forget_survivors(explained)
    shop = run(CRATES[args.crate], args.work, args.seconds, only, args.source)
    return 1 if report(shop, explained) else 0


if __name__ == "__main__":
    sys.exit(main())
