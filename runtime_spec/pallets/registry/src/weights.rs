//! What the work of this pallet costs. Written by `python -m bench.weights`: do not edit.
//!
//! Measured in worst states on AMD EPYC, Python 3.11.7; times are
//! doubled, accesses and proofs are those counted. See docs/decisions/050-measured-weights.md.
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weights of this pallet.
pub trait WeightInfo {
	/// `register_spec`.
	fn register_spec() -> Weight;
	/// `remove_spec`.
	fn remove_spec() -> Weight;
	/// `set_calibration`.
	fn set_calibration() -> Weight;
	/// `add_domain` with `n` domains there already.
	fn add_domain(n: u32) -> Weight;
	/// `put_offer`.
	fn put_offer() -> Weight;
	/// `withdraw_offer` and `prune_offer`.
	fn withdraw_offer() -> Weight;
	/// `heartbeat`.
	fn heartbeat() -> Weight;
}

/// What was measured, with the database costs of the runtime.
pub struct Measured<T>(PhantomData<T>);

impl<T: frame_system::Config> Measured<T> {
	fn of(nanoseconds: u64, proof: u64, reads: u64, writes: u64) -> Weight {
		Weight::from_parts(nanoseconds.saturating_mul(1_000), proof)
			.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
	}
}

impl<T: frame_system::Config> WeightInfo for Measured<T> {
	fn register_spec() -> Weight {
		// 171.0 us
		Self::of(342_000, 2_851, 3, 3)
	}
	fn remove_spec() -> Weight {
		// 73.1 us
		Self::of(146_300, 3_130, 3, 4)
	}
	fn set_calibration() -> Weight {
		// 23.7 us
		Self::of(47_400, 1_749, 1, 1)
	}
	fn add_domain(n: u32) -> Weight {
		// 105.6 us and 6.9 us for each
		let each = Self::of(13_900, 161, 1, 0).saturating_mul(n.into());
		Self::of(211_300, 1_647, 2, 2).saturating_add(each)
	}
	fn put_offer() -> Weight {
		// 79.3 us
		Self::of(158_600, 10_674, 12, 5)
	}
	fn withdraw_offer() -> Weight {
		// 52.3 us
		Self::of(104_600, 7_102, 4, 4)
	}
	fn heartbeat() -> Weight {
		// 12.5 us
		Self::of(25_100, 2_035, 1, 1)
	}
}

/// No cost, for tests.
impl WeightInfo for () {
	fn register_spec() -> Weight {
		Weight::zero()
	}
	fn remove_spec() -> Weight {
		Weight::zero()
	}
	fn set_calibration() -> Weight {
		Weight::zero()
	}
	fn add_domain(_: u32) -> Weight {
		Weight::zero()
	}
	fn put_offer() -> Weight {
		Weight::zero()
	}
	fn withdraw_offer() -> Weight {
		Weight::zero()
	}
	fn heartbeat() -> Weight {
		Weight::zero()
	}
}
