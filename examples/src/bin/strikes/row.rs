//! A row on its way through the flow, in the form it has after each stage.

use serde::{Deserialize, Serialize};

/// The columns of the file, as its header names them.
pub(crate) const COLUMNS: [&str; 14] = [
    "Airport Name",
    "Aircraft Make Model",
    "Effect Amount of damage",
    "Flight Date",
    "Aircraft Airline Operator",
    "Origin State",
    "Phase of flight",
    "Wildlife Size",
    "Wildlife Species",
    "Time of day",
    "Cost Other",
    "Cost Repair",
    "Cost Total $",
    "Speed IAS in knots",
];

/// A row as it was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Its line in the file; the header is line 1.
    pub(crate) number: u64,
    /// What stands there, or why that is no text.
    pub(crate) text: Result<String, String>,
}

/// A row of the right number of fields: those that the report needs, or that can be wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fields {
    pub(crate) line: u64,
    pub(crate) date: String,
    pub(crate) operator: String,
    pub(crate) species: String,
    pub(crate) cost_other: String,
    pub(crate) cost_repair: String,
    pub(crate) cost_total: String,
}

/// A row that is right.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Strike {
    pub(crate) operator: String,
    pub(crate) species: String,
    /// 1 to 12.
    pub(crate) month: u8,
    /// In dollars.
    pub(crate) cost: u64,
}

/// A row that is wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rejected {
    pub(crate) line: u64,
    pub(crate) reason: String,
}
