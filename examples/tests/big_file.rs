//! The program `big_file`: what it comes to, interrupted or not, and in how much memory.
#![allow(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

mod common;

use common::{Ran, run};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::tempdir;

fn big_file<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Ran {
    run(env!("CARGO_BIN_EXE_big_file"), arguments)
}

/// What was told of a file, and the peak of memory in MiB, where that is known.
fn told(said: &str) -> (Vec<&str>, Option<f64>) {
    let (peak, digest): (Vec<&str>, _) = said.lines().partition(|line| line.starts_with("Peak memory"));
    assert_eq!(digest.len(), 3, "{said}");
    let mib = |line: &&str| words(line).strip_prefix("Peak memory ")?.strip_suffix(" MiB")?.parse().ok();
    let peak = peak.first().map(|line| mib(line).unwrap());
    assert!(peak.is_some() || !cfg!(target_os = "linux"), "{said}");
    (digest, peak)
}

/// The same, without the help of others.
fn naive(bytes: &[u8]) -> [String; 3] {
    let crc = !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    [format!("Bytes {}", bytes.len()), format!("Lines {lines}"), format!("CRC-32 {crc:08x}")]
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn it_comes_to_the_same_as_a_naive_digest() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("file");
    let name = path.to_str().unwrap();
    for size in [0, 1, 65_535, 65_536, 65_537, 1_000_000] {
        let said = big_file(["--size", &size.to_string(), "--file", name]).quiet();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), size);
        assert_eq!(told(&said).0.into_iter().map(words).collect::<Vec<_>>(), naive(&bytes));
        // The file that is there is taken, whatever the size.
        assert_eq!(told(&big_file(["--size", "7", "--file", name]).quiet()).0, told(&said).0);
        let said_on_threads = big_file(["--size", &size.to_string(), "--workers", "2"]).quiet();
        assert_eq!(told(&said_on_threads).0, told(&said).0);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn it_takes_little_memory_and_goes_on_where_it_was_stopped() {
    const MOST: f64 = 64.0;
    let folder = tempdir().unwrap();
    let (path, state) = (folder.path().join("file"), folder.path().join("job.json"));
    let [file, save] = [&path, &state].map(|path| path.to_str().unwrap());

    let said = big_file(["--size", "200MB", "--file", file]).quiet();
    let (unbroken, peak) = told(&said);
    assert!(peak.is_none_or(|peak| peak < MOST), "{said}");
    assert_eq!(words(unbroken[0]), "Bytes 200000000");
    if let Ok(wc) = Command::new("wc").arg("-l").arg(&path).output() {
        let wc = String::from_utf8(wc.stdout).unwrap();
        assert_eq!(words(unbroken[1]), format!("Lines {}", wc.split_whitespace().next().unwrap()));
    } else {
        println!("SKIPPED: there is no `wc` here");
    }

    // In this thread and on others, in turn: a saved job does not know the difference.
    for (stop, workers) in [("60MB", &["--workers", "2"][..]), ("1", &[]), ("140MB", &["--workers", "3"])] {
        let arguments = ["--file", file, "--state", save, "--stop-after", stop];
        let ran = big_file(arguments.into_iter().chain(workers.iter().copied()));
        // It was further than that before: then it stops at once, and has not forgotten.
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("goes on"), "{}", ran.stderr);
        assert!(state.exists());
    }
    let said = big_file(["--file", file, "--state", save, "--workers", "2"]).quiet();
    let (resumed, peak) = told(&said);
    assert_eq!(resumed, unbroken);
    assert!(peak.is_none_or(|peak| peak < MOST), "{said}");
    assert!(!state.exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_and_saves_it() {
    let folder = tempdir().unwrap();
    let (path, state) = (folder.path().join("file"), folder.path().join("job.json"));
    let [file, save] = [&path, &state].map(|path| path.to_str().unwrap());
    let unbroken = big_file(["--size", "100MB", "--file", file]).quiet();

    for workers in [&[][..], &["--workers", "2"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_big_file"));
        command.args(["--file", file, "--state", save]).args(workers);
        let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let start = Instant::now();
        while !(heeds_ctrl_c(process.id()) && reads(process.id(), &path)) {
            assert!(start.elapsed() < Duration::from_secs(10), "it does not read");
            std::thread::yield_now();
        }
        assert!(Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap().success());
        let output = process.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        // A machine that is fast enough has read it all before.
        if !output.stdout.is_empty() {
            println!("SKIPPED: it was done before it could be stopped");
            continue;
        }
        assert!(String::from_utf8(output.stderr).unwrap().contains("stopped by Ctrl-C"));
        assert_eq!(told(&big_file(["--file", file, "--state", save]).quiet()).0, told(&unbroken).0);
    }
}

/// Whether a process has its own way with SIGINT, on Linux. Elsewhere it has to be trusted.
#[cfg(unix)]
fn heeds_ctrl_c(process: u32) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else {
        std::thread::sleep(Duration::from_millis(100));
        return true;
    };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(caught.trim(), 16).unwrap() & 2 != 0
}

/// Whether a process has a file open, as far as can be told.
#[cfg(unix)]
fn reads(process: u32, path: &Path) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{process}/fd")) else { return true };
    open.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|file| file == path))
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let folder = tempdir().unwrap();
    let folder_name = folder.path().to_str().unwrap();
    let error = big_file(["--file", folder_name]).error("big_file");
    assert!(error.starts_with(&format!("{folder_name}: ")), "{error}");

    let nowhere = folder.path().join("no/such/folder/file");
    let error = big_file(["--file", nowhere.to_str().unwrap()]).error("big_file");
    assert!(error.starts_with(&format!("{}: ", nowhere.display())), "{error}");

    // The saved job is none; and it is one, but its file is shorter than what was read.
    let (file, save) = (folder.path().join("file"), folder.path().join("job.json"));
    let [file, save] = [&file, &save].map(|path| path.to_str().unwrap());
    fs::write(save, "{}").unwrap();
    let error = big_file(["--size", "1MB", "--file", file, "--state", save]).error("big_file");
    assert!(error.contains(save), "{error}");
    fs::remove_file(save).unwrap();
    assert_eq!(big_file(["--file", file, "--state", save, "--stop-after", "500kB"]).code, 0);
    fs::write(file, "short").unwrap();
    let error = big_file(["--file", file, "--state", save]).error("big_file");
    assert!(error.starts_with(&format!("{file}: ")) && error.contains("shorter"), "{error}");
}

#[test]
fn usage_errors_are_told_apart() {
    for arguments in [
        vec!["--size", "x"],
        vec!["--size", "1XB"],
        vec!["--size", "-1"],
        vec!["--size", "99999999999GB"],
        vec!["--state", "x"],
        vec!["--file", "x", "--stop-after", "1MB"],
        vec!["--workers", "0"],
        vec!["x"],
    ] {
        let ran = big_file(arguments.iter().copied());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
    assert!(big_file(["--help"]).quiet().contains("--stop-after <SIZE>"));
}
