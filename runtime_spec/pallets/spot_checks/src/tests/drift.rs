//! When many drift together, slashing freezes.
use super::workshop::*;
use crate::{mock::*, Drift, DriftWatch, Error, Event};
use frame_support::{assert_noop, assert_ok};
use llmnet_primitives::{
	sampling::Sampler,
	scoring::{Evidence, Reason},
	Leaf, Role, Verdict,
};
use sp_runtime::AccountId32;

/// Workers 1 to `count` with a session each.
fn workers(count: u8) -> Vec<AccountId32> {
	let all: Vec<_> = (1..=count).map(account).collect();
	for (n, who) in all.iter().enumerate() {
		bond(who, Role::Worker);
		open_session(10 + n as u64, who);
	}
	all
}

fn far(leaf: &mut Leaf, _: &Sampler) {
	leaf.logit_sketch.iter_mut().for_each(|lane| *lane += 20);
}

fn contradictory(leaf: &mut Leaf, _: &Sampler) {
	leaf.token = leaf.candidates[1].id;
}

/// Audits one answer of worker `n` with `change` in its leaves.
fn audit(n: u8, index: u32, change: fn(&mut Leaf, &Sampler)) -> crate::Outcome {
	let session = 9 + u64::from(n);
	let delivery = Delivery::of(vec![work_with(session, index, 40, 0, change)]);
	if SpotChecks::batch(account(n), SpotChecks::current_epoch()).is_some() {
		run_to((SpotChecks::current_epoch() + 1) * EPOCH);
	}
	Case::draw_all(&account(n), delivery).pop().unwrap().decide()
}

fn honest(_: &mut Leaf, _: &Sampler) {}

#[test]
fn slashing_freezes_when_three_owners_drift() {
	build_and_execute(|| {
		workers(3);
		audit(1, 0, far);
		audit(2, 0, far);
		assert!(!SpotChecks::slashing_frozen());
		audit(3, 0, far);
		assert!(SpotChecks::slashing_frozen());
		System::assert_has_event(Event::DriftAlarm { drifting: 3, audited: 3 }.into());
		let outcome = audit(1, 1, far);
		assert_eq!(outcome.reason, Reason::Positions, "audits go on");
		assert_eq!(outcome.total.position, 5119);
		let state = SpotChecks::worker_state(account(1));
		assert!(!state.removed, "but nobody is slashed");
		assert_eq!((state.failed, state.probation), (2, 20), "fines and probation go on");
	});
}

#[test]
fn after_the_thaw_the_next_wrong_answer_is_a_slash() {
	build_and_execute(|| {
		workers(3);
		(1..=3).for_each(|n| assert_eq!(audit(n, 0, far).verdict, Verdict::Failed));
		audit(1, 1, far);
		let period = System::block_number() / DRIFT;
		run_to((period + 2) * DRIFT - 1);
		assert!(SpotChecks::slashing_frozen(), "until the last block of the next period");
		next_block();
		assert!(!SpotChecks::slashing_frozen(), "by itself, a period after the last alarm");
		next_block();
		System::assert_has_event(Event::Thawed.into());
		assert_eq!(DriftWatch::<Test>::get().frozen_until, None);
		audit(2, 1, honest);
		audit(1, 2, far);
		assert!(SpotChecks::worker_state(account(1)).removed);
		assert!(!SpotChecks::worker_state(account(2)).removed);
	});
}

#[test]
fn a_few_of_many_are_cheats_and_no_drift() {
	build_and_execute(|| {
		workers(9);
		for owner in 4..=9 {
			world(|w| w.owners.insert(account(owner), account(owner)));
		}
		DriftWatch::<Test>::mutate(|watch| watch.audited = 57);
		(1..=2).for_each(|n| assert_eq!(audit(n, 0, far).verdict, Verdict::Failed));
		audit(4, 0, honest);
		audit(3, 0, far);
		assert!(!SpotChecks::slashing_frozen(), "3 of 61 are less than a twentieth");
		DriftWatch::<Test>::mutate(|watch| watch.audited = 55);
		audit(5, 0, far);
		assert!(SpotChecks::slashing_frozen(), "4 of 56 are more");
	});
}

#[test]
fn an_owner_counts_once_however_many_workers_it_has() {
	build_and_execute(|| {
		let all = workers(5);
		world(|w| w.owners.extend(all.iter().map(|who| (who.clone(), account(9)))));
		(1..=5).for_each(|n| assert_eq!(audit(n, 0, far).verdict, Verdict::Failed));
		assert!(!SpotChecks::slashing_frozen());
		let watch = DriftWatch::<Test>::get();
		assert_eq!((watch.audited, watch.drifting), (1, 1));
	});
}

#[test]
fn contradictions_are_no_drift() {
	build_and_execute(|| {
		workers(4);
		(1..=4).for_each(|n| assert_eq!(audit(n, 0, contradictory).verdict, Verdict::Failed));
		assert!(!SpotChecks::slashing_frozen());
		assert_eq!(DriftWatch::<Test>::get().drifting, 0);
		audit(1, 1, contradictory);
		assert!(SpotChecks::worker_state(account(1)).removed);
	});
}

#[test]
fn counts_belong_to_their_period() {
	build_and_execute(|| {
		workers(3);
		audit(1, 0, far);
		audit(2, 0, far);
		run_to(3 * DRIFT);
		audit(3, 0, far);
		assert!(!SpotChecks::slashing_frozen());
		let watch = DriftWatch::<Test>::get();
		assert_eq!((watch.audited, watch.audited_before, watch.drifting), (1, 0, 1));
	});
}

#[test]
fn root_thaws() {
	build_and_execute(|| {
		workers(3);
		assert_noop!(SpotChecks::thaw(RuntimeOrigin::root()), Error::<Test>::NotFrozen);
		(1..=3).for_each(|n| assert_eq!(audit(n, 0, far).verdict, Verdict::Failed));
		let nobody = SpotChecks::thaw(RuntimeOrigin::signed(account(1)));
		assert_noop!(nobody, sp_runtime::DispatchError::BadOrigin);
		assert_ok!(SpotChecks::thaw(RuntimeOrigin::root()));
		assert!(!SpotChecks::slashing_frozen());
		assert_eq!(DriftWatch::<Test>::get().drifting, 0, "what was counted so far does not freeze again");
		audit(1, 1, far);
		assert!(SpotChecks::worker_state(account(1)).removed);
	});
}

#[test]
fn at_a_period_s_beginning_those_audited_before_count() {
	build_and_execute(|| {
		workers(4);
		DriftWatch::<Test>::mutate(|watch| watch.audited = 60);
		run_to(DRIFT);
		(1..=3).for_each(|n| assert_eq!(audit(n, 0, far).verdict, Verdict::Failed));
		let watch = DriftWatch::<Test>::get();
		assert_eq!((watch.audited, watch.audited_before, watch.drifting), (3, 60, 3));
		assert!(!SpotChecks::slashing_frozen(), "3 of 60 are a twentieth and no more");
		audit(4, 0, far);
		assert!(SpotChecks::slashing_frozen(), "4 of 60 are more");
	});
}

#[test]
fn the_alarm_needs_three_and_more_than_a_twentieth() {
	let alarms = |drifting, audited| Drift { drifting, audited, ..Default::default() }.is_alarming();
	assert!(!alarms(2, 2));
	assert!(alarms(3, 3));
	assert!(alarms(3, 59));
	assert!(!alarms(3, 60));
}

/// Whether a worker counts as drifting after an answer that leaves its evidence at `total`.
fn drifts(reason: Reason, answer: (i32, i32), total: (i32, i32)) -> bool {
	let evidence = |(position, margin)| Evidence { position, margin };
	let drifting = || DriftWatch::<Test>::get().drifting;
	DriftWatch::<Test>::kill();
	crate::DriftSeen::<Test>::remove(worker());
	SpotChecks::watch_drift(&worker(), reason, &evidence(answer), &evidence(total));
	drifting() == 1
}

#[test]
fn who_drifts_stands_at_half_of_the_slash_line() {
	build_and_execute(|| {
		assert!(!drifts(Reason::Clean, (9, 9), (2559, 2559)));
		assert!(drifts(Reason::Clean, (9, 9), (2560, 0)));
		assert!(drifts(Reason::Clean, (9, 9), (0, 2560)));
	});
}

#[test]
fn only_an_answer_that_speaks_against_its_worker_is_drift() {
	build_and_execute(|| {
		let high = (5000, 5000);
		assert!(drifts(Reason::Positions, (1, 0), high));
		assert!(drifts(Reason::Margin, (0, 1), high));
		assert!(!drifts(Reason::Clean, (0, 0), high));
		assert!(!drifts(Reason::Clean, (-256, -208), high));
	});
}
