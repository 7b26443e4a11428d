//! What the concurrent engine gains and costs, as ratios within one run: work on several threads beside the same work
//! in one and on rayon, naps beside the ideal, the price of a hop and of a whole job. Run it with
//! `cargo bench -p tests --bench concurrent`, or one part with `-- naps`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use rayon::prelude::*;
use routilux::prelude::*;
use routilux::{Pool, Retention};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|name| part.contains(name.as_str()));
    let parts: [(&str, fn()); 5] =
        [("hop", hops), ("cpu", cpu), ("naps", naps), ("async", async_naps), ("job", jobs)];
    for (name, part) in parts {
        if is_wanted(name) {
            part();
        }
    }
}

/// The times of several runs: the fastest and the one in the middle.
fn timed(runs: usize, mut run: impl FnMut() -> Duration) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..runs).map(|_| run()).collect();
    times.sort();
    (times[0], times[times.len() / 2])
}

fn took(run: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    run();
    begun.elapsed()
}

// ---- a hop ----

#[routine]
pub struct Add;

#[routine]
impl Add {
    #[event]
    fn sum(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        out.sum(n + 1);
    }
}

#[routine]
pub struct Share;

#[routine]
impl Share {
    #[event]
    fn sum(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        out.sum(n + 1);
    }
}

#[routine]
pub struct Last {
    #[state]
    total: u64,
}

#[routine]
impl Last {
    #[slot]
    fn n(&mut self, n: u64) {
        self.total = self.total.wrapping_add(n);
    }
}

flow! {
    flow Chain() {
        a: Add; b: Add; c: Add; d: Add; e: Add; f: Add; g: Add; h: Last;
        in n -> a.n;
        a.sum -> b.n;
        b.sum -> c.n;
        c.sum -> d.n;
        d.sum -> e.n;
        e.sum -> f.n;
        f.sum -> g.n;
        g.sum -> h.n;
    }
}

flow! {
    flow SharedChain() {
        a: Share; b: Share; c: Share; d: Share; e: Share; f: Share; g: Share; h: Last;
        in n -> a.n;
        a.sum -> b.n;
        b.sum -> c.n;
        c.sum -> d.n;
        d.sum -> e.n;
        e.sum -> f.n;
        f.sum -> g.n;
        g.sum -> h.n;
    }
}

fn hops() {
    const EVENTS: u64 = 200_000;
    fn per_hop((fastest, middle): (Duration, Duration)) -> String {
        let each = |time: Duration| time.as_nanos() as f64 / (EVENTS * 8) as f64;
        format!("{:.1} ns a hop at best, {:.1} ns in the middle", each(fastest), each(middle))
    }
    for history in [true, false] {
        let retention = if history { Retention::default() } else { Retention::none() };
        println!("hop: empty handlers, chain of 8, history {}", if history { "on" } else { "off" });
        let sequential = timed(15, || {
            let mut job = Chain::new().job().retention(retention);
            (0..EVENTS).for_each(|n| job.inputs().n(n).unwrap());
            took(|| drop(black_box(job.run().unwrap())))
        });
        println!("  in one thread, `run()`       {}", per_hop(sequential));
        for workers in [1, 2] {
            let pool = Pool::new(workers).unwrap();
            let exclusive = timed(15, || {
                let mut job = Chain::new().job().retention(retention);
                (0..EVENTS).for_each(|n| job.inputs().n(n).unwrap());
                took(|| drop(black_box(job.start_on(&pool).unwrap().finish().unwrap())))
            });
            println!("  {workers} workers, `&mut self`       {}", per_hop(exclusive));
            let shared = timed(15, || {
                let mut job = SharedChain::new().job().retention(retention);
                (0..EVENTS).for_each(|n| job.inputs().n(n).unwrap());
                took(|| drop(black_box(job.start_on(&pool).unwrap().finish().unwrap())))
            });
            println!("  {workers} workers, `&self`           {}", per_hop(shared));
        }
    }
}

// ---- work ----

/// Burns about so many nanoseconds.
fn work(rounds: u64, seed: u64) -> u64 {
    (0..rounds)
        .fold(black_box(seed), |n, _| n.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17) ^ 0x9e37)
}

/// How many rounds of `work` take a microsecond here.
fn rounds_a_microsecond() -> f64 {
    let (fastest, _) = timed(20, || {
        took(|| {
            black_box(work(1_000_000, 1));
        })
    });
    1_000_000.0 / (fastest.as_nanos() as f64 / 1000.0)
}

#[routine]
pub struct Burn {
    rounds: u64,
}

#[routine]
impl Burn {
    #[event]
    fn done(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        out.done(work(self.rounds, n));
    }
}

flow! {
    flow Pipeline(rounds: u64) {
        a: Burn { rounds }; b: Burn { rounds }; c: Burn { rounds }; d: Burn { rounds }; last: Last;
        in n -> a.n;
        a.done -> b.n;
        b.done -> c.n;
        c.done -> d.n;
        d.done -> last.n;
    }
}

flow! {
    flow FanOut(rounds: u64) {
        split: Share;
        a: Burn { rounds }; b: Burn { rounds }; c: Burn { rounds }; d: Burn { rounds };
        e: Burn { rounds }; f: Burn { rounds }; g: Burn { rounds }; h: Burn { rounds };
        last: Last;
        in n -> split.n;
        split.sum -> a.n, b.n, c.n, d.n, e.n, f.n, g.n, h.n;
        a.done -> last.n;
        b.done -> last.n;
        c.done -> last.n;
        d.done -> last.n;
        e.done -> last.n;
        f.done -> last.n;
        g.done -> last.n;
        h.done -> last.n;
    }
}

/// One thread, two workers and rayon take turns, so that what else the machine does falls on all alike.
fn compare<F: Flow + routilux::__private::Threaded>(
    name: &str,
    load: impl Fn() -> Job<F>,
    on_rayon: impl Fn() + Sync,
) {
    let pool = Pool::new(2).unwrap();
    let two = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let (mut alone, mut pooled, mut rayon) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..15 {
        let mut job = load();
        alone.push(took(|| drop(black_box(job.run().unwrap()))));
        let job = load();
        pooled.push(took(|| drop(black_box(job.start_on(&pool).unwrap().finish().unwrap()))));
        rayon.push(took(|| two.install(&on_rayon)));
    }
    let middle = |times: &mut Vec<Duration>| {
        times.sort();
        (times[0].as_secs_f64(), times[times.len() / 2].as_secs_f64())
    };
    let (alone, pooled, rayon) = (middle(&mut alone), middle(&mut pooled), middle(&mut rayon));
    println!(
        "  {name:<28} one thread {:6.1} ms; speed-up on 2 workers {:.2} at best, {:.2} in the middle; rayon {:.2}, {:.2}",
        alone.0 * 1e3,
        alone.0 / pooled.0,
        alone.1 / pooled.1,
        alone.0 / rayon.0,
        alone.1 / rayon.1
    );
}

fn cpu() {
    let microsecond = rounds_a_microsecond();
    println!("cpu: `&mut self` handlers that compute, beside the same in one thread");
    for (micros, events) in [(2, 10_000u64), (50, 400)] {
        let rounds = (microsecond * f64::from(micros)) as u64;
        let load_pipeline = || {
            let mut job = Pipeline::new(rounds).job();
            (0..events).for_each(|n| job.inputs().n(n).unwrap());
            job
        };
        compare(&format!("4-stage pipeline, {micros} µs"), load_pipeline, || {
            let total: u64 = (0..events)
                .into_par_iter()
                .map(|n| (0..4).fold(n, |n, _| work(rounds, n)))
                .reduce(|| 0, u64::wrapping_add);
            black_box(total);
        });
        let events = events / 2;
        let load_fan_out = || {
            let mut job = FanOut::new(rounds).job();
            (0..events).for_each(|n| job.inputs().n(n).unwrap());
            job
        };
        compare(&format!("fan-out to 8, {micros} µs"), load_fan_out, || {
            let total: u64 =
                (0..events * 8).into_par_iter().map(|n| work(rounds, n / 8)).reduce(|| 0, u64::wrapping_add);
            black_box(total);
        });
    }
}

// ---- naps ----

#[routine]
pub struct Napper;

#[routine]
impl Napper {
    #[slot]
    fn nap(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

flow! {
    flow Naps() {
        napper: Napper;
        in nap -> napper.nap;
    }
}

fn naps() {
    println!("naps: blocking naps of 10 ms, beside the ideal");
    const NAP: Duration = Duration::from_millis(10);
    for workers in [8usize, 32, 64] {
        let pool = Pool::new(workers).unwrap();
        for count in [64usize, 1000] {
            let (fastest, middle) = timed(5, || {
                took(|| {
                    let mut job = Naps::new().job();
                    (0..count).for_each(|_| job.inputs().nap(NAP).unwrap());
                    drop(job.start_on(&pool).unwrap().finish().unwrap());
                })
            });
            let ideal = NAP.as_secs_f64() * count.div_ceil(workers) as f64;
            println!(
                "  {count:4} naps on {workers:2} workers: {:6.1} ms; {:.3} of the ideal at best, {:.3} in the middle",
                fastest.as_secs_f64() * 1e3,
                fastest.as_secs_f64() / ideal,
                middle.as_secs_f64() / ideal
            );
        }
    }
}

#[routine]
pub struct AsyncNapper;

#[routine]
impl AsyncNapper {
    #[slot(parallel = 100)]
    async fn hundred(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    #[slot(parallel = 1000)]
    async fn thousand(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    #[slot(parallel = 10_000)]
    async fn all(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

flow! {
    flow AsyncNaps() {
        napper: AsyncNapper;
        in hundred -> napper.hundred;
        in thousand -> napper.thousand;
        in all -> napper.all;
    }
}

/// The same naps as plain tasks, as many at once.
async fn plain_naps(count: usize, parallel: usize, nap: Duration) {
    let room = std::sync::Arc::new(tokio::sync::Semaphore::new(parallel));
    let mut tasks = Vec::with_capacity(count);
    for _ in 0..count {
        let place = room.clone().acquire_owned().await.unwrap();
        tasks.push(tokio::spawn(async move {
            tokio::time::sleep(nap).await;
            drop(place);
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

fn async_naps() {
    println!(
        "async naps: 10,000 of 10 ms on a runtime of 2 threads, beside the ideal and plain tasks behind a semaphore"
    );
    const NAP: Duration = Duration::from_millis(10);
    const COUNT: usize = 10_000;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let pool = Pool::new(2).unwrap();
    for parallel in [100usize, 1000, 10_000] {
        let (mut ours, mut plain) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let mut job = AsyncNaps::new().job().runtime(runtime.handle().clone());
            for _ in 0..COUNT {
                match parallel {
                    100 => job.inputs().hundred(NAP).unwrap(),
                    1000 => job.inputs().thousand(NAP).unwrap(),
                    _ => job.inputs().all(NAP).unwrap(),
                }
            }
            ours.push(took(|| drop(job.start_on(&pool).unwrap().finish().unwrap())));
            // In the runtime, where a task is spawned without waking a thread of it from outside.
            plain.push(took(|| {
                runtime.block_on(async { tokio::spawn(plain_naps(COUNT, parallel, NAP)).await.unwrap() })
            }));
        }
        ours.sort();
        plain.sort();
        let ideal = NAP.as_secs_f64() * (COUNT / parallel) as f64;
        println!(
            "  {parallel:5} at once: {:6.1} ms; {:.3} of the ideal at best, {:.3} in the middle; plain tasks {:.3}, {:.3}",
            ours[0].as_secs_f64() * 1e3,
            ours[0].as_secs_f64() / ideal,
            ours[2].as_secs_f64() / ideal,
            plain[0].as_secs_f64() / ideal,
            plain[2].as_secs_f64() / ideal
        );
    }
}

// ---- whole jobs ----

flow! {
    flow Three() {
        a: Add; b: Add; c: Last;
        in n -> a.n;
        a.sum -> b.n;
        b.sum -> c.n;
    }
}

/// There and back between two threads that park.
fn round_trip() -> Duration {
    const TRIPS: u32 = 2_000;
    let main = std::thread::current();
    let turns = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let theirs = turns.clone();
    let other = std::thread::spawn(move || {
        for turn in 0..TRIPS {
            while theirs.load(std::sync::atomic::Ordering::SeqCst) != 2 * turn + 1 {
                std::thread::park();
            }
            theirs.store(2 * turn + 2, std::sync::atomic::Ordering::SeqCst);
            main.unpark();
        }
    });
    let time = took(|| {
        for turn in 0..TRIPS {
            turns.store(2 * turn + 1, std::sync::atomic::Ordering::SeqCst);
            other.thread().unpark();
            while turns.load(std::sync::atomic::Ordering::SeqCst) != 2 * turn + 2 {
                std::thread::park();
            }
        }
    });
    other.join().unwrap();
    time / TRIPS
}

/// The same once, after both have slept for a millisecond: what a machine at rest takes for it.
fn rested_round_trip() -> Duration {
    let (to, from) = (std::sync::mpsc::channel::<()>(), std::sync::mpsc::channel::<()>());
    let other = std::thread::spawn(move || {
        while to.1.recv().is_ok() {
            from.0.send(()).unwrap();
        }
    });
    let time = (0..50).map(|_| {
        std::thread::sleep(Duration::from_millis(1));
        took(|| {
            to.0.send(()).unwrap();
            from.1.recv().unwrap();
        })
    });
    let time = time.sum::<Duration>() / 50;
    drop(to.0);
    other.join().unwrap();
    time
}

fn round_trip_line() -> String {
    let (fastest, middle) = timed(9, round_trip);
    let rested = timed(9, rested_round_trip);
    format!(
        "round trip of park and unpark: {:.1} µs at best, {:.1} µs in the middle; after 1 ms of rest {:.1} µs, {:.1} µs",
        fastest.as_secs_f64() * 1e6,
        middle.as_secs_f64() * 1e6,
        rested.0.as_secs_f64() * 1e6,
        rested.1.as_secs_f64() * 1e6
    )
}

fn jobs() {
    println!("job: 3 routines, started, run and dropped; {}", round_trip_line());
    for workers in [1usize, 2] {
        let pool = Pool::new(workers).unwrap();
        let one = || {
            let mut job = Three::new().job().id("j");
            job.inputs().n(1).unwrap();
            drop(black_box(job.start_on(&pool).unwrap().finish().unwrap()));
        };
        const JOBS: u32 = 2_000;
        let (fastest, middle) = timed(15, || took(|| (0..JOBS).for_each(|_| one())) / JOBS);
        println!(
            "  one after the other, {workers} workers awake: {:.1} µs at best, {:.1} µs in the middle",
            fastest.as_secs_f64() * 1e6,
            middle.as_secs_f64() * 1e6
        );
        let (fastest, middle) = timed(9, || {
            let mut time = Duration::ZERO;
            for _ in 0..50 {
                std::thread::sleep(Duration::from_millis(1));
                time += took(one);
            }
            time / 50
        });
        println!(
            "  after 1 ms of rest, {workers} workers asleep: {:.1} µs at best, {:.1} µs in the middle",
            fastest.as_secs_f64() * 1e6,
            middle.as_secs_f64() * 1e6
        );
        let (fastest, middle) = timed(15, || {
            took(|| {
                let jobs: Vec<_> = (0..JOBS)
                    .map(|_| {
                        let mut job = Three::new().job().id("j");
                        job.inputs().n(1).unwrap();
                        job.start_on(&pool).unwrap()
                    })
                    .collect();
                jobs.iter().for_each(|job| drop(job.finish().unwrap()));
            }) / JOBS
        });
        println!(
            "  2000 at once, {workers} workers: {:.1} µs each at best, {:.1} µs in the middle",
            fastest.as_secs_f64() * 1e6,
            middle.as_secs_f64() * 1e6
        );
    }
}
