//! Which answers are audited, by whom and at which positions (`docs/protocol.md` section 8).
use crate::{
	hashing::{hash, hash_of},
	types::{MAX_DRAWS, MAX_POSITIONS, QUORUM},
};
use alloc::vec::Vec;
use codec::Encode;
use sp_core::H256;

/// One in parts per million.
pub const ONE: u32 = 1_000_000;
const MILLION: u64 = ONE as u64;

/// The word whose draw rounds the number of audits.
const ROUNDING: u32 = u32::MAX;

/// No honest draw comes near this: drawing 32 of 33 fails so often with a chance below `e^-120`.
const MAX_TRIES: u32 = 4096;

fn word64(digest: &H256) -> u64 {
	let [a, b, c, d, e, f, g, h, ..] = digest.0;
	u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn word128(digest: &H256) -> u128 {
	let (low, _) = digest.0.split_at(16);
	low.try_into().map(u128::from_le_bytes).unwrap_or_default()
}

/// The key of all draws from the batch of `worker` in `epoch`. `worker` is its public key.
pub fn draw_key(beacon: &H256, worker: &[u8; 32], epoch: u32) -> H256 {
	hash_of("draw", &(beacon, worker, epoch))
}

/// How many of `receipts` are audited with a probability of `parts_per_million` each; at most 32.
pub fn audit_count(draw_key: &H256, receipts: u32, parts_per_million: u32) -> u32 {
	let expected = u64::from(receipts).saturating_mul(u64::from(parts_per_million.min(ONE)));
	let chance = word64(&hash_of("draw", &(draw_key, ROUNDING))) % MILLION;
	let extra = u64::from(chance < expected % MILLION);
	let count = (expected / MILLION).saturating_add(extra).min(MAX_DRAWS.into());
	u32::try_from(count).unwrap_or(MAX_DRAWS)
}

/// The ordinals of the audited receipts, in the order of drawing.
pub fn audited_ordinals(draw_key: &H256, receipts: u32, parts_per_million: u32) -> Vec<u32> {
	let count = audit_count(draw_key, receipts, parts_per_million);
	if count == receipts {
		return (0..receipts).collect();
	}
	distinct("draw", draw_key, receipts, count)
}

/// The seed of the audit of receipt `ordinal`.
pub fn audit_seed(draw_key: &H256, ordinal: u32) -> H256 {
	let mut bytes = (draw_key, ordinal).encode();
	bytes.extend_from_slice(b"audit");
	hash("draw", &bytes)
}

/// The seed of the panel of a review; `audit` is the review's own number.
pub fn review_seed(beacon: &H256, audit: u32) -> H256 {
	let mut bytes = (beacon, audit).encode();
	bytes.extend_from_slice(b"review");
	hash("draw", &bytes)
}

/// The positions that are looked at in an answer of `n_out` tokens: up to 16, ascending.
pub fn positions(audit_seed: &H256, n_out: u32) -> Vec<u32> {
	let mut positions = distinct("positions", audit_seed, n_out, n_out.min(MAX_POSITIONS));
	positions.sort_unstable();
	positions
}

/// The first `count` distinct numbers below `below` of the stream `name`, in the order of drawing.
fn distinct(name: &str, seed: &H256, below: u32, count: u32) -> Vec<u32> {
	let mut drawn = Vec::new();
	for j in 0..MAX_TRIES {
		if drawn.len() >= count as usize {
			break;
		}
		let number = word64(&hash_of(name, &(seed, j))).checked_rem(below.into());
		let number = number.and_then(|n| u32::try_from(n).ok());
		drawn.extend(number.filter(|n| !drawn.contains(n)));
	}
	drawn
}

/// Draws up to `size` of `eligible`, weighted by stake and without replacement, in the order of drawing.
///
/// `eligible` holds accounts in ascending order with their stakes. Accounts without stake are never drawn. With fewer
/// than a quorum there is no panel, and so no audit.
pub fn panel<A: Clone>(audit_seed: &H256, eligible: &[(A, u128)], size: u32) -> Vec<A> {
	let mut remaining = eligible.to_vec();
	let mut panel = Vec::new();
	for i in 0..size {
		// The stakes are balances of one currency, whose issuance fits u128.
		let total = remaining.iter().fold(0u128, |sum, (_, stake)| sum.saturating_add(*stake));
		let Some(x) = word128(&hash_of("draw", &(audit_seed, i))).checked_rem(total) else { break };
		let mut sum = 0u128;
		let exceeds = |(_, stake): &(A, u128)| {
			sum = sum.saturating_add(*stake);
			sum > x
		};
		let Some(at) = remaining.iter().position(exceeds) else { break };
		panel.push(remaining.remove(at).0);
	}
	if panel.len() < QUORUM as usize {
		panel.clear();
	}
	panel
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;
	use std::collections::BTreeSet;

	fn seed(byte: u8) -> H256 {
		H256::repeat_byte(byte)
	}

	#[test]
	fn the_keys_differ_in_every_input() {
		let key = draw_key(&seed(1), &[2; 32], 3);
		assert_ne!(key, draw_key(&seed(2), &[2; 32], 3));
		assert_ne!(key, draw_key(&seed(1), &[3; 32], 3));
		assert_ne!(key, draw_key(&seed(1), &[2; 32], 4));
		assert_ne!(audit_seed(&key, 0), audit_seed(&key, 1));
	}

	#[test]
	fn bounds_of_the_count() {
		assert_eq!(audit_count(&seed(1), 0, ONE), 0);
		assert_eq!(audit_count(&seed(1), 7, 0), 0);
		assert_eq!(audit_count(&seed(1), 7, ONE), 7);
		assert_eq!(audit_count(&seed(1), 7, u32::MAX), 7, "more than certain is certain");
		assert_eq!(audit_count(&seed(1), u32::MAX, ONE), MAX_DRAWS);
		assert_eq!(audited_ordinals(&seed(1), 5, ONE), [0, 1, 2, 3, 4]);
		assert_eq!(audited_ordinals(&seed(1), 0, ONE), [0u32; 0]);
	}

	#[test]
	fn a_fraction_counts_from_just_above_its_chance() {
		for key in (1..50).map(seed) {
			let chance = word64(&hash_of("draw", &(&key, ROUNDING))) % MILLION;
			let chance = u32::try_from(chance).unwrap();
			assert_eq!(audit_count(&key, 1, chance), 0);
			assert_eq!(audit_count(&key, 1, chance + 1), 1);
		}
	}

	#[test]
	fn a_fraction_is_rounded_with_its_own_chance() {
		let drawn: u32 = (0..2000u32).map(|i| audit_count(&hash_of("draw", &i), 1, 250_000)).sum();
		assert!((400..600).contains(&drawn), "{drawn} of 2000 at a quarter");
	}

	#[test]
	fn an_empty_answer_has_no_positions_and_a_short_one_has_all() {
		assert_eq!(positions(&seed(3), 0), [0u32; 0]);
		assert_eq!(positions(&seed(3), 1), [0]);
		assert_eq!(positions(&seed(3), 16), (0..16).collect::<Vec<_>>());
	}

	#[test]
	fn the_panel_follows_the_stake() {
		let mut first = [0u32; 3];
		for i in 0..3000u32 {
			let panel = panel(&hash_of("draw", &i), &[(0usize, 100), (1, 200), (2, 700)], 3);
			assert_eq!(panel.iter().collect::<BTreeSet<_>>().len(), 3);
			first[panel[0]] += 1;
		}
		assert!((240..360).contains(&first[0]) && (500..700).contains(&first[1]), "{first:?}");
	}

	#[test]
	fn a_panel_of_nobody() {
		assert!(panel::<u8>(&seed(1), &[], 3).is_empty());
		assert!(panel(&seed(1), &[(1u8, 0)], 3).is_empty());
		assert!(panel(&seed(1), &[(1u8, 0), (2, 5)], 3).is_empty(), "one is no quorum");
		assert_eq!(panel(&seed(1), &[(1u8, 0), (2, 5), (3, 1)], 3).len(), 2);
		assert_eq!(panel(&seed(1), &[(1u8, u128::MAX), (2, u128::MAX)], 0), [0u8; 0]);
	}

	proptest! {
		#[test]
		fn draws_are_distinct_and_in_range(bytes: [u8; 32], receipts in 0u32..200, ppm in 0..=ONE) {
			let ordinals = audited_ordinals(&H256(bytes), receipts, ppm);
			prop_assert_eq!(ordinals.len() as u32, audit_count(&H256(bytes), receipts, ppm));
			prop_assert_eq!(ordinals.iter().collect::<BTreeSet<_>>().len(), ordinals.len());
			prop_assert!(ordinals.iter().all(|o| *o < receipts));
		}

		#[test]
		fn positions_are_distinct_sorted_and_in_range(bytes: [u8; 32], n_out in 1u32..) {
			let positions = positions(&H256(bytes), n_out);
			prop_assert_eq!(positions.len() as u32, n_out.min(16));
			prop_assert!(positions.windows(2).all(|w| w[0] < w[1]));
			prop_assert!(positions.iter().all(|p| *p < n_out));
		}
	}
}
