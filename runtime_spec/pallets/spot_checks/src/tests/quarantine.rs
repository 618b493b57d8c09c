//! The way back after a slash, and what a strike means for an owner's other workers.
use super::workshop::*;
use crate::{mock::*, AuditFloor, Event, WorkerState, Workers};
use frame_support::assert_ok;
use llmnet_primitives::{Role, Verdict};
use sp_runtime::AccountId32;

/// Two grossly wrong answers of the worker, and the slash for them.
fn slash() {
	let far = |leaf: &mut llmnet_primitives::Leaf, _: &_| leaf.logit_sketch.iter_mut().for_each(|l| *l += 20);
	let works = (0..2).map(|index| work_with(1, index, 40, 0, far)).collect();
	for case in Case::draw_all(&worker(), Delivery::of(works)) {
		case.decide();
	}
	assert!(SpotChecks::worker_state(worker()).removed);
	run_to((SpotChecks::current_epoch() + 2) * EPOCH);
	AuditFloor::<Test>::kill();
}

fn commit(who: &AccountId32, session: u64, index: u32) {
	assert_ok!(Delivery::of(vec![work(session, index, 3)]).commit(who));
}

#[test]
fn who_comes_back_begins_on_probation_and_with_its_record() {
	build_and_execute(|| {
		slash();
		bond(&worker(), Role::Worker);
		told();
		commit(&worker(), 1, 2);
		assert!(told().contains(&Told::Readmitted(worker(), 0)), "what was forfeited stays so");
		System::assert_has_event(Event::Readmitted { worker: worker(), probation: 40 }.into());
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.removed, state.failed, state.probation, state.clean), (false, 2, 40, 0));
		assert_eq!((state.evidence.position, state.evidence.margin), (0, 0));
		assert_eq!(SpotChecks::audit_probability(worker()), 1_000_000);
		run_to((SpotChecks::current_epoch() + 1) * EPOCH);
		System::reset_events();
		commit(&worker(), 1, 3);
		let again = |event: &Event<Test>| matches!(event, Event::Readmitted { .. });
		assert!(!events().iter().any(again), "a strike is served once");
	});
}

#[test]
fn probation_after_a_strike_ends_with_passed_answers() {
	build_and_execute(|| {
		Workers::<Test>::insert(worker(), WorkerState { clean: 50, ..Default::default() });
		world(|w| w.strikes.insert(worker(), 1));
		let works = (0..20).map(|index| work(1, index, 3)).collect();
		let cases = Case::draw_all(&worker(), Delivery::of(works));
		AuditFloor::<Test>::kill();
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.probation, state.clean), (20, 0));
		for case in cases {
			assert_eq!(SpotChecks::audit_probability(worker()), 1_000_000);
			assert_eq!(case.decide().verdict, Verdict::Passed);
		}
		assert_eq!(SpotChecks::audit_probability(worker()), 250_000, "what passed before counts no more");
	});
}

#[test]
fn a_strike_of_the_owner_is_served_by_all_it_owns() {
	build_and_execute(|| {
		let (sister, stranger, owner) = (account(2), account(3), account(9));
		for (session, who) in [(5, &sister), (6, &stranger)] {
			bond(who, Role::Worker);
			open_session(session, who);
		}
		world(|w| w.owners.extend([(worker(), owner.clone()), (sister.clone(), owner)]));
		slash();
		assert_eq!(SpotChecks::worker_state(sister.clone()).probation, 0);
		commit(&sister, 5, 0);
		commit(&stranger, 6, 0);
		assert_eq!(SpotChecks::worker_state(sister).probation, 20);
		assert_eq!(SpotChecks::worker_state(stranger).probation, 0);
	});
}

#[test]
fn the_longest_probation_is_bounded() {
	build_and_execute(|| {
		world(|w| w.strikes.insert(worker(), u32::MAX));
		commit(&worker(), 1, 0);
		assert_eq!(SpotChecks::worker_state(worker()).probation, 100);
	});
}
