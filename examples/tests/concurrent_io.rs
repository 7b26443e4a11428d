//! The program `concurrent_io`: what it counts. That both runs have the same answers it checks itself, and how
//! long they take is not tested.
#![allow(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

mod common;

use common::run;

fn concurrent_io(naps: &str, requests: &str, workers: &str) -> String {
    let arguments = ["--naps", naps, "--requests", requests, "--workers", workers];
    run(env!("CARGO_BIN_EXE_concurrent_io"), arguments).quiet()
}

#[test]
fn both_runs_give_all_answers() {
    for (naps, requests, workers) in [("7", "9", "4"), ("3", "20", "1"), ("0", "0", "2")] {
        let said = concurrent_io(naps, requests, workers);
        let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
        let [head, nap, request, last] = lines.as_slice() else { panic!("{said}") };
        assert_eq!(head, &["sequential", "concurrent", "ratio"]);
        for (row, what) in [(nap, [naps, "naps"]), (request, [requests, "requests"])] {
            let [counted @ .., sequential, "ms", concurrent, "ms", ratio] = row.as_slice() else {
                panic!("{said}")
            };
            assert_eq!(counted, what);
            let numbers = [sequential, concurrent, ratio].map(|number| number.parse::<f64>().unwrap());
            assert!(numbers.iter().all(|number| number.is_finite()), "{said}");
        }
        assert_eq!(last.join(" "), "The answers were the same.");
    }
}

#[test]
fn no_workers_are_a_usage_error() {
    let ran = run(env!("CARGO_BIN_EXE_concurrent_io"), ["--workers", "0"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("--workers"), "{}", ran.stderr);
}
