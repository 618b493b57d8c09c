use crate::{arithmetic::*, mock::*, AveragePrices, Axis, Event, Score, Scores};
use llmnet_primitives::OnVerdict;
use proptest::prelude::*;

const HALF: u64 = ONE / 2;

fn verdict(n: u8, domain: u32, price: u128, passed: bool) {
	Reputation::on_verdict(&account(n), domain, price, passed);
}

fn rating(n: u8, domain: u32, price: u128, stars: u8) {
	Reputation::on_rating(&account(n), domain, price, stars);
}

fn integrity(n: u8, domain: u32) -> (u64, u64, u32) {
	Reputation::score(account(n), domain, Axis::Integrity)
}

fn quality(n: u8, domain: u32) -> (u64, u64, u32) {
	Reputation::score(account(n), domain, Axis::Quality)
}

#[test]
fn no_record_is_half() {
	build_and_execute(|| {
		assert_eq!(integrity(1, 0), (0, 0, 500_000));
		assert!(Reputation::scores(account(1)).is_empty());
	});
}

#[test]
fn a_passed_answer_raises_and_a_failed_one_lowers_the_score() {
	build_and_execute(|| {
		verdict(1, 0, 100, true);
		assert_eq!(integrity(1, 0), (HALF, 0, 600_000), "the first price is the average: weight 1/2");
		let event =
			Event::Updated { worker: account(1), domain: 0, axis: Axis::Integrity, score_ppm: 600_000 };
		System::assert_last_event(event.into());
		verdict(1, 0, 100, false);
		assert_eq!(integrity(1, 0), (HALF * 98 / 100, HALF, 498_326));
		verdict(2, 0, 100, false);
		assert_eq!(integrity(2, 0), (0, HALF, 400_000));
	});
}

#[test]
fn domains_and_axes_are_apart() {
	build_and_execute(|| {
		verdict(1, 3, 100, true);
		rating(1, 3, 900, 0);
		verdict(1, 2, 100, false);
		let records = [
			(2, Axis::Integrity, 0, HALF, 400_000),
			(3, Axis::Integrity, HALF, 0, 600_000),
			(3, Axis::Quality, 0, HALF, 400_000),
		];
		assert_eq!(Reputation::scores(account(1)), records);
		assert_eq!(AveragePrices::<Test>::get((3, Axis::Quality)), Some(900));
		assert_eq!(AveragePrices::<Test>::get((3, Axis::Integrity)), Some(100));
		assert_eq!(integrity(2, 3), (0, 0, 500_000));
	});
}

#[test]
fn work_without_a_price_never_counts() {
	build_and_execute(|| {
		for stars in 0..=5 {
			verdict(1, 0, 0, true);
			rating(1, 0, 0, stars);
		}
		assert!(Reputation::scores(account(1)).is_empty());
		assert_eq!((System::event_count(), AveragePrices::<Test>::iter().count()), (0, 0));
	});
}

#[test]
fn stars_are_shared_between_both_sums() {
	build_and_execute(|| {
		for stars in 0..=5u8 {
			rating(stars + 1, 0, 100, stars);
			let good = HALF * u64::from(stars) / 5;
			let (r, s, _) = quality(stars + 1, 0);
			assert_eq!((r, s), (good, HALF - good));
		}
		rating(9, 0, 100, 6);
		assert_eq!(quality(9, 0), (0, 0, 500_000), "a rating off the scale is none");
	});
}

#[test]
fn a_dear_answer_counts_more_than_a_cheap_one() {
	build_and_execute(|| {
		verdict(1, 0, 1000, true);
		verdict(2, 0, 9000, true);
		verdict(3, 0, 1, true);
		assert_eq!(integrity(2, 0).0, ONE * 9 / 10);
		assert!(integrity(3, 0).0 < ONE / 1000);
	});
}

#[test]
fn old_failures_fade_but_one_failure_is_seen_at_once() {
	build_and_execute(|| {
		for _ in 0..300 {
			verdict(1, 0, 100, true);
		}
		let best = integrity(1, 0).2;
		assert!((950_000..1_000_000).contains(&best), "{best}");
		verdict(1, 0, 100, false);
		assert!(integrity(1, 0).2 < best - 15_000);
		for _ in 0..300 {
			verdict(1, 0, 100, true);
		}
		assert!(integrity(1, 0).2 >= best - 500);
	});
}

#[test]
fn a_slash_that_is_taken_back_gives_the_scores_back() {
	build_and_execute(|| {
		verdict(1, 0, 100, true);
		verdict(1, 7, 100, false);
		rating(1, 0, 100, 5);
		let before = Reputation::scores(account(1));
		Reputation::on_slash(&account(1));
		assert_ne!(Reputation::scores(account(1)), before);
		Reputation::on_reinstated(&account(1));
		assert_eq!(Reputation::scores(account(1)), before);
		assert_eq!(crate::Replaced::<Test>::iter().count(), 0);
		Reputation::on_reinstated(&account(1));
		assert_eq!(Reputation::scores(account(1)), before);
	});
}

#[test]
fn a_slash_ends_the_integrity_of_all_domains() {
	build_and_execute(|| {
		verdict(1, 0, 100, true);
		verdict(1, 7, 100, true);
		verdict(2, 0, 100, true);
		rating(1, 0, 100, 5);
		Reputation::on_slash(&account(1));
		assert_eq!(integrity(1, 0), (0, MOST, 19_230));
		assert_eq!(integrity(1, 7), (0, MOST, 19_230));
		assert_eq!((quality(1, 0).0, integrity(2, 0).0), (HALF, HALF), "nothing else changes");
		let events = System::event_count();
		Reputation::on_slash(&account(3));
		assert_eq!(System::event_count(), events);
	});
}

#[test]
fn the_average_follows_the_prices() {
	assert_eq!(moved_average(100, 150), 101);
	assert_eq!(moved_average(100, 101), 101, "up at least by one");
	assert_eq!(moved_average(100, 50), 99);
	assert_eq!(moved_average(100, 99), 100);
	assert_eq!(moved_average(1, u128::MAX), (u128::MAX - 1).div_ceil(50) + 1);
	assert_eq!(moved_average(u128::MAX, u128::MAX), u128::MAX);
}

#[test]
#[should_panic(expected = "a sum is above its limit")]
fn a_sum_above_its_limit_is_noticed() {
	build_and_execute(|| {
		verdict(1, 0, 100, true);
		Scores::<Test>::insert(account(1), (0, Axis::Integrity), Score { r: MOST + 1, s: 0 });
	});
}

proptest! {
	#[test]
	fn weights_and_scores_stay_in_range(price in 1u128.., average in 1u128.., r in 0..=MOST, s in 0..=MOST) {
		let w = weight(price, average);
		prop_assert!(w <= ONE);
		prop_assert_eq!(w >= HALF, price >= average || w == HALF);
		let before = Score { r, s };
		let (better, worse) = (before.updated(w, 0), before.updated(0, w));
		prop_assert!(better.r <= MOST && worse.s <= MOST);
		prop_assert!(better.parts_per_million() >= worse.parts_per_million());
		prop_assert!((1..1_000_000).contains(&better.parts_per_million()));
	}

	#[test]
	fn the_average_stays_between_the_prices(prices in prop::collection::vec(1u128.., 1..40)) {
		let average = prices.iter().skip(1).fold(prices[0], |average, price| moved_average(average, *price));
		prop_assert!(average >= *prices.iter().min().unwrap() && average <= *prices.iter().max().unwrap());
	}

	#[test]
	fn invariants_hold_on_every_walk(
		walk in prop::collection::vec((1u8..4, 0u32..3, any::<u128>(), 0u8..9, any::<bool>()), 1..60),
	) {
		build_and_execute(|| {
			for (n, domain, price, stars, passed) in walk {
				match stars {
					0..=6 => rating(n, domain, price, stars),
					7 => verdict(n, domain, price >> 64, passed),
					_ => Reputation::on_slash(&account(n)),
				}
			}
		});
	}
}
