//! Draws and prices.
use crate::json::{array, hash, hex, list, number, wide};
use llmnet_primitives::{
	drawing::{
		audit_count, audit_seed, audited_ordinals, draw_key, panel as drawn_panel,
		positions as drawn_positions, review_seed,
	},
	pricing::price as priced,
	MAX_PANEL,
};
use serde_json::{json, Value};

/// Of the pallet `spot_checks`.
const REVIEW_PANEL: u32 = 5;

pub fn ordinals(case: &Value) -> Value {
	let key = draw_key(&hash(&case["beacon_value"]), &array(&case["worker"]), number(&case["epoch"]));
	let (receipts, ppm) = (number(&case["n"]), number(&case["ppm"]));
	let ordinals = audited_ordinals(&key, receipts, ppm);
	json!({
		"draw_key": hex(key),
		"count": audit_count(&key, receipts, ppm),
		"audit_seeds": ordinals.iter().map(|ordinal| hex(audit_seed(&key, *ordinal))).collect::<Vec<_>>(),
		"ordinals": ordinals,
	})
}

pub fn panel(case: &Value) -> Value {
	let read = |one: &Value| (array::<32>(&one["account"]), number::<u128>(&one["stake"]));
	let eligible: Vec<_> = list(&case["eligible"]).iter().map(read).collect();
	let panel = drawn_panel(&hash(&case["audit_seed"]), &eligible, MAX_PANEL);
	json!({"panel": panel.iter().map(hex).collect::<Vec<_>>()})
}

pub fn review_panel(case: &Value) -> Value {
	let read = |one: &Value| (array::<32>(&one["account"]), number::<u128>(&one["stake"]));
	let eligible: Vec<_> = list(&case["eligible"]).iter().map(read).collect();
	let seed = review_seed(&hash(&case["beacon_value"]), number(&case["audit"]));
	let panel = drawn_panel(&seed, &eligible, REVIEW_PANEL);
	json!({"seed": hex(seed), "panel": panel.iter().map(hex).collect::<Vec<_>>()})
}

pub fn positions(case: &Value) -> Value {
	json!({"positions": drawn_positions(&hash(&case["audit_seed"]), number(&case["n_out"]))})
}

pub fn price(case: &Value) -> Value {
	let prices = (number(&case["price_in"]), number(&case["price_out"]));
	match priced(number(&case["n_prompt"]), number(&case["n_out"]), prices.0, prices.1) {
		Some(price) => json!({"price": wide(price)}),
		None => json!({"error": "overflow"}),
	}
}
