//! The second stage: from a line to its fields.

use crate::row::{COLUMNS, Fields, Line, Rejected};
use csv::{ReaderBuilder, StringRecord, Terminator};
use routilux::prelude::*;
use std::collections::VecDeque;

/// Splits rows into fields.
#[routine]
pub(crate) struct Parser {
    #[transient]
    csv: LineReader,
}

#[routine]
impl Parser {
    /// A row with the right number of fields.
    #[event]
    fn row(fields: Fields);
    /// A row that has none, or another number.
    #[event]
    fn malformed(row: Rejected);
    /// There is no further row.
    #[event]
    fn end();

    /// Takes one row.
    #[slot]
    fn line(&mut self, line: Line, out: &mut Emit<Self>) {
        match fields(&line, &mut self.csv) {
            Ok(fields) => out.row(fields),
            Err(reason) => out.malformed(Rejected { line: line.number, reason }),
        }
    }

    /// Follows the last row.
    #[slot]
    fn last(&self, out: &mut Emit<Self>) {
        out.end();
    }
}

fn fields(line: &Line, csv: &mut LineReader) -> Result<Fields, String> {
    let text = line.text.as_ref()?;
    let record = csv.read(text).map_err(|error| error.to_string())?;
    let fields: Vec<&str> = record.iter().collect();
    let [_, _, _, date, operator, _, _, _, species, _, cost_other, cost_repair, cost_total, _] = fields[..]
    else {
        let (count, expected) = (fields.len(), COLUMNS.len());
        return Err(format!("expected {expected} fields, found {count}"));
    };
    Ok(Fields {
        line: line.number,
        date: date.to_owned(),
        operator: operator.to_owned(),
        species: species.to_owned(),
        cost_other: cost_other.to_owned(),
        cost_repair: cost_repair.to_owned(),
        cost_total: cost_total.to_owned(),
    })
}

/// A CSV reader that is fed one line at a time. To make one costs far more than to read a line.
struct LineReader {
    reader: csv::Reader<VecDeque<u8>>,
    record: StringRecord,
}

impl Default for LineReader {
    fn default() -> Self {
        let mut reader = ReaderBuilder::new();
        // The format has no quotes: a `"` is a character like any other, and cannot swallow the rows after it. A
        // line ends where the file's lines do, and not at a stray `\r`. How many fields there are is checked here.
        reader.has_headers(false).flexible(true).quoting(false).terminator(Terminator::Any(b'\n'));
        LineReader { reader: reader.from_reader(VecDeque::new()), record: StringRecord::new() }
    }
}

impl LineReader {
    fn read(&mut self, line: &str) -> csv::Result<&StringRecord> {
        let waiting = self.reader.get_mut();
        waiting.extend(line.as_bytes());
        waiting.push_back(b'\n');
        self.reader.read_record(&mut self.record)?;
        Ok(&self.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_one_record_whatever_is_in_it() {
        let mut csv = LineReader::default();
        // Longer than any buffer, too.
        let long = format!("{},{}", "x".repeat(20_000), "y".repeat(20_000));
        for line in ["a,b", "\"a,b", ",", "a", "\r", "a\rb,c", " ", "\"", "a,\"b\",c", "é,ü", &long, "a,b"]
        {
            let read: Vec<&str> = csv.read(line).unwrap().iter().collect();
            assert_eq!(read, line.split(',').collect::<Vec<_>>());
        }
    }
}
