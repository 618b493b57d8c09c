//! Challenges and appeals.
use super::workshop::*;
use crate::{mock::*, Error, Event, HoldReason, ReviewKind, Reviews, Stage};
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
use std::collections::BTreeSet;

/// The price of an answer of 40 tokens.
const PRICE: u128 = 50;
const FINE: u128 = 20 * PRICE;

/// Validators enough for a first panel and five others.
fn with_many_validators(test: impl FnOnce()) {
	build_and_execute(|| {
		(13..18).for_each(|n| bond(&account(n), Role::Validator));
		test();
	});
}

fn held(who: &AccountId32) -> u128 {
	Balances::balance_on_hold(&HoldReason::Review.into(), who)
}

fn appeal(case: &Case) -> DispatchResult {
	SpotChecks::appeal(RuntimeOrigin::signed(case.worker.clone()), case.audit)
}

fn challenge(case: &Case, who: &AccountId32, positions: &[u32]) -> DispatchResult {
	let positions = positions.to_vec().try_into().unwrap();
	SpotChecks::challenge(RuntimeOrigin::signed(who.clone()), case.audit, positions)
}

/// References with which the panel fails a good answer.
fn framing(case: &Case) -> Vec<Leaves> {
	let mut leaves = case.reference();
	leaves.iter_mut().for_each(|leaf| leaf.logit_sketch.iter_mut().for_each(|lane| *lane += 20));
	vec![leaves; case.panel().len()]
}

/// A good answer that its panel has failed.
fn framed(index: u32) -> Case {
	let case = Case::draw(work(1, index, 40));
	case.decide_with(&framing(&case));
	assert_eq!(case.outcome().verdict, Verdict::Failed);
	case
}

fn far(leaf: &mut Leaf, _: &Sampler) {
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
		}
		assert!(told.contains(&Told::Restored(worker(), FINE - PRICE)));
		assert!(told.contains(&Told::Judged(worker(), 3, PRICE, true)));
		assert_eq!(Balances::balance(&worker()), stake + FINE - PRICE, "the payer keeps the price");
		assert_eq!(held(&worker()), 0);
		let outcome = case.outcome();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Passed, Reason::Overturned));
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.failed, state.probation, state.evidence), (0, 0, Evidence::default()));
		let ended = Event::ReviewEnded { audit: review.audit, of: case.audit, forfeited: false };
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
		for expected in [
			Told::Reinstated(worker()),
			Told::Restored(worker(), taken - 3 * share),
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

/// Decodes with another model at positions from `from` on, with leaves nudged so that the token wins.
fn cheap_from(from: u32) -> impl Fn(&mut Leaf, &Sampler) {
	move |leaf: &mut Leaf, _: &Sampler| {
		if leaf.position >= from {
			let ids: Vec<u32> = leaf.candidates.iter().map(|candidate| candidate.id).collect();
			leaf.candidates[0].id = ids[3];
			leaf.candidates[3].id = ids[0];
			leaf.token = ids[3];
		}
	}
}

/// Positions of the answer that were not drawn.
fn undrawn(case: &Case) -> Vec<u32> {
	let drawn = case.positions();
	(0..case.work.receipt.n_out).filter(|position| !drawn.contains(position)).collect()
}

/// An answer of 200 tokens that is cheap exactly where `case` would not look: its draw is known from an honest one.
fn cheap_where_nobody_looks(misses: usize) -> (Case, Vec<u32>) {
	let honest = Case::draw(work(1, 0, 200));
	let cheap: Vec<u32> = undrawn(&honest).into_iter().take(misses).collect();
	let at = cheap.clone();
	let answer = work_with(1, 0, 200, 0, move |leaf, sampler| {
		if at.contains(&leaf.position) {
			cheap_from(0)(leaf, sampler);
		}
	});
	// The same draw as if this answer had been committed.
	let delivery = Delivery::of(vec![answer.clone()]);
	let root = delivery.placed()[0].segment.receipts_root;
	let placed = delivery.placed();
	crate::Batches::<Test>::mutate(worker(), honest.stored().epoch, |batch| {
		batch.as_mut().unwrap().root = llmnet_primitives::merkle::root_of(&placed).unwrap();
	});
	assert_eq!(placed[0].segment.receipts_root, root);
	(Case { work: answer, delivery, ..honest }, cheap)
}

#[test]
fn named_positions_convict_a_cheat_that_was_lucky() {
	build_and_execute(|| {
		let (case, cheap) = cheap_where_nobody_looks(12);
		assert_eq!(case.decide().verdict, Verdict::Passed);
		let who = case.panel()[0].clone();
		let before = SpotChecks::worker_state(worker());
		assert_ok!(challenge(&case, &who, &cheap));
		assert_eq!(held(&who), 20 * 210);
		let review = case.review_by(&who);
		assert_eq!((review.positions(), review.stage()), (cheap, Stage::ReceiptOpened));
		assert_eq!(BTreeSet::from_iter(review.panel()), BTreeSet::from_iter(case.panel()));
		let balance = Balances::balance(&who);
		told();
		let outcome = review.decide();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::Margin));
		assert_eq!(outcome.evidence, Evidence { position: 0, margin: 3072 });
		assert_eq!(SpotChecks::worker_state(worker()).failed, before.failed + 1);
		let told = told();
		assert!(told.contains(&Told::Fined(worker(), 20 * 210)));
		let finder = 2 * 210;
		assert_eq!(Balances::balance(&who), balance + 20 * 210 + finder + PANEL_REWARD);
		assert_eq!(held(&who), 0);
		assert_ok!(appeal(&review));
		assert_eq!(Reviews::<Test>::get(review.audit + 1).unwrap().exceptions, review.positions());
	});
}

#[test]
fn several_challenges_convict_an_answer_once() {
	build_and_execute(|| {
		let (case, cheap) = cheap_where_nobody_looks(12);
		assert_eq!(case.decide().verdict, Verdict::Passed);
		let panel = case.panel();
		for who in &panel {
			assert_ok!(challenge(&case, who, &cheap));
		}
		let reviews: Vec<Case> = panel.iter().map(|who| case.review_by(who)).collect();
		assert_eq!(reviews[0].decide().verdict, Verdict::Failed);
		let (once, _) = (SpotChecks::worker_state(worker()), told());
		for (review, who) in reviews.iter().zip(&panel).skip(1) {
			assert_eq!(review.decide().verdict, Verdict::Failed);
			assert_eq!(held(who), 0, "was right, if late");
		}
		assert_eq!(SpotChecks::worker_state(worker()), once, "never a slash from one answer");
		assert!(!told().iter().any(|told| matches!(told, Told::Fined(..) | Told::Judged(..))));
		assert_noop!(challenge(&case, &panel[1], &cheap), Error::<Test>::AlreadyReviewed);
	});
}

#[test]
fn named_positions_count_for_fraud_only() {
	build_and_execute(|| {
		// Seven misses, which an accuser could have chosen, and distances beyond all bounds.
		let (case, cheap) = cheap_where_nobody_looks(7);
		assert_eq!(case.decide().verdict, Verdict::Passed);
		let (who, before) = (case.panel()[1].clone(), SpotChecks::worker_state(worker()));
		let named: Vec<u32> = undrawn(&case).into_iter().take(16).collect();
		assert!(cheap.iter().all(|position| named.contains(position)));
		let pot_before = Balances::balance(&pot());
		assert_ok!(challenge(&case, &who, &named));
		let review = case.review_by(&who);
		review.decide_with(&framing(&review));
		let outcome = review.outcome();
		assert_eq!((outcome.verdict, outcome.evidence), (Verdict::Passed, Evidence::default()));
		assert_eq!(SpotChecks::worker_state(worker()), before, "nothing speaks for the worker either");
		assert_eq!(held(&who), 0);
		assert_eq!(Balances::balance(&pot()), pot_before + 20 * 210 - 3 * PANEL_REWARD, "and it costs");
		assert_noop!(challenge(&case, &who, &named), Error::<Test>::AlreadyReviewed);
	});
}

#[test]
fn a_contradiction_at_a_named_position_is_fraud() {
	build_and_execute(|| {
		let case = Case::draw(work_with(1, 0, 200, 0, |leaf, _| {
			if leaf.position == 150 {
				leaf.token = leaf.candidates[1].id;
			}
		}));
		assert!(!case.positions().contains(&150), "chance looked elsewhere");
		assert_eq!(case.decide().verdict, Verdict::Passed);
		let who = case.panel()[2].clone();
		assert_ok!(challenge(&case, &who, &[150]));
		let outcome = case.review_by(&who).decide();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::SelfConsistency));
		assert_eq!(outcome.evidence, Evidence { position: 3072, margin: 0 });
	});
}

#[test]
fn a_challenge_names_other_positions_of_a_passed_answer_and_comes_from_its_panel() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 100));
		let who = case.panel()[0].clone();
		let (drawn, free) = (case.positions()[3], undrawn(&case));
		assert_noop!(challenge(&case, &who, &free[..1]), Error::<Test>::WrongStage);
		case.decide();
		let refused = |positions: &[u32]| {
			assert_noop!(challenge(&case, &who, positions), Error::<Test>::BadExceptions);
		};
		refused(&[]);
		refused(&[drawn]);
		refused(&[100]);
		refused(&[free[1], free[0]]);
		refused(&[free[0], free[0]]);
		assert_noop!(challenge(&case, &account(13), &free[..1]), Error::<Test>::NotOnPanel);
		assert_noop!(challenge(&case, &worker(), &free[..1]), Error::<Test>::NotOnPanel);
		assert_ok!(challenge(&case, &who, &free[..1]));
		let review = case.review_by(&who);
		let filed = Event::ReviewFiled {
			audit: review.audit,
			of: case.audit,
			kind: ReviewKind::Challenge,
			by: who.clone(),
			bond: 20 * 110,
		};
		System::assert_has_event(filed.into());
		review.decide();
		assert_noop!(challenge(&review, &case.panel()[1], &free[1..2]), Error::<Test>::NotReviewable);
		let failed = Case::draw(work_with(2, 0, 40, 0, far));
		failed.decide();
		let open = undrawn(&failed);
		assert_noop!(challenge(&failed, &failed.panel()[0], &open[..1]), Error::<Test>::NotReviewable);
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
		assert_eq!(Reviews::<Test>::iter().count() + crate::Records::<Test>::iter().count(), 0);
	});
}
