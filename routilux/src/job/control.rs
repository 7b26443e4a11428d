//! Requests to a job, from a handler, a hook or another thread: pause, cancel. They are
//! looked at between two deliveries, at the cost of one relaxed load.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

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

/// Who acts on requests while no handler runs.
pub(crate) trait Listener: Send + Sync {
    fn asked(&self);
}

#[derive(Default)]
struct Requests {
    /// Whether there is a request: what the engine looks at after every delivery.
    any: AtomicBool,
    asked: Mutex<Asked>,
    /// Rung for who waits for something to be asked, or for a time.
    bell: Condvar,
    /// Whether a waker has rung it since someone last waited.
    rung: AtomicBool,
    /// Whether the job was to be cancelled, ever.
    cancelled: AtomicBool,
    listener: OnceLock<Weak<dyn Listener>>,
}

impl Wake for Requests {
    fn wake(self: Arc<Self>) {
        // Under the lock: who is about to wait sees it, or hears the bell.
        let _asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.rung.store(true, Ordering::Relaxed);
        self.bell.notify_all();
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.asked.fmt(f)
    }
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
        self.ask_quietly(Request::Pause(reason.into()));
        self.tell();
    }

    /// Asks the job to end as cancelled before the next delivery. The first reason given stands.
    pub fn cancel(&self, reason: impl Into<String>) {
        self.ask_quietly(Request::Cancel(reason.into()));
        self.tell();
    }

    /// From a handler: it is looked at when that has returned.
    pub(crate) fn ask_quietly(&self, request: Request) {
        let mut asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        match request {
            Request::Pause(reason) => asked.pause.get_or_insert(reason),
            Request::Cancel(reason) => {
                self.note_cancelled();
                asked.cancel.get_or_insert(reason)
            }
        };
        // Under the lock: who takes the requests clears the flag under it too, and no request is left without it.
        self.0.any.store(true, Ordering::Relaxed);
        self.0.bell.notify_all();
    }

    /// Waits until something is asked for, but no longer than this; or until the waker is woken.
    pub(crate) fn wait(&self, longest: Option<Duration>, before: impl FnOnce(Waker)) {
        before(Waker::from(self.0.clone()));
        let asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_asked() || self.0.rung.swap(false, Ordering::Relaxed) {
            return;
        }
        match longest {
            Some(longest) => drop(self.0.bell.wait_timeout(asked, longest)),
            None => drop(self.0.bell.wait(asked)),
        }
        self.0.rung.store(false, Ordering::Relaxed);
    }

    /// Has the engine look up after this delivery, though nothing is asked for: the step has something for it.
    pub(crate) fn raise(&self) {
        self.0.any.store(true, Ordering::Relaxed);
    }

    /// For handlers that look at it.
    pub(crate) fn note_cancelled(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    fn tell(&self) {
        if let Some(listener) = self.0.listener.get().and_then(Weak::upgrade) {
            listener.asked();
        }
    }

    /// Has `listener` told of every request from now on; of the first one that is given.
    pub(crate) fn listen(&self, listener: Weak<dyn Listener>) {
        let _ = self.0.listener.set(listener);
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
