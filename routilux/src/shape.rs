//! A flow as its engines see it: its routines and slots by number, those of the flows within it after its own. Made once for
//! each flow.

use crate::flow::Flow;
use crate::routine::{PlacedSlot, SlotMode};
use routilux_graph::{Closers, Graph, Target};
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What is the same for all jobs of a flow.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Shape {
    /// The ids of the routines; `etl.parse` is the routine `parse` of the flow that is `etl` here.
    pub(crate) routines: Vec<&'static str>,
    /// The slots, `(routine, slot)`: history and saved jobs number them in this order.
    pub(crate) slots: Vec<(&'static str, &'static str)>,
    /// The same slots: whose they are, and how they are run.
    pub(crate) placed: Vec<PlacedSlot>,
    /// The slots that keep something.
    pub(crate) keeping: Vec<usize>,
    /// What fires when nothing can come any more.
    pub(crate) closers: Closers,
    /// Whether any of it needs deliveries to be counted or looked at one by one: closers, sources, slots that hand over the
    /// latest only, and those whose retries keep their order.
    pub(crate) is_counted: bool,
    pub(crate) has_sources: bool,
    /// By slot: whether a panic in its handler leaves state and payload whole.
    pub(crate) whole: Vec<bool>,
    /// Where the values come from that a slot waits for, by slot and connection or parameter.
    pub(crate) sources: Vec<Vec<(String, String)>>,
}

impl Shape {
    pub fn of<F: Flow>() -> Shape {
        let mut shape = Shape::default();
        F::shaped(&mut Within { shape: &mut shape, prefix: String::new() });
        let graph = F::graph().flattened();
        shape.whole =
            graph.routines.iter().flat_map(|routine| &routine.slots).map(|slot| slot.whole).collect();
        shape.closers = Closers::of(&graph);
        shape.has_sources = shape.placed.iter().any(|slot| slot.mode.source);
        shape.is_counted = !shape.closers.closers.is_empty()
            || shape.placed.iter().any(|slot| slot.mode.source || slot.mode.latest || slot.in_order);
        shape.sources = shape.slots.iter().map(|(routine, slot)| senders(&graph, routine, slot)).collect();
        shape
    }

    pub(crate) fn mode(&self, slot: usize) -> SlotMode {
        self.placed[slot].mode
    }

    pub(crate) fn routine_of(&self, slot: usize) -> usize {
        self.placed[slot].routine
    }

    /// `routine.slot`
    pub(crate) fn name(&self, slot: usize) -> String {
        let (routine, slot) = self.slots[slot];
        format!("{routine}.{slot}")
    }

    /// The number of the slot of that name.
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        self.slots.iter().position(|(routine, slot)| {
            name.strip_prefix(routine).and_then(|rest| rest.strip_prefix('.')) == Some(slot)
        })
    }
}

/// Where what comes to a slot comes from, connection by connection: the name of the slot or of a join's parameter, and the
/// event or input.
fn senders(graph: &Graph, routine: &str, slot: &str) -> Vec<(String, String)> {
    let connections = graph.connections.iter().filter_map(|connection| match &connection.to {
        Target::Slot(port) if port.routine == routine => {
            let is_its = port.name == slot
                || port.name.strip_prefix(slot).is_some_and(|parameter| parameter.starts_with('.'));
            is_its.then(|| (port.to_string(), connection.from.to_string()))
        }
        _ => None,
    });
    connections.collect()
}

/// The shape of a flow that is made, and the id that the flow has in it.
#[doc(hidden)]
pub struct Within<'s> {
    shape: &'s mut Shape,
    prefix: String,
}

impl Within<'_> {
    /// The flow's own routines and slots.
    pub fn own(
        &mut self,
        routines: &[&'static str],
        slots: &[(&'static str, &'static str)],
        placed: &[PlacedSlot],
        keeping: &[usize],
    ) {
        let (first_routine, first_slot) = (self.shape.routines.len(), self.shape.slots.len());
        for id in routines {
            let id = self.prefixed(id);
            self.shape.routines.push(id);
        }
        self.shape.keeping.extend(keeping.iter().map(|slot| first_slot + slot));
        for ((_, slot), placed) in slots.iter().zip(placed) {
            let routine = first_routine + placed.routine;
            self.shape.slots.push((self.shape.routines[routine], slot));
            self.shape.placed.push(PlacedSlot { routine, ..*placed });
        }
    }

    /// The flow that is an instance of this one. `in_order` is that of the policies of this one.
    pub fn inner<F: Flow>(&mut self, id: &str, in_order: bool) {
        let first = self.shape.placed.len();
        F::shaped(&mut Within { shape: self.shape, prefix: format!("{}{id}.", self.prefix) });
        if in_order {
            self.shape.placed[first..].iter_mut().for_each(|placed| placed.in_order = true);
        }
    }

    /// Ids live as long as the program, as those do that stand in it: there is a bounded number of flows.
    fn prefixed(&self, id: &'static str) -> &'static str {
        match self.prefix.is_empty() {
            true => id,
            false => Box::leak(format!("{}{id}", self.prefix).into_boxed_str()),
        }
    }
}

/// The shape of a generic flow, which has no static of its own.
#[doc(hidden)]
pub fn shape_of<F: Flow>() -> &'static Shape {
    static KNOWN: Mutex<Option<HashMap<TypeId, &'static Shape>>> = Mutex::new(None);
    let find = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shape) = find().as_ref().and_then(|known| known.get(&TypeId::of::<F>())) {
        return shape;
    }
    let shape: &'static Shape = Box::leak(Box::new(Shape::of::<F>()));
    find().get_or_insert_default().entry(TypeId::of::<F>()).or_insert(shape)
}
