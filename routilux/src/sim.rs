//! The simulated engine: tests a flow in the many orders its steps can take on threads, each of which can be had again.
//!
//! On a pool of workers it is by chance which of two routines runs first. A test on the pool sees one of the orders, the
//! usual one, and when it does see another it is gone the next time. [`explore`] runs a test under as many seeds as it
//! is told, in one thread; a seed picks which of the deliveries that are ready comes next, and the same seed picks the
//! same again.
//!
//! ```
//! use routilux::prelude::*;
//! use routilux::sim;
//!
//! /// Ships what is paid for.
//! #[routine]
//! struct Warehouse {
//!     #[state]
//!     packed: bool,
//! }
//!
//! #[routine]
//! impl Warehouse {
//!     #[event]
//!     fn shipped(order: u64);
//!
//!     #[slot]
//!     fn pack(&mut self, _order: u64) {
//!         self.packed = true;
//!     }
//!
//!     #[slot]
//!     fn paid(&mut self, order: u64, out: &mut Emit<Self>) {
//!         // Wrong: nobody says that the money comes after the goods.
//!         if self.packed {
//!             out.shipped(order);
//!         }
//!     }
//! }
//! # #[routine] struct Stock;
//! # #[routine] impl Stock {
//! #     #[event] fn found(order: u64);
//! #     #[slot] fn find(&self, order: u64, out: &mut Emit<Self>) { out.found(order) }
//! # }
//! # #[routine] struct Bank;
//! # #[routine] impl Bank {
//! #     #[event] fn paid(order: u64);
//! #     #[slot] fn charge(&self, order: u64, out: &mut Emit<Self>) { out.paid(order) }
//! # }
//!
//! flow! {
//!     flow Shop() {
//!         stock:     Stock;
//!         bank:      Bank;
//!         warehouse: Warehouse;
//!
//!         in order          -> stock.find, bank.charge;
//!         stock.found       -> warehouse.pack;
//!         bank.paid         -> warehouse.paid;
//!         warehouse.shipped -> return;
//!     }
//! }
//!
//! fn ships(job: &mut Job<Shop>) -> routilux::Result<()> {
//!     job.inputs().order(7)?;
//!     assert_eq!(job.run()?.result()?, &7);
//!     Ok(())
//! }
//!
//! // The sequential engine always packs first.
//! ships(&mut Shop::new().job()).unwrap();
//!
//! // Some seed has the money come first, and the panic says which.
//! let found = std::panic::catch_unwind(|| sim::explore(Shop::new(), 1_000, ships)).unwrap_err();
//! let message = found.downcast::<String>().unwrap();
//! assert!(message.contains("the flow `Shop` gave no result"), "{message}");
//! assert!(message.contains("\n    warehouse.paid #3\n"), "{message}");
//! assert!(message.contains("sim::seed("), "{message}");
//! ```
//!
//! # What is simulated
//! - **Order.** Any order in which a pool could be done with the steps: deliveries to different routines in any order; those to
//!   one routine in the order they came if a handler takes `&mut self` or the slot keeps something, and otherwise
//!   several at once, as many as there are [`workers`] and the slot's `parallel` allows, any of which may be done first.
//!   What a step sends to several routines reaches one after the other, so what the first of them sends on may be at
//!   the second before.
//! - **Time.** The job's clock starts at 2000-01-01 00:00 UTC, and moves on by 0 to 10 milliseconds before a step, as the seed
//!   says; in [`exhaust`] by one. When all that is left to do waits for a time, the clock is put forward to it.
//! - **`async` handlers**, which wait in virtual time; see [below](#handlers-that-are-async).
//! - **Crashes**, with [`with_crashes`].
//!
//! The job's id is `sim-` and the seed, and `sim` in [`exhaust`]. All of a run follows from the seed, as long as the flow and
//! the test ask neither the system's clock nor threads, nor go by the order of a hash map; and as long as the versions
//! of routilux and what it depends on are the same.
//!
//! A step is done at once and alone: what two `&self` handlers may do to each other by the memory that they share is not
//! simulated, and a handler that blocks its thread until another one does something, at a lock say, waits for ever.
//!
//! # Handlers that are `async`
//! One that is begun goes on until it has to wait. It is then in flight, holds no worker, and counts for its slot's `parallel` and
//! for those that need its routine alone. When it is woken it is one of those that are ready, next to the deliveries; so
//! handlers end in every order that they could. Between two `.await`s that have nothing to wait for there is no change
//! of turn: where one may come, a test puts `tokio::task::yield_now().await` or a sleep.
//!
//! - `cx.sleep(..)` and a slot's `timeout` go by the job's clock. An hour passes at once, and in the order of the times that they
//!   are due: a sleep of a second ends before one of two that was begun with it. Of those that are due within the time
//!   that passes before a step, any may be the first; and one that is woken may be late by as much, which counts for its `timeout`.
//! - The channels, locks, semaphores and such of `tokio::sync` work as they do everywhere: they need no runtime.
//! - Timers and I/O of a runtime do not: they need one, and real time. In a simulation such a handler panics, or waits
//!   for ever. Give the routine what does the I/O as a resource, and in the test another that goes by `cx.sleep(..)`.
//!
//! When nothing is ready, nothing is due and handlers are in flight still, they wait for each other, or for what never
//! comes: the job is at a standstill, and that fails the test by itself, with the names of those that wait.
//!
//! `run()`, `run_until_idle()` and `step()` return when nothing is in flight. A job that is paused or fails, and one that does a
//! single step, has those in flight go on to their ends, while nothing new starts; one that is cancelled gives them up, as
//! a crash does, and their deliveries wait again.
//!
//! # What to ask for
//! The test is given a job that is like any other: it sends to the inputs, runs the job and looks at what came out, in
//! one go or step by step. To fail, it panics or returns an error. What must hold in every order is for the test to
//! say. A flow in which two routines wait for each other's events comes to rest as any other, without a result:
//! `report.result()?` finds it.

use crate::clock::Clock;
use crate::engine::{Choice, Picks, Simulation};
use crate::error::catch;
use crate::flow::Flow;
use crate::job::Job;
use std::fmt::{Display, Write};
use std::time::{Duration, SystemTime};

const WORKERS: usize = 4;
const STEPS: u64 = 100_000;
/// 2000-01-01, in seconds.
const START: u64 = 946_684_800;

/// Runs `test` with a job of `flow` under the seeds from 0 on, as many as `seeds` says.
///
/// ```
/// # use routilux::prelude::*;
/// # use routilux::sim;
/// # #[routine] struct Sum { #[state] total: u64 }
/// # #[routine] impl Sum {
/// #     #[event] fn so_far(total: u64);
/// #     #[slot] fn add(&mut self, n: u64, out: &mut Emit<Self>) { self.total += n; out.so_far(self.total); }
/// # }
/// # #[routine] struct Double;
/// # #[routine] impl Double {
/// #     #[event] fn doubled(n: u64);
/// #     #[slot] fn n(&self, n: u64, out: &mut Emit<Self>) { out.doubled(2 * n) }
/// # }
/// # flow! { flow Doubles() { double: Double; sum: Sum; in n -> double.n; double.doubled -> sum.add; sum.so_far -> out total; } }
/// sim::explore(Doubles::new(), 100, |job| -> routilux::Result<()> {
///     for n in [1, 2, 3] {
///         job.inputs().n(n)?;
///     }
///     assert_eq!(job.run()?.status(), Status::Completed);
///     // `double.n` takes `&self`, so the numbers may change places on their way.
///     assert_eq!(job.outputs().total().last(), Some(12));
///     Ok(())
/// });
/// ```
///
/// # Panics
/// If the test panics or returns an error; if the job takes more steps than [`steps`] allows; and if it does not survive a
/// crash. The message has the seed, the last steps, and the line that runs that seed alone. Also if `seeds` is 0.
#[track_caller]
pub fn explore<F: Flow, V: Verdict>(flow: F, seeds: u64, test: impl FnMut(&mut Job<F>) -> V) {
    Sim::default().explore(flow, seeds, test);
}

/// Runs `test` with a job of `flow` in every order there is, or in the first `limit` of them: for small flows.
///
/// ```
/// # use routilux::prelude::*;
/// # use routilux::sim;
/// # #[routine] struct Pass;
/// # #[routine] impl Pass {
/// #     #[event] fn on(n: u64);
/// #     #[slot] fn n(&mut self, n: u64, out: &mut Emit<Self>) { out.on(n) }
/// # }
/// # flow! { flow Two() { a: Pass; b: Pass; in x -> a.n; in y -> b.n; a.on -> out all; b.on -> out all; } }
/// let mut seen = Vec::new();
/// let orders = sim::exhaust(Two::new(), 1_000, |job| -> routilux::Result<()> {
///     job.inputs().x(1)?; // to one routine
///     job.inputs().x(2)?;
///     job.inputs().y(3)?; // to another
///     let _ = job.run()?;
///     seen.push(job.outputs().all().collect::<Vec<_>>());
///     Ok(())
/// });
/// assert!(orders.complete);
/// assert_eq!(seen, [[1, 2, 3], [1, 3, 2], [3, 1, 2]]);
/// ```
///
/// # Panics
/// As [`explore`]; the message has the choices that lead there and the line that makes them again. Also if the same
/// choices do not lead to the same steps, and if `limit` is 0.
#[track_caller]
pub fn exhaust<F: Flow, V: Verdict>(flow: F, limit: u64, test: impl FnMut(&mut Job<F>) -> V) -> Exhausted {
    Sim::default().exhaust(flow, limit, test)
}

/// [`explore`]s the seeds from this one on; see [`Sim::seed`].
pub fn seed(first: u64) -> Sim {
    Sim::default().seed(first)
}

/// [`exhaust`]s the orders from this one on; see [`Sim::choices`].
pub fn choices(choices: impl Into<Vec<usize>>) -> Sim {
    Sim::default().choices(choices)
}

/// Crashes the job between steps; see [`Sim::with_crashes`].
pub fn with_crashes() -> Sim {
    Sim::default().with_crashes()
}

/// Simulates a pool of so many workers; see [`Sim::workers`].
pub fn workers(workers: usize) -> Sim {
    Sim::default().workers(workers)
}

/// Bounds the steps of a job; see [`Sim::steps`].
pub fn steps(most: u64) -> Sim {
    Sim::default().steps(most)
}

/// How a flow is simulated.
///
/// ```no_run
/// # use routilux::prelude::*;
/// # use routilux::sim;
/// # #[routine] struct Nap;
/// # #[routine] impl Nap { #[slot] fn nap(&self, _seconds: u64) {} }
/// # flow! { flow Naps() { n: Nap; in nap -> n.nap; } }
/// sim::with_crashes().workers(2).explore(Naps::new(), 1_000, |job| -> routilux::Result<()> {
///     job.inputs().nap(8)?;
///     assert_eq!(job.run()?.status(), Status::Completed);
///     Ok(())
/// });
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is run before `explore` or `exhaust`"]
pub struct Sim {
    seed: u64,
    choices: Vec<usize>,
    crashes: bool,
    workers: usize,
    steps: u64,
}

impl Default for Sim {
    fn default() -> Self {
        Sim { seed: 0, choices: Vec::new(), crashes: false, workers: WORKERS, steps: STEPS }
    }
}

impl Sim {
    /// The seed that [`explore`](Self::explore) begins with; 0 otherwise. `sim::seed(17).explore(flow, 1, ..)` runs 17 alone.
    pub fn seed(mut self, first: u64) -> Self {
        self.seed = first;
        self
    }

    /// The order that [`exhaust`](Self::exhaust) begins with: at each point where several deliveries are ready, which of them comes
    /// next, counted from 0 in the order they arrived; always the first where the list is at its end. Handlers in flight
    /// that were woken are counted before them, in the order they were begun.
    pub fn choices(mut self, choices: impl Into<Vec<usize>>) -> Self {
        self.choices = choices.into();
        self
    }

    /// Between steps, writes the job down, drops it, and goes on with what was written, as another process would after a
    /// crash: state and deliveries are read back from JSON, configuration and resources are those of the flow, what is
    /// transient is at its start, and `on_start` hooks are called again. The test's `&mut Job` and handles stay good.
    ///
    /// In [`explore`](Self::explore) the seed says when: soon after the start, and then less and less often. In
    /// [`exhaust`](Self::exhaust) it is before each of the first 64 steps. A paused job is left alone. The flow's configuration is
    /// evaluated before the run, once for each crash there may be.
    ///
    /// ```
    /// # use routilux::prelude::*;
    /// # use routilux::sim;
    /// #[routine]
    /// struct Seen {
    ///     #[transient] // Wrong: it has to be `#[state]`.
    ///     names: Vec<String>,
    /// }
    ///
    /// #[routine]
    /// impl Seen {
    ///     #[event]
    ///     fn new(name: String);
    ///
    ///     #[slot]
    ///     fn name(&mut self, name: String, out: &mut Emit<Self>) {
    ///         if !self.names.contains(&name) {
    ///             self.names.push(name.clone());
    ///             out.new(name);
    ///         }
    ///     }
    /// }
    /// # flow! { flow Guests() { seen: Seen; in name -> seen.name; seen.new -> out new; } }
    ///
    /// fn once_each(job: &mut Job<Guests>) -> routilux::Result<()> {
    ///     for name in ["Ann", "Ann"] {
    ///         job.inputs().name(name.to_owned())?;
    ///     }
    ///     assert_eq!(job.run()?.status(), Status::Completed);
    ///     assert_eq!(job.outputs().new().collect::<Vec<_>>(), ["Ann"]);
    ///     Ok(())
    /// }
    ///
    /// sim::explore(Guests::new(), 10, once_each);
    /// let with_crashes = || sim::with_crashes().explore(Guests::new(), 10, once_each);
    /// assert!(std::panic::catch_unwind(with_crashes).is_err());
    /// ```
    pub fn with_crashes(mut self) -> Self {
        self.crashes = true;
        self
    }

    /// How many workers the pool has that is simulated: so many handlers that take `&self` run at once, not counting those
    /// that are `async`. 4 if not said, and at least 1.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// How many steps a job may take before it counts as one that does not come to an end. 100 000 if not said. Each time that
    /// an `async` handler goes on is one.
    pub fn steps(mut self, most: u64) -> Self {
        self.steps = most;
        self
    }

    /// As the function [`explore`], and from the [`seed`](Self::seed) on.
    ///
    /// # Panics
    /// As the function.
    #[track_caller]
    pub fn explore<F: Flow, V: Verdict>(&self, flow: F, seeds: u64, mut test: impl FnMut(&mut Job<F>) -> V) {
        assert!(seeds > 0, "there is no seed to explore");
        for seed in (0..seeds).map(|nth| self.seed.wrapping_add(nth)) {
            let run = self.run(&flow, &format!("sim-{seed}"), Picks::seeded(seed), &mut test);
            if let Some(failure) = run.failure {
                let again = format!("sim::seed({seed}){}.explore(flow, 1, ..)", self.settings());
                fail::<F>(&format!("the seed {seed}"), &failure, &again);
            }
        }
    }

    /// As the function [`exhaust`], and from the [`choices`](Self::choices) on.
    ///
    /// # Panics
    /// As the function.
    #[track_caller]
    pub fn exhaust<F: Flow, V: Verdict>(
        &self,
        flow: F,
        limit: u64,
        mut test: impl FnMut(&mut Job<F>) -> V,
    ) -> Exhausted {
        assert!(limit > 0, "there is no order to run");
        let mut choices: Vec<Choice> =
            self.choices.iter().map(|pick| Choice { pick: *pick, of: 0 }).collect();
        for orders in 1..=limit {
            let Ran { made, failure } = self.run(&flow, "sim", Picks::listed(choices), &mut test);
            choices = made;
            if let Some(failure) = failure {
                let mut picks: Vec<usize> = choices.iter().map(|choice| choice.pick).collect();
                while picks.last() == Some(&0) {
                    picks.pop();
                }
                let again = format!("sim::choices({picks:?}){}.exhaust(flow, 1, ..)", self.settings());
                fail::<F>(&format!("the choices {picks:?}"), &failure, &again);
            }
            // Depth first: another way at the last point that has one.
            while choices.pop_if(|last| last.pick + 1 >= last.of).is_some() {}
            match choices.last_mut() {
                Some(last) => last.pick += 1,
                None => return Exhausted { orders, complete: true },
            }
        }
        Exhausted { orders: limit, complete: false }
    }

    fn run<F: Flow, V: Verdict>(
        &self,
        flow: &F,
        id: &str,
        picks: Picks,
        test: &mut impl FnMut(&mut Job<F>) -> V,
    ) -> Ran {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(START);
        let mut job = Job::new(flow).id(id).clock(Clock::manual(start));
        let simulation = Simulation::new(picks, self.workers, self.steps);
        job.simulation = Some(Box::new(match self.crashes {
            true => simulation.with_crashes(flow),
            false => simulation,
        }));
        let told = match catch(|| test(&mut job).failure()) {
            Ok(told) => told,
            Err(panic) => Some(panic.message),
        };
        let Some(simulation) = job.simulation.take() else {
            let replaced = "the test put another job in the place of the one it was given, which is not simulated; \
                            `with_crashes()` is the way to have it saved and resumed";
            let why = told.unwrap_or_else(|| replaced.to_owned());
            return Ran {
                made: Vec::new(),
                failure: Some(Failure { why, after: "no steps are known".into() }),
            };
        };
        let failure = simulation.fault.clone().or(told).map(|why| {
            let mut after = format!("after {} steps the job is {}", simulation.steps, job.status());
            if simulation.steps > 0 {
                after.push_str("; the last ones:");
                for line in simulation.told() {
                    // Writing to a `String` does not fail.
                    let _ = write!(after, "\n    {line}");
                }
            }
            Failure { why, after }
        });
        Ran { made: simulation.picks.made(), failure }
    }

    /// What is not as it is by default, as it is written after `sim::seed(..)`.
    fn settings(&self) -> String {
        let mut settings = String::new();
        if self.crashes {
            settings.push_str(".with_crashes()");
        }
        if self.workers != WORKERS {
            let _ = write!(settings, ".workers({})", self.workers);
        }
        if self.steps != STEPS {
            let _ = write!(settings, ".steps({})", self.steps);
        }
        settings
    }
}

struct Ran {
    /// The choices that were made, where they are listed.
    made: Vec<Choice>,
    failure: Option<Failure>,
}

struct Failure {
    why: String,
    after: String,
}

#[allow(clippy::panic, reason = "a simulation is part of a test, and this is how a test fails")]
#[track_caller]
fn fail<F: Flow>(under: &str, Failure { why, after }: &Failure, again: &str) -> ! {
    panic!("the flow `{}` fails under {under}: {why}\n{after}\nrun it again with `{again}`", F::NAME)
}

/// What [`exhaust`] has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "it says whether every order was run"]
pub struct Exhausted {
    /// How many orders were run.
    pub orders: u64,
    /// Whether there are no more.
    pub complete: bool,
}

/// What a test comes to: `()`, or a `Result` whose error fails it as a panic would. Not implemented by others.
#[diagnostic::on_unimplemented(
    message = "a simulated test cannot return `{Self}`",
    label = "returns neither `()` nor a `Result<(), E>` whose error can be displayed",
    note = "end the closure with `;`, or write `|job| -> routilux::Result<()> {{ .. Ok(()) }}`"
)]
pub trait Verdict: sealed::Sealed {
    /// Why the test failed, if it did.
    #[doc(hidden)]
    fn failure(self) -> Option<String>;
}

impl Verdict for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<E: Display> Verdict for Result<(), E> {
    fn failure(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl<E> Sealed for Result<(), E> {}
}
