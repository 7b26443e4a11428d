//! What a run came to.

use super::{JobId, Status};
use crate::error::{Error, Result};
use crate::payload::Payload;
use std::fmt;
use std::sync::Arc;

/// What a run of a job came to: its status, its result, its counts, and what still waits.
///
/// ```
/// # use routilux::prelude::*;
/// # #[routine] struct Double;
/// # #[routine] impl Double {
/// #     #[event] fn doubled(n: u64);
/// #     #[slot] fn number(&self, n: u64, out: &mut Emit<Self>) { out.doubled(2 * n); }
/// # }
/// # flow! { flow Doubles() { d: Double; in number -> d.number; d.doubled -> return; } }
/// let mut job = Doubles::new().job();
/// job.inputs().number(4)?;
/// job.inputs().number(5)?;
/// let report = job.run()?;
/// assert_eq!(report.status(), Status::Completed);
/// assert_eq!(report.result()?, &8);
/// assert_eq!(report.further_results(), 1);
/// assert_eq!(report.handled(), 2);
/// # Ok::<(), routilux::Error>(())
/// ```
#[must_use = "a report says whether the job completed, and holds its result"]
pub struct Report<R> {
    pub(crate) flow: &'static str,
    pub(crate) job: JobId,
    pub(crate) status: Status,
    pub(crate) reason: Option<String>,
    pub(crate) handled: u64,
    pub(crate) failed: u64,
    pub(crate) further_results: u64,
    pub(crate) waiting: Vec<(String, u64)>,
    pub(crate) result: Option<Arc<R>>,
}

impl<R> Report<R> {
    /// The job's id.
    pub fn job(&self) -> &JobId {
        &self.job
    }

    /// The job's status when the run ended.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Why the job was paused or cancelled.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// How many deliveries were handled since the job was made, in whichever process.
    pub fn handled(&self) -> u64 {
        self.handled
    }

    /// How many deliveries failed and were not handled since.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// How many values came to `return` after the first one, which is the result.
    pub fn further_results(&self) -> u64 {
        self.further_results
    }

    /// How many deliveries wait, by slot: `("tok.line", 3)`. Empty once the job has completed.
    pub fn waiting(&self) -> &[(String, u64)] {
        &self.waiting
    }
}

impl<R: Payload> Report<R> {
    /// The first value that came to the flow's `return`.
    ///
    /// # Errors
    /// [`Error::NoResult`], with what still waits, if none came.
    pub fn result(&self) -> Result<&R> {
        self.result.as_deref().ok_or_else(|| Error::NoResult {
            flow: self.flow,
            status: self.status,
            waiting: self.waiting.clone(),
        })
    }
}

impl<R> Clone for Report<R> {
    fn clone(&self) -> Self {
        Report {
            flow: self.flow,
            job: self.job.clone(),
            status: self.status,
            reason: self.reason.clone(),
            handled: self.handled,
            failed: self.failed,
            further_results: self.further_results,
            waiting: self.waiting.clone(),
            result: self.result.clone(),
        }
    }
}

impl<R> fmt::Debug for Report<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("flow", &self.flow)
            .field("job", &self.job.as_str())
            .field("status", &self.status)
            .field("reason", &self.reason)
            .field("handled", &self.handled)
            .field("failed", &self.failed)
            .field("further_results", &self.further_results)
            .field("waiting", &self.waiting)
            .field("has_result", &self.result.is_some())
            .finish()
    }
}
