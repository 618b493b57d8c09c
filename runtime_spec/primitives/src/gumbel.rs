//! The natural logarithm and Gumbel noise in 64-bit integers (`docs/protocol.md` section 5).

/// `round(ln 2 * 2^48)`.
pub const LN2: i64 = 195_103_586_505_167;

/// `round(ln(1 + i/64) * 2^48)` for `i = 0..=64`.
pub const LN: [i64; 65] = [
	0,
	4_364_040_544_128,
	8_661_451_906_573,
	12_894_238_087_534,
	17_064_314_013_873,
	21_173_510_740_946,
	25_223_580_280_171,
	29_216_200_084_181,
	33_152_977_218_291,
	37_035_452_244_253,
	40_865_102_839_786,
	44_643_347_175_162,
	48_371_547_066_152,
	52_051_010_920_882,
	55_682_996_496_557,
	59_268_713_480_576,
	62_809_325_909_300,
	66_305_954_436_582,
	69_759_678_463_100,
	73_171_538_136_644,
	76_542_536_232_600,
	79_873_639_923_174,
	83_165_782_443_125,
	86_419_864_659_224,
	89_636_756_550_011,
	92_817_298_601_953,
	95_962_303_127_591,
	99_072_555_510_867,
	102_148_815_384_384,
	105_191_817_743_039,
	108_202_273_998_089,
	111_180_872_975_452,
	114_128_281_861_729,
	117_045_147_101_217,
	119_932_095_246_910,
	122_789_733_768_302,
	125_618_651_818_601,
	128_419_420_963_759,
	131_192_595_875_603,
	133_938_714_991_134,
	136_658_301_139_996,
	139_351_862_141_900,
	142_019_891_375_752,
	144_662_868_322_042,
	147_281_259_080_020,
	149_875_516_861_029,
	152_446_082_459_311,
	154_993_384_701_515,
	157_517_840_876_039,
	160_019_857_143_290,
	162_499_828_927_881,
	164_958_141_293_684,
	167_395_169_302_662,
	169_811_278_358_287,
	172_206_824_534_353,
	174_582_154_889_912,
	176_937_607_771_029,
	179_273_513_100_022,
	181_590_192_652_790,
	183_887_960_324_830,
	186_167_122_386_477,
	188_427_977_727_901,
	190_670_818_094_329,
	192_895_928_311_988,
	195_103_586_505_167,
];

/// `floor(2^31 / (1 + i/64))` for `i = 0..=64`.
pub const RECIPROCAL: [i64; 65] = [
	2_147_483_648,
	2_114_445_438,
	2_082_408_385,
	2_051_327_663,
	2_021_161_080,
	1_991_868_890,
	1_963_413_621,
	1_935_759_908,
	1_908_874_353,
	1_882_725_390,
	1_857_283_155,
	1_832_519_379,
	1_808_407_282,
	1_784_921_473,
	1_762_037_865,
	1_739_733_588,
	1_717_986_918,
	1_696_777_203,
	1_676_084_798,
	1_655_891_005,
	1_636_178_017,
	1_616_928_864,
	1_598_127_365,
	1_579_758_085,
	1_561_806_289,
	1_544_257_904,
	1_527_099_483,
	1_510_318_170,
	1_493_901_668,
	1_477_838_209,
	1_462_116_526,
	1_446_725_826,
	1_431_655_765,
	1_416_896_427,
	1_402_438_300,
	1_388_272_257,
	1_374_389_534,
	1_360_781_717,
	1_347_440_720,
	1_334_358_771,
	1_321_528_398,
	1_308_942_414,
	1_296_593_900,
	1_284_476_200,
	1_272_582_902,
	1_260_907_830,
	1_249_445_031,
	1_238_188_770,
	1_227_133_513,
	1_216_273_924,
	1_205_604_855,
	1_195_121_334,
	1_184_818_564,
	1_174_691_910,
	1_164_736_893,
	1_154_949_188,
	1_145_324_612,
	1_135_859_119,
	1_126_548_798,
	1_117_389_865,
	1_108_378_657,
	1_099_511_627,
	1_090_785_345,
	1_082_196_484,
	1_073_741_824,
];

/// `ln x` in Q48 with an error below `2^-24`; `x = 0` reads as 1.
///
/// `x = 2^n * m` with `1 <= m < 2`; the table gives `ln` at the nearest 64th, a cubic series the rest. Every
/// intermediate value stays below `2^63`, so that the wrapping operations never wrap.
pub fn ln_q48(x: u64) -> i64 {
	let x = x.max(1);
	let shift = x.leading_zeros();
	let mantissa = x.wrapping_shl(shift);
	let nearest = ((mantissa >> 56) & 0x7f).wrapping_add(1) >> 1;
	// The tables have an entry for every value of `nearest` (0..=64); the defaults are never taken.
	let at = usize::try_from(nearest).unwrap_or_default();
	let table = LN.get(at).copied().unwrap_or_default();
	let reciprocal = RECIPROCAL.get(at).copied().unwrap_or_default();
	let distance = mantissa.wrapping_sub(nearest.wrapping_add(64).wrapping_shl(57)) as i64;
	let t = (distance >> 25).wrapping_mul(reciprocal) >> 21;
	let s = t >> 16;
	let square = s.wrapping_mul(s);
	let second = square >> 17;
	let third = ((square >> 16).wrapping_mul(s) / 3) >> 32;
	let exponent = i64::from(63u32.wrapping_sub(shift));
	exponent.wrapping_mul(LN2).wrapping_add(table).wrapping_add(t).wrapping_sub(second).wrapping_add(third)
}

/// `-ln(-ln((u + 1/2) / 2^32))` in Q16.16 with an error below `1e-4`.
pub fn gumbel(u: u32) -> i32 {
	let odd = u64::from(u).wrapping_mul(2).wrapping_add(1);
	// -ln((u + 1/2) / 2^32) in Q48; the table's rounding must not make it vanish at the upper end.
	let v = LN2.wrapping_mul(33).wrapping_sub(ln_q48(odd)).max(1);
	let g = LN2.wrapping_mul(48).wrapping_sub(ln_q48(v.unsigned_abs()));
	// |g| < 34 * 2^48, so the rounded value fits 32 bits.
	(g.wrapping_add(1 << 31) >> 32) as i32
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	/// `ln(1 + i/64)` in Q64 from exact integer quotients: `2 * atanh(i / (128 + i))`.
	fn ln_by_series(i: u128) -> u128 {
		let y = (i << 64) / (128 + i);
		let square = (y * y) >> 64;
		let (mut power, mut sum) = (y, 0);
		for k in (1..60u128).step_by(2) {
			sum += power / k;
			power = (power * square) >> 64;
		}
		2 * sum
	}

	#[test]
	fn the_tables_are_what_their_formulas_give() {
		for i in 0..=64u128 {
			let exact = (ln_by_series(i) + (1 << 15)) >> 16;
			assert_eq!(LN[i as usize] as u128, exact, "LN[{i}]");
			assert_eq!(RECIPROCAL[i as usize] as u128, (1u128 << 37) / (64 + i), "RECIPROCAL[{i}]");
		}
		assert_eq!(LN[64], LN2);
	}

	#[test]
	fn powers_of_two_are_exact() {
		for n in 0..64 {
			assert_eq!(ln_q48(1 << n), i64::from(n) * LN2);
		}
		assert_eq!(ln_q48(0), 0);
	}

	#[test]
	fn the_noise_is_finite_and_rises_at_both_ends() {
		assert!(gumbel(0) < gumbel(1));
		assert!(gumbel(u32::MAX - 1) <= gumbel(u32::MAX));
		assert!((gumbel(0) + 205_128).abs() < 7, "-ln(33 ln 2) = -3.1300");
		assert!((gumbel(u32::MAX) - 1_499_061).abs() < 7, "33 ln 2 = 22.8739");
	}

	proptest! {
		#[test]
		fn the_logarithm_is_close_to_the_real_one(x in 1u64..) {
			let error = ln_q48(x) as f64 / (1u64 << 48) as f64 - (x as f64).ln();
			prop_assert!(error.abs() < 1e-7, "{x}: {error}");
		}

		#[test]
		fn the_noise_is_close_to_the_real_one(u: u32) {
			let exact = -(-((f64::from(u) + 0.5) / 4_294_967_296.0).ln()).ln();
			prop_assert!((f64::from(gumbel(u)) / 65_536.0 - exact).abs() < 1e-4);
		}
	}
}
