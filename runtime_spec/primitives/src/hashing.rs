//! Domain-separated hashes and signed messages (`docs/protocol.md` sections 1 and 2).
use crate::types::{Leaf, Receipt, ServiceSpec};
use alloc::vec::Vec;
use codec::Encode;
use sp_core::{sr25519, H256};
use sp_io::hashing::blake2_256;
use sp_runtime::AccountId32;

/// `b"llmnet/" ++ name ++ b"/1"`.
fn tag(name: &str) -> Vec<u8> {
	let mut tag = Vec::from(&b"llmnet/"[..]);
	tag.extend_from_slice(name.as_bytes());
	tag.extend_from_slice(b"/1");
	tag
}

/// `H(name, bytes) = blake2b-256(b"llmnet/" ++ name ++ b"/1" ++ bytes)`.
pub fn hash(name: &str, bytes: &[u8]) -> H256 {
	let mut message = tag(name);
	message.extend_from_slice(bytes);
	H256(blake2_256(&message))
}

/// `H(name, SCALE(value))`.
pub fn hash_of<T: Encode + ?Sized>(name: &str, value: &T) -> H256 {
	value.using_encoded(|bytes| hash(name, bytes))
}

/// Names a spec.
pub fn spec_id(spec: &ServiceSpec) -> H256 {
	hash_of("spec", spec)
}

/// Names a receipt.
pub fn receipt_hash(receipt: &Receipt) -> H256 {
	hash_of("receipt", receipt)
}

/// The hash of an answer's tokens.
pub fn output_hash(tokens: &[u32]) -> H256 {
	hash_of("output", tokens)
}

/// The hash of an answer's text.
pub fn text_hash(text: &str) -> H256 {
	hash("text", text.as_bytes())
}

/// The seed of a session; `beacon` is the value of the round after the one in which it was opened.
pub fn session_seed(beacon: &H256, session: u64) -> H256 {
	hash_of("session-seed", &(beacon, session))
}

/// The seed of a request.
pub fn request_seed(session_seed: &H256, index: u32, request_hash: &H256) -> H256 {
	hash_of("seed", &(session_seed, index, request_hash))
}

/// What a validator publishes before it may see the worker's leaves. `account` is its public key.
pub fn reference_commitment(audit: u32, account: &[u8; 32], leaves: &[Leaf], salt: &[u8; 32]) -> H256 {
	hash_of("reference", &(audit, account, leaves, salt))
}

/// What a validator publishes before it reveals its share of a beacon round.
pub fn beacon_commitment(round: u32, account: &[u8; 32], secret: &[u8; 32]) -> H256 {
	hash_of("beacon-commit", &(round, account, secret))
}

/// The value of a beacon round: `mix` is the XOR of the revealed secrets, `parent` the hash of its last block.
pub fn beacon_value(round: u32, mix: &[u8; 32], parent: &H256) -> H256 {
	hash_of("beacon", &(round, mix, parent))
}

/// What a planter publishes before an answer that it has made wrong on purpose is drawn.
pub fn plant_commitment(
	planter: &[u8; 32],
	session: u64,
	index: u32,
	worker: &[u8; 32],
	salt: &[u8; 32],
) -> H256 {
	hash_of("plant", &(planter, session, index, worker, salt))
}

/// The bytes under a signature: `b"llmnet/" ++ name ++ b"/1" ++ genesis ++ SCALE(payload)`.
pub fn signed_message<T: Encode + ?Sized>(name: &str, genesis: &H256, payload: &T) -> Vec<u8> {
	let mut message = tag(name);
	message.extend_from_slice(genesis.as_bytes());
	payload.encode_to(&mut message);
	message
}

/// Whether `signature` is `account`'s over `payload` under `name` on the chain with that genesis.
pub fn verify_signature<T: Encode + ?Sized>(
	name: &str,
	genesis: &H256,
	payload: &T,
	signature: &[u8; 64],
	account: &AccountId32,
) -> bool {
	let public = sr25519::Public::from_raw(*AsRef::<[u8; 32]>::as_ref(account));
	let signature = sr25519::Signature::from_raw(*signature);
	sp_io::crypto::sr25519_verify(&signature, &signed_message(name, genesis, payload), &public)
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_core::Pair;

	#[test]
	fn a_signature_is_bound_to_name_chain_payload_and_account() {
		let pair = sr25519::Pair::from_seed(&[7; 32]);
		let account = AccountId32::from(pair.public());
		let genesis = H256::repeat_byte(3);
		let signature = pair.sign(&signed_message("voucher", &genesis, &(1u64, 2u32))).0;
		let verify = |name: &str, genesis: &H256, payload: (u64, u32), account: &AccountId32| {
			verify_signature(name, genesis, &payload, &signature, account)
		};
		assert!(verify("voucher", &genesis, (1, 2), &account));
		assert!(!verify("receipt", &genesis, (1, 2), &account));
		assert!(!verify("voucher", &H256::zero(), (1, 2), &account));
		assert!(!verify("voucher", &genesis, (1, 3), &account));
		assert!(!verify("voucher", &genesis, (1, 2), &AccountId32::new([0; 32])));
	}

	#[test]
	fn a_hash_is_bound_to_its_name_and_to_the_field_lengths() {
		assert_ne!(hash("text", b"a"), hash("output", b"a"));
		assert_ne!(hash("text", b"/1a"), hash("text", b"a"));
		assert_ne!(output_hash(&[1, 2]), output_hash(&[1, 2, 0]));
	}
}
