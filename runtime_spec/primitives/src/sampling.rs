//! Sampling as a pure integer function of a leaf, and the two checks built on it (`docs/protocol.md` section 6).
use crate::{
	gumbel::gumbel,
	philox::{gumbel_word, stream_key},
	types::{Candidate, Leaf},
};
use sp_core::H256;

/// How many of the last ranks are too close to the cut to be looked at.
pub const SKIPPED_RANKS: u8 = 4;
/// What is forgiven a token at the cut or below it, where honest runs swap candidates in and out: a nat, Q16.16.
pub const SLACK: i64 = 1 << 16;
/// Below this temperature, a half, tokens are tolerated more, at zero so many times `tau_sample` more.
const WARM: i64 = 128;
const MORE_IF_COLD: i64 = 2;

/// What decides the token of each position of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
	key: [u32; 2],
	temperature: u16,
}

/// How a worker's token stands against a reference leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Margin {
	/// The token is as good as the best one, within the tolerance.
	Hit,
	/// It is not.
	Miss,
	/// It stands at the reference's cut, or may stand below it, and nothing speaks against that.
	NotCounted,
}

impl Sampler {
	/// The sampler of a request; `temperature` in 1/256, 0 is greedy.
	pub fn new(request_seed: &H256, temperature: u16) -> Self {
		Self { key: stream_key(request_seed), temperature }
	}

	/// The Gumbel noise of token `id` at `position`, Q16.16.
	pub fn noise(&self, position: u32, id: u32) -> i32 {
		gumbel(gumbel_word(self.key, position, id))
	}

	/// The score of a candidate, Q16.16 nat: the highest wins.
	pub fn score(&self, position: u32, candidate: &Candidate) -> i64 {
		let logprob = i64::from(candidate.logprob);
		match i64::from(self.temperature) {
			0 => logprob << 8,
			t => {
				let scaled = (logprob.wrapping_neg() << 16).checked_div(t).unwrap_or_default();
				i64::from(self.noise(position, candidate.id)).wrapping_sub(scaled)
			}
		}
	}

	/// The token that `candidates` give at `position`: the highest score, ties to the lower id. `None` if empty.
	pub fn winner(&self, position: u32, candidates: &[Candidate]) -> Option<u32> {
		let key = |c: &Candidate| (self.score(position, c), core::cmp::Reverse(c.id));
		candidates.iter().map(key).max().map(|(_, id)| id.0)
	}

	/// Check (i): the leaf is well formed and its token is the one that its own candidates give.
	pub fn is_self_consistent(&self, leaf: &Leaf, top_k: u8, vocab_size: u32) -> bool {
		well_formed(&leaf.candidates, top_k, vocab_size)
			&& self.winner(leaf.position, &leaf.candidates) == Some(leaf.token)
	}

	/// Check (ii): how the token of the worker's leaf stands among a reference's candidates.
	///
	/// `tau_sample` is the largest deficit of an honest token at temperatures from a half on, Q16.16 nat. What the worker says of its candidates is not
	/// asked. A token that the reference does not hold is at most as likely as the last one that it holds.
	pub fn margin(&self, worker: &Leaf, reference: &[Candidate], top_k: u8, tau_sample: u32) -> Margin {
		let seen = looked_at(top_k);
		let score = |c: &Candidate| self.score(worker.position, c);
		let Some(best) = reference.iter().take(seen).map(score).max() else { return Margin::Miss };
		let rank = reference.iter().position(|c| c.id == worker.token);
		let Some(bound) = rank.and_then(|rank| reference.get(rank)).or(reference.last()) else {
			return Margin::Miss;
		};
		let own = score(&Candidate { id: worker.token, logprob: bound.logprob });
		let deficit = self.in_nats(best.wrapping_sub(own));
		let listed = rank.is_some_and(|rank| rank < seen);
		let counted = if listed { deficit } else { deficit.wrapping_sub(SLACK) };
		if counted > self.tolerance(tau_sample) {
			Margin::Miss
		} else if listed || counted > 0 {
			Margin::Hit
		} else {
			Margin::NotCounted
		}
	}

	/// The largest deficit of an honest token at this temperature: at zero three times `tau_sample`.
	///
	/// The colder, the less differs from one request to another: where two tokens are close, the same prompt would have the
	/// same honest worker miss again and again.
	fn tolerance(&self, tau_sample: u32) -> i64 {
		let (tau, cold) = (i64::from(tau_sample), WARM.saturating_sub(self.temperature.into()).max(0));
		tau.saturating_add(tau.saturating_mul(MORE_IF_COLD).saturating_mul(cold) / WARM)
	}

	/// A difference of scores as one of log-probs, Q16.16 nat.
	fn in_nats(&self, difference: i64) -> i64 {
		match i64::from(self.temperature) {
			0 => difference,
			t => difference.wrapping_mul(t) / 256,
		}
	}
}

/// How many ranks are looked at: all but the last four, or all where there are no more than four.
pub fn looked_at(top_k: u8) -> usize {
	match top_k.checked_sub(SKIPPED_RANKS) {
		None | Some(0) => usize::MAX,
		Some(ranks) => ranks.into(),
	}
}

/// Exactly `top_k` candidates with distinct ids below `vocab_size`, log-probs in `-32767..=0`, best first and ties
/// by lower id.
pub fn well_formed(candidates: &[Candidate], top_k: u8, vocab_size: u32) -> bool {
	let ordered = candidates
		.iter()
		.zip(candidates.iter().skip(1))
		.all(|(a, b)| a.logprob > b.logprob || (a.logprob == b.logprob && a.id < b.id));
	let in_range = candidates.iter().all(|c| c.id < vocab_size && (-32767..=0).contains(&c.logprob));
	let repeated =
		candidates.iter().enumerate().any(|(i, c)| candidates.iter().take(i).any(|d| d.id == c.id));
	candidates.len() == usize::from(top_k) && ordered && in_range && !repeated
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::testing::{candidates, leaf};
	use proptest::prelude::*;

	const VOCAB: u32 = 1000;

	fn sampler(temperature: u16) -> Sampler {
		Sampler::new(&H256::repeat_byte(5), temperature)
	}

	#[test]
	fn greedy_takes_the_best_and_ties_go_to_the_lower_id() {
		assert_eq!(sampler(0).winner(3, &candidates(&[(9, -1), (4, -2)])), Some(9));
		assert_eq!(sampler(0).winner(3, &candidates(&[(4, -1), (9, -1)])), Some(4));
		assert_eq!(sampler(0).winner(3, &[]), None);
	}

	#[test]
	fn a_score_is_the_scaled_logprob_plus_noise() {
		let (s, c) = (sampler(512), Candidate { id: 7, logprob: -300 });
		assert_eq!(s.score(2, &c), i64::from(s.noise(2, 7)) - (300i64 << 16) / 512);
		assert_eq!(sampler(0).score(2, &c), -300 << 8);
		let odd = sampler(7).score(2, &Candidate { id: 7, logprob: -1 });
		assert_eq!(odd, i64::from(s.noise(2, 7)) - 9362, "the division rounds toward the noise");
	}

	#[test]
	fn a_malformed_leaf_is_not_consistent() {
		let good = [(3, 0), (5, -7), (9, -7), (1, -32767)];
		let check = |list: &[(u32, i16)], top_k, vocab| {
			let mut l = leaf(0, 0, list);
			l.token = sampler(256).winner(0, &l.candidates).unwrap_or(0);
			sampler(256).is_self_consistent(&l, top_k, vocab)
		};
		assert!(check(&good, 4, 10));
		assert!(!check(&good, 5, 10), "too few");
		assert!(!check(&good, 3, 10), "too many");
		assert!(!check(&good, 4, 9), "id outside the vocabulary");
		assert!(!check(&[(3, 1), (5, -7)], 2, 10), "positive log-prob");
		assert!(!check(&[(3, -1), (5, i16::MIN)], 2, 10), "log-prob below the range");
		assert!(!check(&[(3, -7), (5, -1)], 2, 10), "not best first");
		assert!(!check(&[(5, -7), (3, -7)], 2, 10), "tie not by lower id");
		assert!(!check(&[(3, -1), (5, -2), (3, -3)], 3, 10), "id twice");
		assert!(!check(&[], 0, 10), "an empty leaf has no winner");
		assert!(!check(&[], 4, 10), "empty");
	}

	#[test]
	fn another_token_than_the_winner_is_seen() {
		let list: Vec<(u32, i16)> = (0..8).map(|i| (i, -(i as i16) * 10)).collect();
		let won = sampler(256).winner(6, &candidates(&list)).unwrap();
		for token in 0..8 {
			let l = leaf(6, token, &list);
			assert_eq!(sampler(256).is_self_consistent(&l, 8, VOCAB), token == won);
		}
	}

	#[test]
	fn the_margin_looks_at_all_ranks_but_the_last_four() {
		let list: Vec<(u32, i16)> = (0..8).map(|i| (i, -(i as i16) * 10)).collect();
		let reference = candidates(&list);
		let margin =
			|token, own: &[(u32, i16)], tau| sampler(0).margin(&leaf(0, token, own), &reference, 8, tau);
		assert_eq!(margin(0, &list, 0), Margin::Hit);
		assert_eq!(margin(3, &list, (30 << 8) / 3), Margin::Hit, "exactly what is tolerated is no miss");
		assert_eq!(margin(3, &list, (30 << 8) / 3 - 1), Margin::Miss);
		assert_eq!(margin(4, &list, 0), Margin::NotCounted, "40 steps behind at a skipped rank");
	}

	#[test]
	fn a_token_at_the_cut_or_below_it_has_a_nat_of_slack() {
		// At ranks 4..8 and below: 400, 500, 600, 700 steps behind the best, and at least as far.
		let list: Vec<(u32, i16)> = (0..8).map(|i| (i, -(i as i16) * 100)).collect();
		let reference = candidates(&list);
		let margin =
			|token, own: &[(u32, i16)], tau| sampler(0).margin(&leaf(0, token, own), &reference, 8, tau);
		let over = |steps: u32| ((steps << 8) - (1 << 16)) / 3;
		assert_eq!(margin(4, &list, over(400)), Margin::Hit, "exactly what is tolerated above the slack");
		assert_eq!(margin(4, &list, over(400) - 1), Margin::Miss);
		assert_eq!(margin(7, &list, over(700) - 1), Margin::Miss);
		for own in [[(99, 0)].as_slice(), &list, &[]] {
			assert_eq!(margin(99, own, over(700)), Margin::Hit, "at most as likely as the last candidate");
			assert_eq!(margin(99, own, over(700) - 1), Margin::Miss, "whatever the worker's candidates say");
		}
		let close: Vec<(u32, i16)> = (0..8).map(|i| (i, -(i as i16) * 32)).collect();
		let margin = |token| sampler(0).margin(&leaf(0, token, &close), &candidates(&close), 8, 0);
		assert_eq!(margin(7), Margin::NotCounted, "224 steps are less than a nat");
		assert_eq!(margin(99), Margin::NotCounted);
		assert_eq!(margin(1), Margin::Miss, "no slack where the reference is sure of its ranks");
	}

	#[test]
	fn the_slack_is_a_nat_and_nothing_more() {
		// At 1/256 a bound of 256 steps is a nat behind; the difference of the noises decides the rest.
		let (s, reference) = (sampler(1), candidates(&[(0, 0), (1, -256)]));
		let behind = |id| s.noise(0, 0) - s.noise(0, id);
		let margin = |least: i32| {
			let token = (100..).find(|id| (least..least + 256).contains(&behind(*id))).unwrap();
			s.margin(&leaf(0, token, &[]), &reference, 2, 1)
		};
		assert_eq!(margin(0), Margin::NotCounted, "65536");
		assert_eq!(margin(256), Margin::Hit, "65537");
		assert_eq!(margin(512), Margin::Hit, "65538, with a tau of 1, near zero 2");
		assert_eq!(margin(768), Margin::Miss, "65539");
	}

	#[test]
	fn the_colder_the_more_is_tolerated() {
		let tolerated = |temperature, tau| sampler(temperature).tolerance(tau);
		assert_eq!(
			[0, 64, 127, 128, 256, u16::MAX].map(|t| tolerated(t, 1_000)),
			[3_000, 2_000, 1_015, 1_000, 1_000, 1_000]
		);
		assert_eq!((tolerated(0, 0), tolerated(0, u32::MAX)), (0, 3 * i64::from(u32::MAX)));
	}

	#[test]
	fn scores_are_nats_scaled_by_the_temperature() {
		assert_eq!([0, 256, 128, 512].map(|t| sampler(t).in_nats(1_000)), [1_000, 1_000, 500, 2_000]);
		assert_eq!([511, 512].map(|difference| sampler(1).in_nats(difference)), [1, 2]);
	}

	#[test]
	fn at_a_temperature_the_noise_of_the_token_itself_counts() {
		// No worker chooses the noise, so of many unlikely tokens few stand near the winner.
		let list: Vec<(u32, i16)> = (0..20).map(|i| (i, -(i as i16) * 40)).collect();
		let reference = candidates(&list);
		let s = sampler(256);
		let missed = (100..1100)
			.filter(|token| s.margin(&leaf(3, *token, &[]), &reference, 20, 1 << 14) == Margin::Miss)
			.count();
		assert!((900..1000).contains(&missed), "{missed}");
	}

	#[test]
	fn short_lists_skip_nothing() {
		let list = [(0, 0), (1, -10), (2, -20), (3, -30)];
		let reference = candidates(&list);
		let margin = |token| sampler(0).margin(&leaf(0, token, &list), &reference, 4, 0);
		assert_eq!(margin(0), Margin::Hit);
		assert_eq!(margin(3), Margin::Miss);
		assert_eq!(sampler(0).margin(&leaf(0, 9, &[(9, -40)]), &reference, 4, 0), Margin::NotCounted);
		assert_eq!(sampler(0).margin(&leaf(0, 0, &list), &[], 8, 0), Margin::Miss, "an empty reference");
	}

	proptest! {
		#[test]
		fn the_reference_s_own_winner_is_a_hit(
			ids in prop::collection::btree_set(0u32..VOCAB, 8..=32),
			position: u32,
			temperature: u16,
			seed: [u8; 32],
		) {
			let list: Vec<(u32, i16)> = ids.into_iter().enumerate().map(|(i, id)| (id, -(i as i16) * 13)).collect();
			let (s, top_k) = (Sampler::new(&H256(seed), temperature), list.len() as u8);
			let seen = candidates(&list[..list.len() - 4]);
			let token = s.winner(position, &seen).unwrap();
			let l = leaf(position, token, &list);
			prop_assert_eq!(s.margin(&l, &candidates(&list), top_k, 0), Margin::Hit);
		}
	}
}
