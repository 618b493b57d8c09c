//! The price of an answer (`docs/protocol.md` section 2).

/// `ceil((n_prompt * price_in + n_out * price_out) / 1000)` plancks, prices being per 1,000 tokens; `None` if
/// that does not fit.
pub fn price(n_prompt: u32, n_out: u32, price_in: u128, price_out: u128) -> Option<u128> {
	let input = u128::from(n_prompt).checked_mul(price_in)?;
	let output = u128::from(n_out).checked_mul(price_out)?;
	Some(input.checked_add(output)?.div_ceil(1000))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn prices_are_rounded_up_once() {
		assert_eq!(price(0, 1, 5, 0), Some(0));
		assert_eq!(price(1, 1, 1, 1), Some(1));
		assert_eq!(price(1000, 1, 7, 1), Some(8));
		assert_eq!(price(u32::MAX, u32::MAX, 1000, 1000), Some(2 * u128::from(u32::MAX)));
		assert_eq!(price(2, 0, u128::MAX, 0), None);
		assert_eq!(price(1, 1, u128::MAX, 1), None);
	}
}
