//! The program `word_count` against a count made in another way.
#![allow(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

mod common;

use common::{Ran, data, run};
use serde_json::Value;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::tempdir;

fn word_count<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ran {
    run(env!("CARGO_BIN_EXE_word_count"), arguments)
}

fn json(paths: &[&Path]) -> Value {
    let arguments = [OsStr::new("--json")].into_iter().chain(paths.iter().map(|path| path.as_os_str()));
    serde_json::from_str(&word_count(arguments).quiet()).unwrap()
}

/// How many words there are, byte by byte: a word begins where white space, or nothing, was before. For ASCII.
fn naive_total(text: &[u8]) -> u64 {
    let mut before = b' ';
    let mut words = 0;
    for byte in text {
        words += u64::from(b" \n\r\t\x0b\x0c".contains(&before) && !b" \n\r\t\x0b\x0c".contains(byte));
        before = *byte;
    }
    words
}

#[test]
fn totals_and_most_frequent_are_those_of_a_naive_count() {
    let folder = tempdir().unwrap();
    let (one, two) = (data(), folder.path().join("two.txt"));
    fs::write(&two, "The the THE\tthe\r\nintl  Intl\n\n end").unwrap();
    let bytes = [fs::read(&one).unwrap(), fs::read(&two).unwrap()];

    let said = json(&[&one, &two]);
    assert_eq!(said["files"][0]["path"], one.to_str().unwrap());
    assert_eq!(said["files"][0]["words"], naive_total(&bytes[0]));
    assert_eq!(said["files"][1]["words"], 7);
    assert_eq!(said["files"].as_array().unwrap().len(), 2);
    assert_eq!(said["total"], naive_total(&bytes[0]) + 7);

    let text = String::from_utf8(bytes.concat()).unwrap().to_lowercase();
    // Without a file's last line break, its last word would run into the next file.
    let first = String::from_utf8(bytes[0].clone()).unwrap().to_lowercase();
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for word in first.split_ascii_whitespace().chain(text[first.len()..].split_ascii_whitespace()) {
        *counts.entry(word).or_default() += 1;
    }
    let mut top: Vec<(&str, u64)> = counts.into_iter().collect();
    top.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let said: Vec<(&str, u64)> = said["top"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| (word["word"].as_str().unwrap(), word["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(said.len(), 20);
    assert_eq!(said, top[..20]);
}

#[test]
fn totals_are_those_of_wc() {
    // In the C locale, `wc` takes what is not ASCII for no word at all; so the text has letters in every word.
    let folder = tempdir().unwrap();
    let path = folder.path().join("text.txt");
    fs::write(&path, "Grüße an a\u{e4}b\n\u{b}x\u{c}y zé\r\n\t. 1,2 --\n").unwrap();
    for path in [data(), path] {
        let Ok(wc) = Command::new("wc").arg("-w").arg(&path).output() else {
            println!("SKIPPED: there is no `wc` here");
            return;
        };
        let wc = String::from_utf8(wc.stdout).unwrap();
        let total: u64 = wc.split_whitespace().next().unwrap().parse().unwrap();
        assert_eq!(json(&[&path])["total"], total, "{}", path.display());
    }
}

#[test]
fn text_says_the_same_as_json() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.txt");
    fs::write(&path, "b a B\nÄ ä").unwrap();
    let path = path.to_str().unwrap();
    assert_eq!(word_count([path]).quiet(), format!("5 {path}\n5 total\n\nMost frequent:\n2 b\n2 ä\n1 a\n"));
    let expected = serde_json::json!({
        "files": [{"path": path, "words": 5}],
        "total": 5,
        "top": [{"word": "b", "count": 2}, {"word": "ä", "count": 2}, {"word": "a", "count": 1}],
    });
    assert_eq!(json(&[Path::new(path)]), expected);
}

#[test]
fn bytes_that_are_no_text_are_counted_and_do_no_harm() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("latin1.txt");
    fs::write(&path, b"caf\xe9 au lait \xff\xfe\n").unwrap();
    assert_eq!(json(&[&path])["total"], 4);
    fs::write(&path, b"").unwrap();
    assert_eq!(
        json(&[&path]),
        serde_json::json!({"files": [{"path": path.to_str(), "words": 0}], "total": 0, "top": []})
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempdir().unwrap();
    let missing = folder.path().join("missing.txt");
    let error = word_count([data(), missing.clone()]).error("word_count");
    assert!(error.starts_with(&format!("{}: ", missing.display())), "{error}");
    let error = word_count([folder.path()]).error("word_count");
    assert!(error.starts_with(&format!("{}: ", folder.path().display())), "{error}");
}

#[test]
fn usage_errors_are_told_apart() {
    for arguments in [vec![], vec!["--json"], vec!["--jsn", "x"]] {
        let ran = word_count(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains("Usage: word_count"), "{}", ran.stderr);
    }
    assert_eq!(word_count(["--version"]).quiet(), concat!("word_count ", env!("CARGO_PKG_VERSION"), "\n"));
}
