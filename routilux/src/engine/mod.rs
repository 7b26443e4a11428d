//! What runs a job. What a step means is in `step` and the same for every engine; which delivery
//! comes next, and in which thread, is the engine's own.

#[cfg(feature = "tokio")]
mod awaiting;
mod concurrent;
mod failure;
#[cfg(feature = "tokio")]
mod flight;
mod in_flight;
mod mailbox;
mod pool;
mod queue;
mod sequential;
mod simulated;
mod step;
pub(crate) mod sync;
mod timer;

pub(crate) use concurrent::{Ended, Patience, Running};
pub(crate) use failure::has_timeouts;
pub use pool::Pool;
pub(crate) use queue::{Fifo, Waiting};
pub(crate) use simulated::{Choice, Picks, Simulation};
pub use step::{Done, FanOut, Nothing, Post, Receivers, Undelivered, step_here, step_shared};
