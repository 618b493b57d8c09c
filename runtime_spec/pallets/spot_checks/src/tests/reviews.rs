//! Appeals, and what is taken back with a verdict.
use super::workshop::*;
use crate::{mock::*, Error, Event, HoldReason, Record, Records, Reviews, Stage, WorkerState};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::DispatchResult,
	traits::fungible::{Inspect, InspectHold},
};
use llmnet_primitives::{
	sampling::Sampler,
	scoring::{Evidence, Reason},
	Leaf, Leaves, Role, Verdict,
};
use sp_runtime::AccountId32;

/// The price of an answer of 40 tokens.
const PRICE: u128 = 50;
const FINE: u128 = 20 * PRICE;

/// Validators enough for a first panel and five others.
pub(super) fn with_many_validators(test: impl FnOnce()) {
	build_and_execute(|| {
		(13..18).for_each(|n| bond(&account(n), Role::Validator));
		test();
	});
}

pub(super) fn held(who: &AccountId32) -> u128 {
	Balances::balance_on_hold(&HoldReason::Review.into(), who)
}

pub(super) fn appeal(case: &Case) -> DispatchResult {
	SpotChecks::appeal(RuntimeOrigin::signed(case.worker.clone()), case.audit)
}

/// References with which the panel fails a good answer.
pub(super) fn framing(case: &Case) -> Vec<Leaves> {
	let mut leaves = case.reference();
	leaves.iter_mut().for_each(|leaf| leaf.logit_sketch.iter_mut().for_each(|lane| *lane += 20));
	vec![leaves; case.panel().len()]
}

/// A good answer that its panel has failed.
pub(super) fn framed(index: u32) -> Case {
	let case = Case::draw(work(1, index, 40));
	case.decide_with(&framing(&case));
	assert_eq!(case.outcome().verdict, Verdict::Failed);
	case
}

pub(super) fn far(leaf: &mut Leaf, _: &Sampler) {
	leaf.logit_sketch.iter_mut().for_each(|lane| *lane += 20);
}

#[test]
fn an_appeal_overturns_what_a_larger_panel_does_not_find() {
	with_many_validators(|| {
		let case = framed(0);
		let (first, stake) = (case.panel(), Balances::balance(&worker()));
		assert_ok!(appeal(&case));
		assert_eq!(held(&worker()), FINE);
		let review = case.review_by(&worker());
		assert_eq!(review.panel().len(), 5);
		assert!(review.panel().iter().all(|who| !first.contains(who)), "others");
		assert_eq!(review.positions(), case.positions(), "the same positions");
		told();
		assert_eq!(review.decide().verdict, Verdict::Passed);
		let told = told();
		for who in &first {
			assert!(told.contains(&Told::Fined(who.clone(), FINE)), "who framed it is fined");
			let rejected = Event::ReferenceRejected { audit: case.audit, validator: who.clone() };
			System::assert_has_event(rejected.into());
		}
		assert!(told.contains(&Told::Restored(worker(), FINE - PRICE)));
		assert!(told.contains(&Told::Judged(worker(), 3, PRICE, true)));
		assert_eq!(Balances::balance(&worker()), stake + FINE - PRICE, "the payer keeps the price");
		assert_eq!(held(&worker()), 0);
		let outcome = case.outcome();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Passed, Reason::Overturned));
		assert_eq!((outcome.evidence, outcome.total), (Evidence::default(), Evidence::default()));
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.failed, state.probation, state.evidence), (0, 0, Evidence::default()));
		let (audit, reason, restored) = (case.audit, Reason::Overturned, FINE - PRICE);
		System::assert_has_event(Event::Overturned { audit, worker: worker(), reason, restored }.into());
		let ended = Event::ReviewEnded { audit: review.audit, of: audit, forfeited: false };
		System::assert_has_event(ended.into());
		assert_noop!(appeal(&case), Error::<Test>::NotReviewable);
	});
}

#[test]
fn an_appeal_that_is_lost_costs_its_bond_and_changes_nothing() {
	with_many_validators(|| {
		let case = Case::draw(work_with(1, 0, 40, 0, far));
		case.decide();
		let (state, pot_before) = (SpotChecks::worker_state(worker()), Balances::balance(&pot()));
		assert_ok!(appeal(&case));
		let review = case.review_by(&worker());
		told();
		assert_eq!(review.decide().verdict, Verdict::Failed);
		assert_eq!(SpotChecks::worker_state(worker()), state, "evidence counts once");
		assert!(!told().iter().any(|told| matches!(told, Told::Fined(..) | Told::Judged(..))));
		assert_eq!(Balances::balance(&worker()), STAKE - FINE - FINE);
		assert_eq!(Balances::balance(&pot()), pot_before + FINE - 5 * PANEL_REWARD);
		assert_eq!(case.outcome().verdict, Verdict::Failed);
		assert_noop!(appeal(&case), Error::<Test>::AlreadyReviewed);
		assert_noop!(appeal(&review), Error::<Test>::NotReviewable);
	});
}

#[test]
fn an_appeal_needs_three_that_agree() {
	with_many_validators(|| {
		let case = framed(0);
		assert_ok!(appeal(&case));
		let review = case.review_by(&worker());
		let good = review.reference();
		let bad = framing(&review)[0].clone();
		let odd = {
			let mut leaves = good.clone();
			leaves[0].hidden_sketch[0] += 90;
			leaves
		};
		told();
		review.decide_with(&[good.clone(), good, bad.clone(), bad, odd]);
		let outcome = review.outcome();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Abstained, Reason::NoQuorum));
		assert!(told().iter().filter(|told| matches!(told, Told::Fined(..))).count() >= 2);
		assert_eq!((held(&worker()), Balances::balance(&worker())), (0, STAKE - FINE), "the bond is back");
		assert_eq!(case.outcome().verdict, Verdict::Failed, "and the verdict stands");
	});
}

#[test]
fn a_slash_is_taken_back_with_the_verdict_that_led_to_it() {
	with_many_validators(|| {
		framed(0);
		let case = framed(1);
		assert!(SpotChecks::worker_state(worker()).removed);
		let slashed = System::read_events_for_pallet::<Event<Test>>();
		let taken = slashed.iter().find_map(|event| match event {
			Event::WorkerSlashed { amount, .. } => Some(*amount),
			_ => None,
		});
		let (taken, share) = (taken.unwrap(), taken.unwrap() / 10 / 3);
		assert_ok!(appeal(&case));
		let review = case.review_by(&worker());
		assert_eq!(SpotChecks::due_of_worker(worker()).len(), 0);
		told();
		review.to_leaves(&vec![review.reference(); 5]);
		assert_eq!(
			SpotChecks::assignments(review.panel()[0].clone()).len(),
			1,
			"a removed worker's appeal counts"
		);
		review.panel().iter().for_each(|who| {
			assert_ok!(review.reveal(who, &review.reference()));
		});
		let told = told();
		let restored = taken - 3 * share;
		let back = Event::SlashTakenBack { worker: worker(), restored, returned: PRICE };
		System::assert_has_event(back.into());
		for expected in [
			Told::Reinstated(worker()),
			Told::Restored(worker(), restored),
			Told::Readmitted(worker(), PRICE),
			Told::Forgiven(worker()),
		] {
			assert!(told.contains(&expected), "{expected:?}");
		}
		for who in case.panel() {
			assert!(told.contains(&Told::Fined(who, FINE + share)), "and gives its share of the slash back");
		}
		let fines = 2 * FINE - (FINE - PRICE);
		let kept = Balances::balance(&worker()) + 2 * PRICE - (STAKE - fines + PRICE);
		assert!(kept <= 2 * PRICE + 3, "nobody else keeps anything of the slash: {kept}");
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.removed, state.failed, state.evidence.position), (false, 1, 3072));
	});
}

#[test]
fn who_was_outvoted_by_liars_gets_its_fine_back() {
	with_many_validators(|| {
		let case = Case::draw(work(1, 0, 40));
		let lies = framing(&case);
		let (honest, panel) = (case.reference(), case.panel());
		case.decide_with(&[honest, lies[1].clone(), lies[2].clone()]);
		assert_eq!(case.outcome().verdict, Verdict::Failed);
		assert!(told().contains(&Told::Fined(panel[0].clone(), FINE)));
		assert_ok!(appeal(&case));
		assert_eq!(case.review_by(&worker()).decide().verdict, Verdict::Passed);
		let told = told();
		assert!(told.contains(&Told::Restored(panel[0].clone(), FINE)));
		assert!(!told.contains(&Told::Fined(panel[0].clone(), FINE)));
		assert!(panel[1..].iter().all(|who| told.contains(&Told::Fined(who.clone(), FINE))));
	});
}

#[test]
fn overturning_one_of_two_failures_leaves_the_other() {
	with_many_validators(|| {
		let contradictory = |leaf: &mut Leaf, _: &_| leaf.token = leaf.candidates[1].id;
		let works = vec![work(1, 0, 40), work_with(1, 1, 4, 0, contradictory)];
		let cases = Case::draw_all(&worker(), Delivery::of(works));
		cases[0].decide_with(&framing(&cases[0]));
		assert_ok!(appeal(&cases[0]));
		// Meanwhile the other one fails, and both together are a slash.
		cases[1].decide();
		assert!(SpotChecks::worker_state(worker()).removed);
		cases[0].review_by(&worker()).decide();
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.removed, state.failed, state.probation, state.clean), (false, 1, 20, 0));
		assert_eq!(state.evidence.position, 3072);
	});
}

#[test]
fn a_slash_that_other_answers_carry_stands() {
	with_many_validators(|| {
		let works = vec![work(1, 0, 40), work_with(1, 1, 40, 0, far), work_with(1, 2, 40, 0, far)];
		let cases = Case::draw_all(&worker(), Delivery::of(works));
		assert_ok!(cases[0].open_receipt());
		cases[0].panel().iter().for_each(|who| {
			assert_ok!(cases[0].report(who));
		});
		assert_ok!(appeal(&cases[0]));
		cases[1..].iter().for_each(|case| {
			case.decide();
		});
		assert_eq!(SpotChecks::worker_state(worker()).evidence.position, 1536 + 2 * 3072);
		told();
		assert_eq!(cases[0].review_by(&worker()).decide().verdict, Verdict::Passed);
		assert_eq!(cases[0].outcome().reason, Reason::Overturned);
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.removed, state.evidence.position), (true, 2 * 3072));
		assert!(!told().contains(&Told::Reinstated(worker())));
	});
}

#[test]
fn a_review_begins_where_the_receipt_is_open() {
	with_many_validators(|| {
		let case = framed(0);
		assert_ok!(appeal(&case));
		let review = case.review_by(&worker());
		let (audit, of, panel) = (review.audit, case.audit, review.panel());
		let begun = Event::ReviewBegun { audit, of, panel };
		let (positions, deadline) = (case.positions(), System::block_number() - 1 + REFERENCE);
		let opened = Event::ReceiptOpened { audit, session: 1, index: 0, positions, deadline };
		assert!(events().ends_with(&[begun, opened]));
		assert_eq!((review.stage(), review.stored().deadline), (Stage::ReceiptOpened, deadline));
	});
}

#[test]
fn three_others_are_a_panel() {
	build_and_execute(|| {
		(13..16).for_each(|n| bond(&account(n), Role::Validator));
		let case = framed(0);
		assert_ok!(appeal(&case));
		assert_eq!(case.review_by(&worker()).panel().len(), 3);
	});
}

#[test]
fn the_bond_pays_the_panel_however_cheap_the_answer() {
	with_many_validators(|| {
		world(|w| {
			let facts = w.sessions.get_mut(&1).unwrap();
			(facts.price_in, facts.price_out) = (0, 0);
		});
		assert_ok!(appeal(&framed(0)));
		assert_eq!(held(&worker()), 5 * PANEL_REWARD);
	});
}

#[test]
fn what_reviews_need_is_remembered() {
	build_and_execute(|| {
		let record = |case: &Case| Records::<Test>::get(case.audit).unwrap();
		let passed = Case::draw(work(1, 0, 40));
		passed.decide();
		let nothing = Record {
			accepted: validators().try_into().unwrap(),
			to_treasury: 0,
			prior: WorkerState::default(),
			rejected: Default::default(),
			bounty: 0,
		};
		assert_eq!(record(&passed), nothing);
		let prior = SpotChecks::worker_state(worker());
		let failed = framed(1);
		assert_eq!(record(&failed), Record { to_treasury: FINE - PRICE, prior, ..nothing });
	});
}

#[test]
fn only_doubtful_failures_are_appealed_and_in_time() {
	with_many_validators(|| {
		let passed = Case::draw(work(1, 0, 40));
		assert_noop!(appeal(&passed), Error::<Test>::WrongStage);
		passed.decide();
		assert_noop!(appeal(&passed), Error::<Test>::NotReviewable);
		let missed = Case::draw(work(1, 1, 40));
		run_to(missed.stored().deadline + 1);
		assert_noop!(appeal(&missed), Error::<Test>::NotReviewable);
		let contradictory = Case::draw(work_with(2, 0, 16, 0, |leaf, _| leaf.token = leaf.candidates[1].id));
		contradictory.decide();
		assert_noop!(appeal(&contradictory), Error::<Test>::NotReviewable);
		let stranger = SpotChecks::appeal(RuntimeOrigin::signed(account(2)), contradictory.audit);
		assert_noop!(stranger, Error::<Test>::NotTheWorker);
		crate::Workers::<Test>::remove(worker());
		let case = framed(2);
		run_to(case.outcome().block + REVIEW + 1);
		assert_noop!(appeal(&case), Error::<Test>::ReviewTooLate);
		System::set_block_number(case.outcome().block + REVIEW);
		assert_ok!(appeal(&case));
	});
}

#[test]
fn where_there_was_no_verdict_there_is_nothing_to_appeal() {
	with_many_validators(|| {
		let case = Case::draw(work_with(1, 0, 40, 0, far));
		world(|w| w.calibration = None);
		assert_eq!(case.decide().verdict, Verdict::Abstained);
		assert_noop!(appeal(&case), Error::<Test>::NotReviewable);
	});
}

#[test]
fn without_three_others_the_bond_comes_back_and_one_may_try_again() {
	build_and_execute(|| {
		(13..15).for_each(|n| bond(&account(n), Role::Validator));
		let case = framed(0);
		assert_ok!(appeal(&case));
		let review = crate::ReviewOf::<Test>::get(case.audit, worker()).unwrap();
		run_to(System::block_number() + 2 * ROUND);
		System::assert_has_event(Event::ReviewVoid { audit: review, of: case.audit }.into());
		assert_eq!((held(&worker()), Reviews::<Test>::iter().count()), (0, 0));
		assert_ok!(appeal(&case));
	});
}

#[test]
fn an_answer_withheld_from_the_first_panel_may_pass_the_second_and_nobody_lied() {
	with_many_validators(|| {
		let case = Case::draw(work(1, 0, 40));
		assert_ok!(case.open_receipt());
		case.panel().iter().for_each(|who| {
			assert_ok!(case.report(who));
		});
		assert_eq!(case.outcome().reason, Reason::Withheld);
		assert_ok!(appeal(&case));
		let review = case.review_by(&worker());
		told();
		review.decide();
		assert_eq!(case.outcome().reason, Reason::Overturned);
		assert!(!told().iter().any(|told| matches!(told, Told::Fined(..))));
	});
}

#[test]
fn a_review_without_the_worker_s_leaves_confirms() {
	with_many_validators(|| {
		let case = framed(0);
		assert_ok!(appeal(&case));
		let review = case.review_by(&worker());
		let stake = Balances::balance(&worker());
		review.panel().iter().for_each(|who| {
			assert_ok!(review.commit(who, &review.reference()));
		});
		run_to(review.stored().deadline + 1);
		assert_eq!(review.outcome().reason, Reason::LeavesMissed);
		assert_eq!((held(&worker()), Balances::balance(&worker())), (0, stake), "only the bond is gone");
	});
}

#[test]
fn who_can_not_pay_the_bond_can_not_ask() {
	with_many_validators(|| {
		use frame_support::traits::{fungible::Mutate, tokens::Preservation::Expendable};
		let case = framed(0);
		let all = Balances::balance(&worker());
		assert_ok!(<Balances as Mutate<_>>::transfer(&worker(), &account(60), all - FINE + 1, Expendable));
		assert!(appeal(&case).is_err());
	});
}

#[test]
fn reviews_are_forgotten_with_what_they_reviewed() {
	with_many_validators(|| {
		let case = framed(0);
		assert_ok!(appeal(&case));
		case.review_by(&worker()).decide();
		run_to(System::block_number() + RETENTION + 2 * REVIEW);
		assert_eq!(crate::Audits::<Test>::iter().count(), 0);
		assert_eq!(Reviews::<Test>::iter().count() + Records::<Test>::iter().count(), 0);
	});
}
