"""`llmnet keys`: what each command does with secrets, passwords and files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from llmnet.chain import Keypair
from llmnet.cli import passwords
from llmnet.cli.config import ConfigError, Settings, load_signer
from llmnet.cli.main import app
from llmnet.cli.validator import main as validator
from llmnet.cli.worker import build_parser, load_key

PHRASE = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
PASSWORD = "open sesame"


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmnet.chain.keystore.WRITTEN", (1 << 15, 1, 8))


@contextmanager
def descriptor(text: str) -> Iterator[str]:
    """A pipe that holds a secret, as a parent process would pass it."""
    reading, writing = os.pipe()
    try:
        os.write(writing, text.encode())
        os.close(writing)
        yield str(reading)
    finally:
        os.close(reading)


def run(cli: CliRunner, *arguments: str | Path, status: int = 0, **options: Any) -> Any:
    result = cli.invoke(app, ["keys", *map(str, arguments), "--json"], **options)
    assert result.exit_code == status, result.output
    return json.loads(result.stdout) if status == 0 else result.output


def encrypted(cli: CliRunner, path: Path, scheme: str = "sr25519") -> Any:
    with descriptor(PASSWORD + "\n") as number:
        return run(cli, "new", path, "--encrypt", "--new-password-fd", number, "--scheme", scheme)


@pytest.mark.parametrize("scheme", ["sr25519", "ed25519", "ecdsa"])
def test_an_encrypted_key_is_made_inspected_and_used_with_its_password_only(
    cli: CliRunner, tmp_path: Path, scheme: str
) -> None:
    path = tmp_path / "key.json"
    made = encrypted(cli, path, scheme)
    assert path.stat().st_mode & 0o777 == 0o600
    with descriptor(PASSWORD) as number:
        seen = run(cli, "inspect", path, "--password-fd", number, "--network", "0")
    assert (seen["scheme"], seen["account"]) == (scheme, made["account"])
    assert seen["address"] != made["address"]  # that of another network
    with descriptor("open\n") as number:
        assert "wrong" in run(cli, "inspect", path, "--password-fd", number, status=1)
    assert "--password-fd" in run(cli, "inspect", path, status=2)


def test_a_phrase_is_shown_only_when_asked_for_and_gives_the_key_back(cli: CliRunner, tmp_path: Path) -> None:
    made = run(cli, "new", tmp_path / "a", "--show-phrase", "--words", "24")
    assert len(made["phrase"].split()) == 24
    assert "phrase" not in run(cli, "new", tmp_path / "b")
    with descriptor(made["phrase"]) as number:
        again = run(cli, "import", tmp_path / "c", "--secret-fd", number)
    assert again["account"] == made["account"] and "phrase" not in again
    assert "words" in run(cli, "new", tmp_path / "d", "--show-phrase", "--words", "13", status=1)


def test_a_secret_is_printed_only_when_asked_for(cli: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "key"
    with descriptor(f"{PHRASE}//Alice\n") as number:
        shown = run(cli, "import", path, "--secret-fd", number)
    assert shown["address"] == "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
    assert PHRASE not in json.dumps(run(cli, "inspect", path))
    assert run(cli, "inspect", path, "--show-secret")["secret"] == f"{PHRASE}//Alice"
    encrypted(cli, tmp_path / "locked")
    with descriptor(PASSWORD) as number:
        out = run(cli, "inspect", tmp_path / "locked", "--show-secret", "--password-fd", number, status=2)
    assert "holds no phrase" in out


def test_wallet_files_go_in_and_out(cli: CliRunner, tmp_path: Path) -> None:
    run(cli, "new", tmp_path / "plain")
    with descriptor(PASSWORD) as number:
        out = run(
            cli,
            *("export", tmp_path / "wallet.json", "--key-file", tmp_path / "plain"),
            *("--name", "mine", "--new-password-fd", number),
        )
    stored = json.loads((tmp_path / "wallet.json").read_text())
    assert (stored["meta"]["name"], stored["address"]) == ("mine", out["address"])
    with descriptor(PASSWORD) as number:
        back = run(
            cli, "import", tmp_path / "back", "--from", tmp_path / "wallet.json", "--password-fd", number
        )
    assert back["account"] == out["account"]
    with descriptor("wrong") as number:
        arguments = ("import", tmp_path / "no", "--from", tmp_path / "wallet.json", "--password-fd", number)
        run(cli, *arguments, status=1)
    assert not (tmp_path / "no").exists()
    with descriptor(PASSWORD) as number:
        again = ("export", tmp_path / "wallet.json", "--dev-key", "Alice", "--new-password-fd", number)
        assert "not overwritten" in run(cli, *again, status=2)


def test_keys_are_listed_without_their_passwords(cli: CliRunner, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    locked = encrypted(cli, folder / "locked", "ecdsa")
    plain = run(cli, "new", folder / "plain", "--scheme", "ed25519")
    (folder / "notes.txt").write_text("no key")
    (folder / "folder").mkdir()
    assert run(cli, "list", folder) == [
        {"file": "locked", "address": locked["address"], "scheme": "ecdsa", "encrypted": True},
        {"file": "plain", "address": plain["address"], "scheme": "ed25519", "encrypted": False},
    ]
    run(cli, "list", tmp_path / "none", status=1)


@pytest.mark.parametrize("scheme", ["sr25519", "ed25519", "ecdsa"])
@pytest.mark.parametrize("how", [[], ["--raw"]])
def test_signatures_verify_and_only_for_what_was_signed(
    cli: CliRunner, tmp_path: Path, scheme: str, how: list[str]
) -> None:
    key, message = tmp_path / "key", tmp_path / "message"
    account = run(cli, "new", key, "--scheme", scheme)["address"]
    message.write_bytes(b"what was agreed\n")
    signature = run(cli, "sign", message, "--key-file", key, *how)["signature"]
    assert run(cli, "verify", account, signature, message) == {"valid": True, "scheme": scheme}
    assert run(cli, "verify", account, signature, "-", input="what was agreed\n")["valid"]
    for other in (["Bob", signature], [account, signature[:-2]], [account, "0x" + "00" * 64]):
        assert '"valid": false' in run(cli, "verify", *other, message, status=1)
    assert '"valid": false' in run(cli, "verify", account, signature, "-", input="another", status=1)
    run(cli, "verify", account, "zz", message, status=2)


def test_a_transaction_cannot_be_signed_as_a_message_by_mistake(cli: CliRunner, tmp_path: Path) -> None:
    key, message = tmp_path / "key", tmp_path / "message"
    run(cli, "new", key)
    message.write_bytes(b"payload")
    signature = bytes.fromhex(run(cli, "sign", message, "--key-file", key)["signature"][2:])
    pair = Keypair.from_file(key)
    assert not pair.scheme.verify(pair.public, b"payload", signature)


def test_a_proxy_acts_for_its_owner_and_buys_nothing_in_its_name(cli: CliRunner, tmp_path: Path) -> None:
    alice, bob = Keypair.from_uri("//Alice"), Keypair.from_uri("//Bob")
    signer = load_signer(Settings(dev_key="Alice", proxy_for=bob.address))
    assert (signer.account, signer.public) == (bob.account, alice.public)
    shown = run(cli, "show", "--dev-key", "Alice", "--proxy-for", "Bob")
    assert shown["address"] == bob.address
    result = cli.invoke(app, ["ask", "x", "--dev-key", "Alice", "--proxy-for", "Bob"])
    assert result.exit_code == 2 and "--proxy-for" in result.stderr
    run(cli, "show", "--dev-key", "Alice", "--proxy-for", "nobody", status=2)


def test_daemons_open_encrypted_keys(
    cli: CliRunner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "key.json"
    made = encrypted(cli, path)
    parser = build_parser()
    with descriptor(PASSWORD) as number:
        args = parser.parse_args(["--key-file", str(path), "--password-fd", number])
        assert "0x" + load_key(parser, args).account.hex() == made["account"]
    with descriptor("wrong") as number, pytest.raises(SystemExit):
        load_key(parser, parser.parse_args(["--key-file", str(path), "--password-fd", number]))
    assert "password is wrong" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        load_key(parser, parser.parse_args(["--key-file", str(path)]))


@pytest.mark.parametrize("scheme", ["ed25519", "ecdsa"])
def test_what_signs_beside_the_chain_must_be_sr25519(
    cli: CliRunner, tmp_path: Path, capsys: pytest.CaptureFixture[str], scheme: str
) -> None:
    path = tmp_path / "key"
    run(cli, "new", path, "--scheme", scheme)
    result = cli.invoke(app, ["ask", "x", "--key-file", str(path)])
    assert result.exit_code == 2 and "must be sr25519" in result.stderr
    assert validator(["--key-file", str(path)]) == 2
    assert "must be sr25519" in capsys.readouterr().err
    parser = build_parser()
    with pytest.raises(SystemExit):
        load_key(parser, parser.parse_args(["--key-file", str(path)]))


def test_passwords_from_descriptors(tmp_path: Path) -> None:
    for text, wanted in (("a b\n", "a b"), ("a\r\nsecond", "a"), ("", ""), ("ä", "ä")):
        with descriptor(text) as number:
            assert passwords.from_descriptor(int(number)) == wanted
    for bad in ("x" * 5000, "\udcff"):
        reading, writing = os.pipe()
        os.write(writing, bad.encode(errors="surrogateescape"))
        os.close(writing)
        with pytest.raises(ConfigError):
            passwords.from_descriptor(reading)
        os.close(reading)
    with pytest.raises(ConfigError, match="descriptor 999"):
        passwords.from_descriptor(999)


def test_passwords_from_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    typed: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _: typed.pop(0))
    typed[:] = ["secret", "secret"]
    assert passwords.new_password(None) == "secret"
    for wrong in (["one", "two"], ["", ""]):
        typed[:] = wrong
        with pytest.raises(ConfigError, match="nothing was written"):
            passwords.new_password(None)
    typed[:] = ["secret"]
    assert passwords.asker(None, Path("key"))() == "secret"
