//! What is missing: connections, and ways to what would never run.

use super::{Checker, Place, slot_names};
use crate::code::Code;
use crate::ends::{Leaving, To};
use crate::model::{Port, Role, Routine, Slot, Source, When};
use crate::ways::Ways;
use std::collections::HashSet;

impl Checker<'_> {
    pub(super) fn unconnected(&mut self) {
        let graph = self.graph;
        let ends = self.ends.slots.iter().chain(self.ends.diverted.iter().flatten());
        let connected: HashSet<To> = ends.flatten().copied().collect();
        for (r, routine) in graph.routines.iter().enumerate() {
            if self.ids[routine.id.as_str()] != r {
                continue;
            }
            for (s, slot) in routine.slots.iter().enumerate() {
                let whole = Port::new(&routine.id, &slot.name);
                let what = match routine.inner {
                    Some(_) => format!("the input `{}` of the flow `{}`", slot.name, routine.id),
                    None => format!("the slot `{whole}`"),
                };
                match slot.role {
                    _ if slot.optional => {}
                    Role::Handler if connected.contains(&(r, s, None)) => {}
                    Role::Handler => self.is_unconnected(r, whole, &slot.payload, &what),
                    Role::Join => {
                        for (p, param) in slot.params.iter().enumerate() {
                            if !connected.contains(&(r, s, Some(p))) {
                                let port = Port::new(&routine.id, format!("{}.{}", slot.name, param.name));
                                let what = format!("the parameter `{}` of the join `{whole}`", param.name);
                                self.is_unconnected(r, port, &param.payload, &what);
                            }
                        }
                    }
                    Role::Source { .. } | Role::Finish => {}
                }
            }
        }
    }

    fn is_unconnected(&mut self, routine: usize, port: Port, payload: &str, what: &str) {
        if self.probably_meant.contains(&port)
            || self.unclear_routines.contains(&routine)
            || self.unclear_slots.contains(port.name.as_str())
        {
            return;
        }
        let help = format!("connect it, for example `{};`", self.likely_source(routine, payload, &port));
        let takes = if payload.is_empty() { String::new() } else { format!(", which takes `{payload}`") };
        let message = format!("nothing is connected to {what}{takes}");
        let join =
            self.graph.routines[routine].port(&port.name).is_some_and(|(_, parameter)| parameter.is_some());
        let code = if join { Code::UnconnectedParameter } else { Code::UnconnectedSlot };
        self.tell(code, Place::Routine(routine), message, help).port = Some(port);
    }

    /// A line that would connect the slot: from an event of the same type that leads nowhere yet,
    /// else from any of that type, else from an input.
    fn likely_source(&self, receiver: usize, payload: &str, slot: &Port) -> String {
        let mut fitting: Vec<(bool, Port)> = Vec::new();
        for (r, routine) in self.graph.routines.iter().enumerate() {
            if r == receiver {
                continue;
            }
            for (e, event) in routine.events.iter().enumerate() {
                if event.payload == payload && !event.live {
                    let taken = self.ends.events.contains(&Some((r, Leaving::Event(e))));
                    fitting.push((taken, Port::new(&routine.id, &event.name)));
                }
            }
        }
        fitting.sort_by_key(|(taken, _)| *taken);
        match fitting.first() {
            Some((_, event)) => format!("{event} -> {slot}"),
            None => format!("in {} -> {slot}", input_name(slot)),
        }
    }

    pub(super) fn way_in(&mut self) {
        let graph = self.graph;
        let has_input =
            graph.connections.iter().any(|connection| matches!(connection.from, Source::Input(_)));
        if has_input || graph.routines.iter().any(starts) {
            return;
        }
        // Who connects an input to what lacks one has a way in too.
        let unconnected: Vec<usize> = (0..self.problems.len())
            .filter(|index| {
                matches!(self.problems[*index].code, Code::UnconnectedSlot | Code::UnconnectedParameter)
            })
            .collect();
        if unconnected.iter().any(|index| self.problems[*index].help.contains("`in ")) {
            return;
        }
        if let [only] = unconnected.as_slice()
            && let Some(slot) = &self.problems[*only].port
        {
            let help = format!("connect it, for example `in {} -> {slot};`", input_name(slot));
            self.problems[*only].help = help;
            return;
        }
        let slots = graph
            .routines
            .iter()
            .flat_map(|routine| slot_names(routine).into_iter().map(|name| Port::new(&routine.id, name)));
        let add = slots
            .into_iter()
            .next()
            .map(|slot| format!("add an input, for example `in {} -> {slot};`", input_name(&slot)));
        let sources = graph.routines.iter().flat_map(|routine| &routine.slots);
        let source = sources.into_iter().find(|slot| matches!(slot.role, Role::Source { .. }));
        let start =
            source.map(|source| format!("start the source: `#[source(start)] fn {}(..)`", source.name));
        let help = match (add, start) {
            (Some(add), Some(start)) => format!("{add}, or {start}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => {
                "declare a routine that has a slot, and add an input: `in name -> id.slot;`".into()
            }
        };
        let message =
            format!("no way leads into the flow `{}`, so none of its routines would ever run", graph.name);
        self.tell(Code::NoWayIn, Place::Flow, message, help);
    }

    pub(super) fn undelivered(&mut self) {
        let graph = self.graph;
        let ignored: HashSet<&Port> = graph.ignored.iter().collect();
        for (r, routine) in graph.routines.iter().enumerate() {
            for (e, event) in routine.events.iter().enumerate() {
                let port = Port::new(&routine.id, &event.name);
                if self.ends.events.contains(&Some((r, Leaving::Event(e))))
                    || ignored.contains(&port)
                    || self.probably_meant.contains(&port)
                    || self.unclear_routines.contains(&r)
                {
                    continue;
                }
                let message = format!("the event `{port}` leads nowhere");
                let help = format!("connect it, or write `ignore {port};`");
                self.tell(Code::EventLeadsNowhere, Place::Routine(r), message, help).port = Some(port);
            }
        }
    }

    pub(super) fn unreached(&mut self) {
        let graph = self.graph;
        let ways = Ways::of(graph, &self.ends);
        let mut from = ways.after_inputs(graph, &self.ends, None);
        from.extend(ways.started(graph));
        // These run even if nothing comes.
        let at_the_end = |slot: &Slot| slot.role == Role::Finish || slot.when == When::Drained;
        for (index, routine) in graph.routines.iter().enumerate() {
            if routine.slots.iter().any(at_the_end) {
                from.push(ways.starting(index));
            }
        }
        let reached = ways.reached(from);
        let has_source = graph.routines.iter().any(starts);
        let beginning = if has_source { "an input or a started source" } else { "an input" };
        for (index, routine) in graph.routines.iter().enumerate() {
            let entered = (0..routine.slots.len()).any(|slot| reached[ways.entering((index, slot, None))]);
            if !entered && !starts(routine) {
                self.tell(
                    Code::RoutineNeverReached,
                    Place::Routine(index),
                    format!("no way leads from {beginning} to `{}`, so it never runs", routine.id),
                    "connect one of its slots, or remove it".into(),
                );
            }
        }
    }
}

/// Whether something begins in a routine without an input: its source is started, or it is a flow in which that is so. A flow without
/// inputs has been checked to have one.
fn starts(routine: &Routine) -> bool {
    match &routine.inner {
        Some(inner) => !inner.always.is_empty() || routine.slots.is_empty(),
        None => routine.slots.iter().any(|slot| slot.role == (Role::Source { start: true })),
    }
}

/// What an input is called that leads to this slot; of a join, its parameter.
fn input_name(slot: &Port) -> &str {
    slot.name.rsplit('.').next().unwrap_or(&slot.name)
}
