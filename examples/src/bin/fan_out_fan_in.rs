//! Map-reduce: the words of text files, counted piece by piece on as many threads as there are workers, and added up.
//!
//! *Fan out*: each file is cut into pieces, and each piece is a delivery of its own to `counter.piece`. That takes `&self`, so
//! on threads it runs for many pieces at once. *Fan in*: what they come to is folded into one, in whichever order it comes.
//! The handler of the fold runs once, when nothing can come any more: `when = "drained"`. So nobody counts how many
//! pieces there are, and files without a word come to zero.
//!
//! A word is what stands between ASCII white space, whatever bytes it is made of: text that is not UTF-8 is counted as any
//! other. It is what `LC_ALL=C wc -w` counts, as long as each word has a printable ASCII character.

use clap::Parser;
use routilux::prelude::*;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

/// How many bytes a piece has.
const PIECE: usize = 64 * 1024;

/// How often there is which word, in lower case.
type Counts = BTreeMap<String, u64>;

/// Cuts files into pieces.
#[routine]
struct Cutter {
    /// How many bytes a piece has, or some more: it ends with a whole word.
    piece: usize,
}

#[routine]
impl Cutter {
    /// Some whole words of a file.
    #[event]
    fn piece(text: Vec<u8>);

    /// Reads a file, whole. For files that are larger than memory, this would be a source: see the example `big_file`.
    #[slot]
    fn path(&self, path: PathBuf, out: &mut Emit<Self>) -> Result {
        let text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            let (piece, others) = first_of(rest, self.piece);
            out.piece(piece.to_vec());
            rest = others;
        }
        Ok(())
    }
}

/// The first piece of a text, and what is left of it.
fn first_of(text: &[u8], piece: usize) -> (&[u8], &[u8]) {
    let least = piece.min(text.len());
    let end = text[least..].iter().position(is_space).map_or(text.len(), |more| least + more);
    text.split_at(end)
}

/// Counts the words of pieces.
#[routine]
struct Counter;

#[routine]
impl Counter {
    /// What a piece came to.
    #[event]
    fn counted(part: Counts);

    /// Takes a piece. What it returns is emitted as `counted`.
    #[slot(emit = counted)]
    fn piece(&self, text: Vec<u8>) -> Counts {
        let mut counts = Counts::new();
        for word in text.split(is_space).filter(|word| !word.is_empty()) {
            *counts.entry(String::from_utf8_lossy(word).to_lowercase()).or_default() += 1;
        }
        counts
    }
}

/// Whether C takes it for white space. Rust's `is_ascii_whitespace` does not know the vertical tab.
fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Adds up what the pieces came to.
#[routine]
struct Sum {
    top: usize,
}

#[routine]
impl Sum {
    /// What all pieces came to.
    #[event]
    fn finished(all: WordCount);

    /// Adds a part to the sum, which starts empty. It is called as soon as a part comes; parts do not pile up.
    #[merge]
    fn add(sum: &mut Counts, part: Counts) {
        for (word, count) in part {
            *sum.entry(word).or_default() += count;
        }
    }

    /// Takes the sum, once there is nothing left that could add to it.
    #[slot(merge = add, when = "drained", emit = finished)]
    fn parts(&self, sum: Counts) -> WordCount {
        let total = sum.values().sum();
        let mut top: Vec<(String, u64)> = sum.into_iter().collect();
        // Stable: words that are as frequent stay in the order of the alphabet.
        top.sort_by_key(|(_, count)| Reverse(*count));
        top.truncate(self.top);
        WordCount { total, top }
    }
}

/// What the files came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct WordCount {
    total: u64,
    top: Vec<(String, u64)>,
}

impl fmt::Display for WordCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.total.to_string().len();
        writeln!(f, "{} words", self.total)?;
        if !self.top.is_empty() {
            writeln!(f, "\nMost frequent:")?;
        }
        for (word, count) in &self.top {
            writeln!(f, "{count:>width$} {word}")?;
        }
        Ok(())
    }
}

flow! {
    /// Paths go in; what all files came to comes out.
    flow MapReduce(piece: usize, top: usize) {
        cutter:  Cutter { piece };
        counter: Counter;
        sum:     Sum { top };

        in path         -> cutter.path;
        cutter.piece    -> counter.piece; // out
        counter.counted -> sum.parts;     // in
        sum.finished    -> return;
    }
}

/// Counts the words of all the files together, as `LC_ALL=C wc -w` does, and tells the most frequent ones, in lower case.
#[derive(Parser)]
#[command(name = "fan_out_fan_in", version)]
struct Arguments {
    /// The text files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// On how many threads; on none but the program's own otherwise
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,
    /// How many of the most frequent words to tell
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
}

fn main() -> ExitCode {
    examples::end("fan_out_fan_in", run(Arguments::parse()))
}

fn run(arguments: Arguments) -> Result<(), String> {
    examples::print(count(arguments).map_err(examples::in_words)?)
}

/// The same flow either way, and the same count.
fn count(arguments: Arguments) -> routilux::Result<WordCount> {
    let mut job = MapReduce::new(PIECE, arguments.top).job();
    for file in arguments.files {
        job.inputs().path(file)?;
    }
    let report = match arguments.workers {
        None => job.run()?,
        Some(workers) => job.workers(workers.get()).start()?.finish()?,
    };
    report.result().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use routilux::sim;

    #[test]
    fn the_count_is_the_same_in_any_order_and_after_any_crash() {
        let folder = tempfile::tempdir().unwrap();
        let [long, empty] = ["long", "empty"].map(|name| folder.path().join(name));
        std::fs::write(&long, "one two two ".repeat(10)).unwrap();
        std::fs::write(&empty, "").unwrap();
        sim::with_crashes().explore(MapReduce::new(16, 1), 100, |job| -> routilux::Result<()> {
            for path in [&long, &empty, &long] {
                job.inputs().path(path.clone())?;
            }
            let report = job.run()?;
            assert_eq!(report.result()?.total, 60);
            assert_eq!(report.result()?.top, [("two".to_owned(), 40)]);
            assert_eq!(report.further_results(), 0);
            Ok(())
        });
    }
}
