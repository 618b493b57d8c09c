//! # Registry
//!
//! What can be asked for, and who answers it at which price.
//!
//! - A *spec* ([`ServiceSpec`]) names a model to the last bit: weights, tokenizer, template, sampler and numerics.
//!   Anyone registers one against a deposit; its id is the hash of its encoding, so it never changes. Its depositor
//!   may remove it once nobody has offered it for `SpecRetention` blocks, and gets the deposit back.
//! - A *calibration* holds the measured thresholds of a spec. Root sets it; after `expires_at` it counts as absent.
//! - *Domains* form a tree. Root adds to it; nothing is ever taken away, so an id stays valid for good.
//! - An *offer* is a bonded worker's price and address for a spec. Every change counts `version` up. The terms of an
//!   offer hold only while its worker is active in `staking`: unbonding silences all offers at once. Anyone may sweep
//!   away the offer of a worker that is not active, so dead offers cannot keep the table full.
//! - A *heartbeat* is the last block in which a worker said that it is alive. The chain draws no conclusion from it.
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

mod impls;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

use llmnet_primitives::ServiceSpec;

#[allow(clippy::expect_used)] // The pallet macros expand to it; there is none in what follows.
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{Inspect, MutateHold},
			tokens::Precision,
		},
	};
	use frame_system::pallet_prelude::*;
	use llmnet_primitives::{hashing, Calibration, DomainId, Role, Roster};
	use sp_core::H256;
	use sp_runtime::AccountId32;

	/// The layout version of this pallet's storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

	/// Balances are 128 bits wide throughout the protocol.
	pub type Balance = u128;
	/// An offer with this runtime's block number.
	pub type OfferOf<T> = Offer<Balance, BlockNumberFor<T>>;
	/// A spec's record.
	pub type SpecRecordOf<T> = SpecRecord<AccountId32, Balance, BlockNumberFor<T>>;

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>> {
		/// The runtime-wide hold reason.
		type RuntimeHoldReason: From<HoldReason>;
		/// The token that deposits are held in.
		type Currency: Inspect<AccountId32, Balance = Balance>
			+ MutateHold<AccountId32, Reason = <Self as Config>::RuntimeHoldReason>;
		/// Who is bonded.
		type Roster: Roster<AccountId32, Balance>;
		/// What is held for a registered spec.
		#[pallet::constant]
		type SpecDeposit: Get<Balance>;
		/// How long a spec stays after its last offer: longer than a session and its audits can last.
		#[pallet::constant]
		type SpecRetention: Get<BlockNumberFor<Self>>;
		/// The most specs there can be.
		#[pallet::constant]
		type MaxSpecs: Get<u32>;
		/// The most offers that may name one spec.
		#[pallet::constant]
		type MaxOffersPerSpec: Get<u32>;
		/// The most offers of one worker.
		#[pallet::constant]
		type MaxOffersPerWorker: Get<u32>;
		/// The most domains there can be.
		#[pallet::constant]
		type MaxDomains: Get<u32>;
		/// What the calls cost.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The deposit for a registered spec.
		#[codec(index = 0)]
		SpecDeposit,
	}

	/// The registered specs by id.
	#[pallet::storage]
	pub type Specs<T: Config> = CountedStorageMap<_, Blake2_128Concat, H256, SpecRecordOf<T>, OptionQuery>;

	/// The calibration of each spec that has one, expired ones included.
	#[pallet::storage]
	pub type Calibrations<T: Config> = StorageMap<_, Blake2_128Concat, H256, Calibration, OptionQuery>;

	/// The offers by spec and worker.
	#[pallet::storage]
	pub type Offers<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, H256, Blake2_128Concat, AccountId32, OfferOf<T>, OptionQuery>;

	/// The specs each worker offers.
	#[pallet::storage]
	pub type OffersOf<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId32, BoundedVec<H256, T::MaxOffersPerWorker>, ValueQuery>;

	/// The domain tree.
	#[pallet::storage]
	pub type Domains<T: Config> = StorageMap<_, Twox64Concat, DomainId, Domain, OptionQuery>;

	/// The id of the next domain; ids below it are all in use.
	#[pallet::storage]
	pub type NextDomain<T: Config> = StorageValue<_, DomainId, ValueQuery>;

	/// The last block in which each worker with an offer said that it is alive.
	#[pallet::storage]
	pub type Heartbeats<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId32, BlockNumberFor<T>, OptionQuery>;

	/// Where workers were reached whose offers were withdrawn because they were removed: their appeals are audited there.
	#[pallet::storage]
	pub type FormerEndpoints<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, Endpoint, OptionQuery>;

	/// The domains from the start.
	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// Names in order of id, all at the top of the tree.
		pub domains: Vec<Vec<u8>>,
		#[serde(skip)]
		#[doc(hidden)]
		pub _config: core::marker::PhantomData<T>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self { domains: alloc::vec![b"general".to_vec()], _config: Default::default() }
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			for name in &self.domains {
				let name = DomainName::try_from(name.clone()).unwrap_or_default();
				// A chain with a broken genesis must not start.
				assert!(Pallet::<T>::insert_domain(name, None).is_ok(), "genesis: domain name refused");
			}
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A spec was registered.
		SpecRegistered {
			/// Its id.
			spec_id: H256,
			/// Who registered it.
			depositor: AccountId32,
		},
		/// A spec was removed and its deposit released.
		SpecRemoved {
			/// Its id.
			spec_id: H256,
		},
		/// A spec's thresholds were set.
		CalibrationSet {
			/// The spec's id.
			spec_id: H256,
			/// The thresholds.
			calibration: Calibration,
		},
		/// A domain was added.
		DomainAdded {
			/// Its id.
			domain: DomainId,
			/// Its name.
			name: DomainName,
			/// The domain above.
			parent: Option<DomainId>,
		},
		/// A worker offers a spec, or changed its offer.
		OfferPut {
			/// The spec's id.
			spec_id: H256,
			/// The worker.
			worker: AccountId32,
			/// Counts the changes of this offer.
			version: u32,
		},
		/// An offer is gone.
		OfferWithdrawn {
			/// The spec's id.
			spec_id: H256,
			/// The worker.
			worker: AccountId32,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// A field of the spec is out of its range.
		BadSpec,
		/// The spec is registered already.
		SpecExists,
		/// There is no such spec.
		UnknownSpec,
		/// `MaxSpecs` specs are registered already.
		TooManySpecs,
		/// Only the depositor may remove a spec.
		NotDepositor,
		/// The spec is still offered by somebody.
		SpecOffered,
		/// Sessions may still be answered or audited by this spec: wait until `SpecRetention` blocks after its last offer.
		SpecInUse,
		/// Thresholds must grow from q95 to q99, be above zero and within reach, and not have expired.
		BadCalibration,
		/// A domain's name must be UTF-8 and not empty.
		BadDomainName,
		/// The domain has a sister of the same name.
		DomainExists,
		/// There is no such domain.
		UnknownDomain,
		/// `MaxDomains` domains exist already.
		TooManyDomains,
		/// The caller is not an active bonded worker.
		NotActiveWorker,
		/// The endpoint must be an `http://` or `https://` address.
		BadEndpoint,
		/// The offer must name at least one domain and none twice.
		BadDomains,
		/// The offer's capacity must be at least one.
		NoCapacity,
		/// `MaxOffersPerSpec` offers name this spec already.
		SpecFull,
		/// The worker has `MaxOffersPerWorker` offers already.
		TooManyOffers,
		/// There is no such offer.
		NoOffer,
		/// The worker is active: only it may withdraw its offer.
		WorkerActive,
		/// The offer was changed too often to count.
		VersionOverflow,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxSpecs::get() > 0, "MaxSpecs: at least one");
			assert!(T::MaxOffersPerSpec::get() > 0, "MaxOffersPerSpec: at least one");
			assert!(T::MaxOffersPerWorker::get() > 0, "MaxOffersPerWorker: at least one");
			assert!(T::MaxDomains::get() > 0, "MaxDomains: at least one");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Registers a spec and holds `SpecDeposit` of the caller.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register_spec())]
		pub fn register_spec(origin: OriginFor<T>, spec: ServiceSpec) -> DispatchResult {
			let depositor = ensure_signed(origin)?;
			Self::check_spec(&spec)?;
			let spec_id = hashing::spec_id(&spec);
			ensure!(!Specs::<T>::contains_key(spec_id), Error::<T>::SpecExists);
			ensure!(Specs::<T>::count() < T::MaxSpecs::get(), Error::<T>::TooManySpecs);
			let deposit = T::SpecDeposit::get();
			T::Currency::hold(&HoldReason::SpecDeposit.into(), &depositor, deposit)?;
			let record =
				SpecRecord { spec, depositor: depositor.clone(), deposit, offers: 0, idle_since: None };
			Specs::<T>::insert(spec_id, record);
			Self::deposit_event(Event::SpecRegistered { spec_id, depositor });
			Ok(())
		}

		/// Removes a spec that nobody has offered for `SpecRetention` blocks; its depositor gets the deposit back.
		///
		/// Sessions outlive the offers they were opened by, and their answers are judged by the spec.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::remove_spec())]
		pub fn remove_spec(origin: OriginFor<T>, spec_id: H256) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let record = Specs::<T>::get(spec_id).ok_or(Error::<T>::UnknownSpec)?;
			ensure!(record.depositor == who, Error::<T>::NotDepositor);
			ensure!(record.offers == 0, Error::<T>::SpecOffered);
			Self::check_forgotten(&record)?;
			T::Currency::release(&HoldReason::SpecDeposit.into(), &who, record.deposit, Precision::Exact)?;
			Specs::<T>::remove(spec_id);
			Calibrations::<T>::remove(spec_id);
			Self::deposit_event(Event::SpecRemoved { spec_id });
			Ok(())
		}

		/// Sets the measured thresholds of a spec. Root only.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::set_calibration())]
		pub fn set_calibration(
			origin: OriginFor<T>,
			spec_id: H256,
			calibration: Calibration,
		) -> DispatchResult {
			ensure_root(origin)?;
			ensure!(Specs::<T>::contains_key(spec_id), Error::<T>::UnknownSpec);
			Self::check_calibration(&calibration)?;
			Calibrations::<T>::insert(spec_id, calibration);
			Self::deposit_event(Event::CalibrationSet { spec_id, calibration });
			Ok(())
		}

		/// Adds a domain, at the top or below `parent`. Root only.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::add_domain(T::MaxDomains::get()))]
		pub fn add_domain(
			origin: OriginFor<T>,
			name: DomainName,
			parent: Option<DomainId>,
		) -> DispatchResult {
			ensure_root(origin)?;
			let domain = Self::insert_domain(name.clone(), parent)?;
			Self::deposit_event(Event::DomainAdded { domain, name, parent });
			Ok(())
		}

		/// Offers a spec, or changes the caller's offer of it. Active bonded workers only. Counts as a heartbeat.
		///
		/// Prices are plancks per 1,000 tokens. Open sessions keep the prices that they were opened with.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::put_offer())]
		#[allow(clippy::too_many_arguments)]
		pub fn put_offer(
			origin: OriginFor<T>,
			spec_id: H256,
			endpoint: Endpoint,
			price_in: Balance,
			price_out: Balance,
			domains: OfferDomains,
			policy_digest: H256,
			capacity: u32,
		) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			ensure!(T::Roster::is_active(&worker, Role::Worker), Error::<T>::NotActiveWorker);
			Self::check_endpoint(&endpoint)?;
			Self::check_domains(&domains)?;
			ensure!(capacity > 0, Error::<T>::NoCapacity);
			let version = match Offers::<T>::get(spec_id, &worker) {
				Some(offer) => offer.version.checked_add(1).ok_or(Error::<T>::VersionOverflow)?,
				None => Self::count_offer(spec_id, &worker)?,
			};
			let updated_at = frame_system::Pallet::<T>::block_number();
			let offer = Offer {
				endpoint,
				price_in,
				price_out,
				domains,
				policy_digest,
				capacity,
				version,
				updated_at,
			};
			Offers::<T>::insert(spec_id, &worker, offer);
			Heartbeats::<T>::insert(&worker, updated_at);
			FormerEndpoints::<T>::remove(&worker);
			Self::deposit_event(Event::OfferPut { spec_id, worker, version });
			Ok(())
		}

		/// Withdraws the caller's offer of a spec. Open sessions go on.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::withdraw_offer())]
		pub fn withdraw_offer(origin: OriginFor<T>, spec_id: H256) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::drop_offer(spec_id, worker)
		}

		/// Says that the caller, a worker with an offer, is alive.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::heartbeat())]
		pub fn heartbeat(origin: OriginFor<T>) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			ensure!(!OffersOf::<T>::get(&worker).is_empty(), Error::<T>::NoOffer);
			Heartbeats::<T>::insert(&worker, frame_system::Pallet::<T>::block_number());
			Ok(())
		}

		/// Sweeps away the offer of a worker that is not active. Anyone may.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::withdraw_offer())]
		pub fn prune_offer(origin: OriginFor<T>, spec_id: H256, worker: AccountId32) -> DispatchResult {
			ensure_signed(origin)?;
			ensure!(!T::Roster::is_active(&worker, Role::Worker), Error::<T>::WorkerActive);
			Self::drop_offer(spec_id, worker)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The spec with this id.
		pub fn spec(id: H256) -> Option<ServiceSpec> {
			Specs::<T>::get(id).map(|record| record.spec)
		}

		/// The thresholds of a spec, unless expired.
		pub fn calibration(id: H256) -> Option<Calibration> {
			Self::valid_calibration(&id)
		}

		/// One offer, whether or not its worker is active.
		pub fn offer(spec_id: H256, worker: AccountId32) -> Option<OfferOf<T>> {
			Offers::<T>::get(spec_id, worker)
		}

		/// Where a removed worker was reached before its offers were withdrawn.
		pub fn former_endpoint(worker: AccountId32) -> Option<Endpoint> {
			FormerEndpoints::<T>::get(worker)
		}

		/// The offers of active workers for a spec; at most `MaxOffersPerSpec`.
		pub fn offers(spec_id: H256) -> Vec<(AccountId32, OfferOf<T>)> {
			Self::active_offers(spec_id).collect()
		}

		/// The offers of active workers that name this very domain, with their specs.
		pub fn offers_in_domain(domain: DomainId) -> Vec<(H256, AccountId32, OfferOf<T>)> {
			Specs::<T>::iter_keys()
				.flat_map(|id| Self::active_offers(id).map(move |(worker, offer)| (id, worker, offer)))
				.filter(|(_, _, offer)| offer.domains.contains(&domain))
				.collect()
		}

		/// All domains by id.
		pub fn domains() -> Vec<(DomainId, Domain)> {
			(0..NextDomain::<T>::get()).filter_map(|id| Some((id, Domains::<T>::get(id)?))).collect()
		}

		/// All specs with their ids.
		pub fn specs() -> Vec<(H256, ServiceSpec)> {
			Specs::<T>::iter().map(|(id, record)| (id, record.spec)).collect()
		}

		/// The last block in which a worker said that it is alive.
		pub fn last_heartbeat(worker: AccountId32) -> Option<BlockNumberFor<T>> {
			Heartbeats::<T>::get(worker)
		}
	}

	impl<T: Config> Pallet<T> {
		/// Adds a domain and returns its id.
		pub(crate) fn insert_domain(
			name: DomainName,
			parent: Option<DomainId>,
		) -> Result<DomainId, DispatchError> {
			let readable = core::str::from_utf8(&name).is_ok_and(|name| !name.trim().is_empty());
			ensure!(readable, Error::<T>::BadDomainName);
			let id = NextDomain::<T>::get();
			ensure!(id < T::MaxDomains::get(), Error::<T>::TooManyDomains);
			ensure!(parent.is_none_or(Domains::<T>::contains_key), Error::<T>::UnknownDomain);
			let domain = Domain { name, parent };
			ensure!(!Domains::<T>::iter_values().any(|other| other == domain), Error::<T>::DomainExists);
			Domains::<T>::insert(id, domain);
			NextDomain::<T>::put(id.checked_add(1).ok_or(Error::<T>::TooManyDomains)?);
			Ok(id)
		}
	}
}
