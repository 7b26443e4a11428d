//! The program `orders` against the log read in another way.
#![allow(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

mod common;

use common::{Ran, run};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

fn orders(input: &Path) -> Ran {
    run(env!("CARGO_BIN_EXE_orders"), [OsStr::new("--input"), input.as_os_str()])
}

fn log(folder: &TempDir, lines: &str) -> PathBuf {
    let path = folder.path().join("log.csv");
    fs::write(&path, format!("time,event,order,cents,trouble\n{lines}")).unwrap();
    path
}

/// What a day came to: orders, settled, not paid, dead letters, cents booked, told again, payments to return.
type Totals = [u64; 7];

fn totals(said: &str) -> Totals {
    let mut lines = said.lines();
    let names = [
        "Orders",
        "settled",
        "without a payment",
        "dead letters",
        "Booked, in cents",
        "told the ledger again",
        "Payments to return",
    ];
    names.map(|name| lines.next().unwrap().trim().strip_prefix(name).unwrap().trim().parse().unwrap())
}

/// Of an order: when it was placed, what goes wrong with it, when and with how many cents it was paid.
#[derive(Default)]
struct Order<'a> {
    placed: Option<(u64, &'a str)>,
    paid: Option<(u64, u64)>,
}

fn naive(text: &str) -> Totals {
    let mut orders: BTreeMap<&str, Order<'_>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (hour, minute) = fields[0].split_once(':').unwrap();
        let time = 60 * hour.parse::<u64>().unwrap() + minute.parse::<u64>().unwrap();
        let order = orders.entry(fields[2]).or_default();
        match fields[1] {
            "order" => order.placed = Some((time, fields[4])),
            _ => order.paid = Some((time, fields[3].parse().unwrap())),
        }
    }
    let [mut placed, mut settled, mut unpaid, mut dead, mut cents, mut again, mut returned] =
        Totals::default();
    for order in orders.values() {
        placed += u64::from(order.placed.is_some());
        match (order.placed, order.paid) {
            (Some((placed, trouble)), Some((paid, amount))) if placed.abs_diff(paid) < 30 => {
                let busy: u64 = trouble.strip_prefix("busy ").map_or(0, |times| times.parse().unwrap());
                if busy > 3 || trouble == "no such address" {
                    dead += 1;
                } else {
                    settled += 1;
                    cents += amount;
                    again += u64::from(trouble == "answer lost");
                }
            }
            (placed, paid) => {
                unpaid += u64::from(placed.is_some());
                returned += u64::from(paid.is_some());
            }
        }
    }
    [placed, settled, unpaid, dead, cents, again, returned]
}

#[test]
fn the_summary_is_that_of_a_naive_count_and_adds_up() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/orders.csv");
    let said = run::<&str>(env!("CARGO_BIN_EXE_orders"), []).quiet();
    assert_eq!(orders(&path).quiet(), said);
    let totals = totals(&said);
    assert_eq!(totals, naive(&fs::read_to_string(path).unwrap()));
    let [placed, settled, unpaid, dead, _, again, returned] = totals;
    assert_eq!(settled + unpaid + dead, placed);
    assert_eq!((placed, again), (60, 4));
    assert!(unpaid > 0 && dead > 0 && returned > 0, "{said}");
    assert_eq!(said.lines().count() as u64, 8 + unpaid + dead + returned);
}

#[test]
fn each_order_ends_in_one_of_three_ways() {
    let folder = tempdir().unwrap();
    let cases = [
        ("", [0, 0, 0, 0, 0, 0, 0]),
        ("09:00,order,1,5,\n09:29,payment,1,5,", [1, 1, 0, 0, 5, 0, 0]),
        ("09:00,payment,1,5,\n09:29,order,1,5,", [1, 1, 0, 0, 5, 0, 0]),
        ("09:00,order,1,5,\n09:31,payment,1,5,", [1, 0, 1, 0, 0, 0, 1]),
        ("09:00,order,1,5,", [1, 0, 1, 0, 0, 0, 0]),
        ("09:00,payment,1,5,", [0, 0, 0, 0, 0, 0, 1]),
        ("09:00,order,1,5,busy 3\n09:00,payment,1,5,", [1, 1, 0, 0, 5, 0, 0]),
        ("09:00,order,1,5,busy 4\n09:00,payment,1,5,", [1, 0, 0, 1, 0, 0, 0]),
        ("09:00,order,1,5,no such address\n09:00,payment,1,5,", [1, 0, 0, 1, 0, 0, 0]),
        ("09:00,order,1,5,answer lost\n09:00,payment,1,5,", [1, 1, 0, 0, 5, 1, 0]),
        // One that waits does not hold up others, nor do they each other's payment.
        (
            "09:00,order,1,5,busy 2\n09:00,order,2,7,\n09:01,payment,2,7,\n09:01,payment,1,5,",
            [2, 2, 0, 0, 12, 0, 0],
        ),
        // The second of an order that is placed twice has no payment.
        ("09:00,order,1,5,\n09:00,order,1,5,\n09:01,payment,1,5,", [2, 1, 1, 0, 5, 0, 0]),
        // A new one after the first ones have gone.
        ("09:00,order,1,5,\n09:31,payment,1,6,\n10:02,order,1,5,\n10:03,payment,1,7,", [2, 1, 1, 0, 7, 0, 1]),
    ];
    for (lines, expected) in cases {
        assert_eq!(totals(&orders(&log(&folder, lines)).quiet()), expected, "{lines}");
    }
}

#[test]
fn dead_letters_tell_why() {
    let folder = tempdir().unwrap();
    let lines =
        "09:00,order,1,5,busy 9\n09:00,order,2,5,no such address\n09:00,payment,1,5,\n09:00,payment,2,5,";
    let said = orders(&log(&folder, lines)).quiet();
    let letters: Vec<&str> = said.lines().filter(|line| line.starts_with("Dead letter")).collect();
    assert_eq!(
        letters,
        [
            "Dead letter: order 1, attempt 4: the carrier is busy",
            "Dead letter: order 2, attempt 1: the carrier finds no such address"
        ]
    );
}

#[test]
fn what_is_no_log_is_told_with_path_and_line() {
    let folder = tempdir().unwrap();
    for (lines, expected) in [
        ("09:00,order,1,5", "expected 5 fields (time,event,order,cents,trouble), found 4"),
        ("9h,order,1,5,", "`time` is \"9h\""),
        ("24:00,order,1,5,", "`time` is \"24:00\""),
        ("09:00,ordre,1,5,", "`event` is \"ordre\", expected `order` or `payment`"),
        ("09:00,order,one,5,", "`order` is \"one\""),
        ("09:00,order,1,-5,", "`cents` is \"-5\""),
        ("09:00,order,1,5,busy", "`trouble` is \"busy\""),
        ("09:00,order,1,5,\n08:59,payment,1,5,", "sort the log"),
    ] {
        let path = log(&folder, lines);
        let error = orders(&path).error("orders");
        let place = format!("{}:{}: ", path.display(), 1 + lines.lines().count());
        assert!(error.starts_with(&place) && error.contains(expected), "{error}");
    }
    for text in ["", "09:00,order,1,5,\n", "zeit,event"] {
        let path = log(&folder, "");
        fs::write(&path, text).unwrap();
        let error = orders(&path).error("orders");
        assert!(error.starts_with(&format!("{}:1: expected the header", path.display())), "{error}");
    }
    let missing = folder.path().join("missing.csv");
    let error = orders(&missing).error("orders");
    assert!(error.starts_with(&missing.display().to_string()), "{error}");
}
