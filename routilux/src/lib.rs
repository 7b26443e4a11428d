//! Event-driven workflows whose wiring the compiler checks.
#![warn(missing_docs)]

mod clock;
mod context;
mod engine;
mod error;
mod flow;
mod job;
mod merge;
mod payload;
pub mod prelude;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod routine;

pub use clock::Clock;
pub use context::Context;
pub use error::{Error, HandlerError, Panic, Result};
pub use flow::{Flow, JobResult, NoReturn};
pub use job::{Control, Handler, HistoryEntry, Job, JobId, JobState, Outcome, Report, Retention, Status, Taken};
pub use payload::Payload;
pub use routine::{Emit, Routine};
pub use routilux_macros::routine;

/// Declares a flow. (documented later)
#[macro_export]
macro_rules! flow {
    ($($tokens:tt)*) => {
        $crate::__private::flow_stage! { [$crate] $($tokens)* }
    };
}
