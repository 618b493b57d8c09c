"""Settings come from the nearest source, and every error names the source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.cli.config import ConfigError, Settings, load, load_signer, user_settings
from llmnet.cli.values import parse_account, parse_amount, parse_answer
from llmnet.gateway.amounts import tokens


@dataclass(frozen=True)
class Sample:
    name: str = "default"
    count: int = 1
    ratio: float = 0.5
    loud: bool = False
    path: Path | None = None
    numbers: tuple[int, ...] = ()


def read(flags: dict[str, object], environ: dict[str, str], toml: str | None, tmp_path: Path) -> Sample:
    file = None
    if toml is not None:
        file = tmp_path / "c.toml"
        file.write_text(toml)
    return load(Sample, flags=flags, prefix="X_", table="sample", file=file, environ=environ)


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    toml = '[sample]\nname = "file"\n'
    assert read({"name": "flag"}, {"X_NAME": "env"}, toml, tmp_path).name == "flag"
    assert read({"name": None}, {"X_NAME": "env"}, toml, tmp_path).name == "env"
    assert read({}, {}, toml, tmp_path).name == "file"
    assert read({}, {"X_NAME": ""}, None, tmp_path).name == "default"


def test_every_type_from_every_source(tmp_path: Path) -> None:
    wanted = Sample("a", 2, 1.5, True, Path("/p"), (1, 2))
    toml = '[sample]\nname = "a"\ncount = 2\nratio = 1.5\nloud = true\npath = "/p"\nnumbers = [1, 2]\n'
    environ = {
        "X_NAME": "a",
        "X_COUNT": "2",
        "X_RATIO": "1.5",
        "X_LOUD": "yes",
        "X_PATH": "/p",
        "X_NUMBERS": "1,2",
    }
    assert read({}, {}, toml, tmp_path) == wanted
    assert read({}, environ, None, tmp_path) == wanted
    assert read({**vars(wanted)}, {}, None, tmp_path) == wanted


@pytest.mark.parametrize(
    ("environ", "toml", "message"),
    [
        ({"X_COUNT": "many"}, None, "X_COUNT must be a whole number"),
        ({"X_RATIO": "nan"}, None, "X_RATIO must be a number"),
        ({"X_LOUD": "maybe"}, None, "X_LOUD must be yes or no"),
        ({}, "[sample]\ncount = 1.5", "count must be a whole number"),
        ({}, "[sample]\ncount = true", "count must be a whole number"),
        ({}, "[sample]\nname = 5", "name must be text"),
        ({}, "[sample]\nnumbers = 5", "numbers must be a list"),
        ({}, "[sample]\nnumebrs = [1]", "unknown setting 'numebrs'; known are"),
        ({}, "sample = 5", "sample must be a table"),
        ({}, "=", "is not TOML"),
    ],
)
def test_a_bad_value_is_named_with_its_source(
    environ: dict[str, str], toml: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        read({}, environ, toml, tmp_path)


def test_a_missing_file_is_an_error_only_if_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert user_settings({}).node == Settings().node
    with pytest.raises(ConfigError, match="cannot be read"):
        user_settings({}, tmp_path / "absent.toml")
    monkeypatch.setenv("LLMNET_CONFIG", str(tmp_path / "named.toml"))
    with pytest.raises(ConfigError, match=r"named\.toml"):
        user_settings({})


def test_the_users_file_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "xdg_config_home" / "llmnet"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('node = "ws://elsewhere:1"\n')
    assert user_settings({}).node == "ws://elsewhere:1"


def test_keys_come_from_files_or_development_names(tmp_path: Path) -> None:
    from llmnet.chain import Keypair

    with pytest.raises(ConfigError, match="llmnet keys new"):
        load_signer(Settings(home=tmp_path))
    made = Keypair.create_file(tmp_path / "key")
    assert load_signer(Settings(home=tmp_path)).public == made.public
    assert load_signer(Settings(dev_key="Alice")).public == Keypair.from_uri("//Alice").public
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_signer(Settings(home=tmp_path))


@given(st.integers(0, (1 << 128) - 1))
def test_amounts_survive_printing_and_reading(plancks: int) -> None:
    assert parse_amount(tokens(plancks).replace(",", "")) == plancks


@pytest.mark.parametrize(
    "text",
    ["", "-1", "1e3", "1.0000000000001", "nan", "inf", "1,5", "0x10", "\uff11", " 1", "9" * 50, "9" * 30],
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_amount(text)


def test_accounts_in_every_notation() -> None:
    from llmnet.chain import Keypair

    alice = Keypair.from_uri("//Alice")
    for text in ("Alice", "//Alice", alice.address, "0x" + alice.public.hex()):
        assert parse_account(text) == alice.public
    for text in ("", "Alise", "//", "0x12", "0xzz", alice.address[:-1] + "1", "Worker0", "Worker100"):
        with pytest.raises(ConfigError):
            parse_account(text)


def test_answers_by_number() -> None:
    assert parse_answer("12/3") == parse_answer("12-3") == (12, 3)
    for text in ("12", "a/b", "1/2/3", "-1/2", "1/" + "9" * 20):
        with pytest.raises(ConfigError):
            parse_answer(text)
