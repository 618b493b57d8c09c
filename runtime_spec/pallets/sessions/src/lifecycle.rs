//! How a session begins, closes and ends.
use crate::pallet::*;
use crate::types::*;
use frame_support::{
	ensure,
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use frame_system::pallet_prelude::BlockNumberFor;
use llmnet_primitives::SessionId;
use sp_runtime::{traits::CheckedAdd, DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	pub(crate) fn known(session: SessionId) -> Result<SessionOf<T>, DispatchError> {
		Ok(Sessions::<T>::get(session).ok_or(Error::<T>::UnknownSession)?)
	}

	/// Whether money can still move: the session is neither closed nor at its last block.
	pub(crate) fn not_due(record: &SessionOf<T>) -> bool {
		let now = frame_system::Pallet::<T>::block_number();
		match record.status {
			Status::Open => now < record.expires_at,
			Status::Closing { until } => now < until,
			Status::Closed { .. } => false,
		}
	}

	pub(crate) fn expiry(
		now: BlockNumberFor<T>,
		expires_in: u32,
	) -> Result<BlockNumberFor<T>, DispatchError> {
		let blocks = BlockNumberFor::<T>::from(expires_in);
		let allowed = T::MinDuration::get() <= blocks && blocks <= T::MaxDuration::get();
		ensure!(allowed, Error::<T>::BadDuration);
		Ok(now.checked_add(&blocks).ok_or(Error::<T>::Overflow)?)
	}

	pub(crate) fn insert_session(record: SessionOf<T>) -> Result<SessionId, DispatchError> {
		let id = NextSession::<T>::get();
		NextSession::<T>::put(id.checked_add(1).ok_or(Error::<T>::Overflow)?);
		OpenSessions::<T>::try_mutate(&record.requester, |list| list.try_push(id))
			.map_err(|_| Error::<T>::TooManySessions)?;
		Agenda::<T>::insert(record.expires_at, id, ());
		AwaitingSeed::<T>::insert(record.seed_round, id, ());
		Sessions::<T>::insert(id, record);
		Ok(id)
	}

	pub(crate) fn begin_closing(id: SessionId, mut record: SessionOf<T>) -> DispatchResult {
		let now = frame_system::Pallet::<T>::block_number();
		let window = now.checked_add(&T::ClaimWindow::get()).ok_or(Error::<T>::Overflow)?;
		let until = window.min(record.expires_at);
		Agenda::<T>::remove(record.expires_at, id);
		Agenda::<T>::insert(until, id, ());
		record.status = Status::Closing { until };
		Sessions::<T>::insert(id, record);
		Self::deposit_event(Event::Closing { session: id, until });
		Ok(())
	}

	/// Gives the rest of the escrow back and marks the session as closed.
	pub(crate) fn end(id: SessionId, mut record: SessionOf<T>, expired: bool) -> DispatchResult {
		let now = frame_system::Pallet::<T>::block_number();
		let refunded = record.escrow.checked_sub(record.claimed).ok_or(Error::<T>::Overflow)?;
		let removal = now.checked_add(&T::Retention::get()).ok_or(Error::<T>::Overflow)?;
		T::Currency::release(&HoldReason::Escrow.into(), &record.requester, refunded, Precision::Exact)?;
		OpenSessions::<T>::mutate_exists(&record.requester, |slot| {
			let mut list = slot.take().unwrap_or_default();
			list.retain(|open| *open != id);
			*slot = (!list.is_empty()).then_some(list);
		});
		Unclaimed::<T>::remove(id);
		AwaitingSeed::<T>::remove(record.seed_round, id);
		Agenda::<T>::remove(Self::due(&record)?, id);
		Agenda::<T>::insert(removal, id, ());
		record.status = Status::Closed { at: now };
		let paid = record.claimed;
		Sessions::<T>::insert(id, record);
		Self::deposit_event(match expired {
			true => Event::Expired { session: id, paid, refunded },
			false => Event::Closed { session: id, paid, refunded },
		});
		Ok(())
	}

	/// The block on whose agenda a session stands.
	pub(crate) fn due(record: &SessionOf<T>) -> Result<BlockNumberFor<T>, DispatchError> {
		match record.status {
			Status::Open => Ok(record.expires_at),
			Status::Closing { until } => Ok(until),
			Status::Closed { at } => Ok(at.checked_add(&T::Retention::get()).ok_or(Error::<T>::Overflow)?),
		}
	}
}
