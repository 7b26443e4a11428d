//! What a user has called at points of a job's life.

use super::{HistoryEntry, Status};
use crate::context::Context;
use std::fmt;

/// The handler that is about to run, as told to a [`before_handler`](crate::Job::before_handler) hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handler {
    /// The routine's id.
    pub routine: &'static str,
    /// The slot's name.
    pub slot: &'static str,
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.routine, self.slot)
    }
}

type List<F> = Vec<Box<F>>;

#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) start: List<dyn FnMut(&Context) + Send>,
    pub(crate) end: List<dyn FnMut(&Context, Status) + Send>,
    pub(crate) before: List<dyn FnMut(&Context, Handler) + Send>,
    pub(crate) after: List<dyn FnMut(&Context, &HistoryEntry) + Send>,
}
