//! Where a block stands in its round, and how a round ends.
use crate::pallet::*;
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use llmnet_primitives::{hashing::beacon_value, Penalize, Randomness};
use sp_core::H256;
use sp_runtime::traits::UniqueSaturatedInto;

/// The place of a block in its round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
	/// The round.
	pub round: u32,
	/// Whether the block takes commitments.
	pub committing: bool,
	/// The first block of the next phase.
	pub phase_ends_at: u32,
}

impl<T: Config> Pallet<T> {
	/// Blocks of a round; `integrity_test` forbids an empty one.
	fn round_length() -> u32 {
		T::CommitBlocks::get().saturating_add(T::RevealBlocks::get()).max(1)
	}

	/// The current block's number; a chain of six-second blocks reaches the limit after 800 years.
	fn now() -> u32 {
		frame_system::Pallet::<T>::block_number().unique_saturated_into()
	}

	/// The place of the current block.
	pub(crate) fn place() -> Place {
		let (now, length) = (Self::now(), Self::round_length());
		let (round, offset) =
			(now.checked_div(length).unwrap_or_default(), now.checked_rem(length).unwrap_or_default());
		let start = now.saturating_sub(offset);
		let committing = offset < T::CommitBlocks::get();
		let phase = if committing { T::CommitBlocks::get() } else { length };
		Place { round, committing, phase_ends_at: start.saturating_add(phase) }
	}

	/// The round that ended with the block before `now`, if one did.
	pub(crate) fn round_ended_before(now: BlockNumberFor<T>) -> Option<u32> {
		let now: u32 = now.unique_saturated_into();
		let length = Self::round_length();
		if now.checked_rem(length)? != 0 {
			return None;
		}
		now.checked_div(length)?.checked_sub(1)
	}

	/// The hash of the last block that took commitments: who made it knew no secret but its own. The round's last block
	/// would not do, since its author knows all of them and could try as many blocks as it likes.
	fn sealed_by() -> T::Hash {
		let after = T::RevealBlocks::get().saturating_add(1);
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(Self::now().saturating_sub(after)))
	}

	/// Fixes the value of `round` in the first block after it, fines the silent and makes room for the next round. Returns how many were silent.
	pub(crate) fn end_round(round: u32) -> u32 {
		let (mut mix, mut revealed, mut silent) = ([0u8; 32], 0u32, 0u32);
		for (who, share) in Shares::<T>::take() {
			match share.secret {
				Some(secret) => {
					mix.iter_mut().zip(secret).for_each(|(mixed, byte)| *mixed ^= byte);
					revealed = revealed.saturating_add(1);
				}
				None => {
					let fined = T::Penalize::fine(&who, T::SilenceFine::get(), &[]);
					silent = silent.saturating_add(1);
					Self::deposit_event(Event::NotRevealed { round, who, fined });
				}
			}
		}
		let value = beacon_value(round, &mix, &Self::sealed_by());
		Values::<T>::insert(round, value);
		if let Some(old) = round.checked_sub(T::KeptRounds::get()) {
			Values::<T>::remove(old);
		}
		Self::deposit_event(Event::RoundEnded { round, value, revealed, fallback: revealed == 0 });
		silent
	}
}

impl<T: Config> Randomness for Pallet<T> {
	fn current_round() -> u32 {
		Self::place().round
	}

	fn value(round: u32) -> Option<H256> {
		Values::<T>::get(round)
	}
}

#[cfg(any(test, feature = "try-runtime"))]
impl<T: Config> Pallet<T> {
	/// Only finished rounds have values, no more than are kept; each revealed secret is the one committed to.
	pub(crate) fn do_try_state() -> Result<(), sp_runtime::DispatchError> {
		use frame_support::ensure;
		use llmnet_primitives::hashing::beacon_commitment;
		let current = Self::place().round;
		for round in Values::<T>::iter_keys() {
			ensure!(round < current, "a round that has not ended has a value");
			ensure!(current.saturating_sub(round) <= T::KeptRounds::get(), "a value is kept too long");
		}
		for (who, share) in Shares::<T>::get() {
			let honest =
				|secret: [u8; 32]| beacon_commitment(current, who.as_ref(), &secret) == share.commitment;
			ensure!(share.secret.is_none_or(honest), "a secret is not the one committed to");
		}
		Ok(())
	}
}
