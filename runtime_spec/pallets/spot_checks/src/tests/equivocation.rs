use super::workshop::*;
use crate::{mock::*, types::SignedReceipts, Error, Event};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, traits::fungible::Inspect};
use llmnet_primitives::{hashing::signed_message, PlacedSegment, ProofNodes, Receipt, Role};
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

/// Alice commits the receipts of two segments; the second holds the answers 3, 4 and 5 of her session. Returns the
/// delivery and its epoch.
fn committed() -> (Delivery, u32) {
	bond_alice();
	open_session(SESSION + 1, &alice());
	let answers = vec![vec![work(SESSION + 1, 0, 9)], (3..6).map(|index| work(SESSION, index, 40)).collect()];
	let delivery = Delivery { answers };
	assert_ok!(delivery.commit(&alice()));
	(delivery, SpotChecks::current_epoch())
}

/// What a report says of the receipt `ordinal`: the segment, its proof, the committed receipt, its proof.
fn report_committed(delivery: &Delivery, epoch: u32, ordinal: u32, signed: Receipt) -> DispatchResult {
	report_opening(epoch, delivery.opening(ordinal), signed, sign(Alice, &signed))
}

fn report_opening(epoch: u32, opening: Opening, signed: Receipt, signature: [u8; 64]) -> DispatchResult {
	let Opening { placed, segment_proof, receipt, receipt_proof } = opening;
	let (origin, place) = (RuntimeOrigin::signed(reporter()), u32::from(placed.start > 0));
	SpotChecks::report_committed(
		origin,
		alice(),
		epoch,
		place,
		placed,
		segment_proof,
		receipt,
		receipt_proof,
		signed,
		signature,
	)
}

#[test]
fn a_signed_receipt_that_differs_from_the_committed_one_is_a_slash() {
	build_and_execute(|| {
		let (delivery, epoch) = committed();
		let signed = Receipt { output_hash: H256::zero(), ..work(SESSION, 4, 40).receipt };
		told();
		assert_ok!(report_committed(&delivery, epoch, 2, signed));
		assert_eq!(told()[0], Told::Slashed(alice(), STAKE / 2 / 10));
		let event = Event::Equivocated { worker: alice(), session: SESSION, index: 4, reporter: reporter() };
		System::assert_has_event(event.into());
		assert_eq!(Balances::balance(&reporter()), STAKE + STAKE / 200);
	});
}

#[test]
fn another_answer_s_receipt_in_an_answer_s_place_is_a_slash() {
	build_and_execute(|| {
		bond_alice();
		// At the place of answer 4 stands the receipt of answer 5.
		let mut works: Vec<Work> = (3..6).map(|index| work(SESSION, index, 40)).collect();
		works[1] = work(SESSION, 5, 40);
		let delivery = Delivery::of(works);
		assert_ok!(delivery.commit(&alice()));
		let signed = work(SESSION, 4, 40).receipt;
		assert_ok!(report_committed(&delivery, SpotChecks::current_epoch(), 1, signed));
	});
}

#[test]
fn what_was_committed_as_signed_is_no_equivocation() {
	build_and_execute(|| {
		let (delivery, epoch) = committed();
		let honest = work(SESSION, 4, 40).receipt;
		let other = Receipt { output_hash: H256::zero(), ..honest };
		let refused = |result: DispatchResult, error: Error<Test>| assert_eq!(result, Err(error.into()));
		refused(report_committed(&delivery, epoch, 2, honest), Error::NoDifference);
		refused(report_committed(&delivery, epoch, 1, other), Error::ReceiptProofInvalid);
		refused(report_committed(&delivery, epoch + 1, 2, other), Error::UnknownBatch);
		let outside = Receipt { index: 6, ..other };
		refused(report_committed(&delivery, epoch, 2, outside), Error::NotCovered);
		let before = Receipt { index: 2, ..other };
		refused(report_committed(&delivery, epoch, 2, before), Error::NotCovered);
		let elsewhere = Receipt { session: SESSION + 1, index: 0, ..other };
		refused(report_committed(&delivery, epoch, 2, elsewhere), Error::NotCovered);
		let same_index = Receipt { session: SESSION + 1, ..other };
		refused(report_committed(&delivery, epoch, 2, same_index), Error::NotCovered);
		let unsigned = report_opening(epoch, delivery.opening(2), other, sign(Bob, &other));
		refused(unsigned, Error::SignatureInvalid);
		let with = |change: fn(&mut Opening)| {
			let mut opening = delivery.opening(2);
			change(&mut opening);
			report_opening(epoch, opening, other, sign(Alice, &other))
		};
		refused(with(|o| o.receipt.n_out += 1), Error::ReceiptProofInvalid);
		refused(with(|o| o.receipt_proof.clear()), Error::ReceiptProofInvalid);
		refused(with(|o| o.placed.segment.receipts_root = H256::zero()), Error::SegmentProofInvalid);
		refused(with(|o| o.placed.start = 0), Error::SegmentProofInvalid);
		refused(with(|o| o.segment_proof.force_push(H256::zero())), Error::SegmentProofInvalid);
		assert_ok!(report_committed(&delivery, epoch, 2, other));
		refused(report_committed(&delivery, epoch, 2, other), Error::WorkerRemoved);
	});
}

fn report_segment(
	delivery: &Delivery,
	epoch: u32,
	receipts: &[Receipt],
	key: Sr25519Keyring,
) -> DispatchResult {
	let Opening { placed, segment_proof, .. } = delivery.opening(2);
	report_segment_at(epoch, placed, segment_proof, receipts, key)
}

fn report_segment_at(
	epoch: u32,
	placed: PlacedSegment,
	proof: ProofNodes,
	receipts: &[Receipt],
	key: Sr25519Keyring,
) -> DispatchResult {
	let signed: Vec<_> = receipts.iter().map(|receipt| (*receipt, sign(key, receipt))).collect();
	let signed = SignedReceipts::try_from(signed).unwrap();
	let origin = RuntimeOrigin::signed(reporter());
	SpotChecks::report_segment(origin, alice(), epoch, 1, placed, proof, signed)
}

#[test]
fn receipts_that_do_not_give_the_segment_s_root_are_a_slash() {
	build_and_execute(|| {
		let (delivery, epoch) = committed();
		let honest: Vec<Receipt> = (3..6).map(|index| work(SESSION, index, 40).receipt).collect();
		let refused = |receipts: &[Receipt], error: Error<Test>| {
			assert_noop!(report_segment(&delivery, epoch, receipts, Alice), error);
		};
		refused(&honest, Error::NoDifference);
		let mut other = honest.clone();
		other[1].text_hash = H256::zero();
		refused(&other[..2], Error::ReceiptsMissing);
		refused(&other[1..], Error::ReceiptsMissing);
		refused(&[], Error::ReceiptsMissing);
		refused(&[other.clone(), vec![work(SESSION, 6, 40).receipt]].concat(), Error::ReceiptsMissing);
		refused(&[other[0], other[2], other[1]], Error::ReceiptsMissing);
		refused(
			&other.iter().map(|r| Receipt { session: 1, ..*r }).collect::<Vec<_>>(),
			Error::ReceiptsMissing,
		);
		let forged = report_segment(&delivery, epoch, &other, Bob);
		assert_noop!(forged, Error::<Test>::SignatureInvalid);
		let Opening { mut placed, segment_proof, .. } = delivery.opening(2);
		placed.segment.receipts_root = H256::zero();
		let forged = report_segment_at(epoch, placed, segment_proof, &honest, Alice);
		assert_noop!(forged, Error::<Test>::SegmentProofInvalid);
		told();
		assert_ok!(report_segment(&delivery, epoch, &other, Alice));
		assert_eq!(told()[0], Told::Slashed(alice(), STAKE / 2 / 10));
		refused(&other, Error::WorkerRemoved);
	});
}

#[test]
fn a_signed_receipt_that_differs_from_the_opened_one_is_a_slash() {
	build_and_execute(|| {
		bond_alice();
		let case = Case::draw_all(&alice(), Delivery::of(vec![work(SESSION, 4, 40)])).pop().unwrap();
		let opened = work(SESSION, 4, 40).receipt;
		let other = Receipt { request_hash: H256::zero(), ..opened };
		let report = |audit, signed: Receipt, key| {
			let origin = RuntimeOrigin::signed(reporter());
			SpotChecks::report_opened(origin, audit, signed, sign(key, &signed))
		};
		assert_noop!(report(case.audit, other, Alice), Error::<Test>::WrongStage);
		assert_ok!(case.open_receipt());
		assert_noop!(report(case.audit + 1, other, Alice), Error::<Test>::UnknownAudit);
		assert_noop!(report(case.audit, opened, Alice), Error::<Test>::NoDifference);
		assert_noop!(
			report(case.audit, Receipt { index: 5, ..other }, Alice),
			Error::<Test>::DifferentAnswers
		);
		assert_noop!(report(case.audit, other, Bob), Error::<Test>::SignatureInvalid);
		assert_ok!(report(case.audit, other, Alice));
		assert!(SpotChecks::worker_state(alice()).removed);
		assert_noop!(report(case.audit, other, Alice), Error::<Test>::WorkerRemoved);
	});
}
