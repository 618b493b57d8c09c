//! The small traits by which pallets know each other.
use crate::types::*;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::DispatchError;

/// What a bonded account does.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Role {
	/// Sells answers.
	#[codec(index = 0)]
	Worker,
	/// Checks answers.
	#[codec(index = 1)]
	Validator,
}

/// Who is bonded (staking).
pub trait Roster<AccountId, Balance> {
	/// Whether `who` is bonded in `role` with at least the minimum and not unbonding.
	fn is_active(who: &AccountId, role: Role) -> bool;
	/// The stake at risk, unbonding included.
	fn stake(who: &AccountId) -> Balance;
	/// The account that owns `who`: itself unless linked.
	fn owner(who: &AccountId) -> AccountId;
	/// Active validators and stakes in account order; bounded.
	fn validators() -> Vec<(AccountId, Balance)>;
	/// How often `who` or its owner was slashed, whichever is more.
	fn strikes(who: &AccountId) -> u32;
}

/// Taking stake away (staking).
pub trait Penalize<AccountId, Balance> {
	/// Takes up to `amount` of the stake, pays `shares` in order as far as it reaches, the rest goes to the treasury. Returns what was taken.
	fn fine(who: &AccountId, amount: Balance, shares: &[(AccountId, Balance)]) -> Balance;
	/// As `fine`, and removes `who` from its role: it may bond again only after a quarantine.
	fn slash(who: &AccountId, amount: Balance, shares: &[(AccountId, Balance)]) -> Balance;
	/// Puts up to `amount` from the treasury back to the stake of `who`. Returns what was put back.
	fn restore(who: &AccountId, amount: Balance) -> Balance;
	/// Takes back a slash that should not have been: `who` has its role again and one strike less.
	fn reinstate(who: &AccountId);
}

/// Public randomness (beacon).
pub trait Randomness {
	/// The round that is running.
	fn current_round() -> u32;
	/// The value of a finished round, while it is kept.
	fn value(round: u32) -> Option<H256>;
}

/// What audits need to know of a spec (registry).
pub trait Specs<AccountId> {
	/// The registered spec.
	fn spec(id: &H256) -> Option<ServiceSpec>;
	/// The calibration row, unless expired.
	fn calibration(id: &H256) -> Option<Calibration>;
	/// Withdraws all offers of a removed worker.
	fn withdraw_all(worker: &AccountId);
}

/// Terms of a worker's offer (registry).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms<Balance> {
	/// Plancks per 1,000 prompt tokens.
	pub price_in: Balance,
	/// Plancks per 1,000 output tokens.
	pub price_out: Balance,
	/// Domains offered.
	pub domains: Vec<DomainId>,
}

/// Where sessions find prices (registry).
pub trait Offers<AccountId, Balance> {
	/// The terms under which `worker` serves `spec` now.
	fn terms(worker: &AccountId, spec: &H256) -> Option<Terms<Balance>>;
}

/// What audits need to know of a session (sessions).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFacts<AccountId, Balance> {
	/// Who pays.
	pub requester: AccountId,
	/// Who answers.
	pub worker: AccountId,
	/// The spec.
	pub spec: H256,
	/// The domain.
	pub domain: DomainId,
	/// Plancks per 1,000 prompt tokens.
	pub price_in: Balance,
	/// Plancks per 1,000 output tokens.
	pub price_out: Balance,
	/// The session's seed, once the beacon gave it.
	pub seed: Option<H256>,
}

/// The money side of sessions (sessions).
pub trait Ledger<AccountId, Balance> {
	/// What is known of a session.
	fn facts(session: SessionId) -> Option<SessionFacts<AccountId, Balance>>;
	/// Records that `worker` committed `segment` in `epoch`. Errors: unknown session, not its worker, indices that do not follow the last committed one.
	fn record_segment(worker: &AccountId, segment: &Segment, epoch: Epoch) -> Result<(), DispatchError>;
	/// The batch of `epoch` is settled: its earnings are released.
	fn settle(worker: &AccountId, epoch: Epoch);
	/// Takes all uncleared earnings of `worker` to the treasury. Returns the amount.
	fn forfeit(worker: &AccountId) -> Balance;
	/// A worker that was forfeited may earn again; up to `amount` of what it lost comes back from the treasury. Returns
	/// what was paid.
	fn readmit(worker: &AccountId, amount: Balance) -> Balance;
	/// Pays up to `amount` from the audit pot to `validator`. Returns what was paid.
	fn pay_from_pot(validator: &AccountId, amount: Balance) -> Balance;
}

/// How an audit ended.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Verdict {
	/// Nothing wrong was found.
	#[codec(index = 0)]
	Passed,
	/// The answer failed: a fine.
	#[codec(index = 1)]
	Failed,
	/// Not enough references that agree: for the worker it is as if it had not been drawn.
	#[codec(index = 2)]
	Abstained,
}

/// Who hears of verdicts and ratings (reputation).
pub trait OnVerdict<AccountId, Balance> {
	/// An answer of `worker` worth `price` was judged. `Abstained` is not reported.
	fn on_verdict(worker: &AccountId, domain: DomainId, price: Balance, passed: bool);
	/// The payer of a settled session rated it, `0..=5`, having paid `price`.
	fn on_rating(worker: &AccountId, domain: DomainId, price: Balance, stars: u8);
	/// The worker was slashed.
	fn on_slash(worker: &AccountId);
	/// The slash was taken back.
	fn on_reinstated(worker: &AccountId);
}
