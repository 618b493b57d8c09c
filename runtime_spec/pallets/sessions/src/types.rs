//! What sessions store.
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use llmnet_primitives::{DomainId, Epoch};
use scale_info::TypeInfo;
use sp_core::H256;

/// The most epochs of one worker that may wait for their audits at a time.
pub const MAX_PENDING: u32 = 32;
/// The most tranches of one session: each pending epoch is one, and between two of them lies at most one more of
/// settled epochs joined together.
pub const MAX_TRANCHES: u32 = 2 * MAX_PENDING + 1;

/// Where a session stands.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Status<BlockNumber> {
	/// Requests may be sent.
	#[codec(index = 0)]
	Open,
	/// The requester has closed it; the worker may still claim before `until`.
	#[codec(index = 1)]
	Closing {
		/// The block at whose end the rest is refunded.
		until: BlockNumber,
	},
	/// All money is distributed. Kept for ratings and audits.
	#[codec(index = 2)]
	Closed {
		/// The block in which it was closed.
		at: BlockNumber,
	},
}

/// A session. Amounts are in plancks.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Session<AccountId, Balance, BlockNumber> {
	/// Who pays.
	pub requester: AccountId,
	/// Who answers.
	pub worker: AccountId,
	/// The spec by which it is answered.
	pub spec_id: H256,
	/// The domain.
	pub domain: DomainId,
	/// Plancks per 1,000 prompt tokens, fixed at opening.
	pub price_in: Balance,
	/// Plancks per 1,000 output tokens, fixed at opening.
	pub price_out: Balance,
	/// All that was ever put in.
	pub escrow: Balance,
	/// The price of all committed answers.
	pub committed: Balance,
	/// All that was ever claimed, fees included.
	pub claimed: Balance,
	/// The highest count of paid answers a claimed voucher named.
	pub answers: u32,
	/// The request index that the next committed segment must begin with.
	pub next_index: u32,
	/// The beacon round whose value gives the seed.
	pub seed_round: u32,
	/// The seed, once the beacon gave it.
	pub seed: Option<H256>,
	/// Where it stands.
	pub status: Status<BlockNumber>,
	/// The block in which it was opened.
	pub opened_at: BlockNumber,
	/// The block at whose end the rest is refunded by itself.
	pub expires_at: BlockNumber,
	/// Whether the requester has rated it.
	pub rated: bool,
}

/// Committed but unclaimed earnings of a session, in the order of commitment.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Tranche<Balance> {
	/// The epoch of the batch that committed them. Of joined tranches, the first's.
	pub epoch: Epoch,
	/// What is left to claim.
	pub amount: Balance,
}

/// The tranches of a session.
pub type Tranches<Balance> = BoundedVec<Tranche<Balance>, ConstU32<MAX_TRANCHES>>;

/// Earnings that wait for the audits of an epoch.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct PendingEpoch<Balance> {
	/// The epoch.
	pub epoch: Epoch,
	/// What is on hold for it.
	pub amount: Balance,
}

/// The epochs of a worker that wait for their audits.
pub type Pending<Balance> = BoundedVec<PendingEpoch<Balance>, ConstU32<MAX_PENDING>>;

/// What this pallet holds of an account.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Money<Balance> {
	/// Put into sessions and not claimed.
	pub escrow: Balance,
	/// Earned and waiting for audits.
	pub uncleared: Balance,
}
