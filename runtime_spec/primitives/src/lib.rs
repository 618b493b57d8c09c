//! Encodings and integer mathematics shared by the pallets. `docs/protocol.md` is the specification;
//! `vectors/*.json` hold examples that this crate and the Python package `llmnet.proof` both reproduce.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::arithmetic_side_effects,
		clippy::indexing_slicing,
		clippy::unwrap_used,
		clippy::expect_used
	)
)]

extern crate alloc;

pub mod consensus;
pub mod drawing;
pub mod gumbel;
pub mod hashing;
pub mod merkle;
pub mod philox;
pub mod pricing;
pub mod request;
pub mod sampling;
pub mod scoring;
pub mod traits;
pub mod types;
mod validity;

#[cfg(test)]
mod testing;

pub use hashing::hash;
pub use traits::*;
pub use types::*;
