"""The offline tuner: tries launch configurations and pins the fastest.

    python -m llmnet.kernels.tune                       measure on this GPU and write its table
    python -m llmnet.kernels.tune --dry-run             no GPU: compile the candidates, list what they cost
    python -m llmnet.kernels.tune --only attention      only the slots whose name matches

A slot is one entry of a table: a kernel and a head dimension or a bucket of rows. Candidates that spill, ask
for too much or miss the instructions they should use are never measured. Only what cannot make bits depend on
the batch is varied: stages, groups and tile sizes; warps stay what they are, because a table's kernels must
agree on them.
"""

import argparse
import dataclasses
import itertools
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch

from llmnet.kernels._compile import Resources, measure
from llmnet.kernels._config import (
    ARCHITECTURES,
    ProductConfig,
    Tables,
    TileConfig,
    arch_of,
    config_file,
    tables,
    trying,
)
from llmnet.kernels._workloads import WORKLOADS
from llmnet.kernels.aot import all_variants_of
from llmnet.kernels.errors import BackendError

Candidate = TileConfig | ProductConfig
GAIN = 0.02
"""What a candidate must be faster by to replace what is pinned: less is noise."""


@dataclasses.dataclass(frozen=True)
class Slot:
    """One entry of a table: ``section`` is the field of :class:`Tables`, ``key`` a head dimension or the
    index of a bucket, ``variant`` a regular expression for the gate's kernels that it configures."""

    section: str
    key: int
    variant: str

    @property
    def name(self) -> str:
        """``section/key``."""
        return f"{self.section}/{self.key}"

    def pinned(self, table: Tables) -> Candidate:
        """What ``table`` has there."""
        found: Candidate = getattr(table, self.section)[self.key]
        return found

    def put(self, table: Tables, candidate: Candidate) -> Tables:
        """``table`` with ``candidate`` there."""
        section = getattr(table, self.section)
        changed: Any
        if isinstance(section, dict):
            changed = {**section, self.key: candidate}
        else:
            changed = tuple(candidate if i == self.key else old for i, old in enumerate(section))
        return dataclasses.replace(table, **{self.section: changed})


def slots(table: Tables) -> Iterator[Slot]:
    """Every slot that is worth trying: head dimensions of the gate's models, and all buckets of rows."""
    for dim, model in ((64, "smollm2-135m"), (128, "llama-8b")):
        yield Slot("prefill", dim, rf"^attention_prefill/{model}/page64/bf16$")
        yield Slot("decode", dim, rf"^attention_decode\.split/{model}/page64/bf16$")
    for section, operator, kinds in (("matmul", "matmul", "bf16-bf16"), ("lm_head", "lm_head_leaf", "bf16")):
        for index, config in enumerate(getattr(table, section)):
            yield Slot(section, index, rf"^{operator}/rows{config.max_rows or 'any'}/{kinds}$")


def candidates(slot: Slot, table: Tables) -> Iterator[Candidate]:
    """Configurations to try in ``slot``, the pinned one first."""
    pinned = slot.pinned(table)
    yield pinned
    if isinstance(pinned, TileConfig):
        found: Iterator[Candidate] = (
            dataclasses.replace(pinned, num_stages=stages) for stages in (1, 2, 3, 4)
        )
    else:
        widths = (pinned.block_n,) if slot.section == "lm_head" else (64, 128, 256)
        groups = (1,) if pinned.swap else (4, 8, 16)
        found = (
            dataclasses.replace(pinned, block_n=width, group=group, num_stages=stages)
            for width, group, stages in itertools.product(widths, groups, (2, 3, 4, 5, 6))
        )
    yield from (candidate for candidate in found if candidate != pinned)


def cost(slot: Slot, table: Tables) -> tuple[Resources, list[str]]:
    """Compile what ``slot`` configures in ``table``: resources, and reasons why it must not ship.

    Raises: :class:`BackendError` when no kernel of the gate belongs to the slot.
    """
    for variant in all_variants_of(table):
        if re.search(slot.variant, variant.name):
            resources = measure(variant, table.number)
            return resources, resources.faults(variant, table.number)
    raise BackendError(f"no kernel of the gate matches {slot.variant}")


def sound(slot: Slot, table: Tables) -> Iterator[tuple[Candidate, Resources]]:
    """The candidates of ``slot`` that compile within limits; prints a line for each candidate."""
    for candidate in candidates(slot, table):
        try:
            resources, faults = cost(slot, slot.put(table, candidate))
        except Exception as error:  # noqa: BLE001 - a compiler may fail on a candidate in many ways: it is out
            sys.stdout.write(f"{slot.name:12} {_short(candidate):58} does not compile: {_line(error)}\n")
            continue
        verdict = "; ".join(faults) or "sound"
        use = f"{resources.registers:3} regs {resources.shared_bytes:6} B"
        sys.stdout.write(f"{slot.name:12} {_short(candidate):58} {use}  {verdict}\n")
        if not faults:
            yield candidate, resources


def tuned(table: Tables, only: str, seconds: Callable[[Slot, Tables], float]) -> Tables:
    """``table`` with the fastest sound candidate in every slot that matches ``only``; ``seconds`` measures
    one."""
    for slot in slots(table):
        if not re.search(only, slot.name):
            continue
        times = {candidate: seconds(slot, slot.put(table, candidate)) for candidate, _ in sound(slot, table)}
        pinned = slot.pinned(table)
        best = min(times, key=lambda candidate: times[candidate])
        if times[best] > (1 - GAIN) * times.get(pinned, float("inf")):
            best = pinned
        for candidate, time in sorted(times.items(), key=lambda item: item[1]):
            mark = "*" if candidate == best else " "
            sys.stdout.write(f"{slot.name:12} {_short(candidate):58} {time * 1e6:10.1f} us {mark}\n")
        table = slot.put(table, best)
    return table


def seconds_on_gpu(slot: Slot, table: Tables) -> float:
    """Median time of a serving-like launch under ``table``, as a captured graph so that the host does not
    count."""
    with trying(table):
        return WORKLOADS[slot.section](slot.key, slot.pinned(table))


def to_json(table: Tables) -> dict[str, Any]:
    """A table as its file has it."""
    attention = ("block_m", "num_warps", "num_stages")

    def section(configs: dict[int, TileConfig]) -> dict[str, Any]:
        return {str(dim): {name: getattr(row, name) for name in attention} for dim, row in configs.items()}

    return {
        "arch": table.arch,
        "chosen": table.chosen,
        "tma": table.tma,
        "attention_prefill": section(table.prefill),
        "attention_decode": section(table.decode),
        "matmul": [dataclasses.asdict(config) for config in table.matmul],
        "lm_head_leaf": [dataclasses.asdict(config) for config in table.lm_head],
        "rows": {name: dataclasses.asdict(config) for name, config in table.rows.items()},
    }


def _short(candidate: Candidate) -> str:
    return " ".join(
        f"{name}={value}" for name, value in dataclasses.asdict(candidate).items() if name != "split"
    )


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:80]


def main(arguments: list[str] | None = None) -> int:
    """List candidates, or measure them and write the table of this GPU; exit status 1 without a GPU to
    measure on."""
    parser = argparse.ArgumentParser(prog="python -m llmnet.kernels.tune", description="the offline tuner")
    parser.add_argument(
        "--dry-run", action="store_true", help="compile and list the candidates; measure nothing"
    )
    parser.add_argument(
        "--arch", choices=ARCHITECTURES, default=ARCHITECTURES[0], help="for --dry-run (%(default)s)"
    )
    parser.add_argument("--only", default="", metavar="REGEX", help='only slots whose "section/key" matches')
    options = parser.parse_args(arguments)
    os.environ["TRITON_DISABLE_LINE_INFO"] = "1"
    if options.dry_run:
        table = tables(options.arch)
        found = [slot for slot in slots(table) if re.search(options.only, slot.name)]
        counts = {slot.name: sum(1 for _ in sound(slot, table)) for slot in found}
        sys.stdout.write("".join(f"{name}: {count} sound\n" for name, count in counts.items()))
        return 0 if counts and all(counts.values()) else 1
    if not torch.cuda.is_available():
        sys.stderr.write("there is no GPU to measure on: use --dry-run to list the candidates\n")
        return 1
    table = tuned(tables(arch_of(torch.device("cuda"))), options.only, seconds_on_gpu)
    table = dataclasses.replace(
        table, chosen=f"measured on {torch.cuda.get_device_name()}, torch {torch.__version__}"
    )
    config_file(table.arch).write_text(json.dumps(to_json(table), indent=1) + "\n")
    sys.stdout.write(
        f"wrote {config_file(table.arch)}; now renew the record: python -m llmnet.kernels.aot --write\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
