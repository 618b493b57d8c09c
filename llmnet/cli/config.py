"""Settings of a console script: flag > environment > TOML file > default, each value with the name of its source in errors.

    settings = load(Settings, flags={"node": None, "timeout": "30"}, prefix="LLMNET_", file=Path("llmnet.toml"))

A settings class is a frozen dataclass whose fields are str, int, float, bool, Path, or tuples of them, or optional ones.
"""

from __future__ import annotations

import dataclasses
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from llmnet.chain import Keypair, Signer

S = TypeVar("S")
PREFIX = "LLMNET_"
DEFAULT_NODE = "ws://127.0.0.1:9944"
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


class ConfigError(ValueError):
    """A setting cannot be used; the message names its source and what it should be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What every command of `llmnet` is told. Without a key file the key in the home directory is used."""

    node: str = DEFAULT_NODE
    home: Path | None = None
    key_file: Path | None = None
    dev_key: str | None = None
    password_fd: int | None = None
    proxy_for: str | None = None
    timeout: float = 60.0

    @property
    def home_dir(self) -> Path:
        """Where state is kept: `home`, or the user's data directory."""
        if self.home is not None:
            return self.home.expanduser()
        import platformdirs

        return Path(platformdirs.user_data_dir("llmnet"))


def load(
    kind: type[S],
    *,
    flags: Mapping[str, Any],
    prefix: str,
    table: str | None = None,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> S:
    """Make a settings object. `flags` that are None were not given; the environment is `prefix + FIELD`.

    `file` must exist; `table` is the TOML table of this program, by default the top level. Raises ConfigError.
    """
    environ = os.environ if environ is None else environ
    hints = typing.get_type_hints(kind)
    fields = {field.name: hints[field.name] for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in file_values(file, table).items():
        key = name.replace("-", "_")
        if key not in fields:
            raise ConfigError(f"{file}: unknown setting {name!r}; known are {', '.join(sorted(fields))}")
        values[key] = _convert(value, fields[key], f"{file}: {name}")
    for name, hint in fields.items():
        variable = prefix + name.upper()
        if environ.get(variable):
            values[name] = _convert(environ[variable], hint, f"the environment's {variable}")
        if flags.get(name) is not None:
            values[name] = _convert(flags[name], hint, "--" + name.replace("_", "-"))
    return kind(**values)


def file_values(file: Path | None, table: str | None) -> dict[str, Any]:
    """The settings in a TOML file, or in one of its tables; none without a file. Raises ConfigError."""
    if file is None:
        return {}
    import tomllib

    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the configuration {file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration {file} is not TOML: {error}") from None
    values = content.get(table, {}) if table else content
    if not isinstance(values, dict):
        raise ConfigError(f"{file}: {table} must be a table")
    return values


def _convert(value: Any, hint: Any, source: str) -> Any:
    """`value` as the field's type. Text is parsed; anything else must have the type already."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (option for option in typing.get_args(hint) if option is not type(None))
    if typing.get_origin(hint) is tuple:
        items = [part for part in value.split(",") if part] if isinstance(value, str) else value
        if not isinstance(items, (list, tuple)):
            raise ConfigError(f"{source} must be a list, not {value!r}")
        return tuple(_convert(item, typing.get_args(hint)[0], source) for item in items)
    if hint is bool:
        return _boolean(value, source)
    if hint in (int, float):
        return _number(value, hint, source)
    if not isinstance(value, (str, Path)) or str(value) == "":
        raise ConfigError(f"{source} must be text, not {value!r}")
    return hint(value)


def _boolean(value: Any, source: str) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise ConfigError(f"{source} must be yes or no, not {value!r}")


def _number(value: Any, kind: type[int] | type[float], source: str) -> int | float:
    name = "a whole number" if kind is int else "a number"
    try:
        if isinstance(value, bool):
            raise ValueError
        number = kind(value)
        if number != number or (kind is int and not isinstance(value, str) and number != value):
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigError(f"{source} must be {name}, not {value!r}") from None
    return number


def default_config_file(environ: Mapping[str, str] | None = None) -> Path | None:
    """`$LLMNET_CONFIG`, or `config.toml` in the user's configuration directory if it is there."""
    environ = os.environ if environ is None else environ
    if environ.get(PREFIX + "CONFIG"):
        return Path(environ[PREFIX + "CONFIG"])
    import platformdirs

    path = Path(platformdirs.user_config_dir("llmnet")) / "config.toml"
    return path if path.is_file() else None


def user_settings(flags: Mapping[str, Any], file: Path | None = None) -> Settings:
    """The settings of the command `llmnet`. Raises ConfigError."""
    return load(Settings, flags=flags, prefix=PREFIX, file=file or default_config_file())


def default_key_file(settings: Settings) -> Path:
    """Where `llmnet keys new` puts a key when it is not told."""
    return settings.home_dir / "key"


def load_key(settings: Settings) -> Keypair:
    """The key that signs: `--dev-key`, else the key file, else the key in the home directory. Raises ConfigError."""
    from llmnet.chain import KeyFormatError, Keypair

    from .passwords import asker

    try:
        if settings.dev_key is not None:
            return Keypair.from_uri("//" + settings.dev_key.removeprefix("//"))
        path = settings.key_file or default_key_file(settings)
        return Keypair.from_file(path.expanduser(), asker(settings.password_fd, path))
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no key in {error.filename}: run `llmnet keys new`, pass --key-file, or on a development "
            "chain --dev-key Requester1"
        ) from None
    except KeyFormatError as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        raise ConfigError(f"the key file {error.filename} cannot be read: {error.strerror}") from None


def check_protocol_key(signer: Signer) -> None:
    """Requests, receipts and vouchers are sr25519 signatures. Raises ConfigError for any other key."""
    if signer.scheme.name != "sr25519":
        raise ConfigError(
            f"this key is {signer.scheme.name}, and what is signed beside the chain must be sr25519: use another key"
        )


def load_signer(settings: Settings) -> Signer:
    """Who acts: the account of `load_key`, or with `--proxy-for` the account whose proxy it is. Raises ConfigError."""
    key = load_key(settings)
    if settings.proxy_for is None:
        return key
    from llmnet.chain import Delegate

    from .values import parse_account

    return Delegate(key, parse_account(settings.proxy_for))
