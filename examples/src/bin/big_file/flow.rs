//! A file, piece by piece, to what it comes to.

use crc32fast::Hasher;
use routilux::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Reads a file.
#[routine]
pub(crate) struct Reader {
    path: PathBuf,
    /// How many bytes a piece has.
    piece: u64,
    /// How many bytes were read: what a saved job needs to go on.
    #[state]
    position: u64,
    /// An open file cannot be saved. A job that goes on, here or elsewhere, opens it again.
    #[transient]
    file: Option<File>,
}

#[routine]
impl Reader {
    /// Some bytes of the file.
    #[event]
    fn piece(bytes: Vec<u8>);

    /// Reads the next piece. It is called at the start, and again as long as it says that there is more, but only while there
    /// is room: fewer deliveries wait than the job's capacity allows. So a file is never faster than who takes it.
    #[source(start)]
    fn read(&mut self, out: &mut Emit<Self>) -> Result<More> {
        let bytes = self.next().map_err(|error| format!("{}: {error}", self.path.display()))?;
        if bytes.is_empty() {
            return Ok(More::Done);
        }
        self.position += bytes.len() as u64;
        out.piece(bytes);
        Ok(More::Now)
    }
}

impl Reader {
    /// The next piece; empty at the end.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut file = File::open(&self.path)?;
                if file.metadata()?.len() < self.position {
                    return Err(io::Error::other("it is shorter than what was read of it before"));
                }
                file.seek(SeekFrom::Start(self.position))?;
                none.insert(file)
            }
        };
        let mut bytes = Vec::with_capacity(self.piece as usize);
        file.take(self.piece).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Adds up a file. Pieces come in the order they were emitted, on threads too.
#[routine]
pub(crate) struct Digester {
    #[state]
    so_far: Digest,
}

#[routine]
impl Digester {
    /// How many bytes are digested.
    #[event]
    fn digested(bytes: u64);
    /// What the file came to.
    #[event]
    fn finished(all: Digest);

    /// Takes a piece.
    #[slot]
    fn piece(&mut self, bytes: &Vec<u8>, out: &mut Emit<Self>) {
        self.so_far.add(bytes);
        out.digested(self.so_far.bytes);
    }

    /// Runs once, when no piece can come any more.
    #[finish]
    fn flush(&mut self, out: &mut Emit<Self>) {
        out.finished(self.so_far);
    }
}

/// What bytes come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Digest {
    bytes: u64,
    lines: u64,
    crc32: u32,
}

impl Digest {
    fn add(&mut self, bytes: &[u8]) {
        let mut hasher = Hasher::new_with_initial(self.crc32);
        hasher.update(bytes);
        self.crc32 = hasher.finalize();
        self.bytes += bytes.len() as u64;
        self.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12}{:>14}", "Bytes", self.bytes)?;
        writeln!(f, "{:<12}{:>14}", "Lines", self.lines)?;
        writeln!(f, "{:<12}{:>14}", "CRC-32", format!("{:08x}", self.crc32))
    }
}

flow! {
    /// The file is read by itself, without an input; what it comes to is the result.
    pub(crate) flow BigFile(path: PathBuf, piece: u64) {
        reader:   Reader { path, piece };
        digester: Digester;

        reader.piece      -> digester.piece;
        digester.digested -> out digested;
        digester.finished -> return;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routilux::sim;

    #[test]
    fn a_job_saved_after_any_step_comes_to_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "\n".repeat(25)).unwrap();
        let flow = BigFile::new(path, 2);
        let unbroken = *flow.job().run().unwrap().result().unwrap();
        assert_eq!((unbroken.bytes, unbroken.lines), (25, 25));

        // Crashes are between steps; a job that has crashed goes on with what was last saved.
        sim::with_crashes().explore(flow, 100, |job| -> routilux::Result<()> {
            assert_eq!(job.run()?.result()?, &unbroken);
            assert!(job.outputs().digested().eq((1..=13).map(|piece| 25.min(2 * piece))));
            Ok(())
        });
    }

    #[test]
    fn a_reader_that_goes_on_opens_its_file_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"abc").unwrap();
        let mut reader = Reader { path, piece: 8, position: 2, file: None };
        let mut out = Emit::<Reader>::default();
        assert_eq!(reader.read(&mut out).unwrap(), More::Now);
        assert_eq!(reader.read(&mut out).unwrap(), More::Done);
        assert_eq!(out.emitted().events(), ["piece"]);
        assert_eq!(reader.position, 3);
    }
}
