//! The Merkle tree: tagged leaves, nodes and root, the root bound to the number of leaves
//! (`docs/protocol.md` section 4).
use alloc::vec::Vec;
use codec::Encode;
use sp_core::H256;
use sp_io::hashing::blake2_256;

const LEAF: u8 = 0;
const NODE: u8 = 1;
const ROOT: u8 = 2;

fn tagged(tag: u8, first: &[u8], second: &[u8]) -> H256 {
	let mut message = Vec::from(&b"llmnet/merkle/1"[..]);
	message.push(tag);
	message.extend_from_slice(first);
	message.extend_from_slice(second);
	H256(blake2_256(&message))
}

fn leaf(data: &[u8]) -> H256 {
	tagged(LEAF, data, &[])
}

fn node(left: &H256, right: &H256) -> H256 {
	tagged(NODE, left.as_bytes(), right.as_bytes())
}

fn bind(count: u32, top: &H256) -> H256 {
	tagged(ROOT, &count.to_le_bytes(), top.as_bytes())
}

/// The level above `level`: an odd last node moves up unchanged.
fn parents(level: &[H256]) -> Vec<H256> {
	level
		.chunks(2)
		.filter_map(|pair| match pair {
			[left, right] => Some(node(left, right)),
			[last] => Some(*last),
			_ => None,
		})
		.collect()
}

/// The root over the leaves' data; `None` without leaves or with more than `u32` can count.
pub fn root<D: AsRef<[u8]>>(leaves: &[D]) -> Option<H256> {
	let count = u32::try_from(leaves.len()).ok()?;
	let mut level: Vec<H256> = leaves.iter().map(|data| leaf(data.as_ref())).collect();
	while level.len() > 1 {
		level = parents(&level);
	}
	level.first().map(|top| bind(count, top))
}

/// The root over the SCALE encodings of `items`.
pub fn root_of<T: Encode>(items: &[T]) -> Option<H256> {
	root(&items.iter().map(Encode::encode).collect::<Vec<_>>())
}

/// The multiproof for `indices`, or `None` if they are empty, not strictly increasing or out of range.
pub fn prove<D: AsRef<[u8]>>(leaves: &[D], indices: &[u32]) -> Option<Vec<H256>> {
	let count = u32::try_from(leaves.len()).ok()?;
	if !valid_indices(count, indices) {
		return None;
	}
	let mut level: Vec<H256> = leaves.iter().map(|data| leaf(data.as_ref())).collect();
	let mut known: Vec<u32> = indices.to_vec();
	let mut proof = Vec::new();
	while level.len() > 1 {
		for index in &known {
			let sibling = index ^ 1;
			if known.binary_search(&sibling).is_err() {
				proof.extend(level.get(sibling as usize));
			}
		}
		known = known.iter().map(|index| index / 2).collect();
		known.dedup();
		level = parents(&level);
	}
	Some(proof)
}

/// Whether the data of the leaves at `indices` belong to a tree of `count` leaves with this root.
///
/// False for empty, unsorted, repeated or out-of-range indices, for another number of leaves than indices, and
/// for a proof with too few or too many hashes.
pub fn verify<D: AsRef<[u8]>>(
	root: &H256,
	count: u32,
	indices: &[u32],
	leaves: &[D],
	proof: &[H256],
) -> bool {
	if !valid_indices(count, indices) || indices.len() != leaves.len() {
		return false;
	}
	let known = indices.iter().copied().zip(leaves.iter().map(|data| leaf(data.as_ref()))).collect();
	let mut proof = proof.iter();
	let top = climb(count, known, &mut proof);
	top.is_some_and(|top| bind(count, &top) == *root) && proof.next().is_none()
}

fn valid_indices(count: u32, indices: &[u32]) -> bool {
	let rising = indices.iter().zip(indices.iter().skip(1)).all(|(a, b)| a < b);
	rising && indices.last().is_some_and(|last| *last < count)
}

/// Goes from the leaves to the top, taking the hashes of the siblings that are not known from the proof.
fn climb(count: u32, known: Vec<(u32, H256)>, proof: &mut core::slice::Iter<H256>) -> Option<H256> {
	let (mut known, mut width) = (known, count);
	while width > 1 {
		let mut above = Vec::with_capacity(known.len());
		let mut nodes = known.iter().peekable();
		while let Some((index, hash)) = nodes.next() {
			let parent = if index % 2 == 1 {
				node(proof.next()?, hash)
			} else if index.checked_add(1)? == width {
				*hash
			} else if let Some((_, right)) = nodes.next_if(|(next, _)| *next == index | 1) {
				node(hash, right)
			} else {
				node(hash, proof.next()?)
			};
			above.push((index / 2, parent));
		}
		(known, width) = (above, width.div_ceil(2));
	}
	known.first().map(|(_, top)| *top)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::{collection::btree_set, prelude::*};

	fn data(count: u32) -> Vec<Vec<u8>> {
		(0..count).map(|i| i.to_le_bytes().to_vec()).collect()
	}

	fn pick(leaves: &[Vec<u8>], indices: &[u32]) -> Vec<Vec<u8>> {
		indices.iter().map(|i| leaves[*i as usize].clone()).collect()
	}

	#[test]
	fn there_is_no_empty_tree() {
		assert_eq!(root::<Vec<u8>>(&[]), None);
		assert_eq!(prove::<Vec<u8>>(&[], &[]), None);
		assert!(!verify::<Vec<u8>>(&H256::zero(), 0, &[], &[], &[]));
	}

	#[test]
	fn a_single_leaf_needs_no_hashes() {
		let leaves = data(1);
		let top = root(&leaves).unwrap();
		assert_eq!(prove(&leaves, &[0]), Some(vec![]));
		assert!(verify(&top, 1, &[0], &leaves, &[]));
		assert!(!verify(&top, 2, &[0], &leaves, &[]));
	}

	#[test]
	fn an_inner_node_is_no_leaf() {
		let leaves = data(4);
		let top = root(&leaves).unwrap();
		let (left, right) =
			(node(&leaf(&leaves[0]), &leaf(&leaves[1])), node(&leaf(&leaves[2]), &leaf(&leaves[3])));
		let inner = [left.as_bytes(), right.as_bytes()].concat();
		assert!(!verify(&top, 1, &[0], &[inner], &[]));
		assert!(!verify(&top, 2, &[0], &[left.as_bytes()], &[right]));
	}

	#[test]
	fn malformed_indices_are_refused() {
		let leaves = data(5);
		let top = root(&leaves).unwrap();
		let proof = prove(&leaves, &[1, 3]).unwrap();
		assert!(verify(&top, 5, &[1, 3], &pick(&leaves, &[1, 3]), &proof));
		assert!(!verify(&top, 5, &[3, 1], &pick(&leaves, &[3, 1]), &proof));
		assert!(!verify(&top, 5, &[1, 1], &pick(&leaves, &[1, 1]), &proof));
		assert!(!verify(&top, 5, &[1, 5], &pick(&leaves, &[1, 3]), &proof));
		assert!(!verify(&top, 5, &[1], &pick(&leaves, &[1, 3]), &proof));
		assert!(!verify(&top, 5, &[], &pick(&leaves, &[]), &proof));
		assert!(!verify(&top, u32::MAX, &[u32::MAX - 1], &[&leaves[0]], &[]));
	}

	/// What would be proven if indices were not checked first: hashes that fit, at places that do not.
	#[test]
	fn indices_are_checked_before_hashes() {
		let leaves = data(2);
		let (top, right) = (root(&leaves).unwrap(), leaf(&leaves[1]));
		let (first, forged) = (leaves[0].clone(), vec![7u8; 4]);
		assert!(verify(&top, 2, &[0], &[&first], &[right]));
		assert!(!verify(&top, 2, &[2], &[&first], &[right]), "beside the tree");
		assert!(!verify(&top, 2, &[0, 0], &[&first, &forged], &[right, right]), "twice");
		assert!(!verify(&top, 2, &[1, 0], &[&leaves[1], &forged], &[leaf(&first), right]), "backwards");
		assert!(!verify(&top, 2, &[0, 1], &[&first], &[right]), "an index without a leaf");
		assert!(!verify(&top, 2, &[0], &[&first, &forged], &[right]), "a leaf without an index");
		let (four, three) = (data(4), leaf(&data(4)[3]));
		let pair = node(&leaf(&four[0]), &leaf(&four[1]));
		let whole = root(&four).unwrap();
		assert!(verify(&whole, 4, &[2], &[&four[2]], &[three, pair]));
		assert!(!verify(&whole, 4, &[2, 2], &[&four[2], &forged], &[three, three, pair, pair]));
	}

	proptest! {
		#[test]
		fn every_proof_verifies_and_no_changed_one_does(
			count in 1u32..70,
			chosen in btree_set(0u32..70, 1..9),
			other in 1u32..90,
			at: prop::sample::Index,
		) {
			let indices: Vec<u32> = chosen.into_iter().filter(|i| *i < count).collect();
			prop_assume!(!indices.is_empty());
			let (leaves, top) = (data(count), root(&data(count)).unwrap());
			let opened = pick(&leaves, &indices);
			let proof = prove(&leaves, &indices).unwrap();
			prop_assert!(verify(&top, count, &indices, &opened, &proof));
			prop_assert!(other == count || !verify(&top, other, &indices, &opened, &proof));
			let mut longer = proof.clone();
			longer.push(H256::zero());
			prop_assert!(!verify(&top, count, &indices, &opened, &longer));
			let mut forged = opened.clone();
			forged[at.index(opened.len())].push(0);
			prop_assert!(!verify(&top, count, &indices, &forged, &proof));
			if !proof.is_empty() {
				prop_assert!(!verify(&top, count, &indices, &opened, &proof[1..]));
				let mut changed = proof.clone();
				changed[at.index(proof.len())].0[0] ^= 1;
				prop_assert!(!verify(&top, count, &indices, &opened, &changed));
			}
		}
	}
}
