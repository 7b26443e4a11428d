//! The handle of a job that runs on threads.

use super::ports::{Entry, Exit, TrySendError};
use super::{Control, HistoryEntry, Job, JobId, JobState, LiveOutlet, LiveOutput, Outlet, Progress, Status};
use crate::engine::sync::Instant;
use crate::engine::{Ended, Patience, Pool, Post, Running};
use crate::error::{Error, Result};
use crate::flow::{Flow, Threaded};
use crate::merge::Fault;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

impl<F: Flow> Job<F> {
    /// Sets on how many workers at most the job runs once it is [started](Self::start): as many blocking handlers run at
    /// once at most.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Starts the job on threads: on those of [`Pool::global`], or with [`workers`](Self::workers) on as many as that says. They are
    /// shared with all other jobs of as many workers, and kept for later ones. A job that is to have workers to itself, because its handlers wait for each
    /// other say, is [started on](Self::start_on) a [`Pool`] of its own; so is one where the number varies.
    ///
    /// Nothing of the flow or its routines changes, and their meaning does not either: merges, history, hooks, failures
    /// and saved states are what they are under [`run`](Self::run), and a job saved under one engine goes on under the
    /// other. But for the order: handlers that take `&self` run at the same time; those that take `&mut self`, and slots that keep
    /// something, run one at a time for each routine, in the order of arrival, and what comes over one connection arrives in the order it was
    /// emitted. Neither kind overtakes the other.
    ///
    /// ```
    /// # use routilux::prelude::*;
    /// # #[routine] struct Double;
    /// # #[routine] impl Double {
    /// #     #[event] fn doubled(n: u64);
    /// #     #[slot] fn number(&self, n: u64, out: &mut Emit<Self>) { out.doubled(2 * n); }
    /// # }
    /// # flow! { flow Doubles() { d: Double; in number -> d.number; d.doubled -> out doubled; } }
    /// let job = Doubles::new().job().workers(4).start()?;
    /// for n in 0..100 {
    ///     job.inputs().number(n)?;
    /// }
    /// let report = job.finish()?;
    /// assert_eq!(report.handled(), 100);
    /// assert_eq!(job.outputs().doubled().sum::<u64>(), 9900);
    /// # Ok::<(), routilux::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Configuration`] if the system gives no thread, for no workers at all, and if the flow has `async` handlers and
    /// this is in no tokio runtime. The job is gone then. One that has failed is started as such, and can be resumed.
    pub fn start(self) -> Result<JobHandle<F>>
    where
        F: Threaded,
    {
        let pool = match self.workers {
            None => Pool::global()?,
            Some(workers) => Pool::of_size(workers)?,
        };
        self.start_on(&pool)
    }

    /// Starts the job on the threads of this pool; with [`workers`](Self::workers), on so many of them at once at most.
    ///
    /// # Errors
    /// [`Error::Configuration`], as [`start`](Self::start).
    pub fn start_on(self, pool: &Pool) -> Result<JobHandle<F>>
    where
        F: Threaded,
    {
        if self.workers == Some(0) {
            return Err(Error::Configuration { what: "a job needs at least one worker".to_owned() });
        }
        let running = Running::start(self, pool.clone())?;
        Ok(JobHandle(Arc::new(Held { last: running.clone(), running, cancels: AtomicBool::new(false) })))
    }
}

/// A job that runs on threads. A clone is the same job; use them from any thread.
///
/// # In `async` programs
/// It is a future, in whatever runtime: `job.await` is ready when the job has ended or is paused, with what
/// [`finish`](Self::finish) gives. It does not close the inputs, and a job whose inputs are open does not end by itself:
/// call [`close_inputs`](Self::close_inputs) first, or use [`finish_async`](Self::finish_async), which does both.
///
/// These block the thread, and are not for `async` code: `pause`, `resume`, `finish`, `wait`, `wait_until_idle`, `state`, `reconfigure`, and
/// outputs as iterators. These do not wait for handlers: `status`, `progress`, `report`, `cancel`, `control`, `close_inputs`, what is sent to inputs,
/// and `next_async` of outputs. Hooks may be called in whichever thread ends the job: that of a handler, or the one that cancels an idle job
/// or drops its last handle.
///
/// # The last handle
/// When the last handle is dropped, the job's inputs with it, nothing more can come: it runs to its end by itself, or is
/// cancelled with [`cancel_on_drop`](Self::cancel_on_drop). If it is paused then, or fails, it is gone.
///
/// ```
/// use routilux::prelude::*;
/// # #[routine] struct Sum { #[state] total: u64 }
/// # #[routine] impl Sum {
/// #     #[event] fn so_far(total: u64);
/// #     #[slot] fn add(&mut self, n: u64, out: &mut Emit<Self>) { self.total += n; out.so_far(self.total); }
/// # }
/// # flow! { flow Sums() { sum: Sum; in number -> sum.add; sum.so_far -> out total; } }
///
/// let job = Sums::new().job().start()?;
/// job.inputs().number(1)?;
/// job.pause("moving house");                      // when this returns, no handler runs
/// job.inputs().number(2)?;
/// let state = job.state()?;                       // all of it as data, now or while it runs
/// job.resume()?;
/// assert_eq!(job.finish()?.status(), Status::Completed);
///
/// let mut moved = Sums::new().resume(state)?;     // goes on in this thread
/// assert!(moved.run()?.handled() <= 2);
/// assert_eq!(moved.outputs().total().last(), Some(3));
/// # Ok::<(), routilux::Error>(())
/// ```
#[must_use = "a job whose last handle is dropped goes on without anyone to hear how it ended"]
pub struct JobHandle<F: Flow>(Arc<Held<F>>);

impl<F: Flow> Clone for JobHandle<F> {
    fn clone(&self) -> Self {
        JobHandle(self.0.clone())
    }
}

/// What all handles of a job hold together.
struct Held<F: Flow> {
    running: Arc<Running<F>>,
    /// The same, for the last handle's end: who has a handle has started the job, so it need not be asked again
    /// whether it can run on threads.
    last: Arc<dyn Unheard>,
    cancels: AtomicBool,
}

/// What becomes of a job without a handle.
trait Unheard: Send + Sync {
    fn go_on_unheard(self: Arc<Self>);
    fn cancel_unheard(&self);
}

impl<F: Threaded> Unheard for Running<F> {
    fn go_on_unheard(self: Arc<Self>) {
        self.abandon();
    }

    fn cancel_unheard(&self) {
        self.cancel("its last handle was dropped".to_owned());
    }
}

impl<F: Flow> Drop for Held<F> {
    fn drop(&mut self) {
        match self.cancels.load(Ordering::Relaxed) {
            true => self.last.cancel_unheard(),
            false => self.last.clone().go_on_unheard(),
        }
    }
}

impl<F: Threaded> JobHandle<F> {
    /// The job's id.
    pub fn job_id(&self) -> &JobId {
        &self.0.running.id
    }

    /// Where the job is in its life. What it is about to be it is once no handler runs any more: a job that is asked to pause, or
    /// in which a handler has failed, is [`Running`](Status::Running) until then.
    pub fn status(&self) -> Status {
        self.0.running.status()
    }

    /// Why the job was paused or cancelled.
    pub fn reason(&self) -> Option<String> {
        self.0.running.reason()
    }

    /// The flow's inputs: one method for each `in`. They can be cloned, and sent to other threads; they hold the job as a
    /// handle does.
    pub fn inputs(&self) -> F::Inputs<Sender<F>> {
        F::inputs(Sender(self.clone()))
    }

    /// The flow's outputs: one method for each `out`, which gives an [`Output`]. What is not taken belongs to the job, and
    /// is saved with it. For an `out` that live events go to, it gives a [`LiveOutput`].
    pub fn outputs(&self) -> F::Outputs<&Self> {
        F::outputs(self)
    }

    /// Says that nothing more will be sent to the inputs: once idle, the job is then complete.
    pub fn close_inputs(&self) {
        self.0.running.close_inputs();
    }

    /// Pauses the job. When this returns no handler of it runs, and none does until it is [resumed](Self::resume); those
    /// that ran have been waited for. If one of them fails, the job has failed instead. A job that has ended stays as it is.
    ///
    /// Called by a handler of this very job it does not wait: the job pauses when that handler has returned. In an
    /// `async` program ask with [`control`](Self::control) and await the job, which does not block the thread.
    pub fn pause(&self, reason: impl Into<String>) {
        self.0.running.pause(reason.into());
    }

    /// Lets a paused job go on, or a failed one run the delivery that failed again; as [`Job::resume`]. A job that has
    /// completed stays so.
    ///
    /// # Errors
    /// [`Error::State`] if the job was cancelled, or failed in a way that leaves nothing whole to go on with.
    pub fn resume(&self) -> Result<()> {
        self.0.running.resume()
    }

    /// Ends the job for good, once the handlers that run have returned; what waits is kept but never handled. It does
    /// not wait for that. A job that has ended stays as it is.
    pub fn cancel(&self, reason: impl Into<String>) {
        self.0.running.cancel(reason.into());
    }

    /// Has the job cancelled when the last handle is dropped, instead of running to its end unheard.
    pub fn cancel_on_drop(self) -> Self {
        self.0.cancels.store(true, Ordering::Relaxed);
        self
    }

    /// Pauses or cancels the job without waiting, and without holding it as a handle does.
    pub fn control(&self) -> Control {
        self.0.running.control()
    }

    /// Closes the inputs and waits until the job has ended or is paused, as [`Job::run`].
    ///
    /// # Errors
    /// What the job has failed with: [`Error::SlotHandler`] or [`Error::Execution`]. [`Error::State`] if it is called in a worker of the pool
    /// that the job runs on: waiting there could be for ever.
    pub fn finish(&self) -> Result<F::Report> {
        self.close_inputs();
        match self.0.running.wait(None, false)? {
            Some(report) => Ok(report),
            None => Err(self.0.running.error_of("it has not ended".to_owned())),
        }
    }

    /// Closes the inputs and waits, without blocking the thread, until the job has ended or is paused.
    ///
    /// ```
    /// # use routilux::prelude::*;
    /// # #[routine] struct Double;
    /// # #[routine] impl Double {
    /// #     #[event] fn doubled(n: u64);
    /// #     #[slot] fn number(&self, n: u64, out: &mut Emit<Self>) { out.doubled(2 * n); }
    /// # }
    /// # flow! { flow Doubles() { d: Double; in number -> d.number; d.doubled -> return; } }
    /// async fn doubled(n: u64) -> routilux::Result<u64> {
    ///     let job = Doubles::new().job().start()?.cancel_on_drop();   // who stops waiting cancels it
    ///     job.inputs().number(n)?;
    ///     Ok(*job.finish_async().await?.result()?)
    /// }
    /// ```
    ///
    /// # Errors
    /// What the job has failed with: [`Error::SlotHandler`] or [`Error::Execution`].
    pub async fn finish_async(&self) -> Result<F::Report> {
        self.close_inputs();
        self.clone().await
    }

    /// The same job, but held by others: for a list of the jobs that run, say.
    pub fn downgrade(&self) -> WeakHandle<F> {
        WeakHandle(Arc::downgrade(&self.0))
    }

    /// Waits until the job has ended or is paused. `None` if it takes longer than `timeout`.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn wait(&self, timeout: Duration) -> Result<Option<F::Report>> {
        self.0.running.wait(deadline(timeout), false)
    }

    /// Waits until every delivery is handled and every one that followed, as [`Job::run_until_idle`], or until the job has ended or is
    /// paused. `None` if it takes longer than `timeout`.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn wait_until_idle(&self, timeout: Duration) -> Result<Option<F::Report>> {
        self.0.running.wait(deadline(timeout), true)
    }

    /// How far the job is: what was handled, waits, runs and has failed, by routine.
    pub fn progress(&self) -> Progress {
        self.0.running.progress()
    }

    /// What the job has come to so far.
    pub fn report(&self) -> F::Report {
        self.0.running.report()
    }

    /// The history that is kept, oldest first.
    pub fn history(&self) -> Vec<HistoryEntry> {
        self.0.running.history()
    }

    /// The job as data, running or not. If it runs, it stands still for that: handlers that run are waited for, and none
    /// starts until the copy is made in memory.
    ///
    /// # Errors
    /// [`Error::Serialization`] if a type of the user's does not serialise; [`Error::State`] if it is called by a handler of this very job.
    pub fn state(&self) -> Result<JobState> {
        self.0.running.state()
    }

    /// Takes the configuration and resources from `flow`, between two steps; state and what waits stay, and `#[transient]`
    /// fields start anew. It is recorded: see [`JobState::reconfigured`].
    ///
    /// # Errors
    /// [`Error::Configuration`] if the flow's configuration panics: the job then goes on with what it had.
    /// [`Error::Execution`] if the `Drop` of what was there before panics: the job goes on, with some of the new.
    /// [`Error::State`] if it is called by a handler of this very job.
    pub fn reconfigure(&self, flow: &F) -> Result<()> {
        self.0.running.reconfigure(flow)
    }

    /// The pool that the job runs on.
    pub fn pool(&self) -> &Pool {
        self.0.running.pool()
    }
}

/// A [`JobHandle`] that does not hold the job: it neither keeps it from being detached or cancelled when the last handle is
/// dropped, nor its inputs open.
pub struct WeakHandle<F: Flow>(Weak<Held<F>>);

impl<F: Flow> WeakHandle<F> {
    /// The handle, if there is another one yet.
    pub fn upgrade(&self) -> Option<JobHandle<F>> {
        self.0.upgrade().map(JobHandle)
    }
}

impl<F: Flow> Clone for WeakHandle<F> {
    fn clone(&self) -> Self {
        WeakHandle(self.0.clone())
    }
}

impl<F: Flow> fmt::Debug for WeakHandle<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakHandle").field("flow", &F::NAME).finish_non_exhaustive()
    }
}

/// A timeout that is too long to be told is none.
fn deadline(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}

impl<F: Threaded> Future for JobHandle<F> {
    type Output = Result<F::Report>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.running.poll(cx.waker()).map_or(Poll::Pending, Poll::Ready)
    }
}

impl<F: Threaded> fmt::Debug for JobHandle<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle")
            .field("flow", &F::NAME)
            .field("id", &self.job_id().as_str())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// What the inputs of a running job send to.
#[doc(hidden)]
pub struct Sender<F: Flow>(JobHandle<F>);

impl<F: Flow> Clone for Sender<F> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}

impl<F: Threaded> Entry<F> for Sender<F> {
    type Sent<P> = Result<()>;

    fn accept<P>(
        &mut self,
        input: &'static str,
        value: P,
        send: impl FnOnce(P, &F::Cells, &mut Post<F>) -> std::result::Result<(), Fault>,
    ) -> Result<()> {
        self.0.0.running.send(input, true, |cells, post| send(value, cells, post))
    }

    fn try_accept<P>(
        &mut self,
        input: &'static str,
        value: P,
        send: impl FnOnce(P, &F::Cells, &mut Post<F>) -> std::result::Result<(), Fault>,
    ) -> std::result::Result<(), TrySendError<P>> {
        match self.0.0.running.would_wait() {
            true => Err(TrySendError::Full(value)),
            false => {
                let sent = self.0.0.running.send(input, false, |cells, post| send(value, cells, post));
                sent.map_err(TrySendError::Refused)
            }
        }
    }
}

impl<F: Threaded> Exit<F> for &JobHandle<F> {
    type Output<P: 'static> = Output<F, P>;

    fn take<P: 'static>(self, outlet: fn(&mut F::Outbound) -> &mut Outlet<P>) -> Output<F, P> {
        Output::reading(self.0.running.clone(), outlet)
    }

    fn live<P: 'static>(self, outlet: fn(&F::Cells) -> &LiveOutlet<P>) -> LiveOutput<P> {
        self.0.running.live(outlet)
    }
}

/// One output of a running job. As an iterator it waits for what comes out, and ends when the job has ended and all
/// is taken. Clones, and others of the same output, take from the same: each value goes to one of them. It does not hold the job as a handle does.
///
/// ```
/// # use routilux::prelude::*;
/// # #[routine] struct Double;
/// # #[routine] impl Double {
/// #     #[event] fn doubled(n: u64);
/// #     #[slot] fn number(&self, n: u64, out: &mut Emit<Self>) { out.doubled(2 * n); }
/// # }
/// # flow! { flow Doubles() { d: Double; in number -> d.number; d.doubled -> out doubled; } }
/// let job = Doubles::new().job().start()?;
/// let doubled = job.outputs().doubled();
/// let reader = std::thread::spawn(move || doubled.sum::<u64>());
/// for n in 1..=3 {
///     job.inputs().number(n)?;
/// }
/// let _ = job.finish()?;
/// assert_eq!(reader.join().unwrap(), 12);
/// # Ok::<(), routilux::Error>(())
/// ```
pub struct Output<F: Flow, P: 'static> {
    running: Arc<Running<F>>,
    outlet: fn(&mut F::Outbound) -> &mut Outlet<P>,
    /// What is done when nobody reads it any more: who has one has started the job, so it need not be asked again whether
    /// it can run on threads.
    gone: fn(&Arc<Running<F>>, OutletOf<F, P>),
}

/// Where an outlet is among all of a flow's.
type OutletOf<F, P> = fn(&mut <F as Flow>::Outbound) -> &mut Outlet<P>;

impl<F: Flow, P: 'static> Drop for Output<F, P> {
    fn drop(&mut self) {
        (self.gone)(&self.running, self.outlet);
    }
}

impl<F: Threaded, P> Clone for Output<F, P> {
    fn clone(&self) -> Self {
        Output::reading(self.running.clone(), self.outlet)
    }
}

impl<F: Threaded, P> Output<F, P> {
    fn reading(running: Arc<Running<F>>, outlet: fn(&mut F::Outbound) -> &mut Outlet<P>) -> Self {
        running.note_reader(|outbound| outlet(outbound).note_reader(true), true);
        let gone = |running: &Arc<Running<F>>, outlet: fn(&mut F::Outbound) -> &mut Outlet<P>| {
            running.note_reader(|outbound| outlet(outbound).note_reader(false), false);
        };
        Output { running, outlet, gone }
    }

    /// What has come out, without waiting. `None` if nothing waits.
    pub fn try_next(&self) -> Option<P> {
        self.take_one(Patience::None).ok().flatten()
    }

    /// Waits for what comes out. `None` after `timeout`, or when the job has ended and all is taken.
    pub fn next_timeout(&self, timeout: Duration) -> Option<P> {
        self.take_one(deadline(timeout).map_or(Patience::Forever, Patience::Until)).ok().flatten()
    }

    /// As `next` of the iterator, for an `async` program: `None` when the job has ended and all is taken. Nothing is
    /// lost if the future is dropped.
    pub async fn next_async(&self) -> Option<P> {
        std::future::poll_fn(|cx| match self.take_one(Patience::Wake(cx.waker())) {
            Ok(Some(value)) => Poll::Ready(Some(value)),
            Ok(None) => Poll::Pending,
            Err(Ended) => Poll::Ready(None),
        })
        .await
    }

    fn take_one(&self, patience: Patience<'_>) -> std::result::Result<Option<P>, Ended> {
        self.running.take_out(|outbound| (self.outlet)(outbound).pop(), patience)
    }
}

impl<F: Threaded, P> Iterator for Output<F, P> {
    type Item = P;

    fn next(&mut self) -> Option<P> {
        self.take_one(Patience::Forever).ok().flatten()
    }
}

impl<F: Threaded, P> fmt::Debug for Output<F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("job", &self.running.id.as_str()).finish_non_exhaustive()
    }
}
