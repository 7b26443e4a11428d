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
    /// By the id of the delivery; `None` while one is being spawned.
    tasks: HashMap<u64, Option<AbortHandle>>,
    aborted: bool,
}

/// The first `async` handler of a flow, by routine and slot.
pub(crate) fn first_waiting<F: Flow>() -> Option<(&'static str, &'static str)> {
    F::PLACED.iter().position(|placed| placed.mode.waits).map(|slot| F::SLOTS[slot])
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

/// One `async` handler that runs.
struct Flight<F: Threaded> {
    job: Arc<Running<F>>,
    routine: usize,
    /// In the mailbox, and in the flow.
    slot: usize,
    number: usize,
    attempts: u32,
    cx: Context,
    /// `None` once it has landed.
    begun: Option<Begun<F>>,
    timeout: Option<Pin<Box<Sleep>>>,
    /// Why it cannot be flown.
    fault: Option<String>,
}

impl<F: Threaded> Running<F> {
    /// Has the runtime run an `async` handler.
    pub(super) fn set_out(self: &Arc<Self>, routine: usize, taken: Taken<F::Delivery>, cx: &Context) {
        let Taken { slot, number, waiting } = taken;
        let mut cx = cx.clone();
        let (id, attempts) = (waiting.id, waiting.attempts);
        // It is in the job until it has landed.
        self.gate.fetch_add(1, Ordering::SeqCst);
        let waiting = match self.before(number, waiting, &mut cx) {
            Ok(waiting) => waiting,
            Err(trouble) => {
                self.fail(&cx, (routine, slot, number), (id, attempts), trouble);
                return self.come_back(routine, slot, Some(true));
            }
        };
        let begun = match F::begin(&self.cells, waiting.delivery, cx.clone()) {
            Ok(begun) => begun,
            Err(_) => unreachable!("a handler that is not `async` is called, and not begun"),
        };
        let Some(runtime) = &self.flights.runtime else {
            unreachable!("a flow with `async` handlers has a runtime")
        };
        let timeout = match F::PLACED[number].mode.timeout {
            0 => Ok(None),
            millis => {
                let _entered = runtime.enter();
                // It panics where the runtime was built without timers.
                catch(|| Some(Box::pin(tokio::time::sleep(Duration::from_millis(millis)))))
            }
        };
        let fault = timeout.as_ref().err().map(|panic| {
            format!(
                "the `timeout` of an `async` handler needs a tokio runtime with timers: {}",
                panic.message
            )
        });
        let timeout = timeout.unwrap_or_default();
        lock(&self.flights.running).tasks.insert(id, None);
        let mut flight = Flight {
            job: self.clone(),
            routine,
            slot,
            number,
            attempts,
            cx,
            begun: Some(begun),
            timeout,
            fault,
        };
        if flight.fault.is_some() {
            return flight.crash();
        }
        let task = runtime.spawn(flight).abort_handle();
        let mut flying = lock(&self.flights.running);
        if flying.aborted {
            task.abort();
        }
        // If it is no longer there, it has landed.
        if let Some(known) = flying.tasks.get_mut(&id) {
            *known = Some(task);
        }
    }

    fn forget_flight(&self, id: u64) {
        lock(&self.flights.running).tasks.remove(&id);
    }
}

impl<F: Threaded> Flight<F> {
    fn land(&self, ended: Outcome<F>) {
        let Flight { job, routine, slot, number, attempts, cx, .. } = self;
        job.forget_flight(cx.delivery);
        let failed = match ended {
            Ok((done, mut post)) => {
                let finished = Mutex::new(Finished::empty());
                job.finish(&finished, cx, &mut post, done);
                job.hand_on(&mut lock(&finished), |task| job.pool.inject(task));
                false
            }
            Err(undelivered) => {
                let which = (*routine, *slot, *number);
                job.fail(cx, which, (cx.delivery, *attempts), Trouble::Undelivered(undelivered));
                true
            }
        };
        job.obey_if_asked();
        job.come_back(*routine, *slot, Some(failed));
    }
}

impl<F: Threaded> Future for Flight<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, waker: &mut std::task::Context<'_>) -> Poll<()> {
        let flight = &mut *self;
        let Some(begun) = &mut flight.begun else { return Poll::Ready(()) };
        let ended = match flight.job.inside(|| begun.poll(waker)) {
            Poll::Ready(Ok(_)) if flight.cx.is_late() => {
                Err(begun.time_out(F::PLACED[flight.number].mode.timeout))
            }
            Poll::Ready(ended) => ended,
            Poll::Pending => {
                let Some(timeout) = &mut flight.timeout else { return Poll::Pending };
                match timeout.as_mut().poll(waker) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => Err(begun.time_out(F::PLACED[flight.number].mode.timeout)),
                }
            }
        };
        flight.begun = None;
        flight.land(ended);
        Poll::Ready(())
    }
}

impl<F: Threaded> Flight<F> {
    /// It is given up before it landed: by who cancelled the job, or because the runtime has ended.
    fn crash(&mut self) {
        let Some(mut begun) = self.begun.take() else { return };
        let Flight { job, routine, slot, attempts, cx, .. } = self;
        if let Some(delivery) = begun.give_up() {
            let waiting = Waiting { id: cx.delivery, attempts: *attempts, delivery };
            lock(&job.mailboxes[*routine]).put_back(*slot, waiting);
        }
        job.forget_flight(cx.delivery);
        // Nothing comes of that if the job was cancelled.
        let ended = || "the tokio runtime that its `async` handlers ran on has ended".to_owned();
        job.stop(self.fault.take().unwrap_or_else(ended));
        job.come_back(*routine, *slot, None);
    }
}

impl<F: Threaded> Drop for Flight<F> {
    fn drop(&mut self) {
        self.crash();
    }
}
