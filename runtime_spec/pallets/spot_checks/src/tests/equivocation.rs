use super::workshop::*;
use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, traits::fungible::Inspect};
use llmnet_primitives::{hashing::signed_message, Receipt, Role};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob};
use sp_runtime::AccountId32;

const SESSION: u64 = 8;

fn alice() -> AccountId32 {
	Alice.to_account_id()
}

fn reporter() -> AccountId32 {
	account(30)
}

/// Alice is a worker with a session and some stake.
fn bond_alice() {
	use frame_support::traits::{fungible::Mutate, tokens::Preservation::Expendable};
	assert_ok!(<Balances as Mutate<_>>::transfer(&account(60), &alice(), STAKE / 2, Expendable));
	bond(&alice(), Role::Worker);
	open_session(SESSION, &alice());
}

fn genesis() -> H256 {
	System::block_hash(0)
}

fn sign(key: Sr25519Keyring, receipt: &Receipt) -> [u8; 64] {
	key.sign(&signed_message("receipt", &genesis(), receipt)).0
}

fn report(
	first: Receipt,
	first_signature: [u8; 64],
	second: Receipt,
	second_signature: [u8; 64],
) -> DispatchResult {
	let origin = RuntimeOrigin::signed(reporter());
	SpotChecks::report_equivocation(origin, alice(), first, first_signature, second, second_signature)
}

fn report_signed(first: Receipt, second: Receipt) -> DispatchResult {
	report(first, sign(Alice, &first), second, sign(Alice, &second))
}

#[test]
fn two_receipts_for_one_answer_are_a_slash_of_which_the_reporter_gets_a_tenth() {
	build_and_execute(|| {
		bond_alice();
		let first = work(SESSION, 4, 40).receipt;
		let second = Receipt { n_out: 41, ..first };
		told();
		assert_ok!(report_signed(first, second));
		let taken = STAKE / 2 / 10;
		let expected = [
			Told::Slashed(alice(), taken),
			Told::Forfeited(alice(), 0),
			Told::Withdrawn(alice()),
			Told::Out(alice()),
		];
		assert_eq!(told(), expected);
		assert_eq!(Balances::balance(&reporter()), STAKE + taken / 10);
		assert_eq!(Balances::balance(&treasury()), STAKE + taken - taken / 10);
		let event = Event::Equivocated { worker: alice(), session: SESSION, index: 4, reporter: reporter() };
		System::assert_has_event(event.into());
		assert!(SpotChecks::worker_state(alice()).removed);
		assert_noop!(report_signed(first, second), Error::<Test>::WorkerRemoved);
	});
}

#[test]
fn the_dearer_receipt_counts() {
	build_and_execute(|| {
		bond_alice();
		let first = work(SESSION, 4, 1).receipt;
		let second = Receipt { n_out: 1_990, ..first };
		told();
		assert_ok!(report_signed(first, second));
		assert_eq!(told()[0], Told::Slashed(alice(), 100 * 2_000));
	});
}

#[test]
fn what_is_no_equivocation_is_refused() {
	build_and_execute(|| {
		bond_alice();
		let first = work(SESSION, 4, 40).receipt;
		let second = Receipt { text_hash: H256::zero(), ..first };
		let (ours, theirs) = (sign(Alice, &first), sign(Alice, &second));
		let same = report(first, ours, first, ours);
		assert_noop!(same, Error::<Test>::SameReceipt);
		assert_noop!(report_signed(first, Receipt { index: 5, ..second }), Error::<Test>::DifferentAnswers);
		assert_noop!(report_signed(first, Receipt { session: 1, ..second }), Error::<Test>::DifferentAnswers);
		assert_noop!(report(first, ours, second, ours), Error::<Test>::SignatureInvalid);
		assert_noop!(report(first, sign(Bob, &first), second, theirs), Error::<Test>::SignatureInvalid);
		assert_noop!(report(first, ours, second, sign(Bob, &second)), Error::<Test>::SignatureInvalid);
		let elsewhere = Alice.sign(&signed_message("receipt", &H256::zero(), &second)).0;
		assert_ne!(genesis(), H256::zero());
		assert_noop!(report(first, ours, second, elsewhere), Error::<Test>::SignatureInvalid);
		let voucher = Alice.sign(&signed_message("voucher", &genesis(), &second)).0;
		assert_noop!(report(first, ours, second, voucher), Error::<Test>::SignatureInvalid);
		let of_another = |receipt: Receipt| Receipt { session: 1, ..receipt };
		assert_noop!(report_signed(of_another(first), of_another(second)), Error::<Test>::NotTheWorker);
		let unknown = |receipt: Receipt| Receipt { session: 99, ..receipt };
		assert_noop!(report_signed(unknown(first), unknown(second)), Error::<Test>::UnknownSession);
		world(|w| w.bonds.remove(&alice()));
		assert_noop!(report_signed(first, second), Error::<Test>::NotBonded);
		bond(&alice(), Role::Worker);
		assert_ok!(report_signed(first, second));
	});
}
