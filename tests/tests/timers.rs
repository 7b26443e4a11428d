//! Events that leave later, or again and again, by the job's clock.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Clock, Error, Pool, sim};
use serde_json::json;
use std::time::{Duration, Instant, SystemTime};
use tests::everywhere::{Ticking, clock, everywhere};
use tests::patience::{LONG, until, within};

const SECOND: Duration = Duration::from_secs(1);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Does what it is told about later.
#[routine]
struct Alarm {
    #[state]
    set: u64,
}

#[routine]
impl Alarm {
    #[event]
    fn rings(what: String);
    #[event]
    fn beat(what: String);
    #[event]
    fn now(what: String);

    /// Rings after so many milliseconds.
    #[slot]
    fn ring(&mut self, after: u64, what: String, out: &mut Emit<Self>) {
        self.set += 1;
        out.after(millis(after)).rings(what);
    }

    /// The same, in the place of the one of that name.
    #[slot]
    fn ring_as(&mut self, name: String, after: u64, what: String, out: &mut Emit<Self>) {
        self.set += 1;
        out.after(millis(after)).named(name).rings(what);
    }

    #[slot]
    fn forget(&mut self, name: String, out: &mut Emit<Self>) {
        out.cancel(name);
    }

    #[slot]
    fn repeat(&mut self, name: String, period: u64, what: String, out: &mut Emit<Self>) {
        out.every(millis(period)).named(name).beat(what);
    }

    /// Sets much, and fails at its first attempt.
    #[slot]
    fn shaky(&mut self, what: String, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.set += 1;
        out.after(millis(100)).rings(what.clone());
        out.now(what.clone());
        out.cancel("keep");
        out.every(millis(100)).named("beat").beat(what);
        if cx.attempt() == 1 { Err("not yet".into()) } else { Ok(()) }
    }

    #[slot]
    fn for_ever(&mut self, after: Duration, repeats: bool, out: &mut Emit<Self>) {
        self.set += 1;
        out.now("before".into());
        match repeats {
            false => out.after(after).rings("never".into()),
            true => out.every(after).beat("never".into()),
        }
    }
}

/// Writes down what it hears, and when.
#[routine]
struct Log {
    #[state]
    heard: Vec<(u64, String)>,
}

#[routine]
impl Log {
    #[event]
    fn all(all: Vec<String>);

    #[slot]
    fn rings(&mut self, what: String, cx: &Context) {
        let since = cx.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
        self.heard.push((since, what));
    }

    #[slot(merge = "append", when = "drained")]
    fn drained(&self, all: Vec<String>, out: &mut Emit<Self>) {
        out.all(all);
    }
}

flow! {
    flow Alarms() {
        alarm: Alarm;
        log: Log;
        in after -> alarm.ring;
        in named -> alarm.ring_as;
        in cancel -> alarm.forget;
        in every -> alarm.repeat;
        in shaky -> alarm.shaky;
        in for_ever -> alarm.for_ever;
        alarm.rings -> log.rings, log.drained, out rings;
        alarm.beat -> log.rings, out beats;
        alarm.now -> out now;
        log.all -> return;
    }
}

/// A job, and its clock.
fn alarms() -> (Job<Alarms>, Clock) {
    let clock = clock();
    (Alarms::new().job().clock(clock.clone()), clock)
}

/// What has rung when so much time has passed.
fn rung(job: &mut Job<Alarms>, clock: &Clock, after: Duration) -> Vec<String> {
    clock.advance(after);
    job.run_until_idle().unwrap();
    job.outputs().rings().collect()
}

#[test]
fn an_event_leaves_after_the_time_and_not_before() {
    let (mut job, clock) = alarms();
    for (after, what) in [(2_000, "late"), (1_000, "early"), (1_000, "early too"), (0, "at once")] {
        job.inputs().after((after, what.into())).unwrap();
    }
    assert_eq!(rung(&mut job, &clock, Duration::ZERO), ["at once"]);
    assert_eq!(rung(&mut job, &clock, millis(999)).len(), 0);
    assert_eq!(job.report().waiting(), [("log.rings".to_owned(), 3), ("log.drained".to_owned(), 3)]);
    assert_eq!(rung(&mut job, &clock, millis(1)), ["early", "early too"]);
    assert_eq!(rung(&mut job, &clock, SECOND), ["late"]);

    everywhere(Alarms::new()).but_for(&["routines"]).run_alike(
        |job| {
            for (after, what) in [(800, "late"), (300, "early"), (0, "at once")] {
                job.inputs().after((after, what.into())).unwrap();
            }
        },
        |ended| {
            // In the order they are due, and the job waits for each.
            assert_eq!(ended.report.result().unwrap(), &["at once", "early", "late"], "{}", ended.engine);
            assert_eq!(ended.report.status(), Status::Completed, "{}", ended.engine);
            let heard: Vec<(u64, String)> =
                serde_json::from_value(ended.saved(&["routines", "log", "heard"])).unwrap();
            assert!(heard.is_sorted() && heard[2].0 - heard[1].0 >= 400, "{}: {heard:?}", ended.engine);
        },
    );
}

#[test]
fn one_of_the_same_name_takes_the_place_of_the_one_before() {
    let (mut job, clock) = alarms();
    for (name, after, what) in [("a", 1_000, "first"), ("b", 1_000, "other"), ("a", 3_000, "second")] {
        job.inputs().named((name.into(), after, what.into())).unwrap();
    }
    assert_eq!(rung(&mut job, &clock, Duration::ZERO).len(), 0);
    assert_eq!(rung(&mut job, &clock, SECOND), ["other"]);
    job.inputs().named(("a".into(), 500, "third".into())).unwrap();
    assert_eq!(rung(&mut job, &clock, Duration::ZERO).len(), 0);
    assert_eq!(rung(&mut job, &clock, millis(500)), ["third"]);
    // A name that was used is free again.
    job.inputs().named(("a".into(), 500, "fourth".into())).unwrap();
    rung(&mut job, &clock, Duration::ZERO);
    assert_eq!(rung(&mut job, &clock, 10 * SECOND), ["fourth"]);
    // What was put away holds up nothing.
    assert_eq!(job.run().unwrap().result().unwrap(), &["other", "third", "fourth"]);

    everywhere(Alarms::new()).but_for(&["routines"]).run_alike(
        |job| {
            for (after, what) in [(400, "first"), (900, "second"), (100, "third")] {
                job.inputs().named(("a".into(), after, what.into())).unwrap();
            }
        },
        |ended| assert_eq!(ended.report.result().unwrap(), &["third"], "{}", ended.engine),
    );
}

#[test]
fn names_are_those_of_a_routine() {
    let mut job = Twins::new().job().clock(clock());
    job.inputs().left(("same".into(), 0, "left".into())).unwrap();
    job.inputs().right(("same".into(), 0, "right".into())).unwrap();
    let _ = job.run().unwrap();
    assert_eq!(job.outputs().left().collect::<Vec<_>>(), ["left"]);
    assert_eq!(job.outputs().right().collect::<Vec<_>>(), ["right"]);
}

flow! {
    flow Twins() {
        left: Named;
        right: Named;
        in left -> left.n;
        in right -> right.n;
        left.rings -> out left;
        right.rings -> out right;
    }
}

#[routine]
struct Named;

#[routine]
impl Named {
    #[event]
    fn rings(what: String);

    #[slot]
    fn n(&self, name: String, after: u64, what: String, out: &mut Emit<Self>) {
        out.after(millis(after)).named(name).rings(what);
    }
}

#[test]
fn what_is_cancelled_does_not_ring_and_holds_up_nothing() {
    let (mut job, clock) = alarms();
    job.inputs().named(("a".into(), 1_000, "a".into())).unwrap();
    job.inputs().named(("b".into(), 1_000, "b".into())).unwrap();
    job.inputs().every(("beat".into(), 400, "beat".into())).unwrap();
    rung(&mut job, &clock, Duration::ZERO);
    rung(&mut job, &clock, millis(400));
    assert_eq!(job.outputs().beats().count(), 1);
    for name in ["a", "beat", "no such"] {
        job.inputs().cancel(name.into()).unwrap();
    }
    rung(&mut job, &clock, Duration::ZERO);
    assert_eq!(rung(&mut job, &clock, 10 * SECOND), ["b"]);
    assert_eq!(job.outputs().beats().count(), 0);

    everywhere(Alarms::new()).but_for(&["routines"]).run_alike(
        |job| {
            // Longer than a test waits: were it not cancelled, the job would not end.
            job.inputs().named(("a".into(), 1 << 39, "a".into())).unwrap();
            job.inputs().named(("b".into(), 100, "b".into())).unwrap();
            job.inputs().cancel("a".into()).unwrap();
        },
        |ended| {
            assert_eq!(ended.report.result().unwrap(), &["b"], "{}", ended.engine);
            assert_eq!(ended.saved(&["later"]), json!([]), "{}", ended.engine);
        },
    );
}

#[test]
fn what_repeats_neither_delays_the_end_nor_holds_what_is_drained() {
    let (mut job, clock) = alarms();
    job.inputs().every(("a".into(), 1_000, "tick".into())).unwrap();
    rung(&mut job, &clock, Duration::ZERO);
    for (passed, beats) in [(999, 0), (1, 1), (999, 0), (1, 1), (2_000, 1), (500, 0), (500, 1)] {
        // Those that were missed are one, and the next is when it would have been.
        rung(&mut job, &clock, millis(passed));
        assert_eq!(job.outputs().beats().count(), beats, "after {passed} more");
        assert!(job.report().waiting().is_empty());
    }
    assert_eq!(job.run().unwrap().result().unwrap(), &[] as &[String]);
    assert_eq!(job.status(), Status::Completed);
    clock.advance(10 * SECOND);
    assert!(!job.step().unwrap(), "it has ended");

    everywhere(Alarms::new()).run(
        |job| {
            job.inputs().every(("a".into(), 100, "tick".into())).unwrap();
            job.inputs().after((1_000, "end".into())).unwrap();
        },
        |ended| {
            let at = &ended.engine;
            assert_eq!(ended.report.result().unwrap(), &["end"], "{at}");
            let beats = ended.job().outputs().beats().count();
            assert!((1..=15).contains(&beats), "{at}: {beats}");
            // What was to come when the job ended is no part of it any more.
            assert_eq!(ended.saved(&["later"]), json!([]), "{at}");
        },
    );
    // While the inputs are open it goes on by itself.
    within(1, || {
        let clock = tests::everywhere::clock();
        let job = Alarms::new().job().clock(clock.clone()).start_on(&Pool::new(1).unwrap()).unwrap();
        let beats = job.outputs().beats();
        job.inputs().every(("a".into(), 1_000, "tick".into())).unwrap();
        assert!(job.wait_until_idle(LONG).unwrap().is_some());
        for _ in 0..5 {
            clock.advance(SECOND);
            assert_eq!(beats.next_timeout(LONG).as_deref(), Some("tick"));
        }
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
    });
}

#[test]
fn what_is_pending_is_saved_with_the_time_it_is_due() {
    let (mut job, clock) = alarms();
    job.inputs().after((3_000, "three".into())).unwrap();
    job.inputs().named(("a".into(), 1_000, "old".into())).unwrap();
    job.inputs().every(("beat".into(), 2_000, "beat".into())).unwrap();
    job.run_until_idle().unwrap();
    let begun = clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
    let text = serde_json::to_string(&job.state().unwrap()).unwrap();
    let saved: serde_json::Value = serde_json::from_str(&text).unwrap();
    let due: Vec<u64> =
        saved["later"].as_array().unwrap().iter().map(|later| later["due"].as_u64().unwrap()).collect();
    assert_eq!(due, [begun + 1_000, begun + 2_000, begun + 3_000]);

    // Two seconds later in another process: what was due meanwhile is done at once, the rest when it is due.
    clock.advance(2 * SECOND);
    let mut job = Alarms::new().resume(serde_json::from_str(&text).unwrap()).unwrap().clock(clock.clone());
    assert_eq!(rung(&mut job, &clock, Duration::ZERO), ["old"]);
    assert_eq!(job.outputs().beats().count(), 1);
    // Names are saved too.
    job.inputs().cancel("beat".into()).unwrap();
    assert_eq!(rung(&mut job, &clock, SECOND), ["three"]);
    assert_eq!(rung(&mut job, &clock, 10 * SECOND).len(), 0);
    assert_eq!(job.outputs().beats().count(), 0);
}

#[test]
fn in_this_thread_a_run_waits_for_what_is_to_come_and_run_until_idle_does_not() {
    let (mut job, clock) = alarms();
    job.inputs().after((60_000, "in a minute".into())).unwrap();
    assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    assert!(!job.step().unwrap());
    assert_eq!(job.status(), Status::Waiting);
    // Whoever moves the clock lets the run go on.
    let ticking = Ticking::begin(clock.clone(), job.control());
    let report = job.run().unwrap();
    drop(ticking);
    assert_eq!(report.result().unwrap(), &["in a minute"]);

    // By the system's clock it takes as long as it takes.
    let mut job = Alarms::new().job();
    job.inputs().after((40, "soon".into())).unwrap();
    let begun = Instant::now();
    assert_eq!(job.run().unwrap().result().unwrap(), &["soon"]);
    assert!(begun.elapsed() >= millis(30) && begun.elapsed() < LONG, "{:?}", begun.elapsed());
    within(1, || {
        let job = Alarms::new().job().start_on(&Pool::new(1).unwrap()).unwrap();
        let begun = Instant::now();
        job.inputs().after((40, "soon".into())).unwrap();
        assert_eq!(job.finish().unwrap().result().unwrap(), &["soon"]);
        assert!(begun.elapsed() >= millis(30) && begun.elapsed() < LONG, "{:?}", begun.elapsed());
    });
}

#[test]
fn a_run_that_waits_is_paused_and_cancelled_from_another_thread() {
    for cancels in [false, true] {
        let (mut job, _) = alarms();
        job.inputs().after((60_000, "in a minute".into())).unwrap();
        let control = job.control();
        let other = std::thread::spawn(move || {
            std::thread::sleep(millis(20));
            match cancels {
                false => control.pause("a moment"),
                true => control.cancel("enough"),
            }
        });
        let report = job.run().unwrap();
        other.join().unwrap();
        assert_eq!(report.status(), if cancels { Status::Cancelled } else { Status::Paused });
        assert_eq!(report.waiting(), [("log.rings".to_owned(), 1), ("log.drained".to_owned(), 1)]);
    }
}

#[test]
fn a_deadline_is_kept_by_a_job_that_waits() {
    let (job, clock) = alarms();
    let mut job = job.deadline(5 * SECOND);
    job.inputs().after((60_000, "in a minute".into())).unwrap();
    let ticking = Ticking::begin(clock.clone(), job.control());
    let error = job.run().unwrap_err();
    drop(ticking);
    assert!(error.to_string().contains("its deadline has passed"), "{error}");
    assert_eq!(job.outputs().rings().count(), 0);
}

#[test]
fn what_a_failed_attempt_has_asked_for_is_not_done() {
    let (mut job, clock) = alarms();
    job.inputs().named(("keep".into(), 1_000, "kept".into())).unwrap();
    job.run_until_idle().unwrap();
    let before = serde_json::to_value(job.state().unwrap()).unwrap();
    job.inputs().shaky("shaky".into()).unwrap();
    assert!(job.run_until_idle().is_err());
    let after = serde_json::to_value(job.state().unwrap()).unwrap();
    assert_eq!((&after["later"], &after["routines"]), (&before["later"], &before["routines"]));
    clock.advance(millis(500));
    job.resume().unwrap();
    job.run_until_idle().unwrap();
    assert_eq!(job.outputs().now().collect::<Vec<_>>(), ["shaky"]);
    // The second attempt has cancelled what was kept.
    assert_eq!(rung(&mut job, &clock, 10 * SECOND), ["shaky"]);
}

#[test]
fn a_time_that_no_clock_comes_to_is_an_error_of_the_handler() {
    let cases = [
        (Duration::MAX, false, "longer than thirty years"),
        (Duration::from_secs(1 << 40), false, "longer than thirty years"),
        (Duration::MAX, true, "longer than thirty years"),
        (Duration::ZERO, true, "every 0 ms"),
    ];
    for (after, repeats, why) in cases {
        everywhere(Alarms::new()).seeds(2).run(
            |job| job.inputs().for_ever((after, repeats)).unwrap(),
            |ended| {
                let at = &ended.engine;
                let error = ended.error.as_ref().unwrap_or_else(|| panic!("{at}: it has not failed"));
                assert!(matches!(error, Error::SlotHandler { payload_lost: true, .. }), "{at}: {error}");
                assert!(
                    error.to_string().starts_with("`alarm.for_ever` failed on delivery 1 (attempt 1): "),
                    "{error}"
                );
                assert!(error.to_string().contains(why), "{at}: {error}");
                assert_eq!(ended.saved(&["outputs", "now"]), json!([]), "{at}");
                assert_eq!(ended.saved(&["later"]), json!([]), "{at}");
            },
        );
    }
}

#[test]
fn on_threads_what_is_due_while_the_job_is_paused_is_done_when_it_goes_on() {
    within(1, || {
        let clock = clock();
        let job = Alarms::new().job().clock(clock.clone()).start_on(&Pool::new(2).unwrap()).unwrap();
        job.inputs().after((1_000, "one".into())).unwrap();
        job.inputs().after((5_000, "five".into())).unwrap();
        until("both are set", || job.report().handled() == 2);
        job.pause("a moment");
        clock.advance(2 * SECOND);
        assert_eq!(job.outputs().rings().try_next(), None);
        let saved = serde_json::to_value(job.state().unwrap()).unwrap();
        assert_eq!(saved["later"].as_array().unwrap().len(), 2);
        job.resume().unwrap();
        let rings = job.outputs().rings();
        assert_eq!(rings.next_timeout(LONG).as_deref(), Some("one"));
        clock.advance(3 * SECOND);
        assert_eq!(rings.next_timeout(LONG).as_deref(), Some("five"));
        assert_eq!(job.finish().unwrap().result().unwrap(), &["one", "five"]);
    });
}

#[test]
fn in_a_simulation_years_are_over_at_once() {
    sim::with_crashes().explore(Alarms::new(), 20, |job| -> routilux::Result<()> {
        job.inputs().after((1_000 * 60 * 60 * 24 * 365, "a year".into()))?;
        job.inputs().after((1_000 * 60 * 60, "an hour".into()))?;
        assert_eq!(job.run()?.result()?, &["an hour", "a year"]);
        Ok(())
    });
}
