//! The first stage: from a file to its lines.

use crate::row::{COLUMNS, Line};
use routilux::prelude::*;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Reads a file of strikes. It is read whole, so that the job, and a saved job, needs it no more.
#[routine]
pub(crate) struct Reader;

#[routine]
impl Reader {
    /// The path of the file, as it was given.
    #[event]
    fn source(path: String);
    /// One row.
    #[event]
    fn row(line: Line);
    /// There is no further row.
    #[event]
    fn end();

    /// Opens a file and reads it to its end.
    #[slot]
    fn open(&self, path: PathBuf, out: &mut Emit<Self>) -> Result {
        let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut lines = Lines::new(&path, file);
        let header = lines.header()?.ok_or_else(|| {
            format!("{}:1: the file is empty; expected the header `{}`", path.display(), COLUMNS.join(","))
        })?;
        if let Some(wrong) = wrong_header(&header) {
            return Err(format!("{}:1: {wrong}", path.display()).into());
        }
        out.source(path.display().to_string());
        while let Some(line) = lines.row()? {
            out.row(line);
        }
        out.end();
        Ok(())
    }
}

/// The lines of a file. A line is what a row is: the format has no quotes that could hold a line break.
struct Lines<'a> {
    path: &'a Path,
    file: BufReader<File>,
    /// How many lines were read.
    number: u64,
    line: Vec<u8>,
}

impl<'a> Lines<'a> {
    fn new(path: &'a Path, file: File) -> Self {
        Lines { path, file: BufReader::new(file), number: 0, line: Vec::new() }
    }

    /// The first line, without the mark that some programs put before UTF-8. `None` if the file is empty.
    fn header(&mut self) -> Result<Option<String>, String> {
        /// More than any header that is right: what is no such file may have no line break for gigabytes.
        const LIMIT: u64 = 4096;
        if !self.next(LIMIT)? {
            return Ok(None);
        }
        let line = self.line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.line);
        Ok(Some(String::from_utf8_lossy(line).into_owned()))
    }

    /// The next row. Empty lines are counted, and hold none.
    fn row(&mut self) -> Result<Option<Line>, String> {
        while self.next(u64::MAX)? {
            if self.line.is_empty() {
                continue;
            }
            let text = match str::from_utf8(&self.line) {
                Ok(text) => Ok(text.to_owned()),
                Err(error) => Err(format!("byte {} is not UTF-8", error.valid_up_to() + 1)),
            };
            return Ok(Some(Line { number: self.number, text }));
        }
        Ok(None)
    }

    /// Reads a line of at most `limit` bytes, without its end. `false` at the end of the file.
    fn next(&mut self, limit: u64) -> Result<bool, String> {
        self.number += 1;
        self.line.clear();
        let read = self.file.by_ref().take(limit).read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| format!("{}:{}: {error}", self.path.display(), self.number))?;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
        }
        Ok(read > 0)
    }
}

/// What is wrong with the header, if anything: the first column that is not as it should be.
fn wrong_header(header: &str) -> Option<String> {
    let found: Vec<&str> = header.split(',').collect();
    for (number, expected) in (1..).zip(COLUMNS) {
        match found.get(number - 1) {
            Some(name) if *name == expected => {}
            Some(name) => {
                let name = shortened(name);
                return Some(format!(
                    "the header is wrong: expected `{expected}` in column {number}, found {name:?}"
                ));
            }
            None => {
                let columns = number - 1;
                return Some(format!(
                    "the header is wrong: expected `{expected}` in column {number}, found {columns} columns"
                ));
            }
        }
    }
    match found.len() {
        14 => None,
        columns => Some(format!("the header is wrong: expected {} columns, found {columns}", COLUMNS.len())),
    }
}

/// As much of a text as a message can bear.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
