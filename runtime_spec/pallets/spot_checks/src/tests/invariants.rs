//! Each invariant notices when it is broken.
use super::workshop::*;
use crate::{
	mock::*, Agenda, AgendaCursor, AuditFloor, AuditOf, Audits, BatchSpans, Batches, DrawRound, Due,
	NextAudit, OfValidator, OfWorker, OpenedLeaves, PlantTally, Plants, PlantsOf, References, ReviewOf,
	Reviews, Span, Spans, Stage, Undrawn, UndrawnReviews, WorkerState, Workers,
};
use frame_support::{assert_ok, storage::with_transaction};
use llmnet_primitives::{scoring::Evidence, Leaves};
use sp_core::H256;
use sp_runtime::{DispatchError, TransactionOutcome};

/// A worker with a decided audit, one whose leaves are open, one just drawn, and a sealed batch.
fn scene() -> Vec<Case> {
	let cases = Case::draw_all(&worker(), Delivery::of((0..3).map(|index| work(1, index, 20)).collect()));
	cases[0].decide();
	let reference = cases[1].reference();
	cases[1].to_leaves(&vec![reference.clone(); 3]);
	assert_ok!(cases[1].reveal(&account(10), &reference));
	bond(&account(2), llmnet_primitives::Role::Worker);
	open_session(5, &account(2));
	assert_ok!(Delivery::of(vec![work(5, 0, 4)]).commit(&account(2)));
	let named = (0..20).find(|position| !cases[0].positions().contains(position)).unwrap();
	let challenger = RuntimeOrigin::signed(account(11));
	assert_ok!(SpotChecks::challenge(challenger, 0, vec![named].try_into().unwrap()));
	assert_ok!(SpotChecks::set_planters(RuntimeOrigin::root(), vec![account(35)].try_into().unwrap()));
	assert_ok!(SpotChecks::plant(RuntimeOrigin::signed(account(35)), H256::zero()));
	cases
}

/// Whether the invariants notice `damage`, which is undone afterwards.
fn notices(damage: impl FnOnce()) -> bool {
	with_transaction(|| {
		damage();
		TransactionOutcome::Rollback(Ok::<_, DispatchError>(SpotChecks::do_try_state().is_err()))
	})
	.unwrap()
}

fn change_audit(id: u32, change: impl FnOnce(&mut crate::Audit)) {
	Audits::<Test>::mutate(id, |audit| change(audit.as_mut().unwrap()));
}

fn change_batch(change: impl FnOnce(&mut crate::Batch)) {
	Batches::<Test>::mutate(worker(), 0, |batch| change(batch.as_mut().unwrap()));
}

fn change_worker(change: impl FnOnce(&mut WorkerState)) {
	Workers::<Test>::mutate(worker(), change);
}

#[test]
fn the_scene_is_sound() {
	build_and_execute(|| {
		scene();
		assert!(!notices(|| ()));
	});
}

#[test]
fn a_broken_agenda_is_noticed() {
	build_and_execute(|| {
		let cases = scene();
		let deadline = cases[2].stored().deadline;
		assert!(notices(|| drop(Agenda::<Test>::clear(u32::MAX, None))));
		assert!(notices(|| Agenda::<Test>::remove(deadline)));
		assert!(notices(|| AgendaCursor::<Test>::put(deadline + 1)));
		assert!(notices(|| change_audit(2, |audit| audit.deadline += 1)));
		let prune = Due::PruneBatch(worker(), 0);
		assert!(notices(|| SpotChecks::schedule(prune, deadline)), "an open batch would be forgotten");
	});
}

#[test]
fn a_broken_audit_is_noticed() {
	build_and_execute(|| {
		scene();
		assert!(notices(|| NextAudit::<Test>::put(2)));
		assert!(notices(|| AuditOf::<Test>::remove((1, 2))));
		assert!(notices(|| AuditOf::<Test>::insert((1, 9), 2)));
		assert!(notices(|| change_audit(0, |audit| audit.outcome = None)));
		assert!(notices(|| change_audit(1, |audit| audit.answer = None)));
		assert!(notices(|| change_audit(2, |audit| audit.stage = Stage::LeavesOpened)));
		assert!(notices(|| OpenedLeaves::<Test>::remove(1)));
		assert!(notices(|| OpenedLeaves::<Test>::insert(2, Leaves::new())));
		assert!(notices(|| OpenedLeaves::<Test>::insert(9, Leaves::new())));
		assert!(notices(|| References::<Test>::remove(1, account(10))));
		assert!(notices(|| References::<Test>::insert(9, account(10), Leaves::new())));
		assert!(notices(|| change_audit(2, |audit| audit.panel[0].validator = account(11))));
		assert!(notices(|| change_audit(2, |audit| audit.panel[0].validator = worker())));
		assert!(notices(|| change_audit(2, |audit| audit.panel.truncate(1))));
		assert!(notices(|| change_audit(1, |audit| audit
			.panel
			.iter_mut()
			.for_each(|m| m.commitment = None))));
		assert!(notices(|| OfWorker::<Test>::remove(worker(), 2)));
		assert!(notices(|| OfWorker::<Test>::insert(worker(), 0, ())));
		assert!(notices(|| OfValidator::<Test>::remove(account(10), 2)));
		assert!(notices(|| OfValidator::<Test>::insert(account(13), 2, ())));
	});
}

#[test]
fn a_broken_batch_is_noticed() {
	build_and_execute(|| {
		scene();
		assert!(notices(|| change_batch(|batch| batch.pending += 1)));
		assert!(notices(|| change_batch(|batch| batch.pending -= 1)));
		assert!(notices(|| change_batch(|batch| batch.drawn = 1)));
		assert!(notices(|| change_batch(|batch| batch.state = crate::BatchState::Settled)));
		assert!(notices(|| Batches::<Test>::remove(worker(), 0)));
		assert!(notices(|| drop(Undrawn::<Test>::clear(u32::MAX, None))));
		assert!(notices(|| Undrawn::<Test>::insert(0, (account(9), 7), ())));
		assert!(notices(|| DrawRound::<Test>::put(u32::MAX)));
		assert!(notices(|| BatchSpans::<Test>::remove(account(2), SpotChecks::current_epoch())));
		let span = Span { start: 0, session: 1, first: 0, mean_price: 0 };
		assert!(notices(|| BatchSpans::<Test>::insert(worker(), 0, Spans::truncate_from(vec![span]))));
	});
}

#[test]
fn a_broken_review_is_noticed() {
	build_and_execute(|| {
		scene();
		let (id, by) = (3, account(11));
		assert!(Reviews::<Test>::contains_key(id));
		let change = |change: fn(&mut crate::Review)| {
			notices(|| Reviews::<Test>::mutate(id, |review| change(review.as_mut().unwrap())))
		};
		assert!(change(|review| review.bond = 0));
		assert!(change(|review| review.bond += 1));
		assert!(change(|review| review.of = 77));
		assert!(change(|review| review.by = account(12)));
		assert!(notices(|| Reviews::<Test>::remove(id)));
		assert!(notices(|| ReviewOf::<Test>::remove(0, &by)));
		assert!(notices(|| ReviewOf::<Test>::insert(1, &by, id)));
		assert!(notices(|| UndrawnReviews::<Test>::insert(0, id, ())));
		assert!(notices(|| UndrawnReviews::<Test>::insert(0, 77, ())));
		assert!(notices(|| Audits::<Test>::remove(id)));
		let record = crate::Records::<Test>::get(0).unwrap();
		assert!(notices(|| crate::Records::<Test>::insert(1, record)));
		assert!(notices(|| crate::PutOff::<Test>::insert(0, 1)));
		let slash = crate::Slash { to_treasury: 1, forfeited: 1 };
		assert!(notices(|| crate::Slashes::<Test>::insert(worker(), slash)));
	});
}

#[test]
fn a_broken_plant_is_noticed() {
	build_and_execute(|| {
		scene();
		let plant = || crate::Plant { planter: account(35), round: 0 };
		assert!(notices(|| Plants::<Test>::remove(H256::zero())));
		assert!(notices(|| Plants::<Test>::insert(H256::repeat_byte(1), plant())));
		assert!(notices(|| PlantsOf::<Test>::insert(account(35), 2)));
		assert!(notices(|| PlantsOf::<Test>::insert(account(36), 1)));
		assert!(notices(|| PlantTally::<Test>::mutate(|tally| tally.plants = 1)));
	});
}

#[test]
fn broken_findings_are_noticed() {
	build_and_execute(|| {
		scene();
		assert!(notices(|| AuditFloor::<Test>::put(1_000_001)));
		let evidence =
			|position, margin| move |state: &mut WorkerState| state.evidence = Evidence { position, margin };
		assert!(notices(|| change_worker(evidence(-1, 0))));
		assert!(notices(|| change_worker(evidence(0, -1))));
		assert!(notices(|| change_worker(evidence(5120, 0))));
		assert!(notices(|| change_worker(evidence(0, 5120))));
		assert!(!notices(|| change_worker(evidence(5119, 5119))));
		assert!(notices(|| change_worker(|state| state.probation = 101)));
	});
}
