//! Reviews: audits of answers that were audited before.
//!
//! | kind | who asks | when | panel | looks at |
//! |---|---|---|---|---|
//! | `Challenge` | a validator whose reference was used | the answer passed | those whose references were used | positions that it names |
//! | `Appeal` | the worker | the answer failed by references, alone or together with others, or as withheld; or passed with three nat against its distances | five others | the same positions |
//! | `Plant` | its planter | a planted answer passed | five others | the same positions |
//!
//! Whoever asks has a bond on hold: a fine's worth, and at least what the panel costs. A review that ends without a
//! verdict gives it back. The panel of five is drawn with the value of the next beacon round, from validators that were
//! not on the first panel; it needs three that agree.
use crate::{
	judging::Finding,
	types::{quorum, Positions, Record, Review, ReviewKind, MAX_REVIEW_PANEL, QUORUM_OF_REVIEW},
	Audit, Audits, Config, Due, Error, Event, HoldReason, Member, NextAudit, OfValidator, OfWorker, Outcome,
	Pallet, Panel, Records, ReviewOf, Reviews, Slashes, Stage, UndrawnReviews, Workers,
};
use alloc::vec::Vec;
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
};
use llmnet_primitives::{
	drawing,
	scoring::{Evidence, Known, Reason},
	AuditId, Ledger, OnVerdict, Penalize, Randomness, Roster, Verdict,
};
use sp_core::H256;
use sp_runtime::{AccountId32, DispatchError};

/// Whether the references, and not the chain itself, have found the fault.
pub(crate) fn is_found_by_references(reason: Reason) -> bool {
	matches!(reason, Reason::Positions | Reason::Token | Reason::Margin | Reason::Accumulated)
}

impl<T: Config> Pallet<T> {
	/// A decided audit whose time for reviews is not over.
	pub(crate) fn reviewable(of: AuditId) -> Result<(Audit, Outcome), DispatchError> {
		let audit = Audits::<T>::get(of).ok_or(Error::<T>::UnknownAudit)?;
		let outcome = audit.outcome.ok_or(Error::<T>::WrongStage)?;
		let last = outcome.block.saturating_add(T::ReviewPeriod::get());
		ensure!(Self::now() <= last, Error::<T>::ReviewTooLate);
		Ok((audit, outcome))
	}

	/// Whether an audit still counts although its worker was removed: the worker's own appeal must.
	pub(crate) fn outlives_removal(id: AuditId) -> bool {
		Reviews::<T>::get(id).is_some_and(|review| review.kind != ReviewKind::Challenge)
	}

	/// Whether the review has a bond on hold, which it has until it ends.
	fn is_open(review: &Review) -> bool {
		review.bond > 0
	}

	pub(crate) fn do_challenge(validator: AccountId32, of: AuditId, exceptions: Positions) -> DispatchResult {
		let (audit, outcome) = Self::reviewable(of)?;
		let first = !Reviews::<T>::contains_key(of) && outcome.verdict == Verdict::Passed;
		ensure!(first, Error::<T>::NotReviewable);
		ensure!(!Workers::<T>::get(&audit.worker).removed, Error::<T>::WorkerRemoved);
		let record = Records::<T>::get(of).ok_or(Error::<T>::NotReviewable)?;
		ensure!(record.accepted.contains(&validator), Error::<T>::NotOnPanel);
		Self::check_exceptions(of, &audit, &exceptions)?;
		let (id, review) = Self::file_review(of, &audit, ReviewKind::Challenge, validator, exceptions)?;
		Self::begin_review(id, &review, audit, record.accepted.into_inner());
		Ok(())
	}

	fn check_exceptions(of: AuditId, audit: &Audit, exceptions: &[u32]) -> DispatchResult {
		let n_out = audit.answer.as_ref().map_or(0, |answer| answer.receipt.n_out);
		let drawn = Self::positions_of(of, audit);
		let ascending = exceptions.iter().zip(exceptions.iter().skip(1)).all(|(a, b)| a < b);
		let extra = exceptions.iter().all(|position| *position < n_out && !drawn.contains(position));
		ensure!(!exceptions.is_empty() && ascending && extra, Error::<T>::BadExceptions);
		Ok(())
	}

	pub(crate) fn do_appeal(worker: AccountId32, of: AuditId) -> DispatchResult {
		let (audit, outcome) = Self::reviewable(of)?;
		ensure!(audit.worker == worker, Error::<T>::NotTheWorker);
		// What the chain saw itself needs no other panel: missed deadlines, leaves that contradict themselves.
		let doubtful = match outcome.verdict {
			Verdict::Failed => is_found_by_references(outcome.reason) || outcome.reason == Reason::Withheld,
			Verdict::Passed => outcome.evidence.is_refutable(),
			Verdict::Abstained => false,
		};
		ensure!(doubtful, Error::<T>::NotReviewable);
		let exceptions = match Reviews::<T>::get(of) {
			None => Positions::default(),
			Some(Review { kind: ReviewKind::Challenge, exceptions, .. }) => exceptions,
			Some(_) => return Err(Error::<T>::NotReviewable.into()),
		};
		Self::file_for_others(of, &audit, ReviewKind::Appeal, worker, exceptions)
	}

	/// Files a review whose panel the next beacon round draws.
	pub(crate) fn file_for_others(
		of: AuditId,
		audit: &Audit,
		kind: ReviewKind,
		by: AccountId32,
		exceptions: Positions,
	) -> DispatchResult {
		let (id, _) = Self::file_review(of, audit, kind, by, exceptions)?;
		UndrawnReviews::<T>::insert(T::Randomness::current_round(), id, ());
		Ok(())
	}

	/// Puts the bond on hold and numbers the review.
	fn file_review(
		of: AuditId,
		audit: &Audit,
		kind: ReviewKind,
		by: AccountId32,
		exceptions: Positions,
	) -> Result<(AuditId, Review), DispatchError> {
		ensure!(!ReviewOf::<T>::contains_key(of, &by), Error::<T>::AlreadyReviewed);
		let id = NextAudit::<T>::get();
		NextAudit::<T>::put(id.checked_add(1).ok_or(Error::<T>::TooManyAudits)?);
		let panel = T::PanelReward::get().saturating_mul(MAX_REVIEW_PANEL.into());
		let bond = Self::fine_of(Self::reward_of(audit)).max(panel);
		T::Currency::hold(&HoldReason::Review.into(), &by, bond)?;
		let review = Review { kind, of, by: by.clone(), bond, exceptions };
		Reviews::<T>::insert(id, &review);
		ReviewOf::<T>::insert(of, &by, id);
		Self::deposit_event(Event::ReviewFiled { audit: id, of, kind, by, bond });
		Ok((id, review))
	}

	/// Draws the panel of a review: validators that are not of the worker's or the asker's owner and were not on the
	/// first panel. Without a quorum of five there is no review.
	pub(crate) fn draw_review(id: AuditId, value: &H256) {
		let Some(review) = Reviews::<T>::get(id) else { return };
		let Some(original) = Audits::<T>::get(review.of) else { return Self::void(id, review) };
		let asker = T::Roster::owner(&review.by);
		let mut others = Self::eligible(&original.worker);
		others.retain(|(who, _)| {
			let sat = original.panel.iter().any(|member| member.validator == *who);
			!sat && *who != review.by && T::Roster::owner(who) != asker
		});
		let seed = drawing::review_seed(value, id);
		let members = drawing::panel(&seed, &others, MAX_REVIEW_PANEL);
		if members.len() < QUORUM_OF_REVIEW {
			return Self::void(id, review);
		}
		Self::begin_review(id, &review, original, members);
	}

	/// There is nobody to review: the bond is given back, and it may be asked for again.
	fn void(id: AuditId, review: Review) {
		let of = review.of;
		Self::free_bond(&review);
		Reviews::<T>::remove(id);
		ReviewOf::<T>::remove(of, &review.by);
		Self::deposit_event(Event::ReviewVoid { audit: id, of });
	}

	/// Begins a review where the receipt is open: its panel has to commit references.
	fn begin_review(id: AuditId, review: &Review, original: Audit, members: Vec<AccountId32>) {
		for validator in &members {
			OfValidator::<T>::insert(validator, id, ());
		}
		OfWorker::<T>::insert(&original.worker, id, ());
		let deadline = Self::now().saturating_add(T::ReferencePeriod::get());
		let panel = Panel::truncate_from(members.iter().cloned().map(Member::new).collect());
		let audit = Audit { stage: Stage::ReceiptOpened, deadline, panel, outcome: None, ..original };
		let (session, index, positions) = (audit.session, audit.index, Self::positions_of(id, &audit));
		Audits::<T>::insert(id, audit);
		Self::schedule(Due::Deadline(id), deadline);
		Self::deposit_event(Event::ReviewBegun { audit: id, of: review.of, panel: members });
		Self::deposit_event(Event::ReceiptOpened { audit: id, session, index, positions, deadline });
	}

	/// Ends a review; what it means for the audit that it reviews depends on its kind.
	pub(crate) fn conclude_review(id: AuditId, audit: Audit, review: Review, mut finding: Finding) {
		let (of, kind) = (review.of, review.kind);
		let (verdict, reason) = (finding.verdict, finding.reason);
		let convicts = kind == ReviewKind::Challenge && verdict == Verdict::Failed;
		let again = convicts && Self::is_convicted(of);
		if convicts && !again {
			finding.evidence = finding.evidence.beside(Self::counted(of));
			Self::punish(id, audit, finding, Some(&review.by));
			return Self::end_bond(id, review, false);
		}
		let (accepted, evidence) = (finding.accepted.clone(), finding.evidence);
		Self::file_only(id, audit, finding);
		let forfeited = match (kind, verdict) {
			(_, Verdict::Abstained) => false,
			(ReviewKind::Challenge, Verdict::Failed) => false,
			(ReviewKind::Challenge, _) => true,
			(ReviewKind::Appeal, Verdict::Failed) => true,
			(ReviewKind::Appeal, _) => !Self::conclude_appeal(of, evidence),
			(ReviewKind::Plant, _) => !Self::conclude_plant(of, verdict, reason, &accepted),
		};
		Self::end_bond(id, review, forfeited);
	}

	/// Five others have passed the answer, and found this. Whether that overturns what was said: not where it had passed
	/// anyway and they find something too, nor where with what they found there is enough for a slash as well.
	fn conclude_appeal(of: AuditId, found: Evidence) -> bool {
		let Some(Audit { worker, outcome: Some(outcome), .. }) = Audits::<T>::get(of) else { return false };
		let Outcome { verdict, reason, evidence, .. } = outcome;
		let made_up = evidence.is_made_up(&found);
		let others = Workers::<T>::get(&worker).evidence.retract(evidence);
		let (stands, to_blame) = match (verdict, reason) {
			(Verdict::Passed, _) => (!made_up, made_up),
			(_, Reason::Accumulated) => (others.accumulate(found).is_slashable(), made_up),
			_ => (false, true),
		};
		if stands {
			return false;
		}
		Self::blame_first_panel(of, to_blame);
		Self::overturn(of, Verdict::Passed, Reason::Overturned);
		true
	}

	/// What an audit has added to its worker's evidence, if it still counts.
	fn counted(of: AuditId) -> Evidence {
		Audits::<T>::get(of)
			.and_then(|audit| audit.outcome)
			.map(|outcome| outcome.evidence)
			.unwrap_or_default()
	}

	/// What the audit has said of an answer's tokens before the challenge that named positions of it: the review itself, or
	/// what it appeals against.
	pub(crate) fn known_before(review: &Review) -> Known {
		let first = Reviews::<T>::get(review.of).map_or(review.of, |challenge| challenge.of);
		let Some(audit) = Audits::<T>::get(first) else { return Known::default() };
		let drawn = u32::try_from(Self::positions_of(first, &audit).len()).unwrap_or(u32::MAX);
		let n_out = audit.answer.as_ref().map_or(0, |answer| answer.receipt.n_out);
		Known { margin: Self::counted(first).margin, others: n_out.saturating_sub(drawn) }
	}

	/// Whether a challenge has convicted the answer. What others find in it does not count again: never a slash from one
	/// answer.
	fn is_convicted(of: AuditId) -> bool {
		ReviewOf::<T>::iter_prefix_values(of).any(|id| {
			let challenged = Reviews::<T>::get(id).is_some_and(|found| found.kind == ReviewKind::Challenge);
			let outcome = Audits::<T>::get(id).and_then(|audit| audit.outcome);
			challenged && outcome.is_some_and(|outcome| outcome.verdict == Verdict::Failed)
		})
	}

	/// Gives the bond back or keeps it in the pot.
	fn end_bond(id: AuditId, mut review: Review, forfeited: bool) {
		if forfeited {
			let (reason, pot) = (HoldReason::Review.into(), T::Pot::get());
			let (best, free, force) = (Precision::BestEffort, Restriction::Free, Fortitude::Force);
			let kept =
				T::Currency::transfer_on_hold(&reason, &review.by, &pot, review.bond, best, free, force);
			if kept.is_err() {
				frame_support::defensive!("a bond is on hold and the pot takes it");
			}
		} else {
			Self::free_bond(&review);
		}
		review.bond = 0;
		Self::deposit_event(Event::ReviewEnded { audit: id, of: review.of, forfeited });
		Reviews::<T>::insert(id, review);
	}

	fn free_bond(review: &Review) {
		let reason = HoldReason::Review.into();
		if T::Currency::release(&reason, &review.by, review.bond, Precision::BestEffort).is_err() {
			frame_support::defensive!("a bond is on hold");
		}
	}

	/// Those whose references failed an answer that a larger panel has passed, at the same positions, give the worker
	/// back what they got of its slash. If they are to blame they are fined as for a rejected reference, and whom they
	/// had outvoted gets its fine back. Not if the answer failed as withheld: the worker may have handed it out only now.
	fn blame_first_panel(of: AuditId, to_blame: bool) {
		let (Some(audit), Some(record)) = (Audits::<T>::get(of), Records::<T>::get(of)) else { return };
		let fine = if to_blame { Self::fine_of(Self::reward_of(&audit)) } else { 0 };
		let owed = fine.saturating_add(record.bounty);
		for validator in record.accepted {
			T::Penalize::fine(&validator, owed, &[(audit.worker.clone(), record.bounty)]);
			if to_blame {
				Self::deposit_event(Event::ReferenceRejected { audit: of, validator });
			}
		}
		if !to_blame {
			return;
		}
		for (validator, amount) in record.rejected {
			T::Penalize::restore(&validator, amount);
		}
	}

	/// Takes a verdict back: evidence, what the treasury got of the slash if without this answer there would be none;
	/// and where it had failed the counters and what the treasury got of the fine.
	pub(crate) fn overturn(of: AuditId, verdict: Verdict, reason: Reason) {
		let (Some(mut audit), Some(record)) = (Audits::<T>::get(of), Records::<T>::get(of)) else { return };
		let Some(mut outcome) = audit.outcome else { return };
		let worker = audit.worker.clone();
		let Record { to_treasury, prior, .. } = record;
		let had_failed = outcome.verdict == Verdict::Failed;
		Workers::<T>::mutate(&worker, |state| {
			state.evidence = state.evidence.retract(outcome.evidence);
			if had_failed {
				state.forgive(&prior);
			}
		});
		Self::reconsider_slash(&worker);
		let restored = T::Penalize::restore(&worker, to_treasury);
		if let (Some(answer), true) = (&audit.answer, had_failed) {
			T::OnVerdict::on_verdict(&worker, answer.domain, answer.price, true);
		}
		outcome.total = Workers::<T>::get(&worker).evidence;
		(outcome.verdict, outcome.reason, outcome.evidence) = (verdict, reason, Evidence::default());
		audit.outcome = Some(outcome);
		Audits::<T>::insert(of, audit);
		Self::deposit_event(Event::Overturned { audit: of, worker, reason, restored });
	}

	/// Takes a slash for evidence back that the evidence does not carry any more.
	fn reconsider_slash(worker: &AccountId32) {
		let state = Workers::<T>::get(worker);
		if !state.removed || state.evidence.is_slashable() {
			return;
		}
		let Some(slash) = Slashes::<T>::take(worker) else { return };
		Workers::<T>::mutate(worker, |state| state.removed = false);
		T::Penalize::reinstate(worker);
		let restored = T::Penalize::restore(worker, slash.to_treasury);
		let returned = T::Ledger::readmit(worker, slash.forfeited);
		T::OnVerdict::on_reinstated(worker);
		Self::deposit_event(Event::SlashTakenBack { worker: worker.clone(), restored, returned });
	}

	/// Forgets a review with its audit. An audit that is reviewed is kept until its reviews are forgotten.
	pub(crate) fn forget(id: AuditId) -> bool {
		if ReviewOf::<T>::iter_key_prefix(id).next().is_some() {
			return false;
		}
		if let Some(review) = Reviews::<T>::take(id) {
			debug_assert!(!Self::is_open(&review), "an open review is not decided");
			ReviewOf::<T>::remove(review.of, &review.by);
		}
		Records::<T>::remove(id);
		true
	}

	/// A judgement of a panel of which fewer than its quorum were used is none.
	pub(crate) fn with_quorum(panel: usize, mut finding: Finding) -> Finding {
		if finding.verdict != Verdict::Abstained && finding.accepted.len() < quorum(panel) {
			let rejected = finding.rejected;
			finding = Finding::abstained(Reason::NoQuorum);
			finding.rejected = rejected;
		}
		finding
	}
}
