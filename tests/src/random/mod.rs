//! Flows that are made at random: as data, and as the text of a `flow!`. See `build.rs` and `tests/random`.
#![allow(missing_docs)]

pub mod plan;
pub mod source;
