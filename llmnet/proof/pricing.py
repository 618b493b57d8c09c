"""What an answer costs."""

from __future__ import annotations

from .scale import check_uint


def price(n_prompt: int, n_out: int, price_in: int, price_out: int) -> int:
    """`ceil((n_prompt * price_in + n_out * price_out) / 1000)` plancks; prices are plancks per 1,000 tokens.

    Raises FieldError when a count, a price or the sum before the division does not fit its type (u32, u128,
    u128).
    """
    cost_in = check_uint(n_prompt, 32, "n_prompt") * check_uint(price_in, 128, "price_in")
    cost_out = check_uint(n_out, 32, "n_out") * check_uint(price_out, 128, "price_out")
    return -(-check_uint(cost_in + cost_out, 128, "price before division") // 1000)
