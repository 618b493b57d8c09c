"""Which chain `llmnet-node` runs: its specification, its export, the removal of its database."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmnet.devnode import ChainSpec, NodeConfig

    from .node_options import NodeSettings

CHAIN_NAME, CHAIN_ID = "LLM-Net Development", "llmnet_dev"


def wasm_path(settings: NodeSettings) -> Path:
    """The runtime of a node. Raises DevnodeError."""
    return find_wasm(settings.wasm)


def find_wasm(asked: Path | None = None) -> Path:
    """The runtime to run: as asked, or the artifact of this checkout or of the installed package. Raises DevnodeError."""
    from llmnet.devnode import runtime_artifact

    chosen = asked or os.environ.get("LLMNET_RUNTIME_WASM")
    return Path(chosen) if chosen else runtime_artifact()


def _read_patch(path: Path | None) -> dict[str, Any] | None:
    from llmnet.devnode import GenesisError

    if path is None:
        return None
    try:
        patch = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise GenesisError(f"the genesis patch {path} cannot be read: {error}") from None
    if not isinstance(patch, dict):
        raise GenesisError(f"the genesis patch {path} is no JSON object")
    return patch


def read_spec(settings: NodeSettings, config: NodeConfig) -> ChainSpec:
    """The chain's specification, from its file or from the runtime's preset. Raises DevnodeError."""
    from llmnet.devnode import ChainSpec, Runtime, read_code

    if settings.chain is not None:
        return ChainSpec.read(settings.chain)
    code = read_code(wasm_path(settings))
    runtime = Runtime(code, cache_dir=config.cache_dir)
    patch = _read_patch(settings.genesis_patch)
    return ChainSpec.from_preset(
        code, runtime, settings.preset, name=CHAIN_NAME, chain_id=CHAIN_ID, patch=patch
    )


def database_file(settings: NodeSettings) -> Path:
    """Where the chain's database is, or would be."""
    from llmnet.devnode import ChainSpec, database_path

    assert settings.base_path is not None
    chain_id = CHAIN_ID if settings.chain is None else ChainSpec.read(settings.chain).id
    return database_path(settings.base_path, chain_id)


def export(settings: NodeSettings, *, raw: bool) -> int:
    """Prints the specification."""
    from llmnet.devnode import NodeConfig, Runtime

    config = NodeConfig()
    spec = read_spec(settings, config)
    print(json.dumps(spec.as_json(Runtime(spec.code, cache_dir=config.cache_dir), raw=raw), indent=2))
    return 0


def purge(settings: NodeSettings, *, sure: bool) -> int:
    """Removes the chain's database, after a question if not `sure`."""
    path = database_file(settings)
    if not path.exists():
        print(f"{path} is not there, nothing to remove")
        return 0
    if not sure and not _confirmed(path):
        print("nothing removed", file=sys.stderr)
        return 1
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    print(f"removed {path}")
    return 0


def _confirmed(path: Path) -> bool:
    if not sys.stdin.isatty():
        print("give -y to remove the database without being asked", file=sys.stderr)
        return False
    return input(f"Remove {path}? [y/N] ").strip().lower() == "y"
