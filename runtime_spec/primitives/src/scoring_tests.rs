use super::*;
use crate::{testing::leaf, types::NumericsClass};
use proptest::prelude::*;

const TOP_K: u8 = 8;
const SEED: H256 = H256::repeat_byte(11);

fn spec() -> ServiceSpec {
	ServiceSpec {
		name: b"test".to_vec().try_into().unwrap(),
		weights_root: H256::zero(),
		tokenizer_hash: H256::zero(),
		template_hash: H256::zero(),
		graph_hash: H256::zero(),
		sampler_version: 1,
		top_k: TOP_K,
		numerics: NumericsClass::Fp32,
		vocab_size: 100,
		context_length: 64,
		logit_shift: 9,
		hidden_shift: 9,
	}
}

fn calibration() -> Calibration {
	Calibration {
		logit_q95: 50,
		logit_q99: 100,
		hidden_q95: 30,
		hidden_q99: 60,
		tau_sample: 1000,
		positions: 1,
		expires_at: 9,
	}
}

/// The leaf that an exact computation gives at `position`, greedy.
fn honest(position: u32) -> Leaf {
	let list: Vec<(u32, i16)> = (0..8).map(|i| (i + position, -(i as i16) * 20)).collect();
	leaf(position, position, &list)
}

fn honest_leaves() -> Vec<Leaf> {
	(0..16).map(honest).collect()
}

type References = Vec<(u8, Vec<Leaf>)>;
/// A name and how a leaf is changed.
type Way = (&'static str, fn(&mut Leaf));

fn three() -> References {
	(1..=3).map(|account| (account, honest_leaves())).collect()
}

fn judged(leaves: &[Leaf], references: &References) -> Judgement<u8> {
	judge(leaves, references, &calibration(), &spec(), &SEED, 0)
}

fn changed(change: impl Fn(&mut Leaf)) -> Vec<Leaf> {
	let mut leaves = honest_leaves();
	leaves.iter_mut().for_each(change);
	leaves
}

#[test]
fn an_exact_answer_passes_with_the_least_evidence() {
	let judgement = judged(&honest_leaves(), &three());
	assert_eq!((judgement.verdict, judgement.reason), (Verdict::Passed, Reason::Clean));
	assert_eq!(judgement.evidence, Evidence { position: -256, margin: -208 });
	assert_eq!((judgement.accepted, judgement.rejected), (vec![1, 2, 3], vec![]));
}

#[test]
fn bins_change_at_their_thresholds() {
	let bins = [0, 49, 50, 99, 100, 199, 200, u64::MAX].map(|d| bin(d, 50, 100));
	assert_eq!(bins, [-64, -64, 205, 205, 640, 640, 1024, 1024]);
	assert_eq!(bin(u64::MAX - 1, 1, u64::MAX), 205, "2 * q99 does not wrap");
	let distances = Distances { logit: 0, hidden: 60 };
	assert_eq!(position_evidence(&distances, &calibration()), 640, "the worse lane set counts");
	assert_eq!(squared_distance(&[i16::MIN; 8], &[i16::MAX; 8]), 8 * 65535 * 65535);
}

#[test]
fn far_sketches_fail_the_sequential_test() {
	let judgement = judged(&changed(|leaf| leaf.logit_sketch = [20; 8]), &three());
	assert_eq!((judgement.verdict, judgement.reason), (Verdict::Failed, Reason::Positions));
	assert_eq!(judgement.evidence, Evidence { position: HIGHEST_EVIDENCE, margin: -208 });
	let hidden = judged(&changed(|leaf| leaf.hidden_sketch = [-20; 8]), &three());
	assert_eq!(hidden.reason, Reason::Positions);
}

#[test]
fn the_sequential_test_stops_at_its_bounds() {
	let far = Distances { logit: 126, hidden: 0 };
	let near = Distances { logit: 125, hidden: 75 };
	let run = |list: &[Distances]| sprt(list, &calibration());
	assert_eq!(run(&[far; 5]), Sprt::Undecided, "5 * 693 = 3465");
	assert_eq!(run(&[far; 6]), Sprt::Failed);
	assert_eq!(run(&[near; 20]), Sprt::Undecided, "20 * 86 = 1720");
	assert_eq!(run(&[near; 21]), Sprt::Clear);
	let late = [[near; 21].as_slice(), &[far; 20]].concat();
	assert_eq!(run(&late), Sprt::Clear, "what comes after the stop does not count");
	assert_eq!(run(&[Distances { logit: 0, hidden: 76 }; 6]), Sprt::Failed, "either lane set");
}

#[test]
fn an_inconsistent_leaf_fails_whatever_its_sketch() {
	let mut leaves = honest_leaves();
	leaves[5].token = 6;
	let mut references = three();
	references.iter_mut().for_each(|(_, leaves)| leaves[5].token = 6);
	let judgement = judged(&leaves, &references);
	assert_eq!(judgement.reason, Reason::SelfConsistency);
	assert_eq!(judgement.evidence.position, HIGHEST_EVIDENCE);
	leaves[5] = honest(5);
	leaves[5].candidates = Default::default();
	assert_eq!(judged(&leaves, &three()).reason, Reason::SelfConsistency, "an empty list does not help");
}

#[test]
fn another_token_than_the_delivered_one_fails() {
	let mut leaves = honest_leaves();
	leaves[2] = Leaf { position: 2, ..honest(3) };
	let judgement = judged(&leaves, &three());
	assert_eq!((judgement.reason, judgement.evidence.position), (Reason::Token, HIGHEST_EVIDENCE));
}

#[test]
fn tokens_that_the_reference_would_not_sample_fail() {
	// Self-consistent leaves whose best token is the reference's fourth: 60/256 nat behind.
	let cheat = |position: u32| {
		let list: Vec<(u32, i16)> =
			[3, 0, 1, 2, 4, 5, 6, 7].iter().map(|i| i + position).zip((0..8).map(|i| -i)).collect();
		leaf(position, position + 3, &list)
	};
	let leaves: Vec<Leaf> = (0..16).map(cheat).collect();
	let mut references = three();
	let delivered = |(_, list): &mut (u8, Vec<Leaf>)| list.iter_mut().for_each(|leaf| leaf.token += 3);
	references.iter_mut().for_each(delivered);
	let judgement = judged(&leaves, &references);
	assert_eq!((judgement.verdict, judgement.reason), (Verdict::Failed, Reason::Margin));
	assert_eq!(judgement.evidence, Evidence { position: -256, margin: HIGHEST_EVIDENCE });
	let with = |misses: usize| {
		let (mut leaves, mut references) = (honest_leaves(), three());
		for place in 0..misses {
			leaves[place] = cheat(place as u32);
			references.iter_mut().for_each(|(_, list)| list[place].token = leaves[place].token);
		}
		judged(&leaves, &references).verdict
	};
	assert_eq!([0, 1, 2, 3].map(with), [Verdict::Passed, Verdict::Passed, Verdict::Failed, Verdict::Failed]);
}

#[test]
fn fewer_references_than_a_quorum_abstain() {
	let none = judged(&honest_leaves(), &vec![]);
	assert_eq!((none.verdict, none.reason), (Verdict::Abstained, Reason::NoQuorum));
	assert_eq!(none.evidence, Evidence::default());
	let one = judged(&honest_leaves(), &three()[..1].to_vec());
	assert_eq!((one.verdict, one.accepted), (Verdict::Abstained, vec![1]));
	assert_eq!(
		judged(&[], &vec![(1, vec![]), (2, vec![])]).verdict,
		Verdict::Abstained,
		"empty lists prove nothing"
	);
}

#[test]
fn two_that_disagree_abstain_and_nobody_is_to_blame() {
	let mut references = three()[..2].to_vec();
	assert_eq!(judged(&honest_leaves(), &references).verdict, Verdict::Passed);
	references[1].1[0].logit_sketch[7] = 3;
	let judgement = judged(&honest_leaves(), &references);
	assert_eq!((judgement.verdict, judgement.reason), (Verdict::Abstained, Reason::Disagreement));
	assert!(judgement.accepted.is_empty() && judgement.rejected.is_empty());
}

#[test]
fn each_way_out_of_band_is_rejected() {
	let ways: [Way; 9] = [
		("logit lane above", |leaf| leaf.logit_sketch[3] = 3),
		("logit lane below", |leaf| leaf.logit_sketch[3] = -3),
		("hidden lane", |leaf| leaf.hidden_sketch[0] = i16::MIN),
		("token", |leaf| leaf.token += 1),
		("log-prob", |leaf| leaf.candidates[1].logprob += 3),
		("id that the others lack", |leaf| leaf.candidates[1].id = 99),
		("too few candidates", |leaf| leaf.candidates.truncate(7)),
		("position", |leaf| leaf.position += 1),
		("malformed", |leaf| leaf.candidates[7].id = leaf.candidates[0].id),
	];
	for (name, spoil) in ways {
		let mut references = three();
		spoil(&mut references[1].1[4]);
		let judgement = judged(&honest_leaves(), &references);
		assert_eq!(judgement.verdict, Verdict::Passed, "{name}");
		assert_eq!((judgement.accepted, judgement.rejected), (vec![1, 3], vec![2]), "{name}");
	}
}

#[test]
fn small_differences_stay_in_band() {
	let ways: [Way; 4] = [
		("lane", |leaf| leaf.logit_sketch[3] = 2),
		("log-prob", |leaf| leaf.candidates[1].logprob += 2),
		("log-prob of a skipped rank", |leaf| leaf.candidates[5].logprob += 9),
		("id of a skipped rank", |leaf| leaf.candidates[7].id = 99),
	];
	for (name, change) in ways {
		let mut references = three();
		change(&mut references[1].1[4]);
		assert_eq!(judged(&honest_leaves(), &references).accepted, [1, 2, 3], "{name}");
	}
}

#[test]
fn three_that_disagree_abstain() {
	let mut references = three();
	references[1].1[0].logit_sketch = [100; 8];
	references[2].1[0].logit_sketch = [-100; 8];
	let judgement = judged(&honest_leaves(), &references);
	assert_eq!((judgement.verdict, judgement.reason), (Verdict::Abstained, Reason::Disagreement));
	assert_eq!((judgement.accepted, judgement.rejected), (vec![1], vec![2, 3]));
}

#[test]
fn an_outlier_cannot_move_the_median_out_of_the_honest_range() {
	let mut references = three();
	references[0].1.iter_mut().for_each(|leaf| leaf.logit_sketch = [i16::MAX; 8]);
	let judgement = judged(&honest_leaves(), &references);
	assert_eq!((judgement.verdict, judgement.evidence.position), (Verdict::Passed, -256));
}

#[test]
fn the_nearest_accepted_reference_gives_the_candidates() {
	let mut references = three();
	references[0].1[0].hidden_sketch[0] = 1;
	references[0].1[0].candidates[1].logprob = -19;
	references[1].1[0].candidates[1].logprob = -21;
	let nearest = |references: &References| {
		consensus(&(0..16).collect::<Vec<_>>(), references, &spec()).nearest.unwrap()
	};
	let first = nearest(&references);
	assert_eq!(first.account, 2, "2 and 3 are nearest, 2 is lower");
	assert_eq!(first.leaves[0].candidates[1].logprob, -21);
	references.reverse();
	assert_eq!(nearest(&references), first, "the order of the references does not matter");
}

/// Sixteen hits between 300 tokens: five misses at chosen positions are enough.
const KNOWN: Known = Known { margin: -208, others: 284 };
const ENOUGH: usize = 5;

fn exceptions(leaves: &[Leaf], references: &References) -> Judgement<u8> {
	judge_exceptions(leaves, references, &calibration(), &spec(), &SEED, 0, &KNOWN)
}

/// Leaves whose tokens the reference would not have sampled, at `misses` positions, with all references naming them.
fn with_misses(misses: usize) -> (Vec<Leaf>, References) {
	let (mut leaves, mut references) = (honest_leaves(), three());
	for at in 0..misses {
		let (first, last) = (leaves[at].candidates[0].id, leaves[at].candidates[3].id);
		leaves[at].candidates[0].id = last;
		leaves[at].candidates[3].id = first;
		leaves[at].token = last;
		references.iter_mut().for_each(|(_, reference)| reference[at].token = last);
	}
	(leaves, references)
}

#[test]
fn chosen_positions_count_for_fraud_only() {
	let clean = exceptions(&honest_leaves(), &three());
	assert_eq!(
		(clean.verdict, clean.reason, clean.evidence),
		(Verdict::Passed, Reason::Clean, Evidence::default())
	);
	let mut far = honest_leaves();
	far.iter_mut().for_each(|leaf| (leaf.logit_sketch, leaf.hidden_sketch) = ([3_000; 8], [-3_000; 8]));
	assert_eq!(exceptions(&far, &three()), clean, "distances do not count");
	let (few, references) = with_misses(ENOUGH - 1);
	assert_eq!(exceptions(&few, &references), clean, "nor do a few misses");
	let (enough, references) = with_misses(ENOUGH);
	let caught = exceptions(&enough, &references);
	assert_eq!((caught.verdict, caught.reason), (Verdict::Failed, Reason::Margin));
	assert_eq!(caught.evidence, Evidence { position: 0, margin: HIGHEST_EVIDENCE });
}

#[test]
fn a_miss_that_was_drawn_and_one_that_was_named_are_two() {
	let (one, references) = with_misses(1);
	let after = |margin| {
		let known = Known { margin, others: 8 };
		judge_exceptions(&one, &references, &calibration(), &spec(), &SEED, 0, &known)
	};
	let passed = after(-208);
	assert_eq!((passed.verdict, passed.evidence), (Verdict::Passed, Evidence::default()));
	let failed = after(1_341);
	assert_eq!((failed.verdict, failed.reason), (Verdict::Failed, Reason::Margin));
	assert_eq!(failed.evidence, Evidence { position: 0, margin: 1_536 - 7 * 13 });
}

#[test]
fn chosen_misses_outweigh_all_other_tokens_of_the_answer() {
	// 6 nat a miss and what the audit has said, less 13/256 for every other token, are 9 and 24/256 for every token that
	// could have been chosen, at most 12: worked out by hand.
	for (margin, others, needed) in [
		(-208, 8, 2),
		(-208, 15, 2),
		(-208, 16, 3),
		(1_341, 8, 1),
		(1_341, 15, 1),
		(1_341, 16, 2),
		(1_902, 31, 1),
		(1_901, 31, 2),
		(1_939, 32, 1),
		(1_938, 32, 2),
		(1_952, 33, 1),
		(1_951, 33, 2),
		(-208, 105, 3),
		(-208, 106, 4),
		(1_341, 105, 2),
		(1_341, 106, 3),
		(-208, 284, 5),
		(0, 0, 2),
		(2_303, 0, 1),
		(2_304, 0, 1),
		(i32::MAX, 0, 1),
		(3_072, 1_549, 13),
		(0, 1_551, 15),
		(0, 1_552, 16),
		(0, 1_670, 16),
	] {
		assert_eq!(Known { margin, others }.exception_misses(), needed, "{margin} {others}");
	}
	for (margin, others) in [(0, 1_671), (0, 4_096), (0, u32::MAX), (i32::MIN, 0), (i32::MIN, u32::MAX)] {
		assert_eq!(Known { margin, others }.exception_misses(), 16, "no more can be named");
	}
	for others in 1..1_600 {
		for margin in [-256, -208, 0, 1_341] {
			let known = Known { margin, others };
			let all = |misses: u32| margin + 1_536 * misses as i32 - 13 * (others as i32 - misses as i32);
			let needed = known.exception_misses();
			let bar = (2_304 + 24 * others as i32).min(3_072);
			assert!(all(needed) >= bar && all(needed - 1) < bar, "{margin} {others}");
		}
	}
}

#[test]
fn chosen_misses_say_what_they_say_beside_the_tokens_that_were_not_drawn() {
	for (others, misses, said) in [
		(8, 1, 1_536 - 7 * 13),
		(8, 2, 2 * 1_536 - 6 * 13),
		(8, 3, 3_072),
		(176, 3, 3 * 1_536 - 173 * 13),
		(0, 0, 0),
		(0, 1, 1_536),
		(4_096, 16, 0),
		(u32::MAX, 1, 0),
		(u32::MAX, u32::MAX, 3_072),
	] {
		assert_eq!(Known { margin: 0, others }.exception_evidence(misses), said, "{others} {misses}");
	}
}

#[test]
fn what_others_do_not_find_is_made_up_if_it_was_three_nat_of_distances() {
	let said = |position, margin| Evidence { position, margin };
	let found = Evidence::default();
	assert!(said(768, -208).is_refutable() && said(768, -208).is_made_up(&found));
	assert!(said(768, 0).is_made_up(&said(0, 1_341)), "tokens do not speak of distances");
	assert!(!said(767, 0).is_refutable() && !said(767, 0).is_made_up(&found), "chance says that much");
	assert!(!said(3_072, 0).is_made_up(&said(1, 0)), "others find something");
	for tokens in [768, 1_341, 3_072] {
		assert!(!said(-256, tokens).is_refutable() && !said(-256, tokens).is_made_up(&found));
	}
}

#[test]
fn one_contradiction_at_a_chosen_position_is_fraud() {
	let mut inconsistent = honest_leaves();
	inconsistent[5].token = inconsistent[5].candidates[1].id;
	let mut references = three();
	references.iter_mut().for_each(|(_, leaves)| leaves[5].token = inconsistent[5].token);
	let caught = exceptions(&inconsistent, &references);
	assert_eq!((caught.verdict, caught.reason), (Verdict::Failed, Reason::SelfConsistency));
	assert_eq!(caught.evidence, Evidence { position: HIGHEST_EVIDENCE, margin: 0 });
	let mut references = three();
	references.iter_mut().for_each(|(_, leaves)| leaves[5].token += 1);
	let other = exceptions(&honest_leaves(), &references);
	assert_eq!((other.verdict, other.reason), (Verdict::Failed, Reason::Token));
	assert_eq!(other.evidence, Evidence { position: HIGHEST_EVIDENCE, margin: 0 });
}

#[test]
fn without_references_that_agree_chosen_positions_prove_nothing() {
	let (enough, references) = with_misses(ENOUGH);
	let alone = exceptions(&enough, &references[..1].to_vec());
	assert_eq!(
		(alone.verdict, alone.reason, alone.evidence),
		(Verdict::Abstained, Reason::NoQuorum, Evidence::default())
	);
	let mut torn = references[..2].to_vec();
	torn[1].1[0].logit_sketch = [100; 8];
	assert_eq!(exceptions(&enough, &torn).reason, Reason::Disagreement);
}

#[test]
fn what_should_not_have_counted_is_taken_out_and_nothing_else() {
	let total = Evidence { position: 4_000, margin: 700 };
	let answer = Evidence { position: 3_072, margin: -208 };
	assert_eq!(total.retract(answer), Evidence { position: 928, margin: 700 });
	let more = Evidence { position: 5_000, margin: 3_072 };
	assert_eq!(total.retract(more), Evidence { position: 0, margin: 0 });
	// What spoke for the worker is not held against it afterwards.
	for good in [Evidence { position: -208, margin: -13 }, Evidence::default()] {
		assert_eq!(total.retract(good), total);
	}
}

#[test]
fn a_challenge_adds_what_is_missing_to_the_most_of_one_answer() {
	let most = Evidence { position: 3_072, margin: 3_072 };
	let after = |position, margin| most.beside(Evidence { position, margin });
	assert_eq!(after(3_072, 0), Evidence { position: 0, margin: 3_072 });
	assert_eq!(after(1, 1_341), Evidence { position: 3_071, margin: 1_731 });
	// What spoke for the worker does not make the answer worse.
	assert_eq!(after(-256, -208), most);
	let nothing = Evidence { position: 0, margin: -13 };
	assert_eq!(nothing.beside(Evidence { position: 3_072, margin: 3_072 }), nothing);
}

#[test]
fn sums_that_are_held_back_do_not_slash() {
	let total = Evidence { position: 9_000, margin: 5_119 };
	assert_eq!(total.held_back(), Evidence { position: 5_119, margin: 5_119 });
	assert!(!total.held_back().is_slashable());
	let other = Evidence { position: 5_119, margin: 9_000 };
	assert_eq!(other.held_back(), Evidence { position: 5_119, margin: 5_119 });
	let low = Evidence { position: 7, margin: 9 };
	assert_eq!(low.held_back(), low);
}

#[test]
fn no_single_answer_slashes() {
	let worst = Evidence { position: HIGHEST_EVIDENCE, margin: HIGHEST_EVIDENCE };
	let once = Evidence::default().accumulate(worst);
	assert!(!once.is_slashable());
	assert!(once.accumulate(worst).is_slashable());
	assert_eq!(
		once.accumulate(Evidence { position: -9999, margin: 0 }),
		Evidence { position: 0, margin: 3072 }
	);
	let misses = (0..4).fold(Evidence::default(), |sum, _| sum.accumulate(Evidence::MISSED));
	assert!(misses.is_slashable(), "withholding does not pay");
}

proptest! {
	#[test]
	fn judging_anything_is_total_and_bounded(
		lanes: Vec<([i16; 8], [i16; 8], u32, i16)>,
		thresholds: [u64; 4],
		tau: u32,
		temperature: u16,
		top_k: u8,
	) {
		let build = |shift: usize| -> Vec<Leaf> {
			lanes.iter().cycle().skip(shift).take(lanes.len()).enumerate().map(|(i, (logit, hidden, id, logprob))| Leaf {
				logit_sketch: *logit,
				hidden_sketch: *hidden,
				..leaf(i as u32, *id, &[(*id, *logprob), (id.wrapping_add(1), logprob.wrapping_sub(1))])
			}).collect()
		};
		let [logit_q95, logit_q99, hidden_q95, hidden_q99] = thresholds;
		let calibration = Calibration { logit_q95, logit_q99, hidden_q95, hidden_q99, tau_sample: tau, positions: 0, expires_at: 0 };
		let references: References = (0..3).map(|account| (account, build(usize::from(account) / 2))).collect();
		let spec = ServiceSpec { top_k: top_k % 4, vocab_size: u32::MAX, ..spec() };
		let judgement = judge(&build(0), &references, &calibration, &spec, &SEED, temperature);
		prop_assert!((LOWEST_EVIDENCE..=HIGHEST_EVIDENCE).contains(&judgement.evidence.position));
		prop_assert!((LOWEST_EVIDENCE..=HIGHEST_EVIDENCE).contains(&judgement.evidence.margin));
		if judgement.verdict == Verdict::Abstained {
			prop_assert_eq!(judgement.evidence, Evidence::default());
		}
		prop_assert!(judgement.accepted.len() + judgement.rejected.len() <= 3);
	}
}
