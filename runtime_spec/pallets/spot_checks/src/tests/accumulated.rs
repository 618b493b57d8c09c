//! Answers that pass, and of which several together are a slash: the last one fails, and can be appealed.
use super::{
	reviews::{appeal, held, with_many_validators},
	workshop::*,
};
use crate::{mock::*, Event, Workers};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use llmnet_primitives::{
	sampling::Sampler,
	scoring::{Evidence, Reason},
	Leaf, Leaves, Verdict,
};

const PRICE: u128 = 50;
const FINE: u128 = 20 * PRICE;

/// Between q99 and 1.25 q99: the sequential test does not see it.
fn near(leaf: &mut Leaf, _: &Sampler) {
	leaf.logit_sketch[0] += 11;
}

/// Between q95 and q99.
fn nearer(leaf: &mut Leaf) {
	leaf.logit_sketch[0] += 8;
}

/// One token that the reference would not have sampled.
fn missed(leaf: &mut Leaf, _: &Sampler) {
	if leaf.position == 3 {
		let ids: Vec<u32> = leaf.candidates.iter().map(|candidate| candidate.id).collect();
		(leaf.candidates[0].id, leaf.candidates[3].id, leaf.token) = (ids[3], ids[0], ids[3]);
	}
}

/// References of a good answer that are moved at the first `count` positions.
pub(super) fn shaded(case: &Case, count: usize) -> Vec<Leaves> {
	let mut leaves = case.reference();
	leaves.iter_mut().take(count).for_each(nearer);
	vec![leaves; case.panel().len()]
}

/// The worker's evidence, as if of earlier answers.
fn stands_at(position: i32) {
	Workers::<Test>::mutate(worker(), |state| state.evidence.position = position);
}

/// A good answer with which its panel has slashed the worker, by moving its references at `count` positions.
fn made_up(count: usize, before: i32) -> Case {
	stands_at(before);
	let case = Case::draw(work(1, 0, 40));
	case.decide_with(&shaded(&case, count));
	case
}

#[test]
fn the_answer_that_completes_a_slash_fails_and_is_fined() {
	build_and_execute(|| {
		let cases = Case::draw_all(
			&worker(),
			Delivery::of((0..2).map(|index| work_with(1, index, 40, 0, near)).collect()),
		);
		let first = cases[0].decide();
		assert_eq!((first.verdict, first.reason), (Verdict::Passed, Reason::Clean));
		assert_eq!((first.evidence.position, first.total.position), (3072, 3072));
		let (stake, before) = (Balances::balance(&worker()), told());
		assert!(!before.iter().any(|told| matches!(told, Told::Fined(..))));
		let second = cases[1].decide();
		assert_eq!((second.verdict, second.reason), (Verdict::Failed, Reason::Accumulated));
		assert_eq!((second.evidence.position, second.total.position), (3072, 6144));
		let told = told();
		assert!(told.contains(&Told::Fined(worker(), FINE)));
		assert!(told.contains(&Told::Judged(worker(), 3, PRICE, false)));
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.removed, state.passed, state.failed), (true, 1, 1));
		assert!(Balances::balance(&worker()) < stake - FINE, "and slashed");
	});
}

#[test]
fn one_short_of_a_slash_passes() {
	build_and_execute(|| {
		stands_at(5120 - 3072 - 1);
		let outcome = Case::draw(work_with(1, 0, 40, 0, near)).decide();
		assert_eq!((outcome.verdict, outcome.total.position), (Verdict::Passed, 5119));
		assert!(!SpotChecks::worker_state(worker()).removed);
	});
}

#[test]
fn while_slashing_is_frozen_it_passes() {
	build_and_execute(|| {
		crate::DriftWatch::<Test>::mutate(|watch| watch.frozen_until = Some(u32::MAX));
		stands_at(4000);
		let outcome = Case::draw(work_with(1, 0, 40, 0, near)).decide();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Passed, Reason::Clean));
		assert_eq!(outcome.total.position, 5119);
		assert!(!told().iter().any(|told| matches!(told, Told::Fined(..))));
	});
}

#[test]
fn it_counts_as_drift_like_any_answer_that_is_far_off() {
	build_and_execute(|| {
		stands_at(2100);
		Case::draw(work_with(1, 0, 40, 0, near)).decide();
		assert_eq!(SpotChecks::worker_state(worker()).failed, 1);
		assert_eq!(crate::DriftWatch::<Test>::get().drifting, 1);
	});
}

#[test]
fn a_panel_that_made_it_up_is_fined_and_gives_its_share_back() {
	with_many_validators(|| {
		let case = made_up(7, 4800);
		let outcome = case.outcome();
		assert_eq!((outcome.reason, outcome.evidence.position), (Reason::Accumulated, 7 * 205 - 9 * 64));
		assert!(SpotChecks::worker_state(worker()).removed);
		let (first, taken) = (case.panel(), slashed());
		let share = taken / 10 / 3;
		assert_ok!(appeal(&case));
		told();
		assert_eq!(case.review_by(&worker()).decide().verdict, Verdict::Passed);
		assert_eq!(case.outcome().reason, Reason::Overturned);
		let told = told();
		for who in first {
			assert!(told.contains(&Told::Fined(who.clone(), FINE + share)));
			System::assert_has_event(Event::ReferenceRejected { audit: case.audit, validator: who }.into());
		}
		assert!(told.contains(&Told::Reinstated(worker())));
		assert_eq!(held(&worker()), 0);
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.removed, state.failed, state.evidence.position), (false, 0, 4800));
	});
}

#[test]
fn a_panel_that_said_little_only_gives_its_share_back() {
	with_many_validators(|| {
		let case = made_up(6, 4800);
		assert_eq!(case.outcome().evidence.position, 6 * 205 - 10 * 64);
		let (first, share) = (case.panel(), slashed() / 10 / 3);
		assert_ok!(appeal(&case));
		told();
		assert_eq!(case.review_by(&worker()).decide().verdict, Verdict::Passed);
		assert_eq!(case.outcome().reason, Reason::Overturned);
		let told = told();
		assert!(first.iter().all(|who| told.contains(&Told::Fined(who.clone(), share))));
		let rejected = |event: &Event<Test>| matches!(event, Event::ReferenceRejected { .. });
		assert!(!events().iter().any(rejected), "nobody is to blame");
		assert!(!SpotChecks::worker_state(worker()).removed);
	});
}

#[test]
fn who_was_outvoted_gets_its_fine_back_only_from_those_to_blame() {
	for (count, back) in [(7, true), (6, false)] {
		with_many_validators(|| {
			stands_at(4800);
			let case = Case::draw(work(1, 0, 40));
			let (lies, odd) = (shaded(&case, count), case.panel()[0].clone());
			case.decide_with(&[case.reference(), lies[1].clone(), lies[2].clone()]);
			assert_eq!(case.outcome().reason, Reason::Accumulated);
			assert!(told().contains(&Told::Fined(odd.clone(), FINE)));
			assert_ok!(appeal(&case));
			case.review_by(&worker()).decide();
			assert_eq!(told().contains(&Told::Restored(odd, FINE)), back);
		});
	}
}

/// A good answer that passed, with its panel's references moved at `count` positions.
fn shaded_answer(count: usize) -> Case {
	let case = Case::draw(work(1, 0, 40));
	case.decide_with(&shaded(&case, count));
	assert_eq!(case.outcome().verdict, Verdict::Passed);
	case
}

#[test]
fn three_nat_against_an_answer_that_passed_can_be_taken_back() {
	with_many_validators(|| {
		let case = shaded_answer(7);
		assert_eq!(SpotChecks::worker_state(worker()).evidence.position, 859);
		let (first, stake) = (case.panel(), Balances::balance(&worker()));
		let mut state = SpotChecks::worker_state(worker());
		assert_ok!(appeal(&case));
		told();
		assert_eq!(case.review_by(&worker()).decide().verdict, Verdict::Passed);
		let told = told();
		for who in first {
			assert!(told.contains(&Told::Fined(who.clone(), FINE)));
			System::assert_has_event(Event::ReferenceRejected { audit: case.audit, validator: who }.into());
		}
		assert!(!told.iter().any(|told| matches!(told, Told::Judged(..))), "it counts as passed already");
		let outcome = case.outcome();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Passed, Reason::Overturned));
		assert_eq!((outcome.evidence, outcome.total), (Evidence::default(), Evidence::default()));
		state.evidence = Evidence::default();
		assert_eq!(SpotChecks::worker_state(worker()), state, "nothing but the evidence changes");
		assert_eq!((Balances::balance(&worker()), held(&worker())), (stake, 0));
		assert_noop!(appeal(&case), crate::Error::<Test>::NotReviewable);
	});
}

#[test]
fn less_than_three_nat_is_chance() {
	with_many_validators(|| {
		let case = shaded_answer(6);
		assert_noop!(appeal(&case), crate::Error::<Test>::NotReviewable);
	});
}

#[test]
fn one_miss_is_chance_too() {
	with_many_validators(|| {
		let case = Case::draw(work_with(1, 0, 16, 0, missed));
		let outcome = case.decide();
		assert_eq!((outcome.verdict, outcome.evidence.margin), (Verdict::Passed, 1536 - 15 * 13));
		assert_noop!(appeal(&case), crate::Error::<Test>::NotReviewable);
	});
}

#[test]
fn what_others_find_too_stays_with_an_answer_that_passed() {
	with_many_validators(|| {
		let case = Case::draw(work_with(1, 0, 40, 0, near));
		assert_eq!(case.decide().verdict, Verdict::Passed);
		let state = SpotChecks::worker_state(worker());
		assert_ok!(appeal(&case));
		told();
		let review = case.review_by(&worker());
		assert_eq!(review.decide().verdict, Verdict::Passed);
		assert_eq!(SpotChecks::worker_state(worker()), state);
		assert_eq!(case.outcome().reason, Reason::Clean);
		assert!(!told().iter().any(|told| matches!(told, Told::Fined(..))));
		let ended = Event::ReviewEnded { audit: review.audit, of: case.audit, forfeited: true };
		System::assert_has_event(ended.into());
	});
}

#[test]
fn a_slash_is_taken_back_with_an_earlier_answer_that_carried_it() {
	with_many_validators(|| {
		let works = vec![work(1, 0, 40), work_with(1, 1, 40, 0, near)];
		let cases = Case::draw_all(&worker(), Delivery::of(works));
		cases[0].decide_with(&shaded(&cases[0], 16));
		assert_eq!(cases[0].outcome().evidence.position, 3072);
		assert_eq!(cases[1].decide().reason, Reason::Accumulated);
		assert!(SpotChecks::worker_state(worker()).removed);
		assert_ok!(appeal(&cases[0]));
		cases[0].review_by(&worker()).decide();
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.removed, state.failed, state.evidence.position), (false, 1, 3072));
	});
}

#[test]
fn what_others_find_as_well_stays_a_slash() {
	with_many_validators(|| {
		stands_at(2048);
		let case = Case::draw(work_with(1, 0, 40, 0, near));
		assert_eq!(case.decide().reason, Reason::Accumulated);
		let state = SpotChecks::worker_state(worker());
		assert_ok!(appeal(&case));
		told();
		let review = case.review_by(&worker());
		let found = review.decide();
		assert_eq!((found.verdict, found.reason), (Verdict::Passed, Reason::Clean), "alone it would pass");
		assert_eq!(case.outcome().reason, Reason::Accumulated);
		assert_eq!(SpotChecks::worker_state(worker()), state);
		assert!(!told().iter().any(|told| matches!(told, Told::Fined(..) | Told::Reinstated(_))));
		let ended = Event::ReviewEnded { audit: review.audit, of: case.audit, forfeited: true };
		System::assert_has_event(ended.into());
	});
}

#[test]
fn what_others_find_counts_beside_what_was_before() {
	with_many_validators(|| {
		// The first panel says 859, the five 640 less: with 4200 before, one is enough for a slash and the other is not.
		for (before, stands) in [(4300, false), (5100, true)] {
			Workers::<Test>::remove(worker());
			stands_at(before);
			let case = Case::draw(work_with(u64::from(before == 5100) + 1, 0, 40, 0, |_, _| ()));
			case.decide_with(&shaded(&case, 7));
			assert_eq!(case.outcome().reason, Reason::Accumulated);
			assert_ok!(appeal(&case));
			let review = case.review_by(&worker());
			let some = review.panel().len();
			review.decide_with(&vec![shaded(&review, 4).remove(0); some]);
			assert_eq!(review.outcome().evidence.position, 4 * 205 - 12 * 64);
			assert_eq!(SpotChecks::worker_state(worker()).removed, stands, "{before}");
		}
	});
}

#[test]
fn margins_that_add_up_are_appealed_as_distances_are() {
	with_many_validators(|| {
		Workers::<Test>::mutate(worker(), |state| {
			state.evidence = Evidence { position: 900, margin: 5000 };
		});
		let case = Case::draw(work_with(1, 0, 16, 0, missed));
		assert_eq!(case.decide().reason, Reason::Accumulated);
		assert_ok!(appeal(&case));
		case.review_by(&worker()).decide();
		assert!(SpotChecks::worker_state(worker()).removed, "the others see the miss too");
	});
}

/// What the last slash took.
fn slashed() -> u128 {
	let events = System::read_events_for_pallet::<Event<Test>>();
	let taken = events.iter().find_map(|event| match event {
		Event::WorkerSlashed { amount, .. } => Some(*amount),
		_ => None,
	});
	taken.expect("somebody was slashed")
}
