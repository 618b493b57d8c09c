//! What a worker cannot have signed honestly: two receipts for one answer, or another receipt than it committed.
use crate::{
	types::SignedReceipts, Audit, Audits, Balance, Batch, Batches, Config, Error, Event, Pallet, Workers,
};
use codec::Encode;
use frame_support::{dispatch::DispatchResult, ensure};
use llmnet_primitives::{
	hashing, merkle, pricing, AuditId, Epoch, Ledger, PlacedSegment, ProofNodes, Receipt, Roster, SessionId,
};
use sp_core::H256;
use sp_runtime::{traits::Zero, AccountId32, DispatchError};

/// A receipt and the signature over it.
pub(crate) type SignedReceipt = (Receipt, [u8; 64]);

/// A segment of a batch, where it stands there, and the proof of that.
pub(crate) struct ProvenSegment {
	pub(crate) epoch: Epoch,
	pub(crate) place: u32,
	pub(crate) placed: PlacedSegment,
	pub(crate) proof: ProofNodes,
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_report_equivocation(
		reporter: AccountId32,
		worker: AccountId32,
		first: SignedReceipt,
		second: SignedReceipt,
	) -> DispatchResult {
		ensure!(first.0 != second.0, Error::<T>::SameReceipt);
		let answer = (first.0.session, first.0.index);
		ensure!(answer == (second.0.session, second.0.index), Error::<T>::DifferentAnswers);
		Self::ensure_culpable(&worker, answer.0)?;
		Self::ensure_signed_by(&worker, &first)?;
		Self::ensure_signed_by(&worker, &second)?;
		Self::convict(reporter, worker, answer, &[first.0, second.0])
	}

	/// `signed` differs from the receipt that stands for the same answer in the worker's batch.
	pub(crate) fn do_report_committed(
		reporter: AccountId32,
		worker: AccountId32,
		segment: ProvenSegment,
		(committed, proof): (Receipt, ProofNodes),
		signed: SignedReceipt,
	) -> DispatchResult {
		let answer = (signed.0.session, signed.0.index);
		Self::ensure_culpable(&worker, answer.0)?;
		let covering = Self::proven_segment(&worker, &segment)?;
		ensure!(covering.session == answer.0, Error::<T>::NotCovered);
		let place = answer.1.checked_sub(covering.first).ok_or(Error::<T>::NotCovered)?;
		let count = covering.receipts().filter(|count| place < *count).ok_or(Error::<T>::NotCovered)?;
		let data = [committed.encode()];
		let proven = merkle::verify(&covering.receipts_root, count, &[place], &data, &proof);
		ensure!(proven, Error::<T>::ReceiptProofInvalid);
		ensure!(committed != signed.0, Error::<T>::NoDifference);
		Self::ensure_signed_by(&worker, &signed)?;
		Self::convict(reporter, worker, answer, &[committed, signed.0])
	}

	/// `signed` differs from the receipt that the worker opened in the audit of the same answer.
	pub(crate) fn do_report_opened(
		reporter: AccountId32,
		id: AuditId,
		signed: SignedReceipt,
	) -> DispatchResult {
		let Audit { worker, answer, .. } = Audits::<T>::get(id).ok_or(Error::<T>::UnknownAudit)?;
		let opened = answer.ok_or(Error::<T>::WrongStage)?.receipt;
		let answer = (opened.session, opened.index);
		ensure!(answer == (signed.0.session, signed.0.index), Error::<T>::DifferentAnswers);
		ensure!(opened != signed.0, Error::<T>::NoDifference);
		Self::ensure_culpable(&worker, answer.0)?;
		Self::ensure_signed_by(&worker, &signed)?;
		Self::convict(reporter, worker, answer, &[opened, signed.0])
	}

	/// The receipts that the worker signed for all answers of a segment do not give the root that it committed, so at
	/// least one of them differs. The payer needs nothing from the worker for this but what it got with its answers.
	pub(crate) fn do_report_segment(
		reporter: AccountId32,
		worker: AccountId32,
		segment: ProvenSegment,
		signed: SignedReceipts,
	) -> DispatchResult {
		let covering = Self::proven_segment(&worker, &segment)?;
		Self::ensure_culpable(&worker, covering.session)?;
		let expected = (covering.first..=covering.last).map(|index| (covering.session, index));
		let given = signed.iter().map(|(receipt, _)| (receipt.session, receipt.index));
		// Compared step by step: a segment of four billion answers ends with the first that is missing.
		ensure!(given.eq(expected), Error::<T>::ReceiptsMissing);
		let receipts: alloc::vec::Vec<Receipt> = signed.iter().map(|(receipt, _)| *receipt).collect();
		let root = merkle::root_of(&receipts).ok_or(Error::<T>::ReceiptsMissing)?;
		ensure!(root != covering.receipts_root, Error::<T>::NoDifference);
		for receipt in &signed {
			Self::ensure_signed_by(&worker, receipt)?;
		}
		Self::convict(reporter, worker, (covering.session, covering.first), &receipts)
	}

	/// The segment, which stands in the worker's batch.
	fn proven_segment(
		worker: &AccountId32,
		segment: &ProvenSegment,
	) -> Result<llmnet_primitives::Segment, DispatchError> {
		let Batch { root, segments, .. } =
			Batches::<T>::get(worker, segment.epoch).ok_or(Error::<T>::UnknownBatch)?;
		let data = [segment.placed.encode()];
		let proven = merkle::verify(&root, segments, &[segment.place], &data, &segment.proof);
		ensure!(proven, Error::<T>::SegmentProofInvalid);
		Ok(segment.placed.segment)
	}

	/// The worker of the session has something to lose.
	fn ensure_culpable(worker: &AccountId32, session: SessionId) -> DispatchResult {
		ensure!(!Workers::<T>::get(worker).removed, Error::<T>::WorkerRemoved);
		let facts = T::Ledger::facts(session).ok_or(Error::<T>::UnknownSession)?;
		ensure!(facts.worker == *worker, Error::<T>::NotTheWorker);
		ensure!(!T::Roster::stake(worker).is_zero(), Error::<T>::NotBonded);
		Ok(())
	}

	fn ensure_signed_by(worker: &AccountId32, (receipt, signature): &SignedReceipt) -> DispatchResult {
		let signed = hashing::verify_signature("receipt", &Self::genesis(), receipt, signature, worker);
		ensure!(signed, Error::<T>::SignatureInvalid);
		Ok(())
	}

	/// Slashes the worker by the dearest of the receipts.
	fn convict(
		reporter: AccountId32,
		worker: AccountId32,
		(session, index): (SessionId, u32),
		receipts: &[Receipt],
	) -> DispatchResult {
		let facts = T::Ledger::facts(session).ok_or(Error::<T>::UnknownSession)?;
		let price = |r: &Receipt| pricing::price(r.n_prompt, r.n_out, facts.price_in, facts.price_out);
		let dearest: Option<Balance> = receipts.iter().map(price).max().flatten();
		let reward = dearest.ok_or(Error::<T>::PriceOverflow)?;
		let report =
			Event::Equivocated { worker: worker.clone(), session, index, reporter: reporter.clone() };
		Self::deposit_event(report);
		Self::slash_worker(&worker, reward, &[reporter]);
		Ok(())
	}

	fn genesis() -> H256 {
		let hash =
			frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::zero());
		let mut bytes = [0u8; 32];
		bytes.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
		H256(bytes)
	}
}
