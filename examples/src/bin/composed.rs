//! A flow in a flow: `Clean`, of the crate `cleaning`, is in this one twice, with other parameters each time.
//!
//! To the flow around it is a routine like any other: its `in` is a slot, its `out`s are events, and what it returns is the
//! event `result`. The two have nothing in common but their type: a name that is there twice is repeated, one that is an
//! address too is not. What happens inside has ids that tell where, as `names.trim.text`.

use clap::Parser;
use cleaning::Clean;
use routilux::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Splits contacts.
#[routine]
struct Splitter;

#[routine]
impl Splitter {
    #[event]
    fn name(text: String);
    #[event]
    fn address(text: String);

    /// Takes `name, address`.
    #[slot]
    fn line(&self, line: &str, out: &mut Emit<Self>) {
        let (name, address) = line.split_once(',').unwrap_or((line, ""));
        out.name(name.to_owned());
        out.address(address.to_owned());
    }
}

/// Waits for both counts.
#[routine]
struct Counts;

#[routine]
impl Counts {
    /// How many different ones there were.
    #[event]
    fn counted(different: Different);

    /// Runs when there is one of each.
    #[join(emit = counted)]
    fn both(&mut self, names: usize, addresses: usize) -> Different {
        Different { names, addresses }
    }
}

/// How many different ones there were.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Different {
    names: usize,
    addresses: usize,
}

flow! {
    /// Contacts go in; names and addresses come out, each cleaned in its own way.
    flow Contacts() {
        split:     Splitter;
        names:     Clean { lowercase: false, longest: 24 };
        addresses: Clean { lowercase: true, longest: 40 };
        counts:    Counts;

        in line            -> split.line;
        split.name         -> names.text;
        split.address      -> addresses.text;

        names.clean        -> out names;
        addresses.clean    -> out addresses;
        names.repeated     -> |name| format!("the name {name}") -> out repeated: String;
        addresses.repeated -> |address| format!("the address {address}") -> out repeated: String;

        names.result       -> counts.both.names;
        addresses.result   -> counts.both.addresses;
        counts.counted     -> return;

        // `Clean` has no answer to what it fails with; so it leaves it, and this flow has one.
        on error of names skip;
        on error of addresses skip;
    }
}

/// Cleans a list of contacts: of each line `name, address`, both, without repetitions and what is too long.
#[derive(Parser)]
#[command(name = "composed", version)]
struct Arguments {
    /// The contacts; those that come with this example otherwise
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Tell which handlers ran, too
    #[arg(long)]
    history: bool,
}

fn main() -> ExitCode {
    examples::end("composed", run(Arguments::parse()))
}

fn run(arguments: Arguments) -> Result<(), String> {
    let given = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contacts.txt");
    let path = arguments.file.unwrap_or(given);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    examples::print(clean(&text, arguments.history).map_err(examples::in_words)?)
}

/// What is to be told of these contacts.
fn clean(text: &str, history: bool) -> routilux::Result<String> {
    let mut job = Contacts::new().job();
    for line in text.lines() {
        job.inputs().line(line.to_owned())?;
    }
    let report = job.run()?;
    let different = report.result()?;
    let mut told = format!("{} names\n", different.names);
    told.extend(job.outputs().names().map(|name| format!("  {name}\n")));
    told += &format!("{} addresses\n", different.addresses);
    told.extend(job.outputs().addresses().map(|address| format!("  {address}\n")));
    told.extend(job.outputs().repeated().map(|text| format!("Repeated: {text}\n")));
    told += &format!("Empty: {}\n", report.filtered());
    told.extend(
        report.absorbed().iter().map(|skipped| format!("Skipped in {}: {}\n", skipped.slot, skipped.error)),
    );
    if history {
        told.extend(
            job.history().map(|entry| format!("{:>4} {}.{}\n", entry.sequence, entry.routine, entry.slot)),
        );
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use routilux::sim;

    /// What came out, in an order of its own.
    fn outputs(job: &mut Job<Contacts>) -> [Vec<String>; 3] {
        let outputs = [
            job.outputs().names().collect::<Vec<_>>(),
            job.outputs().addresses().collect(),
            job.outputs().repeated().collect(),
        ];
        outputs.map(|mut texts| {
            texts.sort_unstable();
            texts
        })
    }

    #[test]
    fn two_flows_of_one_type_are_independent_in_any_order() {
        sim::with_crashes().explore(Contacts::new(), 200, |job| -> routilux::Result<()> {
            for line in ["Ada, ada@b.c", "x", "Ada, x", "ada@b.c, X", &"y".repeat(25), ", "] {
                job.inputs().line(line.to_owned())?;
            }
            let report = job.run()?;
            let Different { names, addresses } = *report.result()?;
            assert_eq!((names, addresses), (3, 2));
            assert_eq!((report.skipped(), report.filtered(), report.unpaired().len()), (1, 4, 0));
            assert_eq!(
                outputs(job),
                [vec!["Ada", "ada@b.c", "x"], vec!["ada@b.c", "x"], vec!["the address x", "the name Ada"],]
            );
            Ok(())
        });
    }
}
