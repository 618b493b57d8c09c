//! # Reputation
//!
//! What is known of a worker, for each domain along two axes that are never mixed: *integrity* (verdicts of audits) and
//! *quality* (ratings by payers). Verified is not good, and liked is not verified.
//!
//! - Each piece of work has a weight `w = price / (price + average price)`, the average being that of the domain and
//!   axis before it; where there is none, the price itself. A price of zero never counts: it costs nothing to make.
//! - `r <- 0.98 r + w` and `s <- 0.98 s` if it speaks for the worker, the other way round if against. A rating of
//!   `k` of 5 stars gives `k/5` of its weight to `r` and the rest to `s`.
//! - The score is `(r + 1) / (r + s + 2)`: no record is half, not perfect, and old records fade.
//! - The average moves by a fiftieth of the difference with each price.
//! - A slash sets every integrity score of the worker to nothing for and the most possible against; if it is taken back,
//!   the scores before it are there again.
//!
//! There are no calls: verdicts and ratings come through the trait `OnVerdict`, which [`Pallet`] implements. A worker
//! has at most two records for each domain, and domains are added by root only.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::arithmetic_side_effects,
		clippy::indexing_slicing,
		clippy::unwrap_used,
		clippy::expect_used
	)
)]

extern crate alloc;

pub use pallet::*;
pub use types::*;

pub mod arithmetic;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
mod types;

/// Plancks.
pub type Balance = u128;

/// The most stars of a rating.
pub const MAX_STARS: u8 = 5;

// The code that FRAME's macros write calls `expect`; what is written here does not.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::{arithmetic::*, *};
	use alloc::vec::Vec;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use llmnet_primitives::{DomainId, OnVerdict};
	use sp_runtime::AccountId32;

	/// The layout version of this pallet's storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>> {}

	/// The scores by worker, domain and axis.
	#[pallet::storage]
	pub type Scores<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		AccountId32,
		Twox64Concat,
		(DomainId, Axis),
		Score,
		OptionQuery,
	>;

	/// The moving average of the prices that counted, by domain and axis: one answer for integrity, a session for
	/// quality.
	#[pallet::storage]
	pub type AveragePrices<T: Config> = StorageMap<_, Twox64Concat, (DomainId, Axis), Balance, OptionQuery>;

	/// The scores that slashes have replaced, until one is taken back.
	#[pallet::storage]
	pub type Replaced<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		AccountId32,
		Twox64Concat,
		(DomainId, Axis),
		Score,
		OptionQuery,
	>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A score changed.
		Updated {
			/// The worker.
			worker: AccountId32,
			/// The domain.
			domain: DomainId,
			/// The axis.
			axis: Axis,
			/// The score now, in parts per million.
			score_ppm: u32,
		},
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			let most = Score { r: MOST, s: MOST };
			assert_eq!(most.updated(ONE, ONE), most, "the limit is where decay and growth meet");
			assert!(most.updated(0, 0) != most, "the sums decay");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), frame_support::sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// `r` and `s` in Q16.16 and the score in parts per million; zeros and half a million without a record.
		pub fn score(worker: AccountId32, domain: DomainId, axis: Axis) -> (u64, u64, u32) {
			let score = Scores::<T>::get(worker, (domain, axis)).unwrap_or_default();
			(score.r, score.s, score.parts_per_million())
		}

		/// All records of a worker: domain, axis, `r`, `s`, parts per million; by domain, then axis.
		pub fn scores(worker: AccountId32) -> Vec<(DomainId, Axis, u64, u64, u32)> {
			let record = |((domain, axis), score): ((DomainId, Axis), Score)| {
				(domain, axis, score.r, score.s, score.parts_per_million())
			};
			let mut records: Vec<_> = Scores::<T>::iter_prefix(worker).map(record).collect();
			records.sort_unstable();
			records
		}
	}

	impl<T: Config> Pallet<T> {
		/// Counts a piece of work worth `price` of which `good` of `of` parts speak for the worker.
		fn count(worker: &AccountId32, key: (DomainId, Axis), price: Balance, good: u8, of: u8) {
			if price == 0 {
				return;
			}
			let average = AveragePrices::<T>::get(key).unwrap_or(price);
			AveragePrices::<T>::insert(key, moved_average(average, price));
			let weight = weight(price, average);
			let gain = weight.saturating_mul(good.into()).checked_div(of.into()).unwrap_or(0);
			let score = Scores::<T>::get(worker, key).unwrap_or_default();
			Self::put(worker, key, score.updated(gain, weight.saturating_sub(gain)));
		}

		fn put(worker: &AccountId32, key: (DomainId, Axis), score: Score) {
			Scores::<T>::insert(worker, key, score);
			let ((domain, axis), score_ppm) = (key, score.parts_per_million());
			Self::deposit_event(Event::Updated { worker: worker.clone(), domain, axis, score_ppm });
		}
	}

	impl<T: Config> OnVerdict<AccountId32, Balance> for Pallet<T> {
		fn on_verdict(worker: &AccountId32, domain: DomainId, price: Balance, passed: bool) {
			Self::count(worker, (domain, Axis::Integrity), price, passed.into(), 1);
		}

		fn on_rating(worker: &AccountId32, domain: DomainId, price: Balance, stars: u8) {
			if stars <= MAX_STARS {
				Self::count(worker, (domain, Axis::Quality), price, stars, MAX_STARS);
			}
		}

		fn on_slash(worker: &AccountId32) {
			let records: Vec<_> = Scores::<T>::iter_key_prefix(worker).collect();
			for key in records.into_iter().filter(|(_, axis)| *axis == Axis::Integrity) {
				if let Some(score) = Scores::<T>::get(worker, key) {
					Replaced::<T>::insert(worker, key, score);
				}
				Self::put(worker, key, Score { r: 0, s: MOST });
			}
		}

		fn on_reinstated(worker: &AccountId32) {
			let records: Vec<_> = Replaced::<T>::drain_prefix(worker).collect();
			for (key, score) in records {
				Self::put(worker, key, score);
			}
		}
	}

	#[cfg(any(test, feature = "try-runtime"))]
	impl<T: Config> Pallet<T> {
		/// No sum passes its limit, and each domain and axis with a score has an average price.
		pub(crate) fn do_try_state() -> Result<(), DispatchError> {
			for (worker, key, _) in Replaced::<T>::iter() {
				let replaced = Scores::<T>::contains_key(worker, key) && key.1 == Axis::Integrity;
				ensure!(replaced, "a replaced score has no successor");
			}
			for (_, key, score) in Scores::<T>::iter() {
				ensure!(score.r <= MOST && score.s <= MOST, "a sum is above its limit");
				ensure!(
					AveragePrices::<T>::get(key).is_some_and(|price| price > 0),
					"a score without a price"
				);
			}
			Ok(())
		}
	}
}
