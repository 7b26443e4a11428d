//! The checks on a flow's wiring that need no Rust types. All mistakes are found at once, and
//! what only follows from another mistake is not told. It knows names, not places in a source
//! file: who called it turns a `Place` into a span, a line or an id.

mod connections;
mod ends;
mod feedback;
mod missing;
mod policies;
mod starving;
#[cfg(test)]
mod tests;

use crate::code::Code;
use crate::ends::Ends;
use crate::model::{Graph, Port, Role, Routine};
use std::collections::{HashMap, HashSet};

/// One mistake in a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the flow can be used all the same.
    pub severity: Severity,
    /// Which mistake it is.
    pub code: Code,
    /// The port that is missing, leads nowhere or is not known, where it is about one.
    pub port: Option<Port>,
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
    /// What a row is about; the whole row is `Part::Whole`.
    Policy(usize, Part),
    /// One of a row's targets: the row, the target.
    PolicyTo(usize, usize, Part),
}

/// Which part of `routine.port` is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The routine's id.
    Routine,
    /// The name of the slot or event.
    Port,
    /// The last part of that name, what follows its dot.
    Parameter,
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
    checker.otherwise();
    checker.returns();
    checker.ignored();
    checker.policies();
    checker.dead_wires();
    checker.feedback();
    checker.unconnected();
    checker.way_in();
    checker.undelivered();
    // What is hardly meant is told of a flow that is wired soundly.
    if checker.problems.iter().all(|problem| problem.severity == Severity::Warning) {
        checker.unreached();
        checker.starving();
        checker.endless();
    }
    checker.problems
}

struct Checker<'g> {
    graph: &'g Graph,
    ids: HashMap<&'g str, usize>,
    problems: Vec<Problem>,
    /// What was found.
    ends: Ends,
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
            ends: Ends::none(graph),
            probably_meant: HashSet::new(),
            unclear_routines: HashSet::new(),
            unclear_slots: HashSet::new(),
        }
    }

    fn tell(&mut self, code: Code, place: Place, message: String, help: String) -> &mut Problem {
        let severity = match code {
            Code::EventLeadsNowhere
            | Code::RoutineNeverReached
            | Code::JoinMayStarve
            | Code::EndlessCycle => Severity::Warning,
            _ => Severity::Error,
        };
        let index = self.problems.len();
        self.problems.push(Problem { severity, code, port: None, place, first: None, message, help });
        &mut self.problems[index]
    }

    fn routines(&mut self) {
        for (index, routine) in self.graph.routines.iter().enumerate() {
            let first = self.ids[routine.id.as_str()];
            if first != index {
                self.tell(
                    Code::DuplicateRoutine,
                    Place::Routine(index),
                    format!("the id `{}` is used by two routines", routine.id),
                    "give each routine of a flow an id of its own".into(),
                )
                .first = Some(Place::Routine(first));
            }
        }
    }
}

/// What a connection may end at.
fn slot_names(routine: &Routine) -> Vec<String> {
    let names = routine.slots.iter().flat_map(|slot| match slot.role {
        Role::Handler => vec![slot.name.clone()],
        Role::Join => param_names(&slot.name, slot),
        Role::Source { .. } | Role::Finish => Vec::new(),
    });
    names.collect()
}

/// The inputs of a join, each after `join` and a dot.
fn param_names(join: &str, slot: &crate::model::Slot) -> Vec<String> {
    slot.params.iter().map(|param| format!("{join}.{}", param.name)).collect()
}

fn event_names(routine: &Routine) -> impl Iterator<Item = &str> + Clone {
    routine.events.iter().map(|event| event.name.as_str())
}
