//! The concurrent engine under load: random graphs on one worker and on many, with handlers that fail and panic, while the job is
//! paused, copied, reconfigured and cancelled. Nothing is lost, doubled or out of order, and no handler runs next to one
//! that it must not run next to. In all a million deliveries with `cargo test --release -p tests --test stress`, fewer
//! in a debug build; `DELIVERIES=..` sets how many.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{JobState, Pool, Retention};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use tests::patience::{LONG, Random, mixed, until, within};

/// How many deliveries the random graphs make in all.
fn deliveries() -> u64 {
    let given = std::env::var("DELIVERIES").ok().and_then(|text| text.parse().ok());
    given.unwrap_or(if cfg!(debug_assertions) { 120_000 } else { 1_000_000 })
}

/// Tests that count threads and memory of the process run alone.
static ALONE: RwLock<()> = RwLock::new(());

// ---- what the handlers of all flows share ----

/// What an event carries: which connections it goes by, and its number there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    /// The sender, and which of its events; 0 where none can be counted.
    from: u32,
    number: u64,
    value: u64,
    /// How often it goes around.
    left: u32,
}

/// What went wrong, and when handlers fail.
#[derive(Default)]
struct Probe {
    wrong: Mutex<Vec<String>>,
    /// One of so many attempts fails, and as many panic; 0 is none.
    fails_one_in: AtomicU64,
    attempts: AtomicU64,
    faults: AtomicU64,
}

impl Probe {
    fn wrong(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    fn check(&self) {
        let wrong = self.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{} things went wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    }

    /// Now and then gives way to others, fails or panics.
    fn chaos(&self) -> Result {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        let chance = mixed(attempt);
        if chance.is_multiple_of(13) {
            std::thread::yield_now();
        }
        let one_in = self.fails_one_in.load(Ordering::Relaxed);
        if one_in == 0 || !chance.is_multiple_of(one_in) {
            return Ok(());
        }
        self.faults.fetch_add(1, Ordering::Relaxed);
        match (chance / one_in).is_multiple_of(2) {
            true => Err("as it happens".into()),
            // Without the message that a panic prints.
            false => std::panic::resume_unwind(Box::new("as it happens")),
        }
    }
}

/// Who is in a routine.
#[derive(Default)]
struct Room {
    alone: AtomicU32,
    along: AtomicU32,
    few: AtomicU32,
}

/// Is in the room until it is dropped, also by a panic.
struct Guest<'r>(Vec<&'r AtomicU32>);

impl Room {
    fn enter_alone<'r>(&'r self, probe: &Probe, id: u32) -> Guest<'r> {
        let (others, along) = (self.alone.fetch_add(1, Ordering::SeqCst), self.along.load(Ordering::SeqCst));
        if (others, along) != (0, 0) {
            probe.wrong(format!(
                "{id}: a `&mut self` handler next to {others} of its kind and {along} others"
            ));
        }
        Guest(vec![&self.alone])
    }

    fn enter<'r>(&'r self, probe: &Probe, id: u32) -> Guest<'r> {
        self.along.fetch_add(1, Ordering::SeqCst);
        if self.alone.load(Ordering::SeqCst) != 0 {
            probe.wrong(format!("{id}: a `&self` handler next to a `&mut self` one"));
        }
        Guest(vec![&self.along])
    }

    fn enter_few<'r>(&'r self, probe: &Probe, id: u32, most: u32) -> Guest<'r> {
        let mut guest = self.enter(probe, id);
        let others = self.few.fetch_add(1, Ordering::SeqCst);
        if others >= most {
            probe.wrong(format!("{id}: {} handlers where {most} may run", others + 1));
        }
        guest.0.push(&self.few);
        guest
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|count| {
            count.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// How far each connection of a slot is.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Seen(BTreeMap<u32, u64>);

impl Seen {
    fn next(&mut self, probe: &Probe, id: u32, item: &Item) {
        let last = self.0.entry(item.from).or_default();
        if item.from != 0 && item.number != *last + 1 {
            probe.wrong(format!("{id}: number {} of {} after {}", item.number, item.from, *last));
        }
        *last = item.number;
    }
}

/// Takes one at a time, checks the order, and sends on by one of two ways or by both.
#[routine]
struct Stage {
    id: u32,
    #[resource]
    probe: Arc<Probe>,
    #[resource]
    room: Arc<Room>,
    #[state]
    seen: Seen,
    #[state]
    sent: (u64, u64),
    #[state]
    sum: u64,
}

#[routine]
impl Stage {
    #[event]
    fn on(item: Item);
    #[event]
    fn also(item: Item);

    #[slot]
    fn n(&mut self, item: &Item, out: &mut Emit<Self>) -> Result {
        let _guest = self.room.enter_alone(&self.probe, self.id);
        self.seen.next(&self.probe, self.id, item);
        self.sum = self.sum.wrapping_add(item.value);
        if item.left > 0 {
            self.sent.0 += 1;
            let number = self.sent.0;
            out.on(Item { from: self.id, number, value: item.value + 1, left: item.left - 1 });
        }
        if item.value.is_multiple_of(2) || item.left == 0 {
            self.sent.1 += 1;
            let number = self.sent.1;
            out.also(Item { from: 1000 + self.id, number, value: item.value + 1, left: item.left });
        }
        self.probe.chaos()
    }
}

/// Handlers of every kind, next to each other.
#[routine]
struct Mixed {
    id: u32,
    #[resource]
    probe: Arc<Probe>,
    #[resource]
    room: Arc<Room>,
    #[state]
    seen: Seen,
    #[state]
    sum: u64,
}

#[routine]
impl Mixed {
    #[event]
    fn on(item: Item);

    #[slot(optional)]
    fn along(&self, item: &Item, out: &mut Emit<Self>) -> Result {
        let _guest = self.room.enter(&self.probe, self.id);
        out.on(Item { from: 0, ..item.clone() });
        self.probe.chaos()
    }

    #[slot(optional, parallel = 2)]
    fn few(&self, item: Item, out: &mut Emit<Self>) -> Result {
        let _guest = self.room.enter_few(&self.probe, self.id, 2);
        out.on(Item { from: 0, ..item });
        self.probe.chaos()
    }

    #[slot(optional)]
    fn alone(&mut self, item: &Item, out: &mut Emit<Self>) -> Result {
        let _guest = self.room.enter_alone(&self.probe, self.id);
        self.seen.next(&self.probe, self.id, item);
        self.sum = self.sum.wrapping_add(item.value);
        out.on(Item { from: 0, ..item.clone() });
        self.probe.chaos()
    }

    /// Keeps all, so it runs alone although it takes `&self`.
    #[slot(optional, merge = "append")]
    fn kept(&self, items: &[Item], out: &mut Emit<Self>) -> Result {
        let _guest = self.room.enter_alone(&self.probe, self.id);
        if items.len().is_multiple_of(10) {
            out.on(items[items.len() - 1].clone());
        }
        self.probe.chaos()
    }
}

// ---- the graphs ----

flow! {
    flow Chain(probe: Arc<Probe>) {
        a: Stage { id: 1, probe, room: Arc::default() };
        b: Stage { id: 2, probe, room: Arc::default() };
        c: Stage { id: 3, probe, room: Arc::default() };
        d: Stage { id: 4, probe, room: Arc::default() };
        in n -> a.n;
        a.on -> b.n;
        b.on -> c.n;
        c.on -> d.n;
        d.also -> out done;
        ignore a.also;
        ignore b.also;
        ignore c.also;
        ignore d.on;
    }
}

flow! {
    flow Fan(probe: Arc<Probe>) {
        split: Stage { id: 1, probe, room: Arc::default() };
        x: Mixed { id: 2, probe, room: Arc::default() };
        y: Mixed { id: 3, probe, room: Arc::default() };
        z: Stage { id: 4, probe, room: Arc::default() };
        join: Stage { id: 5, probe, room: Arc::default() };
        in n -> split.n;
        split.on -> x.along, y.few, z.n;
        x.on -> join.n;
        y.on -> join.n;
        z.on -> join.n;
        join.also -> out done;
        ignore split.also;
        ignore z.also;
        ignore join.on;
    }
}

flow! {
    flow Diamond(probe: Arc<Probe>) {
        top: Stage { id: 1, probe, room: Arc::default() };
        left: Stage { id: 2, probe, room: Arc::default() };
        right: Stage { id: 3, probe, room: Arc::default() };
        bottom: Stage { id: 4, probe, room: Arc::default() };
        in n -> top.n, bottom.n;
        top.on -> left.n, right.n, bottom.n;
        top.also -> right.n;
        left.on -> bottom.n;
        left.also -> bottom.n;
        right.on -> bottom.n;
        right.also -> bottom.n;
        bottom.also -> out done;
        ignore bottom.on;
    }
}

flow! {
    flow Cycle(probe: Arc<Probe>) {
        a: Stage { id: 1, probe, room: Arc::default() };
        b: Stage { id: 2, probe, room: Arc::default() };
        c: Mixed { id: 3, probe, room: Arc::default() };
        in n -> a.n;
        a.on -> b.n;
        b.on -> loop a.n;
        b.also -> c.few;
        c.on -> out done;
        ignore a.also;
    }
}

flow! {
    flow Motley(probe: Arc<Probe>) {
        a: Stage { id: 1, probe, room: Arc::default() };
        m: Mixed { id: 2, probe, room: Arc::default() };
        k: Mixed { id: 3, probe, room: Arc::default() };
        in n -> a.n;
        a.on -> m.along, m.alone, k.kept;
        a.also -> m.few, m.alone;
        m.on -> k.along;
        k.on -> out done;
    }
}

/// What the tests do with a job of any of the flows.
trait Graph: Flow {
    fn made(probe: &Arc<Probe>) -> Self;
    fn started(&self, job: Job<Self>, pool: &Pool) -> Box<dyn Subject<Self>>;
    /// How many deliveries it makes of so many inputs, one by one and without failures.
    fn expected(&self, inputs: u64, left: u32) -> u64;
}

/// A job on a pool, whatever its flow.
trait Subject<F>: Send + Sync {
    fn send(&self, item: Item) -> routilux::Result<()>;
    fn pause(&self);
    fn resume(&self) -> routilux::Result<()>;
    fn cancel(&self);
    fn state(&self) -> JobState;
    fn reconfigure(&self, flow: &F);
    fn progress(&self) -> routilux::Progress;
    fn close(&self);
    /// Waits for the end of the run. `None` if it takes too long.
    fn wait(&self) -> Option<routilux::Result<Status>>;
    fn outputs(&self) -> u64;
    fn counts(&self) -> Counts;
}

#[derive(Debug)]
struct Counts {
    handled: u64,
    failed: u64,
    waiting: u64,
}

macro_rules! graphs {
    ($($flow:ident)*) => {$(
        impl Graph for $flow {
            fn made(probe: &Arc<Probe>) -> Self {
                $flow::new(probe.clone())
            }
            fn started(&self, job: Job<Self>, pool: &Pool) -> Box<dyn Subject<Self>> {
                Box::new(job.start_on(pool).unwrap())
            }
            fn expected(&self, inputs: u64, left: u32) -> u64 {
                let mut job = self.job();
                (1..=inputs).for_each(|number| job.inputs().n(item(number, left)).unwrap());
                job.run().unwrap().handled()
            }
        }

        impl Subject<$flow> for JobHandle<$flow> {
            fn send(&self, item: Item) -> routilux::Result<()> {
                self.inputs().n(item)
            }
            fn pause(&self) {
                JobHandle::pause(self, "a moment");
            }
            fn resume(&self) -> routilux::Result<()> {
                JobHandle::resume(self)
            }
            fn cancel(&self) {
                JobHandle::cancel(self, "enough");
            }
            fn state(&self) -> JobState {
                JobHandle::state(self).unwrap()
            }
            fn reconfigure(&self, flow: &$flow) {
                JobHandle::reconfigure(self, flow).unwrap();
            }
            fn progress(&self) -> routilux::Progress {
                JobHandle::progress(self)
            }
            fn close(&self) {
                self.close_inputs();
            }
            fn wait(&self) -> Option<routilux::Result<Status>> {
                JobHandle::wait(self, LONG).map(|report| report.map(|report| report.status())).transpose()
            }
            fn outputs(&self) -> u64 {
                let outputs = JobHandle::outputs(self).done();
                std::iter::from_fn(|| outputs.try_next()).count() as u64
            }
            fn counts(&self) -> Counts {
                let report = self.report();
                Counts {
                    handled: report.handled(),
                    failed: report.failed(),
                    waiting: report.waiting().iter().map(|(_, count)| count).sum(),
                }
            }
        }
    )*};
}

graphs! { Chain Fan Diamond Cycle Motley }

fn item(number: u64, left: u32) -> Item {
    Item { from: 9999, number, value: number, left }
}

/// Every delivery that was ever made is accounted for: their ids are given without gaps.
fn conserved(state: &JobState) {
    let data = serde_json::to_value(state).unwrap();
    let emitted = data["next_delivery"].as_u64().unwrap() - 1;
    assert_eq!(
        emitted,
        state.handled() + state.waiting() as u64,
        "emitted, and handled + failed + waiting, of a job that is {}",
        state.status()
    );
}

/// Runs to the end through every failure.
fn finish<F>(job: &dyn Subject<F>) -> Status {
    job.close();
    loop {
        match job.wait() {
            None => panic!("it stands still: {:?}, {:#?}", job.counts(), job.progress()),
            Some(Ok(Status::Paused)) | Some(Err(_)) => job.resume().unwrap(),
            Some(Ok(status)) => return status,
        }
    }
}

/// One job of about so many deliveries, disturbed at random; to its end, or to the middle, where it is cancelled.
fn disturbed<F: Graph>(pool: &Pool, inputs: u64, left: u32, random: &mut Random, cancel: bool) -> u64 {
    let flow = F::made(&Arc::default());
    let expected = flow.expected(inputs, left);
    let probe = Arc::new(Probe::default());
    probe.fails_one_in.store([0, 47, 211, 1009][random.below(4) as usize], Ordering::Relaxed);
    let flow = F::made(&probe);
    let job = flow.started(flow.job().retention(Retention::default()), pool);
    let (chunk, mut number) = ((inputs / 12).max(1), 0);
    let cancel_at = match cancel {
        true => random.below(inputs),
        false => u64::MAX,
    };
    while number < inputs {
        for _ in 0..chunk.min(inputs - number) {
            number += 1;
            job.send(item(number, left)).unwrap();
        }
        if number > cancel_at {
            job.cancel();
            assert!(matches!(job.wait(), Some(Ok(Status::Cancelled)) | Some(Err(_))));
            break;
        }
        match random.below(6) {
            0 => {
                job.pause();
                let seen = job.progress();
                if seen.running() != 0 {
                    probe.wrong(format!("it is paused, and handlers run: {seen:?}"));
                }
                // It may have failed instead.
                let _ = job.resume();
            }
            1 => conserved(&job.state()),
            2 => std::thread::scope(|scope| {
                scope.spawn(|| job.pause());
                scope.spawn(|| conserved(&job.state()));
                scope.spawn(|| job.resume().unwrap());
            }),
            3 => job.reconfigure(&flow),
            _ => {
                let _ = job.progress();
            }
        }
        // Failed jobs take inputs, and go on when they are resumed.
        job.resume().unwrap();
    }
    if !cancel {
        assert_eq!(finish(&*job), Status::Completed);
    }
    probe.check();
    let state = job.state();
    conserved(&state);
    let counts = job.counts();
    let emitted = serde_json::to_value(&state).unwrap()["next_delivery"].as_u64().unwrap() - 1;
    assert_eq!(emitted, counts.handled + counts.failed + counts.waiting, "{counts:?}");
    let progress = job.progress();
    assert_eq!((progress.handled(), progress.running()), (counts.handled, 0), "{progress:?}");
    // With a delivery that failed and was not tried again.
    assert_eq!(progress.waiting(), counts.waiting + counts.failed, "{progress:?}");
    assert_eq!(progress.failed(), probe.faults.load(Ordering::Relaxed), "{progress:?}");
    if !cancel {
        assert_eq!(counts.handled, expected, "{counts:?}");
        assert!(job.outputs() > 0);
    }
    counts.handled
}

fn all_shapes(workers: usize, seed: u64) {
    let _others = ALONE.read().unwrap();
    within(3, move || {
        let mut random = Random::new(seed);
        let pool = Pool::new(workers).unwrap();
        let most = deliveries() / 4;
        let (mut handled, mut round) = (0, 0);
        while handled < most {
            round += 1;
            let cancel = round % 5 == 0;
            let some = (most / 25).clamp(200, 4_000);
            handled += disturbed::<Chain>(&pool, some / 4, 3, &mut random, cancel);
            handled += disturbed::<Fan>(&pool, some / 7, 2, &mut random, cancel);
            handled += disturbed::<Diamond>(&pool, some / 8, 2, &mut random, cancel);
            handled += disturbed::<Cycle>(&pool, some / 30, 20, &mut random, cancel);
            handled += disturbed::<Motley>(&pool, some / 7, 1, &mut random, cancel);
        }
    });
}

#[test]
fn nothing_is_lost_doubled_or_out_of_order_on_one_worker() {
    all_shapes(1, 1);
}

#[test]
fn nothing_is_lost_doubled_or_out_of_order_on_2_workers() {
    all_shapes(2, 2);
}

#[test]
fn nothing_is_lost_doubled_or_out_of_order_on_8_workers() {
    all_shapes(8, 3);
}

#[test]
fn nothing_is_lost_doubled_or_out_of_order_on_64_workers() {
    all_shapes(64, 4);
}

#[test]
fn several_threads_send_and_each_connection_keeps_its_order() {
    let _others = ALONE.read().unwrap();
    within(1, || {
        let probe = Arc::new(Probe::default());
        let job = Chain::new(probe.clone()).job().workers(8).start().unwrap();
        let each = (deliveries() / 60).clamp(500, 5_000);
        std::thread::scope(|scope| {
            for sender in 0..4u32 {
                let inputs = job.inputs();
                scope.spawn(move || {
                    let mut inputs = inputs;
                    (1..=each).for_each(|number| {
                        inputs.n(Item { from: 5000 + sender, number, value: number, left: 3 }).unwrap();
                    });
                });
            }
        });
        assert_eq!(job.finish().unwrap().handled(), 4 * 4 * each);
        probe.check();
    });
}

// ---- many jobs on one pool ----

#[test]
fn two_hundred_jobs_at_once_give_the_right_results() {
    let _others = ALONE.read().unwrap();
    within(1, || {
        let pool = Pool::new(8).unwrap();
        let jobs: Vec<_> = (0..200u64)
            .map(|job| {
                let probe = Arc::new(Probe::default());
                let flow = Diamond::new(probe.clone());
                let (inputs, left) = (1 + job % 17, 1 + (job % 3) as u32);
                let expected = Diamond::new(Arc::default()).expected(inputs, left);
                let handle = flow.job().start_on(&pool).unwrap();
                (handle, probe, inputs, left, expected)
            })
            .collect();
        // In turns, so that all of them run at the same time.
        for number in 1..=17 {
            for (job, _, inputs, left, _) in &jobs {
                if number <= *inputs {
                    job.inputs().n(item(number, *left)).unwrap();
                }
            }
        }
        jobs.iter().for_each(|(job, ..)| job.close_inputs());
        for (job, probe, _, _, expected) in jobs {
            let report = job.wait(LONG).unwrap().unwrap_or_else(|| panic!("{:?}", job.progress()));
            assert_eq!((report.status(), report.handled()), (Status::Completed, expected));
            probe.check();
        }
    });
}

#[test]
fn a_short_job_does_not_wait_for_a_long_one() {
    let _others = ALONE.read().unwrap();
    for workers in [1, 2] {
        within(1, move || {
            let pool = Pool::new(workers).unwrap();
            let long = Chain::new(Arc::default()).job().capacity(usize::MAX).start_on(&pool).unwrap();
            let many = if cfg!(debug_assertions) { 25_000 } else { 100_000 };
            // All wait at once: it is halted until then.
            long.pause("until all are there");
            (1..=many).for_each(|number| long.inputs().n(item(number, 3)).unwrap());
            long.resume().unwrap();
            for _ in 0..20 {
                let short = Chain::new(Arc::default()).job().start_on(&pool).unwrap();
                short.inputs().n(item(1, 3)).unwrap();
                assert_eq!(short.finish().unwrap().handled(), 4);
            }
            let seen = long.progress();
            assert!(seen.waiting() > 0, "the long job was done first: {seen:?}");
            assert_eq!(long.finish().unwrap().handled(), 4 * many);
        });
    }
}

// ---- what is left behind ----

#[cfg(target_os = "linux")]
fn in_status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_jobs_leave_no_thread_and_no_memory_behind() {
    let _alone = ALONE.write();
    within(1, || {
        let pool = Pool::new(4).unwrap();
        let some_jobs = |count: u64| {
            for number in 0..count {
                let job = Diamond::new(Arc::default()).job();
                // Deadlines and controls outlive jobs, and must not hold them.
                let job = if number % 3 == 0 { job.deadline(Duration::from_secs(3600)) } else { job };
                let job = job.start_on(&pool).unwrap();
                (1..=3).for_each(|number| job.inputs().n(item(number, 2)).unwrap());
                match number % 4 {
                    0 => drop(job),
                    1 => drop(job.cancel_on_drop()),
                    2 => {
                        job.pause("for ever");
                        drop(job);
                    }
                    _ => assert_eq!(job.finish().unwrap().status(), Status::Completed),
                }
            }
        };
        some_jobs(2_000);
        let (threads, memory) = (in_status("Threads:"), in_status("VmRSS:"));
        some_jobs(10_000);
        // Jobs that nobody waits for may still be at their end.
        until("the memory of 10 000 jobs is free", || in_status("VmRSS:") < memory + 8_000);
        assert!(in_status("Threads:") <= threads, "{threads} threads became {}", in_status("Threads:"));
    });
}

#[cfg(target_os = "linux")]
#[test]
fn two_hundred_pools_leave_no_thread_behind() {
    let _alone = ALONE.write();
    within(1, || {
        let threads = in_status("Threads:");
        for number in 0..200 {
            let pool = Pool::new(1 + number % 8).unwrap();
            let job = Chain::new(Arc::default()).job().deadline(Duration::from_secs(3600));
            let job = job.start_on(&pool).unwrap();
            drop(pool);
            job.inputs().n(item(1, 3)).unwrap();
            match number % 3 {
                0 => assert_eq!(job.finish().unwrap().handled(), 4),
                1 => drop(job),
                _ => drop(job.cancel_on_drop()),
            }
        }
        until("the threads have ended", || in_status("Threads:") <= threads);
    });
}
