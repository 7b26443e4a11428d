//! What the macros make of a routine: its fields by kind, its ports by number, its outbox.

use crate::context::Context;
use crate::error::HandlerError;
use crate::job::LiveSink;
use crate::job::value::{Value, ValueError};
use crate::merge::{Handover, Takes, Undo};
use crate::payload::Codec;
use crate::place::Place;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;

/// A component of a flow: a struct and an `impl` block, both marked `#[routine]`. Never implemented by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no routine",
    label = "its `impl` block is not marked",
    note = "write `#[routine]` on the struct `{Self}` and on the `impl` block with its handlers"
)]
pub trait Routine: Sized + 'static {
    /// One variant for each event.
    #[doc(hidden)]
    type Event: 'static;
    /// The outbox that its handlers are given; see [`Emit`].
    type Emit: Outgoing<Self::Event>;
    /// The name of its type, without a path.
    #[doc(hidden)]
    const TYPE: &'static str;
    /// Where it stands in a job: alone, or where several `&self` handlers can get at it.
    #[doc(hidden)]
    type Place: Place<Self>;
    #[doc(hidden)]
    const SLOTS: &'static [SlotInfo];
    #[doc(hidden)]
    const EVENTS: &'static [EventInfo];
}

/// What a handler of the routine `R` emits its events with: one method for each event, its parameters those
/// of the event. What is emitted leaves when the handler returns without an error, and is dropped when it fails; a live
/// event, `#[event(live)]`, leaves at once.
///
/// In a unit test, make one, call the handler and read what was emitted:
///
/// ```
/// use routilux::prelude::*;
///
/// #[routine]
/// struct Tokenizer {
///     lowercase: bool,
/// }
///
/// #[routine]
/// impl Tokenizer {
///     #[event]
///     fn word(text: String);
///     #[event]
///     fn counted(words: usize, letters: usize);
///
///     #[slot]
///     fn line(&self, line: String, out: &mut Emit<Self>) {
///         for word in line.split(' ') {
///             out.word(if self.lowercase { word.to_lowercase() } else { word.to_owned() });
///         }
///         out.counted(line.split(' ').count(), line.len());
///     }
/// }
///
/// let mut out = Emit::<Tokenizer>::default();
/// Tokenizer { lowercase: true }.line("A b".into(), &mut out);
/// assert_eq!(out.emitted().word(), ["a", "b"]);
/// assert_eq!(out.emitted().counted(), [&(2, 3)]);
/// assert_eq!(out.emitted().events(), ["word", "word", "counted"]);
/// ```
pub type Emit<R> = <R as Routine>::Emit;

/// The fields of a routine by kind, from `#[routine]` on its struct.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the struct `{Self}` is not marked with `#[routine]`",
    label = "its `impl` block is, its struct is not",
    note = "write `#[routine]` on the struct `{Self}` too"
)]
pub trait Fields: Sized + 'static {
    /// Configuration and resources: what a flow gives.
    type Configuration;
    /// The names of the `#[state]` fields.
    const STATE: &'static [&'static str];
    fn assemble(configuration: Self::Configuration) -> Self;
    /// The `#[state]` fields, in the order of `STATE`.
    fn state(&self) -> Vec<&dyn StateField>;
    /// Puts a value that `StateField::load` gave into the field of that number.
    fn set_state(&mut self, field: usize, value: Box<dyn Any>);
    /// Puts the `#[transient]` fields back to their defaults.
    fn reset_transient(&mut self);
    /// Takes the `#[state]` fields from `other`, which is given those that were here.
    fn swap_state(&mut self, other: &mut Self);
}

/// The one place that asks whether the struct is marked.
#[doc(hidden)]
pub fn is_marked<R: Fields>() {}

/// Implemented where every field can go from one thread to another.
#[doc(hidden)]
pub trait SendFields: Send {}

/// Implemented where several threads can use every field at once, too.
#[doc(hidden)]
pub trait SyncFields: Send + Sync {}

/// A routine that can run on threads.
#[doc(hidden)]
pub trait ThreadSafe: Routine<Place: Send + Sync> {}

/// A payload that can go from one thread to another.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this flow cannot run on threads: its payload `{Self}` cannot be sent to another thread",
    label = "needs every payload to be `Send`",
    note = "use `Arc` instead of `Rc`; or run the job in this thread, with `run()`"
)]
pub trait SendPayload: Send {}

#[diagnostic::do_not_recommend]
impl<T: Send> SendPayload for T {}

/// The payload at `return`: the report shares it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this flow cannot run on threads: its result `{Self}` cannot be shared between threads",
    label = "needs the result to be `Send` and `Sync`",
    note = "use `Arc` instead of `Rc`, and a `Mutex` instead of a `RefCell`; or run the job in this thread, with `run()`"
)]
pub trait SyncPayload: Send + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync> SyncPayload for T {}

/// Implemented where all `#[state]` fields are `Clone`.
#[doc(hidden)]
pub trait Snapshot: Fields {
    type Copy;
    fn copy(&self) -> Self::Copy;
    fn put_back(&mut self, copy: Self::Copy);
}

/// What a `#[state]` field has to be for a fallible `&mut self` handler.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the `#[state]` of this routine has to be `Clone`: this handler can fail, and the state is put back then",
    label = "this handler takes `&mut self` and returns a `Result`",
    note = "write `#[derive(Clone)]` on `{Self}`, or `#[slot(atomic = false)]` to give up resuming after a failure"
)]
pub trait StateCopy: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> StateCopy for T {}

/// A `#[state]` field: it can be written down and read back.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be `#[state]`: it cannot be saved with the job",
    label = "state needs serde's `Serialize` and `Deserialize`",
    note = "write `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`, or mark the field `#[transient]` or `#[resource]`"
)]
pub trait StateField {
    fn save(&self) -> Result<Value, ValueError>;
    /// A value of the same type, to be given to `Fields::set_state`.
    fn load(&self, value: Value) -> Result<Box<dyn Any>, ValueError>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> StateField for T {
    fn save(&self) -> Result<Value, ValueError> {
        Value::of(self)
    }

    fn load(&self, value: Value) -> Result<Box<dyn Any>, ValueError> {
        Ok(Box::new(value.read::<T>()?))
    }
}

/// How a `#[state]` or `#[transient]` field starts.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `Default`, which a `#[state]` or `#[transient]` field starts at",
    label = "this field starts at its `Default`",
    note = "write `#[derive(Default)]` on `{Self}`, or make the field an `Option<{Self}>`"
)]
pub trait Starts: Sized {
    fn start() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> Starts for T {
    fn start() -> T {
        T::default()
    }
}

/// A slot as data.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct SlotInfo {
    pub name: &'static str,
    pub payload: &'static str,
    pub merge: routilux_graph::Merge,
    pub optional: bool,
    pub waits: bool,
}

/// An event as data.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct EventInfo {
    pub name: &'static str,
    pub payload: &'static str,
    pub live: bool,
}

/// The event number `I` of a routine.
#[doc(hidden)]
pub trait EventPort<const I: usize>: Routine {
    type Payload: 'static;
}

/// The event number `I` of a routine, which is live.
#[doc(hidden)]
pub trait LivePort<const I: usize>: EventPort<I> {
    /// Where it leads.
    fn sink(emit: &mut Self::Emit) -> &mut LiveSink<EventPayload<Self, I>>;
}

/// The slot number `I` of a routine, and its handler.
#[doc(hidden)]
pub trait SlotPort<const I: usize>: Routine {
    type Payload: 'static;
    type Handover: Handover<Self::Payload>;
    type Undo: Undo<Self>;
    const MODE: SlotMode;

    fn codec() -> Codec<Self::Payload>;

    /// A clone of the payload, for a handler that takes it by value and can fail.
    fn keep(payload: &Self::Payload) -> Self::Payload;

    fn call(
        this: This<'_, Self, I>,
        arrival: <Self::Handover as Handover<Self::Payload>>::Arg<'_>,
        emit: &mut Self::Emit,
        cx: &Context,
    ) -> Result<(), HandlerError>;
}

/// The payload of an event, and of a slot.
#[doc(hidden)]
pub type EventPayload<R, const I: usize> = <R as EventPort<I>>::Payload;
#[doc(hidden)]
pub type SlotPayload<R, const I: usize> = <R as SlotPort<I>>::Payload;
/// What a slot keeps between arrivals.
#[doc(hidden)]
pub type Contents<R, const I: usize> =
    <<R as SlotPort<I>>::Handover as Handover<SlotPayload<R, I>>>::Contents;

/// How a handler takes its routine: `&R` or `&mut R`.
#[doc(hidden)]
pub(crate) type This<'a, R, const I: usize> = <<R as SlotPort<I>>::Undo as Takes<R>>::This<'a>;

/// How the engines run a handler.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotMode {
    /// Whether no other handler of the routine runs meanwhile: it takes `&mut self`, or the slot keeps something.
    pub alone: bool,
    /// How many runs of it there may be at once; 0 is as many as there are workers.
    pub parallel: u32,
    /// How long it may take, in milliseconds; 0 is for ever.
    pub timeout: u64,
    /// Whether it is `async`.
    pub waits: bool,
}

/// A slot of a flow: whose it is, and how it is run.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct PlacedSlot {
    /// The number of the routine in the flow.
    pub routine: usize,
    pub mode: SlotMode,
}

/// A routine in a job.
#[doc(hidden)]
pub struct Cell<R: Routine> {
    pub(crate) routine: R,
    /// Empty between two steps; its room for several events is kept from step to step.
    pub(crate) emit: R::Emit,
}

impl<R: Routine + Fields> Cell<R> {
    pub fn new(configuration: R::Configuration) -> Self {
        Cell { routine: R::assemble(configuration), emit: R::Emit::default() }
    }
}

/// A generated `Emit` struct.
#[doc(hidden)]
pub trait Outgoing<E>: Default + 'static {
    /// Whether there are live events among its own.
    const LIVE: bool = false;

    fn outbox(&mut self) -> &mut Outbox<E>;

    /// Before a step, for the live events, which carry the attempt; most routines have none.
    #[inline]
    fn begins(&mut self, _cx: &Context) {}

    /// One for a step that runs next to others, with the same live sinks.
    #[inline]
    fn another(&self) -> Self {
        Self::default()
    }
}

/// The events of one step, in the order they were emitted. The first one is kept inline: most handlers emit no more,
/// and then the compiler sees through it, from the handler to the queue.
#[doc(hidden)]
pub struct Outbox<E> {
    first: Option<E>,
    rest: Vec<E>,
}

impl<E> Default for Outbox<E> {
    fn default() -> Self {
        Outbox { first: None, rest: Vec::new() }
    }
}

impl<E> Outbox<E> {
    #[inline]
    pub fn push(&mut self, event: E) {
        match self.first {
            None => self.first = Some(event),
            Some(_) => self.rest.push(event),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.first.iter().chain(&self.rest)
    }

    /// Before a step. It is empty then; to say so lets the compiler know.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.first = None;
    }

    pub(crate) fn clear(&mut self) {
        self.first = None;
        self.rest.clear();
    }

    /// Hands every event over and returns how many there were.
    #[inline]
    pub(crate) fn drain(&mut self, mut each: impl FnMut(E)) -> u32 {
        let Some(first) = self.first.take() else { return 0 };
        each(first);
        match self.rest.is_empty() {
            true => 1,
            false => self.drain_rest(each),
        }
    }

    #[cold]
    fn drain_rest(&mut self, each: impl FnMut(E)) -> u32 {
        let count = self.rest.len();
        self.rest.drain(..).for_each(each);
        u32::try_from(count).map_or(u32::MAX, |count| count.saturating_add(1))
    }
}

/// What a fallible handler may return.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a handler returns nothing or `Result<(), E>`, not `{Self}`",
    label = "not a result that a handler can give",
    note = "`E` is any error, a `String` or a `&str`; what a handler has to say goes out as an event"
)]
pub trait Handled {
    fn handled(self) -> Result<(), HandlerError>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<HandlerError>> Handled for Result<(), E> {
    #[inline]
    fn handled(self) -> Result<(), HandlerError> {
        self.map_err(Into::into)
    }
}
