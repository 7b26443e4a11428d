//! The concurrent engine under every order of its threads that `shuttle` tries: run with
//! `RUSTFLAGS="--cfg shuttle" cargo test --release -p tests --test interleavings --target-dir target/shuttle`. Without that
//! flag there is nothing here.
#![cfg(shuttle)]
#![allow(clippy::unwrap_used)]

use routilux::prelude::*;
use routilux::{Clock, Pool};
use shuttle::sync::Barrier;
use shuttle::thread;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// How many orders each test tries; more with `ORDERS=100000`.
fn orders() -> usize {
    std::env::var("ORDERS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

/// Random orders, and those that change the thread rarely, which find other mistakes.
fn explore(test: impl Fn() + Send + Sync + Clone + 'static) {
    shuttle::check_random(test.clone(), orders());
    shuttle::check_pct(test, orders(), 3);
}

fn job<F: Flow>(job: Job<F>) -> Job<F> {
    job.id("explored").clock(Clock::manual(SystemTime::UNIX_EPOCH))
}

#[routine]
pub struct Pass {
    #[resource]
    running: Arc<AtomicU64>,
}

#[routine]
impl Pass {
    #[event]
    fn passed(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        self.running.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
        out.passed(n);
        self.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[routine]
pub struct Sum {
    #[resource]
    inside: Arc<AtomicBool>,
    #[state]
    seen: Vec<u64>,
}

#[routine]
impl Sum {
    #[event]
    fn seen(n: u64);
    #[event]
    fn again(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        assert!(!self.inside.swap(true, Ordering::SeqCst), "two at once");
        thread::yield_now();
        self.seen.push(n);
        out.seen(n);
        if n >= 100 {
            out.again(n - 100);
        }
        self.inside.store(false, Ordering::SeqCst);
    }

    #[slot(optional)]
    fn fail(&mut self, n: u64) -> Result {
        match n {
            0 => Err("asked to fail".into()),
            _ => Ok(()),
        }
    }
}

flow! {
    flow Two(running: Arc<AtomicU64>, inside: Arc<AtomicBool>) {
        pass: Pass { running };
        sum: Sum { inside };
        in n -> pass.n;
        in fail -> sum.fail;
        pass.passed -> sum.n;
        sum.again -> loop pass.n;
        sum.seen -> out seen;
    }
}

fn two() -> (Two, Arc<AtomicU64>) {
    let running = Arc::new(AtomicU64::new(0));
    (Two::new(running.clone(), Arc::default()), running)
}

fn sorted(mut seen: Vec<u64>) -> Vec<u64> {
    seen.sort_unstable();
    seen
}

#[test]
fn every_job_comes_to_its_end_with_everything_handled() {
    for workers in [1, 2, 3] {
        explore(move || {
            let pool = Pool::new(workers).unwrap();
            let job = job(two().0.job()).start_on(&pool).unwrap();
            for n in [1, 102, 3] {
                job.inputs().n(n).unwrap();
            }
            let report = job.finish().unwrap();
            assert_eq!((report.status(), report.handled()), (Status::Completed, 8));
            assert_eq!(sorted(job.outputs().seen().collect()), [1, 2, 3, 102]);
        });
    }
}

#[test]
fn when_pause_returns_no_handler_runs_and_after_resume_nothing_is_lost() {
    explore(|| {
        let pool = Pool::new(2).unwrap();
        let (flow, running) = two();
        let job = job(flow.job()).start_on(&pool).unwrap();
        let sender = {
            let job = job.clone();
            thread::spawn(move || (0..3).for_each(|n| job.inputs().n(n).unwrap()))
        };
        for _ in 0..2 {
            job.pause("a moment");
            assert_eq!(running.load(Ordering::SeqCst), 0);
            let before = job.progress();
            assert_eq!(before.running(), 0);
            thread::yield_now();
            assert_eq!(job.progress().handled(), before.handled());
            job.resume().unwrap();
        }
        sender.join().unwrap();
        assert_eq!(job.finish().unwrap().handled(), 6);
    });
}

#[test]
fn two_who_pause_and_resume_do_not_lock_each_other_out() {
    explore(|| {
        let pool = Pool::new(2).unwrap();
        let job = job(two().0.job()).start_on(&pool).unwrap();
        let other = {
            let job = job.clone();
            thread::spawn(move || {
                job.pause("other");
                job.resume().unwrap();
            })
        };
        job.inputs().n(1).unwrap();
        job.pause("one");
        job.inputs().n(2).unwrap();
        job.resume().unwrap();
        other.join().unwrap();
        // The last word is a `resume`, whoever it was.
        job.resume().unwrap();
        assert_eq!(job.finish().unwrap().handled(), 4);
    });
}

#[test]
fn a_copy_of_a_running_job_is_whole() {
    explore(|| {
        let pool = Pool::new(2).unwrap();
        let job = job(two().0.job()).start_on(&pool).unwrap();
        for n in [1, 102] {
            job.inputs().n(n).unwrap();
        }
        let state = job.state().unwrap();
        assert_eq!(job.finish().unwrap().handled(), 6);
        let mut copy = two().0.resume(state).unwrap();
        assert_eq!(copy.run().unwrap().handled(), 6);
        assert_eq!(sorted(copy.outputs().seen().collect()), [1, 2, 102]);
    });
}

#[test]
fn a_failure_ends_the_job_and_resuming_it_goes_on_with_what_was_kept() {
    explore(|| {
        let pool = Pool::new(2).unwrap();
        let job = job(two().0.job()).start_on(&pool).unwrap();
        job.inputs().n(1).unwrap();
        job.inputs().fail(0).unwrap();
        job.inputs().n(2).unwrap();
        let error = job.finish().unwrap_err();
        assert!(error.to_string().contains("asked to fail"), "{error}");
        assert_eq!(job.status(), Status::Failed);
        let report = job.report();
        assert_eq!(report.failed(), 1);
        let seen = job.progress();
        assert_eq!(seen.running(), 0);
        // It fails again, on its second attempt.
        job.resume().unwrap();
        assert!(job.wait(Duration::MAX).unwrap_err().to_string().contains("attempt 2"));
    });
}

#[test]
fn a_cancelled_job_rests_and_what_waits_is_kept() {
    explore(|| {
        let pool = Pool::new(2).unwrap();
        let (flow, running) = two();
        let job = job(flow.job()).start_on(&pool).unwrap();
        for n in 0..3 {
            job.inputs().n(n).unwrap();
        }
        job.cancel("enough");
        let report = job.wait(Duration::MAX).unwrap().unwrap();
        assert_eq!((report.status(), running.load(Ordering::SeqCst)), (Status::Cancelled, 0));
        let waiting: u64 = report.waiting().iter().map(|(_, count)| count).sum();
        let passed = job.history().iter().filter(|entry| entry.routine == "pass").count() as u64;
        assert_eq!(report.handled() + waiting, 3 + passed);
    });
}

#[test]
fn an_abandoned_job_runs_to_its_end_or_is_cancelled() {
    explore(|| {
        let pool = Pool::new(2).unwrap();
        let job = job(two().0.job()).start_on(&pool).unwrap();
        let seen = job.outputs().seen();
        job.inputs().n(7).unwrap();
        drop(job);
        assert_eq!(seen.collect::<Vec<_>>(), [7]);

        let job = self::job(two().0.job()).start_on(&pool).unwrap().cancel_on_drop();
        let seen = job.outputs().seen();
        job.inputs().n(7).unwrap();
        drop(job);
        assert!(seen.count() <= 1);
    });
}

#[test]
fn who_awaits_is_woken() {
    explore(|| {
        let pool = Pool::new(2).unwrap();
        let job = job(two().0.job()).start_on(&pool).unwrap();
        job.inputs().n(1).unwrap();
        job.close_inputs();
        let report = shuttle::future::block_on(job.clone()).unwrap();
        assert_eq!((report.status(), report.handled()), (Status::Completed, 2));
        let seen = job.outputs().seen();
        assert_eq!(shuttle::future::block_on(seen.next_async()), Some(1));
        assert_eq!(shuttle::future::block_on(seen.next_async()), None);
    });
}

#[test]
fn jobs_share_a_pool_and_a_limit_is_kept() {
    explore(|| {
        let pool = Pool::new(3).unwrap();
        let (flow, running) = two();
        let limited = job(flow.job()).workers(1).start_on(&pool).unwrap();
        let other = job(two().0.job()).start_on(&pool).unwrap();
        for n in 0..2 {
            limited.inputs().n(n).unwrap();
            other.inputs().n(n).unwrap();
        }
        assert!(running.load(Ordering::SeqCst) <= 1);
        assert_eq!(limited.finish().unwrap().handled(), 4);
        assert_eq!(other.finish().unwrap().handled(), 4);
    });
}

/// Waits until so many handlers have come.
#[routine]
pub struct Meets {
    #[resource]
    met: Arc<Barrier>,
    #[state]
    notes: u64,
}

#[routine]
impl Meets {
    #[slot(optional)]
    fn along(&self, _n: u64) {
        self.met.wait();
    }

    #[slot(optional)]
    fn alone(&mut self, _n: u64) {
        self.met.wait();
    }

    #[slot(optional)]
    fn note(&mut self, _n: u64) {
        self.notes += 1;
    }
}

flow! {
    flow Meeting(met: Arc<Barrier>) {
        fork: Pass { running: Arc::default() };
        x: Meets { met };
        y: Meets { met };
        z: Meets { met };
        in n -> fork.n;
        fork.passed -> x.alone, y.alone, z.alone;
        in along -> x.along;
        in note -> x.note, y.note;
    }
}

#[test]
fn what_handlers_that_block_have_sent_on_is_taken_by_whoever_is_free() {
    explore(|| {
        let pool = Pool::new(3).unwrap();
        let job = job(Meeting::new(Arc::new(Barrier::new(3))).job()).start_on(&pool).unwrap();
        job.inputs().n(1).unwrap();
        assert_eq!(job.finish().unwrap().handled(), 4);
    });
}

#[test]
fn shared_handlers_of_one_routine_meet_on_as_many_workers() {
    explore(|| {
        let pool = Pool::new(2).unwrap();
        let job = job(Meeting::new(Arc::new(Barrier::new(2))).job()).start_on(&pool).unwrap();
        job.pause("until both are there");
        job.inputs().along(1).unwrap();
        job.inputs().along(2).unwrap();
        job.resume().unwrap();
        assert_eq!(job.finish().unwrap().handled(), 2);
    });
}

#[test]
fn a_copy_has_what_is_sent_at_once_for_all_receivers_or_for_none() {
    explore(|| {
        let pool = Pool::new(1).unwrap();
        let job = job(Meeting::new(Arc::new(Barrier::new(1))).job()).start_on(&pool).unwrap();
        let sender = {
            let job = job.clone();
            thread::spawn(move || job.inputs().note(1).unwrap())
        };
        let state = job.state().unwrap();
        let whole = state.handled() + state.waiting() as u64;
        assert!(whole == 0 || whole == 2, "{whole} of 2");
        sender.join().unwrap();
        assert_eq!(job.finish().unwrap().handled(), 2);
    });
}

/// Sums up what comes, and says it once nothing can come any more.
#[routine]
pub struct Total {
    #[state]
    told: u64,
}

#[routine]
impl Total {
    #[event]
    fn total(count: usize, sum: u64);
    #[event]
    fn ended(told: u64);

    #[slot(merge = "append", when = "drained")]
    fn n(&mut self, all: Vec<u64>, out: &mut Emit<Self>) {
        self.told += 1;
        out.total(all.len(), all.iter().sum());
    }

    #[finish]
    fn end(&mut self, out: &mut Emit<Self>) {
        out.ended(self.told);
    }
}

flow! {
    flow Drains(running: Arc<AtomicU64>) {
        left: Pass { running: running.clone() };
        right: Pass { running };
        total: Total;
        in n         -> left.n, right.n;
        left.passed  -> total.n;
        right.passed -> total.n;
        total.total  -> out total;
        total.ended  -> return;
    }
}

#[test]
fn a_drained_slot_is_told_once_when_all_have_come_and_finishes_come_after_it() {
    for workers in [1, 2] {
        explore(move || {
            let pool = Pool::new(workers).unwrap();
            let job = job(Drains::new(Arc::default()).job()).start_on(&pool).unwrap();
            let sender = {
                let job = job.clone();
                // Who closes the inputs comes before all of it, or after.
                thread::spawn(move || (1..=2).map(|n| u64::from(job.inputs().n(n).is_ok())).sum::<u64>())
            };
            let report = job.finish().unwrap();
            let sent = sender.join().unwrap();
            assert_eq!(report.status(), Status::Completed);
            assert_eq!(report.result().unwrap(), &1);
            let expected = (2 * sent as usize, [0, 2, 6][sent as usize]);
            assert_eq!(job.outputs().total().collect::<Vec<_>>(), [expected]);
        });
    }
}

/// Reads numbers as long as there are any.
#[routine]
pub struct Numbers {
    to: u64,
    #[state]
    next: u64,
}

#[routine]
impl Numbers {
    #[event]
    fn number(n: u64);

    #[source(start)]
    fn numbers(&mut self, out: &mut Emit<Self>) -> More {
        if self.next == self.to {
            return More::Done;
        }
        out.number(self.next);
        self.next += 1;
        More::Now
    }
}

flow! {
    flow Counts(running: Arc<AtomicU64>) {
        one: Numbers { to: 2 };
        other: Numbers { to: 1 };
        pass: Pass { running };
        in n         -> pass.n;
        one.number   -> pass.n;
        other.number -> pass.n;
        pass.passed  -> out all;
    }
}

#[test]
fn sources_and_senders_that_wait_for_room_are_all_told_of_it() {
    for workers in [1, 2] {
        explore(move || {
            let pool = Pool::new(workers).unwrap();
            let job = job(Counts::new(Arc::default()).job().capacity(1)).start_on(&pool).unwrap();
            let sender = {
                let job = job.clone();
                thread::spawn(move || (10..12).for_each(|n| job.inputs().n(n).unwrap()))
            };
            sender.join().unwrap();
            let report = job.finish().unwrap();
            assert_eq!(report.status(), Status::Completed);
            assert_eq!(sorted(job.outputs().all().collect()), [0, 0, 1, 10, 11]);
        });
    }
}

#[test]
fn a_reader_of_an_output_makes_room() {
    explore(|| {
        let pool = Pool::new(1).unwrap();
        let job = job(Counts::new(Arc::default()).job().capacity(1)).start_on(&pool).unwrap();
        let reader = {
            let all = job.outputs().all();
            thread::spawn(move || all.collect::<Vec<_>>())
        };
        job.inputs().n(10).unwrap();
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
        assert_eq!(sorted(reader.join().unwrap()), [0, 0, 1, 10]);
    });
}

#[test]
fn who_waits_for_room_hears_that_there_will_be_none() {
    explore(|| {
        let pool = Pool::new(1).unwrap();
        let job = job(Two::new(Arc::default(), Arc::default()).job().capacity(1)).start_on(&pool).unwrap();
        job.pause("nothing moves");
        job.inputs().n(1).unwrap();
        let sender = {
            let job = job.clone();
            thread::spawn(move || job.inputs().n(2))
        };
        job.cancel("enough");
        assert!(sender.join().unwrap().is_err());
    });
}

/// Shows the newest only.
#[routine]
pub struct Screen {
    #[state]
    shown: u64,
}

#[routine]
impl Screen {
    #[event]
    fn shown(n: u64);

    #[slot(merge = "latest")]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        self.shown += 1;
        out.shown(n);
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
fn of_the_latest_each_is_shown_or_superseded_and_the_last_is_shown() {
    explore(|| {
        let pool = Pool::new(2).unwrap();
        let job = job(Shows::new().job()).start_on(&pool).unwrap();
        (1..=3).for_each(|n| job.inputs().n(n).unwrap());
        let report = job.finish().unwrap();
        let shown: Vec<u64> = job.outputs().shown().collect();
        assert_eq!(shown.last(), Some(&3));
        assert!(shown.is_sorted());
        assert_eq!(report.handled() + report.superseded(), 3);
        assert_eq!(report.handled(), shown.len() as u64);
    });
}

/// The handle is `Send`, `Sync`, `Clone` and a future.
const _: fn() = || {
    fn is<T: Send + Sync + Clone + Future>() {}
    is::<JobHandle<Two>>();
};
