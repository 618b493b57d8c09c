//! The list of validators, taking stake away, and what other pallets may ask.
use crate::{pallet::*, types::Strike, Balance};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Preservation, Restriction},
		Get,
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use llmnet_primitives::{Penalize, Role, Roster};
use sp_runtime::{
	traits::{CheckedAdd, Saturating},
	AccountId32, DispatchError,
};

impl<T: Config> Pallet<T> {
	/// The least stake of `role`.
	pub fn minimum(role: Role) -> Balance {
		match role {
			Role::Worker => T::MinimumWorkerStake::get(),
			Role::Validator => T::MinimumValidatorStake::get(),
		}
	}

	/// The bond of an account that is neither unbonding nor removed; its stake may be below the minimum.
	pub(crate) fn active_bond(who: &AccountId32) -> Result<BondOf<T>, DispatchError> {
		let bond = Bonds::<T>::get(who).ok_or(Error::<T>::NotBonded)?;
		ensure!(!bond.removed, Error::<T>::Removed);
		ensure!(bond.unbonding_at.is_none(), Error::<T>::AlreadyUnbonding);
		Ok(bond)
	}

	/// Whether `who` may take up a role; its owner then. A removed account comes back to its owner.
	pub(crate) fn may_bond(who: &AccountId32) -> Result<AccountId32, DispatchError> {
		let owner = match Bonds::<T>::get(who) {
			None => who.clone(),
			Some(bond) => {
				ensure!(bond.removed, Error::<T>::AlreadyBonded);
				let over = bond.unbonding_at.is_none() && Strikes::<T>::contains_key(who);
				ensure!(over, Error::<T>::Removed);
				bond.owner
			}
		};
		Self::ensure_free(who)?;
		Self::ensure_free(&owner)?;
		Ok(owner)
	}

	/// Refuses accounts in quarantine and those that were slashed too often.
	pub(crate) fn ensure_free(who: &AccountId32) -> Result<(), DispatchError> {
		let Some(strike) = Strikes::<T>::get(who) else { return Ok(()) };
		ensure!(strike.count < T::MaxStrikes::get(), Error::<T>::Removed);
		let now = frame_system::Pallet::<T>::block_number();
		ensure!(now >= strike.until, Error::<T>::InQuarantine);
		Ok(())
	}

	/// Counts a slash against `who`. A quarantine that can not be counted has no end.
	fn strike(who: &AccountId32) {
		let before = Strikes::<T>::get(who).map_or(0, |strike| strike.count);
		let count = before.saturating_add(1);
		let length = T::Quarantine::get().saturating_mul(2u32.saturating_pow(before).into());
		let until = frame_system::Pallet::<T>::block_number().saturating_add(length);
		Strikes::<T>::insert(who, Strike { count, until });
		Self::deposit_event(Event::Struck { who: who.clone(), strikes: count, until });
	}

	/// Takes one strike off `who`; its quarantine is over.
	fn unstrike(who: &AccountId32) {
		Strikes::<T>::mutate_exists(who, |slot| {
			let now = frame_system::Pallet::<T>::block_number();
			let left = slot.as_ref().map_or(0, |strike| strike.count.saturating_sub(1));
			*slot = (left > 0).then_some(Strike { count: left, until: now });
		});
	}

	/// A bonded account and its owner, if that is another one.
	fn with_owner(who: &AccountId32, bond: &BondOf<T>) -> Vec<AccountId32> {
		let mut both = alloc::vec![who.clone()];
		if bond.owner != *who {
			both.push(bond.owner.clone());
		}
		both
	}

	/// Puts `who` into the ordered list of validators.
	pub(crate) fn enlist(who: &AccountId32) -> Result<(), DispatchError> {
		Validators::<T>::try_mutate(|validators| {
			let at = validators.binary_search(who).err().ok_or(Error::<T>::AlreadyBonded)?;
			validators.try_insert(at, who.clone()).map_err(|_| Error::<T>::TooManyValidators)?;
			Ok(())
		})
	}

	/// Takes `who` out of the list of validators, if it is there.
	pub(crate) fn delist(who: &AccountId32) {
		Validators::<T>::mutate(|validators| {
			if let Ok(at) = validators.binary_search(who) {
				validators.remove(at);
			}
		});
	}

	fn is_sufficient(bond: &BondOf<T>, role: Role) -> bool {
		let bonded = !bond.removed && bond.unbonding_at.is_none();
		bonded && bond.role == role && bond.stake >= Self::minimum(role)
	}

	/// Moves up to `amount` of the stake of `who` to `to`. Returns what moved: nothing if `to` cannot receive it.
	fn take(who: &AccountId32, to: &AccountId32, amount: Balance) -> Balance {
		if amount == 0 {
			return 0;
		}
		T::Currency::transfer_on_hold(
			&HoldReason::Stake.into(),
			who,
			to,
			amount,
			Precision::BestEffort,
			Restriction::Free,
			Fortitude::Force,
		)
		.unwrap_or(0)
	}

	/// Pays `shares` in order and the treasury from the stake of `bond`, `amount` together.
	///
	/// Each subtraction is of something not greater than what it is taken from.
	fn collect(
		who: &AccountId32,
		bond: &mut BondOf<T>,
		amount: Balance,
		shares: &[(AccountId32, Balance)],
	) -> Balance {
		let mut left = amount.min(bond.stake);
		let mut taken: Balance = 0;
		let treasury = (T::Treasury::get(), Balance::MAX);
		for (to, share) in shares.iter().chain(core::iter::once(&treasury)) {
			let moved = Self::take(who, to, left.min(*share));
			left = left.saturating_sub(moved);
			taken = taken.saturating_add(moved);
		}
		bond.stake = bond.stake.saturating_sub(taken);
		taken
	}

	/// Ends the activity of a slashed account. What is left of its stake unbonds.
	fn remove(who: &AccountId32, bond: &mut BondOf<T>) {
		Self::delist(who);
		Proposals::<T>::remove(who);
		bond.removed = true;
		Self::with_owner(who, bond).iter().for_each(Self::strike);
		if bond.unbonding_at.is_none() && bond.stake > 0 {
			let now = frame_system::Pallet::<T>::block_number();
			let until: BlockNumberFor<T> = now.checked_add(&T::UnbondingPeriod::get()).unwrap_or(now);
			bond.unbonding_at = Some(until);
		}
	}
}

impl<T: Config> Roster<AccountId32, Balance> for Pallet<T> {
	fn is_active(who: &AccountId32, role: Role) -> bool {
		Bonds::<T>::get(who).is_some_and(|bond| Self::is_sufficient(&bond, role))
	}

	fn stake(who: &AccountId32) -> Balance {
		Bonds::<T>::get(who).map(|bond| bond.stake).unwrap_or(0)
	}

	fn owner(who: &AccountId32) -> AccountId32 {
		Bonds::<T>::get(who).map(|bond| bond.owner).unwrap_or_else(|| who.clone())
	}

	fn validators() -> Vec<(AccountId32, Balance)> {
		let with_stake = |who: AccountId32| {
			let bond = Bonds::<T>::get(&who)?;
			Self::is_sufficient(&bond, Role::Validator).then_some((who, bond.stake))
		};
		Validators::<T>::get().into_iter().filter_map(with_stake).collect()
	}

	fn strikes(who: &AccountId32) -> u32 {
		let count = |who: &AccountId32| Strikes::<T>::get(who).map_or(0, |strike| strike.count);
		count(who).max(count(&Self::owner(who)))
	}
}

impl<T: Config> Penalize<AccountId32, Balance> for Pallet<T> {
	fn fine(who: &AccountId32, amount: Balance, shares: &[(AccountId32, Balance)]) -> Balance {
		let Some(mut bond) = Bonds::<T>::get(who) else { return 0 };
		let taken = Self::collect(who, &mut bond, amount, shares);
		Bonds::<T>::insert(who, bond);
		Self::deposit_event(Event::Fined { who: who.clone(), amount: taken });
		taken
	}

	fn slash(who: &AccountId32, amount: Balance, shares: &[(AccountId32, Balance)]) -> Balance {
		let Some(mut bond) = Bonds::<T>::get(who) else { return 0 };
		let taken = Self::collect(who, &mut bond, amount, shares);
		Self::remove(who, &mut bond);
		Bonds::<T>::insert(who, bond);
		Self::deposit_event(Event::Slashed { who: who.clone(), amount: taken });
		taken
	}

	fn restore(who: &AccountId32, amount: Balance) -> Balance {
		let Some(mut bond) = Bonds::<T>::get(who) else { return 0 };
		if amount == 0 {
			return 0;
		}
		let (reason, treasury) = (HoldReason::Stake.into(), T::Treasury::get());
		let back = T::Currency::transfer_and_hold(
			&reason,
			&treasury,
			who,
			amount,
			Precision::BestEffort,
			Preservation::Preserve,
			Fortitude::Polite,
		)
		.unwrap_or(0);
		// The stakes are balances of one currency, whose issuance fits.
		bond.stake = bond.stake.saturating_add(back);
		Bonds::<T>::insert(who, bond);
		Self::deposit_event(Event::Restored { who: who.clone(), amount: back });
		back
	}

	fn reinstate(who: &AccountId32) {
		let Some(mut bond) = Bonds::<T>::get(who).filter(|bond| bond.removed) else { return };
		Self::with_owner(who, &bond).iter().for_each(Self::unstrike);
		bond.removed = false;
		if bond.role == Role::Worker || Self::enlist(who).is_ok() {
			bond.unbonding_at = None;
		}
		Bonds::<T>::insert(who, bond);
		Self::deposit_event(Event::Reinstated { who: who.clone() });
	}
}

#[cfg(any(test, feature = "try-runtime"))]
impl<T: Config> Pallet<T> {
	/// Each stake is on hold to the planck; the list of validators is the ordered set of those that may act;
	/// only bonded accounts have proposals.
	pub(crate) fn do_try_state() -> Result<(), DispatchError> {
		use frame_support::traits::fungible::InspectHold;
		let mut may_act = Vec::new();
		for (who, bond) in Bonds::<T>::iter() {
			let held = T::Currency::balance_on_hold(&HoldReason::Stake.into(), &who);
			ensure!(held == bond.stake, "the stake is not what is on hold");
			ensure!(
				!bond.removed || bond.stake == 0 || bond.unbonding_at.is_some(),
				"a stake is locked for good"
			);
			if bond.role == Role::Validator && !bond.removed && bond.unbonding_at.is_none() {
				may_act.push(who);
			}
		}
		may_act.sort();
		ensure!(Validators::<T>::get().into_inner() == may_act, "the list of validators is wrong");
		for hot in Proposals::<T>::iter_keys() {
			ensure!(Bonds::<T>::get(&hot).is_some_and(|bond| !bond.removed), "a proposal of nobody");
		}
		Ok(())
	}
}
