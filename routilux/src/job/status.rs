//! Where a job is in its life.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a job is in its life: `pending → running ⇄ paused | waiting → completed | failed | cancelled`.
///
/// ```
/// use routilux::Status;
///
/// assert!(Status::Completed.is_end() && !Status::Paused.is_end());
/// assert_eq!(Status::Failed.to_string(), "failed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// Made and not yet run.
    Pending,
    /// Between two steps of a run.
    Running,
    /// All deliveries are handled, and the inputs are open or something is to happen later: it waits for that.
    Waiting,
    /// Stopped on request; goes on with [`Job::resume`](crate::Job::resume) or, from a saved state, the flow's `resume`.
    Paused,
    /// The inputs are closed and every delivery was handled.
    Completed,
    /// A handler failed. The delivery is kept; resuming the job runs it again.
    Failed,
    /// Ended on request, for good.
    Cancelled,
}

impl Status {
    /// Whether the job is over, unless a failed one is resumed.
    pub fn is_end(self) -> bool {
        matches!(self, Status::Completed | Status::Failed | Status::Cancelled)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Pending => "pending",
            Status::Running => "running",
            Status::Waiting => "waiting",
            Status::Paused => "paused",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        })
    }
}
