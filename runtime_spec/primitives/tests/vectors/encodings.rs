//! Objects and their encodings, the refused ones with the kind of refusal.
use crate::json::{bytes, hex, wide};
use codec::{Decode, Encode};
use llmnet_primitives::{
	hashing::{receipt_hash, spec_id},
	request::Request,
	Calibration, Leaf, PlacedSegment, Receipt, Segment, ServiceSpec, Voucher,
};
use serde_json::{json, Value};

/// Which of the kinds of `vectors/README.md` an error of the codec is.
fn kind(error: &codec::Error) -> &'static str {
	let text = error.to_string();
	let kinds = [
		("Not enough data", "truncated"),
		("BoundedVec exceeds its limit", "too_long"),
		("variant doesn't exist", "enum"),
		("ompact", "compact"),
	];
	let found = kinds.iter().find(|(part, _)| text.contains(part));
	found.unwrap_or_else(|| panic!("unknown error of the codec: {text}")).1
}

/// Decodes, checks, and writes the object; its encoding has to be what was read.
fn read<T: Decode + Encode>(
	case: &Value,
	refusal: impl Fn(&T) -> Option<&'static str>,
	write: impl Fn(&T) -> Value,
) -> Value {
	let encoded = bytes(&case["encoded"]);
	let mut rest = encoded.as_slice();
	let object = match T::decode(&mut rest) {
		Ok(_) if !rest.is_empty() => return json!({"error": "trailing"}),
		Ok(object) => object,
		Err(error) => return json!({"error": kind(&error)}),
	};
	if let Some(error) = refusal(&object) {
		return json!({"error": error});
	}
	assert_eq!(object.encode(), encoded);
	write(&object)
}

fn never<T>(_: &T) -> Option<&'static str> {
	None
}

fn range(valid: bool) -> Option<&'static str> {
	(!valid).then_some("range")
}

pub fn spec(case: &Value) -> Value {
	read(
		case,
		|s: &ServiceSpec| range(s.is_valid()),
		|s| {
			let object = json!({
				"name": hex(&s.name), "weights_root": hex(s.weights_root), "tokenizer_hash": hex(s.tokenizer_hash),
				"template_hash": hex(s.template_hash), "graph_hash": hex(s.graph_hash),
				"sampler_version": s.sampler_version, "top_k": s.top_k, "numerics": format!("{:?}", s.numerics),
				"vocab_size": s.vocab_size, "context_length": s.context_length,
				"logit_shift": s.logit_shift, "hidden_shift": s.hidden_shift,
			});
			json!({"object": object, "hash": hex(spec_id(s))})
		},
	)
}

pub fn calibration(case: &Value) -> Value {
	read(case, never, |c: &Calibration| {
		json!({"object": {
			"logit_q95": wide(c.logit_q95), "logit_q99": wide(c.logit_q99),
			"hidden_q95": wide(c.hidden_q95), "hidden_q99": wide(c.hidden_q99),
			"tau_sample": c.tau_sample, "positions": c.positions, "expires_at": c.expires_at,
		}})
	})
}

pub fn request(case: &Value) -> Value {
	let check = |r: &Request| (!r.is_valid()).then_some("utf8");
	read(case, check, |r| {
		let message = |m: &llmnet_primitives::request::Message| json!({"role": format!("{:?}", m.role), "content": hex(&m.content)});
		let object = json!({
			"session": wide(r.session), "index": r.index, "temperature": r.temperature, "max_tokens": r.max_tokens,
			"messages": r.messages.iter().map(message).collect::<Vec<_>>(),
			"stop": r.stop.iter().map(hex).collect::<Vec<_>>(),
		});
		json!({"object": object, "hash": hex(r.hash())})
	})
}

pub fn leaf(case: &Value) -> Value {
	read(case, never, |l: &Leaf| {
		let candidates: Vec<Value> =
			l.candidates.iter().map(|c| json!({"id": c.id, "logprob": c.logprob})).collect();
		json!({"object": {
			"position": l.position, "token": l.token, "candidates": candidates,
			"logit_sketch": l.logit_sketch, "hidden_sketch": l.hidden_sketch,
		}})
	})
}

pub fn receipt(case: &Value) -> Value {
	read(
		case,
		|r: &Receipt| range(r.is_valid()),
		|r| {
			let object = json!({
				"session": wide(r.session), "index": r.index, "request_hash": hex(r.request_hash),
				"temperature": r.temperature, "output_hash": hex(r.output_hash), "text_hash": hex(r.text_hash),
				"n_prompt": r.n_prompt, "n_out": r.n_out, "finish": format!("{:?}", r.finish),
				"transcript_root": hex(r.transcript_root),
			});
			json!({"object": object, "hash": hex(receipt_hash(r))})
		},
	)
}

pub fn voucher(case: &Value) -> Value {
	read(
		case,
		never,
		|v: &Voucher| json!({"object": {"session": wide(v.session), "amount": wide(v.amount), "answers": v.answers}}),
	)
}

fn segment_object(s: &Segment) -> Value {
	json!({
		"session": wide(s.session), "first": s.first, "last": s.last,
		"receipts_root": hex(s.receipts_root), "amount": wide(s.amount),
	})
}

pub fn segment(case: &Value) -> Value {
	read(case, |s: &Segment| range(s.is_valid()), |s| json!({"object": segment_object(s)}))
}

pub fn placed_segment(case: &Value) -> Value {
	let check = |p: &PlacedSegment| range(p.segment.is_valid());
	read(case, check, |p| json!({"object": {"start": p.start, "segment": segment_object(&p.segment)}}))
}
