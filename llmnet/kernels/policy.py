"""The numeric policy: everything that decides bits, as one digest that a worker publishes with its offer.

    python -m llmnet.kernels.policy [--device cuda | --arch sm_90] [--json]

Two workers with one policy digest, one model and one numerics class compute the same bits. On a GPU it covers
the digest of every pinned binary, the configuration tables, the compiler and its fusion flag; on a CPU the
version of the eager reference path, torch and the instruction set it chose.
"""

import argparse
import dataclasses
import hashlib
import json
import sys
from importlib.metadata import version
from typing import Any

import torch

from llmnet.kernels._config import (
    ARCHITECTURES,
    BLOCK_K,
    COMPILE_OPTIONS,
    KV_SPLIT,
    KV_TILE,
    VOCAB_BLOCK,
    arch_of,
    config_file,
    tables,
)
from llmnet.kernels.aot import read_record
from llmnet.kernels.errors import BackendError

REFERENCE_VERSION = 2
"""Counts changes of the eager reference that change bits."""

CPU = "cpu"
PERSON = b"llmnet/policy/1"


@dataclasses.dataclass(frozen=True)
class Policy:
    """What decides the bits of the operators on one architecture.

    ``arch``: ``sm_90``, ``sm_80`` or ``cpu``; ``compiler``: version of Triton, or of torch on a CPU;
    ``options``: compiler flags, or the instruction set; ``orders``: sizes that fix orders of summation;
    ``table``: digest of the configuration table, or the reference's version; ``kernels``: digest of every
    binary by name, empty on a CPU.
    """

    arch: str
    compiler: str
    options: dict[str, Any]
    orders: dict[str, int]
    table: str
    kernels: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """All fields, and the digest in hex."""
        return {**dataclasses.asdict(self), "digest": self.digest().hex()}

    def digest(self) -> bytes:
        """BLAKE2b-256 of the fields' canonical JSON, personalised."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=32, person=PERSON).digest()

    def text(self) -> str:
        """The policy as a table for people."""
        lines = [
            f"digest    {self.digest().hex()}",
            f"arch      {self.arch}",
            f"compiler  {self.compiler}",
            f"options   {_pairs(self.options)}",
            f"orders    {_pairs(self.orders)}",
            f"table     {self.table}",
        ]
        lines += [f"  {name:52} {digest[:16]}" for name, digest in sorted(self.kernels.items())]
        return "\n".join(lines) + "\n"


def policy(device: torch.device | str = CPU) -> Policy:
    """The policy of the operators for tensors on ``device``.

    Raises: :class:`BackendError` for a GPU that has no pinned table, or when the record was made with
    another Triton than the one installed.
    """
    device = torch.device(device)
    return policy_of(CPU if device.type != "cuda" else arch_of(device))


def policy_of(arch: str) -> Policy:
    """The policy of ``arch``, whether this machine has it or not. Raises: as :func:`policy`."""
    if arch == CPU:
        instructions = {
            "capability": torch.backends.cpu.get_cpu_capability(),
            "mkldnn": torch.backends.mkldnn.enabled,
        }
        return Policy(
            CPU, f"torch {torch.__version__}", instructions, {}, f"reference {REFERENCE_VERSION}", {}
        )
    record, installed = read_record(arch), version("triton")
    if record["triton"] != installed:
        raise BackendError(
            f"the record of {arch} was made with triton {record['triton']}, installed is {installed}: "
            f"install that one, or renew the record with python -m llmnet.kernels.aot --write"
        )
    tables(arch)  # refuses a file that is no table
    orders = {"kv_tile": KV_TILE, "kv_split": KV_SPLIT, "block_k": BLOCK_K, "vocab_block": VOCAB_BLOCK}
    return Policy(
        arch=arch,
        compiler=f"triton {installed}",
        options=dict(COMPILE_OPTIONS),
        orders=orders,
        table=hashlib.sha256(config_file(arch).read_bytes()).hexdigest(),
        kernels={name: row["cubin_sha256"] for name, row in record["kernels"].items()},
    )


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def main(arguments: list[str] | None = None) -> int:
    """Print the policy; exit status 1 when there is none for this machine."""
    parser = argparse.ArgumentParser(prog="python -m llmnet.kernels.policy", description="the numeric policy")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--device", default=CPU, help="device whose policy it is (%(default)s)")
    where.add_argument(
        "--arch", choices=(*ARCHITECTURES, CPU), help="an architecture, whether it is here or not"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        found = policy_of(options.arch) if options.arch else policy(options.device)
    except (BackendError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(found.to_json(), indent=1) + "\n" if options.json else found.text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
