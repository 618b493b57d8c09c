"""Plancks for people."""

from __future__ import annotations

UNIT = 10**12


def tokens(plancks: int) -> str:
    """Whole tokens with as many decimals as needed, exact: `1.5`, `0.000000000001`."""
    sign, plancks = ("-", -plancks) if plancks < 0 else ("", plancks)
    whole, rest = divmod(plancks, UNIT)
    decimals = f"{rest:012d}".rstrip("0")
    return f"{sign}{whole:,}" + (f".{decimals}" if decimals else "")
