//! How far a running job is.

/// How far a job on threads is, as it was a moment ago; from [`JobHandle::progress`](crate::JobHandle::progress).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Each routine, in the order of the flow.
    pub routines: Vec<RoutineProgress>,
}

/// How far one routine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoutineProgress {
    /// Its id.
    pub routine: &'static str,
    /// How many deliveries it has handled since the job was started.
    pub handled: u64,
    /// How many wait for it, those that failed and will be tried again among them.
    pub waiting: u64,
    /// How many of its handlers run now.
    pub running: u64,
    /// How many of its handlers have failed since the job was started.
    pub failed: u64,
}

impl Progress {
    /// How many deliveries were handled since the job was started.
    pub fn handled(&self) -> u64 {
        self.routines.iter().map(|routine| routine.handled).sum()
    }

    /// How many deliveries wait.
    pub fn waiting(&self) -> u64 {
        self.routines.iter().map(|routine| routine.waiting).sum()
    }

    /// How many handlers run now.
    pub fn running(&self) -> u64 {
        self.routines.iter().map(|routine| routine.running).sum()
    }

    /// How many handlers have failed since the job was started.
    pub fn failed(&self) -> u64 {
        self.routines.iter().map(|routine| routine.failed).sum()
    }
}
