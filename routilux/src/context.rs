//! What a handler may know and ask of the job it runs in.

use crate::clock::{Clock, Tick};
use crate::job::{Control, JobId, Request};
#[cfg(feature = "tokio")]
use std::time::Duration;
use std::time::SystemTime;

/// The view a handler has of its job: `cx: &Context` as its last parameter.
///
/// ```
/// use routilux::prelude::*;
///
/// #[routine]
/// struct Limit {
///     most: u64,
///     #[state]
///     seen: u64,
/// }
///
/// #[routine]
/// impl Limit {
///     #[slot]
///     fn item(&mut self, _item: String, cx: &Context) {
///         self.seen += 1;
///         if self.seen == self.most {
///             cx.pause("that is enough for today");
///         }
///     }
/// }
///
/// let cx = Context::test();
/// Limit { most: 1, seen: 0 }.item("x".into(), &cx);
/// assert_eq!(cx.pause_reason().as_deref(), Some("that is enough for today"));
/// ```
#[derive(Clone, Debug)]
pub struct Context {
    pub(crate) job: JobId,
    pub(crate) delivery: u64,
    pub(crate) attempt: u32,
    /// When the job has to have ended.
    pub(crate) deadline: Option<Tick>,
    /// When this handler has to have returned.
    pub(crate) limit: Option<Tick>,
    pub(crate) clock: Clock,
    pub(crate) control: Control,
}

impl Context {
    pub(crate) fn new(job: JobId) -> Self {
        Context {
            job,
            delivery: 0,
            attempt: 1,
            deadline: None,
            limit: None,
            clock: Clock::coarse(),
            control: Control::default(),
        }
    }

    /// A context for a unit test: job `test`, delivery 1, attempt 1.
    pub fn test() -> Self {
        Context { delivery: 1, ..Context::new(JobId::from("test")) }
    }

    /// The job's id.
    pub fn job(&self) -> &JobId {
        &self.job
    }

    /// The id of the delivery that is handled: unique in its job, the same in every attempt.
    /// 0 where no delivery is handled, as in an `on_start` hook.
    pub fn delivery(&self) -> u64 {
        self.delivery
    }

    /// Which attempt at this delivery it is, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// A key for an effect outside the job, to be given to a service that must do it once only. The
    /// same for every attempt at this delivery, in whichever process, and different for another
    /// delivery, job or `name`.
    pub fn idempotency_key(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.job, self.delivery)
    }

    /// The time, from the job's [`Clock`].
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Sleeps by the job's [`Clock`]: for so long by [`Clock::coarse`], in a tokio runtime with timers; and until it has been moved on
    /// as far by [`Clock::manual`].
    ///
    /// In a simulated job nobody waits for it: when nothing else is left to do, the clock is put forward.
    ///
    /// ```
    /// use routilux::prelude::*;
    /// use routilux::sim;
    /// use std::time::Duration;
    ///
    /// #[routine]
    /// struct Reminder;
    ///
    /// #[routine]
    /// impl Reminder {
    ///     #[event]
    ///     fn due(what: String);
    ///
    ///     #[slot]
    ///     async fn note(&self, what: String, out: &mut Emit<Self>, cx: &Context) {
    ///         cx.sleep(Duration::from_secs(24 * 60 * 60)).await;
    ///         out.due(what);
    ///     }
    /// }
    ///
    /// flow! {
    ///     flow Reminders() {
    ///         reminder: Reminder;
    ///         in note      -> reminder.note;
    ///         reminder.due -> out due;
    ///     }
    /// }
    ///
    /// sim::explore(Reminders::new(), 100, |job| -> routilux::Result<()> {
    ///     job.inputs().note("water the plants".into())?;
    ///     assert_eq!(job.run()?.status(), Status::Completed);
    ///     assert_eq!(job.outputs().due().next().as_deref(), Some("water the plants"));
    ///     Ok(())
    /// });
    /// ```
    ///
    /// # Panics
    /// Where it goes by [`Clock::coarse`], outside of a tokio runtime with timers.
    #[cfg(feature = "tokio")]
    pub async fn sleep(&self, time: Duration) {
        self.clock.sleep(time).await;
    }

    /// When this handler has to have returned: as long after its start as its slot's `timeout` says, or at the job's
    /// [`deadline`](crate::Job::deadline) if that is earlier. A handler that takes long looks at it now and then, and gives up in time; one that
    /// returns later than its `timeout` allows has failed, with [`TimedOut`](crate::TimedOut), whatever it returns.
    pub fn deadline(&self) -> Option<SystemTime> {
        let first = match (self.limit, self.deadline) {
            (Some(limit), Some(deadline)) => Some(limit.min(deadline)),
            (limit, deadline) => limit.or(deadline),
        };
        first.map(Tick::time)
    }

    /// Whether the job is to end as cancelled. A handler that takes long looks at it now and then, and returns: with `Ok`, what it has
    /// emitted is in the job's last state; with an error, the job is cancelled all the same, and the delivery kept.
    ///
    /// ```
    /// let cx = routilux::Context::test();
    /// assert!(!cx.is_cancelled());
    /// cx.cancel("enough");
    /// assert!(cx.is_cancelled());
    /// ```
    pub fn is_cancelled(&self) -> bool {
        self.control.is_cancelled()
    }

    /// Whether the handler has taken longer than it may.
    pub(crate) fn is_late(&self) -> bool {
        self.limit.is_some_and(|limit| self.clock.tick() > limit)
    }

    /// Asks the job to pause once this handler has returned; see [`Job::pause`](crate::Job::pause).
    /// If the handler then fails, the job fails: a failure is never hidden by a pause.
    pub fn pause(&self, reason: impl Into<String>) {
        self.control.ask_quietly(Request::Pause(reason.into()));
    }

    /// Asks the job to end as cancelled once this handler has returned. If the handler then fails,
    /// the job fails, unless another worker has ended it by then: the delivery is kept in either case.
    pub fn cancel(&self, reason: impl Into<String>) {
        self.control.ask_quietly(Request::Cancel(reason.into()));
    }

    /// The reason given to [`pause`](Self::pause), while the job has not yet acted on it. For unit tests.
    pub fn pause_reason(&self) -> Option<String> {
        self.control.pause_reason()
    }

    /// The reason given to [`cancel`](Self::cancel), while the job has not yet acted on it. For unit tests.
    pub fn cancel_reason(&self) -> Option<String> {
        self.control.cancel_reason()
    }
}
