//! What can go wrong: `Error` for the caller of a job, `HandlerError` for the author of a handler, and panics of the
//! user's code, which become values here.

use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// The result of an operation on a job.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on a job did not do what it should.
///
/// ```
/// use routilux::{Error, JobState};
///
/// let error = JobState::load("no such file.json").unwrap_err();
/// assert!(matches!(&error, Error::Serialization { path: Some(path), .. } if path.ends_with("no such file.json")));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The job stopped for a reason outside its handlers: a hook, or a `Clone` or `Drop` of the user's, panicked.
    #[error("job `{job}` stopped: {what}")]
    Execution {
        /// The job's id.
        job: String,
        /// What happened.
        what: String,
    },

    /// A job could not be written down or read back.
    #[error("{what}{}{}", at(path), cause(source))]
    Serialization {
        /// What could not be done.
        what: String,
        /// The file, where one is concerned.
        path: Option<PathBuf>,
        /// What the serialisation format or the system said.
        source: Option<BoxError>,
    },

    /// A job or a flow was set up in a way that cannot work.
    #[error("{what}")]
    Configuration {
        /// What is wrong, and what to do.
        what: String,
    },

    /// What was asked for cannot be done with a job in this state, or with this saved state.
    #[error("job `{job}`: {what}")]
    State {
        /// The job's id.
        job: String,
        /// Why not, and what to do.
        what: String,
    },

    /// A handler failed or panicked, and the job with it.
    #[error("`{routine}.{slot}` failed on delivery {delivery} (attempt {attempts}): {source}{}", lost(*payload_lost))]
    SlotHandler {
        /// The routine's id in the flow.
        routine: String,
        /// The slot's name.
        slot: String,
        /// The delivery's id.
        delivery: u64,
        /// How many times the handler was given this delivery.
        attempts: u32,
        /// Whether the payload is gone: the handler had taken it by value, and returns no `Result` or is not atomic.
        payload_lost: bool,
        /// The handler's own error, or a [`Panic`].
        source: BoxError,
    },

    /// The job ended or paused without a value at the flow's `return`.
    #[error("the flow `{flow}` gave no result: the job is {status}{}", still_waiting(waiting))]
    NoResult {
        /// The flow's name.
        flow: &'static str,
        /// The status of the job.
        status: crate::Status,
        /// What still waits, by slot: `("tok.line", 3)` for three deliveries.
        waiting: Vec<(String, u64)>,
    },
}

impl Error {
    /// The handler's own error, if the job failed with one of that type.
    ///
    /// ```
    /// use routilux::{Error, HandlerError};
    /// use std::num::ParseIntError;
    ///
    /// # fn failed() -> Error {
    /// #     let source = "x".parse::<u8>().unwrap_err().into();
    /// #     let (routine, slot) = ("parse".to_owned(), "text".to_owned());
    /// #     Error::SlotHandler { routine, slot, delivery: 1, attempts: 1, payload_lost: false, source }
    /// # }
    /// let error: Error = failed();
    /// assert!(error.downcast_ref::<ParseIntError>().is_some());
    /// assert!(error.downcast_ref::<std::io::Error>().is_none());
    /// ```
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        let source = match self {
            Error::SlotHandler { source, .. } => source,
            Error::Serialization { source: Some(source), .. } => source,
            _ => return None,
        };
        match source.downcast_ref::<Shared>() {
            Some(shared) => shared.0.downcast_ref(),
            None => source.downcast_ref(),
        }
    }

    /// The same error, to be told again: for the errors a job ends with.
    pub(crate) fn again(&mut self) -> Error {
        match self {
            Error::SlotHandler { routine, slot, delivery, attempts, payload_lost, source } => {
                if source.downcast_ref::<Shared>().is_none() {
                    let own = std::mem::replace(source, "".into());
                    *source = Box::new(Shared(own.into()));
                }
                let shared = source.downcast_ref::<Shared>();
                let source: BoxError = match shared {
                    Some(shared) => Box::new(Shared(shared.0.clone())),
                    None => source.to_string().into(),
                };
                Error::SlotHandler {
                    routine: routine.clone(),
                    slot: slot.clone(),
                    delivery: *delivery,
                    attempts: *attempts,
                    payload_lost: *payload_lost,
                    source,
                }
            }
            Error::Execution { job, what } => Error::Execution { job: job.clone(), what: what.clone() },
            Error::State { job, what } => Error::State { job: job.clone(), what: what.clone() },
            other => Error::Configuration { what: other.to_string() },
        }
    }
}

fn at(path: &Option<PathBuf>) -> String {
    path.as_ref().map(|path| format!(" ({})", path.display())).unwrap_or_default()
}

fn cause(source: &Option<BoxError>) -> String {
    source.as_ref().map(|source| format!(": {source}")).unwrap_or_default()
}

fn lost(payload_lost: bool) -> &'static str {
    match payload_lost {
        true => "; the payload is lost: the handler had taken it by value, and no clone was kept",
        false => "",
    }
}

fn still_waiting(waiting: &[(String, u64)]) -> String {
    match waiting {
        [] => "; nothing waits".to_owned(),
        _ => {
            let list: Vec<String> =
                waiting.iter().map(|(slot, count)| format!("{count} at `{slot}`")).collect();
            format!("; still waiting: {}", list.join(", "))
        }
    }
}

/// What a handler fails with: any error, a `String` or a `&str`, by `?` or `.into()`.
///
/// It is not itself a [`std::error::Error`], so that it can be made of every one; [`downcast_ref`](Self::downcast_ref)
/// gives the original back.
///
/// ```
/// use routilux::HandlerError;
///
/// fn port(text: &str) -> Result<u16, HandlerError> {
///     if text.is_empty() {
///         return Err("no port given".into());
///     }
///     Ok(text.parse::<u16>()?)
/// }
///
/// assert_eq!(port("").unwrap_err().to_string(), "no port given");
/// assert!(port("x").unwrap_err().downcast_ref::<std::num::ParseIntError>().is_some());
/// ```
pub struct HandlerError(BoxError);

/// An error that says when there should be another attempt. It is not seen by users: what they made is in it.
#[derive(Debug)]
struct Repeats {
    error: BoxError,
    after: Duration,
}

impl fmt::Display for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for Repeats {}

impl HandlerError {
    /// The original error, if it is of that type.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        match self.0.downcast_ref::<Repeats>() {
            Some(repeats) => repeats.error.downcast_ref(),
            None => self.0.downcast_ref(),
        }
    }

    /// The original error.
    pub fn into_inner(self) -> Box<dyn StdError + Send + Sync> {
        match self.0.downcast::<Repeats>() {
            Ok(repeats) => repeats.error,
            Err(error) => error,
        }
    }

    /// Says after how long there should be another attempt, in place of the delay that the flow's `retry` says; in
    /// milliseconds, rounded up. Whether there is one is the flow's to say.
    ///
    /// ```
    /// use routilux::HandlerError;
    /// use std::time::Duration;
    ///
    /// fn overloaded(seconds: u64) -> HandlerError {
    ///     HandlerError::from("the service is overloaded").retry_after(Duration::from_secs(seconds))
    /// }
    /// assert_eq!(overloaded(30).to_string(), "the service is overloaded");
    /// ```
    pub fn retry_after(self, after: Duration) -> Self {
        HandlerError(Box::new(Repeats { error: self.into_inner(), after }))
    }

    pub(crate) fn after(&self) -> Option<Duration> {
        self.0.downcast_ref::<Repeats>().map(|repeats| repeats.after)
    }
}

impl<E: Into<BoxError>> From<E> for HandlerError {
    fn from(error: E) -> Self {
        HandlerError(error.into())
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.downcast_ref::<Repeats>() {
            Some(repeats) => fmt::Debug::fmt(&repeats.error, f),
            None => fmt::Debug::fmt(&self.0, f),
        }
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The error of a handler that took longer than its slot's `timeout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it took longer than its timeout of {limit:?}")]
#[non_exhaustive]
pub struct TimedOut {
    /// How long it may take.
    pub limit: Duration,
}

impl TimedOut {
    pub(crate) fn after_millis(millis: u64) -> Self {
        TimedOut { limit: Duration::from_millis(millis) }
    }
}

/// The source of an error that several callers are told of.
#[derive(Debug)]
struct Shared(Arc<dyn StdError + Send + Sync>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Shared {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// The error of a handler that panicked, with the panic's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("panicked: {message}")]
#[non_exhaustive]
pub struct Panic {
    /// What the handler panicked with, where that is text.
    pub message: String,
}

impl Panic {
    pub(crate) fn from_payload(payload: Box<dyn std::any::Any + Send>) -> Self {
        let message = match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(other) => match other.downcast_ref::<&str>() {
                Some(text) => (*text).to_owned(),
                None => "(its payload is not text)".to_owned(),
            },
        };
        Panic { message }
    }
}

/// Runs the user's code; a panic in it becomes a value.
#[inline]
pub(crate) fn catch<T>(run: impl FnOnce() -> T) -> Result<T, Panic> {
    // Whatever the code could leave half-changed is put back, or marked as torn, by who called.
    catch_unwind(AssertUnwindSafe(run)).map_err(Panic::from_payload)
}
