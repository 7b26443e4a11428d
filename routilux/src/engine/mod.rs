//! What runs a job. What a step means is in `step` and the same for every engine; which delivery
//! comes next, and in which thread, is the engine's own.

#[cfg(feature = "tokio")]
mod awaiting;
mod bound;
mod care;
mod closing;
mod concurrent;
mod failure;
#[cfg(feature = "tokio")]
mod flight;
mod in_flight;
mod later;
mod mailbox;
mod policy;
mod pool;
mod queue;
mod scratch;
mod sequential;
mod simulated;
mod step;
pub(crate) mod sync;
mod timer;

pub use bound::Bound;
pub(crate) use care::Care;
pub(crate) use concurrent::{Ended, Patience, Running};
pub(crate) use failure::has_timeouts;
pub(crate) use later::{Agenda, Due, SavedParcel};

pub use policy::{Failing, Retry, Verdict};
pub use pool::Pool;
pub(crate) use queue::{Fifo, Waiting};
pub use scratch::{Scratch, lifted};
pub(crate) use simulated::{Choice, Picks, Simulation};
pub use step::{
    Done, FanOut, Lift, Nothing, Post, Receivers, Routed, Store, Undelivered, operate, step_here,
    step_shared, ways,
};
pub(crate) use step::{Tally, later, routed};
