//! What the threads of the engine meet in: the standard library's, or in the interleaving tests those of `shuttle`, which
//! explores the orders in which threads can take turns. Built for those with `--cfg shuttle`.

#[cfg(not(shuttle))]
mod real {
    pub(crate) use crossbeam_utils::sync::{Parker, Unparker};
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering, fence};
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, RwLock};
    pub(crate) use std::thread;
    pub(crate) use std::thread_local;
    pub(crate) use std::time::Instant;

    /// Gives other threads a moment.
    pub(crate) fn relax(backoff: &crossbeam_utils::Backoff) {
        backoff.snooze();
    }
}

#[cfg(shuttle)]
mod explored {
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering, fence};
    pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard, RwLock};
    pub(crate) use shuttle::thread;
    pub(crate) use shuttle::thread_local;
    use std::sync::Arc;
    use std::time::Duration;

    /// A time that stands still: a run depends on nothing but the order of its steps.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct Instant(Duration);

    impl Instant {
        pub(crate) fn now() -> Self {
            Instant(Duration::ZERO)
        }

        pub(crate) fn elapsed(&self) -> Duration {
            Duration::ZERO
        }

        pub(crate) fn checked_add(&self, by: Duration) -> Option<Self> {
            self.0.checked_add(by).map(Instant)
        }

        pub(crate) fn saturating_duration_since(&self, other: Self) -> Duration {
            self.0.saturating_sub(other.0)
        }
    }

    pub(crate) fn relax(_: &crossbeam_utils::Backoff) {
        thread::yield_now();
    }

    #[derive(Default)]
    struct Token(Mutex<bool>, Condvar);

    /// As crossbeam's, of shuttle's parts.
    #[derive(Default)]
    pub(crate) struct Parker(Arc<Token>);

    #[derive(Clone)]
    pub(crate) struct Unparker(Arc<Token>);

    impl Parker {
        pub(crate) fn new() -> Self {
            Parker::default()
        }

        pub(crate) fn unparker(&self) -> Unparker {
            Unparker(self.0.clone())
        }

        pub(crate) fn park(&self) {
            let mut given = super::lock(&self.0.0);
            while !std::mem::take(&mut *given) {
                given = super::wait(&self.0.1, given);
            }
        }
    }

    impl Unparker {
        pub(crate) fn unpark(&self) {
            *super::lock(&self.0.0) = true;
            self.0.1.notify_one();
        }
    }
}

#[cfg(shuttle)]
pub(crate) use explored::*;
#[cfg(not(shuttle))]
pub(crate) use real::*;

use std::sync::PoisonError;

/// A panic of the user's is caught before it gets past a lock, so what a poisoned one guards is what it was.
#[inline]
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}
