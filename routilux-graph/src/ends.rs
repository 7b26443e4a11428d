//! The names at the ends of connections as numbers. It says nothing about names that there are not: that is the work of
//! `check`.

use crate::model::{Graph, Port, Routine, Source, Subject, Target};

/// What leaves a routine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Leaving {
    /// The event of that number.
    Event(usize),
    /// The errors of the port of that number.
    Error(usize),
}

/// Where a connection begins: a routine, and what leaves it.
pub(crate) type From = (usize, Leaving);

/// Where a connection ends: a routine, one of its ports and, where that is a join, the parameter.
pub(crate) type To = (usize, usize, Option<usize>);

/// The ends that were found.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// By connection: the event it begins at.
    pub(crate) events: Vec<Option<From>>,
    /// By connection: the slot it ends at.
    pub(crate) slots: Vec<Option<To>>,
    /// By policy, and by its targets: the slot.
    pub(crate) diverted: Vec<Vec<Option<To>>>,
}

impl Ends {
    /// As many as the graph has, none of them found.
    pub(crate) fn none(graph: &Graph) -> Self {
        Ends {
            events: vec![None; graph.connections.len()],
            slots: vec![None; graph.connections.len()],
            diverted: graph.policies.iter().map(|policy| vec![None; policy.to.len()]).collect(),
        }
    }

    pub(crate) fn of(graph: &Graph) -> Self {
        let number = |id: &str| graph.routines.iter().position(|routine| routine.id == id);
        let from = |port: &Port| {
            let routine = number(&port.routine)?;
            Some((routine, leaving(&graph.routines[routine], &port.name)?))
        };
        let to = |target: &Target| {
            let Target::Slot(port) = target else { return None };
            let routine = number(&port.routine)?;
            let (number, param) = graph.routines[routine].port(&port.name)?;
            Some((routine, number, param))
        };
        let event = |source: &Source| match source {
            Source::Event(port) => from(port),
            Source::Input(_) => None,
        };
        Ends {
            events: graph.connections.iter().map(|connection| event(&connection.from)).collect(),
            slots: graph.connections.iter().map(|connection| to(&connection.to)).collect(),
            diverted: graph.policies.iter().map(|policy| policy.to.iter().map(to).collect()).collect(),
        }
    }
}

/// The event of that name, or the port whose error event it is.
pub(crate) fn leaving(routine: &Routine, name: &str) -> Option<Leaving> {
    let event = routine.events.iter().position(|event| event.name == name).map(Leaving::Event);
    event.or_else(|| routine.error_of(name).map(Leaving::Error))
}

/// The routines that a row is about, as far as something in them may fail that way.
pub(crate) fn concerned(graph: &Graph, of: Option<&Subject>, panic: bool) -> Vec<usize> {
    let about = |routine: &Routine| match of {
        None => true,
        Some(Subject::Slot(port)) => port.routine == routine.id,
        Some(Subject::Routine(id)) => {
            let rest = routine.id.strip_prefix(id.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        }
    };
    let fails = |routine: &Routine| {
        panic || routine.inner.is_some() || routine.slots.iter().any(|slot| slot.fallible)
    };
    let routines = graph.routines.iter().enumerate();
    routines.filter(|(_, routine)| about(routine) && fails(routine)).map(|(number, _)| number).collect()
}
