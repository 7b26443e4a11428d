//! What is to happen at a time: one thread for each pool that needs one, started at the first use.

use crate::error::catch;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, PoisonError, Weak};
use std::time::Instant;

/// Who wants to be told the time.
pub(crate) trait Alarm: Send + Sync {
    fn ring(self: Arc<Self>);
}

#[derive(Default)]
pub(crate) struct Timer(Arc<Inner>);

#[derive(Default)]
struct Inner {
    set: std::sync::Mutex<Set>,
    changed: Condvar,
}

#[derive(Default)]
struct Set {
    due: BinaryHeap<Reverse<Due>>,
    next: u64,
    /// How many there may be before those of jobs that are gone are looked for.
    purge_at: usize,
    started: bool,
    closed: bool,
}

struct Due {
    at: Instant,
    /// In the order they were set.
    number: u64,
    who: Weak<dyn Alarm>,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl Timer {
    /// Has `who` told when it is `at`, if it is still there then.
    pub(crate) fn set(&self, at: Instant, who: Weak<dyn Alarm>) -> std::io::Result<()> {
        let mut set = self.0.set.lock().unwrap_or_else(PoisonError::into_inner);
        if !set.started {
            let inner = self.0.clone();
            std::thread::Builder::new().name("routilux-timer".into()).spawn(move || inner.run())?;
            set.started = true;
        }
        // Jobs that are gone leave no more behind than there are jobs.
        if set.due.len() >= set.purge_at {
            set.due.retain(|due| due.0.who.strong_count() > 0);
            set.purge_at = 2 * set.due.len() + 64;
        }
        let number = set.next;
        set.next += 1;
        set.due.push(Reverse(Due { at, number, who }));
        self.0.changed.notify_one();
        Ok(())
    }

    pub(crate) fn close(&self) {
        self.0.set.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.0.changed.notify_one();
    }
}

impl Inner {
    fn run(&self) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        while !set.closed {
            let now = Instant::now();
            match set.due.peek().map(|due| due.0.at) {
                None => set = self.changed.wait(set).unwrap_or_else(PoisonError::into_inner),
                Some(at) if at > now => {
                    set = self.changed.wait_timeout(set, at - now).unwrap_or_else(PoisonError::into_inner).0;
                }
                Some(_) => {
                    let due = set.due.pop();
                    drop(set);
                    if let Some(who) = due.and_then(|due| due.0.who.upgrade()) {
                        who.clone().ring();
                        // The last of a job may go here: if a `Drop` of the user's panics, the others' alarms stay.
                        let _ = catch(|| drop(who));
                    }
                    set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}
