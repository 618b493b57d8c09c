//! The life of an answer, through signed transactions in authored blocks: from the bond to the verdict, and what
//! becomes of everybody's money on the way.
use crate::configs::{AuditPot, Treasury};
use crate::tests::{author, signed, with_preset};
use crate::*;
use codec::Encode;
use frame_support::traits::fungible::Inspect;
use llmnet_primitives::{
	hashing, merkle, pricing, Calibration, Candidate, FinishReason, Leaf, Leaves, NumericsClass,
	PlacedSegment, ProofNodes, Receipt, Role, Segment, ServiceSpec, Verdict, Voucher,
};
use pallet_sessions::Status;
use pallet_spot_checks::{BatchState, ReferenceCommitment, Stage};
use sp_core::{sr25519, Pair, H256};

const TOP_K: u8 = 8;
const TOKENS: u32 = 20;
const PRICE_IN: Balance = UNIT;
const PRICE_OUT: Balance = 2 * UNIT;
const ESCROW: Balance = 10 * UNIT;

pub(crate) fn pair(path: &str) -> sr25519::Pair {
	sr25519::Pair::from_string(path, None).expect("path")
}

pub(crate) fn account(path: &str) -> AccountId {
	pair(path).public().into()
}

fn validators() -> [&'static str; 3] {
	["//Validator1", "//Validator2", "//Validator3"]
}

/// Everything an account owns, holds included.
pub(crate) fn wealth(path: &str) -> Balance {
	Balances::total_balance(&account(path))
}

/// One block with one call of each; all succeed.
pub(crate) fn block(calls: Vec<(&str, RuntimeCall)>) {
	let transactions = calls.into_iter().map(|(path, call)| signed(&pair(path), call)).collect();
	for outcome in author(transactions) {
		outcome.expect("the call succeeds");
	}
}

pub(crate) fn sudo(call: impl Into<RuntimeCall>) -> (&'static str, RuntimeCall) {
	("//Alice", pallet_sudo::Call::sudo { call: Box::new(call.into()) }.into())
}

fn spec() -> ServiceSpec {
	ServiceSpec {
		name: b"a model".to_vec().try_into().expect("short"),
		weights_root: H256::repeat_byte(1),
		tokenizer_hash: H256::repeat_byte(2),
		template_hash: H256::repeat_byte(3),
		graph_hash: H256::repeat_byte(4),
		sampler_version: 1,
		top_k: TOP_K,
		numerics: NumericsClass::Fp32,
		vocab_size: 1_000,
		context_length: 2_048,
		logit_shift: 9,
		hidden_shift: 9,
	}
}

pub(crate) fn spec_id() -> H256 {
	hashing::spec_id(&spec())
}

/// What an honest worker and honest validators compute: greedy, so the first candidate is the token.
fn leaf(position: u32) -> Leaf {
	let candidate = |rank: u8| Candidate { id: position + u32::from(rank), logprob: -100 * i16::from(rank) };
	let candidates: Vec<_> = (0..TOP_K).map(candidate).collect();
	Leaf {
		position,
		token: position,
		candidates: candidates.try_into().expect("few"),
		logit_sketch: [position as i16; 8],
		hidden_sketch: [-(position as i16); 8],
	}
}

fn leaves() -> Vec<Leaf> {
	(0..TOKENS).map(leaf).collect()
}

pub(crate) fn encoded() -> Vec<Vec<u8>> {
	leaves().iter().map(Encode::encode).collect()
}

fn receipt(session: u64, index: u32) -> Receipt {
	let tokens: Vec<u32> = (0..TOKENS).collect();
	Receipt {
		session,
		index,
		request_hash: H256::repeat_byte(7),
		temperature: 0,
		output_hash: hashing::output_hash(&tokens),
		text_hash: hashing::text_hash("text"),
		n_prompt: 10,
		n_out: TOKENS,
		finish: FinishReason::Stop,
		transcript_root: merkle::root(&encoded()).expect("leaves"),
	}
}

pub(crate) fn price() -> Balance {
	pricing::price(10, TOKENS, PRICE_IN, PRICE_OUT).expect("small")
}

/// The segment of a single answer.
fn segment(session: u64, index: u32) -> Segment {
	let receipts_root = merkle::root_of(&[receipt(session, index)]).expect("one");
	Segment { session, first: index, last: index, receipts_root, amount: price() }
}

pub(crate) fn proof(nodes: Vec<H256>) -> ProofNodes {
	nodes.try_into().expect("short")
}

/// A worker, three validators, a spec with an offer, and an open session that has its seed. Every answer is audited.
pub(crate) fn set_up() -> u64 {
	let row = Calibration {
		logit_q95: 8,
		logit_q99: 20,
		hidden_q95: 8,
		hidden_q99: 20,
		tau_sample: 1_311,
		positions: 1_000,
		expires_at: 1_000_000,
	};
	let bond = |role, amount| pallet_staking::Call::bond { role, amount }.into();
	let mut calls = vec![
		("//Worker1", bond(Role::Worker, 1_000 * UNIT)),
		("//Bob", pallet_registry::Call::register_spec { spec: spec() }.into()),
		sudo(pallet_spot_checks::Call::set_audit_floor { parts_per_million: 1_000_000 }),
	];
	calls.extend(validators().map(|path| (path, bond(Role::Validator, 100 * UNIT))));
	block(calls);
	let offer = pallet_registry::Call::put_offer {
		spec_id: spec_id(),
		endpoint: b"http://127.0.0.1:8100".to_vec().try_into().expect("short"),
		price_in: PRICE_IN,
		price_out: PRICE_OUT,
		domains: vec![0].try_into().expect("one"),
		policy_digest: H256::zero(),
		capacity: 8,
	};
	let calibrate = pallet_registry::Call::set_calibration { spec_id: spec_id(), calibration: row };
	block(vec![("//Worker1", offer.into()), sudo(calibrate)]);
	let open = pallet_sessions::Call::open {
		worker: account("//Worker1"),
		spec_id: spec_id(),
		domain: 0,
		escrow: ESCROW,
		max_price_in: PRICE_IN,
		max_price_out: PRICE_OUT,
		expires_in: 2_000,
	};
	block(vec![("//Requester1", open.into())]);
	until(|| Sessions::session(0).is_some_and(|session| session.seed.is_some()));
	0
}

/// Lets empty blocks pass until `done`.
pub(crate) fn until(done: impl Fn() -> bool) {
	for _ in 0..200 {
		if done() {
			return;
		}
		block(vec![]);
	}
	panic!("it never came");
}

/// Commits the next answer and waits until it is drawn. Returns its audit and the epoch.
pub(crate) fn commit(session: u64, index: u32) -> (u32, u32) {
	let next_epoch = || (System::block_number() + 1) / 10;
	until(|| SpotChecks::batch(account("//Worker1"), next_epoch()).is_none());
	let epoch = next_epoch();
	let segments = vec![segment(session, index)].try_into().expect("one");
	block(vec![("//Worker1", pallet_spot_checks::Call::commit_batch { segments }.into())]);
	until(|| !SpotChecks::due_of_worker(account("//Worker1")).is_empty());
	(SpotChecks::due_of_worker(account("//Worker1"))[0].0, epoch)
}

pub(crate) fn open_receipt(audit: u32, session: u64, index: u32) -> (&'static str, RuntimeCall) {
	let call = pallet_spot_checks::Call::open_receipt {
		audit,
		placed: PlacedSegment { start: 0, segment: segment(session, index) },
		segment_proof: ProofNodes::default(),
		receipt: receipt(session, index),
		receipt_proof: ProofNodes::default(),
	};
	("//Worker1", call.into())
}

/// The leaves that an audit asks for.
pub(crate) fn asked(audit: u32) -> Leaves {
	let picked: Vec<_> = SpotChecks::positions(audit).into_iter().map(leaf).collect();
	picked.try_into().expect("at most sixteen")
}

pub(crate) fn claim(session: u64, amount: Balance, answers: u32) -> (&'static str, RuntimeCall) {
	let message =
		hashing::signed_message("voucher", &System::block_hash(0), &Voucher { session, amount, answers });
	let signature = pair("//Requester1").sign(&message).0;
	("//Worker1", pallet_sessions::Call::claim { session, amount, answers, signature }.into())
}

/// Takes an audit from the open receipt to the verdict, all being honest.
fn audit_honestly(audit: u32, session: u64, index: u32) {
	block(vec![open_receipt(audit, session, index)]);
	let salt = [9; 32];
	let commit = |path: &'static str| {
		let key = pair(path).public().0;
		let hash = hashing::reference_commitment(audit, &key, &asked(audit), &salt);
		let commitment = ReferenceCommitment::Reference(hash);
		(path, pallet_spot_checks::Call::commit_reference { audit, commitment }.into())
	};
	block(validators().map(commit).to_vec());
	assert_eq!(SpotChecks::audit(audit).expect("kept").stage, Stage::Referenced);
	let nodes = merkle::prove(&encoded(), &SpotChecks::positions(audit)).expect("in range");
	let open = pallet_spot_checks::Call::open_leaves { audit, leaves: asked(audit), proof: proof(nodes) };
	block(vec![("//Worker1", open.into())]);
	let reveal = |path: &'static str| {
		(path, pallet_spot_checks::Call::reveal_reference { audit, leaves: asked(audit), salt }.into())
	};
	block(validators().map(reveal).to_vec());
}

#[test]
fn an_honest_answer_is_paid_for_and_clears() {
	with_preset("development", || {
		let issuance = Balances::total_issuance();
		let session = set_up();
		let (audit, epoch) = commit(session, 0);
		// Claimed while the audit runs: the earnings wait.
		block(vec![claim(session, price(), 1)]);
		let net = price() - price() / 50;
		assert_eq!(Sessions::money(account("//Worker1")).uncleared, net);
		assert_eq!(Sessions::pot(), presets::POT_START + price() / 50);

		audit_honestly(audit, session, 0);
		let outcome = SpotChecks::verdict_of(session, 0).expect("decided");
		assert_eq!(outcome.verdict, Verdict::Passed);
		assert!(outcome.evidence.position < 0, "exact agreement speaks for the worker");
		let batch = SpotChecks::batch(account("//Worker1"), epoch).expect("kept");
		assert_eq!(batch.state, BatchState::Settled);
		assert_eq!(Sessions::money(account("//Worker1")).uncleared, 0);

		// Each of the three is paid the panel's reward, and the pot pays it.
		let rewards = 3 * (UNIT / 100);
		assert_eq!(Sessions::pot(), presets::POT_START + price() / 50 - rewards);
		let reward = |record: frame_system::EventRecord<RuntimeEvent, Hash>| match record.event {
			RuntimeEvent::Sessions(pallet_sessions::Event::PaidFromPot { amount, .. }) => amount,
			_ => 0,
		};
		assert_eq!(System::events().into_iter().map(reward).sum::<Balance>(), rewards);

		// The worker closes, the rest goes back, the payer rates.
		let at_closing = wealth("//Requester1");
		block(vec![("//Worker1", pallet_sessions::Call::close { session }.into())]);
		assert!(matches!(Sessions::session(session).expect("kept").status, Status::Closed { .. }));
		assert_eq!(wealth("//Requester1"), at_closing);
		assert_eq!(Sessions::money(account("//Requester1")).escrow, 0);
		block(vec![("//Requester1", pallet_sessions::Call::rate { session, stars: 5 }.into())]);
		for axis in [pallet_reputation::Axis::Integrity, pallet_reputation::Axis::Quality] {
			let (_, _, score) = Reputation::score(account("//Worker1"), 0, axis);
			assert!(score > 500_000, "{axis:?} rose");
		}
		assert_eq!(Balances::total_issuance(), issuance);
	});
}

#[test]
fn a_worker_that_never_opens_is_fined_then_slashed_and_loses_what_is_uncleared() {
	with_preset("development", || {
		let issuance = Balances::total_issuance();
		let session = set_up();
		let worker = account("//Worker1");
		let stake = Staking::bond_of(worker.clone()).expect("bonded").stake;
		let mut index = 0;
		while !SpotChecks::worker_state(worker.clone()).removed {
			assert!(index < 6, "four missed deadlines are enough evidence");
			let (audit, _) = commit(session, index);
			index += 1;
			block(vec![claim(session, price() * Balance::from(index), index)]);
			let payer = wealth("//Requester1");
			until(|| SpotChecks::audit(audit).is_some_and(|audit| audit.outcome.is_some()));
			let outcome = SpotChecks::verdict_of(session, index - 1).expect("decided");
			assert_eq!(outcome.verdict, Verdict::Failed);
			// The fine gives the requester its money back.
			assert_eq!(wealth("//Requester1"), payer + price());
		}
		assert!(index >= 2, "never slashed on one answer");
		let lost = stake - Staking::bond_of(worker.clone()).map_or(0, |bond| bond.stake);
		assert!(lost >= stake / 10, "a slash takes at least a tenth");
		assert_eq!(Sessions::money(worker.clone()).uncleared, 0);
		assert!(Balances::balance(&Treasury::get()) > EXISTENTIAL_DEPOSIT + lost / 2);
		assert_eq!(Registry::offers(spec_id()), vec![]);
		// Removed: no claim, no new bond; the payer closes at once.
		let again = pallet_staking::Call::bond { role: Role::Worker, amount: 500 * UNIT };
		let outcomes = author(vec![
			signed(&pair("//Worker1"), claim(session, 9 * price(), 9).1),
			signed(&pair("//Requester1"), pallet_sessions::Call::close { session }),
		]);
		assert_eq!(outcomes[0], Err(pallet_sessions::Error::<Runtime>::WorkerBarred.into()));
		assert_eq!(outcomes[1], Ok(()));
		assert!(author(vec![signed(&pair("//Worker1"), again)])[0].is_err());
		assert_eq!(Sessions::money(account("//Requester1")).escrow, 0);
		assert!(Balances::balance(&AuditPot::get()) >= EXISTENTIAL_DEPOSIT);
		assert_eq!(Balances::total_issuance(), issuance);
	});
}

#[test]
fn an_audit_without_validators_at_work_punishes_nobody() {
	with_preset("development", || {
		let session = set_up();
		let (audit, epoch) = commit(session, 0);
		block(vec![claim(session, price(), 1)]);
		block(vec![open_receipt(audit, session, 0)]);
		let stake = Staking::bond_of(account("//Worker1")).expect("bonded").stake;
		until(|| SpotChecks::audit(audit).is_some_and(|audit| audit.outcome.is_some()));
		let outcome = SpotChecks::verdict_of(session, 0).expect("decided");
		assert_eq!(outcome.verdict, Verdict::Abstained);
		assert_eq!(Staking::bond_of(account("//Worker1")).expect("bonded").stake, stake);
		let batch = SpotChecks::batch(account("//Worker1"), epoch).expect("kept");
		assert_eq!(batch.state, BatchState::Settled);
		assert_eq!(Sessions::money(account("//Worker1")).uncleared, 0);
	});
}

#[test]
fn the_beacon_of_committed_secrets_seeds_the_session() {
	with_preset("development", || {
		let round = Beacon::status().round;
		let bond = |role, amount| pallet_staking::Call::bond { role, amount }.into();
		block(validators().map(|path| (path, bond(Role::Validator, 100 * UNIT))).to_vec());
		let commit = |path: &'static str| {
			let key = pair(path).public().0;
			let commitment = hashing::beacon_commitment(round, &key, &[key[0]; 32]);
			(path, pallet_beacon::Call::commit { round, commitment }.into())
		};
		block(validators().map(commit).to_vec());
		until(|| !Beacon::status().committing);
		let reveal = |path: &'static str| {
			let secret = [pair(path).public().0[0]; 32];
			(path, pallet_beacon::Call::reveal { round, secret }.into())
		};
		block(validators().map(reveal).to_vec());
		until(|| Beacon::value_of(round).is_some());
		let mix = validators().iter().fold(0, |mix, path| mix ^ pair(path).public().0[0]);
		let parent = System::block_hash(6 * (round + 1) - 1);
		assert_eq!(Beacon::value_of(round), Some(hashing::beacon_value(round, &[mix; 32], &parent)));
	});
}
