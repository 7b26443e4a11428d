//! What a file with routines and flows needs: `use routilux::prelude::*;`.

pub use crate::context::Context;
pub use crate::emit::More;
pub use crate::error::HandlerError;
pub use crate::failure::Failure;
pub use crate::flow::Flow;
pub use crate::job::{Job, JobHandle, JobState, Status};
pub use crate::payload::Payload;
pub use crate::routine::Emit;
pub use crate::{flow, routine};
// For what is said where the `impl` block around them is not marked.
#[doc(hidden)]
pub use routilux_macros::{event, finish, join, merge, slot, source};

/// The result of a handler: `Result` alone for one that only succeeds or fails.
pub type Result<T = (), E = HandlerError> = std::result::Result<T, E>;
