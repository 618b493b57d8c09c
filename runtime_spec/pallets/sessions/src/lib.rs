//! # Sessions
//!
//! The money between one requester and one worker, for any number of answers and two transactions.
//!
//! 1. `open` puts an *escrow* on hold and fixes the prices of the worker's offer. The value of the beacon round after
//!    the one of opening gives the session its seed, so nobody can choose it.
//! 2. Requests, answers, receipts and vouchers pass between the two, off chain. A *voucher* is the requester's signed
//!    promise of a cumulative amount.
//! 3. Every epoch the worker commits its answers (`spot_checks`); here they raise what is `committed` and line up as
//!    *tranches*, one for each epoch.
//! 4. `claim` moves `min(voucher, committed, escrow) - claimed` out of the escrow: the fee of each tranche goes to
//!    the audit pot, the rest to the worker. *No pay without commitment.* Earnings of an epoch whose audits are open
//!    stay on hold as *uncleared* until the batch is settled; those of a settled epoch are free at once.
//! 5. The session ends by `close` of the worker (at once), `close` of the requester (after `ClaimWindow` blocks, in
//!    which the worker can claim), or by itself in the block `expires_at`. The rest of the escrow goes back without
//!    anybody asking. Neither side can prevent an end.
//! 6. A closed session is kept for `Retention` blocks: for audits, and for one rating by its payer.
//!
//! A slashed worker forfeits its uncleared earnings and is *barred*: it can claim nothing more, and its requesters may
//! close at once.
//!
//! Work that falls due is done in `on_idle` as far as the block's weight reaches; the rest waits for the next block.
//!
//! Invariants (`try_state`): the holds of every account are exactly the sums of what is unclaimed and uncleared; each
//! session stands on the agenda once, on the block in which it is due.
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

mod agenda;
mod errors;
mod events;
mod ledger;
mod lifecycle;
mod money;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "try-runtime"))]
mod try_state;

use frame_support::pallet_macros::import_section;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

#[allow(clippy::expect_used)] // The pallet macros expand to it; there is none in what follows.
#[import_section(errors::errors)]
#[import_section(events::events)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{Inspect, InspectHold, Mutate, MutateHold},
	};
	use frame_system::pallet_prelude::*;
	use llmnet_primitives::{DomainId, Epoch, Offers, OnVerdict, Randomness, Roster, SessionId};
	use sp_core::H256;
	use sp_runtime::{traits::Zero, AccountId32, Permill};

	/// The layout version of this pallet's storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

	/// The most stars of a rating.
	pub const MAX_STARS: u8 = 5;

	/// Balances are 128 bits wide throughout the protocol.
	pub type Balance = u128;
	/// A session with this runtime's block number.
	pub type SessionOf<T> = Session<AccountId32, Balance, BlockNumberFor<T>>;

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>, Hash = H256>
	{
		/// The runtime-wide hold reason.
		type RuntimeHoldReason: From<HoldReason>;
		/// The token that is paid with.
		type Currency: Inspect<AccountId32, Balance = Balance>
			+ Mutate<AccountId32>
			+ MutateHold<AccountId32, Reason = <Self as Config>::RuntimeHoldReason>;
		/// Who owns whom.
		type Roster: Roster<AccountId32, Balance>;
		/// Prices.
		type Offers: Offers<AccountId32, Balance>;
		/// Where seeds come from.
		type Randomness: Randomness;
		/// Who hears of ratings.
		type Ratings: OnVerdict<AccountId32, Balance>;
		/// The account that gets forfeited earnings.
		type Treasury: Get<AccountId32>;
		/// The account that fees go to and validators are paid from. It must exist from genesis.
		type Pot: Get<AccountId32>;
		/// The share of a claim that goes to the pot.
		#[pallet::constant]
		type Fee: Get<Permill>;
		/// The least escrow of a session.
		#[pallet::constant]
		type MinEscrow: Get<Balance>;
		/// The least number of blocks a session may last.
		#[pallet::constant]
		type MinDuration: Get<BlockNumberFor<Self>>;
		/// The most blocks a session may last.
		#[pallet::constant]
		type MaxDuration: Get<BlockNumberFor<Self>>;
		/// How many blocks a worker has to claim after the requester closed.
		#[pallet::constant]
		type ClaimWindow: Get<BlockNumberFor<Self>>;
		/// How many blocks a closed session is kept.
		#[pallet::constant]
		type Retention: Get<BlockNumberFor<Self>>;
		/// The most sessions that one requester may have open.
		#[pallet::constant]
		type MaxOpenSessions: Get<u32>;
		/// What the calls cost.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Put into sessions and not claimed.
		#[codec(index = 0)]
		Escrow,
		/// Earned and waiting for audits.
		#[codec(index = 1)]
		Uncleared,
	}

	/// The sessions by id, closed ones included while they are kept.
	#[pallet::storage]
	pub type Sessions<T: Config> = StorageMap<_, Twox64Concat, SessionId, SessionOf<T>, OptionQuery>;

	/// The id of the next session.
	#[pallet::storage]
	pub type NextSession<T: Config> = StorageValue<_, SessionId, ValueQuery>;

	/// The sessions that each requester has open or closing.
	#[pallet::storage]
	pub type OpenSessions<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId32, BoundedVec<SessionId, T::MaxOpenSessions>, ValueQuery>;

	/// What each open session's worker has committed and not claimed.
	#[pallet::storage]
	pub type Unclaimed<T: Config> = StorageMap<_, Twox64Concat, SessionId, Tranches<Balance>, ValueQuery>;

	/// The earnings of each worker that wait for audits. An epoch that is not listed is settled.
	#[pallet::storage]
	pub type Uncleared<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId32, Pending<Balance>, ValueQuery>;

	/// The workers that were slashed; they cannot claim.
	#[pallet::storage]
	pub type Barred<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, (), OptionQuery>;

	/// The sessions to be expired, closed or removed at the end of a block.
	#[pallet::storage]
	pub type Agenda<T: Config> =
		StorageDoubleMap<_, Twox64Concat, BlockNumberFor<T>, Twox64Concat, SessionId, (), OptionQuery>;

	/// The first block whose agenda may not be empty.
	#[pallet::storage]
	pub type AgendaAt<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

	/// The sessions that wait for the value of a beacon round.
	#[pallet::storage]
	pub type AwaitingSeed<T: Config> =
		StorageDoubleMap<_, Twox64Concat, u32, Twox64Concat, SessionId, (), OptionQuery>;

	/// The first round that sessions may wait for.
	#[pallet::storage]
	pub type SeedRound<T: Config> = StorageValue<_, u32, ValueQuery>;

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_idle(now: BlockNumberFor<T>, limit: Weight) -> Weight {
			Self::work_off(now, limit)
		}

		fn integrity_test() {
			assert!(T::MinDuration::get() > Zero::zero(), "MinDuration: at least one block");
			assert!(T::MinDuration::get() <= T::MaxDuration::get(), "MinDuration above MaxDuration");
			assert!(T::MinEscrow::get() > 0, "MinEscrow: above zero");
			assert!(T::ClaimWindow::get() > Zero::zero(), "ClaimWindow: at least one block");
			assert!(T::Retention::get() > Zero::zero(), "Retention: at least one block");
			assert!(T::Fee::get() < Permill::one(), "Fee: below 100 %");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Opens a session with `worker` and puts `escrow` on hold.
		///
		/// The prices of the worker's offer are fixed; above `max_price_in` or `max_price_out` (plancks per 1,000
		/// tokens) the call fails. After `expires_in` blocks the session ends by itself.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::open())]
		#[allow(clippy::too_many_arguments)]
		pub fn open(
			origin: OriginFor<T>,
			worker: AccountId32,
			spec_id: H256,
			domain: DomainId,
			#[pallet::compact] escrow: Balance,
			max_price_in: Balance,
			max_price_out: Balance,
			expires_in: u32,
		) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			ensure!(T::Roster::owner(&requester) != T::Roster::owner(&worker), Error::<T>::SelfDealing);
			ensure!(requester != worker, Error::<T>::SelfDealing);
			ensure!(!Barred::<T>::contains_key(&worker), Error::<T>::WorkerBarred);
			let terms = T::Offers::terms(&worker, &spec_id).ok_or(Error::<T>::NoOffer)?;
			ensure!(terms.domains.contains(&domain), Error::<T>::DomainNotOffered);
			let affordable = terms.price_in <= max_price_in && terms.price_out <= max_price_out;
			ensure!(affordable, Error::<T>::PriceTooHigh);
			ensure!(escrow >= T::MinEscrow::get(), Error::<T>::EscrowTooLow);

			let opened_at = frame_system::Pallet::<T>::block_number();
			let session = Session {
				requester: requester.clone(),
				worker: worker.clone(),
				spec_id,
				domain,
				price_in: terms.price_in,
				price_out: terms.price_out,
				escrow,
				committed: 0,
				claimed: 0,
				answers: 0,
				next_index: 0,
				seed_round: T::Randomness::current_round().checked_add(1).ok_or(Error::<T>::Overflow)?,
				seed: None,
				status: Status::Open,
				opened_at,
				expires_at: Self::expiry(opened_at, expires_in)?,
				rated: false,
			};
			T::Currency::hold(&HoldReason::Escrow.into(), &requester, escrow)?;
			let id = Self::insert_session(session)?;
			Self::deposit_event(Event::SessionOpened { session: id, requester, worker, spec_id, escrow });
			Ok(())
		}

		/// Puts more escrow into an open session. Its requester only.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::top_up())]
		pub fn top_up(origin: OriginFor<T>, session: SessionId, amount: Balance) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let mut record = Self::known(session)?;
			ensure!(record.requester == who, Error::<T>::NotRequester);
			ensure!(record.status == Status::Open, Error::<T>::NotOpen);
			ensure!(Self::not_due(&record), Error::<T>::NotOpen);
			ensure!(amount > 0, Error::<T>::EscrowTooLow);
			record.escrow = record.escrow.checked_add(amount).ok_or(Error::<T>::Overflow)?;
			T::Currency::hold(&HoldReason::Escrow.into(), &who, amount)?;
			Sessions::<T>::insert(session, record);
			Self::deposit_event(Event::ToppedUp { session, amount });
			Ok(())
		}

		/// Pays the session's worker what the requester's voucher promises, as far as it is committed and escrowed.
		/// Anyone may submit it.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::claim())]
		pub fn claim(
			origin: OriginFor<T>,
			session: SessionId,
			amount: Balance,
			answers: u32,
			signature: [u8; 64],
		) -> DispatchResult {
			ensure_signed(origin)?;
			let mut record = Self::known(session)?;
			Self::pay_voucher(session, &mut record, amount, answers, &signature)?;
			Sessions::<T>::insert(session, record);
			Ok(())
		}

		/// Closes a session. Its worker: at once. Its requester: after `ClaimWindow` blocks, in which the worker can
		/// claim; at once if the worker is barred.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::close())]
		pub fn close(origin: OriginFor<T>, session: SessionId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let record = Self::known(session)?;
			ensure!(who == record.requester || who == record.worker, Error::<T>::NotParty);
			ensure!(Self::not_due(&record), Error::<T>::SessionEnded);
			if who == record.worker || Barred::<T>::contains_key(&record.worker) {
				return Self::end(session, record, false);
			}
			ensure!(record.status == Status::Open, Error::<T>::AlreadyClosing);
			Self::begin_closing(session, record)
		}

		/// Claims as `claim` does and closes the session at once. Its worker only.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::claim().saturating_add(T::WeightInfo::close()))]
		pub fn close_with_voucher(
			origin: OriginFor<T>,
			session: SessionId,
			amount: Balance,
			answers: u32,
			signature: [u8; 64],
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let mut record = Self::known(session)?;
			ensure!(record.worker == who, Error::<T>::NotWorker);
			Self::pay_voucher(session, &mut record, amount, answers, &signature)?;
			Self::end(session, record, false)
		}

		/// Rates a closed session in which something was paid, once, with `0..=5` stars. Its requester only.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::rate())]
		pub fn rate(origin: OriginFor<T>, session: SessionId, stars: u8) -> DispatchResult {
			let who = ensure_signed(origin)?;
			ensure!(stars <= MAX_STARS, Error::<T>::BadStars);
			let mut record = Self::known(session)?;
			ensure!(record.requester == who, Error::<T>::NotRequester);
			ensure!(matches!(record.status, Status::Closed { .. }), Error::<T>::NotSettled);
			ensure!(record.claimed > 0, Error::<T>::NothingPaid);
			ensure!(!record.rated, Error::<T>::AlreadyRated);
			record.rated = true;
			T::Ratings::on_rating(&record.worker, record.domain, record.claimed, stars);
			Sessions::<T>::insert(session, record);
			Self::deposit_event(Event::Rated { session, stars });
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// A session, closed ones included while they are kept.
		pub fn session(id: SessionId) -> Option<SessionOf<T>> {
			Sessions::<T>::get(id)
		}

		/// The sessions that `requester` has open or closing.
		pub fn sessions_of(requester: AccountId32) -> Vec<SessionId> {
			OpenSessions::<T>::get(requester).into_inner()
		}

		/// What this pallet holds of `who`.
		pub fn money(who: AccountId32) -> Money<Balance> {
			Money {
				escrow: T::Currency::balance_on_hold(&HoldReason::Escrow.into(), &who),
				uncleared: T::Currency::balance_on_hold(&HoldReason::Uncleared.into(), &who),
			}
		}

		/// The earnings of `worker` that wait for audits, by epoch.
		pub fn uncleared(worker: AccountId32) -> Pending<Balance> {
			Uncleared::<T>::get(worker)
		}

		/// What is in the audit pot.
		pub fn pot() -> Balance {
			T::Currency::balance(&T::Pot::get())
		}

		/// A session's seed, once the beacon gave it.
		pub fn seed(session: SessionId) -> Option<H256> {
			Sessions::<T>::get(session).and_then(|record| Self::seed_of(session, &record))
		}
	}
}
