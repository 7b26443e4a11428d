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

type OnStart = dyn FnMut(&Context) + Send;
type OnEnd = dyn FnMut(&Context, Status) + Send;
type Before = dyn FnMut(&Context, Handler) + Send;
type After = dyn FnMut(&Context, &HistoryEntry) + Send;

#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) start: Vec<Box<OnStart>>,
    pub(crate) end: Vec<Box<OnEnd>>,
    pub(crate) before: Vec<Box<Before>>,
    pub(crate) after: Vec<Box<After>>,
}
