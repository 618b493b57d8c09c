use super::workshop::*;
use crate::{mock::*, AuditFloor, BatchState, Error, Event, SkipReason, WorkerState, Workers};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use llmnet_primitives::{
	drawing::ONE,
	sampling::Sampler,
	scoring::{Evidence, Reason},
	Leaf, Leaves, SessionId, Verdict,
};

/// The price of an answer of 40 tokens.
const PRICE: u128 = 50;
const FINE: u128 = 20 * PRICE;

fn far(leaf: &mut Leaf, _: &Sampler) {
	leaf.logit_sketch.iter_mut().for_each(|lane| *lane += 20);
}

pub(super) fn far_work(session: SessionId, index: u32) -> Work {
	work_with(session, index, 40, 0, far)
}

fn state() -> WorkerState {
	SpotChecks::worker_state(worker())
}

#[test]
fn honest_answers_of_any_length_and_temperature_pass() {
	build_and_execute(|| {
		for (index, (n_out, temperature)) in [(1, 0), (5, 256), (16, 64), (90, 256)].into_iter().enumerate() {
			let outcome = Case::draw(work_with(1, index as u32, n_out, temperature, |_, _| ())).decide();
			assert_eq!(
				(outcome.verdict, outcome.reason),
				(Verdict::Passed, Reason::Clean),
				"{n_out} {temperature}"
			);
		}
		assert_eq!(Balances::balance(&worker()), STAKE);
		assert_eq!(state().clean, 4);
	});
}

#[test]
fn a_far_sketch_fails_and_pays_the_requester_back() {
	build_and_execute(|| {
		let case = Case::draw(far_work(1, 0));
		told();
		let outcome = case.decide();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::Positions));
		assert_eq!((outcome.evidence.position, outcome.evidence.margin), (3072, -208));
		assert_eq!((outcome.total.position, outcome.total.margin), (3072, 0));
		assert_eq!(Balances::balance(&worker()), STAKE - FINE);
		assert_eq!(Balances::balance(&requester()), STAKE + PRICE);
		assert_eq!(Balances::balance(&treasury()), STAKE + FINE - PRICE);
		System::assert_has_event(Event::WorkerFined { worker: worker(), amount: FINE }.into());
		let decided = Event::Decided {
			audit: case.audit,
			worker: worker(),
			session: 1,
			index: 0,
			verdict: Verdict::Failed,
			reason: Reason::Positions,
			position_evidence: 3072,
			margin_evidence: -208,
			position_total: 3072,
			margin_total: 0,
		};
		System::assert_has_event(decided.into());
		let told = told();
		assert!(told.contains(&Told::Judged(worker(), 3, PRICE, false)));
		assert!(told.contains(&Told::Settled(worker(), 0)));
		assert_eq!((state().failed, state().clean, state().probation), (1, 0, 20));
	});
}

#[test]
fn one_answer_is_never_a_slash_and_two_gross_ones_are() {
	build_and_execute(|| {
		let cases = Case::draw_all(&worker(), Delivery::of((0..3).map(|index| far_work(1, index)).collect()));
		cases[0].decide();
		assert!(!state().removed);
		let stake = Balances::balance(&worker());
		told();
		let outcome = cases[1].decide();
		assert_eq!(outcome.total.position, 6144);
		let taken = (stake - FINE).div_ceil(10);
		let share = taken / 10 / 3;
		let slashed = Event::WorkerSlashed { worker: worker(), amount: taken, forfeited: 3 * PRICE };
		System::assert_has_event(slashed.into());
		let told = told();
		for expected in [
			Told::Slashed(worker(), taken),
			Told::Forfeited(worker(), 3 * PRICE),
			Told::Withdrawn(worker()),
			Told::Out(worker()),
		] {
			assert!(told.contains(&expected), "{expected:?}");
		}
		assert_eq!(Balances::balance(&worker()), stake - FINE - taken);
		assert_eq!(Balances::balance(&account(10)), STAKE + 2 * PANEL_REWARD + share);
		assert!(state().removed);
	});
}

#[test]
fn a_slash_is_at_least_a_hundred_rewards_and_at_most_what_is_held() {
	build_and_execute(|| {
		let rest = 2 * FINE + 60 * PRICE;
		let gone = STAKE - rest;
		let everything = frame_support::traits::tokens::Preservation::Expendable;
		use frame_support::traits::fungible::Mutate;
		assert_ok!(<Balances as Mutate<_>>::transfer(&worker(), &account(60), gone, everything));
		let cases = Case::draw_all(&worker(), Delivery::of((0..2).map(|index| far_work(1, index)).collect()));
		cases.iter().for_each(|case| {
			case.decide();
		});
		assert_eq!(Balances::balance(&worker()), 0);
		let slashed = Event::WorkerSlashed { worker: worker(), amount: 60 * PRICE, forfeited: 2 * PRICE };
		System::assert_has_event(slashed.into());
	});
}

#[test]
fn a_batch_that_was_not_drawn_before_the_slash_is_forfeited() {
	build_and_execute(|| {
		AuditFloor::<Test>::put(ONE);
		run_to(3 * ROUND);
		let first = Delivery::of((0..2).map(|index| far_work(1, index)).collect());
		assert_ok!(first.commit(&worker()));
		run_to(EPOCH);
		assert_ok!(Delivery::of(vec![work(2, 0, 40)]).commit(&worker()));
		run_to(5 * ROUND + 1);
		for case in Case::all_of(&worker(), 0, &first) {
			case.decide();
		}
		let slashed = told();
		assert!(slashed.contains(&Told::Forfeited(worker(), 3 * PRICE)), "the second batch's earnings too");
		assert_eq!(SpotChecks::batch(worker(), 0).unwrap().state, BatchState::Forfeited);
		assert_eq!(SpotChecks::batch(worker(), 1).unwrap().state, BatchState::Sealed);
		run_to(6 * ROUND + 1);
		let batch = SpotChecks::batch(worker(), 1).unwrap();
		assert_eq!((batch.state, batch.drawn), (BatchState::Forfeited, 0));
		let reason = SkipReason::WorkerRemoved;
		System::assert_has_event(Event::AuditSkipped { worker: worker(), epoch: 1, reason }.into());
		assert_eq!(told(), [Told::Forfeited(worker(), 0)]);
		assert!(!slashed.iter().any(|told| matches!(told, Told::Settled(..))));
	});
}

#[test]
fn open_audits_of_a_slashed_worker_take_no_calls_and_end_without_effect() {
	build_and_execute(|| {
		let cases = Case::draw_all(&worker(), Delivery::of((0..4).map(|index| far_work(1, index)).collect()));
		let reference = vec![cases[3].reference(); 3];
		cases[3].to_leaves(&reference);
		cases[0].decide();
		assert_eq!(SpotChecks::due_of_worker(worker()).len(), 2);
		cases[1].decide();
		assert!(state().removed);
		assert!(SpotChecks::due_of_worker(worker()).is_empty());
		assert!(SpotChecks::assignments(account(10)).is_empty());
		assert_noop!(cases[2].open_receipt(), Error::<Test>::WorkerRemoved);
		assert_noop!(cases[3].reveal(&account(10), &reference[0]), Error::<Test>::WorkerRemoved);
		assert_eq!(SpotChecks::batch(worker(), 0).unwrap().pending, 2);
		told();
		run_to(cases[3].stored().deadline + 1);
		for case in &cases[2..] {
			let outcome = case.outcome();
			assert_eq!((outcome.verdict, outcome.reason), (Verdict::Abstained, Reason::Abandoned));
		}
		assert_eq!(told(), [Told::Forfeited(worker(), 0)]);
		assert_eq!(SpotChecks::batch(worker(), 0).unwrap().state, BatchState::Forfeited);
		run_to(EPOCH);
		assert_noop!(Delivery::of(vec![work(1, 9, 3)]).commit(&worker()), Error::<Test>::NotActiveWorker);
	});
}

#[test]
fn a_token_that_its_own_leaf_does_not_give_fails() {
	build_and_execute(|| {
		// One leaf of the 16 that are looked at suffices.
		let cheat = |leaf: &mut Leaf, _: &Sampler| {
			if leaf.position == 7 {
				leaf.token = leaf.candidates[1].id;
			}
		};
		let outcome = Case::draw(work_with(1, 0, 16, 0, cheat)).decide();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::SelfConsistency));
		assert_eq!(outcome.evidence.position, 3072);
		assert!(!state().removed);
	});
}

#[test]
fn a_malformed_leaf_fails() {
	build_and_execute(|| {
		let shortened = |leaf: &mut Leaf, _: &Sampler| {
			leaf.candidates.pop();
		};
		let empty = |leaf: &mut Leaf, _: &Sampler| leaf.candidates.clear();
		for (session, change) in [(1, &shortened as &dyn Fn(&mut Leaf, &Sampler)), (2, &empty)] {
			Workers::<Test>::remove(worker());
			let outcome = Case::draw(work_with(session, 0, 40, 0, change)).decide();
			assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::SelfConsistency));
		}
	});
}

#[test]
fn a_leaf_with_another_token_than_was_delivered_fails() {
	build_and_execute(|| {
		// The leaf is in itself consistent; the validators were given the other tokens.
		let cheat = |leaf: &mut Leaf, sampler: &Sampler| {
			leaf.candidates[0].id += 500;
			leaf.token = sampler.winner(leaf.position, &leaf.candidates).unwrap();
		};
		let case = Case::draw(work_with(1, 0, 40, 0, cheat));
		let delivered = work(1, 0, 40);
		let leaves: Vec<_> =
			case.positions().iter().map(|at| delivered.leaves[*at as usize].clone()).collect();
		case.decide_with(&vec![Leaves::try_from(leaves).unwrap(); 3]);
		let outcome = case.outcome();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::Token));
		assert_eq!(outcome.evidence.position, 3072);
	});
}

/// Tokens of another model with leaves as the honest one would fingerprint them: the candidates are shifted so that
/// the token is the leaf's own winner, `misses` times per answer.
fn cheap_decode(misses: u32) -> impl Fn(&mut Leaf, &Sampler) {
	move |leaf: &mut Leaf, _: &Sampler| {
		if leaf.position < misses {
			let ids: Vec<u32> = leaf.candidates.iter().map(|candidate| candidate.id).collect();
			leaf.candidates[0].id = ids[3];
			leaf.candidates[3].id = ids[0];
			leaf.token = ids[3];
		}
	}
}

#[test]
fn tokens_that_the_reference_would_not_sample_fail() {
	build_and_execute(|| {
		let outcome = Case::draw(work_with(1, 0, 16, 0, cheap_decode(16))).decide();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::Margin));
		assert_eq!(outcome.evidence, Evidence { position: -256, margin: 3072 });
		assert!(!state().removed);
	});
}

#[test]
fn margin_misses_accumulate_over_answers_that_pass() {
	build_and_execute(|| {
		let margin = 1536 - 15 * 13;
		let works = (0..4).map(|index| work_with(1, index, 16, 0, cheap_decode(1))).collect();
		let cases = Case::draw_all(&worker(), Delivery::of(works));
		for (i, case) in cases.iter().enumerate() {
			let outcome = case.decide();
			let expected = match i {
				3 => (Verdict::Failed, Reason::Accumulated),
				_ => (Verdict::Passed, Reason::Clean),
			};
			assert_eq!((outcome.verdict, outcome.reason), expected);
			assert_eq!(outcome.evidence.margin, margin);
			assert_eq!(state().removed, i == 3, "slashed at 5120, with the fourth answer");
		}
		assert_eq!(state().evidence.margin, 4 * margin);
	});
}

#[test]
fn a_missed_receipt_costs_the_segments_mean_price() {
	build_and_execute(|| {
		let works: Vec<_> = [30, 40, 51].into_iter().zip(0..).map(|(n, index)| work(1, index, n)).collect();
		let cases = Case::draw_all(&worker(), Delivery::of(works));
		told();
		run_to(cases[0].stored().deadline + 1);
		let mean = 151u128.div_ceil(3);
		assert_eq!(cases[0].stored().mean_price, mean);
		for (i, case) in cases.iter().enumerate() {
			let outcome = case.outcome();
			assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::ReceiptMissed));
			assert_eq!(outcome.evidence, Evidence { position: 1536, margin: 0 });
			assert_eq!(outcome.total.position, 1536 * (i as i32 + 1));
		}
		let told = told();
		assert_eq!(told.iter().filter(|t| **t == Told::Fined(worker(), 20 * mean)).count(), 3);
		assert!(told.contains(&Told::Judged(worker(), 3, mean, false)));
		assert_eq!(Balances::balance(&requester()), STAKE + 3 * mean);
		assert_eq!(SpotChecks::verdict_of(1, 2), Some(cases[2].outcome()));
		assert!(!state().removed, "three misses are not enough");
	});
}

#[test]
fn the_fourth_missed_receipt_is_a_slash() {
	build_and_execute(|| {
		let cases = Case::draw_all(&worker(), Delivery::of((0..5).map(|index| work(1, index, 40)).collect()));
		run_to(cases[0].stored().deadline + 3);
		assert_eq!(cases.iter().filter(|case| case.outcome().reason == Reason::Abandoned).count(), 1);
		assert!(state().removed);
		assert_eq!(Balances::balance(&account(10)), STAKE, "nobody of the panel has done anything");
	});
}

#[test]
fn missed_leaves_fail() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		assert_ok!(case.open_receipt());
		case.panel().iter().for_each(|who| {
			assert_ok!(case.commit(who, &case.reference()));
		});
		run_to(case.stored().deadline + 1);
		let outcome = case.outcome();
		assert_eq!((outcome.reason, outcome.evidence.position), (Reason::LeavesMissed, 1536));
		assert_eq!(Balances::balance(&worker()), STAKE - FINE);
		assert_eq!(Balances::balance(&account(10)), STAKE, "neither paid nor fined");
	});
}

#[test]
fn without_calibration_there_is_no_verdict() {
	build_and_execute(|| {
		let case = Case::draw(far_work(1, 0));
		world(|w| w.calibration = None);
		let outcome = case.decide();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Abstained, Reason::NotCalibrated));
		assert_eq!(Balances::balance(&worker()), STAKE);
	});
}

#[test]
fn after_a_failure_the_next_twenty_answers_are_audited_for_certain() {
	build_and_execute(|| {
		Case::draw(far_work(1, 0)).decide();
		AuditFloor::<Test>::kill();
		assert_eq!(SpotChecks::audit_probability(worker()), 1_000_000);
		run_to(EPOCH);
		let delivery = Delivery::of((1..21).map(|index| work(1, index, 3)).collect());
		assert_ok!(delivery.commit(&worker()));
		run_to(EPOCH + 2 * ROUND + 1);
		assert_eq!(SpotChecks::batch(worker(), 1).unwrap().drawn, 20, "all of them, without a floor");
		for id in 1..21 {
			assert_eq!(SpotChecks::audit_probability(worker()), 1_000_000);
			let work = delivery.work(SpotChecks::audit(id).unwrap().ordinal);
			let case = Case { audit: id, worker: worker(), delivery: delivery.clone(), work };
			assert_eq!(case.decide().verdict, Verdict::Passed);
		}
		assert_eq!((state().probation, state().clean), (0, 20));
		assert_eq!(SpotChecks::audit_probability(worker()), 250_000);
		assert_eq!(state().evidence.position, 0);
	});
}

#[test]
fn a_fine_is_at_least_the_minimum() {
	build_and_execute(|| {
		world(|w| {
			let facts = w.sessions.get_mut(&1).unwrap();
			(facts.price_in, facts.price_out) = (0, 0);
		});
		Case::draw(far_work(1, 0)).decide();
		assert_eq!(Balances::balance(&worker()), STAKE - MINIMUM_FINE);
		assert_eq!(Balances::balance(&requester()), STAKE);
		assert!(told().contains(&Told::Judged(worker(), 3, 0, false)));
	});
}
