//! The names at the ends of connections: those that there are not, and those that may not stand there.

use super::{Checker, Part, Place, event_names, param_names, slot_names};
use crate::code::Code;
use crate::ends::{From, To, leaving};
use crate::model::{Connection, Port, Role, Routine, Slot, Source, Target};
use crate::suggest::{choices, did_you_mean};

impl<'g> Checker<'g> {
    /// Finds the ports that the connections name.
    pub(super) fn ends(&mut self) {
        let graph = self.graph;
        for (index, connection) in graph.connections.iter().enumerate() {
            if self.wrong_way_round(connection) {
                let reversed = format!("{} -> {}", connection.to, connection.from);
                self.unclear(connection);
                self.tell(
                    Code::WrongWayRound,
                    Place::Connection(index),
                    format!(
                        "`{connection}` is the wrong way round: it begins at a slot and ends at an event"
                    ),
                    format!("write `{reversed};`"),
                );
                continue;
            }
            if let Source::Event(port) = &connection.from {
                self.ends.events[index] = self.event(port, |part| Place::From(index, part));
            }
            if let Target::Slot(port) = &connection.to {
                self.ends.slots[index] = self.slot(port, |part| Place::To(index, part));
            }
        }
        for (index, policy) in graph.policies.iter().enumerate() {
            for (number, target) in policy.to.iter().enumerate() {
                if let Target::Slot(port) = target {
                    self.ends.diverted[index][number] =
                        self.slot(port, |part| Place::PolicyTo(index, number, part));
                }
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
                .is_some_and(|r| is_input(r, &port.name) && leaving(r, &port.name).is_none())
        };
        let is_event = |port: &Port| {
            self.graph
                .routine(&port.routine)
                .is_some_and(|r| leaving(r, &port.name).is_some() && !is_input(r, &port.name))
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

    pub(super) fn routine_of(&mut self, port: &'g Port, place: impl Fn(Part) -> Place) -> Option<usize> {
        if let Some(index) = self.ids.get(port.routine.as_str()) {
            return Some(*index);
        }
        let ids = self.graph.routines.iter().map(|routine| routine.id.as_str());
        let near = did_you_mean(&port.routine, ids.clone());
        match near {
            Some(near) => drop(self.probably_meant.insert(Port::new(near, &port.name))),
            None => drop(self.unclear_slots.insert(&port.name)),
        }
        let help = match port.routine.as_str() {
            "out" => format!("an output is written without a dot: `out {}`", port.name),
            _ => choices(near, &format!("the routines of `{}`", self.graph.name), ids),
        };
        self.tell(
            Code::UnknownRoutine,
            place(Part::Routine),
            format!("there is no routine `{}` in this flow", port.routine),
            help,
        )
        .port = Some(port.clone());
        None
    }

    pub(super) fn event(&mut self, port: &'g Port, place: impl Fn(Part) -> Place) -> Option<From> {
        let graph = self.graph;
        let routine = self.routine_of(port, &place)?;
        let known = &graph.routines[routine];
        if let Some(found) = leaving(known, &port.name) {
            return Some((routine, found));
        }
        if let Some((code, message, help)) = no_error(known, port) {
            self.unclear_routines.insert(routine);
            self.tell(code, place(Part::Port), message, help);
            return None;
        }
        if let Some(what) = input_kind(known, &port.name) {
            let help = choices(None, &format!("the events of `{}`", port.routine), event_names(known));
            let message = format!("`{port}` is {what}, and a connection begins at an event");
            self.unclear_routines.insert(routine);
            self.tell(Code::SlotForEvent, place(Part::Port), message, help);
            return None;
        }
        if let Some(join) = port.name.strip_suffix(".unpaired")
            && known.slot(join).is_some_and(|slot| slot.role == Role::Join)
        {
            let message = format!(
                "the join `{}.{join}` has no time limit, so nothing leaves it unpaired",
                port.routine
            );
            let help =
                format!("give it one where it is declared: `#[join(within = \"30min\")] fn {join}(..)`");
            self.unclear_routines.insert(routine);
            self.tell(Code::UnknownEvent, place(Part::Port), message, help);
            return None;
        }
        if known.inner.is_some() && port.name.contains('.') {
            self.unclear_routines.insert(routine);
            let message = format!(
                "`{}` is a flow: what the routines in it emit leaves it through its outputs only",
                port.routine
            );
            let help = choices(None, "its outputs", event_names(known));
            self.tell(Code::AcrossBoundary, place(Part::Port), message, help);
            return None;
        }
        if known.inner.is_some() && port.name == "return" && known.event("result").is_some() {
            self.probably_meant.insert(Port::new(&port.routine, "result"));
            let message = format!("`{}` is a flow: its `return` is the event `result`", port.routine);
            let help = format!("write `{}.result`", port.routine);
            self.tell(Code::AcrossBoundary, place(Part::Port), message, help);
            return None;
        }
        let errors: Vec<String> = error_names(known);
        let near = did_you_mean(&port.name, event_names(known).chain(errors.iter().map(String::as_str)));
        match near {
            Some(near) => drop(self.probably_meant.insert(Port::new(&port.routine, near))),
            None => drop(self.unclear_routines.insert(routine)),
        }
        let is_error = near.is_some_and(|near| errors.iter().any(|error| error == near));
        let help = match is_error {
            true => choices(near, "its error events", errors.iter().map(String::as_str)),
            false => choices(near, "its events", event_names(known)),
        };
        let message = format!("`{}` has no event `{}`", port.routine, port.name);
        self.tell(Code::UnknownEvent, place(Part::Port), message, help);
        None
    }

    pub(super) fn slot(&mut self, port: &'g Port, place: impl Fn(Part) -> Place) -> Option<To> {
        let graph = self.graph;
        let routine = self.routine_of(port, &place)?;
        let known = &graph.routines[routine];
        if let Some((number, param)) = known.port(&port.name) {
            return Some((routine, number, param));
        }
        if let Some(slot) = known.slot(&port.name) {
            let params = param_names(&port.to_string(), slot);
            for param in param_names(&slot.name, slot) {
                self.probably_meant.insert(Port::new(&port.routine, param));
            }
            let (code, message, help) = not_connectable(port, slot.role, &params);
            self.tell(code, place(Part::Port), message, help);
            return None;
        }
        if leaving(known, &port.name).is_some() {
            let names = slot_names(known);
            let names = names.iter().map(String::as_str);
            let help = choices(None, &format!("the slots of `{}`", port.routine), names);
            let message = format!("`{port}` is an event, and a connection ends at a slot");
            self.unclear_routines.insert(routine);
            self.tell(Code::EventForSlot, place(Part::Port), message, help);
            return None;
        }
        if let Some((slot, param)) = port.name.split_once('.')
            && let Some(slot) = known.slot(slot)
            && known.inner.is_none()
        {
            self.parameter(port, slot, param, place(Part::Parameter));
            return None;
        }
        let names = slot_names(known);
        if known.inner.is_some() && port.name.contains('.') {
            self.unclear_routines.insert(routine);
            let message = format!(
                "`{}` is a flow: the routines in it are reached through its inputs only",
                port.routine
            );
            let help = choices(None, "its inputs", names.iter().map(String::as_str));
            self.tell(Code::AcrossBoundary, place(Part::Port), message, help);
            return None;
        }
        let near = did_you_mean(&port.name, names.iter().map(String::as_str));
        match near {
            Some(near) => drop(self.probably_meant.insert(Port::new(&port.routine, near))),
            None => drop(self.unclear_routines.insert(routine)),
        }
        let help = choices(near, "its slots", names.iter().map(String::as_str));
        let message = format!("`{}` has no slot `{}`", port.routine, port.name);
        self.tell(Code::UnknownSlot, place(Part::Port), message, help);
        None
    }

    /// What stands after the dot of a known slot is not one of its parameters.
    fn parameter(&mut self, port: &Port, slot: &Slot, param: &str, place: Place) {
        let whole = Port::new(&port.routine, &slot.name);
        if slot.role != Role::Join {
            self.probably_meant.insert(whole.clone());
            let message = format!("`{whole}` is no join, so it has no parameter `{param}`");
            self.tell(Code::UnknownParameter, place, message, format!("write `{whole}`"));
            return;
        }
        let names = slot.params.iter().map(|param| param.name.as_str());
        let near = did_you_mean(param, names.clone());
        let meant = slot.params.iter().filter(|param| near.is_none_or(|near| param.name == near));
        for param in meant {
            self.probably_meant.insert(Port::new(&port.routine, format!("{}.{}", slot.name, param.name)));
        }
        let message = format!("the join `{whole}` has no parameter `{param}`");
        let help = choices(near, "its parameters", names);
        self.tell(Code::UnknownParameter, place, message, help);
    }
}

fn is_input(routine: &Routine, name: &str) -> bool {
    input_kind(routine, name).is_some()
}

/// What the name is, where it is that of an input.
fn input_kind(routine: &Routine, name: &str) -> Option<&'static str> {
    match (routine.slot(name).map(|slot| slot.role), routine.port(name)) {
        (Some(Role::Handler), _) if routine.inner.is_some() => Some("an input"),
        (Some(Role::Handler), _) => Some("a slot"),
        (Some(Role::Join), _) => Some("a join"),
        (Some(Role::Source { .. }), _) => Some("a source"),
        (Some(Role::Finish), _) => Some("a finish"),
        (None, Some(_)) => Some("a parameter of a join"),
        (None, None) => None,
    }
}

/// Why a connection cannot end at this port, and what to do.
fn not_connectable(port: &Port, role: Role, params: &[String]) -> (Code, String, String) {
    match role {
        Role::Handler | Role::Join => {
            let names: Vec<String> = params.iter().map(|name| format!("`{name}`")).collect();
            (
                Code::JoinAsWhole,
                format!("`{port}` is a join: a connection ends at one of its parameters"),
                format!("connect each of them: {}", names.join(", ")),
            )
        }
        Role::Source { .. } => (
            Code::RunsByItself,
            format!("`{port}` is a source: it is called while it has more, and nothing is sent to it"),
            format!(
                "connect a slot of `{}` whose handler arms it with `out.{1}()`, or start it with the job: \
                 `#[source(start)] fn {1}(..)`",
                port.routine, port.name
            ),
        ),
        Role::Finish => (
            Code::RunsByItself,
            format!("`{port}` runs by itself when nothing can reach `{}` any more", port.routine),
            "remove this connection".into(),
        ),
    }
}

/// `line.error` for each handler that may fail.
fn error_names(routine: &Routine) -> Vec<String> {
    let fallible = routine.slots.iter().filter(|slot| slot.fallible);
    fallible.map(|slot| format!("{}.error", slot.name)).collect()
}

/// What is wrong about a name that is written like an error event, and is none.
fn no_error(routine: &Routine, port: &Port) -> Option<(Code, String, String)> {
    let handler = match port.name.strip_suffix(".error") {
        None if port.name == "error" => None,
        None => return None,
        Some(handler) => Some(handler),
    };
    let id = &port.routine;
    if routine.inner.is_some() {
        let message = format!("`{id}` is a flow, and a flow has no error events");
        let help = format!(
            "write `on error of {id} ..;`, or connect the error inside the flow and give it an `out`"
        );
        return Some((Code::AcrossBoundary, message, help));
    }
    let names = error_names(routine);
    let names = names.iter().map(String::as_str);
    let Some(handler) = handler else {
        return Some(match names.len() {
            0 => (
                Code::CannotFail,
                format!("nothing in `{id}` can fail, so there is no `{port}`"),
                "let a handler return a `Result`, or remove this".into(),
            ),
            _ => (
                Code::UnclearError,
                format!("`{port}` is unclear: more than one handler of `{id}` may fail"),
                choices(None, "its error events", names),
            ),
        });
    };
    if let Some(slot) = routine.slots.iter().find(|slot| slot.name == handler) {
        let what = Port::new(id, &slot.name);
        let message = format!("`{what}` cannot fail, so there is no `{port}`");
        return Some((Code::CannotFail, message, "let its handler return a `Result`, or remove this".into()));
    }
    let handlers = routine.slots.iter().filter(|slot| slot.fallible).map(|slot| slot.name.as_str());
    let near = did_you_mean(handler, handlers);
    let near = near.map(|near| format!("{near}.error"));
    let message = format!("`{id}` has no slot `{handler}`, so there is no `{port}`");
    Some((Code::UnknownEvent, message, choices(near.as_deref(), "its error events", names)))
}
