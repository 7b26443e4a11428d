//! The macros of routilux. `#[routine]` turns a struct and its `impl` block into a routine and leaves its port
//! table in a macro of the same name; `flow!` asks those macros for their tables, checks the wiring and writes
//! the flow. Each goes through four phases: parse, model, check, expand. Use them through the crate `routilux`.

mod diagnostic;
mod flow;
mod routine;
mod text;

use proc_macro::TokenStream;

/// Makes a routine: on a struct, and on the one `impl` block with its events and slots.
///
/// # On the struct
/// Every field has a kind:
///
/// | field | what it is |
/// |---|---|
/// | unmarked | configuration: given in the flow |
/// | `#[state]` | starts at its `Default`, is saved with the job, and is put back when an attempt fails |
/// | `#[resource]` | given in the flow like configuration, and never saved: a client, a pool |
/// | `#[transient]` | starts at its `Default`, also on resume and after a failed attempt: an open reader, a cache |
///
/// # On the `impl` block
/// `#[event] fn word(text: String);` declares an event: several parameters make a tuple, none makes `()`.
///
/// `#[event(live)] fn token(text: String);` declares one that leaves at once, before its step has ended: a token, the
/// handler's own progress. It goes to an `out` only, carries the attempt, needs a `Send` payload and no serde, and is
/// neither saved nor taken back when the attempt fails. See `LiveOutput` for how it is received.
///
/// `#[slot]` marks a handler. It takes `&mut self` or `&self`, then its payload as `T` or `&T` (several parameters
/// take a tuple, `&str` takes a `String`), then optionally `out: &mut Emit<Self>` and `cx: &Context`, and returns nothing or
/// `Result<(), E>` with any `E: Into<HandlerError>`.
///
/// Names of events and slots of one routine are all different. `error`, `after`, `every`, `cancel`, `named`, `emitted`,
/// `events` and `default` are reserved.
///
/// | option of `#[slot(..)]` | what it says |
/// |---|---|
/// | `merge = "override"` | the default: nothing is kept, every arrival is handed over |
/// | `merge = "append"` | all arrivals are kept, and handed over as `&[T]` each time |
/// | `when = "each"` | the default: the handler runs at every arrival |
/// | `optional` | a flow may leave the slot unconnected |
/// | `parallel = 4` | on threads, so many runs of it at once at most; otherwise as many as there are workers, and 64 of an `async` handler |
/// | `timeout = "500ms"` | a run that takes longer has failed: `ms`, `s`, `min`, `h`, `d` |
/// | `atomic = false` | no copy of the state is kept: cheaper, but the job cannot be resumed after a failure |
///
/// # On threads
/// Under [`run`](../routilux/struct.Job.html#method.run) one handler runs at a time. Of a job that is
/// [started](../routilux/struct.Job.html#method.start) on threads the routines run at the same time; of one routine, handlers that take
/// `&self` do too, and one that takes `&mut self`, or whose slot keeps something, runs alone. They go in the order in which deliveries arrive, and
/// none is overtaken: so neither kind can starve the other. What a `&mut self` handler emits arrives in that order; what handlers that run
/// at the same time emit does not, so an event that is to follow all others has to be emitted where they are counted.
///
/// A blocking handler with a `timeout` is not interrupted: it looks at `cx.deadline()`, and has failed if it returns too
/// late. So its state has to be `Clone`, and a payload taken by value too.
///
/// # `async` handlers
/// With the feature `tokio`: `#[slot(parallel = 100, timeout = "5s")] async fn fetch(&self, url: Url, out: &mut Emit<Self>) -> Result`.
/// It takes `&self`, runs on the tokio runtime that the job is started in, and holds no worker. What it emits leaves when it has returned `Ok`,
/// as of any handler. A payload taken by value is `Clone`, because a handler may be given up: when it takes longer than its `timeout`, and when
/// the job is cancelled. Without threads, [`run_async`](../routilux/struct.Job.html#method.run_async) awaits one after the other.
///
/// Both take `crate = path` where the crate `routilux` goes by another name: `#[routine(crate = rx)]`.
///
/// # What a failure leaves
/// Nothing: what was emitted is dropped, `#[state]` is put back, the arrival is taken out of the slot and kept with
/// the job. For that a `&mut self` handler that returns `Result` has its state copied before each run, which
/// costs in proportion to the state, and needs it to be `Clone`; a payload taken by value by a handler that
/// returns `Result` is cloned. `&T` costs nothing. A handler that returns nothing is not copied for: if it
/// panics, the job cannot be resumed unless there was nothing to change or to lose.
#[proc_macro_attribute]
pub fn routine(args: TokenStream, item: TokenStream) -> TokenStream {
    routine::expand(args.into(), item.into()).into()
}

/// Both stages of `flow!`.
#[doc(hidden)]
#[proc_macro]
pub fn flow_stage(input: TokenStream) -> TokenStream {
    flow::expand(input.into()).into()
}
