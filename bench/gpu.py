"""Everything that needs a GPU, in one call: the tests, then the benches, then one file of results.

    python -m bench.gpu [--out FOLDER] [--skip-tests] [pytest arguments of the benches]

Writes ``bench/results/<device>-<date>.json``: device, driver, versions, the outcome of the tests, the policy,
and a row an implementation and problem. On a machine without a GPU the same call runs the reference path at
small sizes, which is what its own test does.
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from llmnet.kernels.policy import policy

from .report import rows_of, table

ROOT = Path(__file__).parents[1]
PACKAGES = ("torch", "triton", "numpy", "flashinfer-python", "liger-kernel", "llmnet")


def machine() -> dict[str, Any]:
    """What was measured on: names and versions."""
    found: dict[str, Any] = {"python": platform.python_version(), "processor": platform.machine()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        found |= {
            "device": torch.cuda.get_device_name(),
            "capability": f"{properties.major}.{properties.minor}",
            "memory_bytes": properties.total_memory,
            "multiprocessors": properties.multi_processor_count,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "driver": _driver(),
        }
    else:
        found |= {"device": "cpu", "capability": torch.backends.cpu.get_cpu_capability()}
    return found


def _driver() -> str | None:
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
        )
    except OSError:
        return None
    return done.stdout.strip().split("\n")[0] or None


def run_tests() -> dict[str, Any]:
    """The tests marked ``gpu``: exit status and pytest's last line."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "gpu",
        "tests/kernels",
        "tests/engine",
        "--timeout=0",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    sys.stdout.write(done.stdout[-6000:])
    return {"status": done.returncode, "summary": done.stdout.strip().split("\n")[-1], "command": command[2:]}


def run_benches(arguments: list[str]) -> list[dict[str, Any]]:
    """The benches of the operators: a row an implementation and problem. Raises: RuntimeError when they fail."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.json"
        command = [sys.executable, "-m", "pytest", "-q", "bench/test_kernels.py", "--benchmark-only"]
        command += ["--timeout=0", f"--benchmark-json={file}", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if not file.exists():
            raise RuntimeError(f"the benches wrote nothing:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        if done.returncode:
            sys.stdout.write(done.stdout[-6000:])
        return rows_of(json.loads(file.read_text()))


def result_file(folder: Path, device: str, day: datetime.date) -> Path:
    """``<device>-<date>.json``, or with a number behind when that day has one already."""
    name = re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")
    names = [f"{name}-{day.isoformat()}{end}.json" for end in ("", *(f"-{i}" for i in range(2, 100)))]
    return next(folder / name for name in names if not (folder / name).exists())


def main(arguments: list[str] | None = None) -> int:
    """Run, print the table, write the file; exit status 1 when a test failed."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.gpu", description="all that needs a GPU, in one call"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results", help="folder of the results")
    parser.add_argument("--skip-tests", action="store_true", help="only the benches")
    options, rest = parser.parse_known_args(arguments)
    tests = {"skipped": True} if options.skip_tests else run_tests()
    rows = run_benches(rest)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    found = machine()
    result = {"machine": found, "tests": tests, "policy": policy(device).to_json(), "rows": rows}
    options.out.mkdir(parents=True, exist_ok=True)
    file = result_file(options.out, found["device"], datetime.datetime.now(datetime.UTC).date())
    file.write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write("\n".join([*table(rows), f"wrote {file}", ""]))
    return 1 if tests.get("status") else 0


if __name__ == "__main__":
    sys.exit(main())
