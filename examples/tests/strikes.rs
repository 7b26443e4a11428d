//! The program `strikes` on real and on malformed input, against counts made in another way.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "what is not as it should be fails the test")]

mod common;

use common::{Ran, data, run};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::{TempDir, tempdir};

fn strikes<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ran {
    run(env!("CARGO_BIN_EXE_strikes"), arguments)
}

const HEADER: &str = "Airport Name,Aircraft Make Model,Effect Amount of damage,Flight Date,Aircraft Airline Operator,\
    Origin State,Phase of flight,Wildlife Size,Wildlife Species,Time of day,Cost Other,Cost Repair,Cost Total $,\
    Speed IAS in knots";

/// A row that is right.
fn row(date: &str, operator: &str, species: &str, cost: impl std::fmt::Display) -> String {
    format!("X,B-737,None,{date},{operator},Texas,Climb,Small,{species},Day,0,0,{cost},")
}

fn file(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn input(path: &Path) -> Ran {
    strikes([OsStr::new("--input"), path.as_os_str()])
}

/// The three closing lines: rows accepted, rows rejected, sum of costs.
fn closing(report: &str) -> [u128; 3] {
    let lines: Vec<&str> = report.lines().collect();
    let names = ["Rows accepted", "Rows rejected", "Sum of Cost Total $"];
    let last = lines[lines.len() - 3..]
        .iter()
        .zip(names)
        .map(|(line, name)| line.strip_prefix(name).expect(line).trim().parse().unwrap());
    last.collect::<Vec<u128>>().try_into().unwrap()
}

/// The lines of the table with this title.
fn table(report: &str, title: &str) -> Vec<(String, u128)> {
    let lines = report
        .lines()
        .skip_while(|line| !line.starts_with(title))
        .skip(2)
        .take_while(|line| !line.is_empty());
    let cells = lines.map(|line| line.rsplit_once(' ').unwrap());
    cells.map(|(name, amount)| (name.trim_end().to_owned(), amount.parse().unwrap())).collect()
}

fn top(amounts: BTreeMap<String, u128>) -> Vec<(String, u128)> {
    let mut all: Vec<_> = amounts.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(10);
    all
}

#[test]
fn the_report_is_that_of_a_naive_count() {
    let text = fs::read_to_string(data()).unwrap();
    let (mut rows, mut cost) = (0, 0);
    let (mut operators, mut species, mut months) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let dollars: u128 = fields[12].parse().unwrap();
        rows += 1;
        cost += dollars;
        *operators.entry(fields[4].to_owned()).or_default() += dollars;
        *species.entry(fields[8].to_owned()).or_default() += 1;
        *months.entry(&fields[3][5..7]).or_default() += 1;
    }
    let report = strikes::<&str>([]).quiet();
    assert_eq!(closing(&report), [rows, 0, cost]);
    assert_eq!(closing(&report), [10_000, 0, 40_545_276]);
    assert_eq!(table(&report, "Cost by operator"), top(operators));
    assert_eq!(table(&report, "Strikes by species"), top(species));
    let counts: Vec<u128> = table(&report, "Strikes by month").into_iter().map(|(_, count)| count).collect();
    assert_eq!(counts, months.into_values().collect::<Vec<u128>>());
    assert_eq!(counts.len(), 12);
}

/// How many rows are accepted or rejected in a saved job.
fn settled(save: &Path) -> u64 {
    let file: serde_json::Value = serde_json::from_slice(&fs::read(save).unwrap()).unwrap();
    let totals = &file["state"]["routines"]["validate"]["totals"];
    totals["accepted"].as_u64().unwrap() + totals["rejected"].as_u64().unwrap()
}

#[test]
fn a_paused_and_resumed_job_reports_what_an_unbroken_one_does() {
    let folder = tempdir().unwrap();
    let unbroken = strikes::<&str>([]).quiet();
    for rows in ["0", "1", "5000", "9999", "10000"] {
        let save = folder.path().join("job.json");
        let ran = strikes(["--pause-after", rows, "--save", save.to_str().unwrap()]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("paused after {rows} of 10000 rows")), "{}", ran.stderr);
        // It is paused where it was asked to: so many rows are in the books.
        assert_eq!(settled(&save).to_string(), rows);
        for _ in 0..2 {
            assert_eq!(strikes([OsStr::new("--resume"), save.as_os_str()]).quiet(), unbroken, "after {rows}");
        }
    }
}

#[test]
fn a_pause_after_the_end_does_not_happen() {
    let save = tempdir().unwrap().path().join("job.json");
    let ran = strikes(["--pause-after", "10001", "--save", save.to_str().unwrap()]);
    assert_eq!(ran.code, 0);
    assert_eq!(ran.stdout, strikes::<&str>([]).quiet());
    assert!(
        ran.stderr.contains("ended after 10000 rows") && ran.stderr.contains("nothing was saved"),
        "{}",
        ran.stderr
    );
    assert!(!save.exists());
}

/// Rows of which some are malformed, and what is to be said of those.
fn malformed() -> (Vec<u8>, Vec<(u64, &'static str)>, [u128; 3]) {
    let dated = |date| row(date, "A", "Gull", 1);
    let costing = |cost| row("1999-01-01", "A", "Gull", cost);
    let right = costing("100");
    let rows: Vec<(Vec<u8>, Option<&str>)> = vec![
        (right.clone().into(), None),
        (b"a,b".into(), Some("expected 14 fields, found 2")),
        (format!("{right},").into(), Some("expected 14 fields, found 15")),
        (b" ".into(), Some("expected 14 fields, found 1")),
        (dated("1999-02-29").into(), Some("`Flight Date` is \"1999-02-29\"")),
        (dated("1999-13-01").into(), Some("`Flight Date` is \"1999-13-01\"")),
        (dated("1999-1-1").into(), Some("`Flight Date` is \"1999-1-1\"")),
        (dated("1999-01-01T00:00").into(), Some("`Flight Date` is \"1999-01-01T00:00\"")),
        (dated("").into(), Some("`Flight Date` is \"\"")),
        (b"".into(), None),
        (costing("").into(), Some("`Cost Total $` is \"\"")),
        (costing("1.5").into(), Some("`Cost Total $` is \"1.5\"")),
        (costing("-1").into(), Some("`Cost Total $` is \"-1\"")),
        (costing("+1").into(), Some("`Cost Total $` is \"+1\"")),
        (costing("18446744073709551616").into(), Some("more than can be counted")),
        (right.replace("Day,0,", "Day,x,").into(), Some("`Cost Other` is \"x\"")),
        (right.replace(",0,100", ",y,100").into(), Some("`Cost Repair` is \"y\"")),
        (right.replace("X,", "\u{1},").replace('\u{1}', "\"X").into(), None),
        ([b"\xff", right.as_bytes()].concat(), Some("byte 1 is not UTF-8")),
        (costing("18446744073709551615").into(), None),
        (costing("18446744073709551615").into(), None),
        (right.replace("Texas", "Te\rxas").into(), None),
    ];
    let expected = rows.iter().zip(2..).filter_map(|((_, reason), line)| Some((line, (*reason)?))).collect();
    let mut text = HEADER.as_bytes().to_vec();
    for (number, (row, _)) in rows.iter().enumerate() {
        text.extend(if number % 2 == 0 { "\n" } else { "\r\n" }.as_bytes());
        text.extend(row);
    }
    // Five are right, and one line is empty.
    (text, expected, [5, 16, 300 + 2 * u128::from(u64::MAX)])
}

fn assert_told(stderr: &str, path: &Path, expected: &[(u64, &str)]) {
    let told: Vec<&str> = stderr.lines().collect();
    assert_eq!(told.len(), expected.len(), "{stderr}");
    for (told, (line, reason)) in told.iter().zip(expected) {
        assert!(
            told.starts_with(&format!("{}:{line}: ", path.display())) && told.contains(reason),
            "{told}: {line} {reason}"
        );
    }
}

#[test]
fn malformed_rows_are_told_with_line_and_reason_and_no_row_is_dropped() {
    let folder = tempdir().unwrap();
    let (text, expected, totals) = malformed();
    let path = file(&folder, "malformed.csv", text);
    let ran = input(&path);
    assert_eq!(ran.code, 0);
    assert_told(&ran.stderr, &path, &expected);
    assert_eq!(closing(&ran.stdout), totals);
    assert_eq!(totals[1], expected.len() as u128);
}

#[test]
fn malformed_rows_are_told_once_by_the_run_that_finishes() {
    let folder = tempdir().unwrap();
    let (text, expected, totals) = malformed();
    let path = file(&folder, "malformed.csv", text);
    let unbroken = input(&path).stdout;
    let save = folder.path().join("job.json");
    for rows in 0..=totals[0] + totals[1] {
        let rows = rows.to_string();
        let (path_text, save_text) = (path.to_str().unwrap(), save.to_str().unwrap());
        let ran = strikes(["--input", path_text, "--pause-after", &rows, "--save", save_text]);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.lines().count()), (0, "", 1), "{}", ran.stderr);
        assert_eq!(settled(&save).to_string(), rows);
        // Nothing but the saved job is needed any more.
        fs::rename(&path, folder.path().join("away.csv")).unwrap();
        let ran = strikes(["--resume", save_text]);
        assert_eq!((ran.code, &ran.stdout), (0, &unbroken));
        assert_told(&ran.stderr, &path, &expected);
        fs::rename(folder.path().join("away.csv"), &path).unwrap();
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_make_no_difference() {
    let folder = tempdir().unwrap();
    let report = strikes::<&str>([]).quiet();
    let text = fs::read_to_string(data()).unwrap().replace('\r', "");
    for (name, text) in [
        ("lf", text.clone()),
        ("ended", format!("{text}\n")),
        ("crlf", text.replace('\n', "\r\n")),
        ("bom", format!("\u{feff}{text}")),
        ("blank", text.replace('\n', "\n\r\n")),
    ] {
        assert_eq!(input(&file(&folder, name, text)).quiet(), report, "{name}");
    }
}

#[test]
fn no_rows_are_no_error() {
    let folder = tempdir().unwrap();
    for text in [HEADER.to_owned(), format!("{HEADER}\r\n"), format!("{HEADER}\n\n\n")] {
        let path = file(&folder, "header.csv", text);
        assert_eq!(closing(&input(&path).quiet()), [0, 0, 0]);
        let save = folder.path().join("job.json");
        let ran = strikes([
            "--input",
            path.to_str().unwrap(),
            "--pause-after",
            "0",
            "--save",
            save.to_str().unwrap(),
        ]);
        assert_eq!(ran.code, 0);
        assert_eq!(closing(&strikes([OsStr::new("--resume"), save.as_os_str()]).quiet()), [0, 0, 0]);
    }
}

#[test]
fn equal_amounts_are_in_the_order_of_their_names() {
    let folder = tempdir().unwrap();
    let rows = ["C", "A", "B", "Ü", "a"].map(|name| row("2000-02-29", name, name, 7));
    let report = input(&file(&folder, "ties.csv", format!("{HEADER}\n{}", rows.join("\n")))).quiet();
    let expected = ["A", "B", "C", "a", "Ü"];
    assert_eq!(table(&report, "Cost by operator"), expected.map(|name| (name.to_owned(), 7)));
    assert_eq!(table(&report, "Strikes by species"), expected.map(|name| (name.to_owned(), 1)));
    assert_eq!(table(&report, "Strikes by month")[1], ("February".to_owned(), 5));
}

#[test]
fn what_is_no_file_of_strikes_is_told_with_path_and_line() {
    let folder = tempdir().unwrap();
    let garbage: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", b"".into(), "the file is empty; expected the header `Airport Name,"),
        ("blank", b"\n\n".into(), "expected `Airport Name` in column 1, found \"\""),
        ("garbage", garbage, "expected `Airport Name` in column 1, found "),
        ("zeros", vec![0; 1 << 20], "expected `Airport Name` in column 1, found "),
        (
            "renamed",
            HEADER.replace("Flight Date", "Date").into(),
            "expected `Flight Date` in column 4, found \"Date\"",
        ),
        (
            "short",
            HEADER.replace(",Speed IAS in knots", "").into(),
            "`Speed IAS in knots` in column 14, found 13 columns",
        ),
        ("long", format!("{HEADER},More").into(), "expected 14 columns, found 15"),
        (
            "headless",
            row("1999-01-01", "A", "Gull", 1).into(),
            "expected `Airport Name` in column 1, found \"X\"",
        ),
        (
            "semicolons",
            HEADER.replace(',', ";").into(),
            "expected `Airport Name` in column 1, found \"Airport Name;",
        ),
        (
            "utf16",
            HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "expected `Airport Name` in column 1",
        ),
    ];
    for (name, text, expected) in cases {
        let path = file(&folder, name, text);
        let error = input(&path).error("strikes");
        assert!(
            error.starts_with(&format!("{}:1: ", path.display())) && error.contains(expected),
            "{name}: {error}"
        );
        assert!(error.len() < 600, "{name}: {error}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempdir().unwrap();
    let missing = folder.path().join("missing.csv");
    for path in [&missing, folder.path()] {
        let error = input(path).error("strikes");
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    }
    let error = strikes([OsStr::new("--resume"), missing.as_os_str()]).error("strikes");
    assert!(error.contains("missing.csv"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let path = file(&folder, "secret.csv", HEADER);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::File::open(&path).is_ok() {
        println!("SKIPPED: this user (root?) can read every file, so that no file lacks permission");
        return;
    }
    let error = input(&path).error("strikes");
    assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
}

/// A job saved after two of three rows.
fn saved(folder: &TempDir) -> (PathBuf, String) {
    let rows = [1, 2, 3].map(|cost| row("1999-01-01", "A", "Gull", cost)).join("\n");
    let path = file(folder, "rows.csv", format!("{HEADER}\n{rows}"));
    let save = folder.path().join("saved.json");
    let arguments =
        ["--input", path.to_str().unwrap(), "--pause-after", "2", "--save", save.to_str().unwrap()];
    assert_eq!(strikes(arguments).code, 0);
    let text = fs::read_to_string(&save).unwrap();
    (save, text)
}

fn refused(save: &Path) -> String {
    let error = strikes([OsStr::new("--resume"), save.as_os_str()]).error("strikes");
    assert!(error.contains(save.to_str().unwrap()), "no path: {error}");
    error
}

#[test]
fn a_truncated_saved_job_is_refused() {
    let folder = tempdir().unwrap();
    let (save, text) = saved(&folder);
    for cut in (0..text.len()).step_by(97).chain([text.len() - 1, text.len() - 2]) {
        fs::write(&save, &text[..cut]).unwrap();
        refused(&save);
    }
    fs::write(&save, &text).unwrap();
    assert_eq!(closing(&strikes([OsStr::new("--resume"), save.as_os_str()]).quiet()), [3, 0, 6]);
}

#[test]
fn an_edited_saved_job_is_refused() {
    let folder = tempdir().unwrap();
    let (save, text) = saved(&folder);
    for (was, is) in
        [("\"accepted\": 2", "\"accepted\": 3"), ("operators.strike", "operators.stroke"), ("Gull", "Gulp")]
    {
        assert!(text.contains(was), "{was}");
        fs::write(&save, text.replacen(was, is, 1)).unwrap();
        let error = refused(&save);
        assert!(error.contains("changed after it was saved"), "{error}");
    }
    fs::write(&save, b"\xff\xfe").unwrap();
    refused(&save);
    fs::write(&save, b"").unwrap();
    refused(&save);
    let error = strikes([OsStr::new("--resume"), data().as_os_str()]).error("strikes");
    assert!(error.contains("birdstrikes.csv"), "{error}");
}

/// The checksum of a saved job, as its file has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// Writes a state as a saved job whose checksum fits.
fn sign(save: &Path, state: &serde_json::Value) {
    let state = serde_json::to_string(state).unwrap();
    fs::write(save, format!("{{\"checksum\":\"crc32:{:08x}\",\"state\":{state}}}", crc32(state.as_bytes())))
        .unwrap();
}

#[test]
fn a_saved_job_that_does_not_fit_is_refused_even_if_its_checksum_does() {
    let folder = tempdir().unwrap();
    let (save, text) = saved(&folder);
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    sign(&save, &file["state"]);
    assert_eq!(closing(&strikes([OsStr::new("--resume"), save.as_os_str()]).quiet()), [3, 0, 6]);

    let mut other = file["state"].clone();
    other["flow"] = "WordCount".into();
    sign(&save, &other);
    let error = refused(&save);
    assert!(error.contains("`WordCount`") && error.contains("`Strikes`"), "{error}");

    let renamed = file["state"].to_string().replace("operators.strike", "operators.stroke");
    sign(&save, &serde_json::from_str(&renamed).unwrap());
    let error = refused(&save);
    assert!(error.contains("operators.stroke"), "{error}");

    let mut negative = file["state"].clone();
    negative["routines"]["validate"]["totals"]["accepted"] = (-1).into();
    sign(&save, &negative);
    let error = refused(&save);
    assert!(error.contains("`validate`"), "{error}");

    let mut newer = file["state"].clone();
    newer["format"] = 99.into();
    sign(&save, &newer);
    let error = refused(&save);
    assert!(error.contains("format 99"), "{error}");
}

#[test]
fn a_job_that_cannot_be_saved_is_an_error() {
    let folder = tempdir().unwrap();
    // A file stands where a folder would have to be; and a folder where the file would.
    let save = file(&folder, "file", "").join("job.json");
    for save in [&save, folder.path()] {
        let error = strikes(["--pause-after", "1", "--save", save.to_str().unwrap()]).error("strikes");
        assert!(error.contains(save.to_str().unwrap()), "{error}");
    }
}

#[test]
fn usage_errors_are_told_apart() {
    let folder = tempdir().unwrap();
    let own = file(&folder, "own.csv", HEADER);
    let own = own.to_str().unwrap();
    for arguments in [
        vec!["--pause-after", "1"],
        vec!["--save", "x"],
        vec!["--pause-after", "x", "--save", "x"],
        vec!["--pause-after", "-1", "--save", "x"],
        vec!["--resume", "x", "--input", "y"],
        vec!["--resume", "x", "--pause-after", "1", "--save", "y"],
        vec!["--resume"],
        vec!["--colour"],
        vec!["file.csv"],
        vec!["--input", own, "--pause-after", "0", "--save", own],
    ] {
        let ran = strikes(&arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
    assert_eq!(fs::read_to_string(own).unwrap(), HEADER);
    assert_eq!(strikes(["--version"]).quiet(), concat!("strikes ", env!("CARGO_PKG_VERSION"), "\n"));
    assert!(strikes(["--help"]).quiet().contains("--pause-after <N>"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_strikes"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_strikes")).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("strikes: stdout: ") && !error.contains("panicked"), "{error}");
}
