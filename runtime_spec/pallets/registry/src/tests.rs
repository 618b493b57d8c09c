use crate::{mock::*, Endpoint, Error, Event, HoldReason, Offer, OfferDomains};
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{Inspect, InspectHold},
};
use llmnet_primitives::{hashing::spec_id, Calibration, NumericsClass, Offers as _, ServiceSpec};
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::{DispatchError, TokenError};

fn spec(name: &str) -> ServiceSpec {
	ServiceSpec {
		name: name.as_bytes().to_vec().try_into().expect("short name"),
		weights_root: H256::repeat_byte(1),
		tokenizer_hash: H256::repeat_byte(2),
		template_hash: H256::repeat_byte(3),
		graph_hash: H256::repeat_byte(4),
		sampler_version: 1,
		top_k: 16,
		numerics: NumericsClass::Fp32,
		vocab_size: 49_152,
		context_length: 2_048,
		logit_shift: 9,
		hidden_shift: 9,
	}
}

fn row() -> Calibration {
	Calibration {
		logit_q95: 8,
		logit_q99: 20,
		hidden_q95: 8,
		hidden_q99: 20,
		tau_sample: 1_311,
		positions: 1_000,
		expires_at: 50,
	}
}

fn signed(n: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(account(n))
}

fn register(name: &str) -> H256 {
	assert_ok!(Registry::register_spec(signed(1), spec(name)));
	spec_id(&spec(name))
}

fn endpoint(text: &str) -> Endpoint {
	text.as_bytes().to_vec().try_into().expect("short endpoint")
}

fn domains(list: &[u32]) -> OfferDomains {
	list.to_vec().try_into().expect("few domains")
}

fn offer(worker: u8, id: H256, price: u128) -> sp_runtime::DispatchResult {
	let at = endpoint("http://127.0.0.1:8000");
	Registry::put_offer(signed(worker), id, at, price, 2 * price, domains(&[0]), H256::zero(), 4)
}

fn name(text: &str) -> crate::DomainName {
	text.as_bytes().to_vec().try_into().expect("short name")
}

#[test]
fn a_spec_is_registered_against_a_deposit_and_removed_for_it() {
	build_and_execute(|| {
		let id = register("a");
		System::assert_last_event(Event::SpecRegistered { spec_id: id, depositor: account(1) }.into());
		assert_eq!(Balances::balance_on_hold(&HoldReason::SpecDeposit.into(), &account(1)), 10);
		assert_eq!(Registry::spec(id), Some(spec("a")));
		assert_eq!(Registry::specs(), vec![(id, spec("a"))]);
		assert_ok!(Registry::set_calibration(RuntimeOrigin::root(), id, row()));

		assert_ok!(Registry::remove_spec(signed(1), id));
		System::assert_last_event(Event::SpecRemoved { spec_id: id }.into());
		assert_eq!(Balances::balance(&account(1)), 100);
		assert_eq!(Registry::spec(id), None);
		assert_eq!(Registry::calibration(id), None);
	});
}

#[test]
fn register_spec_refuses_what_cannot_be_served_or_checked() {
	build_and_execute(|| {
		let spoilers: [fn(&mut ServiceSpec); 9] = [
			|s| s.name = Default::default(),
			|s| s.name = vec![0xff].try_into().expect("short"),
			|s| s.sampler_version = 2,
			|s| s.top_k = 0,
			|s| s.top_k = 33,
			|s| s.vocab_size = 15,
			|s| s.context_length = 0,
			|s| s.logit_shift = 25,
			|s| s.hidden_shift = 25,
		];
		for spoil in spoilers {
			let mut bad = spec("a");
			spoil(&mut bad);
			assert_noop!(Registry::register_spec(signed(1), bad), Error::<Test>::BadSpec);
		}
		assert_noop!(Registry::register_spec(signed(3), spec("a")), TokenError::FundsUnavailable);
		assert_noop!(Registry::register_spec(RuntimeOrigin::root(), spec("a")), DispatchError::BadOrigin);
		register("a");
		assert_noop!(Registry::register_spec(signed(2), spec("a")), Error::<Test>::SpecExists);
		register("b");
		register("c");
		assert_noop!(Registry::register_spec(signed(2), spec("d")), Error::<Test>::TooManySpecs);
	});
}

#[test]
fn remove_spec_is_for_the_depositor_of_an_unused_spec() {
	build_and_execute(|| {
		let id = register("a");
		assert_noop!(Registry::remove_spec(signed(1), H256::zero()), Error::<Test>::UnknownSpec);
		assert_noop!(Registry::remove_spec(signed(2), id), Error::<Test>::NotDepositor);
		assert_ok!(offer(10, id, 5));
		assert_noop!(Registry::remove_spec(signed(1), id), Error::<Test>::SpecOffered);
		assert_ok!(Registry::withdraw_offer(signed(10), id));
		// Sessions opened by that offer may still be audited: a worker must not be able to remove the measure.
		assert_noop!(Registry::remove_spec(signed(1), id), Error::<Test>::SpecInUse);
		System::set_block_number(20);
		assert_noop!(Registry::remove_spec(signed(1), id), Error::<Test>::SpecInUse);
		System::set_block_number(21);
		assert_ok!(Registry::remove_spec(signed(1), id));
	});
}

#[test]
fn an_offer_starts_the_retention_of_its_spec_again() {
	build_and_execute(|| {
		let id = register("a");
		assert_ok!(offer(10, id, 5));
		assert_ok!(Registry::withdraw_offer(signed(10), id));
		System::set_block_number(20);
		assert_ok!(offer(10, id, 5));
		assert_ok!(Registry::withdraw_offer(signed(10), id));
		System::set_block_number(39);
		assert_noop!(Registry::remove_spec(signed(1), id), Error::<Test>::SpecInUse);
		System::set_block_number(40);
		assert_ok!(Registry::remove_spec(signed(1), id));
	});
}

#[test]
fn a_calibration_counts_until_it_expires() {
	build_and_execute(|| {
		let id = register("a");
		assert_eq!(Registry::calibration(id), None);
		assert_ok!(Registry::set_calibration(RuntimeOrigin::root(), id, row()));
		System::assert_last_event(Event::CalibrationSet { spec_id: id, calibration: row() }.into());
		System::set_block_number(49);
		assert_eq!(<Registry as llmnet_primitives::Specs<_>>::calibration(&id), Some(row()));
		System::set_block_number(50);
		assert_eq!(<Registry as llmnet_primitives::Specs<_>>::calibration(&id), None);
		assert_eq!(Registry::calibration(id), None);
	});
}

#[test]
fn set_calibration_refuses_senseless_rows() {
	build_and_execute(|| {
		let id = register("a");
		let spoilers: [fn(&mut Calibration); 8] = [
			|r| r.logit_q95 = 0,
			|r| r.logit_q95 = 21,
			|r| r.hidden_q95 = 0,
			|r| r.hidden_q95 = 21,
			|r| r.logit_q99 = 8 * 65_534 * 65_534 + 1,
			|r| r.hidden_q99 = u64::MAX,
			|r| r.positions = 0,
			|r| r.expires_at = 1,
		];
		for spoil in spoilers {
			let mut bad = row();
			spoil(&mut bad);
			let set = Registry::set_calibration(RuntimeOrigin::root(), id, bad);
			assert_noop!(set, Error::<Test>::BadCalibration);
		}
		let unknown = Registry::set_calibration(RuntimeOrigin::root(), H256::zero(), row());
		assert_noop!(unknown, Error::<Test>::UnknownSpec);
		assert_noop!(Registry::set_calibration(signed(1), id, row()), DispatchError::BadOrigin);
	});
}

#[test]
fn domains_form_a_tree() {
	build_and_execute(|| {
		assert_ok!(Registry::add_domain(RuntimeOrigin::root(), name("law"), None));
		assert_ok!(Registry::add_domain(RuntimeOrigin::root(), name("tax"), Some(1)));
		System::assert_last_event(
			Event::DomainAdded { domain: 2, name: name("tax"), parent: Some(1) }.into(),
		);
		let seen: Vec<_> = Registry::domains().into_iter().map(|(id, d)| (id, d.name, d.parent)).collect();
		let expected = vec![(0, name("general"), None), (1, name("law"), None), (2, name("tax"), Some(1))];
		assert_eq!(seen, expected);
		// The same name elsewhere in the tree is another domain.
		assert_ok!(Registry::add_domain(RuntimeOrigin::root(), name("tax"), None));
		let full = Registry::add_domain(RuntimeOrigin::root(), name("more"), None);
		assert_noop!(full, Error::<Test>::TooManyDomains);
	});
}

#[test]
fn add_domain_refuses_bad_names_and_places() {
	build_and_execute(|| {
		let root = RuntimeOrigin::root;
		assert_noop!(Registry::add_domain(signed(1), name("law"), None), DispatchError::BadOrigin);
		assert_noop!(Registry::add_domain(root(), name(" "), None), Error::<Test>::BadDomainName);
		let binary = vec![0xff, 0xfe].try_into().expect("short");
		assert_noop!(Registry::add_domain(root(), binary, None), Error::<Test>::BadDomainName);
		assert_noop!(Registry::add_domain(root(), name("law"), Some(7)), Error::<Test>::UnknownDomain);
		assert_noop!(Registry::add_domain(root(), name("general"), None), Error::<Test>::DomainExists);
	});
}

#[test]
fn an_offer_is_put_changed_and_withdrawn() {
	build_and_execute(|| {
		let id = register("a");
		assert_ok!(offer(10, id, 5));
		System::set_block_number(2);
		assert_ok!(offer(10, id, 6));
		System::assert_last_event(Event::OfferPut { spec_id: id, worker: account(10), version: 2 }.into());
		let stored = Offer {
			endpoint: endpoint("http://127.0.0.1:8000"),
			price_in: 6,
			price_out: 12,
			domains: domains(&[0]),
			policy_digest: H256::zero(),
			capacity: 4,
			version: 2,
			updated_at: 2,
		};
		assert_eq!(Registry::offer(id, account(10)), Some(stored.clone()));
		assert_eq!(Registry::offers(id), vec![(account(10), stored.clone())]);
		assert_eq!(Registry::offers_in_domain(0), vec![(id, account(10), stored)]);
		assert_eq!(Registry::offers_in_domain(1), vec![]);
		let terms = Registry::terms(&account(10), &id).expect("terms");
		assert_eq!((terms.price_in, terms.price_out, terms.domains), (6, 12, vec![0]));

		assert_ok!(Registry::withdraw_offer(signed(10), id));
		System::assert_last_event(Event::OfferWithdrawn { spec_id: id, worker: account(10) }.into());
		assert_eq!(Registry::terms(&account(10), &id), None);
		assert_eq!(Registry::last_heartbeat(account(10)), None);
		assert_noop!(Registry::withdraw_offer(signed(10), id), Error::<Test>::NoOffer);
	});
}

#[test]
fn put_offer_refuses_strangers_and_nonsense() {
	build_and_execute(|| {
		let id = register("a");
		let put = |worker: u8, id, at: &str, list: &[u32], capacity| {
			Registry::put_offer(signed(worker), id, endpoint(at), 1, 1, domains(list), H256::zero(), capacity)
		};
		let at = "https://worker.example:443";
		assert_noop!(put(1, id, at, &[0], 1), Error::<Test>::NotActiveWorker);
		assert_noop!(put(10, H256::zero(), at, &[0], 1), Error::<Test>::UnknownSpec);
		for bad in ["", "ftp://host", "http://", "http://a b", "http://a\n"] {
			assert_noop!(put(10, id, bad, &[0], 1), Error::<Test>::BadEndpoint);
		}
		assert_noop!(put(10, id, at, &[], 1), Error::<Test>::BadDomains);
		assert_noop!(put(10, id, at, &[0, 0], 1), Error::<Test>::BadDomains);
		assert_noop!(put(10, id, at, &[9], 1), Error::<Test>::UnknownDomain);
		assert_noop!(put(10, id, at, &[0], 0), Error::<Test>::NoCapacity);
		assert_ok!(put(10, id, at, &[0], 1));
		crate::Offers::<Test>::mutate(id, account(10), |slot| {
			slot.as_mut().expect("offer").version = u32::MAX
		});
		assert_noop!(put(10, id, at, &[0], 1), Error::<Test>::VersionOverflow);
	});
}

#[test]
fn offers_are_bounded_on_both_sides() {
	build_and_execute(|| {
		let (a, b, c) = (register("a"), register("b"), register("c"));
		for worker in 10..14 {
			assert_ok!(offer(worker, a, 1));
		}
		assert_noop!(offer(14, a, 1), Error::<Test>::SpecFull);
		assert_ok!(offer(10, b, 1));
		assert_noop!(offer(10, c, 1), Error::<Test>::TooManyOffers);
		// A change of an existing offer needs no room.
		assert_ok!(offer(10, a, 2));
	});
}

#[test]
fn an_inactive_worker_has_no_terms_and_may_be_swept() {
	build_and_execute(|| {
		let id = register("a");
		assert_ok!(offer(10, id, 5));
		assert_noop!(Registry::prune_offer(signed(2), id, account(10)), Error::<Test>::WorkerActive);
		Bonds::retire(&account(10));
		assert_eq!(Registry::terms(&account(10), &id), None);
		assert_eq!(Registry::offers(id), vec![]);
		assert_ok!(Registry::prune_offer(signed(2), id, account(10)));
		assert_noop!(Registry::prune_offer(signed(2), id, account(10)), Error::<Test>::NoOffer);
		System::set_block_number(21);
		assert_ok!(Registry::remove_spec(signed(1), id));
	});
}

#[test]
fn withdraw_all_takes_every_offer_of_one_worker() {
	build_and_execute(|| {
		let (a, b) = (register("a"), register("b"));
		assert_ok!(offer(10, a, 5));
		assert_ok!(offer(10, b, 5));
		assert_ok!(offer(11, a, 5));
		assert_eq!(Registry::former_endpoint(account(10)), None);
		<Registry as llmnet_primitives::Specs<_>>::withdraw_all(&account(10));
		assert_eq!(Registry::offers(a).len(), 1);
		assert_eq!(Registry::offers(b).len(), 0);
		assert!(Registry::former_endpoint(account(10)).is_some(), "its appeals are audited there");
		assert_ok!(offer(10, a, 5));
		assert_eq!(Registry::former_endpoint(account(10)), None);
		System::set_block_number(21);
		assert_ok!(Registry::remove_spec(signed(1), b));
	});
}

#[test]
fn a_heartbeat_is_remembered() {
	build_and_execute(|| {
		assert_noop!(Registry::heartbeat(signed(10)), Error::<Test>::NoOffer);
		let id = register("a");
		assert_ok!(offer(10, id, 5));
		System::set_block_number(9);
		assert_ok!(Registry::heartbeat(signed(10)));
		assert_eq!(Registry::last_heartbeat(account(10)), Some(9));
	});
}

#[test]
fn try_state_sees_a_lost_deposit_and_a_wrong_count() {
	use frame_support::traits::{fungible::MutateHold, tokens::Precision};
	build_and_execute(|| {
		let id = register("a");
		let reason = HoldReason::SpecDeposit.into();
		assert_ok!(Balances::release(&reason, &account(1), 1, Precision::Exact));
		assert_eq!(Registry::do_try_state(), Err("deposits and holds differ".into()));
		assert_ok!(Balances::hold(&reason, &account(1), 1));
		crate::Specs::<Test>::mutate(id, |slot| slot.as_mut().expect("spec").offers = 1);
		assert_eq!(Registry::do_try_state(), Err("a spec counts its offers wrongly".into()));
		crate::Specs::<Test>::mutate(id, |slot| slot.as_mut().expect("spec").offers = 0);
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	/// Whatever is called in whatever order, tables, lists, counters and deposits agree, and no token is lost.
	#[test]
	fn invariants_hold_under_any_sequence(steps in prop::collection::vec((0u8..6, 10u8..16, 0usize..3), 1..40)) {
		build_and_execute(|| {
			let names = ["a", "b", "c"];
			for (what, worker, which) in steps {
				let id = spec_id(&spec(names[which]));
				let _ = match what {
					0 => Registry::register_spec(signed(1 + worker % 2), spec(names[which])),
					1 => Registry::remove_spec(signed(1 + worker % 2), id),
					2 => offer(worker, id, 3),
					3 => Registry::withdraw_offer(signed(worker), id),
					4 => Registry::heartbeat(signed(worker)),
					_ => {
						<Registry as llmnet_primitives::Specs<_>>::withdraw_all(&account(worker));
						Ok(())
					},
				};
				Registry::do_try_state().expect("invariants hold");
				assert_eq!(Balances::total_issuance(), 200);
			}
		});
	}
}
