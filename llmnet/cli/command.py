"""What all commands share: common options, settings, connection, error reporting."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .config import ConfigError, Settings, check_protocol_key, load_signer, user_settings
from .output import INTERRUPTED, OK, UNREACHABLE, USAGE, fail, status_of

if TYPE_CHECKING:
    from llmnet.chain import Client, Signer
    from llmnet.gateway import Requester

Node = Annotated[str | None, typer.Option(metavar="URL", help="Node to use.")]
Home = Annotated[Path | None, typer.Option(metavar="DIR", help="Where state is kept.")]
KeyFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Key file, mode 0600.")]
DevKey = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Development account, e.g. Requester1."),
]
PasswordFd = Annotated[
    int | None, typer.Option(metavar="N", help="Descriptor with the key's password; else it is asked.")
]
ProxyFor = Annotated[
    str | None, typer.Option(metavar="ACCOUNT", help="Act for this account, whose proxy the key is.")
]
Config = Annotated[Path | None, typer.Option(metavar="FILE", help="TOML file.")]
Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
CONNECT_SECONDS = 8.0
_COMMON: dict[str, tuple[Any, Any]] = {
    "node": (Node, None),
    "key_file": (KeyFile, None),
    "dev_key": (DevKey, None),
    "password_fd": (PasswordFd, None),
    "proxy_for": (ProxyFor, None),
    "home": (Home, None),
    "config": (Config, None),
    "json": (Json, False),
}


@dataclass(frozen=True, slots=True)
class Context:
    """One run of a command: its settings, and whether it prints JSON."""

    settings: Settings
    json: bool
    _signers: dict[Settings, Signer] = field(default_factory=dict, compare=False, repr=False)

    def signer(self) -> Signer:
        """The acting account; its password is asked once. Raises ConfigError."""
        found = self._signers.get(self.settings)
        if found is None:
            found = self._signers[self.settings] = load_signer(self.settings)
        return found

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A connection to the node. Raises ConfigError for an address that is none, ConnectionError if nobody answers."""
        from llmnet.chain import Client, TransportError

        urls = [url.strip() for url in self.settings.node.split(",") if url.strip()]
        if not urls or not all(url.startswith(("ws://", "wss://")) for url in urls):
            raise ConfigError(f"the node {self.settings.node!r} is not a ws:// or wss:// address")
        cache = self.settings.home_dir / "cache" / "metadata"
        connection = Client.connect(urls, cache_dir=cache, request_timeout=self.settings.timeout)
        try:
            client = await asyncio.wait_for(
                connection.__aenter__(), min(self.settings.timeout, CONNECT_SECONDS)
            )
        except (TransportError, OSError) as error:
            reason = str(error) or "no answer in time"
            raise ConnectionError(
                f"no node answers at {self.settings.node} ({reason}): start one with `llmnet-node --dev`, or pass --node"
            ) from None
        try:
            yield client
        finally:
            await connection.__aexit__(None, None, None)

    @asynccontextmanager
    async def requester(self) -> AsyncIterator[tuple[Client, Requester]]:
        """A connection and the requester of the acting account."""
        from llmnet.gateway import Patience, Requester

        if self.settings.proxy_for is not None:
            raise ConfigError(
                "requests and vouchers are signed by the requester itself: leave --proxy-for away"
            )
        check_protocol_key(self.signer())
        signer, patience = self.signer(), Patience(seconds=self.settings.timeout)
        async with (
            self.client() as client,
            Requester(client, signer, self.settings.home_dir, patience=patience) as requester,
        ):
            yield client, requester


Body = Callable[..., Coroutine[Any, Any, int | None]]


def command(app: typer.Typer, name: str, **options: Any) -> Callable[[Body], Body]:
    """Registers `async def body(context, …)` with the common options added; its result is the exit status."""

    def register(body: Body) -> Body:
        own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]

        @functools.wraps(body)
        def run(**values: Any) -> None:
            common = {key: values.pop(key) for key in _COMMON}
            raise typer.Exit(run_body(body, common, values))

        shared = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
            for key, (hint, default) in _COMMON.items()
        ]
        parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own] + shared
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name, **options)(run)
        return body

    return register


def run_body(body: Body, common: dict[str, Any], values: dict[str, Any]) -> int:
    """Runs a command; any error that is an answer to the user becomes one line and an exit status."""
    as_json = bool(common["json"])
    try:
        settings = _settings(common)
        return asyncio.run(body(Context(settings, as_json), **values)) or OK
    except KeyboardInterrupt:
        return fail("interrupted; what was begun is kept and goes on next time", INTERRUPTED, as_json=as_json)
    except BrokenPipeError:
        return INTERRUPTED
    except Exception as error:
        code = status_of(error)
        if code is None:
            raise
        return fail(_sentence(error, code), code, as_json=as_json)


def _sentence(error: Exception, code: int) -> str:
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.filename and error.strerror:
        text = f"{error.filename}: {error.strerror}"
    if code == UNREACHABLE and isinstance(error, TimeoutError):
        text = "the node did not answer in time"
    return text


def _settings(common: dict[str, Any]) -> Settings:
    flags = {key: common[key] for key in ("node", "key_file", "dev_key", "home", "password_fd", "proxy_for")}
    settings = user_settings(flags, common["config"])
    # The nearer source names the account: a key file on the command line beats a development key elsewhere.
    if flags["key_file"] is not None and flags["dev_key"] is not None:
        raise ConfigError("give one of --key-file and --dev-key")
    if flags["key_file"] is not None:
        return replace(settings, dev_key=None)
    return settings


__all__ = ["USAGE", "Context", "command"]
