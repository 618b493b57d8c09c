"""Bodies that are malformed, oversized, or contradict the signed request."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.proof import Message, Role
from llmnet.worker.body import parse_body, signed_request
from llmnet.worker.errors import BadRequest

from .shop import Shop, body_of, events_of, make_request, refused

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    "model",
    "messages",
    "llmnet",
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "stream",
    "stream_options",
    "user",
    "n",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
]


def good() -> dict[str, Any]:
    return body_of(make_request(), "tiny")


async def test_the_honest_body_is_taken(shop: Shop) -> None:
    assert (await shop.send(good())).status_code == 200


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"text"', b"[" * 100_000, b'{"model":' + b"9" * 5000]
)
async def test_what_is_no_object_is_refused(shop: Shop, data: bytes) -> None:
    refused(await shop.http.post("/v1/chat/completions", content=data), 400, "invalid_body")
    refused(await shop.http.post("/v1/vouchers", content=data), 400, "invalid_body")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", 5),
        ("messages", []),
        ("messages", "Hello"),
        ("messages", [{"role": "tool", "content": "x"}]),
        ("messages", [{"role": "user", "content": None}]),
        ("messages", [{"role": "user", "content": "x", "name": "y"}]),
        ("temperature", "hot"),
        ("temperature", -0.1),
        ("temperature", 256.0),
        ("max_tokens", 0),
        ("max_tokens", "8"),
        ("max_tokens", True),
        ("stop", [1]),
        ("stream", "yes"),
        ("n", 2),
        ("top_p", 0.5),
        ("llmnet", None),
        ("llmnet", {}),
    ],
)
async def test_a_field_of_the_wrong_type_is_named(shop: Shop, field: str, value: object) -> None:
    refused(await shop.send({**good(), field: value}), 400, "invalid_body", field)
    assert shop.store.next_index(1) == 0


async def test_unknown_fields_are_refused_by_name(shop: Shop) -> None:
    refused(await shop.send({**good(), "logit_bias": {}}), 400, "invalid_body", "logit_bias")
    body = good()
    body["llmnet"]["tip"] = 1
    refused(await shop.send(body), 400, "invalid_body", "llmnet.tip")
    refused(await shop.send({**good(), "x" * 500_000: 1}), 400, "invalid_body", "xxx")


@pytest.mark.parametrize("hex_", ["xyz", "abc", "0x0", "00" * 31 + "é"])
async def test_hex_that_is_none(shop: Shop, hex_: str) -> None:
    for name in ("request", "signature"):
        body = good()
        body["llmnet"][name] = hex_
        refused(await shop.send(body), 400, "invalid_body", f"llmnet.{name}")


async def test_hex_may_have_its_prefix(shop: Shop) -> None:
    body = good()
    body["llmnet"]["request"] = "0x" + body["llmnet"]["request"]
    assert (await shop.send(body)).status_code == 200


async def test_a_request_that_cannot_be_decoded(shop: Shop) -> None:
    encoded = make_request().encode()
    for data in (b"", encoded[:-1], encoded + b"\0", b"\xff" * 40):
        body = good()
        body["llmnet"]["request"] = data.hex()
        refused(await shop.send(body), 400, "invalid_request", "decoded")


async def test_a_body_of_more_than_the_limit_is_not_read_on(shop: Shop) -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while read < 64 << 20:
            read += 1 << 16
            yield b" " * (1 << 16)

    refused(await shop.http.post("/v1/chat/completions", content=endless()), 413, "body_too_large", "1048576")
    assert read < 3 << 20
    refused(await shop.http.post("/v1/vouchers", content=b" " * ((1 << 20) + 1)), 413, "body_too_large")
    refused(await shop.http.post("/v1/vouchers", content=b" " * (1 << 20)), 400, "invalid_body")


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("llmnet.session", {"llmnet": {"session": 2}}),
        ("llmnet.index", {"llmnet": {"index": 1}}),
        ("messages", {"messages": [{"role": "user", "content": "Hello!"}]}),
        ("messages", {"messages": [{"role": "system", "content": "Hello"}]}),
        ("messages", {"messages": [{"role": "user", "content": "Hello"}] * 2}),
        ("temperature", {"temperature": 0.5}),
        ("max_tokens", {"max_tokens": 9}),
        ("max_completion_tokens", {"max_completion_tokens": 9}),
        ("stop", {"stop": "x"}),
    ],
)
async def test_a_body_that_says_something_else_than_what_was_signed(
    shop: Shop, field: str, change: dict[str, Any]
) -> None:
    body = good()
    body["llmnet"] |= change.pop("llmnet", {})
    refused(await shop.send({**body, **change}), 400, "request_mismatch", field)
    assert shop.store.next_index(1) == 0 and not shop.backend.jobs


def test_defaults_are_openais() -> None:
    request = make_request(stop=(b"END",))
    body = body_of(request, "tiny")
    del body["temperature"], body["max_tokens"]
    body["stop"] = "END"
    assert signed_request(parse_body(json.dumps(body).encode()))[0] == request
    with pytest.raises(BadRequest, match="temperature"):
        cold = body_of(replace(request, temperature=0), "tiny")
        del cold["temperature"]
        signed_request(parse_body(json.dumps(cold).encode()))


async def test_a_mismatch_does_not_repeat_a_whole_body(shop: Shop) -> None:
    body = good()
    body["messages"][0]["content"] = "x" * 400_000
    assert len((await shop.send(body)).content) < 2000


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_arbitrary_json_is_refused_as_a_bad_request(value: object) -> None:
    with pytest.raises(BadRequest):
        parse_body(json.dumps(value).encode())


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1, max_size=3))
def test_any_field_with_any_value_is_taken_or_refused(changes: dict[str, Any]) -> None:
    try:
        signed_request(parse_body(json.dumps({**good(), **changes}).encode()))
    except BadRequest as error:
        assert error.code in ("invalid_body", "request_mismatch", "invalid_request")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_as_a_bad_request(data: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_body(data)
    body = good()
    body["llmnet"]["request"] = data.hex()
    with pytest.raises(BadRequest):
        signed_request(parse_body(json.dumps(body).encode()))


async def test_errors_of_the_framework_have_the_same_shape(shop: Shop) -> None:
    refused(await shop.http.get("/nowhere"), 404, "http_404")
    refused(await shop.http.get("/v1/chat/completions"), 405, "http_405")
    for path in (
        "/v1/audits/-1",
        "/v1/audits/4294967296",
        "/v1/audits/٣",
        "/v1/receipts/1/x",
        f"/v1/receipts/{1 << 64}/0",
    ):
        refused(await shop.http.get(path), 400, "bad_number")


async def test_model_policy_and_health(shop: Shop) -> None:
    models = (await shop.http.get("/v1/models")).json()
    assert [item["id"] for item in models["data"]] == ["tiny"]
    assert (await shop.http.get("/v1/policy")).json() == {"spec": shop.spec.id.hex()}
    assert (await shop.http.get("/healthz")).json() == {"status": "ok"}
    refused(await shop.send({**good(), "model": "gpt"}), 404, "model_not_found", "tiny")
    assert (await shop.send({**good(), "model": shop.spec.id.hex()})).status_code == 200


async def test_several_messages_and_stops_arrive_as_signed(shop: Shop) -> None:
    messages = (
        Message.of(Role.SYSTEM, "Be brief. ✓"),
        Message.of(Role.USER, "Hi"),
        Message.of(Role.ASSISTANT, "Yes?"),
    )
    request = make_request(messages=messages, stop=(b"END", "ö".encode()), temperature=0)
    events = events_of((await shop.ask(request, stream=True)).text)
    assert events[-1]["llmnet"]["tokens"]
    assert shop.backend.jobs[0].stop == ("END", "ö")
    assert shop.store.request(1, 0) is not None
