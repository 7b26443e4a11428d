//! What another flow has to know of a flow that it holds.

use crate::ends::Leaving;
use crate::ends::{Ends, leaving};
use crate::model::{
    Connection, Drained, Event, Graph, Inner, Port, Role, Routine, Slot, Source, Target, When,
};
use crate::ways::{Ways, output_name};

impl Graph {
    /// The flow as an instance in another one: its inputs as slots, its outputs and its result as events, and what reaches what
    /// in it. A type is that of the first port that is connected without an operator, and empty where there is none.
    pub fn instance(&self, id: impl Into<String>) -> Routine {
        let slots = self.inputs().into_iter().map(|name| {
            let is_it = |connection: &&Connection| is_input(connection, name);
            let port = self.connections.iter().filter(is_it).find_map(|connection| match &connection.to {
                Target::Slot(port) if as_it_is(connection) => self.payload_of_slot(port),
                _ => None,
            });
            Slot::new(name, port.unwrap_or_default())
        });
        let events = self.outputs().into_iter().map(|name| {
            let ends_there = |connection: &&Connection| output_name(&connection.to) == Some(name);
            let found: Vec<(&Connection, Option<Event>)> = self
                .connections
                .iter()
                .filter(ends_there)
                .map(|connection| match &connection.from {
                    Source::Event(port) => (connection, self.event_at(port)),
                    Source::Input(_) => (connection, None),
                })
                .collect();
            let mut known = found.iter().filter(|(connection, _)| as_it_is(connection));
            let payload = known.find_map(|(_, event)| Some(event.as_ref()?.payload.clone()));
            let live = found.iter().any(|(_, event)| event.as_ref().is_some_and(|event| event.live));
            Event { live, ..Event::new(name, payload.unwrap_or_default()) }
        });
        Routine {
            slots: slots.collect(),
            events: events.collect(),
            inner: Some(Box::new(Inner::of(self))),
            ..Routine::new(id, &self.name)
        }
    }

    fn payload_of_slot(&self, port: &Port) -> Option<String> {
        let routine = self.routine(&port.routine)?;
        let (slot, param) = routine.port(&port.name)?;
        let slot = &routine.slots[slot];
        Some(param.map_or(&slot.payload, |param| &slot.params[param].payload).clone())
    }

    fn event_at(&self, port: &Port) -> Option<Event> {
        let routine = self.routine(&port.routine)?;
        Some(match leaving(routine, &port.name)? {
            Leaving::Event(event) => routine.events[event].clone(),
            Leaving::Error(slot) => {
                Event::new(&port.name, format!("Failure<{}>", routine.slots[slot].payload))
            }
        })
    }
}

impl Inner {
    /// What there is to know of a flow. Its flows need not be known but for their outside.
    pub fn of(graph: &Graph) -> Self {
        let ends = Ends::of(graph);
        let ways = Ways::of(graph, &ends);
        let outputs = ways.to_outputs(graph, &ends);
        let led_to = |reached: &[bool]| -> Vec<String> {
            let found = outputs.iter().filter(|(_, nodes)| nodes.iter().any(|node| reached[*node]));
            found.map(|(name, _)| name.clone()).collect()
        };
        // By input: its name, and the nodes that it reaches.
        let inputs: Vec<(String, Vec<bool>)> = graph
            .inputs()
            .into_iter()
            .map(|name| (name.to_owned(), ways.reached(ways.after_inputs(graph, &ends, Some(name)))))
            .collect();

        let mut reach = Vec::new();
        for (input, reached) in &inputs {
            let mut outs = led_to(reached);
            for connection in &graph.connections {
                let Some(output) = output_name(&connection.to) else { continue };
                if is_input(connection, input) && !outs.iter().any(|known| known == output) {
                    outs.push(output.to_owned());
                }
            }
            reach.extend(outs.into_iter().map(|out| (input.clone(), out)));
        }

        let mut drained = Vec::new();
        for (r, routine) in graph.routines.iter().enumerate() {
            for (s, slot) in routine.slots.iter().enumerate() {
                if slot.when != When::Drained || slot.role != Role::Handler || routine.inner.is_some() {
                    continue;
                }
                let next = ways.ending_at(&ends, r, s);
                let enters = |name: &str| {
                    let connections = graph.connections.iter().zip(&ends.slots);
                    connections.into_iter().any(|(connection, to)| {
                        is_input(connection, name) && to.is_some_and(|to| (to.0, to.1) == (r, s))
                    })
                };
                let upstream = inputs
                    .iter()
                    .filter(|(name, reached)| next.iter().any(|edge| reached[edge.from]) || enters(name));
                drained.push(Drained {
                    slot: format!("{}.{}", routine.id, slot.name),
                    from: upstream.map(|(name, _)| name.clone()).collect(),
                    to: led_to(&ways.reached([ways.starting(r)])),
                });
            }
            let further = routine.inner.iter().flat_map(|inner| &inner.drained);
            drained.extend(further.map(|known| {
                let into = ways.drained_in(graph, r, known);
                let upstream = inputs.iter().filter(|(_, reached)| into.0.iter().any(|node| reached[*node]));
                Drained {
                    slot: format!("{}.{}", routine.id, known.slot),
                    from: upstream.map(|(name, _)| name.clone()).collect(),
                    to: led_to(&ways.reached(into.1)),
                }
            }));
        }
        let always = led_to(&ways.reached(ways.started(graph)));
        Inner { graph: Some(graph.clone()), reach, always, drained }
    }
}

fn is_input(connection: &Connection, name: &str) -> bool {
    matches!(&connection.from, Source::Input(input) if input == name)
}

fn as_it_is(connection: &Connection) -> bool {
    !connection.converts && connection.map.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{flow, routine};

    fn pairs(inner: &Inner) -> Vec<(&str, &str)> {
        inner.reach.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect()
    }

    #[test]
    fn what_reaches_what_is_told_port_by_port() {
        let graph = flow(
            vec![
                routine("a", &["x"], &["y"]),
                routine("b", &["x"], &["y"]),
                routine("s", &["go:start"], &["y"]),
                routine("t", &["all:drained"], &["y"]),
            ],
            &[
                "in one -> a.x",
                "in two -> b.x",
                "in two -> out past",
                "a.y -> out a",
                "b.y -> t.all",
                "s.y -> out ticks",
                "t.y -> return",
            ],
        );
        let inner = Inner::of(&graph);
        assert_eq!(pairs(&inner), [("one", "a"), ("two", "result"), ("two", "past")]);
        assert_eq!(inner.always, ["ticks"]);
        assert_eq!(
            inner.drained,
            [Drained { slot: "t.all".into(), from: vec!["two".into()], to: vec!["result".into()] }]
        );

        // The same through a flow that holds it, of which only the outside is known.
        let mut held = graph.instance("f");
        held.inner.as_mut().unwrap().graph = None;
        let outer = flow(
            vec![held],
            &[
                "in p -> f.one",
                "in q -> f.two",
                "f.a -> out a",
                "f.result -> out r",
                "f.ticks -> return",
                "f.past -> out past",
            ],
        );
        let inner = Inner::of(&outer);
        assert_eq!(pairs(&inner), [("p", "a"), ("q", "r"), ("q", "past")]);
        assert_eq!(inner.always, ["result"]);
        assert_eq!(
            inner.drained,
            [Drained { slot: "f.t.all".into(), from: vec!["q".into()], to: vec!["r".into()] }]
        );
    }
}
