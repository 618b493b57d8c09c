"""The console script `llmnet-node`: a development node over `llmnet.devnode`."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmnet.devnode import ChainSpec, Node, NodeConfig, Produced, Server

CHAIN_NAME, CHAIN_ID = "LLM-Net Development", "llmnet_dev"
_ENVIRONMENT = "LLMNET_NODE_"
_ARTIFACT = Path("runtime_spec") / "artifacts"
_PACKAGED = Path("devnode") / "artifacts"  # where an installed wheel carries it
_ARTIFACT_NAMES = ("llmnet_runtime.compact.compressed.wasm", "llmnet_runtime.wasm")
_SEALS = ("instant", "interval", "manual")
_LEVELS = ("debug", "info", "warning", "error")
_DESCRIPTION = """\
Runs a FRAME runtime as a Substrate node in one process: makes blocks, keeps state,
serves JSON-RPC over WebSocket and HTTP POST on one port.

  llmnet-node --dev                          a fresh chain in memory, a block a second
  llmnet-node --dev --base-path DIR          the same, surviving restarts
  llmnet-node --dev --seal instant           a block whenever a transaction arrives
  llmnet-node --chain SPEC.json              a chain from a specification file
  llmnet-node export-chain-spec --dev --raw  print a specification that polkadot-sdk nodes take
  llmnet-node purge-chain --base-path DIR -y remove a chain's database
"""
_EPILOG = f"""\
Each option can be set by the environment as {_ENVIRONMENT}NAME (for example {_ENVIRONMENT}PORT=9945);
an option on the command line wins. Exit status: 0 after SIGINT or SIGTERM, 1 failure, 2 wrong usage.
"""


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port (0 to 65535; 0 lets the system choose)")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def _one_of(*allowed: str) -> Any:
    def check(text: str) -> str:
        if text not in allowed:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(allowed)}")
        return text

    return check


def _flag(name: str) -> bool:
    return os.environ.get(_ENVIRONMENT + name, "").lower() in ("1", "true", "yes")


def _add(parser: argparse._ActionsContainer, option: str, default: Any = None, **rest: Any) -> None:
    """Adds an option whose default the environment can set."""
    name = option.removeprefix("--").replace("-", "_").upper()
    parser.add_argument(option, default=os.environ.get(_ENVIRONMENT + name, default), **rest)


def _chain_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the chain")
    group.add_argument("--dev", action="store_true", default=_flag("DEV"), help="the development chain")
    _add(group, "--chain", metavar="SPEC.json", type=Path, help="a chain specification, plain or raw")
    _add(
        group,
        "--wasm",
        metavar="FILE",
        type=Path,
        help="the runtime (default: $LLMNET_RUNTIME_WASM, else the committed artifact)",
    )
    _add(group, "--preset", "development", metavar="NAME", help="genesis preset of the runtime (%(default)s)")
    _add(group, "--genesis-patch", metavar="FILE.json", type=Path, help="JSON merged over the preset")


def _run_options(parser: argparse.ArgumentParser) -> None:
    serving = parser.add_argument_group("serving")
    _add(serving, "--host", "127.0.0.1", help="address to serve (%(default)s)")
    _add(serving, "--port", "9944", type=_port, help="WebSocket and HTTP port (%(default)s; 0: any)")
    _add(
        serving,
        "--rpc-cors",
        "",
        metavar="ORIGINS",
        help="origins of web pages that may connect beside local ones, comma-separated; '*' for all",
    )
    blocks = parser.add_argument_group("blocks")
    _add(
        blocks,
        "--seal",
        "interval",
        type=_one_of(*_SEALS),
        metavar="MODE",
        help="instant, interval or manual (%(default)s)",
    )
    _add(
        blocks,
        "--block-time",
        "1",
        type=_positive,
        metavar="SECONDS",
        help="time between blocks (%(default)s)",
    )
    _add(
        blocks,
        "--finality-lag",
        "0",
        type=_count,
        metavar="N",
        help="final is N blocks behind best (%(default)s)",
    )
    blocks.add_argument(
        "--self-check",
        action="store_true",
        default=_flag("SELF_CHECK"),
        help="execute each block a second time",
    )
    storing = parser.add_argument_group("keeping and telling")
    _add(storing, "--base-path", metavar="DIR", type=Path, help="keep the chain here (default: in memory)")
    _add(
        storing,
        "--keep-states",
        "256",
        type=_count,
        metavar="N",
        help="blocks whose state can be read (%(default)s)",
    )
    _add(storing, "--log-level", "warning", type=_one_of(*_LEVELS), metavar="LEVEL", help="%(default)s")
    storing.add_argument("--json", action="store_true", default=_flag("JSON"), help="one JSON object a line")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="llmnet-node",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "command", nargs="?", choices=("run", "export-chain-spec", "purge-chain"), default="run"
    )
    _chain_options(parser)
    _run_options(parser)
    other = parser.add_argument_group("for the other commands")
    other.add_argument("--raw", action="store_true", help="export-chain-spec: genesis as raw storage")
    other.add_argument("-y", "--yes", action="store_true", help="purge-chain: do not ask")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status."""
    parser = build_parser()
    options = parser.parse_args(argv)
    _check(parser, options)
    logging.basicConfig(
        level=options.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    from llmnet.devnode import DevnodeError

    command = {"run": _run, "export-chain-spec": _export, "purge-chain": _purge}[options.command]
    try:
        return command(options)
    except DevnodeError as error:
        print(f"llmnet-node: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.command == "purge-chain":
        if options.base_path is None:
            parser.error("purge-chain needs --base-path")
        return
    if options.chain is None and not options.dev:
        parser.error("say which chain: --dev, or --chain SPEC.json")
    if options.chain is not None and (options.dev or options.wasm or options.genesis_patch):
        parser.error("--chain brings runtime and genesis: leave --dev, --wasm and --genesis-patch away")


def _wasm_path(options: argparse.Namespace) -> Path:
    """The runtime to run: as asked, or the artifact of this checkout or of the installed package."""
    from llmnet.devnode import DevnodeError

    chosen = options.wasm or os.environ.get("LLMNET_RUNTIME_WASM")
    if chosen:
        return Path(chosen)
    package = Path(__file__).resolve().parents[1]
    folders = (package.parent / _ARTIFACT, package / _PACKAGED)
    for folder in folders:
        for name in _ARTIFACT_NAMES:
            if (folder / name).is_file():
                return folder / name
    raise DevnodeError(
        f"there is no runtime in {folders[0]}; build it (runtime_spec/build-wasm.sh) or give --wasm FILE"
    )


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


def _spec(options: argparse.Namespace, config: NodeConfig) -> ChainSpec:
    from llmnet.devnode import ChainSpec, Runtime, read_code

    if options.chain is not None:
        return ChainSpec.read(options.chain)
    code = read_code(_wasm_path(options))
    runtime = Runtime(code, cache_dir=config.cache_dir)
    patch = _read_patch(options.genesis_patch)
    return ChainSpec.from_preset(
        code, runtime, options.preset, name=CHAIN_NAME, chain_id=CHAIN_ID, patch=patch
    )


def _export(options: argparse.Namespace) -> int:
    from llmnet.devnode import NodeConfig, Runtime

    config = NodeConfig()
    spec = _spec(options, config)
    print(json.dumps(spec.as_json(Runtime(spec.code, cache_dir=config.cache_dir), raw=options.raw), indent=2))
    return 0


def _purge(options: argparse.Namespace) -> int:
    from llmnet.devnode import ChainSpec, database_path

    chain_id = CHAIN_ID if options.chain is None else ChainSpec.read(options.chain).id
    path = database_path(options.base_path, chain_id)
    if not path.exists():
        print(f"{path} is not there, nothing to remove")
        return 0
    if not options.yes and not _confirmed(path):
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


def _run(options: argparse.Namespace) -> int:
    from llmnet.devnode import Node, NodeConfig

    config = NodeConfig(
        base_path=options.base_path,
        keep_states=options.keep_states,
        finality_lag=options.finality_lag,
        self_check=options.self_check,
        block_seconds=max(0.05, 0.7 * options.block_time),
    )
    node = Node(_spec(options, config), config)
    asyncio.run(_serve(node, options))
    return 0


async def _serve(node: Node, options: argparse.Namespace) -> None:
    from llmnet.devnode import Limits, Seal, serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    seal = Seal(options.seal, options.block_time)
    limits = Limits(origins=tuple(filter(None, options.rpc_cors.split(","))))

    def tell(produced: Produced) -> None:
        _print_block(produced, as_json=options.json)

    async with serve(node, options.host, options.port, seal=seal, limits=limits, on_produced=tell) as server:
        _print_start(node, server, options)
        await stop.wait()


def _print_start(node: Node, server: Server, options: argparse.Namespace) -> None:
    seal = f"{options.seal} {options.block_time:g} s" if options.seal == "interval" else options.seal
    facts = {
        "url": server.url,
        "chain": node.spec.name,
        "genesis": "0x" + node.genesis_hash.hex(),
        "best": node.best.number,
        "seal": seal,
        "state": "in memory" if options.base_path is None else str(options.base_path),
    }
    if options.json:
        print(json.dumps({"event": "started", **facts}), flush=True)
    else:
        print(f"{facts['chain']} at {facts['url']} · genesis {facts['genesis']}", flush=True)
        print(f"block {facts['best']} · seal {seal} · state {facts['state']}", flush=True)


def _print_block(produced: Produced, *, as_json: bool) -> None:
    block, count = produced.block, len(produced.results)
    milliseconds = produced.seconds * 1000
    if as_json:
        line = {
            "event": "block",
            "number": block.number,
            "hash": "0x" + block.hash.hex(),
            "extrinsics": count,
        }
        print(json.dumps({**line, "milliseconds": round(milliseconds, 2)}), flush=True)
    else:
        print(f"#{block.number} 0x{block.hash.hex()[:8]}… {count} xts {milliseconds:.0f} ms", flush=True)


if __name__ == "__main__":
    sys.exit(main())
