//! The last stage: the parts are put together, and printed as a table.

use routilux::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// How many operators and species are told.
const TOP: usize = 10;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// One part of the report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Part {
    /// Dollars by operator.
    Operators(BTreeMap<String, u128>),
    /// Strikes by species.
    Species(BTreeMap<String, u128>),
    /// Strikes by month, 1 to 12.
    Months(BTreeMap<u8, u128>),
    Totals(Totals),
}

/// What all rows came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    /// In dollars, of the accepted rows. No sum of `u64`s is too large for it.
    pub(crate) cost: u128,
}

/// The finished report. It prints itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StrikeReport {
    operators: BTreeMap<String, u128>,
    species: BTreeMap<String, u128>,
    months: BTreeMap<u8, u128>,
    totals: Totals,
}

/// Puts the report together.
#[routine]
pub(crate) struct Reporter;

#[routine]
impl Reporter {
    /// All parts are there.
    #[event]
    fn finished(report: StrikeReport);

    /// Takes the parts, in whichever order they come: each time one comes, all so far.
    #[slot(merge = "append")]
    fn part(&self, parts: &[Part], out: &mut Emit<Self>) {
        let (mut operators, mut species, mut months, mut totals) = (None, None, None, None);
        for part in parts {
            match part {
                Part::Operators(part) => operators = Some(part),
                Part::Species(part) => species = Some(part),
                Part::Months(part) => months = Some(part),
                Part::Totals(part) => totals = Some(part),
            }
        }
        if let (Some(operators), Some(species), Some(months), Some(totals)) =
            (operators, species, months, totals)
        {
            out.finished(StrikeReport {
                operators: operators.clone(),
                species: species.clone(),
                months: months.clone(),
                totals: *totals,
            });
        }
    }
}

impl fmt::Display for StrikeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        table(f, "Cost by operator", "Dollars", &top(&self.operators))?;
        table(f, "Strikes by species", "Strikes", &top(&self.species))?;
        let months = (1..).zip(MONTHS);
        let months =
            months.map(|(number, name)| (name, self.months.get(&number).copied().unwrap_or_default()));
        table(f, "Strikes by month", "Strikes", &months.collect::<Vec<_>>())?;
        line(f, "Rows accepted", self.totals.accepted)?;
        line(f, "Rows rejected", self.totals.rejected)?;
        line(f, "Sum of Cost Total $", self.totals.cost)
    }
}

/// The largest first, and those that are equal in the order of their names.
fn top(amounts: &BTreeMap<String, u128>) -> Vec<(&str, u128)> {
    let mut all: Vec<(&str, u128)> = amounts.iter().map(|(name, amount)| (name.as_str(), *amount)).collect();
    all.sort_by_key(|(name, amount)| (std::cmp::Reverse(*amount), *name));
    all.truncate(TOP);
    all
}

fn table(f: &mut fmt::Formatter<'_>, title: &str, unit: &str, lines: &[(&str, u128)]) -> fmt::Result {
    line(f, title, unit)?;
    writeln!(f, "{:-<56}", "")?;
    for (name, amount) in lines {
        // A name is whatever stood in the file, and may hold what a terminal takes for a command.
        line(f, &name.replace(char::is_control, "\u{fffd}"), amount)?;
    }
    writeln!(f)
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, amount: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{name:<40} {amount:>15}")
}
