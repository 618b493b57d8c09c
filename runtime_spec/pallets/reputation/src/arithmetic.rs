//! The rule of the scores, in integers.
use crate::{Balance, Score};

/// One in Q16.16.
pub const ONE: u64 = 1 << 16;

/// The limit of a sum that decays by 2 % and grows by at most one each time.
pub const MOST: u64 = 50 * ONE;

/// Bits of a price that are looked at, so that it can be shifted by 16 and doubled.
const PRICE_BITS: u32 = 110;

/// The weight of a piece of work: `price / (price + average)`, Q16.16, at most one.
pub fn weight(price: Balance, average: Balance) -> u64 {
	let bits = Balance::BITS.saturating_sub(price.max(average).leading_zeros());
	let excess = bits.saturating_sub(PRICE_BITS);
	let (price, average) = (price.wrapping_shr(excess), average.wrapping_shr(excess));
	let share = price.wrapping_shl(16).checked_div(price.saturating_add(average)).unwrap_or(0);
	u64::try_from(share).unwrap_or(ONE).min(ONE)
}

/// The average after another `price`: it moves by a fiftieth of the difference, up at least by one planck.
pub fn moved_average(average: Balance, price: Balance) -> Balance {
	if price >= average {
		average.saturating_add(price.abs_diff(average).div_ceil(50))
	} else {
		average.saturating_sub(price.abs_diff(average) / 50)
	}
}

impl Score {
	/// Both sums decay by 2 %, then grow by what speaks for and against, Q16.16, together at most one.
	///
	/// The sums never pass [`MOST`], so that nothing here saturates.
	pub fn updated(self, good: u64, bad: u64) -> Self {
		let decayed = |sum: u64| sum.saturating_mul(98) / 100;
		Self {
			r: decayed(self.r).saturating_add(good).min(MOST),
			s: decayed(self.s).saturating_add(bad).min(MOST),
		}
	}

	/// `(r + 1) / (r + s + 2)` in parts per million: half a million without any record.
	pub fn parts_per_million(&self) -> u32 {
		let good = self.r.saturating_add(ONE);
		let all = good.saturating_add(self.s).saturating_add(ONE);
		let share = u128::from(good).saturating_mul(1_000_000).checked_div(all.into()).unwrap_or(0);
		u32::try_from(share).unwrap_or(1_000_000)
	}
}
