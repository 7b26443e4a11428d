//! Requests to a job, from a handler, a hook or another thread: pause, cancel. They are
//! looked at between two deliveries, at the cost of one relaxed load.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Pauses or cancels a job from another place, another thread say, while it runs.
///
/// ```
/// # use routilux::prelude::*;
/// # #[routine] struct Nap;
/// # #[routine] impl Nap { #[slot] fn nap(&self, _seconds: u64) {} }
/// # flow! { flow Naps() { n: Nap; in nap -> n.nap; } }
/// let mut job = Naps::new().job();
/// job.inputs().nap(8)?;
///
/// let control = job.control();
/// std::thread::spawn(move || control.pause("lunch")).join().unwrap();
///
/// let report = job.run()?;
/// assert_eq!(report.status(), Status::Paused);
/// assert_eq!(report.handled(), 0);
/// # Ok::<(), routilux::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<Requests>);

#[derive(Debug, Default)]
struct Requests {
    /// Whether there is a request: what the engine looks at after every delivery.
    any: AtomicBool,
    asked: Mutex<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    pause: Option<String>,
    cancel: Option<String>,
}

/// What was asked of the job; to cancel outweighs to pause.
pub(crate) enum Request {
    Pause(String),
    Cancel(String),
}

impl Control {
    /// Asks the job to pause before the next delivery. The first reason given stands. What is asked of a job that has
    /// ended, or failed, is forgotten.
    pub fn pause(&self, reason: impl Into<String>) {
        self.ask(|asked| {
            asked.pause.get_or_insert(reason.into());
        });
    }

    /// Asks the job to end as cancelled before the next delivery. The first reason given stands.
    pub fn cancel(&self, reason: impl Into<String>) {
        self.ask(|asked| {
            asked.cancel.get_or_insert(reason.into());
        });
    }

    fn ask(&self, change: impl FnOnce(&mut Asked)) {
        let mut asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut asked);
        // Under the lock: who takes the requests clears the flag under it too, and no request is left without it.
        self.0.any.store(true, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn is_asked(&self) -> bool {
        self.0.any.load(Ordering::Relaxed)
    }

    pub(crate) fn take(&self) -> Option<Request> {
        let mut asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.any.store(false, Ordering::Relaxed);
        let Asked { pause, cancel } = std::mem::take(&mut *asked);
        cancel.map(Request::Cancel).or(pause.map(Request::Pause))
    }

    /// Drops a request to pause: the job is resumed after it was made.
    pub(crate) fn forget_pause(&self) {
        let mut asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.pause = None;
        self.0.any.store(asked.cancel.is_some(), Ordering::Relaxed);
    }

    /// Drops all requests: the job has ended.
    pub(crate) fn forget_all(&self) {
        let _ = self.take();
    }

    /// What is asked for and not yet done, without taking it.
    pub(crate) fn pending(&self) -> Option<Request> {
        let asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.cancel.clone().map(Request::Cancel).or_else(|| asked.pause.clone().map(Request::Pause))
    }

    pub(crate) fn pause_reason(&self) -> Option<String> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner).pause.clone()
    }

    pub(crate) fn cancel_reason(&self) -> Option<String> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner).cancel.clone()
    }
}
