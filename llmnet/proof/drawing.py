"""Which receipts are audited, by whom and where, from one beacon value (protocol section 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .errors import FieldError, ShapeError
from .hashing import domain_hash
from .scale import check_bytes, check_uint, uint

PPM = 1_000_000
MAX_PER_BATCH = 32
PANEL = 3
REVIEW_PANEL = 5
MIN_PANEL = 2
MAX_POSITIONS = 16
_REMAINDER = 0xFFFFFFFF


def _number(name: str, seed: bytes, index: int, size: int) -> int:
    return int.from_bytes(domain_hash(name, seed + uint(index, 32))[:size], "little")


def _distinct(name: str, seed: bytes, modulus: int, count: int) -> Iterator[int]:
    """`count` distinct numbers below `modulus`, in the order they are drawn."""
    seen: set[int] = set()
    index = 0
    while len(seen) < count:
        value = _number(name, seed, index, 8) % modulus
        index += 1
        if value not in seen:
            seen.add(value)
            yield value


def draw_key(beacon_value: bytes, worker: bytes, epoch: int) -> bytes:
    """Key of all draws for one worker's batch of one epoch."""
    return domain_hash(
        "draw",
        check_bytes(beacon_value, 32, "beacon value") + check_bytes(worker, 32, "worker") + uint(epoch, 32),
    )


def draw_count(key: bytes, n: int, ppm: int) -> int:
    """How many of `n` receipts are audited at a probability of `ppm` parts per million, at most 32."""
    check_uint(n, 32, "number of receipts")
    if not 0 <= ppm <= PPM:
        raise FieldError(f"a probability has 0..={PPM} parts per million, got {ppm}")
    whole, rest = divmod(n * ppm, PPM)
    extra = _number("draw", check_bytes(key, 32, "draw key"), _REMAINDER, 8) % PPM < rest
    return min(whole + extra, MAX_PER_BATCH)


def draw_receipts(key: bytes, n: int, ppm: int) -> list[int]:
    """Ordinals of the audited receipts in the order they are drawn; all of them, ascending, when every one
    is.
    """
    count = draw_count(key, n, ppm)
    return list(range(n)) if count == n else list(_distinct("draw", key, n, count))


def audit_seed(key: bytes, ordinal: int) -> bytes:
    """Seed of one audit."""
    return domain_hash("draw", check_bytes(key, 32, "draw key") + uint(ordinal, 32) + b"audit")


def review_seed(beacon_value: bytes, audit: int) -> bytes:
    """Seed of the panel of a review; `audit` is the review's own number."""
    return domain_hash("draw", check_bytes(beacon_value, 32, "beacon value") + uint(audit, 32) + b"review")


def draw_panel(seed: bytes, stakes: Sequence[tuple[bytes, int]], size: int = PANEL) -> list[bytes]:
    """Validators of an audit, stake weighted without replacement, in the order they are drawn; none if fewer
    than two are eligible.

    `stakes`: (account, stake in plancks) of the eligible ones in account order; who has no stake cannot be
    drawn. Raises ShapeError when an account comes twice or out of order.
    """
    check_bytes(seed, 32, "audit seed")
    accounts = [check_bytes(account, 32, "account") for account, _ in stakes]
    if accounts != sorted(set(accounts)):
        raise ShapeError("eligible validators must be in account order, each once")
    remaining = [(account, check_uint(stake, 128, "stake")) for account, stake in stakes if stake]
    if len(remaining) < MIN_PANEL:
        return []
    panel: list[bytes] = []
    for index in range(min(size, len(remaining))):
        x = _number("draw", seed, index, 16) % sum(stake for _, stake in remaining)
        panel.append(remaining.pop(_first_above(remaining, x))[0])
    return panel


def _first_above(stakes: Sequence[tuple[bytes, int]], x: int) -> int:
    """Index of the first account whose running sum exceeds `x`, which is below the total."""
    running = 0
    for index, (_, stake) in enumerate(stakes):
        running += stake
        if running > x:
            return index
    raise ShapeError(f"{x} is not below the total stake {running}")


def draw_positions(seed: bytes, n_out: int) -> list[int]:
    """Up to 16 distinct output positions to open, ascending."""
    check_uint(n_out, 32, "n_out")
    return sorted(
        _distinct("positions", check_bytes(seed, 32, "audit seed"), n_out, min(MAX_POSITIONS, n_out))
    )
