"""`llmnet keys`: new, show, inspect, import, export, list, sign, verify. Secrets stay in their files, or come from a prompt
or a descriptor; they are never arguments, and printed only by --show-phrase and --show-secret."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .command import Context, command
from .config import ConfigError, default_key_file, load_key
from .output import FAILED, OK, emit, say, table
from .passwords import asker, from_descriptor, new_password, secret_line
from .values import parse_account

if TYPE_CHECKING:
    from llmnet.chain import Keypair

Scheme = Annotated[
    str, typer.Option(metavar="NAME", help="sr25519, ed25519 or ecdsa; our daemons need sr25519.")
]
Encrypt = Annotated[bool, typer.Option("--encrypt", help="Write encrypted JSON, as polkadot-js does.")]
NewPasswordFd = Annotated[
    int | None, typer.Option(metavar="N", help="Read the new password from this descriptor.")
]
Message = Annotated[str, typer.Argument(metavar="[FILE]", help="What is signed; - is standard input.")]
Raw = Annotated[bool, typer.Option("--raw", help="The bytes themselves, not wrapped as wallets do.")]
MAX_MESSAGE = 16 << 20


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(help="Key files.", no_args_is_help=True)
    app.add_typer(group, name="keys")
    _add_making(group)
    _add_looking(group)
    _add_signing(group)


def _add_making(group: typer.Typer) -> None:
    @command(group, "new", help="Make a key in a new file of mode 0600.")
    async def new(
        context: Context,
        file: Annotated[
            Path | None, typer.Argument(metavar="[FILE]", help="Default: the key of this user.")
        ] = None,
        *,
        scheme: Scheme = "sr25519",
        encrypt: Encrypt = False,
        new_password_fd: NewPasswordFd = None,
        show_phrase: Annotated[
            bool, typer.Option("--show-phrase", help="Make it from a phrase, shown once, to write down.")
        ] = False,
        words: Annotated[int, typer.Option(help="Length of the phrase.")] = 12,
    ) -> None:
        import secrets

        from llmnet.chain.uris import new_phrase

        uri = new_phrase(words) if show_phrase else "0x" + secrets.token_hex(32)
        more = {"phrase": uri} if show_phrase else {}
        _write(context, file, uri, scheme, encrypt, new_password_fd, more)

    @command(group, "import", help="Put a phrase, seed or URI into a new key file; or a wallet's JSON.")
    async def import_(
        context: Context,
        file: Annotated[Path | None, typer.Argument(metavar="[FILE]")] = None,
        *,
        source: Annotated[
            Path | None, typer.Option("--from", metavar="JSON", help="A wallet's encrypted JSON file.")
        ] = None,
        secret_fd: Annotated[
            int | None,
            typer.Option(metavar="N", help="Read the secret from this descriptor; else it is asked."),
        ] = None,
        scheme: Scheme = "sr25519",
        encrypt: Encrypt = False,
        new_password_fd: NewPasswordFd = None,
    ) -> None:
        if source is not None:
            from llmnet.chain import Keypair

            text = _read_file(source)
            pair = Keypair.from_json(text, asker(context.settings.password_fd, source))
            _put(context, file, text, pair, {})
            return
        uri = (
            secret_line("Phrase, seed or URI: ", "pass the secret with --secret-fd N")
            if secret_fd is None
            else from_descriptor(secret_fd)
        )
        if uri.startswith("file:"):
            raise ConfigError("a key in a file needs no import: pass it with --key-file")
        _write(context, file, uri, scheme, encrypt, new_password_fd, {})

    @command(group, "export", help="Write the acting key as encrypted JSON, which wallets read.")
    async def export(
        context: Context,
        file: Annotated[Path, typer.Argument(metavar="FILE")],
        *,
        name: Annotated[str, typer.Option(help="How wallets call it.")] = "",
        new_password_fd: NewPasswordFd = None,
    ) -> None:
        pair = load_key(context.settings)
        _put(context, file, pair.to_json(new_password(new_password_fd), name), pair, {})


def _add_looking(group: typer.Typer) -> None:
    @command(group, "show", help="The account of a key file, or of any account in another notation.")
    async def show(
        context: Context,
        who: Annotated[
            str | None, typer.Argument(metavar="[ACCOUNT]", help="By default the acting account.")
        ] = None,
    ) -> None:
        _show(context, _described(context.signer().account if who is None else parse_account(who)))

    @command(group, "inspect", help="What a key is: scheme, public key, account, addresses.")
    async def inspect(
        context: Context,
        file: Annotated[
            Path | None, typer.Argument(metavar="[FILE]", help="Default: the acting key.")
        ] = None,
        *,
        network: Annotated[int, typer.Option(metavar="N", help="SS58 prefix of the address.")] = 42,
        show_secret: Annotated[
            bool, typer.Option("--show-secret", help="Print the secret of a key that is not encrypted.")
        ] = False,
    ) -> None:
        from llmnet.chain import Keypair, ss58_encode

        pair = (
            load_key(context.settings)
            if file is None
            else Keypair.from_file(file, asker(context.settings.password_fd, file))
        )
        value = {
            "scheme": pair.scheme.name,
            "public": "0x" + pair.public.hex(),
            "account": "0x" + pair.account.hex(),
            "address": ss58_encode(pair.account, network),
        }
        if show_secret:
            value["secret"] = _secret_of(context, file)
        _show(context, value)

    @command(group, "list", help="The key files in a folder.")
    async def list_(
        context: Context,
        folder: Annotated[
            Path | None, typer.Argument(metavar="[DIR]", help="Default: the home folder.")
        ] = None,
    ) -> None:
        where = folder or default_key_file(context.settings).parent
        found = [row for path in sorted(where.iterdir()) if (row := _row(path)) is not None]
        if context.json:
            emit(found)
        else:
            names = ("file", "address", "scheme", "encrypted")
            table(f"Keys in {where}", names, [[str(row[name]) for name in names] for row in found])


def _add_signing(group: typer.Typer) -> None:
    @command(group, "sign", help="Sign a message with the acting key.")
    async def sign(context: Context, message: Message = "-", *, raw: Raw = False) -> None:
        from llmnet.chain.keys import wrapped

        pair, content = load_key(context.settings), _message(message)
        signature = pair.sign(content if raw else wrapped(content))
        value = {"signature": "0x" + signature.hex(), "address": pair.address, "scheme": pair.scheme.name}
        if context.json:
            emit(value)
        else:
            say(value["signature"])

    @command(group, "verify", help="Whether an account signed a message: exit status 0, or 1.")
    async def verify(
        context: Context,
        account: Annotated[str, typer.Argument(metavar="ACCOUNT")],
        signature: Annotated[str, typer.Argument(metavar="SIGNATURE", help="0x and hex digits.")],
        message: Message = "-",
    ) -> int:
        from llmnet.chain.keys import signed_by, wrapped

        try:
            given = bytes.fromhex(signature.removeprefix("0x"))
        except ValueError:
            raise ConfigError("a signature is 0x and hex digits") from None
        content, who = _message(message), parse_account(account)
        scheme = signed_by(who, wrapped(content), given) or signed_by(who, content, given)
        if context.json:
            emit({"valid": scheme is not None, "scheme": scheme})
        else:
            say("not signed by this account" if scheme is None else f"signed by this account ({scheme})")
        return FAILED if scheme is None else OK


def _write(
    context: Context,
    file: Path | None,
    uri: str,
    scheme: str,
    encrypt: bool,
    descriptor: int | None,
    more: dict[str, str],
) -> None:
    """A secret URI into a new key file. Encrypted, only the key that it names is kept, not the URI."""
    from llmnet.chain import Keypair

    pair = Keypair.from_uri(uri, scheme)
    line = uri if scheme == "sr25519" else f"{scheme}:{uri}"
    _put(context, file, pair.to_json(new_password(descriptor)) if encrypt else line, pair, more)


def _put(context: Context, file: Path | None, text: str, pair: Keypair, more: dict[str, str]) -> None:
    from llmnet.chain.keyfile import write_private

    path = file or context.settings.key_file or default_key_file(context.settings)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        write_private(path, text.strip() + "\n")
    except FileExistsError:
        raise ConfigError(
            f"{path} exists and is not overwritten: name another file, or use that key"
        ) from None
    _show(context, {**_described(pair.account), "file": str(path), **more})


def _row(path: Path) -> dict[str, Any] | None:
    """What a file says without its password; None for one that is no key file of ours."""
    from llmnet.chain import ChainError, Keypair, keystore
    from llmnet.chain.keyfile import read_private

    try:
        text = read_private(path)
        if text.startswith("{"):
            found = keystore.parse(text)
            if keystore.is_encrypted(found):
                scheme = keystore.scheme_of(found).name
                return {
                    "file": path.name,
                    "address": found.get("address"),
                    "scheme": scheme,
                    "encrypted": True,
                }
        pair = Keypair.from_file(path)
    except (ChainError, OSError):
        return None
    return {"file": path.name, "address": pair.address, "scheme": pair.scheme.name, "encrypted": False}


def _secret_of(context: Context, file: Path | None) -> str:
    from llmnet.chain.keyfile import read_private

    path = file or context.settings.key_file or default_key_file(context.settings)
    if context.settings.dev_key is not None and file is None:
        raise ConfigError("a development key has no secret")
    text = read_private(path)
    if text.startswith("{"):
        raise ConfigError(f"{path} holds no phrase: an encrypted key is passed on as the file it is")
    return text


def _read_file(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_MESSAGE:
            raise ConfigError(f"{path} is too large")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not text") from None


def _message(name: str) -> bytes:
    content = sys.stdin.buffer.read(MAX_MESSAGE + 1) if name == "-" else Path(name).read_bytes()
    if len(content) > MAX_MESSAGE:
        raise ConfigError("the message is longer than 16 MiB: sign its hash")
    return content


def _described(account: bytes) -> dict[str, str]:
    from llmnet.chain import ss58_encode

    return {"address": ss58_encode(account), "account": "0x" + account.hex()}


def _show(context: Context, value: dict[str, str]) -> None:
    if context.json:
        emit(value)
    else:
        say("\n".join(f"{name}: {item}" for name, item in value.items()))
