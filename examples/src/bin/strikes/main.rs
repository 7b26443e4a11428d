//! What wildlife strikes cost: 10,000 rows of the US Federal Aviation Administration through a flow that reads,
//! parses, validates and adds them up. The job can be paused after any row, saved, and finished later.

mod flow;
mod parse;
mod progress;
mod read;
mod report;
mod row;
mod tally;
mod validate;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use flow::Strikes;
use progress::Progress;
use routilux::prelude::*;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Reports what wildlife strikes cost, by operator, species and month.
///
/// The report goes to stdout. Malformed rows are left out of it, counted in it, and told on stderr, each with its
/// line and the reason. Empty lines are no rows.
#[derive(Parser)]
#[command(name = "strikes", version)]
struct Arguments {
    /// The strikes, as CSV; the 10,000 that come with this example otherwise
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Pause after so many rows, save the job and exit
    #[arg(long, value_name = "N", requires = "save")]
    pause_after: Option<u64>,
    /// Where to save the paused job
    #[arg(long, value_name = "FILE", requires = "pause_after")]
    save: Option<PathBuf>,
    /// Finish a saved job
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "pause_after", "save"])]
    resume: Option<PathBuf>,
}

fn main() -> ExitCode {
    examples::end("strikes", run(Arguments::parse()))
}

fn run(arguments: Arguments) -> Result<(), String> {
    if let Some(saved) = arguments.resume {
        return finish(resumed(&saved)?);
    }
    let given = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/birdstrikes.csv");
    let input = arguments.input.unwrap_or(given);
    match (arguments.pause_after, arguments.save) {
        (Some(rows), Some(save)) => {
            refuse_to_overwrite(&input, &save);
            run_until(started(input)?, rows, &save)
        }
        // clap has seen to it that there is neither.
        _ => finish(started(input)?),
    }
}

/// A job whose first step, the reading of the file, is done.
fn started(input: PathBuf) -> Result<Job<Strikes>, String> {
    let mut job = Strikes::new().job();
    job.inputs().path(input).map_err(examples::in_words)?;
    job.step().map_err(examples::in_words)?;
    Ok(job)
}

/// A job that goes on where a saved one stood.
fn resumed(saved: &Path) -> Result<Job<Strikes>, String> {
    let state = JobState::load(saved).map_err(examples::in_words)?;
    Strikes::new().resume(state).map_err(|error| format!("{}: {error}", saved.display()))
}

/// Runs the job until so many rows are accepted or rejected, and saves it.
fn run_until(mut job: Job<Strikes>, rows: u64, save: &Path) -> Result<(), String> {
    let all = progress::rows_left(&job);
    if rows > all {
        finish(job)?;
        examples::tell(format_args!(
            "strikes: the file ended after {all} rows, before the pause; nothing was saved"
        ));
        return Ok(());
    }
    let reason = format!("after {rows} rows, as asked for");
    match rows {
        // No row has to be handled for that, so there is nothing to wait for.
        0 => job.pause(reason),
        _ => {
            let mut left = rows;
            job = job.after_handler(move |cx, entry| {
                left -= u64::from(left > 0 && progress::settles_a_row(entry));
                if left == 0 {
                    cx.pause(reason.as_str());
                }
            });
        }
    }
    let progress = Progress::of(rows);
    job = progress.follow(job);
    let ran = job.run();
    progress.clear();
    let _ = ran.map_err(examples::in_words)?;
    job.state().and_then(|state| state.save(save)).map_err(examples::in_words)?;
    let save = save.display();
    examples::tell(format_args!(
        "strikes: paused after {rows} of {all} rows; `--resume {save}` finishes the job"
    ));
    Ok(())
}

/// Runs the job to its end and prints what it came to.
fn finish(mut job: Job<Strikes>) -> Result<(), String> {
    let progress = Progress::of(progress::rows_left(&job));
    job = progress.follow(job);
    let ran = job.run();
    progress.clear();
    let ran = ran.map_err(examples::in_words)?;
    let report = ran.result().map_err(examples::in_words)?;
    tell_rejected(&mut job);
    examples::print(report)
}

/// Tells each rejected row as compilers do, `path:line: reason`.
fn tell_rejected(job: &mut Job<Strikes>) {
    let path = job.outputs().source().next().unwrap_or_default();
    let mut stderr = BufWriter::new(io::stderr().lock());
    for row in job.outputs().rejected() {
        // Where stderr is closed, nobody asks for it.
        let _ = writeln!(stderr, "{path}:{}: {}", row.line, row.reason);
    }
}

/// Ends the program with a usage error if the job would be saved over its own input.
fn refuse_to_overwrite(input: &Path, save: &Path) {
    if let (Ok(one), Ok(other)) = (fs::canonicalize(input), fs::canonicalize(save))
        && one == other
    {
        let what = format!("the job would be saved over its input, {}", input.display());
        Arguments::command().error(ErrorKind::ArgumentConflict, what).exit();
    }
}
