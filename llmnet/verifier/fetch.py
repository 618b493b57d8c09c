"""Fetches the data of an audited answer from its worker (docs/protocol.md section 11).

The worker is not trusted: its address, the size, form and speed of what it sends are all its choice, so each has a limit here.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from llmnet import proof
from llmnet.chain import Signer
from llmnet.proof import Leaf, Receipt, Request

from .errors import FetchError, Withheld
from .material import Material, Standard, check_material

MAX_BYTES = 8 << 20
MAX_TOKENS = 1 << 20
SECONDS = 10.0
# A proxy of the environment is for the world outside, not for daemons of this machine.
_DIRECT = ("all://localhost", "all://127.0.0.1")


def make_http() -> httpx.AsyncClient:
    """The client of all fetches: it follows no redirect, a worker could point it anywhere."""
    return httpx.AsyncClient(
        follow_redirects=False,
        timeout=httpx.Timeout(SECONDS),
        # No common limit: workers that let their callers hang would use it up for all others.
        limits=httpx.Limits(max_connections=None),
        mounts=dict.fromkeys(_DIRECT),
    )


class Fetcher:
    """Asks workers as one validator. `signer` proves that it is on the panel, or a proxy of one who is."""

    def __init__(
        self, http: httpx.AsyncClient, signer: Signer, genesis_hash: bytes, *, seconds: float = SECONDS
    ) -> None:
        self._http, self._signer, self._genesis, self._seconds = http, signer, genesis_hash, seconds

    async def fetch(self, endpoint: str, audit: int) -> Material:
        """The data of `audit` as the worker gives them, unchecked. Raises FetchError."""
        return parse_material(await self._ask(_url(endpoint, audit), audit))

    async def leaves(self, endpoint: str, audit: int) -> tuple[Leaf, ...]:
        """The worker's leaves of a decided `audit`, unchecked. Raises FetchError."""
        body = await self._ask(f"{_url(endpoint, audit)}/leaves", audit)
        try:
            return tuple(proof.decode_leaves(hex_field(json.loads(body), "leaves")))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise FetchError(f"the worker's leaves are malformed: {error!r}") from None

    async def _ask(self, url: str, audit: int) -> bytes:
        payload = audit.to_bytes(4, "little")
        signature = self._signer.sign(proof.signing_bytes("fetch", self._genesis, payload))
        headers = {
            "x-llmnet-account": self._signer.account.hex(),
            "x-llmnet-signature": signature.hex(),
            "accept-encoding": "identity",  # a compressed body could be larger than any limit once unpacked
        }
        try:
            async with asyncio.timeout(self._seconds):
                return await self._get(url, headers)
        except TimeoutError:
            raise FetchError(f"{url} did not answer within {self._seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchError(f"{url} cannot be asked: {type(error).__name__} {error}") from None

    async def _get(self, url: str, headers: dict[str, str]) -> bytes:
        async with self._http.stream("GET", url, headers=headers) as response:
            data, coding = bytearray(), response.headers.get("content-encoding", "identity")
            if coding != "identity":
                raise FetchError(f"{url} answers in {coding!r}, which was not asked for")
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > MAX_BYTES:
                    raise FetchError(f"{url} sends more than {MAX_BYTES} bytes")
        if response.status_code != 200:
            raise FetchError(f"{url} answers {response.status_code}: {_reason(bytes(data))}")
        return bytes(data)


def _url(endpoint: str, audit: int) -> str:
    if not endpoint.startswith(("http://", "https://")):
        raise FetchError(f"the worker's endpoint {endpoint[:80]!r} is no http address")
    return f"{endpoint.rstrip('/')}/v1/audits/{audit}"


def _reason(body: bytes) -> str:
    """The message of an OpenAI-shaped error, or the beginning of whatever it is."""
    try:
        return str(json.loads(body)["error"]["message"])[:200]
    except (ValueError, KeyError, TypeError, RecursionError):
        return repr(body[:100])


def parse_material(body: bytes) -> Material:
    """The data in a worker's answer. Raises FetchError for anything that has another form."""
    try:
        fields = json.loads(body)
        return Material(
            request=Request.decode(hex_field(fields, "request")),
            request_signature=hex_field(fields, "request_signature"),
            tokens=token_field(fields),
            text=text_field(fields, "text"),
            receipt=Receipt.decode(hex_field(fields, "receipt")),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FetchError(f"the worker's answer is malformed: {error!r}") from None


def hex_field(fields: dict[str, Any], name: str) -> bytes:
    """Bytes of a hex field, with or without 0x. Raises KeyError, TypeError or ValueError."""
    return bytes.fromhex(text_field(fields, name).removeprefix("0x"))


def text_field(fields: dict[str, Any], name: str) -> str:
    """A string that can be written as UTF-8. Raises KeyError, TypeError or ValueError."""
    value = fields[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string")
    value.encode()  # JSON can carry half a surrogate pair, which is no text
    return value


def token_field(fields: dict[str, Any]) -> tuple[int, ...]:
    """The output tokens. Raises KeyError, TypeError or ValueError."""
    tokens = fields["tokens"]
    if not isinstance(tokens, list) or len(tokens) > MAX_TOKENS:
        raise TypeError(f"tokens must be a list of at most {MAX_TOKENS} numbers")
    if not all(type(token) is int and 0 <= token < 1 << 32 for token in tokens):
        raise ValueError("each token must be a number of 32 bits")
    return tuple(tokens)


def insist(material: Material, receipt: Receipt, standard: Standard) -> None:
    """Raise Withheld, with the reason, unless the data are those of the receipt that was opened on chain."""
    if material.receipt != receipt:
        raise Withheld("the worker hands out another receipt than the one it opened on chain")
    for check in check_material(material, standard):
        if not check.ok:
            raise Withheld(f"{check.name}: {check.detail}")
