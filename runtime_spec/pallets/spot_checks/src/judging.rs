//! Findings and what follows from them.
use crate::{
	types::{FINDER_DIVISOR, FINE_REWARDS, LEAST_SLASH_DIVISOR, SLASH_REWARDS},
	Audit, Audits, Balance, Config, Due, Error, Event, OfValidator, OfWorker, OpenedLeaves, Outcome, Pallet,
	References, Stage, Workers,
};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResult, ensure, traits::Get};
use llmnet_primitives::{
	hashing, pricing,
	scoring::{judge, Evidence, Judgement, Reason},
	AuditId, DomainId, Leaf, Ledger, OnVerdict, Penalize, Receipt, Roster, Specs, Verdict,
};
use sp_core::H256;
use sp_runtime::{traits::Zero, AccountId32};

/// A receipt and the signature over it.
pub(crate) type SignedReceipt = (Receipt, [u8; 64]);

/// How an audit is to end.
pub(crate) struct Finding {
	verdict: Verdict,
	reason: Reason,
	evidence: Evidence,
	/// Whose references were used: they are paid from the pot.
	accepted: Vec<AccountId32>,
	/// Whose references were out of band: they are fined.
	rejected: Vec<AccountId32>,
	/// Who has a share in a slash.
	diligent: Vec<AccountId32>,
}

impl Finding {
	/// Nobody is punished.
	pub(crate) fn abstained(reason: Reason) -> Self {
		let (accepted, rejected, diligent) = Default::default();
		let (verdict, evidence) = (Verdict::Abstained, Evidence::default());
		Self { verdict, reason, evidence, accepted, rejected, diligent }
	}

	/// The worker did not hand out what it owes; `diligent` did their part.
	pub(crate) fn missed(reason: Reason, diligent: Vec<AccountId32>) -> Self {
		let (verdict, evidence) = (Verdict::Failed, Evidence::MISSED);
		Self { verdict, evidence, diligent, ..Self::abstained(reason) }
	}
}

impl From<Judgement<AccountId32>> for Finding {
	fn from(judgement: Judgement<AccountId32>) -> Self {
		let Judgement { verdict, reason, evidence, accepted, rejected } = judgement;
		// References that led to no verdict earn nothing.
		let accepted = if verdict == Verdict::Abstained { Vec::new() } else { accepted };
		Self { verdict, reason, evidence, diligent: accepted.clone(), accepted, rejected }
	}
}

impl<T: Config> Pallet<T> {
	/// Compares the worker's leaves with the references.
	pub(crate) fn judge(id: AuditId, audit: &Audit) -> Finding {
		let (Some(answer), Some(leaves)) = (&audit.answer, OpenedLeaves::<T>::get(id)) else {
			frame_support::defensive!("leaves are open before references are revealed");
			return Finding::abstained(Reason::NoQuorum);
		};
		let (Some(spec), Some(calibration)) =
			(T::Specs::spec(&answer.spec), T::Specs::calibration(&answer.spec))
		else {
			return Finding::abstained(Reason::NotCalibrated);
		};
		let mut references: Vec<(AccountId32, Vec<Leaf>)> =
			References::<T>::iter_prefix(id).map(|(who, leaves)| (who, leaves.into_inner())).collect();
		references.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
		let temperature = answer.receipt.temperature;
		judge(&leaves, &references, &calibration, &spec, &answer.request_seed, temperature).into()
	}

	/// What the answer costs; before its receipt is open, what its segment's answers cost on average.
	pub(crate) fn reward_of(audit: &Audit) -> Balance {
		audit.answer.as_ref().map_or(audit.mean_price, |answer| answer.price)
	}

	/// The fine for an answer. More than can be counted is more than is held: what is taken is limited by that.
	pub(crate) fn fine_of(reward: Balance) -> Balance {
		reward.saturating_mul(FINE_REWARDS).max(T::MinimumFine::get())
	}

	/// Who pays for the answer and in which domain, as far as known.
	fn parties_of(audit: &Audit) -> Option<(AccountId32, DomainId)> {
		match &audit.answer {
			Some(answer) => Some((answer.requester.clone(), answer.domain)),
			None => T::Ledger::facts(audit.session).map(|facts| (facts.requester, facts.domain)),
		}
	}

	/// Ends the audit.
	pub(crate) fn conclude(id: AuditId, audit: Audit, finding: Finding) {
		let Finding { verdict, reason, evidence, accepted, rejected, diligent } = finding;
		let reward = Self::reward_of(&audit);
		let (worker, epoch) = (audit.worker.clone(), audit.epoch);
		let parties = Self::parties_of(&audit);
		let total = Workers::<T>::mutate(&worker, |state| {
			state.count(verdict, evidence);
			state.evidence
		});
		let block = Self::now();
		Self::file(id, audit, Outcome { audit: id, verdict, reason, evidence, total, block });
		Self::reward_and_fine_panel(id, reward, &accepted, rejected);
		if verdict == Verdict::Failed {
			Self::fine_worker(&worker, reward, parties.as_ref().map(|(requester, _)| requester));
		}
		if let (Some((_, domain)), true) = (parties, verdict != Verdict::Abstained) {
			T::OnVerdict::on_verdict(&worker, domain, reward, verdict == Verdict::Passed);
		}
		if verdict != Verdict::Abstained && total.is_slashable() {
			Self::slash_worker(&worker, reward, &diligent);
		}
		Self::audit_closed(&worker, epoch);
	}

	/// Stores the outcome and forgets what only an open audit needs.
	fn file(id: AuditId, mut audit: Audit, outcome: Outcome) {
		for member in &audit.panel {
			OfValidator::<T>::remove(&member.validator, id);
			References::<T>::remove(id, &member.validator);
		}
		OfWorker::<T>::remove(&audit.worker, id);
		OpenedLeaves::<T>::remove(id);
		(audit.stage, audit.outcome) = (Stage::Decided, Some(outcome));
		let Outcome { verdict, reason, evidence, total, block, .. } = outcome;
		Self::deposit_event(Event::Decided {
			audit: id,
			worker: audit.worker.clone(),
			session: audit.session,
			index: audit.index,
			verdict,
			reason,
			position_evidence: evidence.position,
			margin_evidence: evidence.margin,
			position_total: total.position,
			margin_total: total.margin,
		});
		Audits::<T>::insert(id, audit);
		Self::schedule(Due::PruneAudit(id), block.saturating_add(T::VerdictRetention::get()));
	}

	fn reward_and_fine_panel(
		id: AuditId,
		reward: Balance,
		accepted: &[AccountId32],
		rejected: Vec<AccountId32>,
	) {
		for validator in accepted {
			T::Ledger::pay_from_pot(validator, T::PanelReward::get());
		}
		for validator in rejected {
			T::Penalize::fine(&validator, Self::fine_of(reward), &[]);
			Self::deposit_event(Event::ReferenceRejected { audit: id, validator });
		}
	}

	/// The requester gets the answer's price back, the rest goes to the treasury.
	fn fine_worker(worker: &AccountId32, reward: Balance, requester: Option<&AccountId32>) {
		let shares: Vec<_> = requester.map(|who| (who.clone(), reward)).into_iter().collect();
		let amount = T::Penalize::fine(worker, Self::fine_of(reward), &shares);
		Self::deposit_event(Event::WorkerFined { worker: worker.clone(), amount });
	}

	/// Takes 100 rewards, at least a tenth of the stake, and all uncleared earnings; removes the worker for good.
	fn slash_worker(worker: &AccountId32, reward: Balance, finders: &[AccountId32]) {
		let stake = T::Roster::stake(worker);
		let least = stake.div_ceil(LEAST_SLASH_DIVISOR);
		let amount = reward.saturating_mul(SLASH_REWARDS).max(least).min(stake);
		let count = Balance::try_from(finders.len()).unwrap_or(Balance::MAX);
		let share =
			amount.checked_div(FINDER_DIVISOR).and_then(|all| all.checked_div(count)).unwrap_or_default();
		let shares: Vec<_> = finders.iter().map(|who| (who.clone(), share)).collect();
		let amount = T::Penalize::slash(worker, amount, &shares);
		Workers::<T>::mutate(worker, |state| state.removed = true);
		let forfeited = T::Ledger::forfeit(worker);
		T::Specs::withdraw_all(worker);
		T::OnVerdict::on_slash(worker);
		Self::deposit_event(Event::WorkerSlashed { worker: worker.clone(), amount, forfeited });
	}

	pub(crate) fn do_report_equivocation(
		reporter: AccountId32,
		worker: AccountId32,
		(first, first_signature): SignedReceipt,
		(second, second_signature): SignedReceipt,
	) -> DispatchResult {
		ensure!(first != second, Error::<T>::SameReceipt);
		let (session, index) = (first.session, first.index);
		ensure!((session, index) == (second.session, second.index), Error::<T>::DifferentAnswers);
		ensure!(!Workers::<T>::get(&worker).removed, Error::<T>::WorkerRemoved);
		let facts = T::Ledger::facts(session).ok_or(Error::<T>::UnknownSession)?;
		ensure!(facts.worker == worker, Error::<T>::NotTheWorker);
		ensure!(!T::Roster::stake(&worker).is_zero(), Error::<T>::NotBonded);
		let genesis = Self::genesis();
		for (receipt, signature) in [(&first, &first_signature), (&second, &second_signature)] {
			let signed = hashing::verify_signature("receipt", &genesis, receipt, signature, &worker);
			ensure!(signed, Error::<T>::SignatureInvalid);
		}
		let price = |r: &Receipt| pricing::price(r.n_prompt, r.n_out, facts.price_in, facts.price_out);
		let reward = price(&first).max(price(&second)).ok_or(Error::<T>::PriceOverflow)?;
		Self::deposit_event(Event::Equivocated {
			worker: worker.clone(),
			session,
			index,
			reporter: reporter.clone(),
		});
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
