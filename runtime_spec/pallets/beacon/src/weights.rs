//! Weights, counted by hand: storage reads and writes of the worst path plus a constant for the computation.
//! Measured ones will replace them.
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weights of the calls and of the end of a round.
pub trait WeightInfo {
	/// Of `commit`.
	fn commit() -> Weight;
	/// Of `reveal`.
	fn reveal() -> Weight;
	/// Of a block in which no round ends.
	fn no_round_ends() -> Weight;
	/// Of the end of a round in which `silent` validators did not reveal.
	fn round_ends(silent: u32) -> Weight;
}

/// Hand-counted weights over the runtime's database weights.
pub struct HandCounted<T>(PhantomData<T>);

impl<T: frame_system::Config> HandCounted<T> {
	fn of(nanoseconds: u64, proof: u64, reads: u64, writes: u64) -> Weight {
		Weight::from_parts(nanoseconds.saturating_mul(1000), proof)
			.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
	}
}

impl<T: frame_system::Config> WeightInfo for HandCounted<T> {
	/// Shares; the caller's bond.
	fn commit() -> Weight {
		Self::of(40_000, 12_000, 2, 1)
	}

	/// Shares.
	fn reveal() -> Weight {
		Self::of(40_000, 8_000, 1, 1)
	}

	/// Block number only.
	fn no_round_ends() -> Weight {
		Self::of(1_000, 0, 1, 0)
	}

	/// Shares, parent hash, two values; for each fine the bond, the list of validators, the holds and two accounts.
	fn round_ends(silent: u32) -> Weight {
		let one_fine = Self::of(80_000, 12_000, 5, 5);
		Self::of(40_000, 8_000, 3, 3).saturating_add(one_fine.saturating_mul(silent.into()))
	}
}

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
