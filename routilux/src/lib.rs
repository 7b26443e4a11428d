//! Event-driven workflows whose wiring the compiler checks.
//!
//! Three words say most of it. A **routine** is a struct and its handlers: [`#[routine]`](macro@routine) on both gives it
//! typed input ports, its *slots*, and typed output ports, its *events*. A **flow**, declared with [`flow!`], is a set of
//! routines and the connections between their ports. A **job** is one run of a flow: [`Job`].
//!
//! ```
//! use routilux::prelude::*;
//!
//! /// Greets.
//! #[routine]
//! struct Greeter {
//!     greeting: String,
//!     #[state]
//!     greeted: u64,
//! }
//!
//! #[routine]
//! impl Greeter {
//!     #[event]
//!     fn said(text: String);
//!
//!     #[slot]
//!     fn name(&mut self, name: &str, out: &mut Emit<Self>) {
//!         self.greeted += 1;
//!         out.said(format!("{}, {name}!", self.greeting));
//!     }
//! }
//!
//! flow! {
//!     /// Greets everyone.
//!     flow Hello(greeting: String) {
//!         greeter: Greeter { greeting };
//!
//!         in name      -> greeter.name;
//!         greeter.said -> out lines;
//!     }
//! }
//!
//! fn main() -> routilux::Result<()> {
//!     let mut job = Hello::new("Hello".to_owned()).job();
//!     job.inputs().name("world".to_owned())?;
//!     assert_eq!(job.run()?.status(), Status::Completed);
//!     assert_eq!(job.outputs().lines().collect::<Vec<_>>(), ["Hello, world!"]);
//!     Ok(())
//! }
//! ```
//!
//! # What you can rely on
//! - Wrong wiring does not compile: each mistake is one error, on the token that is wrong, with the fix.
//! - Every emitted event reaches every slot wired to it exactly once, or the job says why not. A failed handler leaves
//!   neither events nor state behind; the job is then failed, keeps the delivery, and goes on with it when resumed.
//! - Between any two steps a job is data: [`Job::state`] writes it down, the flow's `resume` goes on with it.
//! - Under [`Job::run`] the same input gives the same steps, in the same order, always. On threads, what comes over one
//!   connection to a `&mut self` handler comes in its order, and no line of a routine changes.
//!
//! # Where to look
//! | for | see |
//! |---|---|
//! | the kinds of fields, the options of a slot, what a failure leaves | [`#[routine]`](macro@routine) |
//! | every statement of a flow | [`flow!`] |
//! | running, pausing, hooks, history | [`Job`], [`Retention`] |
//! | running on threads: the same flow, many handlers at once | [`Job::start`], [`Pool`], [`JobHandle`] |
//! | handlers that wait: `async fn`, with the feature `tokio` | [`#[routine]`](macro@routine) |
//! | saving and resuming | [`JobState`] |
//! | what a handler may ask of its job | [`Context`] |
//! | testing a handler | [`Emit`] |
//! | testing a flow, in any order its steps could take | [`sim`] |
//! | token streams: events that leave before their step has ended | [`LiveOutput`] |
//! | what can go wrong | [`Error`], [`HandlerError`] |
#![warn(missing_docs)]
#![forbid(unsafe_code)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg_attr(not(feature = "tokio"), allow(dead_code))]
mod asynchronous;
mod clock;
mod context;
mod engine;
mod error;
mod flow;
mod job;
mod merge;
mod payload;
mod place;
pub mod prelude;
mod routine;
pub mod sim;

pub use clock::Clock;
pub use context::Context;
pub use engine::Pool;
pub use error::{Error, HandlerError, Panic, Result, TimedOut};
pub use flow::{Flow, Threaded};
pub use job::{
    Control, Handler, HistoryEntry, Job, JobHandle, JobId, JobState, Live, LiveOutput, Outcome, Output,
    Progress, Reconfigured, Report, Retention, RoutineProgress, Status, Taken, WeakHandle,
};
pub use payload::Payload;
pub use routilux_macros::routine;
pub use routine::{Emit, Routine};

/// The crate that describes a flow as data: what a flow's `graph()` returns.
pub use routilux_graph as graph;

/// Declares a flow: its parameters, its routines, and the connections between their ports.
///
/// ```
/// use routilux::prelude::*;
///
/// # #[routine] pub struct Scale { by: i64 }
/// # #[routine] impl Scale {
/// #     #[event] fn scaled(n: i64);
/// #     #[event] fn zero();
/// #     #[slot] fn n(&self, n: i64, out: &mut Emit<Self>) { out.scaled(n * self.by); if n == 0 { out.zero() } }
/// # }
/// # #[routine] pub struct Halve;
/// # #[routine] impl Halve {
/// #     #[event] fn more(n: i64);
/// #     #[event] fn done(n: i64);
/// #     #[slot] fn n(&self, n: i64, out: &mut Emit<Self>) { if n > 10 { out.more(n / 2) } else { out.done(n) } }
/// # }
/// flow! {
///     /// Scales numbers, and halves them until they are small.
///     pub flow Shrink(factor: i64) {          // parameters are `Clone`; `Shrink::new(factor)` makes the flow
///         scale: Scale { by: factor + 1 };    // a routine: its id, its type, its configuration
///         halve: Halve;
///
///         in number    -> scale.n;            // an input: `job.inputs().number(7)`
///         scale.scaled -> halve.n, out scaled;// to several targets, in this order; `T: Clone`
///         halve.more   -> loop halve.n;       // feedback is marked
///         halve.done   -> return;             // the result: the first value that comes
///         ignore scale.zero;                  // an event that leads nowhere, on purpose
///     }
/// }
///
/// let mut job = Shrink::new(9).job();
/// job.inputs().number(7)?;
/// let report = job.run()?;
/// assert_eq!(report.result()?, &8);
/// assert_eq!(job.outputs().scaled().next(), Some(70));
/// # Ok::<(), routilux::Error>(())
/// ```
///
/// # What it makes
/// A struct of the flow's name, with these functions: `new(parameters..)`; `job(&self)`, a new [`Job`] whose configuration
/// is evaluated from the parameters then; `resume(&self, JobState)`, a job that goes on with a saved one; and `graph()`,
/// the flow as data. For a job of the flow, [`inputs`](Job::inputs) has a method for each `in`, [`outputs`](Job::outputs)
/// one for each `out` (for live events a [`LiveOutput`], which receives while the job runs), and what [`run`](Job::run) returns has `result()` if there is a `return`.
///
/// # Statements
/// | statement | meaning |
/// |---|---|
/// | `id: Type { field: value, field };` | a routine and its configuration and resources; parameters of the flow are in scope |
/// | `in name -> id.slot, id.slot;` | an input of the flow |
/// | `id.event -> id.slot, id.slot;` | a connection; each slot is sent every payload, in the order written |
/// | `id.event -> loop id.slot;` | a connection that closes a cycle; a cycle needs one |
/// | `id.event -> out name;` | an output of the flow; several events of one type may share it. Live events, `#[event(live)]`, go nowhere else, and share none with ordinary ones |
/// | `id.event -> return;` | the result of the job; at most one |
/// | `ignore id.event;` | silences the warning about an event that leads nowhere |
///
/// # What is checked
/// All at once, each mistake once: routines, events and slots that do not exist, ends of the wrong direction, ids and
/// connections there twice, a slot that nothing is connected to (unless `#[slot(optional)]`), cycles without `loop`, a flow
/// without a way in, a live event that goes elsewhere than to an `out`; and by their types, the two ends of each connection.
///
/// A routine's name is that of a macro too, and macros do not shadow each other as types do. A routine that two glob
/// imports bring, or one that is declared where another of its name is in scope from outside (by a glob import, or in a
/// function of a module that has one), is ambiguous: give it another name, or import by name.
#[macro_export]
macro_rules! flow {
    ($($tokens:tt)*) => {
        $crate::__private::flow_stage! { [$crate] $($tokens)* }
    };
}

/// The examples of the README are compiled and run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
