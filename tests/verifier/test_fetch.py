"""Whatever a worker sends or does not send, the fetcher comes back in time with data or a reason."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet import proof
from llmnet.verifier import FetchError, Withheld
from llmnet.verifier import fetch as fetch_module
from llmnet.verifier.fetch import Fetcher, insist, make_http, parse_material
from llmnet.verifier.material import Standard
from llmnet.verifier.reference import Reference

from .answers import REQUESTER, Answered
from .fakes import GENESIS, VALIDATOR

Handler = Callable[[httpx.Request], httpx.Response]


async def ask(handler: Handler, endpoint: str = "http://worker.example/") -> Any:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        return await Fetcher(http, VALIDATOR, GENESIS, seconds=1).fetch(endpoint, 77)


async def test_the_request_proves_who_asks_and_the_data_come_back(answered: Answered) -> None:
    seen: list[httpx.Request] = []

    def door(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=answered.door())

    assert await ask(door) == answered.material
    (request,) = seen
    assert str(request.url) == "http://worker.example/v1/audits/77"
    assert bytes.fromhex(request.headers["x-llmnet-account"]) == VALIDATOR.public
    signature = bytes.fromhex(request.headers["x-llmnet-signature"])
    payload = (77).to_bytes(4, "little")
    assert proof.verify_signature(VALIDATOR.public, signature, "fetch", GENESIS, payload)
    assert not proof.verify_signature(VALIDATOR.public, signature, "fetch", bytes(32), payload)


@pytest.mark.parametrize("status", [301, 401, 404, 409, 429, 500, 503])
async def test_a_refusal_may_be_tried_again(status: int) -> None:
    body = {"error": {"message": "not now", "code": "x"}}
    with pytest.raises(FetchError, match=f"answers {status}: not now") as caught:
        await ask(
            lambda _: httpx.Response(status, json=body, headers={"location": "http://elsewhere.example"})
        )
    assert not isinstance(caught.value, Withheld)


@pytest.mark.parametrize(
    "endpoint", ["", "ftp://x", "file:///etc/passwd", "unix:/x", "http://", "http://[", "http://a b"]
)
async def test_an_address_that_is_none_is_refused(endpoint: str) -> None:
    async with make_http() as http:
        with pytest.raises(FetchError):
            await Fetcher(http, VALIDATOR, GENESIS, seconds=2).fetch(endpoint, 1)


async def test_too_much_is_not_read(answered: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "MAX_BYTES", 100)
    with pytest.raises(FetchError, match="more than 100 bytes"):
        await ask(lambda _: httpx.Response(200, json=answered.door()))


async def test_a_compressed_body_is_not_unpacked() -> None:
    import gzip

    body = gzip.compress(b" " * 10**6)
    with pytest.raises(FetchError, match="which was not asked for"):
        await ask(lambda _: httpx.Response(200, content=body, headers={"content-encoding": "gzip"}))


@pytest.fixture
async def slow_worker() -> AsyncIterator[str]:
    """A worker that sends a byte now and then."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        except (ConnectionError, asyncio.CancelledError):
            writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


async def test_a_worker_that_trickles_costs_no_more_than_the_limit(slow_worker: str) -> None:
    async with make_http() as http:
        with pytest.raises(FetchError, match=r"did not answer within 0\.3 s"):
            await Fetcher(http, VALIDATOR, GENESIS, seconds=0.3).fetch(slow_worker, 1)


async def test_a_worker_that_is_down_may_be_tried_again(
    unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a proxy of the environment asked about this machine."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    async with make_http() as http:
        with pytest.raises(FetchError, match="cannot be asked: ConnectError"):
            await Fetcher(http, VALIDATOR, GENESIS).fetch(f"http://127.0.0.1:{unused_tcp_port}", 1)


SPOILS: dict[str, dict[str, Any]] = {
    "no tokens": {"tokens": None},
    "tokens that are none": {"tokens": ["1"]},
    "a truth for a token": {"tokens": [True]},
    "a fraction for a token": {"tokens": [1.0]},
    "a huge token": {"tokens": [2**32]},
    "a negative token": {"tokens": [-1]},
    "text that is none": {"text": 5},
    "half a character": {"text": "\ud800"},
    "no hex": {"receipt": "xyz"},
    "a short receipt": {"receipt": "00"},
    "a request that is none": {"request": "ffff"},
    "a signature that is none": {"request_signature": None},
}


@pytest.mark.parametrize("name", SPOILS)
def test_a_malformed_field_is_an_error(name: str, answered: Answered) -> None:
    with pytest.raises(FetchError, match="malformed"):
        parse_material(json.dumps({**answered.door(), **SPOILS[name]}).encode())


@pytest.mark.parametrize("missing", ["request", "request_signature", "tokens", "text", "receipt"])
def test_a_missing_field_is_an_error(missing: str, answered: Answered) -> None:
    fields = {name: value for name, value in answered.door().items() if name != missing}
    with pytest.raises(FetchError, match=missing):
        parse_material(json.dumps(fields).encode())


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b"[" * 10**5, b"1" * 10**5, b'{"tokens":'])
def test_a_body_that_is_no_object_is_an_error(body: bytes) -> None:
    with pytest.raises(FetchError, match="malformed"):
        parse_material(body)


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.floats(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
    )
)
def test_any_json_is_an_error_or_material(value: Any) -> None:
    with pytest.raises(FetchError):
        parse_material(json.dumps(value).encode())


def test_only_the_receipt_that_was_opened_counts(answered: Answered, reference: Reference) -> None:
    standard = Standard(REQUESTER.public, GENESIS, reference.spec, reference.tokenizer)
    insist(answered.material, answered.receipt, standard)
    other = replace(answered.receipt, n_prompt=1)
    with pytest.raises(Withheld, match="another receipt than the one it opened"):
        insist(answered.material, other, standard)
    with pytest.raises(Withheld, match="output_hash"):
        insist(
            replace(answered.material, tokens=(1, *answered.material.tokens[1:])), answered.receipt, standard
        )


async def leaves_from(body: Any, status: int = 200) -> Any:
    def door(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/audits/77/leaves"
        return httpx.Response(status, json=body)

    async with httpx.AsyncClient(transport=httpx.MockTransport(door)) as http:
        return await Fetcher(http, VALIDATOR, GENESIS, seconds=1).leaves("http://worker.example", 77)


async def test_leaves_come_back_as_they_were(answered: Answered) -> None:
    encoded = proof.encode_leaves(answered.leaves)
    assert await leaves_from({"leaves": encoded.hex()}) == answered.leaves


@pytest.mark.parametrize(
    "body",
    [{}, [], "x", {"leaves": None}, {"leaves": "zz"}, {"leaves": "04"}, {"leaves": "00" * 9}, {"leaves": 7}],
)
async def test_leaves_that_are_none_are_refused(body: Any) -> None:
    with pytest.raises(FetchError, match="malformed"):
        await leaves_from(body)


async def test_leaves_that_are_not_handed_out_are_a_fetch_error() -> None:
    with pytest.raises(FetchError, match="answers 404: gone"):
        await leaves_from({"error": {"message": "gone"}}, 404)
