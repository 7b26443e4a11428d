//! The program `composed` against lists that are cleaned in another way.
#![allow(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

mod common;

use common::{Ran, run};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

fn composed<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ran {
    run(env!("CARGO_BIN_EXE_composed"), arguments)
}

/// What one cleaning comes to: those that are kept, repeated, empty and too long.
#[derive(Default)]
struct Cleaned {
    kept: Vec<String>,
    repeated: Vec<String>,
    empty: usize,
    long: Vec<String>,
}

fn naive<'a>(texts: impl Iterator<Item = &'a str>, lowercase: bool, longest: usize) -> Cleaned {
    let mut all = Cleaned::default();
    for text in texts {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = if lowercase { text.to_lowercase() } else { text };
        if text.is_empty() {
            all.empty += 1;
        } else if text.chars().count() > longest {
            all.long.push(text);
        } else if all.kept.contains(&text) {
            all.repeated.push(text);
        } else {
            all.kept.push(text);
        }
    }
    all
}

#[test]
fn each_list_is_cleaned_by_itself() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contacts.txt");
    let text = fs::read_to_string(&path).unwrap();
    let split = || text.lines().map(|line| line.split_once(',').unwrap_or((line, "")));
    let names = naive(split().map(|(name, _)| name), false, 24);
    let addresses = naive(split().map(|(_, address)| address), true, 40);
    // What makes the example one.
    assert!(names.kept.iter().any(|name| addresses.kept.contains(name)));
    for list in [&names, &addresses] {
        assert!(!list.repeated.is_empty() && list.empty > 0 && !list.long.is_empty());
    }

    let said = composed::<&str>([]).quiet();
    assert_eq!(composed([&path]).quiet(), said);
    let mut lines = said.lines();
    for (list, what) in [(&names, "names"), (&addresses, "addresses")] {
        assert_eq!(lines.next().unwrap(), format!("{} {what}", list.kept.len()));
        for text in &list.kept {
            assert_eq!(lines.next().unwrap(), format!("  {text}"));
        }
    }
    let mut repeated: Vec<&str> =
        lines.by_ref().take(names.repeated.len() + addresses.repeated.len()).collect();
    let mut expected: Vec<String> =
        names.repeated.iter().map(|name| format!("Repeated: the name {name}")).collect();
    expected.extend(addresses.repeated.iter().map(|address| format!("Repeated: the address {address}")));
    repeated.sort_unstable();
    expected.sort_unstable();
    assert_eq!(repeated, expected);
    assert_eq!(lines.next().unwrap(), format!("Empty: {}", names.empty + addresses.empty));
    let skipped: Vec<&str> = lines.collect();
    assert_eq!(skipped.len(), names.long.len() + addresses.long.len());
    for (list, id) in [(&names, "names"), (&addresses, "addresses")] {
        for text in &list.long {
            let start = format!("Skipped in {id}.check.text: {text:?} has ");
            assert!(skipped.iter().any(|line| line.starts_with(&start)), "{said}");
        }
    }
}

#[test]
fn ids_tell_where_it_was() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("one.txt");
    fs::write(&path, "Ada, ada@example").unwrap();
    let said = composed([OsStr::new("--history"), path.as_os_str()]).quiet();
    let ran: Vec<&str> = said.lines().skip(5).map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    for id in [
        "split.line",
        "names.trim.text",
        "names.check.text",
        "names.distinct.text",
        "addresses.trim.text",
        "addresses.check.text",
        "addresses.distinct.text",
        "names.distinct.count",
        "addresses.distinct.count",
    ] {
        assert_eq!(ran.iter().filter(|ran| **ran == id).count(), 1, "{id}: {said}");
    }
    assert_eq!(ran[0], "split.line");
}

#[test]
fn nothing_comes_to_nothing() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("empty.txt");
    fs::write(&path, "").unwrap();
    assert_eq!(composed([&path]).quiet(), "0 names\n0 addresses\nEmpty: 0\n");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempdir().unwrap();
    let missing = folder.path().join("missing.txt");
    fs::write(folder.path().join("latin1.txt"), b"\xe9").unwrap();
    for path in [&*missing, folder.path(), &folder.path().join("latin1.txt")] {
        let error = composed([path]).error("composed");
        assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
    }
    assert_eq!(composed(["--histry"]).code, 2);
    assert!(composed(["--help"]).quiet().contains("--history"));
}
