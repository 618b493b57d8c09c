//! What the pallet remembers and tells.
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// What one validator gave to the running round.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Share {
	/// The hash of the secret.
	pub commitment: H256,
	/// The secret, once revealed.
	pub secret: Option<[u8; 32]>,
}

/// The state of the running round, as of the current block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct BeaconStatus<AccountId, BlockNumber> {
	/// The round.
	pub round: u32,
	/// Whether commitments are taken; otherwise secrets are.
	pub committing: bool,
	/// The first block of the next phase.
	pub phase_ends_at: BlockNumber,
	/// Who has committed, in account order.
	pub committed: Vec<AccountId>,
	/// Who of them has revealed.
	pub revealed: Vec<AccountId>,
}
