//! Philox, signs, the logarithm, sampling.
use crate::json::{decoded, hash, hex, number, numbers, wide};
use llmnet_primitives::{
	gumbel::{gumbel, ln_q48, LN, RECIPROCAL},
	philox::{philox4x32_10, sign_byte, stream_key},
	sampling::{well_formed, Sampler},
	Candidate, Leaf,
};
use serde_json::{json, Value};

pub fn philox(case: &Value) -> Value {
	let counter: [u32; 4] = numbers(&case["counter"]).try_into().expect("four words");
	let key: [u32; 2] = numbers(&case["key"]).try_into().expect("two words");
	json!({"words": philox4x32_10(counter, key)})
}

pub fn signs(case: &Value) -> Value {
	let key = stream_key(&hash(&case["request_seed"]));
	let tag: [u8; 4] = case["lane_set"].as_str().expect("a tag").as_bytes().try_into().expect("four letters");
	let octets: Vec<u8> =
		(0..number(&case["n"])).map(|v| sign_byte(key, u32::from_le_bytes(tag), v)).collect();
	let sign = |octet: &u8, lane: u8| if octet >> lane & 1 == 1 { '-' } else { '+' };
	let rows: Vec<String> =
		(0..8).map(|lane| octets.iter().map(|octet| sign(octet, lane)).collect()).collect();
	json!({"octets": hex(octets), "rows": rows})
}

pub fn ln_gumbel(case: &Value) -> Value {
	if let Some(i) = case.get("i") {
		let i: usize = number(i);
		json!({"ln": wide(LN[i]), "rc": RECIPROCAL[i]})
	} else if let Some(x) = case.get("x") {
		json!({"ln_q48": wide(ln_q48(number(x)))})
	} else {
		json!({"gumbel_q16": gumbel(number(&case["u"]))})
	}
}

fn sampler(case: &Value) -> Sampler {
	Sampler::new(&hash(&case["request_seed"]), number(&case["temperature"]))
}

pub fn sampling(case: &Value) -> Value {
	let ids: Vec<u32> = numbers(&case["ids"]);
	let logprobs: Vec<i16> = numbers(&case["logprobs"]);
	assert_eq!(ids.len(), logprobs.len());
	let candidates: Vec<Candidate> =
		ids.iter().zip(logprobs).map(|(id, logprob)| Candidate { id: *id, logprob }).collect();
	let (sampler, position) = (sampler(case), number(&case["position"]));
	let token = sampler.winner(position, &candidates).expect("a candidate");
	json!({
		"noise": ids.iter().map(|id| sampler.noise(position, *id)).collect::<Vec<_>>(),
		"scores": candidates.iter().map(|c| wide(sampler.score(position, c))).collect::<Vec<_>>(),
		"winner": ids.iter().position(|id| *id == token),
		"token": token,
	})
}

pub fn self_consistency(case: &Value) -> Value {
	let leaf: Leaf = decoded(&case["leaf"]);
	let (top_k, vocab_size) = (number(&case["top_k"]), number(&case["vocab_size"]));
	json!({
		"well_formed": well_formed(&leaf.candidates, top_k, vocab_size),
		"self_consistent": sampler(case).is_self_consistent(&leaf, top_k, vocab_size),
	})
}
