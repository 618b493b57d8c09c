//! What audits ask of sessions.
use crate::money::add;
use crate::pallet::*;
use crate::types::*;
use frame_support::{
	defensive, ensure,
	traits::{
		fungible::{Inspect, InspectHold, Mutate, MutateHold},
		tokens::{Fortitude, Precision, Preservation, Restriction},
		Get,
	},
};
use llmnet_primitives::{hashing::session_seed, Epoch, Ledger, Randomness, Segment, SessionFacts, SessionId};
use sp_core::H256;
use sp_runtime::{AccountId32, DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// The stored seed, or what the beacon says now.
	pub(crate) fn seed_of(id: SessionId, record: &SessionOf<T>) -> Option<H256> {
		record.seed.or_else(|| T::Randomness::value(record.seed_round).map(|value| session_seed(&value, id)))
	}

	/// Makes sure that `epoch` is among those of `worker` that wait for audits.
	fn expect_audits(worker: &AccountId32, epoch: Epoch) -> DispatchResult {
		Uncleared::<T>::try_mutate(worker, |pending| {
			if pending.iter().any(|entry| entry.epoch == epoch) {
				return Ok(());
			}
			let entry = PendingEpoch { epoch, amount: 0 };
			pending.try_push(entry).map_err(|_| Error::<T>::TooManyPendingEpochs.into())
		})
	}
}

impl<T: Config> Ledger<AccountId32, Balance> for Pallet<T> {
	fn facts(session: SessionId) -> Option<SessionFacts<AccountId32, Balance>> {
		let record = Sessions::<T>::get(session)?;
		let seed = Self::seed_of(session, &record);
		Some(SessionFacts {
			requester: record.requester,
			worker: record.worker,
			spec: record.spec_id,
			domain: record.domain,
			price_in: record.price_in,
			price_out: record.price_out,
			seed,
		})
	}

	fn record_segment(worker: &AccountId32, segment: &Segment, epoch: Epoch) -> Result<(), DispatchError> {
		let mut record = Self::known(segment.session)?;
		ensure!(record.worker == *worker, Error::<T>::NotWorker);
		ensure!(!Barred::<T>::contains_key(worker), Error::<T>::WorkerBarred);
		ensure!(Self::not_due(&record), Error::<T>::SessionEnded);
		ensure!(Self::seed_of(segment.session, &record).is_some(), Error::<T>::NoSeed);
		let follows = segment.first == record.next_index && segment.first <= segment.last;
		ensure!(follows, Error::<T>::BadSegment);
		record.next_index = segment.last.checked_add(1).ok_or(Error::<T>::Overflow)?;
		record.committed = add::<T>(record.committed, segment.amount)?;
		Self::expect_audits(worker, epoch)?;
		Self::append_tranche(segment.session, worker, epoch, segment.amount)?;
		Sessions::<T>::insert(segment.session, record);
		Ok(())
	}

	fn settle(worker: &AccountId32, epoch: Epoch) {
		let mut pending = Uncleared::<T>::get(worker);
		let Some(place) = pending.iter().position(|entry| entry.epoch == epoch) else { return };
		let amount = pending.remove(place).amount;
		if pending.is_empty() {
			Uncleared::<T>::remove(worker);
		} else {
			Uncleared::<T>::insert(worker, pending);
		}
		let reason = HoldReason::Uncleared.into();
		// Exactly this is on hold (`try_state`), so nothing can be missing.
		if T::Currency::release(&reason, worker, amount, Precision::Exact).is_err() {
			defensive!("uncleared earnings were not on hold");
		}
		Self::deposit_event(Event::Cleared { worker: worker.clone(), epoch, amount });
	}

	fn forfeit(worker: &AccountId32) -> Balance {
		Barred::<T>::insert(worker, ());
		Uncleared::<T>::remove(worker);
		let reason = HoldReason::Uncleared.into();
		let amount = T::Currency::balance_on_hold(&reason, worker);
		let (exact, free, force) = (Precision::Exact, Restriction::Free, Fortitude::Force);
		let to = T::Treasury::get();
		let taken = match amount {
			0 => 0,
			_ => T::Currency::transfer_on_hold(&reason, worker, &to, amount, exact, free, force)
				.unwrap_or_else(|_| {
					defensive!("uncleared earnings did not reach the treasury");
					0
				}),
		};
		Self::deposit_event(Event::Forfeited { worker: worker.clone(), amount: taken });
		taken
	}

	fn readmit(worker: &AccountId32, amount: Balance) -> Balance {
		Barred::<T>::remove(worker);
		let from = T::Treasury::get();
		let spare = T::Currency::reducible_balance(&from, Preservation::Preserve, Fortitude::Polite);
		let amount = amount.min(spare);
		if amount == 0 {
			return 0;
		}
		// Fails only if the amount is too small for the worker's account to begin to exist.
		let Ok(paid) = T::Currency::transfer(&from, worker, amount, Preservation::Preserve) else {
			return 0;
		};
		Self::deposit_event(Event::Returned { worker: worker.clone(), amount: paid });
		paid
	}

	fn pay_from_pot(validator: &AccountId32, amount: Balance) -> Balance {
		let pot = T::Pot::get();
		let spare = T::Currency::reducible_balance(&pot, Preservation::Preserve, Fortitude::Polite);
		let amount = amount.min(spare);
		if amount == 0 {
			return 0;
		}
		// Fails only if the amount is too small for the validator's account to begin to exist.
		let Ok(paid) = T::Currency::transfer(&pot, validator, amount, Preservation::Preserve) else {
			return 0;
		};
		Self::deposit_event(Event::PaidFromPot { validator: validator.clone(), amount: paid });
		paid
	}
}
