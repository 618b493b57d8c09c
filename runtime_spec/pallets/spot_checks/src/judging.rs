//! Findings and what follows from them.
use crate::{
	types::{
		Record, Slash, FINDER_DIVISOR, FINE_REWARDS, LEAST_SLASH_DIVISOR, MAX_REVIEW_PANEL, SLASH_REWARDS,
	},
	Audit, Audits, Balance, Config, Due, Event, OfValidator, OfWorker, OpenedLeaves, Outcome, Pallet,
	PlantTally, PutOff, Records, References, Reviews, Slashes, Stage, Workers,
};
use alloc::vec::Vec;
use frame_support::{
	traits::{ConstU32, Get},
	BoundedVec,
};
use llmnet_primitives::{
	scoring::{judge, judge_exceptions, Evidence, Judgement, Reason},
	AuditId, DomainId, Leaf, Ledger, OnVerdict, Penalize, Roster, Specs, Verdict,
};
use sp_runtime::AccountId32;

/// How an audit is to end.
pub(crate) struct Finding {
	pub(crate) verdict: Verdict,
	pub(crate) reason: Reason,
	pub(crate) evidence: Evidence,
	/// Whose references were used: they are paid from the pot.
	pub(crate) accepted: Vec<AccountId32>,
	/// Whose references were out of band: they are fined.
	pub(crate) rejected: Vec<AccountId32>,
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
		let (seed, temperature) = (&answer.request_seed, answer.receipt.temperature);
		let judgement = match Reviews::<T>::get(id).filter(|review| !review.exceptions.is_empty()) {
			Some(review) => {
				let known = Self::known_before(&review);
				judge_exceptions(&leaves, &references, &calibration, &spec, seed, temperature, &known)
			}
			None => judge(&leaves, &references, &calibration, &spec, seed, temperature),
		};
		Self::with_quorum(audit.panel.len(), judgement.into())
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
		if let Some(review) = Reviews::<T>::get(id) {
			return Self::conclude_review(id, audit, review, finding);
		}
		if finding.verdict != Verdict::Abstained {
			PlantTally::<T>::mutate(|tally| tally.audits = tally.audits.saturating_add(1));
		}
		let (worker, epoch) = (audit.worker.clone(), audit.epoch);
		Self::punish(id, audit, finding, None);
		Self::audit_closed(&worker, epoch);
	}

	/// Ends an audit that counts for its worker: evidence, fine, reputation, and a slash if there is enough. A
	/// challenger has a share in the fine.
	pub(crate) fn punish(id: AuditId, audit: Audit, finding: Finding, challenger: Option<&AccountId32>) {
		let reward = Self::reward_of(&audit);
		let (worker, prior) = (audit.worker.clone(), Workers::<T>::get(&audit.worker));
		let parties = Self::parties_of(&audit);
		let (finding, total) = Self::count(&worker, finding);
		let Finding { verdict, reason, evidence, accepted, rejected, diligent } = finding;
		let block = Self::now();
		Self::file(id, audit, Outcome { audit: id, verdict, reason, evidence, total, block });
		let rejected = Self::reward_and_fine_panel(id, reward, &accepted, rejected);
		let (mut to_treasury, mut bounty) = (0, 0);
		if verdict == Verdict::Failed {
			let requester = parties.as_ref().map(|(requester, _)| requester);
			to_treasury = Self::fine_worker(&worker, reward, requester, challenger);
		}
		let accepted = BoundedVec::truncate_from(accepted);
		if let (Some((_, domain)), true) = (parties, verdict != Verdict::Abstained) {
			T::OnVerdict::on_verdict(&worker, domain, reward, verdict == Verdict::Passed);
		}
		if verdict != Verdict::Abstained && total.is_slashable() {
			let (slash, share) = Self::slash_worker(&worker, reward, &diligent);
			Slashes::<T>::insert(&worker, slash);
			bounty = share;
		}
		Records::<T>::insert(id, Record { accepted, to_treasury, prior, rejected, bounty });
	}

	/// Counts a finding for its worker. Returns it and the worker's evidence afterwards, which no slash can follow while
	/// many drift.
	///
	/// An answer that passes fails if with it there is enough for a slash, so that whoever is slashed can appeal.
	fn count(worker: &AccountId32, mut finding: Finding) -> (Finding, Evidence) {
		let mut state = Workers::<T>::get(worker);
		let total = state.evidence.accumulate(finding.evidence);
		if finding.verdict != Verdict::Abstained {
			Self::watch_drift(worker, finding.reason, &finding.evidence, &total);
		}
		let frozen = Self::is_frozen() && !state.removed;
		if finding.verdict == Verdict::Passed && total.is_slashable() && !frozen {
			(finding.verdict, finding.reason) = (Verdict::Failed, Reason::Accumulated);
		}
		state.count(finding.verdict, finding.evidence);
		if frozen {
			state.evidence = state.evidence.held_back();
		}
		Workers::<T>::insert(worker, state);
		(finding, state.evidence)
	}

	/// Ends a review that does not count for the worker.
	pub(crate) fn file_only(id: AuditId, audit: Audit, finding: Finding) {
		let Finding { verdict, reason, evidence, accepted, rejected, .. } = finding;
		let (reward, block) = (Self::reward_of(&audit), Self::now());
		let total = Workers::<T>::get(&audit.worker).evidence;
		Self::file(id, audit, Outcome { audit: id, verdict, reason, evidence, total, block });
		Self::reward_and_fine_panel(id, reward, &accepted, rejected);
	}

	/// Stores the outcome and forgets what only an open audit needs.
	fn file(id: AuditId, mut audit: Audit, outcome: Outcome) {
		for member in &audit.panel {
			OfValidator::<T>::remove(&member.validator, id);
			References::<T>::remove(id, &member.validator);
		}
		OfWorker::<T>::remove(&audit.worker, id);
		OpenedLeaves::<T>::remove(id);
		PutOff::<T>::remove(id);
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

	/// Returns who was fined, and how much.
	fn reward_and_fine_panel(
		id: AuditId,
		reward: Balance,
		accepted: &[AccountId32],
		rejected: Vec<AccountId32>,
	) -> BoundedVec<(AccountId32, Balance), ConstU32<MAX_REVIEW_PANEL>> {
		for validator in accepted {
			T::Ledger::pay_from_pot(validator, T::PanelReward::get());
		}
		let mut fined = Vec::new();
		for validator in rejected {
			let amount = T::Penalize::fine(&validator, Self::fine_of(reward), &[]);
			Self::deposit_event(Event::ReferenceRejected { audit: id, validator: validator.clone() });
			fined.push((validator, amount));
		}
		BoundedVec::truncate_from(fined)
	}

	/// The requester gets the answer's price back, a challenger a tenth, the rest goes to the treasury: at least what
	/// is returned.
	fn fine_worker(
		worker: &AccountId32,
		reward: Balance,
		requester: Option<&AccountId32>,
		challenger: Option<&AccountId32>,
	) -> Balance {
		let fine = Self::fine_of(reward);
		let finder = fine.checked_div(FINDER_DIVISOR).unwrap_or_default();
		let shares: Vec<_> = requester
			.map(|who| (who.clone(), reward))
			.into_iter()
			.chain(challenger.map(|who| (who.clone(), finder)))
			.collect();
		let amount = T::Penalize::fine(worker, fine, &shares);
		Self::deposit_event(Event::WorkerFined { worker: worker.clone(), amount });
		shares.iter().fold(amount, |rest, (_, share)| rest.saturating_sub(*share))
	}

	/// Takes 100 rewards, at least a tenth of the stake, and all uncleared earnings; removes the worker. Returns what was
	/// taken, and the share of each finder.
	pub(crate) fn slash_worker(
		worker: &AccountId32,
		reward: Balance,
		finders: &[AccountId32],
	) -> (Slash, Balance) {
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
		let to_treasury = shares.iter().fold(amount, |rest, (_, share)| rest.saturating_sub(*share));
		(Slash { to_treasury, forfeited }, share)
	}
}
