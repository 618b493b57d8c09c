//! Why calls are refused.
use frame_support::pallet_macros::pallet_section;

/// Why calls are refused.
#[pallet_section]
mod errors {
	#[pallet::error]
	pub enum Error<T> {
		/// The caller is not an active bonded worker.
		NotActiveWorker,
		/// The caller has already committed a batch in this epoch: wait for the next one.
		BatchExists,
		/// A batch needs at least one segment.
		NoSegments,
		/// A segment's last index is below its first.
		SegmentReversed,
		/// A batch holds at most 640 receipts: commit the rest in the next epoch.
		BatchTooLarge,
		/// No audit has this number, or it has been forgotten.
		UnknownAudit,
		/// The caller is not the worker of this audit.
		NotTheWorker,
		/// The caller is not on the panel of this audit.
		NotOnPanel,
		/// The audit is at another stage.
		WrongStage,
		/// The stage's last block is over.
		DeadlinePassed,
		/// The worker was removed; its audits are abandoned.
		WorkerRemoved,
		/// The audit's batch is gone.
		UnknownBatch,
		/// The segment is not the one that holds the drawn receipt.
		SegmentMismatch,
		/// The segment's proof does not lead to the batch's root.
		SegmentProofInvalid,
		/// The receipt is of another answer than the drawn one.
		ReceiptMismatch,
		/// The receipt's proof does not lead to the segment's root.
		ReceiptProofInvalid,
		/// The receipt claims an answer without tokens.
		EmptyAnswer,
		/// The ledger does not know the session.
		UnknownSession,
		/// The session's seed is not known yet: try again after the running beacon round.
		SeedMissing,
		/// The answer's price exceeds what can be counted.
		PriceOverflow,
		/// The caller has committed to this audit before.
		AlreadyCommitted,
		/// The caller has not committed to a reference that it could reveal.
		NothingCommitted,
		/// Leaves and salt are not what the caller committed to.
		CommitmentMismatch,
		/// The caller has revealed its reference before.
		AlreadyRevealed,
		/// The leaves are not of the drawn positions, in order.
		LeavesMismatch,
		/// The leaves' proof does not lead to the transcript's root.
		LeafProofInvalid,
		/// Both receipts are the same.
		SameReceipt,
		/// The receipts are of different answers.
		DifferentAnswers,
		/// A receipt is not signed by the worker.
		SignatureInvalid,
		/// The worker has no stake to take.
		NotBonded,
		/// A probability is at most 1,000,000 parts per million.
		FloorTooHigh,
		/// The segment does not cover this answer.
		NotCovered,
		/// The receipts are not those of the whole segment, in order.
		ReceiptsMissing,
		/// What was signed is what was committed.
		NoDifference,
		/// The audit is not one that can be reviewed in this way.
		NotReviewable,
		/// The time for reviews of this audit is over.
		ReviewTooLate,
		/// The caller has asked for a review of this audit before.
		AlreadyReviewed,
		/// Exceptions are up to 16 positions of the answer, ascending, that were not drawn.
		BadExceptions,
		/// No more audits can be counted.
		TooManyAudits,
		/// The caller may not plant faults.
		NotPlanter,
		/// This was planted already.
		AlreadyPlanted,
		/// The caller has as many plants waiting as there may be: reveal some.
		TooManyPlants,
		/// The caller has not planted this answer, or so long ago that it was forgotten.
		UnknownPlant,
		/// It was planted after the answer's batch was sealed.
		PlantedTooLate,
		/// Too many audits turned out to be planted: wait for more audits.
		PlantQuotaReached,
		/// Slashing is not frozen.
		NotFrozen,
		/// A batch may be worth a twentieth of the stake: raise the stake, or commit the rest in the next epoch.
		StakeTooSmall,
	}
}
