//! A file that is larger than memory, in little memory: read by a *source*, which is called only while there is room for
//! what it emits. The job can be stopped at any moment, also by Ctrl-C, and goes on later where it read.
//!
//! ```sh
//! cargo run --release --bin big_file
//! cargo run --release --bin big_file -- --file big.txt --state job.json --stop-after 300MB
//! cargo run --release --bin big_file -- --file big.txt --state job.json
//! ```

mod flow;
mod generate;
mod peak;

use clap::Parser;
use flow::BigFile;
use generate::Subject;
use indicatif::{ProgressBar, ProgressStyle};
use routilux::prelude::*;
use routilux::{Control, Retention};
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

/// How many bytes a piece of the file has.
const PIECE: u64 = 64 * 1024;
/// How many pieces may wait. They are what a job has in memory, and what a saved one has to hold: as JSON, many times
/// as much.
const CAPACITY: usize = 8;

/// Digests a large file: how many bytes and lines it has, and its CRC-32. Tells how much memory that took.
#[derive(Parser)]
#[command(name = "big_file", version)]
struct Arguments {
    /// The file; written first if it is not there. Without this, a temporary one
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How large a file to write: a number and B, kB, MB, GB, KiB, MiB or GiB
    #[arg(long, default_value = "1GB", value_parser = generate::size)]
    size: u64,
    /// Where the job is saved when it is stopped; if it is there, the job goes on from it
    #[arg(long, value_name = "FILE", requires = "file")]
    state: Option<PathBuf>,
    /// Stop when so much is digested, as Ctrl-C does
    #[arg(long, value_name = "SIZE", value_parser = generate::size, requires = "state")]
    stop_after: Option<u64>,
    /// On how many threads; on none but the program's own otherwise
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,
}

fn main() -> ExitCode {
    examples::end("big_file", run(Arguments::parse()))
}

fn run(arguments: Arguments) -> Result<(), String> {
    let subject = Subject::new(arguments.file, arguments.size)?;
    let mut job = job_of(subject.path(), arguments.state.as_deref())?;
    let control = job.control();
    stop_on_ctrl_c(job.control())?;

    // Given to this closure, the output keeps nothing.
    let bar = bar(subject.bytes()?);
    let (shown, stop_after) = (bar.clone(), arguments.stop_after);
    job.outputs().digested().for_each(move |bytes| {
        shown.set_position(bytes);
        if stop_after.is_some_and(|most| bytes >= most) {
            control.pause("as much is digested as was asked for");
        }
    });

    let ran = run_job(job, arguments.workers);
    bar.finish_and_clear();
    let (report, state) = ran.map_err(examples::in_words)?;
    match report.status() {
        Status::Paused => save(&state, report.reason().unwrap_or("stopped"), arguments.state.as_deref()),
        _ => {
            let digest = report.result().map_err(examples::in_words)?;
            examples::print(format_args!("{digest}{}", peak::line()))?;
            // It is of no use any more.
            match arguments.state {
                Some(saved) if saved.exists() => {
                    fs::remove_file(&saved).map_err(|error| format!("{}: {error}", saved.display()))
                }
                _ => Ok(()),
            }
        }
    }
}

/// Runs a job until it has ended or is stopped. On threads it is read and digested at the same time, and what is read waits in
/// between: no more than there is room for.
fn run_job(
    mut job: Job<BigFile>,
    workers: Option<NonZeroUsize>,
) -> routilux::Result<(<BigFile as Flow>::Report, JobState)> {
    match workers {
        None => Ok((job.run()?, job.state()?)),
        Some(workers) => {
            let job = job.workers(workers.get()).start()?;
            Ok((job.finish()?, job.state()?))
        }
    }
}

/// A new job, or one that goes on where the saved one stood.
fn job_of(path: &Path, state: Option<&Path>) -> Result<Job<BigFile>, String> {
    let flow = BigFile::new(path.to_owned(), PIECE);
    let job = match state {
        Some(saved) if saved.exists() => {
            let state = JobState::load(saved).map_err(examples::in_words)?;
            flow.resume(state).map_err(|error| format!("{}: {error}", saved.display()))?
        }
        _ => flow.job(),
    };
    Ok(job.capacity(CAPACITY).retention(Retention::none()))
}

/// Saves a job that was stopped.
fn save(state: &JobState, reason: &str, path: Option<&Path>) -> Result<(), String> {
    let Some(path) = path else {
        return Err(format!("{reason}; nothing is saved: for that, give --file and --state"));
    };
    state.save(path).map_err(examples::in_words)?;
    examples::tell(format_args!("big_file: {reason}; with the same --file and --state it goes on"));
    Ok(())
}

/// Has the job pause on Ctrl-C: after the step that it is at.
fn stop_on_ctrl_c(control: Control) -> Result<(), String> {
    let in_words = |error| format!("Ctrl-C: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(in_words)?;
    let wait = move || {
        // Where it cannot be waited for, it ends the program as ever.
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            control.pause("stopped by Ctrl-C");
        }
    };
    thread::Builder::new().name("ctrl-c".to_owned()).spawn(wait).map_err(in_words)?;
    Ok(())
}

/// A bar on stderr, where that is a terminal.
fn bar(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    match ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
