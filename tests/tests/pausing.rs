//! Pausing changes nothing: stopped after any step, saved, loaded into a fresh flow and run on, a job ends with
//! the outputs, states, result and history of one that was never stopped. Flows of every shape, with handlers
//! that fail now and then, on random input.
#![allow(missing_docs, clippy::unwrap_used)]

use proptest::prelude::*;
use routilux::prelude::*;
use routilux::{Clock, Retention};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

/// Spreads a number over its events, more than one to a step.
#[routine]
struct Spread {
    limit: u64,
    #[state]
    seen: BTreeMap<u64, u32>,
}

#[routine]
impl Spread {
    #[event]
    fn small(n: u64);
    #[event]
    fn large(n: u64, text: String);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        *self.seen.entry(n).or_default() += 1;
        out.small(n % self.limit);
        if n >= self.limit {
            out.large(n / 2, format!("half of {n}"));
            out.small(n % 3);
        }
    }
}

/// Fails at its first two attempts at every delivery whose id is a multiple of three.
#[routine]
struct Shaky {
    #[resource]
    calls: Arc<AtomicU32>,
    #[state]
    total: u64,
    #[state]
    trail: Vec<(u64, f64)>,
}

#[routine]
impl Shaky {
    #[event]
    fn passed(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.total += n;
        self.trail.push((n, n as f64 / 3.0));
        out.passed(self.total);
        match cx.delivery().is_multiple_of(3) && cx.attempt() <= 2 {
            true => Err("shaken".into()),
            false => Ok(()),
        }
    }
}

/// Keeps all, and tells of every fourth.
#[routine]
struct Gather;

#[routine]
impl Gather {
    #[event]
    fn four(sum: u64, texts: Vec<String>);

    #[slot(merge = "append")]
    fn item(&self, items: &[(u64, String)], out: &mut Emit<Self>) {
        if items.len().is_multiple_of(4) {
            out.four(
                items.iter().map(|(n, _)| n).sum(),
                items.iter().map(|(_, text)| text.clone()).collect(),
            );
        }
    }

    #[slot(optional)]
    fn n(&self, n: &u64, out: &mut Emit<Self>) {
        out.four(*n, vec![]);
    }
}

flow! {
    /// Fan-out, fan-in, feedback, a failing handler, append, outputs and a result.
    flow Everything(calls: Arc<AtomicU32>) {
        spread: Spread { limit: 10 };
        again: Spread { limit: 4 };
        shaky: Shaky { calls };
        gather: Gather;

        in n -> spread.n;
        in direct -> again.n, shaky.n;
        spread.small -> shaky.n, again.n;
        spread.large -> gather.item, out large;
        again.small -> out small;
        again.large -> gather.item;
        shaky.passed -> gather.n, out passed;
        gather.four -> out fours, return;
    }
}

flow! {
    /// A loop through two routines.
    flow Halving(calls: Arc<AtomicU32>) {
        halve: Halve;
        shaky: Shaky { calls };

        in n -> halve.n;
        halve.half -> shaky.n;
        shaky.passed -> out passed;
        halve.more -> loop halve.n;
        halve.done -> return;
    }
}

#[routine]
struct Halve {
    #[state]
    steps: u64,
}

#[routine]
impl Halve {
    #[event]
    fn half(n: u64);
    #[event]
    fn more(n: u64);
    #[event]
    fn done(steps: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        self.steps += 1;
        out.half(n / 2);
        match n {
            0 | 1 => out.done(self.steps),
            _ => out.more(n / 2),
        }
    }
}

fn clock() -> Clock {
    Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000))
}

/// Runs on, and again after each failure, to the end. The attempts at a delivery go with the job.
fn finish<F: Flow>(job: &mut Job<F>) {
    while job.run().is_err() {
        job.resume().unwrap();
    }
    assert_eq!(job.status(), Status::Completed);
}

/// Everything that a job came to, outputs not yet taken included.
fn all_of<F: Flow>(job: &Job<F>) -> serde_json::Value {
    serde_json::to_value(job.state().unwrap()).unwrap()
}

/// One job unbroken, and one stopped after each of the given numbers of steps, each time through a file's text and into
/// a fresh flow.
fn same_when_paused<F: Flow>(
    flow: impl Fn() -> F,
    input: impl Fn(&mut Job<F>),
    retention: Retention,
    stops: &[usize],
) {
    let start = || {
        let mut job = flow().job().id("job").clock(clock()).retention(retention);
        input(&mut job);
        job
    };
    let mut unbroken = start();
    finish(&mut unbroken);
    let expected = all_of(&unbroken);

    let mut job = start();
    job.close_inputs();
    for steps in stops {
        for _ in 0..*steps {
            match job.step() {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => job.resume().unwrap(),
            }
        }
        job.pause("stopped");
        let text = serde_json::to_string(&job.state().unwrap()).unwrap();
        job = flow().resume(serde_json::from_str(&text).unwrap()).unwrap().clock(clock());
    }
    finish(&mut job);
    assert_eq!(all_of(&job), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn everything_is_the_same(
        numbers in proptest::collection::vec(0u64..60, 0..20),
        direct in proptest::collection::vec(0u64..60, 0..4),
        stops in proptest::collection::vec(0usize..30, 0..8),
        max in proptest::option::of(0usize..50),
    ) {
        let input = |job: &mut Job<Everything>| {
            numbers.iter().for_each(|n| job.inputs().n(*n).unwrap());
            direct.iter().for_each(|n| job.inputs().direct(*n).unwrap());
        };
        let retention = Retention { max_history_size: max, history_ttl_seconds: Some(5) };
        same_when_paused(|| Everything::new(Arc::default()), input, retention, &stops);
    }

    #[test]
    fn a_loop_is_the_same(
        numbers in proptest::collection::vec(0u64..5000, 1..5),
        stops in proptest::collection::vec(0usize..20, 0..8),
    ) {
        let input = |job: &mut Job<Halving>| numbers.iter().for_each(|n| job.inputs().n(*n).unwrap());
        same_when_paused(|| Halving::new(Arc::default()), input, Retention::unlimited(), &stops);
    }
}

#[test]
fn stopped_after_every_single_step_it_is_the_same() {
    let input = |job: &mut Job<Everything>| (0..12).for_each(|n| job.inputs().n(n * 5).unwrap());
    same_when_paused(|| Everything::new(Arc::default()), input, Retention::default(), &[1; 300]);
    for k in 0..60 {
        same_when_paused(|| Everything::new(Arc::default()), input, Retention::unlimited(), &[k]);
    }
}

#[test]
fn the_handlers_do_fail_and_are_run_again() {
    let calls = Arc::new(AtomicU32::new(0));
    let mut job = Everything::new(calls.clone()).job();
    (0..12).for_each(|n| job.inputs().n(n * 5).unwrap());
    finish(&mut job);
    let handled = job.history_of("shaky").filter(|entry| entry.emitted > 0).count();
    assert!(calls.load(Ordering::Relaxed) as usize > handled + 4, "no delivery failed");
}
