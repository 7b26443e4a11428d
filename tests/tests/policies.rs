//! What becomes of a handler that fails or panics, as the flow says it: stop, skip, retry, an error wire; row by row.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Absorbed, Error, Failure, Outcome, Panic, Pool, Retention, TimedOut, sim};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use tests::everywhere::{clock, everywhere};
use tests::patience::{LONG, until, within};

const SECOND: Duration = Duration::from_secs(1);

/// The numbers from so many hundreds on fail at so many first attempts: 205 fails at two.
fn attempts_that_fail(n: u64) -> u32 {
    (n / 100) as u32
}

#[derive(Debug, thiserror::Error)]
#[error("{0} is busy")]
struct Busy(u64);

#[derive(Debug, thiserror::Error)]
#[error("{0} is odd")]
struct Odd(u64);

/// When each attempt was, in milliseconds: it is no part of the job, and nothing of it is undone.
type Times = Arc<Mutex<Vec<(u64, u32, u64)>>>;

/// Fails at the first attempts, with an error that depends on the number; after it has changed its state and sent its event.
#[routine]
struct Work {
    #[resource]
    times: Times,
    #[state]
    seen: Vec<u64>,
}

#[routine]
impl Work {
    #[event]
    fn done(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        let now = cx.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
        self.times.lock().unwrap().push((n, cx.attempt(), now));
        self.seen.push(n);
        out.done(n);
        match cx.attempt() > attempts_that_fail(n) {
            true => Ok(()),
            false if n.is_multiple_of(2) => Err(Busy(n).into()),
            false => Err(Odd(n).into()),
        }
    }
}

/// Takes what others have done, and what they have not.
#[routine]
struct Desk {
    #[state]
    failures: Vec<Failure<u64>>,
    #[state]
    done: Vec<u64>,
}

#[routine]
impl Desk {
    #[event]
    fn told(text: String);

    #[slot(optional)]
    fn failed(&mut self, failure: Failure<u64>, out: &mut Emit<Self>) {
        out.told(format!("{} after {}", failure.error, failure.attempts));
        self.failures.push(failure);
    }

    #[slot(optional)]
    fn done(&mut self, n: u64) {
        self.done.push(n);
    }
}

fn absorbed<'r>(report: &'r routilux::Report) -> Vec<(&'r str, u32, &'r str)> {
    let told = |one: &'r Absorbed| (one.slot.as_str(), one.attempts, one.error.as_str());
    report.absorbed().iter().map(told).collect()
}

fn sorted<T: Ord>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort();
    values
}

// ---- stop ----

flow! {
    flow Plain(times: Times) {
        work: Work { times };
        in n -> work.n;
        work.done -> out done;
    }
}

flow! {
    /// As the flow without any row.
    flow Stops(times: Times) {
        work: Work { times };
        in n -> work.n;
        work.done -> out done;
        on error stop;
    }
}

#[test]
fn without_a_row_and_with_stop_the_job_fails_at_once_and_keeps_the_delivery() {
    macro_rules! stops {
        ($flow:ident) => {
            everywhere($flow::new(Times::default())).run(
                |job| [1, 102, 3].into_iter().for_each(|n| job.inputs().n(n).unwrap()),
                |ended| {
                    let at = &ended.engine;
                    let error = ended.error.as_ref().unwrap_or_else(|| panic!("{at}: it has not failed"));
                    assert_eq!(
                        error.to_string(),
                        "`work.n` failed on delivery 2 (attempt 1): 102 is busy",
                        "{at}"
                    );
                    assert_eq!(error.downcast_ref::<Busy>().unwrap().0, 102, "{at}");
                    assert_eq!(ended.state.status(), Status::Failed, "{at}");
                    assert_eq!(ended.saved(&["failure", "delivery", "payload"]), 102, "{at}");
                    assert_eq!(ended.saved(&["routines", "work", "seen"]), serde_json::json!([1]), "{at}");
                    assert_eq!((ended.report.failed(), ended.report.failures()), (1, 1), "{at}");
                    assert_eq!(ended.report.waiting(), [("work.n".to_owned(), 1)], "{at}");
                    let mut job = ended.job();
                    let report = job.run().unwrap();
                    assert_eq!((report.failures(), report.handled()), (0, 3), "{at}");
                    assert_eq!(job.outputs().done().collect::<Vec<_>>(), [1, 102, 3], "{at}");
                },
            );
        };
    }
    stops!(Plain);
    stops!(Stops);
}

// ---- skip ----

flow! {
    flow Skips(times: Times) {
        work: Work { times };
        other: Work { times };
        in n -> work.n;
        in other -> other.n;
        work.done -> out done;
        other.done -> out others;
        on error of work.n skip;
    }
}

#[test]
fn what_is_skipped_is_recorded_as_failed_and_the_job_completes() {
    everywhere(Skips::new(Times::default())).run_alike(
        |job| {
            [1, 102, 3, 101, 5].into_iter().for_each(|n| job.inputs().n(n).unwrap());
            job.inputs().other(7).unwrap();
        },
        |ended| {
            let at = &ended.engine;
            assert_eq!(ended.job().outputs().done().collect::<Vec<_>>(), [1, 3, 5], "{at}");
            assert_eq!(ended.saved(&["routines", "work", "seen"]), serde_json::json!([1, 3, 5]), "{at}");
            assert_eq!((ended.report.status(), ended.report.handled()), (Status::Completed, 4), "{at}");
            assert_eq!(
                (ended.report.failures(), ended.report.skipped(), ended.report.diverted()),
                (2, 2, 0),
                "{at}"
            );
            assert_eq!(ended.report.failed(), 0, "{at}");
            let told = [("work.n", 1, "102 is busy"), ("work.n", 1, "101 is odd")];
            assert_eq!(absorbed(&ended.report), told, "{at}");
            assert_eq!(absorbed(&ended.job().report()), told, "{at}, loaded");
            let failed = ended.state.history_of("work").filter(|entry| entry.outcome != Outcome::Handled);
            assert_eq!(failed.map(|entry| entry.emitted).collect::<Vec<_>>(), [0, 0], "{at}");
        },
    );
    // A row is about what it names, and no more.
    let mut job = Skips::new(Times::default()).job();
    job.inputs().other(101).unwrap();
    assert!(job.run().unwrap_err().to_string().starts_with("`other.n` failed"));
}

#[test]
fn of_many_that_are_skipped_the_last_hundred_are_named() {
    let mut job = Skips::new(Times::default()).job().retention(Retention::none());
    (0..250).for_each(|n| job.inputs().n(100 + 2 * n % 100).unwrap());
    let report = job.run().unwrap();
    assert_eq!((report.failures(), report.absorbed().len()), (250, 100));
    assert_eq!((report.absorbed()[0].delivery, report.absorbed()[99].delivery), (151, 250));
}

// ---- retry ----

flow! {
    flow Retries(times: Times) {
        work: Work { times };
        in n -> work.n;
        work.done -> out done;
        on error of work.n retry(3, 1s, x2, max 3s);
    }
}

/// By number, how long before each attempt but the first.
fn delays(times: &Times, n: u64) -> Vec<u64> {
    let times: Vec<u64> =
        times.lock().unwrap().iter().filter(|(of, ..)| *of == n).map(|(_, _, time)| *time).collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// A clock that is moved on by a millisecond whenever a job has nothing to do.
fn run_by_the_millisecond<F: Flow>(job: &mut Job<F>, clock: &routilux::Clock) -> routilux::Result<()> {
    job.close_inputs();
    while !job.run_until_idle()?.is_end() {
        clock.advance(Duration::from_millis(1));
    }
    Ok(())
}

#[test]
fn there_are_as_many_attempts_as_are_said_after_delays_that_grow_to_the_longest() {
    everywhere(Retries::new(Times::default())).run_alike(
        |job| [1, 302, 3, 101].into_iter().for_each(|n| job.inputs().n(n).unwrap()),
        |ended| {
            let at = &ended.engine;
            // Nobody waits for one that is tried again.
            assert_eq!(ended.job().outputs().done().collect::<Vec<_>>(), [1, 3, 101, 302], "{at}");
            assert_eq!(
                ended.saved(&["routines", "work", "seen"]),
                serde_json::json!([1, 3, 101, 302]),
                "{at}"
            );
            assert_eq!((ended.report.failures(), ended.report.handled()), (0, 4), "{at}");
            assert!(ended.report.absorbed().is_empty(), "{at}");
            // Every attempt is in the history, under the id of its delivery.
            let of_302: Vec<_> = ended.state.history_of("work").filter(|entry| entry.delivery == 2).collect();
            assert_eq!(of_302.len(), 4, "{at}");
            assert!(
                of_302[..3].iter().all(|entry| entry.outcome == Outcome::Failed("302 is busy".into())),
                "{at}"
            );
            assert_eq!((of_302[3].outcome.clone(), of_302[3].emitted), (Outcome::Handled, 1), "{at}");
        },
    );

    // 1 s, 2 s, 3 s, each up to a tenth shorter or longer.
    let mut firsts = Vec::new();
    for id in 0..20 {
        let (times, clock) = (Times::default(), clock());
        let mut job = Retries::new(times.clone()).job().id(format!("job {id}")).clock(clock.clone());
        job.inputs().n(302).unwrap();
        run_by_the_millisecond(&mut job, &clock).unwrap();
        let delays = delays(&times, 302);
        for (delay, about) in delays.iter().zip([1_000, 2_000, 3_000]) {
            assert!((about * 9 / 10..=about * 11 / 10).contains(delay), "{delays:?}");
        }
        assert_eq!(delays.len(), 3);
        firsts.push(delays[0]);
    }
    // Jobs that fail together do not come again together; each comes again when it would have.
    let different = sorted(firsts.clone());
    assert!(different[0] < 960 && different[19] > 1_040, "{different:?}");
    let (times, clock) = (Times::default(), clock());
    let mut job = Retries::new(times.clone()).job().id("job 7").clock(clock.clone());
    job.inputs().n(302).unwrap();
    run_by_the_millisecond(&mut job, &clock).unwrap();
    assert_eq!(delays(&times, 302)[0], firsts[7]);
}

#[test]
fn when_the_attempts_are_used_up_the_job_fails_and_says_how_many_there_were() {
    everywhere(Retries::new(Times::default())).run(
        |job| [402, 3].into_iter().for_each(|n| job.inputs().n(n).unwrap()),
        |ended| {
            let at = &ended.engine;
            let error = ended.error.as_ref().unwrap_or_else(|| panic!("{at}: it has not failed"));
            assert_eq!(error.to_string(), "`work.n` failed on delivery 1 (attempt 4): 402 is busy", "{at}");
            assert_eq!(ended.saved(&["routines", "work", "seen"]), serde_json::json!([3]), "{at}");
            assert_eq!(ended.saved(&["failure", "delivery", "attempts"]), 4, "{at}");
            assert_eq!(ended.job().run().unwrap().handled(), 2, "{at}");
        },
    );
}

#[test]
fn a_job_that_is_saved_while_a_retry_waits_goes_on_with_its_attempts_and_its_time() {
    let (times, clock) = (Times::default(), clock());
    let flow = Retries::new(times.clone());
    let mut job = flow.job().clock(clock.clone());
    job.inputs().n(402).unwrap();
    job.close_inputs();
    for attempt in 1..=3 {
        assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
        assert_eq!(job.report().waiting(), [("work.n".to_owned(), 1)]);
        let text = serde_json::to_string(&job.state().unwrap()).unwrap();
        let state: JobState = serde_json::from_str(&text).unwrap();
        let saved = serde_json::to_value(&state).unwrap();
        assert_eq!(saved["later"][0]["what"]["retry"]["delivery"]["attempts"], attempt);
        job = flow.resume(state).unwrap().clock(clock.clone());
        assert!(!job.step().unwrap(), "it is not due");
        clock.advance(4 * SECOND);
    }
    let error = job.run().unwrap_err();
    assert!(matches!(error, Error::SlotHandler { attempts: 4, .. }), "{error}");
    let attempts: Vec<u32> = times.lock().unwrap().iter().map(|(_, attempt, _)| *attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4]);
    // And under another engine.
    let mut job = flow.job().clock(clock.clone());
    job.inputs().n(302).unwrap();
    job.run_until_idle().unwrap();
    within(1, move || {
        let job = flow.resume(job.state().unwrap()).unwrap().clock(clock.clone());
        let job = job.start_on(&Pool::new(2).unwrap()).unwrap();
        job.close_inputs();
        while job.wait(Duration::from_millis(1)).unwrap().is_none() {
            clock.advance(Duration::from_millis(100));
        }
        assert_eq!(job.outputs().done().collect::<Vec<_>>(), [302]);
        assert_eq!(job.history().iter().filter(|entry| entry.outcome == Outcome::Handled).count(), 1);
    });
}

#[test]
fn no_worker_sleeps_while_a_retry_waits() {
    within(1, || {
        let clock = clock();
        let job = Forever::new().job().clock(clock.clone()).start_on(&Pool::new(1).unwrap()).unwrap();
        job.inputs().n(302).unwrap();
        until("it has failed", || job.history().len() == 1);
        // The clock stands still, and so does the delivery; the one worker does what there is to do.
        (0..50).for_each(|n| job.inputs().n(n).unwrap());
        let done = job.outputs().done();
        for n in 0..50 {
            assert_eq!(done.next_timeout(LONG), Some(n));
        }
        assert_eq!(job.report().waiting(), [("work.n".to_owned(), 1)]);
        // Saved and copied without waiting for it.
        assert_eq!(job.state().unwrap().handled(), 50);
        job.close_inputs();
        let begun = Instant::now();
        while job.wait(Duration::from_millis(1)).unwrap().is_none() {
            clock.advance(SECOND);
            assert!(begun.elapsed() < LONG, "{:?}", job.progress());
        }
        assert_eq!((done.try_next(), job.report().failures()), (Some(302), 0));
    });
}

flow! {
    flow Forever() {
        work: Work { times: Times::default() };
        in n -> work.n;
        work.done -> out done;
        on error of work.n retry(forever, 10s);
    }
}

flow! {
    flow Again() {
        work: Work { times: Times::default() };
        in n -> work.n;
        work.done -> out done;
        on error of work.n retry(forever, 20ms);
    }
}

#[test]
fn a_retry_for_ever_has_no_last_attempt() {
    everywhere(Again::new()).seeds(5).run_alike(
        |job| job.inputs().n(2_000).unwrap(),
        |ended| {
            assert_eq!(ended.job().outputs().done().collect::<Vec<_>>(), [2_000], "{}", ended.engine);
            assert_eq!(ended.state.history_of("work").count(), 21, "{}", ended.engine);
        },
    );
    // In a simulation an hour is over at once.
    sim::explore(Forever::new(), 10, |job| -> routilux::Result<()> {
        job.inputs().n(100 * 360)?;
        assert_eq!(job.run()?.handled(), 1);
        Ok(())
    });
}

flow! {
    /// Without a delay, and so at once.
    flow AtOnce(times: Times) {
        work: Work { times };
        in n -> work.n;
        work.done -> out done;
        on error of work.n retry(2);
    }
}

#[test]
fn a_retry_without_a_delay_waits_for_no_clock() {
    let mut job = AtOnce::new(Times::default()).job().clock(clock());
    [202, 1].into_iter().for_each(|n| job.inputs().n(n).unwrap());
    assert_eq!(job.run().unwrap().handled(), 2);
    within(1, || {
        let job =
            AtOnce::new(Times::default()).job().clock(clock()).start_on(&Pool::new(1).unwrap()).unwrap();
        [202, 1].into_iter().for_each(|n| job.inputs().n(n).unwrap());
        assert_eq!(job.finish().unwrap().handled(), 2);
    });
}

/// Says itself when it may be asked again.
#[routine]
struct Service {
    #[resource]
    times: Times,
}

#[routine]
impl Service {
    #[event]
    fn done(n: u64);

    #[slot]
    fn n(&self, n: &u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        let now = cx.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
        self.times.lock().unwrap().push((*n, cx.attempt(), now));
        out.done(*n);
        match cx.attempt() {
            1 => Err(HandlerError::from("overloaded").retry_after(7 * SECOND)),
            2 => Err("overloaded".into()),
            _ => Ok(()),
        }
    }
}

flow! {
    flow Overloaded(times: Times) {
        service: Service { times };
        in n -> service.n;
        service.done -> out done;
        on error of service.n retry(5, 1s, max 2s);
    }
}

#[test]
fn what_the_error_says_of_the_time_outweighs_the_delay() {
    let (times, clock) = (Times::default(), clock());
    let mut job = Overloaded::new(times.clone()).job().clock(clock.clone());
    job.inputs().n(1).unwrap();
    run_by_the_millisecond(&mut job, &clock).unwrap();
    // To the millisecond, and longer than the longest: who says it knows.
    let delays = delays(&times, 1);
    assert_eq!(delays[0], 7_000);
    assert!((900..=1_100).contains(&delays[1]), "{delays:?}");
}

// ---- in order ----

/// Numbers and their way.
#[routine]
struct Way {
    by: u64,
}

#[routine]
impl Way {
    #[event]
    fn n(n: u64);

    #[slot]
    fn n_in(&mut self, n: u64, out: &mut Emit<Self>) {
        out.n(self.by + n);
    }
}

flow! {
    flow InOrder(times: Times) {
        first: Way { by: 0 };
        second: Way { by: 1_000_000 };
        work: Tens { times };
        in a -> first.n_in;
        in b -> second.n_in;
        in other -> work.other;
        first.n -> work.n;
        second.n -> work.n;
        work.done -> out done;
        on error of work.n retry(3, 1s, in_order);
    }
}

/// Fails at two attempts at each multiple of ten.
#[routine]
struct Tens {
    #[resource]
    times: Times,
}

#[routine]
impl Tens {
    #[event]
    fn done(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.times.lock().unwrap().push((n, cx.attempt(), 0));
        out.done(n);
        match n.is_multiple_of(10) && cx.attempt() <= 2 {
            true => Err("a multiple of ten".into()),
            false => Ok(()),
        }
    }

    #[slot]
    fn other(&mut self, n: u64, out: &mut Emit<Self>) {
        out.done(n);
    }
}

#[test]
fn a_retry_in_order_holds_its_connection_and_no_other() {
    everywhere(InOrder::new(Times::default())).run(
        |job| {
            for n in 10..23 {
                job.inputs().a(n).unwrap();
            }
            for n in 1..=5 {
                job.inputs().b(n).unwrap();
            }
            job.inputs().other(99).unwrap();
        },
        |ended| {
            let at = &ended.engine;
            let done: Vec<u64> = ended.job().outputs().done().collect();
            let of =
                |is_its: fn(u64) -> bool| done.iter().copied().filter(|n| is_its(*n)).collect::<Vec<_>>();
            assert_eq!(of(|n| n < 99), (10..23).collect::<Vec<_>>(), "{at}");
            assert_eq!(of(|n| n > 1_000), (1_000_001..=1_000_005).collect::<Vec<_>>(), "{at}");
            // 10 is the first of its connection, and fails twice: none of the other's waits for it.
            if ended.is_in_order() {
                let first = done.iter().position(|n| *n == 10).unwrap();
                assert_eq!(first, 6, "{at}: {done:?}");
            }
            assert_eq!(ended.report.handled(), 13 + 13 + 5 + 5 + 1, "{at}");
        },
    );
}

#[test]
fn what_is_held_in_order_is_not_even_tried_before() {
    let (times, clock) = (Times::default(), clock());
    let mut job = InOrder::new(times.clone()).job().clock(clock.clone());
    (10..13).for_each(|n| job.inputs().a(n).unwrap());
    let tried = || sorted(times.lock().unwrap().iter().map(|(n, attempt, _)| (*n, *attempt)));
    job.run_until_idle().unwrap();
    assert_eq!(tried(), [(10, 1)]);
    assert_eq!(job.report().waiting(), [("work.n".to_owned(), 3)]);
    clock.advance(2 * SECOND);
    job.run_until_idle().unwrap();
    assert_eq!(tried(), [(10, 1), (10, 2)]);
    clock.advance(2 * SECOND);
    job.run_until_idle().unwrap();
    assert_eq!(tried(), [(10, 1), (10, 2), (10, 3), (11, 1), (12, 1)]);
}

// ---- and then ----

flow! {
    flow Then(times: Times) {
        a: Work { times };
        b: Work { times };
        c: Work { times };
        d: Work { times };
        desk: Desk;
        in a -> a.n;
        in b -> b.n;
        in c -> c.n;
        in d -> d.n;
        a.done -> desk.done;
        b.done -> desk.done;
        c.done -> desk.done;
        d.done -> desk.done;
        on error of a.n retry(1, 100ms) then skip;
        on error of b.n retry(1, 100ms) then stop;
        on error of c.n retry(1, 100ms) then -> desk.failed, out failed;
        on error of d.n retry(1, 100ms) then -> out dead;
        desk.told -> out told;
    }
}

#[test]
fn what_follows_the_last_attempt_is_done_once_then() {
    everywhere(Then::new(Times::default())).but_for(&["routines"]).run_alike(
        |job| {
            for n in [101, 202, 3] {
                job.inputs().a(n).unwrap();
                job.inputs().c(n).unwrap();
                job.inputs().d(n).unwrap();
            }
        },
        |ended| {
            let at = &ended.engine;
            let mut job = ended.job();
            assert_eq!(job.outputs().told().collect::<Vec<_>>(), ["202 is busy after 2"], "{at}");
            for failed in [job.outputs().failed().collect::<Vec<_>>(), job.outputs().dead().collect()] {
                assert_eq!(failed.len(), 1, "{at}");
                let Failure { payload, error, attempts, .. } = &failed[0];
                assert_eq!((*payload, error.as_str(), *attempts), (202, "202 is busy", 2), "{at}");
            }
            assert_eq!((ended.report.skipped(), ended.report.diverted()), (1, 2), "{at}");
            assert_eq!((ended.report.status(), ended.report.failures()), (Status::Completed, 3), "{at}");
            let told = sorted(absorbed(&ended.report));
            let expected = ["a.n", "c.n", "d.n"].map(|slot| (slot, 2, "202 is busy"));
            assert_eq!(told, expected, "{at}");
        },
    );
    everywhere(Then::new(Times::default())).run(
        |job| job.inputs().b(302).unwrap(),
        |ended| {
            let error = ended.error.as_ref().unwrap().to_string();
            assert_eq!(error, "`b.n` failed on delivery 1 (attempt 2): 302 is busy", "{}", ended.engine);
        },
    );
}

// ---- error wires ----

flow! {
    /// With a wire and no row; with a wire and a retry; the wire of the only slot that can fail.
    flow Wires(times: Times) {
        a: Work { times };
        b: Work { times };
        desk: Desk;
        in a -> a.n;
        in b -> b.n;
        a.n.error -> desk.failed, out rejected;
        b.error if |failure| failure.attempts > 2 -> out dead;
        else -> |failure| failure.payload -> out lost: u64;
        on error of b.n retry(2, 50ms);
        a.done -> out done;
        b.done -> out done;
        desk.told -> out told;
    }
}

#[test]
fn an_error_wire_carries_what_failed_with_its_error_attempts_and_delivery() {
    everywhere(Wires::new(Times::default())).run_alike(
        |job| {
            for n in [1, 102, 303] {
                job.inputs().a(n).unwrap();
            }
            job.inputs().b(202).unwrap();
            job.inputs().b(404).unwrap();
        },
        |ended| {
            let at = &ended.engine;
            let mut job = ended.job();
            assert_eq!(sorted(job.outputs().done()), [1, 202], "{at}");
            let rejected: Vec<Failure<u64>> = job.outputs().rejected().collect();
            let told: Vec<_> =
                rejected.iter().map(|f| (f.payload, f.error.as_str(), f.attempts, f.delivery)).collect();
            assert_eq!(told, [(102, "102 is busy", 1, 2), (303, "303 is odd", 1, 3)], "{at}");
            let dead: Vec<Failure<u64>> = job.outputs().dead().collect();
            assert_eq!((dead.len(), dead[0].payload, dead[0].attempts), (1, 404, 3), "{at}");
            assert_eq!(job.outputs().lost().count(), 0, "{at}");
            assert_eq!(sorted(job.outputs().told()), ["102 is busy after 1", "303 is odd after 1"], "{at}");
            assert_eq!((ended.report.failures(), ended.report.diverted()), (3, 3), "{at}");
            assert_eq!(ended.report.status(), Status::Completed, "{at}");
        },
    );
}

// ---- rows ----

flow! {
    flow Rows(times: Times) {
        work: Work { times };
        other: Work { times };
        third: Work { times };
        in n -> work.n;
        in other -> other.n;
        in third -> third.n;
        work.done -> out done;
        other.done -> out done;
        third.done -> out done;

        // The default is tried last, wherever it stands.
        on error if |e| e.to_string().contains("999") -> out desperate: Failure<u64>;
        on error of work.n if |e| e.downcast_ref::<Busy>().is_some_and(|busy| busy.0 == 202) retry(1, 100ms);
        on error of work.n if |e| e.downcast_ref::<Busy>().is_some() skip;
        on error of work.n if |e| e.downcast_ref::<Odd>().is_some() -> out odd;
        on error of other -> out others;
        on error skip;
    }
}

#[test]
fn rows_are_tried_in_their_order_the_default_last_and_a_retry_that_is_used_up_goes_on_to_the_next() {
    // Number, and: where it comes out, whether it is skipped, after how many attempts.
    let cases: [(u64, &str, u32); 6] = [
        (1, "done", 1),
        (202, "skipped", 2),
        (302, "skipped", 1),
        (101, "odd", 1),
        (999, "odd", 1),
        (100, "skipped", 1),
    ];
    everywhere(Rows::new(Times::default())).run_alike(
        |job| {
            cases.iter().for_each(|(n, ..)| job.inputs().n(*n).unwrap());
            [2, 102].into_iter().for_each(|n| job.inputs().other(n).unwrap());
            [3, 999, 102].into_iter().for_each(|n| job.inputs().third(n).unwrap());
        },
        |ended| {
            let at = &ended.engine;
            let mut job = ended.job();
            assert_eq!(sorted(job.outputs().done()), [1, 2, 3], "{at}");
            let payloads =
                |failures: Vec<Failure<u64>>| sorted(failures.iter().map(|failure| failure.payload));
            assert_eq!(payloads(job.outputs().odd().collect()), [101, 999], "{at}");
            assert_eq!(payloads(job.outputs().others().collect()), [102], "{at}");
            assert_eq!(payloads(job.outputs().desperate().collect()), [999], "{at}");
            let mut told: Vec<_> = absorbed(&ended.report);
            told.sort_unstable();
            let mut expected: Vec<(&str, u32, String)> = cases[1..]
                .iter()
                .map(|(n, _, attempts)| {
                    ("work.n", *attempts, format!("{n} is {}", if n % 2 == 0 { "busy" } else { "odd" }))
                })
                .collect();
            expected.extend([
                ("other.n", 1, "102 is busy".to_owned()),
                ("third.n", 1, "999 is odd".to_owned()),
                ("third.n", 1, "102 is busy".to_owned()),
            ]);
            expected.sort();
            let expected: Vec<_> =
                expected.iter().map(|(slot, n, error)| (*slot, *n, error.as_str())).collect();
            assert_eq!(told, expected, "{at}");
            let skipped = cases.iter().filter(|(_, what, _)| *what == "skipped").count() as u64 + 1;
            assert_eq!((ended.report.skipped(), ended.report.diverted()), (skipped, 4), "{at}");
        },
    );
}

flow! {
    /// Two retries, one after the other; and where there is a wire, a retry that is used up ends there.
    flow Patient(times: Times) {
        work: Work { times };
        wired: Work { times };
        in n -> work.n;
        in wired -> wired.n;
        work.done -> out done;
        wired.done -> out done;
        on error of work.n if |e| e.downcast_ref::<Busy>().is_some() retry(2, 10ms);
        on error of work.n retry(4, 20ms) then -> out dead;
        wired.error -> out wire;
        on error of wired.n if |e| e.downcast_ref::<Busy>().is_some() retry(2, 10ms);
        on error of wired.n retry(4, 20ms);
    }
}

#[test]
fn attempts_are_counted_by_delivery_and_not_by_row() {
    everywhere(Patient::new(Times::default())).but_for(&["routines"]).run_alike(
        // Even ones match both rows, odd ones the second alone.
        |job| {
            for n in [402, 401, 502, 501] {
                job.inputs().n(n).unwrap();
                job.inputs().wired(n).unwrap();
            }
        },
        |ended| {
            let at = &ended.engine;
            assert_eq!(sorted(ended.job().outputs().done()), [401, 401, 402], "{at}");
            let told =
                |failures: Vec<Failure<u64>>| sorted(failures.iter().map(|of| (of.payload, of.attempts)));
            assert_eq!(told(ended.job().outputs().dead().collect()), [(501, 5), (502, 5)], "{at}");
            let wire = told(ended.job().outputs().wire().collect());
            assert_eq!(wire, [(402, 3), (501, 5), (502, 3)], "{at}");
        },
    );
}

flow! {
    flow BadRow() {
        work: Work { times: Times::default() };
        in n -> work.n;
        work.done -> out done;
        on error of work.n if |e| { assert!(!e.to_string().contains("102"), "no"); true } skip;
    }
}

#[test]
fn a_condition_that_panics_stops_the_job_with_the_handlers_error() {
    everywhere(BadRow::new()).seeds(5).run(
        |job| [104, 102].into_iter().for_each(|n| job.inputs().n(n).unwrap()),
        |ended| {
            let at = &ended.engine;
            let error = ended.error.as_ref().unwrap_or_else(|| panic!("{at}: it has not failed"));
            assert_eq!(error.to_string(), "`work.n` failed on delivery 2 (attempt 1): 102 is busy", "{at}");
            assert_eq!((ended.report.skipped(), ended.report.failures()), (1, 2), "{at}");
        },
    );
}

// ---- panics ----

/// Panics at the first attempts, as `Work` fails.
#[routine]
struct Panics {
    #[state]
    seen: Vec<u64>,
}

#[routine]
impl Panics {
    #[event]
    fn done(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.seen.push(n);
        out.done(n);
        match (cx.attempt() > attempts_that_fail(n), n % 2) {
            (true, _) => Ok(()),
            (false, 0) => Err(Busy(n).into()),
            (false, _) => std::panic::resume_unwind(Box::new(format!("{n} is too much"))),
        }
    }

    /// There is nothing that it could leave.
    #[slot(optional)]
    fn lent(&self, n: &u64, out: &mut Emit<Self>, cx: &Context) {
        out.done(*n);
        if cx.attempt() <= attempts_that_fail(*n) {
            std::panic::resume_unwind(Box::new(format!("{n} is too much")));
        }
    }
}

flow! {
    flow Panicking() {
        a: Panics;
        b: Panics;
        desk: Desk;
        in a -> a.n;
        in b -> b.n;
        in lent -> a.lent;
        a.done -> out done;
        b.done -> out done;
        on panic of a.n if |panic| panic.message.starts_with("101") skip;
        on panic of a.n retry(2, 30ms) then -> desk.failed, out panicked;
        on panic of a.lent retry(1, 30ms) then skip;
        on error of b skip;
        desk.told -> out told;
    }
}

#[test]
fn what_panics_goes_by_the_rows_about_panics_alone() {
    everywhere(Panicking::new()).run_alike(
        |job| {
            [1, 101, 203, 301].into_iter().for_each(|n| job.inputs().a(n).unwrap());
            [1, 101, 201].into_iter().for_each(|n| job.inputs().lent(n).unwrap());
            [2, 102].into_iter().for_each(|n| job.inputs().b(n).unwrap());
        },
        |ended| {
            let at = &ended.engine;
            let mut job = ended.job();
            assert_eq!(sorted(job.outputs().done()), [1, 1, 2, 101, 203], "{at}");
            let panicked: Vec<Failure<u64>> = job.outputs().panicked().collect();
            assert_eq!((panicked.len(), panicked[0].payload, panicked[0].attempts), (1, 301, 3), "{at}");
            assert!(panicked[0].error.contains("301 is too much"), "{at}: {panicked:?}");
            assert_eq!(
                sorted(
                    ended.saved(&["routines", "a", "seen"]).as_array().unwrap().iter().map(|n| n.as_u64())
                ),
                [Some(1), Some(203)]
            );
            let told = sorted(absorbed(&ended.report).iter().map(|(slot, attempts, _)| (*slot, *attempts)));
            assert_eq!(told, [("a.lent", 2), ("a.n", 1), ("a.n", 3), ("b.n", 1)], "{at}");
        },
    );
    #[allow(clippy::type_complexity)]
    let stops: [(fn(&mut Job<Panicking>) -> routilux::Result<()>, bool); 2] =
        [(|job| job.inputs().a(102), false), (|job| job.inputs().b(101), true)];
    for (send, panics) in stops {
        let mut job = Panicking::new().job();
        send(&mut job).unwrap();
        let error = job.run().unwrap_err();
        assert_eq!(error.downcast_ref::<Panic>().is_some(), panics, "{error}");
        assert_eq!(job.state().unwrap().waiting(), 1);
        job.resume().unwrap();
        assert_eq!(job.run().unwrap().handled(), 1);
    }
}

flow! {
    flow AllPanics() {
        work: Panics;
        careless: Careless;
        in n -> work.n;
        in careless -> careless.n;
        work.done -> out done;
        on panic skip;
        on error stop;
    }
}

/// After a panic nobody knows what its state is.
#[routine]
struct Careless {
    #[state]
    sum: u64,
}

#[routine]
impl Careless {
    #[slot]
    fn n(&mut self, n: u64) {
        self.sum += n;
        assert!(n < 100, "{n} is too much");
    }
}

#[test]
fn a_default_row_about_panics_does_not_go_on_with_what_is_half_changed() {
    everywhere(AllPanics::new()).run_alike(
        |job| [1, 101, 3].into_iter().for_each(|n| job.inputs().n(n).unwrap()),
        |ended| {
            assert_eq!(ended.job().outputs().done().collect::<Vec<_>>(), [1, 3], "{}", ended.engine);
            assert_eq!(ended.report.skipped(), 1, "{}", ended.engine);
        },
    );
    let mut job = AllPanics::new().job();
    job.inputs().careless(101).unwrap();
    assert!(job.run().is_err());
    assert!(job.resume().unwrap_err().to_string().contains("may be half-changed"));
}

// ---- history, hooks, and the next step ----

#[test]
fn hooks_are_told_of_every_attempt() {
    let seen = Arc::new(AtomicU64::new(0));
    let told = seen.clone();
    let hooked = move |job: Job<Retries>| {
        let told = told.clone();
        job.after_handler(move |cx, entry| {
            assert_eq!(cx.delivery(), entry.delivery);
            let failed = u64::from(entry.outcome != Outcome::Handled);
            told.fetch_add(1_000 * failed + 1, Ordering::Relaxed);
        })
    };
    everywhere(Retries::new(Times::default())).stays().prepared(hooked).run_alike(
        |job| {
            seen.store(0, Ordering::Relaxed);
            [201, 1, 102].into_iter().for_each(|n| job.inputs().n(n).unwrap());
        },
        |ended| assert_eq!(seen.load(Ordering::Relaxed), 3_006, "{}", ended.engine),
    );
}

#[test]
fn a_job_that_is_cancelled_or_paused_keeps_the_retry_that_waits() {
    let (times, clock) = (Times::default(), clock());
    let mut job = Retries::new(times.clone()).job().clock(clock.clone());
    job.inputs().n(101).unwrap();
    job.run_until_idle().unwrap();
    job.pause("a moment");
    clock.advance(4 * SECOND);
    assert_eq!(job.run().unwrap().status(), Status::Paused);
    assert_eq!(job.report().waiting(), [("work.n".to_owned(), 1)]);
    job.resume().unwrap();
    assert_eq!(job.run().unwrap().handled(), 1);

    let mut job = Retries::new(times).job().clock(clock);
    job.inputs().n(101).unwrap();
    job.run_until_idle().unwrap();
    job.cancel("enough").unwrap();
    assert_eq!(job.report().waiting(), [("work.n".to_owned(), 1)]);
    assert_eq!(serde_json::to_value(job.state().unwrap()).unwrap()["later"].as_array().unwrap().len(), 1);
}

#[test]
fn one_failure_of_many_that_are_tried_again_fails_the_job_and_the_others_go_on_with_it() {
    everywhere(Retries::new(Times::default())).seeds(20).resumed().but_for(&["routines"]).run_alike(
        |job| [401, 201, 1, 402, 302].into_iter().for_each(|n| job.inputs().n(n).unwrap()),
        |ended| {
            // 401 and 402 are tried once more than a job allows, and then once again.
            assert_eq!(sorted(ended.job().outputs().done()), [1, 201, 302, 401, 402], "{}", ended.engine);
            // On threads both may fail before the job stands still.
            assert!((1..=2).contains(&ended.failures), "{}: {}", ended.engine, ended.failures);
            assert_eq!(ended.report.failures(), 0, "{}", ended.engine);
        },
    );
}

// ---- where failures go ----

/// All failures, when no more can come; and those of two wires together.
#[routine]
struct Undertaker {
    #[state]
    fired: u64,
}

#[routine]
impl Undertaker {
    #[event]
    fn dead(payloads: Vec<u64>);
    #[event]
    fn both(payloads: Vec<u64>);

    #[slot(merge = "append", when = "drained")]
    fn failures(&mut self, failures: Vec<Failure<u64>>, out: &mut Emit<Self>) {
        self.fired += 1;
        out.dead(sorted(failures.iter().map(|failure| failure.payload)));
    }

    #[slot(merge = "append", when = "all", optional)]
    fn pair(&self, failures: Vec<Failure<u64>>, out: &mut Emit<Self>) {
        out.both(sorted(failures.iter().map(|failure| failure.payload)));
    }
}

flow! {
    flow Buried(times: Times) {
        undertaker: Undertaker;
        a: Work { times };
        b: Work { times };
        in a -> a.n;
        in b -> b.n;
        a.done -> b.n;
        b.done -> out done;
        on error of a.n retry(1, 80ms) then -> undertaker.failures, undertaker.pair;
        b.error -> undertaker.failures, undertaker.pair;
        undertaker.dead -> out dead;
        undertaker.both -> out both;
    }
}

#[test]
fn failures_are_gathered_as_all_else_and_what_is_drained_waits_for_them() {
    everywhere(Buried::new(Times::default())).but_for(&["routines", "slots", "outputs"]).run_alike(
        |job| {
            [1, 201, 102].into_iter().for_each(|n| job.inputs().a(n).unwrap());
            [104, 2].into_iter().for_each(|n| job.inputs().b(n).unwrap());
        },
        |ended| {
            let at = &ended.engine;
            // 201 fails twice in `a`; 102 once, and then once in `b`; 104 in `b`.
            assert_eq!(ended.job().outputs().dead().collect::<Vec<_>>(), [[102, 104, 201]], "{at}");
            assert_eq!(ended.saved(&["routines", "undertaker", "fired"]), 1, "{at}");
            let both: Vec<Vec<u64>> = ended.job().outputs().both().collect();
            assert_eq!(both.len(), 1, "{at}: {both:?}");
            assert!(both[0].contains(&201), "{at}: {both:?}");
            assert_eq!(sorted(ended.job().outputs().done()), [1, 2], "{at}");
        },
    );
    // Without any failure it fires too.
    let mut job = Buried::new(Times::default()).job();
    assert_eq!(job.run().unwrap().status(), Status::Completed);
    assert_eq!(job.outputs().dead().collect::<Vec<_>>(), [Vec::<u64>::new()]);
}

// ---- the latest ----

/// Fails at its first attempt at each number over a hundred.
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
    fn n(&mut self, n: &u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.shown.push(*n);
        out.shown(*n);
        if *n > 100 && cx.attempt() == 1 { Err("it flickers".into()) } else { Ok(()) }
    }
}

flow! {
    flow Screens() {
        screen: Screen;
        in n -> screen.n;
        screen.shown -> out shown;
        on error of screen.n retry(3, 1s);
    }
}

#[test]
fn one_that_waits_for_its_next_attempt_is_superseded_by_a_newer_one() {
    let clock = clock();
    let mut job = Screens::new().job().clock(clock.clone());
    job.inputs().n(101).unwrap();
    job.run_until_idle().unwrap();
    job.inputs().n(2).unwrap();
    job.run_until_idle().unwrap();
    // What is shown never goes back.
    clock.advance(2 * SECOND);
    let report = job.run().unwrap();
    assert_eq!(job.outputs().shown().collect::<Vec<_>>(), [2]);
    assert_eq!((report.superseded(), report.handled()), (1, 1));

    everywhere(Screens::new()).but_for(&["routines"]).run(
        |job| [101, 3, 102, 103, 4, 105].into_iter().for_each(|n| job.inputs().n(n).unwrap()),
        |ended| {
            let at = &ended.engine;
            let shown: Vec<u64> = ended.job().outputs().shown().collect();
            let order = [101, 3, 102, 103, 4, 105];
            let places: Vec<_> = shown.iter().map(|n| order.iter().position(|other| other == n)).collect();
            assert!(places.is_sorted() && shown.last() == Some(&105), "{at}: {shown:?}");
            assert_eq!(ended.report.superseded() + shown.len() as u64, 6, "{at}");
        },
    );
}

// ---- handlers that wait, or take too long ----

/// Waits, and fails as `Work` does.
#[routine]
struct Waits {
    #[state]
    seen: u64,
}

#[routine]
impl Waits {
    #[event]
    fn done(n: u64);

    #[slot]
    async fn n(&self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        out.done(n);
        cx.sleep(Duration::from_millis(n % 7)).await;
        match cx.attempt() > attempts_that_fail(n) {
            true => Ok(()),
            false if n.is_multiple_of(2) => Err(Busy(n).into()),
            false => std::panic::resume_unwind(Box::new(format!("{n} is too much"))),
        }
    }

    #[slot(timeout = "20ms", optional)]
    async fn slow(&self, n: u64, out: &mut Emit<Self>, cx: &Context) {
        out.done(n);
        if u64::from(cx.attempt()) < n {
            cx.sleep(SECOND).await;
        }
    }
}

flow! {
    flow Waiting() {
        waits: Waits;
        in n -> waits.n;
        in slow -> waits.slow;
        waits.done if |n| *n != 7 -> out done;
        on error of waits.n retry(2, 10ms) then -> out dead;
        on panic of waits.n retry(1) then skip;
        on error of waits.slow if |e| e.downcast_ref::<TimedOut>().is_some() retry(2, 10ms) then -> out late;
    }
}

fn waiting_came_to(
    report: &routilux::Report,
    done: Vec<u64>,
    dead: Vec<Failure<u64>>,
    late: Vec<Failure<u64>>,
) {
    assert_eq!(sorted(done), [1, 2, 3, 101, 204]);
    assert_eq!(sorted(dead.iter().map(|dead| (dead.payload, dead.attempts))), [(302, 3)]);
    assert_eq!(sorted(late.iter().map(|late| (late.payload, late.attempts))), [(9, 3)]);
    assert_eq!((report.skipped(), report.diverted(), report.filtered()), (1, 2, 1));
    assert_eq!(report.status(), Status::Completed);
}

#[test]
fn async_handlers_go_by_the_same_rows() {
    fn give(job: &mut Job<Waiting>) -> routilux::Result<()> {
        [1, 204, 302, 101, 201, 7].into_iter().try_for_each(|n| job.inputs().n(n))?;
        [2, 9, 3].into_iter().try_for_each(|n| job.inputs().slow(n))
    }
    for how in [sim::Sim::default(), sim::with_crashes()] {
        how.explore(Waiting::new(), 100, |job| -> routilux::Result<()> {
            give(job)?;
            let report = job.run()?;
            let mut take = || {
                (
                    job.outputs().done().collect(),
                    job.outputs().dead().collect(),
                    job.outputs().late().collect(),
                )
            };
            let (done, dead, late) = take();
            waiting_came_to(&report, done, dead, late);
            Ok(())
        });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for threads in [false, true] {
        runtime.block_on(async {
            let mut job = Waiting::new().job();
            give(&mut job).unwrap();
            let state = match threads {
                false => {
                    let _ = job.run_async().await.unwrap();
                    job.state().unwrap()
                }
                true => {
                    let job = job.start_on(&Pool::new(2).unwrap()).unwrap();
                    let _ = job.finish_async().await.unwrap();
                    tokio::task::spawn_blocking(move || job.state().unwrap()).await.unwrap()
                }
            };
            let mut job = Waiting::new().resume(state).unwrap();
            let report = job.report();
            let (done, dead) = (job.outputs().done().collect(), job.outputs().dead().collect());
            let late = job.outputs().late().collect();
            waiting_came_to(&report, done, dead, late);
        });
    }
}
