//! The three engines mean the same: where the order of handlers does not matter, a job run one by one, on threads or simulated
//! gives the same outputs and states; where it does, each connection keeps its order in all of them. And a job
//! that was stopped under one of them goes on under another.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{JobState, Outcome, Pool, Retention, sim};
use serde_json::Value;
use std::collections::BTreeMap;
use tests::patience::{LONG, Random, within};

/// Counts what it sees, and sends on what follows from a number alone: so the order does not matter. Fails at the
/// first attempts at some numbers.
#[routine]
struct Counts {
    limit: u64,
    #[state]
    seen: BTreeMap<u64, u64>,
    #[state]
    sum: u64,
}

#[routine]
impl Counts {
    #[event]
    fn low(n: u64);
    #[event]
    fn high(n: u64, text: String);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        *self.seen.entry(n).or_default() += 1;
        self.sum += n;
        out.low(n % self.limit);
        if n >= self.limit {
            out.high(n / 2, format!("half of {n}"));
            out.low(n % 3);
        }
        shaken(n, cx)
    }
}

fn shaken(n: u64, cx: &Context) -> Result {
    match n % 11 {
        3 if cx.attempt() == 1 => Err("shaken".into()),
        5 if cx.attempt() <= 2 => std::panic::resume_unwind(Box::new("shaken")),
        _ => Ok(()),
    }
}

/// Several at once, and one that keeps what it is given.
#[routine]
struct Shares;

#[routine]
impl Shares {
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        out.on(n / 2);
        shaken(n, cx)
    }

    #[slot(optional, parallel = 2)]
    fn half(&self, n: u64, text: &str, out: &mut Emit<Self>) {
        out.on(n + text.len() as u64);
    }

    #[slot(optional, merge = "append")]
    fn item(&self, items: &[(u64, String)], cx: &Context) -> Result {
        shaken(items[items.len() - 1].0, cx)
    }
}

/// Goes around until a number is small.
#[routine]
struct Halves {
    #[state]
    steps: u64,
}

#[routine]
impl Halves {
    #[event]
    fn more(n: u64);
    #[event]
    fn done(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        self.steps += 1;
        match n {
            0..4 => out.done(n),
            _ => out.more(n / 2),
        }
    }
}

flow! {
    /// Fan-out, fan-in, a loop, append, handlers that fail.
    flow Commuting() {
        spread: Counts { limit: 10 };
        again: Counts { limit: 4 };
        shares: Shares;
        keeps: Shares;
        halves: Halves;
        in n -> spread.n, halves.n;
        in direct -> again.n;
        spread.low -> shares.n, again.n;
        spread.high -> shares.half, keeps.item, out large;
        again.low -> out small;
        again.high -> keeps.item, keeps.half;
        shares.on -> keeps.n;
        keeps.on -> out kept;
        halves.more -> loop halves.n;
        halves.done -> shares.n, out halved;
    }
}

/// Every one of a connection, in its order; between connections any.
#[routine]
struct Line {
    id: u64,
    #[state]
    seen: Vec<(u64, u64)>,
}

#[routine]
impl Line {
    #[event]
    fn on(from: u64, n: u64);

    #[slot]
    fn n(&mut self, from: u64, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.seen.push((from, n));
        out.on(from * 10 + self.id, n);
        shaken(n, cx)
    }
}

flow! {
    /// Two ways from one end to the other, of `&mut self` handlers only.
    flow Ordered() {
        a: Line { id: 1 };
        b: Line { id: 2 };
        c: Line { id: 3 };
        d: Line { id: 4 };
        in x -> a.n, c.n;
        a.on -> b.n, c.n;
        b.on -> d.n;
        c.on -> d.n;
        d.on -> out on;
    }
}

// ---- what is compared ----

fn sorted(value: &Value) -> Value {
    let mut items = value.as_array().unwrap().clone();
    items.sort_by_key(Value::to_string);
    Value::Array(items)
}

/// The outputs as multisets, what slots keep as multisets, the states, and how many were handled.
fn unordered(state: &JobState) -> Value {
    let mut data = serde_json::to_value(state).unwrap();
    assert_eq!((state.waiting(), state.status()), (0, Status::Completed));
    for part in ["outputs", "slots"] {
        data[part].as_object_mut().unwrap().values_mut().for_each(|value| *value = sorted(value));
    }
    serde_json::json!({
        "outputs": data["outputs"], "slots": data["slots"], "routines": data["routines"],
        "handled": data["handled"], "made": data["next_delivery"],
    })
}

/// What came by each way, in order, at each routine and at the output; and over each connection it came in the order
/// in which it was sent.
fn by_connection(state: &JobState) -> BTreeMap<String, Vec<u64>> {
    let data = serde_json::to_value(state).unwrap();
    assert_eq!(state.status(), Status::Completed);
    let routines = data["routines"].as_object().unwrap().iter();
    let places = routines.map(|(id, routine)| (id.as_str(), &routine["seen"]));
    let places = places.chain([("on", &data["outputs"]["on"])]);
    let seen: BTreeMap<&str, Vec<(u64, u64)>> =
        places.map(|(place, seen)| (place, serde_json::from_value(seen.clone()).unwrap())).collect();
    for (sender, id, receiver) in [("a", 1, "b"), ("a", 1, "c"), ("b", 2, "d"), ("c", 3, "d"), ("d", 4, "on")]
    {
        let sent: Vec<_> = seen[sender].iter().map(|(way, n)| (way * 10 + id, *n)).collect();
        let came = seen[receiver].iter().filter(|(way, _)| way % 10 == id);
        assert_eq!(came.copied().collect::<Vec<_>>(), sent, "from {sender} to {receiver}");
    }
    let mut ways: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (place, seen) in seen {
        for (way, n) in seen {
            ways.entry(format!("{way} at {place}")).or_default().push(n);
        }
    }
    ways
}

// ---- how a job is run ----

trait Given: Flow {
    fn give(job: &mut Job<Self>, numbers: &[u64]);
}

impl Given for Commuting {
    fn give(job: &mut Job<Self>, numbers: &[u64]) {
        for (at, n) in numbers.iter().enumerate() {
            match at % 4 {
                0 => job.inputs().direct(*n).unwrap(),
                _ => job.inputs().n(*n).unwrap(),
            }
        }
    }
}

impl Given for Ordered {
    fn give(job: &mut Job<Self>, numbers: &[u64]) {
        numbers.iter().for_each(|n| job.inputs().x((0, *n)).unwrap());
    }
}

fn made<F: Given>(flow: &F, numbers: &[u64]) -> Job<F> {
    let mut job = flow.job().id("same").retention(Retention::unlimited());
    F::give(&mut job, numbers);
    job.close_inputs();
    job
}

/// To the end, through every failure, in this thread.
fn one_by_one<F: Flow>(job: &mut Job<F>) -> JobState {
    if job.status() == Status::Paused {
        job.resume().unwrap();
    }
    while job.run().is_err() {
        job.resume().unwrap();
    }
    job.state().unwrap()
}

macro_rules! on_threads {
    ($job:expr, $pool:expr) => {{
        let job = $job.start_on($pool).unwrap();
        job.resume().unwrap();
        loop {
            match job.wait(LONG) {
                Ok(Some(_)) => break job.state().unwrap(),
                Ok(None) => panic!("it stands still: {:?}", job.progress()),
                Err(_) => job.resume().unwrap(),
            }
        }
    }};
}

/// Stopped under one engine after some steps, written as text, and read back into a fresh flow.
fn moved<F: Flow>(flow: &F, state: &JobState) -> Job<F> {
    let text = serde_json::to_string(state).unwrap();
    flow.resume(serde_json::from_str(&text).unwrap()).unwrap()
}

/// Some steps in this thread, through failures.
fn some_steps<F: Flow>(job: &mut Job<F>, steps: u64) {
    for _ in 0..steps {
        match job.step() {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => job.resume().unwrap(),
        }
    }
}

fn numbers(random: &mut Random, most: u64) -> Vec<u64> {
    (0..1 + random.below(most)).map(|_| random.below(60)).collect()
}

fn rounds() -> u64 {
    if cfg!(debug_assertions) { 40 } else { 400 }
}

// ---- the tests ----

macro_rules! engines_agree {
    ($name:ident, $moves:ident, $flow:ident, $what:ident) => {
        #[test]
        fn $name() {
            within(3, || {
                let mut random = Random::new(21);
                let pools = [1, 2, 8].map(|workers| Pool::new(workers).unwrap());
                for round in 0..rounds() {
                    let numbers = numbers(&mut random, 30);
                    let expected = $what(&one_by_one(&mut made(&$flow::new(), &numbers)));
                    for pool in &pools {
                        let state = on_threads!(made(&$flow::new(), &numbers), pool);
                        let workers = pool.workers();
                        assert_eq!($what(&state), expected, "{workers} workers, {numbers:?}");
                    }
                    sim::seed(round * 10).explore($flow::new(), 3, |job| {
                        $flow::give(job, &numbers);
                        job.close_inputs();
                        assert_eq!($what(&one_by_one(job)), expected, "simulated, {numbers:?}");
                    });
                }
            });
        }

        #[test]
        fn $moves() {
            within(3, || {
                let mut random = Random::new(22);
                let pools = [1, 2, 8].map(|workers| Pool::new(workers).unwrap());
                let (mut in_the_middle, mut failed) = (0, 0);
                for round in 0..rounds() {
                    let numbers = numbers(&mut random, 30);
                    let flow = $flow::new();
                    let whole = one_by_one(&mut made(&flow, &numbers));
                    let expected = $what(&whole);
                    let steps = random.below(whole.handled() + 1);
                    let pool = &pools[random.below(3) as usize];

                    // From this thread to the pool, and from there to a simulation.
                    let mut job = made(&flow, &numbers);
                    some_steps(&mut job, steps);
                    job.pause("to move");
                    let stopped = job.state().unwrap();
                    assert_eq!($what(&on_threads!(moved(&flow, &stopped), pool)), expected, "{numbers:?}");

                    // From the pool to this thread and to another pool: copied while it runs, and paused.
                    let job = made(&flow, &numbers).start_on(pool).unwrap();
                    while job.report().handled() < steps && !job.status().is_end() {
                        std::thread::yield_now();
                    }
                    if round % 2 == 0 {
                        job.pause("to move");
                    }
                    let stopped = job.state().unwrap();
                    job.cancel("moved");
                    in_the_middle += u32::from(stopped.waiting() > 0);
                    failed += u32::from(stopped.status() == Status::Failed);
                    let state = one_by_one(&mut moved(&flow, &stopped));
                    assert_eq!($what(&state), expected, "{steps} steps, {numbers:?}");
                    let state = on_threads!(moved(&flow, &stopped), &pools[1]);
                    assert_eq!($what(&state), expected, "{steps} steps, {numbers:?}");
                }
                // They were stopped where there was something to move.
                assert!(in_the_middle > 0 && failed > 0, "{in_the_middle} {failed}");
            });
        }
    };
}

engines_agree! { the_engines_agree_where_the_order_does_not_matter,
a_job_stopped_under_one_engine_goes_on_under_another, Commuting, unordered }
engines_agree! { the_engines_keep_the_order_of_each_connection,
a_job_that_moves_keeps_the_order_of_each_connection, Ordered, by_connection }

#[test]
fn the_handlers_of_these_flows_do_fail() {
    let mut job = made(&Commuting::new(), &(0..60).collect::<Vec<_>>());
    let state = one_by_one(&mut job);
    let failed = |entry: &&routilux::HistoryEntry| matches!(entry.outcome, Outcome::Failed(_));
    for routine in ["spread", "again", "shares", "keeps"] {
        assert!(state.history_of(routine).filter(failed).count() > 1, "{routine}");
    }
}
