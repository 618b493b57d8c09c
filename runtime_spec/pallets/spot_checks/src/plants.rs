//! Planted faults: answers that are wrong on purpose, so that looking pays and looking away does not.
//!
//! Planters, chosen by root, commit to (session, index, worker, salt) of an answer that is to be wrong before its batch
//! is drawn; nothing tells it from others until its audit is decided. Then the planter reveals it.
//! - The panel failed it: the verdict is taken back, since it was wrong by order, and those whose references failed it
//!   get the jackpot from the pot.
//! - The panel let it pass: nobody believes a planter. With a bond on hold he asks for a review by five others. If they
//!   fail the answer at the same positions, those who let it pass are fined `LazyFine` and the five get the jackpot; if
//!   they do not, the planter was wrong and loses the bond.
//!
//! Of all audits at most one in fifty turns out to be planted, whatever planters say.
use crate::{
	reviews::is_found_by_references,
	types::{Plant, Planters, Positions, ReviewKind, MAX_PLANTS, PLANT_QUOTA},
	Audit, Batches, Config, Due, Error, Event, Pallet, PlantTally, PlanterSet, Plants, PlantsOf, Records,
	Reviews,
};
use frame_support::{dispatch::DispatchResult, ensure, traits::Get};
use llmnet_primitives::{hashing, scoring::Reason, AuditId, Ledger, Penalize, Randomness, Verdict};
use sp_core::H256;
use sp_runtime::AccountId32;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_set_planters(planters: Planters) {
		let count = u32::try_from(planters.len()).unwrap_or(u32::MAX);
		PlanterSet::<T>::put(planters);
		Self::deposit_event(Event::PlantersSet { planters: count });
	}

	pub(crate) fn do_plant(planter: AccountId32, commitment: H256) -> DispatchResult {
		ensure!(PlanterSet::<T>::get().contains(&planter), Error::<T>::NotPlanter);
		ensure!(!Plants::<T>::contains_key(commitment), Error::<T>::AlreadyPlanted);
		let waiting = PlantsOf::<T>::get(&planter);
		ensure!(waiting < MAX_PLANTS, Error::<T>::TooManyPlants);
		PlantsOf::<T>::insert(&planter, waiting.saturating_add(1));
		Plants::<T>::insert(commitment, Plant { planter, round: T::Randomness::current_round() });
		let forgotten = Self::now().saturating_add(T::VerdictRetention::get());
		Self::schedule(Due::PrunePlant(commitment), forgotten);
		Self::deposit_event(Event::Planted { commitment });
		Ok(())
	}

	pub(crate) fn do_reveal_plant(planter: AccountId32, of: AuditId, salt: [u8; 32]) -> DispatchResult {
		let (audit, outcome) = Self::reviewable(of)?;
		ensure!(!Reviews::<T>::contains_key(of), Error::<T>::NotReviewable);
		let Audit { session, index, worker, .. } = &audit;
		let commitment =
			hashing::plant_commitment(planter.as_ref(), *session, *index, worker.as_ref(), &salt);
		let plant = Plants::<T>::get(commitment).ok_or(Error::<T>::UnknownPlant)?;
		let batch = Batches::<T>::get(worker, audit.epoch).ok_or(Error::<T>::UnknownBatch)?;
		ensure!(plant.round <= batch.round, Error::<T>::PlantedTooLate);
		Self::count_plant()?;
		Self::uproot(commitment);
		let caught = outcome.verdict == Verdict::Failed && is_found_by_references(outcome.reason);
		Self::deposit_event(Event::PlantRevealed { audit: of, planter: planter.clone(), caught });
		if caught {
			Self::overturn(of, Verdict::Abstained, Reason::Planted);
			let record = Records::<T>::get(of).ok_or(Error::<T>::NotReviewable)?;
			Self::pay_jackpot(of, &record.accepted);
			return Ok(());
		}
		ensure!(outcome.verdict == Verdict::Passed, Error::<T>::NotReviewable);
		Self::file_for_others(of, &audit, ReviewKind::Plant, planter, Positions::default())
	}

	/// One more audit was planted, if there may be one.
	fn count_plant() -> DispatchResult {
		PlantTally::<T>::try_mutate(|tally| {
			tally.plants = tally.plants.saturating_add(1);
			let within = tally.plants.saturating_mul(PLANT_QUOTA) <= tally.audits;
			ensure!(within, Error::<T>::PlantQuotaReached);
			Ok(())
		})
	}

	/// Forgets a plant.
	pub(crate) fn uproot(commitment: H256) {
		if let Some(plant) = Plants::<T>::take(commitment) {
			PlantsOf::<T>::mutate_exists(&plant.planter, |slot| {
				let left = slot.unwrap_or_default().saturating_sub(1);
				*slot = (left > 0).then_some(left);
			});
		}
	}

	/// The review of a plant that had passed has a verdict. Whether the planter was right.
	pub(crate) fn conclude_plant(
		of: AuditId,
		verdict: Verdict,
		reason: Reason,
		finders: &[AccountId32],
	) -> bool {
		if verdict != Verdict::Failed || !is_found_by_references(reason) {
			return false;
		}
		let lazy = Records::<T>::get(of).map(|record| record.accepted).unwrap_or_default();
		for validator in lazy {
			let amount = T::Penalize::fine(&validator, T::LazyFine::get(), &[]);
			Self::deposit_event(Event::LookedAway { audit: of, validator, amount });
		}
		Self::pay_jackpot(of, finders);
		true
	}

	fn pay_jackpot(audit: AuditId, finders: &[AccountId32]) {
		for validator in finders {
			let amount = T::Ledger::pay_from_pot(validator, T::Jackpot::get());
			Self::deposit_event(Event::Jackpot { audit, validator: validator.clone(), amount });
		}
	}
}
