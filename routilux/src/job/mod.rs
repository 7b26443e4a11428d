//! A job: one run of a flow, and all of it as data. This file holds what a job is; the engines run it, and
//! `state` writes it down.

mod control;
mod handle;
mod history;
mod hooks;
mod id;
mod live;
mod outlet;
pub(crate) mod part;
mod ports;
mod progress;
mod report;
mod result;
mod state;
mod status;
pub(crate) mod value;

pub use control::Control;
pub use handle::{JobHandle, Output, WeakHandle};
pub use history::{HistoryEntry, Outcome, Reconfigured, Retention};
pub use hooks::Handler;
pub use id::JobId;
pub use live::{Live, LiveOutlet, LiveOutput, LivePayload, LiveSink, Stamp, live_payload_is_send};
pub use outlet::{Outlet, Taken};
pub use ports::{Entry, Exit, TrySendError, Trying};
pub use progress::{Progress, RoutineProgress};
pub use report::{Absorbed, Report, Unpaired};
pub use result::{ResultSlot, SavedResult, result_in};
pub use state::JobState;
pub use status::Status;

pub(crate) use control::{Listener, Request};
pub(crate) use history::{History, entry_of};
pub(crate) use hooks::Hooks;
pub(crate) use state::Facts;

use crate::clock::Clock;
use crate::context::Context;
use crate::engine::{Care, Post, Simulation, Waiting, has_timeouts};
use crate::error::{Error, Result, catch};
use crate::flow::Flow;
use crate::merge::Fault;
use std::fmt;
use std::time::Duration;

/// One run of a flow. Made by the flow's `job()`; what is given to its inputs waits until it runs.
///
/// Jobs share nothing but resources: each has its own routines, made from the flow's configuration when the
/// job is.
///
/// ```
/// use routilux::prelude::*;
///
/// #[routine]
/// struct Sum {
///     #[state]
///     total: u64,
/// }
///
/// #[routine]
/// impl Sum {
///     #[event]
///     fn so_far(total: u64);
///
///     #[slot]
///     fn add(&mut self, n: u64, out: &mut Emit<Self>) {
///         self.total += n;
///         out.so_far(self.total);
///     }
/// }
///
/// flow! {
///     flow Sums() {
///         sum: Sum;
///         in number -> sum.add;
///         sum.so_far -> out total;
///     }
/// }
///
/// let mut job = Sums::new().job().id("sums-1");
/// for n in [1, 2, 3] {
///     job.inputs().number(n)?;
/// }
/// let report = job.run()?;
/// assert_eq!(report.status(), Status::Completed);
/// assert_eq!(job.outputs().total().collect::<Vec<_>>(), [1, 3, 6]);
/// # Ok::<(), routilux::Error>(())
/// ```
pub struct Job<F: Flow> {
    pub(crate) cells: F::Cells,
    pub(crate) post: Post<F>,
    pub(crate) cx: Context,
    pub(crate) status: Status,
    pub(crate) reason: Option<String>,
    pub(crate) inputs_closed: bool,
    /// How many handler runs did not succeed.
    pub(crate) faults: u64,
    pub(crate) failure: Option<Failed<F::Delivery>>,
    pub(crate) history: History,
    pub(crate) retention: Retention,
    pub(crate) hooks: Option<Box<Hooks>>,
    /// Whether `on_start` was called in this process.
    pub(crate) started: bool,
    /// How long the job may take from its start on.
    pub(crate) deadline_after: Option<Duration>,
    /// Whether the time is to be looked at before each handler.
    pub(crate) is_timed: bool,
    /// Whether any handler is `async`.
    pub(crate) is_async: bool,
    /// On how many workers it is to be started.
    pub(crate) workers: Option<usize>,
    /// Where its `async` handlers are to run.
    #[cfg(feature = "tokio")]
    pub(crate) runtime: Option<tokio::runtime::Handle>,
    /// What picks the next delivery, in a simulated job; see [`sim`](crate::sim).
    pub(crate) simulation: Option<Box<Simulation<F>>>,
    /// Whether deliveries are counted, for slots that wait until no more can come, or for sources: then each is handled with
    /// care.
    pub(crate) is_counted: bool,
    /// How many deliveries may wait.
    pub(crate) capacity: u64,
    /// Whether what comes out at some output is streamed.
    pub(crate) is_streaming: bool,
    /// What is looked after beside the queue.
    pub(crate) care: Box<Care<F>>,
}

/// Why a job failed, and with which delivery.
pub(crate) struct Failed<D> {
    pub(crate) what: String,
    /// Why the job cannot be resumed, where it cannot.
    pub(crate) refusal: Option<String>,
    pub(crate) delivery: Option<Waiting<D>>,
}

impl<D> Failed<D> {
    /// Whether a delivery failed, and not something beside the handlers.
    pub(crate) fn is_of_delivery(&self) -> bool {
        self.refusal.is_some() || self.delivery.is_some()
    }
}

/// How many deliveries may wait in a job that does not say it.
const CAPACITY: u64 = 1024;

/// What was sent to an input did not get past its operators.
pub(crate) fn not_sent(job: &JobId, input: &str, fault: Fault) -> Error {
    let why = match fault {
        Fault::Failed(error) => error.to_string(),
        Fault::Panicked(panic) => panic.to_string(),
    };
    Error::Execution {
        job: job.to_string(),
        what: format!("what was sent to the input `{input}` is lost: {why}"),
    }
}

/// How many wait for each slot, by name; only those for which any do.
pub(crate) fn by_slot<F: Flow>(slots: impl Iterator<Item = usize>) -> Vec<(String, u64)> {
    let mut counts = vec![0u64; F::shape().slots.len()];
    slots.for_each(|slot| counts[slot] += 1);
    let waiting = counts.into_iter().zip(&F::shape().slots).filter(|(count, _)| *count > 0);
    waiting.map(|(count, (routine, slot))| (format!("{routine}.{slot}"), count)).collect()
}

/// What slots keep that have not what they need to run.
pub(crate) fn unpaired<F: Flow>(cells: &F::Cells) -> Vec<Unpaired> {
    let shape = F::shape();
    let mut all = Vec::new();
    for &slot in &shape.keeping {
        for held in F::held(cells, slot) {
            let name = shape.name(slot);
            let missing = match held.parameter {
                Some(_) => held.missing.iter().map(|parameter| format!("{name}.{parameter}")).collect(),
                None => Vec::new(),
            };
            let from = shape.sources[slot].iter().enumerate().filter(|(connection, (port, _))| {
                match held.parameter {
                    Some(_) => missing.contains(port),
                    None => held.missing_connections.contains(&(*connection as u16)),
                }
            });
            all.push(Unpaired {
                port: held.parameter.map_or_else(|| name.clone(), |parameter| format!("{name}.{parameter}")),
                count: held.count,
                from: from.map(|(_, (_, from))| from.clone()).collect(),
                missing,
            });
        }
    }
    all
}

/// The routines of a flow anew.
pub(crate) fn new_cells<F: Flow>(flow: &F) -> Result<F::Cells> {
    catch(|| flow.cells()).map_err(|panic| Error::Configuration {
        what: format!("the configuration of `{}` panicked: {}", F::NAME, panic.message),
    })
}

impl<F: Flow> Job<F> {
    pub(crate) fn new(flow: &F) -> Self {
        Job::of(flow.cells())
    }

    /// A new job with these routines.
    pub(crate) fn of(cells: F::Cells) -> Self {
        let retention = Retention::default();
        let shape = F::shape();
        let mut job = Job {
            cells,
            post: Post::empty(),
            cx: Context::new(JobId::unique()),
            status: Status::Pending,
            reason: None,
            inputs_closed: false,
            faults: 0,
            failure: None,
            history: History::new(&F::shape().slots, retention),
            retention,
            hooks: None,
            started: false,
            deadline_after: None,
            is_timed: has_timeouts::<F>(),
            is_async: F::shape().placed.iter().any(|placed| placed.mode.waits),
            workers: None,
            #[cfg(feature = "tokio")]
            runtime: None,
            simulation: None,
            is_counted: shape.is_counted,
            capacity: CAPACITY,
            is_streaming: false,
            care: Box::new(Care::new()),
        };
        if shape.has_sources {
            F::start(&mut job.post);
        }
        if shape.is_counted {
            job.recount(&[]);
        }
        job
    }

    /// Gives the job an id other than the UUID it has.
    pub fn id(mut self, id: impl Into<JobId>) -> Self {
        self.cx.job = id.into();
        self
    }

    /// Sets how much history is kept; see [`Retention`] for what is kept otherwise.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self.history.set_retention(retention);
        self
    }

    /// Sets how many deliveries may wait, 1024 if not said: sources are called only while there are fewer, and who sends to an input of a
    /// running job waits until there are. Deliveries that wait for their time count, and of a running job what waits at outputs
    /// that someone reads.
    ///
    /// It bounds what comes into the job, not what handlers emit: a handler that emits a million events in one step has a million
    /// deliveries wait. At least 1.
    pub fn capacity(mut self, deliveries: usize) -> Self {
        self.capacity = (deliveries as u64).max(1);
        self
    }

    /// Sets the clock; [`Clock::coarse`] otherwise.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.cx.clock = clock;
        self
    }

    /// Sets how long the job may take, from when it first runs in this process. Once it has passed no further handler runs and the job
    /// has failed, with [`Error::Execution`]; what waits is kept, and [`resume`](Self::resume) goes on without a
    /// deadline. Handlers see it as [`Context::deadline`]; one that runs is not interrupted. It is not saved with the job.
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline_after = Some(after);
        self.is_timed = true;
        self
    }

    /// Has `hook` called when the job first runs, or first runs after it was resumed in another process.
    /// Hooks of one kind are called in the order they were added. A hook that panics fails the job.
    pub fn on_start(mut self, hook: impl FnMut(&Context) + Send + 'static) -> Self {
        self.hooks.get_or_insert_default().start.push(Box::new(hook));
        self
    }

    /// Has `hook` called with the final status when the job completes, fails or is cancelled: before anyone who waits for the job is told,
    /// and before the iterators of its outputs end. It may be called in any thread, that of who cancels the job or drops its last handle among them.
    pub fn on_end(mut self, hook: impl FnMut(&Context, Status) + Send + 'static) -> Self {
        self.hooks.get_or_insert_default().end.push(Box::new(hook));
        self
    }

    /// Has `hook` called before each handler runs.
    pub fn before_handler(mut self, hook: impl FnMut(&Context, Handler) + Send + 'static) -> Self {
        self.hooks.get_or_insert_default().before.push(Box::new(hook));
        self
    }

    /// Has `hook` called after each handler has run, with its history entry, whether or not history is kept.
    pub fn after_handler(mut self, hook: impl FnMut(&Context, &HistoryEntry) + Send + 'static) -> Self {
        self.hooks.get_or_insert_default().after.push(Box::new(hook));
        self
    }

    /// The job's id.
    pub fn job_id(&self) -> &JobId {
        &self.cx.job
    }

    /// Where the job is in its life.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Why the job was paused or cancelled.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The flow's inputs: one method for each `in`. What is sent waits until the job runs.
    pub fn inputs(&mut self) -> F::Inputs<&mut Self> {
        F::inputs(self)
    }

    /// The flow's outputs: one method for each `out`, which takes what has come out since it was last called.
    /// What is not taken belongs to the job, and is saved with it. For an `out` that live events go to, the method gives
    /// a [`LiveOutput`](crate::LiveOutput).
    pub fn outputs(&mut self) -> F::Outputs<&mut Self> {
        F::outputs(self)
    }

    /// Says that nothing more will be sent to the inputs: once idle, the job is then complete.
    pub fn close_inputs(&mut self) {
        if !std::mem::replace(&mut self.inputs_closed, true) && self.is_counted {
            self.note_closed();
        }
    }

    /// Pauses the job: no handler runs until it is resumed. A job that has ended stays as it is.
    pub fn pause(&mut self, reason: impl Into<String>) {
        if !self.status.is_end() && self.status != Status::Paused {
            self.status = Status::Paused;
            self.reason = Some(reason.into());
        }
    }

    /// Ends the job for good; what waits is kept but never handled. A job that has ended stays as it is.
    ///
    /// # Errors
    /// [`Error::Execution`] if an `on_end` hook panics.
    pub fn cancel(&mut self, reason: impl Into<String>) -> Result<()> {
        if self.status.is_end() {
            return Ok(());
        }
        self.reason = Some(reason.into());
        self.end(Status::Cancelled)
    }

    /// A handle that pauses or cancels this job from another thread.
    pub fn control(&self) -> Control {
        self.cx.control.clone()
    }

    /// Lets a paused job go on, whoever asked how often for the pause meanwhile; or lets a failed one run the delivery that failed again, before all others and on the state
    /// it had before the failed attempt. Handlers run at the next `run`, `run_until_idle` or `step`. Does nothing to
    /// a job that is neither.
    ///
    /// # Errors
    /// [`Error::State`] if the job failed in a way that leaves nothing whole to go on with: a handler that was not
    /// atomic failed, or took its payload by value and panicked; and if the job was cancelled.
    pub fn resume(&mut self) -> Result<()> {
        match self.status {
            Status::Paused => {
                self.cx.control.forget_pause();
                self.status = Status::Running;
                self.reason = None;
                Ok(())
            }
            Status::Failed => {
                if let Some(Failed { refusal: Some(refusal), .. }) = &self.failure {
                    return Err(self.error_of(format!("it cannot be resumed: {refusal}")));
                }
                if let Some(Failed { delivery: Some(delivery), .. }) = self.failure.take() {
                    self.care.note_newest(&delivery.delivery);
                    self.post.queue.put_where_it_was(delivery);
                }
                self.cx.control.forget_all();
                self.cx.deadline = None;
                F::open_live(&self.cells);
                self.status = Status::Running;
                self.reason = None;
                Ok(())
            }
            Status::Cancelled => {
                let reason = self.reason.as_deref().unwrap_or("no reason given");
                Err(self.error_of(format!("it was cancelled ({reason}) and cannot be resumed")))
            }
            Status::Pending | Status::Running | Status::Waiting | Status::Completed => Ok(()),
        }
    }

    /// Takes the configuration and resources from `flow`; state and what waits stay, and `#[transient]` fields start
    /// anew. It is recorded: see [`JobState::reconfigured`].
    ///
    /// # Errors
    /// [`Error::Configuration`] if the flow's configuration panics: the job then goes on with what it had.
    pub fn reconfigure(&mut self, flow: &F) -> Result<()> {
        F::reconfigure(&self.cells, new_cells(flow)?);
        self.history.note_reconfigured(self.cx.clock.tick());
        Ok(())
    }

    /// The history that is kept, oldest first.
    pub fn history(&self) -> impl Iterator<Item = HistoryEntry> + '_ {
        self.history.iter(self.cx.clock.tick())
    }

    /// The history of one routine, by its id, oldest first. Empty if the flow has no such routine.
    pub fn history_of<'a>(&'a self, routine: &'a str) -> impl Iterator<Item = HistoryEntry> + 'a {
        self.history().filter(move |entry| entry.routine == routine)
    }

    /// What the job has come to so far.
    pub fn report(&self) -> F::Report {
        let queued = self.post.queue.iter().map(|(_, _, delivery)| F::slot_of(delivery));
        let aside = self.care.aside().map(|waiting| F::slot_of(&waiting.delivery));
        let mut later = Vec::new();
        self.care.agenda.iter().for_each(|(_, due)| due.slots(|slot| later.push(slot)));
        let report = Report {
            flow: F::NAME,
            job: self.cx.job.clone(),
            status: self.status,
            reason: self.reason.clone(),
            handled: self.handled(),
            failed: u64::from(self.failure.as_ref().is_some_and(Failed::is_of_delivery))
                + self.simulation.as_ref().map_or(0, |simulation| simulation.also_lost),
            further_results: F::__result(&self.post.outbound).map_or(0, |result| result.further()),
            waiting: by_slot::<F>(queued.chain(aside).chain(later)),
            tally: self.post.tally,
            absorbed: self.care.absorbed.iter().cloned().collect(),
            unpaired: unpaired::<F>(&self.cells),
        };
        F::__report(&self.post.outbound, report)
    }

    /// As `accept`, where operators of the user's run, or deliveries are counted.
    #[cold]
    pub(crate) fn accept_with_care<P>(
        &mut self,
        input: &'static str,
        value: P,
        send: impl FnOnce(P, &F::Cells, &mut Post<F>) -> std::result::Result<(), Fault>,
    ) -> Result<()> {
        let sent = catch(|| send(value, &self.cells, &mut self.care.scratch));
        match sent.map_err(Fault::Panicked).and_then(|sent| sent) {
            Ok(()) => self.absorb(None),
            Err(fault) => {
                self.care.scratch.undo();
                Err(self.not_sent(input, fault))
            }
        }
    }

    fn not_sent(&self, input: &str, fault: Fault) -> Error {
        not_sent(&self.cx.job, input, fault)
    }

    #[inline]
    pub(crate) fn takes_no_more(&self) -> bool {
        self.inputs_closed || self.status == Status::Cancelled
    }

    #[cold]
    pub(crate) fn refused(&self, input: &'static str) -> Error {
        let why = match self.status {
            Status::Cancelled => "it was cancelled",
            _ => {
                "its inputs are closed: `run()` and `close_inputs()` close them, `run_until_idle()` does not"
            }
        };
        self.error_of(format!("the input `{input}` takes nothing more: {why}"))
    }

    /// How many deliveries were handled. Every run is counted by its sequence number.
    pub(crate) fn handled(&self) -> u64 {
        self.history.next_sequence() - 1 - self.faults
    }

    pub(crate) fn error_of(&self, what: String) -> Error {
        Error::State { job: self.cx.job.to_string(), what }
    }

    pub(crate) fn failure_text(&self) -> &str {
        self.failure.as_ref().map_or("for an unknown reason", |failed| &failed.what)
    }
}

impl<F: Flow> fmt::Debug for Job<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("flow", &F::NAME)
            .field("id", &self.cx.job.as_str())
            .field("status", &self.status)
            .field("reason", &self.reason)
            .field("handled", &self.handled())
            .finish_non_exhaustive()
    }
}
