//! The fourth stage: strikes are counted and their costs summed, in three ways side by side.

use crate::report::Part;
use crate::row::Strike;
use routilux::prelude::*;
use std::collections::BTreeMap;

/// Sums the cost of each operator's strikes.
#[routine]
pub(crate) struct CostByOperator {
    #[state]
    dollars: BTreeMap<String, u128>,
}

#[routine]
impl CostByOperator {
    /// The sums.
    #[event]
    fn part(part: Part);

    /// Takes one strike.
    #[slot]
    fn strike(&mut self, strike: Strike) {
        *self.dollars.entry(strike.operator).or_default() += u128::from(strike.cost);
    }

    /// Follows the last strike.
    #[slot]
    fn last(&self, out: &mut Emit<Self>) {
        out.part(Part::Operators(self.dollars.clone()));
    }
}

/// Counts the strikes of each species.
#[routine]
pub(crate) struct StrikesBySpecies {
    #[state]
    strikes: BTreeMap<String, u128>,
}

#[routine]
impl StrikesBySpecies {
    /// The counts.
    #[event]
    fn part(part: Part);

    /// Takes one strike.
    #[slot]
    fn strike(&mut self, strike: Strike) {
        *self.strikes.entry(strike.species).or_default() += 1;
    }

    /// Follows the last strike.
    #[slot]
    fn last(&self, out: &mut Emit<Self>) {
        out.part(Part::Species(self.strikes.clone()));
    }
}

/// Counts the strikes of each month of the year.
#[routine]
pub(crate) struct StrikesByMonth {
    #[state]
    strikes: BTreeMap<u8, u128>,
}

#[routine]
impl StrikesByMonth {
    /// The counts.
    #[event]
    fn part(part: Part);

    /// Takes one strike.
    #[slot]
    fn strike(&mut self, strike: Strike) {
        *self.strikes.entry(strike.month).or_default() += 1;
    }

    /// Follows the last strike.
    #[slot]
    fn last(&self, out: &mut Emit<Self>) {
        out.part(Part::Months(self.strikes.clone()));
    }
}
