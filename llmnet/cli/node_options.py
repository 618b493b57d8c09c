"""The command line of `llmnet-node`, and its settings: option > environment > file > default."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import ConfigError, load

COMMANDS = ("run", "export-chain-spec", "build-spec", "inspect", "purge-chain")
SUBJECTS = ("block", "state", "trie", "file")
SEALS = ("instant", "interval", "manual")
LEVELS = ("debug", "info", "warning", "error")
METHOD_SETS = ("auto", "safe", "unsafe")
ENVIRONMENT = "LLMNET_NODE_"
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - only where it is asked for
_DESCRIPTION = """\
Runs a FRAME runtime as a Substrate node in one process: makes blocks, keeps state,
serves JSON-RPC over WebSocket and HTTP POST on one port.

  llmnet-node --dev                          a fresh chain in memory, a block a second
  llmnet-node --dev --base-path DIR          the same, surviving restarts
  llmnet-node --dev --seal instant           a block whenever a transaction arrives
  llmnet-node --chain SPEC.json              a chain from a specification file, plain or raw
  llmnet-node export-chain-spec --dev --raw  print a specification that polkadot-sdk nodes take
  llmnet-node inspect block --base-path DIR  a block of a chain whose node is not running
  llmnet-node inspect state --base-path DIR  where its bytes are; also `inspect trie`, `inspect file`
  llmnet-node purge-chain --base-path DIR -y remove a chain's database
"""
_EPILOG = f"""\
Each option can be set in a TOML file (--config, or ${ENVIRONMENT}CONFIG; names as here without the
dashes) and by the environment as {ENVIRONMENT}NAME (for example {ENVIRONMENT}PORT=9945).
Precedence: option > environment > file > default. Exit status: 0 fine, after SIGINT or SIGTERM too;
1 failure (one line says which); 2 wrong usage; 130 interrupted before it served.
"""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What `llmnet-node` is told. `keep` is a number of blocks or `archive`."""

    dev: bool = False
    chain: Path | None = None
    wasm: Path | None = None
    preset: str = "development"
    genesis_patch: Path | None = None
    host: str = "127.0.0.1"
    port: int = 9944
    rpc_methods: str = "auto"
    rpc_cors: tuple[str, ...] = ()
    rpc_max_connections: int = 256
    rpc_max_request_size: int = 15
    rpc_max_response_size: int = 15
    rpc_max_subscriptions_per_connection: int = 1024
    rpc_max_batch_request_len: int = 512
    prometheus_port: int | None = None
    seal: str = "interval"
    block_time: float = 1.0
    finality_lag: int = 0
    self_check: bool = False
    pool_limit: int = 8192
    pool_kbytes: int = 20480
    base_path: Path | None = None
    tmp: bool = False
    keep: str = "256"
    log_level: str = "warning"
    json: bool = False

    @property
    def keep_states(self) -> int | None:
        """Of how many blocks the state is kept; None for all."""
        return None if self.keep == "archive" else int(self.keep)


def build_parser() -> argparse.ArgumentParser:
    """The command line. Options that are not given are None: `read_settings` fills them."""
    parser = argparse.ArgumentParser(
        prog="llmnet-node",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "command", nargs="?", choices=COMMANDS, default="run", help="what to do (%(default)s)"
    )
    parser.add_argument("subject", nargs="?", choices=SUBJECTS, help="inspect: what to look at (block)")
    parser.add_argument("--config", metavar="FILE.toml", type=Path, help="settings from a file")
    _chain_options(parser)
    _serving_options(parser)
    _block_options(parser)
    _keeping_options(parser)
    other = parser.add_argument_group("for the other commands")
    other.add_argument("--raw", action="store_true", help="export-chain-spec: genesis as raw storage")
    other.add_argument("--at", metavar="BLOCK", help="inspect: a number or hash (default: the best block)")
    other.add_argument("-y", "--yes", action="store_true", help="purge-chain: do not ask")
    return parser


def _switch(group: argparse._ArgumentGroup, option: str, text: str) -> None:
    group.add_argument(option, action=argparse.BooleanOptionalAction, default=None, help=text)


def _chain_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the chain")
    _switch(group, "--dev", "the development chain")
    group.add_argument("--chain", metavar="SPEC.json", help="a chain specification, plain or raw")
    group.add_argument(
        "--wasm",
        metavar="FILE",
        help="the runtime (default: $LLMNET_RUNTIME_WASM, else the committed artifact)",
    )
    group.add_argument("--preset", metavar="NAME", help="genesis preset of the runtime (development)")
    group.add_argument("--genesis-patch", metavar="FILE.json", help="JSON merged over the preset")


def _serving_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("serving")
    group.add_argument("--host", metavar="ADDRESS", help="address to serve; 0.0.0.0 for all (127.0.0.1)")
    group.add_argument(
        "--rpc-external", dest="host", action="store_const", const=_EVERYWHERE, help=f"--host {_EVERYWHERE}"
    )
    group.add_argument(
        "--port", "--rpc-port", dest="port", metavar="PORT", help="WebSocket and HTTP port (9944; 0: any)"
    )
    group.add_argument(
        "--rpc-methods",
        metavar="SET",
        help="auto, safe or unsafe: methods for the operator, in auto only where the host is local (auto)",
    )
    group.add_argument(
        "--rpc-cors",
        metavar="ORIGINS",
        help="origins of web pages that may connect beside local ones, comma-separated; 'all' for all",
    )
    for option, text in (
        ("connections", "clients at a time (256)"),
        ("request-size", "megabytes of a request (15)"),
        ("response-size", "megabytes of an answer (15)"),
        ("subscriptions-per-connection", "subscriptions of a client (1024)"),
        ("batch-request-len", "requests in a batch (512)"),
    ):
        group.add_argument(f"--rpc-max-{option}", metavar="N", help=text)
    group.add_argument("--prometheus-port", metavar="PORT", help="metrics at http://HOST:PORT/metrics (off)")


def _block_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("blocks")
    group.add_argument("--seal", metavar="MODE", help="instant, interval or manual (interval)")
    group.add_argument("--block-time", metavar="SECONDS", help="time between blocks (1)")
    group.add_argument("--finality-lag", metavar="N", help="final is N blocks behind best (0)")
    _switch(group, "--self-check", "execute each block a second time")
    group.add_argument("--pool-limit", metavar="N", help="transactions that may wait (8192)")
    group.add_argument("--pool-kbytes", metavar="N", help="kilobytes of them (20480)")


def _keeping_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("keeping and telling")
    group.add_argument("--base-path", "-d", metavar="DIR", help="keep the chain here (default: in memory)")
    _switch(group, "--tmp", "in memory, whatever the file or the environment says of --base-path")
    group.add_argument(
        "--keep", "--keep-states", dest="keep", metavar="N|archive", help="blocks whose state is kept (256)"
    )
    group.add_argument("--log-level", metavar="LEVEL", help=f"{', '.join(LEVELS)} (warning)")
    _switch(group, "--json", "one JSON object a line; inspect: one JSON document")


def read_settings(options: argparse.Namespace, environ: Mapping[str, str]) -> NodeSettings:
    """The settings of a command line. Raises ConfigError, which names the source of what is wrong."""
    fields = {field.name for field in dataclasses.fields(NodeSettings)}
    flags = {name: value for name, value in vars(options).items() if name in fields}
    given = options.config or (Path(environ[name]) if environ.get(name := ENVIRONMENT + "CONFIG") else None)
    settings = load(NodeSettings, flags=flags, prefix=ENVIRONMENT, file=given, environ=environ)
    _check_values(settings)
    _check_chain(options, settings)
    if settings.tmp and options.base_path is not None:
        raise ConfigError("--tmp keeps nothing: leave --base-path away")
    return dataclasses.replace(settings, base_path=None) if settings.tmp else settings


def _check_values(settings: NodeSettings) -> None:
    one_of = {"seal": SEALS, "log_level": LEVELS, "rpc_methods": METHOD_SETS}
    for name, allowed in one_of.items():
        value = getattr(settings, name)
        _check(value in allowed, name, f"one of {', '.join(allowed)}", value)
    for name in ("port", "prometheus_port"):
        value = getattr(settings, name)
        _check(
            value is None or 0 <= value < 65536, name, "a port (0 to 65535; 0 lets the system choose)", value
        )
    _check(0 < settings.block_time < float("inf"), "block_time", "a positive number", settings.block_time)
    _check(settings.finality_lag >= 0, "finality_lag", "no negative number", settings.finality_lag)
    good = settings.keep == "archive" or (settings.keep.isdecimal() and int(settings.keep) > 0)
    _check(good, "keep", "a positive number or archive", settings.keep)
    for name in [name for name in dir(settings) if name.startswith(("rpc_max_", "pool_"))]:
        _check(getattr(settings, name) > 0, name, "a positive number", getattr(settings, name))


def _check(good: bool, name: str, expected: str, value: Any) -> None:
    if not good:
        raise ConfigError(f"{name.replace('_', '-')} must be {expected}, not {value!r}")


def _check_chain(options: argparse.Namespace, settings: NodeSettings) -> None:
    if options.subject is not None and options.command != "inspect":
        raise ConfigError(f"{options.command} takes no {options.subject!r}")
    if options.command in ("purge-chain", "inspect"):
        if settings.base_path is None:
            raise ConfigError(f"{options.command} needs --base-path")
        return
    if settings.chain is None and not settings.dev:
        raise ConfigError("say which chain: --dev, or --chain SPEC.json")
    if settings.chain is not None and (settings.dev or settings.wasm or settings.genesis_patch):
        raise ConfigError("--chain brings runtime and genesis: leave --dev, --wasm and --genesis-patch away")
