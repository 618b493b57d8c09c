//! Short ways to write leaves in tests.
use crate::types::{Candidate, Leaf};

/// Candidates from `(id, logprob)`.
pub fn candidates(list: &[(u32, i16)]) -> Vec<Candidate> {
	list.iter().map(|(id, logprob)| Candidate { id: *id, logprob: *logprob }).collect()
}

/// A leaf whose lanes are all zero.
pub fn leaf(position: u32, token: u32, list: &[(u32, i16)]) -> Leaf {
	let candidates = candidates(list).try_into().expect("few candidates");
	Leaf { position, token, candidates, logit_sketch: [0; 8], hidden_sketch: [0; 8] }
}
