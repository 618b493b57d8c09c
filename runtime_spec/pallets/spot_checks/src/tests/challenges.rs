//! Challenges: a validator names positions at which it has seen fraud.
use super::{
	accumulated::shaded,
	reviews::{appeal, far, framing, held, with_many_validators},
	workshop::*,
};
use crate::{mock::*, Error, Event, ReviewKind, Reviews, Stage};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, traits::fungible::Inspect};
use llmnet_primitives::{
	sampling::Sampler,
	scoring::{Evidence, Reason},
	Leaf, Verdict,
};
use sp_runtime::AccountId32;
use std::collections::BTreeSet;

fn challenge(case: &Case, who: &AccountId32, positions: &[u32]) -> DispatchResult {
	let positions = positions.to_vec().try_into().unwrap();
	SpotChecks::challenge(RuntimeOrigin::signed(who.clone()), case.audit, positions)
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

/// An answer of 200 tokens that is cheap exactly where the draw would not look.
fn cheap_where_nobody_looks(misses: usize) -> (Case, Vec<u32>) {
	cheap_at(200, 0, misses)
}

/// An answer that is cheap at so many of the positions that are drawn, and at so many others, which are returned: the draw
/// is known from an honest one.
fn cheap_at(n_out: u32, drawn: usize, others: usize) -> (Case, Vec<u32>) {
	let honest = Case::draw(work(1, 0, n_out));
	let cheap: Vec<u32> = undrawn(&honest).into_iter().take(others).collect();
	let at: Vec<u32> = honest.positions().into_iter().take(drawn).chain(cheap.clone()).collect();
	let answer = work_with(1, 0, n_out, 0, move |leaf, sampler| {
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
fn four_misses_of_two_hundred_are_enough() {
	build_and_execute(|| {
		let (case, cheap) = cheap_where_nobody_looks(4);
		assert_eq!(case.decide().verdict, Verdict::Passed);
		let who = case.panel()[0].clone();
		assert_ok!(challenge(&case, &who, &cheap));
		let outcome = case.review_by(&who).decide();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::Margin));
		assert_eq!(outcome.evidence, Evidence { position: 0, margin: 3072 });
	});
}

/// Challenged at the other position, an answer of 24 tokens that missed at so many of the drawn ones.
fn with_one_named(drawn: usize) -> (Case, Case) {
	let (case, cheap) = cheap_at(24, drawn, 1);
	assert_eq!(case.decide().verdict, Verdict::Passed);
	let who = case.panel()[0].clone();
	assert_ok!(challenge(&case, &who, &cheap));
	let review = case.review_by(&who);
	review.decide();
	(case, review)
}

#[test]
fn a_miss_that_was_drawn_counts_with_one_that_was_named() {
	with_many_validators(|| {
		let (case, review) = with_one_named(1);
		assert_eq!(case.outcome().evidence.margin, 1_536 - 15 * 13);
		let outcome = review.outcome();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::Margin));
		let named = Evidence { position: 0, margin: 1_536 - 7 * 13 };
		assert_eq!(outcome.evidence, named);
		assert_eq!(SpotChecks::worker_state(worker()).evidence.margin, 1_341 + 1_445);
		// Others judge by the same: what the audit has said, and how much it has left.
		assert_ok!(appeal(&review));
		let again = review.review_by(&worker()).decide();
		assert_eq!((again.verdict, again.evidence), (Verdict::Failed, named));
		assert_eq!(review.outcome().verdict, Verdict::Failed);
	});
}

#[test]
fn one_miss_that_was_named_is_chance() {
	build_and_execute(|| {
		let (_, review) = with_one_named(0);
		let outcome = review.outcome();
		assert_eq!((outcome.verdict, outcome.evidence), (Verdict::Passed, Evidence::default()));
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
		let filed: Vec<_> = reviews.iter().map(|review| review.audit).collect();
		assert_eq!(SpotChecks::reviews_of(case.audit), filed, "by number");
		assert_eq!(reviews[0].decide().verdict, Verdict::Failed);
		let (once, _) = (SpotChecks::worker_state(worker()), told());
		for (review, who) in reviews.iter().zip(&panel).skip(1) {
			let balance = Balances::balance(who);
			assert_eq!(review.decide().verdict, Verdict::Failed);
			assert_eq!(held(who), 0);
			let back = Balances::balance(who) - balance;
			assert_eq!(back, 20 * 210 + PANEL_REWARD, "was right, if late");
			let ended = Event::ReviewEnded { audit: review.audit, of: case.audit, forfeited: false };
			System::assert_has_event(ended.into());
		}
		assert_eq!(SpotChecks::worker_state(worker()), once, "never a slash from one answer");
		assert!(!told().iter().any(|told| matches!(told, Told::Fined(..) | Told::Judged(..))));
		assert_noop!(challenge(&case, &panel[1], &cheap), Error::<Test>::AlreadyReviewed);
	});
}

#[test]
fn named_positions_count_for_fraud_only() {
	build_and_execute(|| {
		// Three misses of 200, which an accuser could have chosen, and distances beyond all bounds.
		let (case, cheap) = cheap_where_nobody_looks(3);
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
fn the_answers_of_a_removed_worker_are_not_challenged() {
	build_and_execute(|| {
		let works = vec![work(1, 0, 40), work_with(1, 1, 40, 0, far), work_with(1, 2, 40, 0, far)];
		let cases = Case::draw_all(&worker(), Delivery::of(works));
		cases.iter().for_each(|case| {
			case.decide();
		});
		assert!(SpotChecks::worker_state(worker()).removed);
		let (who, named) = (cases[0].panel()[0].clone(), undrawn(&cases[0]));
		assert_noop!(challenge(&cases[0], &who, &named[..1]), Error::<Test>::WorkerRemoved);
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

/// An answer of 200 tokens that passes with `shaded` at each position and contradicts itself where it was not drawn.
fn contradicts_itself_at_150(shaded: i16) -> Case {
	Case::draw(work_with(1, 0, 200, 0, move |leaf, _| {
		leaf.logit_sketch[0] += shaded;
		if leaf.position == 150 {
			leaf.token = leaf.candidates[1].id;
		}
	}))
}

#[test]
fn an_audit_and_a_challenge_of_one_answer_are_no_slash() {
	with_many_validators(|| {
		let case = contradicts_itself_at_150(11);
		let first = case.decide();
		assert_eq!((first.verdict, first.evidence.position), (Verdict::Passed, 3072));
		let who = case.panel()[0].clone();
		assert_ok!(challenge(&case, &who, &[150]));
		let review = case.review_by(&who);
		let outcome = review.decide();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::SelfConsistency));
		assert_eq!((outcome.evidence.position, outcome.total.position), (0, 3072));
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.removed, state.failed), (false, 1), "never a slash from one answer");
		// Nobody takes more back than was counted.
		assert_ok!(appeal(&case));
		assert_eq!(case.review_by(&worker()).decide().verdict, Verdict::Passed);
		assert_eq!(SpotChecks::worker_state(worker()).evidence.position, 3072, "the five find it too");
	});
}

#[test]
fn what_was_taken_back_of_an_audit_counts_with_a_challenge_again() {
	with_many_validators(|| {
		let case = contradicts_itself_at_150(0);
		case.decide_with(&shaded(&case, 7));
		let outcome = case.outcome();
		assert_eq!((outcome.verdict, outcome.evidence.position), (Verdict::Passed, 7 * 205 - 9 * 64));
		assert_ok!(appeal(&case));
		case.review_by(&worker()).decide();
		assert_eq!(case.outcome().reason, Reason::Overturned);
		let who = case.panel()[0].clone();
		assert_ok!(challenge(&case, &who, &[150]));
		assert_eq!(case.review_by(&who).decide().evidence, Evidence { position: 3072, margin: 0 });
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
		refused(&[free[0], 100]);
		refused(&BTreeSet::from([free[0], drawn]).into_iter().collect::<Vec<_>>());
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
