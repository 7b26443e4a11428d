//! The file that is digested, and is written first if there is none.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file to digest. A temporary one is gone when this is dropped.
pub(crate) enum Subject {
    Given(PathBuf),
    Temporary(NamedTempFile),
}

impl Subject {
    /// The file with this path; written, with so many bytes, if there is none yet.
    pub(crate) fn new(path: Option<PathBuf>, bytes: u64) -> Result<Self, String> {
        let Some(path) = path else {
            let written = NamedTempFile::new().and_then(|file| fill(file, bytes));
            return written.map(Subject::Temporary).map_err(|error| format!("a temporary file: {error}"));
        };
        if !path.exists() {
            // It gets its name when it is whole.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let new = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
            let written = new.and_then(|file| fill(file, bytes)).and_then(|file| Ok(file.persist(&path)?));
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(Subject::Given(path))
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Subject::Given(path) => path,
            Subject::Temporary(file) => file.path(),
        }
    }

    pub(crate) fn bytes(&self) -> Result<u64, String> {
        let path = self.path();
        fs::metadata(path).map(|file| file.len()).map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// Writes so many bytes of lines that are all different, and of different lengths.
fn fill(file: NamedTempFile, bytes: u64) -> io::Result<NamedTempFile> {
    const TEXT: &str = "It is a truth universally acknowledged, that a file in possession of a good number of lines, \
        must be in want of a reader. However little known the feelings or views of such a file may be on its first \
        being opened, this truth is so well fixed in the minds of the surrounding programs, that it is considered \
        as the rightful property of some one or other of their loops.";
    let mut file = BufWriter::with_capacity(1 << 18, file);
    let (mut left, mut line) = (bytes, Vec::new());
    for number in 0usize.. {
        if left == 0 {
            break;
        }
        line.clear();
        writeln!(line, "{number} {}", &TEXT[..number * 101 % TEXT.len()])?;
        line.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        file.write_all(&line)?;
        left -= line.len() as u64;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Reads a size: a number and a unit.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit: u64 = match unit.trim_start() {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("expected a number and B, kB, MB, GB, KiB, MiB or GiB, as in 200MB".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "expected a whole number first, as in 200MB".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "no file is that large".to_owned())
}
