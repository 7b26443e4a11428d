//! Mistakes in a routine that no single function shows: names used twice.

use super::model::{Model, plain};
use crate::diagnostic::{Diagnostics, place};
use proc_macro2::Ident;
use std::collections::HashMap;

pub(crate) fn check(model: &Model, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<String, (&'static str, &Ident)> = HashMap::new();
    let events = model.events.iter().map(|event| ("event", &event.name));
    let slots = model.slots.iter().map(|slot| ("slot", &slot.name));
    for (what, name) in events.chain(slots) {
        match seen.get(&plain(name)) {
            None => drop(seen.insert(plain(name), (what, name))),
            // Two handlers of one name are two functions of one name: the compiler says it.
            Some(("slot", _)) => {}
            Some((first, other)) => {
                let line =
                    place(other.span()).map(|(line, _)| format!(" on line {line}")).unwrap_or_default();
                let message = format!("the name `{name}` is already that of the {first}{line}");
                diagnostics.error(name, message, "ports of one routine have different names");
            }
        }
    }
}
