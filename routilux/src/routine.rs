//! What the macros make of a routine: its fields by kind, its ports by number, its outbox.

use crate::context::Context;
use crate::emit::{Ask, More};
use crate::error::HandlerError;
use crate::job::LiveSink;
use crate::job::value::{Value, ValueError};
use crate::merge::{Handover, Takes, Undo};
use crate::payload::Codec;
use crate::place::Place;
use routilux_graph::{Role, When};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;

/// A component of a flow: a struct and an `impl` block, both marked `#[routine]`. Never implemented by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no routine [RTX0102]",
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
    /// The one place that asks whether the struct is marked: its `Fields::MARKED`.
    #[doc(hidden)]
    const MARKED: usize;
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
    message = "the struct `{Self}` is not marked with `#[routine]` [RTX0101]",
    label = "its `impl` block is, its struct is not",
    note = "write `#[routine]` on the struct `{Self}` too"
)]
pub trait Fields: Sized + 'static {
    /// Configuration and resources: what a flow gives.
    type Configuration;
    /// A number, which there is if the struct is marked.
    const MARKED: usize = 0;
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

/// A routine that borrows, which its struct has told.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the struct `{Self}` is not marked with `#[routine]` [RTX0101]",
    label = "its `impl` block is, its struct is not",
    note = "write `#[routine]` on the struct `{Self}` too"
)]
pub trait Told {}

/// Asks whether the struct of a routine that borrows is marked.
#[doc(hidden)]
pub fn is_told<R: Told>() {}

/// Implemented where every field can go from one thread to another.
#[doc(hidden)]
pub trait SendFields: Send {}

/// Implemented where several threads can use every field at once, too.
#[doc(hidden)]
pub trait SyncFields: Send + Sync {}

/// A number, which there is if that is so. Not in the trait itself, which asks for more than the fields.
#[doc(hidden)]
pub trait Shared {
    const SHARED: usize = 0;
}

impl<R: SyncFields> Shared for R {}

/// A routine that can run on threads.
#[doc(hidden)]
pub trait ThreadSafe: Routine<Place: Send + Sync> {}

/// A payload that can go from one thread to another.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this flow cannot run on threads: its payload `{Self}` cannot be sent to another thread [RTX0162]",
    label = "needs every payload to be `Send`",
    note = "use `Arc` instead of `Rc`; or run the job in this thread, with `run()`"
)]
pub trait SendPayload: Send {}

#[diagnostic::do_not_recommend]
impl<T: Send> SendPayload for T {}

/// The payload at `return`: the report shares it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this flow cannot run on threads: its result `{Self}` cannot be shared between threads [RTX0162]",
    label = "needs the result to be `Send` and `Sync`",
    note = "use `Arc` instead of `Rc`, and a `Mutex` instead of a `RefCell`; or run the job in this thread, with `run()`"
)]
pub trait SyncPayload: Send + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync> SyncPayload for T {}

/// A parameter of a flow that its closures use.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this flow cannot run on threads: its closures use a parameter that is `{Self}`, which cannot be shared between threads [RTX0162]",
    label = "needs parameters in closures to be `Send` and `Sync`",
    note = "use `Arc` instead of `Rc`, and a `Mutex` instead of a `RefCell`; or run the job in this thread, with `run()`"
)]
pub trait SharedParam: Send + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync> SharedParam for T {}

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
    message = "the `#[state]` of this routine has to be `Clone`: this handler can fail, and the state is put back then [RTX0158]",
    label = "this handler takes `&mut self` and returns a `Result`",
    note = "write `#[derive(Clone)]` on `{Self}`, or `#[slot(atomic = false)]` to give up resuming after a failure"
)]
pub trait StateCopy: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> StateCopy for T {}

/// A `#[state]` field: it can be written down and read back.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be `#[state]`: it cannot be saved with the job [RTX0159]",
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
    message = "`{Self}` has no `Default`, which a `#[state]` or `#[transient]` field starts at [RTX0160]",
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

/// A port as data: a slot, a join, a source or a finish.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct SlotInfo {
    pub name: &'static str,
    pub payload: &'static str,
    /// As the macros write it: `override`, `latest`, `append`, or `fold:` and the name of the function.
    pub merge: &'static str,
    pub when: When,
    pub role: Role,
    pub optional: bool,
    pub waits: bool,
    /// Whether its handler can fail.
    pub fallible: bool,
    /// Whether a panic in its handler leaves state and payload whole.
    pub whole: bool,
    /// Whether it is a join that gives values up after some time.
    pub within: bool,
    /// The parameters of a join, with their types.
    pub params: &'static [(&'static str, &'static str)],
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

/// The port number `I` of a routine that something arrives at, and its handler.
#[doc(hidden)]
pub trait SlotPort<const I: usize>: Routine {
    /// Of one arrival.
    type Payload: 'static;
    type Handover: Handover<Self, I>;
    type Undo: Undo<Self>;
    const MODE: SlotMode;
    /// Whether what the handler takes by value is cloned first, for another attempt.
    const KEEPS: bool;
    /// A number, which there is if the payload can be saved. Whoever else needs that has no error of its own.
    const SAVED: usize = 0;

    fn codec() -> Codec<Self::Payload>;

    /// A clone of the payload, where it is kept.
    fn keep(payload: &Self::Payload) -> Self::Payload;

    fn call(
        this: This<'_, Self, I>,
        arrival: <Self::Handover as Handover<Self, I>>::Arg<'_>,
        emit: &mut Self::Emit,
        cx: &Context,
    ) -> Result<(), HandlerError>;
}

/// A slot that folds what arrives.
#[doc(hidden)]
pub trait FoldPort<const I: usize>: SlotPort<I> {
    type Acc: 'static;

    fn start() -> Self::Acc;
    fn fold(acc: &mut Self::Acc, value: Self::Payload);
    /// A clone, where it is kept.
    fn keep_acc(acc: &Self::Acc) -> Self::Acc;
    fn codec_acc() -> Codec<Self::Acc>;
}

/// A join: what arrives is a part of what its handler takes.
#[doc(hidden)]
pub trait JoinPort<const I: usize>: SlotPort<I> {
    /// A [`Queue`](crate::merge::Queue) for each parameter, as a tuple.
    type Stores: Default + 'static;
    /// One value for each parameter with the time it arrived, as a tuple.
    type Taken: 'static;
    /// The same without the times, for an error wire.
    type Values: 'static;
    /// The names of the parameters, in their order.
    const PARAMS: &'static [&'static str];
    /// Whether a newer value takes the place of one that waits.
    const LATEST: bool;

    /// Which parameter it is for.
    fn parameter(part: &Self::Payload) -> usize;
    /// How many values wait for each parameter.
    fn lengths(stores: &Self::Stores) -> Vec<usize>;
    /// Puts it last in the queue of its parameter.
    fn add(stores: &mut Self::Stores, part: Self::Payload, at: u64);
    /// Puts it together with the first of all others. Only where each has one.
    fn pair(stores: &mut Self::Stores, part: Self::Payload) -> Option<Self::Taken>;
    /// A clone, where it is kept.
    fn keep_taken(taken: &Self::Taken) -> Self::Taken;
    fn values(taken: Self::Taken) -> Self::Values;
    fn save_taken(taken: &Self::Taken) -> Result<Value, ValueError>;
    fn load_taken(value: Value) -> Result<Self::Taken, ValueError>;
    /// Takes out what arrived no later than `until`.
    fn expired(stores: &mut Self::Stores, until: u64) -> Vec<Self::Payload>;
    /// When the first of those that wait arrived.
    fn oldest(stores: &Self::Stores) -> Option<u64>;
    /// Every value with the time it arrived, parameter by parameter.
    fn each(stores: &Self::Stores, see: &mut dyn FnMut(usize, u64, Result<Value, ValueError>));
    /// Reads back one that `each` gave.
    fn restore(stores: &mut Self::Stores, parameter: usize, at: u64, value: Value) -> Result<(), ValueError>;
}

/// The input number `K` of the join at port `I`.
#[doc(hidden)]
pub trait JoinParam<const K: usize, const I: usize>: SlotPort<I> {
    type Value: 'static;
    /// What arrives at the join, for this input.
    fn part(value: Self::Value) -> Self::Payload;
}

/// The payload of an event, and of a slot.
#[doc(hidden)]
pub type EventPayload<R, const I: usize> = <R as EventPort<I>>::Payload;
#[doc(hidden)]
pub type SlotPayload<R, const I: usize> = <R as SlotPort<I>>::Payload;
/// What travels to a slot: the payload, or one with the number of its connection, or word that no more will come.
#[doc(hidden)]
pub type Parcel<R, const I: usize> = <<R as SlotPort<I>>::Handover as Handover<R, I>>::Parcel;
/// What goes along an error wire of a slot: the payload; of a join, one of each of its parameters, as a tuple.
#[doc(hidden)]
pub type FailedPayload<R, const I: usize> = <<R as SlotPort<I>>::Handover as Handover<R, I>>::Failed;
/// What a slot keeps between arrivals.
#[doc(hidden)]
pub type Contents<R, const I: usize> = <<R as SlotPort<I>>::Handover as Handover<R, I>>::Contents;

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
    /// Whether it is a source: pulled, while there is room.
    pub source: bool,
    /// Whether one that waits is superseded by a newer one over its connection.
    pub latest: bool,
    /// When a slot that gathers hands over what it keeps.
    pub when: When,
    /// How long a join keeps a value without a partner, in milliseconds; 0 is for ever.
    pub within: u64,
}

impl SlotMode {
    /// A handler that takes `&self` and each arrival.
    pub const PLAIN: SlotMode = SlotMode {
        alone: false,
        parallel: 0,
        timeout: 0,
        waits: false,
        source: false,
        latest: false,
        when: When::Each,
        within: 0,
    };
}

/// A slot of a flow: whose it is, and how it is run.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct PlacedSlot {
    /// The number of the routine in the flow.
    pub routine: usize,
    pub mode: SlotMode,
    /// Whether a delivery that waits for its next attempt holds up those that came later over its connection.
    pub in_order: bool,
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
    /// What is to be emitted later, and what no longer.
    asks: Vec<Ask<E>>,
    has_asks: bool,
    /// What a source has said.
    more: More,
}

impl<E> Default for Outbox<E> {
    fn default() -> Self {
        Outbox { first: None, rest: Vec::new(), asks: Vec::new(), has_asks: false, more: More::Done }
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

    pub fn ask(&mut self, ask: Ask<E>) {
        self.asks.push(ask);
        self.has_asks = true;
    }

    /// What was asked for so far.
    pub fn asked(&self) -> &[Ask<E>] {
        &self.asks
    }

    /// After a source was called.
    pub fn go_on(&mut self, more: More) {
        self.more = more;
    }

    pub(crate) fn more(&mut self) -> More {
        std::mem::replace(&mut self.more, More::Done)
    }

    #[inline]
    pub(crate) fn has_asks(&self) -> bool {
        self.has_asks
    }

    pub(crate) fn take_asks(&mut self) -> Vec<Ask<E>> {
        std::mem::take(&mut self.asks)
    }

    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.first.iter().chain(&self.rest)
    }

    /// Before a step. It is empty then; to say so lets the compiler know.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.first = None;
        self.has_asks = false;
    }

    pub(crate) fn clear(&mut self) {
        self.first = None;
        self.rest.clear();
        self.asks.clear();
        self.more = More::Done;
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
    message = "a handler returns nothing or `Result<(), E>`, not `{Self}` [RTX0164]",
    label = "not a result that a handler can give",
    note = "`E` is any error, a `String` or a `&str`; what a handler returns beside it is emitted with `#[slot(emit = event)]`"
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
