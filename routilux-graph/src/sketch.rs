//! What is drawn of a flow, for every exporter: nodes with pins, and links between pins. Names that lead nowhere are drawn
//! too, as what they are: a flow with mistakes has a picture, and the picture shows them.

use crate::model::{
    Connection, Graph, Merge, Param, Policy, Role, Routine, Slot, Source, Subject, Target, When,
};
use std::collections::HashMap;

/// A flow as nodes and links.
#[derive(Debug, Default)]
pub(crate) struct Sketch<'g> {
    /// The routines in the order they are written, then what else there is, as it is met.
    pub(crate) nodes: Vec<Node<'g>>,
    pub(crate) links: Vec<Link>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Routine,
    /// A flow that is an instance in this one.
    Flow,
    /// An id that no routine has.
    Unknown,
    Input,
    Output,
    Return,
}

impl Kind {
    /// Whether it is an input or an output of the flow, and no routine.
    pub(crate) fn is_end(self) -> bool {
        matches!(self, Kind::Input | Kind::Output | Kind::Return)
    }
}

#[derive(Debug)]
pub(crate) struct Node<'g> {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) type_name: String,
    /// What leads into it, and what runs by itself. An output has one, without a name.
    pub(crate) ins: Vec<Pin>,
    /// What leaves it. An input has one, without a name.
    pub(crate) outs: Vec<Pin>,
    /// All that is inside, where that is known.
    pub(crate) inner: Option<&'g Graph>,
}

#[derive(Debug, Default)]
pub(crate) struct Pin {
    pub(crate) name: String,
    pub(crate) payload: String,
    /// What is special about it, in a few words.
    pub(crate) note: String,
    /// Whether a link begins or ends here.
    pub(crate) linked: bool,
    /// Whether what failed leaves here.
    pub(crate) error: bool,
    /// Whether only a connection names it.
    pub(crate) unknown: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    /// Marked with `loop`.
    Feedback,
    /// Of what failed.
    Error,
}

#[derive(Debug)]
pub(crate) struct Link {
    /// The node, and which of its `outs`.
    pub(crate) from: (usize, usize),
    /// The node, and which of its `ins`.
    pub(crate) to: (usize, usize),
    /// What happens on the way, empty if nothing does.
    pub(crate) label: String,
    pub(crate) style: Style,
    /// All of it, as it is written in a flow.
    pub(crate) text: String,
}

impl<'g> Sketch<'g> {
    pub(crate) fn of(graph: &'g Graph) -> Self {
        let mut drawer = Drawer::default();
        for routine in &graph.routines {
            drawer.routine(routine);
        }
        for port in &graph.ignored {
            drawer.ignore(&port.routine, &port.name);
        }
        for connection in &graph.connections {
            drawer.connection(graph, connection);
        }
        for policy in &graph.policies {
            drawer.policy(graph, policy);
        }
        drawer.sketch
    }
}

#[derive(Default)]
struct Drawer<'g> {
    sketch: Sketch<'g>,
    /// The first node of each kind and name; routines of all kinds are one kind here.
    nodes: HashMap<(u8, &'g str), usize>,
    /// The pins of a node by name, those that it has more than once by their first.
    ins: HashMap<(usize, String), usize>,
    outs: HashMap<(usize, String), usize>,
}

impl<'g> Drawer<'g> {
    fn routine(&mut self, routine: &'g Routine) {
        let number = self.sketch.nodes.len();
        let inner = routine.inner.as_ref();
        let mut ins = Vec::new();
        for slot in &routine.slots {
            match slot.role {
                Role::Join => ins.extend(slot.params.iter().map(|param| of_param(slot, param))),
                _ => ins.push(of_slot(slot)),
            }
        }
        let outs = routine.events.iter().map(|event| Pin {
            name: event.name.clone(),
            payload: event.payload.clone(),
            note: if event.live { "live".into() } else { String::new() },
            ..Pin::default()
        });
        let outs: Vec<Pin> = outs.collect();
        for (at, pin) in ins.iter().enumerate() {
            self.ins.entry((number, pin.name.clone())).or_insert(at);
        }
        for (at, pin) in outs.iter().enumerate() {
            self.outs.entry((number, pin.name.clone())).or_insert(at);
        }
        self.nodes.entry((0, &routine.id)).or_insert(number);
        self.sketch.nodes.push(Node {
            kind: if inner.is_some() { Kind::Flow } else { Kind::Routine },
            name: routine.id.clone(),
            type_name: routine.type_name.clone(),
            ins,
            outs,
            inner: inner.and_then(|inner| inner.graph.as_ref()),
        });
    }

    fn ignore(&mut self, routine: &'g str, name: &str) {
        let pin = self.nodes.get(&(0, routine)).and_then(|node| {
            let pin = self.outs.get(&(*node, name.to_owned()))?;
            self.sketch.nodes[*node].outs.get_mut(*pin)
        });
        if let Some(pin) = pin {
            let dot = if pin.note.is_empty() { "" } else { " · " };
            pin.note = format!("{}{dot}ignored", pin.note);
        }
    }

    fn connection(&mut self, graph: &'g Graph, connection: &'g Connection) {
        let (from, error) = match &connection.from {
            Source::Input(name) => ((self.end(Kind::Input, name), 0), false),
            Source::Event(port) => {
                let node = self.node(&port.routine);
                let (pin, error) = self.out_pin(graph, node, &port.name);
                ((node, pin), error)
            }
        };
        let to = self.target(&connection.to);
        let style = match (connection.feedback || connection.bound.is_some(), error) {
            (true, _) => Style::Feedback,
            (false, true) => Style::Error,
            (false, false) => Style::Plain,
        };
        self.link(Link { from, to, label: label(connection), style, text: connection.to_string() });
    }

    /// A row that sends what failed on is a wire; one for the whole flow would be a wire from everywhere, and is left out.
    fn policy(&mut self, graph: &'g Graph, policy: &'g Policy) {
        let (id, name) = match &policy.of {
            Some(Subject::Routine(id)) => (id, "error".to_owned()),
            Some(Subject::Slot(port)) => (&port.routine, format!("{}.error", port.name)),
            None => return,
        };
        for target in &policy.to {
            let node = self.node(id);
            let (pin, _) = self.out_pin(graph, node, &name);
            let pins = &mut self.sketch.nodes[node].outs[pin];
            (pins.error, pins.unknown) = (true, false);
            let to = self.target(target);
            let label = if policy.panic { "on panic" } else { "on error" }.to_owned();
            self.link(Link { from: (node, pin), to, label, style: Style::Error, text: policy.to_string() });
        }
    }

    fn link(&mut self, link: Link) {
        self.sketch.nodes[link.from.0].outs[link.from.1].linked = true;
        self.sketch.nodes[link.to.0].ins[link.to.1].linked = true;
        self.sketch.links.push(link);
    }

    fn target(&mut self, target: &'g Target) -> (usize, usize) {
        match target {
            Target::Output(name) => (self.end(Kind::Output, name), 0),
            Target::Return => (self.end(Kind::Return, "return"), 0),
            Target::Slot(port) => {
                let node = self.node(&port.routine);
                let pins = &mut self.sketch.nodes[node].ins;
                let pin = *self.ins.entry((node, port.name.clone())).or_insert_with(|| {
                    pins.push(unknown(&port.name));
                    pins.len() - 1
                });
                (node, pin)
            }
        }
    }

    fn node(&mut self, id: &'g str) -> usize {
        let nodes = &mut self.sketch.nodes;
        *self.nodes.entry((0, id)).or_insert_with(|| {
            nodes.push(Node {
                kind: Kind::Unknown,
                name: id.to_owned(),
                type_name: "?".into(),
                ins: Vec::new(),
                outs: Vec::new(),
                inner: None,
            });
            nodes.len() - 1
        })
    }

    /// An input or an output of the flow.
    fn end(&mut self, kind: Kind, name: &'g str) -> usize {
        let nodes = &mut self.sketch.nodes;
        *self.nodes.entry((1 + kind as u8, name)).or_insert_with(|| {
            let (ins, outs) = match kind {
                Kind::Input => (Vec::new(), vec![Pin::default()]),
                _ => (vec![Pin::default()], Vec::new()),
            };
            nodes.push(Node {
                kind,
                name: name.to_owned(),
                type_name: String::new(),
                ins,
                outs,
                inner: None,
            });
            nodes.len() - 1
        })
    }

    /// The pin of an event, and whether that is an error event: those have a pin once they are connected.
    fn out_pin(&mut self, graph: &Graph, node: usize, name: &str) -> (usize, bool) {
        let pins = &mut self.sketch.nodes[node].outs;
        if let Some(pin) = self.outs.get(&(node, name.to_owned())) {
            return (*pin, pins[*pin].error);
        }
        let slot = graph.routines.get(node).and_then(|routine| Some(&routine.slots[routine.error_of(name)?]));
        let pin = slot.map_or_else(
            || unknown(name),
            |slot| Pin {
                name: format!("{}.error", slot.name),
                payload: format!("Failure<{}>", slot.payload),
                error: true,
                ..Pin::default()
            },
        );
        let error = pin.error;
        // `error` and `line.error` may be the same one.
        let at = *self.outs.entry((node, pin.name.clone())).or_insert_with(|| {
            pins.push(pin);
            pins.len() - 1
        });
        self.outs.insert((node, name.to_owned()), at);
        (at, error)
    }
}

fn unknown(name: &str) -> Pin {
    Pin { name: name.to_owned(), note: "unknown".into(), unknown: true, ..Pin::default() }
}

fn of_slot(slot: &Slot) -> Pin {
    let (payload, note) = match slot.role {
        Role::Source { start: true } => (String::new(), "source".to_owned()),
        Role::Source { start: false } => (String::new(), "source, when asked".to_owned()),
        Role::Finish => (String::new(), "at the end".to_owned()),
        Role::Handler | Role::Join => (slot.payload.clone(), gathers(slot)),
    };
    Pin { name: slot.name.clone(), payload, note, ..Pin::default() }
}

fn of_param(slot: &Slot, param: &Param) -> Pin {
    let latest = if slot.merge == Merge::Latest { "join latest" } else { "join" };
    Pin {
        name: format!("{}.{}", slot.name, param.name),
        payload: param.payload.clone(),
        note: latest.into(),
        ..Pin::default()
    }
}

/// What a slot keeps, and when it runs, as far as that is not as usual.
fn gathers(slot: &Slot) -> String {
    let merge = (slot.merge != Merge::Override).then(|| slot.merge.to_string());
    let when = match slot.when {
        When::Each => None,
        When::Count(number) => Some(format!("every {number}")),
        when => Some(when.to_string()),
    };
    let parts: Vec<String> = merge.into_iter().chain(when).collect();
    parts.join(" · ")
}

fn label(connection: &Connection) -> String {
    let mut parts = Vec::new();
    match (&connection.guard, connection.otherwise) {
        (_, true) => parts.push("else".to_owned()),
        (Some(guard), false) => parts.push(format!("if {guard}")),
        (None, false) => {}
    }
    parts.extend(connection.map.clone());
    parts.extend(connection.converts.then(|| "=>".to_owned()));
    match connection.bound {
        Some(bound) => parts.push(format!("loop({bound})")),
        None if connection.feedback => parts.push("loop".to_owned()),
        None => {}
    }
    parts.join(" ")
}
