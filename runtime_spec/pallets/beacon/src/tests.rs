use crate::{mock::*, Error, Event, Shares, Values};
use frame_support::{assert_noop, assert_ok};
use llmnet_primitives::{
	hashing::{beacon_commitment, beacon_value},
	Randomness,
};
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::DispatchError;

fn signed(n: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(account(n))
}

fn secret(n: u8) -> [u8; 32] {
	[n ^ 0xa5; 32]
}

fn commit(n: u8, round: u32) -> frame_support::dispatch::DispatchResult {
	Beacon::commit(signed(n), round, beacon_commitment(round, &[n; 32], &secret(n)))
}

fn commit_all(validators: &[u8]) {
	for n in validators {
		assert_ok!(commit(*n, 0));
	}
}

fn ended(round: u32) -> Option<(H256, u32, bool)> {
	System::events().into_iter().find_map(|record| match record.event {
		RuntimeEvent::Beacon(Event::RoundEnded { round: r, value, revealed, fallback }) if r == round => {
			Some((value, revealed, fallback))
		}
		_ => None,
	})
}

#[test]
fn a_round_mixes_the_secrets_with_the_hash_of_the_last_block_that_took_commitments() {
	build_and_execute(|| {
		assert_ok!(commit(1, 0));
		assert_ok!(commit(2, 0));
		System::assert_last_event(Event::Committed { round: 0, who: account(2) }.into());
		go_to(3);
		assert_ok!(Beacon::reveal(signed(1), 0, secret(1)));
		go_to(4);
		assert_ok!(Beacon::reveal(signed(2), 0, secret(2)));
		System::assert_last_event(Event::Revealed { round: 0, who: account(2) }.into());
		assert_eq!(<Beacon as Randomness>::value(0), None, "not before the round is over");
		go_to(5);
		let value = beacon_value(0, &[3; 32], &block_hash(u64::from(COMMIT) - 1));
		assert_eq!(ended(0), Some((value, 2, false)));
		assert_eq!((Beacon::value_of(0), <Beacon as Randomness>::value(0)), (Some(value), Some(value)));
		assert_eq!(<Beacon as Randomness>::current_round(), 1);
		assert!(Shares::<Test>::get().is_empty());
		assert_eq!((Stakes::of(1), Stakes::of(2)), (100, 100));
	});
}

/// The value of round 0 with some secrets, where the parent of block `at` has the hash of another block.
fn value_with(revealing: &'static [u8], at: u64, hash_of: u64) -> Option<H256> {
	let mut value = None;
	build_and_execute(|| {
		commit_all(&[1, 2]);
		for next in 2..=5 {
			let parent = block_hash(if next == at { hash_of } else { next - 1 });
			System::initialize(&next, &parent, &Default::default());
			<Beacon as frame_support::traits::Hooks<u64>>::on_initialize(next);
			if next == 4 {
				for n in revealing {
					assert_ok!(Beacon::reveal(signed(*n), 0, secret(*n)));
				}
			}
		}
		value = Beacon::value_of(0);
	});
	value
}

#[test]
fn each_secret_and_the_block_change_the_value() {
	let sealing = u64::from(COMMIT);
	let all = [
		value_with(&[1, 2], 0, 0),
		value_with(&[1], 0, 0),
		value_with(&[], 0, 0),
		value_with(&[1, 2], sealing, 9),
	];
	assert!(all.iter().all(Option::is_some));
	assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
}

#[test]
fn whoever_makes_a_block_after_the_secrets_are_out_changes_nothing() {
	for at in u64::from(COMMIT) + 1..=5 {
		assert_eq!(value_with(&[1, 2], at, 9), value_with(&[1, 2], 0, 0), "the parent of block {at}");
	}
}

#[test]
fn without_secrets_the_block_hash_alone_decides() {
	build_and_execute(|| {
		go_to(5);
		assert_eq!(ended(0), Some((beacon_value(0, &[0; 32], &block_hash(u64::from(COMMIT) - 1)), 0, true)));
	});
}

#[test]
fn who_does_not_reveal_is_fined() {
	build_and_execute(|| {
		Stakes::set(3, 2);
		commit_all(&[1, 2, 3]);
		go_to(3);
		assert_ok!(Beacon::reveal(signed(1), 0, secret(1)));
		go_to(5);
		assert_eq!([1, 2, 3, 4].map(Stakes::of), [100, 100 - FINE, 0, 100]);
		System::assert_has_event(Event::NotRevealed { round: 0, who: account(2), fined: FINE }.into());
		System::assert_has_event(Event::NotRevealed { round: 0, who: account(3), fined: 2 }.into());
		assert_eq!(ended(0).map(|(_, revealed, fallback)| (revealed, fallback)), Some((1, false)));
		go_to(10);
		assert_eq!(Stakes::of(2), 100 - FINE, "once");
	});
}

#[test]
fn commit_refusals_change_nothing() {
	build_and_execute(|| {
		assert_noop!(Beacon::commit(RuntimeOrigin::root(), 0, H256::zero()), DispatchError::BadOrigin);
		assert_noop!(commit(9, 0), Error::<Test>::NotValidator);
		assert_noop!(commit(1, 1), Error::<Test>::WrongRound);
		assert_ok!(commit(1, 0));
		assert_noop!(commit(1, 0), Error::<Test>::AlreadyCommitted);
		Stakes::set(5, 100);
		commit_all(&[2, 3, 4]);
		assert_noop!(commit(5, 0), Error::<Test>::TooManyShares);
		go_to(3);
		assert_noop!(commit(5, 0), Error::<Test>::NotCommitPhase);
		go_to(5);
		assert_noop!(commit(5, 0), Error::<Test>::WrongRound);
		assert_ok!(commit(5, 1));
	});
}

#[test]
fn reveal_refusals_change_nothing() {
	build_and_execute(|| {
		let reveal = |n, round, by: u8| Beacon::reveal(signed(n), round, secret(by));
		assert_ok!(commit(1, 0));
		// A commitment copied from another account opens for that account only.
		let copied = Shares::<Test>::get().get(&account(1)).unwrap().commitment;
		assert_ok!(Beacon::commit(signed(2), 0, copied));
		assert_noop!(reveal(1, 0, 1), Error::<Test>::NotRevealPhase);
		go_to(3);
		assert_noop!(Beacon::reveal(RuntimeOrigin::none(), 0, secret(1)), DispatchError::BadOrigin);
		assert_noop!(reveal(1, 1, 1), Error::<Test>::WrongRound);
		assert_noop!(reveal(3, 0, 3), Error::<Test>::NotCommitted);
		assert_noop!(reveal(1, 0, 2), Error::<Test>::WrongSecret);
		assert_noop!(reveal(2, 0, 1), Error::<Test>::WrongSecret);
		assert_ok!(reveal(1, 0, 1));
		assert_noop!(reveal(1, 0, 1), Error::<Test>::AlreadyRevealed);
		go_to(5);
		assert_noop!(reveal(1, 0, 1), Error::<Test>::WrongRound);
		assert_noop!(reveal(1, 1, 1), Error::<Test>::NotRevealPhase);
	});
}

#[test]
fn a_commitment_of_one_round_does_not_open_in_another() {
	build_and_execute(|| {
		go_to(5);
		assert_ok!(Beacon::commit(signed(1), 1, beacon_commitment(0, &[1; 32], &secret(1))));
		go_to(8);
		assert_noop!(Beacon::reveal(signed(1), 1, secret(1)), Error::<Test>::WrongSecret);
	});
}

#[test]
fn who_left_may_still_reveal() {
	build_and_execute(|| {
		assert_ok!(commit(1, 0));
		Stakes::remove(1);
		go_to(3);
		assert_ok!(Beacon::reveal(signed(1), 0, secret(1)));
	});
}

#[test]
fn the_status_follows_the_phases() {
	build_and_execute(|| {
		let phase = || {
			let status = Beacon::status();
			(status.round, status.committing, status.phase_ends_at)
		};
		assert_ok!(commit(2, 0));
		assert_ok!(commit(1, 0));
		assert_eq!(phase(), (0, true, 3));
		assert_eq!(Beacon::status().committed, [account(1), account(2)]);
		go_to(2);
		assert_eq!(phase(), (0, true, 3));
		go_to(3);
		assert_eq!(phase(), (0, false, 5));
		assert_ok!(Beacon::reveal(signed(2), 0, secret(2)));
		assert_eq!(Beacon::status().revealed, [account(2)]);
		go_to(5);
		assert_eq!(phase(), (1, true, 8));
		assert!(Beacon::status().committed.is_empty());
	});
}

#[test]
fn only_the_last_values_are_kept() {
	build_and_execute(|| {
		go_to(u64::from(LENGTH * (KEPT + 3)));
		assert_eq!(Values::<Test>::iter().count() as u32, KEPT);
		assert_eq!((Beacon::value_of(2), Beacon::value_of(3).is_some()), (None, true));
		assert!(Beacon::value_of(KEPT + 2).is_some());
		assert_eq!(Beacon::value_of(KEPT + 3), None, "the running round");
	});
}

#[test]
#[should_panic(expected = "a secret is not the one committed to")]
fn a_forged_secret_is_noticed() {
	build_and_execute(|| {
		assert_ok!(commit(1, 0));
		Shares::<Test>::mutate(|shares| shares.get_mut(&account(1)).unwrap().secret = Some([9; 32]));
	});
}

#[test]
#[should_panic(expected = "a round that has not ended has a value")]
fn a_value_too_early_is_noticed() {
	build_and_execute(|| Values::<Test>::insert(0, H256::zero()));
}

proptest! {
	#[test]
	fn every_walk_ends_each_round_once(acts in prop::collection::vec((1u8..6, any::<bool>(), 1u8..6, 0u64..3), 0..80)) {
		build_and_execute(|| {
			let mut paid = 0;
			for (who, committing, by, wait) in acts {
				let round = <Beacon as Randomness>::current_round();
				// Refusals are part of the walk.
				let _ = if committing { commit(who, round) } else { Beacon::reveal(signed(who), round, secret(by)) };
				let silent = Shares::<Test>::get().values().filter(|share| share.secret.is_none()).count();
				let before = round;
				go_to(System::block_number() + wait);
				if <Beacon as Randomness>::current_round() > before {
					paid += silent as u128 * FINE;
				}
				crate::Pallet::<Test>::do_try_state().expect("invariants hold");
			}
			let rounds = <Beacon as Randomness>::current_round();
			assert_eq!(Values::<Test>::iter().count() as u32, rounds);
			let left: u128 = (1..=4).map(Stakes::of).sum();
			assert_eq!(left, 400 - paid.min(400));
		});
	}
}
