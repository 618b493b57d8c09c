//! # Spot checks
//!
//! Workers seal what they answered, the beacon picks some of the answers, validators compute references for them, and
//! this pallet judges. `docs/protocol.md` sections 7 to 10 are the rules; this page says how they are kept.
//!
//! ## Batches
//! Once per epoch (`block / EpochLength`) a worker commits the segments of its answers. The pallet gives each segment
//! the ordinal of its first receipt, builds the Merkle root over the placed segments and tells the ledger, which
//! refuses what does not follow. The batch is sealed in the beacon round `r` that runs then and is drawn with the
//! value of `r + 1`, which nobody knows before its end; if that value should be lost before it was used, the batch is
//! sealed anew in the current round. A batch without draws, or all of whose audits are decided, is settled: its
//! earnings are released. Batches of a removed worker are forfeited instead.
//!
//! ## Audits
//! | stage | actor | call | if the deadline passes |
//! |---|---|---|---|
//! | `Drawn` | worker | `open_receipt` | failed |
//! | `ReceiptOpened` | panel | `commit_reference` | a quorum of references: on; a quorum of `Withheld`: failed; else abstained |
//! | `Referenced` | worker | `open_leaves` | failed |
//! | `LeavesOpened` | panel | `reveal_reference` | a quorum of references: judged; else abstained |
//! | `Decided` | - | - | forgotten after `VerdictRetention` blocks |
//!
//! The deadline is the last block in which its actors may act. A stage ends early when all of them have. A commitment
//! binds audit, account, leaves and salt, so a copied one can not be opened by the copier.
//!
//! ## What a verdict does
//! - *Failed*: fine of 20 rewards (at least `MinimumFine`), the requester gets one reward of it, the next 20 audited
//!   answers are audited for certain. The reward is the answer's price; while the receipt is not open, the mean price
//!   of its segment.
//! - Position and margin evidence go to the worker's two sums, which never fall below zero. A missed deadline or
//!   withheld data counts 1536 to position evidence. When either sum reaches 5120 the worker is slashed: 100 rewards,
//!   at least a tenth of the stake, and all uncleared earnings; its offers are withdrawn and it is out for good. A
//!   tenth of what is taken goes in equal parts to those of the panel who did what was asked of them and were not
//!   refuted. One answer never suffices, its evidence being at most 3072.
//! - *Abstained* changes nothing but a counter.
//! - A validator whose reference was accepted is paid `PanelReward` from the pot. A validator is fined as a worker is
//!   for a reference that was rejected or not revealed; a report of withheld data that a quorum of references refutes
//!   costs `MinimumFine`; who committed nothing gets nothing.
//! - Audits of a removed worker take no more calls and are abandoned, without effect, when their deadline comes.
//!
//! Two different receipts for one answer, both signed by the worker, are a slash at once (`report_equivocation`); the
//! reporter gets a tenth.
//!
//! ## Agenda
//! Deadlines and pruning stand on the agenda of their block, at most `MaxTasksPerBlock` each; what does not fit moves
//! to the next block with room. `on_idle` works it off from `AgendaCursor` on, as far as its weight reaches, then draws.
//! What was not reached stays. A task for an audit that has moved on does nothing.
//!
//! Weights are counted by hand (`weights.rs`) until they are measured.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::arithmetic_side_effects,
		clippy::indexing_slicing,
		clippy::unwrap_used,
		clippy::expect_used
	)
)]

extern crate alloc;

mod agenda;
mod batches;
#[cfg(any(test, feature = "try-runtime"))]
mod checks;
mod judging;
#[cfg(test)]
mod mock;
mod stages;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Calls, storage, events and errors.
#[allow(clippy::expect_used)] // The pallet macros expand to it; the rules are in the other modules.
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame_support::{pallet_prelude::*, weights::WeightMeter};
	use frame_system::pallet_prelude::*;
	use llmnet_primitives::{
		drawing::ONE, scoring::Reason, AuditId, Epoch, Leaves, Ledger, OnVerdict, Penalize, PlacedSegment,
		ProofNodes, Randomness, Receipt, Roster, Segments, SessionId, Specs, Verdict, MAX_DRAWS,
	};
	use sp_runtime::{traits::UniqueSaturatedInto, AccountId32};

	/// The layout version of this pallet's storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// The pallet's surroundings. Periods and lengths are in blocks, amounts in plancks.
	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>> {
		/// Who is bonded.
		type Roster: Roster<AccountId32, Balance>;
		/// Takes stake away.
		type Penalize: Penalize<AccountId32, Balance>;
		/// The beacon.
		type Randomness: Randomness;
		/// The registry.
		type Specs: Specs<AccountId32>;
		/// The money side of sessions.
		type Ledger: Ledger<AccountId32, Balance>;
		/// Hears of verdicts.
		type OnVerdict: OnVerdict<AccountId32, Balance>;
		/// Blocks per epoch.
		#[pallet::constant]
		type EpochLength: Get<u32>;
		/// Blocks a worker has to open a receipt.
		#[pallet::constant]
		type ReceiptPeriod: Get<u32>;
		/// Blocks the panel has to commit references.
		#[pallet::constant]
		type ReferencePeriod: Get<u32>;
		/// Blocks a worker has to open leaves.
		#[pallet::constant]
		type LeavesPeriod: Get<u32>;
		/// Blocks the panel has to reveal references.
		#[pallet::constant]
		type RevealPeriod: Get<u32>;
		/// Blocks for which verdicts and closed batches are kept.
		#[pallet::constant]
		type VerdictRetention: Get<u32>;
		/// The least fine.
		#[pallet::constant]
		type MinimumFine: Get<Balance>;
		/// What a validator gets from the pot for an accepted reference.
		#[pallet::constant]
		type PanelReward: Get<Balance>;
		/// The most tasks of one block of the agenda.
		#[pallet::constant]
		type MaxTasksPerBlock: Get<u32>;
		/// What the work costs.
		type WeightInfo: WeightInfo;
	}

	/// What workers committed, until `VerdictRetention` blocks after it was closed.
	#[pallet::storage]
	pub type Batches<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId32, Twox64Concat, Epoch, Batch, OptionQuery>;

	/// Where the segments of a batch begin, until it is drawn.
	#[pallet::storage]
	pub type BatchSpans<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId32, Twox64Concat, Epoch, Spans, ValueQuery>;

	/// The batches that wait for a draw, by the round in which they were sealed.
	#[pallet::storage]
	pub type Undrawn<T: Config> =
		StorageDoubleMap<_, Twox64Concat, u32, Blake2_128Concat, (AccountId32, Epoch), (), OptionQuery>;

	/// The first round that may have undrawn batches.
	#[pallet::storage]
	pub type DrawRound<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// The next audit's number.
	#[pallet::storage]
	pub type NextAudit<T: Config> = StorageValue<_, AuditId, ValueQuery>;

	/// The audits, decided ones until `VerdictRetention` blocks after the decision.
	#[pallet::storage]
	pub type Audits<T: Config> = StorageMap<_, Twox64Concat, AuditId, Audit, OptionQuery>;

	/// Which audit looks at an answer.
	#[pallet::storage]
	pub type AuditOf<T: Config> = StorageMap<_, Twox64Concat, (SessionId, u32), AuditId, OptionQuery>;

	/// The open audits of a worker.
	#[pallet::storage]
	pub type OfWorker<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId32, Twox64Concat, AuditId, (), OptionQuery>;

	/// The open audits with a validator on the panel.
	#[pallet::storage]
	pub type OfValidator<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId32, Twox64Concat, AuditId, (), OptionQuery>;

	/// The leaves a worker opened, until the decision.
	#[pallet::storage]
	pub type OpenedLeaves<T: Config> = StorageMap<_, Twox64Concat, AuditId, Leaves, OptionQuery>;

	/// The references that validators revealed, until the decision.
	#[pallet::storage]
	pub type References<T: Config> =
		StorageDoubleMap<_, Twox64Concat, AuditId, Blake2_128Concat, AccountId32, Leaves, OptionQuery>;

	/// What audits have found about each worker.
	#[pallet::storage]
	pub type Workers<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, WorkerState, ValueQuery>;

	/// Root's floor under the audit probability, in parts per million.
	#[pallet::storage]
	pub type AuditFloor<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// What is due in a block.
	#[pallet::storage]
	pub type Agenda<T: Config> =
		StorageMap<_, Twox64Concat, u32, BoundedVec<Due, T::MaxTasksPerBlock>, ValueQuery>;

	/// The first block of the agenda that is not worked off.
	#[pallet::storage]
	pub type AgendaCursor<T: Config> = StorageValue<_, u32, ValueQuery>;

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
	}

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
		/// More receipts, or a larger amount, than a batch can count.
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
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			let mut meter = WeightMeter::with_limit(remaining);
			Self::service_agenda(Self::now(), &mut meter);
			Self::service_draws(&mut meter);
			meter.consumed()
		}

		fn integrity_test() {
			let periods = [
				T::ReceiptPeriod::get(),
				T::ReferencePeriod::get(),
				T::LeavesPeriod::get(),
				T::RevealPeriod::get(),
				T::EpochLength::get(),
				T::MaxTasksPerBlock::get(),
			];
			assert!(!periods.contains(&0), "periods, epoch and agenda are not empty");
			// Else a batch could be forgotten in its own epoch and committed again.
			assert!(T::VerdictRetention::get() >= T::EpochLength::get(), "retention covers an epoch");
			let room = T::BlockWeights::get().max_block;
			let longest = T::WeightInfo::draw_batch(MAX_DRAWS).max(T::WeightInfo::deadline());
			let step = T::WeightInfo::agenda_block().saturating_add(T::WeightInfo::next_draw());
			assert!(longest.saturating_add(step).all_lte(room), "each task fits an idle block");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Commit the answers of the current epoch: once, by an active worker.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::commit_batch(segments.len() as u32))]
		pub fn commit_batch(origin: OriginFor<T>, segments: Segments) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_commit_batch(worker, segments)
		}

		/// Open the drawn receipt: the segment that holds it with its proof against the batch, and the receipt with
		/// its proof against the segment. By the audit's worker.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::open_receipt())]
		pub fn open_receipt(
			origin: OriginFor<T>,
			audit: AuditId,
			placed: PlacedSegment,
			segment_proof: ProofNodes,
			receipt: Receipt,
			receipt_proof: ProofNodes,
		) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_open_receipt(worker, audit, placed, segment_proof, receipt, receipt_proof)
		}

		/// Commit to a reference, or report that the data was withheld. By each validator of the panel, once.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::commit_reference())]
		pub fn commit_reference(
			origin: OriginFor<T>,
			audit: AuditId,
			commitment: ReferenceCommitment,
		) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			Self::do_commit_reference(validator, audit, commitment)
		}

		/// Open the leaves of the drawn positions with their proof against the receipt's transcript. By the worker.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::open_leaves())]
		pub fn open_leaves(
			origin: OriginFor<T>,
			audit: AuditId,
			leaves: Leaves,
			proof: ProofNodes,
		) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_open_leaves(worker, audit, leaves, proof)
		}

		/// Reveal the reference that was committed to. The last one to do so brings about the verdict.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::reveal_reference())]
		pub fn reveal_reference(
			origin: OriginFor<T>,
			audit: AuditId,
			leaves: Leaves,
			salt: [u8; 32],
		) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			Self::do_reveal_reference(validator, audit, leaves, salt)
		}

		/// Report two different receipts that a worker signed for one answer. It is slashed, the reporter gets a tenth.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::report_equivocation())]
		pub fn report_equivocation(
			origin: OriginFor<T>,
			worker: AccountId32,
			first: Receipt,
			first_signature: [u8; 64],
			second: Receipt,
			second_signature: [u8; 64],
		) -> DispatchResult {
			let reporter = ensure_signed(origin)?;
			Self::do_report_equivocation(
				reporter,
				worker,
				(first, first_signature),
				(second, second_signature),
			)
		}

		/// Set the floor under the audit probability, in parts per million. By root.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::set_audit_floor())]
		pub fn set_audit_floor(origin: OriginFor<T>, parts_per_million: u32) -> DispatchResult {
			ensure_root(origin)?;
			ensure!(parts_per_million <= ONE, Error::<T>::FloorTooHigh);
			AuditFloor::<T>::put(parts_per_million);
			Self::deposit_event(Event::AuditFloorSet { parts_per_million });
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The audit of this number, while it is kept.
		pub fn audit(id: AuditId) -> Option<Audit> {
			Audits::<T>::get(id)
		}

		/// The audits that wait for this worker, with stage and last block, by number.
		pub fn due_of_worker(worker: AccountId32) -> Vec<(AuditId, Stage, u32)> {
			Self::open_audits(OfWorker::<T>::iter_key_prefix(&worker))
				.filter(|(_, audit)| matches!(audit.stage, Stage::Drawn | Stage::Referenced))
				.map(|(id, audit)| (id, audit.stage, audit.deadline))
				.collect()
		}

		/// The open audits with this validator on the panel, by number, with stage, last block, and whether the stage
		/// asks nothing more of it: it has acted, it has nothing to reveal, or it is the worker's turn.
		pub fn assignments(validator: AccountId32) -> Vec<(AuditId, Stage, u32, bool)> {
			Self::open_audits(OfValidator::<T>::iter_key_prefix(&validator))
				.map(|(id, audit)| {
					let member = audit.panel.iter().find(|member| member.validator == validator);
					(id, audit.stage, audit.deadline, member.is_none_or(|member| member.acted(audit.stage)))
				})
				.collect()
		}

		/// What audits have found about a worker.
		pub fn worker_state(worker: AccountId32) -> WorkerState {
			Workers::<T>::get(worker)
		}

		/// With which probability an answer of this worker is audited now, in parts per million.
		pub fn audit_probability(worker: AccountId32) -> u32 {
			Workers::<T>::get(worker).probability(AuditFloor::<T>::get())
		}

		/// What a worker committed in an epoch, while it is kept.
		pub fn batch(worker: AccountId32, epoch: Epoch) -> Option<Batch> {
			Batches::<T>::get(worker, epoch)
		}

		/// How the audit of an answer ended, while it is kept.
		pub fn verdict_of(session: SessionId, index: u32) -> Option<Outcome> {
			AuditOf::<T>::get((session, index)).and_then(Audits::<T>::get).and_then(|audit| audit.outcome)
		}

		/// The positions an audit looks at: none before its receipt is open.
		pub fn positions(audit: AuditId) -> Vec<u32> {
			Audits::<T>::get(audit).map(|audit| Self::positions_of(&audit)).unwrap_or_default()
		}

		/// The epoch of this block.
		pub fn current_epoch() -> Epoch {
			Self::epoch()
		}
	}

	impl<T: Config> Pallet<T> {
		/// This block's number. Chains whose numbers exceed 32 bits are out of scope: it stops there.
		pub(crate) fn now() -> u32 {
			frame_system::Pallet::<T>::block_number().unique_saturated_into()
		}

		/// This block's epoch.
		pub(crate) fn epoch() -> Epoch {
			Self::now().checked_div(T::EpochLength::get()).unwrap_or_default()
		}

		/// The audits behind the numbers, without those of removed workers, by number.
		fn open_audits(ids: impl Iterator<Item = AuditId>) -> impl Iterator<Item = (AuditId, Audit)> {
			let mut ids: Vec<AuditId> = ids.collect();
			ids.sort_unstable();
			ids.into_iter()
				.filter_map(|id| Audits::<T>::get(id).map(|audit| (id, audit)))
				.filter(|(_, audit)| !Workers::<T>::get(&audit.worker).removed)
		}
	}
}
