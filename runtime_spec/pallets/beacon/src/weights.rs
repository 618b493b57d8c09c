//! What the work of this pallet costs. Written by `python -m bench.weights`: do not edit.
//!
//! Measured in worst states on AMD EPYC, Python 3.11.7; times are
//! doubled, accesses and proofs are those counted. See docs/decisions/050-measured-weights.md.
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weights of this pallet.
pub trait WeightInfo {
	/// `commit`.
	fn commit() -> Weight;
	/// `reveal`.
	fn reveal() -> Weight;
	/// A block in which no round ends.
	fn no_round_ends() -> Weight;
	/// The end of a round in which `n` validators did not reveal.
	fn round_ends(n: u32) -> Weight;
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
	fn commit() -> Weight {
		// 77.6 us
		Self::of(155_300, 5_977, 2, 1)
	}
	fn reveal() -> Weight {
		// 46.3 us
		Self::of(92_700, 6_333, 1, 1)
	}
	fn no_round_ends() -> Weight {
		// 1.0 us
		Self::of(5_000, 0, 0, 0)
	}
	fn round_ends(n: u32) -> Weight {
		// 879.3 us and 83.8 us for each
		let each = Self::of(167_700, 1_131, 4, 4).saturating_mul(n.into());
		Self::of(1_758_700, 17_849, 3, 3).saturating_add(each)
	}
}

/// No cost, for tests.
impl WeightInfo for () {
	fn commit() -> Weight {
		Weight::zero()
	}
	fn reveal() -> Weight {
		Weight::zero()
	}
	fn no_round_ends() -> Weight {
		Weight::zero()
	}
	fn round_ends(_: u32) -> Weight {
		Weight::zero()
	}
}
