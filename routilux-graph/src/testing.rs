//! Flows for the tests of this crate, in few words.

use crate::model::{Connection, Event, Graph, Param, Port, Routine, Slot, Source, Target};

/// A routine. Its slots take `u64` and are written `x`, `x:drained`, `x:3`, `x:finish`, `x:start`, `x:source` and `x:within`; `x?` may fail,
/// `x(a, b)` is a join, and `x!y` emits `y` each time.
pub(crate) fn routine(id: &str, slots: &[&str], events: &[&str]) -> Routine {
    Routine {
        slots: slots.iter().map(|text| slot(text)).collect(),
        events: events.iter().map(|name| Event::new(*name, "u64")).collect(),
        ..Routine::new(id, id.to_uppercase())
    }
}

fn slot(text: &str) -> Slot {
    if let Some((name, params)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        return Slot::join(name, params.split(", ").map(|name| Param::new(name, "u64")).collect());
    }
    if let Some((name, event)) = text.split_once('!') {
        return Slot { always: Some(event.into()), ..Slot::new(name, "u64") };
    }
    let (name, kind) = text.split_once(':').unwrap_or((text, "each"));
    let (name, fallible) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
    let slot = match kind {
        "finish" => Slot::finish(name),
        "start" => Slot::source(name, true),
        "within" => Slot { within: true, ..Slot::new(name, "u64") },
        "source" => Slot::source(name, false),
        when => Slot { when: when.parse().unwrap(), ..Slot::new(name, "u64") },
    };
    Slot { fallible, whole: fallible, ..slot }
}

pub(crate) fn port(text: &str) -> Port {
    let (routine, name) = text.split_once('.').unwrap();
    Port::new(routine, name)
}

pub(crate) fn target(text: &str) -> Target {
    match (text, text.strip_prefix("out ")) {
        ("return", _) => Target::Return,
        (_, Some(name)) => Target::Output(name.into()),
        _ => Target::Slot(port(text)),
    }
}

/// `in x -> a.x`, `a.y -> loop b.x`, `a.y -> out y`, `a.y -> return`.
pub(crate) fn connection(text: &str) -> Connection {
    let (from, to) = text.split_once(" -> ").unwrap();
    let (feedback, to) = to.strip_prefix("loop ").map_or((false, to), |rest| (true, rest));
    let from = match from.strip_prefix("in ") {
        Some(name) => Source::Input(name.into()),
        None => Source::Event(port(from)),
    };
    Connection { feedback, ..Connection::new(from, target(to)) }
}

pub(crate) fn flow(routines: Vec<Routine>, connections: &[&str]) -> Graph {
    let connections = connections.iter().map(|text| connection(text)).collect();
    Graph { routines, connections, ..Graph::new("Test") }
}

/// A generator of numbers, always the same.
pub(crate) struct Lcg(pub(crate) u64);

impl Lcg {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}
