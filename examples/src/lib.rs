//! What the example programs share: how they print, how they tell an error, how they end.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// Writes `text` to stdout. That nobody reads it to its end, as in `strikes | head`, is no error.
///
/// # Errors
/// What the system says, if stdout cannot be written for another reason: a full disk, say.
pub fn print(text: impl Display) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    match write!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("stdout: {error}")),
        _ => Ok(()),
    }
}

/// Writes a line to stderr, like `eprintln!`, which panics where there is no stderr to write to.
pub fn tell(line: impl Display) {
    // There is nowhere left to say that this failed.
    let _ = writeln!(io::stderr(), "{line}");
}

/// How a program ends: well, or with what went wrong in one line after its name, and exit code 1.
pub fn end(program: &str, result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(format_args!("{program}: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// The error of a job in the words of a program's user. A handler that failed has said what is wrong with the
/// input; in which slot of the flow it was noticed is for the program's author.
pub fn in_words(error: routilux::Error) -> String {
    match error {
        routilux::Error::SlotHandler { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
