//! How a voucher becomes money.
use crate::pallet::*;
use crate::types::*;
use frame_support::{
	ensure,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
};
use llmnet_primitives::{hashing::verify_signature, Epoch, SessionId, Voucher};
use sp_runtime::{traits::Zero, AccountId32, DispatchError, DispatchResult};

/// A claim, split by what becomes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Split {
	/// To the audit pot.
	fee: Balance,
	/// To the worker, waiting for audits.
	held: Balance,
	/// To the worker, free at once.
	free: Balance,
}

impl<T: Config> Pallet<T> {
	/// Checks a voucher and pays what it covers. `record` is updated and for the caller to store.
	pub(crate) fn pay_voucher(
		id: SessionId,
		record: &mut SessionOf<T>,
		amount: Balance,
		answers: u32,
		signature: &[u8; 64],
	) -> DispatchResult {
		ensure!(Self::not_due(record), Error::<T>::SessionEnded);
		ensure!(!Barred::<T>::contains_key(&record.worker), Error::<T>::WorkerBarred);
		let genesis =
			frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::zero());
		let voucher = Voucher { session: id, amount, answers };
		let signed = verify_signature("voucher", &genesis, &voucher, signature, &record.requester);
		ensure!(signed, Error::<T>::BadSignature);

		let reach = amount.min(record.committed).min(record.escrow);
		let due =
			reach.checked_sub(record.claimed).filter(|due| *due > 0).ok_or(Error::<T>::NothingToClaim)?;
		let split = Self::split(id, &record.worker, due)?;
		Self::transfer(&record.requester, &record.worker, split)?;
		record.claimed = reach;
		record.answers = record.answers.max(answers);
		let worker = record.worker.clone();
		Self::deposit_event(Event::Claimed { session: id, worker, amount: due, fee: split.fee });
		Ok(())
	}

	/// Takes `due` from the session's tranches, oldest first, and books what must wait for audits.
	fn split(id: SessionId, worker: &AccountId32, due: Balance) -> Result<Split, DispatchError> {
		let mut tranches = Unclaimed::<T>::get(id);
		let mut pending = Uncleared::<T>::get(worker);
		let (mut split, mut left) = (Split::default(), due);
		for tranche in tranches.iter_mut() {
			let part = tranche.amount.min(left);
			let fee = T::Fee::get().mul_floor(part);
			let net = part.checked_sub(fee).ok_or(Error::<T>::Overflow)?;
			split.fee = add::<T>(split.fee, fee)?;
			match pending.iter_mut().find(|entry| entry.epoch == tranche.epoch) {
				Some(entry) => {
					entry.amount = add::<T>(entry.amount, net)?;
					split.held = add::<T>(split.held, net)?;
				}
				None => split.free = add::<T>(split.free, net)?,
			}
			tranche.amount = tranche.amount.checked_sub(part).ok_or(Error::<T>::Overflow)?;
			left = left.checked_sub(part).ok_or(Error::<T>::Overflow)?;
		}
		// The tranches add up to what is committed and unclaimed (`try_state`), and `due` is at most that.
		ensure!(left == 0, Error::<T>::NothingToClaim);
		tranches.retain(|tranche| tranche.amount > 0);
		Self::store_tranches(id, tranches);
		if split.held > 0 {
			Uncleared::<T>::insert(worker, pending);
		}
		Ok(split)
	}

	fn transfer(requester: &AccountId32, worker: &AccountId32, split: Split) -> DispatchResult {
		let escrow = HoldReason::Escrow.into();
		let pay = |to: &AccountId32, amount: Balance| -> DispatchResult {
			if amount > 0 {
				let (exact, free, polite) = (Precision::Exact, Restriction::Free, Fortitude::Polite);
				T::Currency::transfer_on_hold(&escrow, requester, to, amount, exact, free, polite)?;
			}
			Ok(())
		};
		pay(&T::Pot::get(), split.fee)?;
		pay(worker, add::<T>(split.held, split.free)?)?;
		if split.held > 0 {
			T::Currency::hold(&HoldReason::Uncleared.into(), worker, split.held)?;
		}
		Ok(())
	}

	/// Lines up newly committed earnings; tranches of settled epochs that lie side by side are joined.
	pub(crate) fn append_tranche(
		id: SessionId,
		worker: &AccountId32,
		epoch: Epoch,
		amount: Balance,
	) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		let pending = Uncleared::<T>::get(worker);
		let settled = |epoch: Epoch| !pending.iter().any(|entry| entry.epoch == epoch);
		let mut joined = Tranches::<Balance>::default();
		for next in Unclaimed::<T>::get(id).into_iter().chain([Tranche { epoch, amount }]) {
			match joined.last_mut() {
				Some(last) if last.epoch == next.epoch || (settled(last.epoch) && settled(next.epoch)) => {
					last.amount = add::<T>(last.amount, next.amount)?;
				}
				_ => joined.try_push(next).map_err(|_| Error::<T>::TooManyTranches)?,
			}
		}
		Self::store_tranches(id, joined);
		Ok(())
	}

	fn store_tranches(id: SessionId, tranches: Tranches<Balance>) {
		if tranches.is_empty() {
			Unclaimed::<T>::remove(id);
		} else {
			Unclaimed::<T>::insert(id, tranches);
		}
	}
}

/// `a + b`, or `Overflow`.
pub(crate) fn add<T: Config>(a: Balance, b: Balance) -> Result<Balance, DispatchError> {
	Ok(a.checked_add(b).ok_or(Error::<T>::Overflow)?)
}
