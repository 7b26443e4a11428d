//! The name of a job.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The id of a job: a UUID of version 7, so that ids sort by the time they were made, unless one is given
/// with [`Job::id`](crate::Job::id).
///
/// ```
/// use routilux::JobId;
///
/// let id = JobId::from("nightly-2026-11-23");
/// assert_eq!(id.as_str(), "nightly-2026-11-23");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct JobId(Arc<str>);

impl JobId {
    pub(crate) fn unique() -> Self {
        JobId(uuid::Uuid::now_v7().to_string().into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for JobId {
    fn from(id: &str) -> Self {
        JobId(id.into())
    }
}

impl From<String> for JobId {
    fn from(id: String) -> Self {
        JobId(id.into())
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
