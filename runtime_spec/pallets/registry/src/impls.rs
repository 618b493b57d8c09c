//! Checks, book-keeping, and what other pallets ask of the registry.
use crate::pallet::*;
use crate::types::*;
use frame_support::ensure;
use llmnet_primitives::{Calibration, Role, Roster, ServiceSpec, Terms, LANES, MAX_TOP_K};
use sp_core::H256;
use sp_runtime::{
	traits::{CheckedAdd, UniqueSaturatedInto},
	AccountId32, DispatchError, DispatchResult,
};

/// The sampling rule that this chain can check.
const SAMPLER_VERSION: u8 = 1;
/// Lanes are 16 bits wide; a larger shift leaves no room for a value.
const MAX_SHIFT: u8 = 24;
/// The largest squared distance two sketches can have: each lane differs by at most `2 * 32767`.
const MAX_DISTANCE: u64 = (LANES as u64) * 65_534 * 65_534;

impl<T: Config> Pallet<T> {
	/// Refuses a spec that no worker could serve or no validator check.
	pub(crate) fn check_spec(spec: &ServiceSpec) -> DispatchResult {
		let named = core::str::from_utf8(&spec.name).is_ok_and(|name| !name.trim().is_empty());
		let sampled = spec.sampler_version == SAMPLER_VERSION
			&& (1..=MAX_TOP_K).contains(&u32::from(spec.top_k))
			&& spec.vocab_size >= u32::from(spec.top_k);
		let sized =
			spec.context_length > 0 && spec.logit_shift <= MAX_SHIFT && spec.hidden_shift <= MAX_SHIFT;
		ensure!(named && sampled && sized, Error::<T>::BadSpec);
		Ok(())
	}

	/// Refuses thresholds under which an honest worker could not pass or a cheat could not fail.
	pub(crate) fn check_calibration(row: &Calibration) -> DispatchResult {
		let ordered = |q95: u64, q99: u64| 0 < q95 && q95 <= q99 && q99 <= MAX_DISTANCE;
		let sane = ordered(row.logit_q95, row.logit_q99) && ordered(row.hidden_q95, row.hidden_q99);
		ensure!(sane && row.positions > 0 && Self::unexpired(row), Error::<T>::BadCalibration);
		Ok(())
	}

	fn unexpired(row: &Calibration) -> bool {
		let now: u32 = frame_system::Pallet::<T>::block_number().unique_saturated_into();
		now < row.expires_at
	}

	/// The thresholds of a spec, unless expired.
	pub(crate) fn valid_calibration(id: &H256) -> Option<Calibration> {
		Calibrations::<T>::get(id).filter(Self::unexpired)
	}

	pub(crate) fn check_endpoint(endpoint: &Endpoint) -> DispatchResult {
		let host = core::str::from_utf8(endpoint)
			.ok()
			.and_then(|text| text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")));
		let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
		ensure!(host.is_some_and(plain), Error::<T>::BadEndpoint);
		Ok(())
	}

	pub(crate) fn check_domains(domains: &OfferDomains) -> DispatchResult {
		ensure!(!domains.is_empty(), Error::<T>::BadDomains);
		for (place, domain) in domains.iter().enumerate() {
			ensure!(!domains.iter().skip(place).skip(1).any(|other| other == domain), Error::<T>::BadDomains);
			ensure!(Domains::<T>::contains_key(domain), Error::<T>::UnknownDomain);
		}
		Ok(())
	}

	/// Whether no session can depend on the spec any more.
	pub(crate) fn check_forgotten(record: &SpecRecordOf<T>) -> DispatchResult {
		let Some(idle_since) = record.idle_since else { return Ok(()) };
		let free = idle_since
			.checked_add(&<T::SpecRetention as frame_support::traits::Get<_>>::get())
			.ok_or(Error::<T>::SpecInUse)?;
		ensure!(frame_system::Pallet::<T>::block_number() >= free, Error::<T>::SpecInUse);
		Ok(())
	}

	/// Makes room for a new offer and returns its first version.
	pub(crate) fn count_offer(spec_id: H256, worker: &AccountId32) -> Result<u32, DispatchError> {
		let mut record = Specs::<T>::get(spec_id).ok_or(Error::<T>::UnknownSpec)?;
		let limit = <T::MaxOffersPerSpec as frame_support::traits::Get<u32>>::get();
		ensure!(record.offers < limit, Error::<T>::SpecFull);
		record.offers = record.offers.checked_add(1).ok_or(Error::<T>::SpecFull)?;
		record.idle_since = None;
		OffersOf::<T>::try_mutate(worker, |list| list.try_push(spec_id))
			.map_err(|_| Error::<T>::TooManyOffers)?;
		Specs::<T>::insert(spec_id, record);
		Ok(1)
	}

	/// Takes an offer away.
	pub(crate) fn drop_offer(spec_id: H256, worker: AccountId32) -> DispatchResult {
		ensure!(Offers::<T>::contains_key(spec_id, &worker), Error::<T>::NoOffer);
		Offers::<T>::remove(spec_id, &worker);
		Specs::<T>::try_mutate(spec_id, |slot| {
			let record = slot.as_mut().ok_or(Error::<T>::UnknownSpec)?;
			record.offers = record.offers.checked_sub(1).ok_or(Error::<T>::NoOffer)?;
			if record.offers == 0 {
				record.idle_since = Some(frame_system::Pallet::<T>::block_number());
			}
			Ok::<_, DispatchError>(())
		})?;
		let mut left = OffersOf::<T>::get(&worker);
		left.retain(|id| *id != spec_id);
		if left.is_empty() {
			OffersOf::<T>::remove(&worker);
			Heartbeats::<T>::remove(&worker);
		} else {
			OffersOf::<T>::insert(&worker, left);
		}
		Self::deposit_event(Event::OfferWithdrawn { spec_id, worker });
		Ok(())
	}

	pub(crate) fn active_offers(spec_id: H256) -> impl Iterator<Item = (AccountId32, OfferOf<T>)> {
		Offers::<T>::iter_prefix(spec_id).filter(|(worker, _)| T::Roster::is_active(worker, Role::Worker))
	}
}

impl<T: Config> llmnet_primitives::Specs<AccountId32> for Pallet<T> {
	fn spec(id: &H256) -> Option<ServiceSpec> {
		Specs::<T>::get(id).map(|record| record.spec)
	}

	fn calibration(id: &H256) -> Option<Calibration> {
		Self::valid_calibration(id)
	}

	fn withdraw_all(worker: &AccountId32) {
		let last = OffersOf::<T>::get(worker).last().and_then(|id| Offers::<T>::get(id, worker));
		if let Some(offer) = last {
			FormerEndpoints::<T>::insert(worker, offer.endpoint);
		}
		for spec_id in OffersOf::<T>::get(worker) {
			// Each listed offer exists (checked by `try_state`), so dropping it cannot fail.
			let dropped = Self::drop_offer(spec_id, worker.clone());
			debug_assert!(dropped.is_ok(), "a listed offer exists");
		}
	}
}

impl<T: Config> llmnet_primitives::Offers<AccountId32, Balance> for Pallet<T> {
	fn terms(worker: &AccountId32, spec: &H256) -> Option<Terms<Balance>> {
		let offer = Offers::<T>::get(spec, worker)?;
		T::Roster::is_active(worker, Role::Worker).then(|| Terms {
			price_in: offer.price_in,
			price_out: offer.price_out,
			domains: offer.domains.into_inner(),
		})
	}
}

#[cfg(any(test, feature = "try-runtime"))]
impl<T: Config> Pallet<T> {
	/// Counters and lists agree with the tables, deposits are held, the domain tree is whole.
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		use alloc::collections::BTreeMap;
		use frame_support::traits::{fungible::InspectHold, Get};
		let mut deposits = BTreeMap::<AccountId32, Balance>::new();
		for (id, record) in Specs::<T>::iter() {
			ensure!(
				id == llmnet_primitives::hashing::spec_id(&record.spec),
				"a spec is not stored under its id"
			);
			let offers = Offers::<T>::iter_prefix(id).count();
			ensure!(usize::try_from(record.offers) == Ok(offers), "a spec counts its offers wrongly");
			ensure!(record.offers <= T::MaxOffersPerSpec::get(), "a spec has too many offers");
			let sum = deposits.entry(record.depositor).or_default();
			*sum = sum.checked_add(record.deposit).ok_or("deposits overflow")?;
		}
		for (who, sum) in deposits {
			let held = T::Currency::balance_on_hold(&HoldReason::SpecDeposit.into(), &who);
			ensure!(held == sum, "deposits and holds differ");
		}
		for (spec, worker, _) in Offers::<T>::iter() {
			ensure!(Specs::<T>::contains_key(spec), "an offer names an unknown spec");
			ensure!(OffersOf::<T>::get(worker).contains(&spec), "an offer is not listed");
		}
		for (worker, list) in OffersOf::<T>::iter() {
			ensure!(!list.is_empty(), "an empty list is kept");
			ensure!(
				list.iter().all(|spec| Offers::<T>::contains_key(spec, &worker)),
				"a listed offer is missing"
			);
		}
		ensure!(Calibrations::<T>::iter_keys().all(Specs::<T>::contains_key), "a calibration lost its spec");
		ensure!(Heartbeats::<T>::iter_keys().all(OffersOf::<T>::contains_key), "a heartbeat lost its offers");
		for id in 0..NextDomain::<T>::get() {
			let domain = Domains::<T>::get(id).ok_or("a domain is missing")?;
			ensure!(domain.parent.is_none_or(|parent| parent < id), "a domain is above itself");
		}
		Ok(())
	}
}
