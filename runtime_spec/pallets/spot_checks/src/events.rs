//! What the pallet tells.
use frame_support::pallet_macros::pallet_section;

/// What the pallet tells.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A worker committed its answers of an epoch.
		BatchCommitted {
			/// The worker.
			worker: AccountId32,
			/// The epoch.
			epoch: Epoch,
			/// How many answers.
			receipts: u32,
			/// What they cost together.
			amount: Balance,
		},
		/// An answer is to be audited; the worker has to open its receipt.
		AuditDrawn {
			/// The audit.
			audit: AuditId,
			/// The worker.
			worker: AccountId32,
			/// The batch's epoch.
			epoch: Epoch,
			/// The receipt's place in the batch.
			ordinal: u32,
			/// The validators.
			panel: Vec<AccountId32>,
			/// The last block for opening the receipt.
			deadline: u32,
		},
		/// A batch goes without audits.
		AuditSkipped {
			/// The worker.
			worker: AccountId32,
			/// The batch's epoch.
			epoch: Epoch,
			/// Why.
			reason: SkipReason,
		},
		/// The receipt is open; the panel has to commit references.
		ReceiptOpened {
			/// The audit.
			audit: AuditId,
			/// The answer's session.
			session: SessionId,
			/// The answer's index in the session.
			index: u32,
			/// The positions to be checked.
			positions: Vec<u32>,
			/// The last block for commitments.
			deadline: u32,
		},
		/// A validator committed a reference, or reported that the data was withheld.
		ReferenceCommitted {
			/// The audit.
			audit: AuditId,
			/// The validator.
			validator: AccountId32,
			/// Whether it reported withheld data.
			withheld: bool,
		},
		/// The references are committed; the worker has to open its leaves.
		LeavesDue {
			/// The audit.
			audit: AuditId,
			/// The last block for opening the leaves.
			deadline: u32,
		},
		/// The leaves are open; the panel has to reveal its references.
		LeavesOpened {
			/// The audit.
			audit: AuditId,
			/// The last block for revealing.
			deadline: u32,
		},
		/// A validator revealed its reference.
		ReferenceRevealed {
			/// The audit.
			audit: AuditId,
			/// The validator.
			validator: AccountId32,
		},
		/// An audit ended.
		Decided {
			/// The audit.
			audit: AuditId,
			/// The worker.
			worker: AccountId32,
			/// The answer's session.
			session: SessionId,
			/// The answer's index in the session.
			index: u32,
			/// The verdict.
			verdict: Verdict,
			/// Its reason.
			reason: Reason,
			/// Position evidence of this answer, 1/256 nat.
			position_evidence: i32,
			/// Margin evidence of this answer, 1/256 nat.
			margin_evidence: i32,
			/// The worker's position evidence afterwards.
			position_total: i32,
			/// The worker's margin evidence afterwards.
			margin_total: i32,
		},
		/// A validator's reference was rejected or its report of withheld data refuted; it was fined.
		ReferenceRejected {
			/// The audit.
			audit: AuditId,
			/// The validator.
			validator: AccountId32,
		},
		/// A validator committed nothing, or did not reveal what it had committed to.
		MissedDuty {
			/// The audit.
			audit: AuditId,
			/// The validator.
			validator: AccountId32,
		},
		/// A worker was fined for an answer.
		WorkerFined {
			/// The worker.
			worker: AccountId32,
			/// What was taken from its stake.
			amount: Balance,
		},
		/// A worker was slashed and removed.
		WorkerSlashed {
			/// The worker.
			worker: AccountId32,
			/// What was taken from its stake.
			amount: Balance,
			/// What was taken of its uncleared earnings.
			forfeited: Balance,
		},
		/// A worker signed two receipts for one answer.
		Equivocated {
			/// The worker.
			worker: AccountId32,
			/// The answer's session.
			session: SessionId,
			/// The answer's index in the session.
			index: u32,
			/// Who reported it.
			reporter: AccountId32,
		},
		/// A batch's audits are all decided and its earnings released.
		BatchSettled {
			/// The worker.
			worker: AccountId32,
			/// The epoch.
			epoch: Epoch,
		},
		/// Root set the floor under the audit probability.
		AuditFloorSet {
			/// Parts per million.
			parts_per_million: u32,
		},
		/// Somebody asked for a review of a decided audit and put a bond on hold.
		ReviewFiled {
			/// The number of the audit that will review.
			audit: AuditId,
			/// The audit that will be reviewed.
			of: AuditId,
			/// Why.
			kind: ReviewKind,
			/// Who asked.
			by: AccountId32,
			/// What is on hold.
			bond: Balance,
		},
		/// A review has its panel, which has to commit references.
		ReviewBegun {
			/// The review's number.
			audit: AuditId,
			/// The audit that is reviewed.
			of: AuditId,
			/// The validators.
			panel: Vec<AccountId32>,
		},
		/// A review found no panel; the bond is free again.
		ReviewVoid {
			/// The review's number.
			audit: AuditId,
			/// The audit that was to be reviewed.
			of: AuditId,
		},
		/// A review ended.
		ReviewEnded {
			/// The review's number.
			audit: AuditId,
			/// The audit that was reviewed.
			of: AuditId,
			/// What became of the bond: kept by the pot, or given back.
			forfeited: bool,
		},
		/// A failed answer does not count any more.
		Overturned {
			/// The audit whose verdict is taken back.
			audit: AuditId,
			/// The worker.
			worker: AccountId32,
			/// Why.
			reason: Reason,
			/// What came back to its stake.
			restored: Balance,
		},
		/// A slash was taken back with the verdict that had led to it.
		SlashTakenBack {
			/// The worker.
			worker: AccountId32,
			/// What came back to its stake.
			restored: Balance,
			/// What came back of its earnings.
			returned: Balance,
		},
		/// A slashed worker works again, on probation.
		Readmitted {
			/// The worker.
			worker: AccountId32,
			/// How many of its next audited answers are audited for certain.
			probation: u32,
		},
		/// Root chose who may plant faults.
		PlantersSet {
			/// How many.
			planters: u32,
		},
		/// Somebody planted a fault.
		Planted {
			/// The commitment.
			commitment: H256,
		},
		/// A planted fault was revealed.
		PlantRevealed {
			/// The audit of the planted answer.
			audit: AuditId,
			/// Who planted it.
			planter: AccountId32,
			/// Whether the panel had failed it.
			caught: bool,
		},
		/// A validator got the jackpot for failing a planted answer.
		Jackpot {
			/// The audit.
			audit: AuditId,
			/// The validator.
			validator: AccountId32,
			/// What it got.
			amount: Balance,
		},
		/// A validator let a planted answer pass and was fined.
		LookedAway {
			/// The audit.
			audit: AuditId,
			/// The validator.
			validator: AccountId32,
			/// What was taken.
			amount: Balance,
		},
		/// So many workers drift together that slashing for evidence is frozen.
		DriftAlarm {
			/// Owners whose workers' evidence stands high.
			drifting: u32,
			/// Owners whose workers were audited.
			audited: u32,
		},
		/// Slashing for evidence goes on.
		Thawed,
		/// So many deadlines are missed that this one is put off.
		PutOffDeadline {
			/// The audit.
			audit: AuditId,
			/// The last block now.
			deadline: u32,
		},
	}
}
