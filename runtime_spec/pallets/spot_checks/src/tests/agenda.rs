use super::{
	reviews::{appeal, framed, with_many_validators},
	workshop::*,
};
use crate::{mock::*, Agenda, AgendaCursor, Due, Stage, WeightInfo};
use frame_support::{assert_ok, assert_storage_noop, traits::Hooks, weights::Weight};

type W = <Test as crate::Config>::WeightInfo;

/// Room for `blocks` blocks of the agenda and `deadlines` deadlines, but for no draw.
fn room(blocks: u64, deadlines: u64) -> Weight {
	W::thaw() + W::agenda_block() * blocks + W::deadline() * deadlines
}

/// Ten audits that wait for their receipts.
fn ten() -> Vec<Case> {
	Case::draw_all(&worker(), Delivery::of((0..10).map(|index| work(1, index, 4)).collect()))
}

fn decided(cases: &[Case]) -> usize {
	cases.iter().filter(|case| case.stage() == Stage::Decided).count()
}

fn tasks(block: u32) -> usize {
	Agenda::<Test>::get(block).len()
}

#[test]
fn what_does_not_fit_moves_to_the_next_block() {
	build_and_execute(|| {
		let deadline = ten()[0].stored().deadline;
		assert_eq!([0, 1, 2, 3].map(|more| tasks(deadline + more)), [4, 4, 2, 0]);
	});
}

#[test]
fn overflown_deadlines_pass_in_their_later_block() {
	build_and_execute(|| {
		let cases = ten();
		run_to(cases[0].stored().deadline + 1);
		assert_eq!(decided(&cases), 4);
		next_block();
		next_block();
		assert_eq!(decided(&cases), 10);
	});
}

#[test]
fn without_weight_nothing_is_lost_and_later_all_is_done_in_order() {
	build_and_execute(|| {
		let cases = ten();
		let (cursor, deadline) = (AgendaCursor::<Test>::get(), cases[0].stored().deadline);
		while System::block_number() < deadline + 50 {
			next_block_with(Weight::zero());
		}
		assert_eq!((AgendaCursor::<Test>::get(), decided(&cases)), (cursor, 0));
		let blocks = u64::from(deadline - cursor + 1);
		next_block_with(room(blocks, 3));
		assert_eq!((AgendaCursor::<Test>::get(), decided(&cases[..3]), decided(&cases)), (deadline, 3, 3));
		assert_eq!(tasks(deadline), 1);
		next_block_with(room(2, 2));
		assert_eq!((AgendaCursor::<Test>::get(), decided(&cases)), (deadline + 1, 5));
		next_block();
		assert_eq!(AgendaCursor::<Test>::get(), System::block_number());
		assert_eq!(decided(&cases), 10);
	});
}

#[test]
fn the_deadline_of_a_stage_that_is_over_does_nothing() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 4));
		let first = case.stored().deadline;
		assert_ok!(case.open_receipt());
		let second = case.stored().deadline;
		assert!(second > first);
		assert!(Agenda::<Test>::get(first).contains(&Due::Deadline(case.audit)));
		run_to(first + 1);
		assert_eq!((case.stage(), tasks(first)), (Stage::ReceiptOpened, 0));
		run_to(second + 1);
		assert_eq!(case.stage(), Stage::Decided);
	});
}

#[test]
fn idle_work_is_charged() {
	build_and_execute(|| {
		let now = System::block_number();
		AgendaCursor::<Test>::put(now);
		crate::DrawRound::<Test>::put(now);
		assert_eq!(SpotChecks::on_idle(now, Weight::MAX), W::thaw() + W::agenda_block() + W::next_draw());
		assert_eq!(SpotChecks::on_idle(now, Weight::zero()), Weight::zero());
	});
}

#[test]
fn without_weight_nothing_is_written() {
	build_and_execute(|| {
		let now = System::block_number();
		assert_storage_noop!({
			SpotChecks::on_idle(now, Weight::zero());
		});
	});
}

/// What the idle work of this block costs, but for its tasks: one step to what is to be drawn, one to the next round,
/// and one that finds this round unfinished.
fn charged_for_draws() -> Weight {
	let now = System::block_number();
	let tasks = tasks(now) as u64;
	SpotChecks::on_idle(now, Weight::MAX)
		- (W::thaw() + W::agenda_block() + W::deadline() * tasks)
		- W::next_draw() * 3
}

#[test]
fn a_draw_is_charged_for_each_audit() {
	build_and_execute(|| {
		crate::AuditFloor::<Test>::put(llmnet_primitives::drawing::ONE);
		assert_ok!(Delivery::of((0..2).map(|index| work(1, index, 4)).collect()).commit(&worker()));
		run_to(2 * ROUND);
		assert_eq!(charged_for_draws(), W::draw_batch(2));
	});
}

#[test]
fn a_batch_that_is_sealed_anew_is_charged_for_no_audit() {
	build_and_execute(|| {
		world(|w| w.lost_rounds.insert(1));
		assert_ok!(Delivery::of(vec![work(1, 0, 4)]).commit(&worker()));
		run_to(2 * ROUND);
		assert_eq!(charged_for_draws(), W::draw_batch(0));
	});
}

#[test]
fn the_draw_of_a_review_is_charged_like_that_of_one_audit() {
	with_many_validators(|| {
		let case = framed(0);
		assert_ok!(appeal(&case));
		run_to((System::block_number() / ROUND + 2) * ROUND);
		assert_eq!(charged_for_draws(), W::draw_batch(1));
		assert_eq!(case.review_by(&worker()).stage(), Stage::ReceiptOpened);
	});
}

#[test]
fn the_mock_chain_s_configuration_is_sound() {
	<SpotChecks as Hooks<u32>>::integrity_test();
}
