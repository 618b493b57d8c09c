//! The invariants of the pallet's storage.
use crate::{
	types::{MAX_PLANTS, PLANT_QUOTA},
	Agenda, AgendaCursor, Audit, AuditFloor, AuditOf, Audits, BatchSpans, BatchState, Batches, Config,
	DrawRound, Due, HoldReason, NextAudit, OfValidator, OfWorker, OpenedLeaves, Pallet, PlantTally, Plants,
	PlantsOf, PutOff, Records, References, ReviewOf, Reviews, Slashes, Stage, Undrawn, UndrawnReviews,
	Workers,
};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use frame_support::{ensure, traits::fungible::InspectHold};
use llmnet_primitives::{drawing::ONE, QUORUM};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// All invariants.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_agenda()?;
		Self::check_audits()?;
		Self::check_indices()?;
		Self::check_batches()?;
		Self::check_workers()?;
		Self::check_reviews()?;
		Self::check_plants()
	}

	/// Every open audit has a deadline task that is still to come, every decided one and every closed batch a task
	/// that forgets it; no task stands before the cursor.
	fn check_agenda() -> Result<(), TryRuntimeError> {
		let cursor = AgendaCursor::<T>::get();
		let (mut latest, mut prunes) = (BTreeMap::new(), Vec::new());
		for (block, tasks) in Agenda::<T>::iter() {
			ensure!(block >= cursor, "a task stands before the cursor");
			for task in tasks {
				match task {
					Due::Deadline(id) => {
						let last = latest.entry(id).or_insert(block);
						*last = block.max(*last);
					}
					task => prunes.push(task),
				}
			}
		}
		for (id, audit) in Audits::<T>::iter() {
			if audit.stage == Stage::Decided {
				ensure!(prunes.contains(&Due::PruneAudit(id)), "a decided audit is never forgotten");
			} else {
				let on_time = latest.get(&id).is_some_and(|block| *block >= audit.deadline);
				ensure!(on_time, "an open audit is not on the agenda");
			}
		}
		for (worker, epoch, batch) in Batches::<T>::iter() {
			let closed = matches!(batch.state, BatchState::Settled | BatchState::Forfeited);
			let planned = prunes.contains(&Due::PruneBatch(worker, epoch));
			ensure!(closed == planned, "closed batches are to be forgotten, no others");
		}
		Ok(())
	}

	/// Stage, answer, leaves, references and outcome agree.
	fn check_audits() -> Result<(), TryRuntimeError> {
		for (id, audit) in Audits::<T>::iter() {
			ensure!(id < NextAudit::<T>::get(), "an audit was never numbered");
			let first = AuditOf::<T>::get((audit.session, audit.index)) == Some(id);
			ensure!(first != Reviews::<T>::contains_key(id), "an answer has one audit that is no review");
			ensure!((audit.stage == Stage::Decided) == audit.outcome.is_some(), "decided without an outcome");
			let opened =
				matches!(audit.stage, Stage::ReceiptOpened | Stage::Referenced | Stage::LeavesOpened);
			ensure!(!opened || audit.answer.is_some(), "an open receipt is missing");
			let leaves = OpenedLeaves::<T>::contains_key(id);
			ensure!(leaves == (audit.stage == Stage::LeavesOpened), "leaves are kept at the wrong stage");
			let distinct: BTreeSet<_> = audit.panel.iter().map(|member| &member.validator).collect();
			ensure!(distinct.len() == audit.panel.len(), "a validator sits twice on a panel");
			ensure!(distinct.len() >= QUORUM as usize, "a panel without a quorum");
			ensure!(!distinct.contains(&audit.worker), "a worker judges itself");
			for member in &audit.panel {
				let kept = References::<T>::contains_key(id, &member.validator);
				let wanted = member.revealed && audit.stage == Stage::LeavesOpened;
				ensure!(kept == wanted, "references are kept at the wrong stage");
				ensure!(!member.revealed || member.referenced(), "revealed without a commitment");
			}
		}
		let first = Audits::<T>::iter_keys().filter(|id| !Reviews::<T>::contains_key(id)).count();
		ensure!(AuditOf::<T>::iter().count() == first, "an answer has a lost audit");
		Ok(())
	}

	/// The indices by worker and by validator hold exactly the open audits; nothing is kept for others.
	fn check_indices() -> Result<(), TryRuntimeError> {
		let open: Vec<_> = Audits::<T>::iter().filter(|(_, audit)| audit.stage != Stage::Decided).collect();
		let seats: usize = open.iter().map(|(_, audit)| audit.panel.len()).sum();
		for (id, audit) in &open {
			ensure!(OfWorker::<T>::contains_key(&audit.worker, id), "an audit is not listed for its worker");
			let listed = |who| OfValidator::<T>::contains_key(who, id);
			ensure!(audit.panel.iter().all(|m| listed(&m.validator)), "an audit is not listed for its panel");
		}
		ensure!(OfWorker::<T>::iter().count() == open.len(), "a worker has a lost audit");
		ensure!(OfValidator::<T>::iter().count() == seats, "a validator has a lost audit");
		let known = |id| Audits::<T>::contains_key(id);
		ensure!(OpenedLeaves::<T>::iter_keys().all(known), "leaves of a lost audit");
		ensure!(References::<T>::iter_keys().all(|(id, _)| known(id)), "references of a lost audit");
		Ok(())
	}

	/// Each batch counts its open audits; exactly the sealed ones wait for a draw.
	fn check_batches() -> Result<(), TryRuntimeError> {
		let mut open = BTreeMap::new();
		let counts = |id: &_, audit: &Audit| audit.stage != Stage::Decided && !Reviews::<T>::contains_key(id);
		for (_, audit) in Audits::<T>::iter().filter(|(id, audit)| counts(id, audit)) {
			let count: &mut u32 = open.entry((audit.worker, audit.epoch)).or_default();
			*count = count.saturating_add(1);
		}
		let mut sealed = 0usize;
		for (worker, epoch, batch) in Batches::<T>::iter() {
			let waits = Undrawn::<T>::contains_key(batch.round, (&worker, epoch));
			let spans = BatchSpans::<T>::contains_key(&worker, epoch);
			let is_sealed = batch.state == BatchState::Sealed;
			ensure!(waits == is_sealed && spans == is_sealed, "exactly the sealed batches wait for a draw");
			ensure!(!waits || batch.round >= DrawRound::<T>::get(), "a batch will never be drawn");
			ensure!(batch.pending <= batch.drawn, "more audits are open than were drawn");
			let pending = open.remove(&(worker, epoch)).unwrap_or_default();
			ensure!(pending == batch.pending, "a batch miscounts its open audits");
			ensure!(
				(batch.pending > 0) == (batch.state == BatchState::Drawn),
				"a batch without audits is open"
			);
			sealed = sealed.saturating_add(usize::from(is_sealed));
		}
		ensure!(open.is_empty(), "an open audit has no batch");
		ensure!(Undrawn::<T>::iter().count() == sealed, "a lost batch waits for a draw");
		Ok(())
	}

	/// Evidence is within its bounds and enough of it means removal.
	fn check_workers() -> Result<(), TryRuntimeError> {
		ensure!(AuditFloor::<T>::get() <= ONE, "a probability above one");
		for state in Workers::<T>::iter_values() {
			ensure!(state.evidence.position >= 0 && state.evidence.margin >= 0, "evidence below zero");
			ensure!(state.removed || !state.evidence.is_slashable(), "a worker was not slashed");
			ensure!(state.probation <= crate::types::LONGEST_PROBATION, "probation is too long");
		}
		for worker in Slashes::<T>::iter_keys() {
			ensure!(Workers::<T>::get(worker).removed, "a slash of nobody could be taken back");
		}
		Ok(())
	}

	/// Each open review has its bond on hold and waits for a panel or has one; no ended one has; each is listed with
	/// the audit that it reviews, which is kept. Only decided audits have a record.
	fn check_reviews() -> Result<(), TryRuntimeError> {
		let mut bonds = BTreeMap::<_, crate::Balance>::new();
		let waiting: BTreeSet<_> = UndrawnReviews::<T>::iter().map(|(_, id, ())| id).collect();
		for (id, review) in Reviews::<T>::iter() {
			let stage = Audits::<T>::get(id).map(|audit| audit.stage);
			let open = stage != Some(Stage::Decided);
			ensure!(
				stage.is_none() == waiting.contains(&id),
				"a review has no panel and does not wait for one"
			);
			ensure!((review.bond > 0) == open, "a bond outlives its review, or the other way round");
			ensure!(Audits::<T>::contains_key(review.of), "the reviewed audit is forgotten");
			ensure!(ReviewOf::<T>::get(review.of, &review.by) == Some(id), "a review is not listed");
			let sum = bonds.entry(review.by).or_default();
			*sum = sum.checked_add(review.bond).ok_or("bonds overflow")?;
		}
		ensure!(ReviewOf::<T>::iter().count() == Reviews::<T>::iter().count(), "a lost review is listed");
		ensure!(waiting.iter().all(Reviews::<T>::contains_key), "a lost review waits for a panel");
		for (who, sum) in bonds {
			let held = T::Currency::balance_on_hold(&HoldReason::Review.into(), &who);
			ensure!(held == sum, "bonds and holds differ");
		}
		let decided = |id| Audits::<T>::get(id).is_some_and(|audit| audit.stage == Stage::Decided);
		ensure!(Records::<T>::iter_keys().all(decided), "a record of an audit that is not decided");
		let open = |id| Audits::<T>::get(id).is_some_and(|audit| audit.stage != Stage::Decided);
		ensure!(PutOff::<T>::iter_keys().all(open), "the deadline of a closed audit was put off");
		Ok(())
	}

	/// Planters have as many plants as are counted, each with a time to be forgotten, and within the quota.
	fn check_plants() -> Result<(), TryRuntimeError> {
		let mut counts = BTreeMap::<_, u32>::new();
		let planned: Vec<_> = Agenda::<T>::iter_values().flatten().collect();
		for (commitment, plant) in Plants::<T>::iter() {
			ensure!(planned.contains(&Due::PrunePlant(commitment)), "a plant is never forgotten");
			let count = counts.entry(plant.planter).or_default();
			*count = count.saturating_add(1);
		}
		ensure!(PlantsOf::<T>::iter().collect::<BTreeMap<_, _>>() == counts, "plants are miscounted");
		ensure!(counts.values().all(|count| *count <= MAX_PLANTS), "too many plants of one planter");
		let tally = PlantTally::<T>::get();
		ensure!(tally.plants.saturating_mul(PLANT_QUOTA) <= tally.audits, "more planted than may be");
		Ok(())
	}
}
