//! What the pallet remembers.
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use llmnet_primitives::Role;
use scale_info::TypeInfo;

/// The stake of one account.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Bond<AccountId, Balance, BlockNumber> {
	/// What the account does.
	pub role: Role,
	/// The amount on hold.
	pub stake: Balance,
	/// The account that owns this one: itself unless linked.
	pub owner: AccountId,
	/// The block of bonding.
	pub since: BlockNumber,
	/// The first block in which the stake can be withdrawn, once unbonding.
	pub unbonding_at: Option<BlockNumber>,
	/// Whether the account was slashed and has not bonded again since.
	pub removed: bool,
}

/// What is remembered of slashes, for the slashed account and for its owner.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Strike<BlockNumber> {
	/// How many there were.
	pub count: u32,
	/// The first block after the quarantine.
	pub until: BlockNumber,
}
