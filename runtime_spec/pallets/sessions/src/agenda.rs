//! What happens without a call: seeds, refunds and removals, as far as a block's weight reaches.
use crate::pallet::*;
use crate::types::*;
use crate::WeightInfo;
use frame_support::{defensive, storage::with_storage_layer, weights::WeightMeter};
use frame_system::pallet_prelude::BlockNumberFor;
use llmnet_primitives::{Randomness, SessionId};
use sp_runtime::{traits::CheckedAdd, traits::One, DispatchResult, Weight};

impl<T: Config> Pallet<T> {
	/// Does the work that is due in block `now`, or was left over, within `limit`. Returns what it cost.
	pub(crate) fn work_off(now: BlockNumberFor<T>, limit: Weight) -> Weight {
		let mut meter = WeightMeter::with_limit(limit);
		if meter.try_consume(T::WeightInfo::idle_base()).is_err() {
			return meter.consumed();
		}
		Self::give_seeds(&mut meter);
		Self::work_agenda(now, &mut meter);
		meter.consumed()
	}

	/// Gives their seeds to the sessions that waited for a round that has ended, round after round.
	fn give_seeds(meter: &mut WeightMeter) {
		let current = T::Randomness::current_round();
		let start = SeedRound::<T>::get();
		let mut round = start;
		while round < current && meter.can_consume(T::WeightInfo::idle_step()) {
			match AwaitingSeed::<T>::iter_key_prefix(round).next() {
				Some(id) => {
					AwaitingSeed::<T>::remove(round, id);
					Self::give_seed(id);
				}
				None => round = round.saturating_add(1), // at most `current`
			}
			meter.consume(T::WeightInfo::idle_step());
		}
		if round != start {
			SeedRound::<T>::put(round);
		}
	}

	/// A value that the beacon no longer keeps leaves the session without a seed: it has no answers and ends with a
	/// full refund.
	fn give_seed(id: SessionId) {
		let Some(mut record) = Sessions::<T>::get(id) else { return };
		let Some(seed) = Self::seed_of(id, &record) else { return };
		record.seed = Some(seed);
		Sessions::<T>::insert(id, record);
		Self::deposit_event(Event::Seeded { session: id, seed });
	}

	/// Works off the agendas of all blocks up to `now`, block after block.
	fn work_agenda(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
		let start = AgendaAt::<T>::get();
		let mut block = start;
		while block <= now && meter.can_consume(T::WeightInfo::idle_step()) {
			match Agenda::<T>::iter_key_prefix(block).next() {
				Some(id) => Self::handle(block, id),
				None => match block.checked_add(&One::one()) {
					Some(next) => block = next,
					None => break,
				},
			}
			meter.consume(T::WeightInfo::idle_step());
		}
		if block != start {
			AgendaAt::<T>::put(block);
		}
	}

	fn handle(block: BlockNumberFor<T>, id: SessionId) {
		Agenda::<T>::remove(block, id);
		let Some(record) = Sessions::<T>::get(id) else { return };
		let done: DispatchResult = with_storage_layer(|| match record.status {
			Status::Open => Self::end(id, record, true),
			Status::Closing { .. } => Self::end(id, record, false),
			Status::Closed { .. } => {
				Sessions::<T>::remove(id);
				Ok(())
			}
		});
		// The escrow of an open session is on hold (`try_state`), so its release cannot fail.
		if done.is_err() {
			defensive!("a session could not be ended");
		}
	}
}
