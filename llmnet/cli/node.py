"""The console script `llmnet-node`: a development node over `llmnet.devnode`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .config import ConfigError
from .logs import set_up_logging
from .node_options import NodeSettings, build_parser, read_settings

if TYPE_CHECKING:
    from llmnet.devnode import Limits, Node, NodeConfig, Produced, Server

__all__ = ["build_parser", "main"]
_MEGABYTE = 1024 * 1024


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status."""
    parser = build_parser()
    options = parser.parse_args(argv)
    try:
        settings = read_settings(options, os.environ)
    except ConfigError as error:
        parser.error(str(error))
    set_up_logging(settings.log_level, as_json=settings.json)
    from llmnet.devnode import DevnodeError

    try:
        return _command(options, settings)
    except DevnodeError as error:
        print(f"llmnet-node: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # who reads has seen enough
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130


def _command(options: argparse.Namespace, settings: NodeSettings) -> int:
    match options.command:
        case "export-chain-spec" | "build-spec":
            from .node_chain import export

            return export(settings, raw=options.raw)
        case "purge-chain":
            from .node_chain import purge

            return purge(settings, sure=options.yes)
        case "inspect":
            from .node_inspect import inspect

            return inspect(settings, options.subject or "block", options.at)
    return _run(settings)


def _run(settings: NodeSettings) -> int:
    from llmnet.devnode import Node

    from .node_chain import read_spec

    config = _config(settings)
    asyncio.run(_serve(Node(read_spec(settings, config), config), settings))
    return 0


def _config(settings: NodeSettings) -> NodeConfig:
    from llmnet.devnode import NodeConfig
    from llmnet.devnode.pool import PoolLimits

    # A tenth beside may wait for transactions that are missing, as on polkadot-sdk's nodes.
    count, size = settings.pool_limit, settings.pool_kbytes * 1024
    pool = PoolLimits(
        ready_count=count, ready_bytes=size, future_count=max(1, count // 10), future_bytes=size // 10
    )
    return NodeConfig(
        base_path=settings.base_path,
        keep_states=settings.keep_states,
        finality_lag=settings.finality_lag,
        self_check=settings.self_check,
        block_seconds=max(0.05, 0.7 * settings.block_time),
        pool=pool,
    )


def _limits(settings: NodeSettings) -> Limits:
    from llmnet.devnode import Limits

    methods: Any = settings.rpc_methods
    return Limits(
        request_bytes=settings.rpc_max_request_size * _MEGABYTE,
        response_bytes=settings.rpc_max_response_size * _MEGABYTE,
        batch=settings.rpc_max_batch_request_len,
        connections=settings.rpc_max_connections,
        subscriptions=settings.rpc_max_subscriptions_per_connection,
        methods=methods,
        origins=settings.rpc_cors,
    )


async def _serve(node: Node, settings: NodeSettings) -> None:
    from llmnet.devnode import Seal, serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    mode: Any = settings.seal
    async with serve(
        node,
        settings.host,
        settings.port,
        seal=Seal(mode, settings.block_time),
        limits=_limits(settings),
        on_produced=lambda produced: _print_block(produced, as_json=settings.json),
        metrics_port=settings.prometheus_port,
    ) as server:
        _print_start(node, server, settings)
        await stop.wait()


def _print_start(node: Node, server: Server, settings: NodeSettings) -> None:
    seal = f"{settings.seal} {settings.block_time:g} s" if settings.seal == "interval" else settings.seal
    facts: dict[str, Any] = {
        "url": server.url,
        "chain": node.spec.name,
        "genesis": "0x" + node.genesis_hash.hex(),
        "best": node.best.number,
        "seal": seal,
        "state": "in memory" if settings.base_path is None else str(settings.base_path),
        "keep": settings.keep,
    }
    if server.metrics_port is not None:
        facts["metrics"] = f"http://{settings.host}:{server.metrics_port}/metrics"
    if settings.json:
        print(json.dumps({"event": "started", **facts}), flush=True)
        return
    print(f"{facts['chain']} at {facts['url']} · genesis {facts['genesis']}", flush=True)
    kept = "all states kept" if settings.keep == "archive" else f"last {settings.keep} states kept"
    print(f"block {facts['best']} · seal {seal} · {facts['state']}, {kept}", flush=True)
    if "metrics" in facts:
        print(f"metrics at {facts['metrics']}", flush=True)


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
