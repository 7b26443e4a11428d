//! Routines and flows that the tests share: public ones, so that using them from a test is using them from
//! another crate.

pub mod everywhere;
pub mod flows;
pub mod patience;
pub mod project;
pub mod random;
pub mod tokens;
pub mod words;

/// Re-exported by another name and from another place than where it stands.
pub use words::Count as Counting;
