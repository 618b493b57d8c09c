//! The invariants.
use crate::pallet::*;
use crate::types::*;
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect, InspectHold},
		Get,
	},
};
use sp_runtime::{AccountId32, TryRuntimeError};

type Sums = BTreeMap<AccountId32, Balance>;

impl<T: Config> Pallet<T> {
	/// Holds are exactly what sessions and epochs say; lists and agenda agree with the sessions.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let escrows = Self::check_sessions()?;
		Self::check_holds(HoldReason::Escrow, escrows, "escrows and holds differ")?;
		let mut uncleared = Sums::new();
		for (worker, pending) in Uncleared::<T>::iter() {
			for (place, entry) in pending.iter().enumerate() {
				let twice = pending.iter().skip(place.saturating_add(1)).any(|e| e.epoch == entry.epoch);
				ensure!(!twice, "an epoch is pending twice");
				book(&mut uncleared, &worker, entry.amount)?;
			}
		}
		Self::check_holds(HoldReason::Uncleared, uncleared, "uncleared earnings and holds differ")?;
		Self::check_lists()?;
		let pot = T::Currency::balance(&T::Pot::get());
		ensure!(pot == 0 || pot >= T::Currency::minimum_balance(), "the pot is dust");
		Ok(())
	}

	/// Checks each session by itself and returns the escrow of each requester.
	fn check_sessions() -> Result<Sums, TryRuntimeError> {
		let mut escrows = Sums::new();
		for (id, record) in Sessions::<T>::iter() {
			ensure!(id < NextSession::<T>::get(), "a session from the future");
			ensure!(record.claimed <= record.committed, "more claimed than committed");
			ensure!(record.claimed <= record.escrow, "more claimed than escrowed");
			ensure!(Agenda::<T>::contains_key(Self::due(&record)?, id), "a session is not on the agenda");
			let listed = OpenSessions::<T>::get(&record.requester).contains(&id);
			let open = !matches!(record.status, Status::Closed { .. });
			ensure!(listed == open, "the list of open sessions is wrong");
			let mut tranches: Balance = 0;
			for tranche in Unclaimed::<T>::get(id) {
				tranches = tranches.checked_add(tranche.amount).ok_or("tranches overflow")?;
			}
			let unclaimed = record.committed.checked_sub(record.claimed).ok_or("negative")?;
			ensure!(tranches == if open { unclaimed } else { 0 }, "tranches do not add up");
			if open {
				let left = record.escrow.checked_sub(record.claimed).ok_or("negative")?;
				book(&mut escrows, &record.requester, left)?;
			}
		}
		Ok(escrows)
	}

	/// Every account's hold is its sum; accounts without a sum have no hold.
	fn check_holds(reason: HoldReason, sums: Sums, what: &'static str) -> Result<(), TryRuntimeError> {
		let reason = reason.into();
		for who in frame_system::Account::<T>::iter_keys() {
			let held = T::Currency::balance_on_hold(&reason, &who);
			ensure!(held == sums.get(&who).copied().unwrap_or_default(), what);
		}
		for (who, sum) in sums {
			ensure!(T::Currency::balance_on_hold(&reason, &who) == sum, what);
		}
		Ok(())
	}

	fn check_lists() -> Result<(), TryRuntimeError> {
		for (block, id, ()) in Agenda::<T>::iter() {
			let record = Sessions::<T>::get(id).ok_or("the agenda names an unknown session")?;
			ensure!(Self::due(&record)? == block, "a session stands on the agenda of a wrong block");
			ensure!(block >= AgendaAt::<T>::get(), "the agenda's cursor went past a session");
		}
		for (requester, list) in OpenSessions::<T>::iter() {
			for id in list {
				let record = Sessions::<T>::get(id).ok_or("an open session is unknown")?;
				ensure!(record.requester == requester, "a session is in a wrong list");
			}
		}
		for (round, id, ()) in AwaitingSeed::<T>::iter() {
			let record = Sessions::<T>::get(id).ok_or("an unknown session waits for a seed")?;
			ensure!(record.seed_round == round && record.seed.is_none(), "a session waits for a wrong seed");
			ensure!(round >= SeedRound::<T>::get(), "the seeds' cursor went past a session");
		}
		ensure!(Unclaimed::<T>::iter_keys().all(Sessions::<T>::contains_key), "tranches lost their session");
		ensure!(
			Uncleared::<T>::iter_keys().all(|worker| !Barred::<T>::contains_key(worker)),
			"a barred worker waits for audits"
		);
		Ok(())
	}
}

fn book(sums: &mut Sums, who: &AccountId32, amount: Balance) -> Result<(), TryRuntimeError> {
	let sum = sums.entry(who.clone()).or_default();
	*sum = sum.checked_add(amount).ok_or("sums overflow")?;
	Ok(())
}
