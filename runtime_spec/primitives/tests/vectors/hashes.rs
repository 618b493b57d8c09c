//! Hashes, signatures, Merkle trees.
use crate::json::{array, bytes, decoded, hash, hex, list, number, numbers};
use codec::Encode;
use llmnet_primitives::{
	hashing::{
		output_hash, plant_commitment as planted, reference_commitment as commitment, request_seed,
		session_seed, text_hash, verify_signature,
	},
	merkle, Leaf, PlacedSegment, Receipt,
};
use serde_json::{json, Value};
use sp_core::H256;

/// Bytes that are encoded already.
struct Raw(Vec<u8>);

impl Encode for Raw {
	fn encode_to<O: codec::Output + ?Sized>(&self, out: &mut O) {
		out.write(&self.0);
	}
}

pub fn hashing(case: &Value) -> Value {
	let name = case["name"].as_str().expect("a name");
	json!({"hash": hex(llmnet_primitives::hash(name, &bytes(&case["data"])))})
}

pub fn seeds(case: &Value) -> Value {
	let session = session_seed(&hash(&case["beacon_value"]), number(&case["session"]));
	let request = request_seed(&session, number(&case["index"]), &hash(&case["request_hash"]));
	json!({"session_seed": hex(session), "request_seed": hex(request)})
}

pub fn output(case: &Value) -> Value {
	let text = case["text"].as_str().expect("a text");
	json!({"output_hash": hex(output_hash(&numbers(&case["tokens"]))), "text_hash": hex(text_hash(text))})
}

pub fn reference_commitment(case: &Value) -> Value {
	let leaves: Vec<Leaf> = list(&case["leaves"]).iter().map(decoded).collect();
	let (account, salt) = (array(&case["account"]), array(&case["salt"]));
	json!({"commitment": hex(commitment(number(&case["audit"]), &account, &leaves, &salt))})
}

pub fn plant_commitment(case: &Value) -> Value {
	let (planter, worker, salt) = (array(&case["planter"]), array(&case["worker"]), array(&case["salt"]));
	let (session, index) = (number(&case["session"]), number(&case["index"]));
	json!({"commitment": hex(planted(&planter, session, index, &worker, &salt))})
}

pub fn signature(case: &Value) -> Value {
	let valid = verify_signature(
		case["name"].as_str().expect("a name"),
		&hash(&case["genesis_hash"]),
		&Raw(bytes(&case["payload"])),
		&array(&case["signature"]),
		&array(&case["account"]).into(),
	);
	json!({"valid": valid})
}

fn items(value: &Value) -> Vec<Vec<u8>> {
	list(value).iter().map(bytes).collect()
}

fn root(top: Option<H256>) -> Value {
	json!({"root": hex(top.expect("at least one leaf"))})
}

pub fn merkle_root(case: &Value) -> Value {
	root(merkle::root(&items(&case["items"])))
}

pub fn multiproof(case: &Value) -> Value {
	let proof: Vec<H256> = list(&case["proof"]).iter().map(hash).collect();
	let indices: Vec<u32> = numbers(&case["indices"]);
	let (top, n) = (hash(&case["root"]), number(&case["n"]));
	json!({"valid": merkle::verify(&top, n, &indices, &items(&case["items"]), &proof)})
}

fn objects<T: codec::DecodeAll>(value: &Value) -> Vec<T> {
	list(value).iter().map(decoded).collect()
}

/// The encoding of a weight's leaf and its name to sort by; it has to be the one given.
fn tensor(value: &Value) -> (Vec<u8>, Vec<u8>) {
	let text = |field: &str| value[field].as_str().expect("a string").as_bytes().to_vec();
	let shape: Vec<u64> = numbers(&value["shape"]);
	let encoded = (text("name"), text("dtype"), shape, hash(&value["raw_hash"])).encode();
	assert_eq!(encoded, bytes(&value["encoded"]));
	(text("name"), encoded)
}

pub fn roots(case: &Value) -> Value {
	let kinds: Vec<&String> = case.as_object().expect("an object").keys().collect();
	let top = match kinds.as_slice() {
		[kind] => match kind.as_str() {
			"receipts" => merkle::root_of(&objects::<Receipt>(&case["receipts"])),
			"placed_segments" => merkle::root_of(&objects::<PlacedSegment>(&case["placed_segments"])),
			"leaves" => merkle::root_of(&objects::<Leaf>(&case["leaves"])),
			"tensors" => {
				let mut tensors: Vec<_> = list(&case["tensors"]).iter().map(tensor).collect();
				tensors.sort();
				merkle::root(&tensors.into_iter().map(|(_, encoded)| encoded).collect::<Vec<_>>())
			}
			other => panic!("unknown kind of tree: {other}"),
		},
		other => panic!("one kind of tree expected: {other:?}"),
	};
	root(top)
}
