//! The macros of routilux. `#[routine]` turns a struct and its `impl` block into a routine and leaves its port
//! table in a macro of the same name; `flow!` asks those macros for their tables, checks the wiring and writes
//! the flow. Each goes through four phases: parse, model, check, expand. Use them through the crate `routilux`.

mod bounds;
mod diagnostic;
mod document;
mod editor;
mod flow;
#[cfg(test)]
mod fuzz;
mod owned;
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
/// Names of ports of one routine, of events, slots, joins, sources and the finish, are all different. `error`, `after`, `every`,
/// `cancel`, `named`, `later`, `emitted`, `events` and `default` are reserved.
///
/// | option of `#[slot(..)]` | what it says |
/// |---|---|
/// | `merge`, `when` | what the slot keeps, and when the handler runs: see below |
/// | `emit = word` | what the handler returns is emitted as the event `word` |
/// | `optional` | a flow may leave the slot unconnected |
/// | `parallel = 4` | on threads, so many runs of it at once at most; otherwise as many as there are workers, and 64 of an `async` handler |
/// | `timeout = "500ms"` | a run that takes longer has failed: `ms`, `s`, `min`, `h`, `d` |
/// | `atomic = false` | no copy of the state is kept: cheaper, but the job cannot be resumed after a failure |
///
/// # What a slot keeps, and when its handler runs
///
/// | `merge =` | keeps | `when = "each"`, the default, hands over | any other `when` hands over, and empties the slot |
/// |---|---|---|---|
/// | `"override"`, the default | nothing | `T` or `&T`, every arrival | an error |
/// | `"latest"` | the newest of each connection; what it takes the place of is counted | `T` or `&T` | `Vec<T>`, in the order of the connections |
/// | `"append"` | all, in the order of arrival | `&[T]`, all so far | `Vec<T>` |
/// | `add`, a fold | what `#[merge] fn add(acc: &mut Acc, value: T)` of the same `impl` block makes of them, from `Acc::default()` | `&Acc` | `Acc` |
///
/// | `when =` | the handler runs |
/// |---|---|
/// | `"each"` | at every arrival |
/// | `"all"` | when every connection of the slot has delivered since it last ran |
/// | `3` | after three arrivals, and with the remainder at the end of the job |
/// | `"drained"` | once in a job, also with nothing, when nothing can come any more |
///
/// A slot that keeps something runs alone. What it keeps is a part of the saved job. Where its handler can fail what it
/// keeps has to be `Clone`, to be put back.
///
/// # Joins
/// `#[join] fn settle(&mut self, order: Order, payment: Payment, ..)` has an input for each parameter, which a flow connects one by
/// one: `shop.order -> desk.settle.order`. It is called with one of each, in the order of arrival, **not by a key**: the first order with
/// the first payment, whoever's they are. To bring together what has the same id, keep the one in `#[state]` by id until the other
/// comes. A `_` that a parameter begins with is no part of the input's name. Each is taken as `T` or `&T`, and `cx: &Context` may follow.
///
/// | option of `#[join(..)]` | what it says |
/// |---|---|
/// | `latest` | the newest of each is taken; what it takes the place of is counted |
/// | `within = "30min"` | what has found no partner after that time leaves as the event `settle.unpaired`; at once when no partner can come any more |
/// | `emit`, `timeout`, `atomic` | as of a slot |
///
/// That event carries a generated enum with a variant for each input, `SettleUnpaired { Order(Order), Payment(Payment) }`. It
/// is public, stands in the module of the routine, and is `Clone`, `Debug` and `PartialEq` where the inputs are.
///
/// # Sources
/// `#[source] fn lines(&mut self, out: &mut Emit<Self>) -> Result<More>` is called while there is room for what it emits, and says whether
/// there is more: [`More`](../routilux/enum.More.html). How far it has come is `#[state]`. A handler arms it with `out.lines()`;
/// `#[source(start)]` is armed when a job starts. It also takes `timeout` and `atomic`, and `cx: &Context` as its last parameter.
///
/// # At the end
/// `#[finish] fn flush(&mut self, out: &mut Emit<Self>)` runs once, when nothing can reach the routine any more; at most one of a routine.
/// It also takes `emit`, `timeout` and `atomic`.
///
/// # Returning what is emitted
/// `#[slot(emit = word)] fn upper(&self, text: String) -> String` emits what it returns. Of an `Option<T>` that is none or one, of a `Vec<T>`, an
/// `impl Iterator<Item = T>` or an `impl IntoIterator<Item = T>` each, unless the event carries the list itself. All of them may stand
/// in a `Result`. An event with several parameters takes a tuple.
///
/// # Emitting later
/// `out.after(duration).word(..)` emits once when the time has passed, `out.every(duration).word(..)` again and again. With a
/// name, `out.after(duration).named("watch").word(..)`, it takes the place of what the routine gave that name before, and
/// `out.cancel("watch")` forgets it. A job waits for what is to leave `after` a time, but not for what leaves `every` so often: that ends with the
/// job, and is not sent to slots that were told that nothing can come any more. Both are saved with the job.
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

/// The marks of functions as attributes of their own: `#[routine]` takes those in its block away before they are looked for.
macro_rules! marks {
    ($($mark:ident)*) => {$(
        #[doc(hidden)]
        #[proc_macro_attribute]
        pub fn $mark(_: TokenStream, function: TokenStream) -> TokenStream {
            routine::unmarked::expand(stringify!($mark), function.into()).into()
        }
    )*};
}

marks! { event slot join source finish merge }
