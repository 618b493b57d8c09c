use crate::{
	mock::*, AuditFloor, Audits, BatchState, Batches, DrawRound, Error, Event, SkipReason, Undrawn,
	WorkerState, Workers,
};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, weights::Weight};
use llmnet_primitives::{
	drawing::ONE, hash, merkle::root_of, scoring::Evidence, Role, Segment, Segments, Verdict,
};
use sp_core::H256;
use sp_runtime::{AccountId32, DispatchError};

fn segment(session: u64, first: u32, last: u32, amount: u128) -> Segment {
	Segment { session, first, last, receipts_root: H256::zero(), amount }
}

fn commit(who: AccountId32, segments: Vec<Segment>) -> frame_support::dispatch::DispatchResult {
	SpotChecks::commit_batch(RuntimeOrigin::signed(who), Segments::try_from(segments).expect("few"))
}

/// Commits and waits for the draw.
fn drawn(segments: Vec<Segment>) -> (u32, crate::Batch) {
	let epoch = SpotChecks::current_epoch();
	assert_ok!(commit(worker(), segments));
	while SpotChecks::batch(worker(), epoch).unwrap().state == BatchState::Sealed {
		next_block();
	}
	(epoch, SpotChecks::batch(worker(), epoch).unwrap())
}

#[test]
fn a_batch_is_placed_rooted_and_recorded() {
	build_and_execute(|| {
		run_to(7);
		let segments = vec![segment(1, 5, 9, 100), segment(2, 0, 0, 30), segment(1, 10, 11, 0)];
		assert_ok!(commit(worker(), segments.clone()));
		let starts = [0u32, 5, 6];
		let placed: Vec<Vec<u8>> = starts.iter().zip(&segments).map(|pair| pair.encode()).collect();
		let batch = SpotChecks::batch(worker(), 0).unwrap();
		assert_eq!(batch.root, llmnet_primitives::merkle::root(&placed).unwrap());
		assert_eq!((batch.segments, batch.receipts, batch.amount), (3, 8, 130));
		assert_eq!((batch.round, batch.state), (1, BatchState::Sealed));
		assert_eq!((batch.drawn, batch.pending), (0, 0));
		let recorded = |session| Told::Recorded(worker(), session, 0);
		assert_eq!(told(), [recorded(1), recorded(2), recorded(1)]);
		let event = Event::BatchCommitted { worker: worker(), epoch: 0, receipts: 8, amount: 130 };
		System::assert_last_event(event.into());
		assert_ne!(batch.root, root_of(&segments).unwrap(), "the places are bound too");
	});
}

#[test]
fn a_batch_holds_what_its_draws_can_audit() {
	build_and_execute(|| {
		let most = crate::types::MAX_RECEIPTS;
		assert_eq!(u64::from(most) * u64::from(crate::types::LEAST_PROBABILITY), 32_000_000);
		let two = |last| vec![segment(1, 0, 9, 5), segment(2, 10, last, 5)];
		assert_noop!(commit(worker(), two(most)), Error::<Test>::BatchTooLarge);
		assert_ok!(commit(worker(), two(most - 1)));
	});
}

#[test]
fn the_stake_pays_the_fine_for_the_dearest_answer_that_a_batch_can_hold() {
	build_and_execute(|| {
		// One answer may cost all of it, whatever its segment says of the mean.
		let worth = |amount| vec![segment(1, 0, 99, amount / 2), segment(2, 0, 0, amount - amount / 2)];
		assert_noop!(commit(worker(), worth(STAKE / 20 + 1)), Error::<Test>::StakeTooSmall);
		assert_noop!(commit(worker(), worth(u128::MAX)), Error::<Test>::StakeTooSmall);
		assert_ok!(commit(worker(), worth(STAKE / 20)));
	});
}

#[test]
fn refused_batches_change_nothing() {
	build_and_execute(|| {
		let good = || vec![segment(1, 0, 1, 5)];
		assert_noop!(commit(account(2), good()), Error::<Test>::NotActiveWorker);
		assert_noop!(commit(account(10), good()), Error::<Test>::NotActiveWorker);
		assert_noop!(commit(worker(), vec![]), Error::<Test>::NoSegments);
		assert_noop!(commit(worker(), vec![segment(1, 2, 1, 5)]), Error::<Test>::SegmentReversed);
		let all = segment(1, 0, u32::MAX, 5);
		assert_noop!(commit(worker(), vec![all]), Error::<Test>::BatchTooLarge);
		let most = segment(1, 1, u32::MAX, 5);
		assert_noop!(commit(worker(), vec![most, segment(2, 0, 0, 5)]), Error::<Test>::BatchTooLarge);
		let rich = segment(1, 0, 0, u128::MAX);
		assert_noop!(commit(worker(), vec![rich, segment(2, 0, 0, 1)]), Error::<Test>::BatchTooLarge);
		let refused = DispatchError::Other("the ledger refuses");
		assert_noop!(commit(worker(), vec![segment(99, 0, 0, 5)]), refused);
		assert_noop!(
			SpotChecks::commit_batch(RuntimeOrigin::root(), Default::default()),
			DispatchError::BadOrigin
		);
		assert!(Segments::try_from(vec![all; 257]).is_err());
		assert_ok!(commit(worker(), good()));
		assert_noop!(commit(worker(), good()), Error::<Test>::BatchExists);
		run_to(EPOCH);
		assert_ok!(commit(worker(), good()));
	});
}

#[test]
fn a_batch_is_drawn_as_soon_as_the_next_round_is_over() {
	build_and_execute(|| {
		AuditFloor::<Test>::put(ONE);
		run_to(7);
		assert_ok!(commit(worker(), vec![segment(1, 0, 1, 5)]));
		run_to(3 * ROUND);
		assert_eq!(Audits::<Test>::count_open(), 0, "round 2 is not over at the end of block 14");
		assert_eq!(SpotChecks::batch(worker(), 0).unwrap().state, BatchState::Sealed);
		next_block();
		assert_eq!(Audits::<Test>::count_open(), 2);
		let batch = SpotChecks::batch(worker(), 0).unwrap();
		assert_eq!((batch.state, batch.drawn, batch.pending), (BatchState::Drawn, 2, 2));
	});
}

trait CountOpen {
	fn count_open() -> usize;
}
impl CountOpen for Audits<Test> {
	fn count_open() -> usize {
		Audits::<Test>::iter_values().filter(|audit| audit.outcome.is_none()).count()
	}
}

fn word(digest: H256, bytes: usize) -> u128 {
	digest.0[..bytes].iter().rev().fold(0, |word, byte| word << 8 | u128::from(*byte))
}

/// The panel as the protocol's text has it.
fn panel_by_the_text(audit_seed: &[u8], mut stakes: Vec<(AccountId32, u128)>) -> Vec<AccountId32> {
	let mut panel = vec![];
	for i in 0..3u32 {
		let total: u128 = stakes.iter().map(|(_, stake)| stake).sum();
		let mut x = word(hash("draw", &[audit_seed, &i.to_le_bytes()].concat()), 16) % total;
		let at = stakes.iter().position(|(_, stake)| {
			let found = x < *stake;
			x = x.saturating_sub(*stake);
			found
		});
		panel.push(stakes.remove(at.unwrap()).0);
	}
	panel
}

#[test]
fn drawing_equals_the_text() {
	build_and_execute(|| {
		for n in 13..16 {
			bond(&account(n), Role::Validator);
		}
		run_to(7);
		// 21 receipts at 50 %: ten, and an eleventh with probability one half.
		let (epoch, batch) = drawn(vec![segment(1, 5, 14, 5), segment(2, 0, 10, 5)]);
		let key = hash("draw", &[&beacon_value(2).0[..], worker().as_ref(), &epoch.to_le_bytes()].concat());
		let eleventh = word(hash("draw", &[&key.0[..], &[255; 4]].concat()), 8) % 1_000_000 < 500_000;
		let mut ordinals = vec![];
		for j in 0u32.. {
			if ordinals.len() == 10 + usize::from(eleventh) {
				break;
			}
			let ordinal = (word(hash("draw", &[&key.0[..], &j.to_le_bytes()].concat()), 8) % 21) as u32;
			if !ordinals.contains(&ordinal) {
				ordinals.push(ordinal);
			}
		}
		assert_eq!(batch.drawn as usize, ordinals.len());
		let stakes: Vec<_> = (10..16).map(|n| (account(n), STAKE)).collect();
		for (id, ordinal) in ordinals.into_iter().enumerate() {
			let audit = SpotChecks::audit(id as u32).unwrap();
			let seed = hash("draw", &[&key.0[..], &ordinal.to_le_bytes(), b"audit"].concat());
			assert_eq!((audit.ordinal, audit.seed), (ordinal, seed));
			let answer = if ordinal < 10 { (1, ordinal + 5) } else { (2, ordinal - 10) };
			assert_eq!((audit.session, audit.index), answer);
			let panel: Vec<_> = audit.panel.iter().map(|member| member.validator.clone()).collect();
			assert_eq!(panel, panel_by_the_text(&seed.0, stakes.clone()));
		}
	});
}

#[test]
fn a_batch_without_draws_settles_at_once() {
	build_and_execute(|| {
		Workers::<Test>::insert(worker(), WorkerState { clean: 100_000, ..Default::default() });
		assert_eq!(SpotChecks::audit_probability(worker()), 50_000);
		let (epoch, batch) = drawn(vec![segment(1, 0, 0, 5)]);
		assert_eq!((batch.state, batch.drawn), (BatchState::Settled, 0));
		assert!(told().contains(&Told::Settled(worker(), epoch)));
		System::assert_last_event(Event::BatchSettled { worker: worker(), epoch }.into());
	});
}

#[test]
fn without_two_independent_validators_nothing_is_audited() {
	build_and_execute(|| {
		AuditFloor::<Test>::put(ONE);
		world(|w| w.owners.extend([(account(10), account(7)), (worker(), account(7))]));
		let (_, batch) = drawn(vec![segment(1, 0, 0, 5)]);
		assert_eq!(batch.drawn, 1, "two others are left");
		let panel: Vec<_> = SpotChecks::audit(0).unwrap().panel.into_iter().map(|m| m.validator).collect();
		assert_eq!((panel.len(), panel.contains(&account(10))), (2, false));
		world(|w| w.owners.insert(account(11), account(7)));
		run_to(EPOCH);
		let (epoch, batch) = drawn(vec![segment(1, 1, 1, 5)]);
		assert_eq!((batch.state, batch.drawn), (BatchState::Settled, 0));
		let reason = SkipReason::TooFewValidators;
		System::assert_has_event(Event::AuditSkipped { worker: worker(), epoch, reason }.into());
	});
}

/// Gives all that a validator has away, but for `rest`.
fn keep(who: &AccountId32, rest: u128) {
	use frame_support::traits::{fungible::Mutate, tokens::Preservation::Expendable};
	assert_ok!(<Balances as Mutate<_>>::transfer(who, &account(60), STAKE - rest, Expendable));
}

#[test]
fn validators_without_stake_are_not_drawn() {
	build_and_execute(|| {
		AuditFloor::<Test>::put(ONE);
		validators()[1..].iter().for_each(|who| keep(who, 0));
		let (epoch, batch) = drawn(vec![segment(1, 0, 0, 5)]);
		assert_eq!((batch.state, batch.drawn), (BatchState::Settled, 0));
		let reason = SkipReason::TooFewValidators;
		System::assert_has_event(Event::AuditSkipped { worker: worker(), epoch, reason }.into());
	});
}

#[test]
fn the_least_stake_is_one() {
	build_and_execute(|| {
		AuditFloor::<Test>::put(ONE);
		validators()[1..].iter().for_each(|who| keep(who, 1));
		drawn(vec![segment(1, 0, 0, 5)]);
		assert_eq!(SpotChecks::audit(0).unwrap().panel.len(), 3);
	});
}

#[test]
fn a_lost_value_is_replaced_by_a_later_one() {
	build_and_execute(|| {
		AuditFloor::<Test>::put(ONE);
		world(|w| w.lost_rounds.insert(1));
		assert_ok!(commit(worker(), vec![segment(1, 0, 0, 5)]));
		run_to(2 * ROUND + 1);
		let batch = SpotChecks::batch(worker(), 0).unwrap();
		assert_eq!((batch.state, batch.round), (BatchState::Sealed, 2));
		run_to(4 * ROUND + 1);
		assert_eq!(SpotChecks::batch(worker(), 0).unwrap().drawn, 1);
	});
}

#[test]
fn each_ordinal_belongs_to_its_segment() {
	build_and_execute(|| {
		AuditFloor::<Test>::put(ONE);
		drawn(vec![segment(1, 5, 6, 5), segment(2, 0, 0, 9), segment(1, 7, 8, 4)]);
		let found = |id| {
			let audit = SpotChecks::audit(id).unwrap();
			(audit.ordinal, audit.segment, audit.session, audit.index, audit.mean_price)
		};
		let expected = [(0, 0, 1, 5, 3), (1, 0, 1, 6, 3), (2, 1, 2, 0, 9), (3, 2, 1, 7, 2), (4, 2, 1, 8, 2)];
		assert_eq!([0, 1, 2, 3, 4].map(found), expected);
	});
}

#[test]
fn at_most_32_answers_of_a_batch_are_audited() {
	build_and_execute(|| {
		AuditFloor::<Test>::put(ONE);
		let (_, batch) = drawn(vec![segment(1, 0, 39, 5)]);
		assert_eq!((batch.drawn, batch.pending), (32, 32));
	});
}

#[test]
fn draws_wait_for_weight() {
	build_and_execute(|| {
		AuditFloor::<Test>::put(ONE);
		bond(&account(2), Role::Worker);
		open_session(5, &account(2));
		assert_ok!(commit(worker(), vec![segment(1, 0, 0, 5)]));
		assert_ok!(commit(account(2), vec![segment(5, 0, 0, 5)]));
		for _ in 0..30 {
			next_block_with(Weight::zero());
		}
		assert_eq!((DrawRound::<Test>::get(), Undrawn::<Test>::iter().count()), (0, 2));
		let one = weight_of_draws(1);
		System::set_block_number(1 + 30);
		crate::AgendaCursor::<Test>::put(31);
		next_block_with(one);
		assert_eq!(Undrawn::<Test>::iter().count(), 1, "one batch fits");
		next_block();
		assert_eq!(Undrawn::<Test>::iter().count(), 0);
	});
}

/// Room for one block of the agenda and `n` draws, but not for one more.
fn weight_of_draws(n: u64) -> Weight {
	use crate::WeightInfo;
	type W = <Test as crate::Config>::WeightInfo;
	W::thaw() + W::agenda_block() + (W::next_draw() + W::draw_batch(32)) * n + W::next_draw()
}

#[test]
fn a_closed_batch_is_forgotten_after_the_retention() {
	build_and_execute(|| {
		Workers::<Test>::insert(worker(), WorkerState { clean: 100_000, ..Default::default() });
		drawn(vec![segment(1, 0, 0, 5)]);
		let closed = System::block_number() - 1;
		run_to(closed + RETENTION);
		assert!(SpotChecks::batch(worker(), 0).is_some());
		next_block();
		assert_eq!(Batches::<Test>::iter().count(), 0);
	});
}

#[test]
fn the_floor_is_roots() {
	build_and_execute(|| {
		assert_eq!(SpotChecks::audit_probability(worker()), 500_000);
		let set = |origin, floor| SpotChecks::set_audit_floor(origin, floor);
		assert_noop!(set(RuntimeOrigin::signed(worker()), 1), DispatchError::BadOrigin);
		assert_noop!(set(RuntimeOrigin::root(), ONE + 1), Error::<Test>::FloorTooHigh);
		assert_ok!(set(RuntimeOrigin::root(), ONE));
		assert_eq!(SpotChecks::audit_probability(worker()), ONE, "everything, at most");
		assert_ok!(set(RuntimeOrigin::root(), 750_000));
		assert_eq!(SpotChecks::audit_probability(worker()), 750_000);
		System::assert_last_event(Event::AuditFloorSet { parts_per_million: 750_000 }.into());
	});
}

#[test]
fn the_probability_falls_with_clean_answers() {
	let probability =
		|clean, probation| WorkerState { clean, probation, ..Default::default() }.probability(0);
	assert_eq!([0, 20, 60, 180].map(|clean| probability(clean, 0)), [500_000, 250_000, 125_000, 50_000]);
	assert_eq!([181, u32::MAX].map(|clean| probability(clean, 0)), [50_000; 2]);
	assert_eq!([1, 20].map(|probation| probability(500, probation)), [ONE; 2]);
}

#[test]
fn a_failure_begins_a_probation_and_an_abstention_changes_nothing() {
	let mut state = WorkerState { clean: 7, ..Default::default() };
	state.count(Verdict::Abstained, Evidence::default());
	assert_eq!((state.clean, state.probation, state.abstained), (7, 0, 1));
	state.count(Verdict::Failed, Evidence { position: 3072, margin: -208 });
	assert_eq!((state.clean, state.probation, state.failed), (0, 20, 1));
	state.count(Verdict::Abstained, Evidence::default());
	state.count(Verdict::Passed, Evidence { position: -256, margin: -208 });
	assert_eq!((state.clean, state.probation, state.passed), (1, 19, 1));
	assert_eq!(state.evidence, Evidence { position: 2816, margin: 0 });
}

#[test]
fn a_failure_taken_back_leaves_what_passed_answers_have_earned() {
	let prior = WorkerState { clean: 7, probation: 5, passed: 10, failed: 1, ..Default::default() };
	let (mut state, wrong) = (prior, Evidence { position: 3072, margin: -208 });
	state.count(Verdict::Failed, wrong);
	(0..2).for_each(|_| state.count(Verdict::Passed, Evidence::default()));
	state.evidence = state.evidence.retract(wrong);
	state.forgive(&prior);
	assert_eq!(state, WorkerState { clean: 9, probation: 3, passed: 12, ..prior });
}
