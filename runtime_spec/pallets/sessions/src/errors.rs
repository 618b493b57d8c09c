//! Why calls are refused.
use frame_support::pallet_macros::pallet_section;

/// Why calls are refused.
#[pallet_section]
mod errors {
	#[pallet::error]
	pub enum Error<T> {
		/// There is no such session, or it is no longer kept.
		UnknownSession,
		/// The worker does not offer this spec, or is not active.
		NoOffer,
		/// The worker does not offer this domain.
		DomainNotOffered,
		/// The worker's price is above the caller's limit.
		PriceTooHigh,
		/// The escrow is below `MinEscrow`.
		EscrowTooLow,
		/// The session must last from `MinDuration` to `MaxDuration` blocks.
		BadDuration,
		/// Requester and worker are the same account or belong to the same owner.
		SelfDealing,
		/// The requester has `MaxOpenSessions` sessions open.
		TooManySessions,
		/// The session is closing, closed or expired.
		NotOpen,
		/// The session is closed or expired.
		SessionEnded,
		/// The session is closing already.
		AlreadyClosing,
		/// Only the session's requester may do this.
		NotRequester,
		/// Only the session's worker may do this.
		NotWorker,
		/// Only the session's requester or worker may do this.
		NotParty,
		/// The signature is not the requester's over this voucher on this chain.
		BadSignature,
		/// Nothing is left to pay: the voucher is not above what was claimed, or no more is committed or escrowed.
		NothingToClaim,
		/// The worker was slashed and can claim nothing more.
		WorkerBarred,
		/// The session has no seed yet, so it has no answers.
		NoSeed,
		/// The segment does not begin with the session's next request index, or ends before it begins.
		BadSegment,
		/// The worker has too many epochs that wait for audits.
		TooManyPendingEpochs,
		/// The session has too many unclaimed tranches.
		TooManyTranches,
		/// A rating has at most five stars.
		BadStars,
		/// Only a closed session can be rated.
		NotSettled,
		/// Nothing was paid in this session, so there is nothing to rate.
		NothingPaid,
		/// The session was rated already.
		AlreadyRated,
		/// An amount or a counter does not fit its type.
		Overflow,
	}
}
