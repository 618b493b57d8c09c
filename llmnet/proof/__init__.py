"""What is committed, how it is encoded, hashed, sampled and scored (docs/protocol.md sections 1-8 and 10).

Pure functions over integers, bytes and numpy arrays: no I/O, no clock, no randomness, nothing of ours imported.
The same rules live in Rust in `runtime_spec/primitives`; both reproduce `runtime_spec/vectors/*.json`.

Objects (`objects.py`, `service.py`, `leaf_object` fields exactly as in the protocol table; all frozen, slotted, validated when made)
    ServiceSpec(name: bytes, weights_root, tokenizer_hash, template_hash, graph_hash: bytes32, sampler_version=1, top_k, numerics,
                vocab_size, context_length, logit_shift, hidden_shift)                  .id -> bytes32
    Calibration(logit_q95, logit_q99, hidden_q95, hidden_q99, tau_sample, positions, expires_at)
    Message(role, content: bytes)   Message.of(Role.USER, "text")   .text
    Request(session, index, messages: tuple[Message, ...], temperature, max_tokens, stop: tuple[bytes, ...])      .hash
    Candidate(id, logprob)          (a NamedTuple)
    Leaf(position, token, candidates: tuple[Candidate, ...], logit_sketch: tuple[int x8], hidden_sketch: tuple[int x8])
    Receipt(session, index, request_hash, temperature, output_hash, text_hash, n_prompt, n_out, finish, transcript_root)  .hash
    Voucher(session, amount, answers)
    Segment(session, first, last, receipts_root, amount)   .count
    PlacedSegment(start, segment)
    enums NumericsClass FP32 FP16 BF16_FP32_RESIDUAL BF16 | Role SYSTEM USER ASSISTANT | FinishReason STOP LENGTH STOP_STRING
    each: .encode() -> bytes; Class.decode(data: bytes) -> Class (strict: DecodeError(kind, offset, reason));
          .to_json() / Class.from_json() are not here: JSON is the business of whoever speaks HTTP (use .encode().hex()).
    encode_leaves(leaves) / decode_leaves(data) -> SCALE(Vec<Leaf>)

Hashing (`hashing.py`)
    domain_hash(name: str, data: bytes) -> bytes32                     H of the protocol; unknown names raise
    output_hash(tokens) text_hash(text: str) tokenizer_hash(bytes) template_hash(str) graph_hash(bytes)
    session_seed(beacon_value, session) request_seed(session_seed, index, request_hash)
    reference_commitment(audit: int, account: bytes32, leaves, salt: bytes32) -> bytes32
    weights_root([WeightEntry(name, dtype, shape, raw_hash)]) -> bytes32;  blake2b_256(data) -> bytes32

Signing (`signing.py`)
    KeyPair.from_seed(seed32) .public;  sign(keypair, "receipt", genesis_hash, receipt.encode()) -> bytes64
    verify_signature(account, signature, "receipt", genesis_hash, payload: bytes) -> bool          (never raises on bad bytes)

Merkle (`merkle.py`)
    merkle_root(items: Sequence[bytes]) -> bytes32;  multiproof(items, indices) -> list[bytes32]
    verify_multiproof(root, n, indices, items, proof) -> bool;  single_proof(items, i);  verify_single(root, n, i, item, proof)
    transcript_root(leaves) receipts_root(receipts) batch_root(placed_segments): items are the SCALE encodings
    place_segments(segments) -> list[PlacedSegment]

Randomness (`philox.py`, `signs.py`, `gumbel.py`)
    philox4x32(counter u32[..., 4], key u32[..., 2]) -> u32[..., 4];  stream_key(request_seed) -> (int, int)
    sign_matrix(request_seed, "LOGI" | "HIDN", n) -> int8 [8, n] of +-1            (cached, read-only)
    ln_q48(x: int) -> int; ln_q48_array(u64[...]) -> i64[...]; gumbel_q16(u: int) -> int; gumbel_q16_array(u32[...]) -> i32[...]
    gumbel_noise(request_seed, position, ids u32[k]) -> i32[k]

Sampling (`sampler.py`)
    scores(logprobs i16[k], ids u32[k], temperature, request_seed, position) -> i64[k]
    sample(logprobs, ids, temperature, request_seed, position) -> index
    sample_batch(logprobs [B,k], ids [B,k], temperatures [B], request_seeds [B bytes32], positions [B]) -> i64[B] indices
    well_formed(leaf, spec) -> bool;  self_consistent(leaf, spec, request_seed, temperature) -> bool
    margin(leaf, reference, spec, calibration, request_seed, temperature) -> Margin.HIT | MISS | NOT_COUNTED

From floats to leaves (`sketch.py`, `leaf.py`); a NaN or an infinity anywhere raises NonFiniteError
    sketch_logits(logits f32[V], signs) -> f64[8];  sketch_hidden(hidden f32[D], signs) -> f64[8];  quantise_lanes(x, shift) -> i16
    quantise_logprobs(f[...]) -> i16[...];  top_candidates(logits f32[B,V], top_k) -> (ids u32[B,k], logprobs i16[B,k])
    build_leaves(logits f32[B,V], hidden f32[B,D], positions [B], request_seeds [B], spec, *, temperatures=[B]) -> list[Leaf]  (samples)
    build_leaves(..., *, tokens=[B]) -> list[Leaf]                                                    (reference leaves: token given)
    assemble_leaf(position, ids [m], logprobs float [m], logit_lanes float[8], hidden_lanes float[8], spec, request_seed,
                  *, temperature=T | token=t) -> Leaf       m >= top_k: quantise, order (logprob desc, id asc), cut to top_k, sample
    assemble_leaves(positions [B], ids [B,m], logprobs [B,m], logit_lanes [B,8], hidden_lanes [B,8], spec, request_seeds [B],
                    *, temperatures=[B] | tokens=[B]) -> list[Leaf]      same, batched: what a torch engine calls once per step
    Lanes are the floats x of section 3 before `2^shift`: n^-1/2 * sum(sign * (z - mean)) for logits, without mean for hidden.

Scoring (`scoring.py`, `consensus.py`, `judge.py`): integers only, equal to the chain
    distance(lanes, lanes) -> int;  position_evidence(d2_logit, d2_hidden, calibration) -> int
    clip(sum) -> int;  sprt([(d2_logit, d2_hidden), ...], calibration) -> Sprt.FAILED | CLEAR | UNDECIDED
    Cusum(position=0, margin=0).add(position_evidence, margin_evidence) -> Cusum;  .missed_deadline();  .slashable
    Reference(account: bytes32, leaves: tuple[Leaf, ...]);  agree(references, spec) -> Consensus(abstain, accepted, rejected, nearest, medians)
    judge(leaves, references: Sequence[Reference], calibration, spec, request_seed, temperature) -> Judgement(
        verdict: Verdict.PASS | FAIL | ABSTAIN, position_evidence, margin_evidence, sprt, self_consistent, tokens_match,
        accepted, rejected (accounts), nearest, positions: tuple[PositionScore, ...])

Drawing (`drawing.py`)
    draw_key(beacon_value, worker, epoch);  draw_count(key, n, ppm);  draw_receipts(key, n, ppm) -> list[ordinal]
    audit_seed(key, ordinal);  draw_panel(audit_seed, [(account, stake)], size=3) -> list[account];  draw_positions(audit_seed, n_out)

Pricing (`pricing.py`)
    price(n_prompt, n_out, price_in, price_out) -> plancks

Errors (`errors.py`): ProofError > DecodeError, FieldError, ShapeError, NonFiniteError; all are ValueErrors too.
"""
