//! Which way things go in a flow. Any port of a routine may lead to any of its events, so a routine is one node. A flow in a
//! flow is known better: each of its inputs and outputs is a node, with an edge where one reaches the other.

use crate::cycles::{Edge, Via};
use crate::ends::{Ends, From, Leaving, To, concerned};
use crate::model::{Drained, Graph, Role, Routine, Source, Target};

pub(crate) struct Ways {
    /// By routine: its first node. Those of a flow are its inputs, its outputs, what starts by itself, and what fails.
    first: Vec<usize>,
    /// By routine: how many inputs and outputs, where it is a flow.
    flows: Vec<Option<(usize, usize)>>,
    /// What is inside, then the connections, then the policies.
    pub(crate) edges: Vec<Edge>,
    pub(crate) out_of: Vec<Vec<Edge>>,
}

impl Ways {
    pub(crate) fn of(graph: &Graph, ends: &Ends) -> Self {
        let mut ways = Ways { first: Vec::new(), flows: Vec::new(), edges: Vec::new(), out_of: Vec::new() };
        let mut nodes = 0;
        for routine in &graph.routines {
            ways.first.push(nodes);
            let flow = routine.inner.as_ref().map(|_| (routine.slots.len(), routine.events.len()));
            ways.flows.push(flow);
            nodes += flow.map_or(1, |(ins, outs)| ins + outs + 2);
        }
        for (r, routine) in graph.routines.iter().enumerate() {
            let Some(inner) = &routine.inner else { continue };
            let into = |name: &str| routine.slots.iter().position(|slot| slot.name == name);
            let out = |name: &str| routine.events.iter().position(|event| event.name == name);
            let mut inside = |from: usize, to: usize| ways.edges.push(Edge { via: Via::Inner, from, to });
            let (first, ins) = (ways.first[r], routine.slots.len());
            let (starts, fails) =
                (first + ins + routine.events.len(), first + ins + routine.events.len() + 1);
            for (from, to) in &inner.reach {
                if let (Some(from), Some(to)) = (into(from), out(to)) {
                    inside(first + from, first + ins + to);
                }
            }
            inner.always.iter().filter_map(|name| out(name)).for_each(|to| inside(starts, first + ins + to));
            (0..ins).for_each(|from| inside(first + from, fails));
            inside(starts, fails);
        }
        for index in 0..graph.connections.len() {
            if let (Some(from), Some(to)) = (ends.events[index], ends.slots[index]) {
                let (from, to) = (ways.leaving(from), ways.entering(to));
                ways.edges.push(Edge { via: Via::Connection(index), from, to });
            }
        }
        for (index, policy) in graph.policies.iter().enumerate() {
            for from in concerned(graph, policy.of.as_ref(), policy.panic) {
                for to in ends.diverted[index].iter().flatten() {
                    let (from, to) = (ways.failing(from), ways.entering(*to));
                    ways.edges.push(Edge { via: Via::Policy(index), from, to });
                }
            }
        }
        ways.out_of = vec![Vec::new(); nodes];
        for edge in &ways.edges {
            ways.out_of[edge.from].push(*edge);
        }
        ways
    }

    pub(crate) fn nodes(&self) -> usize {
        self.out_of.len()
    }

    /// The node that this event leaves.
    pub(crate) fn leaving(&self, (routine, leaving): From) -> usize {
        match (self.flows[routine], leaving) {
            (Some((ins, _)), Leaving::Event(event)) => self.first[routine] + ins + event,
            (_, Leaving::Error(_)) => self.failing(routine),
            (None, Leaving::Event(_)) => self.first[routine],
        }
    }

    /// The node that this slot enters.
    pub(crate) fn entering(&self, (routine, slot, _): To) -> usize {
        self.first[routine] + self.flows[routine].map_or(0, |_| slot)
    }

    /// The node of what starts by itself in a routine.
    pub(crate) fn starting(&self, routine: usize) -> usize {
        self.first[routine] + self.flows[routine].map_or(0, |(ins, outs)| ins + outs)
    }

    /// The node of what fails in a routine.
    pub(crate) fn failing(&self, routine: usize) -> usize {
        self.first[routine] + self.flows[routine].map_or(0, |(ins, outs)| ins + outs + 1)
    }

    /// The routine that a node belongs to.
    pub(crate) fn routine(&self, node: usize) -> usize {
        self.first.partition_point(|first| *first <= node) - 1
    }

    /// The nodes that can be reached from these, which are among them.
    pub(crate) fn reached(&self, from: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut reached = vec![false; self.nodes()];
        let mut todo: Vec<usize> = from.into_iter().collect();
        while let Some(at) = todo.pop() {
            if !std::mem::replace(&mut reached[at], true) {
                todo.extend(self.out_of[at].iter().map(|edge| edge.to));
            }
        }
        reached
    }

    /// The nodes from which these can be reached, which are among them.
    pub(crate) fn reaching(&self, to: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut into: Vec<Vec<usize>> = vec![Vec::new(); self.nodes()];
        for edge in &self.edges {
            into[edge.to].push(edge.from);
        }
        let mut reaching = vec![false; self.nodes()];
        let mut todo: Vec<usize> = to.into_iter().collect();
        while let Some(at) = todo.pop() {
            if !std::mem::replace(&mut reaching[at], true) {
                todo.extend(&into[at]);
            }
        }
        reaching
    }

    /// The edges that end at a port: what is next upstream of it.
    pub(crate) fn ending_at(&self, ends: &Ends, routine: usize, port: usize) -> Vec<Edge> {
        let is_it = |to: &Option<To>| to.is_some_and(|to| (to.0, to.1) == (routine, port));
        let ends_there = |edge: &&Edge| match edge.via {
            Via::Connection(index) => is_it(&ends.slots[index]),
            Via::Policy(index) => ends.diverted[index].iter().any(is_it) && self.routine(edge.to) == routine,
            Via::Inner => false,
        };
        self.edges.iter().filter(ends_there).copied().collect()
    }

    /// The nodes where something begins without an input: sources that are started, and what starts in a flow.
    pub(crate) fn started(&self, graph: &Graph) -> Vec<usize> {
        let begins = |role: &Role| matches!(role, Role::Source { start: true });
        let routines = graph.routines.iter().enumerate();
        let started = routines.filter(|(_, routine)| match &routine.inner {
            Some(_) => true,
            None => routine.slots.iter().any(|slot| begins(&slot.role)),
        });
        started.map(|(number, _)| self.starting(number)).collect()
    }

    /// The nodes by which a drained slot inside a flow is entered, and those that it leads to.
    pub(crate) fn drained_in(
        &self,
        graph: &Graph,
        routine: usize,
        drained: &Drained,
    ) -> (Vec<usize>, Vec<usize>) {
        let Routine { slots, events, .. } = &graph.routines[routine];
        let into = drained.from.iter().filter_map(|name| slots.iter().position(|slot| slot.name == *name));
        let out = drained.to.iter().filter_map(|name| events.iter().position(|event| event.name == *name));
        let first = self.first[routine];
        (into.map(|slot| first + slot).collect(), out.map(|event| first + slots.len() + event).collect())
    }

    /// The nodes that the inputs of the flow lead to, of all or of one.
    pub(crate) fn after_inputs(&self, graph: &Graph, ends: &Ends, input: Option<&str>) -> Vec<usize> {
        let connections = graph.connections.iter().zip(&ends.slots);
        let entered = connections.filter_map(|(connection, slot)| match &connection.from {
            Source::Input(name) if input.is_none_or(|input| input == name) => Some(self.entering((*slot)?)),
            _ => None,
        });
        entered.collect()
    }

    /// By output of the flow, `result` the last where it has one: the nodes that lead to it.
    pub(crate) fn to_outputs(&self, graph: &Graph, ends: &Ends) -> Vec<(String, Vec<usize>)> {
        let mut outputs: Vec<(String, Vec<usize>)> =
            graph.outputs().into_iter().map(|name| (name.to_owned(), Vec::new())).collect();
        let mut lead = |target: &Target, from: &[usize]| {
            let Some(name) = output_name(target) else { return };
            if let Some((_, nodes)) = outputs.iter_mut().find(|(known, _)| known == name) {
                nodes.extend(from);
            }
        };
        for (connection, event) in graph.connections.iter().zip(&ends.events) {
            if let Some(event) = event {
                lead(&connection.to, &[self.leaving(*event)]);
            }
        }
        for policy in &graph.policies {
            let from: Vec<usize> = concerned(graph, policy.of.as_ref(), policy.panic)
                .into_iter()
                .map(|routine| self.failing(routine))
                .collect();
            policy.to.iter().for_each(|target| lead(target, &from));
        }
        outputs
    }
}

/// The name of the event that an output is where the flow is an instance in another one.
pub(crate) fn output_name(target: &Target) -> Option<&str> {
    match target {
        Target::Output(name) => Some(name),
        Target::Return => Some(RESULT),
        Target::Slot(_) => None,
    }
}

/// The event that the `return` of a flow is, where the flow is an instance in another one.
pub(crate) const RESULT: &str = "result";
