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
//! Duties are done for free: `open_receipt`, `commit_reference`, `open_leaves` and `reveal_reference` cost no fee when they
//! succeed, which each can once for an audit. A call that fails pays.
//!
//! ## What a verdict does
//! - *Failed*: fine of 20 rewards (at least `MinimumFine`), the requester gets one reward of it, the next 20 audited
//!   answers are audited for certain. The reward is the answer's price; while the receipt is not open, the mean price
//!   of its segment.
//! - Position and margin evidence go to the worker's two sums, which never fall below zero. A missed deadline or
//!   withheld data counts 1536 to position evidence. When either sum reaches 5120 the worker is slashed: 100 rewards,
//!   at least a tenth of the stake, and all uncleared earnings; its offers are withdrawn and it is removed. A tenth of what is taken goes in equal parts to those of the panel who did what was asked of them and were not
//!   refuted. One answer never suffices, its evidence being at most 3072.
//! - *Abstained* changes nothing but a counter.
//! - A validator whose reference was accepted is paid `PanelReward` from the pot. A validator is fined as a worker is
//!   for a reference that was rejected or not revealed; a report of withheld data that a quorum of references refutes
//!   costs `MinimumFine`, and so does silence where a quorum could tell.
//! - Audits of a removed worker take no more calls and are abandoned, without effect, when their deadline comes.
//!
//! Two different receipts for one answer, both signed by the worker, are a slash at once (`report_equivocation`), and so
//! is a signed receipt that differs from the one committed or opened for its answer (`report_committed`,
//! `report_segment`, `report_opened`); the reporter gets a tenth.
//!
//! A removed worker whom staking lets bond again after its quarantine begins anew on probation: 20 answers audited for
//! certain for each strike of its own or its owner, which its other accounts serve too.
//!
//! ## Second looks
//! `reviews`: challenges, appeals; `plants`: planted faults; `drift`: when many workers move together; `outage`: when
//! many deadlines are missed together. Their modules are their rules.
//!
//! ## Agenda
//! Deadlines and pruning stand on the agenda of their block, at most `MaxTasksPerBlock` each; what does not fit moves
//! to the next block with room. `on_idle` works it off from `AgendaCursor` on, as far as its weight reaches, then draws.
//! What was not reached stays. A task for an audit that has moved on does nothing.
//!
//! Weights are measured (`weights.rs`). A call that may bring about a verdict is declared with one and with a slash; what did
//! not happen is given back.
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
pub mod drift;
mod equivocation;
mod errors;
mod events;
mod judging;
#[cfg(test)]
mod mock;
pub mod outage;
mod plants;
mod reviews;
mod stages;
mod storage;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use drift::Drift;
use frame_support::pallet_macros::import_section;
pub use outage::Outage;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Calls and hooks; storage, events and errors are written in modules of their names.
// The pallet macros expand to `expect`; the rules are in the other modules. What a call proves are its arguments.
#[allow(clippy::expect_used, clippy::too_many_arguments)]
#[import_section(errors::errors)]
#[import_section(events::events)]
#[import_section(storage::storage)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use crate::equivocation::ProvenSegment;
	use alloc::vec::Vec;
	use frame_support::{
		dispatch::WithPostDispatchInfo,
		pallet_prelude::*,
		traits::fungible::{Inspect, InspectHold, MutateHold},
		weights::WeightMeter,
	};
	use frame_system::pallet_prelude::*;
	use llmnet_primitives::{
		drawing::ONE, scoring::Reason, AuditId, Epoch, Leaves, Ledger, OnVerdict, Penalize, PlacedSegment,
		ProofNodes, Randomness, Receipt, Roster, Segments, SessionId, Specs, Verdict, MAX_DRAWS,
	};
	use sp_core::H256;
	use sp_runtime::{traits::UniqueSaturatedInto, AccountId32};

	/// The layout version of this pallet's storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// The pallet's surroundings. Periods and lengths are in blocks, amounts in plancks.
	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>> {
		/// The runtime-wide hold reason.
		type RuntimeHoldReason: From<HoldReason>;
		/// The token that bonds of reviews are held in.
		type Currency: Inspect<AccountId32, Balance = Balance>
			+ InspectHold<AccountId32, Reason = <Self as Config>::RuntimeHoldReason>
			+ MutateHold<AccountId32, Reason = <Self as Config>::RuntimeHoldReason>;
		/// The account of the audit pot, which gets forfeited bonds.
		type Pot: Get<AccountId32>;
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
		/// Blocks after a verdict in which it can be reviewed.
		#[pallet::constant]
		type ReviewPeriod: Get<u32>;
		/// The period over which the drift alarm counts.
		#[pallet::constant]
		type DriftPeriod: Get<u32>;
		/// The period over which missed deadlines are counted.
		#[pallet::constant]
		type OutagePeriod: Get<u32>;
		/// By how many blocks an outage puts deadlines off.
		#[pallet::constant]
		type OutageGrace: Get<u32>;
		/// What a validator gets from the pot for failing a planted answer.
		#[pallet::constant]
		type Jackpot: Get<Balance>;
		/// What a validator loses that lets a planted answer pass.
		#[pallet::constant]
		type LazyFine: Get<Balance>;
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

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The bond of who asks for a review.
		#[codec(index = 0)]
		Review,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			let mut meter = WeightMeter::with_limit(remaining);
			if meter.try_consume(T::WeightInfo::thaw()).is_ok() {
				Self::thaw_in_time();
			}
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
				T::ReviewPeriod::get(),
				T::DriftPeriod::get(),
				T::OutagePeriod::get(),
				T::OutageGrace::get(),
			];
			assert!(!periods.contains(&0), "periods, epoch and agenda are not empty");
			// Else a batch could be forgotten in its own epoch and committed again.
			assert!(T::VerdictRetention::get() >= T::EpochLength::get(), "retention covers an epoch");
			assert!(T::VerdictRetention::get() >= T::ReviewPeriod::get(), "what can be reviewed is kept");
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
		) -> DispatchResultWithPostInfo {
			let worker = ensure_signed(origin)?;
			Self::do_open_receipt(worker, audit, placed, segment_proof, receipt, receipt_proof)?;
			Ok(Pays::No.into())
		}

		/// Commit to a reference, or report that the data was withheld. By each validator of the panel, once.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::with_verdict(T::WeightInfo::commit_reference()))]
		pub fn commit_reference(
			origin: OriginFor<T>,
			audit: AuditId,
			commitment: ReferenceCommitment,
		) -> DispatchResultWithPostInfo {
			let validator = ensure_signed(origin)?;
			let own = T::WeightInfo::commit_reference();
			let effect = Self::do_commit_reference(validator, audit, commitment);
			let effect = effect.map_err(|error| error.with_weight(own))?;
			Ok((Some(own.saturating_add(effect.weight::<T>())), Pays::No).into())
		}

		/// Open the leaves of the drawn positions with their proof against the receipt's transcript. By the worker.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::open_leaves(leaves.len() as u32))]
		pub fn open_leaves(
			origin: OriginFor<T>,
			audit: AuditId,
			leaves: Leaves,
			proof: ProofNodes,
		) -> DispatchResultWithPostInfo {
			let worker = ensure_signed(origin)?;
			Self::do_open_leaves(worker, audit, leaves, proof)?;
			Ok(Pays::No.into())
		}

		/// Reveal the reference that was committed to. The last one to do so brings about the verdict.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::with_verdict(T::WeightInfo::reveal_reference(leaves.len() as u32)))]
		pub fn reveal_reference(
			origin: OriginFor<T>,
			audit: AuditId,
			leaves: Leaves,
			salt: [u8; 32],
		) -> DispatchResultWithPostInfo {
			let validator = ensure_signed(origin)?;
			let own = T::WeightInfo::reveal_reference(leaves.len() as u32);
			let effect = Self::do_reveal_reference(validator, audit, leaves, salt);
			let effect = effect.map_err(|error| error.with_weight(own))?;
			Ok((Some(own.saturating_add(effect.weight::<T>())), Pays::No).into())
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
			let (first, second) = ((first, first_signature), (second, second_signature));
			Self::do_report_equivocation(reporter, worker, first, second)
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

		/// Report a signed receipt that differs from the one that stands for its answer in the worker's batch of
		/// `epoch`: the segment at `place` of the batch and the committed receipt, each with its proof. The worker is
		/// slashed, the reporter gets a tenth.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::report_committed())]
		pub fn report_committed(
			origin: OriginFor<T>,
			worker: AccountId32,
			epoch: Epoch,
			place: u32,
			placed: PlacedSegment,
			segment_proof: ProofNodes,
			committed: Receipt,
			receipt_proof: ProofNodes,
			signed: Receipt,
			signature: [u8; 64],
		) -> DispatchResult {
			let reporter = ensure_signed(origin)?;
			let segment = ProvenSegment { epoch, place, placed, proof: segment_proof };
			let (committed, signed) = ((committed, receipt_proof), (signed, signature));
			Self::do_report_committed(reporter, worker, segment, committed, signed)
		}

		/// Report that the receipts which a worker signed for all answers of a segment are not those it committed: their
		/// root is another one. The worker is slashed, the reporter gets a tenth.
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::report_segment(signed.len() as u32))]
		pub fn report_segment(
			origin: OriginFor<T>,
			worker: AccountId32,
			epoch: Epoch,
			place: u32,
			placed: PlacedSegment,
			segment_proof: ProofNodes,
			signed: SignedReceipts,
		) -> DispatchResult {
			let reporter = ensure_signed(origin)?;
			let segment = ProvenSegment { epoch, place, placed, proof: segment_proof };
			Self::do_report_segment(reporter, worker, segment, signed)
		}

		/// Report a signed receipt that differs from the one which the worker opened in an audit of the same answer. The
		/// worker is slashed, the reporter gets a tenth.
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::report_opened())]
		pub fn report_opened(
			origin: OriginFor<T>,
			audit: AuditId,
			signed: Receipt,
			signature: [u8; 64],
		) -> DispatchResult {
			let reporter = ensure_signed(origin)?;
			Self::do_report_opened(reporter, audit, (signed, signature))
		}

		/// Name positions of a passed answer at which there is fraud. By a validator whose reference was used; a fine's
		/// worth of its money goes on hold, and to the pot if the answer passes again.
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::challenge())]
		pub fn challenge(origin: OriginFor<T>, audit: AuditId, exceptions: Positions) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			Self::do_challenge(validator, audit, exceptions)
		}

		/// Have a failed answer judged again by five other validators. By the worker; a fine's worth of its money goes on
		/// hold, and to the pot if the answer fails again.
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::appeal())]
		pub fn appeal(origin: OriginFor<T>, audit: AuditId) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_appeal(worker, audit)
		}

		/// Choose who may plant faults. By root.
		#[pallet::call_index(12)]
		#[pallet::weight(T::WeightInfo::set_planters())]
		pub fn set_planters(origin: OriginFor<T>, planters: Planters) -> DispatchResult {
			ensure_root(origin)?;
			Self::do_set_planters(planters);
			Ok(())
		}

		/// Plant a fault: `H("plant", caller ++ session ++ index ++ worker ++ salt)` of an answer that will be wrong.
		#[pallet::call_index(13)]
		#[pallet::weight(T::WeightInfo::plant())]
		pub fn plant(origin: OriginFor<T>, commitment: H256) -> DispatchResult {
			let planter = ensure_signed(origin)?;
			Self::do_plant(planter, commitment)
		}

		/// Reveal that the answer of a decided audit was planted by the caller. If it passed, a fine's worth of the
		/// caller's money goes on hold, and to the pot if five others pass it too.
		#[pallet::call_index(14)]
		#[pallet::weight(T::WeightInfo::reveal_plant())]
		pub fn reveal_plant(origin: OriginFor<T>, audit: AuditId, salt: [u8; 32]) -> DispatchResult {
			let planter = ensure_signed(origin)?;
			Self::do_reveal_plant(planter, audit, salt)
		}

		/// End a freeze of slashing. By root.
		#[pallet::call_index(15)]
		#[pallet::weight(T::WeightInfo::thaw())]
		pub fn thaw(origin: OriginFor<T>) -> DispatchResult {
			ensure_root(origin)?;
			ensure!(DriftWatch::<T>::get().frozen_until.is_some(), Error::<T>::NotFrozen);
			Self::thaw_now();
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
			Audits::<T>::get(audit).map(|found| Self::positions_of(audit, &found)).unwrap_or_default()
		}

		/// What an audit reviews and who asked for that; nothing for the first audit of an answer.
		pub fn review(audit: AuditId) -> Option<Review> {
			Reviews::<T>::get(audit)
		}

		/// The reviews of an audit, by number.
		pub fn reviews_of(audit: AuditId) -> Vec<AuditId> {
			let mut reviews: Vec<_> = ReviewOf::<T>::iter_prefix_values(audit).collect();
			reviews.sort_unstable();
			reviews
		}

		/// Whether slashing for evidence is frozen because many workers drift together.
		pub fn slashing_frozen() -> bool {
			Self::is_frozen()
		}

		/// Whether deadlines are put off because many are missed.
		pub fn outage() -> bool {
			Self::is_outage()
		}

		/// Who may plant faults.
		pub fn planters() -> Vec<AccountId32> {
			PlanterSet::<T>::get().into_inner()
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
				.filter(|(id, audit)| !Self::is_abandoned(*id, audit))
		}
	}
}
