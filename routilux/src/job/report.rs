//! What a run came to.

use super::{JobId, Status};

/// What a run of a job came to: its status, its counts, and what still waits. Where the flow has a `return`, what
/// [`Job::run`](crate::Job::run) gives is more than this: it derefs to a `Report`, and has the method
/// `result(&self) -> Result<&T>` for the first value that came to `return`. That is
/// [`Error::NoResult`](crate::Error::NoResult), with what still waits, if none came.
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
#[derive(Clone, Debug)]
pub struct Report {
    pub(crate) flow: &'static str,
    pub(crate) job: JobId,
    pub(crate) status: Status,
    pub(crate) reason: Option<String>,
    pub(crate) handled: u64,
    pub(crate) failed: u64,
    pub(crate) further_results: u64,
    pub(crate) waiting: Vec<(String, u64)>,
}

impl Report {
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
