//! The log: what came when.

use csv::{ReaderBuilder, StringRecord, Trim};
use serde::{Deserialize, Serialize};
use std::path::Path;

const COLUMNS: [&str; 5] = ["time", "event", "order", "cents", "trouble"];

/// One line of the log.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Of the day.
    pub(crate) minute: u64,
    pub(crate) event: Event,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Placed(Order),
    Paid(Payment),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) number: u64,
    pub(crate) trouble: Trouble,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Payment {
    /// The number of the order that it is for.
    pub(crate) order: u64,
    pub(crate) cents: u64,
}

/// What goes wrong with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trouble {
    None,
    /// The carrier is, so many times.
    Busy(u32),
    NoSuchAddress,
    /// That of the ledger, once.
    AnswerLost,
}

impl Trouble {
    pub(crate) fn loses_answer(self) -> bool {
        self == Trouble::AnswerLost
    }
}

impl Event {
    /// The number of the order that it is about.
    pub(crate) fn order(&self) -> u64 {
        match self {
            Event::Placed(order) => order.number,
            Event::Paid(payment) => payment.order,
        }
    }
}

/// Reads a log. An error names the file and the line.
pub(crate) fn read(path: &Path) -> Result<Vec<Record>, String> {
    let in_file = |error: csv::Error| format!("{}: {error}", path.display());
    // How many fields there are is checked here.
    let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_path(path).map_err(in_file)?;
    let header: Vec<&str> = reader.headers().map_err(in_file)?.iter().collect();
    if header != COLUMNS {
        let (expected, found) = (COLUMNS.join(","), header.join(","));
        return Err(format!("{}:1: expected the header `{expected}`, found {found:?}", path.display()));
    }
    let mut records: Vec<Record> = Vec::new();
    for row in reader.records() {
        let row = row.map_err(in_file)?;
        let at_line = |what: String| {
            let line = row.position().map_or(0, csv::Position::line);
            format!("{}:{line}: {what}", path.display())
        };
        let record = record(&row).map_err(at_line)?;
        if records.last().is_some_and(|last| last.minute > record.minute) {
            return Err(at_line("it is earlier than the line before; sort the log by time".to_owned()));
        }
        records.push(record);
    }
    Ok(records)
}

fn record(row: &StringRecord) -> Result<Record, String> {
    let fields: Vec<&str> = row.iter().collect();
    let [time, event, order, cents, trouble] = fields[..] else {
        return Err(format!("expected 5 fields ({}), found {}", COLUMNS.join(","), fields.len()));
    };
    let minute = minute(time).ok_or_else(|| format!("`time` is {time:?}, expected one like 09:30"))?;
    let (order, cents) = (number("order", order)?, number("cents", cents)?);
    let event = match event {
        "order" => Event::Placed(Order { number: order, trouble: self::trouble(trouble)? }),
        "payment" => Event::Paid(Payment { order, cents }),
        other => return Err(format!("`event` is {other:?}, expected `order` or `payment`")),
    };
    Ok(Record { minute, event })
}

fn minute(time: &str) -> Option<u64> {
    let (hour, minute) = time.split_once(':')?;
    let (hour, minute): (u64, u64) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn number(column: &str, text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{column}` is {text:?}, expected a whole number"))
}

fn trouble(text: &str) -> Result<Trouble, String> {
    let busy = || text.strip_prefix("busy ").and_then(|times| times.parse().ok());
    match text {
        "" => Ok(Trouble::None),
        "no such address" => Ok(Trouble::NoSuchAddress),
        "answer lost" => Ok(Trouble::AnswerLost),
        _ => busy().map(Trouble::Busy).ok_or_else(|| {
            format!("`trouble` is {text:?}, expected nothing, `busy N`, `no such address` or `answer lost`")
        }),
    }
}
