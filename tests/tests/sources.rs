//! Sources: pulled one call at a time, only while there is room, and they go on where they were.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Error, Panic, Pool, TrySendError};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tests::everywhere::{clock, everywhere};
use tests::patience::{LONG, until, within};

/// Counts up to a number.
#[routine]
struct Numbers {
    to: u64,
    #[state]
    next: u64,
}

#[routine]
impl Numbers {
    #[event]
    fn n(n: u64);

    #[source(start)]
    fn count(&mut self, out: &mut Emit<Self>) -> More {
        if self.next == self.to {
            return More::Done;
        }
        out.n(self.next);
        self.next += 1;
        More::Now
    }
}

/// Keeps what it is given, in order.
#[routine]
struct Keeps {
    #[state]
    seen: Vec<u64>,
}

#[routine]
impl Keeps {
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        self.seen.push(n);
        out.on(n);
    }
}

flow! {
    flow Counting(to: u64) {
        numbers: Numbers { to };
        keeps: Keeps;
        numbers.n -> keeps.n, out direct;
        keeps.on -> out kept;
    }
}

#[test]
fn a_source_that_is_started_is_called_until_it_is_done() {
    for to in [0, 1, 40] {
        everywhere(Counting::new(to)).run_alike(
            |_| (),
            |ended| {
                let all: Vec<u64> = (0..to).collect();
                assert_eq!(ended.job().outputs().direct().collect::<Vec<_>>(), all, "{}", ended.engine);
                assert_eq!(ended.job().outputs().kept().collect::<Vec<_>>(), all, "{}", ended.engine);
                // Each call is a step, the last one too.
                let calls = ended.state.history_of("numbers").count() as u64;
                assert_eq!((ended.report.handled(), calls), (2 * to + 1, to + 1), "{}", ended.engine);
                assert_eq!(ended.report.status(), Status::Completed, "{}", ended.engine);
            },
        );
    }
}

// ---- a file ----

/// Reads texts line by line, as it would a file: the reader that is open is not a part of the job, where it stands is.
#[routine]
struct Reader {
    #[resource]
    opened: Arc<AtomicU64>,
    #[state]
    texts: Vec<String>,
    #[state]
    line: usize,
    #[transient]
    open: Option<Vec<String>>,
}

#[routine]
impl Reader {
    #[event]
    fn line(text: String);
    #[event]
    fn read(lines: u64);

    #[slot]
    fn open(&mut self, text: String, out: &mut Emit<Self>) {
        self.texts.push(text);
        out.lines();
    }

    #[source]
    fn lines(&mut self, out: &mut Emit<Self>) -> Result<More> {
        let Some(text) = self.texts.first() else { return Ok(More::Done) };
        let open = self.open.get_or_insert_with(|| {
            self.opened.fetch_add(1, Ordering::Relaxed);
            text.lines().map(str::to_owned).collect()
        });
        match open.get(self.line) {
            Some(line) => {
                out.line(line.clone());
                self.line += 1;
                Ok(More::Now)
            }
            None => {
                out.read(self.line as u64);
                self.texts.remove(0);
                (self.line, self.open) = (0, None);
                Ok(More::Now)
            }
        }
    }
}

#[routine]
struct Lines {
    #[state]
    seen: Vec<String>,
}

#[routine]
impl Lines {
    #[event]
    fn all(all: Vec<String>);

    #[slot(merge = "append", when = "drained")]
    fn line(&self, all: Vec<String>, out: &mut Emit<Self>) {
        out.all(all);
    }
}

flow! {
    flow Reading(opened: Arc<AtomicU64>) {
        reader: Reader { opened };
        lines: Lines;
        in text -> reader.open;
        reader.line -> lines.line;
        reader.read -> out read;
        lines.all -> return;
    }
}

#[test]
fn a_source_is_armed_by_a_handler_and_by_another_one_again() {
    let texts = ["a\nb\nc", "", "d"];
    everywhere(Reading::new(Arc::default())).run_alike(
        |job| texts.iter().for_each(|text| job.inputs().text((*text).into()).unwrap()),
        |ended| {
            assert_eq!(ended.report.result().unwrap(), &["a", "b", "c", "d"], "{}", ended.engine);
            assert_eq!(ended.job().outputs().read().collect::<Vec<_>>(), [3, 0, 1], "{}", ended.engine);
        },
    );
    // Without an input nothing arms it.
    let mut job = Reading::new(Arc::default()).job();
    let report = job.run().unwrap();
    assert_eq!((report.result().unwrap().len(), report.handled()), (0, 1));
    // One that is done is armed again while the job is open.
    let mut job = Reading::new(Arc::default()).job();
    for (text, read) in [("a", 1), ("b\nc", 2)] {
        job.inputs().text(text.into()).unwrap();
        assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
        assert_eq!(job.outputs().read().collect::<Vec<_>>(), [read]);
    }
    assert_eq!(job.run().unwrap().result().unwrap(), &["a", "b", "c"]);
}

#[test]
fn a_job_that_was_stopped_goes_on_where_its_source_was_and_opens_what_it_reads_anew() {
    let text: String = (0..20).map(|n| format!("{n}\n")).collect();
    let opened = Arc::new(AtomicU64::new(0));
    let flow = Reading::new(opened.clone());
    let mut job = flow.job();
    job.inputs().text(text).unwrap();
    job.close_inputs();
    for _ in 0..3 {
        (0..7).for_each(|_| assert!(job.step().unwrap()));
        let state = serde_json::to_string(&job.state().unwrap()).unwrap();
        job = flow.resume(serde_json::from_str(&state).unwrap()).unwrap();
    }
    let all: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(job.run().unwrap().result().unwrap(), &all);
    assert_eq!(opened.load(Ordering::Relaxed), 4);

    // On threads, in the middle of it.
    let opened = Arc::new(AtomicU64::new(0));
    let flow = Reading::new(opened.clone());
    let pool = Pool::new(2).unwrap();
    let text: String = (0..20_000).map(|n| format!("{n}\n")).collect();
    let job = flow.job().start_on(&pool).unwrap();
    job.inputs().text(text).unwrap();
    until("it reads", || job.report().handled() > 100);
    job.pause("to move");
    let state = job.state().unwrap();
    job.cancel("moved");
    let mut moved = flow.resume(state).unwrap();
    let report = moved.run().unwrap();
    let all = report.result().unwrap();
    assert_eq!(all.len(), 20_000);
    assert!(all.iter().enumerate().all(|(n, line)| *line == n.to_string()));
    assert_eq!(opened.load(Ordering::Relaxed), 2);
}

// ---- when it is called ----

/// Is called now and then.
#[routine]
struct Polls {
    times: Vec<u64>,
    #[state]
    calls: usize,
}

#[routine]
impl Polls {
    #[event]
    fn polled(call: u64);

    #[source(start)]
    fn poll(&mut self, out: &mut Emit<Self>) -> More {
        out.polled(self.calls as u64);
        self.calls += 1;
        match self.times.get(self.calls - 1) {
            None => More::Done,
            Some(0) => More::Now,
            Some(millis) => More::After(Duration::from_millis(*millis)),
        }
    }
}

flow! {
    flow Polling(times: Vec<u64>) {
        polls: Polls { times };
        polls.polled -> out polled;
    }
}

#[test]
fn a_source_is_called_again_after_the_time_it_says() {
    let clock = clock();
    let mut job = Polling::new(vec![0, 1_000, 250, 0]).job().clock(clock.clone());
    let calls_by = [(0, 2), (999, 0), (1, 1), (249, 0), (1, 2), (10_000, 0)];
    for (millis, calls) in calls_by {
        clock.advance(Duration::from_millis(millis));
        job.run_until_idle().unwrap();
        assert_eq!(job.outputs().polled().len(), calls, "after {millis} more");
        let _ = job.outputs().polled().count();
    }
    assert_eq!(job.run().unwrap().handled(), 5);

    // Where the inputs are closed the job waits for it.
    everywhere(Polling::new(vec![300, 0, 700])).run_alike(
        |_| (),
        |ended| {
            assert_eq!(ended.job().outputs().polled().collect::<Vec<_>>(), [0, 1, 2, 3], "{}", ended.engine);
            assert_eq!(ended.report.status(), Status::Completed, "{}", ended.engine);
        },
    );
}

#[test]
fn a_time_that_no_clock_comes_to_is_an_error_of_the_source() {
    let mut job = Polling::new(vec![u64::MAX]).job();
    let error = job.run().unwrap_err();
    assert!(error.to_string().starts_with("`polls.poll` failed on delivery 1"), "{error}");
    assert!(error.to_string().contains("longer than thirty years"), "{error}");
    assert_eq!(job.outputs().polled().next(), None);
}

// ---- room ----

/// How many there are between two places, and how many there were at most.
#[derive(Clone, Default)]
struct Gauge(Arc<(AtomicI64, AtomicI64)>);

impl Gauge {
    fn add(&self, by: i64) {
        let now = self.0.0.fetch_add(by, Ordering::SeqCst) + by;
        self.0.1.fetch_max(now, Ordering::SeqCst);
    }

    fn most(&self) -> i64 {
        self.0.1.load(Ordering::SeqCst)
    }

    fn reset(&self) {
        self.0.0.store(0, Ordering::SeqCst);
        self.0.1.store(0, Ordering::SeqCst);
    }
}

/// Counts up to a number, and so many at a time.
#[routine]
struct Gauged {
    to: u64,
    each: u64,
    #[resource]
    gauge: Gauge,
    #[state]
    next: u64,
}

#[routine]
impl Gauged {
    #[event]
    fn n(n: u64);

    #[source(start)]
    fn count(&mut self, out: &mut Emit<Self>) -> More {
        for _ in 0..self.each {
            if self.next == self.to {
                return More::Done;
            }
            self.gauge.add(1);
            out.n(self.next);
            self.next += 1;
        }
        More::Now
    }
}

/// Takes what was counted, slowly.
#[routine]
struct Takes {
    #[resource]
    gauge: Gauge,
    #[state]
    sum: u64,
}

#[routine]
impl Takes {
    #[event]
    fn taken(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        self.gauge.add(-1);
        self.sum += n;
        if n.is_multiple_of(8) {
            thread::yield_now();
        }
        out.taken(n);
    }
}

flow! {
    flow Narrow(to: u64, each: u64, gauge: Gauge) {
        numbers: Gauged { to, each, gauge };
        takes: Takes { gauge };
        numbers.n -> takes.n;
        takes.taken -> out taken;
    }
}

#[test]
fn a_source_is_called_only_while_fewer_deliveries_wait_than_may() {
    for (capacity, each) in [(1, 1), (2, 1), (5, 1), (5, 3), (1, 4)] {
        let gauge = Gauge::default();
        everywhere(Narrow::new(60, each, gauge.clone()))
            .seeds(20)
            .stays()
            .prepared(|job| job.capacity(capacity))
            .run_alike(
                |_| gauge.reset(),
                |ended| {
                    assert_eq!(ended.saved(&["routines", "takes", "sum"]), 59 * 60 / 2, "{}", ended.engine);
                    assert_eq!(ended.report.status(), Status::Completed, "{}", ended.engine);
                    // Fewer than `capacity` wait when it is called, and then it emits as many as it likes. A delivery that a worker has
                    // taken waits no more, though its handler may not have begun.
                    let taken = if ended.engine == "on 4 workers" { 1 } else { 0 };
                    let most = (capacity as u64 - 1 + each) as i64 + taken;
                    let measured = gauge.most();
                    assert!(measured <= most, "{}: {measured} wait, and {most} may", ended.engine);
                    // Without any bound it would be far ahead: it is the bound that keeps it.
                    assert!(measured >= each as i64, "{}", ended.engine);
                },
            );
    }
}

#[test]
fn a_source_uses_the_room_there_is() {
    let gauge = Gauge::default();
    let mut job = Narrow::new(60, 1, gauge.clone()).job().capacity(7);
    let mut most = 0;
    while job.step().unwrap() {
        let waiting =
            job.report().waiting().iter().filter(|(slot, _)| slot == "takes.n").map(|(_, n)| n).sum();
        most = most.max(waiting);
    }
    // It goes behind what it has emitted, and so is one ahead; with two sources there would be more.
    assert!((1..=7).contains(&most), "{most}");
    assert_eq!(job.run().unwrap().status(), Status::Completed);
}

/// Goes round and branches, so that one delivery becomes several.
#[routine]
struct Halves;

#[routine]
impl Halves {
    #[event]
    fn more(n: u64);
    #[event]
    fn done(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        match n {
            0 | 1 => out.done(n),
            _ => {
                out.more(n / 2);
                out.more(n - n / 2);
            }
        }
    }
}

#[routine]
struct Pairs;

#[routine]
impl Pairs {
    #[event]
    fn pair(a: u64, b: u64);

    #[join(emit = pair)]
    fn both(&self, a: u64, b: u64) -> (u64, u64) {
        (a, b)
    }
}

#[routine]
struct Sum;

#[routine]
impl Sum {
    #[event]
    fn sum(n: u64);

    #[merge]
    fn add(acc: &mut u64, n: u64) {
        *acc += n;
    }

    #[slot(merge = add, when = "drained", emit = sum)]
    fn all(&self, sum: u64) -> u64 {
        sum
    }
}

flow! {
    /// Several sources, of which one waits for the other, a loop, a retry and a drained slot.
    flow Crowded(to: u64) {
        a: Numbers { to };
        b: Numbers { to };
        c: Polls { times: vec![10; 5] };
        halves: Halves;
        pairs: Pairs;
        sum: Sum;
        falters: Falters;
        a.n -> halves.n, pairs.both.a;
        b.n -> pairs.both.b;
        c.polled -> falters.n;
        halves.more -> loop halves.n;
        halves.done -> sum.all;
        falters.on -> sum.all;
        pairs.pair -> out pairs;
        sum.sum -> return;
        on error of falters.n retry(2, 50ms);
    }
}

#[routine]
struct Falters;

#[routine]
impl Falters {
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        out.on(n);
        if cx.attempt() == 1 { Err("not yet".into()) } else { Ok(()) }
    }
}

#[test]
fn there_is_no_deadlock_however_little_room_there_is() {
    for capacity in [1, 2, 3] {
        everywhere(Crowded::new(6)).seeds(25).prepared(|job| job.capacity(capacity)).run_alike(
            |_| (),
            |ended| {
                let at = &ended.engine;
                assert_eq!(ended.report.result().unwrap(), &(5 * 6 / 2 + 15), "{at}");
                let pairs: Vec<(u64, u64)> = ended.job().outputs().pairs().collect();
                assert_eq!(pairs, (0..6).map(|n| (n, n)).collect::<Vec<_>>(), "{at}");
                assert_eq!(ended.report.status(), Status::Completed, "{at}");
            },
        );
    }
}

/// Emits later, to an output alone.
#[routine]
struct Later {
    to: u64,
    #[state]
    next: u64,
}

#[routine]
impl Later {
    #[event]
    fn n(n: u64);

    #[source(start)]
    fn count(&mut self, out: &mut Emit<Self>) -> More {
        if self.next == self.to {
            return More::Done;
        }
        out.after(Duration::from_millis(100)).n(self.next);
        self.next += 1;
        More::Now
    }
}

flow! {
    flow Lately(to: u64) {
        later: Later { to };
        keeps: Keeps;
        later.n -> out n;
        in n -> keeps.n;
        keeps.on -> out kept;
    }
}

#[test]
fn what_is_to_leave_later_takes_up_room_and_gives_it_back() {
    everywhere(Lately::new(4)).prepared(|job| job.capacity(1)).run_alike(
        |_| (),
        |ended| {
            assert_eq!(ended.job().outputs().n().collect::<Vec<_>>(), [0, 1, 2, 3], "{}", ended.engine);
            assert_eq!(ended.report.status(), Status::Completed, "{}", ended.engine);
        },
    );
    // One at a time: the second is asked for when the first has left.
    let clock = clock();
    let mut job = Lately::new(4).job().clock(clock.clone()).capacity(1);
    for n in 0..4 {
        job.run_until_idle().unwrap();
        assert_eq!(job.outputs().n().next(), None);
        clock.advance(Duration::from_millis(100));
        job.run_until_idle().unwrap();
        assert_eq!(job.outputs().n().collect::<Vec<_>>(), [n]);
    }
}

// ---- outputs ----

flow! {
    /// From a source to the world.
    flow Outward(to: u64, gauge: Gauge) {
        numbers: Gauged { to, each: 1, gauge };
        numbers.n -> out n;
    }
}

#[test]
fn an_output_that_nobody_takes_never_stalls_the_job() {
    everywhere(Outward::new(200, Gauge::default())).seeds(3).prepared(|job| job.capacity(1)).run_alike(
        |_| (),
        |ended| {
            assert_eq!(ended.report.status(), Status::Completed, "{}", ended.engine);
            assert_eq!(
                ended.job().outputs().n().collect::<Vec<_>>(),
                (0..200).collect::<Vec<_>>(),
                "{}",
                ended.engine
            );
        },
    );
}

#[test]
fn an_output_that_is_read_slowly_holds_the_source_back() {
    within(1, || {
        for (workers, capacity) in [(1, 1), (2, 4)] {
            let gauge = Gauge::default();
            let pool = Pool::new(workers).unwrap();
            let job = Outward::new(200, gauge.clone()).job().capacity(capacity);
            // It is read from the first on: before that nobody has taken it.
            job.control().pause("not yet");
            let job = job.start_on(&pool).unwrap();
            let output = job.outputs().n();
            job.resume().unwrap();
            job.close_inputs();
            let mut read = Vec::new();
            for n in output {
                gauge.add(-1);
                read.push(n);
                if n % 16 == 0 {
                    thread::sleep(Duration::from_millis(2));
                }
            }
            assert_eq!(read, (0..200).collect::<Vec<_>>());
            // What the reader has taken and not yet told of is one more.
            assert!(gauge.most() <= capacity as i64 + 1, "{} were ahead", gauge.most());
            assert_eq!(job.finish().unwrap().status(), Status::Completed);
        }
    });
}

#[test]
fn a_reader_that_goes_away_lets_the_source_go_on() {
    within(1, || {
        let pool = Pool::new(1).unwrap();
        let job = Outward::new(300, Gauge::default()).job().capacity(2).start_on(&pool).unwrap();
        let output = job.outputs().n();
        assert_eq!(output.next_timeout(LONG), Some(0));
        drop(output);
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
        assert_eq!(job.outputs().n().count(), 299);
    });
}

// ---- inputs ----

/// Waits until it is told.
#[routine]
struct Gate {
    #[resource]
    open: Arc<AtomicBool>,
}

#[routine]
impl Gate {
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        while !self.open.load(Ordering::Acquire) {
            thread::yield_now();
        }
        out.on(n);
    }
}

flow! {
    flow Gated(open: Arc<AtomicBool>) {
        gate: Gate { open };
        in n -> gate.n;
        gate.on -> out n;
    }
}

#[test]
fn who_sends_more_than_there_is_room_for_waits_or_is_given_it_back() {
    within(1, || {
        let open = Arc::new(AtomicBool::new(false));
        let job = Gated::new(open.clone()).job().capacity(3).start_on(&Pool::new(2).unwrap()).unwrap();
        // What runs does not wait: it takes up no room.
        job.inputs().n(0).unwrap();
        until("it runs", || job.progress().running() == 1);
        (1..4).for_each(|n| job.inputs().n(n).unwrap());
        match job.inputs().try_send().n(4) {
            Err(TrySendError::Full(4)) => {}
            other => panic!("{other:?}"),
        }
        let sent = Arc::new(AtomicBool::new(false));
        let (mut inputs, is_sent) = (job.inputs(), sent.clone());
        let sender = thread::spawn(move || {
            inputs.n(4).unwrap();
            is_sent.store(true, Ordering::Release);
        });
        thread::sleep(Duration::from_millis(30));
        assert!(!sent.load(Ordering::Acquire), "it did not wait for room");
        open.store(true, Ordering::Release);
        sender.join().unwrap();
        // With room it is sent, and what is closed refuses.
        assert!(job.wait_until_idle(LONG).unwrap().is_some());
        job.inputs().try_send().n(5).unwrap();
        assert_eq!(job.finish().unwrap().handled(), 6);
        match job.inputs().try_send().n(6) {
            Err(TrySendError::Refused(Error::State { .. })) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(job.outputs().n().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    });
}

#[test]
fn who_waits_for_room_is_told_when_the_job_ends_otherwise() {
    within(1, || {
        let open = Arc::new(AtomicBool::new(false));
        let job = Gated::new(open.clone()).job().capacity(1).start_on(&Pool::new(1).unwrap()).unwrap();
        job.inputs().n(0).unwrap();
        until("it runs", || job.progress().running() == 1);
        job.inputs().n(1).unwrap();
        let mut inputs = job.inputs();
        let sender = thread::spawn(move || inputs.n(2));
        thread::sleep(Duration::from_millis(10));
        job.cancel("enough");
        open.store(true, Ordering::Release);
        // It is refused, or it came before the end and is kept.
        let sent = sender.join().unwrap();
        assert_eq!(job.wait(LONG).unwrap().unwrap().status(), Status::Cancelled);
        match sent {
            Ok(()) => assert_eq!(job.state().unwrap().waiting(), 2),
            Err(refused) => assert!(refused.to_string().contains("it was cancelled"), "{refused}"),
        }
    });
}

#[test]
fn in_this_thread_nobody_waits_and_it_is_said_that_there_is_no_room() {
    let mut job = Gated::new(Arc::new(AtomicBool::new(true))).job().capacity(2);
    job.inputs().try_send().n(0).unwrap();
    job.inputs().try_send().n(1).unwrap();
    assert!(matches!(job.inputs().try_send().n(2), Err(TrySendError::Full(2))));
    // Who could make room is who sends: nothing is gained by waiting.
    job.inputs().n(2).unwrap();
    job.run_until_idle().unwrap();
    job.inputs().try_send().n(3).unwrap();
    assert_eq!(job.run().unwrap().handled(), 4);
    assert!(matches!(job.inputs().try_send().n(4), Err(TrySendError::Refused(_))));
}

// ---- failures ----

/// Fails at its first attempts at some numbers, after it has moved on and emitted.
#[routine]
struct Shaky {
    #[resource]
    opened: Arc<Mutex<BTreeSet<u64>>>,
    #[state]
    next: u64,
    #[transient]
    open: Option<u64>,
}

#[routine]
impl Shaky {
    #[event]
    fn n(n: u64);

    #[source(start)]
    fn count(&mut self, out: &mut Emit<Self>, cx: &Context) -> Result<More> {
        let n = self.next;
        if self.open.is_none() {
            self.opened.lock().unwrap().insert(n);
        }
        self.open = Some(n);
        self.next += 1;
        out.n(n);
        match (n % 4, cx.attempt()) {
            (1, 1) => Err("the disk is gone".into()),
            (3, 1 | 2) => std::panic::resume_unwind(Box::new("the disk is broken")),
            _ if n == 8 => Ok(More::Done),
            _ => Ok(More::Now),
        }
    }
}

flow! {
    flow Shaken(opened: Arc<Mutex<BTreeSet<u64>>>) {
        source: Shaky { opened };
        source.n -> out n;
    }
}

flow! {
    flow Mended(opened: Arc<Mutex<BTreeSet<u64>>>) {
        source: Shaky { opened };
        source.n -> out n;
        on error of source.count retry(1, 100ms);
        on panic of source.count retry(2);
    }
}

#[test]
fn a_source_that_fails_is_where_it_was_and_has_emitted_nothing() {
    let opened = Arc::new(Mutex::new(BTreeSet::new()));
    everywhere(Shaken::new(opened.clone())).resumed().run(
        |_| opened.lock().unwrap().clear(),
        |ended| {
            assert_eq!(
                ended.job().outputs().n().collect::<Vec<_>>(),
                (0..=8).collect::<Vec<_>>(),
                "{}",
                ended.engine
            );
            // 1 and 5 once, 3 and 7 twice.
            assert_eq!((ended.failures, ended.report.handled()), (6, 9), "{}", ended.engine);
            // What is transient is made anew after each of them.
            assert!(opened.lock().unwrap().is_superset(&[0, 1, 3, 5, 7].into()), "{opened:?}");
        },
    );
    everywhere(Mended::new(opened.clone())).run_alike(
        |_| (),
        |ended| {
            assert_eq!(
                ended.job().outputs().n().collect::<Vec<_>>(),
                (0..=8).collect::<Vec<_>>(),
                "{}",
                ended.engine
            );
            assert_eq!((ended.failures, ended.report.failures()), (0, 0), "{}", ended.engine);
        },
    );

    let mut job = Shaken::new(opened).job();
    let error = job.run().unwrap_err();
    assert_eq!(error.to_string(), "`source.count` failed on delivery 2 (attempt 1): the disk is gone");
    assert!(matches!(&error, Error::SlotHandler { payload_lost: false, .. }));
    job.resume().unwrap();
    let error = job.run().unwrap_err();
    assert_eq!(error.downcast_ref::<Panic>().unwrap().message, "the disk is broken");
    assert_eq!(job.outputs().n().collect::<Vec<_>>(), [0, 1, 2]);
}

flow! {
    /// What one source cannot do the others can.
    flow Skipping(opened: Arc<Mutex<BTreeSet<u64>>>) {
        shaky: Shaky { opened };
        numbers: Numbers { to: 5 };
        sum: Sum;
        shaky.n -> sum.all;
        numbers.n -> sum.all;
        sum.sum -> return;
        on error of shaky.count skip;
    }
}

#[test]
fn a_source_that_is_skipped_is_not_called_again_and_holds_up_nobody() {
    everywhere(Skipping::new(Arc::default())).prepared(|job| job.capacity(1)).run_alike(
        |_| (),
        |ended| {
            assert_eq!(ended.report.result().unwrap(), &10, "{}", ended.engine);
            assert_eq!((ended.report.skipped(), ended.report.failures()), (1, 1), "{}", ended.engine);
            assert_eq!(ended.report.absorbed()[0].slot, "shaky.count", "{}", ended.engine);
        },
    );
}
