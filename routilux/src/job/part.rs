//! The parts of a job that are saved under a name: a routine's state, an output not yet taken.

use super::value::{Value, ValueError};
use crate::error::Panic;
use std::any::Any;

#[doc(hidden)]
pub type Part<'a> = &'a dyn Saved;
#[doc(hidden)]
pub type PartMut<'a> = &'a mut dyn Saved;

/// Gives values to who has them streamed. If that panics the value is gone, and the rest comes back.
pub(crate) type Batch = Box<dyn FnOnce() -> std::result::Result<(), (Panic, Box<dyn Any>)>>;

/// Something with a name in a saved job.
#[doc(hidden)]
pub trait Saved {
    fn save(&self) -> Result<Value, ValueError>;
    fn load(&mut self, value: Value) -> Result<(), ValueError>;

    /// How many values wait at it, if it is an output that someone reads.
    fn unread(&self) -> u64 {
        0
    }

    /// What gives the values that wait at it to who has them streamed, if anyone has.
    fn batch(&mut self) -> Option<Batch> {
        None
    }

    /// Puts values back that a batch has left over, before those that have come since.
    fn put_back(&mut self, _rest: Box<dyn Any>) {}

    /// Whom it is streamed to, for the same output of another job.
    fn stream(&self) -> Option<Box<dyn Any>> {
        None
    }

    /// Has it streamed as the output that this is of.
    fn set_stream(&mut self, _: Box<dyn Any>) {}
}
