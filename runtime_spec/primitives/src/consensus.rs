//! What the references of one audit agree upon (`docs/protocol.md` section 7, last item).
use crate::{
	sampling::{looked_at, well_formed},
	scoring::{squared_distance, Reason},
	types::{Candidate, Leaf, ServiceSpec, Sketch, QUORUM},
};
use alloc::vec::Vec;

/// How far a lane or a log-prob of a reference may be from the median.
const BAND: u16 = 2;

/// The agreed reference of one position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedLeaf {
	/// The token that stands there.
	pub token: u32,
	/// Lane-wise lower median of the logit sketches.
	pub logit_median: Sketch,
	/// Lane-wise lower median of the hidden sketches.
	pub hidden_median: Sketch,
	/// The candidates of the accepted reference nearest the median.
	pub candidates: Vec<Candidate>,
}

/// An agreement of at least a quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consensus<A> {
	/// One for each position.
	pub leaves: Vec<AgreedLeaf>,
	/// Whose references are in band.
	pub accepted: Vec<A>,
	/// Whose are not.
	pub rejected: Vec<A>,
}

/// Why there is no agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoConsensus<A> {
	/// `NoQuorum` or `Disagreement`.
	pub reason: Reason,
	/// Whose references are in band: fewer than a quorum.
	pub accepted: Vec<A>,
	/// Whose are not; empty when exactly two disagree.
	pub rejected: Vec<A>,
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
	/// The token that more than half of them name.
	token: Option<u32>,
	logit_median: Sketch,
	hidden_median: Sketch,
}

impl<'a> Column<'a> {
	fn new(leaves: Vec<&'a Leaf>) -> Self {
		let sketches = |lanes: fn(&Leaf) -> Sketch| leaves.iter().map(|leaf| lanes(leaf)).collect::<Vec<_>>();
		let count = |token: u32| leaves.iter().filter(|leaf| leaf.token == token).count();
		let majority = |leaf: &&&Leaf| is_most(count(leaf.token), leaves.len());
		Self {
			token: leaves.iter().find(majority).map(|leaf| leaf.token),
			logit_median: median_sketch(&sketches(|leaf| leaf.logit_sketch)),
			hidden_median: median_sketch(&sketches(|leaf| leaf.hidden_sketch)),
			leaves,
		}
	}

	fn is_in_band(&self, leaf: &Leaf, seen: usize) -> bool {
		Some(leaf.token) == self.token
			&& is_near(&leaf.logit_sketch, &self.logit_median)
			&& is_near(&leaf.hidden_sketch, &self.hidden_median)
			&& leaf.candidates.iter().take(seen).all(|candidate| self.is_candidate_in_band(candidate))
	}

	fn is_candidate_in_band(&self, candidate: &Candidate) -> bool {
		let given: Vec<i16> = self.leaves.iter().filter_map(|leaf| logprob_of(leaf, candidate.id)).collect();
		let lacking = self.leaves.len().saturating_sub(given.len());
		let near = lower_median(given).is_some_and(|median| median.abs_diff(candidate.logprob) <= BAND);
		near && !is_most(lacking, self.leaves.len())
	}

	fn distance(&self, leaf: &Leaf) -> u64 {
		squared_distance(&leaf.logit_sketch, &self.logit_median)
			.saturating_add(squared_distance(&leaf.hidden_sketch, &self.hidden_median))
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
/// A reference that does not fit is rejected and has no part in the medians. Among the others: with exactly two that
/// disagree there is no telling who is right; with more, those out of band are rejected.
pub fn consensus<A: Ord + Clone, L: AsRef<[Leaf]>>(
	positions: &[u32],
	references: &[(A, L)],
	spec: &ServiceSpec,
) -> Result<Consensus<A>, NoConsensus<A>> {
	let all = references.iter().map(|(account, leaves)| (account, leaves.as_ref()));
	let (fit, unfit): (Vec<_>, Vec<_>) = all.partition(|(_, leaves)| fits(leaves, positions, spec));
	let columns = columns(&fit, positions.len());
	let seen = looked_at(spec.top_k);
	let in_band =
		|leaves: &[Leaf]| leaves.iter().zip(&columns).all(|(leaf, column)| column.is_in_band(leaf, seen));
	let names =
		|list: &[(&A, &[Leaf])]| list.iter().map(|(account, _)| (*account).clone()).collect::<Vec<A>>();
	let (accepted, rejected): (Vec<_>, Vec<_>) = fit.iter().copied().partition(|(_, leaves)| in_band(leaves));
	if fit.len() == 2 && !rejected.is_empty() {
		return Err(NoConsensus {
			reason: Reason::Disagreement,
			accepted: Vec::new(),
			rejected: names(&unfit),
		});
	}
	let out: Vec<_> = rejected.into_iter().chain(unfit).collect();
	if accepted.len() < QUORUM as usize {
		let reason = if fit.len() < QUORUM as usize { Reason::NoQuorum } else { Reason::Disagreement };
		return Err(NoConsensus { reason, accepted: names(&accepted), rejected: names(&out) });
	}
	let leaves = agreed_leaves(&accepted, &columns);
	Ok(Consensus { leaves, accepted: names(&accepted), rejected: names(&out) })
}

fn columns<'a, A>(references: &[(&A, &'a [Leaf])], count: usize) -> Vec<Column<'a>> {
	let at = |i: usize| references.iter().filter_map(|(_, leaves)| leaves.get(i)).collect();
	(0..count).map(|i| Column::new(at(i))).collect()
}

/// The medians with the candidates of the accepted reference nearest to them, ties by lower account.
fn agreed_leaves<A: Ord>(accepted: &[(&A, &[Leaf])], columns: &[Column]) -> Vec<AgreedLeaf> {
	let distance = |leaves: &[Leaf]| {
		let each = leaves.iter().zip(columns).map(|(leaf, column)| column.distance(leaf));
		each.fold(0, u64::saturating_add)
	};
	let nearest = accepted.iter().min_by_key(|(account, leaves)| (distance(leaves), *account));
	let leaves = nearest.map(|(_, leaves)| *leaves).unwrap_or_default();
	leaves
		.iter()
		.zip(columns)
		.map(|(leaf, column)| AgreedLeaf {
			token: leaf.token,
			logit_median: column.logit_median,
			hidden_median: column.hidden_median,
			candidates: leaf.candidates.to_vec(),
		})
		.collect()
}
