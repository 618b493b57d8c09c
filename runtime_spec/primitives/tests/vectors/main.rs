//! Reproduces every case of `runtime_spec/vectors/*.json`, which the Python implementation wrote from the same
//! specification. Each primitive is a function from a case's `in` to its `out`; the whole of `out` has to be equal.
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::PathBuf};

mod drawing;
mod encodings;
mod hashes;
mod json;
mod randomness;
mod scoring;

/// Computes `out` from `in`.
type Primitive = fn(&Value) -> Value;

/// Every vector file there is, by name.
const PRIMITIVES: &[(&str, Primitive)] = &[
	("answer_scoring", scoring::answer),
	("calibration", encodings::calibration),
	("consensus", scoring::consensus),
	("cusum", scoring::cusum),
	("drawing", drawing::ordinals),
	("drawing_panel", drawing::panel),
	("drawing_positions", drawing::positions),
	("hashing", hashes::hashing),
	("judge", scoring::judge),
	("judge_exceptions", scoring::judge_exceptions),
	("leaf", encodings::leaf),
	("ln_gumbel", randomness::ln_gumbel),
	("margin", scoring::margin),
	("merkle_multiproof", hashes::multiproof),
	("merkle_root", hashes::merkle_root),
	("output_hash", hashes::output),
	("philox", randomness::philox),
	("placed_segment", encodings::placed_segment),
	("plant_commitment", hashes::plant_commitment),
	("position_scoring", scoring::position),
	("pricing", drawing::price),
	("receipt", encodings::receipt),
	("reference_commitment", hashes::reference_commitment),
	("request", encodings::request),
	("review_panel", drawing::review_panel),
	("roots", hashes::roots),
	("sampling", randomness::sampling),
	("seeds", hashes::seeds),
	("segment", encodings::segment),
	("self_consistency", randomness::self_consistency),
	("signature", hashes::signature),
	("signs", randomness::signs),
	("spec", encodings::spec),
	("voucher", encodings::voucher),
];

/// The fewest cases of a file, so that an emptied one is noticed.
const FEWEST: usize = 20;

fn files() -> BTreeMap<String, Value> {
	let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors");
	let mut files = BTreeMap::new();
	for entry in fs::read_dir(&folder).expect("runtime_spec/vectors exists") {
		let path = entry.expect("readable folder").path();
		if path.extension().is_some_and(|extension| extension == "json") {
			let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
			let text = fs::read_to_string(&path).expect("readable file");
			files.insert(name, serde_json::from_str(&text).expect("JSON"));
		}
	}
	files
}

#[test]
fn every_file_is_known_and_every_known_file_is_there() {
	let there: Vec<String> = files().into_keys().collect();
	let known: Vec<&str> = PRIMITIVES.iter().map(|(name, _)| *name).collect();
	assert_eq!(there, known);
}

#[test]
fn every_case_of_every_file_is_reproduced() {
	let files = files();
	let (mut wrong, mut total) = (Vec::new(), 0);
	for (name, primitive) in PRIMITIVES {
		let file = &files[*name];
		assert_eq!(file["name"], *name, "the name inside the file");
		let cases = file["cases"].as_array().expect("a list of cases");
		assert!(cases.len() >= FEWEST, "{name} has only {} cases", cases.len());
		for (number, case) in cases.iter().enumerate() {
			let ours = primitive(&case["in"]);
			total += 1;
			if ours != case["out"] {
				wrong.push(format!("{name} case {number}:\n ours   {ours}\n vector {}", case["out"]));
			}
		}
	}
	assert!(wrong.is_empty(), "{} of {total} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_changed_case_is_noticed() {
	let files = files();
	let case = &files["merkle_root"]["cases"][3];
	let mut changed = case["in"].clone();
	changed["items"].as_array_mut().expect("a list").push("0x00".into());
	assert_eq!(hashes::merkle_root(&case["in"]), case["out"]);
	assert_ne!(hashes::merkle_root(&changed), case["out"]);
}
