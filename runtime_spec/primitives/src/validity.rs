//! What the types alone do not rule out.
use crate::types::{Receipt, Segment, ServiceSpec, MAX_TOP_K};

/// The only version of the sampling rule.
pub const SAMPLER_VERSION: u8 = 1;

impl ServiceSpec {
	/// Whether the sampling rule is known and `top_k` is in `1..=32`.
	pub fn is_valid(&self) -> bool {
		self.sampler_version == SAMPLER_VERSION && (1..=MAX_TOP_K).contains(&self.top_k.into())
	}
}

impl Receipt {
	/// Whether the answer has at least one token.
	pub fn is_valid(&self) -> bool {
		self.n_out > 0
	}
}

impl Segment {
	/// Whether the first index is not behind the last.
	pub fn is_valid(&self) -> bool {
		self.first <= self.last
	}

	/// How many receipts the segment covers; `None` if it is not valid or covers all of `u32`.
	pub fn receipts(&self) -> Option<u32> {
		self.last.checked_sub(self.first)?.checked_add(1)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_core::H256;

	#[test]
	fn segments_count_their_receipts() {
		let segment =
			|first, last| Segment { session: 1, first, last, receipts_root: H256::zero(), amount: 0 };
		assert_eq!((segment(3, 3).receipts(), segment(3, 9).receipts()), (Some(1), Some(7)));
		assert_eq!((segment(4, 3).receipts(), segment(0, u32::MAX).receipts()), (None, None));
		assert!(segment(3, 3).is_valid() && !segment(4, 3).is_valid());
	}
}
