//! `async` handlers of a job on threads: each is a task of the caller's tokio runtime and holds no worker. What comes of it
//! is handed on from there.

use super::concurrent::{Finished, Running, Trouble};
use super::mailbox::Taken;
use super::queue::Waiting;
use super::sync::{Mutex, Ordering, lock};
use crate::asynchronous::{Begun, Outcome};
use crate::context::Context;
use crate::error::{Error, Result, catch};
use crate::flow::{Flow, Threaded};
use crate::job::JobId;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::Sleep;

/// The `async` handlers of a job that run.
pub(crate) struct Flights {
    /// `None` for a flow that has none.
    runtime: Option<Handle>,
    running: Mutex<Flying>,
}

#[derive(Default)]
struct Flying {
    /// By number; `None` while one is being spawned.
    tasks: HashMap<u64, Option<AbortHandle>>,
    next: u64,
    aborted: bool,
}

/// The first `async` handler of a flow, by routine and slot.
pub(crate) fn first_waiting<F: Flow>() -> Option<(&'static str, &'static str)> {
    F::shape().placed.iter().position(|placed| placed.mode.waits).map(|slot| F::shape().slots[slot])
}

impl Flights {
    pub(super) fn of<F: Flow>(runtime: Option<Handle>, job: &JobId) -> Result<Self> {
        let runtime = match (first_waiting::<F>(), runtime) {
            (None, _) => None,
            (Some(_), Some(runtime)) => Some(runtime),
            (Some((routine, slot)), None) => match Handle::try_current() {
                Ok(runtime) => Some(runtime),
                Err(_) => {
                    let what = format!(
                        "the job `{job}` cannot be started here: `{routine}.{slot}` is `async`, and this thread is in no tokio \
                         runtime. Start it from `async` code, or give it one: `.runtime(handle)`"
                    );
                    return Err(Error::Configuration { what });
                }
            },
        };
        Ok(Flights { runtime, running: Mutex::default() })
    }

    /// Gives up all that run, and all that will. What they had to handle is kept.
    pub(super) fn abort(&self) {
        let mut flying = lock(&self.running);
        flying.aborted = true;
        flying.tasks.values().flatten().for_each(AbortHandle::abort);
    }
}

/// A task that runs `async` handlers of one routine: one, and when that has ended the next that waits, so that neither the
/// pool nor the runtime is asked again for it.
struct Flight<F: Threaded> {
    job: Arc<Running<F>>,
    routine: usize,
    /// In the list of the job.
    number: u64,
    cx: Context,
    /// `None` when there is nothing more to do.
    leg: Option<Leg<F>>,
}

/// One handler.
struct Leg<F: Flow> {
    /// In the mailbox, and in the flow.
    slot: usize,
    number: usize,
    attempts: u32,
    begun: Begun<F>,
    timeout: Option<Pin<Box<Sleep>>>,
}

/// How many handlers in a row may be ready at once before the runtime's other tasks have their turn.
const LEGS: u32 = 64;

impl<F: Threaded> Running<F> {
    /// Has the runtime run an `async` handler.
    pub(super) fn set_out(self: &Arc<Self>, routine: usize, taken: Taken<F::Delivery>, cx: &Context) {
        let Some(runtime) = &self.flights.runtime else {
            unreachable!("a flow with `async` handlers has a runtime")
        };
        // It is in the job until it has landed.
        self.gate.fetch_add(1, Ordering::SeqCst);
        let mut flight = Flight { job: self.clone(), routine, number: 0, cx: cx.clone(), leg: None };
        let entered = runtime.enter();
        let sets_out = flight.begin(taken);
        drop(entered);
        if !sets_out {
            return;
        }
        let number = {
            let mut flying = lock(&self.flights.running);
            flying.next += 1;
            let number = flying.next;
            flying.tasks.insert(number, None);
            number
        };
        flight.number = number;
        let task = runtime.spawn(flight).abort_handle();
        let mut flying = lock(&self.flights.running);
        if flying.aborted {
            task.abort();
        }
        // If it is no longer there, it has landed.
        if let Some(known) = flying.tasks.get_mut(&number) {
            *known = Some(task);
        }
    }
}

impl<F: Threaded> Flight<F> {
    /// Begins a handler. If that cannot be, the flight is over, and `false`.
    fn begin(&mut self, taken: Taken<F::Delivery>) -> bool {
        let Taken { slot, number, waiting } = taken;
        let (id, attempts) = (waiting.id, waiting.attempts);
        let which = (self.routine, slot, number);
        let waiting = match self.job.before(number, waiting, &mut self.cx) {
            Ok(waiting) => waiting,
            Err(trouble) => {
                self.job.fail(&self.cx, which, (id, attempts), trouble);
                self.land(slot, false);
                return false;
            }
        };
        let begun = match F::begin(&self.job.cells, waiting.delivery, self.cx.clone()) {
            Ok(begun) => begun,
            Err(_) => unreachable!("a handler that is not `async` is called, and not begun"),
        };
        let timeout = match F::shape().placed[number].mode.timeout {
            0 => Ok(None),
            // It panics where the runtime was built without timers.
            millis => catch(|| Some(Box::pin(tokio::time::sleep(Duration::from_millis(millis))))),
        };
        let (timeout, fault) = match timeout {
            Ok(timeout) => (timeout, None),
            Err(panic) => (None, Some(panic.message)),
        };
        self.leg = Some(Leg { slot, number, attempts, begun, timeout });
        if let Some(fault) = fault {
            self.crash(format!(
                "the `timeout` of an `async` handler needs a tokio runtime with timers: {fault}"
            ));
            return false;
        }
        true
    }

    /// The handler has ended. What came of it is handed on; whether there is another one to go on with.
    fn ended(&mut self, slot: usize, number: usize, attempts: u32, ended: Outcome<F>) -> bool {
        let Flight { job, routine, cx, .. } = self;
        match ended {
            Ok((done, mut post)) => {
                let finished = Mutex::new(Finished::empty());
                job.finish(&finished, cx, &mut post, done);
                job.inside(|| job.hand_on(&mut lock(&finished), |task| job.pool.inject(task)));
                job.obey_if_asked();
            }
            Err(undelivered) => {
                let which = (*routine, slot, number);
                job.fail(cx, which, (cx.delivery, attempts), Trouble::Undelivered(undelivered));
                job.obey_if_asked();
                self.land(slot, false);
                return false;
            }
        }
        match job.take_waiting_after(*routine, slot) {
            Some(next) => self.begin(next),
            None => {
                self.land(slot, true);
                false
            }
        }
    }

    fn land(&self, slot: usize, handled: bool) {
        lock(&self.job.flights.running).tasks.remove(&self.number);
        self.job.come_back(self.routine, slot, handled);
    }

    /// It is given up before it landed: by who cancelled the job, or because the runtime has ended.
    fn crash(&mut self, why: String) {
        let Some(mut leg) = self.leg.take() else { return };
        let Flight { job, cx, .. } = self;
        if let Some(delivery) = leg.begun.give_up() {
            let waiting = Waiting { id: cx.delivery, attempts: leg.attempts, delivery };
            job.put_back(waiting);
        }
        // Nothing comes of that if the job was cancelled.
        job.stop(why);
        self.land(leg.slot, false);
    }
}

impl<F: Threaded> Future for Flight<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, waker: &mut std::task::Context<'_>) -> Poll<()> {
        let flight = &mut *self;
        for _ in 0..LEGS {
            let Some(leg) = &mut flight.leg else { return Poll::Ready(()) };
            let ended = match flight.job.inside(|| leg.begun.poll(waker, &flight.cx)) {
                Poll::Ready(ended) => ended,
                Poll::Pending => {
                    let Some(timeout) = &mut leg.timeout else { return Poll::Pending };
                    match timeout.as_mut().poll(waker) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(()) => Err(leg.begun.time_out()),
                    }
                }
            };
            let Leg { slot, number, attempts, .. } = *leg;
            flight.leg = None;
            if !flight.ended(slot, number, attempts, ended) {
                return Poll::Ready(());
            }
        }
        waker.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<F: Threaded> Drop for Flight<F> {
    fn drop(&mut self) {
        self.crash("the tokio runtime that its `async` handlers ran on has ended".to_owned());
    }
}
