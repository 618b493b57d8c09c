//! Encodings and integer mathematics shared by the pallets. `docs/protocol.md` is the specification;
//! `vectors/*.json` hold examples that this crate and the Python package `llmnet.proof` both reproduce.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod traits;
pub mod types;

pub use traits::*;
pub use types::*;
