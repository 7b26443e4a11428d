//! What a flow is made of. Ends of connections are kept by name, so that a flow with mistakes in
//! it can be written down too: finding them is the work of `check`.

use std::fmt;

/// A flow: routines and the connections between their ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// The flow's name.
    pub name: String,
    /// Its routines, in the order they are written.
    pub routines: Vec<Routine>,
    /// Its connections, one for each source and target, in the order they are written.
    pub connections: Vec<Connection>,
    /// Events that lead nowhere on purpose.
    pub ignored: Vec<Port>,
}

/// A routine in a flow: an instance of a routine type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routine {
    /// Its name in the flow.
    pub id: String,
    /// The name of its type, as written in the flow.
    pub type_name: String,
    /// Its typed inputs.
    pub slots: Vec<Slot>,
    /// Its typed outputs.
    pub events: Vec<Event>,
}

/// A typed input port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name: that of its handler.
    pub name: String,
    /// The type of one arrival, as written by the author of the routine.
    pub payload: String,
    /// What the slot keeps.
    pub merge: Merge,
    /// When its handler runs.
    pub when: When,
    /// Whether a flow may leave it unconnected.
    pub optional: bool,
    /// Whether its handler is `async`.
    pub waits: bool,
}

/// A typed output port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its payload's type, as written by the author of the routine.
    pub payload: String,
    /// Whether it leaves at once, before the step has ended: then it goes to outputs only.
    pub live: bool,
}

/// What a slot keeps of the values that arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Merge {
    /// Nothing: every arrival is handed over.
    #[default]
    Override,
    /// All values, in the order of arrival.
    Append,
}

/// When the handler of a slot runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// At every arrival.
    #[default]
    Each,
}

/// One port of one routine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// The routine's id.
    pub routine: String,
    /// The name of the slot or event.
    pub name: String,
}

/// Where a connection begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A typed input of the flow.
    Input(String),
    /// An event of a routine.
    Event(Port),
}

/// Where a connection ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A slot of a routine.
    Slot(Port),
    /// A typed output of the flow.
    Output(String),
    /// The result of the job.
    Return,
}

/// A way from an event, or an input of the flow, to a slot, an output or the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Where it begins.
    pub from: Source,
    /// Where it ends.
    pub to: Target,
    /// Whether it is marked as feedback with `loop`.
    pub feedback: bool,
}

impl Graph {
    /// An empty flow.
    pub fn new(name: impl Into<String>) -> Self {
        Graph { name: name.into(), ..Graph::default() }
    }

    /// The routine of that id; the first one where an id is used twice.
    pub fn routine(&self, id: &str) -> Option<&Routine> {
        self.routines.iter().find(|routine| routine.id == id)
    }

    /// The names of the flow's inputs, each once, in the order they are written.
    pub fn inputs(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for connection in &self.connections {
            if let Source::Input(name) = &connection.from
                && !names.contains(&name.as_str())
            {
                names.push(name.as_str());
            }
        }
        names
    }
}

impl Routine {
    /// The slot of that name.
    pub fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.name == name)
    }

    /// The event of that name.
    pub fn event(&self, name: &str) -> Option<&Event> {
        self.events.iter().find(|event| event.name == name)
    }
}

impl Slot {
    /// A slot that keeps nothing, runs at every arrival and has to be connected.
    pub fn new(name: impl Into<String>, payload: impl Into<String>) -> Self {
        Slot {
            name: name.into(),
            payload: payload.into(),
            merge: Merge::default(),
            when: When::default(),
            optional: false,
            waits: false,
        }
    }
}

impl Event {
    /// An event that leaves when its step has ended.
    pub fn new(name: impl Into<String>, payload: impl Into<String>) -> Self {
        Event { name: name.into(), payload: payload.into(), live: false }
    }
}

impl Port {
    /// The port `name` of the routine `routine`.
    pub fn new(routine: impl Into<String>, name: impl Into<String>) -> Self {
        Port { routine: routine.into(), name: name.into() }
    }
}

impl Connection {
    /// A connection that is not feedback.
    pub fn new(from: Source, to: Target) -> Self {
        Connection { from, to, feedback: false }
    }
}

impl fmt::Display for Merge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Merge::Override => "override",
            Merge::Append => "append",
        })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.routine, self.name)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Input(name) => write!(f, "in {name}"),
            Source::Event(port) => port.fmt(f),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Slot(port) => port.fmt(f),
            Target::Output(name) => write!(f, "out {name}"),
            Target::Return => f.write_str("return"),
        }
    }
}

/// The connection as it is written in a flow.
impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}{}", self.from, if self.feedback { "loop " } else { "" }, self.to)
    }
}
