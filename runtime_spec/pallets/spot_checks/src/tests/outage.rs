//! When many miss their deadlines together, deadlines are put off.
use super::workshop::*;
use crate::{mock::*, Event, Outage, OutageWatch, PutOff, Stage};
use frame_support::assert_ok;
use llmnet_primitives::{scoring::Reason, Role, Verdict};

/// `count` workers with two drawn answers each, whose receipts are due.
fn drawn(count: u8) -> Vec<Case> {
	let mut cases = Vec::new();
	for n in 1..=count {
		bond(&account(n), Role::Worker);
		open_session(u64::from(n) + 10, &account(n));
	}
	crate::AuditFloor::<Test>::put(1_000_000);
	let delivery = |n: u8| Delivery::of((0..2).map(|index| work(u64::from(n) + 10, index, 20)).collect());
	for n in 1..=count {
		assert_ok!(delivery(n).commit(&account(n)));
	}
	run_to(2 * ROUND + 1);
	for n in 1..=count {
		cases.extend(Case::all_of(&account(n), 0, &delivery(n)));
	}
	assert_eq!(cases.len(), 2 * usize::from(count));
	cases
}

fn missed(cases: &[Case]) -> usize {
	cases.iter().filter(|case| case.stage() == Stage::Decided).count()
}

#[test]
fn an_outage_puts_deadlines_off_and_who_comes_back_passes() {
	build_and_execute(|| {
		let cases = drawn(6);
		run_to(cases[0].stored().deadline + 4);
		assert!(SpotChecks::outage());
		assert_eq!(missed(&cases), 7, "until it is known for an outage");
		let waiting: Vec<&Case> = cases.iter().filter(|case| case.stage() != Stage::Decided).collect();
		assert!(waiting.iter().all(|case| case.stored().deadline >= System::block_number()));
		let put_off = |event: &Event<Test>| matches!(event, Event::PutOffDeadline { .. });
		assert!(events().iter().any(put_off));
		for case in waiting {
			assert_eq!(case.decide().verdict, Verdict::Passed);
		}
		assert_eq!(PutOff::<Test>::iter().count(), 0);
	});
}

#[test]
fn who_never_comes_back_is_punished_in_the_end() {
	build_and_execute(|| {
		let cases = drawn(6);
		run_to(cases[0].stored().deadline + 7 * GRACE + 10);
		assert_eq!(missed(&cases), cases.len());
		for case in cases {
			assert_eq!(case.outcome().reason, Reason::ReceiptMissed);
		}
	});
}

#[test]
fn a_deadline_is_put_off_at_most_six_times() {
	build_and_execute(|| {
		let case = drawn(6).pop().unwrap();
		let first = case.stored().deadline;
		let mut deadlines = vec![first];
		while case.stage() != Stage::Decided {
			// The outage lasts.
			OutageWatch::<Test>::mutate(|watch| watch.before = true);
			next_block();
			let deadline = case.stored().deadline;
			if deadlines.last() != Some(&deadline) {
				deadlines.push(deadline);
			}
		}
		assert_eq!(deadlines.len(), 7);
	});
}

#[test]
fn each_stage_can_be_put_off_six_times() {
	build_and_execute(|| {
		let case = drawn(6).pop().unwrap();
		OutageWatch::<Test>::mutate(|watch| watch.before = true);
		run_to(case.stored().deadline + 1);
		assert_eq!(PutOff::<Test>::get(case.audit), 1);
		assert_ok!(case.open_receipt());
		assert_eq!(PutOff::<Test>::get(case.audit), 0, "the next stage begins anew");
	});
}

#[test]
fn the_misses_of_few_owners_are_theirs() {
	build_and_execute(|| {
		let cases = drawn(6);
		world(|w| w.owners.extend((1..=6).map(|n| (account(n), account(7 + n % 3)))));
		run_to(cases[0].stored().deadline + 4);
		assert_eq!(missed(&cases), 12);
		assert!(!SpotChecks::outage());
	});
}

#[test]
fn misses_among_many_done_duties_are_no_outage() {
	build_and_execute(|| {
		let cases = drawn(6);
		OutageWatch::<Test>::mutate(|watch| {
			(watch.period, watch.done) = (System::block_number() / OUTAGE, 36);
		});
		run_to(cases[0].stored().deadline + 4);
		assert_eq!(missed(&cases), 12, "12 of 48 are no more than a quarter");
	});
}

#[test]
fn an_outage_is_over_two_periods_later() {
	build_and_execute(|| {
		drawn(6);
		run_to(OUTAGE - 1);
		assert!(SpotChecks::outage());
		run_to(2 * OUTAGE - 1);
		assert!(SpotChecks::outage(), "the period after it");
		run_to(2 * OUTAGE + OUTAGE);
		assert!(!SpotChecks::outage());
	});
}

#[test]
fn duties_that_are_done_are_counted() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		case.decide();
		// A receipt, three commitments, leaves, three references.
		assert_eq!(OutageWatch::<Test>::get().done, 8);
	});
}

#[test]
fn who_has_not_acted_is_late() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let panel = case.panel();
		assert_ok!(case.open_receipt());
		assert_ok!(case.commit(&panel[1], &case.reference()));
		OutageWatch::<Test>::kill();
		run_to(case.stored().deadline + 1);
		let watch = OutageWatch::<Test>::get();
		assert_eq!(watch.missed, 2);
		assert_eq!(watch.missing.into_inner(), [panel[0].clone(), panel[2].clone()]);
	});
}

#[test]
fn an_outage_is_eight_misses_of_four_owners_and_more_than_a_quarter() {
	let spikes = |missed, done, owners: u8| {
		let missing = (0..owners).map(account).collect::<Vec<_>>().try_into().unwrap();
		Outage { missed, done, missing, ..Default::default() }.is_spike()
	};
	assert!(spikes(8, 23, 4));
	assert!(!spikes(8, 24, 4), "a quarter and no more");
	assert!(!spikes(7, 0, 4));
	assert!(!spikes(8, 0, 3));
}
