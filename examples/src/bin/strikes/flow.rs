//! How the stages are wired.

use crate::parse::Parser;
use crate::read::Reader;
use crate::report::Reporter;
use crate::tally::{CostByOperator, StrikesByMonth, StrikesBySpecies};
use crate::validate::Validator;
use routilux::prelude::*;

flow! {
    /// From the path of a file of strikes to the report on them.
    pub(crate) flow Strikes() {
        read:      Reader;
        parse:     Parser;
        validate:  Validator;
        operators: CostByOperator;
        species:   StrikesBySpecies;
        months:    StrikesByMonth;
        report:    Reporter;

        in path           -> read.open;
        read.source       -> out source;
        read.row          -> parse.line;
        parse.row         -> validate.row;
        parse.malformed   -> validate.malformed;
        validate.rejected -> out rejected;
        validate.accepted -> operators.strike, species.strike, months.strike;

        // What says that no more comes takes as many hops as the rows do, and so comes after all of them.
        read.end          -> parse.last;
        parse.end         -> validate.last;
        validate.end      -> operators.last, species.last, months.last;

        validate.totals   -> report.part;
        operators.part    -> report.part;
        species.part      -> report.part;
        months.part       -> report.part;
        report.finished   -> return;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{COLUMNS, Rejected};

    fn finish(mut job: Job<Strikes>) -> (String, Vec<(u64, String)>) {
        let report = job.run().unwrap().result().unwrap().to_string();
        let rejected = job.outputs().rejected().map(|Rejected { line, reason }| (line, reason));
        (report, rejected.collect())
    }

    #[test]
    fn a_job_saved_after_any_step_comes_to_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (path, save) = (folder.path().join("rows.csv"), folder.path().join("job.json"));
        let mut text = COLUMNS.join(",");
        for (month, cost) in [(1, "5"), (13, "5"), (2, "7"), (2, "x"), (12, "0,"), (1, "1")] {
            text += &format!("\n,,,1999-{month:02}-01,Operator {month},,,,Gull,,0,0,{cost},");
        }
        std::fs::write(&path, text).unwrap();

        let started = || {
            let mut job = Strikes::new().job();
            job.inputs().path(path.clone()).unwrap();
            job
        };
        let unbroken = finish(started());
        assert_eq!(unbroken.1.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 5, 6]);

        let mut job = started();
        let mut steps = 0;
        loop {
            job.state().unwrap().save(&save).unwrap();
            let resumed = Strikes::new().resume(JobState::load(&save).unwrap()).unwrap();
            assert_eq!(finish(resumed), unbroken, "after {steps} steps");
            if !job.step().unwrap() {
                break;
            }
            steps += 1;
        }
        // Six rows to parse and to settle, three to add up in three ways, their ends, and the parts of the report.
        assert_eq!(steps, 1 + 6 + 1 + 6 + 1 + 3 * 3 + 3 + 4);
    }
}
