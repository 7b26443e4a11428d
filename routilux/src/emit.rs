//! What a handler can ask of its `Emit` beside events that leave at once: events that leave later, or again and again, and
//! that a source goes on.

use std::time::Duration;

/// What a source says when it returns: whether there is more.
///
/// ```
/// use routilux::prelude::*;
/// use std::time::Duration;
///
/// /// Counts to a number, one at a time.
/// #[routine]
/// struct Numbers {
///     to: u64,
///     #[state]
///     next: u64,
/// }
///
/// #[routine]
/// impl Numbers {
///     #[event]
///     fn number(n: u64);
///
///     #[source(start)]
///     fn numbers(&mut self, out: &mut Emit<Self>) -> More {
///         if self.next == self.to {
///             return More::Done;
///         }
///         out.number(self.next);
///         self.next += 1;
///         More::Now
///     }
/// }
///
/// flow! {
///     flow Counting(to: u64) {
///         numbers: Numbers { to };
///         numbers.number -> out all;
///     }
/// }
///
/// let mut job = Counting::new(3).job();
/// assert_eq!(job.run()?.status(), Status::Completed);
/// assert_eq!(job.outputs().all().collect::<Vec<_>>(), [0, 1, 2]);
/// # Ok::<(), routilux::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// Call it again as soon as there is room for what it emits.
    Now,
    /// Call it again after so long, by the job's clock; in milliseconds, rounded up.
    After(Duration),
    /// There is nothing more: it is called again when a handler arms it.
    Done,
}

/// What a handler asked for that is to happen later.
#[doc(hidden)]
#[derive(Debug)]
pub enum Ask<E> {
    /// Emit it once, after so long.
    After { after: Duration, name: Option<String>, event: E },
    /// Emit it after each such time.
    Every { period: Duration, name: Option<String>, event: E },
    /// Forget the one of this name.
    Cancel { name: String },
}

/// Where the methods of a generated `Emit` for later events put their event.
#[doc(hidden)]
pub struct Later<'o, E> {
    outbox: &'o mut crate::routine::Outbox<E>,
    time: Duration,
    repeats: bool,
    name: Option<String>,
}

impl<'o, E> Later<'o, E> {
    pub fn after(outbox: &'o mut crate::routine::Outbox<E>, after: Duration) -> Self {
        Later { outbox, time: after, repeats: false, name: None }
    }

    pub fn every(outbox: &'o mut crate::routine::Outbox<E>, period: Duration) -> Self {
        Later { outbox, time: period, repeats: true, name: None }
    }

    pub fn named(mut self, name: String) -> Self {
        self.name = Some(name);
        self
    }

    pub fn put(self, event: E) {
        let Later { outbox, time, repeats, name } = self;
        outbox.ask(match repeats {
            false => Ask::After { after: time, name, event },
            true => Ask::Every { period: time, name, event },
        });
    }
}

/// As whole milliseconds, rounded up. An error for one that no clock comes to.
pub(crate) fn millis(time: Duration) -> Result<u64, String> {
    match u64::try_from(time.as_nanos().div_ceil(1_000_000)) {
        Ok(millis) if millis < 1 << 40 => Ok(millis),
        _ => Err(format!(
            "it is to happen after {} seconds, which is longer than thirty years",
            time.as_secs()
        )),
    }
}
