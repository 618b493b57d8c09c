"""Vectors of drawing, pricing and signatures."""

from __future__ import annotations

from llmnet.proof.drawing import audit_seed, draw_count, draw_key, draw_panel, draw_positions, draw_receipts
from llmnet.proof.errors import FieldError
from llmnet.proof.pricing import price
from llmnet.proof.signing import verify_signature

from .form import Case, VectorFile, case
from .signatures import SIGNED
from .source import Source

U32, U128 = (1 << 32) - 1, (1 << 128) - 1


def drawing() -> VectorFile:
    """Receipts drawn from a batch."""
    source = Source("drawing")
    sizes = [
        (0, 500_000),
        (1, 0),
        (1, 1_000_000),
        (1, 50_000),
        (5, 1_000_000),
        (32, 1_000_000),
        (33, 1_000_000),
        (400, 1_000_000),
    ]
    sizes += [
        (20, 50_000),
        (20, 50_000),
        (10, 50_000),
        (10, 50_000),
        (10, 50_000),
        (1000, 30_000),
        (U32, 1),
        (U32, 1_000_000),
        (3, 999_999),
    ]
    sizes += [(source.random.randint(1, 300), source.random.randint(0, 300_000)) for _ in range(24)]
    cases = []
    for n, ppm in sizes:
        beacon, worker, epoch = source.hash(), source.hash(), source.uint(32)
        key = draw_key(beacon, worker, epoch)
        ordinals = draw_receipts(key, n, ppm)
        out = {
            "draw_key": key,
            "count": draw_count(key, n, ppm),
            "ordinals": ordinals,
            "audit_seeds": [audit_seed(key, i) for i in ordinals],
        }
        cases.append(
            case({"beacon_value": beacon, "worker": worker, "epoch": epoch, "n": n, "ppm": ppm}, out)
        )
    return VectorFile(
        "drawing", "which of n receipts are audited at a probability of ppm / 10^6, in the order drawn", cases
    )


def panel() -> VectorFile:
    """Validators drawn by stake."""
    source = Source("drawing_panel")
    tables = [
        [],
        [5],
        [5, 7],
        [1, 1, 1],
        [U128 // 4, U128 // 4, U128 // 4],
        [0, 0, 0],
        [0, 5, 0],
        [1, 0, 10**30, 0, 1],
        [10**18] * 20,
    ]
    tables += [[source.uint(80) + 1 for _ in range(source.random.randint(2, 12))] for _ in range(24)]
    cases = []
    for stakes in tables:
        seed = source.hash()
        eligible = list(zip(sorted(source.hash() for _ in stakes), stakes, strict=True))
        given = {
            "audit_seed": seed,
            "eligible": [{"account": account, "stake": stake} for account, stake in eligible],
        }
        cases.append(case(given, {"panel": draw_panel(seed, eligible)}))
    return VectorFile(
        "drawing_panel",
        "up to three eligible validators, stake weighted without replacement; [] means no audit",
        cases,
    )


def positions() -> VectorFile:
    """Output positions drawn for an audit."""
    source = Source("drawing_positions")
    cases = []
    for n_out in [*range(1, 19), 20, 33, 256, 1000, 4096, U32]:
        seed = source.hash()
        cases.append(case({"audit_seed": seed, "n_out": n_out}, {"positions": draw_positions(seed, n_out)}))
    return VectorFile("drawing_positions", "min(16, n_out) distinct output positions, ascending", cases)


def pricing() -> VectorFile:
    """Prices."""
    source = Source("pricing")
    rows = [
        (0, 1, 0, 0),
        (0, 1, 0, 1),
        (0, 1000, 0, 1),
        (0, 1001, 0, 1),
        (1, 1, 999, 1),
        (1, 1, 999, 2),
        (U32, U32, 10**12, 3 * 10**12),
    ]
    rows += [
        (0, 1, U128, U128),
        (1, 1, U128, 0),
        (1, 1, U128, 1),
        (2, 1, U128, 0),
        (U32, U32, U128, U128),
        (0, 0, U128, U128),
    ]
    rows += [(source.uint(14), source.uint(12) + 1, source.uint(50), source.uint(50)) for _ in range(24)]
    return VectorFile(
        "pricing",
        "price of an answer in plancks, or error overflow when the sum before the division exceeds u128",
        [_price(*row) for row in rows],
    )


def _price(n_prompt: int, n_out: int, price_in: int, price_out: int) -> Case:
    given = {"n_prompt": n_prompt, "n_out": n_out, "price_in": price_in, "price_out": price_out}
    try:
        return case(given, {"price": price(n_prompt, n_out, price_in, price_out)})
    except FieldError:
        return case(given, {"error": "overflow"})


def signature() -> VectorFile:
    """Signatures: made once, as sr25519 is randomised; each is bent in every way that must not pass."""
    cases = []
    for account, name, genesis, payload, made in SIGNED:
        other = "receipt" if name != "receipt" else "voucher"
        flipped = bytes([made[0] ^ 1]) + made[1:]
        for args in (
            (account, made, name, genesis, payload),
            (account, made, other, genesis, payload),
            (account, made, name, bytes([genesis[0] ^ 1]) + genesis[1:], payload),
            (account, made, name, genesis, payload + b"\x00"),
            (bytes([account[0] ^ 1]) + account[1:], made, name, genesis, payload),
            (account, flipped, name, genesis, payload),
            (account, bytes(64), name, genesis, payload),
        ):
            given = dict(zip(("account", "signature", "name", "genesis_hash", "payload"), args, strict=True))
            cases.append(case(given, {"valid": verify_signature(*args)}))
    return VectorFile(
        "signature", "sr25519 over domain, genesis hash and payload, context `substrate`", cases
    )


def files() -> list[VectorFile]:
    """All files of this module."""
    return [drawing(), panel(), positions(), pricing(), signature()]
