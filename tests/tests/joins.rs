//! Joins: what belongs together comes together, in the order of arrival; nothing of it is lost, and what has no partner is
//! told of.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Error, Failure, Pool, Report, sim};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tests::everywhere::{clock, everywhere};
use tests::patience::{LONG, within};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Order(u64);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Payment(u64);

/// Passes on what it is given.
#[routine]
struct Shop;

#[routine]
impl Shop {
    #[event]
    fn order(order: Order);
    #[event]
    fn note(text: String);

    #[slot]
    fn sell(&mut self, n: u64, out: &mut Emit<Self>) {
        out.order(Order(n));
    }

    #[slot(optional)]
    fn write(&mut self, text: String, out: &mut Emit<Self>) {
        out.note(text);
    }
}

#[routine]
struct Bank;

#[routine]
impl Bank {
    #[event]
    fn payment(payment: Payment);

    #[slot]
    fn pay(&mut self, n: u64, out: &mut Emit<Self>) {
        out.payment(Payment(n));
    }
}

/// Joins in every way.
#[routine]
struct Desk {
    #[state]
    settled: u64,
}

#[routine]
impl Desk {
    #[event]
    fn settled(order: u64, payment: u64);

    #[join]
    fn settle(&mut self, order: Order, payment: Payment, out: &mut Emit<Self>) {
        self.settled += 1;
        out.settled(order.0, payment.0);
    }
}

flow! {
    flow Orders() {
        shop: Shop;
        bank: Bank;
        desk: Desk;
        in sell -> shop.sell;
        in pay -> bank.pay;
        shop.order -> desk.settle.order;
        bank.payment -> desk.settle.payment;
        desk.settled -> out settled;
        ignore shop.note;
    }
}

fn unpaired(report: &Report) -> Vec<(&str, u64, Vec<&str>, Vec<&str>)> {
    fn texts(all: &[String]) -> Vec<&str> {
        all.iter().map(String::as_str).collect()
    }
    report
        .unpaired()
        .iter()
        .map(|one| (one.port.as_str(), one.count, texts(&one.missing), texts(&one.from)))
        .collect()
}

#[test]
fn pairs_come_in_the_order_of_arrival_and_what_has_no_partner_is_in_the_report() {
    for (orders, payments) in [(0, 0), (3, 3), (5, 2), (0, 4), (1, 0)] {
        // What a join keeps, it keeps with the time.
        everywhere(Orders::new()).but_for(&["slots"]).run_alike(
            |job| {
                // All of one first.
                (0..orders).for_each(|n| job.inputs().sell(n).unwrap());
                (0..payments).for_each(|n| job.inputs().pay(100 + n).unwrap());
            },
            |ended| {
                let at = &ended.engine;
                let settled: Vec<(u64, u64)> = ended.job().outputs().settled().collect();
                let pairs = orders.min(payments);
                assert_eq!(settled, (0..pairs).map(|n| (n, 100 + n)).collect::<Vec<_>>(), "{at}");
                let left = match orders.cmp(&payments) {
                    std::cmp::Ordering::Equal => vec![],
                    std::cmp::Ordering::Greater => vec![(
                        "desk.settle.order",
                        orders - pairs,
                        vec!["desk.settle.payment"],
                        vec!["bank.payment"],
                    )],
                    std::cmp::Ordering::Less => {
                        vec![(
                            "desk.settle.payment",
                            payments - pairs,
                            vec!["desk.settle.order"],
                            vec!["shop.order"],
                        )]
                    }
                };
                assert_eq!(unpaired(&ended.report), left, "{at}");
                assert_eq!(unpaired(&ended.job().report()), left, "{at}, loaded");
                assert_eq!(ended.report.status(), Status::Completed, "{at}");
                assert!(ended.report.waiting().is_empty(), "{at}");
                assert_eq!(ended.report.handled(), 2 * (orders + payments), "{at}");
            },
        );
    }
}

// ---- several connections, several parameters ----

/// Takes three: by reference, as text, and by value.
#[routine]
struct Clerk {
    #[state]
    files: Vec<(u64, String, u64)>,
}

#[routine]
impl Clerk {
    #[event]
    fn filed(order: u64, note: String, payment: u64);

    #[join]
    fn file(&mut self, order: &Order, note: &str, payment: Payment, out: &mut Emit<Self>) {
        self.files.push((order.0, note.to_owned(), payment.0));
        out.filed(order.0, note.to_owned(), payment.0);
    }
}

flow! {
    flow Files() {
        shop: Shop;
        market: Shop;
        bank: Bank;
        clerk: Clerk;
        in sell -> shop.sell;
        in trade -> market.sell;
        in write -> shop.write;
        in pay -> bank.pay;
        shop.order -> clerk.file.order;
        market.order -> clerk.file.order;
        shop.note -> clerk.file.note;
        bank.payment -> clerk.file.payment;
        clerk.filed -> out filed;
        ignore market.note;
    }
}

#[test]
fn three_parameters_and_two_connections_to_one_of_them_lose_nothing() {
    everywhere(Files::new()).run(
        |job| {
            for n in 0..3 {
                job.inputs().sell(n).unwrap();
                job.inputs().trade(10 + n).unwrap();
            }
            for n in 0..5 {
                job.inputs().write(format!("note {n}")).unwrap();
            }
            for n in 0..4 {
                job.inputs().pay(100 + n).unwrap();
            }
        },
        |ended| {
            let at = &ended.engine;
            let filed: Vec<(u64, String, u64)> = ended.job().outputs().filed().collect();
            assert_eq!(filed.iter().map(|file| file.2).collect::<Vec<_>>(), [100, 101, 102, 103], "{at}");
            let notes: Vec<&str> = filed.iter().map(|file| file.1.as_str()).collect();
            assert_eq!(notes, ["note 0", "note 1", "note 2", "note 3"], "{at}");
            // Over each connection in its order, the two in any.
            let (shop, market): (Vec<u64>, Vec<u64>) = filed.iter().map(|file| file.0).partition(|n| *n < 10);
            assert!([0, 1, 2].starts_with(&shop) && [10, 11, 12].starts_with(&market), "{at}: {filed:?}");
            let missing = ["clerk.file.payment"];
            let from = ["bank.payment"];
            let expected = [("clerk.file.order", 2), ("clerk.file.note", 1)]
                .map(|(port, count)| (port, count, missing.to_vec(), from.to_vec()));
            assert_eq!(unpaired(&ended.report), expected, "{at}");
        },
    );
}

// ---- the latest ----

#[routine]
struct Board;

#[routine]
impl Board {
    #[event]
    fn shown(order: u64, payment: u64);

    #[join(latest)]
    fn show(&self, order: Order, payment: &Payment, out: &mut Emit<Self>) -> Result {
        out.shown(order.0, payment.0);
        Ok(())
    }
}

flow! {
    flow Latest() {
        shop: Shop;
        bank: Bank;
        board: Board;
        in sell -> shop.sell;
        in pay -> bank.pay;
        shop.order -> board.show.order;
        bank.payment -> board.show.payment;
        board.shown -> out shown;
        ignore shop.note;
    }
}

#[test]
fn the_latest_are_paired_and_those_they_supersede_are_counted() {
    // In this thread, exactly.
    let mut job = Latest::new().job();
    for n in [1, 2, 3] {
        job.inputs().sell(n).unwrap();
        assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    }
    assert_eq!(job.report().superseded(), 2);
    for n in [101, 102, 103] {
        job.inputs().pay(n).unwrap();
    }
    assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    // The pair has used both up: 102 and 103 wait for another order.
    assert_eq!(job.outputs().shown().collect::<Vec<_>>(), [(3, 101)]);
    job.inputs().sell(4).unwrap();
    let report = job.run().unwrap();
    assert_eq!(job.outputs().shown().collect::<Vec<_>>(), [(4, 103)]);
    assert_eq!((report.superseded(), report.unpaired().len()), (3, 0));

    everywhere(Latest::new()).run(
        |job| {
            (1..=4).for_each(|n| job.inputs().sell(n).unwrap());
            (101..=103).for_each(|n| job.inputs().pay(n).unwrap());
        },
        |ended| {
            let at = &ended.engine;
            let shown: Vec<(u64, u64)> = ended.job().outputs().shown().collect();
            assert!(!shown.is_empty(), "{at}");
            assert!(shown.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1), "{at}: {shown:?}");
            let held: u64 = ended.report.unpaired().iter().map(|held| held.count).sum();
            assert!(held <= 1, "{at}: {:?}", ended.report.unpaired());
            assert_eq!(2 * shown.len() as u64 + ended.report.superseded() + held, 7, "{at}");
        },
    );
}

// ---- a time limit ----

#[routine]
struct Hasty;

#[routine]
impl Hasty {
    #[event]
    fn settled(order: u64, payment: u64);

    #[join(within = "30min")]
    fn settle(&mut self, order: Order, payment: Payment, out: &mut Emit<Self>) {
        out.settled(order.0, payment.0);
    }
}

flow! {
    flow InTime() {
        shop: Shop;
        bank: Bank;
        desk: Hasty;
        in sell -> shop.sell;
        in pay -> bank.pay;
        shop.order -> desk.settle.order;
        bank.payment -> desk.settle.payment;
        desk.settled -> out settled;
        desk.settle.unpaired -> out unpaired;
        ignore shop.note;
    }
}

#[test]
fn what_finds_no_partner_in_time_leaves_as_an_event_of_its_own() {
    let clock = clock();
    let mut job = InTime::new().job().clock(clock.clone());
    let run = |job: &mut Job<InTime>| {
        assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
        let (settled, unpaired) = (job.outputs().settled().collect(), job.outputs().unpaired().collect());
        (settled, unpaired) as (Vec<(u64, u64)>, Vec<SettleUnpaired>)
    };
    job.inputs().sell(1).unwrap();
    job.inputs().sell(2).unwrap();
    assert_eq!(run(&mut job), (vec![], vec![]));
    clock.advance(20 * MINUTE);
    job.inputs().sell(3).unwrap();
    assert_eq!(run(&mut job), (vec![], vec![]));
    // Just in time: the first of those that wait.
    clock.advance(10 * MINUTE - Duration::from_millis(1));
    job.inputs().pay(101).unwrap();
    assert_eq!(run(&mut job), (vec![(1, 101)], vec![]));
    clock.advance(Duration::from_millis(1));
    assert_eq!(run(&mut job), (vec![], vec![SettleUnpaired::Order(Order(2))]));
    // Too late for the second, and in time for the third.
    job.inputs().pay(102).unwrap();
    assert_eq!(run(&mut job), (vec![(3, 102)], vec![]));
    job.inputs().pay(103).unwrap();
    clock.advance(40 * MINUTE);
    assert_eq!(run(&mut job), (vec![], vec![]), "it arrives when it is handled");
    clock.advance(30 * MINUTE);
    assert_eq!(run(&mut job), (vec![], vec![SettleUnpaired::Payment(Payment(103))]));

    // At the end nobody waits: what is left has no partner to come.
    job.inputs().sell(4).unwrap();
    job.inputs().sell(5).unwrap();
    let report = job.run().unwrap();
    assert_eq!((report.status(), report.unpaired().len()), (Status::Completed, 0));
    let left: Vec<SettleUnpaired> = job.outputs().unpaired().collect();
    assert_eq!(left, [SettleUnpaired::Order(Order(4)), SettleUnpaired::Order(Order(5))]);
}

#[test]
fn a_time_limit_goes_on_after_the_job_was_saved() {
    let clock = clock();
    let mut job = InTime::new().job().clock(clock.clone());
    job.inputs().sell(1).unwrap();
    job.run_until_idle().unwrap();
    for minutes in [29, 1] {
        assert_eq!(job.outputs().unpaired().len(), 0);
        let text = serde_json::to_string(&job.state().unwrap()).unwrap();
        clock.advance(minutes * MINUTE);
        job = InTime::new().resume(serde_json::from_str(&text).unwrap()).unwrap().clock(clock.clone());
        job.run_until_idle().unwrap();
    }
    assert_eq!(job.outputs().unpaired().collect::<Vec<_>>(), [SettleUnpaired::Order(Order(1))]);
}

#[test]
fn at_the_end_of_a_job_what_has_no_partner_leaves_at_once() {
    for (orders, payments) in [(0, 0), (4, 2), (1, 3), (2, 2)] {
        everywhere(InTime::new()).run_alike(
            |job| {
                (0..orders).for_each(|n| job.inputs().sell(n).unwrap());
                (0..payments).for_each(|n| job.inputs().pay(100 + n).unwrap());
            },
            |ended| {
                let at = &ended.engine;
                let pairs = orders.min(payments);
                let settled: Vec<(u64, u64)> = ended.job().outputs().settled().collect();
                assert_eq!(settled, (0..pairs).map(|n| (n, 100 + n)).collect::<Vec<_>>(), "{at}");
                let left: Vec<SettleUnpaired> = ended.job().outputs().unpaired().collect();
                let expected = (pairs..orders).map(|n| SettleUnpaired::Order(Order(n)));
                let expected =
                    expected.chain((pairs..payments).map(|n| SettleUnpaired::Payment(Payment(100 + n))));
                assert_eq!(left, expected.collect::<Vec<_>>(), "{at}");
                assert!(ended.report.unpaired().is_empty(), "{at}");
            },
        );
    }
}

#[test]
fn on_threads_a_time_limit_goes_by_the_clock_of_the_job() {
    within(1, || {
        let clock = clock();
        let job = InTime::new().job().clock(clock.clone()).start_on(&Pool::new(2).unwrap()).unwrap();
        let unpaired = job.outputs().unpaired();
        job.inputs().sell(1).unwrap();
        assert!(job.wait_until_idle(LONG).unwrap().is_some());
        clock.advance(30 * MINUTE - Duration::from_millis(1));
        assert!(job.wait_until_idle(LONG).unwrap().is_some());
        assert_eq!(unpaired.try_next(), None);
        clock.advance(Duration::from_millis(1));
        assert_eq!(unpaired.next_timeout(LONG), Some(SettleUnpaired::Order(Order(1))));
        // The job goes on, and pairs what comes.
        job.inputs().sell(2).unwrap();
        job.inputs().pay(102).unwrap();
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
        assert_eq!(job.outputs().settled().collect::<Vec<_>>(), [(2, 102)]);
    });
}

// ---- failures ----

/// Fails at the first attempts at some pairs.
#[routine]
struct Nervous {
    #[state]
    seen: Vec<(u64, u64)>,
}

#[routine]
impl Nervous {
    #[event]
    fn settled(order: u64, payment: u64);

    #[join]
    fn settle(&mut self, order: Order, payment: Payment, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.seen.push((order.0, payment.0));
        out.settled(order.0, payment.0);
        match (order.0 % 3, cx.attempt()) {
            (1, 1) => Err("not now".into()),
            (2, 1 | 2) => std::panic::resume_unwind(Box::new("not now")),
            _ => Ok(()),
        }
    }
}

flow! {
    flow Shaken() {
        shop: Shop;
        bank: Bank;
        desk: Nervous;
        in sell -> shop.sell;
        in pay -> bank.pay;
        shop.order -> desk.settle.order;
        bank.payment -> desk.settle.payment;
        desk.settled -> out settled;
        ignore shop.note;
    }
}

#[test]
fn after_a_failed_attempt_a_pair_is_still_a_pair_and_the_next_to_be_tried() {
    everywhere(Shaken::new()).resumed().run_alike(
        |job| {
            for n in 0..6 {
                job.inputs().sell(n).unwrap();
                job.inputs().pay(100 + n).unwrap();
            }
        },
        |ended| {
            let at = &ended.engine;
            let settled: Vec<(u64, u64)> = ended.job().outputs().settled().collect();
            assert_eq!(settled, (0..6).map(|n| (n, 100 + n)).collect::<Vec<_>>(), "{at}");
            assert_eq!((ended.failures, ended.report.unpaired().len()), (6, 0), "{at}");
        },
    );

    let mut job = Shaken::new().job();
    for n in [1, 4] {
        job.inputs().sell(n).unwrap();
        job.inputs().pay(100 + n).unwrap();
    }
    let error = job.run().unwrap_err();
    assert!(error.to_string().starts_with("`desk.settle` failed on delivery "), "{error}");
    let state = serde_json::to_value(job.state().unwrap()).unwrap();
    // What was brought together stays so, and is the delivery that failed.
    assert_eq!(state["slots"]["desk.settle"][1], serde_json::json!([[], []]));
    assert_eq!(state["failure"]["delivery"]["to"], "desk.settle");
    assert_eq!(state["routines"]["desk"]["seen"], serde_json::json!([]));
}

flow! {
    flow Diverted() {
        shop: Shop;
        bank: Bank;
        desk: Fails;
        in sell -> shop.sell;
        in pay -> bank.pay;
        shop.order -> desk.pair.order, desk.skips.order;
        bank.payment -> desk.pair.payment, desk.skips.payment;
        desk.settled -> out settled;
        desk.pair.error -> out failed;
        desk.pair.unpaired -> out unpaired;
        on error of desk.skips skip;
        ignore shop.note;
    }
}

/// Takes no payment of a number.
#[routine]
struct Fails;

#[routine]
impl Fails {
    #[event]
    fn settled(order: u64, payment: u64);

    #[join(within = "30min")]
    fn pair(&self, order: Order, payment: Payment, out: &mut Emit<Self>) -> Result {
        out.settled(order.0, payment.0);
        if payment.0 == 101 { Err("no such account".into()) } else { Ok(()) }
    }

    #[join]
    fn skips(&self, order: &Order, payment: &Payment, out: &mut Emit<Self>) -> Result {
        out.settled(10 * order.0, payment.0);
        if payment.0 == 101 { Err("no such account".into()) } else { Ok(()) }
    }
}

#[test]
fn what_a_policy_takes_of_a_join_that_failed_is_the_pair() {
    let mut job = Diverted::new().job();
    for n in [1, 2] {
        job.inputs().sell(n).unwrap();
        job.inputs().pay(100 + n).unwrap();
    }
    let report = job.run().unwrap();
    let failed: Vec<Failure<(Order, Payment)>> = job.outputs().failed().collect();
    assert_eq!((failed.len(), failed[0].error.as_str()), (1, "no such account"));
    assert_eq!(failed[0].payload, (Order(1), Payment(101)));
    // The next ones are partners still.
    assert_eq!(job.outputs().settled().collect::<Vec<_>>(), [(2, 102), (20, 102)]);
    assert_eq!((job.outputs().unpaired().count(), report.unpaired().len()), (0, 0));
    assert_eq!((report.diverted(), report.skipped(), report.failures()), (1, 1, 2));
}

/// A join that cannot give anything back.
#[routine]
struct Careless;

#[routine]
impl Careless {
    #[join]
    fn settle(&self, order: Order, payment: Payment) {
        assert!(order.0 + 100 == payment.0, "{order:?} is not paid by {payment:?}");
    }
}

flow! {
    flow Carelessly() {
        shop: Shop;
        bank: Bank;
        desk: Careless;
        in sell -> shop.sell;
        in pay -> bank.pay;
        shop.order -> desk.settle.order;
        bank.payment -> desk.settle.payment;
        ignore shop.note;
    }
}

#[test]
fn what_a_join_has_given_away_is_lost_with_a_panic_and_that_is_told() {
    let mut job = Carelessly::new().job();
    job.inputs().sell(1).unwrap();
    job.inputs().pay(102).unwrap();
    let error = job.run().unwrap_err();
    assert!(matches!(error, Error::SlotHandler { payload_lost: true, .. }), "{error}");
    assert!(error.to_string().contains("Order(1) is not paid by Payment(102)"), "{error}");
    assert!(job.resume().unwrap_err().to_string().contains("cannot be resumed"));
}

// ---- in simulated time ----

/// Passes on after a time.
#[routine]
struct Post {
    minutes: u64,
}

#[routine]
impl Post {
    #[event]
    fn payment(payment: Payment);

    #[slot]
    fn send(&mut self, n: u64, out: &mut Emit<Self>) {
        out.after(u32::try_from(self.minutes).unwrap() * MINUTE).payment(Payment(n));
    }
}

flow! {
    flow ByPost(minutes: u64) {
        shop: Shop;
        post: Post { minutes };
        desk: Hasty;
        in sell -> shop.sell, post.send;
        shop.order -> desk.settle.order;
        post.payment -> desk.settle.payment;
        desk.settled -> out settled;
        desk.settle.unpaired -> out unpaired;
        ignore shop.note;
    }
}

#[test]
fn in_simulated_time_a_partner_comes_in_time_or_too_late() {
    for minutes in [29, 31] {
        for how in [sim::Sim::default(), sim::with_crashes()] {
            how.explore(ByPost::new(minutes), 50, |job| -> routilux::Result<()> {
                (0..3).try_for_each(|n| job.inputs().sell(n))?;
                let report = job.run()?;
                assert_eq!((report.status(), report.unpaired().len()), (Status::Completed, 0));
                let settled: Vec<(u64, u64)> = job.outputs().settled().collect();
                let mut unpaired: Vec<SettleUnpaired> = job.outputs().unpaired().collect();
                if minutes == 29 {
                    assert_eq!((settled, unpaired.len()), (vec![(0, 0), (1, 1), (2, 2)], 0));
                } else {
                    unpaired.sort_by_key(|one| format!("{one:?}"));
                    let orders = (0..3).map(|n| SettleUnpaired::Order(Order(n)));
                    let expected: Vec<_> =
                        orders.chain((0..3).map(|n| SettleUnpaired::Payment(Payment(n)))).collect();
                    assert_eq!((settled.len(), unpaired), (0, expected));
                }
                Ok(())
            });
        }
    }
}
