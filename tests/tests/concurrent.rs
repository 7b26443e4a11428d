//! The concurrent engine, and control of running jobs. Jobs of tests that block have pools of their own: another test
//! could block the workers of a shared one.
#![allow(clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Clock, Error, Outcome, Panic, Pool, Retention, TimedOut};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use tests::patience::{LONG, Random, until, within};

/// Spins a number on.
#[routine]
pub struct Pass;

#[routine]
impl Pass {
    #[event]
    fn passed(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        out.passed(n + 1);
    }
}

/// Adds up, one at a time.
#[routine]
pub struct Sum {
    #[state]
    total: u64,
    #[state]
    seen: Vec<u64>,
}

#[routine]
impl Sum {
    #[event]
    fn so_far(total: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        self.total += n;
        self.seen.push(n);
        out.so_far(self.total);
    }
}

flow! {
    /// Two that pass, and one that sums.
    pub flow Chain() {
        a: Pass;
        b: Pass;
        sum: Sum;
        in n -> a.n;
        a.passed -> b.n;
        b.passed -> sum.n;
        sum.so_far -> out totals;
    }
}

#[test]
fn a_flow_gives_on_threads_what_it_gives_in_one() {
    for workers in [1, 2, 8] {
        let job = Chain::new().job().workers(workers).start().unwrap();
        for n in 0..1000 {
            job.inputs().n(n).unwrap();
        }
        let report = job.finish().unwrap();
        assert_eq!((report.status(), report.handled()), (Status::Completed, 3000));
        assert_eq!(job.outputs().totals().last(), Some((0..1000).map(|n| n + 2).sum()));
        assert_eq!(job.history().len(), 1000);
    }
}

#[test]
fn pause_pauses_and_nothing_is_lost() {
    let job = Chain::new().job().start_on(&Pool::new(2).unwrap()).unwrap();
    let mut sent = 0;
    for round in 0..50 {
        for n in 0..100 {
            job.inputs().n(n).unwrap();
            sent += 1;
        }
        job.pause("a moment");
        assert_eq!(job.status(), Status::Paused);
        let before = job.progress();
        assert_eq!(before.running(), 0);
        std::thread::yield_now();
        assert_eq!(job.progress(), before, "round {round}");
        job.resume().unwrap();
    }
    assert_eq!(job.finish().unwrap().handled(), 3 * sent);
}

#[test]
fn a_running_job_is_saved_and_goes_on_in_one_thread() {
    let job = Chain::new().job().start_on(&Pool::new(2).unwrap()).unwrap();
    for n in 0..5000 {
        job.inputs().n(n).unwrap();
    }
    let state = job.state().unwrap();
    let _ = job.finish().unwrap();
    let all: Vec<u64> = job.outputs().totals().collect();

    let mut moved = Chain::new().resume(state).unwrap();
    let report = moved.run().unwrap();
    assert_eq!(report.handled(), 15_000);
    let moved: Vec<u64> = moved.outputs().totals().collect();
    assert_eq!((moved.len(), moved.last()), (5000, all.last()));
}

// ---- routines that do what a test says ----

type Act = dyn Fn(u64, &Context) -> Result + Send + Sync;

/// What a handler does, and what goes with the job without being part of it.
#[derive(Clone)]
struct Does(Arc<Act>);

fn does(act: impl Fn(u64, &Context) -> Result + Send + Sync + 'static) -> Does {
    Does(Arc::new(act))
}

fn nothing() -> Does {
    does(|_, _| Ok(()))
}

/// Has a handler of each kind.
#[routine]
struct Actor {
    #[resource]
    does: Does,
    #[state]
    seen: Vec<u64>,
}

#[routine]
impl Actor {
    #[event]
    fn on(n: u64);

    #[slot(optional)]
    fn alone(&mut self, n: &u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.seen.push(*n);
        out.on(*n);
        (self.does.0)(*n, cx)
    }

    #[slot(optional)]
    fn along(&self, n: &u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        out.on(*n);
        (self.does.0)(*n, cx)
    }

    /// What it is given is lost when it panics.
    #[slot(optional)]
    fn given(&self, n: u64, out: &mut Emit<Self>, cx: &Context) {
        out.on(n);
        if let Err(error) = (self.does.0)(n, cx) {
            std::panic::resume_unwind(Box::new(error.to_string()));
        }
    }
}

flow! {
    /// Three that can be told what to do.
    flow Acts(first: Does, second: Does) {
        a: Actor { does: first };
        b: Actor { does: second };
        c: Actor { does: nothing() };
        in alone -> a.alone;
        in along -> a.along;
        in given -> a.given;
        in other -> b.along;
        in both  -> b.alone, c.alone;
        a.on -> b.along;
        b.on -> out done;
        c.on -> out done;
    }
}

fn acts(first: Does, second: Does) -> Job<Acts> {
    Acts::new(first, second).job()
}

/// Where handlers wait for the test, and the test for handlers.
#[derive(Default)]
struct Door {
    state: Mutex<(u32, bool)>,
    changed: Condvar,
}

impl Door {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Waits until it is open. An error if that takes too long.
    fn pass(&self) -> Result {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        let waited = self.changed.wait_timeout_while(state, LONG, |(_, open)| !*open).unwrap();
        match waited.1.timed_out() {
            true => Err("nobody opens".into()),
            false => Ok(()),
        }
    }

    /// Waits until so many have come.
    fn reached_by(&self, many: u32) {
        let state = self.state.lock().unwrap();
        let waited = self.changed.wait_timeout_while(state, LONG, |(came, _)| *came < many).unwrap();
        assert!(!waited.1.timed_out(), "only {} of {many} came", waited.0.0);
    }

    fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

/// A handle for handlers and hooks, until the test takes it out again: a job that holds itself is never dropped.
type Held<F> = Arc<Mutex<Option<JobHandle<F>>>>;

fn held<F: Flow>() -> Held<F> {
    Arc::default()
}

fn waiting(report: &routilux::Report) -> u64 {
    report.waiting().iter().map(|(_, count)| count).sum()
}

// ---- a blocking handler ----

#[test]
fn a_blocking_handler_does_not_stop_the_other_routines() {
    within(1, || {
        let door = Door::new();
        let first = does({
            let door = door.clone();
            move |n, _| if n == 100 { door.pass() } else { Ok(()) }
        });
        let job = acts(first, nothing()).start_on(&Pool::new(2).unwrap()).unwrap();
        let done = job.outputs().done();
        job.pause("until all are there");
        // Done in one go by one worker; what came of the first ones is not to wait for the last.
        for n in [1, 2, 3, 100] {
            job.inputs().alone(n).unwrap();
        }
        job.resume().unwrap();
        door.reached_by(1);
        let mut seen: Vec<_> = (0..3).map(|_| done.next_timeout(LONG)).collect();
        seen.sort();
        assert_eq!(seen, [Some(1), Some(2), Some(3)]);
        // And what comes from outside goes on, too.
        job.inputs().other(7).unwrap();
        assert_eq!(done.next_timeout(LONG), Some(7));
        until("only the blocked one runs", || job.progress().running() == 1);
        door.open();
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
    });
}

#[test]
fn what_waits_behind_a_blocking_shared_handler_is_taken_by_a_free_worker() {
    within(1, || {
        let door = Door::new();
        let first = does({
            let door = door.clone();
            move |n, _| if n == 1 { door.pass() } else { Ok(()) }
        });
        let job = acts(first, nothing()).start_on(&Pool::new(2).unwrap()).unwrap();
        let done = job.outputs().done();
        job.pause("until all are there");
        for n in [1, 2, 3] {
            job.inputs().along(n).unwrap();
        }
        job.resume().unwrap();
        let mut seen = [done.next_timeout(LONG), done.next_timeout(LONG)];
        seen.sort();
        assert_eq!(seen, [Some(2), Some(3)]);
        door.open();
        assert_eq!(job.finish().unwrap().handled(), 6);
    });
}

/// Sends to three at once.
#[routine]
struct Forks {
    #[resource]
    door: Arc<Door>,
}

#[routine]
impl Forks {
    #[event]
    fn fork(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) -> Result {
        match n {
            0 => self.door.pass()?,
            _ => out.fork(n),
        }
        Ok(())
    }
}

#[routine]
struct Blocks {
    #[resource]
    door: Arc<Door>,
}

#[routine]
impl Blocks {
    #[slot]
    fn n(&mut self, _n: u64) -> Result {
        self.door.pass()
    }
}

flow! {
    flow Forked(door: Arc<Door>) {
        forks: Forks { door };
        x: Blocks { door };
        y: Blocks { door };
        z: Blocks { door };
        in n -> forks.n;
        forks.fork -> x.n, y.n, z.n;
    }
}

#[test]
fn as_many_handlers_block_at_once_as_there_are_workers() {
    within(2, || {
        let pool = Pool::new(4).unwrap();
        // Which worker sees what is a matter of moments, so it is tried often.
        for round in 0..2_000 {
            let door = Door::new();
            let job = Forked::new(door.clone()).job().start_on(&pool).unwrap();
            if round % 2 == 0 {
                job.pause("until both are there");
            }
            job.inputs().n(1).unwrap();
            job.inputs().n(0).unwrap();
            job.resume().unwrap();
            // The one that forks and then waits, and the three that it has sent to.
            door.reached_by(4);
            door.open();
            assert_eq!(job.finish().unwrap().handled(), 5);
        }
    });
}

#[test]
fn a_limited_job_never_uses_more_workers_than_it_may() {
    within(1, || {
        let pool = Pool::new(8).unwrap();
        for most in [1, 2, 3] {
            let (inside, peak) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
            let counts = |_: u64| {
                let (inside, peak) = (inside.clone(), peak.clone());
                does(move |_, _| {
                    peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                })
            };
            let job = acts(counts(0), counts(1)).workers(most).start_on(&pool).unwrap();
            for n in 0..2_000 {
                job.inputs().along(n).unwrap();
                job.inputs().alone(n).unwrap();
                if n % 500 == 0 {
                    job.pause("a moment");
                    job.resume().unwrap();
                }
            }
            assert_eq!(job.finish().unwrap().handled(), 8_000);
            let peak = peak.load(Ordering::SeqCst);
            assert!(peak <= most as u32, "{peak} handlers at once on {most} workers");
        }
    });
}

// ---- pause, resume, cancel, drop ----

#[test]
fn several_threads_pause_and_resume_and_the_job_comes_to_its_end() {
    within(1, || {
        let job = Chain::new().job().start_on(&Pool::new(4).unwrap()).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        job.pause("one of four");
                        job.resume().unwrap();
                    }
                });
            }
            scope.spawn(|| (0..2_000).for_each(|n| job.inputs().n(n).unwrap()));
        });
        job.resume().unwrap();
        assert_eq!(job.finish().unwrap().handled(), 6_000);
    });
}

#[test]
fn who_pauses_is_not_held_up_when_another_resumes() {
    within(1, || {
        let door = Door::new();
        let first = does({
            let door = door.clone();
            move |_, _| door.pass()
        });
        let job = acts(first, nothing()).start_on(&Pool::new(2).unwrap()).unwrap();
        job.inputs().alone(1).unwrap();
        door.reached_by(1);
        thread::scope(|scope| {
            let pauses = scope.spawn(|| job.pause("waits for the handler"));
            // Until it is asked for, a pause cannot be taken back.
            until("the job is asked to pause", || job.reason().is_some());
            job.resume().unwrap();
            // The handler has not returned, and the job goes on.
            until("who pauses has returned", || pauses.is_finished());
            door.open();
        });
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
    });
}

#[test]
fn a_handler_pauses_resumes_and_cancels_its_own_job() {
    within(1, || {
        let own = held::<Acts>();
        let first = does({
            let own = own.clone();
            move |n, _| {
                let own = own.lock().unwrap();
                let job = own.as_ref().ok_or("no handle")?;
                match n {
                    1 => job.pause("by its own handler"),
                    2 => {
                        job.pause("for a moment");
                        job.resume()?;
                    }
                    3 => job.cancel("by its own handler"),
                    4 => assert!(job.state().unwrap_err().to_string().contains("one of its own handlers")),
                    5 => assert!(job.reconfigure(&Acts::new(nothing(), nothing())).is_err()),
                    6 => {
                        let error = job.finish().unwrap_err();
                        assert!(matches!(error, Error::State { .. }), "{error}");
                        assert!(job.wait(LONG).is_err());
                    }
                    _ => job.inputs().other(n)?,
                }
                Ok(())
            }
        });
        let job = acts(first, nothing()).start_on(&Pool::new(2).unwrap()).unwrap();
        *own.lock().unwrap() = Some(job.clone());
        for n in [4, 5, 7, 2, 1] {
            job.inputs().alone(n).unwrap();
        }
        let report = job.wait(LONG).unwrap().unwrap();
        assert_eq!(report.reason(), Some("by its own handler"));
        assert_eq!(job.status(), Status::Paused);
        job.resume().unwrap();
        assert_eq!(job.wait_until_idle(LONG).unwrap().unwrap().status(), Status::Waiting);
        // Each of them, what it sent on, and what came to an input from inside.
        assert_eq!(job.report().handled(), 11);
        job.inputs().alone(3).unwrap();
        let report = job.wait(LONG).unwrap().unwrap();
        assert_eq!((report.status(), report.handled()), (Status::Cancelled, 12));
        assert!(job.inputs().alone(1).unwrap_err().to_string().contains("it was cancelled"));
        assert!(job.resume().is_err());
        own.lock().unwrap().take();
    });
}

#[test]
fn a_worker_of_the_pool_cannot_wait_for_a_job_on_it() {
    within(1, || {
        let pool = Pool::new(1).unwrap();
        let own = held::<Acts>();
        let first = does({
            let own = own.clone();
            move |_, _| {
                let own = own.lock().unwrap();
                let job = own.as_ref().ok_or("no handle")?;
                let error = job.finish().unwrap_err();
                assert!(matches!(error, Error::State { .. }), "{error}");
                assert!(error.to_string().contains("a worker of the pool"), "{error}");
                assert!(job.wait_until_idle(LONG).is_err());
                Ok(())
            }
        });
        let other = acts(nothing(), nothing()).start_on(&pool).unwrap();
        *own.lock().unwrap() = Some(other.clone());
        let job = acts(first, nothing()).start_on(&pool).unwrap();
        job.inputs().alone(1).unwrap();
        assert_eq!(job.finish().unwrap().handled(), 2);
        own.lock().unwrap().take();
        // It has closed the inputs, and no more.
        assert_eq!(other.finish().unwrap().status(), Status::Completed);
    });
}

#[test]
fn a_job_cancelled_in_the_middle_keeps_what_waits() {
    within(1, || {
        for round in 0..30 {
            let job = Chain::new().job().start_on(&Pool::new(4).unwrap()).unwrap();
            (0..500).for_each(|n| job.inputs().n(n).unwrap());
            until("some are handled", || job.report().handled() > round * 10);
            job.cancel("enough");
            let report = job.wait(LONG).unwrap().unwrap();
            if report.status() == Status::Waiting || report.status() == Status::Completed {
                continue;
            }
            assert_eq!((report.status(), report.reason()), (Status::Cancelled, Some("enough")));
            let data = serde_json::to_value(job.state().unwrap()).unwrap();
            let emitted = data["next_delivery"].as_u64().unwrap() - 1;
            assert_eq!(emitted, report.handled() + waiting(&report));
            assert_eq!(job.progress().running(), 0);
        }
    });
}

#[test]
fn the_last_handle_that_is_dropped_detaches_or_cancels() {
    within(1, || {
        let door = Door::new();
        let (ended, handled) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU32::new(0)));
        let first = || {
            let (door, handled) = (door.clone(), handled.clone());
            does(move |_, _| {
                handled.fetch_add(1, Ordering::SeqCst);
                door.pass()
            })
        };
        let hook = || {
            let ended = ended.clone();
            move |_: &Context, status| ended.lock().unwrap().push(status)
        };
        let job = acts(first(), nothing()).on_end(hook()).start_on(&Pool::new(1).unwrap()).unwrap();
        (0..3).for_each(|n| job.inputs().alone(n).unwrap());
        door.reached_by(1);
        let (second, inputs) = (job.clone(), job.inputs());
        drop(job);
        drop(second);
        assert!(ended.lock().unwrap().is_empty());
        // Inputs hold it, too.
        drop(inputs);
        door.open();
        until("it has ended", || *ended.lock().unwrap() == [Status::Completed]);
        assert_eq!(handled.load(Ordering::SeqCst), 3);

        let door = Door::new();
        let first = {
            let (door, handled) = (door.clone(), handled.clone());
            does(move |_, _| {
                handled.fetch_add(1, Ordering::SeqCst);
                door.pass()
            })
        };
        let job =
            acts(first, nothing()).on_end(hook()).start_on(&Pool::new(1).unwrap()).unwrap().cancel_on_drop();
        (0..3).for_each(|n| job.inputs().alone(n).unwrap());
        door.reached_by(1);
        drop(job);
        door.open();
        until("it has ended", || ended.lock().unwrap().len() == 2);
        assert_eq!(*ended.lock().unwrap(), [Status::Completed, Status::Cancelled]);
        assert_eq!(handled.load(Ordering::SeqCst), 4);
    });
}

#[test]
fn the_outputs_of_a_paused_job_end_when_its_last_handle_is_dropped() {
    within(1, || {
        let job = acts(nothing(), nothing()).start_on(&Pool::new(2).unwrap()).unwrap();
        let done = job.outputs().done();
        job.inputs().other(1).unwrap();
        assert_eq!(done.next_timeout(LONG), Some(1));
        job.pause("for ever");
        job.inputs().other(2).unwrap();
        drop(job);
        // Nobody can resume it.
        assert_eq!(done.count(), 0);

        let first = does(|_, cx| {
            cx.pause("unheard");
            Ok(())
        });
        let job = acts(first, nothing()).start_on(&Pool::new(2).unwrap()).unwrap();
        let done = job.outputs().done();
        (0..10).for_each(|n| job.inputs().alone(n).unwrap());
        drop(job);
        assert!(done.count() <= 10);
    });
}

// ---- waiting ----

#[test]
fn a_wait_that_times_out_says_so_and_leaves_the_job_running() {
    within(1, || {
        let door = Door::new();
        let first = does({
            let door = door.clone();
            move |_, _| door.pass()
        });
        let job = acts(first, nothing()).start_on(&Pool::new(2).unwrap()).unwrap();
        job.inputs().alone(1).unwrap();
        assert!(job.wait(Duration::from_millis(5)).unwrap().is_none());
        assert!(job.wait(Duration::ZERO).unwrap().is_none());
        assert!(job.wait_until_idle(Duration::from_millis(5)).unwrap().is_none());
        assert!(job.outputs().done().next_timeout(Duration::from_millis(5)).is_none());
        assert_eq!(job.status(), Status::Running);
        door.open();
        assert_eq!(job.wait_until_idle(LONG).unwrap().unwrap().handled(), 2);
        assert!(job.wait(Duration::from_millis(5)).unwrap().is_none(), "its inputs are open");
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
        assert_eq!(job.wait(Duration::ZERO).unwrap().unwrap().handled(), 2);
    });
}

/// Wakes a thread, and says so.
struct Alarm {
    thread: thread::Thread,
    rang: AtomicBool,
}

impl Alarm {
    fn new() -> Arc<Self> {
        Arc::new(Alarm { thread: thread::current(), rang: AtomicBool::new(false) })
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rang.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Polls with a new waker each time, and again only when the last one was woken.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        let alarm = Alarm::new();
        let waker = Waker::from(alarm.clone());
        if let Poll::Ready(value) = future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            return value;
        }
        while !alarm.rang.load(Ordering::SeqCst) {
            thread::park();
        }
    }
}

#[test]
fn a_job_is_awaited_without_a_runtime_and_by_whichever_waker_came_last() {
    within(1, || {
        let door = Door::new();
        let first = does({
            let door = door.clone();
            move |_, _| door.pass()
        });
        let job = acts(first, nothing()).start_on(&Pool::new(2).unwrap()).unwrap();
        job.inputs().alone(1).unwrap();
        job.close_inputs();
        let done = job.outputs().done();
        let mut future = pin!(job.clone());
        let mut next = pin!(done.next_async());
        let wakers: Vec<_> = (0..3).map(|_| Alarm::new()).collect();
        for alarm in &wakers {
            let waker = Waker::from(alarm.clone());
            let mut cx = TaskContext::from_waker(&waker);
            assert!(future.as_mut().poll(&mut cx).is_pending());
            assert!(next.as_mut().poll(&mut cx).is_pending());
        }
        door.open();
        let report = block_on(job.clone()).unwrap();
        assert_eq!((report.status(), report.handled()), (Status::Completed, 2));
        until("the last waker is woken", || wakers[2].rang.load(Ordering::SeqCst));
        assert_eq!(block_on(next), Some(1));
        assert_eq!(block_on(done.next_async()), None);
        assert!(block_on(future).is_ok());
    });
}

/// Does something when it is woken.
struct WokenTo<T: Fn() + Send + Sync + 'static>(T);

impl<T: Fn() + Send + Sync + 'static> Wake for WokenTo<T> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

#[test]
fn a_waker_may_look_at_the_job_and_drop_its_last_handle() {
    within(1, || {
        for workers in [1, 2] {
            let pool = Pool::new(workers).unwrap();
            let job = acts(nothing(), nothing()).start_on(&pool).unwrap();
            let own = held::<Acts>();
            *own.lock().unwrap() = Some(job.clone());
            let seen = Arc::new(Mutex::new(Vec::new()));
            let waker = Waker::from(Arc::new(WokenTo({
                let (own, seen) = (own.clone(), seen.clone());
                move || {
                    let job = own.lock().unwrap().take();
                    seen.lock().unwrap().extend(job.map(|job| job.status()));
                }
            })));
            let mut future = pin!(job.clone());
            assert!(future.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_pending());
            job.inputs().alone(1).unwrap();
            job.close_inputs();
            until("the waker has looked", || *seen.lock().unwrap() == [Status::Completed]);
        }
    });
}

#[test]
fn a_waker_that_panics_takes_no_worker_with_it() {
    within(1, || {
        let pool = Pool::new(1).unwrap();
        let job = acts(nothing(), nothing()).start_on(&pool).unwrap();
        let waker = Waker::from(Arc::new(WokenTo(|| std::panic::resume_unwind(Box::new("by the runtime")))));
        let mut cx = TaskContext::from_waker(&waker);
        let done = job.outputs().done();
        let mut future = pin!(job.clone());
        let mut next = pin!(done.next_async());
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert!(next.as_mut().poll(&mut cx).is_pending());
        job.inputs().alone(1).unwrap();
        assert_eq!(job.finish().unwrap().handled(), 2);
        // The worker is still there.
        let job = acts(nothing(), nothing()).start_on(&pool).unwrap();
        job.inputs().alone(1).unwrap();
        assert_eq!(job.finish().unwrap().handled(), 2);
    });
}

// ---- deadlines and timeouts ----

fn failed_by_deadline(job: &JobHandle<Acts>) {
    let error = job.wait(LONG).unwrap_err();
    assert!(matches!(&error, Error::Execution { what, .. } if what.contains("deadline")), "{error}");
    assert_eq!(job.status(), Status::Failed);
}

const SOON: Duration = Duration::from_millis(20);

#[test]
fn a_deadline_passes_while_the_job_is_idle_and_resumed_it_has_none() {
    within(1, || {
        let job = acts(nothing(), nothing()).deadline(SOON).start_on(&Pool::new(2).unwrap()).unwrap();
        job.inputs().alone(1).unwrap();
        failed_by_deadline(&job);
        job.inputs().alone(2).unwrap();
        job.resume().unwrap();
        let report = job.finish().unwrap();
        assert_eq!((report.status(), report.handled()), (Status::Completed, 4));
    });
}

#[test]
fn a_deadline_passes_while_a_handler_runs_and_nothing_after_it_does() {
    within(1, || {
        let limit = Arc::new(Mutex::new(None));
        let first = does({
            let limit = limit.clone();
            move |_, cx| {
                *limit.lock().unwrap() = cx.deadline();
                // As a handler that waits for the network would.
                while cx.now() <= cx.deadline().ok_or("no deadline")? {
                    thread::yield_now();
                }
                thread::sleep(SOON);
                Ok(())
            }
        });
        let job = acts(first, nothing()).deadline(SOON).start_on(&Pool::new(1).unwrap()).unwrap();
        let started = SystemTime::now();
        (0..3).for_each(|n| job.inputs().alone(n).unwrap());
        failed_by_deadline(&job);
        let limit = limit.lock().unwrap().unwrap();
        assert!(limit <= started + SOON, "{limit:?}");
        let report = job.report();
        // The handler that ran is not interrupted, and its work is kept.
        assert_eq!((report.handled(), report.failed(), waiting(&report)), (1, 0, 3));
    });
}

#[test]
fn a_deadline_that_passed_while_the_job_was_paused_is_told_when_it_is_resumed() {
    within(1, || {
        let job = acts(nothing(), nothing()).deadline(SOON).start_on(&Pool::new(2).unwrap()).unwrap();
        job.pause("over the deadline");
        job.inputs().alone(1).unwrap();
        let passed = SystemTime::now() + 3 * SOON;
        until("it has passed", || SystemTime::now() > passed);
        assert_eq!(job.status(), Status::Paused);
        job.resume().unwrap();
        failed_by_deadline(&job);
        assert_eq!((job.report().handled(), waiting(&job.report())), (0, 1));
    });
}

#[test]
fn a_deadline_is_told_after_a_pause_whatever_the_jobs_own_clock_says() {
    within(1, || {
        // One pool, and so one timer: its alarms ring in order.
        let pool = Pool::new(2).unwrap();
        // A clock that is late, as the coarse one is by some milliseconds.
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let job = acts(nothing(), nothing()).clock(clock).deadline(SOON).start_on(&pool).unwrap();
        job.pause("over the deadline");
        let other = acts(nothing(), nothing()).deadline(2 * SOON).start_on(&pool).unwrap();
        // Its alarm rings after the other's.
        failed_by_deadline(&other);
        job.resume().unwrap();
        failed_by_deadline(&job);
    });
}

#[test]
fn a_job_that_failed_and_was_resumed_is_not_stopped_by_the_deadline_it_no_longer_has() {
    within(1, || {
        // One pool, and so one timer: its alarms ring in order.
        let pool = Pool::new(2).unwrap();
        let first = does(|_, cx| match cx.attempt() {
            1 => Err("once".into()),
            _ => Ok(()),
        });
        let job = acts(first, nothing()).deadline(2 * SOON).start_on(&pool).unwrap();
        job.inputs().alone(1).unwrap();
        let error = job.wait(LONG).unwrap_err();
        if matches!(error, Error::Execution { .. }) {
            return; // The machine was too slow for the test.
        }
        job.resume().unwrap();
        let other = acts(nothing(), nothing()).deadline(3 * SOON).start_on(&pool).unwrap();
        failed_by_deadline(&other);
        let report = job.finish().unwrap();
        assert_eq!((report.status(), report.handled()), (Status::Completed, 2));
    });
}

#[test]
fn a_deadline_that_never_comes_is_none() {
    within(1, || {
        let job =
            acts(nothing(), nothing()).deadline(Duration::MAX).start_on(&Pool::new(2).unwrap()).unwrap();
        job.inputs().alone(1).unwrap();
        assert_eq!(job.finish().unwrap().handled(), 2);
    });
}

/// Takes longer than it may, if its job's clock is moved on.
#[routine]
struct Slow {
    #[resource]
    clock: Clock,
    #[state]
    seen: Vec<u64>,
}

#[routine]
impl Slow {
    #[event]
    fn on(n: u64);

    #[slot(timeout = "50ms")]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) {
        self.seen.push(n);
        out.on(n);
        assert_eq!(cx.deadline(), Some(cx.now() + Duration::from_millis(50)));
        if n == 2 && cx.attempt() == 1 {
            self.clock.advance(Duration::from_millis(51));
        }
        if n == 3 {
            self.clock.advance(Duration::from_millis(50));
        }
    }
}

flow! {
    flow Slowly(clock: Clock) {
        slow: Slow { clock };
        in n -> slow.n;
        slow.on -> out on;
    }
}

#[test]
fn a_handler_over_its_timeout_has_failed_and_everything_is_put_back() {
    fn check(error: Error, state: routilux::JobState) {
        assert_eq!(
            error.downcast_ref::<TimedOut>().map(|late| late.limit),
            Some(Duration::from_millis(50)),
            "{error}"
        );
        let Error::SlotHandler { payload_lost, attempts, .. } = error else { panic!("{error}") };
        assert_eq!((payload_lost, attempts), (false, 1));
        let data = serde_json::to_value(&state).unwrap();
        assert_eq!(data["routines"]["slow"]["seen"], serde_json::json!([1]));
        assert_eq!(data["outputs"]["on"], serde_json::json!([1]));
        assert_eq!(data["failure"]["delivery"]["payload"], serde_json::json!(2));
        assert_eq!(state.waiting(), 2);
    }
    within(1, || {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let mut job = Slowly::new(clock.clone()).job().clock(clock.clone());
        (1..=3).for_each(|n| job.inputs().n(n).unwrap());
        let error = job.run().unwrap_err();
        check(error, job.state().unwrap());
        job.resume().unwrap();
        assert_eq!(job.run().unwrap().handled(), 3);
        assert_eq!(job.outputs().on().collect::<Vec<_>>(), [1, 2, 3]);

        let job = Slowly::new(clock.clone()).job().clock(clock).start_on(&Pool::new(2).unwrap()).unwrap();
        (1..=3).for_each(|n| job.inputs().n(n).unwrap());
        let error = job.finish().unwrap_err();
        check(error, job.state().unwrap());
        job.resume().unwrap();
        assert_eq!(job.finish().unwrap().handled(), 3);
        assert_eq!(job.outputs().on().collect::<Vec<_>>(), [1, 2, 3]);
    });
}

// ---- failures ----

/// Two handlers that meet and then fail, so that both do at the same time.
fn fail_together() -> Does {
    let met = Arc::new(std::sync::Barrier::new(2));
    does(move |n, cx| match cx.attempt() {
        1 => {
            met.wait();
            Err(format!("both of them, {n} too").into())
        }
        _ => Ok(()),
    })
}

#[test]
fn two_handlers_fail_at_the_same_time_and_both_deliveries_are_kept() {
    within(1, || {
        for round in 0..100 {
            let job = acts(fail_together(), nothing());
            // With hooks, and without.
            let job = if round % 2 == 0 { job } else { job.after_handler(|_, _| thread::yield_now()) };
            let job = job.start_on(&Pool::new(2).unwrap()).unwrap();
            job.inputs().along(1).unwrap();
            job.inputs().along(2).unwrap();
            let error = job.finish().unwrap_err();
            assert!(error.to_string().contains("both of them"), "{error}");
            let report = job.report();
            // One has failed, and the other waits for its next attempt.
            assert_eq!((report.handled(), report.failed(), waiting(&report)), (0, 1, 1), "round {round}");
            assert_eq!((job.progress().failed(), job.progress().waiting()), (2, 2));
            let failures = job.history().iter().filter(|e| matches!(e.outcome, Outcome::Failed(_))).count();
            assert_eq!(failures, 2);
            job.resume().unwrap();
            assert_eq!(job.finish().unwrap().handled(), 4);
        }
    });
}

#[test]
fn a_handler_that_fails_and_a_hook_that_then_panics_lose_nothing() {
    within(1, || {
        let first = does(|_, cx| match cx.attempt() {
            1 => Err("the handler".into()),
            _ => Ok(()),
        });
        let job = acts(first, nothing())
            .after_handler(|cx, entry| assert!(cx.attempt() > 1 || entry.routine == "b", "the hook"))
            .start_on(&Pool::new(2).unwrap())
            .unwrap();
        job.inputs().alone(1).unwrap();
        let error = job.finish().unwrap_err();
        assert!(error.to_string().contains("the handler"), "{error}");
        assert_eq!((job.report().failed(), job.state().unwrap().waiting()), (1, 1));
        job.resume().unwrap();
        assert_eq!(job.finish().unwrap().handled(), 2);
    });
}

#[test]
fn a_lost_payload_is_counted_once_whatever_else_happens() {
    within(1, || {
        for cancels in [true, false] {
            let door = Door::new();
            let first = does({
                let door = door.clone();
                move |n, _| {
                    door.pass()?;
                    match n {
                        1 => Err("lost".into()),
                        _ => Ok(()),
                    }
                }
            });
            let job = acts(first, nothing()).start_on(&Pool::new(2).unwrap()).unwrap();
            job.inputs().given(1).unwrap();
            door.reached_by(1);
            if cancels {
                job.cancel("while it runs");
            }
            door.open();
            match job.wait(LONG) {
                Ok(report) => assert_eq!(report.unwrap().status(), Status::Cancelled),
                Err(error) => {
                    let Error::SlotHandler { payload_lost, .. } = &error else { panic!("{error}") };
                    assert!(*payload_lost && error.downcast_ref::<Panic>().is_some(), "{error}");
                }
            }
            let report = job.report();
            assert_eq!((report.handled(), report.failed(), waiting(&report)), (0, 1, 0));
            assert!(job.resume().is_err());
        }
    });
}

/// Panics when it is dropped, if told so.
#[derive(Clone)]
struct Grenade(Arc<AtomicBool>);

impl Drop for Grenade {
    fn drop(&mut self) {
        if self.0.load(Ordering::SeqCst) && !thread::panicking() {
            std::panic::resume_unwind(Box::new("dropped"));
        }
    }
}

#[routine]
struct Armed {
    #[resource]
    grenade: Grenade,
    #[resource]
    door: Arc<Door>,
}

#[routine]
impl Armed {
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        let Grenade(_) = &self.grenade;
        assert!(self.door.pass().is_ok());
        out.on(n);
    }
}

flow! {
    flow Arms(grenade: Grenade, door: Arc<Door>) {
        armed: Armed { grenade, door };
        in n -> armed.n;
        armed.on -> out on;
    }
}

#[test]
fn a_resource_that_panics_when_a_worker_drops_it_takes_no_worker_with_it() {
    within(1, || {
        let pool = Pool::new(1).unwrap();
        for deadline in [false, true] {
            let (armed, door) = (Arc::new(AtomicBool::new(false)), Door::new());
            let grenade = Grenade(armed.clone());
            let job = Arms::new(grenade.clone(), door.clone()).job();
            let job = if deadline { job.deadline(SOON) } else { job };
            let job = job.start_on(&pool).unwrap();
            std::mem::forget(grenade);
            job.inputs().n(1).unwrap();
            door.reached_by(1);
            drop(job);
            armed.store(true, Ordering::SeqCst);
            door.open();
            // The worker that drops the last of it is still there.
            let job = acts(nothing(), nothing()).deadline(2 * SOON).start_on(&pool).unwrap();
            job.inputs().alone(1).unwrap();
            assert_eq!(job.wait_until_idle(LONG).unwrap().unwrap().handled(), 2);
            failed_by_deadline(&job);
        }
    });
}

#[test]
fn a_resource_that_panics_while_a_job_is_reconfigured_does_not_halt_it() {
    within(1, || {
        let (armed, door) = (Arc::new(AtomicBool::new(false)), Door::new());
        door.open();
        let flow = Arms::new(Grenade(armed.clone()), door);
        let job = flow.job().start_on(&Pool::new(2).unwrap()).unwrap();
        job.inputs().n(1).unwrap();
        assert!(job.wait_until_idle(LONG).unwrap().is_some());
        armed.store(true, Ordering::SeqCst);
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job.reconfigure(&flow)));
        armed.store(false, Ordering::SeqCst);
        assert!(!matches!(failed, Ok(Ok(()))));
        job.inputs().n(2).unwrap();
        assert_eq!(job.finish().unwrap().handled(), 2);
    });
}

// ---- hooks ----

#[test]
fn every_hook_is_called_once_for_what_it_is_for() {
    within(1, || {
        let counts = Arc::new([const { AtomicU32::new(0) }; 4]);
        let add = |which: usize| {
            let counts = counts.clone();
            move || {
                counts[which].fetch_add(1, Ordering::SeqCst);
            }
        };
        let (start, before, after, end) = (add(0), add(1), add(2), add(3));
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let first = does(|n, cx| match n % 10 == 0 && cx.attempt() == 1 {
            true => Err("shaken".into()),
            false => Ok(()),
        });
        let job = acts(first, nothing())
            .retention(Retention::none())
            .on_start(move |_| start())
            .before_handler(move |_, _| before())
            .after_handler({
                let seen = seen.clone();
                move |cx, entry| {
                    after();
                    assert_eq!(cx.delivery(), entry.delivery);
                    assert!(seen.lock().unwrap().insert(entry.sequence), "twice: {entry:?}");
                }
            })
            .on_end(move |_, _| end())
            .start_on(&Pool::new(4).unwrap())
            .unwrap();
        for n in 1..=200 {
            job.inputs().along(n).unwrap();
            job.inputs().alone(n).unwrap();
        }
        job.close_inputs();
        let mut failures = 0;
        while job.wait(LONG).is_err() {
            failures += 1;
            job.resume().unwrap();
        }
        let counts: Vec<_> = counts.iter().map(|count| count.load(Ordering::SeqCst)).collect();
        let faults = job.progress().failed() as u32;
        assert!(failures > 0 && failures <= faults && faults == 40, "{failures} {faults}");
        // Start once; each handler run; the end of each run, failed or not.
        assert_eq!(counts, [1, 800 + faults, 800 + faults, failures + 1]);
        assert_eq!(seen.lock().unwrap().iter().copied().collect::<Vec<_>>(), (1..=840).collect::<Vec<_>>());
    });
}

#[test]
fn a_hook_that_panics_fails_the_job_and_loses_nothing() {
    within(1, || {
        let job = acts(nothing(), nothing())
            .before_handler(|cx, _| assert!(cx.delivery() != 5 || cx.attempt() > 1, "before"))
            .start_on(&Pool::new(2).unwrap())
            .unwrap();
        (0..10).for_each(|n| job.inputs().alone(n).unwrap());
        let error = job.finish().unwrap_err();
        assert!(matches!(&error, Error::Execution { what, .. } if what.contains("before")), "{error}");
        let report = job.report();
        let data = serde_json::to_value(job.state().unwrap()).unwrap();
        assert_eq!(data["next_delivery"].as_u64().unwrap() - 1, report.handled() + waiting(&report));
        // No handler has failed.
        assert_eq!((report.failed(), job.progress().failed()), (0, 0));

        let job = acts(nothing(), nothing())
            .on_end(|_, _| panic!("at the end"))
            .start_on(&Pool::new(2).unwrap())
            .unwrap();
        job.inputs().alone(1).unwrap();
        let error = job.finish().unwrap_err();
        assert!(error.to_string().contains("at the end"), "{error}");
        assert_eq!(job.status(), Status::Failed);
    });
}

#[test]
fn a_hook_at_the_end_may_use_a_handle_and_never_waits_for_itself() {
    within(1, || {
        for cancels in [false, true] {
            let own = held::<Acts>();
            let seen = Arc::new(Mutex::new(Vec::new()));
            let job = acts(nothing(), nothing())
                .on_end({
                    let (own, seen) = (own.clone(), seen.clone());
                    move |_, status| {
                        let own = own.lock().unwrap();
                        let job = own.as_ref().unwrap();
                        assert_eq!(job.status(), status);
                        job.pause("at the end");
                        job.cancel("at the end");
                        let refused = [job.state().is_err(), job.finish().is_err()];
                        let resumed = job.resume();
                        assert_eq!(resumed.is_err(), status == Status::Cancelled);
                        seen.lock().unwrap().push((status, refused, job.report().handled()));
                    }
                })
                .start_on(&Pool::new(2).unwrap())
                .unwrap();
            *own.lock().unwrap() = Some(job.clone());
            job.inputs().alone(1).unwrap();
            assert!(job.wait_until_idle(LONG).unwrap().is_some());
            let status = match cancels {
                true => {
                    // The hook is then called by this thread.
                    job.cancel("done");
                    Status::Cancelled
                }
                false => Status::Completed,
            };
            assert_eq!(job.finish().unwrap().status(), status);
            assert_eq!(*seen.lock().unwrap(), [(status, [true, true], 2)]);
            own.lock().unwrap().take();
        }
    });
}

// ---- reconfigure, outputs, progress, history ----

#[test]
fn a_job_is_reconfigured_under_load_and_each_run_has_one_configuration() {
    within(1, || {
        let (old, new) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counts = |count: &Arc<AtomicU64>| {
            let count = count.clone();
            does(move |_, _| {
                count.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
        };
        let job = acts(counts(&old), counts(&old)).start_on(&Pool::new(4).unwrap()).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| (0..4_000).for_each(|n| job.inputs().alone(n).unwrap()));
            until("some are handled", || old.load(Ordering::SeqCst) > 50);
            job.reconfigure(&Acts::new(counts(&new), counts(&new))).unwrap();
            // None of the old ones runs any more.
            let before = old.load(Ordering::SeqCst);
            job.inputs().other(1).unwrap();
            until("a new one has run", || new.load(Ordering::SeqCst) > 0);
            assert_eq!(old.load(Ordering::SeqCst), before);
        });
        assert_eq!(job.finish().unwrap().handled(), 8_001);
        assert_eq!(old.load(Ordering::SeqCst) + new.load(Ordering::SeqCst), 8_001);
        let state = job.state().unwrap();
        assert_eq!(state.reconfigured().len(), 1);
        assert_eq!(state.reconfigured()[0].after, old.load(Ordering::SeqCst));
        // Its state stayed.
        let data = serde_json::to_value(&state).unwrap();
        let seen: Vec<u64> = serde_json::from_value(data["routines"]["a"]["seen"].clone()).unwrap();
        assert_eq!(seen, (0..4_000).collect::<Vec<_>>());
    });
}

#[test]
fn several_threads_read_one_output_and_each_value_goes_to_one_of_them() {
    within(1, || {
        let job = acts(nothing(), nothing()).start_on(&Pool::new(4).unwrap()).unwrap();
        let outputs: Vec<_> = (0..4).map(|_| job.outputs().done()).collect();
        let readers: Vec<_> = outputs
            .into_iter()
            .enumerate()
            .map(|(reader, done)| {
                thread::spawn(move || match reader {
                    0 => block_on(async {
                        let mut all = Vec::new();
                        while let Some(n) = done.next_async().await {
                            all.push(n);
                        }
                        all
                    }),
                    _ => done.collect::<Vec<u64>>(),
                })
            })
            .collect();
        (0..3_000).for_each(|n| job.inputs().along(n).unwrap());
        assert_eq!(job.finish().unwrap().handled(), 6_000);
        let mut all: Vec<u64> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..3_000).collect::<Vec<_>>());
    });
}

#[test]
fn progress_adds_up_whenever_the_job_stands_still() {
    within(1, || {
        let mut random = Random::new(11);
        let first = does(|n, cx| match n % 50 == 0 && cx.attempt() == 1 {
            true => Err("shaken".into()),
            false => Ok(()),
        });
        let job = acts(first, nothing()).capacity(usize::MAX).start_on(&Pool::new(4).unwrap()).unwrap();
        let mut sent = 0;
        for _ in 0..100 {
            for _ in 0..random.below(40) {
                sent += 1;
                job.inputs().alone(sent).unwrap();
            }
            job.pause("to count");
            let (seen, report) = (job.progress(), job.report());
            assert_eq!(seen.running(), 0);
            assert_eq!(seen.handled(), report.handled());
            let of = |routine: usize| seen.routines[routine];
            // What came in, and what the first sent on.
            assert_eq!(of(0).handled + of(0).waiting, sent, "{seen:?}");
            assert_eq!(of(1).handled + of(1).waiting, of(0).handled, "{seen:?}");
            assert_eq!((of(0).routine, of(1).routine, of(2).routine), ("a", "b", "c"));
            assert_eq!(seen.failed(), of(0).failed);
            job.resume().unwrap();
        }
        while job.finish().is_err() {
            job.resume().unwrap();
        }
        let seen = job.progress();
        assert_eq!((seen.handled(), seen.waiting(), seen.failed()), (2 * sent, 0, sent / 50));
    });
}

/// Sends each delivery's own id on.
#[routine]
struct Traced;

#[routine]
impl Traced {
    #[event]
    fn on(cause: u64);

    #[slot]
    fn n(&self, _cause: u64, out: &mut Emit<Self>, cx: &Context) {
        out.on(cx.delivery());
    }
}

/// Remembers what caused what.
#[routine]
struct Tracer {
    #[state]
    causes: Vec<(u64, u64)>,
}

#[routine]
impl Tracer {
    #[slot]
    fn n(&mut self, cause: u64, cx: &Context) {
        self.causes.push((cx.delivery(), cause));
    }
}

flow! {
    flow Traces() {
        a: Traced;
        b: Traced;
        tracer: Tracer;
        in n -> a.n;
        a.on -> b.n, tracer.n;
        b.on -> tracer.n;
    }
}

#[test]
fn the_history_has_causes_before_effects_and_is_bounded() {
    within(1, || {
        for hooks in [false, true] {
            let job = Traces::new().job().retention(Retention::unlimited());
            let job = if hooks { job.before_handler(|_, _| ()) } else { job };
            let job = job.start_on(&Pool::new(4).unwrap()).unwrap();
            (0..1_000).for_each(|n| job.inputs().n(n).unwrap());
            assert_eq!(job.finish().unwrap().handled(), 4_000);
            let history = job.history();
            let sequences: Vec<u64> = history.iter().map(|entry| entry.sequence).collect();
            assert_eq!(sequences, (1..=4_000).collect::<Vec<_>>());
            let place: std::collections::HashMap<u64, u64> =
                history.iter().map(|entry| (entry.delivery, entry.sequence)).collect();
            assert_eq!(place.len(), 4_000, "a delivery is there twice");
            let data = serde_json::to_value(job.state().unwrap()).unwrap();
            let causes: Vec<(u64, u64)> =
                serde_json::from_value(data["routines"]["tracer"]["causes"].clone()).unwrap();
            assert_eq!(causes.len(), 2_000);
            for (effect, cause) in causes {
                assert!(cause < effect, "{effect} is numbered before {cause}");
                assert!(place[&cause] < place[&effect], "{effect} is told before {cause}");
            }
            assert!(history.windows(2).all(|two| two[0].emitted <= 1));
        }
        let few = Retention { max_history_size: Some(100), history_ttl_seconds: None };
        let job = Traces::new().job().retention(few).start_on(&Pool::new(4).unwrap()).unwrap();
        for n in 0..1_000 {
            job.inputs().n(n).unwrap();
            assert!(job.history().len() <= 100);
        }
        assert_eq!(job.finish().unwrap().handled(), 4_000);
        let sequences: Vec<u64> = job.history().iter().map(|entry| entry.sequence).collect();
        assert_eq!(sequences, (3_901..=4_000).collect::<Vec<_>>());
    });
}

// ---- copies ----

/// One event goes to many, so that half of it could be in a copy.
#[derive(Clone, Serialize, Deserialize)]
struct Note(u64);

#[routine]
struct Keeper {
    #[state]
    notes: u64,
}

#[routine]
impl Keeper {
    #[slot]
    fn note(&mut self, _note: Note) {
        self.notes += 1;
    }
}

flow! {
    flow Spread() {
        a: Keeper;
        b: Keeper;
        c: Keeper;
        d: Keeper;
        in note -> a.note, b.note, c.note, d.note;
    }
}

#[test]
fn a_copy_has_what_is_sent_to_an_input_for_all_its_receivers_or_for_none() {
    within(1, || {
        let job = Spread::new().job().start_on(&Pool::new(2).unwrap()).unwrap();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut n = 0;
                    while !over.load(Ordering::SeqCst) && n < 200_000 {
                        n += 1;
                        job.inputs().note(Note(n)).unwrap();
                        if n % 100 == 0 {
                            // A copy takes as long as there is much to copy.
                            until("some are handled", || job.progress().waiting() < 500);
                        }
                    }
                });
            }
            let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let begun = Instant::now();
                for _ in 0..1_000 {
                    if begun.elapsed() > LONG / 10 {
                        break; // Enough of a slow machine.
                    }
                    let data = serde_json::to_value(job.state().unwrap()).unwrap();
                    let of = |id: &str| {
                        let to = serde_json::json!(format!("{id}.note"));
                        let waiting = data["waiting"].as_array().unwrap().iter();
                        let waiting = waiting.filter(|delivery| delivery["to"] == to).count() as u64;
                        waiting + data["routines"][id]["notes"].as_u64().unwrap()
                    };
                    let counts = ["a", "b", "c", "d"].map(of);
                    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
                }
            }));
            over.store(true, Ordering::SeqCst);
            looked.unwrap();
        });
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
    });
}

#[test]
fn a_job_that_has_failed_is_started_as_such_and_resumed() {
    let mut job = acts(does(|_, _| Err("no".into())), nothing());
    job.inputs().alone(1).unwrap();
    assert!(job.run().is_err());
    let job = job.start_on(&Pool::new(1).unwrap()).unwrap();
    assert_eq!(job.status(), Status::Failed);
    let error = job.finish().unwrap_err().to_string();
    assert!(error.contains("had failed before it was started") && error.contains("no"), "{error}");
    assert_eq!(job.state().unwrap().waiting(), 1);
    job.resume().unwrap();
    assert!(job.finish().unwrap_err().to_string().contains("attempt 2"));
}

#[test]
fn the_hook_at_the_start_of_a_paused_job_is_called_when_it_goes_on() {
    let called = Arc::new(AtomicU64::new(0));
    let counts = called.clone();
    let mut job = Chain::new().job().on_start(move |_| {
        counts.fetch_add(1, Ordering::SeqCst);
    });
    job.inputs().n(1).unwrap();
    job.pause("not yet");
    let job = job.start_on(&Pool::new(1).unwrap()).unwrap();
    assert_eq!((job.status(), called.load(Ordering::SeqCst)), (Status::Paused, 0));
    job.resume().unwrap();
    job.pause("again");
    job.resume().unwrap();
    assert_eq!(job.finish().unwrap().handled(), 3);
    assert_eq!(called.load(Ordering::SeqCst), 1);
}
