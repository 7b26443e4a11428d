//! What waits at an output of a flow until it is taken.

use super::part::{Batch, Saved};
use super::value::{Value, ValueError};
use crate::error::catch;
use crate::payload::Codec;
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What waits at one output.
#[doc(hidden)]
pub struct Outlet<P> {
    waiting: VecDeque<P>,
    codec: Codec<P>,
    /// How many read it, of a running job.
    readers: u32,
    stream: Option<Arc<Mutex<Stream<P>>>>,
}

/// What values are given to as they come out.
type Stream<P> = Box<dyn FnMut(P) + Send>;

impl<P> Outlet<P> {
    pub fn new(codec: Codec<P>) -> Self {
        Outlet { waiting: VecDeque::new(), codec, readers: 0, stream: None }
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

    pub fn pop(&mut self) -> Option<P> {
        self.waiting.pop_front()
    }

    pub(crate) fn note_reader(&mut self, comes: bool) {
        match comes {
            true => self.readers += 1,
            false => self.readers -= 1,
        }
    }

    pub(crate) fn take<'j>(&'j mut self, is_streaming: &'j mut bool) -> Taken<'j, P> {
        Taken { outlet: self, is_streaming }
    }
}

impl<P: 'static> Saved for Outlet<P> {
    fn save(&self) -> Result<Value, ValueError> {
        self.codec.save_all(&self.waiting)
    }

    fn load(&mut self, value: Value) -> Result<(), ValueError> {
        self.waiting = self.codec.load_all(value)?;
        Ok(())
    }

    fn unread(&self) -> u64 {
        match self.readers {
            0 => 0,
            _ => self.waiting.len() as u64,
        }
    }

    fn batch(&mut self) -> Option<Batch> {
        let stream = self.stream.clone().filter(|_| !self.waiting.is_empty())?;
        let mut values = std::mem::take(&mut self.waiting);
        Some(Box::new(move || {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            while let Some(value) = values.pop_front() {
                if let Err(panic) = catch(|| stream(value)) {
                    return Err((panic, Box::new(values) as Box<dyn Any>));
                }
            }
            Ok(())
        }))
    }

    fn put_back(&mut self, rest: Box<dyn Any>) {
        if let Ok(mut rest) = rest.downcast::<VecDeque<P>>() {
            rest.append(&mut self.waiting);
            self.waiting = *rest;
        }
    }

    fn stream(&self) -> Option<Box<dyn Any>> {
        let stream = self.stream.clone()?;
        Some(Box::new(stream))
    }

    fn set_stream(&mut self, stream: Box<dyn Any>) {
        if let Ok(stream) = stream.downcast::<Arc<Mutex<Stream<P>>>>() {
            self.stream = Some(*stream);
        }
    }
}

/// What came out at an output of a flow, in order. What is not asked for stays at the output.
#[must_use = "what is not asked for stays at the output"]
pub struct Taken<'j, P> {
    outlet: &'j mut Outlet<P>,
    is_streaming: &'j mut bool,
}

impl<P: 'static> Taken<'_, P> {
    /// Gives `see` what has come out and, from now on, what comes out, each value as soon as its step has ended: nothing waits
    /// at the output. To be set before the job runs; it goes with the job to a pool, where `see` is called by one thread at a
    /// time, in order. It is not saved with the job. If it panics the job fails, and the value is gone.
    ///
    /// ```
    /// use routilux::prelude::*;
    /// use std::sync::mpsc;
    /// # #[routine] struct Double;
    /// # #[routine] impl Double {
    /// #     #[event] fn doubled(n: u64);
    /// #     #[slot] fn number(&self, n: u64, out: &mut Emit<Self>) { out.doubled(2 * n); }
    /// # }
    /// # flow! { flow Doubles() { d: Double; in number -> d.number; d.doubled -> out doubled; } }
    ///
    /// let (see, seen) = mpsc::channel();
    /// let mut job = Doubles::new().job();
    /// job.outputs().doubled().for_each(move |n| see.send(n).unwrap());
    /// job.inputs().number(4)?;
    /// assert_eq!(job.run()?.status(), Status::Completed);
    /// assert_eq!(seen.try_recv(), Ok(8));
    /// # Ok::<(), routilux::Error>(())
    /// ```
    pub fn for_each(self, mut see: impl FnMut(P) + Send + 'static) {
        self.outlet.waiting.drain(..).for_each(&mut see);
        self.outlet.stream = Some(Arc::new(Mutex::new(Box::new(see))));
        *self.is_streaming = true;
    }
}

impl<P> Iterator for Taken<'_, P> {
    type Item = P;

    fn next(&mut self) -> Option<P> {
        self.outlet.pop()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.outlet.waiting.len(), Some(self.outlet.waiting.len()))
    }
}

impl<P> ExactSizeIterator for Taken<'_, P> {}

impl<P: fmt::Debug> fmt::Debug for Taken<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.outlet.waiting.iter()).finish()
    }
}
