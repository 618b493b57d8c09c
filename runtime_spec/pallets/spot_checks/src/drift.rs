//! The drift alarm: when many workers move together, it is not the workers.
//!
//! Time is cut into periods of `DriftPeriod` blocks. In each, the owners whose workers were audited are counted, and
//! those of them of whom some worker's evidence stands at half of the slash line or higher after an answer that spoke
//! against it by statistics (not by a contradiction, which no drift explains). When more than a twentieth of the
//! audited drift, and at least three, slashing for evidence is frozen until the end of the next period; each period in
//! which it is so again prolongs that. Audits, fines and evidence go on, but the sums stop one short of a slash: who
//! goes on being far off is slashed by its next answer after the thaw.
use crate::{Config, DriftSeen, DriftWatch, Event, Pallet};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::Get;
use llmnet_primitives::{
	scoring::{Evidence, Reason, SLASH_EVIDENCE},
	Roster,
};
use scale_info::TypeInfo;
use sp_runtime::AccountId32;

/// Slashing freezes only when at least so many drift.
pub const LEAST_DRIFTING: u32 = 3;
/// Slashing freezes when more than one in so many drifts.
pub const DRIFT_SHARE: u32 = 20;

/// Counts of the current period and of the one before.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Drift {
	/// The period that the counts belong to.
	pub period: u32,
	/// Owners audited in it.
	pub audited: u32,
	/// Owners that drift.
	pub drifting: u32,
	/// Owners audited in the period before.
	pub audited_before: u32,
	/// Slashing is frozen until the end of this period.
	pub frozen_until: Option<u32>,
}

impl Drift {
	/// Begins the period `now`, if it has not begun.
	fn roll(&mut self, now: u32) {
		if self.period == now {
			return;
		}
		let follows = self.period.checked_add(1) == Some(now);
		self.audited_before = if follows { self.audited } else { 0 };
		(self.period, self.audited, self.drifting) = (now, 0, 0);
	}

	/// Whether more drift than chance and single cheats explain. At a period's beginning few are audited yet, so the
	/// period before counts too.
	pub fn is_alarming(&self) -> bool {
		let audited = self.audited.max(self.audited_before);
		self.drifting >= LEAST_DRIFTING && self.drifting.saturating_mul(DRIFT_SHARE) > audited
	}
}

/// Whether the answer speaks against its worker by statistics.
fn is_statistical(reason: Reason, evidence: &Evidence) -> bool {
	let counts = matches!(reason, Reason::Clean | Reason::Positions | Reason::Margin);
	counts && (evidence.position > 0 || evidence.margin > 0)
}

impl<T: Config> Pallet<T> {
	fn drift_period() -> u32 {
		Self::now().checked_div(T::DriftPeriod::get()).unwrap_or_default()
	}

	/// Whether slashing for evidence is frozen.
	pub fn is_frozen() -> bool {
		DriftWatch::<T>::get().frozen_until.is_some_and(|until| Self::drift_period() <= until)
	}

	/// Counts an audited answer of `worker` whose evidence stands at `total` with it; may freeze slashing.
	pub(crate) fn watch_drift(worker: &AccountId32, reason: Reason, answer: &Evidence, total: &Evidence) {
		let (owner, now) = (T::Roster::owner(worker), Self::drift_period());
		let mut watch = DriftWatch::<T>::get();
		watch.roll(now);
		let (mut audited, mut drifted) = DriftSeen::<T>::get(&owner);
		if audited != Some(now) {
			audited = Some(now);
			watch.audited = watch.audited.saturating_add(1);
		}
		let high = total.position.max(total.margin) >= SLASH_EVIDENCE / 2;
		if high && is_statistical(reason, answer) && drifted != Some(now) {
			drifted = Some(now);
			watch.drifting = watch.drifting.saturating_add(1);
		}
		if watch.is_alarming() {
			let Drift { drifting, audited, frozen_until, .. } = watch;
			if frozen_until.is_none() {
				Self::deposit_event(Event::DriftAlarm { drifting, audited });
			}
			watch.frozen_until = Some(now.saturating_add(1));
		}
		DriftSeen::<T>::insert(&owner, (audited, drifted));
		DriftWatch::<T>::put(watch);
	}

	/// Ends a freeze whose time is over. Whether there was one.
	pub(crate) fn thaw_in_time() -> bool {
		let over = |until: u32| Self::drift_period() > until;
		let due = DriftWatch::<T>::get().frozen_until.is_some_and(over);
		if due {
			Self::thaw_now();
		}
		due
	}

	/// Slashing goes on. What was counted so far does not freeze it again.
	pub(crate) fn thaw_now() {
		DriftWatch::<T>::mutate(|watch| (watch.frozen_until, watch.drifting) = (None, 0));
		Self::deposit_event(Event::Thawed);
	}
}
