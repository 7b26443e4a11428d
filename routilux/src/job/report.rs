//! What a run came to.

use super::{JobId, Status};
use crate::engine::Tally;
use serde::{Deserialize, Serialize};

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
    pub(crate) tally: Tally,
    pub(crate) absorbed: Vec<Absorbed>,
    pub(crate) unpaired: Vec<Unpaired>,
}

/// A delivery that failed for good, and that the flow's policies let the job go on without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Absorbed {
    /// The slot: `tok.line`.
    pub slot: String,
    /// The delivery's id.
    pub delivery: u64,
    /// How many attempts there were.
    pub attempts: u32,
    /// The text of the last error.
    pub error: String,
}

/// Values in a slot that wait for others which have not come: in a join, or in a slot that waits for all its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpaired {
    /// Where they are: `desk.settle.order` of a join, or `desk.all`.
    pub port: String,
    /// How many there are.
    pub count: u64,
    /// The parameters of the join that nothing is there for: `desk.settle.payment`.
    pub missing: Vec<String>,
    /// Where what is missing would come from: `bank.payment`, or `in payment`.
    pub from: Vec<String>,
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

    /// How many deliveries were handled since the job was made, in whichever process: arrivals at slots that gather count, and so
    /// do calls of sources, finishes and drained slots.
    pub fn handled(&self) -> u64 {
        self.handled
    }

    /// How many deliveries failed, with no policy to absorb it, and were not handled since: the one that the job failed with.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// How many deliveries failed for good: those that the flow's policies skipped or sent along an error wire, and the one that
    /// the job failed with.
    pub fn failures(&self) -> u64 {
        self.tally.skipped + self.tally.diverted + self.failed
    }

    /// How many deliveries failed and were skipped, as a policy of the flow says.
    pub fn skipped(&self) -> u64 {
        self.tally.skipped
    }

    /// How many deliveries failed and went along an error wire.
    pub fn diverted(&self) -> u64 {
        self.tally.diverted
    }

    /// The deliveries that were skipped or went along an error wire, with their errors, oldest first: the last hundred.
    pub fn absorbed(&self) -> &[Absorbed] {
        &self.absorbed
    }

    /// How many values a guard rejected, where there is no `else`.
    pub fn filtered(&self) -> u64 {
        self.tally.filtered
    }

    /// How many values a newer one took the place of, in slots and joins that take the latest.
    pub fn superseded(&self) -> u64 {
        self.tally.superseded
    }

    /// What slots keep that wait for others: of a job that has ended, what found no partner.
    pub fn unpaired(&self) -> &[Unpaired] {
        &self.unpaired
    }

    /// How many values came to `return` after the first one, which is the result.
    pub fn further_results(&self) -> u64 {
        self.further_results
    }

    /// How many deliveries wait, by slot: `("tok.line", 3)`; those among them that wait for their time. Empty once the job has
    /// completed.
    pub fn waiting(&self) -> &[(String, u64)] {
        &self.waiting
    }
}
