//! What each piece of work costs: storage accesses counted by hand from the code's worst path, plus generous
//! constants of computing time. Measured weights will replace them.
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weights of this pallet.
pub trait WeightInfo {
	/// `commit_batch` with `s` segments.
	fn commit_batch(s: u32) -> Weight;
	/// `open_receipt`.
	fn open_receipt() -> Weight;
	/// `commit_reference`, a decision included.
	fn commit_reference() -> Weight;
	/// `open_leaves`.
	fn open_leaves() -> Weight;
	/// `reveal_reference`, a decision included.
	fn reveal_reference() -> Weight;
	/// `report_equivocation`.
	fn report_equivocation() -> Weight;
	/// `set_audit_floor`.
	fn set_audit_floor() -> Weight;
	/// `report_committed`.
	fn report_committed() -> Weight;
	/// `report_segment` with `r` receipts.
	fn report_segment(r: u32) -> Weight;
	/// `report_opened`.
	fn report_opened() -> Weight;
	/// `challenge`, the review's beginning included.
	fn challenge() -> Weight;
	/// `appeal`.
	fn appeal() -> Weight;
	/// `set_planters`.
	fn set_planters() -> Weight;
	/// `plant`.
	fn plant() -> Weight;
	/// `reveal_plant`, with all that is taken back and paid.
	fn reveal_plant() -> Weight;
	/// `thaw`, or finding out that it is not time.
	fn thaw() -> Weight;
	/// Taking up one block of the agenda and putting back what is left of it.
	fn agenda_block() -> Weight;
	/// A passing deadline, a decision included.
	fn deadline() -> Weight;
	/// Forgetting an audit.
	fn prune_audit() -> Weight;
	/// Forgetting a batch.
	fn prune_batch() -> Weight;
	/// Forgetting a plant.
	fn prune_plant() -> Weight;
	/// Looking for the next batch to draw.
	fn next_draw() -> Weight;
	/// Drawing a batch with `d` audits, or sealing it anew.
	fn draw_batch(d: u32) -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// Hand-counted weights.
pub struct HandCounted<T>(PhantomData<T>);

impl<T: frame_system::Config> HandCounted<T> {
	fn of(reads: u64, writes: u64, microseconds: u64) -> Weight {
		// A bound of a few thousand microseconds: far from overflowing.
		let time = Weight::from_parts(microseconds.saturating_mul(MICROSECOND), 0);
		T::DbWeight::get().reads_writes(reads, writes).saturating_add(time)
	}

	/// Verdict and its effects: five fines of validators, ten payments, fine and slash of the worker with their shares
	/// or both taken back, reputation, drift, settlement, the bond, clean-up of leaves, references, indices and agenda.
	fn decision() -> Weight {
		Self::of(150, 130, 1_500)
	}

	/// What a slash changes: stake, strikes, shares, earnings, offers and scores.
	fn slash() -> Weight {
		Self::of(40, 40, 200)
	}
}

impl<T: frame_system::Config> WeightInfo for HandCounted<T> {
	fn commit_batch(s: u32) -> Weight {
		let segments = Weight::from_parts(u64::from(s).saturating_mul(30).saturating_mul(MICROSECOND), 0);
		let accesses = T::DbWeight::get().reads_writes(2, 2).saturating_mul(s.into());
		Self::of(5, 3, 60).saturating_add(segments).saturating_add(accesses)
	}
	fn open_receipt() -> Weight {
		Self::of(6, 3, 200)
	}
	fn commit_reference() -> Weight {
		Self::of(4, 3, 60).saturating_add(Self::decision())
	}
	fn open_leaves() -> Weight {
		Self::of(4, 4, 400)
	}
	fn reveal_reference() -> Weight {
		Self::of(8, 4, 1_500).saturating_add(Self::decision())
	}
	fn report_equivocation() -> Weight {
		Self::of(3, 1, 200).saturating_add(Self::slash())
	}
	fn report_committed() -> Weight {
		Self::of(4, 1, 350).saturating_add(Self::slash())
	}
	fn report_segment(r: u32) -> Weight {
		let receipts = Self::of(0, 0, 80).saturating_mul(r.into());
		Self::of(4, 1, 300).saturating_add(receipts).saturating_add(Self::slash())
	}
	fn report_opened() -> Weight {
		Self::of(4, 1, 200).saturating_add(Self::slash())
	}
	fn challenge() -> Weight {
		Self::of(12, 14, 250)
	}
	fn appeal() -> Weight {
		Self::of(10, 6, 150)
	}
	fn set_planters() -> Weight {
		Self::of(0, 1, 20)
	}
	fn plant() -> Weight {
		Self::of(6, 4, 60)
	}
	fn reveal_plant() -> Weight {
		Self::of(8, 5, 150).saturating_add(Self::decision())
	}
	fn thaw() -> Weight {
		Self::of(1, 1, 15)
	}
	fn set_audit_floor() -> Weight {
		Self::of(0, 1, 15)
	}
	fn agenda_block() -> Weight {
		Self::of(2, 2, 30)
	}
	fn deadline() -> Weight {
		Self::of(6, 3, 1_500).saturating_add(Self::decision())
	}
	fn prune_audit() -> Weight {
		Self::of(4, 6, 40)
	}
	fn prune_batch() -> Weight {
		Self::of(1, 1, 20)
	}
	fn prune_plant() -> Weight {
		Self::of(2, 2, 20)
	}
	fn next_draw() -> Weight {
		Self::of(5, 1, 20)
	}
	fn draw_batch(d: u32) -> Weight {
		let audit = Self::of(3, 8, 120).saturating_mul(d.into());
		// Worker, batch, spans, the validators with their owners, settlement; for a review its first audit.
		Self::of(145, 14, 200).saturating_add(audit)
	}
}
