"""Values on the command line: amounts, accounts, answers, specs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .config import ConfigError

if TYPE_CHECKING:
    from llmnet.engine import ModelFiles
    from llmnet.proof import ServiceSpec

UNIT = 10**12
NUMERICS = ("fp32", "fp16", "bf16_fp32_residual", "bf16")  # the protocol's classes, lower case
MAX_TOKENS_TEXT = 40
_DEV_NAME = re.compile(r"(//)?(Alice|Bob|Charlie|Dave|Eve|Ferdie|(Worker|Validator|Requester)[1-9][0-9]?)")
_AMOUNT = re.compile(r"[0-9]+(\.[0-9]{1,12})?|\.[0-9]{1,12}")


def parse_amount(text: str) -> int:
    """Plancks of an amount in whole tokens, with up to 12 decimals. Raises ConfigError."""
    from decimal import Decimal, localcontext

    given = text.replace("_", "")
    if len(given) > MAX_TOKENS_TEXT or not _AMOUNT.fullmatch(given):
        raise ConfigError(
            f"{text[:60]!r} is not an amount of tokens: write 1.5 or 0.001, at most 12 decimals"
        )
    with localcontext(prec=80):
        plancks = int(Decimal(given) * UNIT)
    if plancks >= 1 << 128:
        raise ConfigError(f"{text[:60]!r} is more than there can be")
    return plancks


def parse_account(text: str) -> bytes:
    """An account from its SS58 address, 0x hex, or the name of a development account. Raises ConfigError."""
    from llmnet.chain import KeyFormatError, Keypair, ss58_decode

    if text.startswith("0x"):
        try:
            account = bytes.fromhex(text[2:])
        except ValueError:
            account = b""
        if len(account) != 32:
            raise ConfigError(f"{text[:80]!r} is not an account: after 0x come 64 hex digits")
        return account
    if _DEV_NAME.fullmatch(text):
        return Keypair.from_uri("//" + text.removeprefix("//")).public
    try:
        return ss58_decode(text)
    except KeyFormatError as error:
        raise ConfigError(
            f"{error}; an account is an address, 0x and 64 hex digits, or a development name such as Worker1"
        ) from None


def parse_answer(text: str) -> tuple[int, int]:
    """SESSION/INDEX. Raises ConfigError."""
    match = re.fullmatch(r"([0-9]{1,19})[/-]([0-9]{1,9})", text)
    if match is None:
        raise ConfigError(f"{text[:80]!r} is neither a file nor SESSION/INDEX")
    return int(match[1]), int(match[2])


def parse_spec_id(text: str) -> bytes:
    """The id of a spec, with or without 0x. Raises ConfigError."""
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        value = b""
    if len(value) != 32:
        raise ConfigError(f"{text[:80]!r} is not the id of a spec: 64 hex digits, see `llmnet spec list`")
    return value


def spec_of_model(files: ModelFiles, numerics: str) -> ServiceSpec:
    """The spec of these files in a numerics class. Raises ConfigError for an unknown class."""
    from llmnet.proof import NumericsClass
    from llmnet.verifier.reference import spec_of

    if numerics not in NUMERICS:
        raise ConfigError(f"--numerics is one of {', '.join(NUMERICS)}, not {numerics!r}")
    return spec_of(files, numerics=NumericsClass[numerics.upper()])
