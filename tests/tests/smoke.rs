//! tmp
use routilux::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[routine]
pub struct LineReader;

#[routine]
impl LineReader {
    #[event] fn line(text: String);
    #[event] fn bad(why: String);
    #[slot]
    fn open(&mut self, path: PathBuf, out: &mut Emit<Self>) -> Result {
        let text = std::fs::read_to_string(path)?;
        for line in text.lines() { out.line(line.to_owned()); }
        Ok(())
    }
}

/// Splits lines into words.
#[routine]
pub struct Tokenizer {
    lowercase: bool,
    #[state] words: u64,
}

#[routine]
impl Tokenizer {
    /// One word of the text.
    #[event] fn word(text: String);
    /// Takes one line.
    #[slot]
    fn line(&mut self, line: String, out: &mut Emit<Self>) {
        for word in line.split_whitespace() {
            self.words += 1;
            out.word(if self.lowercase { word.to_lowercase() } else { word.to_owned() });
        }
    }
}

#[routine]
pub struct Counter { #[state] count: BTreeMap<String, u64> }

#[routine]
impl Counter {
    #[event] fn totals(all: BTreeMap<String, u64>);
    #[slot]
    fn word(&mut self, word: &String, out: &mut Emit<Self>) {
        *self.count.entry(word.clone()).or_default() += 1;
        out.totals(self.count.clone());
    }
}

flow! {
    /// Counts the words of a text file.
    pub flow WordCount(lowercase: bool) {
        reader: LineReader;
        tok:    Tokenizer { lowercase };
        count:  Counter;

        in path      -> reader.open;
        reader.line  -> tok.line;
        reader.bad   -> out rejected;
        tok.word     -> count.word;
        count.totals -> return;
    }
}

#[test]
fn main() -> routilux::Result<()> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b.txt");
    std::fs::write(&path, "A b\na").unwrap();
    let mut job = WordCount::new(true).job();
    job.inputs().path(path)?;
    let report = job.run()?;
    for bad in job.outputs().rejected() { eprintln!("{bad}"); }
    println!("{:?} {:?}", report.result()?, report);
    println!("{}", serde_json::to_string_pretty(&job.state()?).unwrap());
    Ok(())
}

#[test]
fn inside_fn() -> routilux::Result<()> {
    #[routine]
    struct Local { by: u64 }
    #[routine]
    impl Local { #[event] fn done(n: u64); #[slot] fn n(&self, n: u64, out: &mut Emit<Self>) { out.done(n * self.by); } }
    flow! { flow Here(by: u64) { a: Local { by }; b: Local { by: 1 + by }; in n -> a.n; a.done -> b.n; b.done -> return; } }
    let mut job = Here::new(3).job();
    job.inputs().n(2)?;
    assert_eq!(job.run()?.result()?, &24);
    Ok(())
}
