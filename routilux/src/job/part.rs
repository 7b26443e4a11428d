//! The parts of a job that are saved under a name: a routine's state, an output not yet taken.

use super::value::{Value, ValueError};

pub(crate) type Part<'a> = &'a dyn Saved;
pub(crate) type PartMut<'a> = &'a mut dyn Saved;

/// Something with a name in a saved job.
#[doc(hidden)]
pub trait Saved {
    fn save(&self) -> Result<Value, ValueError>;
    fn load(&mut self, value: Value) -> Result<(), ValueError>;
}
