//! What the pallet remembers.
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What a score is about.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Axis {
	/// Whether the promised model answered: from audits.
	#[codec(index = 0)]
	Integrity,
	/// Whether the answers were good: from ratings.
	#[codec(index = 1)]
	Quality,
}

/// Decaying sums of what spoke for and against a worker, Q16.16.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Score {
	/// For it.
	pub r: u64,
	/// Against it.
	pub s: u64,
}
