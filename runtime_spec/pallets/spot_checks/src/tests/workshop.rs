//! Makes answers, batches, openings and references, and takes audits from stage to stage.
use crate::{mock::*, Audit, AuditFloor, Audits, Event, ReferenceCommitment, Stage};
use codec::Encode;
use frame_support::{
	assert_ok,
	dispatch::{DispatchResult, DispatchResultWithPostInfo, Pays},
};
use llmnet_primitives::{
	drawing::{positions, ONE},
	hashing::{reference_commitment, request_seed},
	merkle::{prove, root_of},
	sampling::Sampler,
	AuditId, Candidate, FinishReason, Leaf, Leaves, PlacedSegment, ProofNodes, Receipt, Segment, SessionId,
};
use sp_core::H256;
use sp_runtime::AccountId32;

pub const N_PROMPT: u32 = 10;

/// An answer with everything its worker keeps of it.
#[derive(Clone, Debug)]
pub struct Work {
	pub receipt: Receipt,
	pub leaves: Vec<Leaf>,
}

/// The leaf that an exact computation gives at `position`: each candidate 40 / 256 nat below the one before.
pub fn exact_leaf(sampler: &Sampler, position: u32) -> Leaf {
	let first = position * 7 % 900;
	let candidates: Vec<_> =
		(0..8).map(|rank| Candidate { id: first + rank, logprob: -40 * rank as i16 - 5 }).collect();
	let token = sampler.winner(position, &candidates).expect("not empty");
	let lane = |j: usize, scale: i16| (position as i16 * 31 + j as i16 * scale) % 1_000;
	Leaf {
		position,
		token,
		candidates: candidates.try_into().expect("few"),
		logit_sketch: std::array::from_fn(|j| lane(j, 17)),
		hidden_sketch: std::array::from_fn(|j| lane(j, 23)),
	}
}

/// An answer of `n_out` tokens, computed exactly and then changed by `change`.
pub fn work_with(
	session: SessionId,
	index: u32,
	n_out: u32,
	temperature: u16,
	change: impl Fn(&mut Leaf, &Sampler),
) -> Work {
	let request_hash = H256::repeat_byte(index as u8);
	let session_seed = H256::repeat_byte(session as u8);
	let sampler = Sampler::new(&request_seed(&session_seed, index, &request_hash), temperature);
	let mut leaves: Vec<Leaf> = (0..n_out).map(|position| exact_leaf(&sampler, position)).collect();
	leaves.iter_mut().for_each(|leaf| change(leaf, &sampler));
	let transcript_root = root_of(&leaves).unwrap_or_default();
	let receipt = Receipt {
		session,
		index,
		request_hash,
		temperature,
		output_hash: H256::repeat_byte(1),
		text_hash: H256::repeat_byte(2),
		n_prompt: N_PROMPT,
		n_out,
		finish: FinishReason::Stop,
		transcript_root,
	};
	Work { receipt, leaves }
}

/// A greedy answer, computed exactly.
pub fn work(session: SessionId, index: u32, n_out: u32) -> Work {
	work_with(session, index, n_out, 0, |_, _| ())
}

/// What a worker has to deliver in an epoch: the answers of each segment.
#[derive(Clone, Debug)]
pub struct Delivery {
	pub answers: Vec<Vec<Work>>,
}

pub fn proof(nodes: Option<Vec<H256>>) -> ProofNodes {
	nodes.expect("indices in range").try_into().expect("short")
}

/// All arguments of `open_receipt` but the audit.
#[derive(Clone, Debug)]
pub struct Opening {
	pub placed: PlacedSegment,
	pub segment_proof: ProofNodes,
	pub receipt: Receipt,
	pub receipt_proof: ProofNodes,
}

impl Delivery {
	pub fn of(answers: Vec<Work>) -> Self {
		Self { answers: vec![answers] }
	}

	pub fn placed(&self) -> Vec<PlacedSegment> {
		let mut start = 0;
		let place = |works: &Vec<Work>| {
			let receipts: Vec<Receipt> = works.iter().map(|work| work.receipt).collect();
			let segment = Segment {
				session: receipts[0].session,
				first: receipts[0].index,
				last: receipts[receipts.len() - 1].index,
				receipts_root: root_of(&receipts).expect("not empty"),
				amount: receipts.iter().map(price).sum(),
			};
			start += works.len() as u32;
			PlacedSegment { start: start - works.len() as u32, segment }
		};
		self.answers.iter().map(place).collect()
	}

	pub fn commit(&self, worker: &AccountId32) -> DispatchResult {
		let segments: Vec<Segment> = self.placed().iter().map(|placed| placed.segment).collect();
		SpotChecks::commit_batch(RuntimeOrigin::signed(worker.clone()), segments.try_into().expect("few"))
	}

	/// The segment's place, the receipt's place in it, and the answer.
	fn find(&self, ordinal: u32) -> (usize, usize, Work) {
		let mut left = ordinal as usize;
		for (i, works) in self.answers.iter().enumerate() {
			if left < works.len() {
				return (i, left, works[left].clone());
			}
			left -= works.len();
		}
		panic!("no receipt {ordinal}");
	}

	pub fn work(&self, ordinal: u32) -> Work {
		self.find(ordinal).2
	}

	pub fn opening(&self, ordinal: u32) -> Opening {
		let (i, j, work) = self.find(ordinal);
		let placed = self.placed();
		let receipts: Vec<_> = self.answers[i].iter().map(|work| work.receipt.encode()).collect();
		let encoded: Vec<_> = placed.iter().map(Encode::encode).collect();
		Opening {
			placed: placed[i],
			segment_proof: proof(prove(&encoded, &[i as u32])),
			receipt: work.receipt,
			receipt_proof: proof(prove(&receipts, &[j as u32])),
		}
	}
}

/// What an answer costs in the mock chain's sessions.
pub fn price(receipt: &Receipt) -> u128 {
	(receipt.n_prompt + receipt.n_out).into()
}

/// What became of a duty: it costs no fee when it succeeds, and one when it does not.
fn free(result: DispatchResultWithPostInfo) -> DispatchResult {
	let post = match &result {
		Ok(post) => post,
		Err(error) => &error.post_info,
	};
	assert_eq!(post.pays_fee == Pays::No, result.is_ok());
	result.map(|_| ()).map_err(|error| error.error)
}

pub fn open(who: &AccountId32, audit: AuditId, opening: Opening) -> DispatchResult {
	let Opening { placed, segment_proof, receipt, receipt_proof } = opening;
	let origin = RuntimeOrigin::signed(who.clone());
	free(SpotChecks::open_receipt(origin, audit, placed, segment_proof, receipt, receipt_proof))
}

/// The leaves at `positions` with their proof.
pub fn opened_leaves(work: &Work, positions: &[u32]) -> (Leaves, ProofNodes) {
	let encoded: Vec<_> = work.leaves.iter().map(Encode::encode).collect();
	let leaves: Vec<_> = positions.iter().map(|position| work.leaves[*position as usize].clone()).collect();
	(leaves.try_into().expect("at most 16"), proof(prove(&encoded, positions)))
}

/// One audited answer on its way.
#[derive(Clone, Debug)]
pub struct Case {
	pub audit: AuditId,
	pub worker: AccountId32,
	pub delivery: Delivery,
	pub work: Work,
}

pub const SALT: [u8; 32] = [9; 32];

impl Case {
	/// Commits `delivery` and waits until all of it is drawn. One case for each answer, by ordinal.
	pub fn draw_all(worker: &AccountId32, delivery: Delivery) -> Vec<Case> {
		AuditFloor::<Test>::put(ONE);
		let epoch = SpotChecks::current_epoch();
		assert_ok!(delivery.commit(worker));
		while SpotChecks::batch(worker.clone(), epoch).expect("kept").state == crate::BatchState::Sealed {
			next_block();
		}
		Self::all_of(worker, epoch, &delivery)
	}

	/// The cases of a drawn batch, by ordinal.
	pub fn all_of(worker: &AccountId32, epoch: u32, delivery: &Delivery) -> Vec<Case> {
		let of_batch = |(_, audit): &(AuditId, Audit)| audit.worker == *worker && audit.epoch == epoch;
		let mut audits: Vec<_> = Audits::<Test>::iter().filter(of_batch).collect();
		audits.sort_by_key(|(_, audit)| audit.ordinal);
		let case = |(audit, drawn): (AuditId, Audit)| Case {
			audit,
			worker: worker.clone(),
			work: delivery.work(drawn.ordinal),
			delivery: delivery.clone(),
		};
		audits.into_iter().map(case).collect()
	}

	/// The only answer of the next epoch's batch, drawn.
	pub fn draw(work: Work) -> Case {
		let worker = worker();
		if SpotChecks::batch(worker.clone(), SpotChecks::current_epoch()).is_some() {
			run_to((SpotChecks::current_epoch() + 1) * EPOCH);
		}
		Self::draw_all(&worker, Delivery::of(vec![work])).pop().expect("all are drawn")
	}

	pub fn stored(&self) -> Audit {
		SpotChecks::audit(self.audit).expect("kept")
	}

	pub fn stage(&self) -> Stage {
		self.stored().stage
	}

	pub fn panel(&self) -> Vec<AccountId32> {
		self.stored().panel.iter().map(|member| member.validator.clone()).collect()
	}

	pub fn positions(&self) -> Vec<u32> {
		let named = SpotChecks::review(self.audit).map(|review| review.exceptions).unwrap_or_default();
		if named.is_empty() {
			positions(&self.stored().seed, self.work.receipt.n_out)
		} else {
			named.into_inner()
		}
	}

	/// The review of this audit that `by` asked for, once it has a panel.
	pub fn review_by(&self, by: &AccountId32) -> Case {
		let audit = crate::ReviewOf::<Test>::get(self.audit, by).expect("asked for");
		while Audits::<Test>::get(audit).is_none() {
			next_block();
		}
		Case { audit, ..self.clone() }
	}

	pub fn open_receipt(&self) -> DispatchResult {
		open(&self.worker, self.audit, self.delivery.opening(self.stored().ordinal))
	}

	/// What an exact computation by a validator gives: the tokens are those of the worker's output.
	pub fn reference(&self) -> Leaves {
		let receipt = &self.work.receipt;
		let exact = work_with(receipt.session, receipt.index, receipt.n_out, receipt.temperature, |_, _| ());
		let leaf = |position: &u32| {
			let at = *position as usize;
			Leaf { token: self.work.leaves[at].token, ..exact.leaves[at].clone() }
		};
		self.positions().iter().map(leaf).collect::<Vec<_>>().try_into().expect("at most 16")
	}

	pub fn commit_hash(&self, who: &AccountId32, leaves: &Leaves) -> H256 {
		reference_commitment(self.audit, who.as_ref(), leaves, &SALT)
	}

	pub fn commit(&self, who: &AccountId32, leaves: &Leaves) -> DispatchResult {
		let commitment = ReferenceCommitment::Reference(self.commit_hash(who, leaves));
		free(SpotChecks::commit_reference(RuntimeOrigin::signed(who.clone()), self.audit, commitment))
	}

	pub fn report(&self, who: &AccountId32) -> DispatchResult {
		let origin = RuntimeOrigin::signed(who.clone());
		free(SpotChecks::commit_reference(origin, self.audit, ReferenceCommitment::Withheld))
	}

	pub fn open_leaves(&self) -> DispatchResult {
		let (leaves, proof) = opened_leaves(&self.work, &self.positions());
		free(SpotChecks::open_leaves(RuntimeOrigin::signed(self.worker.clone()), self.audit, leaves, proof))
	}

	pub fn reveal(&self, who: &AccountId32, leaves: &Leaves) -> DispatchResult {
		let origin = RuntimeOrigin::signed(who.clone());
		free(SpotChecks::reveal_reference(origin, self.audit, leaves.clone(), SALT))
	}

	/// Goes on until the leaves are open, the panel having committed to `references`.
	pub fn to_leaves(&self, references: &[Leaves]) {
		if self.stage() == Stage::Drawn {
			assert_ok!(self.open_receipt());
		}
		for (who, leaves) in self.panel().iter().zip(references) {
			assert_ok!(self.commit(who, leaves));
		}
		if self.stage() == Stage::ReceiptOpened {
			run_to(self.stored().deadline + 1);
		}
		assert_ok!(self.open_leaves());
	}

	/// Goes on to the verdict: the panel finds `references`.
	pub fn decide_with(&self, references: &[Leaves]) {
		self.to_leaves(references);
		for (who, leaves) in self.panel().iter().zip(references) {
			assert_ok!(self.reveal(who, leaves));
		}
		assert_eq!(self.stage(), Stage::Decided);
	}

	/// Goes on to the verdict with exact references.
	pub fn decide(&self) -> crate::Outcome {
		let reference = self.reference();
		self.decide_with(&vec![reference; self.panel().len()]);
		self.outcome()
	}

	pub fn outcome(&self) -> crate::Outcome {
		self.stored().outcome.expect("decided")
	}
}

/// The events of this pallet since the last call.
pub fn events() -> Vec<Event<Test>> {
	let all = System::read_events_for_pallet();
	System::reset_events();
	all
}
