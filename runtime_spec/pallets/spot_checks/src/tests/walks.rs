//! Random walks: whatever workers, validators and reporters do, the invariants hold after every block.
use super::workshop::*;
use crate::{mock::*, AuditFloor, Audits, BatchState, Batches, Stage, WeightInfo};
use frame_support::{dispatch::DispatchResult, weights::Weight};
use llmnet_primitives::{drawing::ONE, hashing::plant_commitment, Leaf, Leaves, Role};
use proptest::prelude::*;
use sp_runtime::AccountId32;
use std::collections::BTreeMap;

/// One act of somebody. Numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Act {
	Commit {
		worker: u8,
		answers: u8,
		cheat: u8,
	},
	/// All whose turn it is in an audit do their part.
	Duty(u8),
	Receipt(u8),
	Reference {
		audit: u8,
		member: u8,
		moved: bool,
	},
	Report {
		audit: u8,
		member: u8,
	},
	Leaves(u8),
	Reveal {
		audit: u8,
		member: u8,
		moved: bool,
	},
	/// Somebody of the panel, or the planter, or the worker asks for a review.
	Review {
		audit: u8,
		member: u8,
	},
	/// The next answer of a worker's will be said to be planted.
	Plant(u8),
	Drain(u8),
	Starve,
	Blocks(u8),
}

fn act() -> impl Strategy<Value = Act> {
	let member = || (any::<u8>(), 0u8..4, prop::bool::weighted(0.2));
	prop_oneof![
		4 => (1u8..3, 1u8..7, 0u8..5).prop_map(|(worker, answers, cheat)| Act::Commit { worker, answers, cheat }),
		40 => any::<u8>().prop_map(Act::Duty),
		2 => any::<u8>().prop_map(Act::Receipt),
		4 => member().prop_map(|(audit, member, moved)| Act::Reference { audit, member, moved }),
		2 => member().prop_map(|(audit, member, _)| Act::Report { audit, member }),
		2 => any::<u8>().prop_map(Act::Leaves),
		4 => member().prop_map(|(audit, member, moved)| Act::Reveal { audit, member, moved }),
		8 => (any::<u8>(), 0u8..5).prop_map(|(audit, member)| Act::Review { audit, member }),
		2 => (1u8..3).prop_map(Act::Plant),
		2 => (0u8..4).prop_map(Act::Drain),
		1 => Just(Act::Starve),
		6 => (1u8..5).prop_map(Act::Blocks),
	]
}

fn planter() -> AccountId32 {
	account(35)
}

#[derive(Default)]
struct Walk {
	next_index: BTreeMap<u8, u32>,
	deliveries: BTreeMap<(AccountId32, u32), Delivery>,
}

impl Walk {
	fn commit(&mut self, n: u8, answers: u8, cheat: u8) {
		let next = self.next_index.entry(n).or_default();
		let change = move |leaf: &mut Leaf, _: &_| match cheat {
			3 => leaf.hidden_sketch[0] += 90,
			4 => leaf.token = leaf.candidates[2].id,
			_ => (),
		};
		let works = (0..u32::from(answers))
			.map(|i| work_with(10 + u64::from(n), (*next + i) % 250, 1 + u32::from(answers) * 3, 0, change))
			.collect();
		let delivery = Delivery::of(works);
		if delivery.commit(&account(n)).is_ok() {
			*next += u32::from(answers);
			self.deliveries.insert((account(n), SpotChecks::current_epoch()), delivery);
		}
	}

	/// One of the audits at one of `stages`, if there are any.
	fn pick(&self, choice: u8, stages: &[Stage]) -> Option<Case> {
		let mut open: Vec<_> =
			Audits::<Test>::iter().filter(|(_, audit)| stages.contains(&audit.stage)).collect();
		open.sort_by_key(|(id, _)| *id);
		let (id, audit) = open.get(usize::from(choice) % open.len().max(1))?;
		let delivery = self.deliveries[&(audit.worker.clone(), audit.epoch)].clone();
		let work = delivery.work(audit.ordinal);
		Some(Case { audit: *id, worker: audit.worker.clone(), work, delivery })
	}

	/// Lets somebody try; what is refused must have changed nothing, which the invariants tell.
	fn attempt(&self, choice: u8, stage: Stage, act: impl FnOnce(Case) -> DispatchResult) {
		if let Some(case) = self.pick(choice, &[stage]) {
			let _ = act(case);
		}
	}

	fn duty(&self, choice: u8) {
		let stages = [Stage::Drawn, Stage::ReceiptOpened, Stage::Referenced, Stage::LeavesOpened];
		let Some(case) = self.pick(choice, &stages) else { return };
		let everybody = |act: fn(&Case, &AccountId32, &Leaves) -> DispatchResult| {
			let reference = case.reference();
			case.panel().iter().map(|who| act(&case, who, &reference)).fold(Ok(()), DispatchResult::or)
		};
		let _ = match case.stage() {
			Stage::Drawn => case.open_receipt(),
			Stage::ReceiptOpened => everybody(Case::commit),
			Stage::Referenced => case.open_leaves(),
			_ => everybody(Case::reveal),
		};
	}

	fn review(&self, choice: u8, member: u8) {
		let Some(case) = self.pick(choice, &[Stage::Decided]) else { return };
		let _ = match case.panel().get(usize::from(member)) {
			Some(who) => {
				let drawn = SpotChecks::positions(case.audit);
				let named: Vec<u32> = (0..case.work.receipt.n_out)
					.filter(|position| !drawn.contains(position))
					.take(16)
					.collect();
				let origin = RuntimeOrigin::signed(who.clone());
				SpotChecks::challenge(origin, case.audit, named.try_into().unwrap())
			}
			None if member == 3 => SpotChecks::appeal(RuntimeOrigin::signed(case.worker.clone()), case.audit),
			None => SpotChecks::reveal_plant(RuntimeOrigin::signed(planter()), case.audit, SALT),
		};
	}

	fn plant(&self, n: u8) {
		let index = self.next_index.get(&n).copied().unwrap_or_default();
		let (session, worker) = (10 + u64::from(n), account(n));
		let commitment = plant_commitment(planter().as_ref(), session, index % 250, worker.as_ref(), &SALT);
		let _ = SpotChecks::plant(RuntimeOrigin::signed(planter()), commitment);
	}

	fn act(&mut self, act: Act) {
		let reference = |case: &Case, moved: bool| {
			let mut leaves = case.reference();
			leaves[0].logit_sketch[1] += if moved { 9 } else { 0 };
			leaves
		};
		let seat =
			|case: &Case, member: u8| case.panel().get(usize::from(member)).cloned().unwrap_or(account(13));
		match act {
			Act::Commit { worker, answers, cheat } => self.commit(worker, answers, cheat),
			Act::Duty(audit) => self.duty(audit),
			Act::Receipt(audit) => self.attempt(audit, Stage::Drawn, |case| case.open_receipt()),
			Act::Reference { audit, member, moved } => self.attempt(audit, Stage::ReceiptOpened, |case| {
				case.commit(&seat(&case, member), &reference(&case, moved))
			}),
			Act::Report { audit, member } => {
				self.attempt(audit, Stage::ReceiptOpened, |case| case.report(&seat(&case, member)))
			}
			Act::Leaves(audit) => self.attempt(audit, Stage::Referenced, |case| case.open_leaves()),
			Act::Reveal { audit, member, moved } => self.attempt(audit, Stage::LeavesOpened, |case| {
				case.reveal(&seat(&case, member), &reference(&case, moved))
			}),
			Act::Review { audit, member } => self.review(audit, member),
			Act::Plant(worker) => self.plant(worker),
			Act::Drain(tasks) => {
				type W = <Test as crate::Config>::WeightInfo;
				next_block_with((W::agenda_block() + W::deadline()) * u64::from(tasks));
			}
			Act::Starve => next_block_with(Weight::zero()),
			Act::Blocks(blocks) => (0..blocks).for_each(|_| next_block()),
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(24))]
	#[test]
	fn invariants_hold_whatever_happens(
		acts in prop::collection::vec(act(), 1..250),
		floor in prop_oneof![Just(ONE), 0u32..ONE],
	) {
		build_and_execute(|| {
			bond(&account(2), Role::Worker);
			(13..17).for_each(|n| bond(&account(n), Role::Validator));
			SpotChecks::do_set_planters(vec![planter()].try_into().unwrap());
			crate::PlantTally::<Test>::mutate(|tally| tally.audits = 1_000);
			(1..3).for_each(|n| open_session(10 + u64::from(n), &account(n)));
			AuditFloor::<Test>::put(floor);
			let mut walk = Walk::default();
			for act in acts {
				walk.act(act);
				SpotChecks::do_try_state().expect("invariants hold after every act");
			}
			// Left alone, everything comes to its end and is forgotten.
			run_to(System::block_number() + 9 * (RECEIPT + REFERENCE + LEAVES + REVEAL));
			let closed = |batch: crate::Batch| matches!(batch.state, BatchState::Settled | BatchState::Forfeited);
			assert!(Batches::<Test>::iter_values().all(closed));
			assert!(Audits::<Test>::iter_values().all(|audit| audit.stage == Stage::Decided));
			run_to(System::block_number() + 4 * RETENTION);
			assert_eq!(crate::Reviews::<Test>::iter().count() + crate::Plants::<Test>::iter().count(), 0);
			assert_eq!(Audits::<Test>::iter().count() + Batches::<Test>::iter().count(), 0);
			assert_eq!(crate::Agenda::<Test>::iter().count(), 0);
		});
	}
}
