//! How often a bounded loop may be taken in a job: the number of `loop(n)`.

use super::step::Post;
use crate::error::HandlerError;
use crate::flow::Flow;
use crate::merge::Fault;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often it was taken. Shared with the steps that take it, so that one that fails takes back what it counted.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct Bound(Arc<AtomicU64>);

/// One that a step has taken.
#[derive(Debug)]
pub(crate) struct Taken(Option<Bound>);

impl Bound {
    /// Takes it once more.
    pub fn take<F: Flow>(&self, most: u64, connection: &str, post: &mut Post<F>) -> Result<(), Fault> {
        match self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| (taken < most).then_some(taken + 1))
        {
            Ok(_) => {
                post.taken.push(Taken(Some(self.clone())));
                Ok(())
            }
            Err(_) => {
                let what = format!(
                    "`{connection}` was to be taken once more than the {most} times that it may in a job"
                );
                Err(Fault::Failed(HandlerError::from(what)))
            }
        }
    }

    /// From one job's flow to the same job's with new configuration.
    pub fn take_over(&self, other: &Bound) {
        self.set(other.get());
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, taken: u64) {
        self.0.store(taken, Ordering::Relaxed);
    }
}

impl Taken {
    /// The step that took it was done.
    pub(crate) fn keep(mut self) {
        self.0 = None;
    }
}

/// The step that took it has failed, or was given up.
impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(bound) = &self.0 {
            bound.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
