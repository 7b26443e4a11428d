//! The one module that generated code talks to. Not for people: it changes without notice.

pub use crate::asynchronous::{AsyncPort, Begun, GivenFor, Handling, KeptFor, LentFor, begin, boxed};
pub use crate::context::Context;
pub use crate::engine::{Done, FanOut, Nothing, Post, Receivers, Undelivered, step_here, step_shared};
pub use crate::error::{HandlerError, Result};
pub use crate::flow::{Flow, Threaded};
pub use crate::job::part::Saved;
pub use crate::job::value::{Value, ValueError};
pub use crate::job::{
    Entry, Exit, Job, JobState, LiveOutlet, LiveOutput, LivePayload, LiveSink, Outlet, Report, ResultSlot,
    SavedResult, Stamp, Taken, live_payload_is_send, result_in,
};
pub use crate::merge::{Appended, Exposed, GivenAway, Handover, Kept, Lent, PutBack, Untouched, keep};
pub use crate::payload::{Codec, Payload, Saves};
pub use crate::place::{Alone, Along, Keeps, Lasting, Place, live_sink, reconfigure};
pub use crate::routine::{
    Cell, Contents, EventInfo, EventPayload, EventPort, Fields, Handled, LivePort, Outbox, Outgoing,
    PlacedSlot, Routine, SendFields, SendPayload, SlotInfo, SlotMode, SlotPayload, SlotPort, Snapshot,
    Starts, StateCopy, StateField, SyncFields, SyncPayload, ThreadSafe, is_marked,
};
pub use routilux_graph::{Connection, Event, Graph, Merge, Port, Source, Target};
pub use routilux_macros::flow_stage;

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
        (slot.merge, slot.optional, slot.waits) = (info.merge.clone(), info.optional, info.waits);
        slot
    });
    let events = R::EVENTS.iter().map(|info| {
        let mut event = Event::new(info.name, info.payload);
        event.live = info.live;
        event
    });
    let mut routine = routilux_graph::Routine::new(id, R::TYPE);
    routine.slots.extend(slots);
    routine.events.extend(events);
    routine
}

pub fn save_payload<R: SlotPort<I>, const I: usize>(
    payload: &R::Payload,
) -> std::result::Result<Value, ValueError> {
    (R::codec().save)(payload)
}

pub fn load_payload<R: SlotPort<I>, const I: usize>(
    value: Value,
) -> std::result::Result<R::Payload, ValueError> {
    (R::codec().load)(value)
}

pub fn not_connected() -> ValueError {
    ValueError("nothing is connected to this slot now".into())
}

pub fn save_contents<R: SlotPort<I>, const I: usize>(
    contents: &Contents<R, I>,
) -> std::result::Result<Value, ValueError> {
    R::codec().save_all(R::Handover::kept(contents).into_iter().flatten())
}

pub fn load_contents<R: SlotPort<I>, const I: usize>(
    contents: &mut Contents<R, I>,
    value: Value,
) -> std::result::Result<(), ValueError> {
    if let Some(kept) = R::Handover::kept_mut(contents) {
        *kept = R::codec().load_all(value)?;
    }
    Ok(())
}

/// The value of an output whose type is not known, because the flow has mistakes in it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stub;

impl std::fmt::Display for Stub {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
