//! Distances, evidence, consensus, judgements.
use crate::json::{array, calibration, decoded, hash, hex, leaves, list, number, sketch, spec, wide};
use llmnet_primitives::{
	consensus::{self as references, Medians},
	sampling::{Margin, Sampler},
	scoring::{
		clipped_sum, judge as judged, judge_exceptions as judged_exceptions, position_evidence, sprt,
		squared_distance, Distances, Evidence, Judgement, Known, Reason, Sprt, MARGIN_FAIL,
	},
	Calibration, Leaf, ServiceSpec, Verdict,
};
use serde_json::{json, Value};
use sp_core::H256;

type Account = [u8; 32];

fn margin_name(margin: Margin) -> &'static str {
	match margin {
		Margin::Hit => "hit",
		Margin::Miss => "miss",
		Margin::NotCounted => "not_counted",
	}
}

fn sprt_name(state: Sprt) -> &'static str {
	match state {
		Sprt::Failed => "failed",
		Sprt::Clear => "clear",
		Sprt::Undecided => "undecided",
	}
}

pub fn margin(case: &Value) -> Value {
	let (leaf, reference): (Leaf, Leaf) = (decoded(&case["leaf"]), decoded(&case["reference"]));
	let sampler = Sampler::new(&hash(&case["request_seed"]), number(&case["temperature"]));
	let (top_k, tau) = (number(&case["top_k"]), number(&case["tau_sample"]));
	json!({"margin": margin_name(sampler.margin(&leaf, &reference.candidates, top_k, tau))})
}

pub fn position(case: &Value) -> Value {
	let between =
		|own: &str, reference: &str| squared_distance(&sketch(&case[own]), &sketch(&case[reference]));
	let distances = Distances {
		logit: between("logit_sketch", "reference_logit_sketch"),
		hidden: between("hidden_sketch", "reference_hidden_sketch"),
	};
	json!({
		"d2_logit": wide(distances.logit), "d2_hidden": wide(distances.hidden),
		"evidence": position_evidence(&distances, &calibration(&case["calibration"])),
	})
}

pub fn answer(case: &Value) -> Value {
	let calibration = calibration(&case["calibration"]);
	let read = |d: &Value| Distances { logit: number(&d["d2_logit"]), hidden: number(&d["d2_hidden"]) };
	let distances: Vec<Distances> = list(&case["distances"]).iter().map(read).collect();
	json!({
		"sprt": sprt_name(sprt(&distances, &calibration)),
		"position_evidence": clipped_sum(distances.iter().map(|d| position_evidence(d, &calibration))),
	})
}

pub fn cusum(case: &Value) -> Value {
	let evidence = |answer: &Value| match answer.get("missed_deadline") {
		Some(Value::Bool(true)) => Evidence::MISSED,
		Some(other) => panic!("unknown answer: {other}"),
		None => Evidence { position: number(&answer["position"]), margin: number(&answer["margin"]) },
	};
	let mut total = Evidence::default();
	let mut step = |answer: &Value| {
		let first = evidence(answer);
		total = total.accumulate(first);
		if let Some(challenge) = answer.get("challenge") {
			total = total.accumulate(evidence(challenge).beside(first));
		}
		json!({"position": total.position, "margin": total.margin, "slashable": total.is_slashable()})
	};
	json!({"steps": list(&case["answers"]).iter().map(&mut step).collect::<Vec<_>>()})
}

fn given_references(case: &Value) -> Vec<(Account, Vec<Leaf>)> {
	let read = |reference: &Value| (array(&reference["account"]), leaves(&reference["leaves"]));
	list(&case["references"]).iter().map(read).collect()
}

fn accounts(list: &[Account]) -> Vec<Value> {
	list.iter().map(hex).collect()
}

pub fn consensus(case: &Value) -> Value {
	let given = given_references(case);
	let positions: Vec<u32> =
		given.iter().take(1).flat_map(|(_, l)| l.iter().map(|leaf| leaf.position)).collect();
	let found = references::consensus(&positions, &given, &spec(case));
	let median = |(position, m): (&u32, &Medians)| json!({"position": position, "logit_sketch": m.logit, "hidden_sketch": m.hidden});
	json!({
		"abstain": found.nearest.is_err(),
		"accepted": accounts(&found.accepted), "rejected": accounts(&found.rejected),
		"nearest": found.nearest.ok().map(|nearest| hex(nearest.account)),
		"medians": positions.iter().zip(&found.medians).map(median).collect::<Vec<_>>(),
	})
}

/// One judged answer with all that its judgement is made of.
struct Answer {
	leaves: Vec<Leaf>,
	calibration: Calibration,
	spec: ServiceSpec,
	sampler: Sampler,
}

impl Answer {
	fn is_consistent(&self, leaf: &Leaf) -> bool {
		self.sampler.is_self_consistent(leaf, self.spec.top_k, self.spec.vocab_size)
	}

	fn position(&self, own: &Leaf, medians: &Medians, reference: &Leaf) -> Value {
		let distances = Distances::between(own, medians);
		let tau = self.calibration.tau_sample;
		json!({
			"position": own.position,
			"d2_logit": wide(distances.logit), "d2_hidden": wide(distances.hidden),
			"evidence": position_evidence(&distances, &self.calibration),
			"margin": margin_name(self.sampler.margin(own, &reference.candidates, self.spec.top_k, tau)),
			"self_consistent": self.is_consistent(own),
			"token_matches": Some(own.token) == medians.token,
		})
	}

	fn positions(&self, agreed: &references::Consensus<Account>) -> Vec<Value> {
		let Ok(nearest) = &agreed.nearest else { return Vec::new() };
		let references = agreed.medians.iter().zip(&nearest.leaves);
		self.leaves
			.iter()
			.zip(references)
			.map(|(own, (m, reference))| self.position(own, m, reference))
			.collect()
	}

	fn sprt(&self, agreed: &references::Consensus<Account>) -> Sprt {
		if agreed.nearest.is_err() {
			return Sprt::Undecided;
		}
		let distances: Vec<Distances> =
			self.leaves.iter().zip(&agreed.medians).map(|(own, m)| Distances::between(own, m)).collect();
		sprt(&distances, &self.calibration)
	}
}

/// The reason has to be the first one that holds, in the order of the specification.
fn check_reason(judgement: &Judgement<Account>, state: Sprt, consistent: bool, tokens: bool) {
	let expected = match judgement.verdict {
		Verdict::Abstained => return,
		_ if state == Sprt::Failed => Reason::Positions,
		_ if !consistent => Reason::SelfConsistency,
		_ if !tokens => Reason::Token,
		_ if judgement.evidence.margin >= MARGIN_FAIL => Reason::Margin,
		_ => Reason::Clean,
	};
	assert_eq!(judgement.reason, expected);
}

pub fn judge(case: &Value) -> Value {
	let judged = Judged::of(case, &judged);
	check_reason(&judged.judgement, judged.state, judged.all("self_consistent"), judged.all("token_matches"));
	judged.shown()
}

pub fn judge_exceptions(case: &Value) -> Value {
	let known = Known { margin: number(&case["first"]), others: number(&case["others"]) };
	Judged::of(case, &move |leaves, references, calibration, spec, seed, temperature| {
		judged_exceptions(leaves, references, calibration, spec, seed, temperature, &known)
	})
	.shown()
}

type Rule<'a> = dyn Fn(&[Leaf], &[(Account, Vec<Leaf>)], &Calibration, &ServiceSpec, &H256, u16) -> Judgement<Account>
	+ 'a;

/// A judgement by some rule with all that it is made of.
struct Judged {
	judgement: Judgement<Account>,
	nearest: Option<Account>,
	positions: Vec<Value>,
	state: Sprt,
}

impl Judged {
	fn of(case: &Value, rule: &Rule) -> Self {
		let (seed, temperature) = (hash(&case["request_seed"]), number(&case["temperature"]));
		let answer = Answer {
			leaves: leaves(&case["leaves"]),
			calibration: calibration(&case["calibration"]),
			spec: spec(case),
			sampler: Sampler::new(&seed, temperature),
		};
		let given = given_references(case);
		let judgement = rule(&answer.leaves, &given, &answer.calibration, &answer.spec, &seed, temperature);
		let order: Vec<u32> = answer.leaves.iter().map(|leaf| leaf.position).collect();
		let agreed = references::consensus(&order, &given, &answer.spec);
		let (positions, state) = (answer.positions(&agreed), answer.sprt(&agreed));
		Self { judgement, nearest: agreed.nearest.ok().map(|nearest| nearest.account), positions, state }
	}

	fn all(&self, field: &str) -> bool {
		self.positions.iter().all(|position| position[field] == true)
	}

	fn shown(self) -> Value {
		let Evidence { position, margin } = self.judgement.evidence;
		let verdict = match self.judgement.verdict {
			Verdict::Passed => "pass",
			Verdict::Failed => "fail",
			Verdict::Abstained => "abstain",
		};
		json!({"judgement": {
			"verdict": verdict,
			"position_evidence": position, "margin_evidence": margin,
			"sprt": sprt_name(self.state),
			"self_consistent": self.all("self_consistent"), "tokens_match": self.all("token_matches"),
			"accepted": accounts(&self.judgement.accepted), "rejected": accounts(&self.judgement.rejected),
			"nearest": self.nearest.map(hex),
			"positions": self.positions,
		}})
	}
}
