//! Batches: committed by workers, drawn with the beacon, settled or forfeited.
use crate::{
	types::{FINE_REWARDS, MAX_RECEIPTS},
	weights::WeightInfo,
	Audit, AuditFloor, AuditOf, Audits, Balance, Batch, BatchSpans, BatchState, Batches, Config, DrawRound,
	Due, Error, Event, Member, NextAudit, OfValidator, OfWorker, Pallet, Panel, SkipReason, Slashes, Span,
	Spans, Stage, StrikesServed, Undrawn, UndrawnReviews, Workers,
};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResult, ensure, traits::Get, weights::WeightMeter};
use llmnet_primitives::{
	drawing, merkle, scoring::Evidence, Epoch, Ledger, PlacedSegment, Randomness, Role, Roster, Segment,
	Segments, MAX_DRAWS, MAX_PANEL, QUORUM,
};
use sp_core::H256;
use sp_runtime::{AccountId32, DispatchError};

/// How many receipts a segment holds; `None` if its indices are the wrong way round or cover all numbers.
pub(crate) fn receipts_in(segment: &Segment) -> Option<u32> {
	segment.last.checked_sub(segment.first)?.checked_add(1)
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_commit_batch(worker: AccountId32, segments: Segments) -> DispatchResult {
		ensure!(T::Roster::is_active(&worker, Role::Worker), Error::<T>::NotActiveWorker);
		let epoch = Self::epoch();
		ensure!(!Batches::<T>::contains_key(&worker, epoch), Error::<T>::BatchExists);
		let (batch, spans) = Self::seal(&segments)?;
		// However its answers' prices differ, the stake can pay the fine for any of them.
		let dearest = batch.amount.saturating_mul(FINE_REWARDS);
		ensure!(dearest <= T::Roster::stake(&worker), Error::<T>::StakeTooSmall);
		Self::readmit(&worker);
		for segment in &segments {
			T::Ledger::record_segment(&worker, segment, epoch)?;
		}
		let Batch { receipts, amount, round, .. } = batch;
		Batches::<T>::insert(&worker, epoch, batch);
		BatchSpans::<T>::insert(&worker, epoch, spans);
		Undrawn::<T>::insert(round, (&worker, epoch), ());
		Self::deposit_event(Event::BatchCommitted { worker, epoch, receipts, amount });
		Ok(())
	}

	/// An active worker that was removed has its quarantine behind it and may work again. It, and whoever belongs to an
	/// owner with a strike that it has not served, begins on probation.
	fn readmit(worker: &AccountId32) {
		let mut state = Workers::<T>::get(worker);
		let (strikes, served) = (T::Roster::strikes(worker), StrikesServed::<T>::get(worker));
		let (back, more) = (state.removed, strikes.saturating_sub(served));
		if !back && more == 0 {
			return;
		}
		state.serve(more);
		if back {
			(state.removed, state.evidence) = (false, Evidence::default());
			Slashes::<T>::remove(worker);
			T::Ledger::readmit(worker, 0);
		}
		let probation = state.probation;
		Workers::<T>::insert(worker, state);
		StrikesServed::<T>::insert(worker, strikes.max(served));
		Self::deposit_event(Event::Readmitted { worker: worker.clone(), probation });
	}

	/// Places the segments one after the other and takes the root over them.
	fn seal(segments: &[Segment]) -> Result<(Batch, Spans), DispatchError> {
		let (mut start, mut amount) = (0u32, 0 as Balance);
		let (mut placed, mut spans) = (Vec::new(), Spans::new());
		for segment in segments {
			ensure!(segment.first <= segment.last, Error::<T>::SegmentReversed);
			let count = receipts_in(segment).ok_or(Error::<T>::BatchTooLarge)?;
			let mean_price = segment.amount.div_ceil(count.into());
			placed.push(PlacedSegment { start, segment: *segment });
			spans
				.try_push(Span { start, session: segment.session, first: segment.first, mean_price })
				.map_err(|_| Error::<T>::BatchTooLarge)?;
			start = start.checked_add(count).ok_or(Error::<T>::BatchTooLarge)?;
			amount = amount.checked_add(segment.amount).ok_or(Error::<T>::BatchTooLarge)?;
		}
		ensure!(start <= MAX_RECEIPTS, Error::<T>::BatchTooLarge);
		let batch = Batch {
			root: merkle::root_of(&placed).ok_or(Error::<T>::NoSegments)?,
			segments: u32::try_from(placed.len()).map_err(|_| Error::<T>::BatchTooLarge)?,
			receipts: start,
			amount,
			round: T::Randomness::current_round(),
			state: BatchState::Sealed,
			drawn: 0,
			pending: 0,
		};
		Ok((batch, spans))
	}

	/// Draws the batches whose round's successor is over, as far as the weight reaches.
	pub(crate) fn service_draws(meter: &mut WeightMeter) {
		while meter.try_consume(T::WeightInfo::next_draw()).is_ok() {
			let round = DrawRound::<T>::get();
			let Some(next) = round.checked_add(1) else { return };
			if T::Randomness::current_round() <= next {
				return;
			}
			if !meter.can_consume(T::WeightInfo::draw_batch(MAX_DRAWS)) {
				return;
			}
			let Some((worker, epoch)) = Undrawn::<T>::iter_key_prefix(round).next() else {
				match UndrawnReviews::<T>::iter_key_prefix(round).next() {
					Some(review) => {
						UndrawnReviews::<T>::remove(round, review);
						match T::Randomness::value(next) {
							Some(value) => Self::draw_review(review, &value),
							None => UndrawnReviews::<T>::insert(T::Randomness::current_round(), review, ()),
						}
						meter.consume(T::WeightInfo::draw_batch(1));
					}
					None => DrawRound::<T>::put(next),
				}
				continue;
			};
			Undrawn::<T>::remove(round, (&worker, epoch));
			let audits = match T::Randomness::value(next) {
				Some(value) => Self::draw(worker, epoch, &value),
				None => Self::seal_anew(worker, epoch),
			};
			meter.consume(T::WeightInfo::draw_batch(audits));
		}
	}

	/// The value that was to draw the batch was lost before anybody used it: another one will.
	fn seal_anew(worker: AccountId32, epoch: Epoch) -> u32 {
		let round = T::Randomness::current_round();
		Batches::<T>::mutate(&worker, epoch, |batch| {
			if let Some(batch) = batch {
				batch.round = round;
			}
		});
		Undrawn::<T>::insert(round, (worker, epoch), ());
		0
	}

	/// Draws the audits of a batch. Returns how many.
	fn draw(worker: AccountId32, epoch: Epoch, value: &H256) -> u32 {
		let spans = BatchSpans::<T>::take(&worker, epoch);
		let Some(mut batch) = Batches::<T>::get(&worker, epoch) else { return 0 };
		let state = Workers::<T>::get(&worker);
		let validators = Self::eligible(&worker);
		let mut audits = 0u32;
		if state.removed {
			Self::skip(&worker, epoch, SkipReason::WorkerRemoved);
		} else if validators.len() < QUORUM as usize {
			Self::skip(&worker, epoch, SkipReason::TooFewValidators);
		} else {
			let key = drawing::draw_key(value, worker.as_ref(), epoch);
			let probability = state.probability(AuditFloor::<T>::get());
			for ordinal in drawing::audited_ordinals(&key, batch.receipts, probability) {
				let seed = drawing::audit_seed(&key, ordinal);
				let drawn = Self::begin(&worker, epoch, ordinal, seed, &spans, &validators);
				audits = audits.saturating_add(u32::from(drawn));
			}
		}
		batch.state = BatchState::Drawn;
		(batch.drawn, batch.pending) = (audits, audits);
		Self::store_batch(&worker, epoch, batch);
		audits
	}

	fn skip(worker: &AccountId32, epoch: Epoch, reason: SkipReason) {
		Self::deposit_event(Event::AuditSkipped { worker: worker.clone(), epoch, reason });
	}

	/// Active validators with stake that are neither the worker nor of its owner, in account order.
	pub(crate) fn eligible(worker: &AccountId32) -> Vec<(AccountId32, Balance)> {
		let owner = T::Roster::owner(worker);
		let mut validators = T::Roster::validators();
		validators.retain(|(who, stake)| *stake > 0 && who != worker && T::Roster::owner(who) != owner);
		validators
	}

	/// Begins the audit of one receipt. Whether it could: not if audits can no longer be counted.
	fn begin(
		worker: &AccountId32,
		epoch: Epoch,
		ordinal: u32,
		seed: H256,
		spans: &[Span],
		validators: &[(AccountId32, Balance)],
	) -> bool {
		let id = NextAudit::<T>::get();
		let segment = spans.partition_point(|span| span.start <= ordinal).saturating_sub(1);
		let answer = spans.get(segment).and_then(|span| {
			let index = ordinal.checked_sub(span.start)?.checked_add(span.first)?;
			Some((span, index))
		});
		let (Some((span, index)), Some(next), Ok(segment)) =
			(answer, id.checked_add(1), u32::try_from(segment))
		else {
			frame_support::defensive!("a drawn receipt lies in a segment");
			return false;
		};
		NextAudit::<T>::put(next);
		let members = drawing::panel(&seed, validators, MAX_PANEL);
		let deadline = Self::now().saturating_add(T::ReceiptPeriod::get());
		for validator in &members {
			OfValidator::<T>::insert(validator, id, ());
		}
		OfWorker::<T>::insert(worker, id, ());
		AuditOf::<T>::insert((span.session, index), id);
		let panel = members.iter().cloned().map(Member::new).collect::<Vec<_>>();
		let audit = Audit {
			worker: worker.clone(),
			epoch,
			ordinal,
			segment,
			session: span.session,
			index,
			mean_price: span.mean_price,
			seed,
			stage: Stage::Drawn,
			deadline,
			panel: Panel::truncate_from(panel),
			answer: None,
			outcome: None,
		};
		Audits::<T>::insert(id, audit);
		Self::schedule(Due::Deadline(id), deadline);
		let worker = worker.clone();
		Self::deposit_event(Event::AuditDrawn {
			audit: id,
			worker,
			epoch,
			ordinal,
			panel: members,
			deadline,
		});
		true
	}

	/// One audit less is open.
	pub(crate) fn audit_closed(worker: &AccountId32, epoch: Epoch) {
		let Some(mut batch) = Batches::<T>::get(worker, epoch) else {
			frame_support::defensive!("an open audit has a batch");
			return;
		};
		batch.pending = batch.pending.saturating_sub(1);
		Self::store_batch(worker, epoch, batch);
	}

	/// Stores a drawn batch; when none of its audits is open, closes it.
	fn store_batch(worker: &AccountId32, epoch: Epoch, mut batch: Batch) {
		if batch.pending > 0 {
			Batches::<T>::insert(worker, epoch, batch);
			return;
		}
		if Workers::<T>::get(worker).removed {
			batch.state = BatchState::Forfeited;
			// What was claimed since the slash.
			T::Ledger::forfeit(worker);
		} else {
			batch.state = BatchState::Settled;
			T::Ledger::settle(worker, epoch);
			Self::deposit_event(Event::BatchSettled { worker: worker.clone(), epoch });
		}
		Batches::<T>::insert(worker, epoch, batch);
		let forgotten = Self::now().saturating_add(T::VerdictRetention::get());
		Self::schedule(Due::PruneBatch(worker.clone(), epoch), forgotten);
	}
}
