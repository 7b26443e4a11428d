//! The rows of what is done about errors and panics.

use super::{Checker, Part, Place};
use crate::code::Code;
use crate::ends::Leaving;
use crate::model::{Policy, Port, Role, Routine, Slot, Subject};
use crate::suggest::{choices, did_you_mean};

impl<'g> Checker<'g> {
    pub(super) fn policies(&mut self) {
        let graph = self.graph;
        let sound: Vec<bool> = (0..graph.policies.len()).map(|index| self.subject(index).is_some()).collect();
        for (index, policy) in graph.policies.iter().enumerate() {
            let earlier = graph.policies[..index].iter().position(|earlier| takes_all_of(earlier, policy));
            if let (true, Some(first)) = (sound[index], earlier) {
                self.never_tried(index, first);
            }
        }
    }

    /// An error wire comes after the rows that name its handler: one that takes every error leaves it nothing.
    pub(super) fn dead_wires(&mut self) {
        let graph = self.graph;
        for index in 0..graph.connections.len() {
            let Some((routine, Leaving::Error(slot))) = self.ends.events[index] else { continue };
            let known = &graph.routines[routine];
            let handler = Port::new(&known.id, &known.slots[slot].name);
            let mut rows = graph.policies.iter().enumerate();
            let first = rows.find(|(_, row)| {
                let names_it = matches!(&row.of, Some(Subject::Slot(port)) if *port == handler);
                names_it && !row.panic && row.guard.is_none()
            });
            let Some((first, row)) = first else { continue };
            if row.passes {
                continue;
            }
            self.tell(
                Code::UnreachablePolicy,
                Place::From(index, Part::Whole),
                format!("nothing goes over this error wire: `{row}` takes every error before it"),
                "remove one of the two; to try again and then go over the wire, write `retry(..)` without `then`".into(),
            )
            .first = Some(Place::Policy(first, Part::Whole));
        }
    }

    /// Whether a row is about something that there is, and that it can do something about.
    fn subject(&mut self, index: usize) -> Option<()> {
        let graph = self.graph;
        let policy = &graph.policies[index];
        let place = |part| Place::Policy(index, part);
        let (routine, slots): (&Routine, Vec<&Slot>) = match &policy.of {
            None => return Some(()),
            Some(Subject::Routine(id)) => {
                let routine = &graph.routines[self.routine_named(id, place)?];
                (routine, routine.slots.iter().collect())
            }
            Some(Subject::Slot(port)) => {
                let routine = &graph.routines[self.routine_named(&port.routine, place)?];
                (routine, vec![self.handler(routine, port, policy, place)?])
            }
        };
        if routine.inner.is_some() {
            return Some(());
        }
        match policy.panic {
            true => self.is_whole(index, &routine.id, &slots),
            false => self.can_fail(index, &routine.id, &slots),
        }
    }

    fn routine_named(&mut self, id: &'g str, place: impl Fn(Part) -> Place) -> Option<usize> {
        let found = self.ids.get(id).copied();
        if found.is_none() {
            let ids = self.graph.routines.iter().map(|routine| routine.id.as_str());
            let near = did_you_mean(id, ids.clone());
            let help = choices(near, &format!("the routines of `{}`", self.graph.name), ids);
            let message = format!("there is no routine `{id}` in this flow");
            self.tell(Code::UnknownRoutine, place(Part::Routine), message, help).port =
                Some(Port::new(id, ""));
        }
        found
    }

    fn handler(
        &mut self,
        routine: &'g Routine,
        port: &Port,
        policy: &Policy,
        place: impl Fn(Part) -> Place,
    ) -> Option<&'g Slot> {
        let (id, name) = (&port.routine, &port.name);
        let on = if policy.panic { "on panic" } else { "on error" };
        if routine.inner.is_some() {
            let message = format!(
                "`{id}` is a flow: a policy outside is about all that fails in it, not about `{name}`"
            );
            let help = format!("write `{on} of {id} ..;`, or the policy in the flow itself");
            self.tell(Code::AcrossBoundary, place(Part::Port), message, help);
            return None;
        }
        if let Some(slot) = routine.slot(name) {
            return Some(slot);
        }
        if let Some((join, _)) = name.split_once('.').filter(|_| routine.port(name).is_some()) {
            let message = format!("`{port}` is a parameter of a join, and a join fails as a whole");
            self.tell(
                Code::CannotFail,
                place(Part::Port),
                message,
                format!("write `{on} of {id}.{join} ..;`"),
            );
            return None;
        }
        if let Some((handler, more)) =
            name.split_once('.').filter(|(handler, _)| routine.slot(handler).is_some())
        {
            let message = format!("a policy is about a handler, and `.{more}` follows its name");
            let help = format!("write `{on} of {id}.{handler} ..;`");
            self.tell(Code::UnknownSlot, place(Part::Port), message, help);
            return None;
        }
        let names = routine.slots.iter().map(|slot| slot.name.as_str());
        let near = did_you_mean(name, names.clone());
        let message = format!("`{id}` has no slot `{name}`");
        self.tell(Code::UnknownSlot, place(Part::Port), message, choices(near, "its slots", names));
        None
    }

    fn can_fail(&mut self, index: usize, id: &str, slots: &[&Slot]) -> Option<()> {
        if slots.iter().any(|slot| slot.fallible) {
            return Some(());
        }
        let (what, whose) = match &self.graph.policies[index].of {
            Some(Subject::Slot(port)) => (format!("`{port}` cannot fail"), "its handler"),
            _ => (format!("nothing in `{id}` can fail"), "a handler"),
        };
        self.tell(
            Code::CannotFail,
            Place::Policy(index, Part::Whole),
            format!("{what}, so this policy is never tried"),
            format!("let {whose} return a `Result`, or remove the policy"),
        );
        None
    }

    /// To go on after a panic, all has to be as before.
    fn is_whole(&mut self, index: usize, id: &str, slots: &[&Slot]) -> Option<()> {
        // That is what happens anyway.
        if self.graph.policies[index].text.trim() == "stop" {
            return Some(());
        }
        let broken = |slot: &&&Slot| !slot.whole;
        let Some(slot) = slots.iter().find(broken) else { return Some(()) };
        let names: Vec<String> =
            slots.iter().filter(broken).map(|slot| format!("`{id}.{}`", slot.name)).collect();
        let help = match (slot.fallible, slot.role) {
            (true, _) => "remove `atomic = false` where it is declared: state and payload are kept then",
            (false, Role::Handler | Role::Join) => {
                "let it return a `Result`: state and payload are kept then"
            }
            (false, _) => "let it return a `Result`: the state is kept then",
        };
        self.tell(
            Code::NotWhole,
            Place::Policy(index, Part::Whole),
            format!(
                "after a panic in {} the job cannot go on: what it did is not undone",
                names.join(" or ")
            ),
            help.into(),
        );
        None
    }

    fn never_tried(&mut self, index: usize, first: usize) {
        let (row, earlier) = (&self.graph.policies[index], &self.graph.policies[first]);
        let what = if row.panic { "panic" } else { "error" };
        let (kind, message, help) = match &row.of {
            None if earlier.guard.is_none() => (
                Code::SecondDefault,
                format!("a flow has one `on {what}` for all, and this one is never tried"),
                format!("say what it is about: `on {what} of id.slot ..`, or remove one of the two"),
            ),
            _ => {
                let takes = if earlier.guard.is_none() { format!("every {what}") } else { "the same".into() };
                let message = format!("`{row}` is never tried: `{earlier}` takes {takes} before it");
                let help = match (&earlier.guard, &row.guard) {
                    (None, Some(_)) => "write the policy with the guard first",
                    _ => "remove one of the two",
                };
                (Code::UnreachablePolicy, message, help.into())
            }
        };
        self.tell(kind, Place::Policy(index, Part::Whole), message, help).first =
            Some(Place::Policy(first, Part::Whole));
    }
}

/// Whether nothing is left for a later row.
fn takes_all_of(earlier: &Policy, later: &Policy) -> bool {
    let covers = match (&earlier.of, &later.of) {
        (Some(Subject::Routine(id)), Some(Subject::Slot(port))) => *id == port.routine,
        (earlier, later) => earlier == later,
    };
    let every = earlier.guard.is_none() || earlier.guard == later.guard;
    covers && every && !earlier.passes && earlier.panic == later.panic
}
