//! # Staking
//!
//! Workers and validators put a stake on hold before they take part, so that there is something to lose.
//!
//! - An account bonds once, in one role, with at least that role's minimum. It is *active* while its stake is at
//!   least the minimum and it is neither unbonding nor removed.
//! - There are at most `MaxValidators` validators: every panel is drawn over all of them.
//! - [`Call::unbond`] ends the activity at once; the stake stays at risk for `UnbondingPeriod` blocks more, which
//!   must be longer than the last audit of the last answer can take. [`Call::withdraw`] then releases it.
//! - A *fine* takes a part of the stake. A *slash* also removes the account: it stops being active and unbonds. The
//!   account and its owner get a *strike*: for `Quarantine` blocks, doubled with each further strike, neither may bond
//!   nor become an owner. Then the account may bond again, with the same owner; with `MaxStrikes` strikes it is out for
//!   good. Records of removed accounts and strikes stay, so a new bond does not wash them off.
//! - An account may be *linked* to an owner, by agreement of both ([`Call::propose_owner`], [`Call::accept_owner`]).
//!   A panel never holds a validator of the audited worker's owner. The link lasts as long as the bond.
//!
//! What is taken moves from the hold to the accounts that are owed a share and to the treasury; nothing is burnt. The
//! treasury must exist (own the existential deposit), otherwise the rest stays on hold.
//!
//! Other pallets use the traits `Roster` and `Penalize`, which [`Pallet`] implements.
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

mod impls;
#[cfg(test)]
mod mock;
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
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{Inspect, InspectHold, MutateHold},
			tokens::Precision,
		},
	};
	use frame_system::pallet_prelude::*;
	use llmnet_primitives::{Role, Roster};
	use sp_runtime::{
		traits::{CheckedAdd, Zero},
		AccountId32, ArithmeticError,
	};

	/// The layout version of this pallet's storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

	/// The bond record of this runtime.
	pub type BondOf<T> = Bond<AccountId32, Balance, BlockNumberFor<T>>;

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>> {
		/// The runtime-wide hold reason.
		type RuntimeHoldReason: From<HoldReason>;

		/// The token that is put on hold.
		type Currency: Inspect<AccountId32, Balance = Balance>
			+ InspectHold<AccountId32, Reason = <Self as Config>::RuntimeHoldReason>
			+ MutateHold<AccountId32, Reason = <Self as Config>::RuntimeHoldReason>;

		/// Receives what is taken and owed to nobody else.
		type Treasury: Get<AccountId32>;

		/// The least stake of a worker.
		#[pallet::constant]
		type MinimumWorkerStake: Get<Balance>;

		/// The least stake of a validator.
		#[pallet::constant]
		type MinimumValidatorStake: Get<Balance>;

		/// Blocks from unbonding to withdrawal.
		#[pallet::constant]
		type UnbondingPeriod: Get<BlockNumberFor<Self>>;

		/// The most validators.
		#[pallet::constant]
		type MaxValidators: Get<u32>;

		/// Blocks after a first slash in which the account may not bond; doubled with each further one.
		#[pallet::constant]
		type Quarantine: Get<BlockNumberFor<Self>>;

		/// With so many slashes an account is out for good.
		#[pallet::constant]
		type MaxStrikes: Get<u32>;

		/// The weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The stake of a bonded account.
		#[codec(index = 0)]
		Stake,
	}

	/// All bonds, and the records of removed accounts.
	#[pallet::storage]
	pub type Bonds<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, BondOf<T>, OptionQuery>;

	/// The bonded validators that are neither unbonding nor removed, in account order.
	#[pallet::storage]
	pub type Validators<T: Config> =
		StorageValue<_, BoundedVec<AccountId32, <T as Config>::MaxValidators>, ValueQuery>;

	/// Owners that bonded accounts have proposed and that have not accepted yet, by bonded account.
	#[pallet::storage]
	pub type Proposals<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, AccountId32, OptionQuery>;

	/// How often accounts were slashed and until when they are in quarantine; for bonded accounts and their owners.
	#[pallet::storage]
	pub type Strikes<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId32, Strike<BlockNumberFor<T>>, OptionQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account bonded.
		Bonded {
			/// The account.
			who: AccountId32,
			/// Its role.
			role: Role,
			/// Its stake.
			stake: Balance,
		},
		/// An account added to its stake.
		BondedExtra {
			/// The account.
			who: AccountId32,
			/// What it added.
			amount: Balance,
		},
		/// An account stopped being active; its stake stays on hold for a while.
		Unbonding {
			/// The account.
			who: AccountId32,
			/// The first block in which the stake can be withdrawn.
			until: BlockNumberFor<T>,
		},
		/// An account got its stake back.
		Withdrawn {
			/// The account.
			who: AccountId32,
			/// What it got.
			amount: Balance,
		},
		/// A part of a stake was taken.
		Fined {
			/// The account.
			who: AccountId32,
			/// What was taken.
			amount: Balance,
		},
		/// A part of a stake was taken and its account removed.
		Slashed {
			/// The account.
			who: AccountId32,
			/// What was taken.
			amount: Balance,
		},
		/// An account named an owner that has to agree.
		OwnerProposed {
			/// The bonded account.
			hot: AccountId32,
			/// The proposed owner.
			owner: AccountId32,
		},
		/// An account is linked to its owner.
		OwnerLinked {
			/// The bonded account.
			hot: AccountId32,
			/// The owner.
			owner: AccountId32,
		},
		/// An account was slashed, or one that it owns.
		Struck {
			/// The account.
			who: AccountId32,
			/// How often by now.
			strikes: u32,
			/// The first block in which it may bond or own again.
			until: BlockNumberFor<T>,
		},
		/// Stake that should not have been taken came back.
		Restored {
			/// The account.
			who: AccountId32,
			/// What came back.
			amount: Balance,
		},
		/// A slash was taken back: the account has its role again.
		Reinstated {
			/// The account.
			who: AccountId32,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is bonded already; add to the stake with `bond_extra`.
		AlreadyBonded,
		/// The account was slashed. It may bond again when it has withdrawn what is left of its stake and its quarantine
		/// is over, unless it was slashed too often.
		Removed,
		/// The stake is below the minimum of the role.
		BelowMinimum,
		/// There are as many validators as there may be.
		TooManyValidators,
		/// The account is not bonded.
		NotBonded,
		/// The amount is zero.
		ZeroAmount,
		/// The account is unbonding.
		AlreadyUnbonding,
		/// The account is not unbonding; call `unbond` first.
		NotUnbonding,
		/// The unbonding period is not over.
		TooEarly,
		/// The account is linked to an owner already, until it withdraws.
		AlreadyLinked,
		/// That account has not proposed the caller as its owner.
		NotProposed,
		/// The account, or one that it owns, was slashed: wait until its quarantine is over.
		InQuarantine,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MinimumWorkerStake::get() >= T::Currency::minimum_balance());
			assert!(T::MinimumValidatorStake::get() >= T::Currency::minimum_balance());
			assert!(T::MaxValidators::get() > 0);
			assert!(!T::UnbondingPeriod::get().is_zero());
			assert!(T::MaxStrikes::get() > 0);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), frame_support::sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Puts `amount` of the caller's balance on hold and takes up `role`.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::bond())]
		pub fn bond(origin: OriginFor<T>, role: Role, #[pallet::compact] amount: Balance) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let owner = Self::may_bond(&who)?;
			ensure!(amount >= Self::minimum(role), Error::<T>::BelowMinimum);
			if role == Role::Validator {
				Self::enlist(&who)?;
			}
			T::Currency::hold(&HoldReason::Stake.into(), &who, amount)?;
			let since = frame_system::Pallet::<T>::block_number();
			let bond = Bond { role, stake: amount, owner, since, unbonding_at: None, removed: false };
			Bonds::<T>::insert(&who, bond);
			Self::deposit_event(Event::Bonded { who, role, stake: amount });
			Ok(())
		}

		/// Adds `amount` to the caller's stake.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::bond_extra())]
		pub fn bond_extra(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let mut bond = Self::active_bond(&who)?;
			ensure!(amount > 0, Error::<T>::ZeroAmount);
			bond.stake = bond.stake.checked_add(amount).ok_or(ArithmeticError::Overflow)?;
			T::Currency::hold(&HoldReason::Stake.into(), &who, amount)?;
			Bonds::<T>::insert(&who, bond);
			Self::deposit_event(Event::BondedExtra { who, amount });
			Ok(())
		}

		/// Ends the caller's activity. Its stake can be withdrawn after `UnbondingPeriod` blocks.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::unbond())]
		pub fn unbond(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let mut bond = Self::active_bond(&who)?;
			let now = frame_system::Pallet::<T>::block_number();
			let until = now.checked_add(&T::UnbondingPeriod::get()).ok_or(ArithmeticError::Overflow)?;
			bond.unbonding_at = Some(until);
			Self::delist(&who);
			Bonds::<T>::insert(&who, bond);
			Self::deposit_event(Event::Unbonding { who, until });
			Ok(())
		}

		/// Releases the caller's stake after the unbonding period.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::withdraw())]
		pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let bond = Bonds::<T>::get(&who).ok_or(Error::<T>::NotBonded)?;
			let until = bond.unbonding_at.ok_or(Error::<T>::NotUnbonding)?;
			ensure!(frame_system::Pallet::<T>::block_number() >= until, Error::<T>::TooEarly);
			let amount = T::Currency::release(&HoldReason::Stake.into(), &who, bond.stake, Precision::Exact)?;
			if bond.removed {
				Bonds::<T>::insert(&who, Bond { stake: 0, unbonding_at: None, ..bond });
			} else {
				Bonds::<T>::remove(&who);
			}
			Proposals::<T>::remove(&who);
			Self::deposit_event(Event::Withdrawn { who, amount });
			Ok(())
		}

		/// Names `owner` as the owner of the bonded caller. It replaces an earlier proposal.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::propose_owner())]
		pub fn propose_owner(origin: OriginFor<T>, owner: AccountId32) -> DispatchResult {
			let hot = ensure_signed(origin)?;
			let bond = Self::active_bond(&hot)?;
			ensure!(bond.owner == hot, Error::<T>::AlreadyLinked);
			Proposals::<T>::insert(&hot, &owner);
			Self::deposit_event(Event::OwnerProposed { hot, owner });
			Ok(())
		}

		/// Agrees to be the owner of the bonded account `hot`.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::accept_owner())]
		pub fn accept_owner(origin: OriginFor<T>, hot: AccountId32) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			ensure!(Proposals::<T>::get(&hot).as_ref() == Some(&owner), Error::<T>::NotProposed);
			let mut bond = Bonds::<T>::get(&hot).ok_or(Error::<T>::NotBonded)?;
			Self::ensure_free(&owner)?;
			bond.owner = owner.clone();
			Bonds::<T>::insert(&hot, bond);
			Proposals::<T>::remove(&hot);
			Self::deposit_event(Event::OwnerLinked { hot, owner });
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The bond of an account, or the record of a removed one.
		pub fn bond_of(who: AccountId32) -> Option<BondOf<T>> {
			Bonds::<T>::get(who)
		}

		/// How often an account, or one that it owns, was slashed, and until when it is in quarantine.
		pub fn strikes_of(who: AccountId32) -> Option<Strike<BlockNumberFor<T>>> {
			Strikes::<T>::get(who)
		}

		/// The active validators and their stakes, in account order.
		pub fn validators() -> Vec<(AccountId32, Balance)> {
			<Self as Roster<AccountId32, Balance>>::validators()
		}
	}
}
