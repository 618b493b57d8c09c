//! Evidence and verdicts in integers of 1/256 nat (`docs/protocol.md` section 7).
use crate::{
	consensus::{consensus, Medians},
	sampling::{Margin, Sampler},
	traits::Verdict,
	types::{Calibration, Leaf, ServiceSpec, Sketch, MAX_POSITIONS},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// The least evidence of one answer: what a good one forgives. A nat, so that honest answers in between do not pay for a cheat.
pub const LOWEST_EVIDENCE: i32 = -256;
/// The most evidence of one answer.
pub const HIGHEST_EVIDENCE: i32 = 3072;
/// The margin evidence at which an answer fails: two misses, which honest answers hardly ever have.
pub const MARGIN_FAIL: i32 = 2304;
/// What a challenge needs more than that for each token that it could have chosen.
pub const CHOICE_EVIDENCE: i32 = 24;
/// Position evidence of an answer whose data or deadline was missed.
pub const MISSED_EVIDENCE: i32 = 1536;
/// What a panel has to say at least of the distances of an answer that passes, to be asked whether it is true, and to be
/// fined when others find nothing: three nat.
pub const REFUTABLE_EVIDENCE: i32 = 768;
/// The accumulated evidence at which a worker is slashed.
pub const SLASH_EVIDENCE: i32 = 5120;

const MARGIN_MISS: i32 = 1536;
const MARGIN_HIT: i32 = -13;
const SPRT_HIT: i32 = 693;
const SPRT_MISS: i32 = -86;
const SPRT_FAIL: i32 = 3536;
const SPRT_CLEAR: i32 = -1768;

/// What one answer says about its worker, or what many do together.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Evidence {
	/// From the distances of the sketches.
	pub position: i32,
	/// From the sampling of the tokens.
	pub margin: i32,
}

impl Evidence {
	/// The evidence of an answer whose receipt or leaves did not come in time, or whose data was withheld.
	pub const MISSED: Self = Self { position: MISSED_EVIDENCE, margin: 0 };

	/// Two CUSUMs: each total grows by the answer's evidence and never falls below zero.
	///
	/// Saturation is unreachable: an answer adds at most 3072 and a worker is removed at 5120.
	pub fn accumulate(self, answer: Self) -> Self {
		Self {
			position: self.position.saturating_add(answer.position).max(0),
			margin: self.margin.saturating_add(answer.margin).max(0),
		}
	}

	/// The totals without an answer that should not have counted; never below zero.
	///
	/// What later answers took from a sum that stood too high is not given back: it is forgiven.
	pub fn retract(self, answer: Self) -> Self {
		Self {
			position: self.position.saturating_sub(answer.position.max(0)).max(0),
			margin: self.margin.saturating_sub(answer.margin.max(0)).max(0),
		}
	}

	/// What of this a challenge adds to the totals, to which the answer has added `first` already: so much that both
	/// together are no more than one answer may say.
	pub fn beside(self, first: Self) -> Self {
		let left = |first: i32| HIGHEST_EVIDENCE.saturating_sub(first.max(0));
		Self {
			position: self.position.min(left(first.position)),
			margin: self.margin.min(left(first.margin)),
		}
	}

	/// These totals, stopped one short of a slash.
	pub fn held_back(self) -> Self {
		let most = SLASH_EVIDENCE.saturating_sub(1);
		Self { position: self.position.min(most), margin: self.margin.min(most) }
	}

	/// Whether this is so much against an answer that its worker may ask others, although it has passed. Of the
	/// distances: one miss more or less is chance, and a worker could bring it about.
	pub fn is_refutable(&self) -> bool {
		self.position >= REFUTABLE_EVIDENCE
	}

	/// Whether a panel that says this of an answer is refuted by others who have `found` nothing against it, and not by
	/// chance.
	pub fn is_made_up(&self, found: &Self) -> bool {
		self.is_refutable() && found.position <= 0
	}

	/// Whether these totals are enough for a slash.
	pub fn is_slashable(&self) -> bool {
		self.position >= SLASH_EVIDENCE || self.margin >= SLASH_EVIDENCE
	}
}

/// Why an audit ended as it did.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Reason {
	/// Nothing wrong was found.
	#[codec(index = 0)]
	Clean,
	/// Too many sketches are too far from the reference.
	#[codec(index = 1)]
	Positions,
	/// A leaf is malformed or its token is not the one that its own candidates give.
	#[codec(index = 2)]
	SelfConsistency,
	/// A leaf names another token than the one delivered.
	#[codec(index = 3)]
	Token,
	/// Too many tokens are not the ones that the reference would have sampled.
	#[codec(index = 4)]
	Margin,
	/// The worker did not open the receipt in time.
	#[codec(index = 5)]
	ReceiptMissed,
	/// The worker did not open the leaves in time.
	#[codec(index = 6)]
	LeavesMissed,
	/// A quorum of validators was refused the data.
	#[codec(index = 7)]
	Withheld,
	/// Fewer references than a quorum.
	#[codec(index = 8)]
	NoQuorum,
	/// The references contradict each other.
	#[codec(index = 9)]
	Disagreement,
	/// The spec or its calibration is gone.
	#[codec(index = 10)]
	NotCalibrated,
	/// The worker was removed meanwhile.
	#[codec(index = 11)]
	Abandoned,
	/// A larger panel found that the worker had been right.
	#[codec(index = 12)]
	Overturned,
	/// The answer was wrong on purpose, to see whether the panel looks.
	#[codec(index = 13)]
	Planted,
	/// With this answer, which would have passed alone, there is enough against the worker for a slash.
	#[codec(index = 14)]
	Accumulated,
}

/// The outcome of comparing a worker's leaves with the references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement<A> {
	/// The verdict on the answer.
	pub verdict: Verdict,
	/// Why.
	pub reason: Reason,
	/// What the worker's totals grow by; zero when abstained.
	pub evidence: Evidence,
	/// Whose references were used.
	pub accepted: Vec<A>,
	/// Whose references were out of band, with three or more references.
	pub rejected: Vec<A>,
}

/// State of the sequential test over the positions of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sprt {
	/// Too many positions are far off.
	Failed,
	/// The positions are as honest ones.
	Clear,
	/// Neither bound was reached.
	Undecided,
}

/// The squared distances of one position from the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distances {
	/// Over the logit lanes.
	pub logit: u64,
	/// Over the hidden lanes.
	pub hidden: u64,
}

impl Distances {
	/// How far a worker's leaf is from the references' medians.
	pub fn between(leaf: &Leaf, medians: &Medians) -> Self {
		Self {
			logit: squared_distance(&leaf.logit_sketch, &medians.logit),
			hidden: squared_distance(&leaf.hidden_sketch, &medians.hidden),
		}
	}
}

/// `sum (a_j - b_j)^2`; at most `2^3 * 2^32`.
pub fn squared_distance(a: &Sketch, b: &Sketch) -> u64 {
	let square = |(a, b): (&i16, &i16)| {
		let difference = u64::from(a.abs_diff(*b));
		difference.saturating_mul(difference)
	};
	a.iter().zip(b).map(square).fold(0, u64::saturating_add)
}

/// The evidence of one squared distance.
pub fn bin(distance: u64, q95: u64, q99: u64) -> i32 {
	if distance < q95 {
		-64
	} else if distance < q99 {
		205
	} else if distance < q99.saturating_mul(2) {
		640
	} else {
		1024
	}
}

/// The evidence of one position: the worse of both lane sets.
pub fn position_evidence(distances: &Distances, calibration: &Calibration) -> i32 {
	let logit = bin(distances.logit, calibration.logit_q95, calibration.logit_q99);
	logit.max(bin(distances.hidden, calibration.hidden_q95, calibration.hidden_q99))
}

/// The sum of `parts`, clipped to what one answer may say.
pub fn clipped_sum(parts: impl IntoIterator<Item = i32>) -> i32 {
	parts.into_iter().fold(0, i32::saturating_add).clamp(LOWEST_EVIDENCE, HIGHEST_EVIDENCE)
}

/// The margin evidence of an answer.
pub fn margin_evidence(margins: impl IntoIterator<Item = Margin>) -> i32 {
	clipped_sum(margins.into_iter().map(|margin| match margin {
		Margin::Miss => MARGIN_MISS,
		Margin::Hit => MARGIN_HIT,
		Margin::NotCounted => 0,
	}))
}

/// Whether a distance is far off: above `1.25 * q99`.
fn is_far(distance: u64, q99: u64) -> bool {
	u128::from(distance).saturating_mul(4) > u128::from(q99).saturating_mul(5)
}

/// The sequential test over the positions in ascending order.
pub fn sprt(distances: &[Distances], calibration: &Calibration) -> Sprt {
	let mut total = 0i32;
	for d in distances {
		let far = is_far(d.logit, calibration.logit_q99) || is_far(d.hidden, calibration.hidden_q99);
		total = total.saturating_add(if far { SPRT_HIT } else { SPRT_MISS });
		if total >= SPRT_FAIL {
			return Sprt::Failed;
		}
		if total <= SPRT_CLEAR {
			return Sprt::Clear;
		}
	}
	Sprt::Undecided
}

/// Judges one answer: the worker's opened leaves against the revealed references.
///
/// `leaves` are those of the drawn positions, ascending. A reference that does not have the same positions or whose
/// candidates are malformed counts as out of band. Nothing here can panic, whatever the leaves hold.
pub fn judge<A: Ord + Clone, L: AsRef<[Leaf]>>(
	leaves: &[Leaf],
	references: &[(A, L)],
	calibration: &Calibration,
	spec: &ServiceSpec,
	request_seed: &H256,
	temperature: u16,
) -> Judgement<A> {
	let positions: Vec<u32> = leaves.iter().map(|leaf| leaf.position).collect();
	let agreed = consensus(&positions, references, spec);
	let (reason, evidence) = match agreed.nearest {
		Err(reason) => (reason, Evidence::default()),
		Ok(nearest) => {
			let sampler = Sampler::new(request_seed, temperature);
			compare(leaves, &agreed.medians, &nearest.leaves, calibration, spec, &sampler)
		}
	};
	let verdict = match reason {
		Reason::Clean => Verdict::Passed,
		Reason::NoQuorum | Reason::Disagreement => Verdict::Abstained,
		_ => Verdict::Failed,
	};
	Judgement { verdict, reason, evidence, accepted: agreed.accepted, rejected: agreed.rejected }
}

/// What is known of the tokens of an answer before somebody names some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
	/// The margin evidence that its audit has added to the worker's sum.
	pub margin: i32,
	/// How many tokens the audit has not drawn.
	pub others: u32,
}

impl Known {
	/// How many margin misses at positions that somebody chose fail the answer: so many that, were all that nobody has
	/// opened hits, the whole answer says what fails an audit, and more the more there is to choose from, up to the most
	/// that one answer may say. At least one, at most as many as can be named.
	///
	/// An honest worker misses here and there, and who has seen the whole output can choose just these places: so every
	/// place that was not chosen speaks for the worker.
	pub fn exception_misses(&self) -> u32 {
		let (hit, miss) = (MARGIN_HIT.unsigned_abs(), MARGIN_MISS.unsigned_abs());
		let choice = CHOICE_EVIDENCE.saturating_mul(i32::try_from(self.others).unwrap_or(i32::MAX));
		let bar = MARGIN_FAIL.saturating_add(choice).min(HIGHEST_EVIDENCE);
		let short = bar.saturating_sub(self.margin).max(0).unsigned_abs();
		let enough = short.saturating_add(self.others.saturating_mul(hit));
		enough.div_ceil(miss.saturating_add(hit)).clamp(1, MAX_POSITIONS)
	}

	/// What so many misses between the tokens that were not drawn say, before [`Evidence::beside`].
	pub fn exception_evidence(&self, misses: u32) -> i32 {
		let times = |each: i32, count: u32| each.saturating_mul(i32::try_from(count).unwrap_or(i32::MAX));
		let hits = self.others.saturating_sub(misses);
		times(MARGIN_MISS, misses).saturating_add(times(MARGIN_HIT, hits)).clamp(0, HIGHEST_EVIDENCE)
	}
}

/// Judges the leaves at positions that an accuser has chosen.
///
/// Whoever chooses the positions chooses what chance did there: distances do not count, and what is in order speaks for
/// nobody. What counts are a leaf that contradicts itself or the tokens delivered, which gives the most evidence that one
/// answer may give, and [`Known::exception_misses`].
pub fn judge_exceptions<A: Ord + Clone, L: AsRef<[Leaf]>>(
	leaves: &[Leaf],
	references: &[(A, L)],
	calibration: &Calibration,
	spec: &ServiceSpec,
	request_seed: &H256,
	temperature: u16,
	known: &Known,
) -> Judgement<A> {
	let positions: Vec<u32> = leaves.iter().map(|leaf| leaf.position).collect();
	let agreed = consensus(&positions, references, spec);
	let (verdict, reason, evidence) = match agreed.nearest {
		Err(reason) => (Verdict::Abstained, reason, Evidence::default()),
		Ok(nearest) => {
			let sampler = Sampler::new(request_seed, temperature);
			match fraud(leaves, &agreed.medians, &nearest.leaves, calibration.tau_sample, spec, &sampler) {
				Fraud::Proven(reason) => {
					(Verdict::Failed, reason, Evidence { position: HIGHEST_EVIDENCE, margin: 0 })
				}
				Fraud::Misses(misses) if misses >= known.exception_misses() => {
					let margin = known.exception_evidence(misses);
					(Verdict::Failed, Reason::Margin, Evidence { position: 0, margin })
				}
				Fraud::Misses(_) => (Verdict::Passed, Reason::Clean, Evidence::default()),
			}
		}
	};
	Judgement { verdict, reason, evidence, accepted: agreed.accepted, rejected: agreed.rejected }
}

/// What is wrong with leaves at chosen positions.
enum Fraud {
	/// What no chance explains.
	Proven(Reason),
	/// So many tokens are not those that the reference would have sampled.
	Misses(u32),
}

fn fraud(
	leaves: &[Leaf],
	medians: &[Medians],
	nearest: &[Leaf],
	tau_sample: u32,
	spec: &ServiceSpec,
	sampler: &Sampler,
) -> Fraud {
	let missed = |(own, reference): (&Leaf, &Leaf)| {
		sampler.margin(own, &reference.candidates, spec.top_k, tau_sample) == Margin::Miss
	};
	if !leaves.iter().all(|leaf| sampler.is_self_consistent(leaf, spec.top_k, spec.vocab_size)) {
		Fraud::Proven(Reason::SelfConsistency)
	} else if !leaves.iter().zip(medians).all(|(own, m)| Some(own.token) == m.token) {
		Fraud::Proven(Reason::Token)
	} else {
		Fraud::Misses(leaves.iter().zip(nearest).map(missed).map(u32::from).fold(0, u32::saturating_add))
	}
}

/// Compares a worker's leaves with what the references agreed upon.
fn compare(
	leaves: &[Leaf],
	medians: &[Medians],
	nearest: &[Leaf],
	calibration: &Calibration,
	spec: &ServiceSpec,
	sampler: &Sampler,
) -> (Reason, Evidence) {
	let distances: Vec<Distances> =
		leaves.iter().zip(medians).map(|(own, m)| Distances::between(own, m)).collect();
	let margin = margin_evidence(leaves.iter().zip(nearest).map(|(own, reference)| {
		sampler.margin(own, &reference.candidates, spec.top_k, calibration.tau_sample)
	}));
	let consistent = leaves.iter().all(|leaf| sampler.is_self_consistent(leaf, spec.top_k, spec.vocab_size));
	let same_tokens = leaves.iter().zip(medians).all(|(own, m)| Some(own.token) == m.token);
	let position = if consistent && same_tokens {
		clipped_sum(distances.iter().map(|d| position_evidence(d, calibration)))
	} else {
		HIGHEST_EVIDENCE
	};
	let reason = if sprt(&distances, calibration) == Sprt::Failed {
		Reason::Positions
	} else if !consistent {
		Reason::SelfConsistency
	} else if !same_tokens {
		Reason::Token
	} else if margin >= MARGIN_FAIL {
		Reason::Margin
	} else {
		Reason::Clean
	};
	(reason, Evidence { position, margin })
}

#[cfg(test)]
#[path = "scoring_tests.rs"]
mod tests;
