//! What this pallet stores.
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use llmnet_primitives::{
	drawing::ONE,
	scoring::{Evidence, Reason},
	AuditId, DomainId, Epoch, Receipt, SessionId, Verdict, MAX_POSITIONS, MAX_SEGMENTS, QUORUM,
};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::AccountId32;

/// An amount in plancks.
pub type Balance = u128;
/// The validators of an audit.
pub type Panel = BoundedVec<Member, ConstU32<MAX_REVIEW_PANEL>>;
/// Where the segments of a batch that is not drawn yet begin, ascending by `start`.
pub type Spans = BoundedVec<Span, ConstU32<MAX_SEGMENTS>>;

/// Positions that an accuser names.
pub type Positions = BoundedVec<u32, ConstU32<MAX_POSITIONS>>;
/// Receipts of one segment with the worker's signatures.
pub type SignedReceipts = BoundedVec<(Receipt, [u8; 64]), ConstU32<MAX_REPORTED>>;
/// Who may plant faults.
pub type Planters = BoundedVec<AccountId32, ConstU32<MAX_PLANTERS>>;

/// The most validators of an audit: those of an appeal.
pub const MAX_REVIEW_PANEL: u32 = 5;
/// How many of them must at least be found.
pub const QUORUM_OF_REVIEW: usize = 3;
/// The most receipts that one report compares with a segment.
pub const MAX_REPORTED: u32 = 32;
/// The most accounts that may plant faults.
pub const MAX_PLANTERS: u32 = 16;
/// The most plants that one planter may have waiting.
pub const MAX_PLANTS: u32 = 32;
/// At most one audit in so many may turn out to be planted.
pub const PLANT_QUOTA: u32 = 50;
/// Audits are never rarer than this, in parts per million.
pub const LEAST_PROBABILITY: u32 = 50_000;
/// Receipts of a batch: as many as the draws of a batch can audit with the least probability.
pub const MAX_RECEIPTS: u32 = 640;
/// How many answers are audited for certain after a failure.
pub const PROBATION: u32 = 20;
/// The longest probation, after several slashes.
pub const LONGEST_PROBATION: u32 = 100;
/// A fine in rewards.
pub const FINE_REWARDS: Balance = 20;
/// A slash in rewards.
pub const SLASH_REWARDS: Balance = 100;
/// A slash is at least the stake divided by this.
pub const LEAST_SLASH_DIVISOR: Balance = 10;
/// The reporter's or the panel's share of a slash is what was taken divided by this.
pub const FINDER_DIVISOR: Balance = 10;

/// How many validators of a panel must agree: more than half, and never fewer than two.
pub fn quorum(panel: usize) -> usize {
	(panel / 2).saturating_add(1).max(QUORUM as usize)
}

/// Where an audit stands; names what happened last.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Stage {
	/// The worker has to open the receipt.
	#[codec(index = 0)]
	Drawn,
	/// The validators have to commit references.
	#[codec(index = 1)]
	ReceiptOpened,
	/// The worker has to open the leaves.
	#[codec(index = 2)]
	Referenced,
	/// The validators have to reveal their references.
	#[codec(index = 3)]
	LeavesOpened,
	/// The verdict is there.
	#[codec(index = 4)]
	Decided,
}

/// What a validator commits to.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum ReferenceCommitment {
	/// The hash of its reference leaves, of its account and of a salt.
	#[codec(index = 0)]
	Reference(H256),
	/// The worker did not hand out the data, or other data than the receipt names.
	#[codec(index = 1)]
	Withheld,
}

/// A validator on a panel and what it has done.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Member {
	/// The validator.
	pub validator: AccountId32,
	/// What it committed to.
	pub commitment: Option<ReferenceCommitment>,
	/// Whether it revealed its reference.
	pub revealed: bool,
}

impl Member {
	/// A member that has not done anything yet.
	pub fn new(validator: AccountId32) -> Self {
		Self { validator, commitment: None, revealed: false }
	}

	/// Whether it committed to a reference.
	pub fn referenced(&self) -> bool {
		matches!(self.commitment, Some(ReferenceCommitment::Reference(_)))
	}

	/// Whether it reported that the data was withheld.
	pub fn reported(&self) -> bool {
		matches!(self.commitment, Some(ReferenceCommitment::Withheld))
	}

	/// Whether `stage` asks nothing more of it: it has acted, it has nothing to reveal, or it is the worker's turn.
	pub fn acted(&self, stage: Stage) -> bool {
		match stage {
			Stage::ReceiptOpened => self.commitment.is_some(),
			Stage::LeavesOpened => self.revealed || !self.referenced(),
			Stage::Drawn | Stage::Referenced | Stage::Decided => true,
		}
	}
}

/// What is known of the audited answer once its receipt is open.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Answer {
	/// The receipt.
	pub receipt: Receipt,
	/// Who pays for the answer.
	pub requester: AccountId32,
	/// The spec it was to be computed by.
	pub spec: H256,
	/// The session's domain.
	pub domain: DomainId,
	/// What it costs, in plancks.
	pub price: Balance,
	/// The seed of its sampling and of its sketches.
	pub request_seed: H256,
}

/// How an audit ended.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Outcome {
	/// The audit.
	pub audit: AuditId,
	/// The verdict.
	pub verdict: Verdict,
	/// Its reason.
	pub reason: Reason,
	/// The evidence of this answer.
	pub evidence: Evidence,
	/// The worker's evidence afterwards.
	pub total: Evidence,
	/// The block of the decision.
	pub block: u32,
}

/// One drawn answer on its way to a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Audit {
	/// Whose answer it is.
	pub worker: AccountId32,
	/// The batch's epoch.
	pub epoch: Epoch,
	/// The receipt's place in the batch.
	pub ordinal: u32,
	/// The place of its segment in the batch.
	pub segment: u32,
	/// The session of the answer.
	pub session: SessionId,
	/// The answer's index in the session.
	pub index: u32,
	/// Mean price of the segment's answers: what counts as the reward when the receipt is never opened.
	pub mean_price: Balance,
	/// Draws panel and positions.
	pub seed: H256,
	/// Where the audit stands.
	pub stage: Stage,
	/// The last block in which the stage's actors may act.
	pub deadline: u32,
	/// The validators.
	pub panel: Panel,
	/// What is known of the answer.
	pub answer: Option<Answer>,
	/// How it ended.
	pub outcome: Option<Outcome>,
}

/// How far a batch is.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum BatchState {
	/// Waits for the beacon.
	#[codec(index = 0)]
	Sealed,
	/// Its audits are running.
	#[codec(index = 1)]
	Drawn,
	/// Its earnings were released.
	#[codec(index = 2)]
	Settled,
	/// Its worker was removed; its earnings went to the treasury.
	#[codec(index = 3)]
	Forfeited,
}

/// What a worker committed in one epoch.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Batch {
	/// Merkle root over the placed segments.
	pub root: H256,
	/// How many segments.
	pub segments: u32,
	/// How many receipts.
	pub receipts: u32,
	/// What they cost together.
	pub amount: Balance,
	/// The beacon round in which it was sealed; the next one draws.
	pub round: u32,
	/// How far it is.
	pub state: BatchState,
	/// How many receipts were drawn.
	pub drawn: u32,
	/// How many of its audits are open.
	pub pending: u32,
}

/// What is kept of a segment until the batch is drawn.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Span {
	/// Ordinal of its first receipt.
	pub start: u32,
	/// Its session.
	pub session: SessionId,
	/// Index of its first request.
	pub first: u32,
	/// Mean price of its answers, rounded up.
	pub mean_price: Balance,
}

/// What audits have found about a worker.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct WorkerState {
	/// The two sums of evidence, never below zero.
	pub evidence: Evidence,
	/// How many of its next audited answers are audited for certain.
	pub probation: u32,
	/// Audited answers passed in a row.
	pub clean: u32,
	/// Answers that passed.
	pub passed: u32,
	/// Answers that failed.
	pub failed: u32,
	/// Audits without a verdict.
	pub abstained: u32,
	/// Slashed and out for good.
	pub removed: bool,
}

impl WorkerState {
	/// With which probability each answer is audited, in parts per million; `floor` is root's.
	///
	/// All answers on probation, else `max(floor, 5 %, 50 % * 20 / (20 + clean))`.
	pub fn probability(&self, floor: u32) -> u32 {
		if self.probation > 0 {
			return ONE;
		}
		// Ten million fits; from 180 answers on the quotient is below the least probability anyway.
		let falling = ONE.saturating_mul(10).checked_div(self.clean.saturating_add(20)).unwrap_or(ONE);
		falling.max(LEAST_PROBABILITY).max(floor).min(ONE)
	}

	/// Counts a verdict and its evidence. Counters stop at their bound, which no worker lives to see.
	pub fn count(&mut self, verdict: Verdict, evidence: Evidence) {
		match verdict {
			Verdict::Passed => {
				self.passed = self.passed.saturating_add(1);
				self.clean = self.clean.saturating_add(1);
				self.probation = self.probation.saturating_sub(1);
			}
			Verdict::Failed => {
				self.failed = self.failed.saturating_add(1);
				self.clean = 0;
				self.probation = PROBATION;
			}
			Verdict::Abstained => {
				self.abstained = self.abstained.saturating_add(1);
				return;
			}
		}
		self.evidence = self.evidence.accumulate(evidence);
	}

	/// Takes a failure back that should not have counted; `prior` is what was known before it.
	///
	/// Where another failure has followed, its probation and its broken row stand.
	pub fn forgive(&mut self, prior: &Self) {
		self.failed = self.failed.saturating_sub(1);
		if self.failed <= prior.failed {
			let passed = self.passed.saturating_sub(prior.passed);
			self.clean = prior.clean.saturating_add(passed);
			self.probation = prior.probation.saturating_sub(passed);
		}
	}

	/// After `strikes` slashes more than were served: so many times `PROBATION` answers are audited for certain.
	pub fn serve(&mut self, strikes: u32) {
		let more = PROBATION.saturating_mul(strikes);
		self.probation = self.probation.saturating_add(more).min(LONGEST_PROBATION);
		self.clean = 0;
	}
}

/// Why a batch was not audited.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum SkipReason {
	/// Fewer validators than a quorum that are neither the worker nor of its owner.
	#[codec(index = 0)]
	TooFewValidators,
	/// The worker was removed before the draw.
	#[codec(index = 1)]
	WorkerRemoved,
}

/// What the agenda does in a block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Due {
	/// A stage's deadline passes, unless the audit has moved on.
	#[codec(index = 0)]
	Deadline(AuditId),
	/// A decided audit is forgotten.
	#[codec(index = 1)]
	PruneAudit(AuditId),
	/// A closed batch is forgotten.
	#[codec(index = 2)]
	PruneBatch(AccountId32, Epoch),
	/// A plant that was not revealed is forgotten.
	#[codec(index = 3)]
	PrunePlant(H256),
}

/// Why an answer is looked at again.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum ReviewKind {
	/// A validator of the panel names positions at which it has seen fraud.
	#[codec(index = 0)]
	Challenge,
	/// The worker does not accept that its answer failed.
	#[codec(index = 1)]
	Appeal,
	/// A planter says that the answer was wrong on purpose and the panel let it pass.
	#[codec(index = 2)]
	Plant,
}

/// An audit of an answer that was audited before.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Review {
	/// Why.
	pub kind: ReviewKind,
	/// The audit that is reviewed.
	pub of: AuditId,
	/// Who asked for it.
	pub by: AccountId32,
	/// What that account has on hold for it; zero once the review has ended.
	pub bond: Balance,
	/// The positions that were named; empty where the drawn ones are looked at again.
	pub exceptions: Positions,
}

/// What is remembered of a decided audit for its reviews.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Record {
	/// The validators whose references were used.
	pub accepted: BoundedVec<AccountId32, ConstU32<MAX_REVIEW_PANEL>>,
	/// What the treasury got of the worker's fine.
	pub to_treasury: Balance,
	/// What was known of the worker before.
	pub prior: WorkerState,
	/// The validators whose references were rejected, and what each was fined for it.
	pub rejected: BoundedVec<(AccountId32, Balance), ConstU32<MAX_REVIEW_PANEL>>,
	/// What each finder got of a slash that this audit led to.
	pub bounty: Balance,
}

/// What a slash has taken from a worker, as far as it can be given back.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Slash {
	/// What the treasury got of the stake.
	pub to_treasury: Balance,
	/// The uncleared earnings that were forfeited.
	pub forfeited: Balance,
}

/// A fault that somebody has planted, or so it says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Plant {
	/// Who planted it.
	pub planter: AccountId32,
	/// The beacon round in which it was planted.
	pub round: u32,
}

/// Counts for the quota of plants.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Tally {
	/// Audits of answers that ended with a verdict.
	pub audits: u32,
	/// How many of them turned out to be planted.
	pub plants: u32,
}
