//! Weights, counted by hand: storage reads and writes of the worst path plus a constant for the computation.
//! Measured ones will replace them.
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weights of the calls.
pub trait WeightInfo {
	/// Of `bond`.
	fn bond() -> Weight;
	/// Of `bond_extra`.
	fn bond_extra() -> Weight;
	/// Of `unbond`.
	fn unbond() -> Weight;
	/// Of `withdraw`.
	fn withdraw() -> Weight;
	/// Of `propose_owner`.
	fn propose_owner() -> Weight;
	/// Of `accept_owner`.
	fn accept_owner() -> Weight;
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
	/// Bond, validators, holds, account, each read and written; two strikes read.
	fn bond() -> Weight {
		Self::of(60_000, 9_000, 6, 4)
	}

	/// Bond, holds, account.
	fn bond_extra() -> Weight {
		Self::of(45_000, 7_000, 3, 3)
	}

	/// Bond, validators.
	fn unbond() -> Weight {
		Self::of(25_000, 6_000, 2, 2)
	}

	/// Bond, proposal, holds, account.
	fn withdraw() -> Weight {
		Self::of(50_000, 7_000, 3, 4)
	}

	/// Bond, proposal.
	fn propose_owner() -> Weight {
		Self::of(20_000, 4_000, 1, 1)
	}

	/// Bond, proposal, strike.
	fn accept_owner() -> Weight {
		Self::of(20_000, 4_000, 3, 2)
	}
}

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
