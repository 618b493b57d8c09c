"""A receipt that is not what was asked for is refused with its reason, and nothing is paid."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet import proof
from llmnet.gateway import Bundle, BundleError, ReceiptRefused, Requester, SessionOver, Terms, check_answer
from llmnet.gateway.checks import read_claim
from llmnet.gateway.store import State
from llmnet.proof import FinishReason, Message, Request, Role

from .conftest import REQUESTER, WORKER
from .fakes import CALIBRATION, GENESIS, PRICE_IN, PRICE_OUT, SPEC, FakeLedger, FakeWorker, Kept

OTHER = bytes([9]) * 32
REQUEST = Request(7, 0, (Message.of(Role.USER, "why?"),), 128, 16)


def answered(request: Request = REQUEST) -> tuple[FakeWorker, Kept]:
    """An honest answer outside any conversation."""
    import types

    worker = FakeWorker(WORKER, FakeLedger(WORKER.public))
    worker._answer(request, bytes(64), types.SimpleNamespace(price_in=PRICE_IN, price_out=PRICE_OUT))  # type: ignore[arg-type]
    return worker, worker.answers[request.session, request.index]


TERMS = Terms(GENESIS, WORKER.public, SPEC, PRICE_IN, PRICE_OUT)


def check(kept: Kept, *, request: Request = REQUEST, terms: Terms = TERMS, text: str | None = None) -> int:
    return check_answer(terms, request, kept.text if text is None else text, read_claim(kept.extension()))


def test_an_honest_receipt_gives_its_price() -> None:
    _, kept = answered()
    assert check(kept) == kept.price == proof.price(5, 3, PRICE_IN, PRICE_OUT)


Forgery = Callable[[FakeWorker, Kept], Kept]
FORGERIES: dict[str, tuple[str, Forgery]] = {
    "session": ("session", lambda worker, kept: worker.resigned(kept, session=8)),
    "index": ("index", lambda worker, kept: worker.resigned(kept, index=1)),
    "request_hash": ("request_hash", lambda worker, kept: worker.resigned(kept, request_hash=OTHER)),
    "temperature": ("temperature", lambda worker, kept: worker.resigned(kept, temperature=0)),
    "output_hash": ("output_hash", lambda worker, kept: worker.resigned(kept, output_hash=OTHER)),
    "text_hash": ("text_hash", lambda worker, kept: worker.resigned(kept, text_hash=OTHER)),
    "n_out": ("n_out", lambda worker, kept: worker.resigned(kept, n_out=4)),
    "n_prompt too large": ("n_prompt", lambda worker, kept: worker.resigned(kept, n_prompt=510)),
    "n_prompt zero": ("n_prompt", lambda worker, kept: worker.resigned(kept, n_prompt=0)),
    "n_prompt beyond the price": ("price", lambda worker, kept: worker.resigned(kept, n_prompt=400)),
    "finish length": ("finish", lambda worker, kept: worker.resigned(kept, finish=FinishReason.LENGTH)),
    "finish stop string": (
        "finish",
        lambda worker, kept: worker.resigned(kept, finish=FinishReason.STOP_STRING),
    ),
    "price higher": ("price", lambda _, kept: replace(kept, price=kept.price + 1)),
    "price lower": ("price", lambda _, kept: replace(kept, price=kept.price - 1)),
    "edited text": ("text_hash", lambda _, kept: replace(kept, text=kept.text + "!")),
    "another token": ("output_hash", lambda _, kept: replace(kept, tokens=[1, *kept.tokens[1:]])),
    "one token less": ("output_hash", lambda _, kept: replace(kept, tokens=kept.tokens[:-1])),
    "no tokens": ("output_hash", lambda _, kept: replace(kept, tokens=[])),
    "unsigned change": (
        "signature",
        lambda _, kept: replace(kept, receipt=replace(kept.receipt, n_prompt=4)),
    ),
    "zero signature": ("signature", lambda _, kept: replace(kept, signature=bytes(64))),
    "short signature": ("signature", lambda _, kept: replace(kept, signature=b"")),
    "transcript root unsigned": (
        "signature",
        lambda _, kept: replace(kept, receipt=replace(kept.receipt, transcript_root=OTHER)),
    ),
    "signed by another": (
        "signature",
        lambda worker, kept: replace(
            kept, signature=REQUESTER.sign(proof.signing_bytes("receipt", GENESIS, kept.receipt.encode()))
        ),
    ),
    "signed for another use": (
        "signature",
        lambda worker, kept: replace(
            kept, signature=WORKER.sign(proof.signing_bytes("request", GENESIS, kept.receipt.encode()))
        ),
    ),
    "signed for another chain": (
        "signature",
        lambda worker, kept: replace(
            kept, signature=WORKER.sign(proof.signing_bytes("receipt", OTHER, kept.receipt.encode()))
        ),
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_each_forged_field_is_named(name: str) -> None:
    field, forge = FORGERIES[name]
    worker, kept = answered()
    with pytest.raises(ReceiptRefused) as error:
        check(forge(worker, kept))
    assert error.value.field == field


@pytest.mark.parametrize("name", FORGERIES)
async def test_nothing_is_paid_for_a_forged_receipt_and_the_evidence_is_kept(
    requester: Requester, worker: FakeWorker, name: str
) -> None:
    session = await requester.open_session()
    await requester.ask(session, "first", temperature=0.5, max_tokens=16)
    field, forge = FORGERIES[name]
    if name == "index":  # the second answer has index 1 itself
        forge = lambda worker, kept: worker.resigned(kept, index=0)  # noqa: E731
    worker.tamper = lambda kept: forge(worker, kept)
    with pytest.raises(ReceiptRefused, match="No voucher was signed") as error:
        await requester.ask(session, "second", temperature=0.5, max_tokens=16)
    assert error.value.field == field
    assert worker.vouchers[session].answers == 1
    seed = requester.store.seeds(session)[0]
    voucher = requester.store.voucher(seed)
    assert voucher is not None and voucher[0].answers == 1
    refused = requester.store.request(seed, 1)
    assert refused is not None and refused.state is State.REFUSED and refused.receipt is not None
    with pytest.raises(SessionOver, match="refused"):
        await requester.ask(session, "third")


async def test_a_refusal_stays_a_refusal_after_a_restart(
    make_requester: Callable[[], Requester], worker: FakeWorker
) -> None:
    first = make_requester()
    session = await first.open_session()
    worker.tamper = lambda kept: replace(kept, price=kept.price * 2)
    with pytest.raises(ReceiptRefused):
        await first.ask(session, "x")
    await first.close()
    with pytest.raises(SessionOver):
        await make_requester().ask(session, "x")
    assert worker.vouchers == {}


@pytest.mark.parametrize(
    ("extension", "field"),
    [
        (None, "receipt"),
        ([], "receipt"),
        ({}, "tokens"),
        ({"tokens": [-1], "price": "1"}, "tokens"),
        ({"tokens": [True], "price": "1"}, "tokens"),
        ({"tokens": [1 << 32], "price": "1"}, "tokens"),
        ({"tokens": "1", "price": "1"}, "tokens"),
        ({"tokens": [1], "price": 1}, "price"),
        ({"tokens": [1], "price": "-1"}, "price"),
        ({"tokens": [1], "price": "²"}, "price"),
        ({"tokens": [1], "price": "9" * 40}, "price"),
        ({"tokens": [1], "price": "1"}, "receipt"),
        ({"tokens": [1], "price": "1", "receipt": "zz"}, "receipt"),
        ({"tokens": [1], "price": "1", "receipt": "00"}, "receipt"),
        ({"tokens": [1], "price": "1", "receipt": "00" * 5000}, "receipt"),
    ],
)
def test_a_malformed_extension_is_named(extension: Any, field: str) -> None:
    with pytest.raises(ReceiptRefused) as error:
        read_claim(extension)
    assert error.value.field == field


def test_tokens_outside_the_vocabulary() -> None:
    worker, kept = answered()
    tokens = [5000, *kept.tokens[1:]]
    forged = worker.resigned(replace(kept, tokens=tokens), output_hash=proof.output_hash(tokens))
    with pytest.raises(ReceiptRefused) as error:
        check(forged)
    assert error.value.field == "tokens"


@given(st.binary(max_size=200), st.binary(min_size=64, max_size=64))
def test_no_bytes_pass_as_a_receipt(receipt: bytes, signature: bytes) -> None:
    _, kept = answered()
    extension = {**kept.extension(), "receipt": receipt.hex(), "signature": signature.hex()}
    with pytest.raises(ReceiptRefused):
        check_answer(TERMS, REQUEST, kept.text, read_claim(extension))


def bundle_of(kept: Kept, *, leaves: bool = True) -> Bundle:
    return Bundle(
        genesis_hash=GENESIS,
        session=7,
        index=0,
        session_seed=OTHER,
        requester=REQUESTER.public,
        worker=WORKER.public,
        spec=SPEC,
        calibration=CALIBRATION if leaves else None,
        request=REQUEST,
        request_signature=bytes(64),
        receipt=kept.receipt,
        receipt_signature=kept.signature,
        tokens=tuple(kept.tokens),
        text=kept.text,
        leaves=tuple(kept.leaves) if leaves else None,
        price=kept.price,
    )


@pytest.mark.parametrize("leaves", [True, False])
def test_a_receipt_file_comes_back_as_it_was(tmp_path: Path, leaves: bool) -> None:
    bundle = bundle_of(answered()[1], leaves=leaves)
    path = tmp_path / "receipts" / "7-0.json"
    bundle.save(path)
    assert Bundle.load(path) == bundle
    assert path.stat().st_mode & 0o777 == 0o600


FIELDS = [
    ("version", 2),
    ("version", "1"),
    ("genesis_hash", "00"),
    ("genesis_hash", 5),
    ("session", -1),
    ("session", True),
    ("index", 1 << 32),
    ("session_seed", "zz"),
    ("requester", None),
    ("worker", "0x" + "00" * 32),
    ("spec", ""),
    ("calibration", "00"),
    ("request", "00"),
    ("request_signature", "00"),
    ("receipt", "00"),
    ("receipt_signature", ""),
    ("tokens", [1.5]),
    ("tokens", None),
    ("text", 5),
    ("leaves", "ff"),
    ("price", 5),
    ("price", "1.5"),
]


@pytest.mark.parametrize(("name", "value"), FIELDS)
def test_a_damaged_receipt_file_names_the_field(tmp_path: Path, name: str, value: object) -> None:
    content = bundle_of(answered()[1]).to_json()
    path = tmp_path / "x.json"
    path.write_text(json.dumps({**content, name: value}))
    with pytest.raises(BundleError, match=name.split("_")[0]):
        Bundle.load(path)
    content.pop(name)
    if name not in ("calibration", "leaves"):
        path.write_text(json.dumps(content))
        with pytest.raises(BundleError, match=f"{name} is missing"):
            Bundle.load(path)


@pytest.mark.parametrize("data", [b"", b"[", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_receipt_file_at_all(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(BundleError):
        Bundle.load(path)
    with pytest.raises(BundleError, match="cannot be read"):
        Bundle.load(tmp_path / "absent.json")


def test_an_unreadable_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "7-0.json"
    path.write_text("precious")
    bundle_of(answered()[1]).save(path)
    assert (tmp_path / "7-0.unreadable.json").read_text() == "precious"


async def test_the_store_refuses_another_version(requester: Requester) -> None:
    from llmnet.gateway import StoreError
    from llmnet.gateway.store import Store

    path = requester.folder / "requester.sqlite"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="version 99"):
        Store(path, "x")
    (path.parent / "junk").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(path.parent / "junk", "x")
