//! # Beacon
//!
//! Public randomness that no single party chooses.
//!
//! - Time is divided into rounds of `CommitBlocks + RevealBlocks = L` blocks: round `r` covers the blocks
//!   `[r * L, (r + 1) * L)`.
//! - In the first `CommitBlocks` blocks of a round each active validator may publish
//!   `H("beacon-commit", round ++ account ++ secret)` ([`Call::commit`]); in the rest it publishes the secret
//!   ([`Call::reveal`]). The account is in the hash, so that nobody can repeat another's commitment.
//! - In the first block of the next round the value is fixed as
//!   `H("beacon", round ++ XOR of the secrets ++ hash of the last block that took commitments)`: nobody who
//!   knows more than its own secret makes a block that matters. Where nobody revealed, the block hash
//!   alone decides, and the event says so (`fallback`).
//! - Who committed and did not reveal pays `SilenceFine`: keeping silent is the one way to bend the value, between
//!   two outcomes, and the fine has to be more than that choice is worth.
//! - The last `KeptRounds` values stay. Who needs one for longer copies it.
//!
//! Other pallets use the trait `Randomness`, which [`Pallet`] implements; another source can take its place.
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
pub use weights::WeightInfo;

#[cfg(test)]
mod mock;
mod rounds;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

/// Plancks.
pub type Balance = u128;

// The code that FRAME's macros write calls `expect`; what is written here does not.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use llmnet_primitives::{hashing::beacon_commitment, Penalize, Role, Roster};
	use sp_core::H256;
	use sp_runtime::AccountId32;

	/// The layout version of this pallet's storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

	/// The shares of one round by account.
	pub type SharesOf<T> = BoundedBTreeMap<AccountId32, Share, <T as Config>::MaxShares>;

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId = AccountId32, Hash = H256, RuntimeEvent: From<Event<Self>>>
	{
		/// Who may take part.
		type Roster: Roster<AccountId32, Balance>;

		/// Takes the fine of those who stay silent.
		type Penalize: Penalize<AccountId32, Balance>;

		/// What committing without revealing costs.
		#[pallet::constant]
		type SilenceFine: Get<Balance>;

		/// Blocks of a round in which commitments are taken.
		#[pallet::constant]
		type CommitBlocks: Get<u32>;

		/// Blocks of a round in which secrets are revealed.
		#[pallet::constant]
		type RevealBlocks: Get<u32>;

		/// How many values are kept, at least 256.
		#[pallet::constant]
		type KeptRounds: Get<u32>;

		/// The most shares of one round: as many as there may be validators.
		#[pallet::constant]
		type MaxShares: Get<u32>;

		/// The weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// What the validators gave to the running round.
	#[pallet::storage]
	pub type Shares<T: Config> = StorageValue<_, SharesOf<T>, ValueQuery>;

	/// The values of the last `KeptRounds` finished rounds.
	#[pallet::storage]
	pub type Values<T: Config> = StorageMap<_, Twox64Concat, u32, H256, OptionQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A validator committed to a secret.
		Committed {
			/// The round.
			round: u32,
			/// The validator.
			who: AccountId32,
		},
		/// A validator revealed its secret.
		Revealed {
			/// The round.
			round: u32,
			/// The validator.
			who: AccountId32,
		},
		/// A validator committed and did not reveal.
		NotRevealed {
			/// The round.
			round: u32,
			/// The validator.
			who: AccountId32,
			/// What it was fined.
			fined: Balance,
		},
		/// A round ended and has a value.
		RoundEnded {
			/// The round.
			round: u32,
			/// Its value.
			value: H256,
			/// How many secrets are in it.
			revealed: u32,
			/// Whether there were none, so that the block hash alone decided.
			fallback: bool,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// That round is not the running one.
		WrongRound,
		/// Commitments are taken in the first `CommitBlocks` blocks of a round only.
		NotCommitPhase,
		/// Secrets are taken after the commitments only.
		NotRevealPhase,
		/// The caller is not an active validator.
		NotValidator,
		/// The caller has committed in this round.
		AlreadyCommitted,
		/// The round holds as many shares as it may.
		TooManyShares,
		/// The caller has not committed in this round.
		NotCommitted,
		/// The caller has revealed in this round.
		AlreadyRevealed,
		/// The secret is not the one committed to.
		WrongSecret,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			match Self::round_ended_before(now) {
				Some(round) => T::WeightInfo::round_ends(Self::end_round(round)),
				None => T::WeightInfo::no_round_ends(),
			}
		}

		fn integrity_test() {
			assert!(T::CommitBlocks::get() > 0 && T::RevealBlocks::get() > 0, "both phases need blocks");
			assert!(T::KeptRounds::get() >= 256, "sessions need older values");
			assert!(T::MaxShares::get() > 0);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), frame_support::sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Commits the caller to a secret: `commitment = H("beacon-commit", round ++ account ++ secret)`.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::commit())]
		pub fn commit(origin: OriginFor<T>, round: u32, commitment: H256) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let place = Self::place();
			ensure!(round == place.round, Error::<T>::WrongRound);
			ensure!(place.committing, Error::<T>::NotCommitPhase);
			ensure!(T::Roster::is_active(&who, Role::Validator), Error::<T>::NotValidator);
			Shares::<T>::try_mutate(|shares| {
				ensure!(!shares.contains_key(&who), Error::<T>::AlreadyCommitted);
				let share = Share { commitment, secret: None };
				shares.try_insert(who.clone(), share).map_err(|_| Error::<T>::TooManyShares)
			})?;
			Self::deposit_event(Event::Committed { round, who });
			Ok(())
		}

		/// Reveals the caller's secret. Who has committed may and must do so even if no longer active.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::reveal())]
		pub fn reveal(origin: OriginFor<T>, round: u32, secret: [u8; 32]) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let place = Self::place();
			ensure!(round == place.round, Error::<T>::WrongRound);
			ensure!(!place.committing, Error::<T>::NotRevealPhase);
			Shares::<T>::try_mutate(|shares| {
				let share = shares.get_mut(&who).ok_or(Error::<T>::NotCommitted)?;
				ensure!(share.secret.is_none(), Error::<T>::AlreadyRevealed);
				let expected = beacon_commitment(round, who.as_ref(), &secret);
				ensure!(share.commitment == expected, Error::<T>::WrongSecret);
				share.secret = Some(secret);
				Ok::<_, Error<T>>(())
			})?;
			Self::deposit_event(Event::Revealed { round, who });
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The state of the running round, as of the current block.
		pub fn status() -> BeaconStatus<AccountId32, BlockNumberFor<T>> {
			let place = Self::place();
			let shares = Shares::<T>::get();
			let revealed = |(who, share): (&AccountId32, &Share)| share.secret.map(|_| who.clone());
			BeaconStatus {
				round: place.round,
				committing: place.committing,
				phase_ends_at: place.phase_ends_at.into(),
				committed: shares.keys().cloned().collect::<Vec<_>>(),
				revealed: shares.iter().filter_map(revealed).collect(),
			}
		}

		/// The value of a finished round, while it is kept.
		pub fn value_of(round: u32) -> Option<H256> {
			Values::<T>::get(round)
		}
	}
}
