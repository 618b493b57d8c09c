//! What the work of this pallet costs. Written by `python -m bench.weights`: do not edit.
//!
//! Measured in worst states on AMD EPYC, Python 3.11.7; times are
//! doubled, accesses and proofs are those counted. See docs/decisions/050-measured-weights.md.
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weights of this pallet.
pub trait WeightInfo {
	/// `open`.
	fn open() -> Weight;
	/// `top_up`.
	fn top_up() -> Weight;
	/// `claim`.
	fn claim() -> Weight;
	/// `close`.
	fn close() -> Weight;
	/// `rate`.
	fn rate() -> Weight;
	/// What `on_idle` costs when nothing is due.
	fn idle_base() -> Weight;
	/// One session brought to its end, removed or given its seed; or one step of a cursor.
	fn idle_step() -> Weight;
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
	fn open() -> Weight {
		// 137.7 us
		Self::of(275_500, 9_414, 7, 6)
	}
	fn top_up() -> Weight {
		// 101.9 us
		Self::of(203_800, 3_193, 2, 2)
	}
	fn claim() -> Weight {
		// 277.5 us
		Self::of(555_000, 11_292, 9, 8)
	}
	fn close() -> Weight {
		// 92.9 us
		Self::of(185_800, 5_642, 4, 8)
	}
	fn rate() -> Weight {
		// 70.7 us
		Self::of(141_500, 4_590, 3, 3)
	}
	fn idle_base() -> Weight {
		// 252.8 us
		Self::of(505_700, 4_349, 18, 12)
	}
	fn idle_step() -> Weight {
		// 199.7 us
		Self::of(399_400, 2_639, 6, 9)
	}
}

/// No cost, but for steps between calls, so that tests can run out of it.
impl WeightInfo for () {
	fn open() -> Weight {
		Weight::zero()
	}
	fn top_up() -> Weight {
		Weight::zero()
	}
	fn claim() -> Weight {
		Weight::zero()
	}
	fn close() -> Weight {
		Weight::zero()
	}
	fn rate() -> Weight {
		Weight::zero()
	}
	fn idle_base() -> Weight {
		Weight::from_parts(10, 0)
	}
	fn idle_step() -> Weight {
		Weight::from_parts(1, 0)
	}
}
