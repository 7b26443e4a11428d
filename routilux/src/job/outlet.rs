//! What waits at an output of a flow until it is taken.

use super::part::Saved;
use super::value::{Value, ValueError};
use crate::payload::Codec;
use std::collections::VecDeque;
use std::fmt;

/// What waits at one output.
#[doc(hidden)]
pub struct Outlet<P> {
    waiting: VecDeque<P>,
    codec: Codec<P>,
}

impl<P> Outlet<P> {
    pub fn new(codec: Codec<P>) -> Self {
        Outlet { waiting: VecDeque::new(), codec }
    }

    #[inline]
    pub fn put(&mut self, value: P) {
        self.waiting.push_back(value);
    }

    /// Adds what came to another one of the same output.
    pub fn append(&mut self, other: &mut Self) {
        self.waiting.append(&mut other.waiting);
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn pop(&mut self) -> Option<P> {
        self.waiting.pop_front()
    }

    pub(crate) fn take(&mut self) -> Taken<'_, P> {
        Taken(&mut self.waiting)
    }
}

impl<P> Saved for Outlet<P> {
    fn save(&self) -> Result<Value, ValueError> {
        self.codec.save_all(&self.waiting)
    }

    fn load(&mut self, value: Value) -> Result<(), ValueError> {
        self.waiting = self.codec.load_all(value)?;
        Ok(())
    }
}

/// What came out at an output of a flow, in order. What is not asked for stays at the output.
#[must_use = "what is not asked for stays at the output"]
pub struct Taken<'j, P>(&'j mut VecDeque<P>);

impl<P> Iterator for Taken<'_, P> {
    type Item = P;

    fn next(&mut self) -> Option<P> {
        self.0.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl<P> ExactSizeIterator for Taken<'_, P> {}

impl<P: fmt::Debug> fmt::Debug for Taken<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}
