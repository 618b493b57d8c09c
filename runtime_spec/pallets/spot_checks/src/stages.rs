//! The stages of an audit: who may do what, and what happens when the time is over.
use crate::{
	batches::receipts_in, judging::Finding, types::quorum, weights::WeightInfo, Answer, Audit, Audits,
	Batches, Config, Due, Error, Event, Member, OpenedLeaves, Pallet, PutOff, ReferenceCommitment,
	References, Reviews, Stage, Workers,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{dispatch::DispatchResult, ensure, traits::Get, weights::Weight};
use llmnet_primitives::{
	drawing, hashing, merkle, pricing, scoring::Reason, AuditId, Leaves, Ledger, Penalize, PlacedSegment,
	ProofNodes, Receipt, Segment,
};
use sp_runtime::{AccountId32, DispatchError};

/// Whether at least a quorum of the members fulfil `what`.
fn is_quorum(panel: &[Member], what: impl Fn(&Member) -> bool) -> bool {
	panel.iter().filter(|member| what(member)).count() >= quorum(panel.len())
}

/// What a call has brought about beside its own work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
	Nothing,
	/// A verdict.
	Verdict,
	/// A verdict and a slash, or one that took a slash back.
	Slash,
}

impl Effect {
	/// What it cost.
	pub(crate) fn weight<T: Config>(self) -> Weight {
		match self {
			Self::Nothing => Weight::zero(),
			Self::Verdict => T::WeightInfo::decision(),
			Self::Slash => T::WeightInfo::decision().saturating_add(T::WeightInfo::slash()),
		}
	}
}

impl<T: Config> Pallet<T> {
	/// The audit, if it stands at `stage`, in time, and its worker is not removed.
	fn audit_at(id: AuditId, stage: Stage) -> Result<Audit, DispatchError> {
		let audit = Audits::<T>::get(id).ok_or(Error::<T>::UnknownAudit)?;
		ensure!(audit.stage == stage, Error::<T>::WrongStage);
		ensure!(Self::now() <= audit.deadline, Error::<T>::DeadlinePassed);
		ensure!(!Self::is_abandoned(id, &audit), Error::<T>::WorkerRemoved);
		Ok(audit)
	}

	/// Whether the worker of an audit was removed, and the audit is nobody's any more.
	pub(crate) fn is_abandoned(id: AuditId, audit: &Audit) -> bool {
		Workers::<T>::get(&audit.worker).removed && !Self::outlives_removal(id)
	}

	/// The positions the audit looks at: those that an accuser named, else drawn ones; none before its receipt is open.
	pub(crate) fn positions_of(id: AuditId, audit: &Audit) -> Vec<u32> {
		let named = Reviews::<T>::get(id).map(|review| review.exceptions).unwrap_or_default();
		if !named.is_empty() {
			return named.into_inner();
		}
		let positions = |answer: &Answer| drawing::positions(&audit.seed, answer.receipt.n_out);
		audit.answer.as_ref().map(positions).unwrap_or_default()
	}

	/// Moves the audit on: stores it with the new stage's deadline, which is returned.
	fn advance(id: AuditId, mut audit: Audit, stage: Stage, period: u32) -> u32 {
		let deadline = Self::now().saturating_add(period);
		(audit.stage, audit.deadline) = (stage, deadline);
		PutOff::<T>::remove(id);
		Audits::<T>::insert(id, audit);
		Self::schedule(Due::Deadline(id), deadline);
		deadline
	}

	pub(crate) fn do_open_receipt(
		worker: AccountId32,
		id: AuditId,
		placed: PlacedSegment,
		segment_proof: ProofNodes,
		receipt: Receipt,
		receipt_proof: ProofNodes,
	) -> DispatchResult {
		let mut audit = Self::audit_at(id, Stage::Drawn)?;
		ensure!(audit.worker == worker, Error::<T>::NotTheWorker);
		Self::check_segment(&audit, &placed, &segment_proof)?;
		Self::check_receipt(&audit, &placed.segment, &receipt, &receipt_proof)?;
		audit.answer = Some(Self::answer_of(receipt)?);
		Self::note_duty();
		let (session, index, positions) = (audit.session, audit.index, Self::positions_of(id, &audit));
		let deadline = Self::advance(id, audit, Stage::ReceiptOpened, T::ReferencePeriod::get());
		Self::deposit_event(Event::ReceiptOpened { audit: id, session, index, positions, deadline });
		Ok(())
	}

	/// The segment is the one of the batch that holds the drawn receipt.
	fn check_segment(audit: &Audit, placed: &PlacedSegment, proof: &[sp_core::H256]) -> DispatchResult {
		let batch = Batches::<T>::get(&audit.worker, audit.epoch).ok_or(Error::<T>::UnknownBatch)?;
		let offset = audit.ordinal.checked_sub(placed.start).ok_or(Error::<T>::SegmentMismatch)?;
		let count = receipts_in(&placed.segment).ok_or(Error::<T>::SegmentMismatch)?;
		ensure!(offset < count, Error::<T>::SegmentMismatch);
		let data = [placed.encode()];
		let proven = merkle::verify(&batch.root, batch.segments, &[audit.segment], &data, proof);
		ensure!(proven, Error::<T>::SegmentProofInvalid);
		Ok(())
	}

	/// The receipt is the drawn one of its segment.
	fn check_receipt(
		audit: &Audit,
		segment: &Segment,
		receipt: &Receipt,
		proof: &[sp_core::H256],
	) -> DispatchResult {
		let drawn = (receipt.session, receipt.index) == (audit.session, audit.index);
		ensure!(drawn, Error::<T>::ReceiptMismatch);
		ensure!(receipt.n_out > 0, Error::<T>::EmptyAnswer);
		let count = receipts_in(segment).ok_or(Error::<T>::SegmentMismatch)?;
		let place = audit.index.checked_sub(segment.first).ok_or(Error::<T>::SegmentMismatch)?;
		let proven = merkle::verify(&segment.receipts_root, count, &[place], &[receipt.encode()], proof);
		ensure!(proven, Error::<T>::ReceiptProofInvalid);
		Ok(())
	}

	fn answer_of(receipt: Receipt) -> Result<Answer, DispatchError> {
		let facts = T::Ledger::facts(receipt.session).ok_or(Error::<T>::UnknownSession)?;
		let seed = facts.seed.ok_or(Error::<T>::SeedMissing)?;
		let price = pricing::price(receipt.n_prompt, receipt.n_out, facts.price_in, facts.price_out);
		Ok(Answer {
			requester: facts.requester,
			spec: facts.spec,
			domain: facts.domain,
			price: price.ok_or(Error::<T>::PriceOverflow)?,
			request_seed: hashing::request_seed(&seed, receipt.index, &receipt.request_hash),
			receipt,
		})
	}

	pub(crate) fn do_commit_reference(
		validator: AccountId32,
		id: AuditId,
		commitment: ReferenceCommitment,
	) -> Result<Effect, DispatchError> {
		let mut audit = Self::audit_at(id, Stage::ReceiptOpened)?;
		let member = Self::member_of(&mut audit, &validator)?;
		ensure!(member.commitment.is_none(), Error::<T>::AlreadyCommitted);
		member.commitment = Some(commitment);
		let withheld = member.reported();
		Self::note_duty();
		Self::deposit_event(Event::ReferenceCommitted { audit: id, validator, withheld });
		if audit.panel.iter().all(|member| member.acted(Stage::ReceiptOpened)) {
			return Ok(Self::ending(id, audit, Self::close_references));
		}
		Audits::<T>::insert(id, audit);
		Ok(Effect::Nothing)
	}

	/// Does what may end an audit, and says what came of it.
	fn ending(id: AuditId, audit: Audit, close: impl FnOnce(AuditId, Audit)) -> Effect {
		let worker = audit.worker.clone();
		let removed = || Workers::<T>::get(&worker).removed;
		let before = removed();
		close(id, audit);
		if removed() != before {
			return Effect::Slash;
		}
		let decided = Audits::<T>::get(id).is_some_and(|audit| audit.stage == Stage::Decided);
		if decided {
			Effect::Verdict
		} else {
			Effect::Nothing
		}
	}

	fn member_of<'a>(audit: &'a mut Audit, who: &AccountId32) -> Result<&'a mut Member, DispatchError> {
		let member = audit.panel.iter_mut().find(|member| member.validator == *who);
		member.ok_or(Error::<T>::NotOnPanel.into())
	}

	pub(crate) fn do_open_leaves(
		worker: AccountId32,
		id: AuditId,
		leaves: Leaves,
		proof: ProofNodes,
	) -> DispatchResult {
		let audit = Self::audit_at(id, Stage::Referenced)?;
		ensure!(audit.worker == worker, Error::<T>::NotTheWorker);
		let receipt = audit.answer.as_ref().ok_or(Error::<T>::WrongStage)?.receipt;
		let positions = Self::positions_of(id, &audit);
		ensure!(positions.iter().eq(leaves.iter().map(|leaf| &leaf.position)), Error::<T>::LeavesMismatch);
		let data: Vec<Vec<u8>> = leaves.iter().map(Encode::encode).collect();
		let proven = merkle::verify(&receipt.transcript_root, receipt.n_out, &positions, &data, &proof);
		ensure!(proven, Error::<T>::LeafProofInvalid);
		OpenedLeaves::<T>::insert(id, leaves);
		Self::note_duty();
		let deadline = Self::advance(id, audit, Stage::LeavesOpened, T::RevealPeriod::get());
		Self::deposit_event(Event::LeavesOpened { audit: id, deadline });
		Ok(())
	}

	pub(crate) fn do_reveal_reference(
		validator: AccountId32,
		id: AuditId,
		leaves: Leaves,
		salt: [u8; 32],
	) -> Result<Effect, DispatchError> {
		let mut audit = Self::audit_at(id, Stage::LeavesOpened)?;
		let member = Self::member_of(&mut audit, &validator)?;
		ensure!(!member.revealed, Error::<T>::AlreadyRevealed);
		let Some(ReferenceCommitment::Reference(committed)) = member.commitment else {
			return Err(Error::<T>::NothingCommitted.into());
		};
		let opened = hashing::reference_commitment(id, validator.as_ref(), &leaves, &salt);
		ensure!(opened == committed, Error::<T>::CommitmentMismatch);
		member.revealed = true;
		Self::note_duty();
		References::<T>::insert(id, &validator, leaves);
		Self::deposit_event(Event::ReferenceRevealed { audit: id, validator });
		if audit.panel.iter().all(|member| member.acted(Stage::LeavesOpened)) {
			return Ok(Self::ending(id, audit, Self::close_reveals));
		}
		Audits::<T>::insert(id, audit);
		Ok(Effect::Nothing)
	}

	/// The stage's time is over.
	pub(crate) fn expire(id: AuditId, audit: Audit) {
		if Self::is_abandoned(id, &audit) {
			return Self::conclude(id, audit, Finding::abstained(Reason::Abandoned));
		}
		if Self::put_off(id, &audit) {
			return;
		}
		match audit.stage {
			Stage::Drawn => Self::conclude(id, audit, Finding::missed(Reason::ReceiptMissed, Vec::new())),
			Stage::ReceiptOpened => Self::close_references(id, audit),
			Stage::Referenced => {
				let diligent = Self::members(&audit, Member::referenced);
				Self::conclude(id, audit, Finding::missed(Reason::LeavesMissed, diligent));
			}
			Stage::LeavesOpened => Self::close_reveals(id, audit),
			Stage::Decided => {}
		}
	}

	/// The validators that fulfil `what`.
	fn members(audit: &Audit, what: impl Fn(&Member) -> bool) -> Vec<AccountId32> {
		audit.panel.iter().filter(|member| what(member)).map(|member| member.validator.clone()).collect()
	}

	/// All have committed or the time is over: on with a quorum of references, failed with a quorum of reports that
	/// the data was withheld, else abstained. Who said nothing is fined where the others could tell.
	fn close_references(id: AuditId, audit: Audit) {
		let told = is_quorum(&audit.panel, Member::referenced) || is_quorum(&audit.panel, Member::reported);
		for validator in Self::members(&audit, |member| member.commitment.is_none()) {
			if told {
				T::Penalize::fine(&validator, T::MinimumFine::get(), &[]);
			}
			Self::deposit_event(Event::MissedDuty { audit: id, validator });
		}
		if is_quorum(&audit.panel, Member::referenced) {
			for validator in Self::members(&audit, Member::reported) {
				T::Penalize::fine(&validator, T::MinimumFine::get(), &[]);
				Self::deposit_event(Event::ReferenceRejected { audit: id, validator });
			}
			let deadline = Self::advance(id, audit, Stage::Referenced, T::LeavesPeriod::get());
			Self::deposit_event(Event::LeavesDue { audit: id, deadline });
		} else if is_quorum(&audit.panel, Member::reported) {
			let diligent = Self::members(&audit, Member::reported);
			Self::conclude(id, audit, Finding::missed(Reason::Withheld, diligent));
		} else {
			Self::conclude(id, audit, Finding::abstained(Reason::NoQuorum));
		}
	}

	/// All have revealed or the time is over: judged with a quorum of references, else abstained.
	fn close_reveals(id: AuditId, audit: Audit) {
		let fine = Self::fine_of(Self::reward_of(&audit));
		for validator in Self::members(&audit, |member| !member.acted(Stage::LeavesOpened)) {
			T::Penalize::fine(&validator, fine, &[]);
			Self::deposit_event(Event::MissedDuty { audit: id, validator });
		}
		let finding = if is_quorum(&audit.panel, |member| member.revealed) {
			Self::judge(id, &audit)
		} else {
			Finding::abstained(Reason::NoQuorum)
		};
		Self::conclude(id, audit, finding);
	}
}
