//! The program `fan_out_fan_in` against counts made in another way, in this thread and on others.
#![allow(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

mod common;

use common::{Ran, data, run};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::{TempDir, tempdir};

fn fan_out_fan_in<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ran {
    run(env!("CARGO_BIN_EXE_fan_out_fan_in"), arguments)
}

/// What it says of these files, which is the same on any number of workers.
fn counted(files: &[&Path], top: usize) -> String {
    let arguments = |workers: &[&str]| {
        let top = top.to_string();
        let options = ["--top", &top].into_iter().chain(workers.iter().copied()).map(OsString::from);
        options.chain(files.iter().map(|file| file.as_os_str().to_owned())).collect::<Vec<_>>()
    };
    let said = fan_out_fan_in(arguments(&[])).quiet();
    for workers in ["1", "4"] {
        assert_eq!(fan_out_fan_in(arguments(&["--workers", workers])).quiet(), said, "{workers} workers");
    }
    said
}

fn total(said: &str) -> u64 {
    said.lines().next().unwrap().strip_suffix(" words").unwrap().parse().unwrap()
}

fn file(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// How many words there are, byte by byte: a word begins where white space, or nothing, was before.
fn naive_total(text: &[u8]) -> u64 {
    let mut before = b' ';
    let mut words = 0;
    for byte in text {
        words += u64::from(b" \n\r\t\x0b\x0c".contains(&before) && !b" \n\r\t\x0b\x0c".contains(byte));
        before = *byte;
    }
    words
}

/// Bytes of all kinds. In its locale C, `wc` takes a word without anything printable for none: so each has a letter.
fn any_bytes() -> Vec<u8> {
    let mut text = Vec::new();
    let mut number = 1u64;
    for length in 0..60_000 {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bytes = number.to_le_bytes();
        text.push(b'a' + bytes[7] % 26);
        text.extend(bytes[..length % 7].iter().filter(|byte| !b" \n\r\t\x0b\x0c".contains(byte)));
        text.push(b" \n\r\t\x0b\x0c"[length % 6]);
    }
    text
}

#[test]
fn totals_are_those_of_wc() {
    let folder = tempdir().unwrap();
    let latin1 = file(&folder, "latin1.txt", b"caf\xe9 au lait \xffx\xfe\n\x0bx\x0cy\tz\r\nfin");
    let any = file(&folder, "any.bin", any_bytes());
    for path in [data(), latin1, any] {
        let text = fs::read(&path).unwrap();
        let total = total(&counted(&[&path], 3));
        assert_eq!(total, naive_total(&text), "{}", path.display());
        let Ok(wc) = Command::new("wc").arg("-w").arg(&path).env("LC_ALL", "C").output() else {
            println!("SKIPPED: there is no `wc` here");
            return;
        };
        let wc = String::from_utf8(wc.stdout).unwrap();
        assert_eq!(total, wc.split_whitespace().next().unwrap().parse().unwrap(), "{}", path.display());
    }
}

#[test]
fn words_of_all_files_and_pieces_are_counted_together() {
    let folder = tempdir().unwrap();
    let two = file(&folder, "two.txt", "The the THE\tthe\r\nintl  Intl\n\n end");
    // Far longer than a piece, and in one word.
    let long = file(&folder, "long.txt", format!("the {} the", "x".repeat(200_000)));
    let paths = [&data(), &two, &long];

    let mut counts: HashMap<String, u64> = HashMap::new();
    for path in paths {
        let text = fs::read_to_string(path).unwrap().to_lowercase();
        for word in text.split_ascii_whitespace() {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
    }
    let mut top: Vec<(String, u64)> = counts.into_iter().collect();
    let expected: u64 = top.iter().map(|(_, count)| count).sum();
    top.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));

    let said = counted(&paths.map(PathBuf::as_path), 20);
    assert_eq!(total(&said), expected);
    let told: Vec<(String, u64)> = said
        .lines()
        .skip(3)
        .map(|line| line.trim_start().split_once(' ').unwrap())
        .map(|(count, word)| (word.to_owned(), count.parse().unwrap()))
        .collect();
    assert_eq!(told, top[..20]);
}

#[test]
fn no_words_are_zero_words() {
    let folder = tempdir().unwrap();
    let empty = file(&folder, "empty.txt", "");
    let blank = file(&folder, "blank.txt", " \n\t\n\x0b\x0c");
    for files in [vec![&*empty], vec![&*blank], vec![&*empty, &*blank, &*empty]] {
        assert_eq!(counted(&files, 10), "0 words\n");
    }
    let one = file(&folder, "one.txt", "Ä");
    assert_eq!(counted(&[&empty, &one], 10), "1 words\n\nMost frequent:\n1 ä\n");
    assert_eq!(counted(&[&one], 0), "1 words\n");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempdir().unwrap();
    let missing = folder.path().join("missing.txt");
    for workers in [None, Some("--workers=2")] {
        for path in [&*missing, folder.path()] {
            let arguments = workers.map(OsString::from).into_iter();
            let error = fan_out_fan_in(arguments.chain([data().into(), path.into()])).error("fan_out_fan_in");
            assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
        }
    }
}

#[test]
fn usage_errors_are_told_apart() {
    for arguments in [vec![], vec!["--workers", "0", "x"], vec!["--top", "-1", "x"], vec!["--wrkers", "x"]] {
        let ran = fan_out_fan_in(&arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
    assert!(fan_out_fan_in(["--help"]).quiet().contains("--workers <N>"));
}
