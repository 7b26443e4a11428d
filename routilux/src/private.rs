//! The one module that generated code talks to. Not for people: it changes without notice.

pub use crate::asynchronous::{AsyncPort, Begun, GivenFor, Handling, KeptFor, LentFor, begin, boxed};
pub use crate::context::Context;
pub use crate::emit::{Ask, Later, More};
pub use crate::engine::{
    Bound, Done, Failing, FanOut, Lift, Nothing, Post, Receivers, Retry, Routed, Scratch, Store, Undelivered,
    Verdict, lifted, operate, step_here, step_shared, ways,
};
pub use crate::error::{HandlerError, Panic, Result};
pub use crate::failure::Failure;
pub use crate::flow::{
    Asked, Flow, Given, InPort, JobOf, LiveOutPort, OfFlow, OutPort, Sound, Threaded, Wrong,
};
pub use crate::fold::{Clones, InSlot, SavesFold, StartsFold};
pub use crate::gather::{Arrival, Batch, FoldOf, Folded, Gathering, Newest};
pub use crate::job::part::{Part, PartMut, Saved};
pub use crate::job::value::{Value, ValueError};
pub use crate::job::{
    Entry, Exit, Job, JobState, LiveOutlet, LiveOutput, LivePayload, LiveSink, Outlet, Report, ResultSlot,
    SavedResult, Stamp, Taken, Trying, live_payload_is_send, result_in,
};
pub use crate::join::{Joined, Pair, Queue};
pub use crate::merge::{
    Appended, Called, Exposed, Fault, GivenAway, Handover, Held, Kept, Lent, PutBack, Untouched, keep,
};
pub use crate::parts::{Parts, part_of, read_parts};
pub use crate::payload::{Codec, Payload, Saves};
pub use crate::place::{Alone, Along, Keeps, Lasting, Place, live_sink, reconfigure};
pub use crate::returned::{EmittedAs, Fails};
pub use crate::routine::{
    Cell, Contents, EventInfo, EventPayload, EventPort, FailedPayload, Fields, FoldPort, Handled, JoinParam,
    JoinPort, LivePort, Outbox, Outgoing, Parcel, PlacedSlot, Routine, SendFields, SendPayload, Shared,
    SharedParam, SlotInfo, SlotMode, SlotPayload, SlotPort, Snapshot, Starts, StateCopy, StateField,
    SyncFields, SyncPayload, ThreadSafe, Told, is_told,
};
pub use crate::shape::{Shape, Within, shape_of};
pub use routilux_graph::{
    Connection, Event, Graph, Merge, Policy, Port, Role, Source, Subject, Target, When,
};
pub use routilux_macros::flow_stage;
pub use serde;

#[path = "editor.rs"]
pub mod editor;

/// Stands where a handler says `async`.
#[cfg(feature = "tokio")]
#[doc(hidden)]
#[macro_export]
macro_rules! __needs_tokio {
    () => {};
}

/// Stands where a handler says `async`.
#[cfg(not(feature = "tokio"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __needs_tokio {
    () => {
        ::core::compile_error!(
            "`async` handlers need the feature `tokio` of routilux\nhelp: write `routilux = { version = \"..\", features = [\"tokio\"] }` in Cargo.toml"
        );
    };
}

pub use __needs_tokio as needs_tokio;

use routilux_graph::Slot;

/// A routine at its start.
pub fn place<R: Routine + Fields>(configuration: R::Configuration) -> R::Place {
    R::Place::new(Cell::new(configuration))
}

/// A routine of a flow as data.
pub fn routine<R: Routine>(id: &str) -> routilux_graph::Routine {
    let slots = R::SLOTS.iter().map(|info| {
        let mut slot = Slot::new(info.name, info.payload);
        slot.merge = match info.merge.split_once(':') {
            Some((_, function)) => Merge::Fold(function.to_owned()),
            None if info.merge == "latest" => Merge::Latest,
            None if info.merge == "append" => Merge::Append,
            None => Merge::Override,
        };
        (slot.when, slot.role) = (info.when, info.role);
        (slot.optional, slot.waits) = (info.optional, info.waits);
        (slot.fallible, slot.whole, slot.within) = (info.fallible, info.whole, info.within);
        slot.params = info
            .params
            .iter()
            .map(|(name, payload)| routilux_graph::Param {
                name: (*name).to_owned(),
                payload: (*payload).to_owned(),
            })
            .collect();
        slot
    });
    let events = R::EVENTS.iter().map(|info| {
        let mut event = Event::new(info.name, info.payload);
        event.live = info.live;
        event
    });
    let mut routine = routilux_graph::Routine::new(id, R::TYPE);
    routine.slots = slots.collect();
    routine.events = events.collect();
    routine
}

pub fn save_parcel<R: SlotPort<I>, const I: usize>(
    parcel: &Parcel<R, I>,
) -> std::result::Result<Value, ValueError> {
    R::Handover::save_parcel(parcel)
}

pub fn load_parcel<R: SlotPort<I>, const I: usize>(
    value: Value,
) -> std::result::Result<Parcel<R, I>, ValueError> {
    R::Handover::load_parcel(value)
}

/// Word to a slot that nothing more will come.
pub fn closing<R: SlotPort<I>, const I: usize>() -> Option<Parcel<R, I>> {
    R::Handover::closing()
}

/// The payload for an error wire, or what was on its way without one.
pub fn payload<R: SlotPort<I>, const I: usize>(parcel: Parcel<R, I>) -> Option<FailedPayload<R, I>> {
    R::Handover::payload(parcel)
}

pub fn failure<P>(payload: P, failing: &Failing<()>) -> Failure<P> {
    Failure { payload, error: failing.error.clone(), attempts: failing.attempts, delivery: failing.id }
}

/// A flow in a flow as data. Types that only it knows are given: what its inputs take, and what its outputs send.
pub fn instance<F: Flow>(id: &str, takes: &[&str], sends: &[&str]) -> routilux_graph::Routine {
    let mut routine = F::graph().instance(id);
    for (slot, text) in routine.slots.iter_mut().zip(takes) {
        (*text).clone_into(&mut slot.payload);
    }
    for (event, text) in routine.events.iter_mut().zip(sends) {
        (*text).clone_into(&mut event.payload);
    }
    routine
}

/// A delivery whose connection is saved too.
pub fn save_over(connection: u16, value: Value) -> std::result::Result<Value, ValueError> {
    Value::of(&(connection, value))
}

pub fn load_over(value: Value) -> std::result::Result<(u16, Value), ValueError> {
    value.read()
}

pub fn not_connected() -> ValueError {
    ValueError("nothing is connected to this slot now".into())
}

pub fn save_contents<R: SlotPort<I>, const I: usize>(
    contents: &Contents<R, I>,
) -> std::result::Result<Value, ValueError> {
    R::Handover::save(contents)
}

pub fn load_contents<R: SlotPort<I>, const I: usize>(
    contents: &mut Contents<R, I>,
    value: Value,
) -> std::result::Result<(), ValueError> {
    R::Handover::load(contents, value)
}

pub fn held<R: SlotPort<I>, const I: usize>(contents: &Contents<R, I>) -> Vec<Held> {
    R::Handover::held(contents)
}

/// The value of an output whose type is not known, because the flow has mistakes in it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stub;

impl std::fmt::Display for Stub {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
