//! Whatever happens in whatever order, money is neither made nor lost and goes only where it is due.
use crate::{mock::*, tests::sign, Status};
use frame_support::{storage::with_storage_layer, traits::fungible::Inspect};
use llmnet_primitives::{Ledger, Segment};
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::AccountId32;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
	Open { from: u8, to: u8, escrow: u128, blocks: u32 },
	TopUp { session: u64, amount: u128 },
	Commit { session: u64, amount: u128, epoch: u32 },
	Claim { session: u64, amount: u128, forged: bool },
	CloseWithVoucher { session: u64, amount: u128, forged: bool },
	CloseByRequester { session: u64 },
	CloseByWorker { session: u64 },
	Rate { session: u64, stars: u8 },
	Settle { worker: u8, epoch: u32 },
	Forfeit { worker: u8 },
	Reward { amount: u128 },
	Blocks { count: u32, weight: u64 },
}

fn step() -> impl Strategy<Value = Step> {
	let (session, amount, epoch) = (|| 0u64..4, || 0u128..3_000, || 0u32..5);
	let two = move || (session(), amount());
	let voucher = move || (session(), 0u128..9_000, prop::bool::weighted(0.1));
	let open = (0u8..2, 0u8..2, 50u128..60_000, 4u32..200);
	let blocks = (1u32..9, prop_oneof![Just(u64::MAX), 0u64..14]);
	prop_oneof![
		10 => open.prop_map(|(from, to, escrow, blocks)| Step::Open { from, to, escrow, blocks }),
		5 => two().prop_map(|(session, amount)| Step::TopUp { session, amount }),
		40 => (two(), epoch()).prop_map(|((session, amount), epoch)| Step::Commit { session, amount, epoch }),
		40 => voucher().prop_map(|(session, amount, forged)| Step::Claim { session, amount, forged }),
		8 => voucher().prop_map(|(session, amount, forged)| Step::CloseWithVoucher { session, amount, forged }),
		4 => session().prop_map(|session| Step::CloseByRequester { session }),
		4 => session().prop_map(|session| Step::CloseByWorker { session }),
		10 => (session(), 0u8..7).prop_map(|(session, stars)| Step::Rate { session, stars }),
		15 => (0u8..2, epoch()).prop_map(|(worker, epoch)| Step::Settle { worker, epoch }),
		2 => (0u8..2).prop_map(|worker| Step::Forfeit { worker }),
		5 => (0u128..100).prop_map(|amount| Step::Reward { amount }),
		15 => blocks.prop_map(|(count, weight)| Step::Blocks { count, weight }),
	]
}

/// Two open sessions with seeds, so that short runs reach the money too.
fn first_steps() -> [Step; 3] {
	let open = |n| Step::Open { from: n, to: n, escrow: 5_000, blocks: 150 };
	[open(0), open(1), Step::Blocks { count: 2 * ROUND, weight: u64::MAX }]
}

/// The voucher of the session's requester, or somebody else's.
fn signature(session: u64, amount: u128, forged: bool) -> [u8; 64] {
	let payer = Sessions::session(session).map(|s| s.requester);
	let own = if payer == Some(requester(1)) { 1 } else { 0 };
	sign(if forged { 2 } else { own }, session, amount, 1)
}

/// Does one step as a call would; a refused one leaves nothing behind. Returns whether it was done.
fn apply(step: &Step) -> bool {
	let party = |id: u64| Sessions::session(id).map(|s| (s.requester, s.worker));
	let parties = |id: u64| party(id).unwrap_or((requester(0), worker(0)));
	let signed = RuntimeOrigin::signed;
	with_storage_layer(|| match *step {
		Step::Open { from, to, escrow, blocks } => {
			Sessions::open(signed(requester(from)), worker(to), spec_id(), 0, escrow, 100, 200, blocks)
		}
		Step::TopUp { session, amount } => Sessions::top_up(signed(parties(session).0), session, amount),
		Step::Commit { session, amount, epoch } => {
			let first = Sessions::session(session).map_or(0, |s| s.next_index);
			let segment = Segment { session, first, last: first, receipts_root: H256::zero(), amount };
			Sessions::record_segment(&parties(session).1, &segment, epoch)
		}
		Step::Claim { session, amount, forged } => {
			let signature = signature(session, amount, forged);
			Sessions::claim(signed(worker(0)), session, amount, 1, signature)
		}
		Step::CloseWithVoucher { session, amount, forged } => {
			let signature = signature(session, amount, forged);
			Sessions::close_with_voucher(signed(parties(session).1), session, amount, 1, signature)
		}
		Step::CloseByRequester { session } => Sessions::close(signed(parties(session).0), session),
		Step::CloseByWorker { session } => Sessions::close(signed(parties(session).1), session),
		Step::Rate { session, stars } => Sessions::rate(signed(parties(session).0), session, stars),
		Step::Settle { worker: n, epoch } => {
			Sessions::settle(&worker(n), epoch);
			Ok(())
		}
		Step::Forfeit { worker: n } => {
			Sessions::forfeit(&worker(n));
			Ok(())
		}
		Step::Reward { amount } => {
			Sessions::pay_from_pot(&validator(), amount);
			Ok(())
		}
		Step::Blocks { count, weight } => {
			(0..count).for_each(|_| next_block_with(weight));
			Ok(())
		}
	})
	.is_ok()
}

fn totals() -> BTreeMap<AccountId32, u128> {
	everybody().into_iter().map(|who| (who.clone(), Balances::total_balance(&who))).collect()
}

/// Who was richer or poorer after the step, and by how much.
fn changes(before: &BTreeMap<AccountId32, u128>) -> BTreeMap<AccountId32, i128> {
	let change = |(who, now): (AccountId32, u128)| {
		let by = now as i128 - before[&who] as i128;
		(by != 0).then_some((who, by))
	};
	totals().into_iter().filter_map(change).collect()
}

/// Only three things move value between accounts, each in its one direction; holds and releases do not.
fn check(step: &Step, done: bool, before: &BTreeMap<AccountId32, u128>) {
	let mut changed = changes(before);
	assert!(done || changed.is_empty(), "a refused step moved money");
	let mut take = |who: &AccountId32| changed.remove(who).unwrap_or(0);
	match *step {
		Step::Claim { session, amount, forged } | Step::CloseWithVoucher { session, amount, forged }
			if done =>
		{
			let s = Sessions::session(session).expect("claimed from");
			assert!(!forged, "a voucher counts with its requester's signature only");
			assert!(s.claimed <= amount && s.claimed <= s.committed && s.claimed <= s.escrow);
			let (paid, earned, fee) = (-take(&s.requester), take(&s.worker), take(&Pot::get()));
			assert!(paid > 0 && earned > 0 && paid == earned + fee);
			assert!(0 <= fee && fee * 50 <= paid, "at most two per cent");
		}
		Step::Forfeit { worker: n } => {
			let lost = -take(&worker(n));
			assert!(lost >= 0 && lost == take(&Treasury::get()));
		}
		Step::Reward { .. } => assert_eq!(-take(&Pot::get()), take(&validator())),
		_ => {}
	}
	assert!(changed.is_empty(), "{step:?} moved money: {changed:?}");
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn money_goes_only_where_it_is_due(steps in prop::collection::vec(step(), 1..60)) {
		build_and_execute(|| {
			for step in first_steps().iter().chain(&steps) {
				let (before, issuance) = (totals(), Balances::total_issuance());
				let done = apply(step);
				check(step, done, &before);
				assert_eq!(Balances::total_issuance(), issuance);
				Sessions::do_try_state().expect("invariants hold");
			}
		});
	}

	/// However a session went, all its money is free again in the end, and its storage is gone.
	#[test]
	fn nothing_stays_behind(steps in prop::collection::vec(step(), 1..40)) {
		build_and_execute(|| {
			first_steps().iter().chain(&steps).for_each(|step| { apply(step); });
			for epoch in 0..5 {
				(0..2).for_each(|n| Sessions::settle(&worker(n), epoch));
			}
			run_to(System::block_number() + 300);
			assert!(!crate::Sessions::<Test>::iter_values().any(|s| s.status == Status::Open));
			assert_eq!(crate::Sessions::<Test>::iter().count(), 0);
			assert_eq!(crate::Unclaimed::<Test>::iter().count(), 0);
			assert_eq!(crate::Uncleared::<Test>::iter().count(), 0);
			assert_eq!(crate::Agenda::<Test>::iter().count(), 0);
			assert_eq!(crate::AwaitingSeed::<Test>::iter().count(), 0);
			for who in everybody() {
				assert_eq!(Balances::balance(&who), Balances::total_balance(&who), "all money is free");
			}
		});
	}
}
