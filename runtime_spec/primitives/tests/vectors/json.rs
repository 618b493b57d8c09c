//! Reading and writing the values of the vector files: bytes are `0x…`, wide integers decimal strings.
use codec::DecodeAll;
use llmnet_primitives::{Calibration, Leaf, NumericsClass, ServiceSpec, Sketch};
use serde_json::Value;
use sp_core::H256;
use std::{fmt::Debug, str::FromStr};

pub fn bytes(value: &Value) -> Vec<u8> {
	let text = value.as_str().expect("a string").strip_prefix("0x").expect("0x");
	hex::decode(text).expect("hex")
}

pub fn array<const N: usize>(value: &Value) -> [u8; N] {
	bytes(value).try_into().expect("the right length")
}

pub fn hash(value: &Value) -> H256 {
	H256(array(value))
}

/// A number, be it written as one or as a string.
pub fn number<N: FromStr<Err: Debug>>(value: &Value) -> N {
	match value {
		Value::String(text) => text.parse().expect("a number in range"),
		other => other.to_string().parse().expect("a number in range"),
	}
}

pub fn list(value: &Value) -> &[Value] {
	value.as_array().expect("a list")
}

pub fn numbers<N: FromStr<Err: Debug>>(value: &Value) -> Vec<N> {
	list(value).iter().map(number).collect()
}

pub fn sketch(value: &Value) -> Sketch {
	numbers(value).try_into().expect("eight lanes")
}

pub fn decoded<T: DecodeAll>(value: &Value) -> T {
	T::decode_all(&mut bytes(value).as_slice()).expect("a valid encoding")
}

pub fn leaves(value: &Value) -> Vec<Leaf> {
	decoded(value)
}

pub fn hex(bytes: impl AsRef<[u8]>) -> Value {
	format!("0x{}", hex::encode(bytes)).into()
}

pub fn wide(number: impl ToString) -> Value {
	number.to_string().into()
}

pub fn calibration(value: &Value) -> Calibration {
	Calibration {
		logit_q95: number(&value["logit_q95"]),
		logit_q99: number(&value["logit_q99"]),
		hidden_q95: number(&value["hidden_q95"]),
		hidden_q99: number(&value["hidden_q99"]),
		tau_sample: number(&value["tau_sample"]),
		positions: number(&value["positions"]),
		expires_at: number(&value["expires_at"]),
	}
}

/// A spec of which only `top_k` and `vocab_size` matter.
pub fn spec(value: &Value) -> ServiceSpec {
	ServiceSpec {
		name: Default::default(),
		weights_root: H256::zero(),
		tokenizer_hash: H256::zero(),
		template_hash: H256::zero(),
		graph_hash: H256::zero(),
		sampler_version: 1,
		top_k: number(&value["top_k"]),
		numerics: NumericsClass::Fp32,
		vocab_size: number(&value["vocab_size"]),
		context_length: 0,
		logit_shift: 0,
		hidden_shift: 0,
	}
}
