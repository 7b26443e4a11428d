//! Counts the words of text files: as many as `wc -w` counts, and the most frequent ones, lower-cased.
//!
//! A word is what stands between white space, whatever it is made of. Bytes that are not UTF-8 are read as the
//! replacement character, which is no white space: they are part of a word.

use clap::Parser;
use routilux::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

/// How many of the most frequent words are told.
const TOP: usize = 20;

/// Reads files.
#[routine]
struct Reader;

#[routine]
impl Reader {
    /// The text of one file.
    #[event]
    fn text(path: String, text: String);
    /// There is no further file.
    #[event]
    fn end();

    /// Reads a file.
    #[slot]
    fn path(&self, path: PathBuf, out: &mut Emit<Self>) -> Result {
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        out.text(path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned());
        Ok(())
    }

    /// Follows the last path.
    #[slot]
    fn last(&self, out: &mut Emit<Self>) {
        out.end();
    }
}

/// Splits a text into words.
#[routine]
struct Splitter;

#[routine]
impl Splitter {
    /// One word, lower-cased.
    #[event]
    fn word(word: String);
    /// A file is done; it had so many words.
    #[event]
    fn file(path: String, words: u64);
    /// There is no further word.
    #[event]
    fn end();

    /// Takes the text of one file.
    #[slot]
    fn text(&self, path: String, text: String, out: &mut Emit<Self>) {
        let mut count = 0;
        for word in words(&text) {
            count += 1;
            out.word(word.to_lowercase());
        }
        out.file(path, count);
    }

    /// Follows the last text.
    #[slot]
    fn last(&self, out: &mut Emit<Self>) {
        out.end();
    }
}

/// The words of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// What `wc` takes for white space: to it, the word joiner is some, and the next line control is none.
fn is_space(c: char) -> bool {
    c == '\u{2060}' || c.is_whitespace() && c != '\u{85}'
}

/// Counts words.
#[routine]
struct Counter {
    top: usize,
    #[state]
    counts: BTreeMap<String, u64>,
    #[state]
    files: Vec<FileCount>,
}

#[routine]
impl Counter {
    /// What all files came to.
    #[event]
    fn counted(all: WordCounts);

    /// Takes one word.
    #[slot]
    fn word(&mut self, word: String) {
        *self.counts.entry(word).or_default() += 1;
    }

    /// Takes how many words a file had.
    #[slot]
    fn file(&mut self, path: String, words: u64) {
        self.files.push(FileCount { path, words });
    }

    /// Follows the last word.
    #[slot]
    fn last(&self, out: &mut Emit<Self>) {
        let words = self.counts.iter().map(|(word, count)| Frequent { word: word.clone(), count: *count });
        let mut top: Vec<Frequent> = words.collect();
        // Stable: words that are as frequent stay in the order of the alphabet.
        top.sort_by_key(|word| std::cmp::Reverse(word.count));
        top.truncate(self.top);
        let total = self.files.iter().map(|file| file.words).sum();
        out.counted(WordCounts { files: self.files.clone(), total, top });
    }
}

/// What the files came to.
#[derive(Debug, Serialize, Deserialize)]
struct WordCounts {
    files: Vec<FileCount>,
    total: u64,
    top: Vec<Frequent>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct FileCount {
    path: String,
    words: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Frequent {
    word: String,
    count: u64,
}

impl fmt::Display for WordCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.total.to_string().len();
        for file in &self.files {
            writeln!(f, "{:>width$} {}", file.words, file.path)?;
        }
        writeln!(f, "{:>width$} total", self.total)?;
        if !self.top.is_empty() {
            writeln!(f, "\nMost frequent:")?;
        }
        for word in &self.top {
            writeln!(f, "{:>width$} {}", word.count, word.word)?;
        }
        Ok(())
    }
}

flow! {
    /// Paths go in, one after another, then `last`; what all of them came to comes out.
    flow WordCount(top: usize) {
        read:  Reader;
        split: Splitter;
        count: Counter { top };

        in path       -> read.path;
        read.text     -> split.text;
        split.word    -> count.word;
        split.file    -> count.file;

        // The queue keeps the order: what says that no more comes, comes last if it goes the same way.
        in last       -> read.last;
        read.end      -> split.last;
        split.end     -> count.last;
        count.counted -> return;
    }
}

/// Counts the words of text files, as `wc -w` does, and the 20 most frequent ones, lower-cased.
#[derive(Parser)]
#[command(name = "word_count", version)]
struct Arguments {
    /// The text files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    examples::end("word_count", run(Arguments::parse()))
}

fn run(arguments: Arguments) -> Result<(), String> {
    let report = job_of(arguments.files).and_then(|mut job| job.run()).map_err(examples::in_words)?;
    let counts = report.result().map_err(examples::in_words)?;
    match arguments.json {
        true => {
            let json = serde_json::to_string_pretty(counts).map_err(|error| error.to_string())?;
            examples::print(json + "\n")
        }
        false => examples::print(counts),
    }
}

/// A job that has been given these files.
fn job_of(files: Vec<PathBuf>) -> routilux::Result<Job<WordCount>> {
    let mut job = WordCount::new(TOP).job();
    for file in files {
        job.inputs().path(file)?;
    }
    job.inputs().last(())?;
    Ok(job)
}
