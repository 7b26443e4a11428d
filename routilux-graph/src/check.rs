//! The checks on a flow's wiring that need no Rust types. All mistakes are found at once, and
//! what only follows from another mistake is not told. It knows names, not places in a source
//! file: who called it turns a `Place` into a span, a line or an id.

use crate::cycles::{self, Edge, Via};
use crate::model::{Connection, Graph, Port, Routine, Source, Target};
use crate::suggest::did_you_mean;
use std::collections::{HashMap, HashSet};

/// One mistake in a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the flow can be used all the same.
    pub severity: Severity,
    /// Which mistake it is.
    pub kind: Kind,
    /// Where it is.
    pub place: Place,
    /// Where the other one of two is, for what is there twice.
    pub first: Option<Place>,
    /// What is wrong, in one line.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

/// Whether a mistake makes a flow unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The flow cannot be used.
    Error,
    /// The flow can be used, but hardly does what its author means.
    Warning,
}

/// The kinds of mistakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Two routines have one id.
    DuplicateRoutine,
    /// A connection is written twice.
    DuplicateConnection,
    /// A second `return`.
    SecondReturn,
    /// A connection names a routine that the flow does not have.
    UnknownRoutine(String),
    /// A connection names a slot or event that its routine does not have.
    UnknownPort,
    /// An event where a slot belongs, or the reverse.
    WrongDirection,
    /// Nothing leads to a slot that has to be connected.
    Unconnected(Port),
    /// A connection closes a cycle and is not marked with `loop`.
    UnmarkedCycle,
    /// A connection is marked with `loop` and closes no cycle.
    NoCycle,
    /// The flow has no input.
    NoWayIn,
    /// An event is both connected and ignored.
    IgnoredDelivered,
    /// A live event goes to a slot or to `return`.
    LiveDelivered,
    /// A live event and an ordinary one go to one output.
    LiveShared,
    /// An event leads nowhere.
    Undelivered(Port),
    /// No way leads from an input to a routine.
    Unreached,
}

/// Where in a flow a mistake is. Numbers are indices of the graph's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The flow as a whole.
    Flow,
    /// A routine's id.
    Routine(usize),
    /// A connection's beginning.
    From(usize, Part),
    /// A connection's end.
    To(usize, Part),
    /// A connection as a whole.
    Connection(usize),
    /// An ignored event.
    Ignored(usize, Part),
}

/// Which part of `routine.port` is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The routine's id.
    Routine,
    /// The name of the slot or event.
    Port,
    /// Both.
    Whole,
}

/// Finds every mistake in the wiring of a flow, in the order of its parts: routines, connections,
/// then what is missing.
pub fn check(graph: &Graph) -> Vec<Problem> {
    let mut checker = Checker::new(graph);
    checker.routines();
    checker.ends();
    checker.live();
    checker.duplicates();
    checker.returns();
    checker.ignored();
    checker.cycles();
    checker.unconnected();
    checker.way_in();
    checker.undelivered();
    checker.unreached();
    checker.problems
}

/// The indices of a routine and of one of its ports.
type Resolved = (usize, usize);

struct Checker<'g> {
    graph: &'g Graph,
    ids: HashMap<&'g str, usize>,
    problems: Vec<Problem>,
    /// By connection: the event it begins at and the slot it ends at, where they were found.
    events: Vec<Option<Resolved>>,
    slots: Vec<Option<Resolved>>,
    /// Ports that a misspelt name was probably meant for: they are not told to be missing too.
    probably_meant: HashSet<Port>,
    /// Routines, and names of slots, that a mistake was about without saying which port was meant.
    unclear_routines: HashSet<usize>,
    unclear_slots: HashSet<&'g str>,
}

impl<'g> Checker<'g> {
    fn new(graph: &'g Graph) -> Self {
        let mut ids = HashMap::new();
        for (index, routine) in graph.routines.iter().enumerate() {
            ids.entry(routine.id.as_str()).or_insert(index);
        }
        Checker {
            graph,
            ids,
            problems: Vec::new(),
            events: vec![None; graph.connections.len()],
            slots: vec![None; graph.connections.len()],
            probably_meant: HashSet::new(),
            unclear_routines: HashSet::new(),
            unclear_slots: HashSet::new(),
        }
    }

    fn tell(&mut self, kind: Kind, place: Place, message: String, help: String) -> &mut Problem {
        let severity = match kind {
            Kind::Undelivered(_) | Kind::Unreached => Severity::Warning,
            _ => Severity::Error,
        };
        let index = self.problems.len();
        self.problems.push(Problem { severity, kind, place, first: None, message, help });
        &mut self.problems[index]
    }

    fn routines(&mut self) {
        for (index, routine) in self.graph.routines.iter().enumerate() {
            let first = self.ids[routine.id.as_str()];
            if first != index {
                self.tell(
                    Kind::DuplicateRoutine,
                    Place::Routine(index),
                    format!("the id `{}` is used by two routines", routine.id),
                    "give each routine of a flow an id of its own".into(),
                )
                .first = Some(Place::Routine(first));
            }
        }
    }

    /// Finds the ports that the connections name.
    fn ends(&mut self) {
        let graph = self.graph;
        for (index, connection) in graph.connections.iter().enumerate() {
            if self.wrong_way_round(connection) {
                let reversed = format!("{} -> {}", connection.to, connection.from);
                self.unclear(connection);
                self.tell(
                    Kind::WrongDirection,
                    Place::Connection(index),
                    format!(
                        "`{connection}` is the wrong way round: it begins at a slot and ends at an event"
                    ),
                    format!("write `{reversed};`"),
                );
                continue;
            }
            if let Source::Event(port) = &connection.from {
                self.events[index] = self.event(port, |part| Place::From(index, part));
            }
            if let Target::Slot(port) = &connection.to {
                self.slots[index] = self.slot(port, |part| Place::To(index, part));
            }
        }
    }

    fn wrong_way_round(&self, connection: &Connection) -> bool {
        let (Source::Event(from), Target::Slot(to)) = (&connection.from, &connection.to) else {
            return false;
        };
        let is_slot = |port: &Port| {
            self.graph
                .routine(&port.routine)
                .is_some_and(|r| r.slot(&port.name).is_some() && r.event(&port.name).is_none())
        };
        let is_event = |port: &Port| {
            self.graph
                .routine(&port.routine)
                .is_some_and(|r| r.event(&port.name).is_some() && r.slot(&port.name).is_none())
        };
        is_slot(from) && is_event(to)
    }

    fn unclear(&mut self, connection: &Connection) {
        if let Source::Event(port) = &connection.from {
            self.probably_meant.insert(port.clone());
        }
        if let Target::Slot(port) = &connection.to {
            self.probably_meant.insert(port.clone());
        }
    }

    fn routine_of(&mut self, port: &'g Port, place: impl Fn(Part) -> Place) -> Option<usize> {
        if let Some(index) = self.ids.get(port.routine.as_str()) {
            return Some(*index);
        }
        let ids = self.graph.routines.iter().map(|routine| routine.id.as_str());
        let near = did_you_mean(&port.routine, ids.clone());
        match near {
            Some(near) => drop(self.probably_meant.insert(Port::new(near, &port.name))),
            None => drop(self.unclear_slots.insert(&port.name)),
        }
        let help = choices(near, &format!("the routines of `{}`", self.graph.name), ids);
        self.tell(
            Kind::UnknownRoutine(port.routine.clone()),
            place(Part::Routine),
            format!("there is no routine `{}` in this flow", port.routine),
            help,
        );
        None
    }

    fn event(&mut self, port: &'g Port, place: impl Fn(Part) -> Place) -> Option<Resolved> {
        let graph = self.graph;
        let routine = self.routine_of(port, &place)?;
        let known = &graph.routines[routine];
        let found = known.events.iter().position(|event| event.name == port.name);
        if let Some(event) = found {
            return Some((routine, event));
        }
        if known.slot(&port.name).is_some() {
            let help = choices(None, &format!("the events of `{}`", port.routine), event_names(known));
            let message = format!("`{port}` is a slot, and a connection begins at an event");
            self.unclear_routines.insert(routine);
            self.tell(Kind::WrongDirection, place(Part::Port), message, help);
            return None;
        }
        let near = did_you_mean(&port.name, event_names(known));
        match near {
            Some(near) => drop(self.probably_meant.insert(Port::new(&port.routine, near))),
            None => drop(self.unclear_routines.insert(routine)),
        }
        let help = choices(near, "its events", event_names(known));
        let message = format!("`{}` has no event `{}`", port.routine, port.name);
        self.tell(Kind::UnknownPort, place(Part::Port), message, help);
        None
    }

    fn slot(&mut self, port: &'g Port, place: impl Fn(Part) -> Place) -> Option<Resolved> {
        let graph = self.graph;
        let routine = self.routine_of(port, &place)?;
        let known = &graph.routines[routine];
        let found = known.slots.iter().position(|slot| slot.name == port.name);
        if let Some(slot) = found {
            return Some((routine, slot));
        }
        if known.event(&port.name).is_some() {
            let help = choices(None, &format!("the slots of `{}`", port.routine), slot_names(known));
            let message = format!("`{port}` is an event, and a connection ends at a slot");
            self.unclear_routines.insert(routine);
            self.tell(Kind::WrongDirection, place(Part::Port), message, help);
            return None;
        }
        let near = did_you_mean(&port.name, slot_names(known));
        match near {
            Some(near) => drop(self.probably_meant.insert(Port::new(&port.routine, near))),
            None => drop(self.unclear_routines.insert(routine)),
        }
        let help = choices(near, "its slots", slot_names(known));
        let message = format!("`{}` has no slot `{}`", port.routine, port.name);
        self.tell(Kind::UnknownPort, place(Part::Port), message, help);
        None
    }

    fn is_live(&self, index: usize) -> bool {
        self.events[index].is_some_and(|(routine, event)| self.graph.routines[routine].events[event].live)
    }

    /// A live event leaves the job before its step has ended: nothing in the job may depend on it.
    fn live(&mut self) {
        let graph = self.graph;
        // By output: the first connection to it.
        let mut outputs: HashMap<&str, usize> = HashMap::new();
        for (index, connection) in graph.connections.iter().enumerate() {
            let (Source::Event(event), Some(_)) = (&connection.from, self.events[index]) else { continue };
            match &connection.to {
                Target::Output(name) => {
                    let first = *outputs.entry(name).or_insert(index);
                    let live = self.is_live(index);
                    if live != self.is_live(first) {
                        let (one, other) =
                            if live { ("a live", "ordinary ones") } else { ("an ordinary", "live ones") };
                        self.tell(
                            Kind::LiveShared,
                            Place::To(index, Part::Whole),
                            format!("`{event}` is {one} event, and `{}` carries {other}", connection.to),
                            format!("give it an `out` of its own: `{event} -> out {};`", event.name),
                        )
                        .first = Some(Place::To(first, Part::Whole));
                    }
                }
                Target::Slot(slot) if self.is_live(index) => {
                    // Whatever else is wrong with this connection is no more once it ends elsewhere.
                    if self.slots[index].take().is_some() {
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
            Kind::LiveDelivered,
            Place::To(index, Part::Whole),
            format!("`{event}` is a live event, which leaves before its step has ended: it goes to an `out` only"),
            format!(
                "write `{event} -> out {0};`, or make it an ordinary event where it is declared: `#[event] fn {0}(..);`",
                event.name
            ),
        );
    }

    fn duplicates(&mut self) {
        let graph = self.graph;
        let mut seen: HashMap<(&Source, &Target), usize> = HashMap::new();
        for (index, connection) in graph.connections.iter().enumerate() {
            if connection.to == Target::Return {
                continue;
            }
            let first = *seen.entry((&connection.from, &connection.to)).or_insert(index);
            if first != index {
                let once = Connection { feedback: false, ..connection.clone() };
                self.tell(
                    Kind::DuplicateConnection,
                    Place::To(index, Part::Whole),
                    format!("`{once}` is connected twice"),
                    "remove one of them: every payload would arrive twice".into(),
                )
                .first = Some(Place::To(first, Part::Whole));
            }
        }
    }

    fn returns(&mut self) {
        let mut first = None;
        for (index, connection) in self.graph.connections.iter().enumerate() {
            if connection.to != Target::Return || self.is_live(index) {
                continue;
            }
            match first {
                None => first = Some(index),
                Some(first) => {
                    self.tell(
                        Kind::SecondReturn,
                        Place::To(index, Part::Whole),
                        "a flow has one `return`".into(),
                        "give the others an `out` of their own".into(),
                    )
                    .first = Some(Place::To(first, Part::Whole));
                }
            }
        }
    }

    fn ignored(&mut self) {
        let graph = self.graph;
        for (index, port) in graph.ignored.iter().enumerate() {
            let Some(event) = self.event(port, |part| Place::Ignored(index, part)) else { continue };
            if let Some(delivered) = self.events.iter().position(|known| *known == Some(event)) {
                self.tell(
                    Kind::IgnoredDelivered,
                    Place::Ignored(index, Part::Whole),
                    format!("`{port}` is ignored here and connected elsewhere"),
                    "remove one of the two".into(),
                )
                .first = Some(Place::From(delivered, Part::Whole));
            }
        }
    }

    /// The edges between routines; feedback only where asked for.
    fn edges(&self, with_feedback: bool) -> Vec<Edge> {
        let connections = self.graph.connections.iter().enumerate();
        connections
            .filter(|(_, connection)| with_feedback || !connection.feedback)
            .filter_map(|(connection, _)| {
                let (from, to) = (self.events[connection]?.0, self.slots[connection]?.0);
                Some(Edge { via: Via::Connection(connection), from, to })
            })
            .collect()
    }

    fn edges_by_routine(&self) -> Vec<Vec<Edge>> {
        let mut out_of = vec![Vec::new(); self.graph.routines.len()];
        for edge in self.edges(true) {
            out_of[edge.from].push(edge);
        }
        out_of
    }

    fn cycles(&mut self) {
        let graph = self.graph;
        for cycle in cycles::closing(graph.routines.len(), &self.edges(false)) {
            let Some(closing) = cycle.last() else { continue };
            let written = &graph.connections[closing.connection().unwrap_or(0)];
            let way: Vec<String> = cycle
                .iter()
                .map(|edge| format!("`{}`", graph.connections[edge.connection().unwrap_or(0)]))
                .collect();
            self.tell(
                Kind::UnmarkedCycle,
                Place::To(closing.connection().unwrap_or(0), Part::Whole),
                format!("`{written}` closes a cycle: {}", way.join(", ")),
                format!("if the feedback is meant, mark it: `{} -> loop {};`", written.from, written.to),
            );
        }
        let out_of = self.edges_by_routine();
        for edge in self.edges(true) {
            let written = &graph.connections[edge.connection().unwrap_or(0)];
            if written.feedback && cycles::path(&out_of, edge.to, edge.from).is_none() {
                let plain = Connection { feedback: false, ..written.clone() };
                // Where another connection could not be read, this cycle may be what it would have closed.
                if self.has_unresolved() {
                    continue;
                }
                self.tell(
                    Kind::NoCycle,
                    Place::To(edge.connection().unwrap_or(0), Part::Whole),
                    format!(
                        "`loop` marks feedback, but no way leads from `{}` back to `{}`",
                        written.to, written.from
                    ),
                    format!("write `{plain};`"),
                );
            }
        }
    }

    fn has_unresolved(&self) -> bool {
        self.graph.connections.iter().enumerate().any(|(index, connection)| {
            (matches!(connection.from, Source::Event(_)) && self.events[index].is_none())
                || (matches!(connection.to, Target::Slot(_)) && self.slots[index].is_none())
        })
    }

    fn unconnected(&mut self) {
        let graph = self.graph;
        let connected: HashSet<Resolved> = self.slots.iter().flatten().copied().collect();
        for (r, routine) in graph.routines.iter().enumerate() {
            if self.ids[routine.id.as_str()] != r {
                continue;
            }
            for (s, slot) in routine.slots.iter().enumerate() {
                let port = Port::new(&routine.id, &slot.name);
                if slot.optional
                    || connected.contains(&(r, s))
                    || self.probably_meant.contains(&port)
                    || self.unclear_routines.contains(&r)
                    || self.unclear_slots.contains(slot.name.as_str())
                {
                    continue;
                }
                let help =
                    format!("connect it, for example `{};`", self.likely_source(r, &slot.payload, &port));
                let message =
                    format!("nothing is connected to the slot `{port}`, which takes `{}`", slot.payload);
                self.tell(Kind::Unconnected(port), Place::Routine(r), message, help);
            }
        }
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
                    let taken = self.events.contains(&Some((r, e)));
                    fitting.push((taken, Port::new(&routine.id, &event.name)));
                }
            }
        }
        fitting.sort_by_key(|(taken, _)| *taken);
        match fitting.first() {
            Some((_, event)) => format!("{event} -> {slot}"),
            None => format!("in {} -> {slot}", slot.name),
        }
    }

    fn way_in(&mut self) {
        let graph = self.graph;
        if graph.connections.iter().any(|connection| matches!(connection.from, Source::Input(_))) {
            return;
        }
        let slot = graph.routines.iter().find_map(|r| r.slots.first().map(|s| Port::new(&r.id, &s.name)));
        let slot = slot.unwrap_or_else(|| Port::new("routine", "slot"));
        self.tell(
            Kind::NoWayIn,
            Place::Flow,
            format!("no way leads into the flow `{}`, so none of its routines would ever run", graph.name),
            format!("add an input, for example `in {} -> {slot};`", slot.name),
        );
    }

    fn undelivered(&mut self) {
        let graph = self.graph;
        let ignored: HashSet<&Port> = graph.ignored.iter().collect();
        for (r, routine) in graph.routines.iter().enumerate() {
            for (e, event) in routine.events.iter().enumerate() {
                let port = Port::new(&routine.id, &event.name);
                if self.events.contains(&Some((r, e)))
                    || ignored.contains(&port)
                    || self.probably_meant.contains(&port)
                    || self.unclear_routines.contains(&r)
                {
                    continue;
                }
                let message = format!("the event `{port}` leads nowhere");
                let help = format!("connect it, or write `ignore {port};`");
                self.tell(Kind::Undelivered(port), Place::Routine(r), message, help);
            }
        }
    }

    fn unreached(&mut self) {
        let graph = self.graph;
        // A flow without an input was told already, and so was a routine without a connection.
        if self.problems.iter().any(|problem| problem.severity == Severity::Error) {
            return;
        }
        let out_of = self.edges_by_routine();
        let mut reached = vec![false; graph.routines.len()];
        let mut todo: Vec<usize> = (0..graph.connections.len())
            .filter(|index| matches!(graph.connections[*index].from, Source::Input(_)))
            .filter_map(|index| Some(self.slots[index]?.0))
            .collect();
        while let Some(at) = todo.pop() {
            if !std::mem::replace(&mut reached[at], true) {
                todo.extend(out_of[at].iter().map(|edge| edge.to));
            }
        }
        for (index, routine) in graph.routines.iter().enumerate() {
            if !reached[index] {
                self.tell(
                    Kind::Unreached,
                    Place::Routine(index),
                    format!("no way leads from an input to `{}`, so it never runs", routine.id),
                    "connect one of its slots, or remove it".into(),
                );
            }
        }
    }
}

fn slot_names(routine: &Routine) -> impl Iterator<Item = &str> + Clone {
    routine.slots.iter().map(|slot| slot.name.as_str())
}

fn event_names(routine: &Routine) -> impl Iterator<Item = &str> + Clone {
    routine.events.iter().map(|event| event.name.as_str())
}

/// "did you mean `a`? Its slots are: `a`, `b`", or "it has none".
fn choices<'a>(near: Option<&str>, what: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let list = match names.len() {
        0 => format!("{what}: there are none"),
        _ => format!("{what} are: {}", names.join(", ")),
    };
    match near {
        Some(near) => format!("did you mean `{near}`? {}", capitalised(&list)),
        None => list,
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, Slot};

    fn routine(id: &str, slots: &[&str], events: &[&str]) -> Routine {
        Routine {
            slots: slots.iter().map(|name| Slot::new(*name, "u64")).collect(),
            events: events.iter().map(|name| Event::new(*name, "u64")).collect(),
            ..Routine::new(id, id.to_uppercase())
        }
    }

    fn source(text: &str) -> Source {
        match text.strip_prefix("in ") {
            Some(name) => Source::Input(name.into()),
            None => Source::Event(port(text)),
        }
    }

    fn port(text: &str) -> Port {
        let (routine, name) = text.split_once('.').unwrap();
        Port::new(routine, name)
    }

    fn flow(routines: Vec<Routine>, connections: &[&str]) -> Graph {
        let mut graph = Graph::new("Test");
        graph.routines = routines;
        for text in connections {
            let (from, to) = text.split_once(" -> ").unwrap();
            let (feedback, to) = match to.strip_prefix("loop ") {
                Some(rest) => (true, rest),
                None => (false, to),
            };
            let to = match (to, to.strip_prefix("out ")) {
                ("return", _) => Target::Return,
                (_, Some(name)) => Target::Output(name.into()),
                _ => Target::Slot(port(to)),
            };
            graph.connections.push(Connection { feedback, ..Connection::new(source(from), to) });
        }
        graph
    }

    fn kinds(graph: &Graph) -> Vec<Kind> {
        check(graph).into_iter().map(|problem| problem.kind).collect()
    }

    fn a_and_b() -> Vec<Routine> {
        vec![routine("a", &["x"], &["y"]), routine("b", &["x"], &["y"])]
    }

    #[test]
    fn a_sound_flow_has_no_problem() {
        let graph = flow(a_and_b(), &["in x -> a.x", "a.y -> b.x", "b.y -> return"]);
        assert_eq!(check(&graph), []);
    }

    #[test]
    fn a_misspelt_end_is_told_once_and_nothing_follows_from_it() {
        let graph = flow(a_and_b(), &["in x -> a.x", "a.y -> b.xx", "b.y -> return"]);
        assert_eq!(kinds(&graph), [Kind::UnknownPort]);
        let graph = flow(a_and_b(), &["in x -> a.x", "a.yy -> b.x", "b.y -> return"]);
        assert_eq!(kinds(&graph), [Kind::UnknownPort]);
        let graph = flow(a_and_b(), &["in x -> a.x", "a.y -> zeta.x", "b.y -> return"]);
        assert_eq!(kinds(&graph), [Kind::UnknownRoutine("zeta".into())]);
    }

    #[test]
    fn a_connection_the_wrong_way_round_is_one_mistake() {
        let graph = flow(a_and_b(), &["in x -> a.x", "b.x -> a.y", "b.y -> return"]);
        assert_eq!(kinds(&graph), [Kind::WrongDirection]);
        assert_eq!(check(&graph)[0].help, "write `a.y -> b.x;`");
    }

    #[test]
    fn a_slot_without_connection_names_the_line_to_write() {
        let problems = check(&flow(a_and_b(), &["in x -> a.x", "b.y -> return"]));
        assert_eq!(problems[0].kind, Kind::Unconnected(Port::new("b", "x")));
        assert_eq!(problems[0].help, "connect it, for example `a.y -> b.x;`");
    }

    #[test]
    fn a_cycle_is_drawn_and_marking_it_mends_it() {
        let problems = check(&flow(a_and_b(), &["in x -> a.x", "a.y -> b.x", "b.y -> a.x"]));
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].message, "`b.y -> a.x` closes a cycle: `a.y -> b.x`, `b.y -> a.x`");
        let marked = flow(a_and_b(), &["in x -> a.x", "a.y -> b.x", "b.y -> loop a.x"]);
        assert_eq!(check(&marked), []);
    }

    #[test]
    fn a_loop_that_closes_nothing_is_told() {
        let graph = flow(a_and_b(), &["in x -> a.x", "a.y -> loop b.x", "b.y -> return"]);
        assert_eq!(kinds(&graph), [Kind::NoCycle]);
    }

    #[test]
    fn what_is_there_twice_is_told_with_the_first_one() {
        let mut routines = a_and_b();
        routines.push(routine("a", &["x"], &[]));
        let graph =
            flow(routines, &["in x -> a.x", "a.y -> b.x", "a.y -> b.x", "b.y -> return", "a.y -> return"]);
        let problems = check(&graph);
        assert_eq!(
            problems.iter().map(|p| (p.kind.clone(), p.first)).collect::<Vec<_>>(),
            [
                (Kind::DuplicateRoutine, Some(Place::Routine(0))),
                (Kind::DuplicateConnection, Some(Place::To(1, Part::Whole))),
                (Kind::SecondReturn, Some(Place::To(3, Part::Whole))),
            ]
        );
    }

    #[test]
    fn no_way_in_and_what_leads_nowhere() {
        assert_eq!(kinds(&flow(vec![], &[])), [Kind::NoWayIn]);
        let mut graph = flow(a_and_b(), &["in x -> a.x", "a.y -> b.x"]);
        assert_eq!(kinds(&graph), [Kind::Undelivered(Port::new("b", "y"))]);
        graph.ignored.push(Port::new("b", "y"));
        assert_eq!(check(&graph), []);
        graph.ignored.push(Port::new("a", "y"));
        assert_eq!(kinds(&graph), [Kind::IgnoredDelivered]);
    }

    #[test]
    fn a_live_event_goes_to_outputs_only_and_nothing_follows_from_it() {
        let live = |connections: &[&str]| {
            let mut graph = flow(a_and_b(), connections);
            graph.routines[0].events[0].live = true;
            graph
        };
        let to = |graph: &Graph| {
            let problems = check(graph);
            problems.into_iter().map(|problem| (problem.kind, problem.place)).collect::<Vec<_>>()
        };
        let whole = |index| Place::To(index, Part::Whole);
        assert_eq!(check(&live(&["in x -> a.x", "in x -> b.x", "a.y -> out y", "b.y -> return"])), []);
        let within = live(&["in x -> a.x", "a.y -> b.x", "b.y -> return", "a.y -> return"]);
        assert_eq!(to(&within), [(Kind::LiveDelivered, whole(1)), (Kind::LiveDelivered, whole(3))]);
        // Neither a cycle, nor one that is missed.
        let round = live(&["in x -> a.x", "in x -> b.x", "b.y -> a.x", "a.y -> b.x"]);
        assert_eq!(to(&round), [(Kind::LiveDelivered, whole(3))]);
        let round = live(&["in x -> a.x", "in x -> b.x", "b.y -> loop a.x", "a.y -> b.x"]);
        assert_eq!(to(&round), [(Kind::LiveDelivered, whole(3))]);
        let shared = live(&["in x -> a.x", "in x -> b.x", "a.y -> out y", "b.y -> out y"]);
        assert_eq!(to(&shared), [(Kind::LiveShared, whole(3))]);
        assert_eq!(check(&shared)[0].first, Some(whole(2)));
        assert_eq!(check(&shared)[0].message, "`b.y` is an ordinary event, and `out y` carries live ones");
        // It is not proposed as a source either.
        let missing = check(&live(&["in x -> a.x", "a.y -> out y", "b.y -> return"]));
        assert_eq!(missing[0].help, "connect it, for example `in x -> b.x;`");
    }

    #[test]
    fn a_routine_that_only_feeds_itself_is_never_reached() {
        let mut routines = a_and_b();
        routines.push(routine("c", &["x"], &["y"]));
        let graph = flow(routines, &["in x -> a.x", "a.y -> b.x", "b.y -> return", "c.y -> loop c.x"]);
        assert_eq!(kinds(&graph), [Kind::Unreached]);
    }
}
