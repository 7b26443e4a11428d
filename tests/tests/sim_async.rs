//! `async` handlers in the simulated engine: they wait in virtual time, and are done in any order that they could be.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::sim::{self, Sim};
use routilux::{Clock, Error, Outcome, TimedOut};
use std::collections::BTreeSet;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Semaphore;
use tokio::task::yield_now;

type Checked = routilux::Result<()>;

/// What it panics with.
fn panic_of<T>(run: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(run)) else { panic!("it did not panic") };
    *panic.downcast::<String>().unwrap()
}

/// The failing seed that a message names.
fn seed_in(message: &str) -> u64 {
    let from = message.split("under the seed ").nth(1).unwrap_or_else(|| panic!("{message}"));
    from.split(':').next().unwrap().parse().unwrap()
}

/// The simulation finds something, and has it again: with the same message, and so by the same last steps.
fn finds<F: Flow + Clone>(how: &Sim, flow: &F, mut test: impl FnMut(&mut Job<F>) -> Checked) -> String {
    let found = panic_of(|| how.explore(flow.clone(), 1_000, &mut test));
    let seed = seed_in(&found);
    assert_eq!(panic_of(|| how.clone().seed(seed).explore(flow.clone(), 1, &mut test)), found);
    found
}

fn since_start(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800)).unwrap()
}

/// Gives what it is given after so many seconds.
#[routine]
struct Fetcher;

#[routine]
impl Fetcher {
    #[event]
    fn fetched(n: u64);

    #[slot(optional)]
    async fn page(&self, n: u64, seconds: u64, out: &mut Emit<Self>, cx: &Context) {
        let (before, time) = (cx.now(), Duration::from_secs(seconds));
        cx.sleep(time).await;
        let late = cx.now().duration_since(before + time).unwrap();
        // There are no more than a few steps between.
        assert!(late <= Duration::from_millis(400), "{late:?}");
        out.fetched(n);
    }

    #[slot(optional, timeout = "20s")]
    async fn soon(&self, n: u64, seconds: u64, out: &mut Emit<Self>, cx: &Context) {
        assert!(cx.deadline().is_some());
        cx.sleep(Duration::from_secs(seconds)).await;
        out.fetched(n);
    }
}

// A planted order bug.

/// Puts a title over a text, and expects it to come first.
#[routine]
struct Layout {
    #[state]
    title: Option<u64>,
}

#[routine]
impl Layout {
    #[event]
    fn done(title: u64, text: u64);

    #[slot]
    fn title(&mut self, title: u64) {
        self.title = Some(title);
    }

    #[slot]
    fn text(&mut self, text: u64, out: &mut Emit<Self>) {
        out.done(self.title.unwrap_or(0), text);
    }
}

flow! {
    flow Paper() {
        titles: Fetcher;
        texts:  Fetcher;
        layout: Layout;

        in title       -> titles.page;
        in text        -> texts.page;
        titles.fetched -> layout.title;
        texts.fetched  -> layout.text;
        layout.done    -> return;
    }
}

fn prints(job: &mut Job<Paper>, title_takes: u64, text_takes: u64) -> Checked {
    job.inputs().title((1, title_takes))?;
    job.inputs().text((2, text_takes))?;
    assert_eq!(job.run()?.result()?, &(1, 2), "there is no title");
    Ok(())
}

#[test]
fn a_planted_order_bug_between_two_that_wait_is_found() {
    let found = finds(&Sim::default(), &Paper::new(), |job| prints(job, 5, 5));
    assert!(found.contains("there is no title"), "{found}");
    assert!(found.contains("titles.page #1 begins\n"), "{found}");
    assert!(found.contains("texts.page #2 ends\n"), "{found}");
    // One that takes a second longer does not come first.
    sim::explore(Paper::new(), 1_000, |job| prints(job, 4, 5));
    let all = sim::exhaust(Paper::new(), 1_000, |job| prints(job, 4, 5));
    assert!(all.complete);
    assert!(panic_of(|| sim::exhaust(Paper::new(), 1_000, |job| prints(job, 5, 5))).contains("no title"));
    assert!(panic_of(|| sim::explore(Paper::new(), 1, |job| prints(job, 5, 4))).contains("no title"));
}

flow! {
    flow Fetches() {
        fetcher: Fetcher;
        in page         -> fetcher.page;
        in soon         -> fetcher.soon;
        fetcher.fetched -> out fetched;
    }
}

/// In which orders so many come out.
fn orders(takes: &[u64]) -> Vec<Vec<u64>> {
    let mut seen = BTreeSet::new();
    let all = sim::exhaust(Fetches::new(), 10_000, |job| -> Checked {
        (0..).zip(takes).try_for_each(|(n, takes)| job.inputs().page((n, *takes)))?;
        assert_eq!(job.run()?.status(), Status::Completed);
        seen.insert(job.outputs().fetched().collect());
        Ok(())
    });
    assert!(all.complete);
    seen.into_iter().collect()
}

#[test]
fn every_order_of_their_ends_is_explored() {
    assert_eq!(orders(&[3, 3, 3]).len(), 6);
    assert_eq!(orders(&[3, 2, 1]), [[2, 1, 0]]);
    assert_eq!(orders(&[2, 3, 3]), [[0, 1, 2], [0, 2, 1]]);
}

/// Tells who began and who ended.
#[routine]
struct Runner {
    #[resource]
    told: Arc<Mutex<Vec<u64>>>,
}

#[routine]
impl Runner {
    #[slot]
    async fn run(&self, n: u64, seconds: u64, cx: &Context) {
        self.told.lock().unwrap().push(n);
        match seconds {
            0 => yield_now().await,
            _ => cx.sleep(Duration::from_secs(seconds)).await,
        }
        self.told.lock().unwrap().push(n);
    }
}

flow! {
    flow Race(told: Arc<Mutex<Vec<u64>>>) {
        runner: Runner { told };
        in run -> runner.run;
    }
}

#[test]
fn who_begins_first_need_not_end_first() {
    let overlapping = |count: u64, seconds: u64| {
        let (told, mut seen) = (Arc::new(Mutex::new(Vec::new())), BTreeSet::new());
        let all = sim::exhaust(Race::new(told.clone()), 10_000, |job| -> Checked {
            told.lock().unwrap().clear();
            (0..count).try_for_each(|n| job.inputs().run((n, seconds)))?;
            assert_eq!(job.run()?.status(), Status::Completed);
            assert!(seen.insert(told.lock().unwrap().clone()), "the same order again");
            Ok(())
        });
        assert!(all.complete);
        // All have begun before the first ends.
        seen.retain(|told| told[..count as usize].iter().collect::<BTreeSet<_>>().len() == count as usize);
        seen.len()
    };
    assert_eq!(overlapping(2, 0), 4);
    assert_eq!(overlapping(3, 0), 36);
    // Those that begin a moment later may be woken a moment earlier.
    assert_eq!(overlapping(2, 1), 4);
}

// A planted lost update.

#[routine]
struct Teller {
    at_once: bool,
    #[resource]
    balance: Arc<AtomicU64>,
}

#[routine]
impl Teller {
    #[slot]
    async fn deposit(&self, amount: u64) {
        let before = self.balance.load(Ordering::SeqCst);
        if !self.at_once {
            yield_now().await;
        }
        self.balance.store(before + amount, Ordering::SeqCst);
    }
}

flow! {
    flow Bank(at_once: bool, balance: Arc<AtomicU64>) {
        teller: Teller { at_once, balance };
        in deposit -> teller.deposit;
    }
}

#[test]
fn a_planted_lost_update_is_found() {
    let balance = Arc::new(AtomicU64::new(0));
    let test = |job: &mut Job<Bank>| -> Checked {
        balance.store(100, Ordering::SeqCst);
        (0..2).try_for_each(|_| job.inputs().deposit(10))?;
        assert_eq!(job.run()?.status(), Status::Completed);
        assert_eq!(balance.load(Ordering::SeqCst), 120, "a deposit is lost");
        Ok(())
    };
    let found = finds(&Sim::default(), &Bank::new(false, balance.clone()), test);
    assert!(found.contains("a deposit is lost"), "{found}");
    sim::explore(Bank::new(true, balance.clone()), 1_000, test);
}

// A planted deadlock.

/// Two tables, each for one at a time.
type Tables = [Arc<Semaphore>; 2];

fn tables() -> Tables {
    [Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(1))]
}

/// Takes one table, and then the other as well.
#[routine]
struct Desk {
    first: usize,
    #[resource]
    tables: Tables,
}

#[routine]
impl Desk {
    #[event]
    fn done(n: u64);

    #[slot]
    async fn settle(&self, n: u64, out: &mut Emit<Self>) -> Result {
        let _one = self.tables[self.first].acquire().await?;
        yield_now().await;
        let _other = self.tables[1 - self.first].acquire().await?;
        out.done(n);
        Ok(())
    }
}

flow! {
    flow Desks(second: usize, tables: Tables) {
        left:  Desk { first: 0, tables };
        right: Desk { first: second, tables };

        in both    -> left.settle, right.settle;
        left.done  -> out done;
        right.done -> out done;
    }
}

fn settles(job: &mut Job<Desks>) -> Checked {
    job.inputs().both(1)?;
    assert_eq!(job.run()?.status(), Status::Completed);
    assert_eq!(job.outputs().done().len(), 2);
    Ok(())
}

#[test]
fn a_planted_deadlock_is_found_and_names_those_that_wait() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut job = Desks::new(1, tables()).job();
        job.inputs().both(1).unwrap();
        assert_eq!(job.run_async().await.unwrap().handled(), 2);
    });
    let found = finds(&Sim::default(), &Desks::new(1, tables()), settles);
    let named = ["left.settle #1 and right.settle #2", "right.settle #2 and left.settle #1"];
    let told = named.map(|both| format!("this job is at a standstill: {both} wait for ever\nnote: "));
    assert!(told.iter().any(|told| found.contains(told)), "{found}");
    assert!(found.contains("the job is running; the last ones:\n"), "{found}");
    assert!(found.contains("left.settle #1 begins\n"), "{found}");
    // What they held is free again: the next seeds are not held up by that.
    sim::explore(Desks::new(0, tables()), 1_000, settles);
    let exhausted = panic_of(|| sim::exhaust(Desks::new(1, tables()), 100, settles));
    assert!(exhausted.contains("this job is at a standstill"), "{exhausted}");
    let all = sim::exhaust(Desks::new(0, tables()), 1_000, settles);
    assert!(all.complete);
}

// Time.

#[test]
fn an_hour_passes_at_once() {
    let real = Instant::now();
    sim::explore(Fetches::new(), 50, |job| -> Checked {
        job.inputs().page((1, 3_600))?;
        job.inputs().page((2, 7_200))?;
        assert_eq!(job.run()?.handled(), 2);
        assert!(job.outputs().fetched().eq([1, 2]));
        let ended = since_start(job.history().last().unwrap().time);
        let late = ended - Duration::from_secs(7_200);
        assert!(late <= Duration::from_millis(40), "{late:?}");
        Ok(())
    });
    assert!(real.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_timeout_runs_on_virtual_time() {
    let test = |job: &mut Job<Fetches>| -> Checked {
        job.inputs().soon((1, 10))?;
        assert_eq!(job.run_until_idle()?, Status::Waiting);
        let before = job.history().last().unwrap().time;
        job.inputs().soon((2, 1_000))?;
        let error = job.run().unwrap_err();
        assert_eq!(error.downcast_ref::<TimedOut>().unwrap().limit, Duration::from_secs(20));
        let took = job.history().last().unwrap().time.duration_since(before).unwrap();
        assert!(took >= Duration::from_secs(20) && took <= Duration::from_millis(20_060), "{took:?}");
        assert_eq!((job.state()?.waiting(), job.report().handled()), (1, 1));
        job.resume()?;
        assert!(matches!(job.run().unwrap_err(), Error::SlotHandler { attempts: 2, delivery: 2, .. }));
        Ok(())
    };
    sim::explore(Fetches::new(), 100, test);
    sim::with_crashes().explore(Fetches::new(), 100, test);
}

#[test]
fn one_that_is_woken_late_may_be_too_late() {
    let mut in_time = BTreeSet::new();
    sim::explore(Fetches::new(), 200, |job| -> Checked {
        job.inputs().soon((1, 20))?;
        let ended = job.run();
        let took = since_start(job.history().last().unwrap().time);
        assert!(took <= Duration::from_millis(20_020), "{took:?}");
        in_time.insert(ended.is_ok());
        ended.map(drop).or_else(|error| match error.downcast_ref::<TimedOut>() {
            Some(_) => Ok(()),
            None => Err(error),
        })
    });
    assert_eq!(in_time.len(), 2);
}

#[test]
fn by_a_manual_clock_a_handler_sleeps_until_that_is_moved_on() {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    let mut job = Fetches::new().job().clock(clock.clone());
    job.inputs().page((1, 60)).unwrap();
    {
        let mut run = Box::pin(job.run_async());
        let mut poll = || run.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()));
        assert!(poll().is_pending());
        clock.advance(Duration::from_millis(59_999));
        assert!(poll().is_pending());
        clock.advance(Duration::from_millis(1));
        assert!(matches!(poll(), Poll::Ready(Ok(_))));
    }
    assert!(job.outputs().fetched().eq([1]));
}

/// Waits for ever, in two ways.
#[routine]
struct Stuck;

#[routine]
impl Stuck {
    #[slot]
    async fn n(&self, n: u64, cx: &Context) {
        match n {
            0 => cx.sleep(Duration::MAX).await,
            _ => std::future::pending().await,
        }
    }
}

flow! {
    flow Standstill() {
        stuck: Stuck;
        in n -> stuck.n;
    }
}

#[test]
fn who_waits_for_ever_is_named_and_what_may_wake_a_handler() {
    let of = |count: u64| {
        panic_of(|| {
            sim::exhaust(Standstill::new(), 1, |job| -> Checked {
                (0..count).try_for_each(|n| job.inputs().n(n))?;
                job.run().map(drop)
            })
        })
    };
    let one = of(1);
    assert!(one.contains("at a standstill: stuck.n #1 waits for ever\nnote: what wakes a handler"), "{one}");
    assert!(
        one.contains("\nafter 1 steps the job is running; the last ones:\n    stuck.n #1 begins\n"),
        "{one}"
    );
    let three = of(3);
    assert!(three.contains(": stuck.n #1, stuck.n #2 and stuck.n #3 wait for ever\n"), "{three}");
    let ten = of(10);
    assert!(ten.contains("stuck.n #7, stuck.n #8 and 2 more wait for ever\n"), "{ten}");
}

#[test]
fn one_that_wakes_itself_for_ever_is_stopped() {
    #[routine]
    struct Spinner;
    #[routine]
    impl Spinner {
        #[slot]
        async fn n(&self, _n: u64) {
            loop {
                yield_now().await;
            }
        }
    }
    flow! { flow Spins() { spinner: Spinner; in n -> spinner.n; } }
    let found = panic_of(|| {
        sim::steps(50).explore(Spins::new(), 1, |job| -> Checked {
            job.inputs().n(1)?;
            job.run().map(drop)
        });
    });
    assert!(found.contains("this job does not come to an end in 50 steps"), "{found}");
    assert!(found.contains("    spinner.n #1 goes on\n"), "{found}");
}

// Who runs at the same time.

#[derive(Clone, Default)]
struct Inside {
    now: Arc<AtomicU64>,
    most: Arc<AtomicU64>,
    alone_met: Arc<AtomicU64>,
    shared_met: Arc<AtomicU64>,
}

#[routine]
struct Room {
    #[resource]
    inside: Inside,
}

struct Leaves<'r>(&'r Inside);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Room {
    async fn stay(&self, cx: &Context) {
        let now = self.inside.now.fetch_add(1, Ordering::SeqCst) + 1;
        let _leaves = Leaves(&self.inside);
        self.inside.most.fetch_max(now, Ordering::SeqCst);
        cx.sleep(Duration::from_secs(60)).await;
        yield_now().await;
    }
}

#[routine]
impl Room {
    #[slot(optional, parallel = 3)]
    async fn three(&self, _n: u64, cx: &Context) {
        self.stay(cx).await;
    }

    #[slot(optional)]
    async fn many(&self, _n: u64, cx: &Context) {
        self.stay(cx).await;
    }

    #[slot(optional)]
    fn shared(&self, _n: u64) {
        self.inside.shared_met.fetch_max(self.inside.now.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    #[slot(optional)]
    fn alone(&mut self, _n: u64) {
        self.inside.alone_met.fetch_max(self.inside.now.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

flow! {
    flow Rooms(inside: Inside) {
        room: Room { inside };
        in three  -> room.three;
        in many   -> room.many;
        in shared -> room.shared;
        in alone  -> room.alone;
    }
}

#[test]
fn as_many_run_at_once_as_the_slot_allows_and_none_next_to_one_that_needs_the_routine_alone() {
    let most = |how: &Sim, send: fn(&mut Job<Rooms>) -> Checked| {
        let inside = Inside::default();
        how.explore(Rooms::new(inside.clone()), 100, |job| -> Checked {
            send(job)?;
            assert_eq!(job.run()?.status(), Status::Completed);
            Ok(())
        });
        assert_eq!(inside.now.load(Ordering::SeqCst), 0);
        [inside.most, inside.shared_met, inside.alone_met].map(|count| count.load(Ordering::SeqCst))
    };
    let one = sim::workers(1);
    assert_eq!(most(&one, |job| (0..10).try_for_each(|n| job.inputs().three(n))), [3, 0, 0]);
    assert_eq!(most(&one, |job| (0..80).try_for_each(|n| job.inputs().many(n))), [64, 0, 0]);
    let mixed = |job: &mut Job<Rooms>| -> Checked {
        for n in 0..4 {
            job.inputs().three(n)?;
            job.inputs().many(n)?;
            job.inputs().shared(n)?;
            job.inputs().alone(n)?;
        }
        Ok(())
    };
    assert_eq!(most(&one, mixed), [2, 2, 0]);
    assert_eq!(most(&sim::with_crashes(), mixed), [2, 2, 0]);
}

// What they may wait for: each other.

#[routine]
struct Pair {
    #[resource]
    calls: Arc<Semaphore>,
}

#[routine]
impl Pair {
    #[event]
    fn met(n: u64);

    #[slot]
    async fn wait(&self, n: u64, out: &mut Emit<Self>) -> Result {
        self.calls.acquire().await?.forget();
        out.met(n);
        Ok(())
    }

    #[slot]
    fn call(&self, _n: u64) {
        self.calls.add_permits(1);
    }
}

flow! {
    flow Meeting(calls: Arc<Semaphore>) {
        pair: Pair { calls };
        in wait -> pair.wait;
        in call -> pair.call;
        pair.met -> out met;
    }
}

#[test]
fn they_wait_for_each_other() {
    let flow = Meeting::new(Arc::new(Semaphore::new(0)));
    sim::explore(flow.clone(), 200, |job| -> Checked {
        for n in 0..3 {
            job.inputs().wait(n)?;
            job.inputs().call(n)?;
        }
        assert_eq!(job.run()?.handled(), 6);
        assert_eq!(job.outputs().met().collect::<BTreeSet<_>>(), BTreeSet::from([0, 1, 2]));
        Ok(())
    });
    // One step alone: what would wake it does not start before it has ended.
    let found = panic_of(|| {
        sim::exhaust(flow.clone(), 1, |job| -> Checked {
            job.inputs().wait(1)?;
            job.inputs().call(2)?;
            job.step().map(drop)
        })
    });
    assert!(found.contains("pair.wait #1 waits for ever; nothing new is started"), "{found}");
}

// How a run ends.

/// Does what it is told, after some time.
#[routine]
struct Worker {
    #[resource]
    given_up: Arc<AtomicU64>,
}

struct Given<'w>(&'w Worker, bool);

impl Drop for Given<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.given_up.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[routine]
impl Worker {
    #[event]
    fn done(what: String, attempt: u32);

    #[slot(parallel = 3)]
    async fn order(&self, what: String, out: &mut Emit<Self>, cx: &Context) -> Result {
        let mut given = Given(self, false);
        cx.sleep(Duration::from_secs(1)).await;
        given.1 = true;
        match &*what {
            "pause" => cx.pause("as ordered"),
            "cancel" => cx.cancel("as ordered"),
            "fail" if cx.attempt() == 1 => return Err("as ordered".into()),
            "panic" if cx.attempt() == 1 => panic!("as ordered"),
            "never" => {
                given.1 = false;
                std::future::pending().await
            }
            _ => {}
        }
        out.done(what, cx.attempt());
        Ok(())
    }
}

flow! {
    flow Orders(given_up: Arc<AtomicU64>) {
        worker: Worker { given_up };
        in order -> worker.order;
        worker.done -> out done;
    }
}

fn send(job: &mut Job<Orders>, orders: &[&str]) -> Checked {
    orders.iter().try_for_each(|what| job.inputs().order((*what).to_owned()))
}

/// With crashes and without: how many handlers were given up in all.
fn ordered(how: &Sim, test: impl Fn(&mut Job<Orders>) -> Checked) -> u64 {
    let given_up = Arc::new(AtomicU64::new(0));
    how.explore(Orders::new(given_up.clone()), 200, test);
    given_up.load(Ordering::SeqCst)
}

#[test]
fn a_pause_waits_for_those_in_flight_and_starts_nothing() {
    let least = AtomicU64::new(5);
    let test = |job: &mut Job<Orders>| -> Checked {
        send(job, &["pause", "a", "b", "c", "d"])?;
        let report = job.run()?;
        assert_eq!((report.status(), report.reason()), (Status::Paused, Some("as ordered")));
        let done = job.outputs().done().count() as u64;
        let waiting: u64 = report.waiting().iter().map(|(_, count)| count).sum();
        assert_eq!((report.handled(), waiting), (done, 5 - done));
        // The other two that were in flight at least.
        assert!(done >= 3);
        least.fetch_min(done, Ordering::SeqCst);
        assert_eq!(job.state()?.waiting(), 5 - done as usize);
        job.resume()?;
        assert_eq!(job.run()?.status(), Status::Completed);
        assert_eq!(job.outputs().done().count() as u64, 5 - done);
        Ok(())
    };
    assert_eq!(ordered(&Sim::default(), test), 0);
    assert_eq!(least.load(Ordering::SeqCst), 3);
    // Who cancels while it comes to rest is heard, and so is a failure.
    ordered(&Sim::default(), |job| {
        send(job, &["pause", "cancel"])?;
        assert_eq!(job.run()?.status(), Status::Cancelled);
        assert_eq!(job.reason(), Some("as ordered"));
        Ok(())
    });
    ordered(&Sim::default(), |job| {
        send(job, &["pause", "fail"])?;
        assert!(job.run().is_err());
        assert_eq!((job.status(), job.reason()), (Status::Failed, None));
        Ok(())
    });
}

#[test]
fn who_cancels_does_not_wait_for_those_in_flight() {
    let given_up = ordered(&Sim::default(), |job| {
        send(job, &["cancel", "never", "never", "a"])?;
        let report = job.run()?;
        assert_eq!(report.status(), Status::Cancelled);
        assert_eq!(report.handled() + report.waiting()[0].1, 4);
        Ok(())
    });
    // Two were in flight under each seed.
    assert_eq!(given_up, 2 * 200);
}

#[test]
fn the_first_failure_stands_and_those_in_flight_go_on_to_their_ends() {
    for how in [Sim::default(), sim::with_crashes()] {
        let given_up = ordered(&how, |job| {
            send(job, &["fail", "a", "panic", "b"])?;
            let mut failed = Vec::new();
            let report = loop {
                match job.run() {
                    Ok(report) => break report,
                    Err(Error::SlotHandler { delivery, attempts: 1, source, .. }) => {
                        assert!(source.to_string().contains("as ordered"), "{source}");
                        let report = job.report();
                        let waiting: u64 = report.waiting().iter().map(|(_, count)| count).sum();
                        assert_eq!(report.handled() + report.failed() + waiting, 4, "{report:?}");
                        failed.push(delivery);
                        job.resume()?;
                    }
                    Err(error) => return Err(error),
                }
            };
            assert_eq!((report.status(), report.handled()), (Status::Completed, 4));
            let faults = job.history().filter(|entry| matches!(entry.outcome, Outcome::Failed(_)));
            assert_eq!(faults.map(|entry| entry.delivery).collect::<BTreeSet<_>>(), BTreeSet::from([1, 3]));
            assert!((1..=2).contains(&failed.len()), "{failed:?}");
            let mut done: Vec<_> = job.outputs().done().collect();
            done.sort();
            assert!(done.into_iter().eq([("a", 1), ("b", 1), ("fail", 2), ("panic", 2)].map(owned)));
            Ok(())
        });
        // Each crash that comes in time gives some up, and nothing else does.
        assert_eq!(given_up > 0, format!("{how:?}").contains("crashes: true"));
    }
}

fn owned((what, attempt): (&str, u32)) -> (String, u32) {
    (what.to_owned(), attempt)
}

#[test]
fn hooks_see_the_end_when_all_have_landed() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    sim::with_crashes().explore(Orders::new(Arc::default()), 100, |job| -> Checked {
        seen.lock().unwrap().clear();
        let (after, end) = (seen.clone(), seen.clone());
        let hooked = std::mem::replace(job, Orders::new(Arc::default()).job());
        *job = hooked
            .after_handler(move |cx, entry| {
                assert_eq!(cx.delivery(), entry.delivery);
                after.lock().unwrap().push(format!("#{}", entry.delivery));
            })
            .on_end(move |_, status| end.lock().unwrap().push(status.to_string()));
        send(job, &["fail", "panic", "a"])?;
        assert!(job.run().is_err());
        let mut seen = std::mem::take(&mut *seen.lock().unwrap());
        assert_eq!(seen.pop().as_deref(), Some("failed"));
        assert!(!seen.is_empty() && seen.len() as u64 == job.history().count() as u64, "{seen:?}");
        Ok(())
    });
}

#[test]
fn a_step_alone_is_one_handler_to_its_end() {
    ordered(&Sim::default(), |job| {
        send(job, &["a", "b", "pause"])?;
        let mut steps = 0;
        while job.step()? {
            steps += 1;
            assert_eq!(job.report().handled(), steps);
            assert_eq!(job.state()?.waiting() as u64, 3 - steps);
            if job.status() == Status::Paused {
                job.resume()?;
            }
        }
        assert_eq!((steps, job.status()), (3, Status::Waiting));
        Ok(())
    });
}

// The same as in the other engines.

/// Adds up.
#[routine]
struct Sum {
    #[state]
    total: u64,
}

#[routine]
impl Sum {
    #[event]
    fn so_far(count: u64);

    #[slot]
    fn add(&mut self, n: u64, out: &mut Emit<Self>) {
        self.total += n;
        out.so_far(n);
    }
}

/// Gives two for one, one at once and one later.
#[routine]
struct Split;

#[routine]
impl Split {
    #[event]
    fn part(n: u64, seconds: u64);

    #[slot(parallel = 4)]
    async fn n(&self, n: u64, out: &mut Emit<Self>, cx: &Context) {
        out.part(2 * n, n % 3);
        cx.sleep(Duration::from_millis(n % 5)).await;
        out.part(2 * n + 1, 0);
    }
}

flow! {
    flow Both() {
        split: Split;
        fetch: Fetcher;
        sum:   Sum;
        in n          -> split.n;
        split.part    -> fetch.page;
        fetch.fetched -> sum.add;
        sum.so_far    -> out parts;
    }
}

fn parts(job: &mut Job<Both>) -> (Vec<u64>, u64, String) {
    let mut parts: Vec<u64> = job.outputs().parts().collect();
    parts.sort();
    let state = serde_json::to_value(job.state().unwrap()).unwrap();
    (parts, job.report().handled(), state["routines"]["sum"].to_string())
}

#[test]
fn they_come_to_the_same_as_when_awaited_one_by_one_and_crashes_lose_nothing() {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    let mut job = Both::new().job().clock(clock.clone());
    (0..8).for_each(|n| job.inputs().n(n).unwrap());
    {
        let mut run = Box::pin(job.run_async());
        while run.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_pending() {
            clock.advance(Duration::from_millis(1));
        }
    }
    let awaited = parts(&mut job);
    assert_eq!((awaited.0.len(), awaited.1), (16, 8 + 16 + 16));
    assert!(awaited.2.contains("120"), "{awaited:?}");
    for how in [Sim::default(), sim::with_crashes(), sim::workers(1).with_crashes()] {
        how.explore(Both::new(), 200, |job| -> Checked {
            (0..8).try_for_each(|n| job.inputs().n(n))?;
            assert_eq!(job.run()?.status(), Status::Completed);
            assert!(job.history().all(|entry| entry.outcome == Outcome::Handled));
            assert_eq!(parts(job), awaited);
            Ok(())
        });
    }
}

#[test]
fn a_seed_gives_the_same_run_and_another_one_another() {
    let runs = |from: u64| {
        let mut runs = Vec::new();
        sim::with_crashes().seed(from).explore(Both::new(), 20, |job| -> Checked {
            (0..8).try_for_each(|n| job.inputs().n(n))?;
            let _ = job.run()?;
            runs.push(serde_json::to_string(&job.state()?).unwrap());
            Ok(())
        });
        runs
    };
    let first = runs(0);
    assert_eq!(runs(0), first);
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 20);
}
