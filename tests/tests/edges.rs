//! Where two parts of the language meet: timers and pauses, streams and timers, the newest and a resumed job, what panics on
//! the way out of a flow within.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Clock, JobState, Pool};
use serde::{Deserialize, Serialize};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};
use tests::patience::{LONG, within};

const MINUTE: Duration = Duration::from_secs(60);

/// Says something later, and may pause its job.
#[routine]
struct Later {
    #[state]
    said: u64,
}

#[routine]
impl Later {
    #[event]
    fn due(n: u64);
    #[event]
    fn beat(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) {
        self.said += 1;
        out.after(MINUTE).due(n);
        if n == 7 {
            cx.pause("seven");
        }
    }

    #[slot(optional)]
    fn start(&self, out: &mut Emit<Self>) {
        out.every(MINUTE).beat(1);
    }
}

flow! {
    flow Waits() {
        later: Later;
        in n -> later.n;
        later.due -> out due;
        ignore later.beat;
    }
}

fn clock() -> Clock {
    Clock::manual(SystemTime::UNIX_EPOCH)
}

#[test]
fn a_job_that_waits_goes_on_when_its_clock_shows_just_that_time() {
    within(1, || {
        let clock = clock();
        let jobs: Vec<_> = (0..2u64)
            .map(|n| {
                let clock = clock.clone();
                std::thread::spawn(move || {
                    let mut job = Waits::new().job().clock(clock);
                    job.inputs().n(n).unwrap();
                    let status = job.run().unwrap().status();
                    (status, job.outputs().due().collect::<Vec<_>>())
                })
            })
            .collect();
        // Both wait by the same clock for the same time, or have not begun yet.
        while !jobs.iter().all(|job| job.is_finished()) {
            clock.advance(MINUTE);
            std::thread::yield_now();
        }
        let ended: Vec<_> = jobs.into_iter().map(|job| job.join().unwrap()).collect();
        assert_eq!(ended, [(Status::Completed, vec![0]), (Status::Completed, vec![1])]);
    });
}

#[test]
fn what_a_step_asks_for_later_is_saved_when_it_pauses_the_job() {
    let clock = clock();
    let mut job = Waits::new().job().clock(clock.clone());
    job.inputs().n(7).unwrap();
    assert_eq!(job.run().unwrap().status(), Status::Paused);
    let text = serde_json::to_string(&job.state().unwrap()).unwrap();
    let state: JobState = serde_json::from_str(&text).unwrap();
    let mut job = Waits::new().resume(state).unwrap().clock(clock.clone());
    assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    clock.advance(MINUTE);
    assert_eq!(job.run().unwrap().status(), Status::Completed);
    assert_eq!(job.outputs().due().collect::<Vec<_>>(), [7]);
}

#[test]
fn what_leaves_later_is_streamed_too() {
    let (see, seen) = mpsc::channel();
    let clock = clock();
    let mut job = Waits::new().job().clock(clock.clone());
    job.outputs().due().for_each(move |n| see.send(n).unwrap());
    job.inputs().n(1).unwrap();
    job.run_until_idle().unwrap();
    clock.advance(MINUTE);
    assert_eq!(job.run().unwrap().status(), Status::Completed);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [1]);
}

/// Sends each twice.
#[routine]
struct Twice;

#[routine]
impl Twice {
    #[event]
    fn each(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        out.each(n);
        out.each(n + 100);
    }
}

flow! {
    flow Streams() {
        twice: Twice;
        in n -> twice.n;
        twice.each -> out each;
    }
}

#[test]
fn a_stream_that_panics_loses_one_value_and_no_other() {
    let mut job = Streams::new().job();
    job.outputs().each().for_each(|n| assert!(n != 1, "not one"));
    job.inputs().n(1).unwrap();
    let error = job.run().map(|report| report.status()).unwrap_err().to_string();
    assert!(error.contains("what the output `each` is streamed to panicked: not one"), "{error}");
    assert_eq!(job.outputs().each().collect::<Vec<_>>(), [101]);

    within(1, || {
        let mut job = Streams::new().job();
        job.outputs().each().for_each(|n| assert!(n != 1, "not one"));
        let job = job.start_on(&Pool::new(2).unwrap()).unwrap();
        job.inputs().n(1).unwrap();
        let error = job.finish().map(|report| report.status()).unwrap_err().to_string();
        assert!(error.contains("not one"), "{error}");
        assert_eq!(job.outputs().each().collect::<Vec<_>>(), [101]);
    });
}

flow! {
    /// A beat to a sum that waits until nothing can come any more, and something that keeps the job up.
    flow Beats() {
        later: Later;
        sum: Sum;
        in start    -> later.start;
        in n        -> later.n;
        later.beat  -> sum.n;
        later.due   -> out due;
        sum.total   -> return;
    }
}

/// Sums up once nothing can come any more.
#[routine]
struct Sum {
    #[state]
    told: u64,
}

#[routine]
impl Sum {
    #[event]
    fn total(count: u64);

    #[slot(merge = "append", when = "drained")]
    fn n(&mut self, all: Vec<u64>, out: &mut Emit<Self>) {
        self.told += 1;
        out.total(all.len() as u64);
    }
}

#[test]
fn what_is_emitted_again_and_again_is_not_sent_where_nothing_can_come_any_more() {
    let clock = clock();
    let mut job = Beats::new().job().clock(clock.clone());
    job.inputs().start(()).unwrap();
    job.run_until_idle().unwrap();
    for _ in 0..3 {
        clock.advance(MINUTE);
        job.run_until_idle().unwrap();
    }
    // Keeps the job for another minute.
    job.inputs().n(1).unwrap();
    job.close_inputs();
    assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    clock.advance(MINUTE);
    let report = job.run().unwrap();
    assert_eq!(report.status(), Status::Completed);
    assert_eq!(report.result().unwrap(), &3);
    assert!(report.unpaired().is_empty(), "{:?}", report.unpaired());
}

/// Shows the newest.
#[routine]
struct Screen {
    #[state]
    shown: Vec<u64>,
}

#[routine]
impl Screen {
    #[event]
    fn shown(n: u64);

    #[slot(merge = "latest")]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        if n == 1 && cx.attempt() == 1 {
            return Err("not at first".into());
        }
        self.shown.push(n);
        out.shown(n);
        Ok(())
    }
}

flow! {
    flow Shows() {
        screen: Screen;
        in n -> screen.n;
        screen.shown -> out shown;
    }
}

#[test]
fn one_that_failed_is_superseded_when_the_job_is_resumed_and_a_newer_one_waits() {
    let mut job = Shows::new().job();
    job.inputs().n(1).unwrap();
    assert!(job.run_until_idle().is_err());
    job.inputs().n(2).unwrap();
    job.resume().unwrap();
    let report = job.run().unwrap();
    assert_eq!((report.status(), report.superseded()), (Status::Completed, 1));
    assert_eq!(job.outputs().shown().collect::<Vec<_>>(), [2]);

    within(1, || {
        let job = Shows::new().job().start_on(&Pool::new(1).unwrap()).unwrap();
        job.inputs().n(1).unwrap();
        assert!(job.wait(LONG).is_err());
        job.inputs().n(2).unwrap();
        job.resume().unwrap();
        let report = job.finish().unwrap();
        assert_eq!((report.status(), report.superseded()), (Status::Completed, 1));
        assert_eq!(job.outputs().shown().collect::<Vec<_>>(), [2]);
    });
}

/// Panics when it is cloned, if it says so.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Touchy(bool);

impl Clone for Touchy {
    fn clone(&self) -> Self {
        assert!(!self.0, "do not clone me");
        Touchy(self.0)
    }
}

#[routine]
struct Makes {
    #[state]
    made: u64,
}

#[routine]
impl Makes {
    #[event]
    fn made(touchy: Touchy);

    #[slot]
    fn n(&mut self, touchy: bool, out: &mut Emit<Self>) -> Result {
        self.made += 1;
        out.made(Touchy(touchy));
        Ok(())
    }
}

#[routine]
struct Takes;

#[routine]
impl Takes {
    #[slot]
    fn touchy(&self, _touchy: &Touchy) {}
}

flow! {
    flow Within() {
        makes: Makes;
        in n -> makes.n;
        makes.made -> out made;
    }
}

flow! {
    flow Around() {
        within: Within;
        one: Takes;
        other: Takes;
        in n -> within.n;
        within.made -> one.touchy, other.touchy;
    }
}

#[test]
fn what_panics_on_the_way_out_of_a_flow_within_fails_the_step_and_nothing_else() {
    let mut job = Around::new().job();
    job.inputs().n(false).unwrap();
    job.inputs().n(true).unwrap();
    let error = job.run().map(|report| report.status()).unwrap_err().to_string();
    assert!(
        error.contains("`within.makes.n` failed on delivery 2") && error.contains("do not clone me"),
        "{error}"
    );
    let state = serde_json::to_value(job.state().unwrap()).unwrap();
    assert_eq!(state["routines"]["within.makes"]["made"], 1, "{state}");

    within(1, || {
        let job = Around::new().job().start_on(&Pool::new(2).unwrap()).unwrap();
        job.inputs().n(true).unwrap();
        assert!(job.finish().is_err());
        // The worker is still there.
        job.pause("a look");
        assert_eq!(job.status(), Status::Failed);
    });
}

/// Has a slot that may be left unconnected, and can fail.
#[routine]
struct Spare;

#[routine]
impl Spare {
    #[slot]
    fn used(&self, n: u64) -> Result {
        match n {
            0 => Err("nothing".into()),
            _ => Ok(()),
        }
    }

    #[slot(optional)]
    fn unused(&self, _n: u64) -> Result {
        Err("never".into())
    }
}

flow! {
    flow Spares() {
        spare: Spare;
        in n -> spare.used;
        spare.used.error   -> out failed;
        spare.unused.error -> out failed;
    }
}

#[test]
fn an_error_wire_of_a_slot_that_nothing_leads_to_carries_nothing() {
    let mut job = Spares::new().job();
    job.inputs().n(0).unwrap();
    assert_eq!(job.run().unwrap().diverted(), 1);
    let failed: Vec<Failure<u64>> = job.outputs().failed().collect();
    assert_eq!((failed.len(), failed[0].payload, failed[0].error.as_str()), (1, 0, "nothing"));
}

#[test]
fn a_job_without_a_handle_waits_for_what_is_later_all_the_same() {
    within(1, || {
        let (see, seen) = mpsc::channel();
        let clock = clock();
        let mut job = Waits::new().job().clock(clock.clone());
        job.outputs().due().for_each(move |n| see.send(n).unwrap());
        let job = job.start_on(&Pool::new(1).unwrap()).unwrap();
        job.inputs().n(5).unwrap();
        drop(job);
        let due = std::iter::repeat_with(|| {
            clock.advance(MINUTE);
            seen.recv_timeout(Duration::from_millis(20)).ok()
        });
        assert_eq!(due.flatten().next(), Some(5));
        // And then it is gone: nothing holds what it streams to.
        assert_eq!(seen.recv_timeout(LONG), Err(mpsc::RecvTimeoutError::Disconnected));
    });
}
