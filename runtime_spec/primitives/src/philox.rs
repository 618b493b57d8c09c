//! Philox4x32-10, the counter-based generator of Random123 (Salmon et al., SC 2011), and the streams of a
//! request (`docs/protocol.md` section 3).
use sp_core::H256;

/// Counter tag of the Gumbel noise.
pub const GUMBEL: u32 = u32::from_le_bytes(*b"GUMB");
/// Counter tag of the signs over the vocabulary.
pub const LOGITS: u32 = u32::from_le_bytes(*b"LOGI");
/// Counter tag of the signs over the hidden dimension.
pub const HIDDEN: u32 = u32::from_le_bytes(*b"HIDN");

const ROUNDS: u32 = 10;
const MULTIPLIERS: (u32, u32) = (0xD251_1F53, 0xCD9E_8D57);
const WEYL: (u32, u32) = (0x9E37_79B9, 0xBB67_AE85);

/// High and low word of a product.
fn multiply(a: u32, b: u32) -> (u32, u32) {
	let product = u64::from(a).wrapping_mul(u64::from(b));
	((product >> 32) as u32, product as u32)
}

/// One block of four random words.
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
	let [mut c0, mut c1, mut c2, mut c3] = counter;
	let [mut k0, mut k1] = key;
	for _ in 0..ROUNDS {
		let (high0, low0) = multiply(MULTIPLIERS.0, c0);
		let (high1, low1) = multiply(MULTIPLIERS.1, c2);
		(c0, c1, c2, c3) = (high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0);
		k0 = k0.wrapping_add(WEYL.0);
		k1 = k1.wrapping_add(WEYL.1);
	}
	[c0, c1, c2, c3]
}

/// The key of all streams of a request.
pub fn stream_key(request_seed: &H256) -> [u32; 2] {
	let [a, b, c, d, e, f, g, h, ..] = request_seed.0;
	[u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

/// The uniform word behind the noise of token `id` at `position`.
pub fn gumbel_word(key: [u32; 2], position: u32, id: u32) -> u32 {
	let [word, ..] = philox4x32_10([position, id, 0, GUMBEL], key);
	word
}

/// The signs of element `v` in the eight lanes of the set `tag`: lane `j` is `-1` where bit `j` is set.
pub fn sign_byte(key: [u32; 2], tag: u32, v: u32) -> u8 {
	let words = philox4x32_10([v / 16, 0, 0, tag], key);
	let mut bytes = words.iter().flat_map(|word| word.to_le_bytes());
	bytes.nth((v % 16) as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests {
	use super::*;

	/// The known answers that Random123 publishes for this generator.
	#[test]
	fn the_known_answers_are_reproduced() {
		let cases = [
			([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
			([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
			(
				[0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
				[0xa409_3822, 0x299f_31d0],
				[0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
			),
		];
		for (counter, key, expected) in cases {
			assert_eq!(philox4x32_10(counter, key), expected);
		}
	}

	#[test]
	fn sixteen_neighbours_share_a_block() {
		let key = stream_key(&H256::repeat_byte(9));
		let words = philox4x32_10([1, 0, 0, HIDDEN], key);
		let bytes: Vec<u8> = (16..32).map(|v| sign_byte(key, HIDDEN, v)).collect();
		assert_eq!(bytes, words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>());
		assert_ne!(sign_byte(key, LOGITS, 16), sign_byte(key, HIDDEN, 16));
	}
}
