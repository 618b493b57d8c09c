//! What the references of one audit agree upon (`docs/protocol.md` section 7, last item).
use crate::{
	sampling::{looked_at, well_formed},
	scoring::{squared_distance, Reason},
	types::{Candidate, Leaf, ServiceSpec, Sketch, QUORUM},
};
use alloc::vec::Vec;

/// How far a lane or a log-prob of a reference may be from the median.
const BAND: u16 = 2;

/// The middle of all references at one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Medians {
	/// The token that more than half of them name.
	pub token: Option<u32>,
	/// Lane-wise lower median of the logit sketches.
	pub logit: Sketch,
	/// Lane-wise lower median of the hidden sketches.
	pub hidden: Sketch,
}

/// The accepted reference nearest the medians.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest<A> {
	/// Whose it is.
	pub account: A,
	/// Its leaves.
	pub leaves: Vec<Leaf>,
}

/// What the references agree upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consensus<A> {
	/// One for each position; of all references that can be compared, in band or not.
	pub medians: Vec<Medians>,
	/// Whose references are in band, in the order given.
	pub accepted: Vec<A>,
	/// Whose are not; nobody's when exactly two disagree.
	pub rejected: Vec<A>,
	/// The reference to compare with, or `NoQuorum` or `Disagreement` where fewer than a quorum are accepted.
	pub nearest: Result<Nearest<A>, Reason>,
}

/// The lower median, `None` without values.
pub fn lower_median(values: impl IntoIterator<Item = i16>) -> Option<i16> {
	let mut values: Vec<i16> = values.into_iter().collect();
	values.sort_unstable();
	values.get(values.len().checked_sub(1)? / 2).copied()
}

/// Lane-wise lower median.
pub fn median_sketch(sketches: &[Sketch]) -> Sketch {
	core::array::from_fn(|lane| {
		lower_median(sketches.iter().filter_map(|sketch| sketch.get(lane).copied())).unwrap_or_default()
	})
}

/// All references' leaves at one position, in the order of the references.
struct Column<'a> {
	leaves: Vec<&'a Leaf>,
	medians: Medians,
}

impl<'a> Column<'a> {
	fn new(leaves: Vec<&'a Leaf>) -> Self {
		let sketches = |lanes: fn(&Leaf) -> Sketch| leaves.iter().map(|leaf| lanes(leaf)).collect::<Vec<_>>();
		let count = |token: u32| leaves.iter().filter(|leaf| leaf.token == token).count();
		let majority = |leaf: &&&Leaf| is_most(count(leaf.token), leaves.len());
		let medians = Medians {
			token: leaves.iter().find(majority).map(|leaf| leaf.token),
			logit: median_sketch(&sketches(|leaf| leaf.logit_sketch)),
			hidden: median_sketch(&sketches(|leaf| leaf.hidden_sketch)),
		};
		Self { leaves, medians }
	}

	fn is_in_band(&self, leaf: &Leaf, seen: usize) -> bool {
		Some(leaf.token) == self.medians.token
			&& is_near(&leaf.logit_sketch, &self.medians.logit)
			&& is_near(&leaf.hidden_sketch, &self.medians.hidden)
			&& leaf.candidates.iter().take(seen).all(|candidate| self.is_candidate_in_band(candidate))
	}

	fn is_candidate_in_band(&self, candidate: &Candidate) -> bool {
		let given: Vec<i16> = self.leaves.iter().filter_map(|leaf| logprob_of(leaf, candidate.id)).collect();
		// With two references one alone must not be able to invent a candidate: half of them is not enough.
		let known = is_most(given.len(), self.leaves.len());
		let near = lower_median(given).is_some_and(|median| median.abs_diff(candidate.logprob) <= BAND);
		near && known
	}

	fn distance(&self, leaf: &Leaf) -> u64 {
		squared_distance(&leaf.logit_sketch, &self.medians.logit)
			.saturating_add(squared_distance(&leaf.hidden_sketch, &self.medians.hidden))
	}
}

fn is_most(part: usize, whole: usize) -> bool {
	part > whole / 2
}

fn is_near(lanes: &Sketch, median: &Sketch) -> bool {
	lanes.iter().zip(median).all(|(lane, median)| lane.abs_diff(*median) <= BAND)
}

fn logprob_of(leaf: &Leaf, id: u32) -> Option<i16> {
	leaf.candidates.iter().find(|candidate| candidate.id == id).map(|candidate| candidate.logprob)
}

/// Whether a reference has exactly these positions and well-formed candidates, so that it can be compared at all.
fn fits(leaves: &[Leaf], positions: &[u32], spec: &ServiceSpec) -> bool {
	!leaves.is_empty()
		&& leaves.iter().map(|leaf| leaf.position).eq(positions.iter().copied())
		&& leaves.iter().all(|leaf| well_formed(&leaf.candidates, spec.top_k, spec.vocab_size))
}

/// Finds out what the references agree upon at `positions`.
///
/// A reference that does not have these positions or whose candidates are malformed cannot be compared: it is rejected
/// and has no part in the medians. Among the others: with exactly two that disagree there is no telling who is right;
/// with more, those out of band are rejected.
pub fn consensus<A: Ord + Clone, L: AsRef<[Leaf]>>(
	positions: &[u32],
	references: &[(A, L)],
	spec: &ServiceSpec,
) -> Consensus<A> {
	let is_fit = |leaves: &[Leaf]| fits(leaves, positions, spec);
	let fit: Vec<&[Leaf]> =
		references.iter().map(|(_, leaves)| leaves.as_ref()).filter(|l| is_fit(l)).collect();
	let columns = columns(&fit, positions.len());
	let seen = looked_at(spec.top_k);
	let in_band =
		|leaves: &[Leaf]| leaves.iter().zip(&columns).all(|(leaf, column)| column.is_in_band(leaf, seen));
	let is_good = |(_, leaves): &&(A, L)| is_fit(leaves.as_ref()) && in_band(leaves.as_ref());
	let (good, bad): (Vec<_>, Vec<_>) = references.iter().partition(is_good);
	let undecidable = fit.len() == 2 && good.len() < 2;
	let names = |list: &[&(A, L)]| list.iter().map(|(account, _)| account.clone()).collect::<Vec<A>>();
	let nearest = if fit.len() < QUORUM as usize {
		Err(Reason::NoQuorum)
	} else if good.len() < QUORUM as usize {
		Err(Reason::Disagreement)
	} else {
		nearest(&good, &columns).ok_or(Reason::NoQuorum)
	};
	let blamed: Vec<_> =
		bad.into_iter().filter(|(_, leaves)| !undecidable || !is_fit(leaves.as_ref())).collect();
	Consensus {
		medians: columns.iter().map(|column| column.medians).collect(),
		accepted: if undecidable { Vec::new() } else { names(&good) },
		rejected: names(&blamed),
		nearest,
	}
}

fn columns<'a>(references: &[&'a [Leaf]], count: usize) -> Vec<Column<'a>> {
	let at = |i: usize| references.iter().filter_map(|leaves| leaves.get(i)).collect();
	(0..count).map(|i| Column::new(at(i))).collect()
}

/// The reference with the smallest sum of squared distances from the medians, ties by lower account.
fn nearest<A: Ord + Clone, L: AsRef<[Leaf]>>(accepted: &[&(A, L)], columns: &[Column]) -> Option<Nearest<A>> {
	let distance = |leaves: &[Leaf]| {
		let each = leaves.iter().zip(columns).map(|(leaf, column)| column.distance(leaf));
		each.fold(0, u64::saturating_add)
	};
	let best = accepted.iter().min_by_key(|(account, leaves)| (distance(leaves.as_ref()), account));
	best.map(|(account, leaves)| Nearest { account: account.clone(), leaves: leaves.as_ref().to_vec() })
}
