"""The console script `llmnet-validator`: checks what workers answered."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import DEFAULT_NODE, ConfigError, Settings, check_protocol_key, load, load_signer
from .logs import set_up_logging

if TYPE_CHECKING:
    from llmnet.chain import Signer
    from llmnet.engine.weights import ModelFiles

PREFIX = "LLMNET_VALIDATOR_"
UNIT = 10**12
GRACE_SECONDS = 3.0
LEVELS = ("debug", "info", "warning", "error")
DESCRIPTION = """\
Takes part in the beacon, and checks the audited answers it is drawn for: fetches request and
tokens from the worker, runs one reference prefill, commits to the result, reveals it later.

  llmnet-validator --dev-key Validator1 --bond 1000
  llmnet-validator --node ws://chain.example:9944 --key-file validator.key --model DIR --store DIR
"""
EPILOG = f"""\
Each option can be set by the environment as {PREFIX}NAME (for example {PREFIX}NODE=ws://...) or in the table
[validator] of a TOML file (--config); the command line wins over the environment, the environment over the file.
A key is never an argument: --dev-key names a public development account, any other key comes from a file that
only its owner may read.
Exit status: 0 after SIGINT or SIGTERM, 1 failure, 2 wrong usage, 3 the node cannot be reached.
"""


@dataclass(frozen=True, slots=True)
class ValidatorSettings:
    """What the command is told; `bond` is an amount of whole tokens as text."""

    node: str = DEFAULT_NODE
    dev_key: str | None = None
    key_file: Path | None = None
    password_fd: int | None = None
    proxy_for: str | None = None
    bond: str | None = None
    model: tuple[Path, ...] = ()
    store: Path | None = None
    provider: str = "cpu"
    threads: int = 1
    looks: int = 256
    no_beacon: bool = False
    log_level: str = "info"
    json: bool = False


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="llmnet-validator",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    chain = parser.add_argument_group("chain and account")
    chain.add_argument("--node", metavar="URL", help=f"default: {DEFAULT_NODE}")
    chain.add_argument("--dev-key", metavar="NAME", help="development account, for example Validator1")
    chain.add_argument("--key-file", metavar="FILE", help="key file, mode 0600, or encrypted")
    chain.add_argument(
        "--password-fd", metavar="N", help="descriptor with the key's password; else it is asked"
    )
    chain.add_argument(
        "--proxy-for", metavar="ACCOUNT", help="validate as this account, whose proxy the key is"
    )
    chain.add_argument("--bond", metavar="TOKENS", help="bond this much if the account is not bonded")
    chain.add_argument(
        "--no-beacon", action="store_const", const=True, help="give no shares of the public randomness"
    )
    checking = parser.add_argument_group("checking")
    checking.add_argument(
        "--model",
        metavar="DIR",
        action="append",
        help="model directory; may be repeated (default: SmolLM2-135M-Instruct, fetched once)",
    )
    checking.add_argument("--provider", metavar="NAME", help="where references run: cpu (default) or cuda")
    checking.add_argument("--threads", metavar="N", help="threads of a reference run (default: 1)")
    checking.add_argument(
        "--looks",
        metavar="N",
        help="positions beside the drawn ones at which it looks for something to challenge; 0: none (default: 256)",
    )
    keeping = parser.add_argument_group("keeping and telling")
    keeping.add_argument(
        "--store", metavar="DIR", help="where commitments are kept (default: in the user's data directory)"
    )
    keeping.add_argument("--config", metavar="FILE.toml", type=Path, help="settings in its table [validator]")
    keeping.add_argument("--log-level", metavar="LEVEL", help=f"{', '.join(LEVELS)} (default: info)")
    keeping.add_argument("--json", action="store_const", const=True, help="log one JSON object a line")
    return parser


def read_settings(args: argparse.Namespace) -> ValidatorSettings:
    """Settings from flags, environment and file. Raises ConfigError."""
    flags = {name: value for name, value in vars(args).items() if name != "config"}
    flags["model"] = None if args.model is None else ",".join(args.model)
    settings = load(
        ValidatorSettings,
        flags={name: value for name, value in flags.items() if value is not None},
        prefix=PREFIX,
        table="validator",
        file=args.config,
    )
    if settings.log_level not in LEVELS:
        raise ConfigError(f"the log level must be one of {', '.join(LEVELS)}, not {settings.log_level!r}")
    if settings.provider not in ("cpu", "cuda"):
        raise ConfigError(f"the provider must be cpu or cuda, not {settings.provider!r}")
    if (settings.dev_key is None) == (settings.key_file is None):
        raise ConfigError("give one of --dev-key and --key-file")
    if settings.threads < 1:
        raise ConfigError("--threads must be at least 1")
    if settings.looks < 0:
        raise ConfigError("--looks must not be negative")
    return settings


def plancks(text: str) -> int:
    """Plancks of an amount in whole tokens with up to 12 decimals. Raises ConfigError."""
    from decimal import Decimal, InvalidOperation

    try:
        value = Decimal(text) * UNIT
        if value.is_finite() and value >= 0 and value == value.to_integral_value():
            return int(value)
    except InvalidOperation:
        pass
    raise ConfigError(f"the bond must be an amount of tokens with at most 12 decimals, not {text!r}")


def home() -> Path:
    """`$LLMNET_HOME`, else the user's data directory, as `llmnet` has it. The rest of that command's settings is not this one's."""
    return Settings(home=Path(given) if (given := os.environ.get("LLMNET_HOME")) else None).home_dir


def store_file(settings: ValidatorSettings, account: bytes) -> Path:
    """One file an account, so that validators of one machine do not share it by mistake."""
    folder = settings.store or home() / "validator" / account.hex()[:16]
    return folder.expanduser() / "validator.sqlite"


def load_models(settings: ValidatorSettings) -> list[ModelFiles]:
    """The models' files, checked. Raises EngineError."""
    from llmnet.engine.default_model import ensure_default_model
    from llmnet.engine.weights import load_model_dir

    if not settings.model:
        return [ensure_default_model()]
    return [load_model_dir(path.expanduser()) for path in settings.model]


async def serve(settings: ValidatorSettings, keys: Signer, bond: int | None) -> None:
    """Connect, load, validate until a signal."""
    from llmnet.chain import Client
    from llmnet.verifier import Validator, ValidatorConfig

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    models = await asyncio.to_thread(load_models, settings)
    config = ValidatorConfig(
        store=store_file(settings, keys.account),
        bond=bond,
        beacon=not settings.no_beacon,
        provider={"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}[settings.provider],
        threads=settings.threads,
        looks=settings.looks,
    )

    async def work() -> None:
        async with Client.connect(settings.node) as client:
            await Validator(config, client, keys, models).serve(stop)

    await until_stopped(work(), stop)


async def until_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Run `work` to its end; once `stop` is set it has a moment to end by itself, then it is cancelled. Raises what it raises."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        await asyncio.wait({working}, timeout=GRACE_SECONDS)
    stopping.cancel()
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


def run(settings: ValidatorSettings, keys: Signer, bond: int | None) -> int:
    """Run the daemon; returns the exit status."""
    from llmnet.chain import ChainError, TransportError, WrongChain
    from llmnet.engine.errors import EngineError
    from llmnet.pallets.staking import BondError
    from llmnet.verifier import VerifierError

    try:
        asyncio.run(serve(settings, keys, bond))
    except WrongChain as error:
        return _fail(str(error), 1)
    except (TransportError, ConnectionError) as error:
        return _fail(f"the node at {settings.node} cannot be reached: {error}", 3)
    except (VerifierError, BondError, EngineError, ChainError, OSError) as error:
        return _fail(str(error), 1)
    return 0


def _fail(message: str, status: int) -> int:
    print(f"llmnet-validator: {message}", file=sys.stderr)
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """The console script."""
    args = build_parser().parse_args(argv)
    try:
        settings = read_settings(args)
        bond = None if settings.bond is None else plancks(settings.bond)
        keys = load_signer(
            Settings(
                dev_key=settings.dev_key,
                key_file=settings.key_file,
                password_fd=settings.password_fd,
                proxy_for=settings.proxy_for,
            )
        )
        check_protocol_key(keys)
    except ConfigError as error:
        return _fail(str(error), 2)
    set_up_logging(settings.log_level, as_json=settings.json)
    return run(settings, keys, bond)


if __name__ == "__main__":
    sys.exit(main())
