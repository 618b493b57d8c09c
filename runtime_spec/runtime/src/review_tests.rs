//! Second looks through the whole runtime: what a review gives back, and what an expired calibration means.
use crate::life::*;
use crate::tests::with_preset;
use crate::*;
use frame_support::traits::fungible::{Inspect, InspectHold};
use llmnet_primitives::{
	hashing, merkle, scoring::Reason, AuditId, Calibration, Leaves, Role, Roster, Verdict,
};
use pallet_spot_checks::ReferenceCommitment;

const VALIDATORS: [&str; 8] = [
	"//Validator1",
	"//Validator2",
	"//Validator3",
	"//Validator4",
	"//Validator5",
	"//Charlie",
	"//Dave",
	"//Eve",
];
const SALT: [u8; 32] = [9; 32];

/// The paths of an audit's panel.
fn panel(audit: AuditId) -> Vec<&'static str> {
	let panel = SpotChecks::audit(audit).expect("kept").panel;
	let sits = |path: &&str| panel.iter().any(|member| member.validator == account(path));
	VALIDATORS.into_iter().filter(sits).collect()
}

/// Takes an audit whose receipt is open to its verdict, the panel finding `references`.
fn decide(audit: AuditId, references: &Leaves) -> pallet_spot_checks::Outcome {
	let commit = |path: &'static str| {
		let key = pair_key(path);
		let hash = hashing::reference_commitment(audit, &key, references, &SALT);
		let commitment = ReferenceCommitment::Reference(hash);
		(path, pallet_spot_checks::Call::commit_reference { audit, commitment }.into())
	};
	block(panel(audit).into_iter().map(commit).collect());
	let nodes = merkle::prove(&encoded(), &SpotChecks::positions(audit)).expect("in range");
	let open = pallet_spot_checks::Call::open_leaves { audit, leaves: asked(audit), proof: proof(nodes) };
	block(vec![("//Worker1", open.into())]);
	let reveal = |path: &'static str| {
		let leaves = references.clone();
		(path, pallet_spot_checks::Call::reveal_reference { audit, leaves, salt: SALT }.into())
	};
	block(panel(audit).into_iter().map(reveal).collect());
	SpotChecks::audit(audit).expect("kept").outcome.expect("decided")
}

fn pair_key(path: &str) -> [u8; 32] {
	*account(path).as_ref()
}

/// References that fail an honest answer.
fn framing(audit: AuditId) -> Leaves {
	let mut leaves = asked(audit);
	leaves.iter_mut().for_each(|leaf| leaf.logit_sketch.iter_mut().for_each(|lane| *lane += 20));
	leaves
}

fn stake() -> Balance {
	Staking::bond_of(account("//Worker1")).map_or(0, |bond| bond.stake)
}

/// A worker with a session, and eight validators.
fn set_up_many() -> u64 {
	let session = set_up();
	let bond = || pallet_staking::Call::bond { role: Role::Validator, amount: 100 * UNIT }.into();
	block(VALIDATORS[3..].iter().map(|path| (*path, bond())).collect());
	session
}

#[test]
fn a_framed_worker_that_was_slashed_appeals_and_has_its_role_its_stake_and_its_scores_again() {
	with_preset("development", || {
		let (issuance, session, worker) = (Balances::total_issuance(), set_up_many(), account("//Worker1"));
		let bonded = stake();
		let mut last = 0;
		for index in 0..2 {
			let (audit, _) = commit(session, index);
			block(vec![claim(session, price() * Balance::from(index + 1), index + 1)]);
			block(vec![open_receipt(audit, session, index)]);
			let (first, framing) = (panel(audit), framing(audit));
			assert_eq!((first.len(), decide(audit, &framing).verdict), (3, Verdict::Failed));
			last = audit;
		}
		assert!(SpotChecks::worker_state(worker.clone()).removed);
		assert!(!Staking::is_active(&worker, Role::Worker));
		let (taken, treasury) = (bonded - stake(), Balances::balance(&configs::Treasury::get()));
		let score = || Reputation::score(worker.clone(), 0, pallet_reputation::Axis::Integrity).2;
		let slashed_score = score();

		let first = panel(last);
		block(vec![("//Worker1", pallet_spot_checks::Call::appeal { audit: last }.into())]);
		until(|| SpotChecks::reviews_of(last).first().is_some_and(|id| SpotChecks::audit(*id).is_some()));
		let review = SpotChecks::reviews_of(last)[0];
		assert_eq!(panel(review).len(), 5);
		assert!(panel(review).iter().all(|path| !first.contains(path)));
		let liars: Vec<_> = first.iter().map(|path| wealth(path)).collect();
		assert_eq!(decide(review, &asked(review)).verdict, Verdict::Passed);

		assert!(!SpotChecks::worker_state(worker.clone()).removed);
		assert!(Staking::is_active(&worker, Role::Worker));
		assert_eq!(Staking::strikes(&worker), 0);
		assert!(score() > slashed_score);
		// Of both fines and the slash only what others got is missing: the payer's prices, the first fine, finders' shares.
		assert!(bonded - stake() < taken / 2, "{} of {taken}", bonded - stake());
		assert!(Balances::balance(&configs::Treasury::get()) < treasury);
		for (path, before) in first.iter().zip(liars) {
			assert!(wealth(path) + UNIT / 100 <= before, "who framed it is fined");
		}
		assert_eq!(Balances::total_balance_on_hold(&worker), stake(), "no bond is left on hold");
		assert_eq!(Balances::total_issuance(), issuance);
	});
}

#[test]
fn an_answer_by_an_expired_calibration_is_not_judged() {
	with_preset("development", || {
		let session = set_up();
		let row = Registry::calibration(spec_id()).expect("set");
		let expires_at = System::block_number() + 5;
		let soon = Calibration { expires_at, ..row };
		block(vec![sudo(pallet_registry::Call::set_calibration { spec_id: spec_id(), calibration: soon })]);
		let (audit, _) = commit(session, 0);
		until(|| System::block_number() >= expires_at);
		let before = stake();
		if SpotChecks::audit(audit).expect("kept").outcome.is_none() {
			block(vec![open_receipt(audit, session, 0)]);
		}
		let framing = framing(audit);
		let outcome = decide(audit, &framing);
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Abstained, Reason::NotCalibrated));
		assert_eq!(stake(), before);
		assert_eq!(Registry::calibration(spec_id()), None);
	});
}
