//! Connections as a whole: what goes where it may not, or is there twice.

use super::{Checker, Part, Place};
use crate::code::Code;
use crate::ends::Leaving;
use crate::model::{Connection, Port, Source, Target};
use std::collections::HashMap;
use std::hash::Hash;

impl Checker<'_> {
    fn is_live(&self, index: usize) -> bool {
        let Some((routine, Leaving::Event(event))) = self.ends.events[index] else { return false };
        self.graph.routines[routine].events[event].live
    }

    /// A live event leaves the job before its step has ended: nothing in the job may depend on it.
    pub(super) fn live(&mut self) {
        let graph = self.graph;
        // By output: the first connection to it.
        let mut outputs: HashMap<&str, usize> = HashMap::new();
        for (index, connection) in graph.connections.iter().enumerate() {
            let (Source::Event(event), Some(_)) = (&connection.from, self.ends.events[index]) else {
                continue;
            };
            match &connection.to {
                Target::Output(name) => {
                    let first = *outputs.entry(name).or_insert(index);
                    let live = self.is_live(index);
                    if live != self.is_live(first) {
                        let (one, other) =
                            if live { ("a live", "ordinary ones") } else { ("an ordinary", "live ones") };
                        self.tell(
                            Code::LiveShared,
                            Place::To(index, Part::Whole),
                            format!("`{event}` is {one} event, and `{}` carries {other}", connection.to),
                            format!("give it an `out` of its own: `{event} -> out {};`", event.name),
                        )
                        .first = Some(Place::To(first, Part::Whole));
                    }
                }
                Target::Slot(slot) if self.is_live(index) => {
                    // Whatever else is wrong with this connection is no more once it ends elsewhere.
                    if self.ends.slots[index].take().is_some() {
                        self.probably_meant.insert(slot.clone());
                        self.live_within(index, event);
                    }
                }
                Target::Return if self.is_live(index) => self.live_within(index, event),
                Target::Slot(_) | Target::Return => {}
            }
        }
    }

    fn live_within(&mut self, index: usize, event: &Port) {
        self.tell(
            Code::LiveDelivered,
            Place::To(index, Part::Whole),
            format!("`{event}` is a live event, which leaves before its step has ended: it goes to an `out` only"),
            format!(
                "write `{event} -> out {0};`, or make it an ordinary event where it is declared: `#[event] fn {0}(..);`",
                event.name
            ),
        );
    }

    /// Two connections between the same ends are two only if their guards or maps differ.
    fn twice(connection: &Connection) -> impl Eq + Hash + '_ {
        (&connection.from, &connection.to, &connection.guard, connection.otherwise, &connection.map)
    }

    pub(super) fn duplicates(&mut self) {
        let graph = self.graph;
        let mut seen = HashMap::new();
        for (index, connection) in graph.connections.iter().enumerate() {
            if connection.to == Target::Return {
                continue;
            }
            let first = *seen.entry(Self::twice(connection)).or_insert(index);
            if first != index {
                let once = Connection { feedback: false, bound: None, ..connection.clone() };
                self.tell(
                    Code::DuplicateConnection,
                    Place::To(index, Part::Whole),
                    format!("`{once}` is connected twice"),
                    "remove one of them: every payload would arrive twice".into(),
                )
                .first = Some(Place::To(first, Part::Whole));
            }
        }
    }

    /// An `else` belongs to a guard at the same event.
    pub(super) fn otherwise(&mut self) {
        let graph = self.graph;
        for (index, connection) in graph.connections.iter().enumerate() {
            if !connection.otherwise {
                continue;
            }
            let guards = |other: &Connection| {
                !other.otherwise && other.from == connection.from && other.guard == connection.guard
            };
            if connection.guard.is_some() && graph.connections.iter().any(guards) {
                continue;
            }
            self.tell(
                Code::ElseWithoutGuard,
                Place::To(index, Part::Whole),
                format!("this `else` of `{}` has no `if` that it belongs to", connection.from),
                format!(
                    "write the guard in the same statement: `{} if |e| .. -> a.b; else -> {};`",
                    connection.from, connection.to
                ),
            );
        }
    }

    pub(super) fn returns(&mut self) {
        let mut first = None;
        for (index, connection) in self.graph.connections.iter().enumerate() {
            if connection.to != Target::Return || self.is_live(index) {
                continue;
            }
            match first {
                None => first = Some(index),
                Some(first) => {
                    self.tell(
                        Code::SecondReturn,
                        Place::To(index, Part::Whole),
                        "a flow has one `return`".into(),
                        "give the others an `out` of their own".into(),
                    )
                    .first = Some(Place::To(first, Part::Whole));
                }
            }
        }
    }

    pub(super) fn ignored(&mut self) {
        let graph = self.graph;
        for (index, port) in graph.ignored.iter().enumerate() {
            let Some(event) = self.event(port, |part| Place::Ignored(index, part)) else { continue };
            if let (routine, Leaving::Error(slot)) = event {
                let handler = &graph.routines[routine].slots[slot].name;
                self.tell(
                    Code::IgnoredError,
                    Place::Ignored(index, Part::Whole),
                    format!("`{port}` is an error event, and an error is not ignored in silence"),
                    format!(
                        "to go on without what failed, write `on error of {}.{handler} skip;`",
                        port.routine
                    ),
                );
                continue;
            }
            if let Some(delivered) = self.ends.events.iter().position(|known| *known == Some(event)) {
                self.tell(
                    Code::IgnoredDelivered,
                    Place::Ignored(index, Part::Whole),
                    format!("`{port}` is ignored here and connected elsewhere"),
                    "remove one of the two".into(),
                )
                .first = Some(Place::From(delivered, Part::Whole));
            }
        }
    }
}
