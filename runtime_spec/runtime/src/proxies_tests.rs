//! What proxies may and may not do, through signed transactions.
use crate::configs::Treasury;
use crate::tests::{author, signed, with_preset};
use crate::*;
use frame_support::{assert_ok, traits::InstanceFilter};
use llmnet_primitives::Role;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};
use sp_runtime::DispatchResult;

const ALL: [ProxyType; 3] = [ProxyType::Any, ProxyType::NonTransfer, ProxyType::Work];

fn name_proxy(of: Sr25519Keyring, to: Sr25519Keyring, kind: ProxyType) {
	let delegate = to.to_account_id().into();
	let call = pallet_proxy::Call::add_proxy { delegate, proxy_type: kind, delay: 0 };
	assert_ok!(author(vec![signed(&of.pair(), call)])[0]);
}

fn as_proxy(of: Sr25519Keyring, call: impl Into<RuntimeCall>) -> RuntimeCall {
	let real = of.to_account_id().into();
	pallet_proxy::Call::proxy { real, force_proxy_type: None, call: Box::new(call.into()) }.into()
}

/// What became of the call that a proxy made in the last transaction of the block.
fn outcome() -> DispatchResult {
	let event = System::events().into_iter().rev().find_map(|record| match record.event {
		RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => Some(result),
		_ => None,
	});
	event.expect("a proxy's call was executed")
}

fn filtered() -> DispatchResult {
	Err(frame_system::Error::<Runtime>::CallFiltered.into())
}

fn transfer() -> RuntimeCall {
	pallet_balances::Call::transfer_keep_alive { dest: Dave.to_account_id().into(), value: UNIT }.into()
}

fn batch(call: RuntimeCall) -> RuntimeCall {
	pallet_utility::Call::batch_all { calls: vec![call] }.into()
}

fn bond() -> RuntimeCall {
	pallet_staking::Call::bond { role: Role::Worker, amount: 100 * UNIT }.into()
}

#[test]
fn a_working_key_does_the_work_of_a_cold_account() {
	with_preset("development", || {
		name_proxy(Bob, Charlie, ProxyType::Work);
		let bond = pallet_staking::Call::bond { role: Role::Validator, amount: 100 * UNIT };
		assert_ok!(author(vec![signed(&Bob.pair(), bond)])[0]);
		while System::block_number() < 5 {
			author(Vec::new());
		}
		let commit = pallet_beacon::Call::commit { round: 1, commitment: Hash::repeat_byte(1) };
		assert_ok!(author(vec![signed(&Charlie.pair(), as_proxy(Bob, commit))])[0]);
		assert_ok!(outcome());
		assert_eq!(Beacon::status().committed, vec![Bob.to_account_id()]);
	});
}

#[test]
fn nobody_acts_for_an_account_that_has_not_named_it() {
	with_preset("development", || {
		name_proxy(Bob, Charlie, ProxyType::Any);
		let call = as_proxy(Bob, transfer());
		let refused = author(vec![signed(&Dave.pair(), call)]);
		assert_eq!(refused, vec![Err(pallet_proxy::Error::<Runtime>::NotProxy.into())]);
	});
}

#[test]
fn each_kind_does_what_it_is_for_and_no_more() {
	let open = pallet_sessions::Call::open {
		worker: Bob.to_account_id(),
		spec_id: Hash::zero(),
		domain: 0,
		escrow: UNIT,
		max_price_in: 0,
		max_price_out: 0,
		expires_in: 100,
	};
	let claim = pallet_sessions::Call::claim { session: 0, amount: 0, answers: 0, signature: [0; 64] };
	let further = pallet_proxy::Call::add_proxy {
		delegate: Dave.to_account_id().into(),
		proxy_type: ProxyType::Any,
		delay: 0,
	};
	let cases: [(RuntimeCall, [bool; 3]); 9] = [
		(transfer(), [true, false, false]),
		(open.into(), [true, false, false]),
		(further.into(), [true, false, false]),
		(pallet_sudo::Call::remove_key {}.into(), [true, false, false]),
		(bond(), [true, true, false]),
		(pallet_sessions::Call::rate { session: 0, stars: 5 }.into(), [true, true, false]),
		(claim.into(), [true, true, true]),
		(pallet_registry::Call::heartbeat {}.into(), [true, true, true]),
		(pallet_beacon::Call::reveal { round: 0, secret: [0; 32] }.into(), [true, true, true]),
	];
	for (call, allowed) in cases {
		assert_eq!(ALL.map(|kind| kind.filter(&call)), allowed, "{call:?}");
	}
}

#[test]
fn wrapping_a_call_does_not_help() {
	with_preset("development", || {
		for kind in [ProxyType::NonTransfer, ProxyType::Work] {
			let delegate = if kind == ProxyType::Work { Charlie } else { Alice };
			name_proxy(Bob, delegate, kind);
			for call in [transfer(), batch(transfer()), batch(as_proxy(Bob, transfer()))] {
				let call = as_proxy(Bob, call);
				assert_ok!(author(vec![signed(&delegate.pair(), call)])[0]);
				assert_eq!(outcome(), filtered());
			}
		}
	});
}

#[test]
fn kinds_are_ordered_by_what_they_allow() {
	for (at, kind) in ALL.iter().enumerate() {
		let below = ALL.map(|other| kind.is_superset(&other));
		assert_eq!(below, [at < 1, at < 2, true]);
	}
}

#[test]
fn not_even_the_mightiest_proxy_burns() {
	with_preset("development", || {
		name_proxy(Bob, Charlie, ProxyType::Any);
		let issuance = Balances::total_issuance();
		let burn = pallet_balances::Call::burn { value: UNIT, keep_alive: true };
		assert_ok!(author(vec![signed(&Charlie.pair(), as_proxy(Bob, burn))])[0]);
		assert_eq!(outcome(), filtered());
		assert_eq!(Balances::total_issuance(), issuance);
	});
}

#[test]
fn two_of_three_move_what_they_own_together() {
	with_preset("development", || {
		let mut sorted = [Alice, Bob, Charlie].map(|key| key.to_account_id()).to_vec();
		sorted.sort();
		let joint = Multisig::multi_account_id(&sorted, 2);
		let fund = pallet_balances::Call::transfer_keep_alive { dest: joint.into(), value: 5 * UNIT };
		assert_ok!(author(vec![signed(&Alice.pair(), fund)])[0]);
		let call: RuntimeCall =
			pallet_balances::Call::transfer_keep_alive { dest: Treasury::get().into(), value: UNIT }.into();
		let sign = |key: Sr25519Keyring, timepoint| {
			let other_signatories =
				sorted.iter().filter(|who| **who != key.to_account_id()).cloned().collect();
			let max_weight = frame_support::weights::Weight::from_parts(1_000_000_000, 100_000);
			let call = Box::new(call.clone());
			let call = pallet_multisig::Call::as_multi {
				threshold: 2,
				other_signatories,
				maybe_timepoint: timepoint,
				call,
				max_weight,
			};
			signed(&key.pair(), call)
		};
		let before = Balances::free_balance(Treasury::get());
		assert_ok!(author(vec![sign(Alice, None)])[0]);
		let at = pallet_multisig::Timepoint { height: System::block_number(), index: 1 };
		assert!(Balances::free_balance(Treasury::get()) < before + UNIT, "one of three is not enough");
		assert_ok!(author(vec![sign(Bob, Some(at))])[0]);
		assert!(Balances::free_balance(Treasury::get()) >= before + UNIT);
	});
}
