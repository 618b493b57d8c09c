use crate::{mock::*, Balance, Bonds, Error, Event, HoldReason, Proposals, Validators};
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{Inspect, InspectHold},
};
use llmnet_primitives::{Penalize, Role, Roster};
use proptest::prelude::*;
use sp_runtime::{DispatchError, TokenError};

fn signed(n: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(account(n))
}

fn held(n: u8) -> Balance {
	Balances::balance_on_hold(&HoldReason::Stake.into(), &account(n))
}

fn free(n: u8) -> Balance {
	Balances::balance(&account(n))
}

fn bond(n: u8, role: Role, amount: Balance) {
	assert_ok!(Staking::bond(signed(n), role, amount));
}

fn run(test: impl FnOnce()) {
	ExtBuilder::default().build_and_execute(test);
}

#[test]
fn bond_holds_the_stake_and_activates() {
	run(|| {
		bond(1, Role::Worker, 100);
		assert_eq!((held(1), free(1)), (100, 900));
		System::assert_last_event(Event::Bonded { who: account(1), role: Role::Worker, stake: 100 }.into());
		let record = Staking::bond_of(account(1)).unwrap();
		assert_eq!((record.owner, record.since, record.unbonding_at), (account(1), 1, None));
		assert!(Staking::is_active(&account(1), Role::Worker));
		assert!(!Staking::is_active(&account(1), Role::Validator), "one role only");
		assert!(Staking::validators().is_empty());
	});
}

#[test]
fn bond_refusals_change_nothing() {
	run(|| {
		let bonding = |n, role, amount| Staking::bond(signed(n), role, amount);
		assert_noop!(Staking::bond(RuntimeOrigin::root(), Role::Worker, 100), DispatchError::BadOrigin);
		assert_noop!(bonding(1, Role::Worker, 99), Error::<Test>::BelowMinimum);
		assert_noop!(bonding(1, Role::Validator, 199), Error::<Test>::BelowMinimum);
		assert_noop!(bonding(1, Role::Validator, 1001), TokenError::FundsUnavailable);
		bond(1, Role::Worker, 100);
		assert_noop!(bonding(1, Role::Worker, 100), Error::<Test>::AlreadyBonded);
		assert_noop!(bonding(1, Role::Validator, 200), Error::<Test>::AlreadyBonded);
		for n in [4, 2, 3] {
			bond(n, Role::Validator, 200);
		}
		assert_noop!(bonding(5, Role::Validator, 200), Error::<Test>::TooManyValidators);
		bond(5, Role::Worker, 200);
	});
}

#[test]
fn validators_are_listed_in_account_order_while_they_have_the_minimum() {
	run(|| {
		for (n, stake) in [(4, 200), (2, 500), (3, 300)] {
			bond(n, Role::Validator, stake);
		}
		assert_eq!(Staking::validators(), [(account(2), 500), (account(3), 300), (account(4), 200)]);
		Staking::fine(&account(4), 1, &[]);
		assert_ok!(Staking::unbond(signed(2)));
		assert_eq!(Staking::validators(), [(account(3), 300)]);
		assert_ok!(Staking::bond_extra(signed(4), 1));
		assert_eq!(Staking::validators(), [(account(3), 300), (account(4), 200)]);
		bond(1, Role::Validator, 200);
		assert_eq!(Staking::validators().len(), 3, "the place of the one who left is free");
	});
}

#[test]
fn bond_extra_adds_to_the_stake() {
	run(|| {
		assert_noop!(Staking::bond_extra(signed(1), 5), Error::<Test>::NotBonded);
		bond(1, Role::Worker, 100);
		assert_noop!(Staking::bond_extra(signed(1), 0), Error::<Test>::ZeroAmount);
		assert_noop!(Staking::bond_extra(signed(1), 901), TokenError::FundsUnavailable);
		assert_noop!(
			Staking::bond_extra(signed(1), u128::MAX),
			DispatchError::Arithmetic(sp_runtime::ArithmeticError::Overflow)
		);
		assert_ok!(Staking::bond_extra(signed(1), 50));
		System::assert_last_event(Event::BondedExtra { who: account(1), amount: 50 }.into());
		assert_eq!((held(1), Staking::stake(&account(1))), (150, 150));
		assert_ok!(Staking::unbond(signed(1)));
		assert_noop!(Staking::bond_extra(signed(1), 5), Error::<Test>::AlreadyUnbonding);
	});
}

#[test]
fn the_stake_stays_at_risk_until_it_is_withdrawn() {
	run(|| {
		assert_noop!(Staking::unbond(signed(1)), Error::<Test>::NotBonded);
		assert_noop!(Staking::withdraw(signed(1)), Error::<Test>::NotBonded);
		bond(1, Role::Worker, 100);
		assert_noop!(Staking::withdraw(signed(1)), Error::<Test>::NotUnbonding);
		assert_ok!(Staking::unbond(signed(1)));
		System::assert_last_event(Event::Unbonding { who: account(1), until: 1 + PERIOD }.into());
		assert_noop!(Staking::unbond(signed(1)), Error::<Test>::AlreadyUnbonding);
		assert!(!Staking::is_active(&account(1), Role::Worker));
		assert_eq!(Staking::fine(&account(1), 30, &[]), 30);
		System::set_block_number(PERIOD);
		assert_noop!(Staking::withdraw(signed(1)), Error::<Test>::TooEarly);
		System::set_block_number(PERIOD + 1);
		assert_ok!(Staking::withdraw(signed(1)));
		System::assert_last_event(Event::Withdrawn { who: account(1), amount: 70 }.into());
		assert_eq!((held(1), free(1), Staking::bond_of(account(1))), (0, 970, None));
		bond(1, Role::Validator, 200);
	});
}

#[test]
fn a_fine_pays_the_shares_in_order_and_the_rest_to_the_treasury() {
	run(|| {
		bond(1, Role::Worker, 500);
		assert_eq!(Staking::fine(&account(1), 100, &[(account(2), 30), (account(3), 20)]), 100);
		System::assert_last_event(Event::Fined { who: account(1), amount: 100 }.into());
		assert_eq!((free(2), free(3), free(TREASURY)), (1030, 1020, 60));
		assert_eq!(Staking::fine(&account(1), 40, &[(account(2), 30), (account(3), 20)]), 40);
		assert_eq!((free(2), free(3), free(TREASURY)), (1060, 1030, 60), "the last share gets what is left");
		assert_eq!((held(1), free(1)), (360, 500));
		assert!(Staking::is_active(&account(1), Role::Worker));
	});
}

#[test]
fn no_more_is_taken_than_there_is() {
	run(|| {
		assert_eq!(Staking::fine(&account(1), 100, &[]), 0);
		assert_eq!(Staking::slash(&account(1), 100, &[]), 0);
		assert_eq!(System::event_count(), 0, "nothing happened to an account without a bond");
		bond(1, Role::Worker, 100);
		assert_eq!(Staking::fine(&account(1), u128::MAX, &[(account(2), u128::MAX)]), 100);
		assert_eq!((held(1), free(1), free(2)), (0, 900, 1100));
		assert!(!Staking::is_active(&account(1), Role::Worker));
		assert_eq!(Staking::fine(&account(1), 1, &[]), 0);
	});
}

#[test]
fn a_share_that_cannot_be_paid_goes_to_the_treasury() {
	run(|| {
		bond(1, Role::Worker, 500);
		assert_eq!(
			Staking::fine(&account(1), 100, &[(account(99), 9)]),
			100,
			"9 is below the existential deposit"
		);
		assert_eq!((free(99), free(TREASURY)), (0, 110));
	});
}

#[test]
fn without_a_treasury_the_rest_stays_on_hold() {
	ExtBuilder::default().without_treasury().build_and_execute(|| {
		bond(1, Role::Worker, 500);
		assert_eq!(Staking::fine(&account(1), 9, &[]), 0);
		assert_eq!((held(1), Staking::stake(&account(1))), (500, 500));
		assert_eq!(Staking::fine(&account(1), 10, &[]), 10);
	});
}

#[test]
fn a_slashed_account_is_removed() {
	run(|| {
		bond(2, Role::Validator, 500);
		assert_ok!(Staking::propose_owner(signed(2), account(7)));
		assert_eq!(Staking::slash(&account(2), 200, &[(account(3), 20)]), 200);
		System::assert_last_event(Event::Slashed { who: account(2), amount: 200 }.into());
		assert_eq!((held(2), free(3), free(TREASURY)), (300, 1020, 190));
		assert!(!Staking::is_active(&account(2), Role::Validator));
		assert!(Validators::<Test>::get().is_empty());
		assert_eq!(Proposals::<Test>::get(account(2)), None);
		for call in [Staking::unbond(signed(2)), Staking::bond_extra(signed(2), 5)] {
			assert_eq!(call, Err(Error::<Test>::Removed.into()));
		}
		assert_noop!(Staking::propose_owner(signed(2), account(7)), Error::<Test>::Removed);
		System::set_block_number(PERIOD + 1);
		assert_ok!(Staking::withdraw(signed(2)));
		assert_eq!((held(2), free(2)), (0, 800));
		assert_noop!(Staking::bond(signed(2), Role::Validator, 200), Error::<Test>::InQuarantine);
		assert_noop!(Staking::bond(signed(2), Role::Worker, 200), Error::<Test>::InQuarantine);
		assert_noop!(Staking::withdraw(signed(2)), Error::<Test>::NotUnbonding);
	});
}

/// Bonds account 2 as a worker, slashes it for all it has and waits for its quarantine.
fn slash_and_wait(quarantine: u64) {
	assert_ok!(Staking::bond(signed(2), Role::Worker, 100));
	Staking::slash(&account(2), 100, &[]);
	let until = System::block_number() + quarantine;
	System::set_block_number(until - 1);
	assert_noop!(Staking::bond(signed(2), Role::Worker, 100), Error::<Test>::InQuarantine);
	System::set_block_number(until);
}

#[test]
fn the_way_back_is_longer_each_time_and_ends() {
	run(|| {
		slash_and_wait(QUARANTINE);
		slash_and_wait(2 * QUARANTINE);
		assert_ok!(Staking::bond(signed(2), Role::Worker, 100));
		assert!(Staking::is_active(&account(2), Role::Worker));
		assert_eq!(Staking::strikes(&account(2)), 2);
		Staking::slash(&account(2), 100, &[]);
		let until = System::block_number() + 4 * QUARANTINE;
		System::assert_has_event(Event::Struck { who: account(2), strikes: 3, until }.into());
		System::set_block_number(until + 1_000);
		assert_noop!(Staking::bond(signed(2), Role::Worker, 100), Error::<Test>::Removed);
	});
}

#[test]
fn a_slashed_account_withdraws_before_it_comes_back() {
	run(|| {
		bond(2, Role::Worker, 500);
		Staking::slash(&account(2), 100, &[]);
		System::set_block_number(1 + QUARANTINE);
		assert_noop!(Staking::bond(signed(2), Role::Worker, 100), Error::<Test>::Removed);
		assert_ok!(Staking::withdraw(signed(2)));
		assert_ok!(Staking::bond(signed(2), Role::Worker, 100));
	});
}

fn link(hot: u8, owner: u8) {
	assert_ok!(Staking::propose_owner(signed(hot), account(owner)));
	assert_ok!(Staking::accept_owner(signed(owner), account(hot)));
}

#[test]
fn a_slash_strikes_the_owner_and_all_it_owns() {
	run(|| {
		for hot in [1, 2, 3] {
			bond(hot, Role::Worker, 100);
		}
		link(1, 7);
		link(2, 7);
		Staking::slash(&account(1), 100, &[]);
		assert_eq!([1, 2, 3, 7].map(|n| Staking::strikes(&account(n))), [1, 1, 0, 1]);
		assert_ok!(Staking::propose_owner(signed(3), account(7)));
		assert_noop!(Staking::accept_owner(signed(7), account(3)), Error::<Test>::InQuarantine);
		assert_noop!(Staking::bond(signed(7), Role::Worker, 100), Error::<Test>::InQuarantine);
		System::set_block_number(1 + QUARANTINE);
		assert_ok!(Staking::accept_owner(signed(7), account(3)));
		assert_eq!(Staking::strikes(&account(3)), 1, "a new account of a struck owner");
		assert_ok!(Staking::bond(signed(1), Role::Worker, 100));
		assert_eq!(Staking::owner(&account(1)), account(7), "a new bond does not cut the link");
	});
}

#[test]
fn a_slash_that_is_taken_back_leaves_no_trace() {
	run(|| {
		bond(1, Role::Worker, 500);
		link(1, 7);
		assert_eq!(Staking::slash(&account(1), 200, &[]), 200);
		Staking::reinstate(&account(1));
		assert_eq!(Staking::restore(&account(1), 200), 200);
		assert!(Staking::is_active(&account(1), Role::Worker));
		assert_eq!((held(1), Staking::stake(&account(1)), free(TREASURY)), (500, 500, 10));
		assert_eq!([1, 7].map(|n| Staking::strikes(&account(n))), [0, 0]);
		assert_eq!(Bonds::<Test>::get(account(1)).unwrap().unbonding_at, None);
		System::assert_has_event(Event::Reinstated { who: account(1) }.into());
		System::assert_has_event(Event::Restored { who: account(1), amount: 200 }.into());
		Staking::reinstate(&account(1));
		assert_ok!(Staking::unbond(signed(1)));
	});
	run(|| {
		bond(1, Role::Worker, 500);
		assert_eq!(Staking::slash(&account(1), 500, &[]), 500);
		Staking::reinstate(&account(1));
		assert_eq!(Staking::restore(&account(1), 500), 500);
		assert!(Staking::is_active(&account(1), Role::Worker), "even if all was taken");
	});
}

#[test]
fn a_reinstated_validator_is_listed_again() {
	run(|| {
		bond(2, Role::Validator, 500);
		Staking::slash(&account(2), 100, &[]);
		Staking::reinstate(&account(2));
		assert_eq!(Validators::<Test>::get().into_inner(), [account(2)]);
		Staking::slash(&account(2), 100, &[]);
		(3..6).for_each(|n| bond(n, Role::Validator, 200));
		Staking::reinstate(&account(2));
		assert_eq!(Validators::<Test>::get().len(), 3, "without room it unbonds");
		assert!(Bonds::<Test>::get(account(2)).unwrap().unbonding_at.is_some());
	});
}

#[test]
fn no_more_is_restored_than_the_treasury_can_spare() {
	run(|| {
		bond(1, Role::Worker, 500);
		assert_eq!(Staking::restore(&account(1), 50), 0, "the treasury keeps what it needs to exist");
		Staking::fine(&account(1), 30, &[]);
		assert_eq!(Staking::restore(&account(1), 50), 30);
		assert_eq!(Staking::restore(&account(9), 50), 0, "nobody's stake");
		assert_ok!(Staking::unbond(signed(1)));
		System::set_block_number(50);
		assert_ok!(Staking::withdraw(signed(1)));
		assert_eq!(Staking::restore(&account(1), 50), 0, "the bond is gone");
	});
}

#[test]
fn a_slash_during_unbonding_does_not_prolong_it() {
	run(|| {
		bond(1, Role::Worker, 500);
		assert_ok!(Staking::unbond(signed(1)));
		System::set_block_number(15);
		Staking::slash(&account(1), 100, &[]);
		assert_eq!(Bonds::<Test>::get(account(1)).unwrap().unbonding_at, Some(1 + PERIOD));
		Staking::slash(&account(1), 400, &[]);
		assert_eq!(held(1), 0);
	});
}

#[test]
fn an_owner_is_linked_by_agreement_of_both() {
	run(|| {
		assert_noop!(Staking::propose_owner(signed(1), account(7)), Error::<Test>::NotBonded);
		bond(1, Role::Worker, 100);
		assert_noop!(Staking::accept_owner(signed(7), account(1)), Error::<Test>::NotProposed);
		assert_ok!(Staking::propose_owner(signed(1), account(8)));
		assert_ok!(Staking::propose_owner(signed(1), account(7)));
		System::assert_last_event(Event::OwnerProposed { hot: account(1), owner: account(7) }.into());
		assert_noop!(Staking::accept_owner(signed(8), account(1)), Error::<Test>::NotProposed);
		assert_eq!(Staking::owner(&account(1)), account(1));
		assert_ok!(Staking::accept_owner(signed(7), account(1)));
		System::assert_last_event(Event::OwnerLinked { hot: account(1), owner: account(7) }.into());
		assert_eq!(Staking::owner(&account(1)), account(7));
		assert_eq!(Staking::owner(&account(7)), account(7));
		assert_noop!(Staking::accept_owner(signed(7), account(1)), Error::<Test>::NotProposed);
		assert_noop!(Staking::propose_owner(signed(1), account(1)), Error::<Test>::AlreadyLinked);
	});
}

#[test]
fn a_proposal_ends_with_the_bond() {
	run(|| {
		bond(1, Role::Worker, 100);
		assert_ok!(Staking::propose_owner(signed(1), account(7)));
		assert_ok!(Staking::unbond(signed(1)));
		System::set_block_number(50);
		assert_ok!(Staking::withdraw(signed(1)));
		assert_noop!(Staking::accept_owner(signed(7), account(1)), Error::<Test>::NotProposed);
	});
}

#[test]
#[should_panic(expected = "the stake is not what is on hold")]
fn a_wrong_record_is_noticed() {
	run(|| {
		bond(1, Role::Worker, 100);
		Bonds::<Test>::mutate(account(1), |bond| bond.as_mut().unwrap().stake = 99);
	});
}

#[test]
#[should_panic(expected = "the list of validators is wrong")]
fn a_wrong_list_is_noticed() {
	run(|| {
		bond(1, Role::Validator, 300);
		Validators::<Test>::kill();
	});
}

#[derive(Clone, Debug)]
enum Step {
	Bond(u8, bool, Balance),
	Extra(u8, Balance),
	Unbond(u8),
	Withdraw(u8),
	Propose(u8, u8),
	Accept(u8, u8),
	Fine(u8, Balance, Balance),
	Slash(u8, Balance, Balance),
	Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
	let who = 1u8..=6;
	let amount = 0u128..600;
	prop_oneof![
		(who.clone(), any::<bool>(), amount.clone()).prop_map(|(n, v, a)| Step::Bond(n, v, a)),
		(who.clone(), amount.clone()).prop_map(|(n, a)| Step::Extra(n, a)),
		who.clone().prop_map(Step::Unbond),
		who.clone().prop_map(Step::Withdraw),
		(who.clone(), who.clone()).prop_map(|(n, o)| Step::Propose(n, o)),
		(who.clone(), who.clone()).prop_map(|(n, o)| Step::Accept(n, o)),
		(who.clone(), amount.clone(), amount.clone()).prop_map(|(n, a, s)| Step::Fine(n, a, s)),
		(who, amount.clone(), amount).prop_map(|(n, a, s)| Step::Slash(n, a, s)),
		(1u64..30).prop_map(Step::Wait),
	]
}

fn apply(step: Step) {
	let role = |validator| if validator { Role::Validator } else { Role::Worker };
	// Refusals are part of the walk: the invariants have to hold after them too.
	let _ = match step {
		Step::Bond(n, validator, amount) => Staking::bond(signed(n), role(validator), amount),
		Step::Extra(n, amount) => Staking::bond_extra(signed(n), amount),
		Step::Unbond(n) => Staking::unbond(signed(n)),
		Step::Withdraw(n) => Staking::withdraw(signed(n)),
		Step::Propose(n, owner) => Staking::propose_owner(signed(n), account(owner)),
		Step::Accept(n, hot) => Staking::accept_owner(signed(n), account(hot)),
		Step::Fine(n, amount, share) => {
			let before = Staking::stake(&account(n));
			let taken = Staking::fine(&account(n), amount, &[(account(9), share)]);
			assert_eq!(taken, amount.min(before));
			Ok(())
		}
		Step::Slash(n, amount, share) => {
			let before = Staking::stake(&account(n));
			let taken = Staking::slash(&account(n), amount, &[(account(9), share)]);
			assert_eq!((taken, Staking::stake(&account(n))), (amount.min(before), before - taken));
			Ok(())
		}
		Step::Wait(blocks) => {
			System::set_block_number(System::block_number() + blocks);
			Ok(())
		}
	};
}

proptest! {
	#[test]
	fn invariants_hold_on_every_walk(steps in prop::collection::vec(step(), 1..60)) {
		run(|| {
			for step in steps {
				apply(step);
				crate::Pallet::<Test>::do_try_state().expect("invariants hold");
			}
		});
	}
}
