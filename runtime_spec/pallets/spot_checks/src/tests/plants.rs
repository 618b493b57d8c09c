//! Planted faults.
use super::workshop::*;
use crate::{mock::*, types::MAX_PLANTS, Error, Event, PlantTally, Plants, PlantsOf, Tally};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, traits::fungible::Inspect};
use llmnet_primitives::{hashing::plant_commitment, scoring::Reason, Leaf, Leaves, Role, Verdict};
use sp_core::H256;
use sp_runtime::AccountId32;

const SALT: [u8; 32] = [4; 32];

fn planter() -> AccountId32 {
	account(35)
}

/// A chain with a planter, room in the quota and validators enough for two panels.
fn with_planter(test: impl FnOnce()) {
	build_and_execute(|| {
		(13..18).for_each(|n| bond(&account(n), Role::Validator));
		let planters = vec![planter()].try_into().unwrap();
		assert_ok!(SpotChecks::set_planters(RuntimeOrigin::root(), planters));
		System::assert_last_event(Event::PlantersSet { planters: 1 }.into());
		PlantTally::<Test>::put(Tally { audits: 200, plants: 0 });
		test();
	});
}

fn commitment(session: u64, index: u32) -> H256 {
	plant_commitment(planter().as_ref(), session, index, worker().as_ref(), &SALT)
}

fn plant(commitment: H256) -> DispatchResult {
	SpotChecks::plant(RuntimeOrigin::signed(planter()), commitment)
}

fn reveal(case: &Case) -> DispatchResult {
	SpotChecks::reveal_plant(RuntimeOrigin::signed(planter()), case.audit, SALT)
}

fn far(leaf: &mut Leaf, _: &llmnet_primitives::sampling::Sampler) {
	leaf.logit_sketch.iter_mut().for_each(|lane| *lane += 20);
}

/// A planted answer, drawn.
fn planted(index: u32) -> Case {
	assert_ok!(plant(commitment(1, index)));
	Case::draw(work_with(1, index, 40, 0, far))
}

/// What lazy validators commit to: the worker has told them its leaves.
fn told_by_the_worker(case: &Case) -> Vec<Leaves> {
	let leaves: Vec<_> = case.positions().iter().map(|at| case.work.leaves[*at as usize].clone()).collect();
	vec![leaves.try_into().unwrap(); case.panel().len()]
}

#[test]
fn who_finds_a_planted_fault_gets_the_jackpot_and_the_worker_everything_back() {
	with_planter(|| {
		let case = planted(0);
		assert_eq!(case.decide().verdict, Verdict::Failed);
		let panel = case.panel();
		told();
		assert_ok!(reveal(&case));
		let told = told();
		for who in &panel {
			assert!(told.contains(&Told::Paid(who.clone(), JACKPOT)));
			let jackpot = Event::Jackpot { audit: case.audit, validator: who.clone(), amount: JACKPOT };
			System::assert_has_event(jackpot.into());
		}
		assert!(told.contains(&Told::Restored(worker(), 19 * 50)));
		let outcome = case.outcome();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Abstained, Reason::Planted));
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.failed, state.probation, state.evidence.position), (0, 0, 0));
		assert_eq!((Plants::<Test>::iter().count(), PlantsOf::<Test>::iter().count()), (0, 0));
		assert_noop!(reveal(&case), Error::<Test>::UnknownPlant);
	});
}

#[test]
fn a_planted_answer_that_completes_a_slash_is_taken_back_too() {
	with_planter(|| {
		let near = |leaf: &mut Leaf, _: &_| leaf.logit_sketch[0] += 11;
		assert_ok!(plant(commitment(1, 0)));
		crate::Workers::<Test>::mutate(worker(), |state| state.evidence.position = 2048);
		let case = Case::draw(work_with(1, 0, 40, 0, near));
		assert_eq!(case.decide().reason, Reason::Accumulated);
		told();
		assert_ok!(reveal(&case));
		let told = told();
		assert!(told.contains(&Told::Reinstated(worker())));
		assert!(case.panel().iter().all(|who| told.contains(&Told::Paid(who.clone(), JACKPOT))));
		assert_eq!(case.outcome().reason, Reason::Planted);
		assert_eq!(SpotChecks::worker_state(worker()).evidence.position, 2048);
	});
}

#[test]
fn who_looks_away_is_fined_once_five_others_have_looked() {
	with_planter(|| {
		let case = planted(0);
		case.decide_with(&told_by_the_worker(&case));
		assert_eq!(case.outcome().verdict, Verdict::Passed, "lazy validators let it pass");
		let lazy = case.panel();
		assert_ok!(reveal(&case));
		let revealed = Event::PlantRevealed { audit: case.audit, planter: planter(), caught: false };
		System::assert_has_event(revealed.into());
		let review = case.review_by(&planter());
		let stake = Balances::balance(&worker());
		told();
		assert_eq!(review.decide().verdict, Verdict::Failed);
		let told = told();
		for who in &lazy {
			assert!(told.contains(&Told::Fined(who.clone(), LAZY_FINE)));
			let looked_away =
				Event::LookedAway { audit: case.audit, validator: who.clone(), amount: LAZY_FINE };
			System::assert_has_event(looked_away.into());
		}
		for who in &review.panel() {
			assert!(!lazy.contains(who));
			assert!(told.contains(&Told::Paid(who.clone(), JACKPOT)));
		}
		assert_eq!(Balances::balance(&worker()), stake, "it was wrong by order");
		assert_eq!(Balances::balance(&planter()), STAKE, "the bond is back");
	});
}

#[test]
fn nobody_is_fined_on_a_planter_s_word() {
	with_planter(|| {
		// Not wrong at all.
		assert_ok!(plant(commitment(1, 0)));
		let case = Case::draw(work(1, 0, 40));
		case.decide();
		assert_ok!(reveal(&case));
		let review = case.review_by(&planter());
		told();
		assert_eq!(review.decide().verdict, Verdict::Passed);
		assert!(!told().iter().any(|told| matches!(told, Told::Fined(..) | Told::Paid(_, JACKPOT))));
		assert_eq!(Balances::balance(&planter()), STAKE - 20 * 50, "and it loses its bond");
	});
}

#[test]
fn a_planted_answer_whose_worker_hides_proves_nothing() {
	with_planter(|| {
		let case = planted(0);
		case.decide_with(&told_by_the_worker(&case));
		assert_ok!(reveal(&case));
		let review = case.review_by(&planter());
		review.panel().iter().for_each(|who| {
			assert_ok!(review.report(who));
		});
		told();
		assert_eq!(review.outcome().reason, Reason::Withheld);
		assert_eq!(Balances::balance(&planter()), STAKE - 20 * 50);
		assert!(!told().iter().any(|told| matches!(told, Told::Fined(..))));
	});
}

#[test]
fn what_is_planted_is_planted_before_the_draw() {
	with_planter(|| {
		let case = Case::draw(work_with(1, 0, 40, 0, far));
		case.decide();
		assert_noop!(reveal(&case), Error::<Test>::UnknownPlant);
		assert_ok!(plant(commitment(1, 0)));
		assert_noop!(reveal(&case), Error::<Test>::PlantedTooLate);
	});
}

#[test]
fn what_was_planted_is_revealed_of_the_answer_s_first_audit() {
	with_planter(|| {
		let case = planted(0);
		case.decide_with(&told_by_the_worker(&case));
		let (who, drawn) = (case.panel()[0].clone(), case.positions());
		let named = vec![(0..40).find(|position| !drawn.contains(position)).unwrap()];
		let origin = RuntimeOrigin::signed(who.clone());
		assert_ok!(SpotChecks::challenge(origin, case.audit, named.try_into().unwrap()));
		let challenge = case.review_by(&who);
		challenge.decide();
		assert_noop!(reveal(&challenge), Error::<Test>::NotReviewable);
		assert_ok!(reveal(&case));
	});
}

#[test]
fn one_in_fifty_at_most_is_planted() {
	with_planter(|| {
		PlantTally::<Test>::put(Tally { audits: 48, plants: 0 });
		let first = planted(0);
		first.decide();
		assert_eq!(PlantTally::<Test>::get().audits, 49);
		assert_noop!(reveal(&first), Error::<Test>::PlantQuotaReached);
		Case::draw(work(2, 0, 3)).decide();
		run_to(System::block_number().max(first.outcome().block));
		System::set_block_number(first.outcome().block + 1);
		assert_ok!(reveal(&first));
	});
}

#[test]
fn faults_that_the_chain_sees_itself_are_no_jackpot() {
	with_planter(|| {
		assert_ok!(plant(commitment(1, 0)));
		let case = Case::draw(work_with(1, 0, 16, 0, |leaf, _| leaf.token = leaf.candidates[1].id));
		case.decide();
		assert_noop!(reveal(&case), Error::<Test>::NotReviewable);
	});
}

#[test]
fn only_planters_plant_and_not_without_end() {
	with_planter(|| {
		let stranger = SpotChecks::plant(RuntimeOrigin::signed(account(2)), H256::zero());
		assert_noop!(stranger, Error::<Test>::NotPlanter);
		let nobody = SpotChecks::set_planters(RuntimeOrigin::signed(account(2)), Default::default());
		assert_noop!(nobody, sp_runtime::DispatchError::BadOrigin);
		assert_eq!(SpotChecks::planters(), [planter()]);
		for n in 0..MAX_PLANTS {
			assert_ok!(plant(commitment(1, n)));
			System::assert_last_event(Event::Planted { commitment: commitment(1, n) }.into());
		}
		assert_noop!(plant(commitment(1, 0)), Error::<Test>::AlreadyPlanted);
		assert_noop!(plant(commitment(1, 99)), Error::<Test>::TooManyPlants);
		run_to(System::block_number() + RETENTION + 12);
		assert_eq!(Plants::<Test>::iter().count(), 0, "forgotten");
		assert_ok!(plant(commitment(1, 99)));
	});
}
