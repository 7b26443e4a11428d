//! Mistakes in a routine that no single function shows: names used twice, a second finish.

use super::model::{Kind, Model, input_name, plain, upper_camel};
use crate::diagnostic::{Diagnostics, place};
use proc_macro2::Ident;
use routilux_graph::Code;
use std::collections::HashMap;

pub(crate) fn check(model: &Model, diagnostics: &mut Diagnostics) {
    names(model, diagnostics);
    finishes(model, diagnostics);
    inputs(model, diagnostics);
}

fn on_line(name: &Ident) -> String {
    place(name.span()).map(|(line, _)| format!(" on line {line}")).unwrap_or_default()
}

fn names(model: &Model, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<String, (&'static str, &Ident)> = HashMap::new();
    let events = model.events.iter().map(|event| ("event", &event.name));
    let handlers = model.handlers.iter().map(|handler| (handler.kind.noun(), &handler.name));
    // What a join has found no partner for has a method and a variant of its own.
    let unpaired = model.handlers.iter().filter(|handler| handler.within() > 0);
    let unpaired: HashMap<String, &Ident> =
        unpaired.map(|join| (format!("{}_unpaired", plain(&join.name)), &join.name)).collect();
    for (what, name) in events.chain(handlers) {
        if what != "slot"
            && let Some(join) = unpaired.get(&plain(name))
        {
            diagnostics.error(
                Code::DuplicatePort,
                name,
                format!(
                    "the name `{name}` is too much like `{join}.unpaired`, the event of the join{}",
                    on_line(join)
                ),
                format!("give the {what} another name"),
            );
        }
        match seen.get(&plain(name)) {
            None => drop(seen.insert(plain(name), (what, name))),
            Some((first @ "event", other)) => {
                let message = format!("the name `{name}` is already that of the {first}{}", on_line(other));
                diagnostics.error(
                    Code::DuplicatePort,
                    name,
                    message,
                    "ports of one routine have different names",
                );
            }
            // Two handlers of one name are two functions of one name: the compiler says it.
            Some(_) => {}
        }
    }
}

fn finishes(model: &Model, diagnostics: &mut Diagnostics) {
    let mut finishes = model.handlers.iter().filter(|handler| matches!(handler.kind, Kind::Finish));
    let Some(first) = finishes.next() else { return };
    for second in finishes {
        let message = format!("a routine has one finish, and `{}`{} is it", first.name, on_line(&first.name));
        diagnostics.error(Code::FinishShape, &second.name, message, "do it all in one function");
    }
}

/// The inputs of each join have names of their own.
fn inputs(model: &Model, diagnostics: &mut Diagnostics) {
    for handler in &model.handlers {
        let Kind::Join { inputs, .. } = &handler.kind else { continue };
        for (number, input) in inputs.iter().enumerate() {
            let name = input_name(input);
            if ["error", "unpaired"].contains(&name.as_str()) {
                diagnostics.error(
                    Code::ReservedName,
                    input,
                    format!("`{name}` is a reserved name for an input of a join"),
                    "give the parameter another name",
                );
            }
            let variant = upper_camel(&name);
            let same = inputs[..number].iter().find(|other| upper_camel(&input_name(other)) == variant);
            if let Some(same) = same {
                diagnostics.error(
                    Code::DuplicatePort,
                    input,
                    format!("`{input}` and `{same}` are too much alike for inputs of one join"),
                    "give one of them another name",
                );
            }
        }
    }
}
