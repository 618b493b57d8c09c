//! What a call is charged for: its own work, and a verdict and a slash only where there were any.
use super::{verdicts::far_work, workshop::*};
use crate::{mock::*, Config, Error, ReferenceCommitment, WeightInfo, WorkerState, Workers};
use frame_support::{
	assert_ok,
	dispatch::{DispatchResultWithPostInfo, GetDispatchInfo, Pays},
	weights::Weight,
};
use llmnet_primitives::{scoring::Evidence, Leaves};
use sp_runtime::AccountId32;

type W = <Test as Config>::WeightInfo;

fn reveal(case: &Case, who: &AccountId32, leaves: &Leaves) -> DispatchResultWithPostInfo {
	SpotChecks::reveal_reference(RuntimeOrigin::signed(who.clone()), case.audit, leaves.clone(), SALT)
}

fn report(case: &Case, who: &AccountId32) -> DispatchResultWithPostInfo {
	let origin = RuntimeOrigin::signed(who.clone());
	SpotChecks::commit_reference(origin, case.audit, ReferenceCommitment::Withheld)
}

fn charged(result: DispatchResultWithPostInfo) -> Option<Weight> {
	match result {
		Ok(post) => {
			assert_eq!(post.pays_fee, Pays::No);
			post.actual_weight
		}
		Err(error) => {
			assert_eq!(error.post_info.pays_fee, Pays::Yes);
			error.post_info.actual_weight
		}
	}
}

/// The weights that a panel of three is charged for its reveals.
fn charged_for_reveals(case: &Case) -> Vec<Option<Weight>> {
	let reference = case.reference();
	case.to_leaves(&[reference.clone(), reference.clone(), reference.clone()]);
	case.panel().iter().map(|who| charged(reveal(case, who, &reference))).collect()
}

fn own(case: &Case) -> Weight {
	W::reveal_reference(case.positions().len() as u32)
}

#[test]
fn only_the_last_reveal_is_charged_for_the_verdict() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let charged = charged_for_reveals(&case);
		let own = own(&case);
		assert_eq!(charged, [Some(own), Some(own), Some(own + W::decision())]);
	});
}

#[test]
fn a_slash_is_charged_to_the_call_that_brings_it_about() {
	build_and_execute(|| {
		let case = Case::draw(far_work(1, 0));
		let evidence = Evidence { position: 5119, margin: 0 };
		Workers::<Test>::insert(worker(), WorkerState { evidence, ..Default::default() });
		let charged = charged_for_reveals(&case);
		assert!(Workers::<Test>::get(worker()).removed);
		assert_eq!(charged[2], Some(own(&case) + W::decision() + W::slash()));
	});
}

#[test]
fn a_commitment_is_charged_for_a_verdict_only_if_there_is_one() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		assert_ok!(case.open_receipt());
		let charges: Vec<_> = case.panel().iter().map(|who| charged(report(&case, who))).collect();
		let own = W::commit_reference();
		assert_eq!(charges, [Some(own), Some(own), Some(own + W::decision())]);
	});
}

#[test]
fn who_is_refused_pays_for_the_attempt_only() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		assert_ok!(case.open_receipt());
		let leaves = case.reference();
		let refused = reveal(&case, &case.panel()[0], &leaves);
		assert_eq!(refused.map_err(|error| error.error), Err(Error::<Test>::WrongStage.into()));
		assert_eq!(charged(reveal(&case, &case.panel()[0], &leaves)), Some(own(&case)));
		assert_eq!(charged(report(&case, &requester())), Some(W::commit_reference()));
	});
}

#[test]
fn what_may_decide_is_declared_with_verdict_and_slash() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let commitment = ReferenceCommitment::Withheld;
		let call = crate::Call::<Test>::commit_reference { audit: case.audit, commitment };
		let declared = W::commit_reference() + W::decision() + W::slash();
		assert_eq!(call.get_dispatch_info().call_weight, declared);
		assert_ok!(case.open_receipt());
		let leaves = case.reference();
		let own = W::reveal_reference(leaves.len() as u32);
		let call = crate::Call::<Test>::reveal_reference { audit: case.audit, leaves, salt: SALT };
		assert_eq!(call.get_dispatch_info().call_weight, own + W::decision() + W::slash());
	});
}
