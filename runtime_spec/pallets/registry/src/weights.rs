//! What the calls cost.
//!
//! Storage accesses are counted by hand; the computing times are upper estimates, not measurements.
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The cost of each call.
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

const CALL: Weight = Weight::from_parts(40_000_000, 4_096);
const PER_DOMAIN: u64 = 1_000_000;

/// Counted accesses with the database costs of the runtime.
pub struct HandCounted<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for HandCounted<T> {
	/// Reads: record, counter, account, holds. Writes: the same.
	fn register_spec() -> Weight {
		CALL.saturating_add(T::DbWeight::get().reads_writes(4, 4))
	}

	/// Reads: record, counter, account, holds. Writes: the same and the calibration.
	fn remove_spec() -> Weight {
		CALL.saturating_add(T::DbWeight::get().reads_writes(4, 5))
	}

	/// Reads: record. Writes: calibration.
	fn set_calibration() -> Weight {
		CALL.saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}

	/// Reads: all domains and the counter. Writes: domain, counter.
	fn add_domain(n: u32) -> Weight {
		let n = u64::from(n);
		CALL.saturating_add(Weight::from_parts(PER_DOMAIN.saturating_mul(n), 0))
			.saturating_add(T::DbWeight::get().reads_writes(n.saturating_add(2), 2))
	}

	/// Reads: bond, record, offer, list, heartbeat and eight domains. Writes: record, offer, list, heartbeat.
	fn put_offer() -> Weight {
		CALL.saturating_add(T::DbWeight::get().reads_writes(13, 4))
	}

	/// Reads: bond, record, offer, list. Writes: record, offer, list, heartbeat.
	fn withdraw_offer() -> Weight {
		CALL.saturating_add(T::DbWeight::get().reads_writes(4, 4))
	}

	/// Reads: list. Writes: heartbeat.
	fn heartbeat() -> Weight {
		CALL.saturating_add(T::DbWeight::get().reads_writes(1, 1))
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
