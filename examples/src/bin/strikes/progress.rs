//! How far the job is: which steps settle a row, how many rows are left, and a bar that shows it.

use crate::flow::Strikes;
use indicatif::{ProgressBar, ProgressStyle};
use routilux::HistoryEntry;
use routilux::prelude::*;
use std::io::{IsTerminal, stderr};

/// Whether a row was accepted or rejected in this step.
pub(crate) fn settles_a_row(entry: &HistoryEntry) -> bool {
    entry.routine == "validate" && matches!(&*entry.slot, "row" | "malformed")
}

/// How many rows wait to be accepted or rejected.
pub(crate) fn rows_left(job: &Job<Strikes>) -> u64 {
    let report = job.report();
    let rows = report
        .waiting()
        .iter()
        .filter(|(slot, _)| matches!(&**slot, "parse.line" | "validate.row" | "validate.malformed"));
    rows.map(|(_, count)| count).sum()
}

/// A bar on stderr, where that is a terminal.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(crate) fn of(rows: u64) -> Self {
        if !stderr().is_terminal() {
            return Progress(None);
        }
        let bar = ProgressBar::new(rows);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} rows") {
            bar.set_style(style);
        }
        Progress(Some(bar))
    }

    /// Has the bar move with the job.
    pub(crate) fn follow(&self, job: Job<Strikes>) -> Job<Strikes> {
        let Some(bar) = self.0.clone() else { return job };
        job.after_handler(move |_, entry| bar.inc(u64::from(settles_a_row(entry))))
    }

    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
