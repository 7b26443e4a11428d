//! Live events: what leaves a job while the step that sends it still runs. What leaves when its step has ended is in
//! `outlet`.

use crate::context::Context;
use crate::error::catch;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

/// How many events wait to be received; after that the oldest one makes room for the newest.
const MOST_WAITING: usize = 65_536;

/// One live event, as a [`LiveOutput`] receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Live<P> {
    /// What the handler sent.
    pub payload: P,
    /// Which attempt at its delivery the handler was in, counted from 1. An attempt that failed may have sent live events
    /// by then, and the next one sends them again.
    pub attempt: u32,
    /// The id of the delivery that the handler was given, as in [`Context::delivery`](crate::Context::delivery).
    pub delivery: u64,
}

/// Receives the live events of one `out` of a flow, while the job runs: `job.outputs().tokens()`, where `tokens` is an
/// `out` that an `#[event(live)]` is connected to. It borrows nothing of the job, and goes to another thread or task.
///
/// ```
/// use routilux::prelude::*;
/// use std::thread;
///
/// #[routine]
/// struct Writer;
///
/// #[routine]
/// impl Writer {
///     /// A piece of the answer, as soon as it is there.
///     #[event(live)]
///     fn token(text: String);
///     /// The whole answer.
///     #[event]
///     fn answer(text: String);
///
///     #[slot]
///     fn question(&self, question: &str, out: &mut Emit<Self>) {
///         let words = question.split(' ').rev();
///         words.clone().for_each(|word| out.token(word.to_owned()));
///         out.answer(words.collect());
///     }
/// }
///
/// flow! {
///     flow Chat() {
///         writer: Writer;
///         in question   -> writer.question;
///         writer.token  -> out tokens;
///         writer.answer -> return;
///     }
/// }
///
/// let mut job = Chat::new().job();
/// job.inputs().question("how are you".into())?;
///
/// let tokens = job.outputs().tokens();
/// let shown = thread::spawn(move || {
///     // Ends when the job does.
///     tokens.map(|token| token.payload).collect::<Vec<_>>()
/// });
/// let report = job.run()?;
/// assert_eq!(report.result()?, "youarehow");
/// assert_eq!(shown.join().unwrap(), ["you", "are", "how"]);
/// # Ok::<(), routilux::Error>(())
/// ```
///
/// # What it receives
/// Every live event that comes to its `out` once it was made, in the order they were sent. What is sent while nobody
/// receives is gone, so make it before the job runs.
///
/// Clones, and further calls of `job.outputs().tokens()`, are receivers of the same queue: each event goes to one of them. To
/// have several see all, let one task receive and hand on, through a channel of your runtime that broadcasts.
///
/// At most 65 536 events wait to be received. After that the oldest makes room for the newest, and
/// [`missed`](Self::missed) counts it: a handler never waits for a reader.
///
/// # When it ends
/// When the job completes, fails, is cancelled or is dropped, and everything that was sent until then is received. If a
/// failed job is resumed, its receivers receive again: iterate over `tokens.by_ref()` to keep one. A job that is paused, or
/// that waits for input, has not ended. So in the thread that runs the job, use [`try_next`](Self::try_next): to wait there
/// is to wait for oneself.
#[must_use = "live events are kept only while there is a receiver"]
pub struct LiveOutput<P>(Arc<Queue<P>>);

impl<P> LiveOutput<P> {
    /// The next event if there is one now, without waiting.
    pub fn try_next(&self) -> Option<Live<P>> {
        self.0.state().waiting.pop_front()
    }

    /// The next event. Waits until there is one, for `timeout` at most; `None` then, and once the job has ended and
    /// everything is received. [`is_ended`](Self::is_ended) tells which.
    pub fn next_timeout(&self, timeout: Duration) -> Option<Live<P>> {
        let state = self.0.state();
        let waited = self.0.arrived.wait_timeout_while(state, timeout, |state| state.must_wait());
        waited.unwrap_or_else(PoisonError::into_inner).0.waiting.pop_front()
    }

    /// As `next` of the iterator, for an `async` program, in whatever runtime: `None` once the job has ended and everything is received.
    /// Nothing is lost if the future is dropped.
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    /// # use routilux::prelude::*;
    /// # #[routine] struct Clock;
    /// # #[routine] impl Clock {
    /// #     #[event(live)] fn tick(n: u64);
    /// #     #[slot] fn start(&self, n: u64, out: &mut Emit<Self>) { (0..n).for_each(|n| out.tick(n)) }
    /// # }
    /// # flow! { flow Ticking() { clock: Clock; in start -> clock.start; clock.tick -> out ticks; } }
    /// let mut job = Ticking::new().job();
    /// let ticks = job.outputs().ticks();
    ///
    /// let last = async {
    ///     let mut last = None;
    ///     while let Some(tick) = ticks.next_async().await {
    ///         last = Some(tick.payload);
    ///     }
    ///     last
    /// };
    ///
    /// // By hand, what an async runtime does.
    /// let mut last = Box::pin(last);
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert_eq!(last.as_mut().poll(&mut cx), Poll::Pending);
    /// job.inputs().start(5)?;
    /// assert_eq!(job.run()?.status(), Status::Completed);
    /// assert_eq!(last.as_mut().poll(&mut cx), Poll::Ready(Some(4)));
    /// # Ok::<(), routilux::Error>(())
    /// ```
    pub fn next_async(&self) -> impl Future<Output = Option<Live<P>>> {
        Receiving { queue: &self.0, waker: None }
    }

    /// Whether nothing comes any more, unless a failed job is resumed: the job has ended, and everything is received.
    pub fn is_ended(&self) -> bool {
        let state = self.0.state();
        state.closed && state.waiting.is_empty()
    }

    /// How many events were dropped because they waited too long to be received.
    pub fn missed(&self) -> u64 {
        self.0.state().missed
    }
}

/// Waits for each event, and ends when the job has ended and everything is received.
impl<P> Iterator for LiveOutput<P> {
    type Item = Live<P>;

    fn next(&mut self) -> Option<Live<P>> {
        let state = self.0.state();
        let state = self.0.arrived.wait_while(state, |state| state.must_wait());
        state.unwrap_or_else(PoisonError::into_inner).waiting.pop_front()
    }
}

/// A receiver of the same queue.
impl<P> Clone for LiveOutput<P> {
    fn clone(&self) -> Self {
        LiveOutput(Arc::clone(&self.0))
    }
}

impl<P> fmt::Debug for LiveOutput<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state();
        f.debug_struct("LiveOutput")
            .field("waiting", &state.waiting.len())
            .field("missed", &state.missed)
            .field("closed", &state.closed)
            .finish()
    }
}

/// What waits for the receivers of one output, which own it: without them there is none.
struct Queue<P> {
    state: Mutex<State<P>>,
    arrived: Condvar,
}

struct State<P> {
    waiting: VecDeque<Live<P>>,
    closed: bool,
    missed: u64,
    /// Of the tasks that wait, by number.
    wakers: Vec<(u64, Waker)>,
    next_waker: u64,
}

impl<P> State<P> {
    /// Whether there is nothing to receive, and may still be.
    fn must_wait(&self) -> bool {
        self.waiting.is_empty() && !self.closed
    }
}

// The user's code, a payload's `Drop` or a waker, never runs with the lock held: it might come back here.

impl<P> Queue<P> {
    fn new(closed: bool) -> Self {
        let state = State { waiting: VecDeque::new(), closed, missed: 0, wakers: Vec::new(), next_waker: 0 };
        Queue { state: Mutex::new(state), arrived: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, event: Live<P>) {
        let mut state = self.state();
        if state.closed {
            return;
        }
        let gone = match state.waiting.len() < MOST_WAITING {
            true => None,
            false => {
                state.missed += 1;
                state.waiting.pop_front()
            }
        };
        state.waiting.push_back(event);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.arrived.notify_one();
        wake(wakers);
        drop(gone);
    }

    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.arrived.notify_all();
        wake(wakers);
    }
}

/// All of them, since one may belong to a task that has turned to something else.
fn wake(wakers: Vec<(u64, Waker)>) {
    for (_, waker) in wakers {
        // If an async runtime panics that is no failure of the handler's.
        let _ = catch(|| waker.wake());
    }
}

/// Waits in a task.
struct Receiving<'o, P> {
    queue: &'o Queue<P>,
    /// The number of its waker.
    waker: Option<u64>,
}

impl<P> Future for Receiving<'_, P> {
    type Output = Option<Live<P>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Option<Live<P>>> {
        let waker = cx.waker().clone();
        let mut state = self.queue.state();
        if !state.must_wait() {
            return Poll::Ready(state.waiting.pop_front());
        }
        let number = match self.waker {
            Some(number) => number,
            None => {
                state.next_waker += 1;
                state.next_waker
            }
        };
        let old = state.wakers.iter().position(|(known, _)| *known == number);
        let old = old.map(|at| state.wakers.swap_remove(at));
        state.wakers.push((number, waker));
        drop(state);
        drop(old);
        self.waker = Some(number);
        Poll::Pending
    }
}

impl<P> Drop for Receiving<'_, P> {
    fn drop(&mut self) {
        let Some(number) = self.waker else { return };
        let mut state = self.queue.state();
        let own = state.wakers.iter().position(|(known, _)| *known == number);
        let own = own.map(|at| state.wakers.swap_remove(at));
        drop(state);
        drop(own);
    }
}

/// An output of a job that live events go to: in it as long as the job is. Its receivers end when it is closed, and
/// when it is dropped.
#[doc(hidden)]
pub struct LiveOutlet<P>(Shared<P>);

/// The queue of those who receive now, if any do.
struct Current<P> {
    queue: Weak<Queue<P>>,
    closed: bool,
}

fn current<P>(outlet: &Mutex<Current<P>>) -> MutexGuard<'_, Current<P>> {
    outlet.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<P> Default for LiveOutlet<P> {
    fn default() -> Self {
        LiveOutlet(Arc::new(Mutex::new(Current { queue: Weak::new(), closed: false })))
    }
}

impl<P> LiveOutlet<P> {
    /// The same outlet: an output of a flow is that of the flow around it.
    pub fn share(&self) -> Self {
        LiveOutlet(Arc::clone(&self.0))
    }

    /// The job has ended.
    pub fn close(&self) {
        let mut current = current(&self.0);
        current.closed = true;
        let queue = current.queue.upgrade();
        drop(current);
        if let Some(queue) = queue {
            queue.close();
        }
    }

    /// The job goes on after all, and its receivers with it: what the next attempt sends first is not missed.
    pub fn open(&self) {
        let mut current = current(&self.0);
        current.closed = false;
        let queue = current.queue.upgrade();
        drop(current);
        if let Some(queue) = queue {
            queue.state().closed = false;
        }
    }

    pub(crate) fn receiver(&self) -> LiveOutput<P> {
        let mut current = current(&self.0);
        let queue = current.queue.upgrade().unwrap_or_else(|| Arc::new(Queue::new(current.closed)));
        current.queue = Arc::downgrade(&queue);
        LiveOutput(queue)
    }
}

impl<P> Drop for LiveOutlet<P> {
    fn drop(&mut self) {
        self.close();
    }
}

/// Which attempt at which delivery sends.
#[doc(hidden)]
#[derive(Clone, Copy, Default)]
pub struct Stamp {
    attempt: u32,
    delivery: u64,
}

impl Stamp {
    #[inline]
    pub fn of(cx: &Context) -> Self {
        Stamp { attempt: cx.attempt, delivery: cx.delivery }
    }
}

/// Where a live event leads, in the `Emit` of a routine: nowhere until the routine stands in a job. Cloned for each run
/// of a handler that runs next to others.
#[doc(hidden)]
pub struct LiveSink<P>(Option<Arc<Ways<P>>>);

/// The outlets that one event goes to. All but the last are given a copy.
struct Ways<P> {
    others: Vec<(Shared<P>, CopyOf<P>)>,
    last: Option<Shared<P>>,
}

type Shared<P> = Arc<Mutex<Current<P>>>;

/// How a payload is cloned, which not every payload can be.
type CopyOf<P> = fn(&P) -> P;

impl<P> Default for LiveSink<P> {
    fn default() -> Self {
        LiveSink(None)
    }
}

impl<P> Clone for LiveSink<P> {
    fn clone(&self) -> Self {
        LiveSink(self.0.clone())
    }
}

impl<P> LiveSink<P> {
    /// That of a routine in a job. An event with no outlet at all is dropped where it is sent.
    pub fn leading_to(others: Vec<(&LiveOutlet<P>, CopyOf<P>)>, last: Option<&LiveOutlet<P>>) -> Self {
        let others = others.into_iter().map(|(outlet, copy)| (Arc::clone(&outlet.0), copy)).collect();
        LiveSink(Some(Arc::new(Ways { others, last: last.map(|outlet| Arc::clone(&outlet.0)) })))
    }

    /// Gives the payload back where there is no job: in a unit test, which reads it off the outbox.
    pub fn send(&self, payload: P, stamp: Stamp) -> Option<P> {
        let Some(ways) = &self.0 else { return Some(payload) };
        let queue = |outlet: &Shared<P>| current(outlet).queue.upgrade();
        let others = ways.others.iter().filter_map(|(outlet, copy)| Some((queue(outlet)?, copy)));
        // All copies first: if the user's `Clone` panics, no receiver has the event.
        let others: Vec<_> = others.map(|(queue, copy)| (queue, copy(&payload))).collect();
        let last = ways.last.as_ref().and_then(queue).map(|queue| (queue, payload));
        for (queue, payload) in others.into_iter().chain(last) {
            queue.put(Live { payload, attempt: stamp.attempt, delivery: stamp.delivery });
        }
        None
    }
}

/// Asked where a live event is declared.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot leave in a live event: it cannot be sent to another thread [RTX0163]",
    label = "what a live event carries has to be `Send`",
    note = "who receives it may be in another thread: use `Arc` instead of `Rc`; or make it an ordinary event with `#[event]`"
)]
pub trait LivePayload: Sized {
    fn leaves() {}
}

#[diagnostic::do_not_recommend]
impl<T: Send> LivePayload for T {}

/// The same of a payload with type parameters, for which the compiler knows what to write: `T: Send`.
#[doc(hidden)]
pub fn live_payload_is_send<P: Send>() {}
