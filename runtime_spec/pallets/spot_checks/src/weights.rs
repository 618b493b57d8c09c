//! What the work of this pallet costs. Written by `python -m bench.weights`: do not edit.
//!
//! Measured in worst states on AMD EPYC, Python 3.11.7; times are
//! doubled, accesses and proofs are those counted. See docs/decisions/050-measured-weights.md.
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weights of this pallet.
pub trait WeightInfo {
	/// `commit_batch` with `n` segments.
	fn commit_batch(n: u32) -> Weight;
	/// `open_receipt`.
	fn open_receipt() -> Weight;
	/// `commit_reference` that decides nothing.
	fn commit_reference() -> Weight;
	/// `open_leaves` with `n` leaves.
	fn open_leaves(n: u32) -> Weight;
	/// `reveal_reference` of `n` leaves that decides nothing.
	fn reveal_reference(n: u32) -> Weight;
	/// A verdict and what follows, but for a slash.
	fn decision() -> Weight;
	/// A slash for evidence, or one that is taken back.
	fn slash() -> Weight;
	/// `report_equivocation`.
	fn report_equivocation() -> Weight;
	/// `set_audit_floor`.
	fn set_audit_floor() -> Weight;
	/// `report_committed`.
	fn report_committed() -> Weight;
	/// `report_segment` with `n` receipts.
	fn report_segment(n: u32) -> Weight;
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
	/// `thaw`, or finding out whether it is time.
	fn thaw() -> Weight;
	/// Taking up one block of the agenda.
	fn agenda_block() -> Weight;
	/// A passing deadline, verdict and slash included.
	fn deadline() -> Weight;
	/// Forgetting an audit.
	fn prune_audit() -> Weight;
	/// Forgetting a batch.
	fn prune_batch() -> Weight;
	/// Forgetting a plant.
	fn prune_plant() -> Weight;
	/// Looking for the next batch to draw.
	fn next_draw() -> Weight;
	/// Drawing a batch with `n` audits, or a review.
	fn draw_batch(n: u32) -> Weight;
	/// What a call may cost at most that costs `own` and may bring about a verdict.
	fn with_verdict(own: Weight) -> Weight {
		own.saturating_add(Self::decision()).saturating_add(Self::slash())
	}
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
	fn commit_batch(n: u32) -> Weight {
		// 128.3 us and 34.8 us for each
		let each = Self::of(69_600, 390, 2, 2).saturating_mul(n.into());
		Self::of(256_700, 31_919, 8, 8).saturating_add(each)
	}
	fn open_receipt() -> Weight {
		// 144.1 us
		Self::of(288_300, 19_959, 8, 4)
	}
	fn commit_reference() -> Weight {
		// 39.2 us
		Self::of(78_500, 3_887, 3, 2)
	}
	fn open_leaves(n: u32) -> Weight {
		// 119.7 us and 10.1 us for each
		let each = Self::of(20_200, 4, 0, 0).saturating_mul(n.into());
		Self::of(239_400, 16_124, 5, 5).saturating_add(each)
	}
	fn reveal_reference(n: u32) -> Weight {
		// 73.4 us and 2.4 us for each
		let each = Self::of(4_900, 0, 0, 0).saturating_mul(n.into());
		Self::of(146_900, 4_082, 3, 3).saturating_add(each)
	}
	fn decision() -> Weight {
		// 3,045.0 us
		Self::of(6_090_100, 49_760, 31, 34)
	}
	fn slash() -> Weight {
		// 7,946.6 us
		Self::of(15_893_300, 33_022, 282, 543)
	}
	fn report_equivocation() -> Weight {
		// 7,173.6 us
		Self::of(14_347_200, 52_622, 299, 557)
	}
	fn set_audit_floor() -> Weight {
		// 0.0 us
		Self::of(5_000, 0, 0, 1)
	}
	fn report_committed() -> Weight {
		// 7,201.9 us
		Self::of(14_403_800, 54_101, 300, 557)
	}
	fn report_segment(n: u32) -> Weight {
		// 7,450.2 us and 42.4 us for each
		let each = Self::of(84_800, 0, 0, 0).saturating_mul(n.into());
		Self::of(14_900_400, 54_101, 300, 557).saturating_add(each)
	}
	fn report_opened() -> Weight {
		// 7,240.7 us
		Self::of(14_481_500, 54_563, 300, 557)
	}
	fn challenge() -> Weight {
		// 200.9 us
		Self::of(401_900, 19_888, 8, 10)
	}
	fn appeal() -> Weight {
		// 135.1 us
		Self::of(270_200, 6_477, 5, 5)
	}
	fn set_planters() -> Weight {
		// 58.0 us
		Self::of(116_100, 0, 0, 1)
	}
	fn plant() -> Weight {
		// 98.4 us
		Self::of(196_900, 14_254, 4, 3)
	}
	fn reveal_plant() -> Weight {
		// 9,920.3 us
		Self::of(19_840_700, 34_456, 276, 527)
	}
	fn thaw() -> Weight {
		// 50.7 us
		Self::of(101_400, 588, 2, 3)
	}
	fn agenda_block() -> Weight {
		// 3.3 us
		Self::of(6_700, 386, 1, 0)
	}
	fn deadline() -> Weight {
		// 8,017.0 us
		Self::of(16_034_000, 94_385, 328, 594)
	}
	fn prune_audit() -> Weight {
		// 45.0 us
		Self::of(90_000, 2_480, 4, 6)
	}
	fn prune_batch() -> Weight {
		// 5.9 us
		Self::of(11_900, 577, 2, 2)
	}
	fn prune_plant() -> Weight {
		// 19.8 us
		Self::of(39_600, 1_020, 3, 3)
	}
	fn next_draw() -> Weight {
		// 43.2 us
		Self::of(86_400, 912, 2, 1)
	}
	fn draw_batch(n: u32) -> Weight {
		// 736.3 us and 47.2 us for each
		let each = Self::of(94_500, 21, 1, 7).saturating_mul(n.into());
		Self::of(1_472_600, 56_061, 77, 7).saturating_add(each)
	}
}
