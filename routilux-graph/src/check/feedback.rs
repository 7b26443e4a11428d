//! Ways that lead back to where they came from: cycles and their marks, and slots that would wait for themselves.

use super::{Checker, Part, Place};
use crate::code::Code;
use crate::cycles::{self, Edge, Via};
use crate::ends::Leaving;
use crate::model::{Connection, Role, Source, Target, When};
use crate::ways::Ways;
use std::collections::HashSet;

impl Checker<'_> {
    pub(super) fn feedback(&mut self) {
        let ways = Ways::of(self.graph, &self.ends);
        let told = self.drained(&ways);
        self.unmarked(&ways, &told);
        self.without_cycle(&ways);
    }

    /// A slot downstream of itself cannot wait until nothing can come any more. Returns the connections that lead back to one.
    fn drained(&mut self, ways: &Ways) -> HashSet<usize> {
        let graph = self.graph;
        let mut told = HashSet::new();
        for (r, routine) in graph.routines.iter().enumerate() {
            for (s, slot) in routine.slots.iter().enumerate() {
                if routine.inner.is_none() && slot.role == Role::Handler && slot.when == When::Drained {
                    let into: Vec<Edge> = ways.ending_at(&self.ends, r, s);
                    self.lead_back(
                        ways,
                        &format!("{}.{}", routine.id, slot.name),
                        &[ways.starting(r)],
                        &into,
                        &mut told,
                    );
                }
            }
            for drained in routine.inner.iter().flat_map(|inner| &inner.drained) {
                let (into, out) = ways.drained_in(graph, r, drained);
                let into: Vec<Edge> =
                    ways.edges.iter().filter(|edge| into.contains(&edge.to)).copied().collect();
                self.lead_back(ways, &format!("{}.{}", routine.id, drained.slot), &out, &into, &mut told);
            }
        }
        told
    }

    /// Tells the first way from what a drained slot leads to, back into it.
    fn lead_back(
        &mut self,
        ways: &Ways,
        slot: &str,
        out: &[usize],
        into: &[Edge],
        told: &mut HashSet<usize>,
    ) {
        let mut first = true;
        for edge in into {
            let Some(mut way) = out.iter().find_map(|from| cycles::path(&ways.out_of, *from, edge.from))
            else {
                continue;
            };
            told.extend(edge.connection());
            if !std::mem::take(&mut first) {
                continue;
            }
            way.push(*edge);
            let place = match edge.via {
                Via::Policy(row) => Place::Policy(row, Part::Whole),
                Via::Connection(index) => Place::To(index, Part::Whole),
                Via::Inner => Place::Flow,
            };
            self.tell(
                Code::DrainedDownstream,
                place,
                format!("`{slot}` is drained and leads to itself: {}", self.drawn(&way)),
                "a drained slot runs when nothing can come to it any more: remove one of these connections, or \
                 let it run before that"
                    .into(),
            );
        }
    }

    fn unmarked(&mut self, ways: &Ways, told: &HashSet<usize>) {
        let graph = self.graph;
        // A row has no mark: what failed is not sent back by mistake.
        let marked = |edge: &&Edge| match edge.via {
            Via::Connection(index) => !graph.connections[index].feedback,
            Via::Policy(_) => false,
            Via::Inner => true,
        };
        let edges: Vec<Edge> = ways.edges.iter().filter(marked).copied().collect();
        for cycle in cycles::closing(ways.nodes(), &edges) {
            let Some(closing) = cycle.last().and_then(Edge::connection) else { continue };
            // A mark would not help there.
            if cycle.iter().filter_map(Edge::connection).any(|index| told.contains(&index)) {
                continue;
            }
            let written = &graph.connections[closing];
            let marked = Connection { feedback: true, ..written.clone() };
            let message = match (&written.from, cycle.as_slice()) {
                (Source::Event(port), [_]) => {
                    format!("`{written}` leads back to the routine `{}` itself", port.routine)
                }
                _ => format!("`{written}` closes a cycle: {}", self.drawn(&cycle)),
            };
            self.tell(
                Code::UnmarkedCycle,
                Place::To(closing, Part::Whole),
                message,
                format!("if the feedback is meant, mark it: `{marked};`"),
            );
        }
    }

    fn without_cycle(&mut self, ways: &Ways) {
        let graph = self.graph;
        // Where another connection could not be read, this cycle may be what it would have closed.
        if self.has_unresolved() {
            return;
        }
        for edge in &ways.edges {
            let Some(index) = edge.connection() else { continue };
            let written = &graph.connections[index];
            if written.feedback && cycles::path(&ways.out_of, edge.to, edge.from).is_none() {
                let plain = Connection { feedback: false, bound: None, ..written.clone() };
                self.tell(
                    Code::NoCycle,
                    Place::To(index, Part::Whole),
                    format!(
                        "`loop` marks feedback, but no way leads from `{}` back to `{}`",
                        written.to, written.from
                    ),
                    format!("write `{plain};`"),
                );
            }
        }
    }

    /// A cycle that nothing on it can end: each handler emits the next event every time, no guard is in the way, and no bound.
    pub(super) fn endless(&mut self) {
        let graph = self.graph;
        let is_free = |connection: &Connection| {
            connection.guard.is_none() && connection.bound.is_none() && connection.map.is_none()
        };
        // The nodes are slots here: another handler of the routine may be what ends it.
        let mut first = vec![0];
        for routine in &graph.routines {
            first.push(first.last().copied().unwrap_or_default() + routine.slots.len());
        }
        let mut edges = Vec::new();
        for (index, connection) in graph.connections.iter().enumerate() {
            let (Some((from, Leaving::Event(event))), Some((to, slot, None))) =
                (self.ends.events[index], self.ends.slots[index])
            else {
                continue;
            };
            let taken = &graph.routines[to].slots[slot];
            if !is_free(connection) || taken.role != Role::Handler || taken.when != When::Each {
                continue;
            }
            let routine = &graph.routines[from];
            for (number, sender) in routine.slots.iter().enumerate() {
                if sender.always.as_ref() == Some(&routine.events[event].name) {
                    let (from, to) = (first[from] + number, first[to] + slot);
                    edges.push(Edge { via: Via::Connection(index), from, to });
                }
            }
        }
        let nodes = first.last().copied().unwrap_or_default();
        for cycle in cycles::closing(nodes, &edges) {
            let marked =
                |edge: &&Edge| edge.connection().is_some_and(|index| graph.connections[index].feedback);
            let Some(index) = cycle.iter().find(marked).or(cycle.last()).and_then(Edge::connection) else {
                continue;
            };
            let bounded = Connection { feedback: true, bound: Some(25), ..graph.connections[index].clone() };
            self.tell(
                Code::EndlessCycle,
                Place::To(index, Part::Whole),
                format!("this never ends: each step of the cycle sends the next event: {}", self.drawn(&cycle)),
                format!(
                    "let a handler return an `Option` of what it emits, or write a guard, or a bound: `{bounded};`"
                ),
            );
        }
    }

    fn has_unresolved(&self) -> bool {
        self.graph.connections.iter().enumerate().any(|(index, connection)| {
            (matches!(connection.from, Source::Event(_)) && self.ends.events[index].is_none())
                || (matches!(connection.to, Target::Slot(_)) && self.ends.slots[index].is_none())
        })
    }

    /// A way as the connections and rows that it consists of.
    fn drawn(&self, way: &[Edge]) -> String {
        let written: Vec<String> = way
            .iter()
            .filter_map(|edge| match edge.via {
                Via::Connection(index) => Some(format!("`{}`", self.graph.connections[index])),
                Via::Policy(index) => Some(format!("`{}`", self.graph.policies[index])),
                Via::Inner => None,
            })
            .collect();
        written.join(", ")
    }
}
