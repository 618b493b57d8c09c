"""What is committed, how it is encoded, hashed, sampled and scored (docs/protocol.md sections 1-8, 10).

Pure functions over integers, bytes and numpy arrays: no I/O, no clock, no randomness.
The same rules live in Rust in `runtime_spec/primitives`; both reproduce `runtime_spec/vectors/*.json`.

Objects (`service.py`, `request.py`, `leaf.py`, `receipt.py`): frozen, slotted, checked when made
    ServiceSpec(name, weights_root, tokenizer_hash, template_hash, graph_hash, sampler_version, top_k,
                numerics, vocab_size, context_length, logit_shift, hidden_shift)      .id -> bytes32
    Calibration(logit_q95, logit_q99, hidden_q95, hidden_q99, tau_sample, positions, expires_at)
    Message(role, content: bytes);  Message.of(Role.USER, "text");  .text
    Request(session, index, messages, temperature, max_tokens, stop=())               .hash -> bytes32
    Candidate(id, logprob) (a NamedTuple);  Leaf(position, token, candidates, logit_sketch, hidden_sketch)
    Receipt(session, index, request_hash, temperature, output_hash, text_hash, n_prompt, n_out, finish,
            transcript_root)                                                          .hash -> bytes32
    Voucher(session, amount, answers)
    Segment(session, first, last, receipts_root, amount) .count;  PlacedSegment(start, segment)
    NumericsClass FP32 FP16 BF16_FP32_RESIDUAL BF16 | Role SYSTEM USER ASSISTANT
    FinishReason STOP LENGTH STOP_STRING
    each object: .encode() -> bytes, Class.decode(bytes) (strict: DecodeError with .kind .offset .reason)
    encode_leaves(leaves), decode_leaves(data): SCALE(Vec<Leaf>)

Hashing (`hashing.py`)
    domain_hash(name, data) -> bytes32: H of the protocol;  blake2b_256(data)
    output_hash(tokens) text_hash(str) tokenizer_hash(bytes) template_hash(str) graph_hash(bytes)
    session_seed(beacon_value, session);  request_seed(session_seed, index, request_hash)
    reference_commitment(audit, account, leaves, salt);  plant_commitment(planter, session, index, worker, salt)

Signing (`signing.py`)
    KeyPair.from_seed(bytes32) .public;  sign(pair, "receipt", genesis_hash, receipt.encode()) -> bytes64
    verify_signature(account, signature, "receipt", genesis_hash, payload) -> bool

Merkle (`merkle.py`)
    merkle_root(items);  multiproof(items, indices) -> [bytes32];  single_proof(items, i)
    opening(leaves, positions) -> (leaves there, their proof)
    verify_multiproof(root, n, indices, items, proof) -> bool;  verify_single(root, n, i, item, proof)
    transcript_root(leaves) receipts_root(receipts) batch_root(placed): items are the SCALE encodings
    place_segments(segments) -> [PlacedSegment];  weights_root([WeightEntry(name, dtype, shape, raw_hash)])

Randomness (`philox.py`, `signs.py`, `gumbel.py`)
    philox4x32(counter u32 [..., 4], key u32 [..., 2]) -> u32 [..., 4];  stream_key(request_seed)
    sign_matrix(request_seed, "LOGI" | "HIDN", n) -> int8 [8, n] of +-1 (cached, read-only)
    ln_q48(int), ln_q48_array(u64 [...]) -> i64;  gumbel_q16(int), gumbel_q16_array(u32 [...]) -> i32
    gumbel_noise(request_seed, position, ids u32 [k]) -> i32 [k]

Sampling (`sampler.py`)
    scores(logprobs i16 [k], ids u32 [k], temperature, request_seed, position) -> i64 [k]
    sample(logprobs, ids, temperature, request_seed, position) -> index of the winner
    sample_batch(logprobs [B, k], ids [B, k], temperatures [B], request_seeds [B], positions [B]) -> [B]
    well_formed(leaf, spec);  self_consistent(leaf, spec, request_seed, temperature)
    margin(leaf, reference, spec, calibration, request_seed, temperature) -> Margin HIT MISS NOT_COUNTED
    tolerance(tau_sample, temperature): the largest deficit of a hit
    deficit(leaf, reference, spec, request_seed, temperature) -> Q16.16 nat, or None (not counted)

From floats to leaves (`sketch.py`, `build.py`); a NaN or an infinity anywhere raises NonFiniteError
    build_leaves(logits f32 [B, V], hidden f32 [B, D], positions [B], request_seeds [B], spec,
                 *, temperatures=[B] (samples) | tokens=[B] (reference leaves)) -> [Leaf]
    assemble_leaves(positions [B], ids [B, m], logprobs [B, m], logit_lanes [B, 8], hidden_lanes [B, 8], spec,
                    request_seeds [B], *, temperatures=[B] | tokens=[B]) -> [Leaf]
        what a torch engine calls once per step: m >= top_k candidates in nat, lanes before `* 2^shift`
    assemble_leaf(position, ids [m], logprobs [m], logit_lanes [8], hidden_lanes [8], spec, request_seed,
                  *, temperature=T | token=t) -> Leaf
    sketch_logits(logits [V], signs [8, V]) -> f64 [8];  sketch_hidden(hidden [D], signs [8, D]) -> f64 [8]
    quantise_lanes(x, shift) -> i16;  quantise_logprobs(x) -> i16
    top_candidates(logits [B, V], top_k) -> (ids u32 [B, k], logprobs i16 [B, k]);  log_normaliser(logits)

Scoring (`scoring.py`, `consensus.py`, `judge.py`): integers only, equal to the chain
    distance(lanes, lanes);  position_evidence(d2_logit, d2_hidden, calibration);  clip(sum)
    beside(first, challenge): what of a challenge's evidence still counts
    sprt([(d2_logit, d2_hidden), ...], calibration) -> Sprt FAILED CLEAR UNDECIDED
    Cusum(position=0, margin=0).add(position, margin) .missed_deadline() .slashable
    Reference(account, leaves)
    agree(references, spec, positions=None) -> Consensus(accepted, rejected, medians, nearest) .abstain
    judge(leaves, references, calibration, spec, request_seed, temperature) -> Judgement(verdict,
          position_evidence, margin_evidence, sprt, self_consistent, tokens_match, accepted, rejected,
          nearest, positions: [PositionScore]);  Verdict PASS FAIL ABSTAIN

Drawing (`drawing.py`) and pricing (`pricing.py`)
    draw_key(beacon_value, worker, epoch);  draw_count(key, n, ppm);  draw_receipts(key, n, ppm) -> [ordinal]
    audit_seed(key, ordinal);  draw_panel(audit_seed, [(account, stake)]) -> [account]
    draw_positions(audit_seed, n_out) -> [position];  price(n_prompt, n_out, price_in, price_out) -> plancks

Errors (`errors.py`): ProofError (a ValueError) > DecodeError, FieldError, ShapeError, NonFiniteError
"""

from __future__ import annotations

from .build import (
    assemble_leaf,
    assemble_leaves,
    build_leaves,
    log_normaliser,
    quantise_logprobs,
    top_candidates,
)
from .consensus import Consensus, Median, Reference, agree
from .drawing import (
    audit_seed,
    draw_count,
    draw_key,
    draw_panel,
    draw_positions,
    draw_receipts,
    review_seed,
)
from .errors import DecodeError, FieldError, NonFiniteError, ProofError, ShapeError
from .gumbel import gumbel_noise, gumbel_q16, gumbel_q16_array, ln_q48, ln_q48_array
from .hashing import (
    blake2b_256,
    domain_hash,
    graph_hash,
    output_hash,
    plant_commitment,
    reference_commitment,
    request_seed,
    session_seed,
    template_hash,
    text_hash,
    tokenizer_hash,
)
from .judge import Judgement, PositionScore, Verdict, judge, judge_exceptions
from .leaf import LANES, Candidate, Leaf, decode_leaves, encode_leaves
from .merkle import (
    WeightEntry,
    batch_root,
    merkle_root,
    multiproof,
    opening,
    place_segments,
    receipts_root,
    single_proof,
    transcript_root,
    verify_multiproof,
    verify_single,
    weights_root,
)
from .philox import philox4x32, stream_key
from .pricing import price
from .receipt import FinishReason, PlacedSegment, Receipt, Segment, Voucher
from .request import Message, Request, Role
from .sampler import (
    Margin,
    deficit,
    looked_at,
    margin,
    sample,
    sample_batch,
    scores,
    scores_batch,
    self_consistent,
    tolerance,
    well_formed,
)
from .scoring import Cusum, Sprt, beside, clip, distance, position_evidence, sprt
from .service import Calibration, NumericsClass, ServiceSpec
from .signing import KeyPair, sign, signing_bytes, verify_signature
from .signs import sign_matrix
from .sketch import quantise_lanes, sketch_hidden, sketch_logits

__all__ = [
    "LANES",
    "Calibration",
    "Candidate",
    "Consensus",
    "Cusum",
    "DecodeError",
    "FieldError",
    "FinishReason",
    "Judgement",
    "KeyPair",
    "Leaf",
    "Margin",
    "Median",
    "Message",
    "NonFiniteError",
    "NumericsClass",
    "PlacedSegment",
    "PositionScore",
    "ProofError",
    "Receipt",
    "Reference",
    "Request",
    "Role",
    "Segment",
    "ServiceSpec",
    "ShapeError",
    "Sprt",
    "Verdict",
    "Voucher",
    "WeightEntry",
    "agree",
    "assemble_leaf",
    "assemble_leaves",
    "audit_seed",
    "batch_root",
    "beside",
    "blake2b_256",
    "build_leaves",
    "clip",
    "decode_leaves",
    "deficit",
    "distance",
    "domain_hash",
    "draw_count",
    "draw_key",
    "draw_panel",
    "draw_positions",
    "draw_receipts",
    "encode_leaves",
    "graph_hash",
    "gumbel_noise",
    "gumbel_q16",
    "gumbel_q16_array",
    "judge",
    "judge_exceptions",
    "ln_q48",
    "ln_q48_array",
    "log_normaliser",
    "looked_at",
    "margin",
    "merkle_root",
    "multiproof",
    "opening",
    "output_hash",
    "philox4x32",
    "place_segments",
    "plant_commitment",
    "position_evidence",
    "price",
    "quantise_lanes",
    "quantise_logprobs",
    "receipts_root",
    "reference_commitment",
    "request_seed",
    "review_seed",
    "sample",
    "sample_batch",
    "scores",
    "scores_batch",
    "self_consistent",
    "session_seed",
    "sign",
    "sign_matrix",
    "signing_bytes",
    "single_proof",
    "sketch_hidden",
    "sketch_logits",
    "sprt",
    "stream_key",
    "template_hash",
    "text_hash",
    "tokenizer_hash",
    "tolerance",
    "top_candidates",
    "transcript_root",
    "verify_multiproof",
    "verify_signature",
    "verify_single",
    "weights_root",
    "well_formed",
]
