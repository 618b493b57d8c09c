use super::workshop::*;
use crate::{mock::*, AuditOf, Audits, BatchState, Error, Event, ReferenceCommitment, Stage};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use llmnet_primitives::{scoring::Reason, Leaf, Leaves, Receipt, Verdict};
use sp_core::H256;

/// Two segments of three answers each, of which the fifth is the case.
fn one_of_six() -> Case {
	let answers = |session| (4..7).map(|index| work(session, index, 20 + index)).collect();
	let delivery = Delivery { answers: vec![answers(1), answers(2)] };
	Case::draw_all(&worker(), delivery).remove(4)
}

#[test]
fn an_audit_goes_through_its_stages() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let (audit, positions, panel) = (case.audit, case.positions(), case.panel());
		let now = System::block_number();
		let drawn = now - 1 + RECEIPT;
		assert!(events().contains(&Event::AuditDrawn {
			audit,
			worker: worker(),
			epoch: 0,
			ordinal: 0,
			panel: panel.clone(),
			deadline: drawn,
		}));
		assert_eq!(SpotChecks::due_of_worker(worker()), [(audit, Stage::Drawn, drawn)]);
		assert!(SpotChecks::positions(audit).is_empty());
		assert_ok!(case.open_receipt());
		let deadline = now + REFERENCE;
		let opened =
			Event::ReceiptOpened { audit, session: 1, index: 0, positions: positions.clone(), deadline };
		assert_eq!(events(), [opened]);
		assert_eq!(SpotChecks::positions(audit), positions);
		assert!(SpotChecks::due_of_worker(worker()).is_empty());
		let assigned = |acted| vec![(audit, Stage::ReceiptOpened, deadline, acted)];
		assert_eq!(SpotChecks::assignments(panel[0].clone()), assigned(false));
		assert_ok!(case.commit(&panel[0], &case.reference()));
		assert_eq!(SpotChecks::assignments(panel[0].clone()), assigned(true));
		assert_ok!(case.commit(&panel[1], &case.reference()));
		events();
		assert_ok!(case.commit(&panel[2], &case.reference()));
		let committed = Event::ReferenceCommitted { audit, validator: panel[2].clone(), withheld: false };
		assert_eq!(events(), [committed, Event::LeavesDue { audit, deadline: now + LEAVES }]);
		assert_eq!(SpotChecks::due_of_worker(worker()), [(audit, Stage::Referenced, now + LEAVES)]);
		let waiting = [(audit, Stage::Referenced, now + LEAVES, true)];
		assert_eq!(SpotChecks::assignments(panel[0].clone()), waiting);
		assert_ok!(case.open_leaves());
		assert_eq!(events(), [Event::LeavesOpened { audit, deadline: now + REVEAL }]);
		assert_eq!(
			SpotChecks::assignments(panel[1].clone()),
			[(audit, Stage::LeavesOpened, now + REVEAL, false)]
		);
		events();
		for validator in &panel {
			assert_ok!(case.reveal(validator, &case.reference()));
		}
		let revealed = |place: usize| Event::ReferenceRevealed { audit, validator: panel[place].clone() };
		let decided = Event::Decided {
			audit,
			worker: worker(),
			session: 1,
			index: 0,
			verdict: Verdict::Passed,
			reason: Reason::Clean,
			position_evidence: -256,
			margin_evidence: -208,
			position_total: 0,
			margin_total: 0,
		};
		let settled = Event::BatchSettled { worker: worker(), epoch: 0 };
		assert_eq!(events(), [revealed(0), revealed(1), revealed(2), decided, settled]);
		assert_eq!(case.stage(), Stage::Decided);
		assert!(SpotChecks::assignments(panel[1].clone()).is_empty());
	});
}

#[test]
fn a_passed_answer_pays_its_panel_settles_and_is_forgotten() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		told();
		let outcome = case.decide();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Passed, Reason::Clean));
		assert_eq!((outcome.evidence.position, outcome.evidence.margin), (-256, -208));
		assert_eq!((outcome.total.position, outcome.total.margin), (0, 0));
		let mut expected: Vec<_> =
			validators().into_iter().map(|who| Told::Paid(who, PANEL_REWARD)).collect();
		expected.extend([Told::Judged(worker(), 3, 50, true), Told::Settled(worker(), 0)]);
		assert_eq!(told(), expected);
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.passed, state.clean, state.failed, state.probation), (1, 1, 0, 0));
		assert_eq!(SpotChecks::batch(worker(), 0).unwrap().state, BatchState::Settled);
		assert_eq!(SpotChecks::verdict_of(1, 0), Some(outcome));
		assert_eq!(Balances::balance(&worker()), STAKE);
		run_to(outcome.block + RETENTION + 1);
		assert_eq!((Audits::<Test>::iter().count(), AuditOf::<Test>::iter().count()), (0, 0));
		assert_eq!(SpotChecks::verdict_of(1, 0), None);
	});
}

#[test]
fn another_receipt_than_the_drawn_one_is_refused() {
	build_and_execute(|| {
		let case = one_of_six();
		let ordinal = case.stored().ordinal;
		let refused = |opening: Opening, error: Error<Test>| {
			assert_noop!(open(&worker(), case.audit, opening), error);
		};
		let good = case.delivery.opening(ordinal);
		assert_eq!((ordinal, good.placed.start), (4, 3));
		let with = |change: fn(&mut Opening)| {
			let mut opening = good.clone();
			change(&mut opening);
			opening
		};
		refused(case.delivery.opening(1), Error::SegmentMismatch);
		let other = case.delivery.opening(3);
		refused(other.clone(), Error::ReceiptMismatch);
		let receipt = Receipt { index: 5, ..other.receipt };
		refused(Opening { receipt, ..other.clone() }, Error::ReceiptProofInvalid);
		refused(Opening { receipt_proof: other.receipt_proof, ..good.clone() }, Error::ReceiptProofInvalid);
		refused(with(|o| o.placed.start = 2), Error::SegmentProofInvalid);
		refused(with(|o| o.placed.start = u32::MAX), Error::SegmentMismatch);
		refused(with(|o| o.placed.segment.amount += 1), Error::SegmentProofInvalid);
		refused(with(|o| o.placed.segment.first = 9), Error::SegmentMismatch);
		refused(with(|o| o.segment_proof.clear()), Error::SegmentProofInvalid);
		refused(with(|o| o.segment_proof.force_push(H256::zero())), Error::SegmentProofInvalid);
		refused(with(|o| o.receipt_proof.clear()), Error::ReceiptProofInvalid);
		refused(with(|o| o.receipt_proof.force_push(H256::zero())), Error::ReceiptProofInvalid);
		refused(with(|o| o.receipt_proof[0] = H256::zero()), Error::ReceiptProofInvalid);
		refused(with(|o| o.receipt.n_out += 1), Error::ReceiptProofInvalid);
		refused(with(|o| o.receipt.session = 1), Error::ReceiptMismatch);
		refused(with(|o| o.receipt.n_out = 0), Error::EmptyAnswer);
		assert_noop!(open(&worker(), 99, good.clone()), Error::<Test>::UnknownAudit);
		assert_noop!(open(&account(2), case.audit, good.clone()), Error::<Test>::NotTheWorker);
		assert_ok!(case.open_receipt());
		assert_noop!(case.open_receipt(), Error::<Test>::WrongStage);
	});
}

#[test]
fn a_segment_ends_where_the_next_begins() {
	build_and_execute(|| {
		let answers = |session| (4..7).map(|index| work(session, index, 20)).collect();
		let cases = Case::draw_all(&worker(), Delivery { answers: vec![answers(1), answers(2)] });
		for (drawn, other) in [(2, 3), (3, 2)] {
			let opening = cases[drawn].delivery.opening(other);
			assert_noop!(open(&worker(), cases[drawn].audit, opening), Error::<Test>::SegmentMismatch);
			assert_ok!(cases[drawn].open_receipt());
		}
	});
}

#[test]
fn duties_are_listed_by_number() {
	build_and_execute(|| {
		let cases = Case::draw_all(&worker(), Delivery::of((0..9).map(|index| work(1, index, 4)).collect()));
		let mut all: Vec<_> = cases.iter().map(|case| case.audit).collect();
		all.sort();
		let due = SpotChecks::due_of_worker(worker());
		assert_eq!(due.into_iter().map(|(audit, ..)| audit).collect::<Vec<_>>(), all);
		let assigned = SpotChecks::assignments(account(10));
		assert_eq!(assigned.into_iter().map(|(audit, ..)| audit).collect::<Vec<_>>(), all);
	});
}

#[test]
fn a_receipt_needs_a_session_with_a_seed_and_a_countable_price() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let facts = world(|w| w.sessions.remove(&1).unwrap());
		assert_noop!(case.open_receipt(), Error::<Test>::UnknownSession);
		let set = |change: fn(&mut llmnet_primitives::SessionFacts<_, u128>)| {
			let mut changed = facts.clone();
			change(&mut changed);
			world(|w| w.sessions.insert(1, changed));
		};
		set(|facts| facts.seed = None);
		assert_noop!(case.open_receipt(), Error::<Test>::SeedMissing);
		set(|facts| facts.price_out = u128::MAX);
		assert_noop!(case.open_receipt(), Error::<Test>::PriceOverflow);
		set(|_| ());
		assert_ok!(case.open_receipt());
	});
}

#[test]
fn an_answer_committed_without_tokens_can_not_be_opened() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 0));
		assert_noop!(case.open_receipt(), Error::<Test>::EmptyAnswer);
		run_to(case.stored().deadline + 1);
		assert_eq!(case.outcome().reason, Reason::ReceiptMissed);
	});
}

#[test]
fn only_the_panel_commits_and_each_member_once() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let (panel, reference) = (case.panel(), case.reference());
		assert_noop!(case.commit(&panel[0], &reference), Error::<Test>::WrongStage);
		assert_ok!(case.open_receipt());
		assert_noop!(case.commit(&worker(), &reference), Error::<Test>::NotOnPanel);
		assert_noop!(case.commit(&account(13), &reference), Error::<Test>::NotOnPanel);
		assert_ok!(case.commit(&panel[0], &reference));
		assert_noop!(case.commit(&panel[0], &reference), Error::<Test>::AlreadyCommitted);
		assert_noop!(case.report(&panel[0]), Error::<Test>::AlreadyCommitted);
		assert_ok!(case.report(&panel[1]));
		let last =
			Event::ReferenceCommitted { audit: case.audit, validator: panel[1].clone(), withheld: true };
		System::assert_last_event(last.into());
	});
}

fn refuse_leaves(case: &Case, leaves: Vec<Leaf>, nodes: llmnet_primitives::ProofNodes, error: Error<Test>) {
	let origin = RuntimeOrigin::signed(worker());
	assert_noop!(SpotChecks::open_leaves(origin, case.audit, leaves.try_into().unwrap(), nodes), error);
}

#[test]
fn other_leaves_than_the_drawn_ones_are_refused() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		assert_noop!(case.open_leaves(), Error::<Test>::WrongStage);
		assert_ok!(case.open_receipt());
		case.panel().iter().for_each(|who| {
			assert_ok!(case.commit(who, &case.reference()));
		});
		let positions = case.positions();
		let (leaves, good) = opened_leaves(&case.work, &positions);
		let refused = |leaves: Vec<Leaf>, error| refuse_leaves(&case, leaves, good.clone(), error);
		let leaves = leaves.into_inner();
		refused(vec![], Error::LeavesMismatch);
		refused(leaves[1..].to_vec(), Error::LeavesMismatch);
		refused(leaves.iter().rev().cloned().collect(), Error::LeavesMismatch);
		refused(vec![leaves[0].clone(); 16], Error::LeavesMismatch);
		let undrawn = (0..40).find(|position| !positions.contains(position)).unwrap();
		let mut others = leaves.clone();
		others[0] = case.work.leaves[undrawn as usize].clone();
		refused(others.clone(), Error::LeavesMismatch);
		others[0].position = positions[0];
		refused(others, Error::LeafProofInvalid);
		let mut forged = leaves.clone();
		forged[3].hidden_sketch[0] += 1;
		refused(forged, Error::LeafProofInvalid);
		let mut longer = good.clone();
		longer.force_push(H256::zero());
		refuse_leaves(&case, leaves.clone(), longer, Error::LeafProofInvalid);
		let shorter = good[1..].to_vec().try_into().unwrap();
		refuse_leaves(&case, leaves.clone(), shorter, Error::LeafProofInvalid);
		let foreign = RuntimeOrigin::signed(account(2));
		let leaves: Leaves = leaves.try_into().unwrap();
		let call = SpotChecks::open_leaves(foreign, case.audit, leaves, good.clone());
		assert_noop!(call, Error::<Test>::NotTheWorker);
		assert_ok!(case.open_leaves());
		assert_noop!(case.open_leaves(), Error::<Test>::WrongStage);
	});
}

#[test]
fn leaves_of_a_tree_with_another_number_of_tokens_are_refused() {
	build_and_execute(|| {
		// The receipt claims fewer tokens than the transcript has leaves.
		let mut answer = work(1, 0, 40);
		answer.receipt.n_out = 39;
		let case = Case::draw(answer);
		assert_ok!(case.open_receipt());
		case.panel().iter().for_each(|who| {
			assert_ok!(case.commit(who, &case.reference()));
		});
		assert_noop!(case.open_leaves(), Error::<Test>::LeafProofInvalid);
		run_to(case.stored().deadline + 1);
		assert_eq!(case.outcome().reason, Reason::LeavesMissed);
	});
}

#[test]
fn only_what_was_committed_can_be_revealed_and_once() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let (panel, reference) = (case.panel(), case.reference());
		assert_ok!(case.open_receipt());
		assert_ok!(case.commit(&panel[0], &reference));
		assert_ok!(case.commit(&panel[1], &reference));
		assert_noop!(case.reveal(&panel[0], &reference), Error::<Test>::WrongStage);
		assert_ok!(case.report(&panel[2]));
		assert_noop!(case.reveal(&panel[0], &reference), Error::<Test>::WrongStage);
		assert_ok!(case.open_leaves());
		let mut other = reference.clone();
		other[0].logit_sketch[0] += 1;
		assert_noop!(case.reveal(&panel[0], &other), Error::<Test>::CommitmentMismatch);
		let origin = RuntimeOrigin::signed(panel[0].clone());
		let salted = SpotChecks::reveal_reference(origin, case.audit, reference.clone(), [8; 32]);
		assert_noop!(salted.map_err(|refused| refused.error), Error::<Test>::CommitmentMismatch);
		assert_noop!(case.reveal(&panel[2], &reference), Error::<Test>::NothingCommitted);
		assert_noop!(case.reveal(&account(13), &reference), Error::<Test>::NotOnPanel);
		assert_ok!(case.reveal(&panel[0], &reference));
		assert_noop!(case.reveal(&panel[0], &reference), Error::<Test>::AlreadyRevealed);
		assert_ok!(case.reveal(&panel[1], &reference));
		assert_noop!(case.reveal(&panel[1], &reference), Error::<Test>::WrongStage);
	});
}

#[test]
fn copying_a_commitment_does_not_pay() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let (panel, reference) = (case.panel(), case.reference());
		assert_ok!(case.open_receipt());
		assert_ok!(case.commit(&panel[0], &reference));
		assert_ok!(case.commit(&panel[1], &reference));
		let copied = ReferenceCommitment::Reference(case.commit_hash(&panel[0], &reference));
		let copier = panel[2].clone();
		assert_ok!(SpotChecks::commit_reference(RuntimeOrigin::signed(copier.clone()), case.audit, copied));
		assert_ok!(case.open_leaves());
		assert_ok!(case.reveal(&panel[0], &reference));
		assert_noop!(case.reveal(&copier, &reference), Error::<Test>::CommitmentMismatch);
		assert_ok!(case.reveal(&panel[1], &reference));
		told();
		run_to(case.stored().deadline + 1);
		assert_eq!(case.outcome().verdict, Verdict::Passed);
		let told = told();
		assert!(told.contains(&Told::Fined(copier.clone(), 20 * 50)));
		assert!(!told.contains(&Told::Paid(copier.clone(), PANEL_REWARD)));
		assert_eq!(Balances::balance(&copier), STAKE - 1_000);
	});
}

/// Waits for the last block in which the audit's actors may act.
fn to_last_block(case: &Case) {
	run_to(case.stored().deadline);
}

#[test]
fn each_stage_can_be_done_in_its_last_block() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		to_last_block(&case);
		assert_ok!(case.open_receipt());
		to_last_block(&case);
		case.panel().iter().for_each(|who| {
			assert_ok!(case.commit(who, &case.reference()));
		});
		to_last_block(&case);
		assert_ok!(case.open_leaves());
		to_last_block(&case);
		case.panel().iter().for_each(|who| {
			assert_ok!(case.reveal(who, &case.reference()));
		});
		assert_eq!(case.outcome().verdict, Verdict::Passed);
	});
}

/// Lets the deadline pass without anybody working off the agenda.
fn past_deadline(case: &Case) -> u32 {
	let deadline = case.stored().deadline;
	System::set_block_number(deadline + 1);
	deadline
}

#[test]
fn nothing_can_be_done_after_the_last_block_even_if_the_agenda_is_late() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let back = past_deadline(&case);
		assert_noop!(case.open_receipt(), Error::<Test>::DeadlinePassed);
		System::set_block_number(back);
		assert_ok!(case.open_receipt());
		let back = past_deadline(&case);
		assert_noop!(case.commit(&case.panel()[0], &case.reference()), Error::<Test>::DeadlinePassed);
		System::set_block_number(back);
		case.panel().iter().for_each(|who| {
			assert_ok!(case.commit(who, &case.reference()));
		});
		let back = past_deadline(&case);
		assert_noop!(case.open_leaves(), Error::<Test>::DeadlinePassed);
		System::set_block_number(back);
		assert_ok!(case.open_leaves());
		past_deadline(&case);
		assert_noop!(case.reveal(&case.panel()[0], &case.reference()), Error::<Test>::DeadlinePassed);
	});
}
