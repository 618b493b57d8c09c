//! Weights of what other pallets trigger, counted by hand: storage reads and writes of the worst path plus a constant
//! for the computation. Measured ones will replace them. This pallet has no calls: who triggers an update adds these.
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weights of the updates.
pub trait WeightInfo {
	/// Of one verdict or rating.
	fn update() -> Weight;
	/// Of a slash of a worker with `records` integrity scores.
	fn slash(records: u32) -> Weight;
}

/// Hand-counted weights over the runtime's database weights.
pub struct HandCounted<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for HandCounted<T> {
	/// Score and average, each read and written.
	fn update() -> Weight {
		Weight::from_parts(20_000_000, 6_000).saturating_add(T::DbWeight::get().reads_writes(2, 2))
	}

	/// Each score read and written.
	fn slash(records: u32) -> Weight {
		let one = Weight::from_parts(10_000_000, 3_000).saturating_add(T::DbWeight::get().reads_writes(1, 1));
		one.saturating_mul(u64::from(records).saturating_add(1))
	}
}

impl WeightInfo for () {
	fn update() -> Weight {
		Weight::zero()
	}

	fn slash(_: u32) -> Weight {
		Weight::zero()
	}
}
