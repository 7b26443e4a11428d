//! What came to the `return` of a flow.

use super::Report;
use super::value::{Value, ValueError};
use crate::error::{Error, Result};
use crate::payload::Codec;
use std::collections::VecDeque;
use std::sync::Arc;

/// The first value that came to `return`, and how many came after it.
#[doc(hidden)]
pub struct ResultSlot<P> {
    first: Option<Arc<P>>,
    further: u64,
    codec: Codec<P>,
    /// Of a flow within another: every value, because there each is an event.
    all: Option<VecDeque<P>>,
}

/// A result slot, whatever its type.
#[doc(hidden)]
pub trait SavedResult {
    fn further(&self) -> u64;
    fn set_further(&mut self, count: u64);
    /// From now on every value is kept, to be taken by the flow around.
    fn keep_all(&mut self);
    fn save(&self) -> Option<std::result::Result<Value, ValueError>>;
    fn load(&mut self, value: Value) -> std::result::Result<(), ValueError>;
}

impl<P> ResultSlot<P> {
    pub fn new(codec: Codec<P>) -> Self {
        ResultSlot { first: None, further: 0, codec, all: None }
    }

    #[inline]
    pub fn give(&mut self, value: P) {
        match (&self.first, &mut self.all) {
            (None, None) => self.first = Some(Arc::new(value)),
            (Some(_), None) => self.further = self.further.saturating_add(1),
            (_, Some(all)) => all.push_back(value),
        }
    }

    /// For the flow around: takes a value, the oldest first.
    pub fn pop(&mut self) -> Option<P> {
        let of_all = self.all.as_mut().and_then(VecDeque::pop_front);
        of_all.or_else(|| self.first.take().and_then(Arc::into_inner))
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_none() && self.all.as_ref().is_none_or(VecDeque::is_empty)
    }

    /// Adds what came to another one of the same flow.
    pub fn append(&mut self, other: &mut Self) {
        while let Some(value) = other.all.as_mut().and_then(VecDeque::pop_front) {
            self.give(value);
        }
        let came = u64::from(other.first.is_some());
        let further = std::mem::take(&mut other.further);
        match (&self.first, other.first.take()) {
            (None, first) => {
                self.first = first;
                self.further = self.further.saturating_add(further);
            }
            (Some(_), _) => self.further = self.further.saturating_add(further + came),
        }
    }

    /// For a report: it keeps the result when the job goes on.
    pub fn share(&self) -> Option<Arc<P>> {
        self.first.clone()
    }
}

/// The result in a generated report.
#[doc(hidden)]
pub fn result_in<'r, P>(report: &Report, result: &'r Option<Arc<P>>) -> Result<&'r P> {
    result.as_deref().ok_or_else(|| Error::NoResult {
        flow: report.flow,
        status: report.status,
        waiting: report.waiting.clone(),
    })
}

impl<P> SavedResult for ResultSlot<P> {
    fn further(&self) -> u64 {
        self.further
    }

    fn set_further(&mut self, count: u64) {
        self.further = count;
    }

    fn keep_all(&mut self) {
        self.all.get_or_insert_default();
    }

    fn save(&self) -> Option<std::result::Result<Value, ValueError>> {
        self.first.as_ref().map(|value| (self.codec.save)(value))
    }

    fn load(&mut self, value: Value) -> std::result::Result<(), ValueError> {
        self.first = Some(Arc::new((self.codec.load)(value)?));
        Ok(())
    }
}
