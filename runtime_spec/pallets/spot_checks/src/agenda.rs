//! The agenda: what is due in which block, worked off in `on_idle` as far as the weight reaches.
use crate::{
	weights::WeightInfo, Agenda, AgendaCursor, AuditOf, Audits, BatchState, Batches, Config, Due, Pallet,
	Stage,
};
use alloc::vec::Vec;
use frame_support::{
	traits::Get,
	weights::{Weight, WeightMeter},
	BoundedVec,
};
use llmnet_primitives::AuditId;

impl<T: Config> Pallet<T> {
	/// Puts `task` on the agenda of block `at`, or of the first later block with room.
	///
	/// The search ends: tasks are bounded by audits and batches, each paid for by a worker.
	pub(crate) fn schedule(task: Due, at: u32) {
		let mut block = at;
		while Agenda::<T>::decode_len(block).is_some_and(|tasks| tasks >= Self::tasks_per_block()) {
			block = block.saturating_add(1);
		}
		if Agenda::<T>::try_append(block, task).is_err() {
			frame_support::defensive!("a block with room takes a task");
		}
	}

	fn tasks_per_block() -> usize {
		T::MaxTasksPerBlock::get() as usize
	}

	/// Works off the agenda up to block `now`. What the weight does not reach stays, in its order.
	pub(crate) fn service_agenda(now: u32, meter: &mut WeightMeter) {
		if !meter.can_consume(T::WeightInfo::agenda_block()) {
			return;
		}
		let mut block = AgendaCursor::<T>::get();
		while block <= now && meter.try_consume(T::WeightInfo::agenda_block()).is_ok() {
			if !Self::service_block(block, now, meter) {
				break;
			}
			block = block.saturating_add(1);
		}
		AgendaCursor::<T>::put(block);
	}

	/// Works off one block's tasks; whether all of them are done.
	fn service_block(block: u32, now: u32, meter: &mut WeightMeter) -> bool {
		let mut tasks = Agenda::<T>::take(block).into_iter().peekable();
		while tasks.peek().is_some_and(|task| meter.try_consume(Self::weight_of(task)).is_ok()) {
			if let Some(task) = tasks.next() {
				Self::perform(task, now);
			}
		}
		let rest: Vec<Due> = tasks.collect();
		if rest.is_empty() {
			return true;
		}
		Agenda::<T>::insert(block, BoundedVec::truncate_from(rest));
		false
	}

	fn weight_of(task: &Due) -> Weight {
		match task {
			Due::Deadline(_) => T::WeightInfo::deadline(),
			Due::PruneAudit(_) => T::WeightInfo::prune_audit(),
			Due::PruneBatch(..) => T::WeightInfo::prune_batch(),
			Due::PrunePlant(_) => T::WeightInfo::prune_plant(),
		}
	}

	/// Forgets a decided audit; later if its reviews are still kept.
	fn prune_audit(id: AuditId, now: u32) {
		if !Self::forget(id) {
			return Self::schedule(Due::PruneAudit(id), now.saturating_add(T::ReviewPeriod::get()));
		}
		if let Some(audit) = Audits::<T>::take(id) {
			let answer = (audit.session, audit.index);
			if AuditOf::<T>::get(answer) == Some(id) {
				AuditOf::<T>::remove(answer);
			}
		}
	}

	fn perform(task: Due, now: u32) {
		match task {
			Due::Deadline(id) => {
				// An audit that has moved on has a later deadline and another task for it.
				if let Some(audit) = Audits::<T>::get(id) {
					if audit.stage != Stage::Decided && audit.deadline <= now {
						Self::expire(id, audit);
					}
				}
			}
			Due::PruneAudit(id) => Self::prune_audit(id, now),
			Due::PrunePlant(commitment) => Self::uproot(commitment),
			Due::PruneBatch(worker, epoch) => {
				Batches::<T>::mutate_exists(&worker, epoch, |batch| {
					batch.take_if(|b| matches!(b.state, BatchState::Settled | BatchState::Forfeited));
				});
			}
		}
	}
}
