//! Damping: when deadlines are missed all over the network, the network is at fault, not those who miss them.
//!
//! Time is cut into periods of `OutagePeriod` blocks. In each, the duties that were done are counted and those that
//! were missed, with the owners who missed them. In a period with at least eight misses of at least four owners that
//! are more than a quarter of all duties, and in the period after it, a passing deadline is put off by `OutageGrace`
//! blocks, at most six times for each stage. So nobody is punished for an outage that he works off afterwards, and
//! nobody escapes an audit by missing it in company.
use crate::{Audit, Audits, Config, Due, Event, OutageWatch, Pallet, PutOff, Stage};
use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, traits::Get, BoundedVec};
use llmnet_primitives::{AuditId, Roster};
use scale_info::TypeInfo;
use sp_runtime::AccountId32;

/// An outage has at least so many misses.
pub const LEAST_MISSED: u32 = 8;
/// Of at least so many owners.
pub const LEAST_MISSING: u32 = 4;
/// In an outage more than one duty in so many is missed.
pub const OUTAGE_SHARE: u32 = 4;
/// How often one stage's deadline is put off.
pub const MOST_PUT_OFF: u32 = 6;

/// Counts of the current period.
#[derive(
	Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Outage {
	/// The period that the counts belong to.
	pub period: u32,
	/// Duties that were done.
	pub done: u32,
	/// Duties that were missed.
	pub missed: u32,
	/// Some of the owners who missed them: as many as matter.
	pub missing: BoundedVec<AccountId32, ConstU32<LEAST_MISSING>>,
	/// Whether the period before was one of an outage.
	pub before: bool,
}

impl Outage {
	/// Begins the period `now`, if it has not begun.
	fn roll(&mut self, now: u32) {
		if self.period == now {
			return;
		}
		let before = self.period.checked_add(1) == Some(now) && self.is_spike();
		*self = Self { period: now, before, ..Self::default() };
	}

	/// Whether this period's misses are an outage.
	pub fn is_spike(&self) -> bool {
		let all = self.done.saturating_add(self.missed);
		self.missed >= LEAST_MISSED
			&& self.missing.is_full()
			&& self.missed.saturating_mul(OUTAGE_SHARE) > all
	}
}

/// Whose turn it was in a stage that has run out of time.
fn late(audit: &Audit) -> Vec<AccountId32> {
	match audit.stage {
		Stage::Drawn | Stage::Referenced => vec![audit.worker.clone()],
		stage => audit.panel.iter().filter(|m| !m.acted(stage)).map(|m| m.validator.clone()).collect(),
	}
}

impl<T: Config> Pallet<T> {
	fn watched() -> Outage {
		let mut watch = OutageWatch::<T>::get();
		watch.roll(Self::now().checked_div(T::OutagePeriod::get()).unwrap_or_default());
		watch
	}

	/// Whether the network is out, or was a moment ago.
	pub fn is_outage() -> bool {
		let watch = Self::watched();
		watch.before || watch.is_spike()
	}

	/// Somebody did what it had to.
	pub(crate) fn note_duty() {
		let mut watch = Self::watched();
		watch.done = watch.done.saturating_add(1);
		OutageWatch::<T>::put(watch);
	}

	/// Counts those who are late with an audit whose deadline has passed, once for each stage.
	fn note_late(audit: &Audit) {
		let mut watch = Self::watched();
		for who in late(audit) {
			watch.missed = watch.missed.saturating_add(1);
			let owner = T::Roster::owner(&who);
			if !watch.missing.contains(&owner) {
				// Beyond those that matter nobody is counted.
				let _ = watch.missing.try_push(owner);
			}
		}
		OutageWatch::<T>::put(watch);
	}

	/// A deadline has passed. In an outage it is put off, and this is true.
	pub(crate) fn put_off(id: AuditId, audit: &Audit) -> bool {
		let times = PutOff::<T>::get(id);
		if times == 0 {
			Self::note_late(audit);
		}
		if times >= MOST_PUT_OFF || !Self::is_outage() {
			return false;
		}
		PutOff::<T>::insert(id, times.saturating_add(1));
		let deadline = Self::now().saturating_add(T::OutageGrace::get());
		Audits::<T>::insert(id, Audit { deadline, ..audit.clone() });
		Self::schedule(Due::Deadline(id), deadline);
		Self::deposit_event(Event::PutOffDeadline { audit: id, deadline });
		true
	}
}
