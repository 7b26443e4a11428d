//! The one module that generated code talks to. Not for people: it changes without notice.

pub use crate::context::Context;
pub use crate::engine::{Done, Post, Undelivered, fan_out, step};
pub use crate::error::{HandlerError, Result};
pub use crate::flow::{Flow, NoReturn};
pub use crate::job::part::Saved;
pub use crate::job::value::{Value, ValueError};
pub use crate::job::{Job, JobState, Outlet, Taken};
pub use crate::merge::{Appended, Exposed, GivenAway, Handover, Kept, Lent, PutBack, Untouched};
pub use crate::payload::Payload;
pub use crate::routine::{
    Cell, Contents, EventInfo, EventPayload, EventPort, Fields, Handled, Outbox, Outgoing, Routine, SlotInfo, SlotPayload,
    SlotPort, Snapshot, StateCopy, StateField,
};
pub use routilux_graph::{Connection, Event, Graph, Merge, Port, Source, Target};
pub use routilux_macros::flow_stage;

use routilux_graph::Slot;

/// A routine of a flow as data.
pub fn routine<R: Routine>(id: &str) -> routilux_graph::Routine {
    let slots = R::SLOTS.iter().map(|info| {
        let mut slot = Slot::new(info.name, info.payload);
        (slot.merge, slot.optional) = (info.merge, info.optional);
        slot
    });
    routilux_graph::Routine {
        id: id.to_owned(),
        type_name: R::TYPE.to_owned(),
        slots: slots.collect(),
        events: R::EVENTS.iter().map(|info| Event::new(info.name, info.payload)).collect(),
    }
}

// These ask for nothing that the routine's own implementation has not asked for, so that a payload that is none has its
// error where the routine is, and no second one in the flow.

pub fn save_payload<R: SlotPort<I>, const I: usize>(payload: &R::Payload) -> std::result::Result<Value, ValueError> {
    Value::of(payload)
}

pub fn load_payload<R: SlotPort<I>, const I: usize>(value: Value) -> std::result::Result<R::Payload, ValueError> {
    value.read()
}

pub fn not_connected() -> ValueError {
    ValueError("nothing is connected to this slot now".into())
}

pub fn part<R: SlotPort<I>, const I: usize>(slot: usize, contents: &Contents<R, I>) -> Option<(usize, &dyn Saved)> {
    R::Handover::part(contents).map(|part| (slot, part))
}

pub fn part_mut<R: SlotPort<I>, const I: usize>(
    slot: usize,
    contents: &mut Contents<R, I>,
) -> Option<(usize, &mut dyn Saved)> {
    R::Handover::part_mut(contents).map(|part| (slot, part))
}

/// The value of an output whose type is not known, because the flow has mistakes in it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stub;

impl std::fmt::Display for Stub {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
