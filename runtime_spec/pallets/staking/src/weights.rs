//! What the work of this pallet costs. Written by `python -m bench.weights`: do not edit.
//!
//! Measured in worst states on AMD EPYC, Python 3.11.7; times are
//! doubled, accesses and proofs are those counted. See docs/decisions/050-measured-weights.md.
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weights of this pallet.
pub trait WeightInfo {
	/// `bond`, of a validator that comes back.
	fn bond() -> Weight;
	/// `bond_extra`.
	fn bond_extra() -> Weight;
	/// `unbond`.
	fn unbond() -> Weight;
	/// `withdraw`.
	fn withdraw() -> Weight;
	/// `propose_owner`.
	fn propose_owner() -> Weight;
	/// `accept_owner`.
	fn accept_owner() -> Weight;
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
	fn bond() -> Weight {
		// 121.8 us
		Self::of(243_600, 7_089, 5, 3)
	}
	fn bond_extra() -> Weight {
		// 74.2 us
		Self::of(148_500, 3_010, 2, 2)
	}
	fn unbond() -> Weight {
		// 22.0 us
		Self::of(44_100, 3_826, 2, 2)
	}
	fn withdraw() -> Weight {
		// 95.4 us
		Self::of(190_900, 3_014, 2, 3)
	}
	fn propose_owner() -> Weight {
		// 11.8 us
		Self::of(23_600, 1_658, 1, 1)
	}
	fn accept_owner() -> Weight {
		// 24.5 us
		Self::of(49_100, 4_394, 3, 2)
	}
}

/// No cost, for tests.
impl WeightInfo for () {
	fn bond() -> Weight {
		Weight::zero()
	}
	fn bond_extra() -> Weight {
		Weight::zero()
	}
	fn unbond() -> Weight {
		Weight::zero()
	}
	fn withdraw() -> Weight {
		Weight::zero()
	}
	fn propose_owner() -> Weight {
		Weight::zero()
	}
	fn accept_owner() -> Weight {
		Weight::zero()
	}
}
