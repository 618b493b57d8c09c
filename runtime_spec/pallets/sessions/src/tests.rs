use crate::{mock::*, Error, Event, HoldReason, Money, Session, Status, MAX_PENDING};
use frame_support::{
	assert_noop, assert_ok, assert_storage_noop,
	traits::fungible::{Inspect, InspectHold, MutateHold},
	traits::tokens::Precision,
};
use llmnet_primitives::{
	hashing::{session_seed, signed_message},
	Ledger, Segment, Voucher,
};
use sp_core::{Pair, H256};
use sp_runtime::{DispatchError, DispatchResult, TokenError};

/// Opens a session of requester 0 with worker 0 over 10,000 for 500 blocks, and waits for its seed.
pub fn opened() -> u64 {
	let id = crate::NextSession::<Test>::get();
	assert_ok!(open(0, 0, 10_000, 500));
	run_to(System::block_number() + 2 * ROUND);
	id
}

pub fn open(from: u8, to: u8, escrow: u128, blocks: u32) -> DispatchResult {
	Sessions::open(by(from), worker(to), spec_id(), 0, escrow, 100, 200, blocks)
}

fn by(n: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(requester(n))
}

fn of_worker(n: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(worker(n))
}

pub fn sign(signer: u8, session: u64, amount: u128, answers: u32) -> [u8; 64] {
	let genesis = System::block_hash(0);
	pair(signer).sign(&signed_message("voucher", &genesis, &Voucher { session, amount, answers })).0
}

pub fn claim(id: u64, amount: u128) -> DispatchResult {
	Sessions::claim(of_worker(1), id, amount, 1, sign(0, id, amount, 1))
}

pub fn commit(id: u64, amount: u128, epoch: u32) -> DispatchResult {
	let first = Sessions::session(id).map_or(0, |s| s.next_index);
	let segment = Segment { session: id, first, last: first, receipts_root: H256::zero(), amount };
	Sessions::record_segment(&worker(0), &segment, epoch)
}

fn money(who: &sp_runtime::AccountId32) -> (u128, u128) {
	let Money { escrow, uncleared } = Sessions::money(who.clone());
	(escrow, uncleared)
}

fn total(who: &sp_runtime::AccountId32) -> u128 {
	Balances::total_balance(who)
}

#[test]
fn open_holds_the_escrow_and_fixes_the_terms() {
	build_and_execute(|| {
		System::set_block_number(2);
		assert_ok!(open(0, 0, 1_000, 30));
		let (requester, worker) = (requester(0), worker(0));
		let event = Event::SessionOpened {
			session: 0,
			requester: requester.clone(),
			worker: worker.clone(),
			spec_id: spec_id(),
			escrow: 1_000,
		};
		System::assert_last_event(event.into());
		assert_eq!(money(&requester), (1_000, 0));
		assert_eq!(Sessions::sessions_of(requester.clone()), vec![0]);
		let expected = Session {
			requester,
			worker,
			spec_id: spec_id(),
			domain: 0,
			price_in: 100,
			price_out: 200,
			escrow: 1_000,
			committed: 0,
			claimed: 0,
			answers: 0,
			next_index: 0,
			seed_round: 1,
			seed: None,
			status: Status::Open,
			opened_at: 2,
			expires_at: 32,
			rated: false,
		};
		assert_eq!(Sessions::session(0), Some(expected));
	});
}

#[test]
fn open_refuses_what_cannot_be_kept() {
	build_and_execute(|| {
		let try_open = |spec, domain, escrow, max_in, max_out, blocks| {
			Sessions::open(by(0), worker(0), spec, domain, escrow, max_in, max_out, blocks)
		};
		let s = spec_id();
		assert_noop!(try_open(H256::zero(), 0, 100, 100, 200, 9), Error::<Test>::NoOffer);
		assert_noop!(try_open(s, 1, 100, 100, 200, 9), Error::<Test>::DomainNotOffered);
		assert_noop!(try_open(s, 0, 100, 99, 200, 9), Error::<Test>::PriceTooHigh);
		assert_noop!(try_open(s, 0, 100, 100, 199, 9), Error::<Test>::PriceTooHigh);
		assert_noop!(try_open(s, 0, 99, 100, 200, 9), Error::<Test>::EscrowTooLow);
		assert_noop!(try_open(s, 0, 100, 100, 200, 4), Error::<Test>::BadDuration);
		assert_noop!(try_open(s, 0, 100, 100, 200, 1_001), Error::<Test>::BadDuration);
		assert_noop!(open(0, 9, 100, 9), Error::<Test>::SelfDealing);
		let own = Sessions::open(by(0), requester(0), s, 0, 100, 100, 200, 9);
		assert_noop!(own, Error::<Test>::SelfDealing);
		let root = Sessions::open(RuntimeOrigin::root(), worker(0), s, 0, 100, 100, 200, 9);
		assert_noop!(root, DispatchError::BadOrigin);
		for _ in 0..4 {
			assert_ok!(open(0, 0, 100, 9));
		}
		// Within a call the storage layer undoes the hold; `assert_noop` sees that it does.
		assert_noop!(
			frame_support::storage::with_storage_layer(|| open(0, 0, 100, 9)),
			Error::<Test>::TooManySessions
		);
	});
}

#[test]
fn the_requester_keeps_the_existential_deposit() {
	build_and_execute(|| {
		assert_noop!(open(0, 0, ENDOWMENT, 9), TokenError::FundsUnavailable);
		assert_noop!(open(0, 0, ENDOWMENT - ED + 1, 9), TokenError::FundsUnavailable);
		assert_ok!(open(0, 0, ENDOWMENT - ED, 9));
		assert_eq!(Balances::balance(&requester(0)), ED);
	});
}

#[test]
fn the_seed_comes_from_the_round_after_opening() {
	build_and_execute(|| {
		System::set_block_number(2);
		assert_ok!(open(0, 0, 1_000, 30));
		run_to(2 * ROUND - 1);
		assert_eq!(Sessions::seed(0), None);
		assert_eq!(Sessions::facts(0).expect("session").seed, None);
		run_to(2 * ROUND);
		// The value is there in this block; it is stored at its end.
		let seed = session_seed(&H256::repeat_byte(1), 0);
		assert_eq!(Sessions::session(0).expect("session").seed, None);
		assert_eq!(Sessions::seed(0), Some(seed));
		run_to(2 * ROUND + 1);
		System::assert_has_event(Event::Seeded { session: 0, seed }.into());
		Beacon::forget_before(9);
		assert_eq!(Sessions::seed(0), Some(seed));
		assert_eq!(Sessions::facts(0).expect("session").seed, Some(seed));
	});
}

#[test]
fn a_session_whose_beacon_value_is_lost_has_no_answers_and_is_refunded() {
	build_and_execute(|| {
		assert_ok!(open(0, 0, 1_000, 100));
		while System::block_number() < 50 {
			next_block_with(0);
		}
		Beacon::forget_before(5);
		run_to(60);
		assert_eq!(Sessions::seed(0), None);
		assert_noop!(commit(0, 10, 6), Error::<Test>::NoSeed);
		run_to(102);
		assert_eq!(money(&requester(0)), (0, 0));
	});
}

#[test]
fn top_up_adds_escrow() {
	build_and_execute(|| {
		let id = opened();
		assert_ok!(Sessions::top_up(by(0), id, 500));
		System::assert_last_event(Event::ToppedUp { session: id, amount: 500 }.into());
		assert_eq!(money(&requester(0)), (10_500, 0));
		assert_noop!(Sessions::top_up(by(1), id, 500), Error::<Test>::NotRequester);
		assert_noop!(Sessions::top_up(by(0), 99, 500), Error::<Test>::UnknownSession);
		assert_noop!(Sessions::top_up(by(0), id, 0), Error::<Test>::EscrowTooLow);
		assert_noop!(Sessions::top_up(by(0), id, u128::MAX), Error::<Test>::Overflow);
		assert_noop!(Sessions::top_up(by(0), id, ENDOWMENT), TokenError::FundsUnavailable);
		assert_ok!(Sessions::close(by(0), id));
		assert_noop!(Sessions::top_up(by(0), id, 500), Error::<Test>::NotOpen);
	});
}

#[test]
fn a_claim_pays_the_committed_part_of_a_voucher_once() {
	build_and_execute(|| {
		let id = opened();
		// Nothing is committed: no pay.
		assert_noop!(claim(id, 1_000), Error::<Test>::NothingToClaim);
		assert_ok!(commit(id, 600, 1));
		assert_ok!(claim(id, 1_000));
		let event = Event::Claimed { session: id, worker: worker(0), amount: 600, fee: 12 };
		System::assert_last_event(event.into());
		assert_eq!(money(&requester(0)), (9_400, 0));
		assert_eq!(money(&worker(0)), (0, 588));
		assert_eq!(Sessions::pot(), ED + 12);
		// The same voucher again pays nothing, until more is committed.
		assert_noop!(claim(id, 1_000), Error::<Test>::NothingToClaim);
		assert_noop!(claim(id, 500), Error::<Test>::NothingToClaim);
		assert_ok!(commit(id, 600, 2));
		assert_ok!(claim(id, 1_000));
		assert_eq!(Sessions::session(id).expect("session").claimed, 1_000);
		assert_eq!(Sessions::uncleared(worker(0)).iter().map(|e| e.amount).collect::<Vec<_>>(), [588, 392]);
		assert_eq!(Sessions::session(id).expect("session").answers, 1);
		// What is claimed leaves no trace among the unclaimed.
		assert_eq!(crate::Unclaimed::<Test>::get(id).iter().map(|t| t.amount).collect::<Vec<_>>(), [200]);
		assert_ok!(claim(id, 1_200));
		assert!(!crate::Unclaimed::<Test>::contains_key(id));
	});
}

#[test]
fn a_claim_pays_no_more_than_the_escrow() {
	build_and_execute(|| {
		let id = opened();
		assert_ok!(commit(id, 50_000, 1));
		assert_ok!(claim(id, 50_000));
		assert_eq!(Sessions::session(id).expect("session").claimed, 10_000);
		assert_eq!(money(&requester(0)), (0, 0));
		assert_eq!(money(&worker(0)), (0, 9_800));
		assert_noop!(claim(id, 50_000), Error::<Test>::NothingToClaim);
		assert_ok!(Sessions::top_up(by(0), id, 100));
		assert_ok!(claim(id, 50_000));
		assert_eq!(money(&worker(0)), (0, 9_898));
	});
}

#[test]
fn a_voucher_counts_only_with_its_requesters_signature_over_it() {
	build_and_execute(|| {
		let id = opened();
		assert_ok!(open(0, 0, 1_000, 100));
		assert_ok!(commit(id, 600, 1));
		let bad = |signature| Sessions::claim(of_worker(0), id, 600, 1, signature);
		assert_noop!(bad([0; 64]), Error::<Test>::BadSignature);
		assert_noop!(bad(sign(1, id, 600, 1)), Error::<Test>::BadSignature);
		assert_noop!(bad(sign(0, id + 1, 600, 1)), Error::<Test>::BadSignature);
		assert_noop!(bad(sign(0, id, 599, 1)), Error::<Test>::BadSignature);
		assert_noop!(bad(sign(0, id, 600, 2)), Error::<Test>::BadSignature);
		let mut bent = sign(0, id, 600, 1);
		bent[5] ^= 1;
		assert_noop!(bad(bent), Error::<Test>::BadSignature);
		let voucher = Voucher { session: id, amount: 600, answers: 1 };
		let elsewhere = pair(0).sign(&signed_message("voucher", &H256::zero(), &voucher)).0;
		assert_noop!(bad(elsewhere), Error::<Test>::BadSignature);
		assert_ok!(bad(sign(0, id, 600, 1)));
		assert_noop!(Sessions::claim(of_worker(0), 99, 1, 1, [0; 64]), Error::<Test>::UnknownSession);
		let root = Sessions::claim(RuntimeOrigin::root(), id, 600, 1, sign(0, id, 600, 1));
		assert_noop!(root, DispatchError::BadOrigin);
	});
}

#[test]
fn earnings_are_free_when_their_epoch_is_settled() {
	build_and_execute(|| {
		let id = opened();
		assert_ok!(commit(id, 1_000, 1));
		assert_ok!(claim(id, 400));
		assert_ok!(commit(id, 1_000, 2));
		assert_ok!(claim(id, 1_200));
		assert_eq!(money(&worker(0)), (0, 392 + 588 + 196));
		Sessions::settle(&worker(0), 1);
		System::assert_last_event(Event::Cleared { worker: worker(0), epoch: 1, amount: 980 }.into());
		assert_eq!(money(&worker(0)), (0, 196));
		// What is claimed of a settled epoch is free at once.
		assert_ok!(commit(id, 1_000, 3));
		Sessions::settle(&worker(0), 2);
		assert_ok!(claim(id, 2_000));
		assert_eq!(money(&worker(0)), (0, 0));
		assert_eq!(total(&worker(0)), ENDOWMENT + 1_960);
		// A second settlement, or one of an unknown epoch or worker, does nothing.
		assert_storage_noop!(Sessions::settle(&worker(0), 2));
		assert_storage_noop!(Sessions::settle(&worker(0), 77));
		assert_storage_noop!(Sessions::settle(&worker(1), 3));
	});
}

#[test]
fn segments_follow_each_other() {
	build_and_execute(|| {
		let id = opened();
		let segment =
			|session, first, last| Segment { session, first, last, receipts_root: H256::zero(), amount: 1 };
		let record = |n: u8, s: Segment| Sessions::record_segment(&worker(n), &s, 1);
		assert_noop!(record(0, segment(99, 0, 0)), Error::<Test>::UnknownSession);
		assert_noop!(record(1, segment(id, 0, 0)), Error::<Test>::NotWorker);
		assert_noop!(record(0, segment(id, 1, 1)), Error::<Test>::BadSegment);
		assert_ok!(record(0, segment(id, 0, 4)));
		assert_noop!(record(0, segment(id, 4, 5)), Error::<Test>::BadSegment);
		assert_noop!(record(0, segment(id, 5, 4)), Error::<Test>::BadSegment);
		assert_noop!(record(0, segment(id, 5, u32::MAX)), Error::<Test>::Overflow);
		assert_ok!(record(0, segment(id, 5, 5)));
		assert_eq!(Sessions::session(id).expect("session").next_index, 6);
		assert_ok!(Sessions::close(of_worker(0), id));
		assert_noop!(record(0, segment(id, 6, 6)), Error::<Test>::SessionEnded);
	});
}

#[test]
fn an_answer_before_the_seed_is_refused() {
	build_and_execute(|| {
		assert_ok!(open(0, 0, 1_000, 100));
		assert_noop!(commit(0, 10, 0), Error::<Test>::NoSeed);
	});
}

#[test]
fn a_worker_waits_for_a_bounded_number_of_epochs() {
	build_and_execute(|| {
		let id = opened();
		for epoch in 0..MAX_PENDING {
			assert_ok!(commit(id, 1, epoch));
		}
		assert_noop!(commit(id, 1, MAX_PENDING), Error::<Test>::TooManyPendingEpochs);
		// Settled tranches are joined, so a session that is never claimed stays small.
		for epoch in MAX_PENDING..100 {
			Sessions::settle(&worker(0), epoch - MAX_PENDING);
			assert_ok!(commit(id, 1, epoch));
		}
		assert_eq!(crate::Unclaimed::<Test>::get(id).len() as u32, 1 + MAX_PENDING);
		// Settled in the worst order: every other one.
		for epoch in (69..100).step_by(2) {
			Sessions::settle(&worker(0), epoch);
		}
		assert_ok!(commit(id, 1, 100));
		assert_ok!(claim(id, 101));
	});
}

#[test]
fn a_requester_closes_with_a_window_for_the_worker() {
	build_and_execute(|| {
		let id = opened();
		let now = System::block_number();
		assert_ok!(commit(id, 600, 1));
		assert_ok!(Sessions::close(by(0), id));
		System::assert_last_event(Event::Closing { session: id, until: now + 20 }.into());
		assert_noop!(Sessions::close(by(0), id), Error::<Test>::AlreadyClosing);
		run_to(now + 19);
		assert_ok!(commit(id, 100, 2));
		assert_ok!(claim(id, 650));
		run_to(now + 20);
		// The last block: nothing moves any more, then the rest is refunded.
		assert_noop!(claim(id, 700), Error::<Test>::SessionEnded);
		assert_noop!(Sessions::close(of_worker(0), id), Error::<Test>::SessionEnded);
		run_to(now + 21);
		System::assert_last_event(Event::Closed { session: id, paid: 650, refunded: 9_350 }.into());
		assert_eq!(money(&requester(0)), (0, 0));
		assert_eq!(total(&requester(0)), ENDOWMENT - 650);
		assert_eq!(Sessions::sessions_of(requester(0)), Vec::<u64>::new());
		assert_eq!(Sessions::session(id).expect("kept").status, Status::Closed { at: now + 20 });
	});
}

#[test]
fn the_window_does_not_reach_beyond_the_expiry() {
	build_and_execute(|| {
		assert_ok!(open(0, 0, 1_000, 10));
		run_to(5);
		assert_ok!(Sessions::close(by(0), 0));
		System::assert_last_event(Event::Closing { session: 0, until: 11 }.into());
	});
}

#[test]
fn a_worker_closes_at_once() {
	build_and_execute(|| {
		let id = opened();
		assert_noop!(Sessions::close(by(1), id), Error::<Test>::NotParty);
		assert_noop!(Sessions::close(by(0), 99), Error::<Test>::UnknownSession);
		assert_ok!(Sessions::close(of_worker(0), id));
		System::assert_last_event(Event::Closed { session: id, paid: 0, refunded: 10_000 }.into());
		assert_noop!(Sessions::close(of_worker(0), id), Error::<Test>::SessionEnded);
		// One that is closed before it has a seed no longer waits for it.
		assert_ok!(open(0, 0, 1_000, 100));
		assert_ok!(Sessions::close(of_worker(0), id + 1));
		assert_eq!(crate::AwaitingSeed::<Test>::iter().count(), 0);
	});
}

#[test]
fn two_transactions_are_enough() {
	build_and_execute(|| {
		let id = opened();
		assert_ok!(commit(id, 600, 1));
		let voucher = |n| Sessions::close_with_voucher(n, id, 600, 3, sign(0, id, 600, 3));
		assert_noop!(voucher(by(0)), Error::<Test>::NotWorker);
		let forged = Sessions::close_with_voucher(of_worker(0), id, 601, 3, sign(0, id, 600, 3));
		assert_noop!(forged, Error::<Test>::BadSignature);
		assert_ok!(voucher(of_worker(0)));
		System::assert_last_event(Event::Closed { session: id, paid: 600, refunded: 9_400 }.into());
		assert_eq!(money(&worker(0)), (0, 588));
		assert_eq!(Sessions::session(id).expect("kept").answers, 3);
		Sessions::settle(&worker(0), 1);
		assert_eq!(Balances::balance(&worker(0)), ENDOWMENT + 588);
	});
}

#[test]
fn a_session_expires_and_is_removed_by_itself() {
	build_and_execute(|| {
		assert_ok!(open(0, 0, 1_000, 30));
		run_to(31);
		assert_noop!(claim(0, 1), Error::<Test>::SessionEnded);
		assert_noop!(Sessions::top_up(by(0), 0, 1), Error::<Test>::NotOpen);
		run_to(32);
		System::assert_last_event(Event::Expired { session: 0, paid: 0, refunded: 1_000 }.into());
		assert_eq!(total(&requester(0)), ENDOWMENT);
		assert_eq!(Balances::balance(&requester(0)), ENDOWMENT);
		run_to(31 + 50);
		assert!(Sessions::session(0).is_some());
		run_to(31 + 51);
		assert!(Sessions::session(0).is_none());
		assert_eq!(crate::Agenda::<Test>::iter().count(), 0);
	});
}

#[test]
fn work_that_does_not_fit_waits_for_the_next_block() {
	build_and_execute(|| {
		for _ in 0..4 {
			assert_ok!(open(0, 0, 100, 5));
		}
		run_to(6);
		// The base costs 10, each step 1: one for the round that has ended, two for refunds.
		next_block_with(13);
		assert_eq!(Sessions::sessions_of(requester(0)).len(), 2);
		next_block_with(9);
		assert_eq!(Sessions::sessions_of(requester(0)).len(), 2);
		// Overdue, but not worked off yet: nothing moves.
		assert_noop!(claim(Sessions::sessions_of(requester(0))[0], 1), Error::<Test>::SessionEnded);
		Sessions::do_try_state().expect("invariants hold");
		next_block_with(u64::MAX);
		assert_eq!(Sessions::sessions_of(requester(0)).len(), 0);
	});
}

#[test]
fn a_slashed_worker_loses_what_is_not_cleared_and_cannot_claim() {
	build_and_execute(|| {
		let id = opened();
		assert_ok!(commit(id, 1_000, 1));
		assert_ok!(claim(id, 500));
		assert_eq!(Sessions::forfeit(&worker(0)), 490);
		System::assert_last_event(Event::Forfeited { worker: worker(0), amount: 490 }.into());
		assert_eq!(total(&Treasury::get()), ENDOWMENT + 490);
		assert_eq!(total(&worker(0)), ENDOWMENT);
		assert_noop!(claim(id, 1_000), Error::<Test>::WorkerBarred);
		assert_noop!(commit(id, 10, 2), Error::<Test>::WorkerBarred);
		assert_noop!(open(0, 0, 1_000, 100), Error::<Test>::WorkerBarred);
		Sessions::settle(&worker(0), 1);
		assert_eq!(Sessions::forfeit(&worker(0)), 0);
		// Its requester need not wait.
		assert_ok!(Sessions::close(by(0), id));
		System::assert_last_event(Event::Closed { session: id, paid: 500, refunded: 9_500 }.into());
	});
}

#[test]
fn a_readmitted_worker_earns_again_and_gets_back_what_the_treasury_can_spare() {
	build_and_execute(|| {
		let id = opened();
		assert_ok!(commit(id, 1_000, 1));
		assert_ok!(claim(id, 500));
		assert_eq!(Sessions::forfeit(&worker(0)), 490);
		assert_eq!(Sessions::readmit(&worker(0), 490), 490);
		System::assert_last_event(Event::Returned { worker: worker(0), amount: 490 }.into());
		assert_eq!(total(&Treasury::get()), ENDOWMENT);
		assert_ok!(commit(id, 10, 2));
		assert_ok!(claim(id, 1_000));
		assert_eq!(Sessions::readmit(&worker(0), 0), 0);
		let all = total(&Treasury::get());
		assert!(Sessions::readmit(&worker(0), all + 5) < all, "the treasury goes on existing");
	});
}

#[test]
fn the_pot_pays_validators_as_far_as_it_reaches() {
	build_and_execute(|| {
		assert_eq!(Sessions::pay_from_pot(&worker(1), 5), 0);
		let id = opened();
		assert_ok!(commit(id, 1_000, 1));
		assert_ok!(claim(id, 1_000));
		assert_eq!(Sessions::pot(), ED + 20);
		// Too little for a new account to exist.
		assert_eq!(Sessions::pay_from_pot(&validator(), ED - 1), 0);
		assert_eq!(Sessions::pay_from_pot(&validator(), 12), 12);
		System::assert_last_event(Event::PaidFromPot { validator: validator(), amount: 12 }.into());
		assert_eq!(Sessions::pay_from_pot(&validator(), 12), 8);
		assert_eq!(Sessions::pay_from_pot(&validator(), 12), 0);
		assert_eq!(Sessions::pot(), ED);
	});
}

#[test]
fn a_payer_rates_a_settled_session_once() {
	build_and_execute(|| {
		let id = opened();
		assert_ok!(commit(id, 600, 1));
		assert_ok!(claim(id, 600));
		assert_noop!(Sessions::rate(by(0), id, 4), Error::<Test>::NotSettled);
		assert_ok!(Sessions::close(of_worker(0), id));
		assert_noop!(Sessions::rate(by(0), id, 6), Error::<Test>::BadStars);
		assert_noop!(Sessions::rate(by(1), id, 4), Error::<Test>::NotRequester);
		assert_noop!(Sessions::rate(of_worker(0), id, 5), Error::<Test>::NotRequester);
		assert_noop!(Sessions::rate(by(0), 99, 4), Error::<Test>::UnknownSession);
		assert_ok!(Sessions::rate(by(0), id, 4));
		System::assert_last_event(Event::Rated { session: id, stars: 4 }.into());
		assert_noop!(Sessions::rate(by(0), id, 4), Error::<Test>::AlreadyRated);
		assert_eq!(Ratings::all(), vec![(worker(0), 600, 4)]);
		// Who paid nothing has nothing to say.
		assert_ok!(open(0, 0, 1_000, 100));
		assert_ok!(Sessions::close(of_worker(0), id + 1));
		assert_noop!(Sessions::rate(by(0), id + 1, 0), Error::<Test>::NothingPaid);
	});
}

#[test]
fn facts_outlive_the_closing() {
	build_and_execute(|| {
		let id = opened();
		assert_ok!(Sessions::close(of_worker(0), id));
		let facts = Sessions::facts(id).expect("kept");
		assert_eq!((facts.requester, facts.worker), (requester(0), worker(0)));
		assert_eq!((facts.price_in, facts.price_out, facts.domain), (100, 200, 0));
		assert!(facts.seed.is_some());
		assert_eq!(Sessions::facts(99), None);
	});
}

#[test]
fn try_state_sees_money_that_is_not_on_hold() {
	build_and_execute(|| {
		let id = opened();
		let escrow = HoldReason::Escrow.into();
		assert_ok!(Balances::release(&escrow, &requester(0), 1, Precision::Exact));
		assert_eq!(Sessions::do_try_state(), Err("escrows and holds differ".into()));
		assert_ok!(Balances::hold(&escrow, &requester(0), 1));
		let uncleared = HoldReason::Uncleared.into();
		assert_ok!(Balances::hold(&uncleared, &worker(1), 1));
		assert_eq!(Sessions::do_try_state(), Err("uncleared earnings and holds differ".into()));
		assert_ok!(Balances::release(&uncleared, &worker(1), 1, Precision::Exact));
		crate::Agenda::<Test>::remove(501, id);
		assert_eq!(Sessions::do_try_state(), Err("a session is not on the agenda".into()));
		crate::Agenda::<Test>::insert(501, id, ());
		assert_eq!(Balances::balance_on_hold(&escrow, &requester(0)), 10_000);
	});
}
