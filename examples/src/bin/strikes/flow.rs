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
