//! A flow under every engine: in this thread, in this thread step by step and through a file's text after each step, on pools
//! of one and of several workers, from a pool to this thread, and simulated, with crashes and without. What a test says of how
//! the job ended is asked of each of them.
#![allow(clippy::panic, clippy::unwrap_used, reason = "this is how a test fails")]

use crate::patience::LONG;
use routilux::prelude::*;
use routilux::sim::Sim;
use routilux::{Clock, Error, Pool, Retention, Threaded};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

/// By how much the clock of a job is moved on when it stands still, where it is not simulated.
const TICK: Duration = Duration::from_millis(50);

/// A flow, and how its jobs are run.
#[must_use = "nothing is run before `run`"]
pub struct Everywhere<'p, F: Flow> {
    flow: F,
    seeds: u64,
    resumes: bool,
    stays: bool,
    but_for: &'static [&'static str],
    prepare: Box<dyn Fn(Job<F>) -> Job<F> + 'p>,
}

/// A flow to be run under every engine.
pub fn everywhere<'p, F: Threaded + Clone>(flow: F) -> Everywhere<'p, F> {
    Everywhere { flow, seeds: 50, resumes: false, stays: false, but_for: &[], prepare: Box::new(|job| job) }
}

/// A job that has ended, under one of the engines.
pub struct Ended<F: Flow> {
    /// Which engine it was, for messages.
    pub engine: String,
    /// What the engine reports.
    pub report: F::Report,
    /// What the job failed with, if it did and was not resumed.
    pub error: Option<Error>,
    /// How often it failed and was resumed.
    pub failures: u32,
    /// The job as data.
    pub state: JobState,
    flow: F,
}

impl<F: Flow> Ended<F> {
    /// A job made of what the other one was in the end: for its outputs, and to go on with.
    #[track_caller]
    pub fn job(&self) -> Job<F> {
        self.flow.resume(self.state.clone()).unwrap_or_else(|error| panic!("{}: {error}", self.engine))
    }

    /// Whether steps were taken in the order of the sequential engine.
    pub fn is_in_order(&self) -> bool {
        self.engine.starts_with("sequential")
    }

    /// A part of the saved job: `["routines", "count", "total"]`.
    pub fn saved(&self, path: &[&str]) -> Value {
        let state = serde_json::to_value(&self.state).unwrap();
        path.iter().fold(&state, |value, key| &value[key]).clone()
    }

    /// What the job came to, without what depends on the order of its steps: outputs and what slots keep as multisets, the states of routines, and
    /// every count.
    fn unordered(&self, but_for: &[&str]) -> Value {
        let mut all = serde_json::to_value(&self.state).unwrap();
        for part in ["outputs", "slots"] {
            all[part].as_object_mut().unwrap().values_mut().for_each(sort);
        }
        for skipped in all["absorbed"].as_array_mut().unwrap() {
            skipped["delivery"] = Value::Null;
        }
        sort(&mut all["absorbed"]);
        let parts = [
            "status", "handled", "outputs", "result", "routines", "slots", "absorbed", "tally", "later",
            "loops",
        ];
        let parts = parts.iter().filter(|part| !but_for.contains(part));
        Value::Object(parts.map(|part| ((*part).to_owned(), all[*part].take())).collect())
    }
}

fn sort(value: &mut Value) {
    if let Value::Array(items) = value {
        items.sort_by_key(Value::to_string);
    }
}

impl<'p, F: Threaded + Clone> Everywhere<'p, F> {
    /// Has the job go on whenever it has failed.
    pub fn resumed(mut self) -> Self {
        self.resumes = true;
        self
    }

    /// Has no job be copied from a pool and go on in this thread: what a handler does outside of its job may then be done twice.
    pub fn stays(mut self) -> Self {
        self.stays = true;
        self
    }

    /// Has the job pause after every third handler.
    pub fn paused(self) -> Self {
        let prepare = self.prepare;
        let paused = move |job: Job<F>| {
            prepare(job).after_handler(|cx, entry| {
                if entry.sequence % 3 == 0 {
                    cx.pause("now and then");
                }
            })
        };
        Everywhere { prepare: Box::new(paused), ..self }
    }

    /// Has parts of what the job came to not compared: `&["routines"]` where those have what depends on the order or the time.
    pub fn but_for(mut self, parts: &'static [&'static str]) -> Self {
        self.but_for = parts;
        self
    }

    /// Has each job go through `prepare` when it is made, and when it is made anew of what was saved.
    pub fn prepared(mut self, prepare: impl Fn(Job<F>) -> Job<F> + 'p) -> Self {
        self.prepare = Box::new(prepare);
        self
    }

    /// Sets under how many seeds the job is simulated: 50 otherwise, and as many with crashes.
    pub fn seeds(mut self, seeds: u64) -> Self {
        self.seeds = seeds;
        self
    }

    /// Runs jobs that are given something to the end, and has `see` look at each.
    #[track_caller]
    pub fn run(self, give: impl Fn(&mut Job<F>), see: impl Fn(&Ended<F>)) {
        self.run_and_compare(give, see, false);
    }

    /// As `run`, and all of them have come to the same, whatever the order of their steps.
    #[track_caller]
    pub fn run_alike(self, give: impl Fn(&mut Job<F>), see: impl Fn(&Ended<F>)) {
        self.run_and_compare(give, see, true);
    }

    #[track_caller]
    fn run_and_compare(self, give: impl Fn(&mut Job<F>), see: impl Fn(&Ended<F>), compares: bool) {
        let expected = std::cell::RefCell::new(None);
        let see = |ended: Ended<F>| {
            see(&ended);
            if !compares {
                return;
            }
            let came_to = ended.unordered(self.but_for);
            if let Some(expected) = &*expected.borrow() {
                assert_eq!(&came_to, expected, "{}", ended.engine);
            }
            expected.borrow_mut().get_or_insert(came_to);
        };
        see(self.in_this_thread(&give));
        see(self.step_by_step(&give));
        for workers in [1, 4] {
            let pool = Pool::new(workers).unwrap();
            for _ in 0..4 {
                see(self.on_threads(&give, &pool));
            }
            for after in [0, 2, 5, 11].into_iter().filter(|_| !self.stays) {
                see(self.moved(&give, &pool, after));
            }
        }
        for sim in [Sim::default(), routilux::sim::with_crashes()] {
            sim.explore(self.flow.clone(), self.seeds, |job| {
                let own = std::mem::replace(job, self.flow.job());
                *job = (self.prepare)(own);
                let name = format!("simulated, {}", job.job_id());
                give(job);
                let (error, failures) = self.to_the_end(job);
                see(self.ended(name, job, error, failures));
            });
        }
    }

    fn made(&self, give: &impl Fn(&mut Job<F>)) -> (Job<F>, Clock) {
        let clock = clock();
        let job = self.flow.job().id("job").clock(clock.clone()).retention(Retention::unlimited());
        let mut job = (self.prepare)(job);
        give(&mut job);
        (job, clock)
    }

    fn ended(&self, engine: String, job: &Job<F>, error: Option<Error>, failures: u32) -> Ended<F> {
        let (report, state) = (job.report(), job.state().unwrap());
        Ended { engine, report, error, failures, state, flow: self.flow.clone() }
    }

    /// Runs it until it has ended, and on when it is paused.
    fn to_the_end(&self, job: &mut Job<F>) -> (Option<Error>, u32) {
        let mut failures = 0;
        loop {
            match job.run() {
                Ok(_) if job.status() == Status::Paused => job.resume().unwrap(),
                Ok(_) => return (None, failures),
                Err(_) if self.resumes => {
                    failures += 1;
                    assert!(failures < 1_000, "it fails again and again");
                    job.resume().unwrap();
                }
                Err(error) => return (Some(error), failures),
            }
        }
    }

    fn in_this_thread(&self, give: &impl Fn(&mut Job<F>)) -> Ended<F> {
        let (mut job, clock) = self.made(give);
        let ticking = Ticking::begin(clock, job.control());
        let (error, failures) = self.to_the_end(&mut job);
        drop(ticking);
        self.ended("sequential".to_owned(), &job, error, failures)
    }

    fn step_by_step(&self, give: &impl Fn(&mut Job<F>)) -> Ended<F> {
        let (mut job, clock) = self.made(give);
        job.close_inputs();
        let (mut failures, mut idle) = (0, 0);
        let error = loop {
            match job.step() {
                Ok(true) => idle = 0,
                Ok(false) if job.status() == Status::Paused => {}
                Ok(false) if job.status().is_end() => break None,
                Ok(false) => {
                    idle += 1;
                    assert!(idle < 100_000, "it stands still: {job:?}");
                    clock.advance(TICK);
                }
                Err(_) if self.resumes => {
                    failures += 1;
                    assert!(failures < 1_000, "it fails again and again");
                }
                Err(error) => break Some(error),
            }
            let text = serde_json::to_string(&job.state().unwrap()).unwrap();
            let saved = self.flow.resume(serde_json::from_str(&text).unwrap()).unwrap();
            job = (self.prepare)(saved.clock(clock.clone()));
            job.resume().unwrap();
        };
        self.ended("sequential, step by step".to_owned(), &job, error, failures)
    }

    fn on_threads(&self, give: &impl Fn(&mut Job<F>), pool: &Pool) -> Ended<F> {
        let (job, clock) = self.made(give);
        let job = job.start_on(pool).unwrap();
        job.close_inputs();
        let (mut failures, begun) = (0, Instant::now());
        let error = loop {
            match job.wait(Duration::from_millis(1)) {
                Ok(Some(_)) if job.status() == Status::Paused => job.resume().unwrap(),
                Ok(Some(_)) => break None,
                Ok(None) => {
                    assert!(begun.elapsed() < LONG, "it stands still: {:?}", job.progress());
                    clock.advance(TICK);
                }
                Err(_) if self.resumes => {
                    failures += 1;
                    assert!(failures < 1_000, "it fails again and again");
                    job.resume().unwrap();
                }
                Err(error) => break Some(error),
            }
        };
        let engine = format!("on {} workers", pool.workers());
        let (report, state) = (job.report(), job.state().unwrap());
        Ended { engine, report, error, failures, state, flow: self.flow.clone() }
    }

    /// Copied from a pool once so many deliveries are handled, and on in this thread.
    fn moved(&self, give: &impl Fn(&mut Job<F>), pool: &Pool, after: u64) -> Ended<F> {
        let (job, clock) = self.made(give);
        let job = job.start_on(pool).unwrap();
        job.close_inputs();
        let (mut failures, begun) = (0, Instant::now());
        while job.progress().handled() < after {
            match job.wait(Duration::from_micros(200)) {
                Ok(Some(_)) if job.status() == Status::Paused => job.resume().unwrap(),
                Ok(Some(_)) => break,
                Ok(None) => {
                    assert!(begun.elapsed() < LONG, "it stands still: {:?}", job.progress());
                    clock.advance(TICK);
                }
                Err(_) if self.resumes => {
                    failures += 1;
                    job.resume().unwrap();
                }
                Err(_) => break,
            }
        }
        let text = serde_json::to_string(&job.state().unwrap()).unwrap();
        job.cancel("it goes on elsewhere");
        let state: JobState = serde_json::from_str(&text).unwrap();
        let engine = format!("from {} workers to this thread, after {after}", pool.workers());
        let has_failed = state.status() == Status::Failed;
        if has_failed && !self.resumes {
            // There is nothing that goes on by itself.
            let (report, error) = (job.report(), job.wait(LONG).err());
            return Ended { engine, report, error, failures, state, flow: self.flow.clone() };
        }
        let saved = self.flow.resume(state).unwrap();
        let mut job = (self.prepare)(saved.clock(clock.clone()));
        let ticking = Ticking::begin(clock, job.control());
        let (error, more) = self.to_the_end(&mut job);
        drop(ticking);
        self.ended(engine, &job, error, failures + more + u32::from(has_failed))
    }
}

/// A clock that a test moves.
pub fn clock() -> Clock {
    Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000))
}

/// A thread that moves a clock on until this is dropped.
pub struct Ticking {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticking {
    /// A job that takes too long is cancelled.
    pub fn begin(clock: Clock, control: routilux::Control) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let is_over = over.clone();
        let begun = Instant::now();
        let thread = thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                clock.advance(TICK);
                if begun.elapsed() > LONG {
                    control.cancel("it hangs");
                }
                thread::sleep(Duration::from_micros(200));
            }
        });
        Ticking { over, thread: Some(thread) }
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
