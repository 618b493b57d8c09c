//! The objects of the protocol, in SCALE field order.
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;

/// How many lanes a sketch has.
pub const LANES: usize = 8;
/// The most candidates a leaf may carry.
pub const MAX_TOP_K: u32 = 32;
/// The most positions one audit looks at.
pub const MAX_POSITIONS: u32 = 16;
/// The most validators on a panel.
pub const MAX_PANEL: u32 = 3;
/// How many accepted references a verdict needs.
pub const QUORUM: u32 = 2;
/// The most segments of one batch.
pub const MAX_SEGMENTS: u32 = 256;
/// The most hashes of one Merkle proof.
pub const MAX_PROOF: u32 = 256;
/// The most audits drawn from one batch.
pub const MAX_DRAWS: u32 = 32;

/// Lanes of a sketch, in units of `2^-shift` of the spec.
pub type Sketch = [i16; LANES];
/// Names an audit.
pub type AuditId = u32;
/// Names a session.
pub type SessionId = u64;
/// Names a domain.
pub type DomainId = u32;
/// Counts epochs: block number divided by the epoch length.
pub type Epoch = u32;
/// A Merkle proof's hashes.
pub type ProofNodes = BoundedVec<H256, ConstU32<MAX_PROOF>>;
/// The leaves of one audit.
pub type Leaves = BoundedVec<Leaf, ConstU32<MAX_POSITIONS>>;
/// The segments of one batch.
pub type Segments = BoundedVec<Segment, ConstU32<MAX_SEGMENTS>>;

/// How a worker's arithmetic is done; thresholds are fitted for each class.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum NumericsClass {
	/// All in 32-bit floating point.
	#[codec(index = 0)]
	Fp32,
	/// 16-bit floating point.
	#[codec(index = 1)]
	Fp16,
	/// bfloat16 products, 32-bit residual stream and logits.
	#[codec(index = 2)]
	Bf16Fp32Residual,
	/// All in bfloat16.
	#[codec(index = 3)]
	Bf16,
}

/// What a worker promises to compute: the model, its text handling and its numerics.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct ServiceSpec {
	/// The model's name, UTF-8.
	pub name: BoundedVec<u8, ConstU32<64>>,
	/// Merkle root over the weights.
	pub weights_root: H256,
	/// Hash of the tokenizer file.
	pub tokenizer_hash: H256,
	/// Hash of the chat template.
	pub template_hash: H256,
	/// Hash of the ONNX reference graph without its weights.
	pub graph_hash: H256,
	/// Version of the sampling rule.
	pub sampler_version: u8,
	/// Candidates per leaf.
	pub top_k: u8,
	/// The numerics class.
	pub numerics: NumericsClass,
	/// Number of token ids.
	pub vocab_size: u32,
	/// The most tokens of prompt and answer together.
	pub context_length: u32,
	/// Sketch unit of the logit lanes is `2^-logit_shift`.
	pub logit_shift: u8,
	/// Sketch unit of the hidden lanes is `2^-hidden_shift`.
	pub hidden_shift: u8,
}

/// Measured thresholds of a spec.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Calibration {
	/// 95 % quantile of squared logit-lane distances of honest positions.
	pub logit_q95: u64,
	/// 99 % quantile of squared logit-lane distances.
	pub logit_q99: u64,
	/// 95 % quantile of squared hidden-lane distances.
	pub hidden_q95: u64,
	/// 99 % quantile of squared hidden-lane distances.
	pub hidden_q99: u64,
	/// Largest sampling deficit of an honest token, Q16.16 nat.
	pub tau_sample: u32,
	/// How many positions were measured.
	pub positions: u32,
	/// The block from which this row is not to be used.
	pub expires_at: u32,
}

/// One of the best tokens at a position.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Candidate {
	/// Token id.
	pub id: u32,
	/// Log-probability in 1/256 nat, `-32767..=0`.
	pub logprob: i16,
}

/// What is kept of one output token.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Leaf {
	/// Index of the token in the output.
	pub position: u32,
	/// The token.
	pub token: u32,
	/// The best candidates, best first, ties by lower id.
	pub candidates: BoundedVec<Candidate, ConstU32<MAX_TOP_K>>,
	/// Signed sums over the logits.
	pub logit_sketch: Sketch,
	/// Signed sums over the final hidden state.
	pub hidden_sketch: Sketch,
}

/// Why an answer ended.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum FinishReason {
	/// The model ended its turn.
	#[codec(index = 0)]
	Stop,
	/// The token limit was reached.
	#[codec(index = 1)]
	Length,
	/// A stop string was produced.
	#[codec(index = 2)]
	StopString,
}

/// A worker's signed statement of one answer.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Receipt {
	/// The session.
	pub session: SessionId,
	/// The request's index in the session.
	pub index: u32,
	/// Hash of the request.
	pub request_hash: H256,
	/// Temperature in 1/256; 0 is greedy.
	pub temperature: u16,
	/// Hash of the output tokens.
	pub output_hash: H256,
	/// Hash of the delivered text.
	pub text_hash: H256,
	/// Tokens of the prompt.
	pub n_prompt: u32,
	/// Tokens of the answer.
	pub n_out: u32,
	/// Why the answer ended.
	pub finish: FinishReason,
	/// Merkle root over the leaves.
	pub transcript_root: H256,
}

/// A requester's promise to pay, cumulative.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Voucher {
	/// The session.
	pub session: SessionId,
	/// Plancks promised so far.
	pub amount: u128,
	/// Answers paid so far.
	pub answers: u32,
}

/// The receipts of one session in one batch.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Segment {
	/// The session.
	pub session: SessionId,
	/// Index of the first request.
	pub first: u32,
	/// Index of the last request.
	pub last: u32,
	/// Merkle root over the receipts.
	pub receipts_root: H256,
	/// Price of these answers together.
	pub amount: u128,
}

/// A segment with its place in the batch; the batch root is built over these.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct PlacedSegment {
	/// Ordinal of the segment's first receipt in the batch.
	pub start: u32,
	/// The segment.
	pub segment: Segment,
}
