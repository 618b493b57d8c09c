//! What the panel does and what it gets for it.
use super::workshop::*;
use crate::{mock::*, Event, Stage};
use frame_support::{assert_ok, traits::fungible::Inspect};
use llmnet_primitives::{
	scoring::{Evidence, Reason},
	Leaves, Verdict,
};

#[test]
fn silence_is_fined_where_a_quorum_could_tell() {
	build_and_execute(|| {
		for (index, withheld) in [false, true].into_iter().enumerate() {
			let case = Case::draw(work(1, index as u32, 40));
			let panel = case.panel();
			assert_ok!(case.open_receipt());
			for who in &panel[..2] {
				assert_ok!(if withheld { case.report(who) } else { case.commit(who, &case.reference()) });
			}
			told();
			run_to(case.stored().deadline + 1);
			assert!(told().contains(&Told::Fined(panel[2].clone(), MINIMUM_FINE)));
			let missed = Event::MissedDuty { audit: case.audit, validator: panel[2].clone() };
			System::assert_has_event(missed.into());
		}
	});
}

/// The fine for an answer of 40 tokens.
const FINE: u128 = 20 * 50;

#[test]
fn a_quorum_that_was_refused_the_data_fails_the_answer() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let panel = case.panel();
		assert_ok!(case.open_receipt());
		assert_ok!(case.report(&panel[0]));
		assert_ok!(case.commit(&panel[1], &case.reference()));
		assert_eq!(case.stage(), Stage::ReceiptOpened);
		assert_ok!(case.report(&panel[2]));
		let outcome = case.outcome();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Failed, Reason::Withheld));
		assert_eq!(outcome.evidence, Evidence::MISSED);
	});
}

#[test]
fn a_report_that_a_quorum_refutes_costs_the_reporter() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let (panel, reference) = (case.panel(), case.reference());
		assert_ok!(case.open_receipt());
		assert_ok!(case.report(&panel[0]));
		assert_ok!(case.commit(&panel[1], &reference));
		assert_ok!(case.commit(&panel[2], &reference));
		let refuted = Event::ReferenceRejected { audit: case.audit, validator: panel[0].clone() };
		System::assert_has_event(refuted.into());
		assert_eq!(Balances::balance(&panel[0]), STAKE - MINIMUM_FINE);
		assert_ok!(case.open_leaves());
		assert_ok!(case.reveal(&panel[1], &reference));
		assert_ok!(case.reveal(&panel[2], &reference));
		assert_eq!(case.outcome().verdict, Verdict::Passed);
		assert_eq!(Balances::balance(&panel[1]), STAKE + PANEL_REWARD);
	});
}

#[test]
fn below_a_quorum_nobody_is_punished() {
	build_and_execute(|| {
		// Of the panel, so many commit references and so many report withheld data.
		for (index, (references, reports)) in [(0, 0), (1, 0), (0, 1), (1, 1)].into_iter().enumerate() {
			let case = Case::draw(work_with(1, index as u32, 40, 0, |leaf, _| leaf.logit_sketch = [900; 8]));
			let panel = case.panel();
			assert_ok!(case.open_receipt());
			panel.iter().take(references).for_each(|who| {
				assert_ok!(case.commit(who, &case.reference()));
			});
			panel.iter().rev().take(reports).for_each(|who| {
				assert_ok!(case.report(who));
			});
			told();
			run_to(case.stored().deadline + 1);
			let outcome = case.outcome();
			assert_eq!((outcome.verdict, outcome.reason), (Verdict::Abstained, Reason::NoQuorum));
			assert_eq!(told(), [Told::Settled(worker(), case.stored().epoch)]);
			let missed = Event::MissedDuty { audit: case.audit, validator: panel[1].clone() };
			System::assert_has_event(missed.into());
		}
		let state = SpotChecks::worker_state(worker());
		assert_eq!((state.abstained, state.evidence), (4, Evidence::default()));
	});
}

#[test]
fn who_does_not_reveal_is_fined() {
	build_and_execute(|| {
		for (index, revealing) in [2usize, 1].into_iter().enumerate() {
			let case = Case::draw(work(1, index as u32, 40));
			let (panel, reference) = (case.panel(), case.reference());
			case.to_leaves(&vec![reference.clone(); 3]);
			panel.iter().take(revealing).for_each(|who| {
				assert_ok!(case.reveal(who, &reference));
			});
			told();
			run_to(case.stored().deadline + 1);
			let told = told();
			for (i, who) in panel.iter().enumerate() {
				assert_eq!(told.contains(&Told::Fined(who.clone(), FINE)), i >= revealing);
				let missed = Event::MissedDuty { audit: case.audit, validator: who.clone() };
				assert_eq!(System::read_events_for_pallet().contains(&missed), i >= revealing);
				let paid = told.contains(&Told::Paid(who.clone(), PANEL_REWARD));
				assert_eq!(paid, revealing == 2 && i < 2);
			}
			let expected = if revealing == 2 { Verdict::Passed } else { Verdict::Abstained };
			assert_eq!(case.outcome().verdict, expected);
		}
	});
}

fn moved(reference: &Leaves) -> Leaves {
	let mut moved = reference.clone();
	moved[2].logit_sketch[5] += 3;
	moved
}

#[test]
fn of_three_references_the_one_out_of_band_is_rejected_and_fined() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let (panel, reference) = (case.panel(), case.reference());
		told();
		case.decide_with(&[reference.clone(), moved(&reference), reference.clone()]);
		let told = told();
		assert_eq!(case.outcome().verdict, Verdict::Passed);
		assert!(told.contains(&Told::Fined(panel[1].clone(), FINE)));
		System::assert_has_event(
			Event::ReferenceRejected { audit: case.audit, validator: panel[1].clone() }.into(),
		);
		for (i, who) in panel.iter().enumerate() {
			assert_eq!(told.contains(&Told::Paid(who.clone(), PANEL_REWARD)), i != 1);
		}
	});
}

#[test]
fn three_references_that_contradict_each_other_give_no_verdict_and_no_pay() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let (panel, reference) = (case.panel(), case.reference());
		let further = moved(&moved(&reference));
		told();
		case.decide_with(&[reference.clone(), moved(&reference), further]);
		let outcome = case.outcome();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Abstained, Reason::Disagreement));
		// The middle one is in band, alone.
		let fined = |who: usize| Told::Fined(panel[who].clone(), FINE);
		assert_eq!(told(), [fined(0), fined(2), Told::Settled(worker(), 0)]);
	});
}

#[test]
fn a_reference_two_steps_off_is_in_band() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let reference = case.reference();
		let mut near = reference.clone();
		near[2].logit_sketch[5] += 2;
		case.decide_with(&[reference.clone(), near, reference.clone()]);
		assert!(told().contains(&Told::Paid(case.panel()[1].clone(), PANEL_REWARD)));
	});
}

#[test]
fn with_two_references_that_disagree_there_is_no_verdict() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let reference = case.reference();
		told();
		case.decide_with(&[reference.clone(), moved(&reference)]);
		let outcome = case.outcome();
		assert_eq!((outcome.verdict, outcome.reason), (Verdict::Abstained, Reason::Disagreement));
		let silent = Told::Fined(case.panel()[2].clone(), MINIMUM_FINE);
		assert_eq!(told(), [silent, Told::Settled(worker(), 0)], "nobody is fined for it, nobody is paid");
	});
}

#[test]
fn who_reveals_nonsense_is_fined_even_if_the_others_disagree() {
	build_and_execute(|| {
		let case = Case::draw(work(1, 0, 40));
		let (panel, reference) = (case.panel(), case.reference());
		told();
		case.decide_with(&[Leaves::new(), reference.clone(), moved(&reference)]);
		assert_eq!(case.outcome().reason, Reason::Disagreement);
		assert_eq!(told(), [Told::Fined(panel[0].clone(), FINE), Told::Settled(worker(), 0)]);
	});
}

#[test]
fn a_reference_without_the_drawn_positions_is_rejected() {
	build_and_execute(|| {
		for (index, change) in [
			|_: Leaves| Leaves::new(),
			|mut leaves: Leaves| {
				leaves[0].position += 1;
				leaves
			},
		]
		.into_iter()
		.enumerate()
		{
			let case = Case::draw(work(1, index as u32, 40));
			let reference = case.reference();
			told();
			case.decide_with(&[change(reference.clone()), reference.clone(), reference.clone()]);
			assert_eq!(case.outcome().verdict, Verdict::Passed);
			assert!(told().contains(&Told::Fined(case.panel()[0].clone(), FINE)));
		}
	});
}

#[test]
fn an_empty_pot_pays_nothing_and_stops_nothing() {
	build_and_execute(|| {
		use frame_support::traits::{fungible::Mutate, tokens::Preservation::Expendable};
		assert_ok!(<Balances as Mutate<_>>::transfer(&pot(), &account(60), STAKE, Expendable));
		assert_eq!(Case::draw(work(1, 0, 40)).decide().verdict, Verdict::Passed);
		assert_eq!(Balances::balance(&account(10)), STAKE);
	});
}
