//! Event-driven workflows whose wiring the compiler checks.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod clock;
mod context;
mod engine;
mod error;
mod flow;
mod job;
mod merge;
mod payload;
pub mod prelude;
mod routine;

pub use clock::Clock;
pub use context::Context;
pub use error::{Error, HandlerError, Panic, Result};
pub use flow::Flow;
pub use job::{
    Control, Handler, HistoryEntry, Job, JobId, JobState, Outcome, Report, Retention, Status, Taken,
};
pub use payload::Payload;
pub use routilux_macros::routine;
pub use routine::{Emit, Routine};

/// Declares a flow. (documented later)
#[macro_export]
macro_rules! flow {
    ($($tokens:tt)*) => {
        $crate::__private::flow_stage! { [$crate] $($tokens)* }
    };
}
