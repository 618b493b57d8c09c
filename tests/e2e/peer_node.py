"""polkadot-sdk's own node on our chain, in the place of ours: `python -m tests.e2e.peer_node --port P --base-path DIR`.

It becomes that node (exec), so that signals reach it.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from llmnet.devnode import ChainSpec, Runtime
from tests.devnode.peer import BINARY, write_spec
from tests.e2e.clock import PEER_BLOCK_SECONDS

WASM = Path(__file__).parents[2] / "runtime_spec" / "artifacts" / "llmnet_runtime.compact.compressed.wasm"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", required=True)
    parser.add_argument("--base-path", type=Path, required=True)
    args = parser.parse_args()
    args.base_path.mkdir(parents=True, exist_ok=True)
    spec = args.base_path / "spec.json"
    if not spec.exists():
        code = WASM.read_bytes()
        runtime = Runtime(code)
        write_spec(ChainSpec.from_preset(code, runtime, "development"), runtime, spec)
    quiet = ("--no-telemetry", "--no-hardware-benchmarks", "--no-prometheus")
    place = ("--chain", str(spec), "--base-path", str(args.base_path), "--rpc-port", args.port, "--port", "0")
    interval = ("--dev-block-time", str(int(1000 * PEER_BLOCK_SECONDS)))
    os.execv(BINARY, (BINARY, *place, *quiet, *interval))


if __name__ == "__main__":
    main()
