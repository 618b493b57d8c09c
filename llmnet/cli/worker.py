"""The console script `llmnet-worker`: sells answers of one model."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmnet.chain import Keypair
    from llmnet.engine import ModelFiles
    from llmnet.kernels.policy import Policy
    from llmnet.proof import ServiceSpec
    from llmnet.worker import Backend

from llmnet.cli.logs import set_up_logging
from llmnet.cli.values import NUMERICS, UNIT, spec_of_model

ENVIRONMENT = "LLMNET_WORKER_"
STOP_SECONDS = 4.5
LEVELS = ("debug", "info", "warning", "error")
DESCRIPTION = """\
Serves OpenAI's chat completions to session holders and settles on chain: bonds, offers,
commits its answers, opens what audits draw, claims what vouchers promise.

  llmnet-worker --dev-key Worker1 --bond 1000 --register-spec
  llmnet-worker --node ws://chain.example:9944 --key-file worker.key --port 8001 --endpoint https://w.example
"""
EPILOG = f"""\
Each option can be set by the environment as {ENVIRONMENT}NAME (for example {ENVIRONMENT}PORT=8002) or in the table
[worker] of a TOML file (--config); the command line wins over the environment, the environment over the file.
A key is never an argument: --dev-key names a public development account, any other key comes from a file that
only its owner may read.
Exit status: 0 after SIGINT or SIGTERM, 1 failure, 2 wrong usage, 3 the node cannot be reached.
"""


def _add(group: argparse._ArgumentGroup, option: str, default: object = None, **rest: object) -> None:
    name = option.removeprefix("--").replace("-", "_").upper()
    group.add_argument(option, default=os.environ.get(ENVIRONMENT + name, default), **rest)  # type: ignore[arg-type]


def tokens(text: str) -> int:
    """Plancks of an amount in whole tokens; up to 12 decimals."""
    from decimal import Decimal

    try:
        value = Decimal(text) * UNIT
        if not 0 <= value < 1 << 128:
            raise ArithmeticError
    except ArithmeticError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount") from None
    if value != value.to_integral_value():
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount of tokens with at most 12 decimals")
    return int(value)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 65535")
    return int(text)


def _node(text: str) -> str:
    if not text.startswith(("ws://", "wss://")):
        raise argparse.ArgumentTypeError(f"{text!r} is not a ws:// or wss:// address")
    return text


def _port(text: str) -> int:
    return 0 if text == "0" else _count(text)


def _level(text: str) -> str:
    if text.lower() not in LEVELS:  # not `choices`, which an environment's value would pass by
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(LEVELS)}")
    return text.lower()


def _numerics(text: str) -> str:
    # Not `choices`: those do not see a default from the environment.
    if text not in NUMERICS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(NUMERICS)}")
    return text


def _appeal(text: str) -> str:
    if text not in ("auto", "never"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither auto nor never")
    return text


def build_parser(prog: str = "llmnet-worker") -> argparse.ArgumentParser:
    """The command line; the demo's workers take the same."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    chain = parser.add_argument_group("chain and account")
    _add(chain, "--node", "ws://127.0.0.1:9944", type=_node, metavar="URL", help="%(default)s")
    _add(chain, "--dev-key", metavar="NAME", help="development account, for example Worker1")
    _add(chain, "--key-file", metavar="FILE", type=Path, help="key file, mode 0600, or encrypted")
    _add(
        chain,
        "--password-fd",
        type=int,
        metavar="N",
        help="descriptor with the key's password; else it is asked",
    )
    _add(chain, "--bond", type=tokens, metavar="TOKENS", help="bond this much if the account is not bonded")
    chain.add_argument("--register-spec", action="store_true", help="register the model's spec if it is not")
    parser.add_argument(
        "--print-policy",
        action="store_true",
        help="print the numeric policy of this machine, whose digest is part of the offer, and exit",
    )
    parser.add_argument(
        "--self-test",
        action="store_true",
        help="answer public prompts, judge the answers as audits would, say PASS or FAIL and exit",
    )
    parser.add_argument(
        "--skip-self-test",
        action="store_true",
        help="offer without that test, which is made once for each model",
    )
    offer = parser.add_argument_group("offer")
    _add(
        offer,
        "--price-in",
        "0.01",
        type=tokens,
        metavar="TOKENS",
        help="per 1,000 prompt tokens (%(default)s)",
    )
    _add(
        offer,
        "--price-out",
        "0.02",
        type=tokens,
        metavar="TOKENS",
        help="per 1,000 answer tokens (%(default)s)",
    )
    _add(offer, "--endpoint", metavar="URL", help="where requesters reach it (default: http://HOST:PORT)")
    serving = parser.add_argument_group("serving")
    _add(serving, "--host", "127.0.0.1", help="%(default)s")
    _add(serving, "--port", "8001", type=_port, help="%(default)s; 0: any")
    _add(
        serving,
        "--model",
        type=Path,
        metavar="DIR",
        help="model directory (default: SmolLM2-135M-Instruct, fetched once)",
    )
    _add(
        serving, "--max-batch", "8", type=_count, metavar="N", help="answers computed at a time (%(default)s)"
    )
    _add(
        serving,
        "--step-tokens",
        "256",
        type=_count,
        metavar="N",
        help="most tokens of one step: longer prompts are computed in pieces (%(default)s)",
    )
    serving.add_argument(
        "--no-prefix-cache", action="store_true", help="compute every prompt from its beginning"
    )
    _add(serving, "--threads", "1", type=_count, metavar="N", help="threads of the CPU engine (%(default)s)")
    _add(
        serving,
        "--max-unpaid",
        "8",
        type=_count,
        metavar="N",
        help="unpaid answers a session may have (%(default)s)",
    )
    _add(
        serving,
        "--numerics",
        "fp32",
        type=_numerics,
        metavar="CLASS",
        help=f"arithmetic that is promised: {', '.join(NUMERICS)}; on a GPU the 16-bit ones run on our kernels (%(default)s)",
    )
    judging = parser.add_argument_group("audits")
    _add(
        judging,
        "--appeal",
        "auto",
        type=_appeal,
        metavar="WHEN",
        help="auto: appeal verdicts that its own record contradicts; never (%(default)s)",
    )
    _add(
        judging,
        "--appeal-tokens",
        "4096",
        type=_count,
        metavar="N",
        help="longest answer, with its prompt, that is computed again before an appeal (%(default)s)",
    )
    _add(
        judging,
        "--appeal-bonds",
        "10",
        type=tokens,
        metavar="TOKENS",
        help="most to have on hold for appeals (%(default)s)",
    )
    _add(
        judging,
        "--plants",
        type=Path,
        metavar="FILE",
        help="answer wrongly on purpose where a planter has ordered it: a line SESSION/INDEX each",
    )
    keeping = parser.add_argument_group("keeping and telling")
    _add(
        keeping,
        "--store",
        type=Path,
        metavar="DIR",
        help="where answers are kept (default: in the user's data directory)",
    )
    _add(
        keeping,
        "--log-level",
        "info",
        type=_level,
        metavar="LEVEL",
        help=f"{', '.join(LEVELS)} (%(default)s)",
    )
    keeping.add_argument("--json", action="store_true", help="log one JSON object a line")
    _add(keeping, "--config", type=Path, metavar="FILE.toml", help="settings in its table [worker]")
    return parser


def parse(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The settings: option > environment > file (--config) > default. Ends with a usage error for what is not known."""
    from llmnet.cli.config import ConfigError, file_values

    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--config", type=Path, default=os.environ.get(f"{ENVIRONMENT}CONFIG"))
    config = first.parse_known_args(argv)[0].config
    actions = {action.dest: action for action in parser._actions if action.dest not in ("help", "config")}
    try:
        for name, value in file_values(config, "worker").items():
            action = actions.get(name.replace("-", "_"))
            if action is None:
                raise ConfigError(
                    f"{config}: unknown setting {name!r}; known are {', '.join(sorted(actions))}"
                )
            if isinstance(value, bool) != (action.nargs == 0):
                raise ConfigError(
                    f"{config}: {name} must be {'true or false' if action.nargs == 0 else 'a value'}"
                )
            if ENVIRONMENT + action.dest.upper() not in os.environ:
                # Text goes through the option's own check.
                parser.set_defaults(**{action.dest: value if isinstance(value, bool) else str(value)})
    except ConfigError as error:
        parser.error(str(error))
    return parser.parse_args(argv)


def load_key(parser: argparse.ArgumentParser, args: argparse.Namespace) -> Keypair:
    """The account's key pair; ends with a usage error if none is given."""
    from llmnet.chain import KeyFormatError, Keypair
    from llmnet.cli.config import ConfigError, check_protocol_key
    from llmnet.cli.passwords import asker

    if (args.dev_key is None) == (args.key_file is None):
        parser.error("give one of --dev-key and --key-file")
    try:
        if args.dev_key:
            return Keypair.from_uri(f"//{args.dev_key}")
        path = Path(args.key_file)
        pair = Keypair.from_file(path, asker(args.password_fd, path))
        check_protocol_key(pair)
        return pair
    except (KeyFormatError, ConfigError, OSError) as error:
        parser.error(str(error))


BackendFactory = Callable[[argparse.Namespace, "ModelFiles", "ServiceSpec"], "Backend"]


def engine_backend(args: argparse.Namespace, files: ModelFiles, spec: ServiceSpec) -> Backend:
    """What an honest worker computes with."""
    import torch

    from llmnet.engine import AsyncEngine, Engine
    from llmnet.worker import EngineBackend

    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    engine = Engine(
        files,
        spec,
        max_batch=args.max_batch,
        max_step_tokens=max(args.step_tokens, args.max_batch),
        prefix_cache=not args.no_prefix_cache,
        device=device,
    )
    return EngineBackend(AsyncEngine(engine))


def wrong_backend(args: argparse.Namespace, files: ModelFiles, spec: ServiceSpec) -> Backend:
    """What planted answers are computed with: the model without its middle layer."""
    from llmnet.engine import AsyncEngine, Engine, LlamaModel, skip_layer
    from llmnet.worker import EngineBackend

    honest = LlamaModel.from_files(files, spec.numerics, "cpu")
    model = skip_layer(honest, len(honest.layers) // 2)
    return EngineBackend(AsyncEngine(Engine(files, spec, max_batch=args.max_batch, model=model)))


def default_store(account: bytes) -> Path:
    """A folder of the user's data directory, by account."""
    import platformdirs

    home = os.environ.get("LLMNET_HOME") or platformdirs.user_data_dir("llmnet")
    return Path(home) / "worker" / account.hex()[:16]


def listen(host: str, port: int) -> socket.socket:
    """The door's socket. Raises OSError that names the address."""
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise OSError(
            f"cannot listen at {host}:{port}: {error.strerror or error}; pass another --port or --host"
        ) from None


async def until_signal(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run `work`. A signal sets its event; if it has not ended STOP_SECONDS later, it is cancelled."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    working = asyncio.create_task(work(stop))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    await asyncio.wait({working}, timeout=STOP_SECONDS)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    if not working.cancelled():
        working.result()


async def serve(
    args: argparse.Namespace, keys: Keypair, make_backend: BackendFactory, stop: asyncio.Event
) -> None:
    """Connect, load, serve until `stop` is set."""
    with listen(args.host, args.port) as listener:
        await _serve(args, keys, make_backend, listener, stop)


async def _serve(
    args: argparse.Namespace,
    keys: Keypair,
    make_backend: BackendFactory,
    listener: socket.socket,
    stop: asyncio.Event,
) -> None:
    from llmnet.chain import Client
    from llmnet.cli.selftest import before_offering, registered_row
    from llmnet.engine import ensure_default_model, load_model_dir
    from llmnet.worker import Worker, WorkerConfig
    from llmnet.worker.plants import PlantedBackend, Plants

    logging.getLogger(__name__).info("connecting to %s", args.node)
    async with Client.connect(args.node) as client:
        files = ensure_default_model() if args.model is None else load_model_dir(Path(args.model))
        spec = spec_of_model(files, args.numerics)
        planted = (lambda *_: False) if args.plants is None else Plants(args.plants)
        backend = make_backend(args, files, spec)
        folder = Path(args.store) if args.store else default_store(keys.public)
        policy = numeric_policy().digest()
        if not args.skip_self_test:
            row = await registered_row(client, spec)
            await before_offering(backend, files, spec, row, policy, folder / "selftest.json")
        config = WorkerConfig(
            store=folder / "worker.sqlite",
            endpoint=args.endpoint or f"http://{args.host}:{listener.getsockname()[1]}",
            price_in=args.price_in,
            price_out=args.price_out,
            bond=args.bond,
            register_spec=args.register_spec,
            capacity=args.max_batch,
            max_unpaid=args.max_unpaid,
            appeal=args.appeal == "auto",
            appeal_tokens=args.appeal_tokens,
            appeal_bonds=args.appeal_bonds,
        )
        if args.plants is not None:
            backend = PlantedBackend(backend, lambda: wrong_backend(args, files, spec), planted)
        name = f"engine/{policy.hex()}"
        worker = Worker(config, client, keys, files, spec, backend, backend_name=name, planted=planted)
        await worker.serve(listener, stop)


def run(parser: argparse.ArgumentParser, args: argparse.Namespace, make_backend: BackendFactory) -> int:
    """Run the daemon; returns the exit status."""
    set_up_logging(args.log_level, as_json=args.json)
    keys = load_key(parser, args)
    from llmnet.chain import TransportError

    try:
        asyncio.run(until_signal(lambda stop: serve(args, keys, make_backend, stop)))
    except (TransportError, ConnectionError) as error:
        print(f"llmnet-worker: the node at {args.node} cannot be reached: {error}", file=sys.stderr)
        return 3
    except expected_failures() as error:
        print(f"llmnet-worker: {error}", file=sys.stderr)
        return 1
    return 0


def expected_failures() -> tuple[type[Exception], ...]:
    """What ends the daemon with a message and no traceback. Asked for when something fails: a start does not wait for it."""
    from llmnet.chain import ChainError, DispatchFailed
    from llmnet.engine import EngineError
    from llmnet.kernels import KernelError
    from llmnet.measure import MeasureError
    from llmnet.verifier import VerifierError
    from llmnet.worker import WorkerError

    return (
        WorkerError,
        EngineError,
        KernelError,
        MeasureError,
        VerifierError,
        DispatchFailed,
        ChainError,
        OSError,
    )


def numeric_policy() -> Policy:
    """What decides the bits that this machine computes: on its GPU if it has one, else on its CPU."""
    import torch

    if torch.cuda.is_available():
        from llmnet.kernels.policy import policy

        return policy("cuda")
    from llmnet.engine.cpu.policy import cpu_policy

    return cpu_policy()


def print_policy() -> int:
    """Print the numeric policy; returns the exit status."""
    from llmnet.kernels import KernelError

    try:
        print(json.dumps(numeric_policy().to_json(), indent=1))
    except KernelError as error:
        print(f"llmnet-worker: {error}", file=sys.stderr)
        return 1
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The console script."""
    parser = build_parser()
    args = parse(parser, argv)
    if args.print_policy:
        return print_policy()
    if args.self_test:
        from llmnet.cli.selftest import run_alone

        return run_alone(args, engine_backend)
    return run(parser, args, engine_backend)


if __name__ == "__main__":
    sys.exit(main())
