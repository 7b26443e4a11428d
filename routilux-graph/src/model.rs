//! What a flow is made of. Ends of connections are kept by name, so that a flow with mistakes in
//! it can be written down too: finding them is the work of `check`.

use crate::ways::RESULT;
use std::fmt;
use std::str::FromStr;

/// A flow: routines and the connections between their ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Graph {
    /// The flow's name.
    pub name: String,
    /// Its routines, in the order they are written.
    #[cfg_attr(feature = "json", serde(default))]
    pub routines: Vec<Routine>,
    /// Its connections, one for each source and target, in the order they are written.
    #[cfg_attr(feature = "json", serde(default))]
    pub connections: Vec<Connection>,
    /// Events that lead nowhere on purpose.
    #[cfg_attr(feature = "json", serde(default))]
    pub ignored: Vec<Port>,
    /// What is done about errors and panics, in the order the rows are written.
    #[cfg_attr(feature = "json", serde(default))]
    pub policies: Vec<Policy>,
}

/// A routine in a flow: an instance of a routine type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Routine {
    /// Its name in the flow.
    pub id: String,
    /// The name of its type, as written in the flow.
    #[cfg_attr(feature = "json", serde(rename = "type"))]
    pub type_name: String,
    /// Its ports, in the order their handlers are declared: slots, joins, sources and finishes. Of a flow in this flow: its
    /// inputs.
    #[cfg_attr(feature = "json", serde(default))]
    pub slots: Vec<Slot>,
    /// Its typed outputs: the declared events, then `<join>.unpaired` for each join with a time limit. Of a flow in this flow: its
    /// outputs, then `result` where it has one. Error events, like `line.error`, are not among them.
    #[cfg_attr(feature = "json", serde(default))]
    pub events: Vec<Event>,
    /// What is known of its inside, where it is a flow.
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "Option::is_none"))]
    pub inner: Option<Box<Inner>>,
}

/// The inside of a flow that is an instance in another one, as far as the wiring outside depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Inner {
    /// All of it. While a flow is compiled, what others hold is not known.
    #[cfg_attr(feature = "json", serde(default))]
    pub graph: Option<Graph>,
    /// Which input may lead to which output.
    #[cfg_attr(feature = "json", serde(default))]
    pub reach: Vec<(String, String)>,
    /// The outputs that may get something without any input, because a source inside starts by itself.
    #[cfg_attr(feature = "json", serde(default))]
    pub always: Vec<String>,
    /// The slots inside that wait until nothing can come any more.
    #[cfg_attr(feature = "json", serde(default))]
    pub drained: Vec<Drained>,
}

/// A drained slot inside a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Drained {
    /// Its name inside: `parse.total`.
    pub slot: String,
    /// The inputs that may lead to it.
    pub from: Vec<String>,
    /// The outputs that it may lead to.
    pub to: Vec<String>,
}

/// A port that takes something, or that runs by itself: what a handler of a routine is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Slot {
    /// Its name: that of its handler.
    pub name: String,
    /// The type of one arrival, as written by the author of the routine.
    #[cfg_attr(feature = "json", serde(default))]
    pub payload: String,
    /// What the slot keeps.
    #[cfg_attr(feature = "json", serde(default))]
    pub merge: Merge,
    /// When its handler runs.
    #[cfg_attr(feature = "json", serde(default))]
    pub when: When,
    /// Whether a flow may leave it unconnected.
    #[cfg_attr(feature = "json", serde(default))]
    pub optional: bool,
    /// Whether its handler is `async`.
    #[cfg_attr(feature = "json", serde(default))]
    pub waits: bool,
    /// What kind of handler it has.
    #[cfg_attr(feature = "json", serde(default))]
    pub role: Role,
    /// What a join pairs: each is connected by itself.
    #[cfg_attr(feature = "json", serde(default))]
    pub params: Vec<Param>,
    /// Whether its handler may fail: it returns a `Result`, or has a timeout. Then there is an error event.
    #[cfg_attr(feature = "json", serde(default))]
    pub fallible: bool,
    /// Whether all is as before after a panic: the state is, and the payload is still there.
    #[cfg_attr(feature = "json", serde(default))]
    pub whole: bool,
    /// Whether it is a join with a time limit. Then there is the event `<join>.unpaired`.
    #[cfg_attr(feature = "json", serde(default))]
    pub within: bool,
    /// The event that its handler emits once each time that it runs, where that can be told while compiling: it returns the payload.
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "Option::is_none"))]
    pub always: Option<String>,
}

/// The kinds of handlers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "snake_case"))]
pub enum Role {
    /// It takes what arrives at its slot.
    #[default]
    Handler,
    /// It takes one of each of its parameters.
    Join,
    /// It is called again and again while it has more.
    Source {
        /// Whether it is armed at the start of a job, and not by a handler.
        start: bool,
    },
    /// It runs once, when nothing can reach its routine any more.
    Finish,
}

/// One input of a join.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Param {
    /// Its name.
    pub name: String,
    /// The type of one arrival, as written by the author of the routine.
    #[cfg_attr(feature = "json", serde(default))]
    pub payload: String,
}

/// A typed output port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its payload's type, as written by the author of the routine.
    #[cfg_attr(feature = "json", serde(default))]
    pub payload: String,
    /// Whether it leaves at once, before the step has ended: then it goes to outputs only.
    #[cfg_attr(feature = "json", serde(default))]
    pub live: bool,
}

/// What a slot keeps of the values that arrive.
///
/// ```
/// use routilux_graph::Merge;
///
/// assert_eq!("fold:add".parse(), Ok(Merge::Fold("add".into())));
/// assert_eq!(Merge::Fold("add".into()).to_string(), "fold add");
/// assert!("sum".parse::<Merge>().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Merge {
    /// Nothing: every arrival is handed over.
    #[default]
    Override,
    /// The newest waiting value of each connection.
    Latest,
    /// All values, in the order of arrival.
    Append,
    /// What the function of this name makes of them.
    Fold(String),
}

/// When the handler of a slot runs.
///
/// ```
/// use routilux_graph::When;
///
/// assert_eq!("3".parse(), Ok(When::Count(3)));
/// assert_eq!(When::Drained.to_string(), "drained");
/// assert!("0".parse::<When>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// At every arrival.
    #[default]
    Each,
    /// When every connection has delivered since it last ran.
    All,
    /// After so many arrivals, and with the remainder when nothing can come any more.
    Count(u32),
    /// Once in a job, when nothing can come any more, also with nothing.
    Drained,
}

/// What was written for a [`Merge`] or a [`When`] is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

/// One port of one routine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Port {
    /// The routine's id.
    pub routine: String,
    /// The name of the slot or event; of one input of a join, or of an error event, the two with a dot between: `settle.order`,
    /// `line.error`.
    pub name: String,
}

/// Where a connection begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "snake_case"))]
pub enum Source {
    /// A typed input of the flow.
    Input(String),
    /// An event of a routine.
    Event(Port),
}

/// Where a connection ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "snake_case"))]
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
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Connection {
    /// Where it begins.
    pub from: Source,
    /// Where it ends.
    pub to: Target,
    /// Whether it is marked as feedback with `loop`.
    #[cfg_attr(feature = "json", serde(default))]
    pub feedback: bool,
    /// How often a payload may go this way in a job: the number of `loop(3)`.
    #[cfg_attr(feature = "json", serde(default))]
    pub bound: Option<u32>,
    /// Whether the payload is converted with `From`: `=>`.
    #[cfg_attr(feature = "json", serde(default))]
    pub converts: bool,
    /// Which payloads go this way: the text of the closure after `if`. Of an `else`, the text of the guard that it is the `else` of.
    #[cfg_attr(feature = "json", serde(default))]
    pub guard: Option<String>,
    /// Whether it is the `else` of its guard: what the guard rejects goes this way.
    #[cfg_attr(feature = "json", serde(default))]
    pub otherwise: bool,
    /// What becomes of the payload on its way: the text of the closure before the target.
    #[cfg_attr(feature = "json", serde(default))]
    pub map: Option<String>,
}

/// One row of what is done when a handler fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Policy {
    /// What it is about; a row that names nothing is tried after those that do.
    #[cfg_attr(feature = "json", serde(default))]
    pub of: Option<Subject>,
    /// Whether it is about panics, and not about errors.
    #[cfg_attr(feature = "json", serde(default))]
    pub panic: bool,
    /// Which errors it is about: the text of the closure after `if`.
    #[cfg_attr(feature = "json", serde(default))]
    pub guard: Option<String>,
    /// Where a delivery that failed goes on to: the targets of `-> a.b`, and of `then -> a.b`.
    #[cfg_attr(feature = "json", serde(default))]
    pub to: Vec<Target>,
    /// Whether the rows after it are tried in the end: `retry` without `then`.
    #[cfg_attr(feature = "json", serde(default))]
    pub passes: bool,
    /// What is done, as written: `retry(3, 100ms) then skip`.
    pub text: String,
}

/// What a row of [`Graph::policies`] is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "snake_case"))]
pub enum Subject {
    /// All handlers of a routine, or of a flow in this flow. In a flattened graph also all routines whose ids begin with this one and
    /// a dot.
    Routine(String),
    /// One handler.
    Slot(Port),
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

    /// The names of the flow's outputs as another flow sees them, each once, in the order they are written; the last is `result`,
    /// where the flow has a `return`.
    pub fn outputs(&self) -> Vec<&str> {
        let targets = self.connections.iter().map(|connection| &connection.to);
        let targets = targets.chain(self.policies.iter().flat_map(|policy| &policy.to));
        let mut names: Vec<&str> = Vec::new();
        let mut returns = false;
        for target in targets {
            match target {
                Target::Output(name) if !names.contains(&name.as_str()) => names.push(name),
                Target::Return => returns = true,
                Target::Output(_) | Target::Slot(_) => {}
            }
        }
        names.extend(returns.then_some(RESULT));
        names
    }
}

impl Routine {
    /// A routine without ports.
    pub fn new(id: impl Into<String>, type_name: impl Into<String>) -> Self {
        Routine {
            id: id.into(),
            type_name: type_name.into(),
            slots: Vec::new(),
            events: Vec::new(),
            inner: None,
        }
    }

    /// What a connection may end at: the number of the port of that name and, where the name is that of one input of a join,
    /// `settle.order`, the number of the parameter. A join has no slot of its own name, and nothing is sent to sources and finishes.
    ///
    /// ```
    /// use routilux_graph::{Param, Role, Routine, Slot};
    ///
    /// let mut desk = Routine::new("desk", "Desk");
    /// desk.slots.push(Slot::new("open", "()"));
    /// desk.slots.push(Slot::join("settle", vec![Param::new("order", "Order"), Param::new("payment", "Payment")]));
    /// assert_eq!(desk.port("open"), Some((0, None)));
    /// assert_eq!(desk.port("settle.payment"), Some((1, Some(1))));
    /// assert_eq!(desk.port("settle"), None);
    /// ```
    pub fn port(&self, name: &str) -> Option<(usize, Option<usize>)> {
        let numbered = |name: &str| self.slots.iter().position(|slot| slot.name == name);
        if let Some(number) = numbered(name) {
            return (self.slots[number].role == Role::Handler).then_some((number, None));
        }
        let (join, param) = name.split_once('.')?;
        let number = numbered(join)?;
        let param = self.slots[number].params.iter().position(|known| known.name == param)?;
        Some((number, Some(param)))
    }

    /// The number of the port whose error event this is: of `line` for `line.error`, and for `error` of the only one that may fail.
    pub fn error_of(&self, name: &str) -> Option<usize> {
        let mut fallible = self.slots.iter().enumerate().filter(|(_, slot)| slot.fallible);
        let number = match name.strip_suffix(".error") {
            Some(port) => fallible.find(|(_, slot)| slot.name == port)?.0,
            None if name == "error" => {
                let number = fallible.next()?.0;
                if fallible.next().is_some() {
                    return None;
                }
                number
            }
            None => return None,
        };
        Some(number)
    }

    /// The port of that name, of any role.
    pub fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.name == name)
    }

    /// The event of that name.
    pub fn event(&self, name: &str) -> Option<&Event> {
        self.events.iter().find(|event| event.name == name)
    }
}

impl Slot {
    /// A slot that keeps nothing, runs at every arrival, cannot fail and has to be connected.
    pub fn new(name: impl Into<String>, payload: impl Into<String>) -> Self {
        Slot {
            name: name.into(),
            payload: payload.into(),
            merge: Merge::default(),
            when: When::default(),
            optional: false,
            waits: false,
            role: Role::default(),
            params: Vec::new(),
            fallible: false,
            whole: false,
            within: false,
            always: None,
        }
    }

    /// A join of these parameters.
    pub fn join(name: impl Into<String>, params: Vec<Param>) -> Self {
        let payloads: Vec<&str> = params.iter().map(|param| param.payload.as_str()).collect();
        let payload = format!("({})", payloads.join(", "));
        Slot { role: Role::Join, params, ..Slot::new(name, payload) }
    }

    /// A source, which is armed at the start or by a handler.
    pub fn source(name: impl Into<String>, start: bool) -> Self {
        Slot { role: Role::Source { start }, ..Slot::new(name, "()") }
    }

    /// A handler that runs when nothing can reach its routine any more.
    pub fn finish(name: impl Into<String>) -> Self {
        Slot { role: Role::Finish, ..Slot::new(name, "()") }
    }
}

impl Param {
    /// An input of a join.
    pub fn new(name: impl Into<String>, payload: impl Into<String>) -> Self {
        Param { name: name.into(), payload: payload.into() }
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
    /// A connection that is not feedback, and takes every payload as it is.
    pub fn new(from: Source, to: Target) -> Self {
        Connection {
            from,
            to,
            feedback: false,
            bound: None,
            converts: false,
            guard: None,
            otherwise: false,
            map: None,
        }
    }
}

impl Policy {
    /// A row for every error.
    pub fn new(of: Option<Subject>, text: impl Into<String>) -> Self {
        Policy { of, panic: false, guard: None, to: Vec::new(), passes: false, text: text.into() }
    }
}

impl fmt::Display for Merge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Merge::Override => f.write_str("override"),
            Merge::Latest => f.write_str("latest"),
            Merge::Append => f.write_str("append"),
            Merge::Fold(name) => write!(f, "fold {name}"),
        }
    }
}

/// As a port table has it: a fold is `fold:add`.
impl FromStr for Merge {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        Ok(match text {
            "override" => Merge::Override,
            "latest" => Merge::Latest,
            "append" => Merge::Append,
            _ => match text.split_once([':', ' ']) {
                Some(("fold", name)) if !name.is_empty() => Merge::Fold(name.into()),
                _ => return Err(Unknown),
            },
        })
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::Each => f.write_str("each"),
            When::All => f.write_str("all"),
            When::Count(number) => number.fmt(f),
            When::Drained => f.write_str("drained"),
        }
    }
}

/// As a port table has it.
impl FromStr for When {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        Ok(match text {
            "each" => When::Each,
            "all" => When::All,
            "drained" => When::Drained,
            _ => match text.parse() {
                Ok(number) if number > 0 => When::Count(number),
                _ => return Err(Unknown),
            },
        })
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such merge or firing rule")
    }
}

impl std::error::Error for Unknown {}

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

/// The connection as it is written in a flow; an `else` with the guard that it belongs to.
impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.from)?;
        if let Some(guard) = &self.guard {
            write!(f, "if {guard} ")?;
        }
        if self.otherwise {
            f.write_str("else ")?;
        }
        if let Some(map) = &self.map {
            write!(f, "-> {map} ")?;
        }
        f.write_str(if self.converts { "=> " } else { "-> " })?;
        match self.bound {
            Some(bound) => write!(f, "loop({bound}) ")?,
            None if self.feedback => f.write_str("loop ")?,
            None => {}
        }
        self.to.fmt(f)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Routine(id) => f.write_str(id),
            Subject::Slot(port) => port.fmt(f),
        }
    }
}

/// The row as it is written in a flow.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.panic { "on panic " } else { "on error " })?;
        if let Some(of) = &self.of {
            write!(f, "of {of} ")?;
        }
        if let Some(guard) = &self.guard {
            write!(f, "if {guard} ")?;
        }
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(text: &str) -> Port {
        let (routine, name) = text.split_once('.').unwrap();
        Port::new(routine, name)
    }

    #[test]
    fn a_connection_reads_as_it_is_written() {
        let plain = Connection::new(Source::Event(port("a.x")), Target::Slot(port("b.s.y")));
        let guard = Some("|e| e.n > 3".to_owned());
        let map = Some("|e| e.text".to_owned());
        let written = |connection: Connection| connection.to_string();
        assert_eq!(written(plain.clone()), "a.x -> b.s.y");
        assert_eq!(written(Connection { feedback: true, ..plain.clone() }), "a.x -> loop b.s.y");
        let bounded = Connection { feedback: true, bound: Some(3), converts: true, ..plain.clone() };
        assert_eq!(written(bounded), "a.x => loop(3) b.s.y");
        assert_eq!(written(Connection { map: map.clone(), ..plain.clone() }), "a.x -> |e| e.text -> b.s.y");
        assert_eq!(
            written(Connection { guard: guard.clone(), map, ..plain.clone() }),
            "a.x if |e| e.n > 3 -> |e| e.text -> b.s.y"
        );
        assert_eq!(
            written(Connection { guard, otherwise: true, ..plain }),
            "a.x if |e| e.n > 3 else -> b.s.y"
        );
    }

    #[test]
    fn a_policy_reads_as_it_is_written() {
        let row = Policy::new(Some(Subject::Slot(port("a.x"))), "retry(3, 100ms) then skip");
        assert_eq!(row.to_string(), "on error of a.x retry(3, 100ms) then skip");
        let row = Policy { guard: Some("|p| true".into()), panic: true, ..Policy::new(None, "stop") };
        assert_eq!(row.to_string(), "on panic if |p| true stop");
    }

    #[test]
    fn names_are_resolved_by_role() {
        let mut desk = Routine::new("desk", "Desk");
        desk.slots = vec![
            Slot { fallible: true, ..Slot::new("line", "String") },
            Slot::join("settle", vec![Param::new("order", "Order"), Param::new("payment", "Payment")]),
            Slot::source("lines", true),
            Slot::finish("flush"),
        ];
        assert_eq!(desk.slots[1].payload, "(Order, Payment)");
        assert_eq!(desk.port("line"), Some((0, None)));
        assert_eq!(desk.port("settle.order"), Some((1, Some(0))));
        for name in ["settle", "lines", "flush", "settle.x", "line.x", "none", "none.x"] {
            assert_eq!(desk.port(name), None, "{name}");
        }
        assert_eq!(desk.error_of("line.error"), Some(0));
        assert_eq!(desk.error_of("error"), Some(0));
        assert_eq!(desk.error_of("settle.error"), None);
        assert_eq!(desk.error_of("line"), None);
        desk.slots[1].fallible = true;
        assert_eq!(desk.error_of("error"), None);
        assert_eq!(desk.error_of("settle.error"), Some(1));
    }

    #[test]
    fn merges_and_firing_rules_are_read_back() {
        for merge in ["override", "latest", "append", "fold add"] {
            assert_eq!(merge.parse::<Merge>().unwrap().to_string(), merge);
        }
        for when in ["each", "all", "drained", "3"] {
            assert_eq!(when.parse::<When>().unwrap().to_string(), when);
        }
        assert_eq!("fold:".parse::<Merge>(), Err(Unknown));
        assert_eq!("-1".parse::<When>(), Err(Unknown));
    }
}
