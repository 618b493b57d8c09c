//! What the calls cost.
//!
//! Storage accesses are counted by hand; the computing times are upper estimates, not measurements.
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The cost of each call and of each piece of work between calls.
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

const CALL: Weight = Weight::from_parts(60_000_000, 8_192);
const SIGNATURE: Weight = Weight::from_parts(60_000_000, 0);

/// Counted accesses with the database costs of the runtime.
pub struct HandCounted<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for HandCounted<T> {
	/// Reads: offer, bond and owners (4), counter, list, round, barred, account and holds (2).
	/// Writes: session, list, counter, agenda, waiting, account and holds (2).
	fn open() -> Weight {
		CALL.saturating_add(T::DbWeight::get().reads_writes(10, 7))
	}

	/// Reads: session, account, holds. Writes: the same.
	fn top_up() -> Weight {
		CALL.saturating_add(T::DbWeight::get().reads_writes(3, 3))
	}

	/// Reads: session, genesis hash, barred, tranches, pending, accounts and holds of three (5). Writes: session,
	/// tranches, pending, accounts and holds (5).
	fn claim() -> Weight {
		CALL.saturating_add(SIGNATURE).saturating_add(T::DbWeight::get().reads_writes(10, 8))
	}

	/// Reads: session, barred, list, account and holds (2). Writes: session, list, tranches, waiting, agenda (2),
	/// account and holds (2).
	fn close() -> Weight {
		CALL.saturating_add(T::DbWeight::get().reads_writes(5, 8))
	}

	/// Reads: session and what the reputation reads (3). Writes: session and what it writes (2).
	fn rate() -> Weight {
		CALL.saturating_add(T::DbWeight::get().reads_writes(4, 3))
	}

	/// Reads: both cursors, the current round and its value, the first keys of two lists.
	fn idle_base() -> Weight {
		CALL.saturating_add(T::DbWeight::get().reads(6))
	}

	/// As `close`, and the key, and the cursor.
	fn idle_step() -> Weight {
		Self::close().saturating_add(T::DbWeight::get().reads_writes(2, 1))
	}
}

/// No cost, except for steps between calls, so that tests can run out of it.
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
