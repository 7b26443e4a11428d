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
//! | slots that gather, joins, sources, finishes, events that leave later | [`#[routine]`](macro@routine), [`More`] |
//! | guards, maps, error policies, error wires, flows in flows | [`flow!`], [`Failure`] |
//! | what was skipped, filtered or found no partner | [`Report`] |
//! | how much may wait: back-pressure | [`Job::capacity`], [`TrySendError`] |
//! | running on threads: the same flow, many handlers at once | [`Job::start`], [`Pool`], [`JobHandle`] |
//! | handlers that wait: `async fn`, with the feature `tokio` | [`#[routine]`](macro@routine) |
//! | saving and resuming | [`JobState`] |
//! | what a handler may ask of its job | [`Context`] |
//! | testing a handler | [`Emit`] |
//! | testing a flow, in any order its steps could take | [`sim`] |
//! | testing what happens later | [`Clock::manual`] |
//! | a flow as data, as a picture, and for other tools: DOT, Mermaid, D2, JSON, text | [`graph::Graph`] |
//! | token streams: events that leave before their step has ended | [`LiveOutput`] |
//! | what can go wrong | [`Error`], [`HandlerError`] |
#![warn(missing_docs)]
#![forbid(unsafe_code)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod asked;
#[cfg_attr(not(feature = "tokio"), allow(dead_code))]
mod asynchronous;
mod clock;
mod context;
mod emit;
mod engine;
mod error;
mod failure;
mod flow;
mod fold;
mod gather;
mod job;
mod join;
mod merge;
mod parts;
mod payload;
mod place;
pub mod prelude;
mod returned;
mod routine;
mod shape;
pub mod sim;

pub use clock::Clock;
pub use context::Context;
pub use emit::More;
pub use engine::Pool;
pub use error::{Error, HandlerError, Panic, Result, TimedOut};
pub use failure::Failure;
pub use flow::{Flow, Threaded};
pub use job::{
    Absorbed, Control, Handler, HistoryEntry, Job, JobHandle, JobId, JobState, Live, LiveOutput, Outcome,
    Output, Progress, Reconfigured, Report, Retention, RoutineProgress, Status, Taken, TrySendError,
    Unpaired, WeakHandle,
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
/// | `id: Type { field: value, field };` | a routine and its configuration and resources, or another flow and its parameters; the parameters of this flow are in scope |
/// | `in name -> id.slot, id.slot;` | an input of the flow |
/// | `id.event -> id.slot, id.slot;` | a connection; each slot is sent every payload, in the order written |
/// | `id.event -> id.join.parameter;` | the same to one of the inputs of a join; what found no partner in time is its event `id.join.unpaired` |
/// | `id.event -> loop id.slot;` | a connection that closes a cycle; a cycle needs one. `loop(25)` may be taken so many times in a job, and fails the step that would take it once more |
/// | `id.event -> out name;` | an output of the flow; several events of one type may share it. Live events, `#[event(live)]`, go nowhere else, and share none with ordinary ones |
/// | `id.event -> return;` | the result of the job; at most one |
/// | `ignore id.event;` | silences the warning about an event that leads nowhere |
/// | `id.event if \|e\| e.n > 3 -> id.slot;` | a guard: it is given `&T` and says which payloads go this way |
/// | `else -> id.slot;` | after a guard, in its statement or as the next one: where what it rejects goes. Without, that is counted as filtered |
/// | `id.event -> \|e\| e.text -> id.slot;` | a map: it is given `T`, and makes what the slot takes |
/// | `id.event => id.slot;` | converts with `From` |
/// | `id.slot.error -> id.slot;` | what failed for good, as a [`Failure`] of its payload; `id.error` where one handler of the routine can fail |
/// | `on error of id.slot ..;`, `on error ..;` | what is done when a handler fails; see below |
///
/// A guard, a map and `=>` may stand at an input too. The parameters of the flow are in scope in closures, by reference. What panics in one fails
/// the step whose handler sent the payload, and nothing of it is sent.
///
/// An input has the type of the slots it leads to, and an output that of its events. Where a closure or `=>` is between, the type is
/// written: `in path: PathBuf -> |path| .. -> reader.open;`, `tok.word => out words: Box<str>;`, `-> return: u64;`.
///
/// # When a handler fails
/// Without a policy the job fails, and keeps the delivery. A policy says what else:
///
/// ```text
/// on error of fetch.url if |e| e.downcast_ref::<Busy>().is_some() retry(5, 100ms, x2, max 5s) then skip;
/// on error of fetch.url -> dead.letter, out failed;
/// on error retry(2) then stop;
/// on panic of fetch.url skip;
/// ```
///
/// Those that name a handler (`of id.slot`) or a routine (`of id`) are tried first, in the order they are written, then the one that
/// names none. The closure is given the [`&HandlerError`](HandlerError), of `on panic` the [`&Panic`](Panic).
///
/// | what | does |
/// |---|---|
/// | `stop` | the job fails at once, and keeps the delivery |
/// | `skip` | the delivery is recorded as failed, and the job goes on |
/// | `-> id.slot, out name` | it goes on as a [`Failure`] of its payload |
/// | `retry(n, delay, x2, max 5s, in_order)` | `n` further attempts, or `forever`; each waits longer than the one before by the factor, and `max` at most, give or take a tenth, which follows from the ids of job and delivery, so that many do not come at once. Other deliveries go on meanwhile, `in_order` holds back those over the same connection. Delays are `ms`, `s`, `min`, `h`, `d` |
/// | `retry(..) then skip` | what is done when the attempts are used up. Without `then`: the error wire, if there is one, else the next policy |
///
/// | a handler has | and fails: what happens |
/// |---|---|
/// | an error wire, no policy or only one for everything | it goes over the wire; `retry` of that policy is tried before |
/// | an error wire and `on error of id.slot retry(..)` | attempts, then the wire |
/// | an error wire and `on error of id.slot skip` | an error while compiling: nothing would ever go over the wire |
/// | an error wire and `on error of id.slot if \|e\| .. skip` | what the guard says is skipped, the rest goes over the wire |
///
/// Cycles are those of routines: an error wire that leads back to the routine it comes from is marked with `loop` like any other way back.
///
/// An error wire, `id.slot.error -> ..`, is as specific as a policy that names the handler and comes after those: what a policy for everything
/// would skip or stop goes over the wire, after its attempts if it has any. Panics do not, unless a policy for panics repeats the attempt in vain. To go on after a panic, state and payload have
/// to be whole: the handler takes `&self` and a reference, or returns a `Result`.
///
/// # Flows in flows
/// A flow is a part of another like a routine: its inputs are slots, its outputs events, its `return` the event `result`, and its configuration
/// are its parameters by name. Ids nest: `etl.parse` in the history and in errors. Its own policies hold inside; `on error of etl ..` is about
/// what leaves it, whichever handler within that is: it is repeated or skipped, but has no error wire. Each instance has a state of its own.
///
/// ```
/// use routilux::prelude::*;
///
/// # #[routine] pub struct Scale { by: i64 }
/// # #[routine] impl Scale {
/// #     #[event] fn scaled(n: i64);
/// #     #[slot] fn n(&self, n: i64, out: &mut Emit<Self>) { out.scaled(n * self.by); }
/// # }
/// # #[routine] pub struct Keep<T: Payload + Clone> { #[state] kept: Vec<T> }
/// # #[routine] impl<T: Payload + Clone> Keep<T> {
/// #     #[event] fn all(values: Vec<T>);
/// #     #[slot] fn value(&mut self, value: T) { self.kept.push(value); }
/// #     #[finish] fn end(&mut self, out: &mut Emit<Self>) { out.all(self.kept.clone()); }
/// # }
/// flow! {
///     /// Keeps the values that are at least the first.
///     pub flow AtLeast<T: Payload + Clone + PartialOrd>(first: T) {
///         keep: Keep<T>;
///
///         in value: T if |value| value >= first -> keep.value else -> out less;
///         keep.all -> return;
///     }
/// }
///
/// flow! {
///     pub flow Large(least: i64) {
///         scale: Scale { by: 10 };
///         large: AtLeast<i64> { first: least };
///
///         in number -> scale.n;
///         scale.scaled -> large.value;
///         large.less -> |n| n.to_string() -> out small: String;
///         large.result -> return;
///     }
/// }
///
/// let mut job = Large::new(50).job();
/// for n in [3, 5, 7] {
///     job.inputs().number(n)?;
/// }
/// assert_eq!(job.run()?.result()?, &[50, 70]);
/// assert_eq!(job.outputs().small().collect::<Vec<_>>(), ["30"]);
/// # Ok::<(), routilux::Error>(())
/// ```
///
/// # What is checked
/// All at once, each mistake once: routines, events and slots that do not exist, ends of the wrong direction, ids and
/// connections there twice, a slot that nothing is connected to (unless `#[slot(optional)]`), cycles without `loop`, a flow
/// without a way in, a live event that goes elsewhere than to an `out`, a slot that is drained and leads to itself, policies that are never tried; and by their types, the two ends of each connection.
///
/// A message ends with a code, like `RTX0002`. Each code has a page in `docs/errors` of the repository, with a wrong example and a right one.
/// Where the compiler's own message serves, about a missing field of a configuration say, its page says so.
///
/// Warnings are told of events that lead nowhere (`ignore id.event;` says that one is meant to), routines that are never reached, joins that may wait
/// for ever, because what goes to one side need not go to the other, and cycles that never end, because each handler on them emits every time. They are
/// warnings about something deprecated, since a macro has no others: `#[allow(deprecated)]` on the flow silences them.
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
